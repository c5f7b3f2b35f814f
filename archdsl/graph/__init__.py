"""The graph: a DAG of templates, each a block elaborated once for its arguments and input shapes.

    Graph    = the network's own template, its stages, its head, its features
    Template = inputs, nodes in the order in which they were written, outputs, names, lets, decisions
    Node     = a primitive, or a call of another template with `binds: name -> Scalar`

The flat list of primitives that a network runs is a view (`Graph.flat`). Tensors are numbered within
their template; `Template.types` has their extents in the template's own names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from archdsl.graph.dump import template_lines
from archdsl.graph.templates import (
    Argument,
    Callable,
    Decision,
    Initialisation,
    Node,
    Question,
    Template,
    find,
)
from archdsl.ops import TensorType, Weight
from archdsl.record import Record
from archdsl.scalar import Scalar, evaluate
from archdsl.source import Frame, Span

if TYPE_CHECKING:
    import networkx


class Stage(Record):
    """Nodes `first` to `last` (one past) of the network's template, numbered under one label."""

    label: str
    first: int
    last: int
    span: Span


class Flat(NamedTuple):
    """A primitive of the whole network: its path, its node, and the template that holds it.

    The path is its key in state_dict; one that owns nothing stands under its kind (`s1.0.gelu`).

    `inputs` and `outputs` are numbers of tensors of the whole network; `first` says whether it owns the
    weights that it uses (it does not where a module is called again); `entry` is the index of the node
    of the network that it belongs to; `trained` says that it runs in training alone.
    """

    path: str
    node: Node
    template: Template
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    first: bool
    entry: int
    trained: bool


