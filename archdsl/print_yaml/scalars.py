"""How a text, a key or an expression is written in YAML, so that the reader takes it back as it was."""

from __future__ import annotations

import re

from archdsl import syntax as s
from archdsl.print_arch.layout import flat, item_level
from archdsl.read_yaml.fields import TRUTHS
from archdsl.read_yaml.tree import REFUSED

_IN_BRACKETS = re.compile(r"(?:[A-Za-z0-9_(.]|-(?! ))[A-Za-z0-9_ ().+\-*/%<>=|@]*")
_ESCAPED = re.compile(f"[\n\r\t]|{REFUSED.pattern}")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
LONGEST_KEY = 500
"""YAML bounds the length of keys; what is longer is written in a block of text."""


def plain(text: str) -> bool:
    """Whether a text may stand in YAML without quotes, and means there what it says."""
    if not text or text != text.strip() or text.lower() in TRUTHS or _ESCAPED.search(text):
        return False
    first = text[0]
    if not (first.isalnum() or first in "_(." or (first == "-" and text[1:2] not in ("", " ", "-"))):
        return False
    return not (": " in text or " #" in text or text.endswith(":") or text.startswith("..."))


def expression(expr: s.Expr) -> str:
    """An expression as the value of a key, or as an item of a list in block style."""
    if isinstance(expr, s.ListExpr):
        written = _list(expr)
        if written is not None:
            return written
    return scalar(flat(expr))


def is_block(expr: s.Expr) -> bool:
    """Whether a list is written with one element a line: one of lists, or of what brackets want quoted."""
    if not isinstance(expr, s.ListExpr) or len(expr.items) < 2:
        return False
    return _list(expr) is None or any(isinstance(item, s.ListExpr) for item in expr.items)


def element(item: s.Expr) -> str:
    """An element of a list in block style."""
    return expression(item) if isinstance(item, s.ListExpr) else scalar(flat(item, item_level(item)))


def _list(expr: s.ListExpr) -> str | None:
    """A list as YAML has it, where each of its elements is plain text; else None."""
    texts: list[str] = []
    for item in expr.items:
        text = _list(item) if isinstance(item, s.ListExpr) else flat(item, item_level(item))
        if text is None or not (isinstance(item, s.ListExpr) or in_brackets(text)):
            return None
        texts.append(text)
    return f"[{', '.join(texts)}]"


def in_brackets(text: str) -> bool:
    """Whether a text may stand without quotes in a list that is written in brackets."""
    return plain(text) and _IN_BRACKETS.fullmatch(text) is not None


def can_stand_in_braces(written: str) -> bool:
    """Whether what `expression` gave may stand in a mapping that is written in braces."""
    return len(written) < 80 and (written.startswith("[") or in_brackets(written))


def scalar(text: str) -> str:
    """A text of one line without control characters: plain where it can be, else in single quotes."""
    return text if plain(text) else quoted(text)


def quoted(text: str) -> str:
    """A text in quotes: single ones, or double ones where it holds what must be escaped."""
    if not _ESCAPED.search(text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + re.sub(f'["\\\\]|{_ESCAPED.pattern}', _escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    return _ESCAPES.get(char) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def prose(text: str, indent: int) -> str:
    """A docstring: on one line, or in a block where it has several."""
    lines = text.split("\n")
    simple = all(line == line.rstrip() and not _ESCAPED.search(line) for line in lines)
    if len(lines) == 1 or not simple or not lines[-1] or lines[0] != lines[0].strip() or not lines[0]:
        return scalar(text)
    pad = " " * indent
    return "|\n" + "\n".join(pad + line if line else "" for line in lines)
