"""Networks run on shapes: entries and stages act on streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from random_networks.expressions import Expr, Invalid, Op, value
from random_networks.running import State, Tensor, World, coerced
from random_networks.shapes import Shape, Type
from random_networks.trees import (
    Argument,
    Each,
    Entry,
    Features,
    Group,
    Head,
    Item,
    Network,
    Options,
    Stage,
    Statement,
)


class NetworkState(State):
    """The statements of a network as they run: entries and stages act on streams."""

    def __init__(self, world: World, network: Network, names: dict[str, Any]) -> None:
        super().__init__(world, names)
        self.streams: dict[str, Tensor] = {}
        self.shapes: dict[str, Shape] = {}
        """The main stream behind every entry and block of a stage, by its path."""
        self.after: dict[str, Shape] = {}
        """The main stream behind every entry and stage, or the map that an entry makes beside it."""
        self.in_head = False
        for index, (name, extents) in enumerate(network.tensors):
            stream = "x" if index == 0 else name
            self.streams[stream] = self.made_tensor(Type(tuple(self.value(extent) for extent in extents)))

    def fork(self) -> NetworkState:
        other = NetworkState.__new__(NetworkState)
        other.__dict__.update(self.__dict__)
        for name in ("names", "labels", "unread", "streams", "shapes", "after"):
            setattr(other, name, dict(getattr(self, name)))
        other.begun = list(self.begun)
        return other

    def statement(self, statement: Statement) -> None:
        match statement:
            case Entry(label, callee, args, index):
                self.world.ran[id(statement)] = statement
                key = self.label_of(label, index)
                assert key is not None
                made = self.block(key, callee, self.arguments(args))
                beside = [tensor for tensor in made.values() if tensor.type.rank == 3 and "x" not in made]
                self.after[key] = (beside or [self.streams["x"]])[0].type.shape
            case Stage(label, width, items):
                self.world.ran[id(statement)] = statement
                self.label_of(label, None)
                self._stage(label, width, items)
            case Head(body):
                self.world.ran[id(statement)] = statement
                self.in_head = True
                self.run(body)
            case Features(labels):
                self.world.ran[id(statement)] = statement
                if any(label not in self.after for label in labels):
                    raise Invalid("no such entry")
            case _:
                super().statement(statement)

    def block(self, path: str, callee: str, args: list[tuple[str | None, Any]]) -> dict[str, Tensor]:
        """Apply a block or primitive to its streams; what it gives, by its streams."""
        known = self.names.get(callee)
        if known is None and callee in self.names:
            return {}  # a parameter that is none: no block
        if isinstance(known, Op):
            callee, args = known.name, [*known.args, *args]
        block = self.world.blocks.get(callee)
        taken = ["x"]
        if block is not None and (len(block.tensors) > 1 or block.tensors[0][0] in self.streams):
            taken = [name for name, _ in block.tensors]
        if any(name not in self.streams for name in taken):
            raise Invalid("no such stream")
        made = self.call(callee, args, [self.streams[name] for name in taken], path)
        if block is None or (len(made) == 1 and block.results[0][0] is None):
            names = [taken[0]] if len(made) == 1 else [f"{taken[0]}{i}" for i in range(len(made))]
        else:
            names = [
                name or (taken[i] if i < len(taken) else f"x{i}") for i, (name, _) in enumerate(block.results)
            ]
        given = dict(zip(names, made, strict=True))
        self.streams.update(given)
        self.shapes[path] = made[0].type.shape if len(made) == 1 else ()
        return given

    def _stage(self, label: str, width: Expr | None, items: Sequence[Item | Group | Options]) -> None:
        if self.in_head:
            raise Invalid("a stage in the head")
        number, found = 0, list(self._expanded(items))
        for own, callee, args in found:
            path = f"{label}.{number if own is None else own}"
            number += own is None
            if path in self.labels:
                raise Invalid("a label twice")
            self.labels[path] = path
            self.block(path, callee, args)
        if not found:
            raise Invalid("no blocks")
        self.after[label] = shape = self.streams["x"].type.shape
        if width is not None and self.value(width) != shape[0 if len(shape) == 3 else -1]:
            raise Invalid("another width")

    def _expanded(
        self, items: Sequence[Item | Group | Options | None]
    ) -> Iterator[tuple[str | None, str, list[tuple[str | None, Any]]]]:
        """The blocks of a stage, one by one: label, callee, arguments."""
        for item in items:
            match item:
                case Item(callee, args, label, count):
                    self.world.ran[id(item)] = item
                    made = list(self._each(callee, args, label))
                    if label is not None and len(made) != 1:
                        raise Invalid("a label for several blocks")
                case Group(inner, count, None, _):
                    made = list(self._expanded(inner))
                case Group(inner, count, Expr() as condition, otherwise):
                    made = list(self._expanded(inner if self.truth(condition) else otherwise))
                case Options(options, _, count, taken):
                    made = list(self._expanded([options[taken]]))
                case _:
                    continue
            times = 1 if count is None else self.value(count)
            if not isinstance(times, int) or times < 0 or times * len(made) > 12:
                raise Invalid("a repetition")
            if times > 1 and any(label is not None for label, _, _ in made):
                raise Invalid("a labelled block, repeated")
            yield from made * times

    def _each(
        self, callee: str, args: Sequence[Argument], label: str | None
    ) -> Iterator[tuple[str | None, str, list[tuple[str | None, Any]]]]:
        given = {name: self.list_of(each.values) for name, each in args if isinstance(each, Each)}
        depths = {len(values) for values in given.values()}
        if len(depths) > 1:
            raise Invalid("lists of different lengths")
        for index in range(depths.pop() if depths else 1):
            passed = [
                (name, self.value(found) if isinstance(found, Expr) else given[name][index])
                for name, found in args
            ]
            yield label, callee, passed


def run_network(world: World, network: Network) -> NetworkState:
    """Run a network on shapes; raises `Invalid`."""
    names: dict[str, Any] = {}
    for param in network.params:
        assert param.default is not None
        found = value(param.default, names)
        if param.type is not None:
            found = coerced(param, found)
        names[param.name] = found
    state = NetworkState(world, network, names)
    state.run(network.body)
    if not state.shapes:
        raise Invalid("no entries")
    return state
