"""Statements of blocks, drawn so that they hold for the tensors and numbers at hand.

Every form is tried on a copy of the state (`running.State`); what does not hold is drawn again.
"""

from __future__ import annotations

from collections.abc import Callable

from random_networks import attributes
from random_networks.attributes import DRAWERS
from random_networks.drawing import NUMBER_NAMES, TENSOR_NAMES, Broken, TreeDrawer
from random_networks.expressions import SUM, Expr, Invalid, binary, call, listed, literal
from random_networks.shapes import POINTWISE, broadcast
from random_networks.trees import (
    Apply,
    Argument,
    Comprehension,
    For,
    If,
    Let,
    LetModule,
    LetNumber,
    Longer,
    Many,
    Pick,
    Ref,
    Require,
    Statement,
    Tree,
)


class StatementDrawer(TreeDrawer):
    """Draws the statements of one block."""

    # --- forms of statements

    def form(self, depth: int = 2) -> None:
        """One more statement; raises `Broken` where none is found."""
        forms: list[Callable[[int], bool]] = [
            self._chain, self._chain, self._chain, self._residual, self._joined, self._split, self._concat,
            self._learned, self._product, self._attention, self._shared, self._number, self._require,
            self._conditional,
            self._list, self._typed, self._divided, self._callable, self._windowed, self._several,
        ]  # fmt: skip
        if depth:
            forms += [self._if, self._for, self._dense]
        for _ in range(12):
            if self.random.choice(forms)(depth):
                return
        raise Broken

    def _chain(self, depth: int) -> bool:
        source = self.some()
        tree = self.chain(Ref(source), 3)
        return not isinstance(tree, Ref) and self.add(Let([self.target(source)], tree))

    def _residual(self, depth: int) -> bool:
        source = self.some()
        branch = self.chain(Ref(source), 3, keeps=True)
        self.drawing.see("residual")
        kind = self.random.choice(["add", "add", "sub", "maximum", "minimum"])
        return not isinstance(branch, Ref) and self.add(
            Let([self.target(source)], self.infix(kind, Ref(source), branch))
        )

    def _joined(self, depth: int) -> bool:
        """Two tensors whose extents meet, by arithmetic."""
        left, right = self.some(), self.some()
        known = self.tensors()
        try:
            broadcast(known[left], known[right])
        except Invalid:
            other = self.shaped(Ref(right), known[left].shape)
        else:
            other = Ref(right)
        if other is None:
            return False
        kind = self.random.choice(["add", "sub", "mul", "maximum", "minimum"])
        if kind == "mul":
            other = Apply(self.random.choice(["sigmoid", "tanh", "hard_sigmoid"]), [other], style="pipe")
        return self.add(Let([self.target(left)], self.infix(kind, Ref(left), other)))

    def _divided(self, depth: int) -> bool:
        source = self.some()
        below = Apply("sigmoid", [Ref(source)], style="call")
        tree = Apply("add_number", [below], [("number", literal(0.5))], style="infix")
        return self.add(Let([self.target(source)], self.infix("div", Ref(source), tree)))

    def _split(self, depth: int) -> bool:
        source = self.some()
        type_ = self.tensors()[source]
        given = DRAWERS["split"](self.draw, type_)
        assert given is not None
        count = len(given[0][1].code.split(",")) if given[0][1].code != "[]" else 0
        try:
            count = len(self.state.value(given[0][1]))
        except Invalid:
            return False
        style = self.random.choice(["pipe", "call"])
        apply = Apply("split", [Ref(source)], self.arguments("split", given), style=style)
        self.labelled(apply, False)
        self.drawing.see("several targets")
        targets: list[str] = []
        while len(targets) < count:
            name = self.free_name(TENSOR_NAMES)
            if name not in targets:
                targets.append(name)
        if not self.add(Let(targets, apply)):
            return False
        if self.maybe(0.5) and count > 1:
            axis = dict(given).get("axis", literal(0))
            trees: list[Tree] = [self.chain(Ref(name), 1, keeps=True) for name in targets]
            if self.maybe(0.5):
                trees.reverse()
            args: list[Argument] = [] if axis.text == "0" and self.maybe(0.5) else [("axis", axis)]
            self.add(Let([self.target()], Apply("concat", trees, args, style="call")))
        return True

    def _concat(self, depth: int) -> bool:
        source = self.some()
        known = self.tensors()
        axis = self.random.randrange(known[source].rank)
        fitting = [
            name for name, type_ in known.items()
            if type_.rank == known[source].rank and type_.batched == known[source].batched
            and all(i == axis or a == b for i, (a, b) in enumerate(zip(type_.shape, known[source].shape,
            strict=True)))
        ]  # fmt: skip
        trees: list[Tree] = [Ref(self.random.choice(fitting)) for _ in range(self.random.randint(0, 2))]
        trees.insert(self.random.randrange(len(trees) + 1), Ref(source))
        if self.maybe(0.4):
            trees[0] = self.chain(trees[0], 2, keeps=True)
        args: list[Argument] = [] if axis == 0 else [("axis", self.draw.axis(known[source], axis))]
        return self.add(
            Let([self.target()], Apply("concat", trees, args, style=self.random.choice(["call", "pipe"])))
        )

    def _learned(self, depth: int) -> bool:
        """A learned tensor or a buffer, added to another one or multiplied with it."""
        source = self.some()
        type_ = self.tensors()[source]
        shape = tuple(1 if self.maybe(0.3) else extent for extent in type_.shape)
        shape = shape[self.random.randrange(len(shape)) :] if self.maybe(0.3) else shape
        # A label in a loop has an index, and there are no lists of buffers.
        kind = "buffer" if self.index is None and self.maybe(0.25) else "parameter"
        apply = Apply(kind, [], self.arguments(kind, attributes.parameter(self.draw, shape)))
        tree: Tree = self.labelled(apply, True)
        if self.maybe(0.3):
            name = self.free_name(TENSOR_NAMES)
            if not self.add(Let([name], tree)):
                return False
            tree = self.chain(Ref(name), 1, keeps=True)
        if type_.batched and len(shape) == type_.rank and self.maybe(0.3):
            tree = Apply("repeat", [tree, Ref(source)], style=self.random.choice(["call", "pipe"]))
        kind = self.random.choice(["add", "mul", "sub"])
        pair: list[Tree] = [Ref(source), tree]
        if self.maybe(0.3):
            pair.reverse()
        return self.add(Let([self.target(source)], self.infix(kind, *pair)))

    def _product(self, depth: int) -> bool:
        """`a @ b` with a tensor of the other form: turned round, or learned."""
        source = self.some()
        type_ = self.tensors()[source]
        if type_.rank < 2:
            return False
        front = "abcd"[: type_.rank - 2]
        if self.maybe(0.3) and type_.rank == 2:
            shape = (type_.shape[-1], self.random.randint(1, 6))
            right: Tree = self.labelled(
                Apply("parameter", [], [(None, listed([self.draw.whole(e) for e in shape]))]), True
            )
        else:
            before, after = " ".join([*front, "n", "k"]), " ".join([*front, "k", "n"])
            pattern = f"{before} -> {after}"
            # One side within bounds: products of products would grow beyond all numbers.
            bounded = Apply(self.random.choice(["tanh", "sigmoid", "hard_sigmoid"]), [self.chain(Ref(source),
                            1, keeps=True)],
                            style=self.random.choice(["pipe", "call"]))  # fmt: skip
            right = Apply("rearrange", [bounded],
                          [(None, Expr(f'"{pattern}"', repr(pattern)))], style="pipe")  # fmt: skip
        left: Tree = Ref(source)
        if self.maybe(0.3):
            left = self.chain(left, 1, keeps=True)
        if self.maybe(0.3) and not isinstance(right, Apply):
            left, right = right, left
        return self.add(Let([self.target()], self.infix("matmul", left, right)))

    def _attention(self, depth: int) -> bool:
        """A bias on a map [heads, queries, keys], and its softmax."""
        source = self.some()
        type_ = self.tensors()[source]
        if type_.rank != 3 or not type_.batched:
            return False
        for _ in range(6):
            given = attributes.attention_bias(self.draw, *type_.shape)
            assert given is not None
            bias = self.labelled(Apply("attention_bias", [], self.arguments("attention_bias", given)), True)
            tree: Tree = self.infix("add", Ref(source), bias)
            if self.maybe(0.5):
                tree = Apply("softmax", [tree], style="pipe")
            if self.add(Let([self.target(source)], tree)):
                return True
        return False

    def _windowed(self, depth: int) -> bool:
        """The mean of a table over the positions of a window, added to a tensor."""
        source = self.some()
        kind = self.random.choice(["relative_position_bias", "window_mask"])
        given = getattr(attributes, kind)(self.draw)
        made = self.labelled(Apply(kind, [], self.arguments(kind, given)), True)
        other = self.shaped(made, (1,) * self.tensors()[source].rank)
        return other is not None and self.add(Let([self.target(source)], self.infix("add", Ref(source), other)))

    def _shared(self, depth: int) -> bool:
        """A module that is called several times."""
        source = self.some()
        made = self.step(Ref(source), keeps=True)
        if not isinstance(made, Apply) or made.style != "pipe" or made.inputs != [Ref(source)]:
            return False
        name = self.free_name(TENSOR_NAMES)
        module = LetModule(name, made.label or self.label(), made.callee, made.args, self.index)
        if self.index is not None:
            self.loop_labels.add(module.label)
        before, length = self.state, len(self.body)
        if not self.add(module):
            return False
        tree: Tree = Apply(name, [Ref(source)], style="call")
        for _ in range(self.random.randint(1, 2)):
            tree = self.step(tree, kind=self.random.choice(POINTWISE[:9]), keeps=True) or tree
            tree = Apply(name, [tree], style=self.random.choice(["call", "pipe"]))
        self.drawing.see("shared module")
        if self.add(Let([self.target(source)], tree)):
            return True
        self.state = before
        del self.body[length:]
        return False

    def _number(self, depth: int) -> bool:
        """A number by a name."""
        self.drawing.see("let of a number")
        found = self.draw.whole(self.random.randint(1, 8))
        if self.maybe(0.25):
            again = [
                n for n, v in self.state.names.items() if type(v) is int and n != "i" and n in NUMBER_NAMES
            ]
            if again and self.index is None:
                self.drawing.see("let given anew")
                return self.add(LetNumber(self.random.choice(again), found))
        return self.add(LetNumber(self.free_name(NUMBER_NAMES), found))

    def _list(self, depth: int) -> bool:
        """A list of numbers by a name."""
        items = [self.draw.whole(self.random.randint(1, 5)) for _ in range(self.random.randint(1, 3))]
        found = listed(items)
        form = self.random.choice(["plain", "joined", "comprehension", "first", "repetition"])
        if form == "joined":
            other = listed([literal(self.random.randint(1, 4))])
            found = binary("+", found, other, SUM)
            self.drawing.see("lists joined")
        elif form == "comprehension":
            count = self.random.randint(1, 3)
            factor = self.random.randint(1, 3)
            found = Expr(
                f"[j * {factor} + 1 for j in range({count})]", f"[j * {factor} + 1 for j in range({count})]"
            )
            self.drawing.see("comprehension of numbers")
        elif form == "first":
            which, count = self.random.choice(["first", "last"]), self.random.randint(1, len(items))
            found = Expr(f"{which}({found.text}, {count})", f'part({found.code}, {count}, "{which}")')
            self.drawing.see(f"function {which}")
        elif form == "repetition":
            count, number = self.random.randint(1, 3), self.random.randint(1, 4)
            found = Expr(f"[{number} * {count}]", f"[{number}] * {count}")
            self.drawing.see("repetition in a list")
        return self.add(LetNumber(self.free_name(NUMBER_NAMES), found))

    def _callable(self, depth: int) -> bool:
        """An operation by a name, and its use."""
        expr = self.activation()
        name = self.free_name(("act", "op", "fn"))
        source = self.some()
        self.drawing.see("let of an operation")
        tree = Apply(name, [Ref(source)], style=self.random.choice(["call", "pipe"]))
        return self.add(LetNumber(name, expr), Let([self.target(source)], tree))

    def activation(self) -> Expr:
        """An activation, with arguments by chance."""
        kind = self.random.choice(
            ["relu", "gelu", "silu", "leaky_relu", "hard_swish", "tanh", "relu6", "softmax"]
        )
        if kind == "leaky_relu" and self.maybe(0.7):
            return Expr("leaky_relu(0.2)", 'Op("leaky_relu", ((None, 0.2),))')
        if kind == "gelu" and self.maybe(0.3):
            return Expr('gelu(approximate = "tanh")', 'Op("gelu", (("approximate", "tanh"),))')
        return Expr(kind, f'Op("{kind}")')

    def _require(self, depth: int) -> bool:
        condition, holds = self.numbers.condition()
        if not holds:
            condition = Expr(f"not ({condition.text})", f"not ({condition.code})")
        self.drawing.see("require")
        return self.add(Require(condition, self.random.choice(["it is so", "a # sign, and { braces }", "no"])))

    def _conditional(self, depth: int) -> bool:
        """`if condition { a } else { b }` of tensors."""
        source = self.some()
        condition, outcome = self.numbers.condition()
        then = self.chain(Ref(source), 2, keeps=self.maybe(0.7))
        otherwise = self.chain(Ref(source), 2, keeps=True)
        if not outcome:
            then, otherwise = otherwise, then
        self.drawing.see("if expression of tensors")
        tree: Tree = Pick(condition, then, otherwise)
        if self.maybe(0.3):
            third = self.chain(Ref(source), 1, keeps=True)
            tree = Pick(self.numbers.condition()[0], third, tree)
            self.drawing.see("else if expression")
        return self.add(Let([self.target(source)], tree))

    def _several(self, depth: int) -> bool:
        """A block of two results, and both of them."""
        source = self.some()
        if self.index is not None:
            return False
        tree = self.several(self, Ref(source), self.label())
        if tree is None:
            return False
        first = self.free_name(TENSOR_NAMES)
        second = self.drawing.name(TENSOR_NAMES, {*self.state.names, *self.state.labels.values(),
                                                  *self.drawing.world.blocks, first})  # fmt: skip
        self.drawing.see("block of several results in a block")
        return self.add(Let([first, second], tree))

    def _typed(self, depth: int) -> bool:
        source = self.some()
        tree = self.chain(Ref(source), 2)
        type_ = self.type_of(tree)
        if type_ is None or isinstance(tree, Ref):
            return False
        shape = []
        new: set[str] = set()
        for extent in type_.shape:
            if self.maybe(0.5):
                name = self.drawing.name(
                    NUMBER_NAMES, {*self.state.names, *new, *self.state.labels.values(), *self.loop_labels}
                )
                new.add(name)
                shape.append(Expr(name, name))
            else:
                shape.append(self.draw.whole(extent))
        self.drawing.see("typed let")
        return self.add(Let([self.free_name(TENSOR_NAMES)], tree, shape))

    # --- statements of statements

    def inside(self, count: int, depth: int, index: Expr | None) -> list[Statement]:
        """Statements drawn on from here; the state goes on with them."""
        outer, before, self.body, self.index = self.body, self.index, [], index
        try:
            for _ in range(count):
                self.form(depth)
        except Broken:
            pass
        made, self.body, self.index = self.body, outer, before
        return made

    def _if(self, depth: int) -> bool:
        start = self.state
        condition, outcome = self.numbers.condition()
        self.state = start.fork()
        other = self._kept_statements(depth)
        self.state = start.fork()
        taken = (
            self.inside(self.random.randint(1, 2), depth - 1, self.index)
            if self.maybe(0.5)
            else self._kept_statements(depth)
        )
        self.state = start
        if not taken:
            return False
        self.drawing.see("if")
        other = other if self.maybe(0.6) or not outcome else []
        if not outcome and self.maybe(0.3):
            taken = []
        statement = If(condition, taken, other) if outcome else If(condition, other, taken)
        if statement.otherwise:
            self.drawing.see("else")
            if self.maybe(0.4):
                inner, _ = self.numbers.condition()
                statement = If(inner, self._copied(other), [statement])
                self.drawing.see("else if")
        if not statement.then:
            return False
        return self.add(statement)

    def _copied(self, statements: list[Statement]) -> list[Statement]:
        """Records of their own: what runs in one branch does not run in the other."""
        from copy import deepcopy

        return deepcopy(statements)

    def _kept_statements(self, depth: int) -> list[Statement]:
        """A statement that keeps the shape of what it changes: it matters little which branch is taken."""
        source = self.some()
        tree = self.chain(Ref(source), 2, keeps=True)
        if isinstance(tree, Ref):
            tree = Apply("relu", [tree], style="pipe")
        return [Let([source], tree)]

    def _for(self, depth: int) -> bool:
        if self.index is not None and self.maybe(0.7):
            return False
        start = self.state
        name = self.free_name(("i", "j", "l"))
        values = self._loop_values()
        if values is None:
            return False
        first = self.state.list_of(values)
        if not first or any(not isinstance(one, int) for one in first):
            return False
        self.state = start.fork()
        self.state.names[name] = first[0]
        index = Expr(name, name)
        if self.index is not None:
            index = binary("+", Expr(f"{self.index.text} * 4", f"({self.index.code}) * 4"), index, SUM)
            self.drawing.see("for in for")
        labels = set(self.loop_labels)
        body = (
            self._kept_in_loop(index)
            if self.maybe(0.6)
            else self.inside(self.random.randint(1, 2), depth - 1, index)
        )
        self.state = start
        self.drawing.see("for")
        if body and self.add(For(name, values, body)):
            return True
        self.loop_labels = labels
        return False

    def _loop_values(self) -> Expr | None:
        lists = [
            n
            for n, v in self.state.names.items()
            if isinstance(v, list) and v and all(type(i) is int for i in v)
        ]
        if lists and self.maybe(0.4):
            name = self.random.choice(lists)
            if (
                len(set(self.state.names[name])) == len(self.state.names[name])
                and min(self.state.names[name]) >= 0
            ):
                return Expr(name, name)
        if self.maybe(0.3):
            low, high = sorted(self.random.sample(range(4), 2))
            return call("range", literal(low), literal(high))
        return call("range", self.draw.whole(self.random.randint(1, 3)))

    def _kept_in_loop(self, index: Expr) -> list[Statement]:
        before, self.index = self.index, index
        made = self._kept_statements(0)
        self.index = before
        return made

    def _dense(self, depth: int) -> bool:
        """A list of tensors that a comprehension or loop makes, joined."""
        source = self.some()
        type_ = self.tensors()[source]
        values = call("range", self.draw.whole(self.random.randint(1, 3)))
        if self.index is not None:
            return False
        name = self.free_name(TENSOR_NAMES)
        start, self.state = self.state, self.state.fork()
        self.state.names["i"] = 0
        self.index = Expr("i", "i")
        if "i" in start.names:
            self.state, self.index = start, None
            return False
        labels = set(self.loop_labels)
        is_loop = self.maybe(0.5) and type_.rank == 3 and type_.batched
        if is_loop:
            self.state.names[name] = [self.state.names[source]]
            inner: Tree = Apply("concat", [Ref(name)], style="call")
            args: list[Argument] = [(None, self.draw.whole(self.random.randint(1, 4)))]
            inner = self.labelled(Apply("conv2d", [inner], args, style="pipe"), True)
            statements: list[Statement] = [
                Let([name], Many([Ref(source)])),
                For("i", values, [Let([name], Longer(name, Many([inner])))]),
            ]
            self.drawing.see("list of tensors that grows")
        else:
            item = self.chain(Ref(source), 2, keeps=True)
            statements = [Let([name], Comprehension(item, "i", values))]
            self.drawing.see("comprehension of tensors")
        self.state, self.index = start, None
        joined = self.free_name(TENSOR_NAMES)
        while joined == name:
            joined = self.free_name(TENSOR_NAMES)
        parts: list[Tree] = [Ref(name)]
        if self.maybe(0.4):
            # An element once more, joined to all of them.
            parts.append(Ref(name, literal(self.random.choice([0, -1]))))
        style = "call" if len(parts) > 1 else self.random.choice(["call", "pipe"])
        statements.append(Let([joined], Apply("concat", parts, style=style)))
        if self.add(*statements):
            if len(parts) > 1:
                self.drawing.see("element of a list of tensors")
            return True
        self.loop_labels = labels
        return False
