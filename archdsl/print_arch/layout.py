"""Expressions as text: on one line, or broken where they are too long or their author broke a pipeline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import assert_never

from archdsl import syntax as s
from archdsl.record import Record
from archdsl.source import Span

WIDTH = 120
"""Lines are no longer, where there is a place to break them."""

DEEPEST_ALIGNMENT = 72
"""What would be aligned further to the right is indented instead."""

# How tightly each construct binds, as in grammar/archdsl.lark.
ANY, OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, POWER, LABELLED, POSTFIX, ATOM = range(12)
_LEVELS = {
    "or": OR, "and": AND, "is": COMPARISON, "==": COMPARISON, "!=": COMPARISON, "<=": COMPARISON,
    ">=": COMPARISON, "<": COMPARISON, ">": COMPARISON, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT,
    "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "**": POWER,
}  # fmt: skip
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


# --- on one line -------------------------------------------------------------------------------


def flat(expr: s.Expr, level: int = ANY) -> str:
    """The expression on one line, in brackets where it binds less tightly than `level`."""
    text = _flat(expr)
    return f"({text})" if binding(expr) < level else text


def binding(expr: s.Expr) -> int:
    """How tightly an expression binds: one of the levels."""
    match expr:
        case s.Pipe():
            return ANY
        case s.Unary("not", s.Binary("is", _, _)):
            return COMPARISON
        case s.Unary(op, _):
            return NOT if op == "not" else UNARY
        case s.Each():
            return UNARY
        case s.Binary(op, _, _):
            return _LEVELS[op]
        case s.Repeat():
            return PRODUCT
        case s.Labelled():
            return LABELLED
        case s.Index():
            return POSTFIX
        case _:
            return ATOM


def sides(op: str) -> tuple[int, int]:
    """How tightly the operands of an operator must bind."""
    level = _LEVELS[op]
    if op == "**":
        return LABELLED, UNARY
    return (SUM if level == COMPARISON else level), level + 1


def item_level(item: s.Expr) -> int:
    """The level of an element of a list: `a * b` bare would repeat a."""
    return ATOM if isinstance(item, s.Binary) and item.op == "*" else ANY


def _flat(expr: s.Expr) -> str:
    match expr:
        case s.Num(value, span):
            return number(value, span)
        case s.Quantity(digits, unit, _):
            return digits + unit
        case s.Str(value, _):
            return string(value)
        case s.Bool(value, _):
            return "true" if value else "false"
        case s.NoneLiteral():
            return "none"
        case s.Name(id, _):
            return id
        case s.Rest():
            return "..."
        case s.Unary("not", s.Binary("is", left, _)):
            return f"{flat(left, SUM)} is not none"
        case s.Unary("not", operand):
            return f"not {flat(operand, NOT)}"
        case s.Unary(op, operand):
            return op + flat(operand, UNARY)
        case s.Binary(op, left, right):
            low, high = sides(op)
            return f"{flat(left, low)} {op} {flat(right, high)}"
        case s.Repeat(value, count):
            return f"{flat(value, PRODUCT)} * {flat(count, UNARY)}"
        case s.Call(name, args):
            return f"{name}({', '.join(argument(arg) for arg in args)})"
        case s.Labelled(_, _, call):
            return label(expr) + flat(call, ATOM)
        case s.Pipe(source, steps):
            return " |> ".join([flat(source, OR), *(flat(step, LABELLED) for step in steps)])
        case s.Index(value, index):
            return f"{flat(value, POSTFIX)}[{flat(index)}]"
        case s.ListExpr(items):
            return f"[{', '.join(flat(item, item_level(item)) for item in items)}]"
        case s.Each(value):
            return f"each {flat(value, POSTFIX)}"
        case s.Choose(options):
            return f"choose {{{', '.join(map(flat, options))}}}"
        case s.IfExpr(condition, then, otherwise):
            other = flat(otherwise) if isinstance(otherwise, s.IfExpr) else f"{{ {flat(otherwise)} }}"
            return f"if {flat(condition)} {{ {flat(then)} }} else {other}"
        case s.Comprehension(item, name, values):
            return f"[{flat(item)} for {name} in {flat(values)}]"
        case s.Paren(items):
            return f"({', '.join(map(flat, items))})"
        case _:
            assert_never(expr)


def number(value: int | float, span: Span) -> str:
    """A number as its author wrote it (`1e-5`, `0.10`), or else in Python's shortest way."""
    written = span.source.line(span.line)[span.column - 1 : span.end_column - 1]
    if _NUMBER.fullmatch(written):
        again: int | float = int(written) if written.isdigit() else float(written)
        if type(again) is type(value) and again == value:
            return written
    return str(value) if isinstance(value, int) else re.sub(r"e([+-])0*", _exponent, repr(value))


