"""Making the graph of a network: its parameters, entries, stages and head, run in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from archdsl import syntax as s
from archdsl.elaborate.choices import Choices, Deferred, option_texts
from archdsl.elaborate.parameters import MODEL_ARGUMENTS
from archdsl.elaborate.stages import StageElaborator
from archdsl.elaborate.streams import Made
from archdsl.elaborate.templates import Elaborator
from archdsl.elaborate.values import (
    BlockRef,
    Open,
    OpRef,
    Refused,
    Tensor,
    Value,
    is_list,
)
from archdsl.garbage import paused
from archdsl.graph import Graph, Stage, Template
from archdsl.scalar import Scalar
from archdsl.source import ArchError, Diagnostic, did_you_mean, nearest

if TYPE_CHECKING:
    from archdsl.library import Unit

MOST_NAMED: Final = 8
"""So many open decisions are named in a message."""


class NetworkElaborator(StageElaborator):
    """Runs a network; entries and stages become nodes of its own template."""

    def __init__(self, shared: Elaborator, unit: Unit, network: s.Network, choices: Choices) -> None:
        super().__init__(shared, unit, network, choices)
        self.stages: list[Stage] = []
        self.head: int | None = None
        self.after: dict[str, int] = {}
        self.beside: dict[str, dict[str, int]] = {}
        """The streams that there are after each entry and stage, by its label."""
        self.in_head: set[str] = set()
        self.features: list[tuple[str, int]] = []
        self.given: dict[int, list[Deferred]] = {}
        """What the targets of each let stand for, by its identity, in a network with open choices."""
        self.left_behind: dict[int, dict[str, Value]] = {}
        """The names that each loop has bound, where a trace is kept."""
        self.made: dict[int, list[Made]] = {}
        """What each statement made, by its identity, where a trace is kept."""

    def statement(self, statement: s.Statement) -> None:
        before = None if self.trace is None else len(self.trace)
        self._network_statement(statement)
        if self.trace is not None:
            self.made[id(statement)] = self.trace[before:]
            if isinstance(statement, s.For):
                inside = {target.name for let in s.parts_of(statement, s.Let) for target in let.targets}
                inside |= {loop.name for loop in s.parts_of(statement, s.For)}
                found = {name: self.env[name] for name in sorted(inside) if name in self.env}
                self.left_behind[id(statement)] = found

    def _network_statement(self, statement: s.Statement) -> None:
        match statement:
            case s.Entry():
                label = self.label_text(statement.label, statement.index)
                count = len(self.nodes)
                self.entry(label, statement.call, statement.span)
                main = self.streams[self.main]
                if self.head is not None:
                    self.in_head.add(label)
                elif isinstance(main, Tensor):
                    # Its map is what it gives: the main stream, or a map beside it; else the map that there is.
                    made = self.nodes[-1].outputs if len(self.nodes) > count else ()
                    maps = [value for value in made if self.types[value].rank == 3]
                    self.after[label] = main.number if main.number in made or not maps else maps[0]
                    self._note_streams(label)
            case s.Stage():
                self.stage(statement)
                if statement.label in self.after:
                    self._note_streams(statement.label)
            case s.Head(body):
                if self.head is not None:
                    raise Refused("E0213", "a network has one head", statement.span)
                self.head = len(self.nodes)
                self.run(body)
            case s.Features(labels):
                for index, path in enumerate(labels):
                    if path.parts in [other.parts for other in labels[:index]]:
                        message = f"the feature {'.'.join(path.parts)!r} is named twice"
                        raise Refused("E0204", message, path.span, "each map of the pyramid is given once")
                    self._feature(path)
            case s.SubjectTo():
                pass  # of the space, not of one network in it
            case s.Return() | s.Output():
                help = "the network's result is that of its last entry"
                raise Refused("E0208", "networks return nothing", statement.span, help)
            case s.Let(targets, _) if self.is_open:
                # Those of `a, b = b, a` all read what stands before it.
                place = self.places[id(statement)]
                given = [self.defer(statement, place, position) for position in range(len(targets))]
                self.given[id(statement)] = given
                self.env.update(zip([target.name for target in targets], given, strict=True))  # type: ignore[arg-type]
            case s.Let(targets, None):
                super().statement(statement)
                self._check_let(statement)
            case _:
                with self.at(self.places[id(statement)]):
                    super().statement(statement)

    def let_scalar(self, name: str, pair: Scalar) -> Scalar:
        # The network's class writes no lets: a number is what it was made of.
        return pair

    def condition(self, statement: s.If) -> bool | None:
        """Which branch of a decision is taken; None after a mistake."""
        with self.at(self.places[id(statement)]), self.deciding(statement.condition) as outcome:
            return outcome

    def elements_of(self, loop: s.For) -> list[Value]:
        """What a loop goes over."""
        with self.at(self.places[id(loop)]):
            return self.elements(loop.values, "what 'for' goes over")

    def _check_let(self, let: s.Let) -> None:
        """Note `stem = conv_stem(32)`, which makes nothing, where `stem: conv_stem(32)` is meant."""
        name = let.targets[0].name
        is_block = isinstance(self.env.get(name), (OpRef, BlockRef))
        if is_block and isinstance(let.value, s.Call) and name not in self._read:
            help = f"an entry has a colon: write {name}: {let.value.name}(...)"
            self.report(Refused("E0220", f"nothing reads the block {name!r}", let.span, help))

    @cached_property
    def _read(self) -> set[str]:
        return set(s.names_in(self.network.body))

    @cached_property
    def places(self) -> dict[int, str]:
        """What choices in lets, `if` and `for` are called after, by the identity of the statement."""
        places: dict[int, str] = {}
        taken = Counter(param.name for param in self.network.params)

        def number(statements: Sequence[s.Statement], around: str) -> None:
            for index, statement in enumerate(statements):
                place = places[id(statement)] = f"{around}[{index}]"
                match statement:
                    case s.Let():
                        name = statement.targets[0].name
                        taken[name] += 1
                        places[id(statement)] = name if taken[name] == 1 else f"{name}.{taken[name]}"
                    case s.If(_, then, otherwise):
                        number(then, f"{place}.then")
                        number(otherwise, f"{place}.else")
                    case s.For(_, _, body):
                        number(body, f"{place}.body")
                    case s.Head(body):
                        number(body, "head")

        number(self.network.body, "body")
        return places

    def _note_streams(self, label: str) -> None:
        streams = self.streams.items()
        self.beside[label] = {name: stream.number for name, stream in streams if isinstance(stream, Tensor)}

    def _feature(self, path: s.LabelPath) -> None:
        label = ".".join(path.parts)
        entry, stream = ".".join(path.parts[:-1]), path.parts[-1]
        if label in self.in_head:
            help = "maps of the pyramid stand in front of it"
            raise Refused("E0213", f"the feature {label!r} is an entry of the head", path.span, help)
        if label not in self.after and entry in self.after:
            if stream not in self.beside[entry]:
                message = f"there is no stream {stream!r} after {entry!r}"
                raise Refused("E0201", message, path.span, did_you_mean(stream, self.beside[entry], "streams"))
            self.after[label] = self.beside[entry][stream]
        if label not in self.after:
            written = [st.label for st in self.network.body if isinstance(st, (s.Entry, s.Stage))]
            if label in written and self.shared.errors:
                return  # it is lost to a mistake that has been reported
            message = f"there is no entry or stage {label!r} before this"
            raise Refused("E0201", message, path.span, did_you_mean(label, self.after, "entries"))
        # Lines are one list; and a walk runs a line again for every way that leads to it.
        if label not in dict(self.features):
            self.features.append((label, self.after[label]))


def elaborate(
    unit: Unit,
    network: s.Network,
    resolution: tuple[int, int] | None = None,
    choices: Choices | None = None,
) -> Graph:
    """The graph of a network; raises `ArchError` with every mistake that could be found.

    `resolution` is (rows, columns) of the first input in place of the document's own. `choices` decides
    what the document leaves open; what nobody decides is a mistake.
    """
    builder = NetworkElaborator(Elaborator(), unit, network, choices or Choices())
    return finished(run(builder, resolution), network)


def run(builder: NetworkElaborator, resolution: tuple[int, int] | None) -> NetworkElaborator:
    """Run all of a network; raises `ArchError` with its mistakes."""
    shared, network = builder.shared, builder.network
    builder.set_parameters()
    _check_parameters(builder)
    if not network.tensors:
        builder.report(Refused("E0217", "the network has no input", network.span))
        raise ArchError(shared.errors)
    builder.set_inputs(resolution)
    with paused():
        try:
            builder.read_model_arguments()
            builder.run(network.body)
        except Refused as error:
            builder.report(error)
        except RecursionError:
            raise too_deep(network) from None
    builder.settle_parameters()
    if builder.choices.left:
        shared.errors.insert(0, _open_decisions(network, builder.choices))
    if not shared.errors:
        _check_end(builder)
    if shared.errors:
        raise ArchError(shared.errors)
    return builder


def finished(builder: NetworkElaborator, network: s.Network) -> Graph:
    """The graph that a network that was run has made."""
    parameters = builder.parameters
    outputs = tuple(t.number for t in [builder.streams[builder.main]] if isinstance(t, Tensor))
    classes, drop_path = parameters.get("num_classes"), parameters.get("drop_path")
    num_classes = classes.int if isinstance(classes, Scalar) else None
    template = Template(
        block=network.name,
        doc=network.doc,
        extents=(("in_channels", builder.types[0].shape[0].int),),
        arguments=(),
        inputs=tuple((builder.names[index], index) for index in range(len(network.tensors))),
        nodes=tuple(builder.nodes),
        outputs=outputs,
        training_outputs=None,
        types=builder.types,
        names=builder.names,
        lets=tuple(builder.lets.items()),
        decisions=tuple(builder.decisions),
        inits=tuple(builder.inits),
        span=network.span,
        parameters=() if num_classes is None else (("num_classes", num_classes),),
    )
    return Graph(
        name=network.name,
        template=template,
        stages=tuple(builder.stages),
        head=len(builder.nodes) if builder.head is None else builder.head,
        features=tuple(builder.features),
        parameters=tuple((name, plain(value)) for name, value in parameters.items()),
        drop_path=float(drop_path.value or 0) if isinstance(drop_path, Scalar) else 0.0,
        num_classes=num_classes,
    )


def plain(value: Value) -> object:
    """A parameter as Python data: numbers, truths, strings, lists, names of operations."""
    if isinstance(value, Scalar):
        return value.value
    if isinstance(value, Open):
        return value.name
    if is_list(value):
        return [plain(item) for item in value]
    return value.name if isinstance(value, (OpRef, BlockRef)) else value


def _open_decisions(network: s.Network, choices: Choices) -> Diagnostic:
    shown = [f"{name} ({', '.join(option_texts(o))})" for name, o in list(choices.left.items())[:MOST_NAMED]]
    more = len(choices.left) - len(shown)
    listed = ", ".join(shown) + (f", and {more} more" if more else "")
    count = f"{len(choices.left)} decision{'s' if len(choices.left) > 1 else ''}"
    first = next(iter(choices.left.values()))
    message = f"{network.name} leaves {count} open: {listed}"
    help = (
        "archdsl freeze --with picks.yaml, archdsl sample, or --set decides; archdsl stats tells of the space"
    )
    return Diagnostic("E0223", message, first.span, help)


def _check_parameters(builder: NetworkElaborator) -> None:
    """`drop_paht: 0.1` would drop nothing, in silence: what is nearly an argument of every model is read,
    or misspelt. Other misspelt parameters are missed where they are used."""
    network = builder.network
    defaults = tuple(param.default for param in network.params)
    shapes = tuple(tensor.shape for tensor in network.tensors)
    read = {*s.names_in(network.body), *s.names_in(defaults), *s.names_in(shapes), *MODEL_ARGUMENTS}
    for param in network.params:
        close = nearest(param.name, MODEL_ARGUMENTS)
        if close is not None and param.name not in read:
            message = f"nothing reads the parameter {param.name!r}"
            builder.report(Refused("E0220", message, param.span, f"did you mean {close!r}?"))


def too_deep(network: s.Network) -> ArchError:
    """The mistake of parts in parts in parts."""
    message = "blocks, statements and brackets are nested too deep"
    return ArchError([Diagnostic("E0601", message, network.span, "give inner parts a name of their own")])


def no_entries(network: s.Network) -> Refused:
    """The mistake of a network that does nothing."""
    return Refused("E0215", f"network {network.name!r} has no entries", network.span)


def _check_end(builder: NetworkElaborator) -> None:
    if not builder.nodes:
        builder.report(no_entries(builder.network))
    for index, node in enumerate(builder.nodes):
        if node.child is not None and node.child.has_modes and index != len(builder.nodes) - 1:
            message = f"{node.kind!r} gives something else in training; nothing can follow it"
            after = builder.nodes[index + 1].span
            help = f"make it the last entry; what follows stands in {after}"
            builder.report(Refused("E0212", message, node.span, help))
