"""The nodes of a template: primitives and calls of blocks, their labels, and modules that are called again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from archdsl.elaborate.binding import Called, bind, call_key
from archdsl.elaborate.calls import Calls
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.values import (
    LARGEST_DIM,
    LARGEST_FORMULA,
    POISON,
    BlockRef,
    ModuleRef,
    OpRef,
    Refused,
    Tensor,
    Value,
    is_fixed,
    is_large,
)
from archdsl.graph import Callable, Node, Question, Template
from archdsl.ops import Op, OpError, TensorType
from archdsl.scalar import Apply, Constant, Scalar, ScalarError, Term, substitute
from archdsl.source import ArchError, Span

if TYPE_CHECKING:
    from archdsl.elaborate.templates import Elaborator
    from archdsl.library import Unit

MOST_NODES: Final = 1_000_000
"""A template, and a network of templates, has at most so many nodes."""


class NodeElaborator(Calls):
    """Makes the nodes of one template, with tensors numbered and labels owned."""

    def __init__(self, shared: Elaborator, unit: Unit, name: str) -> None:
        self.shared = shared
        self.unit = unit
        self.name = name
        self.env: dict[str, Value] = {}
        self.nodes: list[Node] = []
        self.types: dict[int, TensorType] = {}
        self.names: dict[int, str] = {}
        self.lets: dict[str, Scalar] = {}
        self.usual: dict[str, Constant] = {}
        self.labels: dict[str, Span] = {}
        self.indexed: dict[str, bool] = {}
        self.listed: dict[str, bool] = {}
        self.within: tuple[Question, ...] = ()
        """The decisions that nodes stand in now: what branches of generated classes are made of."""
        self.size = 0
        # What making the same with other numbers relies on (archdsl/elaborate/replay.py).
        self.guards: list[tuple[Term, Constant]] = []
        self.called: dict[int, Called] = {}
        self.raw: list[tuple[TensorType, ...]] = []

    def report(self, error: Refused) -> None:
        self.shared.report(error)

    def spend(self, count: int, span: Span) -> None:
        self.shared.spend(count, span)

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

    def _listed(self, label: str | None, kind: str | None, span: Span) -> None:
        """Raise `Refused` where one label with indices is used for parameters and for modules, or a buffer."""
        is_parameter = kind == "parameter"
        first, indexed, _ = (label or "").partition(".")
        if indexed and kind == "buffer":
            help = "give each buffer a label of its own"
            raise Refused("E0204", f"torch has no lists of buffers, and {first!r} would be one", span, help)
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
            self._listed(label, op.kind, span)
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
            self._listed(label, None, span)
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
