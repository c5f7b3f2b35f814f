"""The blocks of a stage: repetitions and `each` expanded, what variants set in them, their labels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from archdsl import syntax as s
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.functions import LONGEST_LIST
from archdsl.elaborate.nodes import label_twice
from archdsl.elaborate.streams import Called, StreamElaborator
from archdsl.elaborate.values import Open, Refused, Tensor, Value, describe, is_list
from archdsl.graph import Stage
from archdsl.names import CONTAINER_ATTRIBUTES
from archdsl.scalar import Scalar
from archdsl.source import Span, nearest
from archdsl.variants import items_of, unset_help

MOST_BLOCKS: Final = 12_000
"""A network has at most so many entries and blocks."""


class Item:
    """A block of a stage: its call with `each` replaced by one value, and its label if it is pinned.

    `value` is what the name that is called stands for, where that is a parameter or let.
    """

    def __init__(
        self, call: Called, args: Args, label: str | None, span: Span, value: Value | None = None
    ) -> None:
        self.call, self.args, self.label, self.span, self.value = call, args, label, span, value


class Numbers:
    """Labels of a stage's blocks: their own, or numbers, which count those that are there.

    Choices are called after places, which count the blocks that a choice leaves out too.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage
        self.number = 0
        self.position = 0

    def label(self, item: Item) -> str:
        """The key of a block's weights."""
        return f"{self.stage}.{self.number if item.label is None else item.label}"

    def place(self, item: Item) -> str:
        """What the choices of a block are called after."""
        return f"{self.stage}.{self.position if item.label is None else item.label}"

    def passed(self, item: Item, is_there: bool) -> None:
        """Go on to the next block."""
        if item.label is None:
            self.position += 1
            self.number += is_there


