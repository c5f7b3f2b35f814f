"""The text surface: from `.arch` text to `archdsl.syntax`, with every syntax error of a file at once."""

from __future__ import annotations

from functools import cache
from typing import Any

from archdsl import syntax as s
from archdsl.names import TYPES
from archdsl.read_arch.drive import END, BadCharacter, TooDeep, Unexpected, driver
from archdsl.read_arch.layout import SOFT_WORDS
from archdsl.read_arch.tables import shipped
from archdsl.source import ArchError, Diagnostic, Source, Span, nearest

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
        if lines[number].startswith(("block ", "network ")):
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
        raise ArchError([_unexpected(error)]) from None
    except BadCharacter as error:
        raise ArchError([_bad_character(error.character, error.span)]) from None
    except TooDeep as error:
        help = "give inner parts a name of their own"
        raise ArchError([Diagnostic("E0104", str(error), error.span, help)]) from None
    mistakes.extend(construct.mistakes)
    return result


_SPELLING = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "a string", "_NL": "a line end",
    END: "the end", "COMPARE": "a comparison", "PIPE": "'|>'", "ARROW": "'->'",
    "LPAR": "'('", "RPAR": "')'", "LSQB": "'['", "RSQB": "']'", "LBRACE": "'{'", "RBRACE": "'}'",
    "COLON": "':'", "EQUAL": "'='", "COMMA": "','", "SEMICOLON": "';'", "OPTIONAL": "'?'",
    "DOT": "'.'",
}  # fmt: skip
_ARITHMETIC = frozenset(["PLUS", "MINUS", "STAR", "SLASH", "DOUBLE_SLASH", "PERCENT", "AT", "POWER", "COMPARE"])


_STATEMENTS = frozenset(
    ["block", "network", "import", "return", "require", "output", "init", "stage", "features", "for", "if"]
)


def _unexpected(error: Unexpected) -> Diagnostic:
    accepted, text, span = error.accepted, error.text, error.span
    words = {name.lower() for name in accepted if name.lower() in _keywords()}
    known = [name for name in sorted(accepted) if name in _SPELLING]
    expected = [_SPELLING[name] for name in known]
    if len(accepted & _ARITHMETIC) > 3:
        expected = [text for text in expected if text[0] == "'"] + ["an operator"]
    expected += sorted(repr(word) for word in words - {"is", "and", "or"})
    if error.kind == END:
        message = "the text ends too early"
    elif error.kind == "_NL":
        message = "the line ends too early"
    else:
        message = f"unexpected {text!r}"
    help = "expected " + ", ".join(expected[:8]) if expected else None
    close = nearest(text, words) if error.kind == "NAME" else None
    before = span.source.line(span.line)[: span.column - 1].strip()
    if close is None and before.isidentifier() and before not in _STATEMENTS:
        # `retrun x`: what is wrong stands in front of what could not be read.
        close = nearest(before, _STATEMENTS)
    if close == text:
        # A word that begins a statement is a name where the statement does not go on as it must.
        help = f"{_SPELLING[SOFT_WORDS[close.upper()]]} comes after {close!r}"
    elif close:
        help = f"did you mean {close!r}?"
    elif error.kind == "EQUAL" and "COMPARE" in accepted:
        help = "'==' compares"
    elif text in TYPES and accepted == {"LSQB"}:
        help = "compile-time arguments come after ';'"
    elif error.kind == "NAME" and "_NL" in accepted:
        help = "statements are parted by line ends or ';'"
    return Diagnostic("E0101", message, span, help)


def _bad_character(char: str, span: Span) -> Diagnostic:
    help = None
    if char == "'":
        help = 'strings stand in double quotes: "text"'
    elif char == '"':
        help = "the string does not end on its line"
    elif char in "!&|":
        help = "logic is written with 'not', 'and', 'or'; a pipe is '|>'"
    elif char.isalpha():
        help = "names are ASCII letters, digits and underscores"
    return Diagnostic("E0102", f"unexpected character {char!a}", span, help)


@cache
def _keywords() -> frozenset[str]:
    return frozenset(word for word, kind in shipped().words.items() if word == kind.lower())


__all__ = ["LONGEST_TEXT", "MOST_ERRORS", "check_length", "read", "read_expression"]
