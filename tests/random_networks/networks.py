"""Networks of drawn blocks: entries, stages, streams, loops, decisions, heads; `document(seed)` draws one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from math import prod
from random import Random
from typing import Any

from random_networks.attributes import DRAWERS, Draw
from random_networks.blocks import Drawn, activation, call_args, draw_block, draw_value, is_plain, reused, said
from random_networks.drawing import Broken, Drawing
from random_networks.expressions import Expr, Invalid, Numbers, Op, call, listed, literal, truth, value
from random_networks.network_running import NetworkState, run_network
from random_networks.running import Tensor, coerced
from random_networks.shapes import FIRST, Shape, Type
from random_networks.statements import StatementDrawer
from random_networks.trees import (
    Apply,
    Argument,
    Block,
    Document,
    Each,
    Entry,
    Features,
    For,
    Group,
    Head,
    If,
    Item,
    LetNumber,
    Network,
    Param,
    Ref,
    Require,
    Return,
    Stage,
    Statement,
)

ENTRY_LABELS = ("stem", "body", "down", "up", "neck", "conv", "norm", "act", "pool", "mid", "extra", "entry",
                "b", "x",
                "relu", "f1", "y", "weight", "images", "out", "blocks", "s0", "net", "Block")  # fmt: skip
STAGE_LABELS = ("s1", "s2", "s3", "stage_", "trunk", "layers")
PARAMETER_NAMES = (
    "width",
    "depth",
    "act_",
    "wide",
    "ratios",
    "kernel",
    "sizes",
    "count_",
    "deep",
    "growth",
    "e",
)
LET_NAMES = ("n", "hidden", "halved", "twice", "k")


@dataclass
class Sample:
    """A document, and what is known of it without archdsl."""

    seed: int
    document: Document
    network: Network
    text: str
    shapes: dict[str, Shape]
    """The output of every entry and block of a stage that has one, by its path."""
    after: dict[str, Shape]
    inputs: list[Shape]
    output: Shape
    seen: Counter[str] = field(default_factory=Counter)
    ran: dict[int, Any] = field(default_factory=dict)
    state: NetworkState | None = None


def document(seed: int) -> Sample:
    """The document of a seed."""
    for attempt in range(50):
        drawing = Drawing(Random(f"{seed} {attempt}"))
        try:
            return NetworkDrawer(drawing, seed).draw()
        except (Broken, Invalid):
            continue
    raise Broken(f"no document for seed {seed}")


class NetworkDrawer:
    """Draws one network and its blocks."""

    def __init__(self, drawing: Drawing, seed: int) -> None:
        self.drawing, self.random, self.seed = drawing, drawing.random, seed
        self.params: list[Param] = []
        self.names: dict[str, Any] = {}
        self.state: NetworkState
        self.index: Expr | None = None

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    @property
    def numbers(self) -> Numbers:
        return Numbers(self.random, self._without_classes(self.state.names), self.drawing.see)

    @staticmethod
    def _without_classes(names: dict[str, Any]) -> dict[str, Any]:
        """Names but the number of classes, which may be another one, or 0, when the module is made."""
        return {name: known for name, known in names.items() if name != "num_classes"}

    def draw(self) -> Sample:
        random, see = self.random, self.drawing.see
        name = random.choice(["Net", "Sample", "N", "Tiny_S0", "my_net", "Block", "S"])
        self.drawing.used.add(name)
        self._params()
        shape = (random.randint(1, 6), random.randint(1, 13), random.randint(1, 13))
        if self.maybe(0.5):
            shape = (random.randint(2, 6), random.randint(4, 13), random.randint(4, 13))
        tensors = [(random.choice(["image", "x", "images"]), self._input(shape))]
        if self.maybe(0.15):
            see("several inputs")
            rank = random.choice([1, 2, 2, 3])
            tensors.append(("tokens", self._input(tuple(random.randint(1, 6) for _ in range(rank)))))
        network = Network(name, tensors, self.params, [])
        if self.maybe(0.2):
            see("docstring of a network")
            network.doc = random.choice(["A network.", 'It is \\"so\\" # here.'])
        self.state = NetworkState(self.drawing.world, network, self.names)
        body = network.body
        for _ in range(random.randint(1, 5)):
            body += self._some_statement(2)
        if "num_classes" in self.state.names and self.maybe(0.1):
            see("num_classes outside of the head")
            body.append(Entry(self._label(), "number_minus", [(None, Expr("num_classes", "num_classes"))]))
            self._take(body[-1])
        before_head = set(self.state.after)
        is_head = self.maybe(0.6)
        if is_head:
            see("head")
            head: list[Statement] = []
            before = self.state.fork()
            self.state.in_head = True
            head += self._joins()
            head += self._ends()
            statement = Head(head)
            self.state = before
            self._take(statement)
            body.append(statement)
        else:
            body += self._joins()
            if not self.state.shapes:
                body += self._ends()
        in_head = set(self.state.after) - before_head if is_head else set()
        if self.maybe(0.5) and self.state.after:
            see("features")
            labels = [label for label in self.state.after if label not in in_head]
            if labels:
                chosen = random.sample(labels, random.randint(1, min(3, len(labels))))
                statement = Features(chosen)
                self._take(statement)
                body.insert(random.choice([len(body), len(body)]), statement)
        if set(self.state.streams) != {"x"} and self._loose():
            raise Broken
        made = Document(self._blocks(), [network], build=network.name if self.maybe(0.2) else None)
        if made.build is not None:
            see("build")
        return self.sample(made, network)

    def sample(self, made: Document, network: Network) -> Sample:
        """The document with what its network gives, run once more from the beginning."""
        world = self.drawing.world
        world.forget()
        state = run_network(world, network)
        self.drawing.seen.update(f"primitive {kind}" for kind in world.kinds)
        inputs = [tuple(state.value(extent) for extent in extents) for _, extents in network.tensors]
        output = state.streams["x"].type
        if not output.batched:
            raise Broken
        return Sample(self.seed, made, network, made.text(), dict(state.shapes), dict(state.after), inputs,
                      output.shape, self.drawing.seen, dict(world.ran), state)  # fmt: skip

    def _blocks(self) -> list[Block]:
        blocks = list(self.drawing.world.blocks.values())
        if self.maybe(0.3):
            self.random.shuffle(blocks)
        return blocks

    def _take(self, statement: Statement) -> None:
        trial = self.state.fork()
        trial.statement(statement)
        self.state = trial

    # --- parameters and inputs

    def _params(self) -> None:
        random = self.random
        for _ in range(random.choice([0, 1, 2, 3])):
            name = self.drawing.name(PARAMETER_NAMES, self.names)
            type_ = random.choice(
                ["dim", "dim", "ratio", "bool", "[dim]", "[dim]", "op", "[ratio]", "odd", "real", "str"]
            )
            expr = activation(random) if type_ == "op" else draw_value(random, type_)
            if type_ == "dim" and self.maybe(0.4):
                known = self._without_classes(self.names)
                expr = Numbers(random, known, self.drawing.see).equal_to(random.randint(1, 6))
            written = self.maybe(0.3) and type_ in ("dim", "ratio", "bool", "odd", "real", "[dim]", "[ratio]")
            if not written and type_ in ("ratio", "real"):
                expr = literal(float(value(expr, self.names)))
            self.drawing.see("typed parameter" if written else "parameter")
            self.params.append(Param(name, type_ if written else None, expr))
            found = value(expr, self.names)
            self.names[name] = coerced(self.params[-1], found) if written else found
        if self.maybe(0.5):
            self.drawing.see("num_classes")
            self.params.append(Param("num_classes", None, literal(random.randint(1, 6))))
            self.names["num_classes"] = value(self.params[-1].default, {})  # type: ignore[arg-type]
        if self.maybe(0.4):
            self.drawing.see("drop_path")
            self.params.append(Param("drop_path", None, literal(random.choice([0.0, 0.1, 0, 0.3]))))
            self.names["drop_path"] = float(value(self.params[-1].default, {}))  # type: ignore[arg-type]
        random.shuffle(self.params) if all(_is_constant(param) for param in self.params) else None

    def _input(self, shape: Shape) -> list[Expr]:
        numbers = Numbers(self.random, self._without_classes(self.names), self.drawing.see)
        return [numbers.equal_to(extent, 1) if self.maybe(0.15) else literal(extent) for extent in shape]

    # --- statements

    def _some_statement(self, depth: int) -> list[Statement]:
        forms: list[Callable[[int], list[Statement]]] = [
            self._entry,
            self._entry,
            self._stage,
            self._stage,
            self._number,
            self._require,
        ]
        if depth == 2:
            forms += [self._if, self._for, self._stream]
        for _ in range(8):
            before, blocks = self.state.fork(), dict(self.drawing.world.blocks)
            try:
                return self.random.choice(forms)(depth)
            except (Invalid, Broken):
                self.state = before
                self.drawing.world.blocks.clear()
                self.drawing.world.blocks.update(blocks)
        raise Broken

    def _label(self, pool: tuple[str, ...] = ENTRY_LABELS) -> str:
        taken = {*self.state.labels.values(), *self.state.labels, *self.state.names, *self.state.streams}
        return self.drawing.name(pool, {label.partition(".")[0] for label in taken})

    def _main(self) -> Type:
        return self.state.streams["x"].type

    def _callee(self, keeps: bool = False) -> tuple[str, list[Argument], Block | None]:
        """A primitive, a block that there is or a new one, for the main stream."""
        type_ = self._main()
        choice = self.random.random()
        ops = [name for name, known in self.state.names.items() if isinstance(known, Op)]
        if ops and choice < 0.08:
            self.drawing.see("parameter that is called")
            return self.random.choice(ops), [], None
        if choice < 0.25:
            made = self._primitive(type_, keeps)
            if made is not None:
                return *made, None
        if choice < 0.7:
            found = reused(self.drawing, self.numbers, [type_], keeps)
            if found is not None and found[0].tensors[0][0] not in self.state.streams:
                return found[0].name, found[1], found[0]
        name = self.random.choice(["x", "image", "z", "inputs"])
        drawn = draw_block(self.drawing, [type_], [name], keeps=keeps)
        if drawn is None:
            raise Broken
        return drawn.block.name, call_args(self.drawing, self.numbers, drawn), drawn.block

    def _primitive(self, type_: Type, keeps: bool) -> tuple[str, list[Argument]] | None:
        for _ in range(6):
            kind = self.random.choice(list(DRAWERS))
            if kind in ("exp", "sqrt", "split") or kind in self.state.names or not type_.rank:
                continue
            given = DRAWERS[kind](Draw(self.random, self.numbers), type_)
            if given is None:
                continue
            args: list[Argument] = list(given)
            for place, (name, found) in enumerate(args):
                if name == FIRST.get(kind) and self.maybe(0.6):
                    args.pop(place)
                    args.insert(0, (None, found))
                    break
            trial = self.state.fork()
            try:
                made = trial.call(kind, trial.arguments(args), [trial.streams["x"]], "label")
            except Invalid:
                continue
            if not keeps or made[0].type == type_:
                self.drawing.see("primitive as an entry")
                return kind, args
        return None

    def _entry(self, depth: int) -> list[Statement]:
        callee, args, _ = self._callee()
        statement = Entry(self._label(), callee, args)
        self._take(statement)
        self.drawing.see("entry")
        return [statement]

    def _number(self, depth: int) -> list[Statement]:
        self.drawing.see("let in a network")
        name = self.drawing.name(LET_NAMES, {*self.state.names, *self.state.labels})
        statement = LetNumber(name, self.numbers.equal_to(self.random.randint(1, 6)))
        self._take(statement)
        return [statement, *self._some_statement(depth)]

    def _require(self, depth: int) -> list[Statement]:
        condition, holds = self.numbers.condition()
        if not holds:
            condition = Expr(f"not ({condition.text})", f"not ({condition.code})")
        self.drawing.see("require in a network")
        statement = Require(condition, "it is so")
        self._take(statement)
        return [statement, *self._some_statement(depth)]

    def _if(self, depth: int) -> list[Statement]:
        condition, outcome = self.numbers.condition()
        before = self.state.fork()
        other = [self._kept_entry()]
        self.state = before
        start = self.state.fork()
        taken = self._some_statement(depth - 1)
        self.state = start
        statement = If(condition, taken, other) if outcome else If(condition, other, taken)
        if self.maybe(0.3):
            statement = If(condition, taken, []) if outcome else If(condition, other, [])
        self.drawing.see("if in a network")
        self._take(statement)
        return [statement]

    def _kept_entry(self) -> Entry:
        made = self._primitive(self._main(), True)
        if made is None:
            raise Broken
        return Entry(self._label(), *made)

    def _for(self, depth: int) -> list[Statement]:
        name = self.drawing.name(("i", "j"), self.state.names)
        values = call("range", self.numbers.equal_to(self.random.randint(1, 3)))
        if self.maybe(0.3):
            values = listed([literal(i) for i in self.random.sample(range(1, 6), self.random.randint(1, 3))])
        start = self.state.fork()
        self.state.names[name] = self.state.value(values)[0]
        callee, args, _ = self._callee(keeps=True)
        self.state = start
        statement = For(name, values, [Entry(self._label(), callee, args, Expr(name, name))])
        self.drawing.see("for in a network")
        self._take(statement)
        return [statement]

    # --- stages

    def _stage(self, depth: int) -> list[Statement]:
        random = self.random
        self.drawing.see("stage")
        label = self._label(STAGE_LABELS)
        start = self.state.fork()
        items: list[Item | Group] = []
        for _ in range(random.randint(1, 3)):
            items.append(self._item())
            trial = start.fork()
            trial.statement(Stage(label, None, list(items)))
            self.state = trial
        after = self._main()
        width = None
        if self.maybe(0.4):
            self.state = start
            width = self.numbers.equal_to(after.shape[0 if after.rank == 3 else -1], 1)
            self.drawing.see("width of a stage")
        self.state = start
        statement = Stage(label, width, list(items))
        self._take(statement)
        return [statement]

    def _item(self) -> Item | Group:
        random = self.random
        form = random.choice(["one", "one", "repeated", "each", "each", "labelled", "list", "if"])
        callee, args, block = self._callee(keeps=form in ("repeated", "each", "if") or self.maybe(0.3))
        if form == "repeated":
            self.drawing.see("repeated block")
            return Item(callee, args, None, self.numbers.equal_to(random.randint(1, 3), 1))
        if form == "each" and block is not None and block.params:
            made = self._each(block, args)
            if made is not None:
                return made
        if form == "labelled":
            self.drawing.see("labelled block of a stage")
            names = {path.rpartition(".")[2] for path in self.state.labels}
            return Item(callee, args, self.drawing.name(("attention", "extra", "last", "mid"), names))
        if form == "list":
            self.drawing.see("list of blocks")
            kept = Item("relu", []) if self.maybe(0.5) else Item("identity", [])
            inner = [Item(callee, args), kept]
            if self.maybe(0.3):
                return Group([*inner, Group([kept], literal(random.randint(0, 2)))])
            return Group(list(inner))
        if form == "if":
            self.drawing.see("if in a stage")
            condition, outcome = self.numbers.condition()
            other: list[Item | Group] = [Item("gelu", [])]
            mine: list[Item | Group] = [Item(callee, args)]
            return Group(mine if outcome else other, None, condition, other if outcome else mine)
        return Item(callee, args)

    def _each(self, block: Block, args: list[Argument]) -> Item | None:
        """`block(expansion = each [1, 2])`."""
        type_ = self._main()
        params = [
            p
            for p in block.params
            if p.type in ("dim", "ratio", "odd", "bool", "count", "int", "real", "op", "str")
        ]
        if not params:
            return None
        param = self.random.choice(params)
        assert param.type is not None
        given = {block.params[0].name if name is None else name: found for name, found in args}
        options: list[Expr] = []
        for _ in range(8):
            option = draw_value(self.random, param.type)
            passed = {**given, param.name: option}
            try:
                arguments = [(n, value(e, self.state.names)) for n, e in passed.items() if isinstance(e, Expr)]
                made = self.drawing.world.call(block.name, arguments, [type_])
            except Invalid:
                continue
            if made.types == [type_]:
                options.append(option)
        if not options:
            return None
        self.drawing.see("each")
        kept: list[Argument] = [
            (name, found) for name, found in args
            if name != param.name and not (name is None and block.params[0].name == param.name)
        ]  # fmt: skip
        values = listed([self.random.choice(options) for _ in range(self.random.randint(1, 3))])
        if self.maybe(0.2):
            self.drawing.see("repetition in each")
            values = Expr(f"[{options[0].at(10).text} * 2]", f"[{options[0].code}] * 2")
        return Item(block.name, [*kept, (param.name, Each(values))])

    # --- streams

    def _stream(self, depth: int) -> list[Statement]:
        """A block that adds, changes or reads another stream."""
        streams = [name for name in self.state.streams if name != "x"]
        if not streams:
            return self._fork_off()
        name = self.random.choice(streams)
        if self.maybe(0.5):
            type_ = self.state.streams[name].type
            drawn = draw_block(self.drawing, [type_], [name], results=[name], size=2)
            self.drawing.see("block of another stream")
        else:
            pair = [self._main(), self.state.streams[name].type]
            drawn = draw_block(self.drawing, pair, ["x", name], results=["x", name], size=3)
            self.drawing.see("block of two streams")
        return self._entry_of(drawn)

    def _fork_off(self) -> list[Statement]:
        name = self.random.choice(["tokens", "side", "skip_", "y"])
        if name in self.state.names or name in self.state.labels:
            raise Broken
        drawn = draw_block(self.drawing, [self._main()], ["x"], results=["x", name], size=2)
        self.drawing.see("a block adds a stream")
        return self._entry_of(drawn)

    def _entry_of(self, drawn: Drawn | None) -> list[Statement]:
        if drawn is None:
            raise Broken
        statement = Entry(self._label(), drawn.block.name, call_args(self.drawing, self.numbers, drawn))
        self._take(statement)
        return [statement]

    def _loose(self) -> bool:
        return any(
            id(tensor) in self.state.unread for name, tensor in self.state.streams.items() if name != "x"
        )

    def _joins(self) -> list[Statement]:
        """Entries that bring all streams together, so that every weight has a part in the result."""
        found: list[Statement] = []
        while self._loose():
            name = next(n for n, t in self.state.streams.items() if n != "x" and id(t) in self.state.unread)
            pair = [self._main(), self.state.streams[name].type]
            drawn = draw_block(self.drawing, pair, ["x", name], results=["x"], size=2, keeps=True)
            self.drawing.see("streams joined")
            found += self._entry_of(drawn)
        return found

    def _ends(self) -> list[Statement]:
        """The entries of a head: pooled, perhaps classified."""
        found: list[Statement] = []
        label = self._label()
        if self._main().rank == 3:
            statement: Statement = Entry(label, "global_avg_pool", [])
            self._take(statement)
            found.append(statement)
        if "num_classes" in self.state.names and self._main().rank >= 1 and self.maybe(0.9):
            text = self.random.choice(
                ["num_classes"] * 4 + ["num_classes * 2", "num_classes + 1", "(num_classes + 2) // 2"]
            )
            classes = Expr(text, text)
            if self.maybe(0.15):
                name = self.drawing.name(LET_NAMES, {*self.state.names, *self.state.labels})
                let = LetNumber(name, classes)
                self._take(let)
                found.append(let)
                classes = Expr(name, name)
                self.drawing.see("let of num_classes")
            if self.maybe(0.25) and self._main().batched:
                drawn = self._modes()
                found += self._entry_of(drawn)
            else:
                statement = Entry(self._label(), "linear", [(None, classes)])
                self._take(statement)
                found.append(statement)
                self.drawing.see("classifier")
        elif self.maybe(0.15) and self._main().batched:
            found += self._entry_of(self._modes())
        if not found:
            statement = Entry(label, "identity", [])
            self._take(statement)
            found.append(statement)
        return found

    def _modes(self) -> Drawn:
        drawn = draw_block(self.drawing, [self._main()], ["x"], size=2, modes=True)
        if drawn is None:
            raise Broken
        return drawn


def _is_constant(param: Param) -> bool:
    assert param.default is not None
    return is_plain(param.default)


__all__ = [
    "Apply",
    "NetworkDrawer",
    "Ref",
    "Return",
    "Sample",
    "StatementDrawer",
    "Tensor",
    "deepcopy",
    "document",
    "prod",
    "said",
    "truth",
]
