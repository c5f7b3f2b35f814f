"""Reading a text by the parse tables: tokens are shifted, rules reduced, and each calls its action at once.

The same as Lark does with these tables, trees and metas left out, which takes a tenth of the time;
tests/test_reading.py compares the two, on texts that are right and on wrong ones. No rule of the grammar is
known here: what a rule keeps and what it is called come from the tables, what it makes from `Construct`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from archdsl.read_arch.construct import Construct, Token
from archdsl.read_arch.layout import BoundError, lay_out
from archdsl.read_arch.tables import Rule, Tables, shipped
from archdsl.source import Source, Span

END: Final = "$END"
"""The kind of the token behind the last one."""


class Unexpected(Exception):
    """A token that can't stand where it does; `accepted` are the kinds that could."""

    def __init__(self, kind: str, text: str, span: Span, accepted: set[str]) -> None:
        super().__init__(text)
        self.kind, self.text, self.span, self.accepted = kind, text, span, accepted


class BadCharacter(Exception):
    """A character that begins no token."""

    def __init__(self, character: str, span: Span) -> None:
        super().__init__(character)
        self.character, self.span = character, span


class TooDeep(Exception):
    """Brackets or operators beyond the bounds of the layout."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


class _Reduction(NamedTuple):
    """A rule, prepared for the loop. `picked` are its parts where nothing is missing and nothing spliced."""

    size: int
    origin: str
    action: Callable[[Construct, Span, list[Any]], Any] | None
    expands: bool
    picked: tuple[int, ...] | None
    rule: Rule


class _Scan:
    """The tokens of a text, scanned as far as they are asked for: the kinds are given, the rest is kept."""

    def __init__(self, source: Source, text: str, shift: tuple[int, int]) -> None:
        self.source, self.text, self.shift = source, text, shift
        self.texts: list[str] = []
        self.spans: list[Span] = []

    def kinds(self, by: Tables) -> Iterator[str]:
        """The kind of every token; raises `BadCharacter`."""
        ignored, words = by.ignored, by.words
        text, source, keep_text, keep_span = self.text, self.source, self.texts.append, self.spans.append
        new = tuple.__new__
        # Columns of the first line begin where the text stands in its file.
        line, line_start, position = self.shift[0] + 1, -1 - self.shift[1], 0
        for match in iter(by.scanner.scanner(text).match, None):  # type: ignore[attr-defined]
            kind = match.lastgroup
            position = match.end()
            if kind in ignored:
                continue
            start, stop = match.span(kind)
            word = text[start:stop]
            column, end_column = start - line_start, stop - line_start
            keep_text(word)
            if kind == "_NL":
                first = line
                if word[-1] == "\n":
                    line, line_start = line + 1, stop - 1
                keep_span(new(Span, (source, first, column, line, stop - line_start)))
            else:
                if kind == "NAME" and word in words:
                    kind = words[word]
                keep_span(new(Span, (source, line, column, line, end_column)))
            yield kind
        if position < len(text):
            column = position - line_start
            raise BadCharacter(text[position], Span(source, line, column, line, column))

    def end(self) -> Span:
        """The place behind the last character that is no blank."""
        lines = self.text.rstrip().split("\n")
        line, column = len(lines), len(lines[-1]) + 1
        column += self.shift[1] if line == 1 else 0
        return Span(self.source, line + self.shift[0], column, line + self.shift[0], column)


class Driver:
    """The tables, prepared; `read` may be called for any number of texts."""

    def __init__(self, by: Tables) -> None:
        self.tables = by
        self.reductions = [_prepared(rule) for rule in by.rules]
        self.ends = frozenset(by.ends.values())
        # Most reductions replace one symbol by one, a dozen in a row for each name in an expression. Where they
        # lead depends on the state below, the state, and the kind of the next token.
        self.chains: dict[tuple[int, int, str], int] = {}

    def read(
        self, source: Source, text: str, shift: tuple[int, int], start: str, doubled: bool = False
    ) -> tuple[Any, Construct]:
        """What the actions make of a text, and the construct with the mistakes that they noted.

        `doubled`: every `'` in it is written twice. Raises `Unexpected`, `BadCharacter` and `TooDeep`.
        """
        construct = Construct(source, shift, doubled)
        scan = _Scan(source, text, shift)
        try:
            return self._run(scan, construct, start), construct
        except BoundError as error:
            raise TooDeep(str(error), scan.spans[error.index]) from None

    def _run(self, scan: _Scan, construct: Construct, start: str) -> Any:
        states, reductions, chains, kept = self.tables.states, self.reductions, self.chains, self.tables.kept
        texts, spans, nothing, new = scan.texts, scan.spans, construct.nothing, tuple.__new__
        stack = [self.tables.starts[start]]
        values: list[Any] = []
        places: list[Span] = []
        end = self.tables.ends[start]
        row = states[stack[0]]
        for index, kind in _with_end(lay_out(scan.kinds(self.tables))):
            while True:
                number = row.get(kind)
                if number is None:
                    raise self._unexpected(kind, index, scan, stack)
                if number >= 0:
                    if kind in kept:
                        token = Token(texts[index])
                        token.span = spans[index]
                        values.append(token)
                    else:
                        values.append(None)
                    places.append(spans[index])
                    stack.append(number)
                    row = states[number]
                    break
                size, origin, action, expands, picked, rule = reductions[~number]
                if size == 1:
                    if expands:
                        key = (stack[-2], stack[-1], kind)
                        number = chains.get(key)
                        if number is None:
                            number = chains[key] = self._chained(*key)
                        if number == end and kind == END:
                            return values[0]
                        stack[-1] = number
                        row = states[number]
                        continue
                    place = places.pop()
                    tail = [values.pop()]
                    stack.pop()
                elif size:
                    first, last = places[-size], places[-1]
                    if first is nothing or last is nothing:
                        first, last = _ends(places[-size:], nothing)
                    place = new(Span, (first[0], first[1], first[2], last[3], last[4]))
                    tail = values[-size:]
                    del places[-size:], values[-size:], stack[-size:]
                else:
                    place, tail = nothing, []
                parts = _parts(rule, tail) if picked is None else [tail[part] for part in picked]
                if expands and len(parts) == 1:
                    value = parts[0]
                    if type(value) is Token:
                        place = value.span
                elif action is None:
                    value = parts
                else:
                    value = action(construct, place, parts)
                number = states[stack[-1]][origin]
                if number == end and kind == END:
                    return value
                values.append(value)
                places.append(place)
                stack.append(number)
                row = states[number]
        raise AssertionError("the end is a token too")

    def _chained(self, below: int, state: int, kind: str) -> int:
        """The state after all reductions of one symbol to one that the next token asks for."""
        states = self.tables.states
        while not (kind == END and state in self.ends):
            number = states[state].get(kind, 0)
            if number >= 0:
                break
            rule = self.reductions[~number]
            if rule.size != 1 or not rule.expands:
                break
            state = states[below][rule.origin]
        return state

    def _unexpected(self, kind: str, index: int, scan: _Scan, stack: list[int]) -> Unexpected:
        row = self.tables.states[stack[-1]]
        accepted = {other for other in row if other.isupper() and self._accepts(stack, other)}
        if kind == END:
            return Unexpected(kind, "", scan.end(), accepted or {name for name in row if name.isupper()})
        return Unexpected(kind, scan.texts[index], scan.spans[index], accepted or set(row))

    def _accepts(self, stack: list[int], kind: str) -> bool:
        """Whether a token of this kind would be shifted, or end the text, after its reductions."""
        stack, states = list(stack), self.tables.states
        while not (kind == END and stack[-1] in self.ends):
            number = states[stack[-1]].get(kind)
            if number is None or number >= 0:
                return number is not None
            rule = self.reductions[~number]
            del stack[len(stack) - rule.size :]
            stack.append(states[stack[-1]][rule.origin])
        return True


def _prepared(rule: Rule) -> _Reduction:
    action = None if rule.action is None else getattr(Construct, rule.action, None)
    assert rule.expands or rule.action is None or action is not None, f"Construct has no action {rule.action!r}"
    picked = tuple([index for index, _, _ in rule.kept]) if rule.is_plain else None
    # The loop takes a rule that expands and has one symbol for that symbol, without looking.
    assert not rule.expands or rule.size != 1 or picked == (0,), rule
    return _Reduction(rule.size, rule.origin, action, rule.expands, picked, rule)


def _parts(rule: Rule, tail: list[Any]) -> list[Any]:
    """What the action gets of its symbols: lists spliced in, None for what is missing."""
    parts: list[Any] = []
    for index, spliced, before in rule.kept:
        parts += [None] * before
        if not spliced:
            parts.append(tail[index])
        elif parts:
            parts += tail[index]
        else:
            # The list grows in place: copied for every element, a long one would take the square of its length.
            parts = tail[index]
    parts += [None] * rule.missing
    return parts


def _ends(places: list[Span], nothing: Span) -> tuple[Span, Span]:
    """The first and the last of the places that are somewhere."""
    somewhere = [place for place in places if place is not nothing] or [nothing]
    return somewhere[0], somewhere[-1]


def _with_end(kinds: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield from kinds
    yield -1, END


@cache
def driver() -> Driver:
    """The driver by the tables of the grammar."""
    return Driver(shipped())
