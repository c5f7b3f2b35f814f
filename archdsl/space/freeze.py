"""One network of a space, as a plain document: what was open is decided, all else stays as it was written.

Statements that hold no choice are kept. Where one did, what was made of it is written: entries with the
arguments that they were given, and the blocks of a stage in runs, `ffn(expansion = each [4, 3 * 3])`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from archdsl import surfaces
from archdsl import syntax as s
from archdsl.elaborate.choices import Choices, Deferred, Open, Settled, holds_choice, option_texts
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.networks import NetworkElaborator, finished, run
from archdsl.elaborate.streams import Made
from archdsl.elaborate.templates import Elaborator
from archdsl.elaborate.values import BlockRef, OpRef, Refused, Value, is_list
from archdsl.graph import Graph
from archdsl.names import problem
from archdsl.record import Record
from archdsl.scalar import Scalar, human_text, is_constant
from archdsl.source import ArchError, Diagnostic, Source, Span, fail
from archdsl.space.conditions import broken, conditions
from archdsl.space.picks import Picks
from archdsl.surfaces import Surface
from archdsl.variants import Chosen

MOST_TRIES = 1000
"""So many networks are drawn until one keeps to the conditions."""


class Frozen(Record):
    """A network of a space: its plain document, its graph, and what was decided."""

    document: s.Document
    graph: Graph
    decided: Mapping[str, str]

    def text(self, surface: Surface) -> str:
        """The document's text, `yaml` or `arch`."""
        return surfaces.printed(self.document, surface)


def freeze(
    chosen: Chosen, picks: Picks, resolution: tuple[int, int] | None = None, name: str | None = None
) -> Frozen:
    """The network that picks decide for; raises `ArchError` for decisions left open, picks of nothing, and a
    network that does not keep to the conditions of the space."""
    _check_name(name)
    choices = Choices(picks)
    frozen = _frozen(chosen, choices, resolution, name)
    mistakes = picks.unused([*choices.met])
    mistakes += broken(frozen.graph, conditions(chosen.network))
    if mistakes:
        raise ArchError(mistakes)
    return frozen


def sample(
    chosen: Chosen, seed: int, resolution: tuple[int, int] | None = None, name: str | None = None
) -> Frozen:
    """A network drawn at random: each decision in its turn, all of its options alike; the same for a seed.

    Networks that do not keep to the conditions are drawn anew. Raises `ArchError` where `MOST_TRIES` did not.
    """
    _check_name(name)
    wanted = conditions(chosen.network)
    generator = random.Random(seed)
    mistakes: list[Diagnostic] = []
    for _ in range(MOST_TRIES if wanted else 1):
        builder = _run(chosen, _Drawn(generator), resolution)
        mistakes = broken(finished(builder, chosen.network), wanted)
        if not mistakes:
            return _written(builder, chosen, name)
    message = f"none of {MOST_TRIES:,} networks drawn keeps to the conditions"
    raise ArchError(
        [Diagnostic("E0228", message, wanted[0].span, "ask for less, or narrow the choices"), *mistakes]
    )


class _Drawn(Choices):
    """Decides at random."""

    def __init__(self, generator: random.Random) -> None:
        super().__init__()
        self.generator = generator

    def picked(self, open_: Open) -> int:
        return self.generator.randrange(len(open_.options))


def _check_name(name: str | None) -> None:
    wrong = None if name is None else problem(name)
    if wrong:
        raise fail("E0105", wrong, None, "choose another --name")


def _frozen(chosen: Chosen, choices: Choices, resolution: tuple[int, int] | None, name: str | None) -> Frozen:
    return _written(_run(chosen, choices, resolution), chosen, name)


def _run(chosen: Chosen, choices: Choices, resolution: tuple[int, int] | None) -> NetworkElaborator:
    builder = NetworkElaborator(Elaborator(), chosen.unit, chosen.network, choices)
    builder.trace = []
    return run(builder, resolution)


def _written(builder: NetworkElaborator, chosen: Chosen, name: str | None) -> Frozen:
    choices, network = builder.choices, chosen.network
    decided = {found.name: option_texts(found)[choices.decided[found.name]] for found in choices.met.values()}
    graph = finished(builder, network)
    builder.choices = Settled(choices.decided)
    plain = _Writer(builder).network(name or network.name)
    return Frozen(_document(chosen, plain), graph, decided)


