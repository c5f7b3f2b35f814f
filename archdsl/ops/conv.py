"""Convolutions and products of matrices: the operators whose multiply-accumulates make a network's cost."""

from __future__ import annotations

from typing import ClassVar

from archdsl.ops.base import (
    Axes,
    Code,
    Constructor,
    Count2,
    Dim,
    Dim2,
    Flag,
    Op,
    OpError,
    Products,
    Spelling,
    TensorType,
    Weight,
    both,
    const,
    expect_axes,
    expect_batch,
    expect_rank,
    infix,
    keywords,
    shape_text,
)
from archdsl.scalar import ONE, Scalar, ceil_div


def window_extent(
    extent: Scalar, kernel: Scalar, stride: Scalar, padding: Scalar | None, dilation: Scalar
) -> Scalar:
    """The extent that a sliding window leaves; padding None is half a window, which gives ceil(x / s)."""
    if padding is None:
        return extent if stride == ONE else ceil_div(extent, stride)
    if padding.term == 0 and kernel.term == stride.term and dilation.term == 1:
        result = extent // stride  # windows side by side
    elif dilation.term == 1:
        result = (extent + padding * const(2) - kernel) // stride + ONE
    else:
        reach = dilation * (kernel - ONE)
        result = (extent + padding * const(2) - reach - ONE) // stride + ONE
    if result.int < 1:
        raise OpError(f"a window of {kernel.value} does not fit into an extent of {extent.value}")
    return result


def check_middle(kernel: Dim2) -> None:
    """Raise `OpError` for a window without a middle, whose half is no padding."""
    if any(size.int % 2 == 0 for size in kernel):
        raise OpError(
            f"a kernel of {kernel[0].value} has no middle",
            "give the padding, or an odd kernel",
            "kernel",
        )


