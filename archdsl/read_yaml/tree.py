"""YAML as plain text with places: mappings, lists and scalars, nothing interpreted.

What the language has no use for, and what has bitten users of YAML, is refused here: anchors and
aliases (and so alias bombs), merge keys, tags, duplicate keys, several documents, deep nesting. The
depth is counted on the stream of events, before anything recurses or is built.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from archdsl.record import Record
from archdsl.source import ArchError, Diagnostic, Source, Span, fail

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 32
"""Lists and mappings may be nested so deep."""

MOST_ERRORS = 1000

REFUSED = re.compile("[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u2028-\u2029\ud800-\udfff\ufeff\ufffe-\uffff]")
"""Control characters, lone surrogates, and three that YAML 1.1 takes for line ends and nothing else does."""


class Scalar(Record):
    """A scalar as it was written, quotes removed; `style` is YAML's: '', "'", '"', '|' or '>'."""

    text: str
    style: str
    span: Span


class Sequence(Record):
    """A list; `flow` where it is written in brackets."""

    items: tuple[Node, ...]
    flow: bool
    span: Span


class Mapping(Record):
    """Keys and values in the order in which they were written."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span


Node: TypeAlias = "Scalar | Sequence | Mapping"


class _Open:
    """A list or mapping that is being read."""

    def __init__(self, is_map: bool, flow: bool, start: Any) -> None:
        self.is_map, self.flow, self.start = is_map, flow, start
        self.children: list[Node] = []


def compose(source: Source) -> Node:
    """The tree of a YAML text; raises `ArchError` with what is wrong with it."""
    import yaml

    mistakes: list[Diagnostic] = []
    _refuse_characters(source)
    try:
        root = _compose(source, _events(source.text), mistakes)
    except yaml.MarkedYAMLError as error:
        mistakes.append(_syntax_mistake(source, error))
        root = None
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())[:200]
        mistakes.append(Diagnostic("E0501", f"YAML: {message}", Span(source, 1, 1, 1, 2)))
        root = None
    if isinstance(root, Scalar) and not (root.text or root.style):
        root = None
    if root is None and not mistakes:
        help = "begin with 'archdsl: 1' and 'network: NAME'"
        mistakes.append(Diagnostic("E0504", "the document is empty", Span(source, 1, 1, 1, 1), help))
    if mistakes:
        raise ArchError(mistakes)
    assert root is not None
    return root


def _refuse_characters(source: Source) -> None:
    """Raise `ArchError` at the first character that YAML can't hold, or would end a line with."""
    found = first_refused(source)
    if found is not None:
        character, span = found
        help = "remove it; in quotes, write it as an escape"
        raise fail("E0102", f"unexpected character {character!a}", span, help)


def first_refused(source: Source) -> tuple[str, Span] | None:
    """The first character of a text that YAML can't hold, and where it stands."""
    found = REFUSED.search(source.text)
    if found is None:
        return None
    before = source.text[: found.start()]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return found.group(), Span(source, line, column, line, column + 1)


