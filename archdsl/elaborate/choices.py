"""Decisions that a network leaves open, and those who decide them.

`choose {a, b}` evaluates to an `Open` value where it stands in a list or is an argument; it is decided when
it is read. Whoever makes a graph says how: by picks, by name; a space asks for every option in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from archdsl import syntax as s
from archdsl.elaborate.values import BlockRef, Open, OpRef, Refused, Value, is_list
from archdsl.scalar import Scalar, number_text
from archdsl.source import Span

MOST_DECISIONS = 10_000
"""A network leaves at most so many decisions open."""


class Picked(Protocol):
    """Who knows what was picked: a mapping, or a file of picks."""

    def get(self, name: str, /) -> int | str | None:
        """The number or the text of the option that is picked for a decision, or None."""
        ...


class Choices:
    """The decisions of one network, made by picks: the number of the option, or its text."""

    def __init__(self, picks: Picked | None = None) -> None:
        self.picks: Picked = {} if picks is None else picks
        self.met: dict[str, Open] = {}
        """Every decision that was read, in order."""
        self.left: dict[str, Open] = {}
        """Those that nobody made: their first option was taken, to go on."""
        self.decided: dict[str, int] = {}
        self.reads = 0

    def decide(self, open_: Open) -> Value:
        """What the option taken is; raises `Refused` for a wrong pick, and for a name of two decisions."""
        self.reads += 1
        if open_.name not in self.met and len(self.met) >= MOST_DECISIONS:
            message = f"this network leaves more than {MOST_DECISIONS:,} decisions open"
            raise Refused("E0602", message, open_.span, "let blocks share them: choose without each")
        other = self.met.setdefault(open_.name, open_)
        if other.span != open_.span:
            message = f"two decisions of this network are called {open_.name!r}"
            help = f"the other stands in {other.span}; give one a parameter of its own"
            raise Refused("E0204", message, open_.span, help)
        index = self.decided.get(open_.name)
        if index is None:
            index = self.decided[open_.name] = self.picked(open_)
        return open_.options[index]  # type: ignore[no-any-return]

    def picked(self, open_: Open) -> int:
        """The number of the option that is taken for a decision that is read for the first time."""
        pick = self.picks.get(open_.name)
        if pick is None:
            self.left[open_.name] = open_
            return 0
        if isinstance(pick, int):
            return pick
        texts = option_texts(open_)
        index = _matching(pick, texts)
        if index is None:
            message = f"{open_.name} can't be {pick}"
            raise Refused("E0227", message, open_.span, "its options: " + ", ".join(texts))
        return index


class Settled(Choices):
    """What was decided; of what nobody reads, the first option."""

    def __init__(self, decided: Mapping[str, int]) -> None:
        super().__init__()
        self.decided = dict(decided)

    def decide(self, open_: Open) -> Value:
        return open_.options[self.decided.get(open_.name, 0)]  # type: ignore[no-any-return]


def is_open(network: s.Network) -> bool:
    """Whether a network leaves decisions open."""
    return holds_choice((network.params, network.tensors, network.body))


def holds_choice(part: object) -> bool:
    """Whether a choice is written in a part of a document."""
    return next(s.parts_of(part, s.Choose), None) is not None


def option_texts(open_: Open) -> list[str]:
    """The options as people write them in picks: values; of blocks their names, where those tell them apart."""
    texts = [value_text(value) for value in open_.options]
    return [
        _written(open_, index) if texts.count(text) > 1 or _is_left_open(open_.options[index]) else text
        for index, text in enumerate(texts)
    ]


def has_open(value: Value) -> bool:
    """Whether a choice stands open in a value, or in the arguments of a block."""
    if isinstance(value, (OpRef, BlockRef)):
        return any(has_open(arg) for _, arg, _ in value.args)
    return isinstance(value, Open) or (is_list(value) and any(map(has_open, value)))


def _is_left_open(value: Value) -> bool:
    """Whether a value is a choice, or a list with one: it has no text yet, where a block has its name."""
    return isinstance(value, Open) or (is_list(value) and any(map(_is_left_open, value)))


def value_text(value: Value) -> str:
    """A value as the language writes it; of a block or primitive the name."""
    if isinstance(value, Scalar):
        if value.value is None:
            return "none"
        return str(value.value).lower() if isinstance(value.value, bool) else number_text(value.value)
    if is_list(value):
        return "[" + ", ".join(map(value_text, value)) + "]"
    if isinstance(value, (OpRef, BlockRef)):
        return value.name
    return f'"{value}"' if isinstance(value, str) else str(value)


def _written(open_: Open, index: int) -> str:
    span: Span = open_.places[index]
    line = span.source.line(span.line)
    text = line[span.column - 1 : span.end_column - 1 if span.end_line == span.line else None].strip()
    return text or f"option {index}"


def _matching(pick: str, texts: list[str]) -> int | None:
    wanted = pick.strip()
    for index, text in enumerate(texts):
        if wanted == text or (_number(wanted) is not None and _number(wanted) == _number(text)):
            return index
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


class Deferred:
    """A parameter or let of an open network: evaluated when it is read, for what has been decided by then.

    `names` is what names meant where it stands, `place` what its choices are called after; of a let with
    several targets it is the one at `position`.
    """

    def __init__(
        self, statement: s.Param | s.Let, names: Mapping[str, Value | Deferred], place: str, position: int = 0
    ) -> None:
        self.statement, self.names, self.place, self.position = statement, dict(names), place, position


__all__ = [
    "MOST_DECISIONS",
    "Choices",
    "Deferred",
    "Open",
    "Settled",
    "holds_choice",
    "is_open",
    "option_texts",
    "value_text",
]
