"""Every primitive against torch: drawn shapes and attributes, costs by torch and fvcore, values by hand."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from primitives.document import BATCH, Case, Shape, check, literal, load, table
from primitives.drawing import MAKERS, cases, steady
from primitives.norms import normalised

from archdsl.ops import OPS

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
    made = load(folder, block).build().inner.table
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
