"""The text surface: from `.arch` text to `archdsl.syntax`, with every syntax error of a file at once."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from archdsl import assets
from archdsl import syntax as s
from archdsl.read_arch.layout import BoundError, Layout
from archdsl.source import ArchError, Diagnostic, Source, Span, did_you_mean, nearest

if TYPE_CHECKING:
    from lark import Lark

LONGEST_TEXT = 1 << 20
"""Documents of more characters are refused."""

STARTS = ["document", "expr", "shape", "type"]
OPTIONS: dict[str, Any] = {
    "parser": "lalr",
    "lexer": "basic",
    "start": STARTS,
    "maybe_placeholders": True,
    "propagate_positions": True,
}


def read(source: Source) -> s.Document:
    """The document that a text says; raises `ArchError` with all its syntax errors."""
    if len(source.text) > LONGEST_TEXT:
        message = f"a document has at most {LONGEST_TEXT:,} characters, this has {len(source.text):,}"
        raise ArchError([Diagnostic("E0103", message, Span(source, 1, 1, 1, 1))])
    mistakes: list[Diagnostic] = []
    document: s.Document | None = None
    start: int | None = 0
    while start is not None:
        document, start = _read_from(source, start, mistakes)
    if mistakes:
        raise ArchError(mistakes)
    assert document is not None
    return document


def _read_from(source: Source, line: int, mistakes: list[Diagnostic]) -> tuple[s.Document | None, int | None]:
    """Read from a line on; after a syntax error, also the line to go on from, if there is one."""
    rest = source.text if line == 0 else "".join(source.text.splitlines(True)[line:])
    found: list[Diagnostic] = []
    try:
        return _parse(source, rest, "document", (line, 0), mistakes), None
    except ArchError as error:
        found = list(error.diagnostics)
    mistakes.extend(found)
    place = found[0].span
    lines = source.text.splitlines()
    after = place.line if place is not None else len(lines)
    for number in range(after, len(lines)):
        if lines[number].startswith(("block ", "network ")):
            return None, number
    return None, None


def read_expression(source: Source, text: str, shift: tuple[int, int], start: str = "expr") -> Any:
    """One expression (or, by `start`, a shape or a type) that stands at `shift` in its file.

    `shift` counts the lines before it and the columns before its first line. Raises `ArchError`.
    """
    mistakes: list[Diagnostic] = []
    result = _parse(source, text, start, shift, mistakes)
    if mistakes:
        raise ArchError(mistakes)
    return result


def _parse(source: Source, text: str, start: str, shift: tuple[int, int], mistakes: list[Diagnostic]) -> Any:
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

    from archdsl.read_arch.construct import Construct

    construct = Construct(source, shift)
    try:
        tree = parser().parse(text, start=start)
    except UnexpectedToken as error:
        token = error.token
        span = construct.span(token) if token.type != "$END" else _end(source, text, shift)
        raise ArchError([_unexpected(token, span, error.accepts or error.expected)]) from None
    except UnexpectedCharacters as error:
        span = construct.span(error)
        raise ArchError([_bad_character(text[error.pos_in_stream or 0], span)]) from None
    except UnexpectedEOF:
        span = _end(source, text, shift)
        raise ArchError([Diagnostic("E0101", "the text ends too early", span)]) from None
    except BoundError as error:
        diagnostic = Diagnostic(
            "E0104", str(error), construct.span(error.token), "give inner parts a name of their own"
        )
        raise ArchError([diagnostic]) from None
    result = construct.transform(tree) if start != "expr" or hasattr(tree, "data") else tree
    mistakes.extend(construct.mistakes)
    return result


def _end(source: Source, text: str, shift: tuple[int, int]) -> Span:
    lines = text.rstrip().splitlines() or [""]
    line = len(lines)
    column = len(lines[-1]) + 1 + (shift[1] if line == 1 else 0)
    return Span(source, line + shift[0], column, line + shift[0], column)


_SPELLING = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "a string", "_NL": "a line end",
    "$END": "the end", "COMPARE": "a comparison", "PIPE": "'|>'", "ARROW": "'->'",
    "LPAR": "'('", "RPAR": "')'", "LSQB": "'['", "RSQB": "']'", "LBRACE": "'{'", "RBRACE": "'}'",
    "COLON": "':'", "EQUAL": "'='", "COMMA": "','", "SEMICOLON": "';'", "OPTIONAL": "'?'",
    "DOT": "'.'",
}  # fmt: skip
_ARITHMETIC = frozenset(["PLUS", "MINUS", "STAR", "SLASH", "DOUBLE_SLASH", "PERCENT", "AT", "POWER", "COMPARE"])


def _unexpected(token: Any, span: Span, accepted: Any) -> Diagnostic:
    accepted = set(accepted)
    words = {name.lower() for name in accepted if name.lower() in _keywords()}
    known = [name for name in sorted(accepted) if name in _SPELLING]
    expected = [_SPELLING[name] for name in known]
    if len(accepted & _ARITHMETIC) > 3:
        expected = [text for text in expected if text[0] == "'"] + ["an operator"]
    expected += sorted(repr(word) for word in words - {"is", "and", "or"})
    if token.type == "$END":
        message = "the text ends too early"
    elif token.type == "_NL":
        message = "the line ends too early"
    else:
        message = f"unexpected {str(token)!r}"
    help = "expected " + ", ".join(expected[:8]) if expected else None
    close = nearest(str(token), words) if token.type == "NAME" else None
    if close:
        help = f"did you mean {close!r}?"
    elif token.type == "NAME" and "_NL" in accepted:
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
    return frozenset(t.name.lower() for t in parser().terminals if t.name.isalpha()) - {
        name.lower() for name in _SPELLING
    }


@cache
def parser() -> Lark:
    """The parser, from the tables that ship beside the grammar, or anew where they are outdated."""
    import hashlib

    from lark import Lark
    from lark import __version__ as lark_version

    grammar = assets.text("grammar", "archdsl.lark")
    key = hashlib.sha256(f"{lark_version}\n{grammar}".encode()).hexdigest()
    try:
        tables = json.loads(assets.text("grammar", "tables.json"))
    except (OSError, ValueError):
        tables = {}
    if tables.get("key") == key:
        data, memo = _int_keys(tables["data"]), _int_keys(tables["memo"])
        return Lark._load_from_dict(data, memo, postlex=Layout())  # type: ignore[no-untyped-call,no-any-return]
    return Lark(grammar, postlex=Layout(), **OPTIONS)


def tables() -> str:
    """What belongs into `grammar/tables.json`: the parse tables, by the hash of their grammar."""
    import hashlib

    from lark import Lark
    from lark import __version__ as lark_version
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    grammar = assets.text("grammar", "archdsl.lark")
    key = hashlib.sha256(f"{lark_version}\n{grammar}".encode()).hexdigest()
    lark = Lark(grammar, postlex=Layout(), **OPTIONS)
    data, memo = lark.memo_serialize([TerminalDef, Rule])
    data["options"] = {name: data["options"][name] for name in data["options"] if name != "postlex"}
    return json.dumps({"key": key, "data": data, "memo": memo}, default=list, sort_keys=True) + "\n"


def _int_keys(value: Any) -> Any:
    """JSON turns the state numbers that are keys of the tables into text: turn them back."""
    if isinstance(value, dict):
        return {int(key) if key.isdigit() else key: _int_keys(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_int_keys(inner) for inner in value]
    return value


__all__ = ["LONGEST_TEXT", "did_you_mean", "parser", "read", "read_expression", "tables"]
