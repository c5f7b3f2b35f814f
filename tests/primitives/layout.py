"""Cases of layout: the same numbers at other positions."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import torch

from primitives.document import BATCH, Case, Shape, Weights
from primitives.drawing import Draw, case_of, extents, shapes
from primitives.windows import windows


@case_of("rearrange")
def rearrange(draw: Draw) -> Case:
    names = draw(st.lists(st.sampled_from("nchwdijk"), min_size=1, max_size=5, unique=True))
    sizes = {name: draw(st.integers(1, 3)) for name in names}

    def grouped(order: list[str]) -> list[list[str]]:
        groups: list[list[str]] = []
        for name in order:
            if groups and draw(st.booleans()):
                groups[-1].append(name)
            else:
                groups.append([name])
        if draw(st.integers(0, 3)) == 0:
            groups.insert(draw(st.integers(0, len(groups))), [])
        return groups

    def text(groups: list[list[str]]) -> str:
        return " ".join(group[0] if len(group) == 1 else f"({' '.join(group)})" for group in groups)

    after = draw(st.one_of(st.just(names), st.permutations(names)))
    left, right = grouped(names), grouped(list(after))
    draw.attributes["pattern"] = f"{text(left)} -> {text(right)}"
    for group in left:
        open_ = draw(st.sampled_from([*group, None])) if group else None
        for name in group:
            if name != open_ and (len(group) > 1 or draw(st.booleans())):
                draw.attributes[name] = sizes[name]
    learned = draw(st.booleans())

    def extents_of(groups: list[list[str]]) -> Shape:
        return tuple(math.prod(sizes[name] for name in group) for group in groups)

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        front = () if learned else (BATCH,)
        elementary = x.reshape(*front, *(sizes[name] for name in names))
        order = [len(front) + names.index(name) for name in after]
        return elementary.permute(*range(len(front)), *order).reshape(*front, *extents_of(right))

    return Case("rearrange", (extents_of(left),), draw.attributes, reference, learned=(learned,))


@case_of("concat")
def concat(draw: Draw) -> Case:
    shape = draw(shapes(1, 4))
    axis = draw.axis(shape, 0)
    pieces = [list(shape) for _ in range(draw(st.integers(1, 3)))]
    learned = tuple(draw(st.booleans()) for _ in pieces)
    for piece in pieces:
        piece[axis] = draw(extents)

    def reference(_: Weights, *pieces: torch.Tensor) -> torch.Tensor:
        if not all(learned):  # learned tensors are the same for every sample
            pieces = tuple(
                torch.stack([piece] * BATCH) if alone else piece
                for piece, alone in zip(pieces, learned, strict=True)
            )
        return torch.stack([part for piece in pieces for part in piece.unbind(axis)], axis)

    inputs = tuple(map(tuple, pieces))
    return Case("concat", inputs, draw.attributes, reference, learned=learned)


@case_of("repeat")
def repeat(draw: Draw) -> Case:
    learned, like = draw(shapes(1, 4)), draw(shapes(1, 4))

    def reference(_: Weights, learned: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        return torch.stack([learned for _ in like])

    return Case("repeat", (learned, like), {}, reference, learned=(True, False))


@case_of("split")
def split(draw: Draw) -> Case:
    shape = list(draw(shapes(1, 4)))
    axis = draw.axis(tuple(shape), 0)
    sizes = draw.required("sizes", st.lists(st.integers(1, 3), min_size=1, max_size=3))
    shape[axis] = sum(sizes)

    def reference(_: Weights, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        parts = iter(x.unbind(axis))
        return tuple(torch.stack([next(parts) for _ in range(size)], axis) for size in sizes)

    return Case("split", (tuple(shape),), draw.attributes, reference, learned=(draw(st.booleans()),))


@case_of("slice")
def slice_(draw: Draw) -> Case:
    shape = list(draw(shapes(1, 4)))
    axis = draw.axis(tuple(shape), 0)
    start, length = draw.required("start", st.integers(0, 3)), draw.required("length", st.integers(1, 3))
    shape[axis] = start + length + draw(st.integers(0, 2))

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        return torch.stack(x.unbind(axis)[start : start + length], axis)

    return Case("slice", (tuple(shape),), draw.attributes, reference, learned=(draw(st.booleans()),))


@case_of("select")
def select(draw: Draw) -> Case:
    shape = list(draw(shapes(2, 4)))
    axis = draw.axis(tuple(shape), 0)
    index = draw.required("index", st.integers(0, 3))
    shape[axis] = index + 1 + draw(st.integers(0, 2))

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        return x.unbind(axis)[index]

    return Case("select", (tuple(shape),), draw.attributes, reference, learned=(draw(st.booleans()),))


@case_of("pad")
def pad(draw: Draw) -> Case:
    shape = draw(shapes(3, 3))
    left, right, top, bottom = draw.required("sides", st.lists(st.integers(0, 3), min_size=4, max_size=4))

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        result = x.new_zeros(*x.shape[:-2], top + shape[1] + bottom, left + shape[2] + right)
        result[..., top : top + shape[1], left : left + shape[2]] = x
        return result

    return Case("pad", (shape,), draw.attributes, reference, learned=(draw(st.booleans()),))


@case_of("roll")
def roll(draw: Draw) -> Case:
    shape = draw(shapes(2, 4))
    axes, count = [-2, -1], 2
    if draw(st.booleans()):
        axes = draw(st.permutations(range(len(shape))))[: draw(st.integers(1, 2))]
        draw.attributes["axes"], count = axes, len(axes)
    shifts = draw.required("shifts", st.lists(st.integers(-4, 4), min_size=count, max_size=count))

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        for axis, shift in zip(axes, shifts, strict=True):
            back = axis - len(shape) if axis >= 0 else axis
            parts = x.unbind(back)
            x = torch.stack([parts[(i - shift) % shape[axis]] for i in range(shape[axis])], back)
        return x

    return Case("roll", (shape,), draw.attributes, reference, learned=(draw(st.booleans()),))


@case_of("unfold")
def unfold(draw: Draw) -> Case:
    kernel = draw.required("kernel", st.integers(1, 3))
    stride = draw.optional("stride", st.integers(1, 3), 1)
    padding = draw.optional("padding", st.integers(0, 2), 0)
    shape = (draw(extents), draw.padded_extent(kernel, padding), draw.padded_extent(kernel, padding))

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        _, _, cut = windows(x, (kernel,) * 2, (stride,) * 2, (padding,) * 2, 0.0)
        return torch.stack([window.flatten(-3) for window in cut.values()], -1)

    return Case("unfold", (shape,), draw.attributes, reference, learned=(draw(st.booleans()),))
