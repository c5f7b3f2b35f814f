"""Attributes that a primitive takes, drawn for the tensor at hand: `DRAWERS[kind](draw, x)`.

A drawer gives the attributes as (name, expression), or None for a tensor that its primitive never takes.
What it gives may still not fit,
a window that is too large say: whoever draws asks `shapes.RULES` and draws again.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from random_networks.expressions import NONE, Expr, Numbers, listed, literal, text_literal, truth
from random_networks.shapes import POINTWISE, Type

Given = list[tuple[str, Expr]]
LARGEST = 40
"""Tensors with a larger extent are not made larger."""


class Draw:
    """Draws the values of attributes with the numbers that are known."""

    def __init__(self, random: Random, numbers: Numbers) -> None:
        self.random = random
        self.numbers = numbers

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def one(self, *options: Any) -> Any:
        return self.random.choice(options)

    def whole(self, number: int) -> Expr:
        return self.numbers.equal_to(number) if number >= 0 else literal(number)

    def pair(self, rows: int, columns: int) -> Expr:
        """One number for both axes, or a list of two."""
        if rows == columns and self.maybe(0.7):
            return self.whole(rows)
        return listed([self.whole(rows), self.whole(columns)])

    def sizes(self, options: list[int]) -> tuple[int, int]:
        """Rows and columns, more often than not the same."""
        rows = self.random.choice(options)
        return rows, rows if self.maybe(0.7) else self.random.choice(options)

    def real(self, *options: float) -> Expr:
        """One of some numbers, or a known one that is not whole."""
        reals = [name for name, known in self.numbers.names.items() if isinstance(known, float)]
        if reals and self.maybe(0.3):
            name = self.random.choice(reals)
            return Expr(name, name)
        return literal(self.random.choice(options))

    def flag(self, is_true: bool) -> Expr:
        """A truth: written, or one that is known."""
        same = [name for name, known in self.numbers.names.items() if known is is_true]
        if same and self.maybe(0.5):
            name = self.random.choice(same)
            return Expr(name, name)
        return truth(is_true)

    def axis(self, x: Type, axis: int) -> Expr:
        return literal(axis - x.rank) if self.maybe() else literal(axis)

    def divisor(self, number: int) -> int:
        return self.random.choice([n for n in range(1, number + 1) if number % n == 0])


def _conv2d(draw: Draw, x: Type) -> Given | None:
    if x.rank < 3 or not x.batched:
        return None
    groups = draw.divisor(x.shape[-3]) if draw.maybe() else 1
    out = groups * draw.random.randint(1, max(1, 8 // groups))
    given: Given = [("out_channels", draw.whole(out))]
    with_padding = draw.maybe(0.4)
    kernel = draw.sizes([1, 2, 3, 4, 5] if with_padding else [1, 3, 5])
    if kernel != (1, 1) or draw.maybe(0.2):
        given.append(("kernel", draw.pair(*kernel)))
    if draw.maybe(0.4):
        given.append(("stride", draw.pair(*draw.sizes([1, 2, 3]))))
    if with_padding:
        given.append(("padding", draw.pair(*draw.sizes([0, 1, 2]))))
    elif draw.maybe(0.05):
        given.append(("padding", NONE))
    if draw.maybe(0.2):
        given.append(("dilation", draw.pair(*draw.sizes([1, 2]))))
    if groups > 1 or draw.maybe(0.1):
        given.append(("groups", draw.whole(groups)))
    if draw.maybe(0.4):
        given.append(("bias", draw.flag(draw.maybe())))
    return given


def _conv_transpose2d(draw: Draw, x: Type) -> Given | None:
    if x.rank != 3 or not x.batched or max(x.shape) > LARGEST // 2:
        return None
    groups = draw.divisor(x.shape[0]) if draw.maybe(0.3) else 1
    given: Given = [
        ("out_channels", draw.whole(groups * draw.random.randint(1, max(1, 6 // groups)))),
        ("kernel", draw.pair(*draw.sizes([1, 2, 3, 4]))),
    ]
    if draw.maybe():
        given.append(("stride", draw.pair(*draw.sizes([1, 2]))))
    if draw.maybe():
        given.append(("padding", draw.pair(*draw.sizes([0, 1]))))
    if groups > 1:
        given.append(("groups", draw.whole(groups)))
    if draw.maybe(0.3):
        given.append(("bias", draw.flag(draw.maybe())))
    return given


def _linear(draw: Draw, x: Type) -> Given | None:
    given: Given = [("out_features", draw.whole(draw.random.randint(1, 8)))]
    if draw.maybe(0.4):
        given.append(("bias", draw.flag(draw.maybe())))
    return given


def _mix_heads(draw: Draw, x: Type) -> Given | None:
    if x.rank != 3 or not x.batched:
        return None
    return [("bias", draw.flag(draw.maybe()))] if draw.maybe() else []


def _batch_norm(draw: Draw, x: Type) -> Given | None:
    if not 1 <= x.rank <= 3 or not x.batched:
        return None
    given: Given = []
    if draw.maybe(0.2):
        given.append(("eps", draw.real(1e-3, 1e-6)))
    if draw.maybe(0.2):
        given.append(("momentum", draw.real(0.2, 0.01)))
    if draw.maybe(0.2):
        given.append(("affine", draw.flag(draw.maybe(0.3))))
    return given


def _layer_norm(draw: Draw, x: Type) -> Given | None:
    return [("eps", draw.real(1e-3, 1e-6))] if draw.maybe(0.2) else []


def _group_norm(draw: Draw, x: Type) -> Given | None:
    if not x.batched:
        return None
    given: Given = [("groups", draw.whole(draw.divisor(x.shape[0])))]
    return given + ([("eps", draw.real(1e-3, 1e-6))] if draw.maybe(0.2) else [])


def _layer_scale(draw: Draw, x: Type) -> Given | None:
    given: Given = [("value", draw.real(0.1, 1.0, 2.0, 1e-3))] if draw.maybe() else []
    if x.rank == 3 and draw.maybe():
        return given + ([("axis", literal(0))] if draw.maybe(0.3) else [])
    return [*given, ("axis", draw.axis(x, x.rank - 1))] if x.rank > 1 or draw.maybe() else given


def _gelu(draw: Draw, x: Type) -> Given | None:
    return [("approximate", text_literal(draw.one("none", "tanh")))] if draw.maybe() else []


def _leaky_relu(draw: Draw, x: Type) -> Given | None:
    return [("slope", draw.real(0.1, 0.2, 0.5, 1e-3))] if draw.maybe() else []


def _any_axis(draw: Draw, x: Type) -> Given | None:
    return [("axis", draw.axis(x, draw.random.randrange(x.rank)))] if draw.maybe() else []


def _pool(draw: Draw, x: Type) -> Given | None:
    if x.rank != 3:
        return None
    kernel = draw.sizes([1, 2, 2, 3, 3, 4])
    given: Given = [("kernel", draw.pair(*kernel))]
    if draw.maybe():
        given.append(("stride", NONE if draw.maybe(0.1) else draw.pair(*draw.sizes([1, 1, 2, 3]))))
    if draw.maybe():
        given.append(("padding", draw.pair(*(draw.random.randint(0, size // 2) for size in kernel))))
    return given


def _avg_pool(draw: Draw, x: Type) -> Given | None:
    given = _pool(draw, x)
    if given is not None and draw.maybe(0.3):
        given.append(("count_include_pad", draw.flag(draw.maybe(0.3))))
    return given


def _adaptive_avg_pool(draw: Draw, x: Type) -> Given | None:
    return [("size", draw.pair(*draw.sizes([1, 2, 3, 5])))] if x.rank == 3 else None


def _no_attributes_of_a_map(draw: Draw, x: Type) -> Given | None:
    return [] if x.rank == 3 else None


def _reduced(draw: Draw, x: Type) -> Given | None:
    keep = draw.maybe(0.5)
    if x.rank == 1 and not keep:
        return None
    axes = draw.random.sample(range(x.rank), draw.random.randint(1, x.rank if keep else x.rank - 1))
    given: Given = []
    if axes != [x.rank - 1] or draw.maybe():
        written = [draw.axis(x, axis) for axis in axes]
        given.append(("axes", written[0] if len(written) == 1 and draw.maybe() else listed(written)))
    if keep or draw.maybe(0.1):
        given.append(("keep", draw.flag(keep)))
    return given


def _upsample(draw: Draw, x: Type) -> Given | None:
    if x.rank != 3 or not x.batched or max(x.shape) > LARGEST // 3:
        return None
    given: Given = [("scale", draw.pair(*draw.sizes([1, 2, 3])))]
    if draw.maybe():
        given.append(("mode", text_literal(draw.one("nearest", "bilinear", "bicubic"))))
    return given


def _number(draw: Draw, x: Type) -> Given | None:
    options = [
        literal(draw.one(2, 3, 0.5, 1.5, 7)),
        draw.whole(draw.random.randint(1, 9)),
        draw.real(0.25, 2.0),
    ]
    return [("number", draw.random.choice(options))]


def _dropout(draw: Draw, x: Type) -> Given | None:
    return [("rate", literal(draw.one(0.1, 0.25, 0, 0.0)))] if draw.maybe(0.7) else []


def _rearrange(draw: Draw, x: Type) -> Given | None:
    """Axes split, moved about, joined; axes of 1 added and dropped."""
    names = list("hwcndpqrst")
    left: list[list[str]] = []
    sizes: dict[str, int] = {}
    dropped = False
    for extent in x.shape:
        if extent == 1 and draw.maybe(0.4) and (x.rank > 1 or draw.maybe(0.3)):
            left.append([])
            dropped = True
            continue
        count = draw.one(1, 1, 2) if len(names) > 5 else 1
        group, rest = [names.pop(draw.random.randrange(len(names))) for _ in range(count)], extent
        for name in group[1:]:
            sizes[name] = draw.divisor(rest)
            rest //= sizes[name]
        sizes[group[0]] = rest
        draw.random.shuffle(group)
        left.append(group)
    flat = [name for group in left for name in group]
    if draw.maybe(0.7):
        draw.random.shuffle(flat)
    right: list[list[str]] = []
    for name in flat:
        if right and draw.maybe(0.3):
            right[-1].append(name)
        else:
            right.append([name])
    while len(right) > 4:
        right[-2:] = [right[-2] + right[-1]]
    if draw.maybe(0.25) and len(right) < 4:
        right.insert(draw.random.randrange(len(right) + 1), [])
    if not right:
        right.append([])
    given: Given = [("pattern", text_literal(f"{_side(left)} -> {_side(right)}"))]
    draw.numbers.seen("rearrange ()") if dropped else None
    for group in left:
        free = draw.random.choice(group) if group else None
        for name in group:
            if name != free or draw.maybe(0.1):
                given.append((name, draw.whole(sizes[name])))
    return given


def _side(groups: list[list[str]]) -> str:
    return " ".join(group[0] if len(group) == 1 else f"({' '.join(group)})" for group in groups)


def pieces(random: Random, whole: int, most: int = 3) -> list[int]:
    """A number as a sum."""
    cuts = sorted(random.sample(range(1, whole), min(whole - 1, random.randint(0, most - 1))))
    return [b - a for a, b in zip([0, *cuts], [*cuts, whole], strict=True)]


def _split(draw: Draw, x: Type) -> Given | None:
    axis = draw.random.randrange(x.rank)
    given: Given = [("sizes", listed([draw.whole(size) for size in pieces(draw.random, x.shape[axis])]))]
    return given + ([("axis", draw.axis(x, axis))] if axis or draw.maybe(0.2) else [])


def _slice(draw: Draw, x: Type) -> Given | None:
    axis = draw.random.randrange(x.rank)
    start = draw.random.randrange(x.shape[axis])
    length = draw.random.randint(1, x.shape[axis] - start)
    given: Given = [("start", draw.whole(start)), ("length", draw.whole(length))]
    return given + ([("axis", draw.axis(x, axis))] if axis or draw.maybe(0.2) else [])


def _select(draw: Draw, x: Type) -> Given | None:
    if x.rank < 2:
        return None
    axis = draw.random.randrange(x.rank)
    given: Given = [("index", draw.whole(draw.random.randrange(x.shape[axis])))]
    return given + ([("axis", draw.axis(x, axis))] if axis or draw.maybe(0.2) else [])


def relative_position_bias(draw: Draw) -> Given:
    """A bias of some heads over a small window."""
    window = listed([draw.whole(draw.random.randint(1, 3)) for _ in range(2)])
    return [("heads", draw.whole(draw.random.randint(1, 4))), ("window", window)]


def window_mask(draw: Draw) -> Given:
    """A mask of some windows of a small map."""
    window = [draw.random.randint(1, 3) for _ in range(2)]
    size = [extent * draw.random.randint(1, 2) for extent in window]
    shift = [draw.random.randrange(extent) for extent in window]
    return [
        (name, listed([draw.whole(number) for number in numbers]))
        for name, numbers in (("size", size), ("window", window), ("shift", shift))
    ]


def _pad(draw: Draw, x: Type) -> Given | None:
    if x.rank != 3 or max(x.shape) > LARGEST:
        return None
    return [("sides", listed([draw.whole(draw.random.randint(0, 2)) for _ in range(4)]))]


def _roll(draw: Draw, x: Type) -> Given | None:
    if x.rank != 3:
        return None
    return [("shifts", listed([draw.whole(draw.random.randint(-3, 3)) for _ in range(2)]))]


def _unfold(draw: Draw, x: Type) -> Given | None:
    if x.rank != 3 or x.shape[0] > 6:
        return None
    given: Given = [("kernel", draw.whole(draw.random.randint(1, 3)))]
    if draw.maybe():
        given.append(("stride", draw.whole(draw.random.randint(1, 2))))
    if draw.maybe(0.3):
        given.append(("padding", draw.whole(1)))
    return given


def parameter(draw: Draw, shape: tuple[int, ...]) -> Given:
    """A learned tensor of this shape."""
    given: Given = [("extents", listed([draw.whole(extent) for extent in shape]))]
    if draw.maybe(0.4):
        given.append(("value", draw.real(1.0, 0.5, 0.01)))
    if draw.maybe(0.2):
        rows = draw.divisor(shape[0])
        given.append(("grid", listed([draw.whole(rows), draw.whole(draw.divisor(shape[0] // rows))])))
    return given


def attention_bias(draw: Draw, heads: int, queries: int, keys: int) -> Given | None:
    """A bias for an attention map of these extents, where they are those of grids; the rule says so."""
    key = (draw.divisor(keys),)
    query = (draw.divisor(queries),)
    grids = [(query[0], queries // query[0]), (key[0], keys // key[0])]
    return [
        ("heads", draw.whole(heads)),
        *((name, listed([draw.whole(size) for size in grid]))
          for name, grid in zip(("query", "key"), grids, strict=True)),
    ]  # fmt: skip


def _plain(draw: Draw, x: Type) -> Given | None:
    return []


DRAWERS: dict[str, Callable[[Draw, Type], Given | None]] = {
    **dict.fromkeys(POINTWISE, _plain),
    "conv2d": _conv2d, "conv_transpose2d": _conv_transpose2d, "linear": _linear, "mix_heads": _mix_heads,
    "batch_norm": _batch_norm, "layer_norm": _layer_norm, "group_norm": _group_norm,
    "layer_scale": _layer_scale,
    "gelu": _gelu, "leaky_relu": _leaky_relu, "softmax": _any_axis, "l2_normalize": _any_axis,
    "max_pool": _pool, "avg_pool": _avg_pool, "adaptive_avg_pool": _adaptive_avg_pool,
    "global_avg_pool": _no_attributes_of_a_map, "mean": _reduced, "sum": _reduced, "upsample": _upsample,
    "add_number": _number, "sub_number": _number, "mul_number": _number, "div_number": _number,
    "number_minus": _number, "dropout": _dropout, "rearrange": _rearrange, "split": _split, "slice": _slice,
    "pad": _pad, "select": _select, "roll": _roll, "unfold": _unfold,
}  # fmt: skip
"""Of every primitive of one tensor."""