class Graph(Record):
    """A network: what a document says, elaborated at one resolution and for one set of parameters."""

    name: str
    template: Template
    stages: tuple[Stage, ...]
    head: int
    """Index of the first node of the head; the number of nodes where there is none."""
    features: tuple[tuple[str, int], ...]
    """The labels of the pyramid and the tensors behind them."""
    parameters: tuple[tuple[str, object], ...]
    """The network's parameters as they stand, those that were overridden included."""
    drop_path: float
    num_classes: int | None

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def input(self) -> TensorType:
        """The type of the first input."""
        return self.template.types[self.template.inputs[0][1]]

    @property
    def resolution(self) -> tuple[int, int]:
        """Rows and columns of the first input."""
        values = self.input.values
        return (values[-2], values[-1])

    def templates(self) -> Iterator[Template]:
        """Every template once, those that others use first."""
        seen: set[int] = set()

        def visit(template: Template) -> Iterator[Template]:
            if id(template) in seen:
                return
            seen.add(id(template))
            for node in template.nodes:
                if node.child is not None:
                    yield from visit(node.child)
            yield template

        return visit(self.template)

    @cached_property
    def flat(self) -> tuple[Flat, ...]:
        """Every primitive in the order in which it runs."""
        return tuple(self._flat())

    def _flat(self, modes: list[tuple[list[int], list[int]]] | None = None) -> Iterator[Flat]:
        """The same one by one: a network may have a million primitives.

        `modes` is given what comes out in training and in evaluation, where that differs.
        """
        counter = len(self.template.inputs)

        def expand(
            template: Template, prefix: str, tensors: dict[int, int], first: bool, entry: int, trained: bool
        ) -> Iterator[Flat]:
            nonlocal counter
            for index, node in enumerate(template.nodes):
                at = index if template is self.template else entry
                own = first and node.module == index
                alone = trained or index in template.trained_alone
                inputs = tuple([tensors[value] for value in node.inputs])
                if node.op is not None:
                    outputs = tuple(range(counter, counter + len(node.outputs)))
                    counter += len(outputs)
                    path = prefix + (node.label or node.op.kind)
                    yield Flat(path, node, template, inputs, outputs, own, at, alone)
                    for value, number in zip(node.outputs, outputs, strict=True):
                        tensors[value] = number
                    continue
                child = node.child
                assert child is not None
                inner = {value: number for (_, value), number in zip(child.inputs, inputs, strict=True)}
                below = f"{prefix}{node.label}." if node.label else prefix
                yield from expand(child, below, inner, own, at, alone)
                for outside, inside in zip(node.outputs, child.outputs, strict=True):
                    tensors[outside] = inner[inside]
            if modes is not None and template.training_outputs is not None:
                given = (template.training_outputs, template.outputs)
                trained_, evaluated = ([tensors[value] for value in values] for values in given)
                modes.append((trained_, evaluated))

        start = {value: i for i, (_, value) in enumerate(self.template.inputs)}
        return expand(self.template, "", start, True, 0, False)

    def weights(self) -> Iterator[tuple[str, Weight]]:
        """Every tensor of state_dict (and every derived one) with its key, in order."""
        for item in self._flat():
            op = item.node.op
            if op is None or not item.first:
                continue
            for weight in op.weights(*item.template.input_types(item.node)):
                yield (f"{item.path}.{weight.name}" if weight.name else item.path), weight

    @cached_property
    def fingerprint(self) -> str:
        """The hash of what the network computes, 16 hexadecimal digits.

        Of every primitive with its key, its attributes, its wiring and its extents; of the features,
        the head and the outputs. Names of blocks, variables and initialisation take no part in it.
        """
        import hashlib

        lines = [f"{self.head} {self.features} {self.template.training_outputs}"]
        for name, value in self.template.inputs:
            lines.append(f"{name} {self.template.types[value].values}")
        digest = hashlib.sha256("\n".join(lines).encode())
        # Templates are shared, and so are their nodes: what each says of itself is written once.
        known: dict[int, tuple[str, list[tuple[int, ...]]]] = {}
        modes: list[tuple[list[int], list[int]]] = []
        for item in self._flat(modes):
            op = item.node.op
            assert op is not None
            if id(item.node) not in known:
                attributes = [_value_text(getattr(op, name)) for name in op._fields]
                shapes = [item.template.types[value].values for value in item.node.outputs]
                known[id(item.node)] = f"{op.kind} {attributes}", shapes
            text, shapes = known[id(item.node)]
            line = f"\n{item.path} {text} {item.inputs} {item.outputs} {shapes} {item.first}"
            digest.update(line.encode())
        digest.update(f"\n{modes}".encode() if modes else b"")
        return digest.hexdigest()[:16]

    def verify(self) -> None:
        """Check what every stage after elaboration relies on; raises `AssertionError` at our own faults.

        Tensors are defined before they are used and once; a primitive's outputs have the extents that
        its shape rule gives; a call's inputs and outputs have the extents of its template's; and every
        term, evaluated with the names of its template, gives the value that stands beside it.
        """
        for template in self.templates():
            defined = {value for _, value in template.inputs}
            for index, node in enumerate(template.nodes):
                assert defined.issuperset(node.inputs), (template.block, node)
                assert not defined.intersection(node.outputs), (template.block, node)
                defined.update(node.outputs)
                assert node.module <= index, (template.block, node)
                outputs = [template.types[value].values for value in node.outputs]
                if node.op is not None:
                    shape = node.op.shape(*template.input_types(node))
                    assert [type_.values for type_ in shape] == outputs, (template.block, node)
                if node.child is not None:
                    child = node.child
                    inputs = [type_.values for type_ in template.input_types(node)]
                    assert inputs == [child.types[v].values for _, v in child.inputs]
                    assert outputs == [child.types[v].values for v in child.outputs]
                    for name, pair in node.binds:
                        assert child.values[name] == pair.value, (template.block, node, name)
            assert defined.issuperset(template.outputs), template.block
            for pair in template.scalars():
                assert evaluate(pair.term, template.values) == pair.value, (template.block, pair)

    def dump(self, path: str | None = None) -> str:
        """The graph as text for people and golden tests: one line a node, terms beside values.

        With a path (`s3.4`, `s3.4.token_mixer`) only the template that stands there.
        Raises `KeyError` for a path that leads to no block.
        """
        template = self.template if path is None else self.at(path)
        lines: list[str] = []
        seen: set[int] = set()
        waiting = [template]
        while waiting:
            template = waiting.pop(0)
            if id(template) in seen:
                continue
            seen.add(id(template))
            lines += template_lines(template) + [""]
            if path is None:
                waiting += [node.child for node in template.nodes if node.child is not None]
        return "\n".join(lines)

    def at(self, path: str) -> Template:
        """The template behind a path of labels; raises `KeyError` with the labels that there are."""
        found, rest = find(self.template.nodes, path)
        template = self.template
        for node in found:
            if node.child is None:
                raise KeyError(f"{path!r} is the primitive {node.kind}")
            template = node.child
        if rest:
            labels = [node.label for node in template.nodes if node.label]
            raise KeyError(f"no block {rest!r} in {template.block}; it has {', '.join(labels)}")
        return template

    def to_networkx(self) -> networkx.DiGraph:
        """The flat graph: a node a primitive (`kind`, `path`, `shape`, `params`, `macs`), an edge a tensor."""
        import networkx

        from archdsl.ops import total

        result = networkx.DiGraph(name=self.name, input=self.input.values)
        producer: dict[int, int | str] = {}
        for index, (name, _) in enumerate(self.template.inputs):
            result.add_node(name, kind="input", path=name, shape=self.input.values)
            producer[index] = name
        for index, item in enumerate(self.flat):
            op, types = item.node.op, item.template.input_types(item.node)
            assert op is not None
            weights = op.weights(*types) if item.first else ()
            result.add_node(
                index,
                kind=op.kind,
                path=item.path,
                shape=item.template.types[item.node.outputs[0]].values,
                params=sum(weight.size for weight in weights if weight.role == "param"),
                macs=total(op.macs(*types)),
            )
            for value in item.inputs:
                result.add_edge(producer[value], index, tensor=value)
            producer.update((value, index) for value in item.outputs)
        return result


def frames_of(path: str, span: Span) -> Frame:
    """A link of a chain: the entry or block of a stage, and where it was written."""
    label, _, index = path.rpartition(".")
    return Frame(f"block {index} of {label}" if label else f"entry {path}", span)


def _value_text(value: object) -> str:
    if isinstance(value, Scalar):
        return repr(value.value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_value_text, value)) + "]"
    return repr(value)


__all__ = [
    "Argument", "Callable", "Decision", "Flat", "Graph", "Initialisation", "Node", "Question", "Stage",
    "Template", "find", "frames_of",
]  # fmt: skip
