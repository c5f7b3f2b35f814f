"""Every primitive against torch: drawn shapes and attributes, costs by torch and fvcore, values by hand."""

from __future__ import annotations

import math
import re
from pathlib import Path

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from primitives.document import BATCH, Case, Shape, Weights, check, literal, load, table
from primitives.drawing import MAKERS, cases, steady
from primitives.norms import normalised

from archdsl.ops import OPS
from archdsl.verify import verify

# fvcore is written with what torch has deprecated since.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


def test_every_primitive_has_cases() -> None:
    assert sorted(MAKERS) == sorted(OPS)


# Those with the most ways to go wrong are tried more often.
STRUCTURAL = {"rearrange", "conv2d", "conv_transpose2d", "max_pool", "avg_pool", "add", "sub", "matmul"}


@pytest.mark.parametrize("kind", OPS)
def test_a_primitive_is_what_torch_says(kind: str, folder: Path) -> None:
    @settings(steady, max_examples=25 if kind in STRUCTURAL else 8)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        case = data.draw(cases(kind))
        named = data.draw(st.sets(st.sampled_from(sorted(case.attributes)))) if case.attributes else set()
        check(folder, [case], [frozenset(named)], data.draw(st.booleans()))

    holds()


@pytest.mark.parametrize("kind", OPS)
def test_a_block_called_twice_is_right_both_times(kind: str, folder: Path) -> None:
    """Calls that differ in numbers may share a generated class; those that need another text may not."""

    @settings(steady, max_examples=5)
    @given(cases(kind), cases(kind))
    def holds(one: Case, other: Case) -> None:
        check(folder, [one, other], [frozenset(one.attributes), frozenset(other.attributes)], True)

    holds()


# Calls whose text depends on the number of an axis, on a map of three times three times three.
AXIS_CALLS = {
    "softmax": "return softmax(x, axis = {0})",
    "l2_normalize": "return l2_normalize(x, axis = {0})",
    "concat": "return x + slice(concat(x, x * 2, axis = {0}), start = 2, length = 3, axis = {0})",
    "split": "i, j, k = split(x, sizes = [1, 1, 1], axis = {0}); return x + i + j * 2 + k * 3",
    "slice": "return x + slice(x, start = 1, length = 1, axis = {0})",
    "mean": "return x + mean(x, axes = {0}, keep = true)",
    "sum": "return x - sum(x, axes = [{0}], keep = true)",
    "select": 'a = select(x, index = 1, axis = {0}); return x + (a |> rearrange("i j -> () i j"))',
    "roll": "return x - roll(x, shifts = 1, axes = {0})",
    "layer_scale": "return op: layer_scale(x, axis = {0})",
}


@pytest.mark.parametrize("kind", AXIS_CALLS)
def test_an_axis_that_a_block_is_given_is_its_own(kind: str, folder: Path) -> None:
    """One generated class can't roll out two axes: calls that differ in them are of different classes."""
    axes = [0, -1] if kind == "layer_scale" else [0, 1, -1, 2]
    image = table(BATCH, 3, 3, 3)

    def output(blocks: list[str], calls: list[str]) -> torch.Tensor:
        entries = "\n".join(f"  b{index}: {call}" for index, call in enumerate(calls))
        text = "\n".join(["archdsl 1", *blocks, "network sample(x: [3, 3, 3]) {", entries, "}"])
        module = load(folder, text).build().double()
        for index, value in enumerate(module.parameters()):
            value.data = table(*value.shape, seed=index)
        with torch.no_grad():
            return module(image)

    body = "-> [c, h, w] {{ {} }}"
    signature = "block inner{}(x: [c, h, w]{}) "
    call = AXIS_CALLS[kind]
    shared = signature.format("", "; axis: int") + body.format(call.format("axis"))
    apart = [signature.format(i, "") + body.format(call.format(axis)) for i, axis in enumerate(axes)]
    given_back = output([shared], [f"inner(axis = {axis})" for axis in axes])
    assert torch.equal(given_back, output(apart, [f"inner{i}" for i in range(len(axes))]))


