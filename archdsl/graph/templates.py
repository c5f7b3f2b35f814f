"""Templates: blocks as they are for one set of arguments and input shapes, made of nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

from archdsl.ops import Op, TensorType
from archdsl.record import Record
from archdsl.scalar import Constant, Scalar, Term, free_names
from archdsl.source import Span

Question: TypeAlias = tuple[Term, bool]
"""The term of a compile-time condition, and what it came to."""


class Node(Record):
    """One call: of a primitive (`op`) or of a block (`child`). Tensors are numbers of its template.

    `label` is the key of what it owns; `module` the index of the node that owns it, which differs from
    the node's own where a module is called again.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    op: Op | None
    child: Template | None
    binds: tuple[tuple[str, Scalar], ...]
    label: str | None
    module: int
    span: Span
    within: tuple[Question, ...] = ()
    """The decisions that it stands in: it is there because each of them came out so."""
    through: str | None = None
    """The argument of its block that named the primitive, as in `y |> act`."""
    callables: tuple[Callable, ...] = ()
    """The primitives that it gives to arguments of the block that it calls."""

    @property
    def drops_paths(self) -> bool:
        """Whether it is a drop_path, or a block that holds one."""
        return self.op.kind == "drop_path" if self.op is not None else self.child.drops_paths  # type: ignore[union-attr]

    @property
    def kind(self) -> str:
        """The name of the primitive or block."""
        return self.op.kind if self.op is not None else self.child.block  # type: ignore[union-attr]


class Callable(Record):
    """A primitive as the value of an argument; `through` names the caller's own argument that it came by."""

    name: str
    op: Op
    through: str | None = None


class Argument(Record):
    """A scalar argument of a template, as its class will take it."""

    name: str
    type: str
    default: Scalar | None
    value: Constant


class Decision(Record):
    """A compile-time `if`: the argument and the condition that it asked, the answer, and whether the
    answer differs from what the defaults would give. Or an argument that is another operation than usual."""

    name: str
    condition: str
    """As it is shown."""
    outcome: bool
    unusual: bool
    term: Term | None = None
    """What was asked; None where no number decided, but which operation is given."""
    argument: str | None = None
    """The argument that is another operation than usual, where that is all that it says."""


class Initialisation(Record):
    """How the weights of some primitives begin: `nn.init`'s name, its arguments, and their labels."""

    function: str
    arguments: tuple[tuple[str, Scalar], ...]
    paths: tuple[tuple[str, ...], ...]

    @property
    def terms(self) -> object:
        """What it says, whatever its numbers are."""
        return self.function, tuple([(name, pair.term) for name, pair in self.arguments]), self.paths


class Template(Record):
    """A block, elaborated for one set of arguments and input shapes. Compared by identity."""

    block: str
    doc: str | None
    extents: tuple[tuple[str, int], ...]
    """The names that the input shapes bind, with their values, in order."""
    arguments: tuple[Argument, ...]
    inputs: tuple[tuple[str, int], ...]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    training_outputs: tuple[int, ...] | None
    """What it gives in training where that differs; only the last block of a network may."""
    types: dict[int, TensorType]
    names: dict[int, str]
    """The variables that the document gave to tensors."""
    lets: tuple[tuple[str, Scalar], ...]
    decisions: tuple[Decision, ...]
    inits: tuple[Initialisation, ...]
    span: Span
    callables: tuple[Callable, ...] = ()
    """The primitives that are its usual arguments, by the names of the arguments that take them."""
    general: Template | None = None
    """The same without names that a decision found to be equal put in each other's place, where one did."""
    axes: tuple[str, ...] = ()
    """The names that the first axes of its tensors were given, where the block is for any number of them."""
    parameters: tuple[tuple[str, int], ...] = ()
    """Of a network: the numbers that its terms name because its module takes them, and their values."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    @cached_property
    def values(self) -> dict[str, Constant]:
        """The value of every scalar name of the template."""
        names: dict[str, Constant] = {**dict(self.extents), **dict(self.parameters)}
        names.update({argument.name: argument.value for argument in self.arguments})
        names.update({name: pair.value for name, pair in self.lets})
        return names

    @cached_property
    def drops_paths(self) -> bool:
        """Whether it holds a drop_path, itself or in a block that it calls."""
        return any(node.drops_paths for node in self.nodes)

    @cached_property
    def owns_weights(self) -> bool:
        """Whether anything of state_dict belongs to it."""
        return any(
            bool(node.op.weights(*self.input_types(node))) if node.op else node.child.owns_weights  # type: ignore[union-attr]
            for node in self.nodes
        )

    @cached_property
    def has_modes(self) -> bool:
        """Whether it gives something else in training."""
        return self.training_outputs is not None or any(
            node.child.has_modes for node in self.nodes if node.child is not None
        )

    @cached_property
    def trained_alone(self) -> frozenset[int]:
        """The nodes that only what it gives in training needs: nothing of them runs in evaluation."""
        if self.training_outputs is None:
            return frozenset()
        read, result = set(self.outputs), set()
        for index in reversed(range(len(self.nodes))):
            node = self.nodes[index]
            if read.isdisjoint(node.outputs):
                result.add(index)
            else:
                read.update(node.inputs)
        return frozenset(result)

    def input_types(self, node: Node) -> tuple[TensorType, ...]:
        """The types of what goes into a node."""
        types = self.types
        return tuple([types[value] for value in node.inputs])

    def reads(self, node: Node) -> set[str]:
        """The names that a node needs: what it is given and what it owns are made of them."""
        if node.child is not None:
            given = [pair for name, pair in node.binds if name in node.child.needs]
        else:
            assert node.op is not None
            weights = node.op.weights(*self.input_types(node))
            given = [*_scalars_of(node.op), *(axis for weight in weights for axis in weight.axes)]
        return {name for pair in given for name in free_names(pair.term)}

    @cached_property
    def needs(self) -> set[str]:
        """The names that its nodes need, and those that the lets among them are made of."""
        return self.with_lets({name for node in self.nodes for name in self.reads(node)})

    def with_lets(self, names: set[str]) -> set[str]:
        """The names, and those that the lets among them are made of."""
        result = set(names)
        for name, pair in reversed(self.lets):
            if name in result:
                result |= free_names(pair.term)
        return result

    def scalars(self) -> Iterator[Scalar]:
        """Every number of the template with its term: extents, attributes, binds, lets."""
        for type_ in self.types.values():
            yield from type_.shape
        for node in self.nodes:
            yield from (pair for _, pair in node.binds)
            if node.op is not None:
                yield from _scalars_of(node.op)
        yield from (pair for _, pair in self.lets)


def find(nodes: Sequence[Node], path: str) -> tuple[tuple[Node, ...], str]:
    """The nodes along a path of labels, the outermost first, and the rest of it that leads no further.

    Labels may hold a dot themselves: `s3.4.token_mixer` is the block `s3.4`, and a part of it.
    """
    found: list[Node] = []
    rest = path
    while rest:
        node = next((n for n in nodes if n.label and (rest + ".").startswith(n.label + ".")), None)
        if node is None:
            break
        found.append(node)
        rest = rest[len(node.label or "") + 1 :]
        nodes = () if node.child is None else node.child.nodes
    return tuple(found), rest


def _scalars_of(value: object) -> Iterator[Scalar]:
    if isinstance(value, Scalar):
        yield value
    elif isinstance(value, Op):
        for name in value._fields:
            yield from _scalars_of(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _scalars_of(item)
