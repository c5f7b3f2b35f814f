"""Where the walk of a space has come to: states, and the networks that lead there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from archdsl.elaborate.parameters import identity
from archdsl.elaborate.values import Value
from archdsl.ops import TensorType

Decision: TypeAlias = tuple[str, str]
"""The name of a decision, and where it is written: two that exclude each other may share a name."""
Picks: TypeAlias = dict[Decision, int]
Picked: TypeAlias = tuple[tuple[Decision, int], ...]
"""Picks that never change, sorted."""
Streams: TypeAlias = tuple[tuple[str, TensorType], ...]


class Metrics(NamedTuple):
    """Sums over the network (`Walk.sums` names them), and the most that is alive at once, or None."""

    sums: tuple[int, ...]
    peak: int | None


class Reached:
    """The networks that lead to a state: how many, and the least and most of their costs."""

    def __init__(self, ways: int, least: Metrics, most: Metrics) -> None:
        self.ways, self.least, self.most = ways, least, most

    def then(self, ways: int, least: Metrics, most: Metrics) -> Reached:
        """Each of these networks gone on with in each of so many ways."""
        return Reached(self.ways * ways, _after(self.least, least), _after(self.most, most))

    def join(self, other: Reached) -> None:
        """The networks of both."""
        self.ways += other.ways
        self.least = _chosen(min, self.least, other.least)
        self.most = _chosen(max, self.most, other.most)


def _after(a: Metrics, b: Metrics) -> Metrics:
    sums = tuple([x + y for x, y in zip(a.sums, b.sums, strict=True)])
    return Metrics(sums, None if a.peak is None or b.peak is None else max(a.peak, b.peak))


def _chosen(choose: Callable[[int, int], int], a: Metrics, b: Metrics) -> Metrics:
    sums = tuple([choose(x, y) for x, y in zip(a.sums, b.sums, strict=True)])
    return Metrics(sums, None if a.peak is None or b.peak is None else choose(a.peak, b.peak))


class State(NamedTuple):
    """What tells networks apart that have come to one place, as far as it matters later."""

    picks: Picked
    streams: Streams
    names: tuple[tuple[str, Value], ...]
    """The names that lets and loops have bound, and their values."""
    labels: frozenset[str]
    """Those that there are, of the labels that later statements are about."""
    held: int
    """The bytes of memory that the only stream is in, or a part of."""
    is_begun: bool
    """Whether anything has been made."""

    @property
    def key(self) -> object:
        """What is equal where states are."""
        names = tuple([(name, identity(value)) for name, value in self.names])
        return (self.picks, types_key(self.streams), names, self.labels, self.held, self.is_begun)


class States:
    """States by what tells them apart, with what reached them."""

    def __init__(self) -> None:
        self._found: dict[object, tuple[State, Reached]] = {}

    def add(self, state: State, reached: Reached) -> None:
        key = state.key
        known = self._found.get(key)
        if known is None:
            self._found[key] = (state, Reached(reached.ways, reached.least, reached.most))
        else:
            known[1].join(reached)

    def __iter__(self) -> Iterator[tuple[State, Reached]]:
        return iter(self._found.values())


def types_key(streams: Streams) -> object:
    return tuple([(name, type_.values, type_.batched) for name, type_ in streams])


class Ending(NamedTuple):
    """What a block leaves: the streams, the memory that the only one is in, and whether the block is there."""

    streams: Streams
    held: int
    is_there: bool

    @property
    def key(self) -> object:
        """What is equal where endings are."""
        return (types_key(self.streams), self.held, self.is_there)

    def after(self, state: State, picks: Picked, stage: str) -> State:
        """The state after a block of a stage."""
        labels = state.labels | {stage} if self.is_there else state.labels
        is_begun = state.is_begun or self.is_there
        return State(picks, self.streams, state.names, labels, self.held, is_begun)