# A call in names, and numbers for them that would look the same: two that are equal, one that is the default.
OTHER_NUMBERS = {
    "a window": ("max_pool([a, b])", ["a = 2, b = 2", "a = 2, b = 3"]),
    "a stride": ("avg_pool(3, stride = [a, b])", ["a = 1, b = 1", "a = 1, b = 2"]),
    "a stride of the window": ("max_pool(a, stride = b)", ["a = 2, b = 2", "a = 2, b = 1"]),
    "padding": ("avg_pool(3, stride = 1, padding = [a, b])", ["a = 1, b = 1", "a = 1, b = 0"]),
    "a kernel": ("op: conv2d(2, kernel = [a, b])", ["a = 3, b = 3", "a = 3, b = 1"]),
    "a stride of a kernel": ("op: conv2d(2, kernel = 3, stride = a * b)", ["a = 1, b = 1", "a = 2, b = 1"]),
    "groups": ("op: conv2d(3, groups = a * b)", ["a = 1, b = 1", "a = 1, b = 3"]),
    "dilation": ("op: conv2d(3, kernel = 3, dilation = [a, b])", ["a = 1, b = 1", "a = 1, b = 2"]),
    "a scale": ("upsample([a, b])", ["a = 2, b = 2", "a = 2, b = 1"]),
    "whether padding counts": (
        "avg_pool(3, stride = 1, padding = 1, count_include_pad = t)", ["t = true", "t = false"],
    ),
    "whether there is a bias": ("op: conv2d(3, bias = t)", ["t = true", "t = false"]),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_NUMBERS)
