"""What is said about a text that can't be read: what was found, and first what would most likely mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from archdsl.names import TYPES
from archdsl.read_arch.drive import END, Unexpected
from archdsl.read_arch.layout import SOFT_WORDS
from archdsl.read_arch.tables import shipped
from archdsl.source import Diagnostic, Source, Span, nearest

_SPELLING = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "a string", "_NL": "a line end",
    END: "the end", "COMPARE": "a comparison", "PIPE": "'|>'", "ARROW": "'->'",
    "LPAR": "'('", "RPAR": "')'", "LSQB": "'['", "RSQB": "']'", "LBRACE": "'{'", "RBRACE": "'}'",
    "COLON": "':'", "EQUAL": "'='", "COMMA": "','", "SEMICOLON": "';'", "OPTIONAL": "'?'",
    "DOT": "'.'",
}  # fmt: skip
_ARITHMETIC = frozenset(["PLUS", "MINUS", "STAR", "SLASH", "DOUBLE_SLASH", "PERCENT", "AT", "POWER", "COMPARE"])

# What people leave out most often comes first. In front of a value that is a comma; elsewhere a bracket.
_MISSING = ("RPAR", "RSQB", "RBRACE", "LBRACE", "EQUAL", "COMMA", "ARROW", "_NL", END, "NAME", "NUMBER",
            "STRING", "PIPE", "COLON", "SEMICOLON", "LPAR", "LSQB", "DOT", "OPTIONAL")  # fmt: skip
_BEFORE_VALUES = ("COMMA", *(kind for kind in _MISSING if kind != "COMMA"))
_AFTER_LABELS = ("COLON", *(kind for kind in _MISSING if kind != "COLON"))
_VALUES = frozenset(["NAME", "NUMBER", "STRING", "SEMICOLON"])

_STATEMENTS = frozenset(
    ["archdsl", "block", "build", "features", "for", "head", "if", "import", "init", "network", "output",
     "require", "return", "space", "stage", "unset", "variant"]
)  # fmt: skip
_ITEMS = frozenset(["BLOCK", "BUILD", "IMPORT", "KEYS", "NETWORK", "SPACE", "VARIANT"])
_IN_EXPRESSIONS = frozenset(["choose", "each", "else", "for", "not"])
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Bracket(NamedTuple):
    """A bracket of a text; line and column count from 0."""

    text: str
    line: int
    column: int


def unexpected(error: Unexpected, source: Source, text: str, shift: tuple[int, int]) -> Diagnostic:
    """The message about a token that can't stand where it does, in a text that stands at `shift`."""
    span = error.span
    line = source.line(span.line)
    number = _number_around(error, line)
    if number is not None:
        word, column = number
        message, help = foreign_number(word) or ("", "")
        place = Span(source, span.line, column + 1, span.line, column + 1 + len(word))
        return Diagnostic("E0108", message, place, help)
    return _not_closed(error, source, text, shift) or Diagnostic(
        "E0101", _found(error), span, _help(error, line)
    )


def _found(error: Unexpected) -> str:
    if error.kind == END:
        return "the text ends too early"
    return "the line ends too early" if error.kind == "_NL" else f"unexpected {error.text!r}"


