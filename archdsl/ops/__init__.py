"""Every primitive of the language: a closed table, complete at import."""

from __future__ import annotations

from typing import Final

from archdsl.ops import activation, conv, elementwise, layout, learned, norm, pool
from archdsl.ops.base import (
    Code,
    Constructor,
    Op,
    OpError,
    Products,
    Spelling,
    Table,
    TensorType,
    Weight,
    product,
    shape_text,
    total,
)

OPS: Final[dict[str, type[Op]]] = {
    op.kind: op
    for op in (
        conv.Conv2d,
        conv.ConvTranspose2d,
        conv.Linear,
        conv.Matmul,
        conv.MixHeads,
        norm.BatchNorm,
        norm.LayerNorm,
        norm.GroupNorm,
        norm.LayerScale,
        activation.Relu,
        activation.Relu6,
        activation.Gelu,
        activation.Silu,
        activation.Sigmoid,
        activation.Tanh,
        activation.HardSwish,
        activation.HardSigmoid,
        activation.LeakyRelu,
        activation.Softmax,
        pool.MaxPool,
        pool.AvgPool,
        pool.AdaptiveAvgPool,
        pool.GlobalAvgPool,
        pool.Mean,
        pool.Sum,
        pool.Upsample,
        elementwise.Add,
        elementwise.Sub,
        elementwise.Mul,
        elementwise.Div,
        elementwise.AddNumber,
        elementwise.SubNumber,
        elementwise.MulNumber,
        elementwise.DivNumber,
        elementwise.NumberMinus,
        elementwise.Maximum,
        elementwise.Minimum,
        elementwise.Exp,
        elementwise.Sqrt,
        elementwise.Neg,
        elementwise.L2Normalize,
        elementwise.Identity,
        elementwise.DropPath,
        elementwise.Dropout,
        layout.Rearrange,
        layout.Concat,
        layout.Repeat,
        layout.Split,
        layout.Slice,
        layout.Select,
        layout.Pad,
        layout.Roll,
        layout.Unfold,
        learned.Parameter,
        learned.Buffer,
        learned.AttentionBias,
        learned.RelativePositionBias,
        learned.WindowMask,
    )
}
NORMALISATIONS: Final = ("batch_norm", "layer_norm", "group_norm")

__all__ = [
    "OPS", "Code", "Constructor", "Op", "OpError", "Products", "Spelling", "Table", "TensorType", "Weight",
    "product", "shape_text", "total",
]  # fmt: skip