def test_a_class_says_what_its_other_calls_need(name: str, folder: Path) -> None:
    """What is written of the first call of a block holds for a call of other numbers: `[a, b]` stays a pair."""
    call, calls = OTHER_NUMBERS[name]
    for given_first in (calls, calls[::-1]):
        body = "-> [C, H, W] {{\n  y: [C, H, W] = x |> {}\n  return y\n}}"
        arguments = "a: count = 1, b: count = 1, t: bool = true"
        blocks = [f"block shared(x: [c, h, w]; {arguments}) {body.format(call)}"]
        entries = []
        for index, values in enumerate(given_first):
            literals = dict(value.split(" = ") for value in values.split(", "))
            alone = " ".join(literals.get(word, word) for word in re.split(r"\b", call))
            blocks.append(f"block alone{index}(x: [c, h, w]) {body.format(alone)}")
            for block in (f"shared({values})", f"alone{index}"):
                flat = '|> rearrange("C H W -> (C H W)")'
                entries.append(f"y{len(entries)} = x |> b{len(entries)}: {block} {flat}")
        names = ", ".join(f"y{index}" for index in range(len(entries)))
        inner = "\n  ".join([*entries, f"y: [n] = concat({names})", "return y"])
        blocks.append(f"block probe(x: [c, h, w]) -> [n] {{\n  {inner}\n}}")
        text = "\n".join(["archdsl 1", *blocks, "network sample(x: [3, 5, 6]) { probe: probe }\n"])
        network = load(folder, text)
        assert [check for check in verify(network) if not check.ok] == []
        module = network.build().double()
        for inner in module.probe.children():
            for index, value in enumerate(inner.parameters()):
                value.data = table(*value.shape, seed=index)
        with torch.no_grad():
            made = [getattr(module.probe, f"b{index}")(table(BATCH, 3, 5, 6)) for index in range(len(entries))]
        for ours, alone in zip(made[::2], made[1::2], strict=True):
            assert torch.equal(ours, alone), network.source()


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_windows_with_and_without_a_middle_that_are_padded_by_half(
    kernel: int, stride: int, folder: Path
) -> None:
    calls = [
        f"{kind}({kernel}, stride = {stride}, padding = {kernel // 2})" for kind in ("max_pool", "avg_pool")
    ]
    for extent in (4, 5, 6, 7):
        for call in calls:
            module = built(folder, call, (2, extent, extent + 3))
            pool = torch.nn.functional.max_pool2d if "max" in call else torch.nn.functional.avg_pool2d
            x = table(BATCH, 2, extent, extent + 3)
            wanted = pool(x, kernel, stride, kernel // 2)
            assert torch.equal(module.double()(x), wanted)
            text = f"archdsl 1\nnetwork sample(x: [2, {extent}, {extent + 3}]) {{ op: {call} }}\n"
            graph = load(folder, text).graph
            assert graph.template.types[graph.template.outputs[0]].values == tuple(wanted.shape[1:])


PATTERNS = [
    "a c b -> (a b c)", "a b c -> (c a b)", "a b c d -> (a d b) c", "(a b) c d -> (a c b d)",
    "a b c -> (a b) c", "a b c -> c (a b)", "a b c d -> (a b c d)", "(a b) (c d) -> (a c) (b d)",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_groups_of_several_axes(pattern: str, folder: Path) -> None:
    sizes = dict(zip("abcd", (2, 3, 4, 5), strict=True))
    left, right = (re.findall(r"\(.*?\)|\w", side) for side in pattern.split(" -> "))
    before, after = (re.findall(r"\w", side) for side in pattern.split(" -> "))

    def extents_of(groups: list[str]) -> Shape:
        return tuple(math.prod(sizes[name] for name in re.findall(r"\w", group)) for group in groups)

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        elementary = x.reshape(BATCH, *(sizes[name] for name in before))
        order = [1 + before.index(name) for name in after]
        return elementary.permute(0, *order).reshape(BATCH, *extents_of(right))

    known = {name: sizes[name] for group in left for name in re.findall(r"\w", group)[1:]}
    case = Case("rearrange", (extents_of(left),), {"pattern": pattern, **known}, reference)
    check(folder, [case], [frozenset()], True)


# --- in training, and before it


def built(folder: Path, call: str, shape: Shape = (3, 4, 5)) -> torch.nn.Module:
    text = f"archdsl 1\nnetwork sample(x: {literal(list(shape))}) {{\n  op: {call}\n}}\n"
    return load(folder, text).build()


@pytest.mark.parametrize(
    ("value", "written"), [(1, "1"), (0, "0"), (-2, "-2"), (1e-5, "1e-5"), (0.5, "1.0 / 2")]
)
def test_first_values_of_learned_tensors_are_floats(value: float, written: str, folder: Path) -> None:
    for axis in (0, -1):
        scaled = built(folder, f"layer_scale(value = {written}, axis = {axis})")
        assert scaled.op.gamma.dtype == torch.float32
        assert torch.equal(scaled.op.gamma.data, torch.full_like(scaled.op.gamma.data, value))
    block = (
        "archdsl 1\nblock inner(x: [c, h, w]; value: real) -> [c, h, w] {\n"
        "  return x + table: parameter([h, w], value = value)\n}\n"
        f"network sample(x: [3, 4, 5]) {{\n  inner: inner(value = {written})\n}}\n"
    )
    for text in (block, block.replace("value = value", f"value = {written}")):
        made = load(folder, text).build().inner.table
        assert torch.equal(made.data, torch.full((4, 5), float(value)))


def test_dropout_zeroes_elements_in_training_alone(folder: Path) -> None:
    module, x = built(folder, "dropout(rate = 0.25)"), torch.ones(64, 3, 4, 5)
    torch.manual_seed(0)
    dropped = module.train()(x)
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert abs((dropped == 0).double().mean() - 0.25) < 0.05
    assert torch.equal(module.eval()(x), x)


def test_batch_norm_uses_and_keeps_statistics_in_training(folder: Path) -> None:
    module, x = built(folder, "batch_norm(momentum = 0.25)").double(), table(BATCH, 3, 4, 5)
    given_back = module.train()(x)
    assert torch.allclose(given_back, normalised(x, (0, 2, 3), 1e-5))
    mean, count = x.mean((0, 2, 3)), BATCH * 4 * 5
    variance = ((x - mean[:, None, None]) ** 2).sum((0, 2, 3)) / (count - 1)
    assert torch.allclose(module.op.running_mean, mean * 0.25)
    assert torch.allclose(module.op.running_var, 0.75 + variance * 0.25)
    assert module.op.num_batches_tracked == 1


def test_drop_path_drops_whole_samples_in_training_alone(folder: Path) -> None:
    text = """archdsl 1
block inner(x: [c, h, w]) -> [c, h, w] { return x |> drop_path }
network sample(x: [3, 4, 5]; drop_path = 0.0) { inner: inner }
"""
    network, x = load(folder, text), torch.ones(200, 3, 4, 5)
    module = network.build(drop_path=0.5)
    torch.manual_seed(0)
    dropped = module.train()(x).flatten(1)
    assert all(sample.unique().tolist() in ([0.0], [2.0]) for sample in dropped)
    assert abs((dropped[:, 0] == 0).double().mean() - 0.5) < 0.1
    assert torch.equal(module.eval()(x), x)