def _events(text: str) -> Iterator[Any]:
    import yaml

    return yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _span(source: Source, start: Any, end: Any) -> Span:
    if start is None:
        return Span(source, 1, 1, 1, 1)
    return Span(source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _syntax_mistake(source: Source, error: Any) -> Diagnostic:
    """The message about a text that is no YAML, where it most likely went wrong."""
    mark, context = error.problem_mark, error.context_mark
    problem = error.problem or error.context or "this is not YAML"
    is_at_end = mark is None or not source.line(mark.line + 1).strip()
    is_flow = "flow" in (error.context or "")
    if context is not None and (is_at_end or (is_flow and context.line < mark.line)):
        # What is never closed is found behind the end; where it begins says more.
        message = f"YAML: {problem} {error.context or ''}".rstrip()
        return Diagnostic("E0501", message, _span(source, context, context), "close what is opened here")
    if "could not find expected ':'" in problem:
        before = context if context is not None else mark
        help = "a key and its value are parted by ': ', as in label: block"
        return Diagnostic("E0501", f"YAML: {problem}", _span(source, before, before), help)
    where = _span(source, mark, mark)
    line = source.line(where.line)
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return Diagnostic("E0501", f"YAML: {problem}", where, "YAML is indented with spaces, not tabs")
    if "] *" in line or "cannot start any token" in problem:
        help = "quote an expression that YAML can't read as plain text"
    elif "alphabetic or numeric" in problem:
        # A `*` behind brackets is an alias to YAML.
        help = "quote an expression that repeats in brackets; or write one item a line, each after '- '"
    elif is_flow:
        help = "write one item a line, each after '- '; or quote what holds brackets or braces"
    elif "'-' indicator" in problem:
        help = "either each line of a list begins with '- ', or it is no list"
    elif "expected key" in problem or ": " not in line[: where.column - 1]:
        where, help = _indented(source, where), "indent it as the lines around it are"
    else:
        help = "quote an expression that holds ': '"
    return Diagnostic("E0501", f"YAML: {problem}", where, help)


def _indented(source: Source, where: Span) -> Span:
    """The line that is indented as none around it: the one that YAML stumbles over, or the one before."""

    def indent(number: int) -> int:
        return len(source.line(number)) - len(source.line(number).lstrip())

    written = [n for n in range(1, where.line) if source.line(n).strip() and source.line(n).lstrip()[0] != "#"]
    if not written:
        return where
    before = written.pop()
    if indent(before) < indent(where.line) and indent(where.line) in map(indent, written):
        blamed = before
    else:
        blamed = where.line
    return Span(source, blamed, indent(blamed) + 1, blamed, len(source.line(blamed)) + 1)


def _compose(source: Source, events: Iterator[Any], mistakes: list[Diagnostic]) -> Node | None:
    import yaml

    stack: list[_Open] = []
    root: Node | None = None
    documents = 0
    for event in events:
        node: Node | None = None
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                where = _span(source, event.start_mark, event.end_mark)
                message = "a file holds one document"
                mistakes.append(Diagnostic("E0506", message, where, "remove what '---' begins"))
                return root
            continue
        _refuse_extras(source, event, mistakes)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            is_map = isinstance(event, yaml.MappingStartEvent)
            stack.append(_Open(is_map, bool(event.flow_style), event.start_mark))
            if len(stack) > DEEPEST:
                where = _span(source, event.start_mark, event.end_mark)
                message = f"lists and mappings are nested more than {DEEPEST} deep"
                mistakes.append(Diagnostic("E0508", message, where))
                return root
            continue
        if isinstance(event, yaml.ScalarEvent):
            style = event.style or ""
            node = Scalar(event.value, style, _span(source, event.start_mark, event.end_mark))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            node = _closed(source, stack.pop(), event.end_mark, mistakes)
        elif isinstance(event, yaml.AliasEvent):
            node = Scalar("", "", _span(source, event.start_mark, event.end_mark))
        if node is None:
            continue
        if stack:
            stack[-1].children.append(node)
        else:
            root = node
        if len(mistakes) > MOST_ERRORS:
            return root
    return root


def _refuse_extras(source: Source, event: Any, mistakes: list[Diagnostic]) -> None:
    import yaml

    anchored = isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None
    if not anchored and getattr(event, "tag", None) is None:
        return
    where = _span(source, event.start_mark, event.end_mark)
    if anchored:
        help = "give the value a name under 'parameters' and use the name"
        message = "anchors and aliases are not part of the language"
        mistakes.append(Diagnostic("E0506", message, where, help))
    else:
        message = f"tags are not part of the language: {event.tag!a}"
        mistakes.append(Diagnostic("E0506", message, where, "remove the tag"))


def _closed(source: Source, opened: _Open, end: Any, mistakes: list[Diagnostic]) -> Node:
    span = _span(source, opened.start, end)
    if not opened.is_map:
        return Sequence(tuple(opened.children), opened.flow, span)
    entries: list[tuple[Scalar, Node]] = []
    seen: dict[str, Span] = {}
    children = opened.children
    for key, value in zip(children[::2], children[1::2], strict=True):
        if not isinstance(key, Scalar):
            message = "a key is a plain word"
            mistakes.append(Diagnostic("E0505", message, key.span))
            continue
        if key.text == "<<":
            message = "merge keys are not part of the language"
            help = "write the keys out, or give the value a name under 'parameters'"
            mistakes.append(Diagnostic("E0506", message, key.span, help))
        elif key.text in seen:
            message = f"the key {key.text!a} is written twice"
            help = f"the first stands in {seen[key.text]}"
            mistakes.append(Diagnostic("E0502", message, key.span, help))
        seen.setdefault(key.text, key.span)
        entries.append((key, value))
    return Mapping(tuple(entries), span)
