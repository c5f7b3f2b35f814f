"""Size arithmetic: the value of a pair, its term evaluated, and its term as Python, are one number."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given, settings

from archdsl.scalar import (
    LARGEST,
    OPERATIONS,
    Apply,
    Constant,
    Scalar,
    ScalarError,
    apply,
    ceil_div,
    evaluate,
    free_names,
    human_text,
    number_text,
    python_text,
    scalar,
    substitute,
    variable,
)

steady = settings(derandomize=True, database=None, deadline=None, max_examples=400)

ARITHMETIC = ("+", "-", "*", "/", "//", "%", "**", "min", "max", "sum")
OF_ONE = ("neg", "int", "float", "round", "ceil", "floor", "abs")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")

wholes = st.integers(-12, 40)
reals = st.one_of(st.sampled_from([0.5, -0.25, 1e-5, 2.05, 4.0, 1e16, 0.1]), st.floats(-50, 50, width=32))
# Names stand for numbers of one kind everywhere: `h` is a whole number, `r` a real one, `t` a truth.
NAMES: dict[str, Any] = {"h": wholes, "w": wholes, "k": wholes, "r": reals, "s": reals}
TRUTHS = ("t", "u")


class Attempt(Exception):
    """An operation that has no result: the pair can't be made, and there is nothing to compare."""


def applied(op: str, *operands: Scalar) -> Scalar:
    try:
        return apply(op, *operands)
    except ScalarError as error:
        raise Attempt from error


