"""`init fc1.conv = trunc_normal(0.02)`: how weights begin. No part of the graph's hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from archdsl import syntax as s
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.values import Refused, match_arguments
from archdsl.graph import Initialisation, Node, find
from archdsl.ops import NORMALISATIONS
from archdsl.scalar import Scalar, is_constant
from archdsl.source import did_you_mean

# `init ... = trunc_normal(0.02)`: functions of torch.nn.init and one of ours (codegen/support.py.j2), with the
# arguments that they take.
INITIALISERS: Final[dict[str, tuple[str, ...]]] = {
    "trunc_normal": ("std",),
    "normal": ("std",),
    "uniform": ("bound",),
    "xavier_uniform": (),
    "kaiming_normal": (),
    "orthogonal": ("gain",),
    "sinusoid": (),
    "zeros": (),
    "ones": (),
}

_MATRICES: Final = ("xavier_uniform", "kaiming_normal", "orthogonal")


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
    arguments: list[tuple[str, Scalar]] = []
    for wanted in INITIALISERS[name]:
        value = given.get(wanted, (None, None))[0]
        if not isinstance(value, Scalar) or not isinstance(value.value, (int, float)):
            raise Refused("E0402", f"{name} needs the number {wanted!r}", call.span)
        number = float(value.value)
        arguments.append((wanted, Scalar(number, number if is_constant(value.term) else value.term)))
    for path in statement.paths:
        _check_path(path, nodes)
        _check_axes(name, path, nodes)
    paths = tuple(path.parts for path in statement.paths)
    return Initialisation(name, tuple(arguments), paths)


def _check_path(path: s.LabelPath, nodes: Sequence[Node]) -> None:
    text = ".".join(path.parts)
    found, rest = find(nodes, text)
    last = found[-1] if found else None
    if last is not None and last.op is not None:
        owning = ("conv", "linear", "mix_heads", "parameter", "buffer", "bias", *NORMALISATIONS)
        affine = getattr(last.op, "affine", None)
        bare = isinstance(affine, Scalar) and not affine.value
        if rest or bare or not any(op in last.op.kind for op in owning):
            help = "name a convolution, a linear layer, a normalisation or a parameter"
            raise Refused("E0210", f"{text!r} has no weight to initialise", path.span, help)
        return
    inside = nodes if last is None or last.child is None else last.child.nodes
    labels = [node.label for node in inside if node.label]
    if rest:
        help = did_you_mean(rest.partition(".")[0], labels, "labels")
        raise Refused("E0201", f"there is no label {rest!r} here", path.span, help)
    names = [f"{text}.{label}" for label in labels]
    raise Refused("E0210", f"{text!r} is a block", path.span, "name one of " + ", ".join(names))


def _check_axes(name: str, path: s.LabelPath, nodes: Sequence[Node]) -> None:
    """Raise `Refused` where a function wants rows and columns and the tensor has others: torch would, later."""
    op = find(nodes, ".".join(path.parts))[0][-1].op
    extents = getattr(op, "extents", None)
    if op is not None and op.kind in NORMALISATIONS:
        fits, has = name != "sinusoid" and name not in _MATRICES, "1 axis"
    elif extents is None:
        fits, has = name != "sinusoid", "a layer"
    else:
        fits = len(extents) >= 2 if name in _MATRICES else len(extents) == 2 or name != "sinusoid"
        has = f"{len(extents)} axes"
    if not fits:
        what = "a table [positions, dim]" if name == "sinusoid" else "two axes or more"
        raise Refused("E0210", f"{name} takes {what}, {path.parts[-1]!r} has {has}", path.span)
