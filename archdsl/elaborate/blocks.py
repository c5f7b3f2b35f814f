"""Making a template: the statements of a block, run once for its arguments and input shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl import syntax as s
from archdsl.elaborate.binding import usual_value
from archdsl.elaborate.decisions import DecisionElaborator
from archdsl.elaborate.inits import initialisation
from archdsl.elaborate.values import (
    LARGEST_FORMULA,
    POISON,
    Poison,
    Refused,
    Tensor,
    Value,
    describe,
    is_large,
    is_list,
)
from archdsl.graph import Initialisation
from archdsl.ops import shape_text
from archdsl.scalar import Apply, Scalar, Term, free_names, substitute, variable
from archdsl.source import Span, did_you_mean

if TYPE_CHECKING:
    from archdsl.elaborate.templates import Elaborator
    from archdsl.library import Unit


class BlockElaborator(DecisionElaborator):
    """Runs the statements of one block; a template is made of what it has then."""

    def __init__(self, shared: Elaborator, unit: Unit, name: str) -> None:
        super().__init__(shared, unit, name)
        self.inits: list[Initialisation] = []
        self.returned: list[Value] | None = None
        self.trained: list[Value] | None = None
        self.return_span: Span | None = None

    def run(self, statements: tuple[s.Statement, ...]) -> None:
        """Run statements in order; mistakes are reported and what they would bind is poisoned."""
        for place, statement in enumerate(statements):
            self.spend(1, statement.span)
            try:
                self.statement(statement)
            except Refused as error:
                self.report(error)
                if isinstance(statement, s.Let):
                    for target in statement.targets:
                        self.env[target.name] = POISON
                    for extent in statement.shape.extents if statement.shape else ():
                        if isinstance(extent, s.Name):
                            self.env.setdefault(extent.id, POISON)
                if isinstance(statement, (s.Return, s.Require)):
                    # What follows a requirement that does not hold would only repeat it.
                    self.returned = [POISON]
                    self.return_span = statement.span
            if self.returned is None or isinstance(statement, s.Output):
                continue
            if isinstance(statement, s.Return) and place + 1 < len(statements):
                after = statements[place + 1].span
                self.report(Refused("E0207", "nothing runs after 'return'", after, "remove it"))
            return

    def statement(self, statement: s.Statement) -> None:
        """Run one statement; raises `Refused`."""
        match statement:
            case s.Let():
                self._let(statement)
            case s.Return(values):
                self.return_span = statement.span
                self.returned = [self.evaluate(value) for value in values]
                if len(self.returned) == 1 and is_list(self.returned[0]):
                    self.returned = list(self.returned[0])
            case s.Output(mode, value):
                self._output(mode, value, statement.span)
            case s.Require():
                self.require(statement)
            case s.If(condition, then, otherwise):
                with self.deciding(condition) as outcome:
                    if outcome is None:
                        self._poison(then + otherwise)
                    else:
                        self.run(then if outcome else otherwise)
            case s.For(name, values, body):
                for element in self.elements(values, "what 'for' goes over"):
                    self.env[name] = element
                    self.run(body)
            case s.Init():
                self.inits.append(initialisation(statement, self.nodes, self.arguments))
            case _:
                what = type(statement).__name__.lower()
                help = "blocks have lets, if, for, require, init, output and return"
                raise Refused("E0208", f"'{what}' belongs to a network", statement.span, help)

    def _poison(self, statements: tuple[s.Statement, ...]) -> None:
        for statement in statements:
            if isinstance(statement, s.Let):
                for target in statement.targets:
                    self.env[target.name] = POISON
            elif isinstance(statement, s.If):
                self._poison(statement.then + statement.otherwise)
            elif isinstance(statement, s.For):
                self._poison(statement.body)
            elif isinstance(statement, s.Return):
                self.returned, self.return_span = [POISON], statement.span

    def _output(self, mode: str, value: s.Expr, span: Span) -> None:
        if mode not in ("train", "eval"):
            help = did_you_mean(mode, ("train", "eval"), "modes")
            raise Refused("E0209", f"there is no mode {mode!r}", span, help)
        result = self.evaluate(value)
        tensors = list(result) if is_list(result) else [result]
        if mode == "eval":
            self.returned, self.return_span = tensors, span
        else:
            self.trained = tensors

    def _let(self, statement: s.Let) -> None:
        value = self.evaluate(statement.value)
        targets = statement.targets
        if len(targets) > 1:
            parts = list(value) if is_list(value) else []
            if isinstance(value, Poison):
                parts = [POISON] * len(targets)
            if len(parts) != len(targets):
                message = f"{len(targets)} names for {describe(value)}"
                raise Refused("E0408", message, statement.span)
            for target, part in zip(targets, parts, strict=True):
                self._name_value(target.name, part, target.span)
            return
        if statement.shape is not None and isinstance(value, Tensor):
            value = self._typed(value, statement.shape)
        self._name_value(targets[0].name, value, targets[0].span)

    def _name_value(self, name: str, value: Value, span: Span) -> None:
        if isinstance(value, Scalar):
            if is_large(value):
                message = f"{name!r} is a formula of more than {LARGEST_FORMULA} operations"
                raise Refused("E0602", message, span, "give its parts names of their own")
            if isinstance(value.term, Apply):
                value = self.let_scalar(name, value)
        elif isinstance(value, Tensor):
            value = self._as_without_branch(value, self.env.get(name))
            self.names.setdefault(value.number, name)
        self.env[name] = value

    def _as_without_branch(self, value: Tensor, before: Value | None) -> Tensor:
        """A tensor that takes a name over in a branch, in the words of the one that has it without the branch.

        `if C == out { y = x + y }` gives [C, H, W] where y is [out, H, W]; what follows says the same of both.
        """
        if not self.within or not isinstance(before, Tensor) or value.type == before.type:
            return value
        last = self.nodes[-1] if self.nodes else None
        if last is None or last.within != self.within or value.number not in last.outputs:
            return value
        if [*map(self._pinned_term, value.type.shape)] != [*map(self._pinned_term, before.type.shape)]:
            return value
        named = value.type.with_shape(*before.type.shape)
        self.types[value.number] = named
        return Tensor(value.number, named)

    def _pinned_term(self, extent: Scalar) -> Term:
        """The term of an extent with equal names in each other's place."""
        names = {name: variable(name, self.actual[name]) for name in free_names(extent.term)}
        return substitute(extent.term, {**names, **self.pins}).term

    def let_scalar(self, name: str, pair: Scalar) -> Scalar:
        """Give a number a name of its own, unless the name already stands for another one."""
        if name in self.usual or name in self.lets or name in self.labels:
            return pair
        self.lets[name] = pair
        self.usual[name] = usual_value(pair.term, self.usual, pair.value)
        self.actual[name] = pair.value
        return variable(name, pair.value)

    def bind_extent(self, name: s.Name, extent: Scalar) -> Scalar:
        """Give an extent the name that a shape writes for it."""
        self._name_value(name.id, extent, name.span)
        bound = self.env[name.id]
        assert isinstance(bound, Scalar)
        return bound

    def _typed(self, value: Tensor, shape: s.Shape) -> Tensor:
        """Check a tensor against a written shape, and bind the names in it that are new."""
        type_ = value.type
        for expr in shape.extents:
            if isinstance(expr, s.Rest):
                self.evaluate(expr)  # a mistake: where it may stand, it has become names
        if len(shape.extents) != type_.rank:
            message = f"the tensor is {shape_text(type_)}, {len(shape.extents)} extents are written"
            raise Refused("E0301", message, shape.span)
        written: list[Scalar] = []
        for expr, extent in zip(shape.extents, type_.shape, strict=True):
            if isinstance(expr, s.Name) and expr.id not in self.env:
                written.append(self.bind_extent(expr, extent))
                continue
            claim = self.scalar_of(expr, "an extent")
            if isinstance(claim, Poison):
                written.append(extent)
            elif claim.value != extent.value:
                message = f"the tensor is {shape_text(type_)}, not {describe(claim)} here"
                raise Refused("E0301", message, expr.span)
            else:
                written.append(claim)
        named = type_.with_shape(*written)
        self.types[value.number] = named
        return Tensor(value.number, named)
