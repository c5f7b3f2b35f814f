"""Pooling, resizing and reductions."""

from __future__ import annotations

from typing import ClassVar

from archdsl.ops.base import (
    Code,
    Count2,
    Dim2,
    Flag,
    Ints,
    OpError,
    Products,
    Spelling,
    TensorType,
    Text,
    Weightless,
    axis_of,
    both,
    const,
    expect_batch,
    expect_rank,
    torch_axis,
)
from archdsl.ops.conv import window_extent
from archdsl.scalar import ONE, Scalar


class _Window(Weightless):
    """A pooling window that slides over a map."""

    kernel: Dim2
    stride: Dim2 | None = None
    padding: Count2 = both(0)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        (map_,) = x
        expect_rank(map_, 3, self.kind)
        for size, pad in zip(self.kernel, self.padding, strict=True):
            if 2 * pad.int > size.int:
                raise OpError(
                    f"a padding of {pad.value} is more than half of the window of {size.value}",
                    f"use at most {size.int // 2}",
                    "padding",
                )
        extents = [
            window_extent(map_.shape[i + 1], self.kernel[i], stride, self._padding(i), ONE)
            for i, stride in enumerate(self.stride or self.kernel)
        ]
        return (map_.with_shape(map_.shape[0], *extents),)

    def _padding(self, axis: int) -> Scalar | None:
        """None where a window of 1, or an odd window with its half as padding, gives ceil(x / stride)."""
        kernel, padding = self.kernel[axis].term, self.padding[axis].term
        halves = isinstance(kernel, int) and kernel % 2 == 1 and padding == kernel // 2
        return None if halves else self.padding[axis]

    def _arguments(self, write: Spelling) -> str:
        stride = self.stride or self.kernel
        parts = [write.pair(self.kernel)]
        if stride != self.kernel:
            parts.append(write.pair(stride))
        if any(axis.term != 0 for axis in self.padding):
            parts.append(f"padding={write.pair(self.padding)}")
        return ", ".join(parts)


class MaxPool(_Window):
    """The largest value of each window; the stride is the window unless given."""

    kind = "max_pool"

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"F.max_pool2d({x[0].text}, {self._arguments(write)})")


class AvgPool(_Window):
    """The mean of each window; the stride is the window unless given."""

    kind = "avg_pool"

    count_include_pad: Flag = const(True)

    def paper_macs(self, *x: TensorType) -> Products:
        (out,) = self.shape(*x)
        return ((*self.kernel, *out.shape),)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        arguments = self._arguments(write)
        if self.count_include_pad.term is not True:
            arguments += f", count_include_pad={write(self.count_include_pad)}"
        return Code(f"F.avg_pool2d({x[0].text}, {arguments})")


class AdaptiveAvgPool(Weightless):
    """The mean of as many windows as the output has positions; fvcore counts 1 an input element."""

    kind = "adaptive_avg_pool"

    size: Dim2

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        expect_rank(x[0], 3, self.kind)
        return (x[0].with_shape(x[0].shape[0], *self.size),)

    def fvcore(self, *x: TensorType) -> dict[str, Products]:
        return {"adaptive_avg_pool2d": (x[0].shape,)}

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"F.adaptive_avg_pool2d({x[0].text}, {write.pair(self.size)})")


class _Reduction(Weightless):
    """One value for all positions of some axes."""

    in_line = True
    method: ClassVar[str] = ""
    by_value: ClassVar[tuple[str, ...]] = ("axes",)

    axes: Ints = (const(-1),)
    keep: Flag = const(False)

    def _axes(self, x: TensorType) -> list[int]:
        axes = [axis_of(axis, x, "axes") for axis in self.axes]
        if len(set(axes)) != len(axes):
            raise OpError("an axis is named twice", attribute="axes")
        return sorted(axes)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        axes = self._axes(x[0])
        if not self.keep.value and len(axes) == x[0].rank:
            raise OpError("nothing is left but the batch", "keep = true", "axes")
        if self.keep.value:
            return (x[0].with_shape(*(ONE if i in axes else e for i, e in enumerate(x[0].shape))),)
        return (x[0].with_shape(*(e for i, e in enumerate(x[0].shape) if i not in axes)),)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        axes = [torch_axis(axis, types[0]) for axis in self._axes(types[0])]
        where = str(axes[0]) if len(axes) == 1 else f"({', '.join(map(str, axes))})"
        keep = "" if self.keep.term is False else f", keepdim={write(self.keep)}"
        return Code(f"{x[0].atom}.{self.method}({where}{keep})")


class Mean(_Reduction):
    """The mean over some axes."""

    kind = "mean"
    method = "mean"


class Sum(_Reduction):
    """The sum over some axes."""

    kind = "sum"
    method = "sum"


class GlobalAvgPool(Weightless):
    """The mean over all positions of a map: [C, H, W] gives [C]."""

    kind = "global_avg_pool"
    in_line = True

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        expect_rank(x[0], 3, self.kind)
        return (x[0].with_shape(x[0].shape[0]),)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        rows, columns = (torch_axis(axis, types[0]) for axis in (1, 2))
        return Code(f"{x[0].atom}.mean(({rows}, {columns}))")


class Upsample(Weightless):
    """A map at `scale` times its resolution; fvcore counts 4 an output element where it is bilinear."""

    kind = "upsample"
    choices: ClassVar[dict[str, tuple[str, ...]]] = {"mode": ("nearest", "bilinear", "bicubic")}

    scale: Dim2
    mode: Text = "nearest"

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        expect_rank(x[0], 3, self.kind)
        expect_batch(x[0], self.kind)
        channels, rows, columns = x[0].shape
        return (x[0].with_shape(channels, rows * self.scale[0], columns * self.scale[1]),)

    def fvcore(self, *x: TensorType) -> dict[str, Products]:
        (out,) = self.shape(*x)
        if self.mode == "bilinear":
            return {"upsample_bilinear2d": ((const(4), *out.shape),)}
        return {"upsample_nearest2d": (out.shape,)} if self.mode == "nearest" else {}

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        scale = write.pair(self.scale)
        return Code(f'F.interpolate({x[0].text}, scale_factor={scale}, mode="{self.mode}")')
