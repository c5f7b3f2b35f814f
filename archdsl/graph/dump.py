"""Templates as text: what `archdsl show` prints."""

from __future__ import annotations

from archdsl.graph.templates import Template
from archdsl.ops import Op, TensorType
from archdsl.scalar import Scalar, human_text


def _sized(type_: TensorType) -> str:
    terms = "[" + ", ".join(human_text(extent.term) for extent in type_.shape) + "]"
    values = "[" + ", ".join(str(value) for value in type_.values) + "]"
    text = terms if terms == values else f"{terms} = {values}"
    return text if type_.batched else f"{text} without batch"


def _named(name: str, pair: Scalar) -> str:
    text = human_text(pair.term)
    return f"{name} = {pair.value}" if text in (name, str(pair.value)) else f"{name} = {text} = {pair.value}"


def template_lines(template: Template) -> list[str]:
    """A template as text for people and golden tests: one line a node, terms beside values."""
    arguments = [f"{argument.name} = {argument.value}" for argument in template.arguments]
    given = [f"{name} = {value}" for name, value in template.extents]
    lines = [f"block {template.block}({', '.join(given)}; {', '.join(arguments)})"]
    for decision in template.decisions:
        lines.append(f"  decided {decision.condition}: {'yes' if decision.outcome else 'no'}")
    for name, value in template.inputs:
        lines.append(f"  %{value} = input {name}: {_sized(template.types[value])}")
    for name, pair in template.lets:
        lines.append(f"  let {_named(name, pair)}")
    for index, node in enumerate(template.nodes):
        outputs = ", ".join(f"%{value}" for value in node.outputs)
        inputs = ", ".join(f"%{value}" for value in node.inputs)
        label = f"{node.label}: " if node.label else ""
        if node.module != index:
            label = f"{template.nodes[node.module].label} again: "
        if node.op is not None:
            details = _op_details(node.op)
        else:
            usual = {argument.name: argument.default for argument in node.child.arguments}  # type: ignore[union-attr]
            details = ", ".join(
                _named(name, pair) for name, pair in node.binds if usual.get(name, pair) != pair
            )
        types = ", ".join(_sized(template.types[value]) for value in node.outputs)
        call = f"{node.kind}({'; '.join(part for part in (inputs, details) if part)})"
        variable = template.names.get(node.outputs[0])
        lines.append(f"  {outputs} = {label}{call}: {types}" + (f"  # {variable}" if variable else ""))
    for init in template.inits:
        paths = ", ".join(".".join(path) for path in init.paths)
        lines.append(f"  init {paths} = {init.function}")
    outputs = ", ".join(f"%{value}" for value in template.outputs)
    if template.training_outputs is not None:
        train = ", ".join(f"%{value}" for value in template.training_outputs)
        lines.append(f"  output train = ({train}), eval = {outputs}")
    else:
        lines.append(f"  return {outputs}")
    return lines


def _op_details(op: Op) -> str:
    """The attributes that differ from their defaults, and the sizes that a rearrangement is given."""
    parts = []
    for name in op._fields:
        value = getattr(op, name)
        if name == "_sizes":
            parts += [_named(axis, size) for axis, size in value]
        elif isinstance(value, Scalar) and value != getattr(type(op), name, ...):
            parts.append(_named(name, value))
        elif value != getattr(type(op), name, ...):
            parts.append(f"{name} = {_attribute(value)}")
    return ", ".join(parts)


def _attribute(value: object) -> str:
    if isinstance(value, Scalar):
        text = human_text(value.term)
        return text if text == str(value.value) else f"{text} = {value.value}"
    if isinstance(value, tuple):
        parts = [_attribute(item) for item in value]
        return parts[0] if len(parts) == 2 and parts[0] == parts[1] else f"[{', '.join(parts)}]"
    return repr(value) if isinstance(value, str) else str(value)
