"""Blocks drawn for tensors at hand, and calls of them, the first with the numbers that were drawn for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from random_networks.drawing import Broken, Drawing
from random_networks.expressions import (
    NONE,
    PRODUCT,
    Expr,
    Invalid,
    Numbers,
    Op,
    binary,
    listed,
    literal,
    names_in,
    text_literal,
    truth,
    value,
)
from random_networks.running import State, Tensor, coerced
from random_networks.shapes import Type
from random_networks.statements import StatementDrawer
from random_networks.trees import Apply, Argument, Block, Init, Let, Output, Param, Ref, Return, Tree

BLOCK_NAMES = (
    "mixer", "my_block", "myBlock", "MyBlock", "tail", "residual", "conv_block", "ffn", "net_block",
    "stem_block",
    "bn", "mhsa", "b1", "b2", "tokenizer", "dense", "squeeze", "module_", "Block", "head_block", "mlp",
    "relu_block",
    "sample", "layer", "layer_norm_2", "se", "qkv",
)  # fmt: skip
EXTENT_NAMES = ("C", "H", "W", "dim", "in_channels", "rows", "columns", "K", "L")
PARAM_NAMES = ("expansion", "kernel", "out_channels", "heads", "p", "flag", "local", "act", "c", "growth",
               "layers",
               "ratio_", "e1", "e2", "mode", "norm_", "k1", "width")  # fmt: skip
DOCS = (
    "A block.",
    "It's a # sign, and { braces }.",
    'With \\"quotes\\" and a back\\\\slash.',
    "Two: sentences. {{ more }}",
)
INITIALISERS = ("trunc_normal(0.02)", "normal(0.1)", "uniform(0.5)", "ones", "zeros")


@dataclass
class Drawn:
    """A block, the arguments of the call that it was drawn for, and the values that they stand for."""

    block: Block
    values: dict[str, Any] = field(default_factory=dict)


def draw_block(
    drawing: Drawing,
    types: list[Type],
    names: list[str],
    *,
    depth: int = 1,
    keeps: bool = False,
    results: list[str | None] | None = None,
    size: int = 4,
    modes: bool = False,
) -> Drawn | None:
    """A block for tensors of these types; `keeps` where its first result has the type of its first tensor.

    `results` are the streams that its results go to. None where nothing fitting was found.
    """
    for _ in range(4):
        try:
            return _BlockDrawer(drawing, depth).draw(types, names, keeps, results or [None], size, modes)
        except (Broken, Invalid):
            continue
    return None


class _BlockDrawer:
    def __init__(self, drawing: Drawing, depth: int) -> None:
        self.drawing, self.random, self.depth = drawing, drawing.random, depth

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def draw(
        self,
        types: list[Type],
        names: list[str],
        keeps: bool,
        results: list[str | None],
        size: int,
        modes: bool,
    ) -> Drawn:
        drawing, random = self.drawing, self.random
        extents: dict[str, int] = {}
        tensors = [(name, self._extents(type_, extents)) for name, type_ in zip(names, types, strict=True)]
        params, values = self._params(extents, types[0])
        scope: dict[str, Any] = dict(extents)
        for param in params:
            scope[param.name] = coerced(param, values[param.name])
        state = State(drawing.world, scope)
        for name, type_ in zip(names, types, strict=True):
            state.names[name] = state.made_tensor(type_)
        drawer = StatementDrawer(drawing, state, self._inner, self._inner_of_two)
        for param in params:
            self._use(drawer, param)
        for _ in range(random.randint(1, size)):
            try:
                drawer.form()
            except Broken:
                break
        trees = self._ends(drawer, names, types, keeps, len(results), modes)
        if modes:
            drawing.see("output train and eval")
            pair: list[Tree] = [trees[0], drawer.chain(trees[0], 1, keeps=True)]
            pair[1] = Apply("add_number", [pair[1]], [("number", literal(1))], style="infix")
            names_ = [drawer.free_name(("first_", "second_")), ""]
            drawer.add(Let([names_[0]], pair[1]))
            half = Apply("div_number", [drawer.infix("add", trees[0], Ref(names_[0]))], [("number",
                         literal(2))],
                         style="infix")  # fmt: skip
            if self.maybe(0.4):
                drawing.see("computed in training alone")
                half = trees[0]
            end: Return | Output = Output("eval", [half])
            body = [Output("train", [trees[0], Ref(names_[0])]), end]
            if self.maybe(0.3):
                body.reverse()
        else:
            end = Return(trees)
            body = [end]
        self._begin(drawer)
        drawer.body += body
        trial = drawer.state.fork()
        trial.run(body)
        assert trial.returned is not None
        given = []
        for name, tensor in zip(results, trial.returned, strict=True):
            numbers = Numbers(random, drawer.numbers.names, drawing.see)
            given.append((name, [numbers.equal_to(extent, 1) for extent in tensor.type.shape]))
        if len(given) > 1:
            drawing.see("several results")
        name = drawing.name(BLOCK_NAMES, {*drawing.world.blocks, *drawing.used, *state.names, *names})
        drawing.used.add(name)
        doc = random.choice(DOCS) if self.maybe(0.2) else None
        if doc:
            drawing.see("docstring")
        block = Block(name, tensors, params, given, drawer.body, doc, end)
        trial.check_end(block)
        drawing.world.blocks[name] = block
        drawing.see("block")
        return Drawn(block, values)

    # --- signature

    def _extents(self, type_: Type, known: dict[str, int]) -> list[Expr]:
        """A name or number for each extent; one name twice where both are the same."""
        found = []
        for extent in type_.shape:
            same = [name for name, number in known.items() if number == extent]
            if self.maybe(0.12):
                self.drawing.see("extent written as a number")
                found.append(literal(extent))
                continue
            if same and self.maybe(0.25):
                self.drawing.see("extent name twice")
                name = self.random.choice(same)
            else:
                name = self.drawing.name(EXTENT_NAMES, known)
                known[name] = extent
            found.append(Expr(name, name))
        return found

    def _params(self, extents: dict[str, int], main: Type) -> tuple[list[Param], dict[str, Any]]:
        params: list[Param] = []
        values: dict[str, Any] = {}
        scope: dict[str, Any] = dict(extents)
        for _ in range(self.random.choice([0, 0, 1, 2, 3, 4])):
            taken = {*scope, *(known.removeprefix("maybe_") for known in scope)}
            name = self.drawing.name(PARAM_NAMES, taken)
            type_ = self.random.choice(
                ["dim", "dim", "count", "int", "odd", "ratio", "ratio", "real", "bool", "bool", "str", "op",
                "op",
                 "block", "[dim]", "[dim]", "[ratio]", "[int]", "[odd]", "[count]", "[real]", "[bool]", "[str]",
                 "dim?", "odd?", "ratio?", "[dim]?", "op?"]
            )  # fmt: skip
            if type_.endswith("?"):
                name = f"maybe_{name}"
            known = {n: v for n, v in scope.items() if not isinstance(v, Op)}
            written = self._block(main) if type_ == "block" else self._value(type_, known)
            passed = value(written, scope)
            self.drawing.see(f"type {type_}")
            form = self.random.choice(["same", "same", "other", "none", "computed"])
            default: Expr | None = self._value(type_, {}) if form == "other" else None
            if form == "other" and type_ == "block":
                default = self._block(main)
            if form == "same":
                default = self._value(type_, {}) if any(n in written.code for n in scope) else written
            if form == "computed" and type_ == "dim":
                default = Numbers(self.random, known, self.drawing.see).equal_to(self.random.randint(1, 8))
                self.drawing.see("computed default")
            params.append(Param(name, type_, default))
            values[name] = passed
            scope[name] = coerced(params[-1], passed)
        self.random.shuffle(params) if all(is_plain(param.default) for param in params) else None
        return params, values

    def _block(self, type_: Type) -> Expr:
        """A block that keeps the shape of a tensor, or a primitive that does."""
        kept = []
        for name in self.drawing.world.blocks:
            try:
                if self.drawing.world.call(name, [], [type_]).types == [type_]:
                    kept.append(name)
            except Invalid:
                continue
        if not kept or self.maybe(0.2):
            return activation(self.random)
        self.drawing.see("block as an argument")
        name = self.random.choice(kept)
        return Expr(name, f"Op({name!r})")

    def _value(self, type_: str, known: dict[str, Any]) -> Expr:
        return draw_value(self.random, type_)

    def _use(self, drawer: StatementDrawer, param: Param) -> None:
        """Statements that read a callable argument: it would decide nothing otherwise."""
        known = drawer.state.names[param.name]
        source = drawer.some()
        if isinstance(known, Op):
            label = drawer.label() if self.maybe(0.7) or known.name in self.drawing.world.blocks else None
            tree = Apply(param.name, [Ref(source)], label=label, style=self.random.choice(["pipe", "call"]))
            if drawer.add(Let([drawer.target(source)], tree)):
                self.drawing.see("operation or block as an argument")
        elif isinstance(known, str):
            kind, name = ("upsample", "mode") if known in MODES else ("gelu", "approximate")
            args: list[Argument] = [(None, literal(1)), (name, Expr(param.name, param.name))]
            tree = Apply(kind, [Ref(source)], args if kind == "upsample" else args[1:], style="pipe")
            if drawer.add(Let([drawer.target(source)], tree)):
                self.drawing.see("string as an argument")

    # --- the end

    def _ends(
        self,
        drawer: StatementDrawer,
        names: list[str],
        types: list[Type],
        keeps: bool,
        count: int,
        modes: bool,
    ) -> list[Tree]:
        """The trees of the results, with all that nobody has read in the first of them."""
        batched = [name for name, type_ in drawer.tensors().items() if type_.batched]
        first = names[0] if keeps and isinstance(drawer.state.names[names[0]], Tensor) else batched[-1]
        known = drawer.tensors()
        if keeps and known[first] != types[0]:
            fitting = [name for name, type_ in known.items() if type_ == types[0]]
            if not fitting:
                raise Broken
            first = fitting[-1]
        others = self.random.sample(
            [name for name in batched if name != first], min(count - 1, len(batched) - 1)
        )
        if len(others) < count - 1:
            made = drawer.free_name(("extra",))
            tree = drawer.shaped(Ref(first), (known[first].shape[0],))
            if tree is None or not drawer.add(Let([made], tree)):
                raise Broken
            others.append(made)
        tree: Tree = Ref(first)
        for name in self._unread(drawer, {first, *others}):
            added = drawer.shaped(Ref(name), known[first].shape)
            found = None if added is None else drawer.type_of(drawer.infix("add", tree, added))
            if added is None or found != known[first]:
                added = drawer.shaped(Ref(name), (1,) * known[first].rank)
            if added is None:
                raise Broken
            tree = Apply("add", [tree, added], style="infix")
        if len(others) < count - 1:
            raise Broken
        if not isinstance(tree, Ref) and (modes or self.maybe(0.4)):
            name = drawer.free_name(("result", "y", "z"))
            if not drawer.add(Let([name], tree)):
                raise Broken
            tree = Ref(name)
        found_type = drawer.type_of(tree)
        if found_type is None or (keeps and found_type != types[0]):
            raise Broken
        return [tree, *map(Ref, others)]

    def _unread(self, drawer: StatementDrawer, returned: set[str]) -> list[str]:
        kept = {id(drawer.state.names[name]) for name in returned}
        found, seen = [], set(kept)
        for name, known in drawer.state.names.items():
            for index, one in enumerate(known if isinstance(known, list) else [known]):
                if isinstance(one, Tensor) and id(one) in drawer.state.unread and id(one) not in seen:
                    if isinstance(known, list):
                        raise Broken
                    seen.add(id(one))
                    found.append(name)
                    del index
        return found

    def _begin(self, drawer: StatementDrawer) -> None:
        """`init` of some weights."""
        paths = list(dict.fromkeys(drawer.state.begun))
        if paths and self.maybe(0.25):
            chosen = self.random.sample(paths, min(len(paths), self.random.randint(1, 2)))
            if drawer.add(Init(chosen, self.random.choice(INITIALISERS))):
                self.drawing.see("init")

    # --- blocks in blocks

    def _inner_of_two(self, drawer: StatementDrawer, tree: Tree, label: str | None) -> Tree | None:
        """A call of a new block that gives two tensors."""
        type_ = drawer.type_of(tree)
        if type_ is None or not type_.rank or not type_.batched or self.depth == 0:
            return None
        drawn = draw_block(self.drawing, [type_], ["x"], depth=0, results=[None, None], size=2)
        if drawn is None:
            return None
        args = call_args(self.drawing, drawer.numbers, drawn)
        return Apply(drawn.block.name, [tree], args, label, style=self.random.choice(["pipe", "call"]))

    def _inner(self, drawer: StatementDrawer, tree: Tree, label: str | None) -> Tree | None:
        """A call of another block on a tensor: one that there is, or a new one."""
        type_ = drawer.type_of(tree)
        if type_ is None or not type_.rank or not type_.batched:
            return None
        made = None
        if self.maybe(0.5):
            made = reused(self.drawing, drawer.numbers, [type_])
        if made is None and self.depth > 0:
            drawn = draw_block(self.drawing, [type_], [self.random.choice(["x", "image", "z"])],
                               depth=self.depth - 1, keeps=self.maybe(0.6), size=2)  # fmt: skip
            made = None if drawn is None else (drawn.block, call_args(self.drawing, drawer.numbers, drawn))
        if made is None:
            return None
        block, args = made
        self.drawing.see("block in a block")
        apply = Apply(block.name, [tree], args, style=self.random.choice(["pipe", "call", "named"]))
        apply.names = (block.tensors[0][0],)
        if apply.style == "named":
            self.drawing.see("tensors by name")
            apply.args = [(block.params[0].name if name is None else name, found) for name, found in args]
        return drawer.labelled(apply, True)


MODES = ("nearest", "bilinear", "bicubic")


def is_plain(default: Expr | None) -> bool:
    """Whether a default names nothing, so that its place does not matter."""
    return default is None or not names_in(default) - {"Op", "True", "False", "None"}


def activation(random: Random) -> Expr:
    """An operation that keeps the shape of what it gets; some own weights."""
    kind = random.choice(
        ["relu", "gelu", "silu", "leaky_relu", "hard_swish", "tanh", "identity", "layer_norm", "sigmoid"]
    )
    if kind == "leaky_relu" and random.random() < 0.6:
        return Expr("leaky_relu(0.2)", 'Op("leaky_relu", ((None, 0.2),))')
    if kind == "layer_norm" and random.random() < 0.4:
        return Expr("layer_norm(eps = 0.001)", 'Op("layer_norm", (("eps", 0.001),))')
    return Expr(kind, f'Op("{kind}")')


def draw_value(random: Random, type_: str) -> Expr:
    """A constant of a type."""
    if type_.endswith("?"):
        return NONE if random.random() < 0.5 else draw_value(random, type_[:-1])
    if type_.startswith("["):
        inner = type_[1:-1]
        items = [draw_value(random, inner) for _ in range(random.randint(1, 3))]
        if inner == "dim" and random.random() < 0.2:
            return Expr(f"[{items[0].text} * 2]", f"[{items[0].code}] * 2")
        return listed(items)
    match type_:
        case "dim":
            return literal(random.randint(1, 6))
        case "count":
            return literal(random.randint(0, 3))
        case "int":
            return literal(random.randint(-2, 4))
        case "odd":
            return literal(random.choice([1, 3, 5]))
        case "ratio":
            return literal(random.choice([1, 2, 0.5, 1.5, 2.05, 0.3]))
        case "real":
            return literal(random.choice([0.1, -0.5, 1.0, 2, 0.25]))
        case "bool":
            return truth(random.random() < 0.5)
        case "str":
            return text_literal(random.choice(["nearest", "bilinear", "bicubic", "none", "tanh"]))
    return activation(random)


def call_args(drawing: Drawing, numbers: Numbers, drawn: Drawn) -> list[Argument]:
    """The arguments of the call that a block was drawn for, in the caller's numbers."""
    args: list[Argument] = []
    for param in drawn.block.params:
        wanted = drawn.values[param.name]
        default = None if param.default is None or not is_plain(param.default) else value(param.default, {})
        is_usual = param.default is not None and default == wanted and type(default) is type(wanted)
        if param.default is None and param.type is not None and param.type.endswith("?") and wanted is None:
            is_usual = True
        if is_usual and drawing.random.random() < 0.8:
            continue
        args.append((param.name, said(drawing, numbers, wanted)))
    return _positional(drawing, drawn.block, args)


