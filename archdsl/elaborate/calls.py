"""Calls in expressions: of functions, primitives, blocks and modules, with labels and in pipes."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl import syntax as s
from archdsl.elaborate.expressions import Args, Expressions
from archdsl.elaborate.functions import FUNCTIONS, Function
from archdsl.elaborate.values import (
    POISON,
    BlockRef,
    ModuleRef,
    OpRef,
    Poison,
    Refused,
    Tensor,
    Value,
    callable_named,
    describe,
    is_list,
    is_poisoned,
    make_op,
    not_found_help,
)
from archdsl.ops import OPS
from archdsl.scalar import Scalar, ScalarError, apply
from archdsl.source import Span


class Calls(Expressions):
    """Evaluates calls; a subclass says what they make."""

    def call_block(
        self,
        ref: BlockRef,
        args: Args,
        tensors: list[Tensor],
        label: str | None,
        span: Span,
        again: int | None = None,
    ) -> Value:
        """Apply a block, with the weights of the node `again` where there is one; raises `Refused`."""
        raise NotImplementedError

    def call_module(self, module: ModuleRef, tensors: list[Tensor], span: Span) -> Value:
        """Call a module again; raises `Refused`."""
        raise NotImplementedError

    def step(self, value: Value, step: s.Expr) -> Value:
        if isinstance(step, s.Labelled):
            return self.labelled(step, value)
        assert isinstance(step, (s.Name, s.Call))
        call = s.as_call(step)
        return self.call(call.name, call.args, value, None, call.span, call.name_span)

    def label_text(self, label: str, index: s.Expr | None) -> str:
        """The key that a label makes: `conv`, or `conv.2` where it carries an index."""
        if index is None:
            return label
        value = self.scalar_of(index, "the index of a label")
        number = value.value if isinstance(value, Scalar) else 0
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            message = "the index of a label is a whole number from 0"
            raise Refused("E0403", message, index.span)
        return f"{label}.{number}"

    def labelled(self, expr: s.Labelled, piped: Value | None) -> Value:
        label = self.label_text(expr.label, expr.index)
        call = s.as_call(expr.call)
        result = self.call(call.name, call.args, piped, label, expr.span, call.name_span)
        if isinstance(result, (OpRef, BlockRef)):
            return ModuleRef(label, result, expr.span)
        return result

    def arguments(self, args: tuple[s.Argument, ...]) -> Args:
        """Evaluate arguments; each mistake is reported and the rest go on."""
        result: Args = []
        for arg in args:
            try:
                value = self.evaluate(arg.value)
            except Refused as error:
                self.report(error)
                value = POISON
            result.append((arg.name, value, arg.span))
        return result

    def call(
        self,
        name: str,
        arg_exprs: tuple[s.Argument, ...],
        piped: Value | None,
        label: str | None,
        span: Span,
        name_span: Span,
    ) -> Value:
        callee = self.lookup(name)
        callee = None if callee is None else self.read(callee)
        if isinstance(callee, Poison):
            self.arguments(arg_exprs)
            return POISON
        function = None if isinstance(callee, (OpRef, BlockRef, ModuleRef)) else FUNCTIONS.get(name)
        if function is not None and function.rounds:
            quotient = _quotient(arg_exprs)
            if function.quotient and quotient is not None and piped is None and label is None:
                return self._rounded_quotient(function, quotient, arg_exprs, span)
            with self.rounded(True):
                given = self.arguments(arg_exprs)
        else:
            given = self.arguments(arg_exprs)
        if name == "sum" and function is not None and piped is None and label is None and len(given) == 1:
            ((arg_name, terms, _),) = given
            if arg_name is None and is_list(terms) and _is_tensors(terms):
                return self._total(terms, span)
        tensors: list[Value] = [] if piped is None else _flat(piped)
        args: Args = []
        for arg_name, value, place in given:
            if arg_name is None and _is_tensors(value):
                tensors += _flat(value)
            else:
                args.append((arg_name, value, place))
        if not isinstance(callee, (OpRef, BlockRef, ModuleRef)):
            # A function takes no arguments by name: `sum(axes = -1)` is the primitive, to be chosen or given.
            is_primitive = name in OPS and any(arg.name is not None for arg in arg_exprs)
            if function is not None and not tensors and label is None and not is_primitive:
                return self._function(function, args, arg_exprs, span)
            callee = callable_named(name, self.unit, name_span)
        if callee is None and function is not None:
            message = f"{name} takes numbers and lists, no tensors and no label"
            raise Refused("E0404", message, name_span)
        if callee is None:
            known = [*FUNCTIONS, *self.unit.blocks, *OPS]
            known += [n for n, v in self.env.items() if isinstance(v, (OpRef, BlockRef, ModuleRef))]
            message = f"unknown block or primitive {name!r}"
            raise Refused("E0202", message, name_span, not_found_help(name, known))
        if any(isinstance(tensor, Poison) for tensor in tensors):
            return POISON
        live: list[Tensor] = []
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                message = f"{name} takes tensors, got {describe(tensor)}"
                raise Refused("E0403", message, span)
            live.append(tensor)
        return self.apply(callee, args, live, label, span)

    def apply(
        self,
        callee: OpRef | BlockRef | ModuleRef,
        args: Args,
        tensors: list[Tensor],
        label: str | None,
        span: Span,
        again: int | None = None,
    ) -> Value:
        """Apply a callable to tensors, or give it back with its arguments where there are none.

        `again` is the node that owns the weights that it uses, where that is another one.
        """
        if any(is_poisoned(value) for _, value, _ in args):
            return POISON
        if isinstance(callee, ModuleRef):
            if args:
                message = f"{callee.label!r} is a module; it takes tensors alone"
                raise Refused("E0404", message, span)
            if label is not None:
                message = f"{callee.label!r} is a module, and has its label"
                raise Refused("E0204", message, span, f"leave {label!r} out")
            return self.call_module(callee, tensors, span)
        args = [*callee.args, *args]
        if isinstance(callee, BlockRef):
            named = {p.name for p in callee.block.tensors}
            if not tensors and not any(name in named for name, _, _ in args):
                return callee.replace(args=tuple(args))  # type: ignore[no-any-return]
            return self.call_block(callee, args, tensors, label, span, again)
        if not tensors and callee.op.inputs != 0:
            return callee.replace(args=tuple(args))  # type: ignore[no-any-return]
        op = make_op(callee.op, args, span)
        if isinstance(op, Poison):
            return POISON
        if op.inputs != -1 and op.inputs != len(tensors):
            count = f"{op.inputs} tensor{'' if op.inputs == 1 else 's'}"
            raise Refused("E0404", f"{op.kind} takes {count}, got {len(tensors)}", span)
        return self.add_op(op, tensors, label, span, None if args else callee.through, again)

    def _total(self, terms: Sequence[Value], span: Span) -> Value:
        """The sum of a list of tensors, `a + b + c`; one alone is itself."""
        total = terms[0]
        for term in terms[1:]:
            if isinstance(total, Poison):
                return POISON
            assert isinstance(total, Tensor) and isinstance(term, Tensor)
            total = self.add_op(OPS["add"](), [total, term], None, span)
        return total

    def _function(self, function: Function, args: Args, exprs: tuple[s.Argument, ...], span: Span) -> Value:
        if any(is_poisoned(value) for _, value, _ in args):
            return POISON
        for arg_name, _, place in args:
            if arg_name is not None:
                raise Refused("E0401", f"{function.name} has no argument {arg_name!r}", place)
        values = [
            value if function.keeps_open and is_list(value) else self.read_whole(value) for _, value, _ in args
        ]
        try:
            result = function.value(function, values, span)
            self.spend(len(result) if isinstance(result, list) else len(values), span)
            return result
        except ScalarError as error:
            raise Refused("E0303", str(error), span) from None
        except Refused as refused:
            raise self.blamed(refused, exprs) from None

    def _rounded_quotient(
        self, function: Function, quotient: s.Binary, exprs: tuple[s.Argument, ...], span: Span
    ) -> Value:
        """`ceil(a / b)` and `floor(a / b)`: of whole numbers they are exact, and written with `//`.

        Both operands are evaluated as one argument, once: what they choose is one decision.
        """
        operands = s.Paren((quotient.left, quotient.right), quotient.span)
        with self.rounded(True):
            ((_, pair, place),) = self.arguments((exprs[0].replace(value=operands),))
            if not is_list(pair) or is_poisoned(pair):
                return POISON
            a, b = pair
            value = self._binary("/", a, b, quotient)
        if isinstance(a, Scalar) and isinstance(b, Scalar) and type(a.value) is type(b.value) is int:
            assert function.quotient is not None
            return apply(function.quotient, a, b)
        return self._function(function, [(None, value, place)], exprs, span)


def _quotient(args: tuple[s.Argument, ...]) -> s.Binary | None:
    """`a / b`, where that is all that a function is given."""
    if len(args) != 1 or args[0].name is not None:
        return None
    expr = args[0].value
    while isinstance(expr, s.Paren) and len(expr.items) == 1:
        expr = expr.items[0]
    return expr if isinstance(expr, s.Binary) and expr.op == "/" else None


def _is_tensors(value: Value) -> bool:
    if is_list(value):
        return bool(value) and all(isinstance(item, Tensor) for item in value)
    return isinstance(value, Tensor)


def _flat(value: Value) -> list[Value]:
    return list(value) if is_list(value) else [value]
