"""A walk through all networks of a space at once: the same state is gone through once, however it was reached.

    state  = what has been decided and will be read again, and what blocks have made (`State`)
    reached = how many networks lead there, and the least and most of each cost of those

A step of the network (an entry, a block of a stage) leads from a state to others, one for each option of the
decisions that it reads. Two ways that end in one state are one from there on: their numbers add up, their costs
join. So the figures are exact, and the work grows with positions x states, not with the networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Final, NamedTuple

from archdsl import syntax as s
from archdsl.cost import Convention, TemplateCosts
from archdsl.cost.memory import Dtype, TemplateActivations
from archdsl.elaborate.choices import Choices, Open, option_texts
from archdsl.elaborate.networks import NetworkElaborator, no_entries, too_deep
from archdsl.elaborate.stages import Item, Numbers
from archdsl.elaborate.templates import Elaborator
from archdsl.elaborate.values import Refused, Tensor, Value
from archdsl.graph import Node
from archdsl.library import Unit
from archdsl.ops import TensorType
from archdsl.source import ArchError, Diagnostic, Span
from archdsl.space.reads import Read, definitions_of, is_read, origin, reads_of
from archdsl.space.signatures import Signer, decision_of, decisions_in, opens, values_of
from archdsl.space.states import (
    Decision,
    Ending,
    Metrics,
    Picked,
    Picks,
    Reached,
    State,
    States,
    Streams,
    types_key,
)

MOST_RUNS: Final = 10_000
"""So many steps are gone through; a space whose decisions are entangled beyond that is refused.

