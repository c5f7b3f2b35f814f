"""The reader against Lark: the same documents with the same places, and the same word on what is wrong."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark
from lark import Token as LarkToken
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.visitors import Transformer, v_args

import archdsl
from archdsl.read_arch import tables
from archdsl.read_arch.construct import Construct, Token
from archdsl.read_arch.drive import BadCharacter, TooDeep, Unexpected, driver
from archdsl.read_arch.layout import BoundError
from archdsl.record import Record
from archdsl.source import Source, Span

ROOT = Path(archdsl.__file__).parent.parent
FILES = sorted([*ROOT.glob("specs/**/*.arch"), *ROOT.glob("tests/**/*.arch"), *ROOT.glob("examples/**/*.arch")])


@cache
def lark() -> Lark:
    return tables.made_anew()


def span_of(construct: Construct, place: Any) -> Span:
    """The place of a token of Lark's, or of a meta; where nothing was written, the start of the text."""
    start = construct.nothing
    if not hasattr(place, "line"):
        return start
    columns = start.column - 1
    return Span(
        start.source,
        place.line + start.line - 1,
        place.column + (columns if place.line == 1 else 0),
        place.end_line + start.line - 1,
        place.end_column + (columns if place.end_line == 1 else 0),
    )


@v_args(meta=True)
class ByLark(Transformer):
    """Lark's tree made into a document by the same actions."""

    def __init__(self, construct: Construct) -> None:
        super().__init__()
        self.construct = construct

    def __default__(self, data: str, children: list[Any], meta: Any) -> Any:
        return getattr(self.construct, data)(span_of(self.construct, meta), children)

    def __default_token__(self, token: LarkToken) -> Token:
        result = Token(str(token))
        result.span = span_of(self.construct, token)
        return result


def by_lark(source: Source, shift: tuple[int, int], start: str) -> object:
    construct = Construct(source, shift)
    try:
        tree = lark().parse(source.text, start=start)
    except UnexpectedToken as error:
        token = error.token
        accepted = sorted(error.accepts or error.expected)
        if token.type == "$END":
            return "unexpected end", accepted
        place = span_of(construct, token)
        return "unexpected", token.type, str(token), place, accepted
    except UnexpectedCharacters as error:
        return "bad character", source.text[error.pos_in_stream or 0], error.line, error.column
    except BoundError as error:
        return "too deep", str(error), error.index
    made = ByLark(construct).transform(tree) if hasattr(tree, "data") else tree
    return written_out(made), construct.mistakes


def by_us(source: Source, shift: tuple[int, int], start: str) -> object:
    try:
        made, construct = driver().read(source, source.text, shift, start)
    except Unexpected as error:
        if error.kind == "$END":
            return "unexpected end", sorted(error.accepted)
        return "unexpected", error.kind, error.text, error.span, sorted(error.accepted)
    except BadCharacter as error:
        line, column = error.span.line - shift[0], error.span.column
        return "bad character", error.character, line, column - (shift[1] if line == 1 else 0)
    except TooDeep as error:
        tokens = lexed(source.text)
        index = next(
            i for i, token in enumerate(tokens) if span_of(Construct(source, shift), token) == error.span
        )
        return "too deep", str(error), index
    return written_out(made), construct.mistakes


def lexed(text: str) -> list[LarkToken]:
    """The tokens in front of the layout, as far as there are any."""
    from lark.lexer import LexerThread

    result: list[LarkToken] = []
    basic = lark().parser.lexer.lexer
    with suppress(UnexpectedCharacters):
        result.extend(LexerThread.from_text(basic, text).lex(None))
    return result


def written_out(value: object) -> object:
    """A document with every field of every record, places included: those take no part in `==`."""
    if isinstance(value, Record):
        fields = [(name, written_out(getattr(value, name))) for name in value._fields]
        return type(value).__name__, tuple(fields)
    if type(value) in (list, tuple):
        return [written_out(item) for item in value]
    if isinstance(value, Span):
        return tuple(value)[1:]
    return type(value), value


