"""What is drawn of a document so far, and trees of calls on its tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any, TypeAlias

from random_networks.attributes import DRAWERS, Draw
from random_networks.expressions import Expr, Invalid, Numbers, literal, truth
from random_networks.running import State, Tensor, World
from random_networks.shapes import FIRST, OWNERS, Type
from random_networks.trees import (
    INFIX,
    WITH_NUMBER,
    Apply,
    Argument,
    Statement,
    Tree,
)

NUMBER_NAMES = (
    "hidden", "n", "d", "width", "k", "kernel", "stride", "groups", "scale", "total", "depth", "value", "size",
    "query", "e", "out_channels", "N", "B", "dim2", "expansion", "halved", "m", "length", "start", "heads",
    "cls",
)  # fmt: skip
TENSOR_NAMES = (
    "y",
    "z",
    "a",
    "b",
    "u",
    "v",
    "q",
    "left",
    "right",
    "skip",
    "branch",
    "t",
    "out",
    "parts",
    "map_",
)
LABELS = (
    "conv", "norm", "fc1", "fc2", "proj", "conv2d", "linear", "relu", "mean", "l1", "body", "attn", "table",
    "exp",
    "y", "a", "bn", "mix", "token", "pos", "b1", "module", "net", "layer", "weight", "bias", "index", "x",
    "add",
    "split", "inner", "down", "up", "gate", "layers", "ones", "shape",
)  # fmt: skip
UNARY_KINDS = tuple(DRAWERS)


class Broken(Exception):
    """Nothing fitting was found in a reasonable number of draws."""


class Drawing:
    """What all that is drawn for one document shares."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.world = World({})
        self.seen: Counter[str] = Counter()
        self.used: set[str] = set()

    def see(self, construct: str) -> None:
        self.seen[construct] += 1

    def name(self, pool: Iterable[str], taken: Iterable[str]) -> str:
        """A name of a pool that is not taken."""
        known = set(taken)
        free = [name for name in pool if name not in known]
        if free:
            return self.random.choice(free)
        options = [f"{name}{number}" for name in pool for number in range(2, 9)]
        return self.random.choice([name for name in options if name not in known])


Caller: TypeAlias = "Callable[[TreeDrawer, Tree, str | None], Tree | None]"


