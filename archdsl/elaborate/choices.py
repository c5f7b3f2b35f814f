"""Decisions that a network leaves open, and those who decide them.

`choose {a, b}` evaluates to an `Open` value where it stands in a list or is an argument; it is decided when
it is read. Whoever makes a graph says how: by picks, by name; a space asks for every option in turn.
"""

from __future__ import annotations

from typing import Any, Protocol

from archdsl.elaborate.values import BlockRef, Open, OpRef, Refused, Value, is_list
from archdsl.record import Record
from archdsl.scalar import Scalar, number_text
from archdsl.source import Span

MOST_DECISIONS = 10_000
"""A network leaves at most so many decisions open."""


class Undecided(Exception):
    """A decision is read that nobody has made; whoever forks catches it and goes on with every option."""

    def __init__(self, open_: Open) -> None:
        super().__init__(open_.name)
        self.open = open_


class Picked(Protocol):
    """Who knows what was picked: a mapping, or a file of picks."""

    def get(self, name: str, /) -> int | str | None:
        """The number or the text of the option that is picked for a decision, or None."""
        ...


class Choices:
    """The decisions of one network: made in `picks`, by the number of the option or by its text."""

    def __init__(self, picks: Picked | None = None, forks: bool = False) -> None:
        self.picks: Any = {} if picks is None else picks
        self.forks = forks
        self.met: dict[str, Open] = {}
        """Every decision that was read, in order."""
        self.left: dict[str, Open] = {}
        """Those that nobody made: their first option was taken, to go on."""
        self.decided: dict[str, int] = {}
        self.reads = 0

    def decide(self, open_: Open) -> Value:
        """What the option taken is; raises `Undecided` where this forks, `Refused` for a wrong pick."""
        self.reads += 1
        pick = self.picks.get(open_.name)
        if self.forks:
            if pick is None:
                raise Undecided(open_)
            assert isinstance(pick, int)
            return open_.options[pick]  # type: ignore[no-any-return]
        if open_.name not in self.met and len(self.met) >= MOST_DECISIONS:
            message = f"this network leaves more than {MOST_DECISIONS:,} decisions open"
            raise Refused("E0602", message, open_.span, "let blocks share them: choose without each")
        self.met.setdefault(open_.name, open_)
        if pick is None:
            self.left.setdefault(open_.name, open_)
            pick = 0
        elif isinstance(pick, str):
            texts = option_texts(open_)
            index = _matching(pick, texts)
            if index is None:
                message = f"{open_.name} can't be {pick}"
                raise Refused("E0227", message, open_.span, "its options: " + ", ".join(texts))
            pick = index
        self.decided[open_.name] = pick
        return open_.options[pick]  # type: ignore[no-any-return]


def option_texts(open_: Open) -> list[str]:
    """The options as people write them in picks: values; of blocks their names, where those tell them apart."""
    texts = [value_text(value) for value in open_.options]
    return [_written(open_, index) if texts.count(text) > 1 else text for index, text in enumerate(texts)]


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


class Deferred(Record):
    """A parameter or let of a space: evaluated when it is read, for what has been decided by then."""

    name: str
    statement: object


__all__ = ["MOST_DECISIONS", "Choices", "Deferred", "Open", "Undecided", "option_texts", "value_text"]
