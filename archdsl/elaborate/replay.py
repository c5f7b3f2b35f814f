"""Templates of one block that differ in numbers alone: one is made by running the block, the others by
computing its terms with their own numbers.

What a block does depends on its numbers only where they decide something: in `if` and `require`, in exact
quotients, in the shapes of primitives. All of that is asked again; where one answer differs, or anything is
refused, the block is run, as it is where it has loops or indices. tests/test_replay.py runs every block too
and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from archdsl import syntax as s
from archdsl.elaborate.binding import Bound, Called, Signature, usual_value, usual_values
from archdsl.elaborate.functions import FUNCTIONS
from archdsl.elaborate.values import (
    ATTRIBUTE_TYPES,
    LARGEST_DIM,
    SCALAR_TYPES,
    BlockRef,
    Refused,
    Tensor,
    is_fixed,
    key_of,
)
from archdsl.graph import Argument, Decision, Node, Template
from archdsl.ops import Op, OpError, TensorType
from archdsl.ops.base import Pointwise
from archdsl.scalar import Constant, Scalar, ScalarError, Term, evaluate, is_constant

if TYPE_CHECKING:
    from archdsl.elaborate.blocks import BlockElaborator
    from archdsl.elaborate.templates import Elaborator

MOST_RECIPES = 4
"""So many templates of one block and of arguments of one kind are tried before the block is run."""


class _Differs(Exception):
    """The numbers decide otherwise."""


class Recipe(NamedTuple):
    """A template, and what its making relied on."""

    template: Template
    calls: dict[int, Called]
    raw: list[tuple[TensorType, ...]]
    """What the primitive or block of each node gave, before the block's own words for it."""
    guards: tuple[tuple[Term, Constant], ...]
    """Terms that decided something, and their values."""
    terms: tuple[tuple[Term, type], ...]
    """The distinct terms of its extents, and the kind of number that each gave."""
    places: dict[Term, int]


def kind_of_call(ref: BlockRef, bound: Bound) -> object | None:
    """What calls share of which one may be made from the other; None where a call is of a kind of its own."""
    kinds: list[object] = [id(ref.block)]
    for value in bound.values.values():
        if isinstance(value, Scalar):
            plain = value.value
            kinds.append((plain,) if plain is None or isinstance(plain, bool) else type(plain))
        elif is_fixed(value):
            kinds.append(key_of(value))
        else:
            return None
    kinds += [(tensor.type.rank, tensor.type.batched) for tensor in bound.tensors]
    return tuple(kinds)


_SIMPLE = (
    s.Let, s.Return, s.Output, s.Require, s.If, s.Init, s.Num, s.Str, s.Bool, s.NoneLiteral, s.Name, s.Unary,
    s.Binary, s.Call, s.Labelled, s.Pipe, s.Paren, s.IfExpr, s.ListExpr, s.Target, s.Shape, s.Argument,
    s.LabelPath,
)  # fmt: skip


def is_simple(block: s.Block) -> bool:
    """Whether numbers decide nothing in a block but what is asked again: no loops, no indices."""
    for part in s.parts_of(block.body, object):
        if not isinstance(part, _SIMPLE):
            return False
        if isinstance(part, s.Call) and part.name in FUNCTIONS and FUNCTIONS[part.name].counts:
            return False
        if isinstance(part, s.Labelled) and part.index is not None:
            return False
        if isinstance(part, s.Binary) and part.op == "**" and not isinstance(part.right, s.Num | s.Unary):
            return False
        if isinstance(part, s.Init) and not all(
            isinstance(arg.value, s.Num) for arg in getattr(part.value, "args", ())
        ):
            return False
    return True


def recipe_of(builder: BlockElaborator, template: Template) -> Recipe | None:
    """How to make templates like one that was made; None where it takes a run."""
    if builder.pinned or any(node.module != index for index, node in enumerate(template.nodes)):
        return None
    kinds: dict[Term, type] = {}
    for type_ in template.types.values():
        for extent in type_.shape:
            kinds.setdefault(extent.term, type(extent.value))
    if any(called.depends for called in builder.called.values()):
        return None
    terms = tuple(kinds.items())
    places = {term: place for place, (term, _) in enumerate(terms)}
    return Recipe(
        template,
        builder.called,
        builder.raw,
        tuple(builder.guards),
        terms,
        places,
    )


