"""Numbers that remember how they were written: size arithmetic over (value, term).

Elaboration never works with a bare number. `hidden = int(dim * expansion)` is the pair of the value
384 and the term `int(dim * expansion)`, in the names of the block that says it. Costs read the
values; generated source, and the polynomials of a space, read the terms.

Numbers are Python's: integers are exact, a number with a point is a double, so that the document and
the source that is generated from it can't disagree (`int(120 * 2.05)` is 245 in both).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

Constant: TypeAlias = int | float | bool | None
LARGEST: Final = 2**63 - 1
"""Integers beyond this are refused, at every step of an expression."""


class Var(NamedTuple):
    """A name of the block: an extent, an argument or a scalar let."""

    name: str


class Apply(NamedTuple):
    """An operation on terms; `op` is a key of `OPERATIONS`."""

    op: str
    args: tuple[Term, ...]


Term: TypeAlias = int | float | bool | Var | Apply | None


class ScalarError(Exception):
    """Arithmetic that has no result: division by zero, a number out of bounds, an inexact extent."""


class Scalar(NamedTuple):
    """A value and the term that gave it."""

    value: Constant
    term: Term

    def __add__(self, other: object) -> Scalar:
        return apply("+", self, scalar(other))

    def __sub__(self, other: object) -> Scalar:
        return apply("-", self, scalar(other))

    def __mul__(self, other: object) -> Scalar:
        return apply("*", self, scalar(other))

    def __floordiv__(self, other: object) -> Scalar:
        return apply("//", self, scalar(other))

    @property
    def int(self) -> int:
        """The value, known to be a whole number."""
        assert isinstance(self.value, int), self
        return self.value


def scalar(value: Scalar | Constant | object) -> Scalar:
    """A constant as a pair; a pair as it is."""
    if isinstance(value, Scalar):
        return value
    assert value is None or isinstance(value, (int, float)), value
    return Scalar(value, value)


def variable(name: str, value: Constant) -> Scalar:
    """A name that has a value."""
    return Scalar(value, Var(name))


def is_constant(term: Term) -> bool:
    """Whether the term names nothing. Primitives may branch on this, never on a value."""
    return not isinstance(term, tuple)


ONE: Final = Scalar(1, 1)


def ceil_div(a: Scalar, b: Scalar) -> Scalar:
    """`ceil(a / b)` of whole numbers, exactly."""
    return apply("ceildiv", a, b)


def _power(a: float, b: float) -> float:
    if isinstance(a, int) and isinstance(b, int) and b >= 0:
        if abs(a) > 1 and b * abs(a).bit_length() > 128:
            raise ScalarError(f"{a} ** {b} is too large")
        return int(a**b)
    if a <= 0:
        raise ScalarError(f"{a} ** {b} is not a number here: the base must be positive")
    return float(a**b)


def make_divisible(value: float, divisor: int) -> int:
    """The multiple of a divisor that is nearest to a number, and at most a tenth below it.

    The rule for channels of MobileNetV2 and most of what came after it; a half rounds up.
    """
    result = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return result if result >= 0.9 * value else result + divisor


OPERATIONS: Final[Mapping[str, Callable[..., float | bool]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": _power,
    "ceildiv": lambda a, b: -(-a // b),
    "neg": lambda a: -a,
    "int": int,
    "float": float,
    "round": round,
    "ceil": math.ceil,
    "floor": math.floor,
    "abs": abs,
    "make_divisible": make_divisible,
    "min": min,
    "max": max,
    "sum": lambda *values: sum(values),
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
    "is_none": lambda a: a is None,
}


def compute(op: str, values: Sequence[Constant]) -> Constant:
    """One step of arithmetic; raises `ScalarError` with a reason that a user can read."""
    try:
        result = OPERATIONS[op](*values)
    except ZeroDivisionError:
        raise ScalarError("division by zero") from None
    except (OverflowError, ValueError):
        raise ScalarError(f"the result of {op!r} is not a number") from None
    if isinstance(result, float):
        if not math.isfinite(result):
            raise ScalarError(f"the result of {op!r} is not finite")
    elif abs(result) > LARGEST:
        raise ScalarError(f"the result of {op!r} is larger than 2 ** 63")
    return result


def apply(op: str, *operands: Scalar) -> Scalar:
    """An operation on pairs, with the value computed and the term kept.

    The term is simplified where a person would not write it: constants are folded, `x + 0`, `x * 1`,
    `x // 1` are `x`, and `ceil(ceil(x / 2) / 2)` is `ceil(x / 4)`. Simplification looks at terms
    alone, never at values: two instances of a block that differ in numbers keep equal terms.
    """
    if len(operands) == 2:
        (left, left_term), (right, right_term) = operands
        values: tuple[Constant, ...] = (left, right)
        terms: tuple[Term, ...] = (left_term, right_term)
    else:
        values = tuple([operand[0] for operand in operands])
        terms = tuple([operand[1] for operand in operands])
    value = compute(op, values)
    for term in terms:
        if isinstance(term, tuple):
            break
    else:
        return Scalar(value, value)
    # What holds of whole numbers alone: 2.5 // 1 is not 2.5.
    if op == "//" and not all(isinstance(operand, int) for operand in values):
        return Scalar(value, Apply(op, terms))
    return Scalar(value, _simplified(op, terms))


# x op n is x; and n op x is x where the operation commutes.
_NEUTRAL: Final = {"+": 0, "-": 0, "*": 1, "//": 1, "ceildiv": 1, "**": 1}


def _simplified(op: str, args: tuple[Term, ...]) -> Term:
    neutral = _NEUTRAL.get(op)
    if neutral is None or len(args) != 2:
        return Apply(op, args)
    left, right = args
    if right == neutral and not isinstance(right, float):
        return left
    if left == neutral and not isinstance(left, float) and op in "+*":
        return right
    if op == "+" and isinstance(right, tuple):
        rest, count = _like_term(left, right)
        if count:
            many = Apply("*", (count + 1, right))
            return many if rest is None else Apply("+", (rest, many))
    if isinstance(left, Apply):
        if op in "+-" and left.op in ("+", "-") and _are_whole(right, left.args[1]):
            return _shifted(left.args[0], _signed(left.op, left.args[1]) + _signed(op, right))
        if op == "ceildiv" and left.op == "ceildiv" and is_constant(right):
            inner, divisor = left.args
            if isinstance(divisor, int) and isinstance(right, int) and right > 0:
                return Apply("ceildiv", (inner, divisor * right))
        if op == "//" and left.op == "*" and left.args[1] == right and isinstance(right, tuple):
            return left.args[0]
    return Apply(op, args)


def _like_term(total: Term, term: Term) -> tuple[Term | None, int]:
    """What is left of a sum that ends in so many of a term: `c + 2 * g` and g give (c, 2)."""
    if total == term:
        return None, 1
    if isinstance(total, Apply):
        if total.op == "*" and total.args[1] == term and _are_whole(total.args[0]):
            return None, _signed("+", total.args[0])
        if total.op == "+":
            rest, count = _like_term(total.args[1], term)
            if count and rest is None:
                return total.args[0], count
    return total, 0


def _are_whole(*terms: Term) -> bool:
    return all(isinstance(term, int) and not isinstance(term, bool) for term in terms)


def _signed(op: str, term: Term) -> int:
    assert isinstance(term, int)
    return term if op == "+" else -term


def _shifted(term: Term, by: int) -> Term:
    """`x + 1`, `x`, `x - 1`."""
    if by == 0:
        return term
    return Apply("+" if by > 0 else "-", (term, abs(by)))


def evaluate(term: Term, names: Mapping[str, Constant]) -> Constant:
    """The value of a term for given names: what the generated source computes.

    Raises `KeyError` for a name that is not given and `ScalarError` as `compute` does.
    """
    if isinstance(term, Var):
        return names[term.name]
    if isinstance(term, Apply):
        return compute(term.op, [evaluate(arg, names) for arg in term.args])
    return term


def substitute(term: Term, names: Mapping[str, Scalar]) -> Scalar:
    """The term with every name replaced by a pair: how a size of a block is said in its caller's names."""
    if isinstance(term, Var):
        return names[term[0]]
    if isinstance(term, Apply):
        return apply(term[0], *[substitute(arg, names) for arg in term[1]])
    return Scalar(term, term)


