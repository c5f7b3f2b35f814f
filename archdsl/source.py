"""Texts, places in them, and what is said to a user about a place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from archdsl.record import Record

SHOWN_ERRORS = 20
"""So many errors are printed; the rest are counted (a file of 100,000 mistakes stays readable)."""

EXCERPT_WIDTH = 110

LONGEST_MESSAGE = 400
"""Longer messages (a name may be as long as its file) are cut in the middle."""


class Source(Record):
    """A text and the name that messages give it: a path as the user wrote it, or relative to a root."""

    name: str
    text: str

    def line(self, number: int) -> str:
        """Line `number`, counted from 1, without its end; empty where the text has no such line."""
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        # Not splitlines: form feeds and the like end no line for the readers.
        return self.text.split("\n")


class Span(NamedTuple):
    """A place in a source; lines and columns count from 1, and the end column is one past the end."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"

    def to(self, end: Span) -> Span:
        """From the start of this place to the end of another one."""
        return Span(self.source, self.line, self.column, end.end_line, end.end_column)


class Frame(Record):
    """One link of the chain of calls from the document to a place: `what` was called at `span`."""

    what: str
    span: Span | None


class Diagnostic(Record):
    """One mistake: its code, what is wrong, where, how the reader got there, and a way out."""

    code: str
    message: str
    span: Span | None = None
    help: str | None = None
    note: str | None = None
    chain: tuple[Frame, ...] = ()

    def __str__(self) -> str:
        """The message as it is printed: place, excerpt with a caret, chain of calls, help."""
        lines = [f"error[{self.code}]: {_shortened(self.message)}"]
        if self.span is not None:
            lines.append(f"  --> {self.span}")
            lines.extend(_excerpt(self.span, self.note))
        elif self.note:
            lines.append(f"  note: {self.note}")
        if self.chain:
            lines.append("  in " + ", ".join(_links(self.chain)))
        if self.help:
            lines.append(f"  help: {_shortened(self.help)}")
        return "\n".join(map(_escaped, lines))


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_MESSAGE:
        return text
    half = LONGEST_MESSAGE // 2
    return f"{text[:half]} ... {text[-half:]}"


def _links(chain: tuple[Frame, ...]) -> Iterable[str]:
    for frame, outer in zip(chain, (*chain[1:], None), strict=True):
        same = outer is not None and outer.span == frame.span
        yield frame.what if same or frame.span is None else f"{frame.what} ({frame.span})"


def _excerpt(span: Span, note: str | None) -> Iterable[str]:
    text = span.source.line(span.line).replace("\t", " ")
    if not text.strip():
        return
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(text)
    indent = min(len(text) - len(text.lstrip()), start)
    cut = max(indent, start - EXCERPT_WIDTH // 2)
    shown = text[cut : cut + EXCERPT_WIDTH]
    yield f"   |   {_printable(shown)}".rstrip()
    width = max(1, min(end, cut + EXCERPT_WIDTH) - start)
    carets = " " * (start - cut) + "^" * width
    yield f"   |   {carets} {note}" if note else f"   |   {carets}"


def _printable(text: str) -> str:
    """The text with what could steer a terminal shown as `?`, so that carets stay where they point."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _escaped(line: str) -> str:
    """One line: what could end it, steer a terminal or turn the direction of writing is written as an escape.

    Names of files and texts of documents (`require ... else "..."`) come into messages as they were written.
    """
    if line.isprintable():
        return line
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in line
    )


class ArchError(Exception):
    """The user's mistakes, all those of one stage. `str()` is what the command line prints."""

    exit_code = 2

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        shown = [str(diagnostic) for diagnostic in self.diagnostics[:SHOWN_ERRORS]]
        more = len(self.diagnostics) - len(shown)
        if more:
            shown.append(f"and {more} more error{'s' if more > 1 else ''}")
        return "\n\n".join(shown)


class SurroundingsError(ArchError):
    """Not the document's fault: a folder that can't be written, a package that is not installed."""

    exit_code = 3


def fail(code: str, message: str, span: Span | None = None, help: str | None = None) -> ArchError:
    """An error of one diagnostic, to be raised."""
    return ArchError([Diagnostic(code, message, span, help)])


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be, or None."""
    import difflib  # late: only a mistake needs it

    names = sorted(set(known))
    by_lower = {candidate.lower(): candidate for candidate in reversed(names)}
    if name.lower() in by_lower:
        return by_lower[name.lower()]
    # Names that can't be so close, for their lengths alone, are most of a long list: difflib is slow to see it.
    size = len(name)
    likely = [other for other in by_lower if 3 * size <= 7 * len(other) and 3 * len(other) <= 7 * size]
    # Of `s5` one letter of two is right in `s4`; of longer names more must be.
    cutoff = 0.5 if size == 2 else 0.65
    close = difflib.get_close_matches(name.lower(), likely, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else None


def did_you_mean(name: str, known: Iterable[str], what: str = "known names") -> str:
    """Help for an unknown name: the nearest known one, or the list of them."""
    names = sorted(set(known))
    close = nearest(name, names)
    if close is not None:
        return f"did you mean {close!r}?"
    if not names:
        return f"there are no {what} here"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"{what}: {shown}"
