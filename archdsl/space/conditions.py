"""`subject to params(core) <= 3.7M and macs(core) <= 0.4G`: what networks of a space must keep to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Final

from archdsl import syntax as s
from archdsl.cost import CONVENTIONS, Costs
from archdsl.cost.memory import BYTES, memory
from archdsl.graph import Graph
from archdsl.record import Record
from archdsl.source import ArchError, Diagnostic, Span, did_you_mean

COUNT_UNITS: Final = {"k": 10**3, "M": 10**6, "G": 10**9}
BYTE_UNITS: Final = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
TIME_UNITS: Final = {"us": Fraction(1, 10**6), "ms": Fraction(1, 10**3), "s": Fraction(1)}

METRICS: Final = {
    "params": ("a convention", CONVENTIONS, COUNT_UNITS),
    "macs": ("a convention", CONVENTIONS, COUNT_UNITS),
    "weight_bytes": ("a type", tuple(BYTES), BYTE_UNITS),
    "peak_activation_bytes": ("a type", tuple(BYTES), BYTE_UNITS),
}
"""What each metric is named with, and the units of its limits."""

_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_COMPARED: Final[dict[str, Callable[[int, Fraction], bool]]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
}


class Condition(Record):
    """One comparison: `metric(of) op limit`, with the limit as an exact number."""

    metric: str
    of: str
    op: str
    limit: Fraction
    text: str
    span: Span

    def holds(self, value: int) -> bool:
        """Whether a figure keeps to it."""
        return _COMPARED[self.op](value, self.limit)


class _Wrong(Exception):
    def __init__(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.diagnostic = Diagnostic(code, message, span, help)


def conditions(network: s.Network) -> tuple[Condition, ...]:
    """All conditions of a network; raises `ArchError` with those that can't be read."""
    found: list[Condition] = []
    mistakes: list[Diagnostic] = []
    for statement in network.body:
        if isinstance(statement, s.SubjectTo):
            for part in _joined(statement.condition):
                try:
                    found.append(_condition(part))
                except _Wrong as wrong:
                    mistakes.append(wrong.diagnostic)
    if mistakes:
        raise ArchError(mistakes)
    return tuple(found)


def _joined(expr: s.Expr) -> Iterator[s.Expr]:
    """The comparisons of `a and b and c`."""
    if isinstance(expr, s.Paren) and len(expr.items) == 1:
        yield from _joined(expr.items[0])
    elif isinstance(expr, s.Binary) and expr.op == "and":
        yield from _joined(expr.left)
        yield from _joined(expr.right)
    else:
        yield expr


def _condition(expr: s.Expr) -> Condition:
    if not isinstance(expr, s.Binary) or expr.op not in _MIRRORED:
        message = "a condition compares a metric with a limit; several are joined by 'and'"
        raise _Wrong("E0225", message, expr.span, "params(core) <= 3.7M and macs(core) <= 0.4G")
    left, op, right = expr.left, expr.op, expr.right
    if isinstance(right, s.Call) or (isinstance(right, s.Name) and not isinstance(left, s.Call)):
        left, op, right = right, _MIRRORED[op], left
    metric, of = _metric(left)
    if metric == "latency":
        message = f"there is no latency table {of!a}"
        raise _Wrong("E0226", message, left.span, "latency tables are not part of this version")
    limit, written = _limit(right, metric)
    return Condition(metric, of, op, limit, f"{metric}({of}) {op} {written}", expr.span)


def _metric(expr: s.Expr) -> tuple[str, str]:
    known = [*METRICS, "latency"]
    if not isinstance(expr, s.Name | s.Call):
        raise _Wrong("E0225", "a metric is needed", expr.span, "metrics: " + ", ".join(known))
    call = s.as_call(expr)
    name, args = call.name, call.args
    if name not in known:
        raise _Wrong("E0225", f"unknown metric {name!r}", expr.span, did_you_mean(name, known, "metrics"))
    what, choices, _ = METRICS.get(name, ("a device", (), {}))
    if len(args) != 1 or args[0].name is not None or not isinstance(args[0].value, s.Name):
        example = choices[0] if choices else "iphone12"
        message = f"{name} is named with {what}: figures without it mean nothing"
        raise _Wrong("E0225", message, expr.span, f"write {name}({example})")
    of = args[0].value.id
    if choices and of not in choices:
        help = did_you_mean(of, choices, "known")
        raise _Wrong("E0225", f"{of!r} is not {what} of {name}", args[0].span, help)
    return name, of


def _limit(expr: s.Expr, metric: str) -> tuple[Fraction, str]:
    units = METRICS[metric][2]
    if isinstance(expr, s.Num):
        return Fraction(str(expr.value)), f"{expr.value:,}"
    if not isinstance(expr, s.Quantity):
        message = "a limit is a number, with a unit if you like"
        raise _Wrong("E0225", message, expr.span, f"units of {metric}: {', '.join(units)}")
    if expr.unit not in units:
        message = f"{expr.unit!r} is no unit of {metric}"
        raise _Wrong("E0225", message, expr.span, f"units of {metric}: {', '.join(units)}")
    return Fraction(expr.number) * units[expr.unit], f"{expr.number}{expr.unit}"


def figure(graph: Graph, condition: Condition) -> int:
    """What a network's figure is for a condition."""
    match condition.metric:
        case "params":
            return Costs(graph, condition.of).network.params  # type: ignore[arg-type]
        case "macs":
            return Costs(graph, condition.of).network.total_macs  # type: ignore[arg-type]
        case "weight_bytes":
            return Costs(graph).network.params * BYTES[condition.of]  # type: ignore[index]
    return memory(graph, Costs(graph).network, condition.of).peak  # type: ignore[arg-type]


def broken(graph: Graph, wanted: Sequence[Condition]) -> list[Diagnostic]:
    """The conditions that a network does not keep to."""
    result = []
    for condition in wanted:
        value = figure(graph, condition)
        if not condition.holds(value):
            what = f"{condition.metric}({condition.of})"
            message = f"{graph.name} is subject to {condition.text}; its {what} is {value:,}"
            result.append(
                Diagnostic("E0228", message, condition.span, "decide otherwise, or change the condition")
            )
    return result
