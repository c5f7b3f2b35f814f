"""The graph: a DAG of templates, each a block elaborated once for its arguments and input shapes.

    Graph    = the network's own template, its stages, its head, its features
    Template = inputs, nodes in the order in which they were written, outputs, names, lets, decisions
    Node     = a primitive, or a call of another template with `binds: name -> Scalar`

The flat list of primitives that a network runs is a view (`Graph.flat`). Tensors are numbered within
their template; `Template.types` has their extents in the template's own names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from archdsl.ops import Op, TensorType, Weight
from archdsl.record import Record
from archdsl.scalar import Constant, Scalar, Term, evaluate, free_names, human_text
from archdsl.source import Frame, Span

if TYPE_CHECKING:
    import networkx


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
    guards: tuple[Question, ...] = ()
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
    answer differs from what the defaults would give."""

    name: str
    condition: str
    outcome: bool
    unusual: bool


class Initialisation(Record):
    """How the weights of some primitives begin: `nn.init`'s name, its arguments, and their labels."""

    function: str
    arguments: tuple[tuple[str, float], ...]
    paths: tuple[tuple[str, ...], ...]


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
    questions: tuple[Question, ...] = ()
    """What its decisions asked, and the answers."""
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
        names = {name for node in self.nodes for name in self.reads(node)}
        for name, pair in reversed(self.lets):
            if name in names:
                names |= free_names(pair.term)
        return names

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
    of the network that it belongs to.
    """

    path: str
    node: Node
    template: Template
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    first: bool
    entry: int


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

    def _flat(self) -> Iterator[Flat]:
        """The same one by one: a network may have a million primitives."""
        counter = len(self.template.inputs)

        def expand(
            template: Template, prefix: str, tensors: dict[int, int], first: bool, entry: int
        ) -> Iterator[Flat]:
            nonlocal counter
            for index, node in enumerate(template.nodes):
                at = index if template is self.template else entry
                own = first and node.module == index
                inputs = tuple([tensors[value] for value in node.inputs])
                if node.op is not None:
                    outputs = tuple(range(counter, counter + len(node.outputs)))
                    counter += len(outputs)
                    path = prefix + (node.label or node.op.kind)
                    yield Flat(path, node, template, inputs, outputs, own, at)
                    for value, number in zip(node.outputs, outputs, strict=True):
                        tensors[value] = number
                    continue
                child = node.child
                assert child is not None
                inner = {value: number for (_, value), number in zip(child.inputs, inputs, strict=True)}
                below = f"{prefix}{node.label}." if node.label else prefix
                yield from expand(child, below, inner, own, at)
                for outside, inside in zip(node.outputs, child.outputs, strict=True):
                    tensors[outside] = inner[inside]

        start = {value: i for i, (_, value) in enumerate(self.template.inputs)}
        return expand(self.template, "", start, True, 0)

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
        for item in self._flat():
            op = item.node.op
            assert op is not None
            if id(item.node) not in known:
                attributes = [_value_text(getattr(op, name)) for name in op._fields]
                shapes = [item.template.types[value].values for value in item.node.outputs]
                known[id(item.node)] = f"{op.kind} {attributes}", shapes
            text, shapes = known[id(item.node)]
            line = f"\n{item.path} {text} {item.inputs} {item.outputs} {shapes} {item.first}"
            digest.update(line.encode())
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
            lines += _dump_template(template) + [""]
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


def _value_text(value: object) -> str:
    if isinstance(value, Scalar):
        return repr(value.value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_value_text, value)) + "]"
    return repr(value)


def _sized(type_: TensorType) -> str:
    terms = "[" + ", ".join(human_text(extent.term) for extent in type_.shape) + "]"
    values = "[" + ", ".join(str(value) for value in type_.values) + "]"
    text = terms if terms == values else f"{terms} = {values}"
    return text if type_.batched else f"{text} without batch"


def _named(name: str, pair: Scalar) -> str:
    text = human_text(pair.term)
    return f"{name} = {pair.value}" if text in (name, str(pair.value)) else f"{name} = {text} = {pair.value}"


def _dump_template(template: Template) -> list[str]:
    arguments = [f"{argument.name} = {argument.value}" for argument in template.arguments]
    given = [f"{name} = {value}" for name, value in template.extents]
    lines = [f"block {template.block}({', '.join(given)}; {', '.join(arguments)})"]
    for decision in template.decisions:
        lines.append(f"  decided {decision.condition}: {'yes' if decision.outcome else 'no'}")
    for name, value in template.inputs:
        lines.append(f"  %{value} = input {name}: {_sized(template.types[value])}")
    for name, pair in template.lets:
        lines.append(f"  let {_named(name, pair)}")
    for index, node in enumerate(template.nodes):
        outputs = ", ".join(f"%{value}" for value in node.outputs)
        inputs = ", ".join(f"%{value}" for value in node.inputs)
        label = f"{node.label}: " if node.label else ""
        if node.module != index:
            label = f"{template.nodes[node.module].label} again: "
        if node.op is not None:
            details = _op_details(node.op)
        else:
            usual = {argument.name: argument.default for argument in node.child.arguments}  # type: ignore[union-attr]
            details = ", ".join(
                _named(name, pair) for name, pair in node.binds if usual.get(name, pair) != pair
            )
        types = ", ".join(_sized(template.types[value]) for value in node.outputs)
        call = f"{node.kind}({'; '.join(part for part in (inputs, details) if part)})"
        variable = template.names.get(node.outputs[0])
        lines.append(f"  {outputs} = {label}{call}: {types}" + (f"  # {variable}" if variable else ""))
    for init in template.inits:
        paths = ", ".join(".".join(path) for path in init.paths)
        lines.append(f"  init {paths} = {init.function}")
    outputs = ", ".join(f"%{value}" for value in template.outputs)
    if template.training_outputs is not None:
        train = ", ".join(f"%{value}" for value in template.training_outputs)
        lines.append(f"  output train = ({train}), eval = {outputs}")
    else:
        lines.append(f"  return {outputs}")
    return lines


def _op_details(op: Op) -> str:
    """The attributes that differ from their defaults, and the sizes that a rearrangement is given."""
    parts = []
    for name in op._fields:
        value = getattr(op, name)
        if name == "_sizes":
            parts += [_named(axis, size) for axis, size in value]
        elif isinstance(value, Scalar) and value != getattr(type(op), name, ...):
            parts.append(_named(name, value))
        elif value != getattr(type(op), name, ...):
            parts.append(f"{name} = {_attribute(value)}")
    return ", ".join(parts)


def _attribute(value: object) -> str:
    if isinstance(value, Scalar):
        text = human_text(value.term)
        return text if text == str(value.value) else f"{text} = {value.value}"
    if isinstance(value, tuple):
        parts = [_attribute(item) for item in value]
        return parts[0] if len(parts) == 2 and parts[0] == parts[1] else f"[{', '.join(parts)}]"
    return repr(value) if isinstance(value, str) else str(value)


def frames_of(path: str, span: Span) -> Frame:
    """A link of a chain: the entry or block of a stage, and where it was written."""
    label, _, index = path.rpartition(".")
    return Frame(f"block {index} of {label}" if label else f"entry {path}", span)


__all__ = [
    "Any", "Argument", "Callable", "Decision", "Flat", "Graph", "Initialisation", "Node", "Question", "Stage",
    "Template",
    "Term", "find", "frames_of",
]  # fmt: skip
