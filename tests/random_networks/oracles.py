"""What a document is held to: torch, fvcore, the written file, the other surface, shapes told a second time.

`check(sample, folder)` raises `AssertionError` with what differs. torch is imported when it is needed.
"""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archdsl.cost import Costs
from archdsl.formatter import formatted
from archdsl.graph import Graph
from archdsl.network import Network, load, load_with_settings
from archdsl.source import ArchError, Source
from archdsl.stats import Stats, stats
from archdsl.verify import block_shapes, fvcore_counts
from random_networks.interpreted import interpreted
from random_networks.networks import Sample
from random_networks.twins import Twin
from random_networks.variations import Resized, Spread, Varied

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCH = 2
EVERY_SURFACES = 2
"""Every second document is written in YAML and back: reading takes most of the time."""


def opened(text: str, folder: Path, ending: str = "arch") -> Network:
    """A document opened from a file of its own."""
    path = folder / f"drawn.{ending}"
    path.write_text(text, encoding="utf-8")
    return load(path)


def check(sample: Sample, folder: Path, with_fvcore: bool) -> None:
    """Hold the network of a document to everything that is known of it."""
    network = opened(sample.text, folder)
    graph = network.graph
    graph.verify()
    _agree("inputs", [graph.template.types[n].values for _, n in graph.template.inputs], sample.inputs)
    _rows_sum_up(network)
    _modules(sample, network, with_fvcore)
    if sample.seed % EVERY_SURFACES == 0:
        _surfaces(sample, graph, folder)


def _agree(what: str, ours: object, theirs: object) -> None:
    assert ours == theirs, f"{what}: {ours} is not {theirs}"


def _rows_sum_up(network: Network) -> None:
    """The rows of every table of figures sum to the figures."""
    for by in ("stage", "block", "op"):
        figures = network.stats(by=by)  # type: ignore[arg-type]
        _agree(f"params by {by}", sum(row.params for row in figures.rows), figures.params)
        _agree(f"MACs by {by}", sum(row.macs for row in figures.rows), figures.macs)
        _agree(f"MACs by operator by {by}", sum(figures.macs_by_operator.values()), figures.macs)


def _surfaces(sample: Sample, graph: Graph, folder: Path) -> None:
    """In YAML, and back from YAML, it is the same network."""
    yaml = formatted(Source("drawn.arch", sample.text), "arch", "yaml")
    for text, ending in ((yaml, "yaml"), (formatted(Source("drawn.yaml", yaml), "yaml", "arch"), "arch")):
        again = opened(text, folder, ending).graph
        _agree(f"fingerprint of {ending}", again.fingerprint, graph.fingerprint)
        _agree(f"parameters of {ending}", repr(again.parameters), repr(graph.parameters))


def _modules(sample: Sample, network: Network, with_fvcore: bool) -> None:
    import torch

    graph = network.graph
    made = network.module_class()
    with torch.device("meta"):
        on_meta = made().eval()
        images = [torch.empty(1, *shape) for shape in sample.inputs]
    _states(network, on_meta)
    _figures_of_a_run(sample, graph, on_meta, images)
    torch.manual_seed(sample.seed % 2**31)
    module = network.build()
    _written_file(sample, network, module)
    _gradients(sample, module)
    if with_fvcore:
        zeros = [torch.zeros(1, *shape) for shape in sample.inputs]
        ours = {name: count for name, count in Costs(graph, "fvcore").network.macs.items() if count}
        _agree("operations by fvcore", ours, _by_fvcore(module.eval(), zeros))


def _by_fvcore(module: nn.Module, images: list[torch.Tensor]) -> dict[str, int]:
    return fvcore_counts(module, images)


def _states(network: Network, module: nn.Module) -> None:
    """Names and shapes of everything that is stored, and the figures of it."""
    ours: dict[str, dict[str, tuple[int, ...]]] = {"param": {}, "buffer": {}, "derived": {}}
    for key, weight in network.graph.weights():
        role = "buffer" if weight.role == "counter" else weight.role
        ours[role][key] = tuple(axis.int for axis in weight.axes)
    trained = {key: tuple(value.shape) for key, value in module.named_parameters()}
    buffers = {key: tuple(value.shape) for key, value in module.named_buffers()}
    stored = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    _agree("weights", ours["param"], trained)
    _agree("state_dict", {**ours["param"], **ours["buffer"]}, stored)
    _agree("derived buffers", ours["derived"], {k: v for k, v in buffers.items() if k not in stored})
    figures = network.stats()
    _agree("params", figures.params, sum(value.numel() for value in module.parameters()))
    _agree("buffers", figures.buffers, sum(value.numel() for value in module.buffers()))


TORCH_OPERATORS = {
    "convolution": "conv",
    "addmm": "products",
    "mm": "products",
    "bmm": "products",
    "baddbmm": "products",
}


