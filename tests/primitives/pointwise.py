"""Cases of what goes position by position: functions of one tensor, and arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable

import hypothesis.strategies as st
import torch

from primitives.document import Case, Weights
from primitives.drawing import Draw, case_of, numbers, shapes

# --- one tensor, position by position


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + (-x).exp())


def hard_sigmoid(x: torch.Tensor) -> torch.Tensor:
    return (x + 3).clamp(0, 6) / 6


FUNCTIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": lambda x: torch.where(x > 0, x, torch.zeros_like(x)),
    "relu6": lambda x: x.clamp(0, 6),
    "silu": lambda x: x * sigmoid(x),
    "sigmoid": sigmoid,
    "tanh": lambda x: (x.exp() - (-x).exp()) / (x.exp() + (-x).exp()),
    "hard_swish": lambda x: x * hard_sigmoid(x),
    "hard_sigmoid": hard_sigmoid,
    "exp": lambda x: math.e**x,
    "sqrt": lambda x: x**0.5,
    "neg": lambda x: x * -1,
    "identity": lambda x: x,
    "drop_path": lambda x: x,
}


@case_of(*FUNCTIONS)
def function(draw: Draw, kind: str) -> Case:
    written = draw(st.sampled_from(["-{0}", "--{0} * -1", "neg({0})"])) if kind == "neg" else ""
    return Case(
        kind,
        (draw(shapes(1, 4)),),
        {},
        lambda _, x: FUNCTIONS[kind](x),
        learned=(draw(st.booleans()),),
        written=written,
    )


@case_of("gelu")
def gelu(draw: Draw) -> Case:
    approximate = draw.optional("approximate", st.sampled_from(["none", "tanh"]), "none")

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        if approximate == "none":
            return x * (1 + torch.erf(x / 2**0.5)) / 2
        return x * (1 + torch.tanh((2 / math.pi) ** 0.5 * (x + 0.044715 * x**3))) / 2

    return Case("gelu", (draw(shapes(1, 4)),), draw.attributes, reference)


@case_of("leaky_relu")
def leaky_relu(draw: Draw) -> Case:
    slope = draw.optional("slope", numbers, 0.01)
    return Case(
        "leaky_relu", (draw(shapes(1, 4)),), draw.attributes, lambda _, x: torch.where(x > 0, x, x * slope)
    )


@case_of("dropout")
def dropout(draw: Draw) -> Case:
    draw.optional("rate", st.sampled_from([0, 0.1, 0.9]), 0.5)
    return Case("dropout", (draw(shapes(1, 4)),), draw.attributes, lambda _, x: x)


@case_of("softmax")
def softmax(draw: Draw) -> Case:
    shape = draw(shapes(1, 4))
    axis = draw.axis(shape, -1)

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        return x.exp() / x.exp().sum(axis, keepdim=True)

    return Case("softmax", (shape,), draw.attributes, reference, learned=(draw(st.booleans()),))


@case_of("l2_normalize")
def l2_normalize(draw: Draw) -> Case:
    shape = draw(shapes(1, 4))
    axis = draw.axis(shape, -1)

    def reference(_: Weights, x: torch.Tensor) -> torch.Tensor:
        return x / (x * x).sum(axis, keepdim=True) ** 0.5

    return Case("l2_normalize", (shape,), draw.attributes, reference, learned=(draw(st.booleans()),))


# --- arithmetic

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "maximum": "", "minimum": ""}
ARITHMETIC: dict[str, Callable[..., torch.Tensor]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a * b**-1,
    "maximum": lambda a, b: torch.where(a > b, a, b),
    "minimum": lambda a, b: torch.where(a > b, b, a),
}


@case_of(*SIGNS)
def arithmetic(draw: Draw, kind: str) -> Case:
    whole = draw(shapes(1, 4))
    learned = (draw(st.booleans()), draw(st.booleans()))
    operands = [tuple(draw(st.sampled_from([extent, extent, 1])) for extent in whole) for _ in (0, 1)]
    for index in (0, 1):
        # Only a tensor without a batch may have fewer axes than the other.
        if learned[index] and draw(st.booleans()):
            operands[index] = operands[index][draw(st.integers(0, len(whole) - 1)) :]
    forms = [f"{kind}({{0}}, {{1}})"]
    if SIGNS[kind]:
        forms += [f"{{0}} {SIGNS[kind]} {{1}}"]
    return Case(
        kind,
        (operands[0], operands[1]),
        {},
        lambda _, a, b: ARITHMETIC[kind](a, b),
        learned=learned,
        written=draw(st.sampled_from(forms)),
    )


WITH_NUMBER: dict[str, tuple[tuple[str, ...], Callable[..., torch.Tensor]]] = {
    "add_number": (("{0} + {number}", "{number} + {0}"), lambda x, n: x + n),
    "sub_number": (("{0} - {number}",), lambda x, n: x - n),
    "mul_number": (("{0} * {number}", "{number} * {0}"), lambda x, n: x * n),
    "div_number": (("{0} / {number}",), lambda x, n: x / n),
    "number_minus": (("{number} - {0}",), lambda x, n: n - x),
}


@case_of(*WITH_NUMBER)
def with_number(draw: Draw, kind: str) -> Case:
    number = draw.required("number", numbers)
    forms, apply = WITH_NUMBER[kind]
    # The number as a sum: wherever the sign binds more tightly, it needs its parentheses.
    sums = [form.replace("{number}", "({number} + 0.5 - {number})") for form in forms]
    written = draw(st.sampled_from([*forms, *sums, f"{kind}({{0}}, number = {{number}})"]))
    value = number + 0.5 - number if "0.5" in written else number
    return Case(
        kind,
        (draw(shapes(1, 4)),),
        draw.attributes,
        lambda _, x: apply(x, value),
        learned=(draw(st.booleans()),),
        written=written,
    )
