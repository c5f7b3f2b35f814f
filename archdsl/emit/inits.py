"""`init fc1.conv = trunc_normal(0.02)` as statements of a constructor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from archdsl.emit.attributes import Attribute, owned_attributes
from archdsl.emit.wrap import call_lines
from archdsl.graph import Initialisation, Template, find
from archdsl.ops import NORMALISATIONS
from archdsl.scalar import Scalar, is_constant, number_text

MAYBE_BIAS: Final = "bias, perhaps"
"""What a layer owns whose bias an argument decides: blocks with and without one share a class."""


def init_lines(init: Initialisation, template: Template, attributes: Mapping[int, Attribute]) -> list[str]:
    """The statements that set the first values of some weights, and zero their biases.

    `attributes` are those of the nodes of the template.
    """
    arguments = "".join(f", {name}={number_text(value)}" for name, value in init.arguments)
    if init.function == "uniform":
        bound = init.arguments[0][1]
        arguments = f", {number_text(-bound)}, {number_text(bound)}"
    found = [_found(path, template, attributes) for path in init.paths]
    owned = found[0][1]
    if len(found) > 1 and all(names == owned and "weight" in names for _, names in found):
        lines = call_lines("for layer in (", [target for target, _ in found], "):", 8)
        lines.append(f"            nn.init.{init.function}_(layer.weight{arguments})")
        if "bias" in owned:
            lines.append("            nn.init.zeros_(layer.bias)")
        elif MAYBE_BIAS in owned:
            lines.append("            if layer.bias is not None:")
            lines.append("                nn.init.zeros_(layer.bias)")
        return lines
    lines = []
    for target, names in found:
        weight = f"{target}.weight" if "weight" in names else target
        lines.append(f"        nn.init.{init.function}_({weight}{arguments})")
        if "bias" in names:
            lines.append(f"        nn.init.zeros_({target}.bias)")
        elif MAYBE_BIAS in names:
            lines.append(f"        if {target}.bias is not None:")
            lines.append(f"            nn.init.zeros_({target}.bias)")
    return lines


def _found(
    path: tuple[str, ...], template: Template, attributes: Mapping[int, Attribute]
) -> tuple[str, set[str]]:
    """The primitive behind a path of labels: `self.fc1.conv`, and what it owns: weight and bias, or itself."""
    nodes, _ = find(template.nodes, ".".join(path))
    target = "self"
    for node in nodes:
        target += f".{attributes[node.module].text}"
        if node.child is not None:
            template, attributes = node.child, owned_attributes(node.child)
    primitive = nodes[-1]
    assert primitive.op is not None
    if primitive.op.kind in NORMALISATIONS:
        return target, {"weight"}  # its bias begins at zero as it is
    owned = {weight.name for weight in primitive.op.weights(*template.input_types(primitive))}
    bias = getattr(primitive.op, "bias", None)
    if isinstance(bias, Scalar) and not is_constant(bias.term):
        owned = owned - {"bias"} | {MAYBE_BIAS}
    return target, owned