def _positional(drawing: Drawing, block: Block, args: list[Argument]) -> list[Argument]:
    """The first argument without its name, by chance; the others in any order."""
    random = drawing.random
    rest = list(args)
    first: list[Argument] = []
    if rest and rest[0][0] == block.params[0].name and random.random() < 0.5:
        first = [(None, rest.pop(0)[1])]
        drawing.see("positional argument")
    if random.random() < 0.3:
        random.shuffle(rest)
    return first + rest


def said(drawing: Drawing, numbers: Numbers, wanted: Any) -> Expr:
    """A value as a caller writes it."""
    if wanted is None:
        return NONE
    if isinstance(wanted, bool):
        return truth(wanted)
    if isinstance(wanted, int):
        return numbers.equal_to(wanted) if wanted >= 0 else literal(wanted)
    if isinstance(wanted, float):
        same = [name for name, known in numbers.names.items() if known == wanted and isinstance(known, float)]
        if same:
            return Expr(same[0], same[0])
        return literal(wanted)
    if isinstance(wanted, str):
        return text_literal(wanted)
    if isinstance(wanted, list):
        same = [name for name, known in numbers.names.items() if known == wanted and isinstance(known, list)]
        if same and drawing.random.random() < 0.6:
            return Expr(same[0], same[0])
        return listed([said(drawing, numbers, one) for one in wanted])
    return operation(wanted)


