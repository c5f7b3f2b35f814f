"""What a text holds beside its document: comments, and where its braces and keys stand."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property
from typing import TypeAlias

from archdsl.record import Record
from archdsl.source import Source, Span

Position: TypeAlias = tuple[int, int]
"""Line and column, from 1."""

_MARK = re.compile(r'"(?:[^"\\\n\r]|\\[^\n\r])*"|#[^\n\r]*|[{}]|\n')


class Comment(Record):
    """A comment, its `#` included.

    `alone`: nothing stands before it on its line. `indented`: it stands in the structure of a YAML document,
    where indentation tells what it belongs to. `within` are the braces around it, or the ends of the block of
    text that it stands in.
    """

    text: str
    position: Position
    alone: bool
    indented: bool = False
    within: tuple[Position, Position] | None = None


class Marks(Record):
    """Comments in the order of the text; closing braces by their opening ones; YAML's keys by their path.

    A key's spans are its own and its value's.
    """

    comments: tuple[Comment, ...] = ()
    braces: Mapping[Position, Position] = {}
    keys: Mapping[tuple[str, ...], tuple[Span, Span]] = {}

    @cached_property
    def _opening(self) -> list[Position]:
        return sorted(self.braces)

    def braces_after(self, position: Position) -> tuple[Position, Position] | None:
        """The first pair of braces that opens at the position or behind it."""
        index = bisect_left(self._opening, position)
        if index == len(self._opening):
            return None
        opening = self._opening[index]
        return opening, self.braces[opening]


NO_MARKS = Marks()


def marks_of(source: Source) -> Marks:
    """The comments and braces of a text that has no syntax errors."""
    return scan(source.text, 1)


def scan(text: str, first_line: int, within: tuple[Position, Position] | None = None) -> Marks:
    """The comments and braces of text of the language whose first line is the `first_line` of its file."""
    comments: list[Comment] = []
    around: list[Position | None] = []
    braces: dict[Position, Position] = {}
    opened: list[Position] = []
    line, start = first_line, 0
    for match in _MARK.finditer(text):
        what = match.group()
        position = (line, match.start() - start + 1)
        if what == "\n":
            line, start = line + 1, match.end()
        elif what == "{":
            opened.append(position)
        elif what == "}" and opened:
            braces[opened.pop()] = position
        elif what[0] == "#":
            alone = not text[start : match.start()].strip(" \t\f\ufeff")
            comments.append(Comment(what.rstrip(), position, alone))
            around.append(opened[-1] if opened else None)
    kept = tuple(
        comment.replace(within=(opening, braces[opening]) if opening in braces else within)
        for comment, opening in zip(comments, around, strict=True)
    )
    return Marks(kept, braces)