def free_names(term: Term) -> set[str]:
    """The names that a term uses."""
    if isinstance(term, Var):
        return {term.name}
    if isinstance(term, Apply):
        return set().union(*map(free_names, term.args))
    return set()


_PRECEDENCE: Final = {
    "or": 1, "and": 2, "not": 3, "==": 4, "!=": 4, "<": 4, "<=": 4, ">": 4, ">=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "neg": 7, "**": 8,
}  # fmt: skip
ATOM: Final = 10


def number_text(value: Constant) -> str:
    """A constant as Python and the language write it (`1e-5`, not `1e-05`)."""
    text = repr(value)
    if isinstance(value, float) and "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    return text


def short_text(value: Constant) -> str:
    """A constant where a float is expected anyhow: 4 for 4.0."""
    if isinstance(value, float) and value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return number_text(value)


def python_text(term: Term, rename: Callable[[str], str] = str) -> str:
    """The term as a Python expression; `rename` gives every name its spelling there."""
    return _text(term, rename, ceil_as_python=True)[0]


def python_code(term: Term, rename: Callable[[str], str]) -> tuple[str, int]:
    """The Python expression and its precedence (`ATOM` where no parentheses are ever needed)."""
    return _text(term, rename, ceil_as_python=True)


def human_text(term: Term) -> str:
    """The term as the language writes it, for comments and messages: `ceil(H / stride)`."""
    return _text(term, str, ceil_as_python=False)[0]