def replay(shared: Elaborator, recipe: Recipe, ref: BlockRef, bound: Bound) -> Template | None:
    """The template for other numbers, or None where only a run can tell.

    That is where they decide otherwise, or a size, a primitive or a block inside refuses them: a run tells it
    at its place. What else is raised is a fault of ours.
    """
    try:
        return _Replay(shared, recipe, ref, bound).template()
    except (_Differs, Refused, OpError, ScalarError):
        return None


class _Replay:
    """One template made from another."""

    def __init__(self, shared: Elaborator, recipe: Recipe, ref: BlockRef, bound: Bound) -> None:
        self.shared, self.recipe, self.ref, self.bound = shared, recipe, ref, bound
        self.names: dict[str, Constant] = {name: pair.value for name, pair in bound.extents}
        self.names.update((name, pair.value) for name, pair in bound.scalars.items())
        self.signature = shared.signature(ref)

    def template(self) -> Template:
        recipe, old, names = self.recipe, self.recipe.template, self.names
        lets = []
        for name, pair in old.lets:
            value = names[name] = _kept(evaluate(pair.term, names), type(pair.value))
            lets.append((name, Scalar(value, pair.term)))
        for term, value in recipe.guards:
            if evaluate(term, names) != value:
                raise _Differs
        self.pairs = [Scalar(_kept(evaluate(term, names), kind), term) for term, kind in recipe.terms]
        self.types: dict[int, TensorType] = {}
        made: dict[int, TensorType] = {}
        for number, type_ in old.types.items():
            known = made.get(id(type_))
            if known is None:
                known = made[id(type_)] = self._type(type_)
            self.types[number] = known
        for (_, number), tensor in zip(old.inputs, self.bound.tensors, strict=True):
            if self.types[number].values != tensor.type.values:
                raise _Differs
        nodes = tuple([self._node(index, node) for index, node in enumerate(old.nodes)])
        arguments = tuple([Argument(a.name, a.type, a.default, self.names[a.name]) for a in old.arguments])
        extents = tuple([(name, pair.int) for name, pair in self.bound.extents])
        # Not replace(): of many thousand blocks, that takes a hundredth of the time of all.
        return Template(
            block=old.block,
            doc=old.doc,
            extents=extents,
            arguments=arguments,
            inputs=old.inputs,
            nodes=nodes,
            outputs=old.outputs,
            training_outputs=old.training_outputs,
            types=self.types,
            names=old.names,
            lets=tuple(lets),
            decisions=self._decisions(),
            inits=old.inits,
            span=old.span,
            callables=old.callables,
            axes=old.axes,
        )

    def _pair(self, old: Scalar) -> Scalar:
        """The pair of the same term, with its value here."""
        if is_constant(old.term):
            return old
        place = self.recipe.places.get(old.term)
        if place is not None:
            found = self.pairs[place]
            if type(found.value) is type(old.value):
                return found
        return Scalar(_kept(evaluate(old.term, self.names), type(old.value)), old.term)

    def _type(self, old: TensorType) -> TensorType:
        places, pairs = self.recipe.places, self.pairs
        shape = tuple([pairs[places[extent.term]] for extent in old.shape])
        for extent in shape:
            if not 1 <= extent.int <= LARGEST_DIM:
                raise _Differs
        return TensorType(shape, old.batched)

    def _node(self, index: int, node: Node) -> Node:
        inputs = [self.types[number] for number in node.inputs]
        raw = self.recipe.raw[index]
        if node.op is None:
            return self._call(index, node, inputs)
        op = self._op(node.op)
        keeps = type(op).shape is Pointwise.shape and raw[0] is self.recipe.template.types[node.inputs[0]]
        if keeps:
            # What it gives is what it takes; the block may have said a size of it that is no other's.
            result = self.types[node.outputs[0]]
            if result is not inputs[0] and result.values != inputs[0].values:
                raise _Differs
        else:
            given = op.shape(*inputs)
            for type_, before, number in zip(given, raw, node.outputs, strict=True):
                self._same(type_, before, number)
        # A node of its own: what is known of one is remembered by its identity.
        return Node(
            node.inputs, node.outputs, op, None, (), node.label, node.module, node.span, node.within,
            node.through, node.callables,
        )  # fmt: skip

    def _same(self, type_: TensorType, before: TensorType, number: int) -> None:
        """Raise `_Differs` unless a result has the terms that it had, and the extents that the block says."""
        if type_.values != self.types[number].values or type_.batched != before.batched:
            raise _Differs
        for extent, old in zip(type_.shape, before.shape, strict=True):
            if extent.term != old.term:
                raise _Differs

    def _op(self, old: Op) -> Op:
        """The primitive with its attributes computed anew, and checked as they are for a call."""
        changed: dict[str, object] = {}
        for name in old._fields:
            value = getattr(old, name)
            if isinstance(value, Scalar):
                if not is_constant(value.term):
                    changed[name] = self._attribute(old, name, value)
            elif type(value) is tuple and value:
                if name == "_sizes":
                    changed[name] = tuple([(axis, self._size(size)) for axis, size in value])
                elif any(isinstance(item, Scalar) and not is_constant(item.term) for item in value):
                    changed[name] = tuple([self._attribute(old, name, item) for item in value])
        return old.replace(**changed) if changed else old

    def _attribute(self, op: Op, name: str, old: Scalar) -> Scalar:
        pair = self._pair(old)
        if pair.value is not None and SCALAR_TYPES[ATTRIBUTE_TYPES[op.parameters[name].type]](pair.value):
            raise _Differs
        return pair

    def _size(self, old: Scalar) -> Scalar:
        pair = self._pair(old)
        if SCALAR_TYPES["dim"](pair.value):
            raise _Differs
        return pair

    def _call(self, index: int, node: Node, inputs: list[TensorType]) -> Node:
        called, old = self.recipe.calls[index], node.child
        assert old is not None
        signature = self.shared.signature(called.ref)
        bound = Bound()
        binds = tuple([(name, self._pair(pair)) for name, pair in node.binds])
        bound.tensors = [Tensor(number, type_) for number, type_ in zip(node.inputs, inputs, strict=True)]
        known = dict(binds)
        for name, value in called.values.items():
            if isinstance(value, Scalar):
                value = known[name]
                _check(signature, name, value)
                bound.scalars[name] = value
            bound.values[name] = value
        bound.extents = [(name, known[name]) for name, _ in called.extents]
        _check_extents(called.ref, bound)
        child = self.shared.template(called.ref, bound, node.span)
        if child is None or child.owns_weights != old.owns_weights or child.has_modes != old.has_modes:
            raise _Differs
        for number, inner, before in zip(node.outputs, child.outputs, old.outputs, strict=True):
            type_, like = child.types[inner], old.types[before]
            if type_.values != self.types[number].values or type_.batched != like.batched:
                raise _Differs
            # In the caller's words results are what the child's words say: these must be as they were.
            if [extent.term for extent in type_.shape] != [extent.term for extent in like.shape]:
                raise _Differs
        if [(name, pair.term) for name, pair in child.lets] != [(name, pair.term) for name, pair in old.lets]:
            raise _Differs
        return Node(
            node.inputs, node.outputs, None, child, binds, node.label, node.module, node.span, node.within,
            node.through, node.callables,
        )  # fmt: skip

    def _decisions(self) -> tuple[Decision, ...]:
        """The decisions, and whether they are unusual for these numbers."""
        old = self.recipe.template.decisions
        if all(decision.term is None for decision in old):
            return old
        usual = usual_values(self.signature, self.bound)
        for name, pair in self.recipe.template.lets:
            usual[name] = usual_value(pair.term, usual, self.names[name])
        result: list[Decision] = []
        for decision in old:
            if decision.term is not None:
                is_unusual = usual_value(decision.term, usual, decision.outcome) != decision.outcome
                decision = decision.replace(unusual=is_unusual)
            result.append(decision)
        return tuple(result)


def _kept(value: Constant, kind: type) -> Constant:
    """The value as the kind of number that it was: one that was taken for a ratio has a point."""
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    raise _Differs


def _check(signature: Signature, name: str, pair: Scalar) -> None:
    declared = signature.params[name].type
    assert declared is not None
    if pair.value is not None and SCALAR_TYPES[declared.name](pair.value):
        raise _Differs


def _check_extents(ref: BlockRef, bound: Bound) -> None:
    """Raise `_Differs` unless the tensors have the extents that the signature says."""
    known: Mapping[str, Scalar] = dict(bound.extents)
    for param, tensor in zip(ref.block.tensors, bound.tensors, strict=True):
        for expr, extent in zip(param.shape.extents, tensor.type.shape, strict=True):
            wanted = known[expr.id].value if isinstance(expr, s.Name) else getattr(expr, "value", None)
            if extent.value != wanted:
                raise _Differs