def _help(error: Unexpected, line: str) -> str | None:
    """What would mend it, most likely."""
    accepted, text = error.accepted, error.text
    before, after = line[: error.span.column - 1].rstrip(), line[error.span.end_column - 1 :].lstrip()
    words = {name.lower() for name in accepted if name.lower() in _keywords()}
    close = nearest(text, words) if error.kind == "NAME" else None
    last = re.search(r"[A-Za-z_]\w*$", before)
    word = last.group() if last is not None else ""
    begins = before.strip() == word
    if close is None and len(word) > 2 and (begins or error.kind in _VALUES or text in ("{", "[", "(")):
        # `retrun x`, `ech widths`: what is wrong stands in front of what could not be read.
        known = (_STATEMENTS if begins else frozenset()) | _IN_EXPRESSIONS
        close = None if word in known and word != text else nearest(word, known)
    if close == text:
        close = None
    if text.upper() in SOFT_WORDS and error.kind == "NAME" and text in words:
        # A word that begins a statement is a name where the statement does not go on as it must.
        return f"{_SPELLING[SOFT_WORDS[text.upper()]]} comes after {text!r}"
    if (
        begins
        and word.upper() in SOFT_WORDS
        and _SPELLING.get(SOFT_WORDS[word.upper()])
        and error.kind == "NAME"
    ):
        return f"{_SPELLING[SOFT_WORDS[word.upper()]]} comes after {word!r}"
    if close is not None:
        return f"did you mean {close!r}?"
    if error.kind == "EQUAL":
        if accepted == {"COLON"}:
            return "compile-time arguments come after ';'"
        if "COMPARE" in accepted:
            return "'==' compares"
    if text in TYPES and accepted == {"LSQB"}:
        return "compile-time arguments come after ';'"
    listed = re.search(r"([A-Za-z_]\w*)\s*\[[^\[\]]*$", before) if error.kind == "COMMA" else None
    if listed is not None and nearest(listed.group(1), ["each"]):
        # `ech [4, 3]` is read as an element of a list.
        return "did you mean 'each'?"
    if accepted == {"NAME"} and before.endswith(":") and error.kind != "_NL":
        return "'=' gives a value to an argument, ':' a label to a call"
    if text == "(" and begins and "COLON" in accepted:
        return f"write label: {word}(...)"
    if text == "|>" and "_NL" in accepted:
        return "write a line end and a label: an entry takes what the one before it gives"
    if error.kind == "NAME" and {"PIPE", "_NL"} <= accepted and after.startswith((":", "[")) and not begins:
        return "'|>' leads to a labelled call"
    if error.kind == "NAME" and "_NL" in accepted:
        return "statements are parted by line ends or ';'"
    return _expected(error, words, begins)


def _expected(error: Unexpected, words: set[str], begins: bool) -> str | None:
    accepted = error.accepted
    order: tuple[str, ...] = _MISSING
    if error.kind in _VALUES:
        order = _AFTER_LABELS if begins else _BEFORE_VALUES
    if {"NAME", "NUMBER", "STRING"} <= accepted:
        # Where a value can begin, what else can is of less help.
        closing = [_SPELLING[kind] for kind in ("RPAR", "RSQB", "RBRACE") if kind in accepted]
        return "expected " + ", ".join(["a value", *closing])
    expected = [_SPELLING[kind] for kind in order if kind in accepted]
    if len(accepted & _ARITHMETIC) > 3:
        expected = [shown for shown in expected if shown[0] == "'" or shown == "a line end"] + ["an operator"]
    elif "COMPARE" in accepted:
        expected.append(_SPELLING["COMPARE"])
    expected += sorted(repr(word) for word in words - {"is", "and", "or"})
    return "expected " + ", ".join(expected[:8]) if expected else None


def bad_character(char: str, span: Span) -> Diagnostic:
    """The message about a character that begins no token."""
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


# --- numbers as others write them


def foreign_number(word: str) -> tuple[str, str] | None:
    """Message and help for what is a number elsewhere (or a date, in YAML 1.1), and none here."""
    if len(word) > 32:
        return None
    message = f"{word!a} is no number here"
    sign, plain = ("-", word[1:]) if word[:1] == "-" else ("", word)
    if plain.lower() in (".inf", ".nan"):
        return message, "no number is infinite or undefined; write a large one"
    if re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", word):
        return f"{word!a} is no date here", f"a text stands in double quotes: '\"{word}\"'"
    if re.fullmatch(r"[0-9]{1,3}(:[0-5]?[0-9])+", word):
        value = 0
        for part in word.split(":"):
            value = value * 60 + int(part)
        return message, f"write {value}, or for a text '\"{word}\"'"
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+", plain):
        return message, f"write {sign}{int(plain, 0)}"
    if re.fullmatch(r"[+-]?[0-9]*(_[0-9]+)*[.,]?[0-9]*([eE][+-]?[0-9]+)?", word) and re.search("[0-9]", word):
        mended = word.lstrip("+").replace("_", "").replace(",", ".")
        mended = re.sub(r"^(-?)\.", r"\g<1>0.", mended)
        mended = re.sub(r"\.(?![0-9])", ".0", mended)
        return (message, f"write {mended}") if mended != word else None
    return None


def _number_around(error: Unexpected, line: str) -> tuple[str, int] | None:
    """The word at a token and its column, where it is a number elsewhere."""
    start = error.span.column - 1
    if error.text not in ("+", ".") and error.kind not in ("NAME", "NUMBER"):
        return None
    for found in re.finditer(r"\+?[0-9A-Za-z_.]+", line):
        if found.start() <= start < found.end():
            word = found.group()
            if foreign_number(word) is None or (word[0] == "+" and start > found.start()):
                return None
            return word, found.start()
    return None


