"""Calls, statements, blocks and networks as records that can be written, run on shapes, and changed by a twin.

`lines(...)` of a statement gives its text, each line with the record that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from random_networks.expressions import ATOM, OR, POSTFIX, PRODUCT, SUM, UNARY, Expr

PIPE, LABELLED = 0, 8.5
INFIX = {"add": ("+", SUM), "sub": ("-", SUM), "mul": ("*", PRODUCT), "div": ("/", PRODUCT),
         "matmul": ("@", PRODUCT)}  # fmt: skip
WITH_NUMBER = {"add_number": ("+", SUM), "sub_number": ("-", SUM), "mul_number": ("*", PRODUCT),
               "div_number": ("/", PRODUCT)}  # fmt: skip


class Each(NamedTuple):
    """`each [4, 3]` as the argument of a block of a stage."""

    values: Expr

    @property
    def text(self) -> str:
        return f"each {self.values.at(POSTFIX).text}"


Argument: TypeAlias = "tuple[str | None, Expr | Each]"


@dataclass
class Ref:
    """A tensor, or a list of them, by its name; `index` takes one of a list."""

    name: str
    index: Expr | None = None


@dataclass
class Apply:
    """A call on tensors. `style`: pipe, call, infix (`a + b`, `x * 2`, `2 * x` where `swapped`), or named."""

    callee: str
    inputs: list[Tree]
    args: list[Argument] = field(default_factory=list)
    label: str | None = None
    index: Expr | None = None
    style: str = "call"
    swapped: bool = False
    names: tuple[str, ...] = ()


@dataclass
class Pick:
    """`if condition { a } else { b }` of tensors."""

    condition: Expr
    then: Tree
    otherwise: Tree


@dataclass
class Many:
    """A list of tensors."""

    items: list[Tree]


@dataclass
class Comprehension:
    """`[x |> conv[i]: conv2d(4) for i in range(3)]`."""

    item: Tree
    name: str
    values: Expr


@dataclass
class Longer:
    """`parts + [x]`."""

    name: str
    items: Many


Tree: TypeAlias = Ref | Apply | Pick | Many | Comprehension | Longer


def argument_text(argument: Argument) -> str:
    name, value = argument
    return value.text if name is None else f"{name} = {value.text}"


def callee_text(apply: Apply, before: tuple[str, ...] = ()) -> str:
    """`label[i]: name(tensors, arguments)`."""
    inside = ", ".join([*before, *map(argument_text, apply.args)])
    text = f"{apply.callee}({inside})" if inside else apply.callee
    if apply.label is None:
        return text
    index = "" if apply.index is None else f"[{apply.index.text}]"
    return f"{apply.label}{index}: {text}"


def written(tree: Tree) -> tuple[str, float]:
    """The text of a tree, and how tightly it binds."""
    match tree:
        case Ref(name, None):
            return name, ATOM
        case Ref(name, Expr() as index):
            return f"{name}[{index.text}]", POSTFIX
        case Pick(condition, then, otherwise):
            return f"if {condition.text} {{ {written(then)[0]} }} else {{ {written(otherwise)[0]} }}", OR
        case Many(items):
            inside = [written(item) for item in items]
            return "[" + ", ".join(t if lvl != PRODUCT else f"({t})" for t, lvl in inside) + "]", ATOM
        case Comprehension(item, name, values):
            return f"[{written(item)[0]} for {name} in {values.text}]", ATOM
        case Longer(name, items):
            return f"{name} + {written(items)[0]}", SUM
        case Apply():
            return _applied(tree)


def around(tree: Tree, level: float) -> str:
    """The text, in parentheses where what stands around binds more tightly."""
    text, own = written(tree)
    return text if own >= level else f"({text})"


def _applied(apply: Apply) -> tuple[str, float]:
    if apply.style == "infix" and apply.label is None:
        if apply.callee in INFIX:
            sign, level = INFIX[apply.callee]
            left, right = apply.inputs
            return f"{around(left, level)} {sign} {around(right, level + 1)}", level
        if apply.callee == "neg":
            return f"-{around(apply.inputs[0], UNARY)}", UNARY
        if apply.callee == "number_minus":
            return f"{_number(apply).at(SUM).text} - {around(apply.inputs[0], SUM + 1)}", SUM
        sign, level = WITH_NUMBER[apply.callee]
        if apply.swapped:
            return f"{_number(apply).at(level).text} {sign} {around(apply.inputs[0], level + 1)}", level
        return f"{around(apply.inputs[0], level)} {sign} {_number(apply).at(level + 1).text}", level
    if apply.style == "pipe" and apply.inputs:
        first = apply.inputs[0]
        if len(apply.inputs) > 1:
            source = "(" + ", ".join(written(one)[0] for one in apply.inputs) + ")"
        else:
            text, level = written(first)
            is_pipe = isinstance(first, Apply) and level == PIPE
            source = text if is_pipe or level > OR else f"({text})"
        return f"{source} |> {callee_text(apply)}", PIPE
    if apply.style == "named":
        tensors = tuple(f"{n} = {written(one)[0]}" for n, one in zip(apply.names, apply.inputs, strict=True))
    else:
        tensors = tuple(written(one)[0] for one in apply.inputs)
    return callee_text(apply, tensors), ATOM if apply.label is None else LABELLED


def _number(apply: Apply) -> Expr:
    value = apply.args[0][1]
    assert isinstance(value, Expr)
    return value


# --- statements


@dataclass
class Let:
    """`y = ...`, `y: [C, h] = ...` (extents, those that are new names too), `a, b = ...`."""

    targets: list[str]
    tree: Tree
    shape: list[Expr] | None = None


@dataclass
class LetNumber:
    """A number, list, string, truth or callable by a name."""

    name: str
    expr: Expr


@dataclass
class LetModule:
    """`m = both: conv2d(4)`: a module that is called later."""

    name: str
    label: str
    callee: str
    args: list[Argument]
    index: Expr | None = None


@dataclass
class If:
    condition: Expr
    then: list[Statement]
    otherwise: list[Statement]


@dataclass
class For:
    name: str
    values: Expr
    body: list[Statement]


@dataclass
class Require:
    condition: Expr
    message: str


@dataclass
class Init:
    paths: list[str]
    value: str


@dataclass
class Return:
    trees: list[Tree]


@dataclass
class Output:
    mode: str
    trees: list[Tree]


@dataclass
class Entry:
    """`label: callee(arguments)` in a network."""

    label: str
    callee: str
    args: list[Argument]
    index: Expr | None = None


@dataclass
class Item:
    """A block of a stage, repeated so often as `count` says where it says so."""

    callee: str
    args: list[Argument]
    label: str | None = None
    count: Expr | None = None


@dataclass
class Group:
    """A list of items, or items for either outcome of a condition; repeated where it says so."""

    items: list[Item | Group]
    count: Expr | None = None
    condition: Expr | None = None
    otherwise: list[Item | Group] = field(default_factory=list)


@dataclass
class Options:
    """`choose {a, b, none}` of blocks: `taken` is the one that the document is drawn with."""

    options: list[Item | None]
    each: bool = False
    count: Expr | None = None
    taken: int = 0


@dataclass
class Stage:
    label: str
    width: Expr | None
    items: list[Item | Group | Options]


@dataclass
class Head:
    body: list[Statement]


@dataclass
class Features:
    labels: list[str]


Statement: TypeAlias = (
    Let | LetNumber | LetModule | If | For | Require | Init | Return | Output | Entry | Stage | Head | Features
)


class Line(NamedTuple):
    """A line of a document, and the record that it says."""

    text: str
    owner: object


def item_text(item: Item | Group | Options | None) -> str:
    match item:
        case None:
            return "none"
        case Item(callee, args, label, count):
            text = callee_text(Apply(callee, [], args, label))
            return text if count is None else f"{text} * {count.at(UNARY).text}"
        case Group(items, count, None, _):
            text = "[" + ", ".join(map(item_text, items)) + "]"
            return text if count is None else f"{text} * {count.at(UNARY).text}"
        case Group(items, _, Expr() as condition, otherwise):
            branches = [
                item_text(found[0]) if len(found) == 1 else item_text(Group(found))
                for found in (items, otherwise)
            ]
            return f"if {condition.text} {{ {branches[0]} }} else {{ {branches[1]} }}"
        case Options(options, each, count, _):
            text = "choose {" + ", ".join(map(item_text, options)) + "}"
            text = f"each {text}" if each else text
            return text if count is None else f"{text} * {count.at(UNARY).text}"
    raise AssertionError(item)


def lines(statement: Statement, indent: str) -> Iterator[Line]:
    """The lines of a statement."""
    match statement:
        case If(condition, then, otherwise):
            yield Line(f"{indent}if {condition.text} {{", statement)
            yield from body_lines(then, indent)
            while len(otherwise) == 1 and isinstance(otherwise[0], If):
                inner = otherwise[0]
                yield Line(f"{indent}}} else if {inner.condition.text} {{", inner)
                yield from body_lines(inner.then, indent)
                otherwise = inner.otherwise
            if otherwise:
                yield Line(f"{indent}}} else {{", statement)
                yield from body_lines(otherwise, indent)
            yield Line(f"{indent}}}", statement)
        case For(name, values, body):
            yield Line(f"{indent}for {name} in {values.text} {{", statement)
            yield from body_lines(body, indent)
            yield Line(f"{indent}}}", statement)
        case Stage(label, width, items):
            wide = "" if width is None else f"({width.text})"
            yield Line(f"{indent}stage {label}{wide} {{", statement)
            for item in items:
                yield Line(f"{indent}  {item_text(item)}", item)
            yield Line(f"{indent}}}", statement)
        case Head(body):
            yield Line(f"{indent}head {{", statement)
            yield from body_lines(body, indent)
            yield Line(f"{indent}}}", statement)
        case _:
            yield Line(indent + _one_line(statement), statement)


def body_lines(body: list[Statement], indent: str) -> Iterator[Line]:
    for statement in body:
        yield from lines(statement, indent + "  ")


def _several(trees: list[Tree]) -> str:
    return ", ".join(written(tree)[0] for tree in trees)


def _one_line(statement: Statement) -> str:
    match statement:
        case Let(targets, tree, shape):
            typed = "" if shape is None else ": [" + ", ".join(extent.text for extent in shape) + "]"
            return f"{', '.join(targets)}{typed} = {written(tree)[0]}"
        case LetNumber(name, expr):
            return f"{name} = {expr.text}"
        case LetModule(name, label, callee, args, index):
            return f"{name} = {callee_text(Apply(callee, [], args, label, index))}"
        case Require(condition, message):
            return f'require {condition.text} else "{message}"'
        case Init(paths, value):
            return f"init {', '.join(paths)} = {value}"
        case Return(trees):
            return f"return {_several(trees)}"
        case Output(mode, trees):
            return f"output {mode} = " + (_several(trees) if len(trees) == 1 else f"({_several(trees)})")
        case Entry(label, callee, args, index):
            return callee_text(Apply(callee, [], args, label, index))
        case Features(labels):
            return f"features {', '.join(labels)}"
    raise AssertionError(statement)


# --- blocks and networks


@dataclass
class Param:
    """An argument of a block, or a parameter of a network (its type may then be left out)."""

    name: str
    type: str | None
    default: Expr | None


@dataclass
class Block:
    name: str
    tensors: list[tuple[str, list[Expr]]]
    params: list[Param]
    results: list[tuple[str | None, list[Expr]]]
    body: list[Statement]
    doc: str | None = None
    returns: Statement | None = None
    """The statement that gives its result."""


@dataclass
class Network:
    name: str
    tensors: list[tuple[str, list[Expr]]]
    params: list[Param]
    body: list[Statement]
    doc: str | None = None


@dataclass
class Variant:
    """A variant or space: its settings as text."""

    name: str
    base: str
    settings: list[str]
    is_space: bool = False


@dataclass
class Document:
    blocks: list[Block]
    networks: list[Network]
    imports: list[str] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)
    build: str | None = None

    def lines(self) -> list[Line]:
        """All lines, each with what it says."""
        found = [Line("archdsl 1", self)]
        found += [Line(f'import "{name}"', self) for name in self.imports]
        for network in self.networks:
            found += [Line("", self), *_construct_lines("network", network, "")]
        for block in self.blocks:
            results = [_tensor_text(result) for result in block.results]
            given = results[0] if len(results) == 1 else f"({', '.join(results)})"
            found += [Line("", self), *_construct_lines("block", block, f" -> {given}")]
        for variant in self.variants:
            word = "space" if variant.is_space else "variant"
            found += [Line("", self), Line(f"{word} {variant.name} : {variant.base} {{", variant)]
            found += [Line(f"  {setting}", variant) for setting in variant.settings]
            found.append(Line("}", variant))
        if self.build is not None:
            found += [Line("", self), Line(f"build {self.build}", self)]
        return found

    def text(self) -> str:
        return "".join(line.text + "\n" for line in self.lines())


def _tensor_text(tensor: tuple[str | None, list[Expr]]) -> str:
    name, extents = tensor
    shape = "[" + ", ".join(extent.text for extent in extents) + "]"
    return shape if name is None else f"{name}: {shape}"


def _construct_lines(word: str, made: Block | Network, results: str) -> Iterator[Line]:
    tensors = ", ".join(map(_tensor_text, made.tensors))
    params = ", ".join(map(_param_text, made.params))
    inside = f"{tensors}; {params}" if params else tensors
    yield Line(f"{word} {made.name}({inside}){results} {{", made)
    if made.doc is not None:
        yield Line(f'  "{made.doc}"', made)
    yield from body_lines(made.body, "")
    yield Line("}", made)


def _param_text(param: Param) -> str:
    typed = "" if param.type is None else f": {param.type}"
    return f"{param.name}{typed}" + ("" if param.default is None else f" = {param.default.text}")
