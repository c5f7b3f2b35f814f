"""Making a template: the statements of a block, run once for its arguments and input shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from archdsl import syntax as s
from archdsl.elaborate.binding import Called, bind, call_key, usual_value
from archdsl.elaborate.expressions import Args, Expressions
from archdsl.elaborate.inits import initialisation
from archdsl.elaborate.values import (
    LARGEST_DIM,
    LARGEST_FORMULA,
    POISON,
    BlockRef,
    ModuleRef,
    OpRef,
    Poison,
    Refused,
    Tensor,
    Value,
    describe,
    is_fixed,
    is_large,
    is_list,
)
from archdsl.graph import Callable, Decision, Initialisation, Node, Question, Template
from archdsl.ops import Op, OpError, TensorType, shape_text
from archdsl.scalar import (
    Apply,
    Constant,
    Scalar,
    ScalarError,
    Term,
    Var,
    human_text,
    is_constant,
    substitute,
    variable,
)
from archdsl.source import ArchError, Span, did_you_mean

if TYPE_CHECKING:
    from archdsl.elaborate.templates import Elaborator
    from archdsl.library import Unit

MOST_NODES: Final = 1_000_000
"""A template, and a network of templates, has at most so many nodes."""


class BlockElaborator(Expressions):
    """Runs the statements of one block; `template` is what comes out."""

    def __init__(self, shared: Elaborator, unit: Unit, name: str) -> None:
        self.shared = shared
        self.unit = unit
        self.name = name
        self.env: dict[str, Value] = {}
        self.nodes: list[Node] = []
        self.types: dict[int, TensorType] = {}
        self.names: dict[int, str] = {}
        self.lets: dict[str, Scalar] = {}
        self.decisions: list[Decision] = []
        self.pins: dict[str, Scalar] = {}
        self.inits: list[Initialisation] = []
        self.labels: dict[str, Span] = {}
        self.indexed: dict[str, bool] = {}
        self.listed: dict[str, bool] = {}
        self.usual: dict[str, Constant] = {}
        self.actual: dict[str, Constant] = {}
        """What the names in terms stand for, whatever the document has given them to since."""
        self.unusual_callables: set[str] = set()
        self.returned: list[Value] | None = None
        self.trained: list[Value] | None = None
        self.return_span: Span | None = None
        self.size = 0
        # What making the same with other numbers relies on (archdsl/elaborate/replay.py).
        self.guards: list[tuple[Term, Constant]] = []
        self.called: dict[int, Called] = {}
        self.raw: list[tuple[TensorType, ...]] = []
        self.pinned = False
        self.within: tuple[Question, ...] = ()
        """The decisions that nodes stand in now: what branches of generated classes are made of."""

    def report(self, error: Refused) -> None:
        self.shared.report(error)

    def spend(self, count: int, span: Span) -> None:
        self.shared.spend(count, span)

    # --- nodes

    def tensor(self, type_: TensorType) -> Tensor:
        """A new tensor of this template."""
        number = len(self.types)
        self.types[number] = type_
        return Tensor(number, type_)

    def own(self, label: str | None, span: Span) -> None:
        """Note a label; raises `Refused` where it is taken."""
        if label is None:
            return
        if label in self.labels:
            raise label_twice(label, span, self.labels[label])
        first, indexed, _ = label.partition(".")
        if self.indexed.setdefault(first, bool(indexed)) != bool(indexed):
            message = f"the label {first!r} is used with and without an index"
            raise Refused("E0204", message, span)
        if first in self.usual or first in self.lets:
            message = f"the label {first!r} is also the name of an argument or number of this block"
            raise Refused("E0204", message, span, "both become attributes; rename one")
        self.labels[label] = span

    def _listed(self, label: str | None, is_parameter: bool, span: Span) -> None:
        """Raise `Refused` where one label with indices is used for parameters and for modules."""
        first, indexed, _ = (label or "").partition(".")
        if indexed and self.listed.setdefault(first, is_parameter) != is_parameter:
            message = f"the label {first!r} is used for parameters and for modules"
            raise Refused("E0204", message, span, "they become lists of different kinds; rename one")

    def add_op(
        self,
        op: Op,
        tensors: list[Tensor],
        label: str | None,
        span: Span,
        through: str | None = None,
        again: int | None = None,
    ) -> Value:
        inputs = tuple(tensor.type for tensor in tensors)
        try:
            outputs = op.shape(*inputs)
            owns = bool(op.weights(*inputs))
        except OpError as error:
            raise Refused("E0302", str(error), span, error.help) from None
        except ScalarError as error:
            raise Refused("E0303", str(error), span) from None
        for output in outputs:
            if output in inputs:
                continue  # checked where it was made
            for extent in output.shape:
                if not 1 <= extent.int <= LARGEST_DIM:
                    message = f"{op.kind} gives an extent of {extent.value}"
                    raise Refused("E0303", message, span, f"extents are 1 to {LARGEST_DIM}")
        if owns and label is None:
            raise _needs_label(op.kind, span)
        self._check_room(None, (), outputs, span)
        if again is None:
            self.own(label, span)
            self._listed(label, op.kind == "parameter", span)
        else:
            first = self.nodes[again]
            assert first.op is not None
            if _extents_of(op, inputs) != _extents_of(first.op, [self.types[v] for v in first.inputs]):
                raise _made_for_another(first, span)
        results = self._append(tensors, outputs, op, None, (), label, span, through, (), again)
        return results[0] if len(results) == 1 else tuple(results)

    def _check_room(
        self,
        child: Template | None,
        binds: tuple[tuple[str, Scalar], ...],
        types: Sequence[TensorType],
        span: Span,
    ) -> None:
        """Check that a node is within the bounds; raises `Refused`, and `ArchError` where nothing may go on."""
        if len(self.nodes) >= MOST_NODES:
            message = f"this block expands to more than {MOST_NODES:,} calls"
            raise Refused("E0602", message, span)
        if self.size + self._size(child) > MOST_NODES:
            message = f"with this call, there are more than {MOST_NODES:,} operations"
            self.report(Refused("E0602", message, span, "does each block call another one twice?"))
            raise ArchError(self.shared.errors)
        formulas = [pair for _, pair in binds if type(pair.term) is Apply]
        for type_ in types:
            formulas += [extent for extent in type_.shape if type(extent.term) is Apply]
        if formulas and any(map(is_large, formulas)):
            message = f"a size here is a formula of more than {LARGEST_FORMULA} operations"
            help = "write y: [C, h, w] = ... now and then: that names the sizes"
            raise Refused("E0602", message, span, help)

    def _size(self, child: Template | None) -> int:
        """How many primitives a node is."""
        return 1 if child is None else self.shared.size(child)

    def _append(
        self,
        inputs: Sequence[Tensor],
        types: Sequence[TensorType],
        op: Op | None,
        child: Template | None,
        binds: tuple[tuple[str, Scalar], ...],
        label: str | None,
        span: Span,
        through: str | None,
        callables: tuple[Callable, ...],
        module: int | None = None,
    ) -> list[Tensor]:
        """Add a node, which owns what it uses unless it is of the module of another one; gives its results."""
        self.size += self._size(child)
        results = [self.tensor(type_) for type_ in types]
        taken = tuple([number for number, _ in inputs])
        given = tuple([number for number, _ in results])
        owner = len(self.nodes) if module is None else module
        node = Node(taken, given, op, child, binds, label, owner, span, self.within, through, callables)
        self.nodes.append(node)
        self.raw.append(tuple(types))
        return results

    def has_room(self, node: Node) -> bool:
        """Whether a node like this one can be added within the bounds."""
        return len(self.nodes) < MOST_NODES and self.size + self._size(node.child) <= MOST_NODES

    def add_again(
        self, node: Node, inputs: Sequence[Tensor], types: Sequence[TensorType], label: str | None
    ) -> list[Tensor]:
        """Add a node like one that there is, on other tensors of the same types; there must be room for it."""
        return self._append(
            inputs, types, node.op, node.child, node.binds, label, node.span, None, node.callables
        )

    def call_block(
        self,
        ref: BlockRef,
        args: Args,
        tensors: list[Tensor],
        label: str | None,
        span: Span,
        again: int | None = None,
    ) -> Value:
        ref = self.shared.with_axes(ref, args, tensors)
        key = call_key(ref, args, tensors)
        called = self.shared.calls.get(key) if key is not None else None
        if called is None:
            called = self._called(ref, args, tensors, span)
            if called is None:
                return POISON
            if key is not None:
                self.shared.calls[key] = called
        if label is None and called.child.owns_weights:
            raise _needs_label(ref.name, span)
        self._check_room(called.child, called.binds, called.types, span)
        if again is None:
            self.own(label, span)
            self._listed(label, False, span)
        elif self.nodes[again].child is not called.child:
            raise _made_for_another(self.nodes[again], span)
        self.called[len(self.nodes)] = called
        taken = called.tensors or tensors
        given = callables_of(called.values)
        results = self._append(
            taken, called.types, None, called.child, called.binds, label, span, None, given, again
        )
        return results[0] if len(results) == 1 else tuple(results)

    def _called(self, ref: BlockRef, args: Args, tensors: list[Tensor], span: Span) -> Called | None:
        """What a call comes to; None after an error that has been reported."""
        bound = bind(ref, self.shared.signature(ref), args, tensors, span)
        child = self.shared.template(ref, bound, span) if bound is not None else None
        if bound is None or child is None:
            return None
        names = {**dict(bound.extents), **bound.scalars}
        for let, pair in child.lets:
            names[let] = substitute(pair.term, names)
        declared = [child.types[value] for value in child.outputs]
        types = [
            TensorType(tuple([substitute(extent.term, names) for extent in type_.shape]), type_.batched)
            for type_ in declared
        ]
        binds = (*bound.extents, *bound.scalars.items())
        renamed = None if bound.tensors == tensors else bound.tensors
        depends = bound.depends or not all(
            is_fixed(value) for value in bound.values.values() if not isinstance(value, Scalar)
        )
        return Called(child, binds, types, renamed, ref, bound.values, bound.extents, depends)

    def call_module(self, module: ModuleRef, tensors: list[Tensor], span: Span) -> Value:
        if not tensors:
            raise Refused("E0404", f"{module.label!r} is called without a tensor", span)
        before = len(self.nodes)
        result = self.apply(module.callee, [], tensors, module.label, span, module.node)
        if module.node is None and len(self.nodes) > before:
            module.node = before  # a call that is refused makes nothing that the next could be of
        return result

    # --- decisions

    @contextmanager
    def deciding(self, condition: s.Expr) -> Iterator[bool | None]:
        before = self.within
        outcome, term = self._decided(condition)
        if outcome is not None and term is not None:
            self.within = (*before, (term, outcome))
        try:
            yield outcome
        finally:
            self.within = before

    def _decided(self, condition: s.Expr) -> tuple[bool | None, Term | None]:
        """The outcome of a condition, and the term that was asked where names decide, noted as a decision."""
        try:
            truth = self.truth_of(condition)
        except Refused as error:
            self.report(error)
            return None, None
        if isinstance(truth, Poison):
            return None, None
        outcome, term = truth.value is True, truth.term
        if is_constant(term):
            callables = [name for name in _names_of(condition) if name in self.unusual_callables]
            if callables:
                self._note(Decision(callables[0], f"on {callables[0]}", outcome, True))
            return outcome, None
        usual = usual_value(term, self.usual, outcome)
        subject = next(iter(_names_in_order(term)), "")
        self._note(Decision(subject, human_text(term), outcome, usual != outcome, term))
        self.guards.append((term, outcome))
        if outcome:
            self._pin(term)
        return outcome, term

    def _note(self, decision: Decision) -> None:
        if decision not in self.decisions:
            self.decisions.append(decision)

    def _pin(self, term: Term) -> None:
        """A decision that names are equal makes one of them the other: `stride == 1`, `C == out`."""
        match term:
            case Apply("and", (a, b)):
                self._pin(a)
                self._pin(b)
            case Apply("==", (a, b)):
                a, b = self._unfolded(a), self._unfolded(b)
                if isinstance(b, Var) and not (isinstance(a, Var) and a.name in self.usual):
                    a, b = b, a
                if isinstance(a, Var) and (is_constant(b) or isinstance(b, Var)):
                    self.pins[a.name] = Scalar(self.actual[a.name], b)
            case Var(name) if name in self.lets:
                self._pin(self.lets[name].term)

    def _unfolded(self, term: Term) -> Term:
        if isinstance(term, Var) and term.name in self.lets:
            return self.lets[term.name].term
        return term

    # --- statements

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
                self._require(statement)
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

    def _require(self, statement: s.Require) -> None:
        truth = self.truth_of(statement.condition)
        if isinstance(truth, Poison):
            return
        if not is_constant(truth.term):
            self.guards.append((truth.term, True))
        if truth.value is True:
            return
        asked = list(dict.fromkeys(_names_in_order(truth.term)))
        found = [f"{name} = {self.actual[name]}" for name in asked]
        note = "here " + ", ".join(found) if found else None
        raise self.unmet(Refused("E0405", statement.message, statement.span, None, note), statement, asked)

    def unmet(self, error: Refused, statement: s.Require, asked: Sequence[str]) -> Refused:
        """The mistake of a requirement that does not hold, which asks about these names, with its help."""
        if asked:
            error.help = f"{self.name} requires it; its caller decides on {', '.join(asked)}"
            error.asked = asked
        return error

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
            self.names.setdefault(value.number, name)
        self.env[name] = value

    def let_scalar(self, name: str, pair: Scalar) -> Scalar:
        """Give a number a name of its own, unless the name already stands for another one."""
        if name in self.usual or name in self.lets or name in self.labels:
            return pair
        self.lets[name] = pair
        self.usual[name] = usual_value(pair.term, self.usual, pair.value)
        self.actual[name] = pair.value
        return variable(name, pair.value)

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
                self._name_value(expr.id, extent, expr.span)
                bound = self.env[expr.id]
                assert isinstance(bound, Scalar)
                written.append(bound)
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


def callables_of(values: Mapping[str, Value]) -> tuple[Callable, ...]:
    """The arguments that are primitives without arguments of their own."""
    return tuple(
        [
            Callable(name, op, value.through)
            for name, value in values.items()
            if isinstance(value, OpRef) and (op := value.plain()) is not None
        ]
    )


def label_twice(label: str, span: Span, other: Span) -> Refused:
    """The mistake of a label that is taken."""
    help = f"the other stands in {other}"
    if other == span:
        help = f"in a loop a label carries an index: {label}[i]: ..."
    return Refused("E0204", f"the label {label!r} is used twice", span, help)


def _extents_of(op: Op, inputs: Sequence[TensorType]) -> list[tuple[str, list[Constant]]]:
    """What a primitive owns: names and extents."""
    return [(weight.name, [axis.value for axis in weight.axes]) for weight in op.weights(*inputs)]


def _made_for_another(first: Node, span: Span) -> Refused:
    """The mistake of a module that would need other weights than it was made with."""
    message = f"{first.label!r} was made for tensors of another shape"
    return Refused("E0302", message, span, f"it was first called in {first.span}")


def _needs_label(name: str, span: Span) -> Refused:
    message = f"{name!r} owns weights and has no label"
    help = f"write label: {name}(...); the label becomes its key in state_dict"
    return Refused("E0203", message, span, help)


def _names_in_order(term: object) -> list[str]:
    if isinstance(term, Var):
        return [term.name]
    if isinstance(term, Apply):
        return [name for arg in term.args for name in _names_in_order(arg)]
    return []


def _names_of(expr: object) -> list[str]:
    if isinstance(expr, s.Name):
        return [expr.id]
    if isinstance(expr, s.Binary):
        return _names_of(expr.left) + _names_of(expr.right)
    return _names_of(expr.operand) if isinstance(expr, s.Unary) else []
