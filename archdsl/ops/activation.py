"""Activations and softmax: nothing owned, nothing multiplied, the shape kept."""

from __future__ import annotations

from typing import ClassVar

from archdsl.ops.base import (
    Code,
    Int,
    Pointwise,
    Products,
    Real,
    Spelling,
    TensorType,
    Text,
    Weightless,
    axis_of,
    const,
    torch_axis,
)


class Activation(Pointwise):
    """An activation that torch has as a function of one tensor."""

    function: ClassVar[str] = ""

    def as_function(self) -> str:
        return self.function if self == type(self)() else ""

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{self.function}({x[0].text})")


class Relu(Activation):
    """max(x, 0)."""

    kind = "relu"
    function = "F.relu"


class Relu6(Activation):
    """min(max(x, 0), 6)."""

    kind = "relu6"
    function = "F.relu6"


class Gelu(Activation):
    """The Gaussian error linear unit, exact, or by tanh where `approximate = "tanh"`."""

    kind = "gelu"
    function = "F.gelu"
    choices: ClassVar[dict[str, tuple[str, ...]]] = {"approximate": ("none", "tanh")}

    approximate: Text = "none"

    def paper_macs(self, *x: TensorType) -> Products:
        """The authors' counter multiplies two axes: channels and rows of a map, tokens and channels."""
        return (x[0].shape[:2],) if x[0].rank in (2, 3) else ()

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        if self.approximate == "none":
            return Code(f"F.gelu({x[0].text})")
        return Code(f"F.gelu({x[0].text}, approximate={self.approximate!r})".replace("'", '"'))


class Silu(Activation):
    """x * sigmoid(x), also called swish."""

    kind = "silu"
    function = "F.silu"


class Sigmoid(Activation):
    """1 / (1 + exp(-x))."""

    kind = "sigmoid"
    function = "torch.sigmoid"


class Tanh(Activation):
    """The hyperbolic tangent."""

    kind = "tanh"
    function = "torch.tanh"


class HardSwish(Activation):
    """x * relu6(x + 3) / 6."""

    kind = "hard_swish"
    function = "F.hardswish"


class HardSigmoid(Activation):
    """relu6(x + 3) / 6."""

    kind = "hard_sigmoid"
    function = "F.hardsigmoid"


class LeakyRelu(Activation):
    """x where it is positive, slope * x elsewhere."""

    kind = "leaky_relu"

    slope: Real = const(0.01)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"F.leaky_relu({x[0].text}, {write(self.slope)})")


class Softmax(Weightless):
    """exp(x) normalised to the sum 1 along an axis, the last unless given."""

    kind = "softmax"
    in_line = True
    by_value = ("axis",)

    axis: Int = const(-1)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        axis_of(self.axis, x[0])
        return (x[0],)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        axis = self.axis.int if self.axis.int < 0 else torch_axis(self.axis.int, types[0])
        return Code(f"{x[0].atom}.softmax({axis})")
