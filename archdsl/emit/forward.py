"""The body of `forward`: nodes become expressions, the document's lets become variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.emit.attributes import Attribute
from archdsl.emit.merge import Branch
from archdsl.emit.wrap import WIDTH, with_comment
from archdsl.graph import Node, Template
from archdsl.ops import Code, Spelling, TensorType
from archdsl.ops.activation import Activation
from archdsl.scalar import ATOM, human_text, python_text

MOST_NESTED_CALLS = 3
"""A line with more calls inside one another is cut in two: people do not read further."""
MOST_PENDING = 50
"""A longer chain of calls waits for no reader: its lines are written, and no walk down a tree is deeper."""


class Tree:
    """A call whose operands are calls that are used here alone, or tensors that have a variable."""

    def __init__(self, node: Node, operands: list[Tree | int]) -> None:
        self.node = node
        self.operands = operands
        self.height: int = 1 + max((o.height for o in operands if isinstance(o, Tree)), default=0)
        """How many nodes stand inside one another."""

    @property
    def depth(self) -> int:
        """How many calls stand inside one another; signs and methods read in a line and count none."""
        inner = max((o.depth for o in self.operands if isinstance(o, Tree)), default=0)
        op = self.node.op
        return inner if op is not None and op.in_line else inner + 1


def shape_comment(type_: TensorType, axes: Sequence[str] = ()) -> str:
    """The extents as the document writes them, `[heads, h * w, key_dim]`; `[..., dim]` for those of `axes`."""
    texts = [human_text(extent.term) for extent in type_.shape]
    if axes and texts[: len(axes)] == [*axes]:
        texts = ["...", *texts[len(axes) :]]
    return f"[{', '.join(texts)}]"


class Forward:
    """The statements of one template, in the order of its nodes; the last one returns."""

    def __init__(
        self,
        template: Template,
        module_of: Mapping[int, Attribute],
        branches: Sequence[Branch] = (),
        called: Mapping[int, str] | None = None,
    ) -> None:
        self.template = template
        self.module_of = module_of
        self.names: set[str] = set()
        """The numbers of the template that the statements use: the constructor stores them."""
        self.write = Spelling(self._on_self)
        self.branches = {branch.first: branch for branch in branches}
        self.called = called or {}
        self.indent = 8
        self.lines: list[str] = []
        self.uses = _uses(template)
        for branch in branches:
            self.uses[branch.otherwise] += 1
        self.variable: dict[int, str] = {}
        self.holder: dict[str, int] = {}
        self.pending: dict[int, Tree] = {}
        self.shown = ""
        for name, value in template.inputs:
            self.variable[value] = name
            self.holder[name] = value
        if len(template.inputs) == 1:
            self.shown = shape_comment(template.types[template.inputs[0][1]], template.axes)
        self._run()

    def _on_self(self, name: str) -> str:
        self.names.add(name)
        return f"self.{name}"

    def _run(self) -> None:
        template = self.template
        index = 0
        while index < len(template.nodes):
            branch = self.branches.get(index)
            if branch is not None:
                if self._branch(branch):
                    return
                index = branch.last
            else:
                if index not in template.trained_alone:
                    self._add(template.nodes[index])
                index += 1
        if template.training_outputs is not None:
            self._return_in_training(template.training_outputs)
        self._return(template.outputs)

    def _return_in_training(self, outputs: Sequence[int]) -> None:
        """Write what only training needs, below its condition."""
        self.lines.append(f"{' ' * self.indent}if self.training:")
        self.indent += 4
        shown = self.shown
        for index in sorted(self.template.trained_alone):
            self._add(self.template.nodes[index])
        self._return(outputs)
        self.indent -= 4
        self.shown = shown

    def _add(self, node: Node) -> None:
        """Note a node: as an operand of the one that reads it, or as a statement."""
        template = self.template
        twice = node.op is not None and node.op.reads_twice(*template.input_types(node))
        for value in node.inputs:
            waiting = self.pending.get(value)
            if waiting is not None and (
                (twice and template.types[value].batched) or waiting.height >= MOST_PENDING
            ):
                self._assign(value, self._name_for(value, waiting), self.pending.pop(value))
        tree = Tree(node, [self.pending.pop(v, v) for v in node.inputs])
        if len(node.outputs) != 1:
            self._assign_many(node, tree)
            return
        (value,) = node.outputs
        if self.uses[value] == 1 and (value not in template.names or self._is_result(node, value)):
            self.pending[value] = tree
        else:
            self._assign(value, self._name_for(value, tree), tree)

    def _branch(self, branch: Branch) -> bool:
        """Write what is there where a condition holds; True where it returned."""
        template = self.template
        nodes = template.nodes[branch.first : branch.last]
        inside = {value for node in nodes for value in node.outputs}
        for value in [*(v for node in nodes for v in node.inputs if v not in inside), branch.otherwise]:
            if value in self.pending:
                tree = self.pending.pop(value)
                self._assign(value, self._name_for(value, tree), tree)
        condition = python_text(branch.condition, self._on_self)
        plain = self.variable[branch.otherwise]
        if branch.last == len(template.nodes) and template.outputs == (branch.result,):
            whole = self._tree_of(nodes)
            text = self._render(whole).text if whole is not None else ""
            text = f"{text} if {condition} else {plain}"
            if whole is not None and self.indent + len("return ") + len(text) <= WIDTH:
                self._statement("return ", Code(text, 0), template.types[branch.result], "")
                return True
        self.uses[branch.otherwise] -= 1
        name = plain
        if self.uses[branch.otherwise] > sum(node.inputs.count(branch.otherwise) for node in nodes):
            name = self._free(template.names.get(branch.result, "y"), None)
            self.lines.append(f"{' ' * self.indent}{name} = {plain}")
        self.lines.append(f"{' ' * self.indent}if {condition}:")
        self.indent += 4
        shown, self.shown = self.shown, ""
        for node in nodes[:-1]:
            self._add(node)
        tree = Tree(nodes[-1], [self.pending.pop(v, v) for v in nodes[-1].inputs])
        self._assign(branch.result, name, tree)
        self.indent -= 4
        self.shown = shown
        return False

    def _tree_of(self, nodes: Sequence[Node]) -> Tree | None:
        """Some nodes as one expression; None where a tensor in it is read twice, or a node gives several."""
        trees: dict[int, Tree] = {}
        for node in nodes:
            if len(node.outputs) != 1 or (node is not nodes[-1] and self.uses[node.outputs[0]] != 1):
                return None
            trees[node.outputs[0]] = Tree(node, [trees.get(value, value) for value in node.inputs])
        tree = trees[nodes[-1].outputs[0]]
        return tree if tree.height <= MOST_PENDING and tree.depth <= MOST_NESTED_CALLS else None

    def _is_result(self, node: Node, value: int) -> bool:
        """Whether a tensor is all that the block returns, and nothing stands between."""
        template = self.template
        return (value,) == template.outputs and node is template.nodes[-1]

    # --- statements

    def _assign_many(self, node: Node, tree: Tree) -> None:
        names = [self._name_for(value, tree) for value in node.outputs]
        text = self._render(tree).text
        self._consume(tree)
        self.lines.append(f"{' ' * self.indent}{', '.join(names)} = {text}")
        for name, value in zip(names, node.outputs, strict=True):
            self._hold(name, value)

    def _assign(self, value: int, name: str, tree: Tree) -> None:
        tree = self._shortened(tree, name, f"{name} = ")
        type_ = self.template.types[value]
        self._statement(f"{name} = ", self._render(tree), type_, name)
        self._consume(tree)
        self._hold(name, value)

    def _return(self, outputs: Sequence[int]) -> None:
        if len(outputs) == 1 and outputs[0] in self.pending:
            tree = self.pending.pop(outputs[0])
            spare = self._spare(tree)
            tree = self._shortened(tree, spare, "return ")
            type_ = self.template.types[outputs[0]]
            self._statement("return ", self._render(tree), type_, spare)
            return
        while len(", ".join(map(self._result, outputs))) > WIDTH - self.indent - len("return "):
            waiting = [value for value in dict.fromkeys(outputs) if value in self.pending]
            if not waiting:
                break
            value = max(waiting, key=lambda value: len(self._result(value)))
            tree = self.pending.pop(value)
            self._assign(value, self._name_for(value, tree), tree)
        texts = [self._result(value) for value in outputs]
        self.lines.append(f"{' ' * self.indent}return {', '.join(texts)}")

    def _result(self, value: int) -> str:
        tree = self.pending.get(value)
        return self._render(tree).text if tree is not None else self.variable[value]

    def _statement(self, before: str, code: Code, type_: TensorType, name: str) -> None:
        """Write `before` and an expression; `name` is free for the first part of one that is too long."""
        comment = shape_comment(type_, self.template.axes)
        pad, text = " " * self.indent, code.text
        room = WIDTH - self.indent - len(before)
        while code.level == ATOM and len(text) > room:
            cut = _chain_cut(text, room)
            if cut is None:
                break
            # A chain of methods that is too long goes on in a line of its own.
            self.lines.append(f"{pad}{name} = {text[:cut]}")
            text = name + text[cut:]
        said = "" if comment == self.shown else comment
        self.shown = comment
        self.lines += with_comment(f"{pad}{before}{text}", said)

    # --- variables

    def _hold(self, name: str, value: int) -> None:
        self.variable[value] = name
        self.holder[name] = value

    def _name_for(self, value: int, tree: Tree | None) -> str:
        """The document's name for a tensor, or another where that one still holds what is needed."""
        wanted = self.template.names.get(value)
        if wanted is None:
            label = tree.node.label if tree is not None else None
            wanted = (label or "y").partition(".")[0]
        return self._free(wanted, tree)

    def _free(self, wanted: str, tree: Tree | None) -> str:
        name, number = wanted, 1
        while name in self.holder and self._needed_beyond(self.holder[name], tree):
            number += 1
            name = f"{wanted}{number}"
        return name

    def _needed_beyond(self, value: int, tree: Tree | None) -> bool:
        return self.uses[value] > (0 if tree is None else _leaves(tree).count(value))

    def _consume(self, tree: Tree) -> None:
        for value in _leaves(tree):
            self.uses[value] -= 1

    def _spare(self, tree: Tree) -> str:
        """The variable for a part of what is returned: that of a tensor that is read here last."""
        leaves = _leaves(tree)
        for value in leaves:
            if leaves.count(value) == 1 and not self._needed_beyond(value, tree):
                return self.variable[value]
        return "y"

    # --- lines that are too long

    def _shortened(self, tree: Tree, name: str, before: str) -> Tree:
        """The tree with inner calls moved into statements of their own until its line reads well."""
        while self._too_long(tree, before):
            parent, place = _cut(tree)
            if parent is None:
                break
            inner = parent.operands[place]
            assert isinstance(inner, Tree)
            (value,) = inner.node.outputs
            rest = [v for v in _leaves(tree) if v not in _leaves(inner)]
            part = self._free(name, inner)
            if any(self.variable[v] == part for v in rest):
                part = self._free("y", None)
            self._assign(value, part, inner)
            parent.operands[place] = value
        return tree

    def _too_long(self, tree: Tree, before: str) -> bool:
        if tree.depth > MOST_NESTED_CALLS:
            return True
        return self.indent + len(before) + len(self._render(tree).text) > WIDTH

    # --- expressions

    def _render(self, tree: Tree) -> Code:
        codes = [
            Code(self.variable[operand]) if isinstance(operand, int) else self._render(operand)
            for operand in tree.operands
        ]
        node = tree.node
        index = node.module
        if index in self.called:
            return Code(f"self.{self.called[index]}({codes[0].text})")
        if node.op is None:
            return Code(f"{self.module_of[index].on_self}({', '.join(code.text for code in codes)})")
        module = self.module_of[index].on_self if index in self.module_of else ""
        types = self.template.input_types(node)
        return node.op.call(self.write, module, *codes, types=types)


