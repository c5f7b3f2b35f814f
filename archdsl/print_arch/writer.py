"""Lines of output with the author's comments and blank lines among them.

A printer runs twice. The first run tells which pieces it prints, in which order, and where each stood. Then
every comment is given to one piece, and the second run prints each piece with its comments. So none is lost
or doubled, whatever the order in which a printer says things.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from archdsl.print_arch.marks import Comment, Position
from archdsl.record import Record
from archdsl.source import Source, Span


class Place(Record):
    """Where a piece of a document stood, from its first character to one past its last."""

    start: Position
    end: Position


class Gap(Enum):
    """The blank line in front of a piece: as its author has it, always, or never."""

    AUTHOR = "author"
    ALWAYS = "always"
    NEVER = "never"


class Handed(Record):
    """The comments of one piece: before it, behind its last line, and on lines of their own after it."""

    before: tuple[Comment, ...] = ()
    behind: Comment | None = None
    after: tuple[Comment, ...] = ()


def place(first: Span, last: Span | None = None) -> Place:
    """The place from one span to another one, or of one."""
    last = last or first
    start, end = (first.line, first.column), (last.end_line, last.end_column)
    return Place(start, max(start, end))


class Writer:
    """Collects lines; `handed` are the comments of each piece, by the piece's number."""

    def __init__(self, source: Source, handed: Mapping[int, Handed] | None = None) -> None:
        self.source = source
        self.places: dict[int, Place] = {}
        self.lines: list[str] = []
        self._handed = handed or {}
        self._pieces = 0
        self._at_start = True
        self._line = 0
        self._after: tuple[Comment, ...] = ()
        self._after_at = 0

    def text(self) -> str:
        """All lines; ends in a line end."""
        return "\n".join(self.lines) + "\n"

    def put(
        self,
        text: str,
        indent: int,
        where: Place | None,
        gap: Gap = Gap.AUTHOR,
        opens: bool = False,
        comments_at: int | None = None,
    ) -> None:
        """Write a piece of one or more lines; only its first is indented here.

        `opens`: what comes next is the first of its kind, and no blank line stands before it. `comments_at`
        is the indentation of the comments before the piece, where it is not the piece's own.
        """
        number = self._pieces
        self._pieces += 1
        handed = self._handed.get(number, Handed())
        apart = gap is Gap.ALWAYS
        level = indent if comments_at is None else comments_at
        before = handed.before
        if self._after and level >= self._after_at:
            # No reader could tell that these belong to what stands above them.
            before = (*self._after, *before)
            self._after = ()
        self._flush()
        for comment in before:
            self._own_line(comment, level, apart)
            apart = False
        if apart or (where is not None and gap is Gap.AUTHOR and self._blank_above(where.start[0])):
            self._blank_line()
        self.lines += (" " * indent + text).split("\n")
        self._at_start = opens
        if where is not None:
            self.places[number] = where
            self._line = where.end[0]
        if handed.behind is not None:
            self.lines[-1] += "  " + handed.behind.text
        self._after, self._after_at = handed.after, indent

    def rest(self) -> None:
        """Write the comments behind the last piece of the document."""
        self._flush()
        for comment in self._handed.get(-1, Handed()).after:
            self._own_line(comment, 0, False)

    def _flush(self) -> None:
        """Write the comments that stand after the last piece."""
        for comment in self._after:
            self._own_line(comment, self._after_at, False)
        self._after = ()

    def _own_line(self, comment: Comment, indent: int, apart: bool) -> None:
        line = comment.position[0]
        if apart or self._blank_above(line):
            self._blank_line()
        self.lines.append(" " * indent + comment.text)
        self._line = line
        self._at_start = False

    def _blank_above(self, line: int) -> bool:
        # Of several statements on a line, the first alone stands under the line above.
        return line > 1 and line != self._line and not self.source.line(line - 1).strip()

    def _blank_line(self) -> None:
        if self.lines and self.lines[-1] and not self._at_start:
            self.lines.append("")


def print_twice(source: Source, comments: Sequence[Comment], write: Callable[[Writer], None]) -> str:
    """What `write` writes, with the comments handed out."""
    writer = Writer(source)
    write(writer)
    if comments:
        writer = Writer(source, hand_out(source, comments, writer.places))
        write(writer)
        writer.rest()
    return writer.text()


def hand_out(source: Source, comments: Sequence[Comment], places: Mapping[int, Place]) -> dict[int, Handed]:
    """Each comment to one piece by its number; to -1 those behind all pieces."""
    by_start = sorted((piece.start, number) for number, piece in places.items())
    by_end = sorted((piece.end, number) for number, piece in places.items())
    starts = [start for start, _ in by_start]
    ends = [end for end, _ in by_end]
    before: dict[int, list[Comment]] = {}
    behind: dict[int, Comment] = {}
    after: dict[int, list[Comment]] = {}
    for comment in comments:
        position = comment.position
        index = bisect_right(starts, position)
        inside = by_start[index - 1][1] if index else None
        if inside is not None and position < places[inside].end:
            before.setdefault(inside, []).append(comment)
            continue
        ended = bisect_right(ends, position)
        if not comment.alone and ended and ends[ended - 1][0] == position[0]:
            number = by_end[ended - 1][1]
            if number not in behind:
                behind[number] = comment
                continue
        following = by_start[index][1] if index < len(by_start) else None
        below = places[following] if following is not None else None
        if inside is not None and _belongs_above(source, comment, places[inside], below):
            after.setdefault(inside, []).append(comment)
        elif following is None:
            after.setdefault(-1, []).append(comment)
        else:
            before.setdefault(following, []).append(comment)
    numbers = {*before, *behind, *after}
    return {
        number: Handed(tuple(before.get(number, ())), behind.get(number), tuple(after.get(number, ())))
        for number in numbers
    }


def _belongs_above(source: Source, comment: Comment, above: Place, below: Place | None) -> bool:
    """Whether a comment goes with what stands above it: by the braces around both, or as YAML is indented."""
    if comment.within is not None and above.start > comment.within[0]:
        return below is None or below.start > comment.within[1]
    if not (comment.indented and comment.alone):
        return False
    next_ = _indentation(source, below.start[0]) if below is not None else 0
    return next_ < min(comment.position[1] - 1, _indentation(source, above.start[0]))


def _indentation(source: Source, line: int) -> int:
    text = source.line(line)
    return len(text) - len(text.lstrip(" "))
