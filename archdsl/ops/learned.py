"""Weights that are tensors of the dataflow themselves: learned tables and attention biases."""

from __future__ import annotations

from archdsl.ops.base import (
    Code,
    Constructor,
    Dim,
    Dims,
    Ints,
    Op,
    OpError,
    Products,
    Real,
    Shape,
    Spelling,
    Table,
    TensorType,
    Weight,
    const,
    float_text,
    product,
)
from archdsl.scalar import Scalar, ceil_div


class Parameter(Op):
    """A learned tensor without a batch: `token: parameter([1, dim])`; its label alone is its key.

    With `grid = [rows, columns]` the last rows * columns of its first axis stand for positions: weights of
    another resolution can be resampled.
    """

    kind = "parameter"
    inputs = 0

    extents: Dims
    value: Real = const(0.0)
    grid: Dims | None = None

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        if self.grid is not None:
            if len(self.grid) != 2:
                raise OpError("grid is [rows, columns]", attribute="grid")
            positions = product(self.grid)
            if not self.extents or self.extents[0].int < positions:
                has = f"{self.extents[0].value} entries" if self.extents else "no axes"
                message = f"a table over {positions} positions has as many entries or more, this has {has}"
                raise OpError(message, "the first axis goes over the positions", "grid")
        return (TensorType(self.extents, batched=False),)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        return (Weight("", self.extents),)

    def tables(self, *x: TensorType) -> tuple[Table, ...]:
        return () if self.grid is None else (Table("", 0, self.grid, "positions"),)

    def macs(self, *x: TensorType) -> Products:
        return ()

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        sizes = write.sequence(self.extents)
        if self.value.term in (0, 1) and len(self.extents):
            make = "zeros" if self.value.term == 0 else "ones"
            return Constructor("nn.Parameter", (f"torch.{make}({', '.join(map(write, self.extents))})",))
        return Constructor("nn.Parameter", (f"torch.full({sizes}, {float_text(write, self.value)})",))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(module)


class Buffer(Parameter):
    """A stored tensor that is not trained, otherwise a `parameter`: random features, fixed positions.

    `init` says what it holds.
    """

    kind = "buffer"

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        return (Weight("", self.extents, "buffer"),)

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        return Constructor("register_buffer", super().constructor(write, *x).args)


class AttentionBias(Op):
    """A learned bias for every head and offset (|dy|, |dx|) between a query and a key position (Eq. 6).

    The queries lie on a grid over the keys, ceil(key / query) apart. The table has one entry an offset,
    which is one for every position of the key grid: [heads, queries, keys] from heads x keys numbers.
    """

    kind = "attention_bias"
    inputs = 0

    heads: Dim
    query: Dims
    key: Dims

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        for name, sizes in (("query", self.query), ("key", self.key)):
            check_grid(name, sizes)
        for q, k in zip(self.query, self.key, strict=True):
            if (q.int - 1) * ceil_div(k, q).int >= k.int:
                message = f"{q.value} queries do not lie on a grid over {k.value} keys"
                raise OpError(message, "query = ceil(key / stride) does", "query")
        queries, keys = self.query[0] * self.query[1], self.key[0] * self.key[1]
        return (TensorType((self.heads, queries, keys), batched=False),)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        queries, keys = self.query[0] * self.query[1], self.key[0] * self.key[1]
        return (
            Weight("weight", (self.heads, keys)),
            Weight("index", (queries, keys), "derived"),
        )

    def tables(self, *x: TensorType) -> tuple[Table, ...]:
        return (Table("weight", 1, self.key, "offsets"),)

    def macs(self, *x: TensorType) -> Products:
        return ()

    def paper_params(self, *x: TensorType) -> Products:
        return ()

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        grids = write.sequence(self.query), write.sequence(self.key)
        return Constructor("AttentionBias", (write(self.heads), *grids))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{module}()")


class RelativePositionBias(Op):
    """A learned bias for every head and offset (dy, dx) between two positions of a window (Swin, BEiT).

    `window` is [rows, columns]; [heads, positions, positions] from (2 rows - 1)(2 columns - 1) x heads numbers.
    """

    kind = "relative_position_bias"
    inputs = 0

    heads: Dim
    window: Dims

    def _offsets(self) -> Shape:
        rows, columns = (size * const(2) - const(1) for size in self.window)
        return (rows, columns)

    def _positions(self) -> Scalar:
        return self.window[0] * self.window[1]

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        check_grid("window", self.window)
        positions = self._positions()
        return (TensorType((self.heads, positions, positions), batched=False),)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        rows, columns = self._offsets()
        positions = self._positions()
        return (
            Weight("weight", (rows * columns, self.heads)),
            Weight("index", (positions, positions), "derived"),
        )

    def tables(self, *x: TensorType) -> tuple[Table, ...]:
        return (Table("weight", 0, self._offsets(), "positions"),)

    def macs(self, *x: TensorType) -> Products:
        return ()

    def paper_params(self, *x: TensorType) -> Products:
        return ()

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        return Constructor("RelativePositionBias", (write(self.heads), write.sequence(self.window)))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{module}()")


class WindowMask(Op):
    """What keeps apart the positions of a window that a roll by `shift` has brought together: 0 or -100.

    For a map of `size` [rows, columns], rolled by -shift and cut into windows: [windows, 1, positions,
    positions], to be added to the attention of [windows, heads, positions, positions].
    """

    kind = "window_mask"
    inputs = 0

    size: Dims
    window: Dims
    shift: Ints

    def _counts(self) -> tuple[Scalar, Scalar]:
        rows, columns = (size // window for size, window in zip(self.size, self.window, strict=True))
        return rows * columns, self.window[0] * self.window[1]

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        for name, sizes in (("size", self.size), ("window", self.window), ("shift", self.shift)):
            check_grid(name, sizes)
        for size, window, shift in zip(self.size, self.window, self.shift, strict=True):
            if size.int % window.int:
                message = f"windows of {window.value} do not part {size.value} positions evenly"
                raise OpError(message, f"use a divisor of {size.value}", "window")
            if not 0 <= shift.int < window.int:
                message = f"a shift is 0 to {window.int - 1} for a window of {window.value}, got {shift.value}"
                raise OpError(message, attribute="shift")
        windows, positions = self._counts()
        return (TensorType((windows, const(1), positions, positions), batched=False),)

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        windows, positions = self._counts()
        return (Weight("mask", (windows, const(1), positions, positions), "derived"),)

    def macs(self, *x: TensorType) -> Products:
        return ()

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor:
        grids = (write.sequence(sizes) for sizes in (self.size, self.window, self.shift))
        return Constructor("WindowMask", tuple(grids))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{module}()")


def check_grid(name: str, sizes: Shape) -> None:
    """Raise `OpError` unless there are two sizes, for rows and columns."""
    if len(sizes) != 2:
        raise OpError(f"{name} is [rows, columns]", attribute=name)
