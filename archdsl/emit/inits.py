"""`init fc1.conv = trunc_normal(0.02)` as statements of a constructor."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Final

from archdsl.emit.attributes import Attribute, owned_attributes
from archdsl.emit.wrap import call_lines
from archdsl.graph import Initialisation, Template, find
from archdsl.ops import NORMALISATIONS
from archdsl.scalar import ATOM, Scalar, is_constant, number_text, python_code

MAYBE_BIAS: Final = "bias, perhaps"
"""What a layer owns whose bias an argument decides: blocks with and without one share a class."""


class Inits:
    """The statements that set the first values of weights, and zero their biases.

    `attributes` are those of the nodes of the template, `optional` the entries of a network that are left out
    where there are no classes. `names` are those of the block that the statements use.
    """

    def __init__(
        self, template: Template, attributes: Mapping[int, Attribute], optional: Container[int] = ()
    ) -> None:
        self.template = template
        self.attributes = attributes
        self.optional = optional
        self.names: set[str] = set()
        self.lines = [line for init in _joined(template.inits) for line in self._lines(init)]

    def _bare(self, name: str) -> str:
        self.names.add(name)
        return name

    def _number(self, pair: Scalar, sign: str = "") -> str:
        if is_constant(pair.term):
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
        always = [path for path in init.paths if not self._is_optional(path)]
        lines = self._statements(init, always) if always else []
        if len(always) < len(init.paths):
            rest = [path for path in init.paths if path not in always]
            lines += ["        if num_classes:", *(f"    {line}" for line in self._statements(init, rest))]
        return lines

    def _is_optional(self, path: tuple[str, ...]) -> bool:
        entry = find(self.template.nodes, ".".join(path))[0][0]
        return entry.module in self.optional

    def _statements(self, init: Initialisation, paths: Sequence[tuple[str, ...]]) -> list[str]:
        found = [_found(path, self.template, self.attributes) for path in paths]
        layers = [(target, names) for target, names in found if "weight" in names]
        if len(layers) > 1:
            lines = call_lines("for layer in (", [target for target, _ in layers], "):", 8)
            lines += self._layer_lines(init, "layer", _shared([names for _, names in layers]), "    ")
        else:
            lines = [line for target, names in layers for line in self._layer_lines(init, target, names)]
        tensors = [target for target, names in found if "weight" not in names]
        return lines + [f"        {self._call(init, target)}" for target in tensors]

    def _layer_lines(self, init: Initialisation, layer: str, names: set[str], deeper: str = "") -> list[str]:
        lines = [self._call(init, f"{layer}.weight")]
        if "bias" in names:
            lines.append(f"nn.init.zeros_({layer}.bias)")
        elif MAYBE_BIAS in names:
            lines += [f"if {layer}.bias is not None:", f"    nn.init.zeros_({layer}.bias)"]
        return [f"        {deeper}{line}" for line in lines]


def _joined(inits: Sequence[Initialisation]) -> list[Initialisation]:
    """Statements that say the same, one after the other, are one, of all their paths."""
    result: list[Initialisation] = []
    for init in inits:
        if result and (result[-1].function, result[-1].arguments) == (init.function, init.arguments):
            init = Initialisation(init.function, init.arguments, (*result.pop().paths, *init.paths))
        result.append(init)
    return result


def _shared(owned: Sequence[set[str]]) -> set[str]:
    """What each of several layers owns: perhaps a bias, where not all have one and not all have none."""
    biases = [names - {"weight"} for names in owned]
    return biases[0] if all(found == biases[0] for found in biases) else {MAYBE_BIAS}


def _found(
    path: tuple[str, ...], template: Template, attributes: Mapping[int, Attribute]
) -> tuple[str, set[str]]:
    """The primitive behind a path of labels: `self.fc1.conv`, and what it owns: weight and bias.

    What has no bias in any form is its tensor: `self.bias.weight`, `self.position`.
    """
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
    if "weight" in owned and "bias" not in owned and bias is None:
        return f"{target}.weight", set()
    if isinstance(bias, Scalar) and not is_constant(bias.term):
        owned = owned - {"bias"} | {MAYBE_BIAS}
    return target, owned