class StageElaborator(StreamElaborator):
    """Makes stages."""

    stages: list[Stage]
    after: dict[str, int]
    head: int | None

    def stage(self, stage: s.Stage) -> None:
        """Make the blocks of a stage; raises `Refused`."""
        if self.head is not None:
            help = "write it in front of the head"
            raise Refused("E0213", f"the stage {stage.label!r} stands in the head", stage.span, help)
        self.own(stage.label, stage.span)
        first, numbers = len(self.nodes), Numbers(stage.label)
        items = self.items_of(stage)
        if first + len(items) > MOST_BLOCKS:
            message = f"this network expands to more than {MOST_BLOCKS:,} blocks"
            raise Refused("E0602", message, stage.span)
        for item in items:
            before = len(self.nodes)
            self.block(item, numbers)
            numbers.passed(item, len(self.nodes) > before)
        if not items and not self.is_open and not self.shared.errors:
            raise Refused("E0215", f"stage {stage.label!r} has no blocks", stage.span)
        if len(self.nodes) == first:
            return  # choices decided for no block at all
        self.stages.append(Stage(stage.label, first, len(self.nodes), stage.span))
        main = self.streams[self.main]
        if isinstance(main, Tensor):
            self.after[stage.label] = main.number
            self.check_width(stage, main)

    def block(self, item: Item, numbers: Numbers) -> None:
        """Make one block of a stage; its mistakes are reported."""
        label = numbers.label(item)
        if self.apply_again(label, item.call, item.args):
            return
        with self.making(label, item.call, item.span):
            try:
                self.apply_call(label, item.call, item.args, numbers.place(item), item.value)
            except Refused as error:
                if any(place == error.span and is_list(value) for _, value, place in item.args):
                    error.help = "write 'each' in front of the list: that gives one value to each block"
                raise

    def check_width(self, stage: s.Stage, main: Tensor) -> None:
        """Note a stage whose last block gives another width than is written."""
        if stage.width is None:
            return
        with self.at(f"{stage.label}.width"):
            width = self.scalar_of(stage.width, "a width")
        actual = main.type.shape[0 if main.type.rank == 3 else -1]
        if isinstance(width, Scalar) and width.value != actual.value:
            message = f"stage {stage.label!r} has {actual.value} channels, not {describe(width)}"
            help = f"its last block gives {actual.value}; what comes before decides that"
            self.report(Refused("E0301", message, stage.width.span, help))

    def own(self, label: str | None, span: Span) -> None:
        """Entries own their labels; a stage owns its name, and its blocks names below it."""
        if label is not None and "." in label and label.partition(".")[0] in self._stage_names:
            if label in self.labels:
                raise label_twice(label, span, self.labels[label])
            inner = label.partition(".")[2]
            if inner in CONTAINER_ATTRIBUTES:
                message = f"{inner!r} is reserved: it is an attribute of torch's nn.Sequential or nn.ModuleDict"
                raise Refused("E0105", message, span, "choose another name")
            self.labels[label] = span
            return
        super().own(label, span)

    @cached_property
    def _stage_names(self) -> set[str]:
        return {stage.label for stage in s.parts_of(self.network.body, s.Stage)}

    def items_of(self, stage: s.Stage) -> list[Item]:
        """The blocks of a stage, with what the layers of its variants append, set and unset.

        Numbers count the blocks with those appended, and before any is removed.
        """
        items = self._items(stage.items, stage.label)
        written = len(stage.items)
        for layer in stage.later:
            for setting in layer:
                if setting.kind == "+=" and len(setting.path.steps) == 1:
                    items += self._items(items_of(setting.value), stage.label, written)
                    written += len(items_of(setting.value))
            removed: set[int] = set()
            for setting in layer:
                if len(setting.path.steps) > 1:
                    try:
                        self._set_block(stage, items, setting, removed)
                    except Refused as error:
                        self.report(error)
            items = [item for index, item in enumerate(items) if index not in removed]
        return items

    def _set_block(self, stage: s.Stage, items: list[Item], setting: s.Setting, removed: set[int]) -> None:
        names: list[str] = []
        for item in items:
            names.append(item.label or str(sum(name.isdigit() for name in names)))
        _, wanted, *argument = [str(step) for step in setting.path.steps]
        if wanted not in names:
            message = f"stage {stage.label!r} has no block {wanted!r}"
            near = _nearest_path(stage.label, wanted, argument, names)
            help = (
                f"did you mean {near!r}? its blocks: {short_list(names)}"
                if near
                else f"{stage.label!r} is empty"
            )
            raise Refused("E0224", message, setting.path.span, help)
        index = names.index(wanted)
        item = items[index]
        if setting.kind == "+=":
            raise Refused("E0224", "'+=' is for lists and stages", setting.span, "write '='")
        if not argument:
            if setting.kind == "unset":
                removed.add(index)
                return
            assert setting.value is not None
            # A block is called after where it ends up, and so are its choices.
            is_one = isinstance(setting.value, s.Name | s.Call | s.Choose | s.Each)
            with self.at("*" if is_one else f"{stage.label}.{wanted}"):
                made = self._item(setting.value)
            if len(made) != 1:
                message = f"one block is set, {len(made)} are given"
                raise Refused("E0224", message, setting.value.span, f"{stage.label} += ... appends")
            items[index] = Item(made[0].call, made[0].args, item.label, setting.span, made[0].value)
            return
        name = argument[0]
        first = self.first_argument(item.call, item.value)
        kept = [(n, v, p) for n, v, p in item.args if n != name and not (n is None and first == name)]
        if setting.kind == "unset" and len(kept) == len(item.args):
            message = f"block {wanted!r} of {stage.label!r} is given no argument {name!r}"
            raise Refused(
                "E0224", message, setting.span, unset_help([n or first or "" for n, _, _ in item.args])
            )
        if setting.kind == "=":
            assert setting.value is not None
            with self.at(f"*{name}"):
                kept.append((name, self.element(setting.value, None), setting.span))
        items[index] = Item(item.call, kept, item.label, setting.span, item.value)

    def _items(self, items: Sequence[s.Expr], place: str, first: int = 0) -> list[Item]:
        """The blocks of a stage in order, repetitions and `each` expanded; `first` items stand before these."""
        result: list[Item] = []
        for index, item in enumerate(items, first):
            try:
                with self.at(f"{place}.blocks[{index}]"):
                    result += self._item(item)
            except Refused as error:
                self.report(error)
            if len(result) > LONGEST_LIST:
                message = f"this stage expands to more than {LONGEST_LIST:,} blocks"
                raise Refused("E0602", message, item.span)
        return result

    def _item(self, item: s.Expr) -> list[Item]:
        match item:
            case s.Name():
                return [Item(item, [], None, item.span, self.lookup(item.id))]
            case s.Call():
                return self._each(item, None)
            case s.Labelled(label, index, call):
                with self.at(f"{self.place.rpartition('.blocks[')[0]}.{label}"):
                    made = self._each(call, label) if isinstance(call, s.Call) else self._item(call)
                if len(made) != 1:
                    message = f"the label {label!r} stands for {len(made)} blocks"
                    raise Refused("E0204", message, item.span, "label one block")
                made[0].label = self.label_text(label, index)
                return made
            case s.Repeat(value, count):
                inner = self._item(value)
                with self.at(f"{self.place}.count"):
                    times = self.count_of(count)
                if times * len(inner) > LONGEST_LIST:
                    message = f"this expands to {times * len(inner):,} blocks (limit {LONGEST_LIST:,})"
                    raise Refused("E0602", message, item.span)
                if times > 1 and any(one.label for one in inner):
                    raise Refused("E0204", "a labelled block can't be repeated", item.span)
                return inner * times
            case s.Binary("*", left, right):
                return self._item(s.Repeat(left, right, item.span))
            case s.ListExpr(items):
                return self._items(items, self.place)
            case s.Paren((inner,)):
                return self._item(inner)
            case s.NoneLiteral():
                return []
            case s.Choose() | s.Each(s.Choose()):
                return [Item(self._choice_of_blocks(item), [], None, item.span)]
            case s.IfExpr(condition, then, otherwise):
                with self.at(f"{self.place}.if"), self.deciding(condition) as outcome:
                    pass  # blocks are made later, and none of a network stands in a branch of its class
                return [] if outcome is None else self._item(then if outcome else otherwise)
        help = "write block, block(arguments), label: block or block * count"
        raise Refused("E0216", "this is no block of a stage", item.span, help)

    def _elements_each(self, arg: s.Argument) -> list[Value]:
        assert isinstance(arg.value, s.Each)
        with self.at(f"{self.place}.{arg.name or 0}"):
            return self.elements(arg.value.value, "what 'each' goes over")

    def _choice_of_blocks(self, item: s.Choose | s.Each) -> Open:
        """A choice of blocks: one for each block of a stage where it says so, else one for all of them."""
        if isinstance(item, s.Each):
            assert isinstance(item.value, s.Choose)
            with self.at("*", self.place):
                made = self._open(item.value, "*")
            return made.replace(name="*block")  # type: ignore[no-any-return]
        with self.at(self.place):
            made = self._open(item, self.place)
        return made.replace(name=f"{self.place}.block")  # type: ignore[no-any-return]

    def _each(self, call: s.Call, label: str | None) -> list[Item]:
        plain: list[s.Argument] = []
        each: list[tuple[s.Argument, list[Value]]] = []
        for arg in call.args:
            if isinstance(arg.value, s.Each) and not isinstance(arg.value.value, s.Choose):
                each.append((arg, self._elements_each(arg)))
            else:
                plain.append(arg)
        args, value = self.arguments(tuple(plain)), self.lookup(call.name)
        if not each:
            return [Item(call, args, None, call.span, value)]
        depth = len(each[0][1])
        for arg, values in each[1:]:
            if len(values) != depth:
                message = f"{arg.name} has {len(values)} values, {each[0][0].name} has {depth}"
                note = f"the other stands in {each[0][0].span}"
                raise Refused("E0406", message, arg.span, "lists of one call are equally long", note)
        return [
            Item(call, [*args, *((a.name, v[i], a.span) for a, v in each)], None, call.span, value)
            for i in range(depth)
        ]


def _nearest_path(stage: str, wanted: str, argument: Sequence[str], names: Sequence[str]) -> str | None:
    """The path that is there and most like `stage.wanted.argument`, or None for a stage of no blocks."""
    close = nearest(wanted, [*names, "width"])
    if close is None and not wanted.isdigit() and not argument and names:
        # The number of the block was left out.
        return f"{stage}.{names[0]}.{wanted}"
    close = close if close is not None and not wanted.isdigit() else names[-1] if names else None
    return None if close is None else ".".join([stage, close, *argument])


def short_list(names: Sequence[str]) -> str:
    """The names, the middle left out where there are many."""
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:6])}, ..., {', '.join(names[-3:])}"