def same_padding(kernel: Dim2, padding: Count2 | None, dilation: Dim2) -> Count2:
    """The padding as numbers; where none is given, half of an odd window."""
    if padding is not None:
        return padding
    check_middle(kernel)
    return (dilation[0] * (kernel[0] // const(2)), dilation[1] * (kernel[1] // const(2)))


def weight_and_bias(axes: Axes, out: Dim, bias: Flag) -> tuple[Weight, ...]:
    """What a layer of products owns: a weight of these axes, and a bias for each output where it has one."""
    weight = Weight("weight", axes)
    return (weight, Weight("bias", (out,))) if bias.value else (weight,)


def authors_count(axes: Axes, bias: Flag) -> Products:
    """The authors' count of a convolution's parameters: its bias as one weight an input channel of a group."""
    return (axes, (axes[1],)) if bias.value else (axes,)


class Conv2d(Op):
    """Convolution of a map [C, H, W]; padding is half the kernel unless given: [out, ceil(H / stride), ...].

    Axes in front count maps, windows say, each of which is convolved alone: [..., C, H, W].
    """

    kind = "conv2d"
    operator = "conv"

    out_channels: Dim
    kernel: Dim2 = both(1)
    stride: Dim2 = both(1)
    padding: Count2 | None = None
    dilation: Dim2 = both(1)
    groups: Dim = const(1)
    bias: Flag = const(True)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        (map_,) = x
        if map_.rank < 3:
            expect_rank(map_, 3, "conv2d")
        expect_batch(map_, "conv2d")
        channels, groups = map_.shape[-3].int, self.groups.int
        for name, count in (("input", channels), ("output", self.out_channels.int)):
            if count % groups:
                raise OpError(
                    f"{count} {name} channels do not divide into {groups} groups",
                    f"use a divisor of {count}",
                    "groups",
                )
        if self.padding is None:
            check_middle(self.kernel)
        return (map_.with_shape(*map_.shape[:-3], self.out_channels, *self._extents(map_)),)

    def _extents(self, map_: TensorType) -> list[Scalar]:
        """The rows and columns of the output."""
        return [
            window_extent(
                map_.shape[axis - 2],
                self.kernel[axis],
                self.stride[axis],
                self.padding and self.padding[axis],
                self.dilation[axis],
            )
            for axis in (0, 1)
        ]

    def _kernel_axes(self, x: TensorType) -> tuple[Scalar, ...]:
        return (self.out_channels, x.shape[-3] // self.groups, *self.kernel)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        return weight_and_bias(self._kernel_axes(x[0]), self.out_channels, self.bias)

    def macs(self, *x: TensorType) -> Products:
        return ((*self._kernel_axes(x[0]), *self._extents(x[0]), *x[0].shape[:-3]),)

    def paper_params(self, *x: TensorType) -> Products:
        return authors_count(self._kernel_axes(x[0]), self.bias)

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        padding = same_padding(self.kernel, self.padding, self.dilation)
        named = [
            (name, write.pair(pair))
            for name, pair, default in (
                ("stride", self.stride, 1),
                ("padding", padding, 0),
                ("dilation", self.dilation, 1),
            )
            if any(axis.term != default for axis in pair)
        ]
        named += keywords(write, groups=(self.groups, 1), bias=(self.bias, True))
        args = (write(x[0].shape[-3]), write(self.out_channels), write.pair(self.kernel))
        return Constructor("nn.Conv2d", args, tuple(named))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        front = types[0].shape[:-3]
        if not front:
            return Code(f"{module}({x[0].text})")
        # torch knows one axis in front of a map, the batch.
        maps = f"{module}({x[0].atom}.flatten(0, {len(front)}))"
        return Code(f"{maps}.unflatten(0, (-1, {', '.join(map(write, front))}))")


class ConvTranspose2d(Op):
    """Transposed convolution of a map: [out, (H - 1) * stride - 2 * padding + kernel, ...]."""

    kind = "conv_transpose2d"
    operator = "conv"

    out_channels: Dim
    kernel: Dim2
    stride: Dim2 = both(1)
    padding: Count2 = both(0)
    groups: Dim = const(1)
    bias: Flag = const(True)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        (map_,) = x
        expect_rank(map_, 3, "conv_transpose2d")
        expect_batch(map_, "conv_transpose2d")
        for count in (map_.shape[0].int, self.out_channels.int):
            if count % self.groups.int:
                message = f"{count} channels do not divide into {self.groups.value} groups"
                raise OpError(message, f"use a divisor of {count}", "groups")
        extents = [
            (map_.shape[i + 1] - ONE) * self.stride[i] - self.padding[i] * const(2) + self.kernel[i]
            for i in (0, 1)
        ]
        if any(extent.int < 1 for extent in extents):
            raise OpError("nothing is left of the map", "use less padding", "padding")
        return (map_.with_shape(self.out_channels, *extents),)

    def _kernel_axes(self, x: TensorType) -> tuple[Scalar, ...]:
        return (x.shape[0], self.out_channels // self.groups, *self.kernel)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        return weight_and_bias(self._kernel_axes(x[0]), self.out_channels, self.bias)

    def macs(self, *x: TensorType) -> Products:
        return ((*self._kernel_axes(x[0]), *x[0].shape[1:]),)

    def paper_params(self, *x: TensorType) -> Products:
        return authors_count(self._kernel_axes(x[0]), self.bias)

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        named = [
            (name, write.pair(pair))
            for name, pair, default in (("stride", self.stride, 1), ("padding", self.padding, 0))
            if any(axis.term != default for axis in pair)
        ]
        named += keywords(write, groups=(self.groups, 1), bias=(self.bias, True))
        args = (write(x[0].shape[0]), write(self.out_channels), write.pair(self.kernel))
        return Constructor("nn.ConvTranspose2d", args, tuple(named))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{module}({x[0].text})")


class MixHeads(Op):
    """A learned mixture of the heads of an attention map [heads, N, M]: talking heads (Shazeer et al.)."""

    kind = "mix_heads"
    operator = "conv"

    bias: Flag = const(True)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        if x[0].rank != 3:
            raise OpError(f"mix_heads takes an attention map [heads, N, M], got {shape_text(x[0])}")
        expect_batch(x[0], "mix_heads")
        return (x[0],)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        heads = x[0].shape[0]
        return weight_and_bias((heads, heads, ONE, ONE), heads, self.bias)

    def macs(self, *x: TensorType) -> Products:
        return ((x[0].shape[0], *x[0].shape),)

    def paper_params(self, *x: TensorType) -> Products:
        heads = x[0].shape[0]
        return authors_count((heads, heads, ONE, ONE), self.bias)

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        heads = write(x[0].shape[0])
        return Constructor("nn.Conv2d", (heads, heads, "1"), tuple(keywords(write, bias=(self.bias, True))))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{module}({x[0].text})")


class Linear(Op):
    """A linear map of the last axis: [..., C] gives [..., out]."""

    kind = "linear"
    operator = "linear"

    out_features: Dim
    bias: Flag = const(True)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        expect_axes(x[0], "linear")
        return (x[0].with_shape(*x[0].shape[:-1], self.out_features),)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        return weight_and_bias((self.out_features, x[0].shape[-1]), self.out_features, self.bias)

    def macs(self, *x: TensorType) -> Products:
        return ((*x[0].shape, self.out_features),)

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        args = (write(x[0].shape[-1]), write(self.out_features))
        return Constructor("nn.Linear", args, tuple(keywords(write, bias=(self.bias, True))))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{module}({x[0].text})")


class Matmul(Op):
    """The product of matrices over the last two axes, `a @ b`: [..., N, K] and [..., K, M] give [..., N, M]."""

    kind = "matmul"
    in_line = True
    operator = "matmul"
    inputs: ClassVar[int] = 2

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        a, b = x
        if a.rank < 2 or a.rank != b.rank or a.values[:-2] != b.values[:-2]:
            raise OpError(
                f"'@' can't multiply {shape_text(a)} and {shape_text(b)}",
                "it takes [..., N, K] and [..., K, M] with equal axes in front",
            )
        if a.values[-1] != b.values[-2]:
            raise OpError(
                f"'@' can't multiply {shape_text(a)} and {shape_text(b)}: "
                f"{a.values[-1]} columns meet {b.values[-2]} rows",
                "rearrange one of them",
            )
        return (TensorType((*a.shape[:-1], b.shape[-1]), a.batched or b.batched),)

    def macs(self, *x: TensorType) -> Products:
        return ((*x[0].shape, x[1].shape[-1]),)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return infix("@", x[0], x[1])
