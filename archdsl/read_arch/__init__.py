"""The text surface: from `.arch` text to `archdsl.syntax`, with every syntax error of a file at once."""

from __future__ import annotations

from typing import Any

from archdsl import syntax as s
from archdsl.read_arch.drive import BadCharacter, TooDeep, Unexpected, driver
from archdsl.read_arch.messages import bad_character, foreign_number, unexpected
from archdsl.source import ArchError, Diagnostic, Source, Span

LONGEST_TEXT = 1 << 20
"""Documents of more characters are refused."""

MOST_ERRORS = 50
"""After so many mistakes a text is not read on."""


def check_length(source: Source) -> None:
    """Raise `ArchError` for a text that is too long to be a document."""
    if len(source.text) > LONGEST_TEXT:
        message = f"a document has at most {LONGEST_TEXT:,} characters, this has {len(source.text):,}"
        raise ArchError([Diagnostic("E0103", message, Span(source, 1, 1, 1, 1))])


def read(source: Source) -> s.Document:
    """The document that a text says; raises `ArchError` with all its syntax errors."""
    check_length(source)
    mistakes: list[Diagnostic] = []
    document: s.Document | None = None
    start: int | None = 0
    lines = source.text.split("\n")
    while start is not None and len(mistakes) < MOST_ERRORS:
        document, start = _read_from(source, lines, start, mistakes)
    if document is not None and document.version == 0 and not mistakes:
        message = "the document does not say its version of the language"
        help = f"begin with 'archdsl {s.LANGUAGE_VERSION}'"
        mistakes.append(Diagnostic("E0107", message, Span(source, 1, 1, 1, 1), help))
    if mistakes:
        raise ArchError(mistakes)
    assert document is not None
    return document


def _read_from(
    source: Source, lines: list[str], line: int, mistakes: list[Diagnostic]
) -> tuple[s.Document | None, int | None]:
    """Read from a line on; after a syntax error, also the line to go on from, if there is one."""
    found: list[Diagnostic] = []
    try:
        return _parse(source, "\n".join(lines[line:]), "document", (line, 0), mistakes), None
    except ArchError as error:
        found = list(error.diagnostics)
    mistakes.extend(found)
    place = found[0].span
    after = place.line if place is not None else len(lines)
    for number in range(after, len(lines)):
        if lines[number].startswith(("block ", "network ", "variant ", "space ")):
            return None, number
    return None, None


def read_expression(
    source: Source, text: str, shift: tuple[int, int], start: str = "expr", doubled: bool = False
) -> Any:
    """One expression (or, by `start`, one of `STARTS`) that stands at `shift` in its file.

    `shift` counts the lines before it and the columns before its first line. `doubled`: every `'` in it is
    written twice. Raises `ArchError`.
    """
    mistakes: list[Diagnostic] = []
    result = _parse(source, text, start, shift, mistakes, doubled)
    if mistakes:
        raise ArchError(mistakes)
    return result


def _parse(
    source: Source,
    text: str,
    start: str,
    shift: tuple[int, int],
    mistakes: list[Diagnostic],
    doubled: bool = False,
) -> Any:
    try:
        result, construct = driver().read(source, text, shift, start, doubled)
    except Unexpected as error:
        raise ArchError([unexpected(error, source, text, shift)]) from None
    except BadCharacter as error:
        raise ArchError([bad_character(error.character, error.span)]) from None
    except TooDeep as error:
        help = "give inner parts a name of their own"
        raise ArchError([Diagnostic("E0104", str(error), error.span, help)]) from None
    mistakes.extend(construct.mistakes)
    return result


__all__ = ["LONGEST_TEXT", "MOST_ERRORS", "check_length", "foreign_number", "read", "read_expression"]