def _document(chosen: Chosen, network: s.Network) -> s.Document:
    """A document of its own: the imports, blocks and key rules of all that the network came from."""
    imports: dict[str, s.Import] = {}
    blocks: dict[str, s.Block] = {}
    for unit in chosen.units:
        for imported in unit.document.imports:
            imports.setdefault(imported.name, imported)
        for block in unit.document.blocks:
            blocks.setdefault(block.name, block)
    keys = []
    for name, rules in chosen.unit.keys.items():
        own = next((rules[base] for base in chosen.lineage if base in rules), None)
        kept = [rules[block] for block in blocks if block in rules]
        if own is not None:
            kept.insert(0, own.replace(block=network.name))
        if kept:
            keys.append(s.KeyMap(name, tuple(kept), kept[0].span, kept[0].whole_span))
    document = s.Document(
        s.LANGUAGE_VERSION,
        tuple(imports.values()),
        tuple(blocks.values()),
        (network,),
        (),
        tuple(keys),
        None,
        network.span,
    )
    nowhere = Source("", "")
    # Of two lines: what stood on one line is printed on one.
    return _placed(document, Span(nowhere, 1, 1, 2, 1))  # type: ignore[no-any-return]


def _placed(part: Any, span: Span) -> Any:
    """The part with every place put to one: in which files its pieces stood says nothing of this one."""
    if isinstance(part, Record):
        fields = {name: getattr(part, name) for name in part._fields}
        return type(part)(**{n: span if n.endswith("span") else _placed(v, span) for n, v in fields.items()})
    return tuple([_placed(item, span) for item in part]) if type(part) is tuple else part


class _Writer:
    """Writes a network that was run as a plain one."""

    def __init__(self, builder: NetworkElaborator) -> None:
        self.builder = builder

    def network(self, name: str) -> s.Network:
        network = self.builder.network
        body = tuple(self._statements(network.body))
        tensors = (self._input(network.tensors[0]), *network.tensors[1:])
        params = [self._param(param) for param in network.params]
        before = {*s.names_in(network.body), *s.names_in(tuple(param.default for param in network.params))}
        while True:
            after = {*s.names_in(body), *s.names_in(tensors), *s.names_in(tuple(p.default for p in params))}
            # What was read for a choice alone is read by nothing now.
            kept = [p for p in params if p.name in after or p.name not in before]
            if len(kept) == len(params):
                break
            params = kept
        return network.replace(name=name, tensors=tensors, params=tuple(params), body=body)  # type: ignore[no-any-return]

    def _input(self, tensor: s.TensorParam) -> s.TensorParam:
        """The first input, of another size where the network was run at one."""
        made = self.builder.types[0].values
        extents = list(tensor.shape.extents)
        for axis in (1, 2):
            if self.builder.resolution is not None:
                extents[axis] = s.Num(made[axis], tensor.span)
        return tensor.replace(shape=tensor.shape.replace(extents=tuple(extents)))  # type: ignore[no-any-return]

    def _param(self, param: s.Param) -> s.Param:
        if not param.later and not holds_choice(param):
            return param
        value = self.builder.read_whole(self.builder.parameters[param.name])
        return param.replace(default=literal(value, param.span), later=())  # type: ignore[no-any-return]

    def _statements(self, statements: Sequence[s.Statement]) -> Iterator[s.Statement]:
        for statement in statements:
            made = self.builder.made.get(id(statement))
            if isinstance(statement, s.SubjectTo):
                continue
            if isinstance(statement, s.Head):
                yield statement.replace(body=tuple(self._statements(statement.body)))
            elif isinstance(statement, s.Stage) and not made:
                continue  # what was decided leaves it out
            elif not holds_choice(statement) and not getattr(statement, "later", ()):
                yield statement
            elif isinstance(statement, s.Stage):
                yield self._stage(statement, made or [])
            elif isinstance(statement, s.If):
                taken = [s_ for s_ in (*statement.then, *statement.otherwise) if id(s_) in self.builder.made]
                yield from self._statements(taken)
            elif isinstance(statement, s.Let):
                yield from self._let(statement)
            elif isinstance(statement, s.Entry | s.For):
                yield from (self._entry(one, statement.span) for one in made or [])
                yield from self._bound(statement)

    def _let(self, let: s.Let) -> Iterator[s.Let]:
        """The let with its values; one for each target of several."""
        for target, value in zip(let.targets, self.builder.given.get(id(let), ()), strict=False):
            found = self.builder.read_whole(self.builder.valued(value))
            yield let.replace(targets=(target,), value=literal(found, let.span))

    def _bound(self, loop: s.Entry | s.For) -> Iterator[s.Let]:
        """The names that a loop leaves behind, as far as a statement outside reads them."""
        outside = (part for part in self.builder.network.body if part is not loop)
        read = {name for part in outside for name in s.names_in(part)}
        for name, value in self.builder.left_behind.get(id(loop), {}).items():
            if name in read:
                found = self.builder.valued(value) if isinstance(value, Deferred) else value
                written = literal(self.builder.read_whole(found), loop.span)
                yield s.Let((s.Target(name, loop.span),), None, written, loop.span)

    def _entry(self, made: Made, span: Span) -> s.Entry:
        label, _, index = made.label.partition(".")
        call = _call(made.callee, made.args, span)
        return s.Entry(label, s.Num(int(index), span) if index else None, call, span)

    def _stage(self, stage: s.Stage, made: Sequence[Made]) -> s.Stage:
        width = stage.width
        if width is not None and holds_choice(width):
            with self.builder.at(f"{stage.label}.width"):
                width = literal(self.builder.evaluate(width), width.span)
        items = tuple(_runs(stage, made))
        return stage.replace(width=width, items=items, later=())  # type: ignore[no-any-return]


