"""`init fc1.conv = trunc_normal(0.02)` as statements of a constructor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from archdsl.emit.attributes import Attribute, owned_attributes
from archdsl.emit.wrap import call_lines
from archdsl.graph import Initialisation, Template, find
from archdsl.ops import NORMALISATIONS
from archdsl.scalar import ATOM, Scalar, is_constant, number_text, python_code

MAYBE_BIAS: Final = "bias, perhaps"
"""What a layer owns whose bias an argument decides: blocks with and without one share a class."""
_OF_LAYERS: Final = {"weight", "bias", MAYBE_BIAS}


class Inits:
    """The statements that set the first values of weights, and zero their biases.

    `attributes` are those of the nodes of the template. `names` are those of the block that the statements
    use; with `by_value` they use none.
    """

    def __init__(self, template: Template, attributes: Mapping[int, Attribute], by_value: bool = False) -> None:
        self.template = template
        self.attributes = attributes
        self.by_value = by_value
        self.names: set[str] = set()
        self.lines = [line for init in template.inits for line in self._lines(init)]

    def _bare(self, name: str) -> str:
        self.names.add(name)
        return name

    def _number(self, pair: Scalar, sign: str = "") -> str:
        if self.by_value or is_constant(pair.term):
            return number_text(-float(pair.value) if sign else float(pair.value))  # type: ignore[arg-type]
        text, level = python_code(pair.term, self._bare)
        return f"{sign}{text}" if level == ATOM or not sign else f"-({text})"

    def _call(self, init: Initialisation, target: str) -> str:
        texts = [f"{name}={self._number(pair)}" for name, pair in init.arguments]
        if init.function == "uniform":
            bound = init.arguments[0][1]
            texts = [self._number(bound, "-"), self._number(bound)]
        owner = "" if init.function == "sinusoid" else "nn.init."
        return f"{owner}{init.function}_({', '.join([target, *texts])})"

    def _lines(self, init: Initialisation) -> list[str]:
        found = [_found(path, self.template, self.attributes) for path in init.paths]
        owned = set().union(*(names for _, names in found))
        if len(found) > 1 and owned <= _OF_LAYERS and all("weight" in names for _, names in found):
            lines = call_lines("for layer in (", [target for target, _ in found], "):", 8)
            lines.append(f"            {self._call(init, 'layer.weight')}")
            if all("bias" in names for _, names in found):
                lines.append("            nn.init.zeros_(layer.bias)")
            elif len(owned) > 1:
                lines.append("            if layer.bias is not None:")
                lines.append("                nn.init.zeros_(layer.bias)")
            return lines
        lines = []
        for target, names in found:
            weight = f"{target}.weight" if "weight" in names else target
            lines.append(f"        {self._call(init, weight)}")
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
