"""What primitives refuse, with the reason and the place; and that what they don't refuse runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from primitives.document import Case, Shape, application, cut, document, literal, load
from primitives.drawing import numbers, shapes, steady

from archdsl.ops import OPS, Op
from archdsl.source import ArchError
from archdsl.verify import verify

# fvcore is written with what torch has deprecated since.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


# Calls of t0, t1, ... with the shapes of the tensors; a call that starts with "learned " gets tables.
REFUSED: list[tuple[str, str, tuple[Shape, ...], str]] = [
    ("conv2d", "op: conv2d(t0, out_channels = 4, groups = 2)", ((3, 5, 5),), "3 input channels do not divide"),
    ("conv2d", "op: conv2d(t0, out_channels = 3, groups = 2)", ((4, 5, 5),), "3 output channels do not divide"),
    ("conv2d", "op: conv2d(t0, out_channels = 3, kernel = 2)", ((4, 5, 5),), "has no middle"),
    ("conv2d", "op: conv2d(t0, out_channels = 3, kernel = 7, padding = 0)", ((4, 5, 5),), "does not fit"),
    ("conv2d", "op: conv2d(t0, out_channels = 3)", ((4, 5),), "takes a map"),
    ("conv2d", "op: conv2d(t0, out_channels = 0)", ((4, 5, 5),), "at least 1"),
    ("conv2d", "op: conv2d(t0, out_channels = 3, kernel = [3, 3, 3])", ((4, 5, 5),), "got 3"),
    ("conv2d", "learned op: conv2d(t0, out_channels = 4)", ((3, 5, 5),), "is learned"),
    ("conv2d", "conv2d(t0, out_channels = 3)", ((4, 5, 5),), "has no label"),
    ("conv_transpose2d", "op: conv_transpose2d(t0, out_channels = 3, kernel = 2, groups = 3)", ((4, 5, 5),),
     "do not divide"),
    ("conv_transpose2d", "op: conv_transpose2d(t0, out_channels = 3, kernel = 1, padding = 3)", ((4, 5, 5),),
     "nothing is left"),
    ("conv_transpose2d", "learned op: conv_transpose2d(t0, out_channels = 4, kernel = 1)", ((3, 5, 5),),
     "is learned"),
    ("linear", "op: linear(t0, out_features = 2)", ((),), "a single number"),
    ("linear", "op: linear(t0)", ((4,),), "needs 'out_features'"),
    ("matmul", "t0 @ t1", ((2, 3), (4, 5)), "3 columns meet 4 rows"),
    ("matmul", "t0 @ t1", ((2, 3, 4), (3, 4, 5)), "can't multiply"),
    ("matmul", "t0 @ t1", ((3,), (3,)), "can't multiply"),
    ("mix_heads", "op: mix_heads(t0)", ((3, 4),), "attention map"),
    ("mix_heads", "learned op: mix_heads(t0)", ((3, 4, 4),), "is learned"),
    ("batch_norm", "op: batch_norm(t0)", ((2, 2, 2, 2),), "takes a map"),
    ("batch_norm", "op: batch_norm(t0)", ((),), "a single number"),
    ("batch_norm", "learned op: batch_norm(t0)", ((3, 4, 4),), "is learned"),
    ("batch_norm", "op: batch_norm(t0, eps = -0.5)", ((3, 4, 4),), "added to a variance"),
    ("batch_norm", "op: batch_norm(t0, momentum = 1.5)", ((3, 4, 4),), "a part of new statistics"),
    ("layer_norm", "op: layer_norm(t0, eps = -1e-5)", ((3, 4),), "added to a variance"),
    ("batch_norm", "op: batch_norm(t0, eps = 0)", ((3, 4, 4),), "added to a variance"),
    ("group_norm", "op: group_norm(t0, groups = 1, eps = -1)", ((3, 4, 4),), "added to a variance"),
    ("layer_norm", "op: layer_norm(t0)", ((),), "a single number"),
    ("group_norm", "op: group_norm(t0, groups = 2)", ((3, 4, 4),), "do not divide"),
    ("group_norm", "op: group_norm(t0, groups = 3)", ((3, 1, 1),), "no variance"),
    ("group_norm", "learned op: group_norm(t0, groups = 1)", ((3, 4, 4),), "is learned"),
    ("layer_scale", "op: layer_scale(t0)", ((3, 4),), "takes the first axis of a map"),
    ("layer_scale", "op: layer_scale(t0, axis = 1)", ((3, 4, 5),), "takes the first axis of a map"),
    ("layer_scale", "op: layer_scale(t0, axis = 3)", ((3, 4, 5),), "there is no axis 3"),
    ("div_number", "t0 / 0", ((3, 4),), "divided by 0"),
    ("gelu", 'gelu(t0, approximate = "erf")', ((3,),), "can't be"),
    ("softmax", "softmax(t0, axis = 2)", ((3, 4),), "there is no axis 2"),
    ("softmax", "softmax(t0, axis = -3)", ((3, 4),), "there is no axis -3"),
    ("softmax", "softmax(t0, axis = 0.5)", ((3, 4),), "whole number"),
    ("l2_normalize", "l2_normalize(t0, axis = 2)", ((3, 4),), "there is no axis 2"),
    ("max_pool", "max_pool(t0, kernel = 6)", ((3, 5, 5),), "does not fit"),
    ("max_pool", "max_pool(t0, kernel = 2, padding = 2)", ((3, 5, 5),), "more than half"),
    ("avg_pool", "avg_pool(t0, kernel = [2, 6])", ((3, 5, 5),), "does not fit"),
    ("avg_pool", "avg_pool(t0, kernel = 2)", ((3, 5),), "takes a map"),
    ("adaptive_avg_pool", "adaptive_avg_pool(t0, size = 2)", ((3, 5),), "takes a map"),
    ("global_avg_pool", "global_avg_pool(t0)", ((3,),), "takes a map"),
    ("mean", "mean(t0, axes = [0, -2])", ((3, 4),), "named twice"),
    ("mean", "mean(t0, axes = [0, 1])", ((3, 4),), "nothing is left"),
    ("sum", "sum(t0, axes = 2)", ((3, 4),), "there is no axis 2"),
    ("upsample", "upsample(t0, scale = 0)", ((3, 4, 4),), "at least 1"),
    ("upsample", "upsample(t0, scale = 0.5)", ((3, 4, 4),), "whole number"),
    ("upsample", 'upsample(t0, scale = 2, mode = "cubic")', ((3, 4, 4),), "can't be"),
    ("upsample", "learned upsample(t0, scale = 2)", ((3, 4, 4),), "is learned"),
    ("add", "t0 + t1", ((3, 4), (4, 3)), "shapes do not match in '+'"),
    ("sub", "t0 - t1", ((3, 4), (4,)), "shapes do not match in '-'"),
    ("div", "1 / t0", ((3, 4),), "can't join"),
    ("maximum", "maximum(t0, t1)", ((3,), (4,)), "shapes do not match in maximum"),
    ("maximum", "maximum(t0)", ((3,),), "takes 2 tensors, got 1"),
    ("add_number", "t0 + none", ((3,),), "add_number"),
    ("mul_number", "t0 * true", ((3,),), "number is needed"),
    ("dropout", "dropout(t0, rate = 1)", ((3,),), "a rate lies in"),
    ("rearrange", 'rearrange(t0, pattern = "a b")', ((3, 4),), "needs an arrow"),
    ("rearrange", 'rearrange(t0, pattern = "a b -> (a b")', ((3, 4),), "not closed"),
    ("rearrange", 'rearrange(t0, pattern = "a b -> a b)")', ((3, 4),), "can't stand in a pattern"),
    ("rearrange", 'rearrange(t0, pattern = "((a) b) -> a b")', ((12,),), "can't stand in a pattern"),
    ("rearrange", 'rearrange(t0, pattern = "a 1 -> a")', ((3, 1),), "can't stand in a pattern"),
    ("rearrange", 'rearrange(t0, pattern = "a ... -> ... a")', ((3, 4),), "can't stand in a pattern"),
    ("rearrange", 'rearrange(t0, pattern = "a a -> a")', ((3, 3),), "twice"),
    ("rearrange", 'rearrange(t0, pattern = "a b -> a")', ((3, 4),), "one side only"),
    ("rearrange", 'rearrange(t0, pattern = "a -> a b")', ((3,),), "one side only"),
    ("rearrange", 'rearrange(t0, pattern = "a b c -> c b a")', ((3, 4),), "has 3 axes before the arrow"),
    ("rearrange", 'rearrange(t0, pattern = "(a b) -> a b")', ((12,),), "are not known"),
    ("rearrange", 'rearrange(t0, pattern = "(a b) -> a b", a = 5)', ((12,),), "does not divide 12"),
    ("rearrange", 'rearrange(t0, pattern = "(a b) -> a b", a = 3, b = 3)', ((12,),), "does not divide 12"),
    ("rearrange", 'rearrange(t0, pattern = "() a -> a")', ((3, 4),), "stands for an extent of 1, got 3"),
    ("rearrange", 'rearrange(t0, pattern = "a b -> b a", heads = 2)', ((3, 4),), "no axis of the pattern"),
    ("rearrange", 'rearrange(t0, pattern = "")', ((3,),), "needs an arrow"),
    ("rearrange", "rearrange(t0, pattern = 3)", ((3,),), "is a string"),
    ("concat", "concat(t0, t1)", ((3, 4), (3, 5)), "can't join"),
    ("concat", "concat(t0, t1)", ((3,), (3, 4)), "can't join"),
    ("concat", "concat(t0, axis = 1)", ((3,),), "there is no axis 1"),
    ("repeat", "repeat(t0, t1)", ((3,), (3, 4)), "has a batch already"),
    ("repeat", "learned repeat(t0, t1)", ((3,), (3, 4)), "takes a tensor with a batch, [3, 4] is learned"),
    ("split", "split(t0, sizes = [1, 1])", ((3,),), "the pieces sum to 2"),
    ("split", "split(t0, sizes = [])", ((3,),), "the pieces sum to 0"),
    ("slice", "slice(t0, start = 2, length = 2)", ((3,),), "positions 2 to 3"),
    ("slice", "slice(t0, start = -1, length = 1)", ((3,),), "at least 0"),
    ("select", "select(t0, index = 3)", ((3, 4),), "there is no position 3"),
    ("select", "select(t0, index = 0)", ((3,),), "nothing is left"),
    ("select", "select(t0, index = 0, axis = 2)", ((3, 4),), "there is no axis 2"),
    ("pad", "pad(t0, sides = [1, 1])", ((3, 4, 4),), "pad takes"),
    ("pad", "pad(t0, sides = [0, 0, 0, -1])", ((3, 4, 4),), "pad takes"),
    ("roll", "roll(t0, shifts = [1])", ((3, 4, 4),), "takes a shift for each of 2 axes"),
    ("roll", "roll(t0, shifts = [1, 1], axes = [0, -3])", ((3, 4, 4),), "named twice"),
    ("roll", "roll(t0, shifts = [1], axes = [3])", ((3, 4, 4),), "there is no axis 3"),
    ("unfold", "unfold(t0, kernel = 5)", ((3, 4, 4),), "does not fit"),
    ("parameter", "op: parameter([2, 0])", (), "at least 1"),
    ("buffer", "op: buffer([2, 0])", (), "at least 1"),
    ("buffer", "op: buffer([2, 3], grid = [3, 1])", (), "a table over 3 positions has as many entries"),
    ("buffer", "buffer([2, 3])", (), "has no label"),
    ("attention_bias", "op: attention_bias(2, query = [2], key = [4, 4])", (), "query is [rows, columns]"),
    ("attention_bias", "op: attention_bias(2, query = [3, 3], key = [4, 4])", (), "do not lie on a grid"),
    ("attention_bias", "op: attention_bias(2, query = [5, 1], key = [4, 4])", (), "do not lie on a grid"),
    ("attention_bias", "op: attention_bias(0, query = [4, 4], key = [4, 4])", (), "at least 1"),
    ("relative_position_bias", "op: relative_position_bias(2, window = [2])", (), "window is [rows, columns]"),
    ("relative_position_bias", "op: relative_position_bias(0, window = [2, 2])", (), "at least 1"),
    ("window_mask", "op: window_mask([4, 4], window = [3, 2], shift = [0, 0])", (), "part 4 positions evenly"),
    ("window_mask", "op: window_mask([4, 4], window = [2, 2], shift = [2, 0])", (), "a shift is 0 to 1"),
    ("window_mask", "op: window_mask([4, 4], window = [2, 2], shift = [1])", (), "shift is [rows, columns]"),
]  # fmt: skip


def trial(call: str, shapes: tuple[Shape, ...], learned: bool) -> str:
    """A document that applies something and lets the result be: its shape need not be known."""
    body = [] if learned or not shapes else ['x = image |> rearrange("n i j -> (n i j)")']
    start = 0
    for index, shape in enumerate(shapes):
        if learned:
            body.append(f"t{index} = table{index}: parameter({literal(list(shape))})")
        else:
            body.append(cut(f"t{index}", shape, start))
            start += math.prod(shape)
    # What is computed must be read, and what is given in training may have any shape.
    lines = "\n  ".join([*body, f"result = {call}", "output train = result", "output eval = image"])
    block = f"block tried(image: [n, 1, 1]) -> [n, 1, 1] {{\n  {lines}\n}}"
    return f"archdsl 1\n{block}\nnetwork sample(image: [{start or 1}, 1, 1]) {{\n  tried: tried\n}}\n"


@pytest.mark.parametrize(("kind", "call", "shapes_", "message"), REFUSED)
def test_a_refusal_says_why_and_where(
    kind: str, call: str, shapes_: tuple[Shape, ...], message: str, folder: Path
) -> None:
    assert kind in OPS
    learned, written = call.startswith("learned "), call.removeprefix("learned ")
    with pytest.raises(ArchError) as caught:
        load(folder, trial(written, shapes_, learned)).graph  # noqa: B018
    (diagnostic,) = caught.value.diagnostics
    assert message in diagnostic.message
    assert diagnostic.span is not None
    assert diagnostic.span.source.line(diagnostic.span.line).startswith(f"  result = {written[:9]}")


# --- anything at all

PATTERNS = [
    "a -> a", "a b -> b a", "a b c -> (a b c)", "a b c -> a (c b)", "(a n) b c -> n (b c) a", "a b -> a b",
    "() -> ", "-> ()", " -> ", "a () -> () a", "(a n) -> a n", "(n h) w -> h (n w)", "->", "a) -> a",
    "n n -> n",
]  # fmt: skip
WILD: dict[str, st.SearchStrategy[Any]] = {
    "Dim": st.integers(0, 5),
    "Count": st.integers(-1, 4),
    "Int": st.integers(-4, 4),
    "Real": numbers,
    "Flag": st.booleans(),
    "Dim2": st.one_of(st.integers(0, 4), st.lists(st.integers(1, 4), min_size=1, max_size=3)),
    "Count2": st.one_of(st.integers(0, 4), st.lists(st.integers(0, 4), min_size=1, max_size=3)),
    "Dims": st.lists(st.integers(1, 5), max_size=4),
    "Ints": st.one_of(st.integers(-2, 3), st.lists(st.integers(-2, 3), max_size=4)),
}


@st.composite
def wild_cases(draw: Callable[..., Any], op: type[Op]) -> Case:
    """Any tensors, any attributes: most are refused."""
    count = op.inputs if op.inputs >= 0 else draw(st.integers(1, 3))
    first = draw(shapes(0, 4))
    other = st.one_of(st.just(first), st.just(first[::-1]), shapes(0, 3))
    tensors = (first, *(draw(other) for _ in range(count - 1)))[:count]
    attributes: dict[str, Any] = {}
    for parameter in op.parameters.values():
        if parameter.name.startswith("_") or not (parameter.required or draw(st.booleans())):
            continue
        if parameter.type == "Text":
            texts = op.choices.get(parameter.name, PATTERNS)
            attributes[parameter.name] = draw(st.sampled_from(texts))
        else:
            attributes[parameter.name] = draw(WILD[parameter.type])
    if op.kind == "rearrange":
        attributes |= {name: draw(st.integers(1, 3)) for name in draw(st.sampled_from(["", "n", "hn"]))}
    learned = (draw(st.integers(0, 2)) == 0,) * count
    return Case(op.kind, tensors, attributes, lambda: None, {"": ()} if has_weights(op) else {}, learned)


def has_weights(op: type[Op]) -> bool:
    return op.weights is not Op.weights


@pytest.mark.parametrize("kind", OPS)
def test_what_is_not_refused_runs(kind: str, folder: Path) -> None:
    @settings(steady, max_examples=20)
    @given(wild_cases(OPS[kind]))
    def holds(case: Case) -> None:
        texts = {name: literal(value) for name, value in case.attributes.items()}
        text = trial(application(case, texts), case.inputs, any(case.learned))
        network = load(folder, text)
        try:
            (tried,) = network.graph.template.nodes
        except ArchError as error:
            assert all(diagnostic.span is not None for diagnostic in error.diagnostics)
            return
        made = tried.child.nodes[-1]
        assert made.kind == kind
        outputs = [tried.child.types[value].values for value in made.outputs]
        # fvcore's own count of a layer norm asks for two axes.
        counted = kind != "layer_norm" or not case.without_batch or len(case.inputs[0]) > 1
        if counted and (all(outputs) or not case.without_batch):
            text, extent = document([case], [outputs], [frozenset()], False)
            network = load(folder, text)
            wrong = [compared for compared in verify(network) if not compared.ok]
            assert not wrong, (wrong, text)
            assert network.build().eval()(torch.ones(3, extent, 1, 1)).shape[0] == 3

    holds()
