"""The generated file: what it looks like, and that it is the module, alone."""

from __future__ import annotations

import ast
import inspect
import pickle
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import torch
from reference import randomise

import archdsl
from archdsl.graph import Graph, Template
from archdsl.ops import Op

NETWORKS = Path(__file__).parent / "networks"
SPECS = {"s0": "s0", "l": "l", "kitchen": str(NETWORKS / "kitchen.arch")}


@pytest.fixture(params=SPECS)
def network(request: pytest.FixtureRequest) -> archdsl.Network:
    return archdsl.load(SPECS[request.param])


def image_for(network: archdsl.Network, batch: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, *network.graph.input.values, generator=generator)


# --- what it looks like


@pytest.mark.parametrize("spec", SPECS)
def test_golden_source(spec: str, golden) -> None:
    golden(f"{spec}.py", archdsl.load(SPECS[spec]).source())


def test_size() -> None:
    small, large = len(archdsl.load("s0").source()), len(archdsl.load("l").source())
    assert small <= 20_000
    assert large <= 1.15 * small


def test_s0_and_l_share_their_block_classes() -> None:
    def classes(spec: str) -> dict[str, str]:
        text = archdsl.load(spec).source()
        nodes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
        return {node.name: ast.get_source_segment(text, node) or "" for node in nodes[:-1]}

    assert classes("s0") == classes("l")


