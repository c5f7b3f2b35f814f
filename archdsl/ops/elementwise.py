"""Arithmetic on tensors, position by position, and what is dropped at random in training."""

from __future__ import annotations

from typing import ClassVar

from archdsl.ops.base import (
    LEVELS,
    Code,
    Constructor,
    Int,
    OpError,
    Pointwise,
    Real,
    Spelling,
    TensorType,
    Weightless,
    axis_of,
    const,
    infix,
    shape_text,
    torch_axis,
)
from archdsl.scalar import ONE


def broadcast(what: str, a: TensorType, b: TensorType) -> TensorType:
    """The type of an operation on two tensors: equal extents, or 1 on one side.

    Raises `OpError` where they do not meet. A tensor without a batch may have fewer axes.
    """
    message = f"shapes do not match in {what}: {shape_text(a)} and {shape_text(b)}"
    if a.batched and b.batched and a.rank != b.rank:
        raise OpError(message, "both need the same number of axes; rearrange one of them")
    if a.batched != b.batched and (a if a.batched else b).rank < (b if a.batched else a).rank:
        raise OpError(message, "rearrange one of them")
    rank = max(a.rank, b.rank)
    first = (ONE,) * (rank - a.rank) + a.shape
    second = (ONE,) * (rank - b.rank) + b.shape
    for left, right in zip(first, second, strict=True):
        if left.value != right.value and 1 not in (left.value, right.value):
            raise OpError(message, "extents must be equal, or 1 on one side")
    shape = [
        right if left.value == 1 and right.value != 1 else left
        for left, right in zip(first, second, strict=True)
    ]
    return TensorType(tuple(shape), a.batched or b.batched)


class _Arithmetic(Weightless):
    """An operation on two tensors that Python writes with a sign."""

    inputs = 2
    in_line = True
    sign: ClassVar[str] = ""

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        return (broadcast(f"'{self.sign}'", *x),)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return infix(self.sign, x[0], x[1])


class Add(_Arithmetic):
    """`a + b`."""

    kind = "add"
    sign = "+"


class Sub(_Arithmetic):
    """`a - b`."""

    kind = "sub"
    sign = "-"


class Mul(_Arithmetic):
    """`a * b`."""

    kind = "mul"
    sign = "*"


class Div(_Arithmetic):
    """`a / b`."""

    kind = "div"
    sign = "/"


class _WithNumber(Pointwise):
    """An operation on a tensor and a number."""

    in_line = True
    sign: ClassVar[str] = ""

    number: Real

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return infix(self.sign, x[0], write.code(self.number))


class AddNumber(_WithNumber):
    """`x + number`."""

    kind = "add_number"
    sign = "+"


class SubNumber(_WithNumber):
    """`x - number`."""

    kind = "sub_number"
    sign = "-"


class MulNumber(_WithNumber):
    """`x * number`."""

    kind = "mul_number"
    sign = "*"


class DivNumber(_WithNumber):
    """`x / number`."""

    kind = "div_number"
    sign = "/"

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        if self.number.value == 0:
            raise OpError("a tensor is divided by 0", attribute="number")
        return (x[0],)


class NumberMinus(_WithNumber):
    """`number - x`."""

    kind = "number_minus"

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return infix("-", write.code(self.number), x[0])


class _Extreme(Weightless):
    inputs = 2

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        return (broadcast(self.kind, *x),)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"torch.{self.kind}({x[0].text}, {x[1].text})")


class Maximum(_Extreme):
    """The larger of two tensors."""

    kind = "maximum"


class Minimum(_Extreme):
    """The smaller of two tensors."""

    kind = "minimum"


class _Function(Pointwise):
    in_line = True

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{x[0].atom}.{self.kind}()")


class Exp(_Function):
    """e to the power of x."""

    kind = "exp"


class Sqrt(_Function):
    """The square root."""

    kind = "sqrt"


class Neg(Pointwise):
    """`-x`."""

    kind = "neg"
    in_line = True

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"-{x[0].atom}", 7)


class L2Normalize(Weightless):
    """x divided by its Euclidean length along an axis, the last unless given."""

    kind = "l2_normalize"
    by_value = ("axis",)

    axis: Int = const(-1)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        axis_of(self.axis, x[0])
        return (x[0],)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        axis = torch_axis(axis_of(self.axis, types[0]), types[0])
        return Code(f"F.normalize({x[0].text}, dim={axis})")


class Identity(Pointwise):
    """The tensor itself."""

    kind = "identity"
    in_line = True

    def is_view(self, *x: TensorType) -> bool:
        return True

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return x[0]


class DropPath(Pointwise):
    """Drops a residual branch, by sample, in training (stochastic depth); the model gives the rates.

    The rate is a schedule of the network over its blocks, and no part of the graph.
    """

    kind = "drop_path"

    def is_view(self, *x: TensorType) -> bool:
        return True

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        return Constructor("DropPath", ("drop_path",))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{module}({x[0].text})")


class Dropout(Weightless):
    """Sets elements to zero with probability `rate` in training."""

    kind = "dropout"

    rate: Real = const(0.5)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        value = self.rate.value
        if not isinstance(value, int | float) or not 0 <= value < 1:
            raise OpError(f"a rate lies in [0, 1), got {value}", attribute="rate")
        return (x[0],)

    def is_view(self, *x: TensorType) -> bool:
        return True

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"F.dropout({x[0].text}, {write(self.rate)}, self.training)")


__all__ = [
    "LEVELS", "Add", "AddNumber", "Div", "DivNumber", "DropPath", "Dropout", "Exp", "Identity",
    "L2Normalize", "Maximum", "Minimum", "Mul", "MulNumber", "Neg", "NumberMinus", "Sqrt", "Sub",
    "SubNumber", "broadcast",
]  # fmt: skip
