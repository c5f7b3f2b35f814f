"""Cases of windows and reductions."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import torch
import torch.nn.functional as F

from primitives.document import Case, Shape, Weights
from primitives.drawing import Draw, case_of, extents, pair, shapes, steps


def windows(
    x: torch.Tensor, kernel: Shape, stride: Shape, padding: Shape, fill: float
) -> tuple[int, int, dict[tuple[int, int], torch.Tensor]]:
    """Rows, columns and the window at every position of a padded map."""
    padded = F.pad(x, (padding[1], padding[1], padding[0], padding[0]), value=fill)
    rows, columns = ((padded.shape[i - 2] - kernel[i]) // stride[i] + 1 for i in (0, 1))
    cut = {
        (i, j): padded[..., i * stride[0] :, j * stride[1] :][..., : kernel[0], : kernel[1]]
        for i in range(rows)
        for j in range(columns)
    }
    return rows, columns, cut


def pooled(x: torch.Tensor, rows: int, columns: int, values: list[torch.Tensor]) -> torch.Tensor:
    return torch.stack(values, -1).reshape(*x.shape[:-2], rows, columns)


@case_of("max_pool", "avg_pool")
def pool(draw: Draw, kind: str) -> Case:
    kernel = pair(draw.required("kernel", steps))
    stride = pair(draw.optional("stride", st.one_of(steps, st.none()), None) or [*kernel])
    most = min(kernel) // 2
    padding = pair(draw.optional("padding", st.sampled_from([most, most, 0]), 0))
    counted = kind == "max_pool" or draw.optional(
        "count_include_pad", st.sampled_from([False, False, True]), True
    )
    shape = (draw(extents), *(draw.padded_extent(kernel[i], padding[i]) for i in (0, 1)))

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        if kind == "max_pool":
            rows, columns, cut = windows(x, kernel, stride, padding, -math.inf)
            return pooled(x, rows, columns, [window.amax((-2, -1)) for window in cut.values()])
        rows, columns, cut = windows(x, kernel, stride, padding, 0.0)
        _, _, inside = windows(torch.ones_like(x), kernel, stride, padding, 1.0 if counted else 0.0)
        values = [cut[place].sum((-2, -1)) / inside[place].sum((-2, -1)) for place in cut]
        return pooled(x, rows, columns, values)

    return Case(kind, (shape,), draw.attributes, reference, learned=(draw(st.booleans()),))


@case_of("adaptive_avg_pool")
def adaptive_avg_pool(draw: Draw) -> Case:
    shape = draw(shapes(3, 3))
    rows, columns = pair(draw.required("size", steps))

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        def bounds(i: int, parts: int, whole: int) -> slice:
            return slice(i * whole // parts, -(-(i + 1) * whole // parts))

        values = [
            x[..., bounds(i, rows, shape[1]), bounds(j, columns, shape[2])].mean((-2, -1))
            for i in range(rows)
            for j in range(columns)
        ]
        return pooled(x, rows, columns, values)

    return Case("adaptive_avg_pool", (shape,), draw.attributes, reference, learned=(draw(st.booleans()),))


@case_of("mean", "sum")
def reduction(draw: Draw, kind: str) -> Case:
    shape = draw(shapes(2, 4))
    keep = draw.optional("keep", st.booleans(), False)
    most = len(shape) if keep else len(shape) - 1
    which = st.lists(st.integers(0, len(shape) - 1), min_size=1, max_size=most, unique=True)
    signs = draw(st.booleans())
    axes = draw.optional("axes", which.map(lambda axes: [a - signs * len(shape) for a in axes]), [-1])
    if draw(st.booleans()) and len(axes) == 1 and "axes" in draw.attributes:
        draw.attributes["axes"] = axes[0]

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        for axis in {axis % len(shape) for axis in axes}:
            parts = x.unbind(axis - len(shape))
            total = torch.stack(parts).sum(0) / (len(parts) if kind == "mean" else 1)
            x = total.unsqueeze(axis - len(shape)).contiguous()
        kept = [
            e for i, e in enumerate(x.shape[x.dim() - len(shape) :]) if i not in {a % len(shape) for a in axes}
        ]
        return x if keep else x.reshape(*x.shape[: x.dim() - len(shape)], *kept)

    return Case(kind, (shape,), draw.attributes, reference, learned=(draw(st.booleans()),))


@case_of("global_avg_pool")
def global_avg_pool(draw: Draw) -> Case:
    shape = draw(shapes(3, 3))
    return Case(
        "global_avg_pool",
        (shape,),
        {},
        lambda _, x: x.flatten(-2).sum(-1) / (shape[1] * shape[2]),
        learned=(draw(st.booleans()),),
    )


def interpolation(extent: int, scale: int) -> torch.Tensor:
    """The matrix [extent * scale, extent] of linear interpolation between the middles of pixels."""
    matrix = torch.zeros(extent * scale, extent, dtype=torch.float64)
    for i in range(extent * scale):
        place = max(0.0, (i + 0.5) / scale - 0.5)
        low = min(int(place), extent - 1)
        matrix[i, low] += 1 - (place - int(place))
        matrix[i, min(low + 1, extent - 1)] += place - int(place)
    return matrix


@case_of("upsample")
def upsample(draw: Draw) -> Case:
    shape = draw(shapes(3, 3))
    rows, columns = pair(draw.required("scale", steps))
    mode = draw.optional("mode", st.sampled_from(["nearest", "bilinear", "bicubic"]), "nearest")

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        if mode == "nearest":
            return x.repeat_interleave(rows, -2).repeat_interleave(columns, -1)
        if mode == "bilinear":
            return interpolation(shape[1], rows) @ x @ interpolation(shape[2], columns).T
        return F.interpolate(x, (shape[1] * rows, shape[2] * columns), mode="bicubic")

    return Case("upsample", (shape,), draw.attributes, reference)