def check(text: str, start: str = "document", shift: tuple[int, int] = (0, 0)) -> None:
    source = Source("text", text)
    assert by_us(source, shift, start) == by_lark(source, shift, start)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_files(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    check(text)
    check(text, shift=(7, 3))
    check(text.replace("\n", "\r\n"))


def texts_in_tests() -> list[str]:
    """Every string of the tests that could be a text, with the bodies of blocks put into one."""
    import ast

    found: dict[str, None] = {}
    for file in sorted([*(ROOT / "tests").glob("*.py"), *(ROOT / "tests").glob("*/*.py")]):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 4000:
                found[node.value] = None
    return list(found)


def test_all_texts_of_the_tests() -> None:
    for text in texts_in_tests():
        check(text)
        check(text, "expr", (2, 5))
        check(f"archdsl 1\nblock b(x: [C]) -> [C] {{\n{text}\n}}\n")
        check(f"archdsl 1\nnetwork N(x: [C]) {{ {text} }}")
        check(text, "shape")
        check(text, "type", (0, 4))


@pytest.mark.parametrize(
    "text", ["", "\n", " ", "archdsl 1", "archdsl 1\n\n", "# only words", "\r\r\n", "a\\", "\ufeff1"]
)
@pytest.mark.parametrize("start", tables.STARTS)
def test_texts_with_little_in_them(text: str, start: str) -> None:
    check(text, start)
    check(text, start, (3, 2))


PIECES = re.findall(
    r"\s+|\w+|[^\w\s]+", "\n".join(file.read_text(encoding="utf-8") for file in FILES if "specs" in str(file))
)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_files_with_pieces_changed(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([file.read_text(encoding="utf-8") for file in FILES]))
    lines = text.split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        line = data.draw(st.integers(0, len(lines) - 1))
        start = data.draw(st.integers(0, len(lines[line])))
        stop = data.draw(st.integers(start, min(len(lines[line]), start + 6)))
        piece = data.draw(st.sampled_from(PIECES) | st.text("()[]{}:;,=|>+-*@\"' \n\r#?.$éx1", max_size=3))
        lines[line] = lines[line][:start] + piece + lines[line][stop:]
    check("\n".join(lines))


WORDS = [
    "a", "b(", ")", "[", "]", "{", "}", ",", ":", ";", "=", "==", "+", "-", "**", "*", "/", "@", "|>", "if",
    "else", "for", "in", "each", "not", "and", "is", "none", "true", "1", "2.5", '"s"', "\n", "head", "stage",
    "block", "network", "return", "init", "output", "features", "archdsl", "import", "->", "?", ".", "# c", "$",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=14), st.sampled_from(tables.STARTS))
@settings(max_examples=400, deadline=None)
def test_words_in_any_order(words: list[str], start: str) -> None:
    text = " ".join(words)
    check(text, start, (1, 9))
    check(f"archdsl 1\nblock b(x: [C]) -> [C] {{\n{text}\n}}\n")


def test_nesting_and_chains_beyond_the_bounds() -> None:
    for text in ("(" * 100, "[" * 100, "1 + " * 200, "f(" * 30 + "- " * 110, "(1 + 1) + " * 70, "[1 + " * 66):
        check(text, "expr", (4, 4))
        check(f"archdsl 1\nblock b(x: [C]) -> [C] {{\ny = {text}\n}}\n")


def test_only_line_ends_hold_line_ends() -> None:
    # The scanner counts lines at this token alone.
    assert not [name for name, pattern in tables_tokens() if name != "_NL" and re.search(pattern, "\n")]


def tables_tokens() -> list[tuple[str, str]]:
    import json

    return json.loads(tables.tables_text(lark()))["tokens"]


def test_two_labels_between_dots_are_no_number() -> None:
    from archdsl.read_arch import read

    text = "archdsl 1\nvariant V : N { s1.0.1.kernel = 3; s1.12.5 = relu }\n"
    (variant,) = read(Source("paths.arch", text)).variants
    paths = [setting.path.steps for setting in variant.settings]
    assert paths == [("s1", "0", "1", "kernel"), ("s1", "12", "5")]
