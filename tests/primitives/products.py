"""Cases of products: convolutions, matrices, the mix of heads."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import torch
import torch.nn.functional as F

from primitives.document import BATCH, Case, Shape, Weights
from primitives.drawing import Draw, case_of, extents, pair, shapes, steps


@case_of("conv2d")
def conv2d(draw: Draw) -> Case:
    groups = draw.optional("groups", st.sampled_from([1, 2, 3]), 1)
    channels = groups * draw(st.integers(1, 2))
    out = groups * draw(st.integers(1, 2))
    draw.required("out_channels", st.just(out))
    kernel = pair(draw.optional("kernel", steps, 1))
    stride, dilation = pair(draw.optional("stride", steps, 1)), pair(draw.optional("dilation", steps, 1))
    paddings = st.one_of(st.integers(0, 2), st.lists(st.integers(0, 2), min_size=2, max_size=2))
    if kernel[0] % 2 and kernel[1] % 2:
        chosen = draw.optional("padding", st.one_of(paddings, st.none()), None)
        half = [d * (k // 2) for d, k in zip(dilation, kernel, strict=True)]
        padding = pair(half if chosen is None else chosen)
    else:
        padding = pair(draw.required("padding", paddings))
    bias = draw.optional("bias", st.booleans(), True)
    window = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    front = draw(st.one_of(st.just([]), st.lists(st.integers(1, 2), min_size=1, max_size=2)))
    shape = (*front, channels, *(draw.padded_extent(window[i], padding[i]) for i in (0, 1)))
    weights: dict[str, Shape] = {"weight": (out, channels // groups, *kernel)}
    if bias:
        weights["bias"] = (out,)

    def reference(weights: Weights, x: torch.Tensor) -> torch.Tensor:
        if x.dim() > 4:
            return torch.stack([reference(weights, part) for part in x.unbind(1)], 1)
        padded = F.pad(x, (padding[1], padding[1], padding[0], padding[0]))
        # Every window as a column: a convolution is a product of matrices, group by group.
        columns = F.unfold(padded, kernel, dilation=dilation, stride=stride)
        columns = columns.reshape(BATCH, groups, -1, columns.shape[-1])
        kernels = weights["weight"].reshape(groups, out // groups, -1)
        rows = (padded.shape[2] - window[0]) // stride[0] + 1
        result = (kernels @ columns).reshape(BATCH, out, rows, -1)
        return result + weights["bias"][:, None, None] if bias else result

    return Case("conv2d", (shape,), draw.attributes, reference, weights)


@case_of("conv_transpose2d")
def conv_transpose2d(draw: Draw) -> Case:
    groups = draw.optional("groups", st.sampled_from([1, 2]), 1)
    channels = groups * draw(st.integers(1, 2))
    out = groups * draw(st.integers(1, 2))
    draw.required("out_channels", st.just(out))
    kernel, stride = pair(draw.required("kernel", steps)), pair(draw.optional("stride", steps, 1))
    padding = pair(draw.optional("padding", st.integers(0, 2), 0))
    bias = draw.optional("bias", st.booleans(), True)
    spatial = [
        max(1, 1 - (-(1 - kernel[i] + 2 * padding[i]) // stride[i])) + draw(st.integers(0, 2)) for i in (0, 1)
    ]
    weights: dict[str, Shape] = {"weight": (channels, out // groups, *kernel)}
    if bias:
        weights["bias"] = (out,)

    def reference(weights: Weights, x: torch.Tensor) -> torch.Tensor:
        # Every input position adds its kernel to the output; the padding is cut off at the end.
        rows, columns = ((spatial[i] - 1) * stride[i] + kernel[i] for i in (0, 1))
        result = x.new_zeros(BATCH, out, rows, columns)
        inside, outside = channels // groups, out // groups
        for i, j, c, o in itertools.product(range(spatial[0]), range(spatial[1]), range(channels), range(out)):
            if c // inside == o // outside:
                window = x[:, c, i, j, None, None] * weights["weight"][c, o % outside]
                top, left = i * stride[0], j * stride[1]
                result[:, o, top : top + kernel[0], left : left + kernel[1]] += window
        result = result[:, :, padding[0] : rows - padding[0], padding[1] : columns - padding[1]]
        return result + weights["bias"][:, None, None] if bias else result

    return Case("conv_transpose2d", ((channels, *spatial),), draw.attributes, reference, weights)


@case_of("linear")
def linear(draw: Draw) -> Case:
    learned = draw(st.booleans())
    shape = draw(shapes(2 if learned else 1, 4))
    out, bias = draw.required("out_features", extents), draw.optional("bias", st.booleans(), True)
    weights: dict[str, Shape] = {"weight": (out, shape[-1])}
    if bias:
        weights["bias"] = (out,)

    def reference(weights: Weights, x: torch.Tensor) -> torch.Tensor:
        result = (x[..., None, :] * weights["weight"]).sum(-1)
        return result + weights["bias"] if bias else result

    return Case("linear", (shape,), draw.attributes, reference, weights, (learned,))


@case_of("matmul")
def matmul(draw: Draw) -> Case:
    front, (n, k, m) = draw(shapes(0, 2)), (draw(extents) for _ in range(3))

    def reference(_: Weights, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a[..., :, :, None] * b[..., None, :, :]).sum(-2)

    return Case(
        "matmul",
        ((*front, n, k), (*front, k, m)),
        {},
        reference,
        learned=(draw(st.booleans()), draw(st.booleans())),
        written=draw(st.sampled_from(["{0} @ {1}", "matmul({0}, {1})"])),
    )


@case_of("mix_heads")
def mix_heads(draw: Draw) -> Case:
    shape = draw(shapes(3, 3))
    heads, bias = shape[0], draw.optional("bias", st.booleans(), True)
    weights: dict[str, Shape] = {"weight": (heads, heads, 1, 1)}
    if bias:
        weights["bias"] = (heads,)

    def reference(weights: Weights, x: torch.Tensor) -> torch.Tensor:
        mixed = [
            sum(weights["weight"][to, of, 0, 0] * x[:, of] for of in range(heads))
            + (weights["bias"][to] if bias else 0)
            for to in range(heads)
        ]
        return torch.stack(mixed, 1)

    return Case("mix_heads", (shape,), draw.attributes, reference, weights)
