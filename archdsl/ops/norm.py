"""Normalisations, and the learned factor that a residual branch is scaled with."""

from __future__ import annotations

from archdsl.ops.base import (
    Code,
    Constructor,
    Dim,
    Flag,
    Int,
    Op,
    OpError,
    Products,
    Real,
    Spelling,
    TensorType,
    Weight,
    axis_of,
    const,
    expect_axes,
    expect_batch,
    expect_rank,
    keywords,
    product,
    shape_text,
)
from archdsl.scalar import Scalar


class _Norm(Op):
    """What the normalisations share: shape kept, nothing multiplied in the sense of MACs."""

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        return (x[0],)

    def macs(self, *x: TensorType) -> Products:
        return ()

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{module}({x[0].text})")


def _expect_eps(eps: Scalar) -> None:
    """Raise `OpError` for what torch can't add to a variance."""
    if isinstance(eps.value, int | float) and eps.value <= 0:
        raise OpError(f"eps is added to a variance, it can't be {eps.value}", "use 1e-5", "eps")


class BatchNorm(_Norm):
    """Batch normalisation over the first axis of [C], [C, N] or [C, H, W]; fvcore counts 2 an element."""

    kind = "batch_norm"

    eps: Real = const(1e-5)
    momentum: Real = const(0.1)
    affine: Flag = const(True)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        _expect_eps(self.eps)
        if not 0 <= self.momentum.value <= 1:  # type: ignore[operator]
            help = "0.1 keeps nine tenths of the old ones"
            raise OpError(
                f"momentum is a part of new statistics, it can't be {self.momentum.value}", help, "momentum"
            )
        expect_axes(x[0], "batch_norm")
        expect_batch(x[0], "batch_norm")
        if x[0].rank > 3:
            expect_rank(x[0], 3, "batch_norm")
        return (x[0],)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        channels = (x[0].shape[0],)
        learned = (Weight("weight", channels), Weight("bias", channels))
        return (
            *(learned if self.affine.value else ()),
            Weight("running_mean", channels, "buffer"),
            Weight("running_var", channels, "buffer"),
            Weight("num_batches_tracked", (), "counter"),
        )

    def fvcore(self, *x: TensorType) -> dict[str, Products]:
        per_element = (const(2),) if self.affine.value else ()
        return {"batch_norm": ((*per_element, *x[0].shape),)}

    def paper_params(self, *x: TensorType) -> Products:
        return ()

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        name = "nn.BatchNorm2d" if x[0].rank == 3 else "nn.BatchNorm1d"
        named = keywords(write, eps=(self.eps, 1e-5), momentum=(self.momentum, 0.1), affine=(self.affine, True))
        return Constructor(name, (write(x[0].shape[0]),), tuple(named))


class LayerNorm(_Norm):
    """Layer normalisation over the last axis; fvcore counts 5 an element, the authors of EfficientFormer 2."""

    kind = "layer_norm"

    eps: Real = const(1e-5)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        _expect_eps(self.eps)
        expect_axes(x[0], "layer_norm")
        return (x[0],)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        channels = (x[0].shape[-1],)
        return (Weight("weight", channels), Weight("bias", channels))

    def fvcore(self, *x: TensorType) -> dict[str, Products]:
        return {"layer_norm": ((const(5), *x[0].shape),)}

    def paper_macs(self, *x: TensorType) -> Products:
        return ((const(2), *x[0].shape),)

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        named = keywords(write, eps=(self.eps, 1e-5))
        return Constructor("nn.LayerNorm", (write(x[0].shape[-1]),), tuple(named))


class GroupNorm(_Norm):
    """Group normalisation over the first axis; one group normalises a whole map. fvcore counts 5 an element."""

    kind = "group_norm"

    groups: Dim
    eps: Real = const(1e-5)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        _expect_eps(self.eps)
        expect_axes(x[0], "group_norm")
        expect_batch(x[0], "group_norm")
        if x[0].values[0] % self.groups.int:
            raise OpError(
                f"{x[0].values[0]} channels do not divide into {self.groups.value} groups",
                f"use a divisor of {x[0].values[0]}",
                "groups",
            )
        if product(x[0].shape) == self.groups.int:
            message = f"{self.groups.value} groups of {shape_text(x[0])} have one number each"
            raise OpError(f"{message}, and no variance", "use fewer groups", "groups")
        return (x[0],)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        channels = (x[0].shape[0],)
        return (Weight("weight", channels), Weight("bias", channels))

    def fvcore(self, *x: TensorType) -> dict[str, Products]:
        return {"group_norm": ((const(5), *x[0].shape),)}

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        named = keywords(write, eps=(self.eps, 1e-5))
        return Constructor("nn.GroupNorm", (write(self.groups), write(x[0].shape[0])), tuple(named))


class LayerScale(_Norm):
    """A learned factor for every channel (Touvron et al., CaiT), of the first axis of a map or of the last."""

    kind = "layer_scale"
    by_value = ("axis",)

    value: Real = const(1e-5)
    axis: Int = const(0)

    def _last(self, x: TensorType) -> bool:
        axis = axis_of(self.axis, x)
        if axis != x.rank - 1 and (axis != 0 or x.rank != 3):
            raise OpError(
                "layer_scale takes the first axis of a map [C, H, W] or the last of any tensor",
                "axis = 0 or axis = -1",
                "axis",
            )
        return axis == x.rank - 1

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        self._last(x[0])
        return (x[0],)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        return (Weight("gamma", (x[0].shape[self.axis.int],)),)

    def paper_params(self, *x: TensorType) -> Products:
        return ()

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        name = "TokenScale" if self._last(x[0]) else "LayerScale"
        return Constructor(name, (write(x[0].shape[self.axis.int]), write(self.value)))
