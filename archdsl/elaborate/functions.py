"""The functions of the language: of numbers and lists, known when the graph is made."""

from __future__ import annotations

from typing import Final

from archdsl.elaborate.values import Refused, Value, describe
from archdsl.scalar import Scalar, apply, scalar
from archdsl.source import Span

LONGEST_LIST: Final = 10_000
"""Lists, ranges, loops and stages have at most so many elements."""

FUNCTIONS: Final = (
    "ceil", "floor", "int", "round", "abs", "min", "max", "sum", "len", "range", "first", "last",
    "divisible", "make_divisible",
)  # fmt: skip


def function_value(name: str, values: list[Value], span: Span) -> Value:
    """What a function gives for values that are decided; raises `Refused` for those that it does not take."""
    if name in ("first", "last", "len", "range", "divisible"):
        return _list_function(name, values, span)
    if name in ("min", "max", "sum") and len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    numbers: list[Scalar] = []
    for value in values:
        plain = isinstance(value, Scalar) and isinstance(value.value, (int, float))
        if not plain or isinstance(value.value, bool):  # type: ignore[union-attr]
            raise Refused("E0403", f"{name} takes numbers, got {describe(value)}", span)
        numbers.append(value)  # type: ignore[arg-type]
    if not numbers:
        raise Refused("E0402", f"{name} needs a number", span)
    if name in ("min", "max", "sum"):
        return apply(name, *numbers) if len(numbers) > 1 or name == "sum" else numbers[0]
    if name == "make_divisible":
        if len(numbers) != 2:
            raise Refused("E0404", f"{name} does not take these", span, "make_divisible(number, divisor)")
        divisor = numbers[1].value
        if not isinstance(divisor, int) or divisor < 1:
            raise Refused("E0403", f"a divisor is a whole number from 1, got {describe(numbers[1])}", span)
        return apply(name, *numbers)
    if len(numbers) != 1:
        raise Refused("E0404", f"{name} takes one number, got {len(numbers)}", span)
    return apply(name, numbers[0])


def _list_function(name: str, values: list[Value], span: Span) -> Value:
    def whole(value: Value) -> int:
        number = value.value if isinstance(value, Scalar) else None
        if isinstance(number, bool) or not isinstance(number, int):
            raise Refused("E0403", f"{name} takes a whole number, got {describe(value)}", span)
        return number

    match name, values:
        case "len", [list(items)]:
            return scalar(len(items))
        case (("first" | "last"), [list(items), count]):
            n = whole(count)
            if not 0 <= n <= len(items):
                message = f"{name} takes 0 to {len(items)} of a list of {len(items)}, got {describe(count)}"
                raise Refused("E0407", message, span)
            return items[:n] if name == "first" else items[len(items) - n :]
        case "range", [*bounds] if 1 <= len(bounds) <= 2:
            numbers = range(*[whole(bound) for bound in bounds])
            if len(numbers) > LONGEST_LIST:
                message = f"this range has {len(numbers):,} elements (limit {LONGEST_LIST:,})"
                raise Refused("E0602", message, span)
            return [scalar(number) for number in numbers]
        case "divisible", [Scalar() as a, Scalar() as b]:
            whole(a), whole(b)
            return apply("==", apply("%", a, b), scalar(0))
    usage = {
        "len": "len(list)",
        "first": "first(list, count)",
        "last": "last(list, count)",
        "range": "range(count) or range(start, end)",
        "divisible": "divisible(number, divisor)",
    }
    raise Refused("E0404", f"{name} does not take these", span, usage[name])