def _runs(stage: s.Stage, made: Sequence[Made]) -> Iterator[s.Expr]:
    """The blocks of a stage: those in a row that differ in values alone are one line."""
    span = stage.span
    start = 0
    while start < len(made):
        first = made[start]
        label = first.label[len(stage.label) + 1 :]
        if not label.isdigit():
            yield s.Labelled(label, None, _call(first.callee, first.args, span), span)
            start += 1
            continue
        end = start + 1
        while end < len(made) and _is_alike(first, made[end]) and made[end].label.rpartition(".")[2].isdigit():
            end += 1
        yield _run_of(made[start:end], span)
        start = end


def _is_alike(a: Made, b: Made) -> bool:
    """Whether two blocks are calls of one block with arguments of the same names."""
    names = [[name for name, _, _ in _all_args(made)] for made in (a, b)]
    return a.callee.name == b.callee.name and names[0] == names[1]


def _all_args(made: Made) -> Args:
    return [*made.callee.args, *made.args]


def _run_of(made: Sequence[Made], span: Span) -> s.Expr:
    if len(made) == 1:
        return _call(made[0].callee, made[0].args, span)
    args: list[s.Argument] = []
    differs = False
    for position, (name, _, _) in enumerate(_all_args(made[0])):
        values = [literal(_all_args(one)[position][1], span) for one in made]
        if all(value == values[0] for value in values):
            args.append(s.Argument(name, values[0], span))
        else:
            differs = True
            args.append(s.Argument(name, s.Each(s.ListExpr(tuple(run_length(values)), span), span), span))
    callee = made[0].callee.name
    call: s.Expr = s.Call(callee, tuple(args), span, span) if args else s.Name(callee, span)
    return call if differs else s.Repeat(call, s.Num(len(made), span), span)


def run_length(values: Sequence[s.Expr]) -> Iterator[s.Expr]:
    """`[4, 3, 3, 3]` as `[4, 3 * 3]`."""
    for one, equal in groupby(values):
        count = len(list(equal))
        yield one if count == 1 else s.Repeat(one, s.Num(count, one.span), one.span)


def _call(callee: OpRef | BlockRef, args: Args, span: Span) -> s.Call | s.Name:
    given = [s.Argument(name, literal(value, span), span) for name, value, _ in (*callee.args, *args)]
    return s.Call(callee.name, tuple(given), span, span) if given else s.Name(callee.name, span)


def literal(value: Value, span: Span) -> s.Expr:
    """A value as the language writes it; raises `ArchError` for one that it can't."""
    if isinstance(value, Scalar):
        if not is_constant(value.term):
            from archdsl.read_arch import read_expression

            text = human_text(value.term)
            result: s.Expr = read_expression(Source("a formula", text), text, (0, 0))
            return result
        number = value.value
        if number is None:
            return s.NoneLiteral(span)
        if isinstance(number, bool):
            return s.Bool(number, span)
        return s.Unary("-", s.Num(-number, span), span) if number < 0 else s.Num(number, span)
    if isinstance(value, str):
        return s.Str(value, span)
    if is_list(value):
        return s.ListExpr(tuple(run_length([literal(item, span) for item in value])), span)
    if isinstance(value, (OpRef, BlockRef)):
        return _call(value, [], span)
    refused = Refused("E0403", "this value can't be written into a document", span)
    raise ArchError([Diagnostic(refused.code, refused.message, span)])
