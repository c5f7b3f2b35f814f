"""Where a line ends a statement: the rule that lets people break lines without ceremony.

A line end parts two statements when the innermost open bracket is a brace (or none is open), unless
the line before ends in something that must go on (an operator, an opening bracket) or the next begins
with something that goes on (`|>`, an operator, `else`, a closing brace). A `;` in braces is a line end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Token

DEEPEST = 64
"""Brackets may be nested so deep; counted here, before anything recurses."""

LONGEST_CHAIN = 128
"""So many operators may stand in one expression, those around its brackets counted in."""

_OPERATORS = frozenset(
    [
        "PIPE",
        "PLUS",
        "MINUS",
        "STAR",
        "SLASH",
        "DOUBLE_SLASH",
        "PERCENT",
        "AT",
        "POWER",
        "COMPARE",
        "OR",
        "AND",
        "EQUAL",
        "PLUS_EQUAL",
        "ARROW",
        "COMMA",
    ]
)
_CHAINS = (_OPERATORS - {"PIPE", "EQUAL", "PLUS_EQUAL", "COMMA"}) | {"NOT", "ELSE", "EACH", "LSQB"}
_GOES_ON_AFTER = _OPERATORS | frozenset(["LBRACE", "SUBJECT_TO", "LPAR", "LSQB", "COLON", "NOT", "ELSE", "IN"])
_GOES_ON_WITH = _OPERATORS | frozenset(["RBRACE", "ELSE", "LBRACE", "RPAR", "RSQB"])
SOFT_WORDS = {
    "ARCHDSL": "NUMBER", "IMPORT": "STRING", "BLOCK": "NAME", "NETWORK": "NAME", "STAGE": "NAME",
    "HEAD": "LBRACE", "INIT": "NAME", "OUTPUT": "NAME", "FEATURES": "NAME", "BUILD": "NAME",
    "VARIANT": "NAME", "SPACE": "NAME", "KEYS": "NAME", "UNSET": "NAME", "DROP": "STRING",
}  # fmt: skip
"""Words that begin a statement only when this follows them; elsewhere they are names like any other."""

_OPENING = frozenset(["LPAR", "LSQB", "LBRACE"])
_CLOSING = frozenset(["RPAR", "RSQB", "RBRACE"])
_STARTS = frozenset(["_NL", "SEMICOLON", "LBRACE"])


class BoundError(Exception):
    """A text that is nested too deep or chained too long, at a token, which is named by its number."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


def lay_out(kinds: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The tokens that the parser gets, of all tokens by their kinds: the number of each, and its kind there.

    Only those line ends are left that part statements. Raises `BoundError` where brackets or operators go
    beyond `DEEPEST` or `LONGEST_CHAIN`.
    """
    opened: list[str] = []
    # The operators of the innermost bracket, and those of all brackets around it.
    chain, outer = 0, [0]
    end = -1
    before = "LBRACE"
    for index, kind in _with_soft_words(kinds):
        if kind == "_NL" or kind == "SEMICOLON":
            if opened and opened[-1] != "LBRACE":
                if kind == "SEMICOLON":
                    yield index, kind
                    before = "COMMA"
            elif before not in _GOES_ON_AFTER and end < 0:
                end = index
            continue
        if end >= 0:
            if kind not in _GOES_ON_WITH:
                chain = 0
                yield end, "_NL"
            end = -1
        if kind in _CHAINS:
            chain += 1
            if chain + outer[-1] > LONGEST_CHAIN:
                raise BoundError(f"more than {LONGEST_CHAIN} operators in an expression", index)
        elif kind == "COMMA":
            chain = 0
        if kind in _OPENING:
            opened.append(kind)
            outer.append(outer[-1] + chain)
            chain = 0
            if len(opened) > DEEPEST:
                raise BoundError(f"brackets are nested more than {DEEPEST} deep", index)
        elif kind in _CLOSING and opened:
            opened.pop()
            around = outer.pop()
            chain = around - outer[-1]
        before = kind
        yield index, kind
    if end >= 0:
        yield end, "_NL"


def _with_soft_words(kinds: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The kinds, numbered, with `head`, `stage`, ... read as names where they begin no statement."""
    held: str | None = None
    starts = True
    index, depth = -1, -1
    for index, kind in enumerate(kinds):
        if held is not None:
            follows = "NAME" if kind in SOFT_WORDS else kind
            # In a key map `head { ... }` is about a block of that name.
            begins = starts and follows == SOFT_WORDS[held] and not (depth > 0 and held == "HEAD")
            yield index - 1, held if begins else "NAME"
            if begins and held == "KEYS":
                depth = 0
            starts, held = False, None
        if kind in SOFT_WORDS:
            held = kind
            continue
        if depth >= 0 and kind in ("LBRACE", "RBRACE"):
            depth += 1 if kind == "LBRACE" else -1
            depth = depth or -1
        starts = kind in _STARTS
        yield index, kind
    if held is not None:
        yield index, "NAME"


class Layout:
    """The same as a filter of tokens between Lark's lexer and its parser: Lark asks for exactly this."""

    always_accept = ("_NL", "SEMICOLON")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens that the parser gets; raises `BoundError`."""
        tokens: list[Token] = []

        def kinds() -> Iterator[str]:
            for token in stream:
                tokens.append(token)
                yield token.type

        for index, kind in lay_out(kinds()):
            token = tokens[index]
            token.type = kind
            yield token