def operation(op: Any) -> Expr:
    """An operation with its arguments."""
    args = ", ".join((f"{name} = " if name else "") + _constant_text(found) for name, found in op.args)
    return Expr(f"{op.name}({args})" if args else op.name, f"Op({op.name!r}, {op.args!r})")


def _constant_text(found: Any) -> str:
    if isinstance(found, bool):
        return "true" if found else "false"
    return f'"{found}"' if isinstance(found, str) else literal(found).text


def reused(
    drawing: Drawing, numbers: Numbers, types: list[Type], keeps: bool = False, streams: bool = False
) -> tuple[Block, list[Argument]] | None:
    """A call of a block that there is, with other numbers where they hold; None where there is none."""
    random = drawing.random
    fitting = [
        block for block in drawing.world.blocks.values()
        if len(block.tensors) == len(types)
        and all(len(e) == t.rank for (_, e), t in zip(block.tensors, types, strict=True))
        and not any(isinstance(s, Output) for s in block.body)
        and (streams or all(name is None for name, _ in block.results))
    ]  # fmt: skip
    random.shuffle(fitting)
    for block in fitting[:3]:
        for _ in range(3):
            args: list[Argument] = []
            for param in block.params:
                assert param.type is not None
                if (param.default is None and not param.type.endswith("?")) or random.random() < 0.5:
                    found = draw_value(random, param.type)
                    args.append((param.name, said(drawing, numbers, value(found, {}))))
            args = _positional(drawing, block, args)
            try:
                passed = [
                    (name, value(found, numbers.names)) for name, found in args if isinstance(found, Expr)
                ]
                made = drawing.world.call(block.name, passed, types)
            except Invalid:
                continue
            if (not keeps or made.types == types[:1]) and len(made.types) == 1:
                drawing.see("block called with other numbers")
                return block, args
    return None


__all__ = ["Drawn", "binary", "call_args", "draw_block", "draw_value", "operation", "reused", "said", "PRODUCT"]