class TreeDrawer:
    """Draws the statements of one block."""

    def __init__(self, drawing: Drawing, state: State, callables: Caller, several: Caller) -> None:
        self.drawing, self.random, self.state = drawing, drawing.random, state
        self.body: list[Statement] = []
        self.several = several
        """Draws a call of a block that gives two tensors, or gives None."""
        self.callables = callables
        """Draws a call of a block on a tensor, or gives None."""
        self.index: Expr | None = None
        """The index that labels carry, in a loop."""
        self.loop_labels: set[str] = set()

    # --- what all forms use

    @property
    def numbers(self) -> Numbers:
        plain = {n: v for n, v in self.state.names.items() if not _is_tensor(v)}
        return Numbers(self.random, plain, self.drawing.see)

    @property
    def draw(self) -> Draw:
        return Draw(self.random, self.numbers)

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def tensors(self) -> dict[str, Type]:
        """The tensors that have names."""
        return {n: v.type for n, v in self.state.names.items() if isinstance(v, Tensor)}

    def some(self) -> str:
        """The name of a tensor, of one that nothing has read more often than not."""
        known = self.tensors()
        unread = [n for n in known if id(self.state.names[n]) in self.state.unread]
        return self.random.choice(unread if unread and self.maybe(0.7) else list(known))

    def type_of(self, tree: Tree) -> Type | None:
        """The type of a tree's one tensor, or None where it does not hold."""
        try:
            found = self.state.fork().evaluate(tree)
        except Invalid:
            return None
        return found[0].type if len(found) == 1 else None

    def add(self, *statements: Statement) -> bool:
        """Take statements that hold; whether they do."""
        trial = self.state.fork()
        try:
            trial.run(statements)
        except Invalid:
            return False
        self.state = trial
        self.body += statements
        return True

    def label(self) -> str:
        taken = {*self.state.labels.values(), *self._number_names()}
        return self.drawing.name(LABELS, taken | self.loop_labels)

    def _number_names(self) -> set[str]:
        return {n for n, v in self.state.names.items() if not _is_tensor(v)}

    def free_name(self, pool: Iterable[str]) -> str:
        return self.drawing.name(
            pool, {*self.state.names, *self.state.labels.values(), *self.drawing.world.blocks}
        )

    def target(self, source: str | None = None) -> str:
        """A name for a result: a new one, or that of the tensor that it came from."""
        is_same = source is not None and self.maybe(0.35) and isinstance(self.state.names[source], Tensor)
        return source if is_same and source is not None else self.free_name(TENSOR_NAMES)

    def labelled(self, apply: Apply, must: bool) -> Apply:
        """The call with a label, where it must have one or by chance."""
        if must or self.maybe(0.08):
            apply.label = self.label()
            self.drawing.see("label")
            if self.index is not None:
                apply.index = self.index
                self.loop_labels.add(apply.label)
                self.drawing.see("label with index")
        return apply

    # --- trees

    def step(self, tree: Tree, kind: str | None = None, keeps: bool = False) -> Tree | None:
        """A primitive, block or callable argument on a tensor; None where nothing was found."""
        type_ = self.type_of(tree)
        if type_ is None:
            return None
        for _ in range(12):
            made = self._step(tree, type_, kind)
            found = None if made is None else self.type_of(made)
            if found is not None and (not keeps or found == type_):
                return made
        return None

    def _step(self, tree: Tree, type_: Type, kind: str | None) -> Tree | None:
        if kind is None and self.maybe(0.15):
            return self.callables(self, tree, self.label())
        kind = self.random.choice(UNARY_KINDS) if kind is None else kind
        if kind in ("split",):
            return None
        given = DRAWERS[kind](self.draw, type_) if type_.rank else None
        if given is None or (
            kind in OWNERS and not type_.batched and kind not in ("linear", "layer_norm", "layer_scale")
        ):
            return None
        # Kept within numbers that have a finite gradient.
        if kind == "exp":
            tree = Apply(self.random.choice(["tanh", "sigmoid"]), [tree], style="pipe")
        if kind == "l2_normalize":
            tree = Apply(self.random.choice(["sigmoid", "exp"]), [Apply("sigmoid", [tree])], style="call")
        if kind == "sqrt":
            inside = Apply("sigmoid", [tree], style="call")
            tree = Apply("add_number", [inside], [("number", literal(0.5))], style="infix")
        args = self.arguments(kind, given)
        apply = Apply(kind, [tree], args, style=self.random.choice(["pipe", "pipe", "call"]))
        if kind in WITH_NUMBER and self.maybe(0.7):
            apply.style, apply.args = "infix", [("number", given[0][1])]
            apply.swapped = kind in ("add_number", "mul_number") and self.maybe(0.4)
        elif kind in ("neg", "number_minus") and self.maybe(0.7):
            apply.style = "infix"
        self.drawing.see(f"style {apply.style}")
        return self.labelled(apply, kind in OWNERS)

    def arguments(self, kind: str, given: Sequence[tuple[str, Expr]]) -> list[Argument]:
        """The attributes in some order, the first of them by position by chance."""
        args: list[Argument] = list(given)
        if self.maybe(0.3):
            self.random.shuffle(args)
        for place, (name, _) in enumerate(args):
            if name == FIRST.get(kind) and self.maybe(0.6):
                args.insert(0, (None, args.pop(place)[1]))
                self.drawing.see("positional argument")
                break
        return args

    def chain(self, tree: Tree, most: int, keeps: bool = False) -> Tree:
        """Some steps in a row."""
        for _ in range(self.random.randint(1, most)):
            tree = self.step(tree, keeps=keeps) or tree
        return tree

    def shaped(self, tree: Tree, shape: tuple[int, ...]) -> Tree | None:
        """A tree with these extents made of any tensor, [C, H, W] of [N, D] say: its mean, or a projection."""
        type_ = self.type_of(tree)
        if type_ is None:
            return None
        if type_.shape == shape:
            return tree
        if type_.rank == len(shape) == 3 and type_.shape[1:] == shape[1:] and type_.batched:
            args: list[Argument] = [(None, self.draw.whole(shape[0]))]
            return self.labelled(Apply("conv2d", [tree], args, style="pipe"), True)
        names = "abcd"[: type_.rank]
        flat = Apply(
            "rearrange",
            [tree],
            [
                (
                    None,
                    Expr(
                        f'"{" ".join(names)} -> ({" ".join(names)})"',
                        repr(f"{' '.join(names)} -> ({' '.join(names)})"),
                    ),
                )
            ],
            style="pipe",
        )
        one = Apply("mean", [flat], [("keep", truth(True))], style="pipe")
        if len(shape) == 1:
            return one
        pattern = f"a -> a {' '.join(['()'] * (len(shape) - 1))}"
        return Apply("rearrange", [one], [(None, Expr(f'"{pattern}"', repr(pattern)))], style="pipe")

    def infix(self, kind: str, left: Tree, right: Tree) -> Apply:
        style = "infix" if kind in INFIX and self.maybe(0.8) else self.random.choice(["call", "pipe"])
        self.drawing.see(f"style {style}")
        return Apply(kind, [left, right], style=style)


def _is_tensor(known: Any) -> bool:
    from random_networks.running import Module

    is_list = isinstance(known, list) and any(isinstance(one, Tensor) for one in known)
    return is_list or isinstance(known, Tensor | Module)
