"""Where a line ends a statement: the rule that lets people break lines without ceremony.

A line end parts two statements when the innermost open bracket is a brace (or none is open), unless
the line before ends in something that must go on (an operator, an opening bracket) or the next begins
with something that goes on (`|>`, an operator, `else`, a closing brace). A `;` in braces is a line end.
"""

from __future__ import annotations

from collections.abc import Iterator
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


class BoundError(Exception):
    """A text that is nested too deep or chained too long, at a token."""

    def __init__(self, message: str, token: Token) -> None:
        super().__init__(message)
        self.token = token


class Layout:
    """A filter of tokens between Lark's lexer and its parser. Lark asks for exactly this interface."""

    always_accept = ("_NL", "SEMICOLON")

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens with only those line ends left that part statements.

        Raises `BoundError` where brackets or operators go beyond `DEEPEST` or `LONGEST_CHAIN`.
        """
        opened: list[str] = []
        chains = [0]
        end: Token | None = None
        before = "LBRACE"
        for token in _with_soft_words(stream):
            kind = token.type
            if kind == "_NL" or kind == "SEMICOLON":
                if opened and opened[-1] != "LBRACE":
                    if kind == "SEMICOLON":
                        yield token
                        before = "COMMA"
                elif before not in _GOES_ON_AFTER:
                    token.type = "_NL"
                    end = end or token
                continue
            if end is not None:
                if kind not in _GOES_ON_WITH:
                    chains[-1] = 0
                    yield end
                end = None
            if kind in _CHAINS:
                chains[-1] += 1
                if sum(chains) > LONGEST_CHAIN:
                    raise BoundError(f"more than {LONGEST_CHAIN} operators in an expression", token)
            elif kind == "COMMA":
                chains[-1] = 0
            if kind in _OPENING:
                opened.append(kind)
                chains.append(0)
                if len(opened) > DEEPEST:
                    raise BoundError(f"brackets are nested more than {DEEPEST} deep", token)
            elif kind in _CLOSING and opened:
                opened.pop()
                chains.pop()
            before = kind
            yield token
        if end is not None:
            yield end


def _with_soft_words(stream: Iterator[Token]) -> Iterator[Token]:
    """The tokens with `head`, `stage`, ... read as names where they begin no statement."""
    held: Token | None = None
    starts = True
    in_keys, depth = False, 0
    for token in stream:
        if held is not None:
            follows = "NAME" if token.type in SOFT_WORDS else token.type
            # In a key map `head { ... }` is about a block of that name.
            if not starts or follows != SOFT_WORDS[held.type] or (in_keys and held.type == "HEAD"):
                held.type = "NAME"
            if held.type == "KEYS":
                in_keys, depth = True, 0
            starts = False
            yield held
            held = None
        if token.type in SOFT_WORDS:
            held = token
            continue
        depth += (token.type == "LBRACE") - (token.type == "RBRACE")
        in_keys = in_keys and (depth > 0 or token.type != "RBRACE")
        starts = token.type in ("_NL", "SEMICOLON", "LBRACE")
        yield token
    if held is not None:
        held.type = "NAME"
        yield held
