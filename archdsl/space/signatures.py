"""What tells the blocks of a stage from each other, whatever their open decisions are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from archdsl import syntax as s
from archdsl.elaborate.choices import Deferred
from archdsl.elaborate.stages import Item
from archdsl.elaborate.values import BlockRef, Open, OpRef, Poison, Value, is_list, key_of
from archdsl.space.states import Decision, Picks


def decision_of(open_: Open) -> Decision:
    """What tells an open decision from others."""
    return (open_.name, str(open_.span))


def opens(value: object) -> Iterator[Open]:
    """Every open choice in a value, those in the arguments of blocks too."""
    if isinstance(value, Open):
        yield value
        for option in value.options:
            yield from opens(option)
    elif isinstance(value, (OpRef, BlockRef)):
        for _, argument, _ in value.args:
            yield from opens(argument)
    elif isinstance(value, list):
        for item in value:
            yield from opens(item)


def decisions_in(values: Iterable[Value | Deferred]) -> Set[Decision]:
    """The open decisions in the values of names, and in what those were made of."""
    result: set[Decision] = set()
    for value in values:
        if isinstance(value, Deferred):
            result |= decisions_in(value.names.values())
        else:
            result.update(map(decision_of, opens(value)))
    return result


def values_of(item: Item) -> list[Value | s.Call | s.Name | None]:
    """What a block of a stage calls, and what it gives to that."""
    return [item.call, item.value, *[value for _, value, _ in item.args]]


class Signer:
    """What tells values from others, whatever their decisions are called; which of them are one matters."""

    def __init__(self, picks: Picks) -> None:
        self.picks = picks
        self.numbers: dict[Decision, int] = {}

    def item(self, item: Item) -> object:
        """The signature of a block of a stage."""
        return (tuple(map(self.value, values_of(item))), tuple([name for name, _, _ in item.args]))

    def value(self, value: Value | s.Call | s.Name | None) -> object:
        """The signature of a value, or of the name of what is called."""
        if isinstance(value, s.Name | s.Call):
            return value.id if isinstance(value, s.Name) else value.name
        if isinstance(value, Open):
            index = self.picks.get(decision_of(value))
            if index is not None:
                return self.value(value.options[index])
            number = self.numbers.setdefault(decision_of(value), len(self.numbers))
            return ("open", number, tuple(map(self.value, value.options)))
        if isinstance(value, (OpRef, BlockRef)):
            first = value.name if isinstance(value, OpRef) else id(value.block)
            return (first, tuple([(name, self.value(arg)) for name, arg, _ in value.args]))
        if value is None or isinstance(value, Poison):
            return None
        return tuple(map(self.value, value)) if is_list(value) else key_of(value)
