"""`init fc1.conv = trunc_normal(0.02)`: how weights begin. No part of the graph's hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from archdsl import syntax as s
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.values import Refused, describe, match_arguments
from archdsl.graph import Initialisation, Node, find
from archdsl.ops import NORMALISATIONS, Op
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
    "sinusoid": ("first", "step"),
    "zeros": (),
    "ones": (),
}

DEFAULTS: Final[dict[str, dict[str, float]]] = {"sinusoid": {"first": 0.0, "step": 1.0}}
"""Arguments that need not be given: a sinusoid's positions are 0, 1, 2 and so on."""

_FIXED: Final = ("sinusoid", "zeros", "ones")
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
        if value is None and wanted in DEFAULTS.get(name, {}):
            continue
        if not isinstance(value, Scalar) or not isinstance(value.value, (int, float)):
            raise Refused("E0402", f"{name} needs the number {wanted!r}", call.span)
        number = float(value.value)
        if (number < 0 and wanted != "gain") or (number == 0 and name == "trunc_normal"):
            least = "above 0" if name == "trunc_normal" else "at least 0"
            message = f"{wanted!r} of {name} can't be {describe(value)}: it must be {least}"
            raise Refused("E0403", message, call.span)
        arguments.append((wanted, Scalar(number, number if is_constant(value.term) else value.term)))
    for path in statement.paths:
        op = _primitive(path, nodes)
        _check_axes(name, path, op)
        _check_stored(name, path, op)
    paths = tuple(path.parts for path in statement.paths)
    return Initialisation(name, tuple(arguments), paths)


def _primitive(path: s.LabelPath, nodes: Sequence[Node]) -> Op:
    """The primitive that a path leads to; raises `Refused` where it has no weight to initialise."""
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
        return last.op
    inside = nodes if last is None or last.child is None else last.child.nodes
    labels = [node.label for node in inside if node.label]
    if rest:
        help = did_you_mean(rest.partition(".")[0], labels, "labels")
        raise Refused("E0201", f"there is no label {rest!r} here", path.span, help)
    names = [f"{text}.{label}" for label in labels]
    raise Refused("E0210", f"{text!r} is a block", path.span, "name one of " + ", ".join(names))


def _check_axes(name: str, path: s.LabelPath, op: Op) -> None:
    """Raise `Refused` where a function wants rows and columns and the tensor has others: torch would, later."""
    extents = getattr(op, "extents", None)
    if op.kind in NORMALISATIONS:
        fits, has = name != "sinusoid" and name not in _MATRICES, "1 axis"
    elif extents is None:
        fits, has = name != "sinusoid", "a layer"
    else:
        fits = len(extents) >= 2 if name in _MATRICES else len(extents) == 2 or name != "sinusoid"
        has = f"{len(extents)} axes"
    if not fits:
        what = "a table [positions, dim]" if name == "sinusoid" else "two axes or more"
        raise Refused("E0210", f"{name} takes {what}, {path.parts[-1]!r} has {has}", path.span)


def _check_stored(name: str, path: s.LabelPath, op: Op) -> None:
    """Raise `Refused` where a tensor would hold other numbers after its module was saved and loaded."""
    stored = getattr(op, "stored", None)
    if isinstance(stored, Scalar) and not stored.value and name not in _FIXED:
        message = f"{path.parts[-1]!r} is not stored, and {name} is random: no two modules would be alike"
        raise Refused("E0210", message, path.span, "store it, or begin with sinusoid, zeros or ones")
