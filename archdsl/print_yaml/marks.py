"""The comments of a YAML document, and where its keys stand.

PyYAML drops comments. What stands outside of all scalars is searched for them; and blocks of text that hold the
language are searched as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archdsl.print_arch.marks import Comment, Marks, Position, scan
from archdsl.read_yaml.fields import block_of_text
from archdsl.read_yaml.tree import Mapping, Node, Scalar, Sequence, compose
from archdsl.source import Source, Span

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#.*")


def marks_of(source: Source) -> Marks:
    """The comments, braces and keys of a YAML text that has no mistakes."""
    root = compose(source)
    keys: dict[tuple[str, ...], tuple[Span, Span]] = {}
    scalars: list[Scalar] = []
    prose: list[Scalar] = []
    _walk(root, (), keys, scalars, prose)
    comments: list[Comment] = []
    braces: dict[Position, Position] = {}
    covered: dict[int, list[tuple[int, int]]] = {}
    for scalar in (*scalars, *prose):
        for line, columns in _columns(scalar):
            covered.setdefault(line, []).append(columns)
    for scalar in scalars:
        span = scalar.span
        if scalar.style == "|":
            # The next key begins where the block ends.
            within = (span.line, span.column), (span.end_line, span.end_column - 1)
            found = scan(block_of_text(scalar), span.line + 1, within)
            comments += found.comments
            braces.update(found.braces)
    for number, written in enumerate(source.text.split("\n"), 1):
        text = _blanked(written, covered.get(number, []))
        match = _COMMENT.search(text)
        if match is not None:
            alone = not written[: match.start()].strip()
            comments.append(Comment(match.group().rstrip(), (number, match.start() + 1), alone, indented=True))
    comments.sort(key=lambda comment: comment.position)
    return Marks(tuple(comments), braces, keys)


def _walk(
    node: Node,
    path: tuple[str, ...],
    keys: dict[tuple[str, ...], tuple[Span, Span]],
    scalars: list[Scalar],
    prose: list[Scalar],
) -> None:
    match node:
        case Scalar():
            (scalars if path[-1:] != ("doc",) else prose).append(node)
        case Sequence(items):
            for item in items:
                _walk(item, (*path, "-"), keys, scalars, prose)
        case Mapping(entries):
            for key, value in entries:
                inner = (*path, key.text)
                keys[inner] = (key.span, value.span)
                scalars.append(key)
                _walk(value, inner, keys, scalars, prose)


def _columns(scalar: Scalar) -> Iterator[tuple[int, tuple[int, int]]]:
    """The lines of a scalar with the columns that it takes of each, from 0; the end is one past the last."""
    span = scalar.span
    end = 1 << 30
    block = scalar.style in ("|", ">")
    for line in range(span.line, span.end_line + 1):
        first = span.column - 1 if line == span.line else 0
        last = span.end_column - 1 if line == span.end_line else end
        if block and line == span.line:
            # Behind `|` and its signs a comment may stand.
            last = first + 1
        yield line, (first, last)


def _blanked(line: str, taken: list[tuple[int, int]]) -> str:
    """The line with a letter in place of everything that belongs to a scalar."""
    for first, last in taken:
        last = min(last, len(line))
        line = line[:first] + "x" * (last - first) + line[last:]
    return line
