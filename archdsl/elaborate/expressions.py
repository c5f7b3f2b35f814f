"""Evaluating expressions: numbers into pairs, tensors into nodes, everything else into what it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

from archdsl import syntax as s
from archdsl.elaborate.functions import LONGEST_LIST
from archdsl.elaborate.values import (
    POISON,
    Poison,
    Refused,
    Tensor,
    Value,
    callable_named,
    describe,
    is_list,
    make_op,
)
from archdsl.ops import OPS, Op
from archdsl.scalar import Apply, Constant, Scalar, ScalarError, Term, apply, scalar
from archdsl.source import Span, did_you_mean, nearest

if TYPE_CHECKING:
    from archdsl.library import Unit

_TENSOR_OPS: Final = {"+": "add", "-": "sub", "*": "mul", "/": "div", "@": "matmul"}
_NUMBER_OPS: Final = {
    "+": "add_number", "-": "sub_number", "*": "mul_number", "/": "div_number",
}  # fmt: skip

Args = list[tuple["str | None", Value, Span]]


class Expressions:
    """Evaluates the expressions of one block; a subclass says what nodes and calls do."""

    unit: Unit
    env: dict[str, Value]
    guards: list[tuple[Term, Constant]]
    """Terms that have decided something, and their values then."""
    is_rounded: bool = False
    """Whether a rounding function stands around: in one, a quotient of whole numbers need not be exact."""

    # --- what blocks and networks do differently

    def report(self, error: Refused) -> None:
        """Note a mistake and go on."""
        raise NotImplementedError

    def add_op(
        self,
        op: Op,
        tensors: list[Tensor],
        label: str | None,
        span: Span,
        through: str | None = None,
        again: int | None = None,
    ) -> Value:
        """Apply a primitive, which an argument may have named; raises `Refused` where its shapes do not fit.

        `again` is the node that owns its weights, where that is another one.
        """
        raise NotImplementedError

    def spend(self, count: int, span: Span) -> None:
        """Count work that grows with a number of the document; raises an error beyond a bound."""
        raise NotImplementedError

    def deciding(self, condition: s.Expr) -> AbstractContextManager[bool | None]:
        """The outcome of a condition, None after an error; what is made inside stands in that branch of it."""
        raise NotImplementedError

    # --- what calls do (archdsl/elaborate/calls.py)

    def call(
        self,
        name: str,
        arg_exprs: tuple[s.Argument, ...],
        piped: Value | None,
        label: str | None,
        span: Span,
        name_span: Span,
    ) -> Value:
        """Call what a name stands for; without tensors, a reference that can be called later."""
        raise NotImplementedError

    def step(self, value: Value, step: s.Expr) -> Value:
        """What a step of a pipe makes of a value."""
        raise NotImplementedError

    def labelled(self, expr: s.Labelled, piped: Value | None) -> Value:
        """What a labelled call gives: tensors, or without any a module."""
        raise NotImplementedError

    # --- what a network does with choices

    def lookup(self, name: str) -> Value | None:
        """What a name stands for here, or None where it is no name of ours."""
        return self.env.get(name)

    def choice(self, expr: s.Choose) -> Value:
        """The value of a decision that is left open; raises `Refused`."""
        help = "give the block an argument, and choose its value in the network"
        raise Refused("E0222", "decisions are left open in networks alone", expr.span, help)

    def read(self, value: Value) -> Value:
        """The value itself, decided where it is open."""
        return value

    def read_whole(self, value: Value) -> Value:
        """The same for all that a list holds."""
        return value

    def element(self, expr: s.Expr, index: int) -> Value:
        """An element of a list; it may stay open until it is read."""
        return self.evaluate(expr)

    def elements_each(self, expr: s.Each, first: int, count: int) -> list[Value]:
        """`each choose {...} * count` in a list: as many decisions, from an index on."""
        return [self.evaluate(expr)]

    def blamed(self, error: Refused, expr: object) -> Refused:
        """The mistake, its help told where the parameters stand that an expression reads."""
        return error

    # --- expressions

    @contextmanager
    def rounded(self, is_rounded: bool) -> Iterator[None]:
        """What is evaluated inside is rounded, or not; an open choice that leaves halfway ends it too."""
        before, self.is_rounded = self.is_rounded, is_rounded
        try:
            yield
        finally:
            self.is_rounded = before

    def evaluate(self, expr: s.Expr) -> Value:
        """The value of an expression; raises `Refused`."""
        # The most frequent first: a pattern costs a comparison.
        match expr:
            case s.Name():
                return self._name(expr)
            case s.Num() | s.Bool():
                return scalar(expr.value)
            case s.Call():
                return self.call(expr.name, expr.args, None, None, expr.span, expr.name_span)
            case s.Pipe():
                piped = self.evaluate(expr.source)
                for step in expr.steps:
                    piped = self.step(piped, step)
                return piped
            case s.Binary():
                return self._binary(expr.op, self.evaluate(expr.left), self.evaluate(expr.right), expr)
            case s.Str():
                return expr.value
            case s.Labelled():
                return self.labelled(expr, None)
            case s.IfExpr():
                with self.deciding(expr.condition) as outcome:
                    if outcome is None:
                        return POISON
                    return self.evaluate(expr.then if outcome else expr.otherwise)
            case s.Paren((inner,)):
                return self.evaluate(inner)
            case s.Paren():
                return tuple(self.evaluate(item) for item in expr.items)
            case s.Unary():
                return self._unary(expr.op, self.evaluate(expr.operand), expr.span)
            case s.ListExpr():
                return self.list_of(expr.items)
            case s.Index():
                value, index = self.evaluate(expr.value), self.evaluate(expr.index)
                try:
                    return self.read(self._index(value, index, expr))
                except Refused as error:
                    raise self.blamed(error, expr) from None
            case s.NoneLiteral():
                return scalar(None)
            case s.Comprehension():
                return self.comprehension(expr)
            case s.Each():
                help = "s1: blocks: - ffn(expansion = each [4, 3])"
                message = "'each' gives values to the blocks of a stage; this is no block of a stage"
                raise Refused("E0406", message, expr.span, help)
            case s.Repeat():
                raise Refused("E0403", "a repetition stands in a list", expr.span)
            case s.Choose():
                return self.choice(expr)
            case s.Rest():
                message = "'...' stands first in the shapes of a block, where that of a tensor begins with it"
                raise Refused("E0301", message, expr.span, "block mlp(x: [..., dim]) -> [..., dim] { ... }")
            case s.Quantity(number, unit):
                message = f"{number}{unit} has a unit, which only 'subject to' knows"
                raise Refused("E0403", message, expr.span, "write the number out")

    def scalar_of(self, expr: s.Expr, what: str) -> Scalar | Poison:
        """The value of an expression that must be a number, a truth or none."""
        value = self.evaluate(expr)
        if isinstance(value, (Scalar, Poison)):
            return value
        raise Refused("E0403", f"{what} is a number, got {describe(value)}", expr.span)

    def truth_of(self, condition: s.Expr) -> Scalar | Poison:
        """The value of a condition, which must be true or false; raises `Refused`."""
        value = self.evaluate(condition)
        if isinstance(value, Poison) or (isinstance(value, Scalar) and isinstance(value.value, bool)):
            return value
        message = f"a condition is true or false, got {describe(value)}"
        raise Refused("E0403", message, condition.span, "compare it with something")

    def _name(self, expr: s.Name) -> Value:
        known_value = self.lookup(expr.id)
        if known_value is not None:
            return self.read(known_value)
        found = callable_named(expr.id, self.unit, expr.span)
        if found is not None:
            return found
        message = f"unknown name {expr.id!r}"
        raise Refused("E0201", message, expr.span, self._unknown_help(expr.id))

    def _unknown_help(self, name: str) -> str:
        if any(name in options for op in OPS.values() for options in op.choices.values()):
            return f'a string stands in double quotes: "{name}"'
        known = [*self.env, *self.unit.blocks, *OPS, "none", "true", "false"]
        return did_you_mean(name, known if nearest(name, known) else self.env, "names")

    def _unary(self, op: str, value: Value, span: Span) -> Value:
        if isinstance(value, Poison):
            return POISON
        if op == "-" and isinstance(value, Tensor):
            return self.add_op(OPS["neg"](), [value], None, span)
        if not isinstance(value, Scalar) or value.value is None:
            raise Refused("E0403", f"{op!r} takes a number, got {describe(value)}", span)
        if op == "not" and not isinstance(value.value, bool):
            raise Refused("E0403", f"'not' takes true or false, got {describe(value)}", span)
        return apply("neg" if op == "-" else "not", value)

    def _binary(self, op: str, a: Value, b: Value, expr: s.Binary) -> Value:
        if isinstance(a, Poison) or isinstance(b, Poison):
            return POISON
        if op == "is":
            if isinstance(a, Scalar):
                return apply("is_none", a)
            return scalar(False)
        if isinstance(a, Tensor) or isinstance(b, Tensor):
            return self._tensor_binary(op, a, b, expr)
        if op == "+" and is_list(a) and is_list(b):
            if len(a) + len(b) > LONGEST_LIST:
                message = f"this list has {len(a) + len(b):,} elements (limit {LONGEST_LIST:,})"
                raise Refused("E0602", message, expr.span)
            self.spend(len(a) + len(b), expr.span)
            return [*a, *b]
        if op in ("==", "!=") and (isinstance(a, str) or isinstance(b, str)):
            return scalar((a == b) == (op == "=="))
        if not isinstance(a, Scalar) or not isinstance(b, Scalar):
            wrong = a if not isinstance(a, Scalar) else b
            raise Refused("E0403", f"{op!r} takes numbers, got {describe(wrong)}", expr.span)
        if None in (a.value, b.value) and op not in ("==", "!="):
            message = f"{op!r} takes numbers, got none"
            raise Refused("E0403", message, expr.span, "ask 'is none' first")
        truths = isinstance(a.value, bool), isinstance(b.value, bool)
        if op in ("and", "or") and not all(truths):
            wrong = b if truths[0] else a
            message = f"{op!r} takes true or false, got {describe(wrong)}"
            raise Refused("E0403", message, expr.span)
        if op not in ("and", "or", "==", "!=") and any(truths):
            raise Refused("E0403", f"{op!r} takes numbers, got a truth", expr.span)
        if op == "@":
            raise Refused("E0403", "'@' multiplies tensors", expr.span, "numbers take '*'")
        try:
            if op == "/" and not self.is_rounded and isinstance(a.value, int) and isinstance(b.value, int):
                self.guards.append((Apply("%", (a.term, b.term)), 0))
                return _exact_quotient(a, b, expr)
            return apply(op, a, b)
        except ScalarError as error:
            raise Refused("E0303", str(error), expr.span) from None

    def _tensor_binary(self, op: str, a: Value, b: Value, expr: s.Binary) -> Value:
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            if op in _TENSOR_OPS:
                return self.add_op(OPS[_TENSOR_OPS[op]](), [a, b], None, expr.span)
        elif isinstance(a, Tensor) and isinstance(b, Scalar):
            if op in _NUMBER_OPS:
                return self._with_number(_NUMBER_OPS[op], a, b, expr.span)
        elif isinstance(a, Scalar) and isinstance(b, Tensor):
            if op in ("+", "*"):
                return self._with_number(_NUMBER_OPS[op], b, a, expr.span)
            if op == "-":
                return self._with_number("number_minus", b, a, expr.span)
        message = f"{op!r} can't join {describe(a)} and {describe(b)}"
        raise Refused("E0403", message, expr.span)

    def _with_number(self, kind: str, tensor: Tensor, number: Scalar, span: Span) -> Value:
        op = make_op(OPS[kind], [(None, number, span)], span)
        return op if isinstance(op, Poison) else self.add_op(op, [tensor], None, span)

    # --- lists

    def list_of(self, items: tuple[s.Expr, ...], first: int = 0) -> list[Value]:
        """The elements of a list; `first` is the index of the first of them."""
        result: list[Value] = []
        for item in items:
            index = first + len(result)
            if not isinstance(item, s.Repeat):
                result.append(self.element(item, index))
            elif isinstance(item.value, s.Each):
                count = self.count_of(item.count, len(result))
                result += self.elements_each(item.value, index, count)
            else:
                value = self.element(item.value, index)
                result.extend([value] * self.count_of(item.count, len(result)))
            if len(result) > LONGEST_LIST:
                message = f"this list has more than {LONGEST_LIST:,} elements"
                raise Refused("E0602", message, item.span)
        return result

    def count_of(self, expr: s.Expr, already: int = 0) -> int:
        """How often something is repeated; raises `Refused` beyond `LONGEST_LIST` in all."""
        count = self.scalar_of(expr, "a repetition")
        if isinstance(count, Poison):
            return 0
        value = count.value
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            message = f"a repetition is a whole number from 0, got {describe(count)}"
            raise Refused("E0403", message, expr.span)
        if value + already > LONGEST_LIST:
            message = f"this expands to {value + already:,} elements (limit {LONGEST_LIST:,})"
            raise Refused("E0602", message, expr.span)
        self.spend(value, expr.span)
        return value

    def elements(self, expr: s.Expr, what: str) -> list[Value]:
        """The elements of a list expression; raises `Refused` for anything else."""
        value = self.evaluate(expr)
        if isinstance(value, Poison):
            return []
        if not isinstance(value, (list, tuple)) or isinstance(value, (Scalar, Tensor)):
            raise Refused("E0403", f"{what} is a list, got {describe(value)}", expr.span)
        self.spend(len(value), expr.span)
        return list(value)

    def _index(self, value: Value, index: Value, expr: s.Index) -> Value:
        if isinstance(value, Poison) or isinstance(index, Poison):
            return POISON
        if not isinstance(value, list):
            raise Refused("E0403", f"only a list has elements, not {describe(value)}", expr.span)
        number = index.value if isinstance(index, Scalar) else None
        if isinstance(number, bool) or not isinstance(number, int):
            raise Refused("E0403", f"an index is a whole number, got {describe(index)}", expr.span)
        if not -len(value) <= number < len(value):
            message = f"there is no element {number} in a list of {len(value)}"
            raise Refused("E0407", message, expr.span, f"elements are 0 to {len(value) - 1}")
        return value[number]

    def comprehension(self, expr: s.Comprehension) -> Value:
        """The list that a comprehension makes."""
        before = self.env.get(expr.name)
        result: list[Value] = []
        for element in self.elements(expr.values, "what 'for' goes over"):
            self.env[expr.name] = element
            result.append(self.element(expr.item, len(result)))
        if before is None:
            self.env.pop(expr.name, None)
        else:
            self.env[expr.name] = before
        return result


def _exact_quotient(a: Scalar, b: Scalar, expr: s.Binary) -> Scalar:
    """`a / b` of whole numbers is a whole number, or refused: what is written must not depend on values."""
    if b.value != 0 and a.int % b.int:
        message = f"{describe(a)} / {describe(b)} is not a whole number"
        help = "'//' rounds down, ceil(a / b) up; for a real number write one operand with a point"
        raise Refused("E0303", message, expr.span, help)
    return apply("//", a, b)