def _exponent(match: re.Match[str]) -> str:
    return "e-" if match.group(1) == "-" else "e"


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def string(value: str) -> str:
    """A string in double quotes."""
    return '"' + "".join(_ESCAPES.get(char, char) for char in value) + '"'


def argument(arg: s.Argument) -> str:
    """An argument of a call on one line."""
    return f"{arg.name} = {flat(arg.value)}" if arg.name is not None else flat(arg.value)


def label(expr: s.Labelled) -> str:
    """`label: ` or `label[index]: `."""
    return f"{expr.label}[{flat(expr.index)}]: " if expr.index is not None else f"{expr.label}: "


def path(steps: Sequence[str | s.Expr]) -> str:
    """`s3.4.expansion[2]`."""
    parts = [f".{step}" if isinstance(step, str) else f"[{flat(step)}]" for step in steps]
    return "".join(parts).removeprefix(".")


# --- on several lines --------------------------------------------------------------------------


def breaks(pipe: s.Pipe) -> list[bool]:
    """For each step of a pipeline, whether its author began a new line for it."""
    parts = [pipe.source, *pipe.steps]
    return [after.span.line > before.span.end_line for before, after in pairwise(parts)]


def is_broken(part: object) -> bool:
    """Whether the author broke a pipeline anywhere in an expression."""
    if isinstance(part, s.Pipe) and any(breaks(part)):
        return True
    if isinstance(part, Record):
        return any(is_broken(getattr(part, field)) for field in part._compared)
    return type(part) is tuple and any(map(is_broken, part))


