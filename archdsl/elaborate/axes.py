"""`x: [..., dim]`: a block for tensors of any number of axes is, at each call, one with those axes named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archdsl import syntax as s
from archdsl.record import Record


def first_axes(block: s.Block, ranks: Mapping[str, int]) -> int | None:
    """How many axes `...` stands for, by the first tensor whose shape begins with it.

    `ranks` has the number of axes of every tensor that is given, by the block's name for it. None where no
    shape begins so, and where the tensor has fewer axes than are written.
    """
    for tensor in block.tensors:
        if is_open(tensor.shape) and tensor.name in ranks:
            count = ranks[tensor.name] - (len(tensor.shape.extents) - 1)
            return count if count >= 0 else None
    return None


def is_open(shape: s.Shape) -> bool:
    """Whether a shape begins with `...`."""
    return bool(shape.extents) and isinstance(shape.extents[0], s.Rest)


def with_axes(block: s.Block, count: int) -> tuple[s.Block, tuple[str, ...]]:
    """The block with a name for each of the axes that `...` stands for, and these: `axis0`, `axis1`, ..."""
    # A name of the block's own must not come to mean an axis.
    prefix, taken = "axis", {part.id for part in s.parts_of(block, s.Name)} | _bound(block)
    while any(name.startswith(prefix) for name in taken):
        prefix += "_"
    names = tuple([f"{prefix}{index}" for index in range(count)])

    def shape(written: s.Shape) -> s.Shape:
        if not is_open(written):
            return written
        first = written.extents[0]
        axes = tuple(s.Name(name, first.span) for name in names)
        return s.Shape((*axes, *written.extents[1:]), written.span)

    def statement(written: s.Statement) -> s.Statement:
        match written:
            case s.Let(_, s.Shape() as typed, _):
                return written.replace(shape=shape(typed))  # type: ignore[no-any-return]
            case s.If(_, then, otherwise):
                parts = {"then": tuple(map(statement, then)), "otherwise": tuple(map(statement, otherwise))}
                return written.replace(**parts)  # type: ignore[no-any-return]
            case s.For():
                return written.replace(body=tuple(map(statement, written.body)))  # type: ignore[no-any-return]
        return written

    expanded = block.replace(
        tensors=tuple(tensor.replace(shape=shape(tensor.shape)) for tensor in block.tensors),
        results=tuple(result.replace(shape=shape(result.shape)) for result in block.results),
        body=_in_patterns(tuple(map(statement, block.body)), names),
    )
    return expanded, names


def _bound(block: s.Block) -> set[str]:
    """The names that a block binds."""
    names = {param.name for param in block.params} | {tensor.name for tensor in block.tensors}
    names |= {target.name for target in s.parts_of(block.body, s.Target)}
    names |= {loop.name for loop in s.parts_of(block.body, s.For)}
    names |= {label.label for label in s.parts_of(block.body, s.Labelled)}
    patterns = [text for call in _rearrangements(block.body) for text in s.parts_of(call.args, s.Str)]
    return names.union(*(re.findall(r"\w+", pattern.value) for pattern in patterns))


def _rearrangements(part: object) -> list[s.Call]:
    return [call for call in s.parts_of(part, s.Call) if call.name == "rearrange"]


def _in_patterns(part: Any, names: Sequence[str], inside: bool = False) -> Any:
    """A part of a block with the axes in the place of `...` in the patterns of rearrange."""
    if type(part) is tuple:
        return tuple([_in_patterns(item, names, inside) for item in part])
    if not isinstance(part, Record):
        return part
    if isinstance(part, s.Str):
        if not inside or "..." not in part.value:
            return part
        return part.replace(value=" ".join(part.value.replace("...", " ".join(names)).split()))
    inside = inside or (isinstance(part, s.Call) and part.name == "rearrange")
    if not inside and not _rearrangements(part):
        return part
    return part.replace(**{name: _in_patterns(getattr(part, name), names, inside) for name in part._compared})
