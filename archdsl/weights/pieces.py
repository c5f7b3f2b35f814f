"""What a rule does to shapes and tensors: joining, parting, another shape; and all of it back again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from archdsl.record import Record
from archdsl.weights.rules import Rule

if TYPE_CHECKING:
    from torch import Tensor

Shape: TypeAlias = tuple[int, ...]


class Piece(Record):
    """Weights of ours and the weights of theirs that hold the same numbers; one of both, or several of one.

    `derived` weights are made by the constructor: they are compared, not loaded.
    """

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    rule: Rule | None
    derived: bool = False

    @property
    def shaping(self) -> Rule | None:
        """The rule, where it does more than name."""
        return self.rule if self.rule is not None and self.rule.shapes else None


class Misfit(Exception):
    """Shapes that a rule can't join, part or turn into another."""


def their_shapes(piece: Piece, ours: Sequence[Shape]) -> list[Shape]:
    """The shapes of their tensors for those of ours; raises `Misfit`."""
    rule = piece.shaping
    if rule is None:
        return list(ours)
    if len(piece.ours) > 1:
        made = [_joined(rule, ours)]
    elif len(piece.theirs) > 1:
        made = _parted(rule, ours[0], len(piece.theirs))
    else:
        made = [_permuted(rule, ours[0])]
    if rule.unsqueeze is not None:
        return [_unsqueezed(rule.unsqueeze, shape) for shape in made]
    return made if rule.reshape is None else [_reshaped(rule.reshape, shape) for shape in made]


def _joined(rule: Rule, shapes: Sequence[Shape]) -> Shape:
    first, axis = shapes[0], rule.axis
    if all(not shape for shape in shapes):
        return ()  # counters: one for all
    if any(len(shape) <= axis for shape in shapes):
        raise Misfit(f"{text(shapes)} have no axis {axis} to be joined along")
    others = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
    if len(others) > 1:
        raise Misfit(f"{text(shapes)} can't be joined along axis {axis}")
    _check_groups(rule, [shape[axis] for shape in shapes])
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def _parted(rule: Rule, shape: Shape, count: int) -> list[Shape]:
    axis = rule.axis
    if not shape:
        return [()] * count
    if len(shape) <= axis:
        raise Misfit(f"{list(shape)} has no axis {axis} to be parted along")
    extent = shape[axis]
    if rule.sizes is None and extent % count:
        raise Misfit(f"{extent} can't be parted into {count} equal shares")
    sizes = rule.sizes or (extent // count,) * count
    if sum(sizes) != extent:
        raise Misfit(f"sizes {list(sizes)} make {sum(sizes)}, the axis has {extent}")
    _check_groups(rule, sizes)
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def _check_groups(rule: Rule, sizes: Sequence[int]) -> None:
    for size in sizes:
        if size % rule.groups:
            raise Misfit(f"{size} can't be parted into {rule.groups} groups")


def _permuted(rule: Rule, shape: Shape) -> Shape:
    axes = rule.permute or tuple(range(len(shape)))
    if len(axes) != len(shape) or any(axis >= len(shape) for axis in rule.flip or ()):
        options = [("flip", rule.flip), ("permute", rule.permute)]
        wanted = " and ".join(f"{name} = {list(given)}" for name, given in options if given is not None)
        axes_of = "1 axis" if len(shape) == 1 else f"{len(shape)} axes"
        raise Misfit(f"{list(shape)} has {axes_of}, which {wanted} does not fit")
    return tuple(shape[axis] for axis in axes)


def _reshaped(wanted: Shape, shape: Shape) -> Shape:
    count, known = math.prod(shape), math.prod(size for size in wanted if size != -1)
    if count % known or (-1 not in wanted and count != known):
        raise Misfit(f"{list(shape)} can't be given the shape {list(wanted)}")
    return tuple(count // known if size == -1 else size for size in wanted)


def _unsqueezed(axis: int, shape: Shape) -> Shape:
    if axis > len(shape):
        raise Misfit(f"{list(shape)} can't be given a new axis {axis}")
    return (*shape[:axis], 1, *shape[axis:])


def text(shapes: Sequence[Shape]) -> str:
    """Shapes for a message: `[8, 4] and [8]`."""
    return " and ".join(str(list(shape)) for shape in shapes)


def to_theirs(piece: Piece, ours: Sequence[Tensor]) -> list[Tensor]:
    """Their tensors from ours. Counters that are joined must be equal: raises `Misfit`."""
    rule = piece.shaping
    if rule is None:
        return list(ours)
    made = [part.flip(rule.flip or ()) for part in ours]
    if rule.permute is not None:
        made = [part.permute(rule.permute) for part in made]
    if len(piece.ours) > 1:
        made = [_one_of(ours) if not ours[0].dim() else _interleaved(rule, ours)]
    elif len(piece.theirs) > 1:
        shapes = _parted(rule, tuple(ours[0].shape), len(piece.theirs))
        made = _taken_apart(rule, ours[0], shapes) if ours[0].dim() else list(ours) * len(piece.theirs)
    if rule.unsqueeze is not None:
        return [part.unsqueeze(rule.unsqueeze) for part in made]
    return made if rule.reshape is None else [part.reshape(rule.reshape) for part in made]


def to_ours(piece: Piece, theirs: Sequence[Tensor], shapes: Sequence[Shape]) -> list[Tensor]:
    """Our tensors, of these shapes, from theirs; raises `Misfit` as `to_theirs` does."""
    rule = piece.shaping
    if rule is None:
        return list(theirs)
    if len(piece.ours) > 1:
        whole = theirs[0].reshape(_joined(rule, shapes))
        return _taken_apart(rule, whole, shapes) if whole.dim() else [whole] * len(shapes)
    if len(piece.theirs) > 1:
        parts = [
            part.reshape(shape)
            for part, shape in zip(theirs, _parted(rule, shapes[0], len(theirs)), strict=True)
        ]
        return [_interleaved(rule, parts) if parts[0].dim() else _one_of(parts)]
    made = theirs[0].reshape(_permuted(rule, shapes[0]))
    if rule.permute is not None:
        made = made.permute([rule.permute.index(axis) for axis in range(made.dim())])
    return [made.flip(rule.flip or ())]


def _one_of(counters: Sequence[Tensor]) -> Tensor:
    values = {counter.item() for counter in counters}
    if len(values) > 1:
        raise Misfit(f"counters that become one differ: {sorted(values)}")
    return counters[0]


def _interleaved(rule: Rule, parts: Sequence[Tensor]) -> Tensor:
    """The parts one after another along the axis, in each group anew."""
    import torch

    split = [_grouped(rule, part) for part in parts]
    return torch.cat(split, dim=rule.axis + 1).flatten(rule.axis, rule.axis + 1)


def _taken_apart(rule: Rule, whole: Tensor, shapes: Sequence[Shape]) -> list[Tensor]:
    import torch

    axis = rule.axis
    shares = [shape[axis] // rule.groups for shape in shapes]
    split = torch.split(_grouped(rule, whole), shares, dim=axis + 1)
    return [part.flatten(axis, axis + 1) for part in split]


def _grouped(rule: Rule, tensor: Tensor) -> Tensor:
    """The tensor with its axis as [groups, share of each]."""
    shape, axis = tensor.shape, rule.axis
    return tensor.reshape(*shape[:axis], rule.groups, -1, *shape[axis + 1 :])
