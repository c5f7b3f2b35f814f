"""Which parameters a part of a network reads: a decision is forgotten when nothing reads it any more.

A read is the name of a parameter or let and the indices behind it, `("expansion", 2)`; a decision in it is
called after the same: `expansion[2][0]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from archdsl import syntax as s
from archdsl.record import Record

Read: TypeAlias = tuple[str | int, ...]


def definitions_of(network: s.Network) -> dict[str, list[object]]:
    """All that gives a name a value: parameters, lets and loops. A name may be given anew."""
    result: dict[str, list[object]] = {param.name: [param] for param in network.params}
    for let in s.parts_of(network.body, s.Let):
        # Choices in `a, b = [...]` are called after a.
        first = s.Name(let.targets[0].name, let.span)
        for target in let.targets:
            result.setdefault(target.name, []).append((let.value, first))
    for loop in s.parts_of(network.body, s.For):
        result.setdefault(loop.name, []).append(loop.values)
    return result


def reads_of(part: object, definitions: Mapping[str, Sequence[object]]) -> set[Read]:
    """Every read in a part of a document, and those of the parameters and lets that it reads."""
    result: set[Read] = set()
    waiting = list(_direct(part))
    opened: set[str | int] = set()
    while waiting:
        read = waiting.pop()
        if read in result or read[0] not in definitions:
            continue
        result.add(read)
        if read[0] not in opened:
            opened.add(read[0])
            for definition in definitions[str(read[0])]:
                waiting += _direct(definition)
    return result


def _direct(part: object) -> Iterable[Read]:
    if isinstance(part, s.Index):
        chain = _indexed(part)
        if chain is not None:
            yield chain
            return
    if isinstance(part, s.Name):
        yield (part.id,)
    elif isinstance(part, Record):
        if isinstance(part, s.Call):
            yield (part.name,)
        for field in part._fields:
            if not field.endswith("span"):
                yield from _direct(getattr(part, field))
    elif isinstance(part, tuple):
        for item in part:
            yield from _direct(item)


def _indexed(part: s.Index) -> Read | None:
    """`name[1][2]` with plain numbers, or None."""
    indices: list[str | int] = []
    value: s.Expr = part
    while isinstance(value, s.Index):
        if not isinstance(value.index, s.Num) or not isinstance(value.index.value, int):
            return None
        indices.insert(0, value.index.value)
        value = value.value
    return (value.id, *indices) if isinstance(value, s.Name) else None


@lru_cache(maxsize=20_000)
def origin(decision: str) -> Read:
    """What a read of a decision is: `width[2]` is ("width", 2); `act.leaky_relu.0` stands in ("act",)."""
    found = re.match(r"([^.\[]*)((?:\[[0-9]+\])*)", decision)
    assert found is not None
    return (found.group(1), *[int(index) for index in re.findall("[0-9]+", found.group(2))])


def is_read(decision: str, reads: Iterable[Read]) -> bool:
    """Whether one of the reads may ask for a decision."""
    own = origin(decision)
    return any(read[: len(own)] == own[: len(read)] for read in reads)
