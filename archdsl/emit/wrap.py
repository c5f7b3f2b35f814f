"""Laying out text within the width of a line, as ruff's formatter would."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 100


def call_lines(before: str, args: Sequence[str], after: str, indent: int, comment: str = "") -> list[str]:
    """`before(args)after` on one line if it fits, else its arguments on one line, else one a line.

    `before` ends in its opening bracket, `after` begins with the closing one. A comment that does not
    fit behind the text stands on a line of its own above it.
    """
    pad = " " * indent
    line = f"{pad}{before}{', '.join(args)}{after}"
    if len(line) <= WIDTH or not args:
        return with_comment(line, comment)
    inner = f"{pad}    {', '.join(args)}"
    above = [f"{pad}# {comment}"] if comment else []
    if len(inner) <= WIDTH and not any("\n" in arg for arg in args):
        return [*above, pad + before, inner, pad + after]
    return [*above, pad + before, *(f"{pad}    {arg}," for arg in args), pad + after]


def conditional_lines(
    before: str, call: str, args: Sequence[str], condition: str, comment: str = ""
) -> list[str]:
    """`before call(args) if condition else nn.Identity()` of a constructor, on one line or in parentheses."""
    pad = " " * 8
    line = f"{pad}{before}{call}{', '.join(args)}) if {condition} else nn.Identity()"
    if len(line) <= WIDTH:
        return with_comment(line, comment)
    above = [f"{pad}# {comment}"] if comment else []
    return [
        *above,
        f"{pad}{before}(",
        *call_lines(call, args, ")", 12),
        f"{pad}    if {condition}",
        f"{pad}    else nn.Identity()",
        f"{pad})",
    ]


def with_comment(line: str, comment: str) -> list[str]:
    """A line and its comment, behind it where that fits."""
    if not comment:
        return [line]
    whole = f"{line}  # {comment}"
    if len(whole) <= WIDTH:
        return [whole]
    return [" " * (len(line) - len(line.lstrip())) + f"# {comment}", line]


def docstring(text: str, indent: int) -> list[str]:
    """A docstring that can't end early, wrapped to the width.

    A line end is a line end, an empty line parts paragraphs.
    """
    pad = " " * indent
    # The first line shares its width with the opening quotes.
    lines = prose(text, WIDTH - indent, 3)
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    lines[0] = f'"""{lines[0]}'
    if len(lines) == 1 and len(pad) + len(lines[0]) + 3 <= WIDTH:
        return [f'{pad}{lines[0]}"""']
    return [f"{pad}{line}".rstrip() for line in lines] + [f'{pad}"""']


def prose(text: str, width: int, taken: int = 0) -> list[str]:
    """The lines of a text in a docstring: ASCII, quotes and backslashes escaped, the first shorter by `taken`.

    A word that is longer than a line is left whole: cut in two, an escape would be none any more.
    """
    safe = text.replace("\\", "\\\\").replace('"', "'")
    safe = "".join(
        char if " " <= char <= "~" or char == "\n" else char.encode("unicode_escape").decode("ascii")
        for char in safe
    )
    lines: list[str] = []
    for paragraph in safe.split("\n"):
        room = width - (taken if not lines else 0)
        lines += textwrap.wrap(paragraph, room, break_on_hyphens=False, break_long_words=False) or [""]
    return lines


def run_length(values: Sequence[str]) -> str:
    """A list as a person writes it: `[4, 3, 3, 3]`, but `[4] * 6 + [3] * 6` and `[0, 3] * 3`."""
    for period in range(2, len(values) // 3 + 1):
        if len(values) % period == 0 and list(values) == list(values[:period]) * (len(values) // period):
            if len(set(values)) > 1:
                return f"[{', '.join(values[:period])}] * {len(values) // period}"
            break
    runs: list[tuple[str, int]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1] = (value, runs[-1][1] + 1)
        else:
            runs.append((value, 1))
    plain = f"[{', '.join(values)}]"
    parts: list[str] = []
    single: list[str] = []
    for value, count in runs:
        if count == 1:
            single.append(value)
            continue
        if single:
            parts.append(f"[{', '.join(single)}]")
            single = []
        parts.append(f"[{value}] * {count}")
    if single:
        parts.append(f"[{', '.join(single)}]")
    short = " + ".join(parts)
    return short if len(short) < len(plain) else plain