class Layout:
    """Lays out the expressions of one statement, which stands at `indent`."""

    def __init__(self, indent: int) -> None:
        self._hanging = indent + 4
        self._outermost = -1

    def statement(self, head: str, expr: s.Expr, tail: int = 0) -> str:
        """`head` and the expression, broken where it must be; `tail` characters follow it."""
        column = self._hanging - 4 + len(head)
        self._outermost = column
        return head + self.expression(expr, column, ANY, tail)

    def expression(self, expr: s.Expr, column: int, level: int, tail: int) -> str:
        """The expression from a column on; of its further lines, the indentation is written too."""
        text = flat(expr, level)
        if column + len(text) + tail <= WIDTH and not is_broken(expr):
            return text
        if binding(expr) < level:
            return "(" + self.expression(expr, column + 1, ANY, tail + 1) + ")"
        match expr:
            case s.Pipe():
                return self._pipe(expr, column, tail)
            case s.Binary("**") | s.Unary("not", s.Binary("is", _, _)):
                return text
            case s.Binary():
                return self._chain(expr, column, tail)
            case s.Unary(op, operand):
                head = "not " if op == "not" else op
                inner = NOT if op == "not" else UNARY
                return head + self.expression(operand, column + len(head), inner, tail)
            case s.Call(name, args):
                pairs = [(f"{arg.name} = " if arg.name is not None else "", arg.value) for arg in args]
                return self.fill(f"{name}(", pairs, ")", column, tail)
            case s.Labelled(_, _, call):
                head = label(expr)
                return head + self.expression(call, column + len(head), ATOM, tail)
            case s.ListExpr(items):
                return self.fill("[", [("", item) for item in items], "]", column, tail, in_list=True)
            case s.Paren(items):
                return self.fill("(", [("", item) for item in items], ")", column, tail)
            case s.Choose(options):
                return self.fill("choose {", [("", item) for item in options], "}", column, tail)
            case s.Each(value):
                return "each " + self.expression(value, column + 5, POSTFIX, tail)
            case s.Repeat(value, count):
                after = f" * {flat(count, UNARY)}"
                return self.expression(value, column, PRODUCT, tail + len(after)) + after
            case s.Index(value, index):
                after = f"[{flat(index)}]"
                return self.expression(value, column, POSTFIX, tail + len(after)) + after
            case s.Comprehension(item, name, values):
                head = "[" + self.expression(item, column + 1, ANY, 0) + f" for {name} in "
                return head + self.expression(values, _end(head, column), ANY, tail + 1) + "]"
            case s.IfExpr():
                return self._conditional(expr, column, tail)
            case _:
                return text

    def fill(
        self,
        opening: str,
        items: Sequence[tuple[str, s.Expr]],
        closing: str,
        column: int,
        tail: int,
        in_list: bool = False,
    ) -> str:
        """Items in brackets, as many on a line as it holds, aligned behind the opening bracket."""
        result = opening
        align = column + len(opening)
        if align > DEEPEST_ALIGNMENT and opening:
            align = self._hanging
            result += "\n" + " " * align
        for number, (head, item) in enumerate(items):
            last = number == len(items) - 1
            after = tail + len(closing) if last else 1
            level = item_level(item) if in_list else ANY
            at = _end(result, column)
            if number and at + 1 + len(head + flat(item, level)) + after > WIDTH:
                result += "\n" + " " * align
            elif number:
                result += " "
            result += head
            result += self.expression(item, _end(result, column), level, after)
            result += "" if last else ","
        return result + closing

    def _continued(self, column: int) -> int:
        """Where a further line of an operator's chain or of a pipeline begins."""
        return self._hanging if column == self._outermost or column > DEEPEST_ALIGNMENT else column

    def _pipe(self, pipe: s.Pipe, column: int, tail: int) -> str:
        result = self.expression(pipe.source, column, OR, 0)
        align = 0
        for number, (step, broken) in enumerate(zip(pipe.steps, breaks(pipe), strict=True)):
            last = number == len(pipe.steps) - 1
            at = _end(result, column)
            if number == 0:
                rest = sum(4 + len(flat(other, LABELLED)) for other in pipe.steps) + tail
                broken = broken or (at + 1 > DEEPEST_ALIGNMENT and at + rest > WIDTH)
                align = self._continued(column) if broken else at + 1
            elif at + 4 + len(flat(step, LABELLED)) + (tail if last else 0) > WIDTH:
                broken = True
            result += ("\n" + " " * align if broken else " ") + "|> "
            result += self.expression(step, _end(result, column), LABELLED, tail if last else 0)
        return result

    def _chain(self, expr: s.Binary, column: int, tail: int) -> str:
        low, high = sides(expr.op)
        parts: list[tuple[str, s.Expr]] = []
        first: s.Expr = expr
        level = _LEVELS[expr.op]
        while (
            isinstance(first, s.Binary) and _LEVELS[first.op] == level and not (parts and level == COMPARISON)
        ):
            parts.append((first.op, first.right))
            first = first.left
            if level == COMPARISON:  # not chained
                break
        parts.reverse()
        result = self.expression(first, column, low, 0)
        for number, (op, operand) in enumerate(parts):
            after = tail if number == len(parts) - 1 else 0
            at = _end(result, column)
            wide = at + len(f" {op} {flat(operand, high)}") + after > WIDTH
            # A line that begins with `is` would be a statement of its own.
            result += "\n" + " " * self._continued(column) if wide and op != "is" else " "
            result += f"{op} "
            result += self.expression(operand, _end(result, column), high, after)
        return result

    def _conditional(self, expr: s.IfExpr, column: int, tail: int) -> str:
        result = "if "
        result += self.expression(expr.condition, column + 3, ANY, 2) + " { "
        result += self.expression(expr.then, _end(result, column), ANY, 2) + " }"
        other = expr.otherwise
        nested = isinstance(other, s.IfExpr)
        length = len(flat(other)) + (6 if nested else 10)
        broken = _end(result, column) + length + tail > WIDTH
        result += ("\n" + " " * self._continued(column) if broken else " ") + "else "
        if nested:
            return result + self.expression(other, _end(result, column), ANY, tail)
        result += "{ "
        return result + self.expression(other, _end(result, column), ANY, tail + 2) + " }"


def _end(text: str, column: int) -> int:
    """The column behind a text that begins at `column`."""
    return len(text) - text.rfind("\n") - 1 if "\n" in text else column + len(text)