class Pairs:
    """Draws pairs of a value and a term over given names, by the types that the language asks for."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.names: dict[str, Constant] = {}

    def name(self, name: str, values: st.SearchStrategy[Any]) -> Scalar:
        if name not in self.names:
            self.names[name] = self.draw(values)
        return variable(name, self.names[name])

    def leaf(self) -> Scalar:
        name = self.draw(st.sampled_from([*NAMES, "", ""]))
        if name:
            return self.name(name, NAMES[name])
        return scalar(self.draw(st.one_of(st.integers(-2, 4), wholes, reals)))

    def number(self, depth: int) -> Scalar:
        if depth == 0 or self.draw(st.integers(0, 4)) == 0:
            return self.leaf()
        op = self.draw(st.sampled_from([*ARITHMETIC, *ARITHMETIC, *OF_ONE, "ceildiv"]))
        first = self.number(depth - 1)
        if op in OF_ONE:
            return applied(op, first)
        # The neutral numbers and what came before: where simplification has something to do.
        second = self.draw(st.sampled_from(["any", "any", "0", "1", "same", "part"]))
        match second:
            case "any":
                other = self.number(depth - 1)
            case "same":
                other = first
            case "part" if isinstance(first.term, Apply) and len(first.term.args) == 2:
                term = first.term.args[self.draw(st.integers(0, 1))]
                other = Scalar(evaluate(term, self.names), term)
            case "1":
                other = scalar(1)
            case _:
                other = scalar(0)
        if self.draw(st.integers(0, 3)) == 0:
            first, other = other, first
        if op == "ceildiv" and not (isinstance(first.value, int) and isinstance(other.value, int)):
            op = "/"
        return applied(op, first, other)

    def truth(self, depth: int) -> Scalar:
        if depth == 0 or self.draw(st.integers(0, 4)) == 0:
            return self.name(self.draw(st.sampled_from(TRUTHS)), st.booleans())
        op = self.draw(st.sampled_from([*COMPARISONS, "and", "or", "not", "is_none"]))
        if op == "not":
            return applied(op, self.truth(depth - 1))
        if op == "is_none":
            return applied(op, self.draw(st.sampled_from([self.number, self.truth]))(depth - 1))
        if op in ("and", "or"):
            return applied(op, self.truth(depth - 1), self.truth(depth - 1))
        kind = self.truth if op in ("==", "!=") and self.draw(st.booleans()) else self.number
        return applied(op, kind(depth - 1), kind(depth - 1))


@st.composite
def pairs(draw: Callable[..., Any]) -> tuple[Scalar, dict[str, Constant]]:
    """A pair, and the values of the names in its term."""
    made = Pairs(draw)
    try:
        pair = made.truth(3) if draw(st.integers(0, 3)) == 0 else made.number(4)
    except Attempt:
        assume(False)
    return pair, made.names


def by_python(text: str, names: dict[str, Constant]) -> Constant:
    return eval(text, {"math": math}, dict(names))


def same(a: Constant, b: Constant) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool)


@steady
@given(pairs())
def test_value_term_and_python_text_agree(drawn: tuple[Scalar, dict[str, Constant]]) -> None:
    pair, names = drawn
    assert free_names(pair.term) <= set(names)
    text = python_text(pair.term)
    assert same(evaluate(pair.term, names), pair.value), text
    assert same(by_python(text, names), pair.value), text


@steady
@given(pairs())
def test_python_text_has_no_parentheses_that_python_would_drop(
    drawn: tuple[Scalar, dict[str, Constant]],
) -> None:
    """The text means what its tree says: read and written again by Python it keeps its value."""
    pair, names = drawn
    text = python_text(pair.term)
    assert by_python(ast.unparse(ast.parse(text, mode="eval")), names) == by_python(text, names)
    renamed = python_text(pair.term, lambda name: f"self.{name}")
    assert renamed.replace("self.", "") == text


@steady
@given(pairs(), st.data())
def test_other_names_give_the_same_in_term_and_text(
    drawn: tuple[Scalar, dict[str, Constant]], data: st.DataObject
) -> None:
    """Two calls of a block differ in numbers and share the text: it holds for any of them."""
    pair, names = drawn
    others = {name: data.draw(NAMES.get(name, st.booleans())) for name in sorted(names)}
    try:
        wanted = evaluate(pair.term, others)
    except ScalarError:
        return
    assert by_python(python_text(pair.term), others) == pytest.approx(wanted, rel=1e-12)


@steady
@given(pairs())
def test_substituting_names_by_themselves_or_numbers_keeps_the_value(
    drawn: tuple[Scalar, dict[str, Constant]],
) -> None:
    pair, names = drawn
    own = substitute(pair.term, {name: variable(name, value) for name, value in names.items()})
    assert own.value == pair.value
    assert evaluate(own.term, names) == pair.value
    folded = substitute(pair.term, {name: scalar(value) for name, value in names.items()})
    assert folded.value == pair.value
    assert folded.term == folded.value


H, K, R = variable("h", 9), variable("k", 4), variable("r", 2.5)

SIMPLIFIED = [
    (H + 0, "h"),
    (scalar(0) + H, "h"),
    (H - 0, "h"),
    (H * 1, "h"),
    (scalar(1) * H, "h"),
    (H // scalar(1), "h"),
    (apply("**", H, scalar(1)), "h"),
    (ceil_div(H, scalar(1)), "h"),
    (ceil_div(ceil_div(H, scalar(2)), scalar(3)), "-(-h // 6)"),
    ((H * K) // K, "h"),
    (apply("/", variable("n", 8), K), "n / k"),
    (apply("/", H, K), "h / k"),
    (scalar(2) + scalar(3), "5"),
    (H + 3 - 1, "h + 2"),
    (H + 1 - 1, "h"),
    (H - 3 + 1, "h - 2"),
    (H + K + K + K, "h + 3 * k"),
    (scalar(0) - H, "0 - h"),
    (R // scalar(1), "r // 1"),
    (ceil_div(ceil_div(H, scalar(2)), scalar(-3)), "-(-(-(-h // 2)) // -3)"),
]


@pytest.mark.parametrize(("pair", "text"), SIMPLIFIED, ids=[text for _, text in SIMPLIFIED])
def test_simplification_is_what_a_person_would_write(pair: Scalar, text: str) -> None:
    assert python_text(pair.term) == text
    assert by_python(text, {"h": 9, "k": 4, "r": 2.5, "n": 8}) == pair.value


TEXTS = [
    (apply("neg", apply("**", K, scalar(2))), "-k**2", "-k**2"),
    (apply("**", apply("neg", K), scalar(2)), "(-k) ** 2", "(-k) ** 2"),
    (apply("**", K, scalar(-0.5)), "k**-0.5", "k**-0.5"),
    (apply("*", H, apply("+", H, K)), "h * (h + k)", "h * (h + k)"),
    (apply("-", H, apply("-", H, K)), "h - (h - k)", "h - (h - k)"),
    (ceil_div(H, K), "-(-h // k)", "ceil(h / k)"),
    (ceil_div(H + K, H * K), "-(-(h + k) // (h * k))", "ceil((h + k) / (h * k))"),
    (apply("*", R, scalar(1e-5)), "r * 1e-5", "r * 1e-5"),
    (apply("ceil", R), "math.ceil(r)", "ceil(r)"),
    (apply("max", H, K, scalar(3)), "max(h, k, 3)", "max(h, k, 3)"),
    (apply("sum", H, K), "sum([h, k])", "sum([h, k])"),
    (apply("==", apply("%", H, K), scalar(0)), "h % k == 0", "h % k == 0"),
    (Scalar(False, Apply("is_none", (apply("not", variable("t", True)).term,))), "(not t) is None",
     "(not t) is none"),
]  # fmt: skip


@pytest.mark.parametrize(("pair", "python", "human"), TEXTS, ids=[python for _, python, _ in TEXTS])
def test_terms_as_text(pair: Scalar, python: str, human: str) -> None:
    assert python_text(pair.term) == python
    assert human_text(pair.term) == human


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()))
@steady
def test_constants_are_written_as_python_reads_them(value: Constant) -> None:
    read = ast.literal_eval(number_text(value))
    assert read == value and type(read) is type(value)


ERRORS = [
    ("/", (1, 0), "division by zero"),
    ("//", (1, 0), "division by zero"),
    ("%", (1, 0), "division by zero"),
    ("ceildiv", (1, 0), "division by zero"),
    ("**", (10, 1000), "too large"),
    ("**", (-2.0, 0.5), "base must be positive"),
    ("**", (0, -1), "base must be positive"),
    ("**", (1e300, 2), "not a number"),
    ("*", (1e300, 1e300), "not finite"),
    ("*", (LARGEST, 2), "larger than 2 ** 63"),
    ("*", (-LARGEST, 2), "larger than 2 ** 63"),
    ("int", (1e30,), "larger than 2 ** 63"),
]


@pytest.mark.parametrize(("op", "values", "message"), ERRORS)
def test_what_has_no_result_is_an_error_of_its_own(op: str, values: tuple[Constant, ...], message: str) -> None:
    with pytest.raises(ScalarError, match=message.replace("*", r"\*")):
        apply(op, *map(scalar, values))


def test_rounding_up_is_exact_beyond_doubles() -> None:
    many = 2**53 + 1
    assert ceil_div(variable("h", many), scalar(1)).value == many
    assert ceil_div(variable("h", 2 * many - 1), scalar(2)).value == many


@steady
@given(
    st.sampled_from(sorted(OPERATIONS)), st.lists(st.one_of(wholes, st.floats(), st.just(LARGEST)), max_size=2)
)
def test_numbers_give_a_result_or_that_error(op: str, values: list[float]) -> None:
    counts = {**dict.fromkeys(OF_ONE, 1), "not": 1, "is_none": 1, "sum": max(1, len(values))}
    assume(len(values) == counts.get(op, 2))
    try:
        result = apply(op, *map(scalar, values))
    except ScalarError:
        return
    assert result.term == result.value or result.value != result.value
