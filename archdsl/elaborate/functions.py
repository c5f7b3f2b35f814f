"""The functions of the language: of numbers and lists, known when the graph is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from archdsl.elaborate.values import Refused, Value, describe
from archdsl.scalar import Scalar, apply, scalar
from archdsl.source import Span

LONGEST_LIST: Final = 10_000
"""Lists, ranges, loops and stages have at most so many elements."""


class Function(NamedTuple):
    """A function: how it is called, what it gives, and what others must know before it is called."""

    name: str
    usage: str
    value: Callable[[Function, list[Value], Span], Value]
    """What it gives for values that are decided; raises `Refused` for those that it does not take."""
    rounds: bool = False
    """Whether a quotient of whole numbers in it need not be exact."""
    quotient: str | None = None
    """The operation that it is on a quotient of whole numbers, exactly."""
    counts: bool = False
    """Whether numbers or lists decide how many values there are: then no block is made from another."""
    keeps_open: bool = False
    """Whether it asks nothing of the elements of a list: choices in them stay open."""


def _numbers(function: Function, values: list[Value], span: Span) -> list[Scalar]:
    """The values, which must be numbers, at least one of them."""
    numbers: list[Scalar] = []
    for value in values:
        plain = isinstance(value, Scalar) and isinstance(value.value, (int, float))
        if not plain or isinstance(value.value, bool):  # type: ignore[union-attr]
            raise Refused("E0403", f"{function.name} takes numbers, got {describe(value)}", span)
        numbers.append(value)  # type: ignore[arg-type]
    if not numbers:
        raise Refused("E0402", f"{function.name} needs a number", span)
    return numbers


def _whole(function: Function, value: Value, span: Span) -> int:
    number = value.value if isinstance(value, Scalar) else None
    if isinstance(number, bool) or not isinstance(number, int):
        raise Refused("E0403", f"{function.name} takes a whole number, got {describe(value)}", span)
    return number


def _not_these(function: Function, span: Span) -> Refused:
    return Refused("E0404", f"{function.name} does not take these", span, function.usage)


def _of_one(function: Function, values: list[Value], span: Span) -> Value:
    numbers = _numbers(function, values, span)
    if len(numbers) != 1:
        raise Refused("E0404", f"{function.name} takes one number, got {len(numbers)}", span)
    return apply(function.name, numbers[0])


def _of_all(function: Function, values: list[Value], span: Span) -> Value:
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    numbers = _numbers(function, values, span)
    return apply(function.name, *numbers) if len(numbers) > 1 or function.name == "sum" else numbers[0]


def _make_divisible(function: Function, values: list[Value], span: Span) -> Value:
    numbers = _numbers(function, values, span)
    if len(numbers) != 2:
        raise _not_these(function, span)
    divisor = numbers[1].value
    if not isinstance(divisor, int) or divisor < 1:
        raise Refused("E0403", f"a divisor is a whole number from 1, got {describe(numbers[1])}", span)
    return apply(function.name, *numbers)


def _length(function: Function, values: list[Value], span: Span) -> Value:
    match values:
        case [list(items)]:
            return scalar(len(items))
    raise _not_these(function, span)


def _end(function: Function, values: list[Value], span: Span) -> Value:
    match values:
        case [list(items), count]:
            n = _whole(function, count, span)
            if not 0 <= n <= len(items):
                taken = f"0 to {len(items)} of a list of {len(items)}"
                raise Refused("E0407", f"{function.name} takes {taken}, got {describe(count)}", span)
            return items[:n] if function.name == "first" else items[len(items) - n :]
    raise _not_these(function, span)


def _range(function: Function, values: list[Value], span: Span) -> Value:
    if not 1 <= len(values) <= 2:
        raise _not_these(function, span)
    numbers = range(*[_whole(function, bound, span) for bound in values])
    if len(numbers) > LONGEST_LIST:
        message = f"this range has {len(numbers):,} elements (limit {LONGEST_LIST:,})"
        raise Refused("E0602", message, span)
    return [scalar(number) for number in numbers]


def _divisible(function: Function, values: list[Value], span: Span) -> Value:
    match values:
        case [Scalar() as number, Scalar() as divisor]:
            _whole(function, number, span)
            _whole(function, divisor, span)
            return apply("==", apply("%", number, divisor), scalar(0))
    raise _not_these(function, span)


FUNCTIONS: Final = {
    function.name: function
    for function in (
        Function("ceil", "ceil(number)", _of_one, rounds=True, quotient="ceildiv"),
        Function("floor", "floor(number)", _of_one, rounds=True, quotient="//"),
        Function("int", "int(number)", _of_one, rounds=True),
        Function("round", "round(number)", _of_one, rounds=True),
        Function("abs", "abs(number)", _of_one),
        Function("min", "min(number, ...) or min(list)", _of_all),
        Function("max", "max(number, ...) or max(list)", _of_all),
        Function("sum", "sum(number, ...) or sum(list)", _of_all, counts=True),
        Function("len", "len(list)", _length, counts=True, keeps_open=True),
        Function("range", "range(count) or range(start, end)", _range, counts=True),
        Function("first", "first(list, count)", _end, counts=True, keeps_open=True),
        Function("last", "last(list, count)", _end, counts=True, keeps_open=True),
        Function("divisible", "divisible(number, divisor)", _divisible),
        Function("make_divisible", "make_divisible(number, divisor)", _make_divisible, rounds=True),
    )
}