# --- brackets that are not closed


def _not_closed(error: Unexpected, source: Source, text: str, shift: tuple[int, int]) -> Diagnostic | None:
    """The message about a bracket that should have been closed on an earlier line than the token's."""
    lines = text.split("\n")

    def place(line: int, column: int) -> Span:
        start = column + 1 + (shift[1] if line == 0 else 0)
        return Span(source, line + shift[0] + 1, start, line + shift[0] + 1, start + 1)

    at = error.span.line - shift[0] - 1
    brace = _misplaced_brace(lines)
    if brace is not None and brace[0].line <= at and _is_out_of_place(error):
        end, opened = brace
        if end.text == "}":
            help = f"remove it: the '{{' of {place(opened.line, opened.column)} is indented otherwise"
            return Diagnostic("E0101", "unexpected '}'", place(end.line, end.column), help)
        message = f"the '{{' of {place(opened.line, opened.column)} is not closed"
        return Diagnostic("E0101", message, place(end.line, end.column), "expected '}'")
    column = error.span.column - 1 - (shift[1] if at == 0 else 0)
    innermost = _innermost(lines, at, column)
    if innermost is None or innermost.line >= at or innermost.text == "{":
        return None
    before = lines[at][:column].strip() if at < len(lines) else ""
    if error.kind != END and before and not (before.isidentifier() and error.text in ("=", ":")):
        return None
    message = f"{innermost.text!r} is not closed"
    help = f"expected {_CLOSING[innermost.text]!r} before {place(at, max(column - len(before), 0))}"
    return Diagnostic("E0101", message, place(innermost.line, innermost.column), help)


def _is_out_of_place(error: Unexpected) -> bool:
    """Whether a token may be one that a brace too many or too few leaves in the wrong place."""
    return error.kind == END or END in error.accepted or (error.kind in _ITEMS)


def _brackets(lines: list[str]) -> Iterator[tuple[int, list[Bracket]]]:
    """The brackets of each line, those in strings and comments left out."""
    for number, line in enumerate(lines):
        code = re.sub(r'"(?:[^"\\]|\\.)*"|#.*', lambda found: " " * len(found.group()), line)
        yield number, [Bracket(char, number, column) for column, char in enumerate(code) if char in "()[]{}"]


def _innermost(lines: list[str], line: int, column: int) -> Bracket | None:
    """The innermost bracket that is open at a place."""
    opened: list[Bracket] = []
    for number, brackets in _brackets(lines[: line + 1]):
        for bracket in brackets:
            if number == line and bracket.column >= column:
                break
            if bracket.text in _CLOSING:
                opened.append(bracket)
            elif opened:
                opened.pop()
    return opened[-1] if opened else None


def _misplaced_brace(lines: list[str]) -> tuple[Bracket, Bracket] | None:
    """A brace that the indentation tells is missing or too many, and the one that opens what it belongs to.

    Of one that is missing the place is the end of the last line that is indented as its block is.
    """
    opened: list[tuple[int, Bracket]] = []
    inside, indent = 0, 0
    last = Bracket("", 0, 0)
    for number, brackets in _brackets(lines):
        stripped = lines[number].strip()
        if not stripped or stripped[0] == "#":
            continue
        if inside == 0 and not stripped.startswith(("->", "|>", "else")):
            indent = len(lines[number]) - len(lines[number].lstrip())
            if opened and stripped[0] != "}" and indent <= opened[-1][0]:
                return last, opened[-1][1]
            if opened and stripped[0] == "}" and indent != opened[-1][0]:
                return (brackets[0] if indent > opened[-1][0] else last), opened[-1][1]
        for bracket in brackets:
            if bracket.text == "{":
                opened.append((indent, bracket))
            elif bracket.text == "}" and opened:
                opened.pop()
            elif bracket.text in "([":
                inside += 1
            elif bracket.text in ")]":
                inside = max(0, inside - 1)
        last = Bracket("", number, len(lines[number].rstrip()))
    return None


@cache
def _keywords() -> frozenset[str]:
    return frozenset(word for word, kind in shipped().words.items() if word == kind.lower())
