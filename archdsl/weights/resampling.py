"""Tables over positions, made for another grid: how weights of one resolution serve at another.

offsets    entry (dy, dx) belongs to a distance between two positions. Distance d of a grid of R' rows is
           distance d * R / R' of one of R rows, at most R - 1; between entries the table is linear. The
           entry of distance 0 stays what it is.
positions  entry (row, column) belongs to a position. Bicubic, with the centres of pixels half a pixel
           from their edges and smoothing where the grid shrinks, as Vision Transformers do it; entries
           before those of the grid are kept.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from archdsl.weights.key_maps import Owned

if TYPE_CHECKING:
    from torch import Tensor

Grid = tuple[int, int]


class Resampling(NamedTuple):
    """A table of one of our keys, from the grid of a file to that of the network."""

    axis: int
    old: Grid
    new: Grid
    rule: str

    def __call__(self, table: Tensor) -> Tensor:
        """The table for the new grid, of the same type; the same table where the grids are equal."""
        import torch

        if self.old == self.new:
            return table
        moved = table.movedim(self.axis, -1)
        leading = moved.shape[-1] - math.prod(self.old)
        kept, grid = moved[..., :leading].double(), moved[..., leading:].double()
        grid = grid.reshape(*grid.shape[:-1], *self.old)
        made = _by_offset(grid, self.new) if self.rule == "offsets" else _by_position(grid, self.new)
        joined = torch.cat([kept, made.flatten(-2)], dim=-1)
        return joined.movedim(-1, self.axis).to(table.dtype).contiguous()


def grid_of(owned: Owned) -> tuple[int, Grid, str] | None:
    """The axis, grid and rule of a weight that is a table over positions; None for any other."""
    assert owned.node.op is not None
    for table in owned.node.op.tables(*owned.holder.input_types(owned.node)):
        if table.weight == owned.weight.name:
            return table.axis, (table.grid[0].int, table.grid[1].int), table.rule
    return None


def resampling(old: Owned, new: Owned) -> Resampling | None:
    """From a weight of one elaboration to that of another; None where no rule leads there."""
    before, after = grid_of(old), grid_of(new)
    if before is None or after is None or before[0] != after[0]:
        return None
    axis = after[0]
    made = Resampling(axis, before[1], after[1], after[2])
    sizes = [owned.shape[axis] - math.prod(grid) for owned, grid in ((old, made.old), (new, made.new))]
    others = [(*owned.shape[:axis], *owned.shape[axis + 1 :]) for owned in (old, new)]
    return made if sizes[0] == sizes[1] and others[0] == others[1] else None


def _by_offset(table: Tensor, new: Grid) -> Tensor:
    """[..., R, C] to [..., R', C'], along each axis in turn."""
    rows = _interpolation(table.shape[-2], new[0]).to(table)
    columns = _interpolation(table.shape[-1], new[1]).to(table)
    return rows @ table @ columns.T


def _interpolation(old: int, new: int) -> Tensor:
    """The matrix [new, old] of linear interpolation at min(d * old / new, old - 1)."""
    import torch

    result = torch.zeros(new, old, dtype=torch.float64)
    for d in range(new):
        # In whole numbers: d * old / new may round up to the next entry.
        whole, rest = divmod(d * old, new)
        if whole >= old - 1:
            result[d, old - 1] = 1
        else:
            result[d, whole] = 1 - rest / new
            result[d, whole + 1] = rest / new
    return result


def _by_position(table: Tensor, new: Grid) -> Tensor:
    from torch.nn.functional import interpolate

    images = table.reshape(1, -1, *table.shape[-2:])
    made = interpolate(images, size=new, mode="bicubic", antialias=True, align_corners=False)
    return made.reshape(*table.shape[:-2], *new)
