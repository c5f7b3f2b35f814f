"""Weights that are tensors of the dataflow themselves: learned tables and attention biases."""

from __future__ import annotations

from archdsl.ops.base import (
    Code,
    Constructor,
    Dim,
    Dims,
    Op,
    OpError,
    Products,
    Real,
    Spelling,
    Table,
    TensorType,
    Weight,
    const,
    float_text,
    product,
)
from archdsl.scalar import ceil_div


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
        return Constructor("nn.Parameter", (f"torch.full({sizes}, {float_text(write, self.value)})",))

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(module)


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
            if len(sizes) != 2:
                raise OpError(f"{name} is a grid [rows, columns]", attribute=name)
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