def _text(term: Term, rename: Callable[[str], str], ceil_as_python: bool) -> tuple[str, int]:
    if isinstance(term, Var):
        return rename(term.name), ATOM
    if not isinstance(term, Apply):
        text = number_text(term)
        return text, _PRECEDENCE["neg"] if text.startswith("-") else ATOM
    op, args = term.op, [_text(arg, rename, ceil_as_python) for arg in term.args]
    if op == "ceildiv":
        if not ceil_as_python:
            return f"ceil({_wrap(args[0], 6)} / {_wrap(args[1], 7)})", ATOM
        return f"-(-{_wrap(args[0], 8)} // {_wrap(args[1], 7)})", _PRECEDENCE["neg"]
    if op == "is_none":
        return f"{_wrap(args[0], 5)} is {'None' if ceil_as_python else 'none'}", _PRECEDENCE["=="]
    if op == "not" and isinstance(term.args[0], Apply) and term.args[0].op == "is_none":
        of = _wrap(_text(term.args[0].args[0], rename, ceil_as_python), 5)
        return f"{of} is not {'None' if ceil_as_python else 'none'}", _PRECEDENCE["=="]
    if op in ("neg", "not"):
        sign = "-" if op == "neg" else "not "
        return sign + _wrap(args[0], _PRECEDENCE[op]), _PRECEDENCE[op]
    if op == "sum":
        return f"sum([{', '.join(text for text, _ in args)}])", ATOM
    if op in ("ceil", "floor") and ceil_as_python:
        return f"math.{op}({args[0][0]})", ATOM
    if op not in _PRECEDENCE:
        return f"{op}({', '.join(text for text, _ in args)})", ATOM
    level = _PRECEDENCE[op]
    if op == "**":
        simple = all(arg[1] == ATOM or isinstance(t, float) for arg, t in zip(args, term.args, strict=True))
        power = "**" if simple else " ** "
        return f"{_wrap(args[0], level + 1)}{power}{_wrap(args[1], 7)}", level
    left = _wrap(args[0], level + 1 if level == 4 else level)
    return f"{left} {op} {_wrap(args[1], level + 1)}", level


def _wrap(code: tuple[str, int], least: int) -> str:
    text, level = code
    return text if level >= least else f"({text})"
