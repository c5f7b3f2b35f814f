"""Numbers of the language, each with the Python that gives the same: the text is archdsl's, the code is ours.

`Numbers.equal_to(7)` draws a way to say 7 with the names that are known where it stands.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random
from types import CodeType
from typing import Any, NamedTuple

ATOM, POSTFIX, POWER, UNARY, PRODUCT, SUM, COMPARE, NOT, AND, OR = range(10, 0, -1)


class Invalid(Exception):
    """What was drawn does not hold for these numbers or shapes; `rule` says which rule it breaks."""


class TooLarge(Invalid):
    """What was drawn may hold, but is more than is tried."""


class Expr(NamedTuple):
    """An expression: its text in the language, the same in Python, and how tightly it binds."""

    text: str
    code: str
    level: int = ATOM

    def at(self, level: int) -> Expr:
        """In parentheses where it binds less tightly than what stands around it."""
        return self if self.level >= level else Expr(f"({self.text})", f"({self.code})")


class Op(NamedTuple):
    """A callable as a value: the name of a primitive or block, and the arguments that it has already."""

    name: str
    args: tuple[tuple[str | None, Any], ...] = ()


def exact(a: float, b: float) -> float:
    """`a / b` outside of a rounding function: whole numbers must come out even."""
    if isinstance(a, int) and isinstance(b, int):
        if b == 0 or a % b:
            raise Invalid("a quotient that is not whole")
        return a // b
    return a / b


def element(values: list[Any], index: int) -> Any:
    """`values[index]`."""
    if not -len(values) <= index < len(values):
        raise Invalid("an index out of the list")
    return values[index]


def numbers_of(*ends: int) -> list[int]:
    """`range(n)` and `range(a, b)`."""
    found = range(*ends)
    if len(found) > 100:
        raise Invalid("a long list")
    return list(found)


def power(a: float, b: float) -> float:
    """`a ** b` within bounds."""
    if isinstance(a, int) and isinstance(b, int) and b >= 0:
        if abs(a) > 1 and b * abs(a).bit_length() > 62:
            raise Invalid("a large number")
        return int(a**b)
    if a <= 0:
        raise Invalid("no power")
    return float(a**b)


def part(values: list[Any], count: int, which: str) -> list[Any]:
    """`first(values, count)` and `last(values, count)`."""
    if not 0 <= count <= len(values):
        raise Invalid("more than the list has")
    return values[:count] if which == "first" else values[len(values) - count :]


_KNOWN: dict[str, Any] = {
    "__builtins__": {},
    "ceil": math.ceil, "floor": math.floor, "int": int, "round": round, "abs": abs, "min": min, "max": max,
    "sum": sum, "len": len, "range": numbers_of, "power": power, "exact": exact, "element": element,
    "part": part, "Op": Op, "float": float, "and_": lambda a, b: a and b, "or_": lambda a, b: a or b,
}  # fmt: skip


@lru_cache(10_000)
def _compiled(code: str) -> CodeType:
    return compile(code, "<expression>", "eval")


def names_in(expr: Expr) -> set[str]:
    """The names that an expression reads."""
    return set(re.findall(r"[A-Za-z_]\w*", re.sub(r'"[^"]*"|\'[^\']*\'', "", expr.code)))


def value(expr: Expr, names: Mapping[str, Any]) -> Any:
    """What an expression gives; raises `Invalid` where it gives nothing."""
    try:
        return eval(_compiled(expr.code), {**_KNOWN, **names})
    except (ZeroDivisionError, OverflowError, NameError, TypeError, ValueError) as error:
        raise Invalid(str(error)) from None


def literal(number: float) -> Expr:
    """A number written out."""
    text = repr(number)
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return Expr(text, repr(number), UNARY if number < 0 else ATOM)


def text_literal(text: str) -> Expr:
    return Expr(f'"{text}"', repr(text))


def truth(is_true: bool) -> Expr:
    return Expr("true" if is_true else "false", repr(is_true))


NONE = Expr("none", "None")


def listed(items: list[Expr]) -> Expr:
    """A list; a bare product in it would be a repetition."""
    inside = [item.at(SUM) if item.level != PRODUCT else item.at(ATOM) for item in items]
    return Expr(
        "[" + ", ".join(item.text for item in inside) + "]", "[" + ", ".join(item.code for item in inside) + "]"
    )


def binary(op: str, a: Expr, b: Expr, level: int) -> Expr:
    left, right = a.at(level), b.at(level - 1 if level == COMPARE else level)
    left = a.at(level + 1) if level == COMPARE else left
    right = b.at(level + 1)
    return Expr(f"{left.text} {op} {right.text}", f"{left.code} {op} {right.code}", level)


def call(name: str, *args: Expr) -> Expr:
    return Expr(
        f"{name}({', '.join(arg.text for arg in args)})", f"{name}({', '.join(arg.code for arg in args)})"
    )


def quotient(a: Expr, b: Expr) -> Expr:
    """`a / b` where it must come out even."""
    left, right = a.at(PRODUCT), b.at(PRODUCT + 1)
    return Expr(f"{left.text} / {right.text}", f"exact({a.code}, {b.code})", PRODUCT)


def rounded_quotient(name: str, a: Expr, b: Expr) -> Expr:
    """`ceil(a / b)` and `floor(a / b)`, exact for whole numbers."""
    left, right = a.at(PRODUCT), b.at(PRODUCT + 1)
    sign = "-" if name == "ceil" else ""
    code = f"({sign}({sign}({a.code}) // ({b.code})))"
    return Expr(f"{name}({left.text} / {right.text})", code)


def conditional(condition: Expr, then: Expr, otherwise: Expr) -> Expr:
    return Expr(
        f"if {condition.text} {{ {then.text} }} else {{ {otherwise.text} }}",
        f"(({then.code}) if ({condition.code}) else ({otherwise.code}))",
        OR,
    )


class Numbers:
    """Draws expressions over names: `names` maps those that are known where they will stand to their values."""

    def __init__(self, random: Random, names: Mapping[str, Any], seen: Callable[[str], None]) -> None:
        self.random = random
        self.names = names
        self.seen = seen
        """Told of every construct that is drawn."""

    def whole_names(self) -> list[tuple[Expr, int]]:
        """What is known and a whole number: names, and elements of lists."""
        found: list[tuple[Expr, int]] = []
        for name, known in self.names.items():
            if isinstance(known, int) and not isinstance(known, bool):
                found.append((Expr(name, name), known))
            elif isinstance(known, list):
                for index, item in enumerate(known):
                    if isinstance(item, int) and not isinstance(item, bool):
                        place = index if self.random.random() < 0.7 else index - len(known)
                        found.append((Expr(f"{name}[{place}]", f"element({name}, {place})"), item))
        return found

    def equal_to(self, target: int, depth: int = 2) -> Expr:
        """An expression that gives a whole number from 0."""
        random, known = self.random, self.whole_names()
        if depth == 0 or random.random() < 0.35:
            same = [expr for expr, number in known if number == target]
            return random.choice(same) if same and random.random() < 0.8 else literal(target)
        forms = [self._sum, self._product, self._rounded, self._extreme, self._conditional, self._of_list,
                 self._power, self._quotient, self._remainder, self._scaled, self._difference]  # fmt: skip
        for _ in range(4):
            made = random.choice(forms)(target, known, depth - 1)
            if made is not None:
                assert value(made, self.names) == target, (made, target, self.names)
                return made
        return literal(target)

    def _sum(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        smaller = [(expr, number) for expr, number in known if 0 < number <= target]
        if not smaller:
            return None
        expr, number = self.random.choice(smaller)
        if number == target:
            return expr
        rest = self.equal_to(target - number, depth)
        return binary("+", *(self.random.sample([expr, rest], 2)), SUM)

    def _difference(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        larger = [(expr, number) for expr, number in known if number > target]
        if not larger:
            return None
        expr, number = self.random.choice(larger)
        made = binary("-", expr, self.equal_to(number - target, depth), SUM)
        if self.random.random() < 0.2:
            self.seen("function abs")
            return call("abs", made)
        return made

    def _product(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        factors = [(expr, number) for expr, number in known if number > 0 and target and target % number == 0]
        if not factors:
            return None
        expr, number = self.random.choice(factors)
        rest = self.equal_to(target // number, depth)
        return binary("*", *(self.random.sample([expr, rest], 2)), PRODUCT)

    def _quotient(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        multiples = [(e, n) for e, n in known if target and n > target and n % target == 0]
        if not multiples:
            return None
        expr, number = self.random.choice(multiples)
        divisor = self.equal_to(number // target, depth)
        if self.random.random() < 0.5:
            self.seen("exact quotient")
            return quotient(expr, divisor)
        self.seen("//")
        return binary("//", expr, divisor, PRODUCT)

    def _rounded(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        if not known:
            return None
        expr, _ = self.random.choice(known)
        divisor = self.random.randint(2, 4)
        name = self.random.choice(["ceil", "floor"])
        self.seen(f"function {name}")
        made = rounded_quotient(name, expr, literal(divisor))
        return self._reached(made, target, depth)

    def _remainder(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        larger = [(expr, number) for expr, number in known if number > target]
        if not larger:
            return None
        self.seen("%")
        expr, _ = self.random.choice(larger)
        made = binary("%", expr, literal(self.random.randint(2, 5)), PRODUCT)
        return self._reached(made, target, depth)

    def _scaled(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        """`int(dim * 1.5)`, `round(dim * ratio)`."""
        if not known:
            return None
        expr, _ = self.random.choice(known)
        reals = [Expr(name, name) for name, v in self.names.items() if isinstance(v, float)]
        factor = (
            self.random.choice(reals)
            if reals and self.random.random() < 0.7
            else literal(self.random.choice([0.5, 1.5, 2.0, 2.05, 0.3]))
        )
        name = self.random.choice(["int", "round", "ceil", "floor"])
        self.seen(f"function {name}")
        return self._reached(call(name, binary("*", expr, factor, PRODUCT)), target, depth)

    def _reached(self, made: Expr, target: int, depth: int) -> Expr | None:
        """A number, with what is missing to the target added."""
        try:
            found = value(made, self.names)
        except Invalid:
            return None
        if found == target:
            return made
        if found < 0:
            return None
        if found < target:
            return binary("+", made, self.equal_to(target - found, depth), SUM)
        return binary("-", made, self.equal_to(found - target, depth), SUM)

    def _extreme(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        name = self.random.choice(["min", "max"])
        others = [(e, n) for e, n in known if (n >= target if name == "min" else n <= target)]
        if not others:
            return None
        self.seen(f"function {name}")
        args = [self.equal_to(target, depth), self.random.choice(others)[0]]
        self.random.shuffle(args)
        return call(name, listed(args)) if self.random.random() < 0.3 else call(name, *args)

    def _conditional(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        self.seen("if expression")
        condition, outcome = self.condition()
        other = literal(self.random.randint(1, 8))
        branches = (self.equal_to(target, depth), other) if outcome else (other, self.equal_to(target, depth))
        return conditional(condition, *branches)

    def _of_list(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        """`sum([a, b])`, `len([...])`, `[a, b][1]`."""
        form = self.random.choice(["sum", "len", "index", "range"])
        if form == "sum" and target > 1:
            self.seen("function sum")
            first = self.random.randint(1, target - 1)
            return call("sum", listed([self.equal_to(first, depth), self.equal_to(target - first, depth)]))
        if form == "len" and 1 <= target <= 4:
            self.seen("function len")
            return call("len", listed([literal(self.random.randint(1, 9)) for _ in range(target)]))
        if form == "range" and 1 <= target <= 4:
            self.seen("function range")
            return call("len", call("range", literal(target)))
        if form == "index":
            items = [literal(self.random.randint(1, 9)) for _ in range(self.random.randint(1, 3))]
            place = self.random.randrange(len(items))
            items[place] = self.equal_to(target, 0)
            made = listed(items)
            return Expr(f"{made.text}[{place}]", f"element({made.code}, {place})", POSTFIX)
        return None

    def _power(self, target: int, known: list[tuple[Expr, int]], depth: int) -> Expr | None:
        bases = [(base, power) for base in (2, 3) for power in (1, 2, 3) if base**power == target]
        if not bases:
            return None
        self.seen("**")
        base, power = self.random.choice(bases)
        left, right = self.equal_to(base, depth).at(POSTFIX), self.equal_to(power, depth).at(UNARY)
        return Expr(f"{left.text} ** {right.text}", f"power({left.code}, {right.code})", POWER)

    # --- truths

    def condition(self) -> tuple[Expr, bool]:
        """A truth, and which one it is now."""
        made = self._condition(2)
        return made, bool(value(made, self.names))

    def _condition(self, depth: int) -> Expr:
        random = self.random
        flags = [name for name, known in self.names.items() if isinstance(known, bool)]
        optional = [name for name in self.names if name.startswith("maybe")]
        known = self.whole_names()
        forms = ["compare"] * 4 + ["flag"] * bool(flags) * 3 + ["none"] * bool(optional) * 4 + ["divisible"] * 2
        forms += ["and", "or", "not"] * (depth > 0) + ["true"]
        form = random.choice(forms)
        if form in ("and", "or"):
            self.seen(form)
            level = AND if form == "and" else OR
            left, right = self._condition(depth - 1).at(level), self._condition(depth - 1).at(level + 1)
            return Expr(f"{left.text} {form} {right.text}", f"{form}_({left.code}, {right.code})", level)
        if form == "not":
            self.seen("not")
            inner = self._condition(depth - 1).at(NOT)
            return Expr(f"not {inner.text}", f"not {inner.code}", NOT)
        if form == "flag":
            name = random.choice(flags)
            return Expr(name, name)
        if form == "none":
            name = random.choice(optional)
            negated = random.random() < 0.5
            self.seen("is not none" if negated else "is none")
            return (
                Expr(f"{name} is not none", f"({name} is not None)", COMPARE)
                if negated
                else Expr(f"{name} is none", f"({name} is None)", COMPARE)
            )
        if form == "divisible" and known:
            self.seen("function divisible")
            expr, divisor = random.choice(known)[0], literal(random.randint(1, 4))
            return Expr(f"divisible({expr.text}, {divisor.text})", f"({expr.code}) % {divisor.code} == 0")
        if form == "compare" and known:
            sign = random.choice(["==", "!=", "<", "<=", ">", ">="])
            self.seen(sign)
            expr, number = random.choice(known)
            other = random.choice([literal(max(0, number + random.randint(-2, 2))), random.choice(known)[0]])
            left, right = expr.at(SUM), other.at(SUM)
            return Expr(f"{left.text} {sign} {right.text}", f"({left.code} {sign} {right.code})", COMPARE)
        return truth(random.random() < 0.5)
