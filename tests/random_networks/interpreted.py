"""A network's values, primitive by primitive: what the graph says, with nothing of how classes are written.

Every primitive is made and called by its own text, with numbers in place of names and one variable a tensor. So
what generated classes add is compared by values: which templates share a class, expressions inside of
expressions, branches, the wiring of stages and methods.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from archdsl.emit import support_classes
from archdsl.graph import Graph, Node, Template
from archdsl.ops import Code, Spelling

if TYPE_CHECKING:
    import torch
    from torch import nn


def interpreted(graph: Graph, module: nn.Module, images: list[torch.Tensor]) -> torch.Tensor:
    """What the network gives in evaluation, with the weights of a module that was built from it."""
    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    (result,) = _run(graph.template, "", images, state, _names())
    return result


def _run(
    template: Template, prefix: str, inputs: list[Any], state: dict[str, Any], space: dict[str, Any]
) -> list[Any]:
    values = {value: given for (_, value), given in zip(template.inputs, inputs, strict=True)}
    for node in template.nodes:
        given = [values[value] for value in node.inputs]
        path = prefix + (node.label or "")
        if node.child is not None:
            made = _run(node.child, f"{path}." if node.label else prefix, given, state, space)
        else:
            made = _called(template, node, path, given, state, space)
        values.update(zip(node.outputs, made, strict=True))
    return [values[value] for value in template.outputs]


def _called(
    template: Template, node: Node, path: str, given: list[Any], state: dict[str, Any], space: dict[str, Any]
) -> list[Any]:
    """One primitive, made and called by its own text."""
    import torch

    op, types = node.op, template.input_types(node)
    assert op is not None

    def number(name: str) -> str:
        text = repr(template.values[name])
        return f"({text})" if text.startswith("-") else text

    write = Spelling(number)
    constructor = op.constructor(write, *types)
    names: dict[str, Any] = {f"v{place}": value for place, value in enumerate(given)}
    if constructor is not None:
        arguments = [*constructor.args, *(f"{name}={value}" for name, value in constructor.keywords)]
        made = eval(f"{constructor.name}({', '.join(arguments)})", space)
        with torch.no_grad():
            for weight in op.weights(*types):
                target = getattr(made, weight.name) if weight.name else made
                target.copy_(state[f"{path}.{weight.name}" if weight.name else path])
        names["made"] = made.eval() if isinstance(made, torch.nn.Module) else made
    code = op.call(write, "made", *[Code(f"v{place}") for place in range(len(given))], types=types)
    result = eval(code.text, space, names)
    return list(result) if len(node.outputs) > 1 else [result]


def _names() -> dict[str, Any]:
    """What generated files import, and the classes that they carry."""
    import math

    import torch
    import torch.nn.functional
    from torch import Tensor, nn

    space: dict[str, Any] = {
        "torch": torch, "nn": nn, "F": torch.nn.functional, "math": math, "Tensor": Tensor, "rates": [0.0] * 64,
        "drop_path": 0.0, "rate": 0.0, "self": SimpleNamespace(training=False), "register_buffer": torch.clone,
    }  # fmt: skip
    for text in support_classes().values():
        exec(text, space)
    return space
