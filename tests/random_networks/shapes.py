"""What every primitive makes of shapes, told a second time: `RULES[kind](attributes, tensors)`.

Written from docs/primitives.md, so that a document is known to be right without asking archdsl. A rule raises
`Invalid` for what the primitive refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from random_networks.expressions import Invalid

Shape = tuple[int, ...]
Attributes = dict[str, Any]


class Type(NamedTuple):
    """The extents of a tensor; learned tensors have no batch."""

    shape: Shape
    batched: bool = True

    @property
    def rank(self) -> int:
        return len(self.shape)


def need(holds: object, rule: str) -> None:
    if not holds:
        raise Invalid(rule)


def pair(value: Any) -> tuple[int, int]:
    """A size for rows and columns."""
    rows, columns = value if isinstance(value, list) else (value, value)
    return rows, columns


def axis_of(axis: int, x: Type) -> int:
    need(-x.rank <= axis < x.rank, "an axis that is not there")
    return axis % x.rank


def window(extent: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    result = (extent + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    need(result >= 1, "a window that does not fit")
    return result


def broadcast(a: Type, b: Type) -> Type:
    need(not (a.batched and b.batched and a.rank != b.rank), "ranks differ")
    if a.batched != b.batched:
        with_batch, without = (a, b) if a.batched else (b, a)
        need(with_batch.rank >= without.rank, "a learned tensor of more axes")
    rank = max(a.rank, b.rank)
    first, second = (1,) * (rank - a.rank) + a.shape, (1,) * (rank - b.rank) + b.shape
    need(all(p == q or 1 in (p, q) for p, q in zip(first, second, strict=True)), "extents do not meet")
    return Type(tuple(map(max, first, second)), a.batched or b.batched)


def _conv2d(a: Attributes, x: Type) -> list[Type]:
    need(x.rank >= 3 and x.batched, "a map")
    groups, kernel, dilation = a.get("groups", 1), pair(a.get("kernel", 1)), pair(a.get("dilation", 1))
    need(x.shape[-3] % groups == 0 and a["out_channels"] % groups == 0, "groups that do not divide")
    stride, padding = pair(a.get("stride", 1)), a.get("padding")
    if padding is None:
        need(all(size % 2 for size in kernel), "a kernel without a middle")
        extents = [-(-extent // step) for extent, step in zip(x.shape[-2:], stride, strict=True)]
    else:
        extents = [window(x.shape[i - 2], kernel[i], stride[i], pair(padding)[i], dilation[i]) for i in (0, 1)]
    return [Type((*x.shape[:-3], a["out_channels"], *extents))]


def _conv_transpose2d(a: Attributes, x: Type) -> list[Type]:
    need(x.rank == 3 and x.batched, "a map")
    groups = a.get("groups", 1)
    need(x.shape[0] % groups == 0 and a["out_channels"] % groups == 0, "groups that do not divide")
    kernel, stride, padding = pair(a["kernel"]), pair(a.get("stride", 1)), pair(a.get("padding", 0))
    extents = [(x.shape[i + 1] - 1) * stride[i] - 2 * padding[i] + kernel[i] for i in (0, 1)]
    need(min(extents) >= 1, "nothing is left")
    return [Type((a["out_channels"], *extents))]


def _divided(a: Attributes, x: Type) -> list[Type]:
    need(a["number"] != 0, "a division by zero")
    return [x]


def _linear(a: Attributes, x: Type) -> list[Type]:
    need(x.rank, "no axes")
    need(x.batched or x.rank > 1, "a learned vector, whose products torch does not count")
    return [Type((*x.shape[:-1], a["out_features"]), x.batched)]


def _matmul(a: Attributes, x: Type, y: Type) -> list[Type]:
    need(x.rank >= 2 and x.rank == y.rank and x.shape[:-2] == y.shape[:-2], "axes in front differ")
    need(x.shape[-1] == y.shape[-2], "columns and rows differ")
    return [Type((*x.shape[:-1], y.shape[-1]), x.batched or y.batched)]


def _mix_heads(a: Attributes, x: Type) -> list[Type]:
    need(x.rank == 3 and x.batched, "a map")
    return [x]


def _batch_norm(a: Attributes, x: Type) -> list[Type]:
    need(1 <= x.rank <= 3 and x.batched, "a map")
    return [x]


def _layer_norm(a: Attributes, x: Type) -> list[Type]:
    need(x.rank, "no axes")
    need(x.batched or x.rank > 1, "a learned vector, which fvcore does not know")
    return [x]


def _group_norm(a: Attributes, x: Type) -> list[Type]:
    need(x.rank and x.batched, "no axes")
    need(x.shape[0] % a["groups"] == 0, "groups that do not divide")
    need(prod(x.shape) != a["groups"], "groups of one number")
    return [x]


def _layer_scale(a: Attributes, x: Type) -> list[Type]:
    axis = axis_of(a.get("axis", 0), x)
    need(axis == x.rank - 1 or (axis == 0 and x.rank == 3), "an axis between")
    return [x]


def _kept(a: Attributes, x: Type) -> list[Type]:
    return [x]


def _along(a: Attributes, x: Type) -> list[Type]:
    axis_of(a.get("axis", -1), x)
    return [x]


def _pool(a: Attributes, x: Type) -> list[Type]:
    need(x.rank == 3, "a map")
    kernel, padding = pair(a["kernel"]), pair(a.get("padding", 0))
    stride = pair(a["kernel"] if a.get("stride") is None else a["stride"])
    need(all(2 * p <= k for p, k in zip(padding, kernel, strict=True)), "more padding than half of the window")
    extents = [window(x.shape[i + 1], kernel[i], stride[i], padding[i]) for i in (0, 1)]
    return [Type((x.shape[0], *extents), x.batched)]


def _adaptive(a: Attributes, x: Type) -> list[Type]:
    need(x.rank == 3, "a map")
    return [Type((x.shape[0], *pair(a["size"])), x.batched)]


def _global(a: Attributes, x: Type) -> list[Type]:
    need(x.rank == 3, "a map")
    return [Type(x.shape[:1], x.batched)]


def _reduced(a: Attributes, x: Type) -> list[Type]:
    given = a.get("axes", [-1])
    axes = [axis_of(axis, x) for axis in (given if isinstance(given, list) else [given])]
    need(len(set(axes)) == len(axes), "an axis twice")
    if a.get("keep", False):
        return [Type(tuple(1 if i in axes else e for i, e in enumerate(x.shape)), x.batched)]
    need(len(axes) < x.rank, "nothing is left")
    return [Type(tuple(e for i, e in enumerate(x.shape) if i not in axes), x.batched)]


def _upsample(a: Attributes, x: Type) -> list[Type]:
    need(x.rank == 3 and x.batched, "a map")
    rows, columns = pair(a["scale"])
    return [Type((x.shape[0], x.shape[1] * rows, x.shape[2] * columns))]


def _met(a: Attributes, x: Type, y: Type) -> list[Type]:
    return [broadcast(x, y)]


def _dropout(a: Attributes, x: Type) -> list[Type]:
    need(0 <= a.get("rate", 0.5) < 1, "a rate")
    return [x]


def _rearrange(a: Attributes, x: Type) -> list[Type]:
    sides = [
        [group.strip("()").split() for group in re.findall(r"\([^)]*\)|\w+", side)]
        for side in a["pattern"].split("->")
    ]
    given = {name: size for name, size in a.items() if name != "pattern"}
    need(len(sides[0]) == x.rank, "another number of axes")
    known: dict[str, int] = {}
    for group, extent in zip(sides[0], x.shape, strict=True):
        product = prod(given[name] for name in group if name in given)
        rest = [name for name in group if name not in given]
        need(len(rest) <= 1 and extent % product == 0, "sizes that do not divide")
        need(rest or extent == product, "sizes that do not divide")
        known.update({name: given.get(name, extent // product) for name in group})
    need(set(given) <= set(known), "a size of nothing")
    return [Type(tuple(prod(known[name] for name in group) for group in sides[1]), x.batched)]


def _concat(a: Attributes, *x: Type) -> list[Type]:
    axis = axis_of(a.get("axis", 0), x[0])
    for other in x[1:]:
        need(other.rank == x[0].rank and other.batched == x[0].batched, "ranks differ")
        need(all(i == axis or p == q for i, (p, q) in enumerate(zip(other.shape, x[0].shape, strict=True))),
             "extents differ")  # fmt: skip
    shape = list(x[0].shape)
    shape[axis] = sum(one.shape[axis] for one in x)
    return [Type(tuple(shape), x[0].batched)]


def _repeat(a: Attributes, x: Type, like: Type) -> list[Type]:
    need(not x.batched and like.batched, "a learned tensor and one that has a batch")
    return [Type(x.shape, True)]


def _with(x: Type, axis: int, extent: int) -> Type:
    return Type((*x.shape[:axis], extent, *x.shape[axis + 1 :]), x.batched)


def _split(a: Attributes, x: Type) -> list[Type]:
    axis = axis_of(a.get("axis", 0), x)
    need(sum(a["sizes"]) == x.shape[axis], "pieces that do not sum")
    return [_with(x, axis, size) for size in a["sizes"]]


def _slice(a: Attributes, x: Type) -> list[Type]:
    axis = axis_of(a.get("axis", 0), x)
    need(a["start"] + a["length"] <= x.shape[axis], "positions beyond the axis")
    return [_with(x, axis, a["length"])]


def _select(a: Attributes, x: Type) -> list[Type]:
    axis = axis_of(a.get("axis", 0), x)
    need(x.rank > 1 and a["index"] < x.shape[axis], "a position that is not there")
    return [Type((*x.shape[:axis], *x.shape[axis + 1 :]), x.batched)]


def _relative_position_bias(a: Attributes) -> list[Type]:
    return [Type((a["heads"], prod(a["window"]), prod(a["window"])), False)]


def _window_mask(a: Attributes) -> list[Type]:
    for size, window, shift in zip(a["size"], a["window"], a["shift"], strict=True):
        need(size % window == 0 and 0 <= shift < window, "windows that do not part a map")
    counts = [size // window for size, window in zip(a["size"], a["window"], strict=True)]
    return [Type((prod(counts), 1, prod(a["window"]), prod(a["window"])), False)]


def _pad(a: Attributes, x: Type) -> list[Type]:
    need(x.rank == 3 and len(a["sides"]) == 4 and min(a["sides"]) >= 0, "four sides of a map")
    left, right, top, bottom = a["sides"]
    return [Type((x.shape[0], x.shape[1] + top + bottom, x.shape[2] + left + right), x.batched)]


def _roll(a: Attributes, x: Type) -> list[Type]:
    need(x.rank == 3 and len(a["shifts"]) == 2, "two shifts of a map")
    return [x]


def _unfold(a: Attributes, x: Type) -> list[Type]:
    need(x.rank == 3, "a map")
    kernel, stride, padding = a["kernel"], a.get("stride", 1), a.get("padding", 0)
    rows, columns = (window(extent, kernel, stride, padding) for extent in x.shape[1:])
    return [Type((x.shape[0] * kernel * kernel, rows * columns), x.batched)]


def _parameter(a: Attributes) -> list[Type]:
    extents = a["extents"] if isinstance(a["extents"], list) else [a["extents"]]
    grid = a.get("grid")
    if grid is not None:
        need(len(grid) == 2 and extents and extents[0] >= prod(grid), "a grid of positions")
    return [Type(tuple(extents), False)]


def _attention_bias(a: Attributes) -> list[Type]:
    for query, key in zip(a["query"], a["key"], strict=True):
        need((query - 1) * -(-key // query) < key, "queries that lie on no grid")
    return [Type((a["heads"], prod(a["query"]), prod(a["key"])), False)]


Rule = Callable[..., list[Type]]
POINTWISE = (
    "relu", "relu6", "gelu", "silu", "sigmoid", "tanh", "hard_swish", "hard_sigmoid", "leaky_relu", "exp",
    "sqrt",
    "neg", "identity", "drop_path", "add_number", "sub_number", "mul_number", "div_number", "number_minus",
)  # fmt: skip
RULES: dict[str, Rule] = {
    "conv2d": _conv2d, "conv_transpose2d": _conv_transpose2d, "linear": _linear, "matmul": _matmul,
    "mix_heads": _mix_heads, "batch_norm": _batch_norm, "layer_norm": _layer_norm, "group_norm": _group_norm,
    "layer_scale": _layer_scale, "softmax": _along, "l2_normalize": _along, "max_pool": _pool,
    "avg_pool": _pool,
    "adaptive_avg_pool": _adaptive, "global_avg_pool": _global, "mean": _reduced, "sum": _reduced,
    "upsample": _upsample, "add": _met, "sub": _met, "mul": _met, "div": _met, "maximum": _met, "minimum": _met,
    "dropout": _dropout, "rearrange": _rearrange, "concat": _concat, "repeat": _repeat,
    "split": _split, "slice": _slice, "pad": _pad, "roll": _roll, "unfold": _unfold,
    "parameter": _parameter, "buffer": _parameter, "attention_bias": _attention_bias,
    **dict.fromkeys(POINTWISE, _kept), "div_number": _divided, "select": _select,
    "relative_position_bias": _relative_position_bias, "window_mask": _window_mask,
}  # fmt: skip
OWNERS = (
    "conv2d", "conv_transpose2d", "linear", "mix_heads", "batch_norm", "layer_norm", "group_norm",
    "layer_scale",
    "parameter", "buffer", "attention_bias", "relative_position_bias", "window_mask",
)  # fmt: skip
"""Those that own weights, and need a label."""
BEGUN = ("conv2d", "conv_transpose2d", "linear", "mix_heads", "parameter", "buffer")
"""Those whose weights `init` can begin."""
FIRST = {
    "conv2d": "out_channels", "conv_transpose2d": "out_channels", "linear": "out_features",
    "group_norm": "groups",
    "mix_heads": "bias", "batch_norm": "eps", "layer_norm": "eps", "layer_scale": "value",
    "gelu": "approximate",
    "leaky_relu": "slope", "softmax": "axis", "l2_normalize": "axis", "max_pool": "kernel",
    "avg_pool": "kernel",
    "adaptive_avg_pool": "size", "mean": "axes", "sum": "axes", "upsample": "scale", "add_number": "number",
    "sub_number": "number", "mul_number": "number", "div_number": "number", "number_minus": "number",
    "dropout": "rate", "rearrange": "pattern", "concat": "axis", "split": "sizes", "slice": "start",
    "pad": "sides", "roll": "shifts", "unfold": "kernel", "parameter": "extents", "buffer": "extents",
    "attention_bias": "heads",
    "select": "index",    "relative_position_bias": "heads", "window_mask": "size",
}  # fmt: skip
"""The argument that may stand without its name."""
