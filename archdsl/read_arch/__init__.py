"""The text surface: from `.arch` text to `archdsl.syntax`, with every syntax error of a file at once."""

from __future__ import annotations

import json
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from archdsl import assets
from archdsl import syntax as s
from archdsl.names import TYPES
from archdsl.read_arch.layout import SOFT_WORDS, BoundError, Layout
from archdsl.source import ArchError, Diagnostic, Source, Span, nearest

if TYPE_CHECKING:
    from lark import Lark

LONGEST_TEXT = 1 << 18
"""Documents of more characters are refused."""

MOST_ERRORS = 50
"""After so many mistakes a text is not read on."""

STARTS = ["document", "expr", "shape", "type", "statements", "block_signature", "path"]
_SHIFT = 0
"""An action of Lark's tables that goes to another state; the others reduce by a rule."""

OPTIONS: dict[str, Any] = {
    "parser": "lalr",
    "lexer": "basic",
    "start": STARTS,
    "maybe_placeholders": True,
    "propagate_positions": True,
}


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
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

    from archdsl.read_arch.construct import Construct

    construct = Construct(source, shift, doubled)
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
    try:
        result = construct.transform(tree) if start != "expr" or hasattr(tree, "data") else tree
    except RecursionError:
        message = "brackets and operators are nested too deep"
        help = "give inner parts a name of their own"
        raise ArchError([Diagnostic("E0104", message, _start(source, shift), help)]) from None
    mistakes.extend(construct.mistakes)
    return result


def _start(source: Source, shift: tuple[int, int]) -> Span:
    return Span(source, shift[0] + 1, shift[1] + 1, shift[0] + 1, shift[1] + 1)


def _end(source: Source, text: str, shift: tuple[int, int]) -> Span:
    lines = text.rstrip().split("\n")
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


_STATEMENTS = frozenset(
    ["block", "network", "import", "return", "require", "output", "init", "stage", "features", "for", "if"]
)


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
    before = span.source.line(span.line)[: span.column - 1].strip()
    if close is None and before.isidentifier() and before not in _STATEMENTS:
        # `retrun x`: what is wrong stands in front of what could not be read.
        close = nearest(before, _STATEMENTS)
    if close == str(token):
        # A word that begins a statement is a name where the statement does not go on as it must.
        help = f"{_SPELLING[SOFT_WORDS[close.upper()]]} comes after {close!r}"
    elif close:
        help = f"did you mean {close!r}?"
    elif token.type == "EQUAL" and "COMPARE" in accepted:
        help = "'==' compares"
    elif str(token) in TYPES and accepted == {"LSQB"}:
        help = "compile-time arguments come after ';'"
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
    return frozenset(t.pattern.value for t in parser().terminals if t.pattern.value == t.name.lower())


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
    data["parser"]["parser"] = _numbered(data["parser"]["parser"])
    return json.dumps({"key": key, "data": data, "memo": memo}, default=list, sort_keys=True) + "\n"


def _numbered(table: dict[str, Any]) -> dict[str, Any]:
    """The parse table with tokens numbered by name and states by first visit: Lark numbers both by hash."""
    names = table["tokens"]
    tokens = {name: number for number, name in enumerate(sorted(names.values()))}
    rows = {
        state: sorted(((tokens[names[token]], action) for token, action in row.items()), key=itemgetter(0))
        for state, row in table["states"].items()
    }
    states: dict[int, int] = {}
    waiting = [state for _, state in sorted(table["start_states"].items())]
    for state in waiting:
        if state in states:
            continue
        states[state] = len(states)
        waiting += [target for _, (kind, target) in rows[state] if kind == _SHIFT]
    return {
        "tokens": {number: name for name, number in tokens.items()},
        "states": {
            states[state]: {
                token: [kind, states[target] if kind == _SHIFT else target] for token, (kind, target) in row
            }
            for state, row in rows.items()
        },
        "start_states": {name: states[state] for name, state in table["start_states"].items()},
        "end_states": {name: states[state] for name, state in table["end_states"].items()},
    }


def _int_keys(value: Any) -> Any:
    """JSON turns the state numbers that are keys of the tables into text: turn them back."""
    if isinstance(value, dict):
        return {int(key) if key.isdigit() else key: _int_keys(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_int_keys(inner) for inner in value]
    return value


__all__ = ["LONGEST_TEXT", "check_length", "parser", "read", "read_expression", "tables"]