def _macs(graph: Graph, counts: dict[Any, int]) -> None:
    """Multiply-accumulates by torch's counter; it does not tell linear layers from products of matrices."""
    theirs = {"conv": 0, "products": 0}
    for operator, count in counts.items():
        theirs[TORCH_OPERATORS[str(operator).removeprefix("aten.")]] += count
    macs = Costs(graph).network.macs
    ours = {"conv": macs.get("conv", 0), "products": macs.get("linear", 0) + macs.get("matmul", 0)}
    _agree("MACs", {name: 2 * count for name, count in ours.items()}, theirs)


def _figures_of_a_run(sample: Sample, graph: Graph, module: nn.Module, images: list[torch.Tensor]) -> None:
    """Operations, and the output of every block, by hooks; of those of the network, as drawn too."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    wanted, seen = block_shapes(graph), {}

    def hook(path: str) -> Any:
        def note(_module: Any, _inputs: Any, output: Any) -> None:
            seen[path] = tuple(output.shape[1:])

        return note

    handles = [one.register_forward_hook(hook(path)) for path, one in module.named_modules() if path in wanted]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        output = module(*images)
    for handle in handles:
        handle.remove()
    _macs(graph, counter.get_flop_counts().get("Global", {}))
    _agree("shapes of blocks", wanted, seen)
    drawn = {path: shape for path, shape in sample.shapes.items() if path in wanted}
    _agree("shapes of entries", {path: wanted[path] for path in drawn}, drawn)
    ours = {node.label: graph.template.types[node.outputs[0]].values
            for node in graph.template.nodes if len(node.outputs) == 1}  # fmt: skip
    _agree("entries", ours, {path: shape for path, shape in sample.shapes.items() if path in ours})
    _agree("output", tuple(output.shape[1:]), sample.output)


def _written_file(sample: Sample, network: Network, module: nn.Module) -> None:
    """The text of the file, executed by itself, is the module: keys and outputs."""
    import torch

    text = network.source()
    imported = {
        (alias.name if isinstance(node, ast.Import) else node.module or "").partition(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"torch", "math", "collections"}, imported
    space: dict[str, Any] = {"__name__": "written"}
    exec(compile(text, "written.py", "exec"), space)
    alone = space[type(module).__name__]()
    _agree("keys of the written file", list(alone.state_dict()), list(module.state_dict()))
    alone.load_state_dict(module.state_dict())
    images = [torch.randn(BATCH, *shape) for shape in sample.inputs]
    with torch.no_grad():
        ours, theirs = module.eval()(*images), alone.eval()(*images)
        if network.graph.features:
            maps = module.features(*images)  # type: ignore[operator]
            labels = [label for label, _ in network.graph.features]
            _agree(
                "features", [tuple(one.shape[1:]) for one in maps], [sample.after[label] for label in labels]
            )
    assert torch.equal(ours, theirs), "the written file gives something else"
    assert torch.isfinite(ours).all(), "a number that is none"
    with torch.no_grad():
        alone = interpreted(network.graph, module, images)
    assert ours.shape == alone.shape and torch.allclose(ours, alone, rtol=1e-3, atol=1e-4), (
        "primitive by primitive it gives something else"
    )
    if network.graph.num_classes is not None:
        with torch.no_grad():
            network.build(num_classes=0).eval()(*images)
            count = network.graph.num_classes + 1
            if _takes(network, count):
                network.build(num_classes=count).eval()(*images)


def _takes(network: Network, num_classes: int) -> bool:
    """Whether the document holds for another number of classes; a head may compute with it what does not."""
    try:
        load(network.unit.path, parameters={"num_classes": num_classes}).graph.verify()
    except ArchError:
        return False
    return True


def _gradients(sample: Sample, module: nn.Module) -> None:
    """Every trained weight has a part in what the network gives in training."""
    import torch

    images = [torch.randn(BATCH, *shape) for shape in sample.inputs]
    given = module.train()(*images)
    outputs = given if isinstance(given, tuple | list) else [given]
    if not any(True for _ in module.parameters()):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sum(output.sum() for output in outputs).backward()
    without = [key for key, value in module.named_parameters() if value.grad is None]
    assert not without, f"no gradient: {without}"
    odd = [key for key, value in module.named_parameters() if not torch.isfinite(value.grad).all()]  # type: ignore[arg-type]
    assert not odd, f"no finite gradient: {odd}"


def check_twin(made: Twin, folder: Path) -> None:
    """Hold a twin to its mistake: refused, with the code that it has, where it stands."""
    try:
        opened(made.text, folder).graph  # noqa: B018
    except ArchError as error:
        first = error.diagnostics[0]
        assert first.code in made.codes, f"{made.kind}: {first.code} instead of {made.codes}\n{error}"
        span = first.span
        assert span is not None, f"{made.kind}: no place\n{error}"
        touched = any(
            span.line == line
            and span.column <= end + 1
            and (span.end_line > line or span.end_column >= start - 1)
            for line, start, end in made.places
        )
        assert touched, f"{made.kind}: told in {span}, not in {made.places}\n{error}"
        assert str(error)
        return
    raise AssertionError(f"{made.kind}: it is not refused")


FIGURES = ("params", "macs", "weight_bytes", "activation_bytes", "peak_activation_bytes")


def check_resized(sample: Sample, other: Resized, folder: Path) -> None:
    """At another resolution: the shapes that are drawn for it, or a refusal."""
    network = opened(sample.text, folder).at(other.size)
    if other.shapes is None:
        try:
            network.graph.verify()
        except ArchError:
            return
        raise AssertionError(f"at {other.size} it is not refused")
    graph = network.graph
    graph.verify()
    _agree("resolution", graph.resolution, other.size)
    ours = {node.label: graph.template.types[node.outputs[0]].values
            for node in graph.template.nodes if len(node.outputs) == 1}  # fmt: skip
    _agree(
        f"entries at {other.size}", ours, {path: shape for path, shape in other.shapes.items() if path in ours}
    )


def check_parted(sample: Sample, texts: tuple[str, str], folder: Path) -> None:
    """The same network with its blocks in another file."""
    whole = opened(sample.text, folder).graph
    (folder / "parts.arch").write_text(texts[1], encoding="utf-8")
    _agree("blocks of another file", opened(texts[0], folder).graph.fingerprint, whole.fingerprint)


def check_varied(sample: Sample, made: Varied, folder: Path) -> None:
    """A variant, the same settings on the command line, and the network that they come to are one."""
    wanted = opened(made.written, folder).graph
    ours = opened(made.variant, folder).graph
    _agree(f"variant {made.settings}", ours.fingerprint, wanted.fingerprint)
    _agree(f"parameters of the variant {made.settings}", repr(ours.parameters), repr(wanted.parameters))
    yaml = formatted(Source("drawn.arch", made.variant), "arch", "yaml")
    _agree("variant in YAML", opened(yaml, folder, "yaml").graph.fingerprint, wanted.fingerprint)
    path = folder / "drawn.arch"
    path.write_text(sample.text, encoding="utf-8")
    again = load_with_settings(str(path), None, made.settings, ()).graph
    _agree(f"--set {made.settings}", again.fingerprint, wanted.fingerprint)


def check_spread(made: Spread, folder: Path) -> None:
    """A space: its figures are those of all of its networks, and what is drawn of it is one of them."""
    graphs = [opened(text, folder).graph for text in made.networks]
    figures = [stats(graph) for graph in graphs]
    space = opened(made.text, folder)
    found = space.space()
    for name in FIGURES:
        values = [getattr(figure, name) for figure in figures]
        if name != "peak_activation_bytes" or getattr(found, name) is not None:  # not every space has it
            _agree(f"least and most {name}", getattr(found, name), (min(values), max(values)))
    if made.size is not None:
        _agree("size", found.size, made.size)
    prints = {graph.fingerprint for graph in graphs}
    for seed in range(2):
        frozen = space.sample(seed, "Sampled")
        for surface in ("arch", "yaml"):
            graph = opened(frozen.text(surface), folder, surface).graph
            _agree(f"frozen in {surface}", graph.fingerprint, frozen.graph.fingerprint)
        assert frozen.graph.fingerprint in prints, "a network is drawn that the space has not"
        own, again = stats(frozen.graph), stats(graph)
        for name in FIGURES:
            _agree(f"{name} of a frozen network", getattr(again, name), getattr(own, name))
            least, most = getattr(found, name) or (0, getattr(own, name))
            assert least <= getattr(own, name) <= most, name
    _conditions(made, list(zip(graphs, figures, strict=True)), folder)
    yaml = formatted(Source("drawn.arch", made.text), "arch", "yaml")
    _agree("space in YAML", opened(yaml, folder, "yaml").space().as_dict(), found.as_dict())


def _conditions(made: Spread, networks: list[tuple[Graph, Stats]], folder: Path) -> None:
    """Under a condition the figures bound those of the networks that keep to it, and those are drawn."""
    limit = sorted(figure.macs for _, figure in networks)[len(networks) // 2]
    space = opened(made.subject_to(f"macs(core) <= {limit}"), folder)
    found = space.space()
    kept = [(graph, figure) for graph, figure in networks if figure.macs <= limit]
    for name in FIGURES:
        least, most = getattr(found, name) or (0, 2**63)
        outside = [getattr(figure, name) for _, figure in kept if not least <= getattr(figure, name) <= most]
        assert not outside, f"{name} under a condition: {outside} not in {least} to {most}"
    assert found.macs[1] <= limit
    drawn = space.sample(0, "Sampled").graph
    assert drawn.fingerprint in {graph.fingerprint for graph, _ in kept}, "a network that breaks the condition"
