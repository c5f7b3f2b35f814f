"""`init fc1.conv = trunc_normal(0.02)`: how weights begin. No part of the graph's hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from archdsl import syntax as s
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.values import Refused, match_arguments
from archdsl.graph import Initialisation, Node
from archdsl.scalar import Scalar
from archdsl.source import did_you_mean

# `init ... = trunc_normal(0.02)`: functions of torch.nn.init, with the arguments that they take.
INITIALISERS: Final[dict[str, tuple[str, ...]]] = {
    "trunc_normal": ("std",),
    "normal": ("std",),
    "uniform": ("bound",),
    "xavier_uniform": (),
    "kaiming_normal": (),
    "zeros": (),
    "ones": (),
}


def initialisation(
    statement: s.Init, nodes: Sequence[Node], evaluate: Callable[[tuple[s.Argument, ...]], Args]
) -> Initialisation:
    """What a statement says about the nodes so far; raises `Refused`."""
    call = s.as_call(statement.value) if isinstance(statement.value, s.Name | s.Call) else None
    name = "" if call is None else call.name
    if call is None or name not in INITIALISERS:
        help = did_you_mean(name, INITIALISERS, "initialisers")
        raise Refused("E0210", f"unknown initialiser {name!r}", statement.value.span, help)
    given = match_arguments(name, INITIALISERS[name], evaluate(call.args))
    arguments: list[tuple[str, float]] = []
    for wanted in INITIALISERS[name]:
        value = given.get(wanted, (None, None))[0]
        if not isinstance(value, Scalar) or not isinstance(value.value, (int, float)):
            raise Refused("E0402", f"{name} needs the number {wanted!r}", call.span)
        arguments.append((wanted, float(value.value)))
    for path in statement.paths:
        _check_path(path, nodes)
    paths = tuple(path.parts for path in statement.paths)
    return Initialisation(name, tuple(arguments), paths)


def _check_path(path: s.LabelPath, nodes: Sequence[Node]) -> None:
    rest = ".".join(path.parts)
    while True:
        node = next((n for n in nodes if n.label and (rest + ".").startswith(n.label + ".")), None)
        if node is None:
            known = [n.label for n in nodes if n.label]
            message = f"there is no label {rest!r} here"
            raise Refused("E0201", message, path.span, did_you_mean(rest.partition(".")[0], known, "labels"))
        rest = rest[len(node.label or "") + 1 :]
        if node.op is not None:
            if rest or not any(
                op in node.op.kind for op in ("conv", "linear", "mix_heads", "parameter", "bias")
            ):
                message = f"{'.'.join(path.parts)!r} has no weight to initialise"
                raise Refused("E0210", message, path.span, "name a convolution, a linear layer or a parameter")
            return
        assert node.child is not None
        nodes = node.child.nodes
        if not rest:
            labels = [f"{'.'.join(path.parts)}.{n.label}" for n in nodes if n.label]
            message = f"{'.'.join(path.parts)!r} is a block"
            raise Refused("E0210", message, path.span, "name one of " + ", ".join(labels))