def _chain_cut(text: str, room: int) -> int | None:
    """Where to cut `a.b(...).c(...)` so that the first part fits; None where it is no such chain."""
    depth, best = 0, None
    for place, char in enumerate(text):
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif depth:
            continue
        elif char == " ":
            return None
        elif char == "." and text[place - 1] == ")" and place <= room:
            best = place
    return best


def _uses(template: Template) -> dict[int, int]:
    uses = dict.fromkeys(template.types, 0)
    for node in template.nodes:
        for value in node.inputs:
            uses[value] += 1
    for value in (*template.outputs, *(template.training_outputs or ())):
        uses[value] += 1
    return uses


def _leaves(tree: Tree) -> list[int]:
    result: list[int] = []
    for operand in tree.operands:
        result += [operand] if isinstance(operand, int) else _leaves(operand)
    return result


def _cut(tree: Tree) -> tuple[Tree | None, int]:
    """Where to cut a deep tree: (the call, which of its operands) to move into a statement before it.

    Along the deepest operands, as near to the middle as an activation ends a unit (`act(conv(x))`).
    """
    chain: list[tuple[Tree, int]] = []
    current = tree
    while True:
        inner = [(i, o) for i, o in enumerate(current.operands) if isinstance(o, Tree)]
        if not inner:
            break
        place, deepest = max(inner, key=lambda pair: (pair[1].depth, -pair[0]))
        chain.append((current, place))
        current = deepest
    if not chain:
        return None, 0
    middle = (len(chain) - 1) / 2

    def badness(position: int) -> tuple[bool, float]:
        parent, place = chain[position]
        operand = parent.operands[place]
        ends_unit = isinstance(operand, Tree) and isinstance(operand.node.op, Activation)
        return (not ends_unit, abs(position - middle))

    return chain[min(range(len(chain)), key=badness)]
