"""A walk through all networks of a space at once: the same state is gone through once, however it was reached.

    state  = what has been decided and will be read again, and the types of the streams
    reached = how many networks lead there, and the least and most of each cost of those

A step of the network (an entry, a block of a stage) leads from a state to others, one for each option of the
decisions that it reads. Two ways that end in one state are one from there on: their numbers add up, their costs
join. So the figures are exact, and the work grows with positions x states, not with the networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from archdsl import syntax as s
from archdsl.cost import Convention, TemplateCosts
from archdsl.cost.memory import Dtype, TemplateActivations
from archdsl.elaborate.choices import Choices, Open, Undecided, option_texts
from archdsl.elaborate.networks import NetworkElaborator
from archdsl.elaborate.stages import Item, Numbers
from archdsl.elaborate.templates import Elaborator
from archdsl.elaborate.values import BlockRef, OpRef, Poison, Refused, Tensor, Value, is_list, key_of
from archdsl.graph import Node
from archdsl.library import Unit
from archdsl.ops import TensorType
from archdsl.source import ArchError, Diagnostic, Span
from archdsl.space.reads import Read, is_read, reads_of

MOST_RUNS: Final = 10_000
"""So many steps are gone through; a space whose decisions are entangled beyond that is refused.

What is known from an equal block counts a tenth, and 50 decisions that are carried along count as a step.
"""

Picks: TypeAlias = dict[str, int]
Streams: TypeAlias = tuple[tuple[str, TensorType], ...]


class Metrics(NamedTuple):
    """Sums over the network (`Walk.sums` names them), and the most that is alive at once, or None."""

    sums: tuple[int, ...]
    peak: int | None


class Reached:
    """The networks that lead to a state: how many, and the least and most of their costs."""

    def __init__(self, ways: int, least: Metrics, most: Metrics) -> None:
        self.ways, self.least, self.most = ways, least, most

    def then(self, ways: int, least: Metrics, most: Metrics) -> Reached:
        """Each of these networks gone on with in each of so many ways."""
        return Reached(self.ways * ways, _after(self.least, least), _after(self.most, most))

    def join(self, other: Reached) -> None:
        """The networks of both."""
        self.ways += other.ways
        self.least = _chosen(min, self.least, other.least)
        self.most = _chosen(max, self.most, other.most)


def _after(a: Metrics, b: Metrics) -> Metrics:
    sums = tuple([x + y for x, y in zip(a.sums, b.sums, strict=True)])
    return Metrics(sums, None if a.peak is None or b.peak is None else max(a.peak, b.peak))


def _chosen(choose: Callable[[int, int], int], a: Metrics, b: Metrics) -> Metrics:
    sums = tuple([choose(x, y) for x, y in zip(a.sums, b.sums, strict=True)])
    return Metrics(sums, None if a.peak is None or b.peak is None else choose(a.peak, b.peak))


class State(NamedTuple):
    """What has been decided and will be read again, and the streams."""

    picks: tuple[tuple[str, int], ...]
    streams: Streams


class _States:
    """States by what tells them apart, with what reached them."""

    def __init__(self) -> None:
        self._found: dict[object, tuple[State, Reached]] = {}

    def add(self, state: State, reached: Reached) -> None:
        key = (state.picks, _types_key(state.streams))
        known = self._found.get(key)
        if known is None:
            self._found[key] = (state, reached)
        else:
            known[1].join(reached)

    def __iter__(self) -> Iterator[tuple[State, Reached]]:
        return iter(self._found.values())


def _types_key(streams: Streams) -> object:
    return tuple([(name, type_.values, type_.batched) for name, type_ in streams])


class Walk:
    """Goes through a network with open choices; `result` is what all of its networks come to."""

    def __init__(
        self,
        unit: Unit,
        network: s.Network,
        resolution: tuple[int, int] | None,
        conventions: Sequence[Convention],
        dtype: Dtype = "float32",
        batch: int = 1,
    ) -> None:
        self.network = network
        self.choices = Choices(forks=True)
        self.builder = NetworkElaborator(Elaborator(), unit, network, self.choices)
        self.costs = [TemplateCosts(convention) for convention in conventions]
        self.activations = TemplateActivations(dtype, batch)
        self.sums = [f"{name}({c})" for c in conventions for name in ("params", "macs")]
        self.sums += ["statistics", "counters", "activations"]
        self.decisions: dict[str, Open] = {}
        self.runs = 0.0
        self._resolution = resolution
        self._signatures: dict[int, tuple[Item, object]] = {}
        self._noted: set[tuple[str, Span]] = set()
        self._known: dict[object, list[tuple[Streams, Reached]]] = {}
        self._definitions: dict[str, object] = {param.name: param for param in network.params}

    def result(self) -> Reached:
        """All networks of the space; raises `ArchError` where one of them is wrong."""
        builder = self.builder
        builder.set_parameters()
        try:
            builder.set_inputs(self._resolution)
        except Undecided as undecided:
            help = "write a size; --resolution takes another"
            self._fail(
                Refused("E0222", "the input is of one size in all of a space", undecided.open.span, help)
            )
        self._check()
        start = tuple(
            (name, tensor.type) for name, tensor in builder.streams.items() if isinstance(tensor, Tensor)
        )
        self._single = len(start) == 1
        self.input = start[0][1]
        states = _States()
        nothing = Metrics((0,) * len(self.sums), 0)
        states.add(State((), start), Reached(1, nothing, nothing))
        steps = list(_steps(self.network.body))
        for statement in steps:
            if isinstance(statement, s.Let):
                self._definitions.update((target.name, statement) for target in statement.targets)
        later: set[Read] = set()
        waiting: list[tuple[s.Statement, set[Read]]] = []
        for statement in reversed(steps):
            waiting.append((statement, set(later)))
            if not isinstance(statement, s.Let):
                later |= reads_of(statement, self._definitions)
        for statement, reads in reversed(waiting):
            states = self._stage(statement, states, reads) if isinstance(statement, s.Stage) else (
                self._statement(statement, states, reads)
            )  # fmt: skip
        results = [reached for _, reached in states]
        whole = results[0]
        for reached in results[1:]:
            whole.join(reached)
        return whole

    # --- steps

    def _statement(self, statement: s.Statement, states: _States, later: set[Read]) -> _States:
        if isinstance(statement, s.Features | s.SubjectTo | s.Init):
            return states
        result = _States()
        for state, reached in states:
            for picks in self._forks(state, lambda: self.builder.statement(statement), statement.span):
                made = self._made()
                kept = tuple(sorted((n, i) for n, i in picks.items() if is_read(n, later)))
                result.add(State(kept, self._streams()), reached.then(1, made, made))
        return result

    def _stage(self, stage: s.Stage, states: _States, later: set[Read]) -> _States:
        """The blocks of a stage one by one, for each list of blocks that its decisions give."""
        later = later | reads_of(stage.width, self._definitions)
        result = _States()
        for state, reached in states:
            found: list[Item] = []

            def expand(found: list[Item] = found) -> None:
                found[:] = self.builder.items_of(stage)

            for picks in self._forks(state, expand, stage.span):
                items = list(found)
                names = self._names(items)
                last = {name: index for index, own in enumerate(names) for name in own}
                inner = _States()
                kept = _kept(picks, later, last, 0)
                inner.add(State(kept, state.streams), Reached(reached.ways, reached.least, reached.most))
                numbers = Numbers(stage.label)
                for index, item in enumerate(items):
                    inner = self._block(item, numbers, inner, later, (names[index], last, index))
                    numbers.passed(item, True)
                for end, done in inner:
                    for _ in self._forks(end, lambda: self._check_width(stage), stage.span):
                        picked = tuple((n, i) for n, i in end.picks if is_read(n, later))
                        result.add(State(picked, end.streams), done)
        return result

    def _check_width(self, stage: s.Stage) -> None:
        main = self.builder.streams[self.builder.main]
        if isinstance(main, Tensor):
            self.builder.check_width(stage, main)

    def _block(
        self,
        item: Item,
        numbers: Numbers,
        states: _States,
        later: set[Read],
        reads: tuple[set[str], Mapping[str, int], int],
    ) -> _States:
        """The states after a block; `reads` are its choices, the last block that each is in, and its number."""
        result = _States()
        label = numbers.place(item)
        names, last, index = reads
        own = [name for name in names if not name.startswith("*")]
        goes_on = {name for name in own if last[name] > index or is_read(name, later)}
        for state, reached in states:
            picked = dict(state.picks)
            self._count(0.1, picked, item.span)
            is_local = goes_on <= picked.keys()
            signature = self._signature(item, names, picked)
            key = (signature, _types_key(state.streams))
            known = self._known.get(key) if is_local else None
            if known is None:
                known = []
                ends: dict[object, tuple[Streams, Reached]] = {}
                for picks in self._forks(state, lambda: self.builder.block(item, numbers), item.span):
                    made, streams = self._made(), self._streams()
                    if not is_local:
                        kept = _kept(picks, later, last, index + 1)
                        result.add(State(kept, streams), reached.then(1, made, made))
                        continue
                    end = ends.setdefault(_types_key(streams), (streams, Reached(0, made, made)))
                    end[1].join(Reached(1, made, made))
                known = list(ends.values())
                if is_local:
                    self._known[key] = known
            elif names:
                self._note(item, label)
            kept = _kept(picked, later, last, index + 1) if known else ()
            for streams, step in known:
                result.add(State(kept, streams), reached.then(step.ways, step.least, step.most))
        return result

    def _signature(self, item: Item, names: set[str], picked: Picks) -> object:
        """What tells a block from others, whatever its decisions are called."""
        if names.isdisjoint(picked):
            found = self._signatures.get(id(item))
            if found is None:
                found = (item, (_signature(item.call, {}), _arguments_key(item, {})))
                self._signatures[id(item)] = found
            return found[1]
        return (_signature(item.call, picked), _arguments_key(item, picked))

    def _names(self, items: list[Item]) -> list[set[str]]:
        """The open choices in each of the blocks; a repeated block is looked at once."""
        found: dict[int, set[str]] = {}
        for item in items:
            if id(item) not in found:
                found[id(item)] = _names_in(item)
        return [found[id(item)] for item in items]

    def _note(self, item: Item, label: str) -> None:
        """The decisions of a block that is known from another one, which has other names for them."""
        if (label, item.span) in self._noted:
            return
        self._noted.add((label, item.span))
        for value in (item.call, *[value for _, value, _ in item.args]):
            for found in _opens(self.builder.named(value, label)):  # type: ignore[arg-type]
                self.decisions.setdefault(found.name, found)

    # --- running a step

    def _forks(self, state: State, step: Callable[[], None], span: Span) -> Iterator[Picks]:
        """Run a step from a state, once for each option of the decisions that it reads."""
        waiting: list[Picks] = [dict(state.picks)]
        while waiting:
            picks = waiting.pop()
            self._count(1, picks, span)
            self._reset(state.streams, picks)
            try:
                step()
            except Undecided as undecided:
                found = undecided.open
                self.decisions.setdefault(found.name, found)
                waiting += [{**picks, found.name: i} for i in reversed(range(len(found.options)))]
                continue
            except Refused as error:
                self.builder.report(error)
            self._check(picks)
            yield picks

    def _count(self, steps: float, picks: Picks, span: Span) -> None:
        """Count work that entangled decisions multiply; raises `ArchError` beyond `MOST_RUNS`."""
        self.runs += steps + len(picks) / 50
        if self.runs > MOST_RUNS:
            message = f"the decisions of this space are entangled: more than {MOST_RUNS:,} cases"
            help = "decisions that many blocks read multiply: let each block decide for itself"
            self._fail(Refused("E0602", message, span, help))

    def _reset(self, streams: Streams, picks: Picks) -> None:
        builder = self.builder
        builder.nodes, builder.types, builder.names = [], {}, {}
        builder.raw, builder.called, builder.guards, builder.decided = [], {}, [], []
        builder.labels, builder.indexed, builder.decisions = {}, {}, []
        builder.applied, builder.size, builder.head = None, 0, None
        builder.shared.chain.clear()
        builder.streams = {name: builder.tensor(type_) for name, type_ in streams}
        for name, tensor in builder.streams.items():
            assert isinstance(tensor, Tensor)
            builder.names[tensor.number] = name
        self.choices.picks = dict(picks)

    def _streams(self) -> Streams:
        tensors = self.builder.streams.items()
        return tuple((name, tensor.type) for name, tensor in tensors if isinstance(tensor, Tensor))

    def _made(self) -> Metrics:
        """The costs of the nodes that the last step has added."""
        builder = self.builder
        sums = [0] * len(self.sums)
        peak: int | None = 0 if self._single else None
        template = _Made(builder.types)
        for index, node in enumerate(builder.nodes):
            for number, costs in enumerate(self.costs):
                cost = costs.added(template, node, index)  # type: ignore[arg-type]
                sums[2 * number] += cost.params
                sums[2 * number + 1] += cost.total_macs
                if number == 0:
                    sums[-3] += cost.statistics
                    sums[-2] += cost.counters
            made, most = self.activations.node(template, node)  # type: ignore[arg-type]
            sums[-1] += made
            peak = max(peak, most) if peak is not None and len(node.inputs) == len(node.outputs) == 1 else None
        return Metrics(tuple(sums), peak)

    # --- mistakes

    def _fail(self, error: Refused) -> None:
        self.builder.report(error)
        raise ArchError(self.builder.shared.errors)

    def _check(self, picks: Picks | None = None) -> None:
        errors = self.builder.shared.errors
        if not errors:
            return
        if picks:
            shown = [_shown(self.decisions[n], i) for n, i in picks.items() if n in self.decisions]
            where = f"in the networks of this space with {', '.join(shown)}"
            errors[:] = [_noted(error, where) for error in errors]
        raise ArchError(errors)


class _Made:
    """The nodes of a step, as far as costs ask for them: the types of their tensors."""

    def __init__(self, types: Mapping[int, TensorType]) -> None:
        self.types = types

    def input_types(self, node: Node) -> tuple[TensorType, ...]:
        return tuple([self.types[value] for value in node.inputs])


def _kept(
    picks: Mapping[str, int], later: set[Read], last: Mapping[str, int], index: int
) -> tuple[tuple[str, int], ...]:
    """The decisions that a block from this number on reads, or something after the stage."""
    return tuple(sorted((n, i) for n, i in picks.items() if last.get(n, -1) >= index or is_read(n, later)))


def _shown(open_: Open, index: int) -> str:
    return f"{open_.name} = {option_texts(open_)[index]} ({open_.places[index]})"


def _noted(error: Diagnostic, where: str) -> Diagnostic:
    help = f"{where}: {error.help}" if error.help else where
    return error.replace(help=help)  # type: ignore[no-any-return]


def _steps(statements: Sequence[s.Statement]) -> Iterator[s.Statement]:
    for statement in statements:
        if isinstance(statement, s.Head):
            yield from _steps(statement.body)
        else:
            yield statement


def _opens(value: object) -> Iterator[Open]:
    """Every open choice in a value, those in the arguments of blocks too."""
    if isinstance(value, Open):
        yield value
        for option in value.options:
            yield from _opens(option)
    elif isinstance(value, (OpRef, BlockRef)):
        for _, argument, _ in value.args:
            yield from _opens(argument)
    elif isinstance(value, list):
        for item in value:
            yield from _opens(item)


def _names_in(item: Item) -> set[str]:
    values: list[object] = [item.call, *[value for _, value, _ in item.args]]
    return {found.name for value in values for found in _opens(value)}


def _signature(value: Value | s.Call | s.Name, picks: Mapping[str, int]) -> object:
    """What tells a value from others, whatever its decisions are called."""
    if isinstance(value, s.Name):
        return value.id
    if isinstance(value, s.Call):
        return value.name
    if isinstance(value, Open):
        if value.name in picks:
            return _signature(value.options[picks[value.name]], picks)
        return ("open", tuple(_signature(option, picks) for option in value.options))
    if isinstance(value, (OpRef, BlockRef)):
        first = value.name if isinstance(value, OpRef) else id(value.block)
        return (first, tuple((name, _signature(arg, picks)) for name, arg, _ in value.args))
    if is_list(value):
        return tuple(_signature(item, picks) for item in value)
    return None if isinstance(value, Poison) else key_of(value)


def _arguments_key(item: Item, picks: Mapping[str, int]) -> object:
    return tuple((name, _signature(value, picks)) for name, value, _ in item.args)


__all__ = ["MOST_RUNS", "Metrics", "Reached", "Walk"]
