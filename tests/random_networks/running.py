"""Statements run on shapes: whether a document is right for these numbers, and what its blocks give.

A second, smaller elaborator: no terms, no nodes, only types, labels, and what has been read.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple, TypeAlias

from random_networks.expressions import Expr, Invalid, Op, TooLarge, value
from random_networks.shapes import BEGUN, FIRST, OWNERS, RULES, Type
from random_networks.trees import (
    Apply,
    Argument,
    Block,
    Comprehension,
    For,
    If,
    Init,
    Item,
    Let,
    LetModule,
    LetNumber,
    Longer,
    Many,
    Output,
    Param,
    Pick,
    Ref,
    Require,
    Return,
    Statement,
    Tree,
)

LARGEST_TENSOR = 4000
"""Larger tensors are not drawn, so that thousands of documents can be run."""
LARGEST_WEIGHT = 30_000
STRINGS = {"mode": ("nearest", "bilinear", "bicubic"), "approximate": ("none", "tanh")}
Passed: TypeAlias = "Sequence[tuple[str | None, Any]]"
"""The arguments of a call, as values."""


class Tensor:
    """A tensor of a block: known by its identity."""

    def __init__(self, type_: Type) -> None:
        self.type = type_


class Module:
    """A module that is called later, and the types that it was first called with."""

    def __init__(self, label: str, callee: Op) -> None:
        self.label, self.callee = label, callee
        self.types: tuple[Type, ...] | None = None


class Result(NamedTuple):
    """What a block gives, whether it owns weights, and which of them an `init` can name."""

    types: list[Type]
    owns: bool
    begun: list[str]


class World:
    """The blocks of a document, what calls of them have come to, and which statements have run."""

    def __init__(self, blocks: dict[str, Block]) -> None:
        self.blocks = blocks
        self.known: dict[object, Result | Invalid] = {}
        self.ran: dict[int, Statement | Item | Block | Apply] = {}
        """What runs, by identity: what does not is never checked."""
        self.kinds: set[str] = set()
        """The primitives that run."""

    def call(self, name: str, args: Passed, types: Sequence[Type]) -> Result:
        """What a block gives; raises `Invalid`."""
        block = self.blocks[name]
        values = bound_arguments(block, args, types)
        key = (name, repr(sorted(values.items())), tuple(types))
        if key not in self.known:
            self.known[key] = Invalid("a block in itself")
            try:
                self.known[key] = self._run(block, values, types)
            except Invalid as error:
                self.known[key] = error
        found = self.known[key]
        if isinstance(found, Invalid):
            raise found
        return found

    def _run(self, block: Block, values: dict[str, Any], types: Sequence[Type]) -> Result:
        state = State(self, values)
        for (name, _), type_ in zip(block.tensors, types, strict=True):
            state.names[name] = state.made_tensor(type_)
        self.ran[id(block)] = block
        state.run(block.body)
        state.check_end(block)
        assert state.returned is not None
        return Result([tensor.type for tensor in state.returned], state.owns, state.begun)

    def forget(self) -> None:
        """Nothing has run yet."""
        self.known.clear()
        self.ran.clear()
        self.kinds.clear()


def bound_arguments(block: Block, args: Passed, types: Sequence[Type]) -> dict[str, Any]:
    """What the names of a signature stand for in a call; raises `Invalid`."""
    if len(types) != len(block.tensors):
        raise Invalid("another number of tensors")
    extents: dict[str, Any] = {}
    for (_, written), type_ in zip(block.tensors, types, strict=True):
        if len(written) != type_.rank:
            raise Invalid("another number of axes")
        for extent, number in zip(written, type_.shape, strict=True):
            wanted = extents.setdefault(extent.text, number) if extent.text.isidentifier() else int(extent.text)
            if wanted != number:
                raise Invalid("another extent")
    names = [param.name for param in block.params]
    given: dict[str, Any] = {}
    for name, passed in args:
        name = names[0] if name is None and names else name
        if name not in names or name in given:
            raise Invalid("an argument that is not there")
        given[name] = passed
    for param in block.params:
        if param.name in given:
            found = given[param.name]
        elif param.default is not None:
            found = value(param.default, extents)
        elif param.type is not None and param.type.endswith("?"):
            found = None
        else:
            raise Invalid("an argument is missing")
        extents[param.name] = coerced(param, found)
    return extents


def coerced(param: Param, found: Any) -> Any:
    """A value as the type of its parameter takes it."""
    assert param.type is not None
    type_ = param.type.rstrip("?")
    if found is None:
        if not param.type.endswith("?"):
            raise Invalid("none")
        return None
    if type_.startswith("["):
        if not isinstance(found, list):
            raise Invalid("no list")
        return [_coerced(type_[1:-1], item) for item in found]
    return _coerced(type_, found)


def _coerced(type_: str, found: Any) -> Any:
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    is_whole = is_number and isinstance(found, int)
    holds = {
        "dim": is_whole and found >= 1,
        "count": is_whole and found >= 0,
        "int": is_whole,
        "odd": is_whole and found >= 1 and found % 2 == 1,
        "ratio": is_number and found > 0,
        "real": is_number,
        "bool": isinstance(found, bool),
        "str": isinstance(found, str),
        "op": isinstance(found, Op),
        "block": isinstance(found, Op),
    }[type_]
    if not holds:
        raise Invalid(f"no {type_}")
    return float(found) if type_ in ("ratio", "real") else found


class State:
    """Statements of one block as they run."""

    def __init__(self, world: World, names: dict[str, Any]) -> None:
        self.world = world
        self.names = dict(names)
        self.labels: dict[str, str] = {}
        """Label by key: a label may carry an index everywhere or nowhere."""
        self.unread: dict[int, Tensor] = {}
        self.returned: list[Tensor] | None = None
        self.trained: list[Tensor] | None = None
        self.owns = False
        self.begun: list[str] = []
        """The paths of what `init` can name."""

    def fork(self) -> State:
        """A copy to try a statement on."""
        other = State(self.world, self.names)
        other.labels, other.unread = dict(self.labels), dict(self.unread)
        other.returned, other.trained, other.owns = self.returned, self.trained, self.owns
        other.begun = list(self.begun)
        other.names = {
            name: _copied(known) if isinstance(known, Module) else known for name, known in self.names.items()
        }
        return other

    def made_tensor(self, type_: Type) -> Tensor:
        if prod(type_.shape) > LARGEST_TENSOR or type_.rank > 4:
            raise TooLarge("too large")
        tensor = Tensor(type_)
        self.unread[id(tensor)] = tensor
        return tensor

    def value(self, expr: Expr) -> Any:
        return value(expr, self.names)

    # --- trees

    def evaluate(self, tree: Tree) -> list[Tensor]:
        """The tensors that a tree gives, read by whoever asks."""
        match tree:
            case Ref(name, index):
                found = self.names.get(name)
                if isinstance(found, Tensor):
                    return [found]
                if not isinstance(found, list) or not all(isinstance(one, Tensor) for one in found):
                    raise Invalid(f"no tensor {name}")
                return found if index is None else [found[self._index(index, len(found))]]
            case Pick(condition, then, otherwise):
                return self.evaluate(then if self.truth(condition) else otherwise)
            case Many(items):
                return [tensor for item in items for tensor in self.evaluate(item)]
            case Comprehension(item, name, values):
                before, found = self.names.get(name), []
                for number in self.list_of(values):
                    self.names[name] = number
                    found += self.evaluate(item)
                self.names.pop(name, None)
                if before is not None:
                    self.names[name] = before
                return found
            case Longer(name, items):
                return [*self.evaluate(Ref(name)), *self.evaluate(items)]
            case Apply():
                return self.applied(tree)

    def _index(self, index: Expr, length: int) -> int:
        found = self.value(index)
        if not isinstance(found, int) or not -length <= found < length:
            raise Invalid("an index out of the list")
        return found

    def list_of(self, expr: Expr) -> list[Any]:
        found = self.value(expr)
        if not isinstance(found, list):
            raise Invalid("no list")
        return found

    def truth(self, condition: Expr) -> bool:
        found = self.value(condition)
        if not isinstance(found, bool):
            raise Invalid("no truth")
        return found

    def arguments(self, args: Sequence[Argument]) -> list[tuple[str | None, Any]]:
        return [(name, self.value(given)) for name, given in args if isinstance(given, Expr)]

    def applied(self, apply: Apply) -> list[Tensor]:
        tensors = [tensor for one in apply.inputs for tensor in self.evaluate(one)]
        callee = self.names.get(apply.callee)
        if isinstance(callee, Module):
            return self._again(callee, tensors)
        self.world.ran[id(apply)] = apply
        args = self.arguments(apply.args)
        name = apply.callee
        if isinstance(callee, Op):
            name, args = callee.name, [*callee.args, *args]
        return self.call(name, args, tensors, self.label_of(apply.label, apply.index))

    def label_of(self, label: str | None, index: Expr | None) -> str | None:
        """The key that a label makes, taken now."""
        if label is None:
            return None
        number = None if index is None else self.value(index)
        if index is not None and (not isinstance(number, int) or number < 0):
            raise Invalid("no index of a label")
        key = label if index is None else f"{label}.{number}"
        if key in self.labels:
            raise Invalid("a label twice")
        kinds = {other == name for other, name in self.labels.items() if name == label}
        if kinds and kinds != {index is None}:
            raise Invalid("a label with and without an index")
        known = self.names.get(label)
        if known is not None and not isinstance(known, Tensor | Module | Op | list | str):
            raise Invalid("a label that is a number's name")
        self.labels[key] = label
        return key

    def call(self, name: str, args: Passed, tensors: list[Tensor], label: str | None) -> list[Tensor]:
        types = [tensor.type for tensor in tensors]
        for tensor in tensors:
            self.unread.pop(id(tensor), None)
        if name in self.world.blocks:
            made, owns, begun = self.world.call(name, args, types)
            self.begun += [f"{label}.{path}" for path in begun] if label is not None else []
        else:
            made, owns = primitive(name, args, types), name in OWNERS
            self.world.kinds.add(name)
            self.begun += [label] if label is not None and name in BEGUN else []
        if owns and label is None:
            raise Invalid("no label")
        self.owns = self.owns or owns
        return [self.made_tensor(type_) for type_ in made]

    def _again(self, module: Module, tensors: list[Tensor]) -> list[Tensor]:
        types = tuple(tensor.type for tensor in tensors)
        if module.types is None:
            module.types = types
        elif types != module.types:
            raise Invalid("a module of other shapes")
        return self.call(module.callee.name, list(module.callee.args), tensors, module.label)

    # --- statements

    def run(self, statements: Sequence[Statement]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, statement: Statement) -> None:
        self.world.ran[id(statement)] = statement
        if self.returned is not None and not isinstance(statement, Output):
            raise Invalid("after the end")
        match statement:
            case Let(targets, tree, shape):
                self._let(targets, self.evaluate(tree), isinstance(tree, Many | Comprehension | Longer), shape)
            case LetNumber(name, expr):
                self._bind(name, self.value(expr))
            case LetModule(name, label, callee, args, index):
                known = self.names.get(callee)
                op = known if isinstance(known, Op) else Op(callee)
                key = self.label_of(label, index)
                assert key is not None
                self._bind(name, Module(key, Op(op.name, (*op.args, *self.arguments(args)))))
            case If(condition, then, otherwise):
                self.run(then if self.truth(condition) else otherwise)
            case For(name, values, body):
                for number in self.list_of(values):
                    self.names[name] = number
                    self.run(body)
            case Require(condition, _):
                if not self.truth(condition):
                    raise Invalid("a requirement")
            case Init(paths, _):
                if not set(paths) <= set(self.begun):
                    raise Invalid("nothing to initialise")
            case Return(trees):
                self.returned = [tensor for tree in trees for tensor in self.evaluate(tree)]
            case Output(mode, trees):
                found = [tensor for tree in trees for tensor in self.evaluate(tree)]
                if mode == "train":
                    self.trained = found
                else:
                    self.returned = found
            case _:
                raise AssertionError(statement)

    def _let(self, targets: list[str], found: list[Tensor], is_list: bool, shape: list[Expr] | None) -> None:
        if len(targets) > 1:
            if len(found) != len(targets):
                raise Invalid("names for another number of tensors")
            for target, tensor in zip(targets, found, strict=True):
                self._bind(target, tensor)
            return
        if shape is not None:
            extents = found[0].type.shape
            if len(extents) != len(shape):
                raise Invalid("another number of axes")
            for extent, number in zip(shape, extents, strict=True):
                if extent.text.isidentifier() and extent.text not in self.names:
                    self.names[extent.text] = number
                elif self.value(extent) != number:
                    raise Invalid("another extent")
        self._bind(targets[0], found if is_list or len(found) > 1 else found[0])

    def _bind(self, name: str, found: Any) -> None:
        before = self.names.get(name)
        kept = found if isinstance(found, list) else [found]
        for old in before if isinstance(before, list) else [before]:
            is_lost = isinstance(old, Tensor) and id(old) in self.unread and all(old is not one for one in kept)
            if is_lost and not any(self._is_named(old, other) for other in self.names if other != name):
                raise Invalid("lost unread")
        self.names[name] = found

    def _is_named(self, tensor: Tensor, name: str) -> bool:
        known = self.names[name]
        return any(one is tensor for one in known) if isinstance(known, list) else known is tensor

    def check_end(self, block: Block) -> None:
        """Whether all is read, and is what the block declares; raises `Invalid`."""
        if self.returned is None or len(self.returned) != len(block.results):
            raise Invalid("nothing returned")
        for tensor in (*self.returned, *(self.trained or ())):
            self.unread.pop(id(tensor), None)
        if self.unread:
            raise Invalid("computed and never read")
        for tensor, (_, extents) in zip(self.returned, block.results, strict=True):
            if tensor.type.shape != tuple(self.value(extent) for extent in extents):
                raise Invalid("another shape than is declared")


def _copied(module: Module) -> Module:
    other = Module(module.label, module.callee)
    other.types = module.types
    return other


def primitive(name: str, args: Passed, types: Sequence[Type]) -> list[Type]:
    """The types that a primitive gives; raises `Invalid`."""
    if name not in RULES:
        raise Invalid(f"no {name}")
    attributes: dict[str, Any] = {}
    for given, found in args:
        if given is None and name not in FIRST:
            raise Invalid("an argument that is not there")
        key = FIRST[name] if given is None else given
        if key in attributes:
            raise Invalid("an argument twice")
        attributes[key] = found
    allowed_none = {
        "conv2d": {"padding"},
        "max_pool": {"stride"},
        "avg_pool": {"stride"},
        "parameter": {"grid"},
        "buffer": {"grid"},
    }
    for key, found in attributes.items():
        is_none = found is None and key not in allowed_none.get(name, ())
        if is_none or (isinstance(found, list) and None in found):
            raise Invalid("none")
    for key, found in attributes.items():
        # An attribute that counts something is whole, and most of them are at least 1.
        if (key == "eps" and found <= 0) or (key == "momentum" and not 0 <= found <= 1):
            raise Invalid("no such number")
        if key in ("eps", "momentum", "value", "slope", "number", "rate"):
            continue
        if key in STRINGS and found not in STRINGS[key]:
            raise Invalid("another string")
        for one in found if isinstance(found, list) else [found]:
            if isinstance(one, float):
                raise Invalid("no whole number")
            least = {
                "padding": 0,
                "start": 0,
                "index": 0,
                "shift": 0,
                "sides": 0,
                "axis": -9,
                "axes": -9,
                "shifts": -99,
            }.get(key, 1)
            if isinstance(one, int) and not isinstance(one, bool) and one < least:
                raise Invalid("too small a number")
    if name == "concat" and not types:
        raise Invalid("no tensors")
    found = RULES[name](attributes, *types)
    weight = prod(types[0].shape[:1]) * attributes.get("out_channels", 1) if types else 1
    if weight > LARGEST_WEIGHT:
        raise TooLarge("too large")
    return found