What is known from an equal block counts a tenth, and 50 decisions that are carried along count as a step.
"""


class Forks(Choices):
    """Asks for every option in turn; decisions are told apart by their places too, whatever they are called."""

    def __init__(self) -> None:
        super().__init__()
        self.made: Picks = {}

    def decide(self, open_: Open) -> Value:
        self.reads += 1
        index = self.made.get(decision_of(open_))
        if index is None:
            raise Undecided(open_)
        return open_.options[index]  # type: ignore[no-any-return]


class Undecided(Exception):
    """A decision is read that nobody has made; who forks goes on with every option."""

    def __init__(self, open_: Open) -> None:
        super().__init__(open_.name)
        self.open = open_


class Later(NamedTuple):
    """What statements after this one are about."""

    reads: frozenset[Read]
    labels: frozenset[str]

    def and_(self, other: Later) -> Later:
        """What this or the other is about."""
        return Later(self.reads | other.reads, self.labels | other.labels)


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
        self.choices = Forks()
        self.builder = NetworkElaborator(Elaborator(), unit, network, self.choices)
        self.costs = [TemplateCosts(convention) for convention in conventions]
        self.activations = TemplateActivations(dtype, batch)
        self.sums = [f"{name}({c})" for c in conventions for name in ("params", "macs")]
        self.sums += ["activations"]
        self.decisions: dict[Decision, Open] = {}
        self.runs = 0.0
        self._resolution = resolution
        self._signatures: dict[int, tuple[Item, object]] = {}
        self._choices: dict[int, tuple[Item, Set[Decision]]] = {}
        self._noted: set[tuple[str, Span]] = set()
        self._known: dict[object, list[tuple[Ending, Reached]]] = {}
        self._definitions = definitions_of(network)
        self._in_head = False

    def result(self) -> Reached:
        """All networks of the space; raises `ArchError` where one of them is wrong."""
        try:
            return self._result()
        except RecursionError:
            raise too_deep(self.network) from None

    def _result(self) -> Reached:
        builder = self.builder
        builder.set_parameters()
        builder.set_inputs(self._resolution)
        self._check()
        self._parameters = dict(builder.env)
        start = self._streams()
        self._single = len(start) == 1
        self.input = start[0][1]
        held = self.activations.bytes(self.input) if self._single else 0
        nothing = Metrics((0,) * len(self.sums), 0)
        states = States()
        everything = self._about(self.network.body)
        first = State((), start, (), frozenset(), held, False)
        for picks in self._forks(first, builder.read_model_arguments, self.network.span):
            states.add(_rest(first, picks, everything), Reached(1, nothing, nothing))
        states = self._run(self.network.body, states, Later(frozenset(), frozenset()))
        if not all(state.is_begun for state, _ in states):
            self._fail(no_entries(self.network))
        results = [reached for _, reached in states]
        whole = results[0]
        for reached in results[1:]:
            whole.join(reached)
        return whole

    def _about(self, part: object) -> Later:
        """What a part of the network reads, and the labels in it."""
        labels = [found.label for found in s.parts_of(part, s.Entry | s.Stage)]
        labels += [path.parts[0] for path in s.parts_of(part, s.LabelPath)]
        return Later(frozenset(reads_of(part, self._definitions)), frozenset(labels))

    # --- steps

    def _run(self, statements: Sequence[s.Statement], states: States, later: Later) -> States:
        """Go through statements one by one; `later` is what comes behind all of them."""
        waiting = []
        for statement in reversed(statements):
            waiting.append((statement, later))
            # A let is read where its name is.
            later = later if isinstance(statement, s.Let) else later.and_(self._about(statement))
        for statement, rest in reversed(waiting):
            states = self._step(statement, states, rest)
        return states

    def _step(self, statement: s.Statement, states: States, later: Later) -> States:
        match statement:
            case s.SubjectTo() | s.Init():
                return states
            case s.Head(body) if not self._in_head:
                self._in_head = True
                return self._run(body, states, later)
            case s.Stage() if not self._in_head:
                return self._stage(statement, states, later)
            case s.If():
                return self._if(statement, states, later)
            case s.For():
                return self._loop(statement, states, later)
        result = States()
        for state, reached in states:
            for picks in self._forks(state, lambda: self.builder.statement(statement), statement.span):
                made, held = self._made(state.held)
                env, labels = self.builder.env.items(), frozenset(self.builder.labels)
                names = tuple([pair for pair in env if pair[1] is not self._parameters.get(pair[0])])
                is_begun = state.is_begun or bool(self.builder.nodes)
                end = State((), self._streams(), names, labels, held, is_begun)
                result.add(_rest(end, picks, later), reached.then(1, made, made))
        return result

    def _if(self, statement: s.If, states: States, later: Later) -> States:
        """Both branches, each from the states that take it."""
        result = States()
        found: list[bool | None] = [None]

        def decide() -> None:
            found[0] = self.builder.condition(statement)

        branches = {True: statement.then, False: statement.otherwise}
        taken = {True: States(), False: States()}
        for state, reached in states:
            for picks in self._forks(state, decide, statement.span):
                outcome = bool(found[0])
                rest = later.and_(self._about(branches[outcome]))
                taken[outcome].add(_rest(state, picks, rest), reached)
        before = self._in_head
        after = set()
        for outcome, branch in branches.items():
            self._in_head = before
            for state, reached in self._run(branch, taken[outcome], later):
                result.add(_rest(state, dict(state.picks), later), reached)
            after.add(self._in_head)
        self._in_head = any(after)
        return result

    def _loop(self, loop: s.For, states: States, later: Later) -> States:
        """A loop unrolled, for each list of elements that its decisions give."""
        result = States()
        inside = later.and_(self._about(loop.body))
        # What `if` in it chooses is one decision for all rounds.
        inside = inside.and_(Later(frozenset({origin(self.builder.places[id(loop)])}), frozenset()))
        found: list[Value] = []

        def expand() -> None:
            found[:] = self.builder.elements_of(loop)

        for state, reached in states:
            for picks in self._forks(state, expand, loop.span):
                elements = tuple(found)
                inner = States()
                # The elements are a name of their own until the loop is done.
                names = (*state.names, (_elements_of(loop), list(elements)))
                inner.add(_rest(state._replace(names=names), picks, inside, _elements_of(loop)), reached)
                for element in elements:
                    bound = States()
                    for each, done in inner:
                        others = [pair for pair in each.names if pair[0] != loop.name]
                        bound.add(each._replace(names=(*others, (loop.name, element))), done)
                    rest = Later(inside.reads | {(_elements_of(loop),)}, inside.labels)
                    inner = self._run(loop.body, bound, rest)
                for end, done in inner:
                    result.add(_rest(end, dict(end.picks), later), done)
        return result

    def _stage(self, stage: s.Stage, states: States, later: Later) -> States:
        """The blocks of a stage one by one, for each list of blocks that its decisions give."""
        reads = later.reads | reads_of(stage.width, self._definitions)
        result = States()
        found: list[Item] = []

        def expand() -> None:
            self.builder.own(stage.label, stage.span)
            found[:] = self.builder.items_of(stage)
            for item in found:
                if item.label is not None:
                    self.builder.own(f"{stage.label}.{item.label}", item.span)

        for state, reached in states:
            for picks in self._forks(state, expand, stage.span):
                items = list(found)
                named = self._named(items, decisions_in(value for _, value in state.names))
                inner = States()
                # A stage is there once one of its blocks is.
                start = state._replace(picks=_kept(picks, reads, named[0]), labels=state.labels - {stage.label})
                inner.add(start, reached)
                numbers = Numbers(stage.label)
                for item, after in zip(items, named[1:], strict=True):
                    inner = self._block(item, numbers, inner, reads, after)
                    numbers.passed(item, True)
                for end, done in inner:
                    for last in self._forks(end, partial(self._check_width, stage, end), stage.span):
                        result.add(_rest(end, last, later), done)
        return result

    def _check_width(self, stage: s.Stage, state: State) -> None:
        main = self.builder.streams[self.builder.main]
        if stage.label in state.labels and isinstance(main, Tensor):
            self.builder.check_width(stage, main)

    def _block(
        self, item: Item, numbers: Numbers, states: States, reads: Set[Read], after: Set[Decision]
    ) -> States:
        """A block of a stage from every state; `after` are the decisions of the blocks behind it."""
        result = States()
        own = self._own(item)
        label = numbers.place(item)
        for state, reached in states:
            picked = dict(state.picks)
            self._count(0.1, picked, item.span)
            open_ = {name: 0 for name in own if name not in picked and not name[0].startswith("*")}
            is_local = not _kept(open_, reads, after)
            key = (self._signature(item, own, picked), types_key(state.streams), state.held)
            known = self._known.get(key) if is_local else None
            if known is None:
                ends: dict[object, tuple[Ending, Reached]] = {}
                for picks in self._forks(state, lambda: self.builder.block(item, numbers), item.span):
                    made, held = self._made(state.held)
                    end = Ending(self._streams(), held, bool(self.builder.nodes))
                    if not is_local:
                        kept = _kept(picks, reads, after)
                        result.add(end.after(state, kept, numbers.stage), reached.then(1, made, made))
                        continue
                    found = ends.setdefault(end.key, (end, Reached(0, made, made)))
                    found[1].join(Reached(1, made, made))
                if not is_local:
                    continue
                known = self._known[key] = list(ends.values())
            elif own:
                self._note(item, label)
            for end, step in known:
                kept = _kept(picked, reads, after)
                going_on = reached.then(step.ways, step.least, step.most)
                result.add(end.after(state, kept, numbers.stage), going_on)
        return result

    def _signature(self, item: Item, names: Set[Decision], picked: Picks) -> object:
        """What tells a block from others, whatever its decisions are called."""
        if not names.isdisjoint(picked):
            return Signer(picked).item(item)
        found = self._signatures.get(id(item))
        if found is None:
            found = self._signatures[id(item)] = (item, Signer({}).item(item))
        return found[1]

    def _own(self, item: Item) -> Set[Decision]:
        """The open choices in a block; a repeated one is looked at once."""
        found = self._choices.get(id(item))
        if found is None:
            opened = [open_ for value in values_of(item) for open_ in opens(value)]
            found = self._choices[id(item)] = (item, frozenset(map(decision_of, opened)))
        return found[1]

    def _named(self, items: Sequence[Item], bound: Set[Decision]) -> list[Set[Decision]]:
        """The open choices in all blocks, in all but the first, and so on; `bound` are those behind them."""
        result = [bound]
        for item in reversed(items):
            own = self._own(item)
            result.append(result[-1] if own <= result[-1] else own | result[-1])
        return result[::-1]

    def _note(self, item: Item, label: str) -> None:
        """The decisions of a block that is known from another one, which has other names for them."""
        if (label, item.span) in self._noted:
            return
        self._noted.add((label, item.span))
        for value in values_of(item):
            for found in opens(self.builder.named(value, label)):  # type: ignore[arg-type]
                self.decisions.setdefault(decision_of(found), found)

    # --- running a step

    def _forks(self, state: State, step: Callable[[], None], span: Span) -> Iterator[Picks]:
        """Run a step from a state, once for each option of the decisions that it reads."""
        waiting: list[Picks] = [dict(state.picks)]
        while waiting:
            picks = waiting.pop()
            self._count(1, picks, span)
            self._reset(state, picks)
            try:
                step()
            except Undecided as undecided:
                found = undecided.open
                self.decisions.setdefault(decision_of(found), found)
                waiting += [{**picks, decision_of(found): i} for i in reversed(range(len(found.options)))]
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

    def _reset(self, state: State, picks: Picks) -> None:
        builder = self.builder
        builder.nodes, builder.types, builder.names = [], {}, {}
        builder.raw, builder.called, builder.guards = [], {}, []
        builder.labels = dict.fromkeys(state.labels, self.network.span)
        builder.after = dict.fromkeys(state.labels, 0)
        builder.indexed = {label.partition(".")[0]: "." in label for label in state.labels}
        builder.decisions, builder.applied, builder.size = [], None, 0
        builder.head = 0 if self._in_head else None
        builder.env = {**self._parameters, **dict(state.names)}
        builder.streams = {name: builder.tensor(type_) for name, type_ in state.streams}
        for name, tensor in builder.streams.items():
            assert isinstance(tensor, Tensor)
            builder.names[tensor.number] = name
        self.choices.made = dict(picks)

    def _streams(self) -> Streams:
        tensors = self.builder.streams.items()
        return tuple((name, tensor.type) for name, tensor in tensors if isinstance(tensor, Tensor))

    def _made(self, held: int) -> tuple[Metrics, int]:
        """The costs of the nodes that the last step has added, and what the stream is held by after it."""
        builder = self.builder
        sums = [0] * len(self.sums)
        peak: int | None = held if self._single else None
        template = _Made(builder.types)
        for index, node in enumerate(builder.nodes):
            for number, costs in enumerate(self.costs):
                cost = costs.added(template, node, index)  # type: ignore[arg-type]
                sums[2 * number] += cost.params
                sums[2 * number + 1] += cost.total_macs
            sums[-1] += self.activations.total(template, node)  # type: ignore[arg-type]
            if peak is None or not len(node.inputs) == len(node.outputs) == 1:
                peak, held = None, 0
                continue
            most, held = self.activations.link(template, node, held)  # type: ignore[arg-type]
            peak = max(peak, most)
        return Metrics(tuple(sums), peak), held

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


def _shown(open_: Open, index: int) -> str:
    return f"{open_.name} = {option_texts(open_)[index]} ({open_.places[index]})"


def _noted(error: Diagnostic, where: str) -> Diagnostic:
    help = f"{where}: {error.help}" if error.help else where
    return error.replace(help=help)  # type: ignore[no-any-return]


def _elements_of(loop: s.For) -> str:
    """No name of the language: what is left to go over is not forgotten."""
    return f"in {loop.span}"


def _rest(state: State, picks: Picks, later: Later, *names: str) -> State:
    """The state with what something later is about, and with these names."""
    read = {*names, *[name for name, *_ in later.reads]}
    bound = tuple(sorted([pair for pair in state.names if pair[0] in read], key=lambda pair: pair[0]))
    kept = _kept(picks, later.reads, decisions_in(value for _, value in bound))
    labels = frozenset([label for label in state.labels if label.partition(".")[0] in later.labels])
    return state._replace(picks=kept, names=bound, labels=labels)


def _kept(picks: Picks, reads: Set[Read], names: Set[Decision] = frozenset()) -> Picked:
    """The decisions that are among the names, or that something reads."""
    return tuple(sorted([(n, i) for n, i in picks.items() if n in names or is_read(n[0], reads)]))


__all__ = ["MOST_RUNS", "Walk"]