def test_ruff_finds_nothing_and_would_format_nothing(network: archdsl.Network, tmp_path: Path) -> None:
    file = tmp_path / "network.py"
    file.write_text(network.source(), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    rules = ["--isolated", "--line-length", "100", "--select", "E,F,W,I,UP,B,C4,PIE", "--ignore", "B905"]
    subprocess.run([*ruff, "check", *rules, str(file)], check=True)
    subprocess.run([*ruff, "format", "--isolated", "--line-length", "100", "--check", str(file)], check=True)


def test_imports_torch_and_the_standard_library_alone(network: archdsl.Network) -> None:
    imported = {
        (alias.name if isinstance(node, ast.Import) else node.module or "").partition(".")[0]
        for node in ast.walk(ast.parse(network.source()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"torch", "math", "collections"}


def test_every_class_and_method_is_typed_and_every_class_has_a_docstring(
    network: archdsl.Network,
) -> None:
    for node in ast.walk(ast.parse(network.source())):
        if isinstance(node, ast.ClassDef):
            assert ast.get_docstring(node), node.name
        if isinstance(node, ast.FunctionDef):
            assert node.returns is not None, node.name
            assert all(argument.annotation for argument in node.args.args[1:]), node.name


def test_header_says_where_it_comes_from(network: archdsl.Network) -> None:
    head = network.source().split('"""')[1]
    core = network.stats()
    assert f"{core.params:,} parameters" in head and f"{core.macs:,} MACs (core)" in head
    assert network.graph.fingerprint in head
    assert network.command in head
    assert "Python 3.10" in head and "torch 2.1" in head


def test_the_command_of_the_header_gives_the_same_file(tmp_path: Path) -> None:
    made = archdsl.load("s0", resolution=(192, 256), parameters={"distilled": False})
    assert made.command == "archdsl build s0 --resolution 192x256 --set distilled=false"
    arguments = [*made.command.split()[1:], "-o", "-"]
    command = [sys.executable, "-m", "archdsl", *arguments]
    again = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert again == made.source()


def test_the_command_names_a_file_of_ones_own_even_in_a_folder_called_specs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs").mkdir()
    bundled = Path(archdsl.__file__).parent.parent / "specs" / "s0.yaml"
    (tmp_path / "specs" / "mine.yaml").write_text(bundled.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert archdsl.load("specs/mine.yaml").command == "archdsl build mine.yaml"
    assert archdsl.load("specs/s0.yaml").command == "archdsl build s0"


# --- that it is the module


ALONE = """
import sys
sys.modules["archdsl"] = None
import importlib.util, torch
spec = importlib.util.spec_from_file_location("network", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
saved = torch.load(sys.argv[2], weights_only=True)
made = getattr(module, sys.argv[3])().double().eval()
made.load_state_dict(saved["state"])
with torch.no_grad():
    output = made(saved["image"])
assert torch.equal(output, saved["output"]), (output - saved["output"]).abs().max()
assert not [name for name in sys.modules if name.startswith("archdsl.")]
"""


def test_the_written_file_alone_equals_the_built_module(network: archdsl.Network, tmp_path: Path) -> None:
    module = network.build().double().eval()
    randomise(module)
    image = image_for(network).double()
    with torch.no_grad():
        output = module(image)
    saved = {"state": module.state_dict(), "image": image, "output": output}
    torch.save(saved, tmp_path / "saved.pt")
    (tmp_path / "network.py").write_text(network.source(), encoding="utf-8")
    files = [str(tmp_path / "network.py"), str(tmp_path / "saved.pt")]
    command = [sys.executable, "-c", ALONE, *files, type(module).__name__]
    subprocess.run(command, check=True, cwd=tmp_path)


def test_every_parameter_gets_a_gradient(network: archdsl.Network) -> None:
    # Without dropped branches: a block that both images skip has no gradient, and rightly so.
    module = network.build(drop_path=0.0).train()
    output = module(image_for(network))
    total = sum(part.square().sum() for part in (output if isinstance(output, tuple) else (output,)))
    total.backward()
    missing = [name for name, p in module.named_parameters() if p.grad is None or not p.grad.any()]
    # Before a batch norm in training, a bias has no effect: its gradient is zero but for rounding.
    assert [name for name in missing if not name.endswith(".bias")] == []
    assert all(p.grad is not None for p in module.parameters())


@pytest.mark.filterwarnings("ignore")
def test_torch_export_with_dynamic_batch(network: archdsl.Network) -> None:
    module = network.build().eval()
    batch = torch.export.Dim("batch", min=2, max=64)
    program = torch.export.export(module, (image_for(network, 2),), dynamic_shapes=({0: batch},))
    image = image_for(network, 3)
    with torch.no_grad():
        assert torch.allclose(program.module()(image), module(image), atol=1e-5)


def test_every_number_of_the_classes_is_that_of_the_graph(network: archdsl.Network) -> None:
    checked = check_numbers(network.graph, network.build())
    assert checked > 100


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("hidden = int(dim * expansion)", "hidden = int(dim * expansion) + 8"),
        ("self.key_dim = key_dim", "self.key_dim = key_dim * 2"),
        ("kernel=3, stride=stride, groups=dim", "kernel=5, stride=stride, groups=dim"),
        ("h = -(-height // stride)", "h = height // stride + 1"),
    ],
)
def test_a_corrupted_number_is_seen(right: str, wrong: str) -> None:
    network = archdsl.load("s0")
    text = network.source()
    assert right in text
    names: dict[str, object] = {"__name__": "corrupted"}
    exec(compile(text.replace(right, wrong), "<corrupted>", "exec"), names)
    made = names["EfficientFormerV2S0"]
    with pytest.raises(AssertionError):
        check_numbers(network.graph, made())  # type: ignore[operator]


def check_numbers(graph: Graph, module: torch.nn.Module) -> int:
    """Compare every number that the constructed classes hold with the graph; how many there were."""
    count = 0

    def walk(template: Template, prefix: str) -> None:
        nonlocal count
        for index, node in enumerate(template.nodes):
            if node.module != index or not node.label:
                continue
            path = prefix + node.label
            if node.child is not None:
                inside = module.get_submodule(path)
                for name, value in vars(inside).items():
                    if name in node.child.values:
                        assert value == node.child.values[name], (path, name)
                        count += 1
                walk(node.child, path + ".")
            elif node.op is not None:
                count += check_op(node.op, template, node, path)

    def check_op(op: Op, template: Template, node, path: str) -> int:
        types = template.input_types(node)
        for weight in op.weights(*types):
            key = f"{path}.{weight.name}" if weight.name else path
            owner, _, name = key.rpartition(".")
            tensor = getattr(module.get_submodule(owner), name)
            assert tuple(tensor.shape) == tuple(axis.value for axis in weight.axes), key
        if op.kind != "conv2d":
            return 1
        conv = module.get_submodule(path)
        assert conv.kernel_size == tuple(axis.value for axis in op.kernel), path
        assert conv.stride == tuple(axis.value for axis in op.stride), path
        assert conv.groups == op.groups.value, path
        return 4

    walk(graph.template, "")
    return count


# --- what the module can do


def test_class_is_importable_source(network: archdsl.Network) -> None:
    module = network.build()
    text = inspect.getsource(type(module))
    assert text.startswith(f"class {type(module).__name__}(nn.Module):")
    assert text.strip() in network.source()
    again = pickle.loads(pickle.dumps(module))
    assert again.state_dict().keys() == module.state_dict().keys()


def test_a_traceback_shows_the_generated_line() -> None:
    module = archdsl.build("s0")
    with pytest.raises(RuntimeError) as caught:
        module(torch.zeros(1, 4, 224, 224))
    shown = "".join(traceback.format_tb(caught.value.__traceback__))
    assert "s1 = self.s1(self.stem(x))" in shown


def test_features_share_weights_and_keys_with_the_classifier() -> None:
    module = archdsl.build("s0").eval()
    maps = module.features(torch.zeros(1, 3, 224, 224))
    shapes = [tuple(map_.shape[1:]) for map_ in maps]
    assert shapes == [(32, 56, 56), (48, 28, 28), (96, 14, 14), (176, 7, 7)]
    assert tuple(module.forward_features(torch.zeros(1, 3, 224, 224)).shape) == (1, 176, 7, 7)


def test_constructor_arguments() -> None:
    image = torch.zeros(2, 3, 224, 224)
    assert tuple(archdsl.build("s0", num_classes=10).eval()(image).shape) == (2, 10)
    assert tuple(archdsl.build("s0", num_classes=0).eval()(image).shape) == (2, 176)
    one = archdsl.build("s0", in_channels=1).eval()
    assert tuple(one(torch.zeros(2, 1, 224, 224)).shape) == (2, 1000)
    both = archdsl.build("s0").train()(image)
    assert [tuple(part.shape) for part in both] == [(2, 1000), (2, 1000)]
    single = archdsl.load("s0", parameters={"distilled": False}).build().train()(image)
    assert tuple(single.shape) == (2, 1000)


def test_drop_path_rises_linearly_over_the_blocks() -> None:
    module = archdsl.build("s0", drop_path=0.13)
    rates = [
        next(inner.rate for inner in block.modules() if type(inner).__name__ == "DropPath")
        for stage in (module.s1, module.s2, module.s3, module.s4)
        for block in stage
    ]
    assert rates == pytest.approx([0.01 * i for i in range(14)])
    assert all(
        inner.rate == rates[13] for inner in module.s4[3].modules() if type(inner).__name__ == "DropPath"
    )
    last = [m.rate for m in archdsl.build("l").modules() if type(m).__name__ == "DropPath"][-1]
    assert last == pytest.approx(0.1)


def test_drop_path_drops_whole_samples_and_keeps_the_mean() -> None:
    module = archdsl.build("s0", drop_path=0.5)
    drop = next(m for m in reversed(list(module.modules())) if type(m).__name__ == "DropPath")
    torch.manual_seed(0)
    dropped = drop.train()(torch.ones(4000, 2, 3))
    per_sample = dropped.flatten(1)
    assert set(per_sample.unique().tolist()) == {0.0, 2.0}
    assert bool((per_sample == per_sample[:, :1]).all())
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.06)
    assert torch.equal(drop.eval()(torch.ones(2, 2)), torch.ones(2, 2))


def test_initialisation_is_the_references() -> None:
    torch.manual_seed(0)
    module = archdsl.build("s0")
    for name, parameter in module.named_parameters():
        if re.search(r"(fc1|fc2)\.conv\.weight|head(_dist)?\.weight", name):
            assert parameter.std().item() == pytest.approx(0.02, rel=0.1), name
        elif re.search(r"(fc1|fc2)\.conv\.bias|head(_dist)?\.bias|bn\.bias|bias\.weight", name):
            assert not parameter.any(), name
        elif name.endswith("gamma"):
            assert (parameter == 1e-5).all(), name
        elif name.endswith("mid.conv.weight"):
            # torch's default, uniform within 1 / sqrt(fan in).
            assert parameter.abs().max().item() == pytest.approx(1 / 3, rel=0.05), name


@pytest.mark.parametrize("resolution", [192, (192, 256), (320, 256)])
def test_other_resolutions_build_and_run(resolution: int | tuple[int, int]) -> None:
    network = archdsl.load("s0", resolution=resolution)
    module = network.build().eval()
    with torch.no_grad():
        assert tuple(module(image_for(network, 1)).shape) == (1, 1000)
    assert sum(p.numel() for p in module.parameters()) == network.stats().params
