"""Bytes of weights and activations, and the most that are alive at once.

The schedule is the order of the document. An operation allocates its output while its inputs are still
there; a tensor is freed after the operation that reads it last. Views share the memory of their input:
rearrangements that move no axis they flatten, split, slice, identity, and in evaluation dropout and
drop_path. Nothing else is done in place. The input counts; weights and tables derived from them do not.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from archdsl.cost import Cost
from archdsl.graph import Flat, Graph
from archdsl.ops import TensorType, product

Dtype: TypeAlias = Literal["float64", "float32", "float16", "bfloat16", "int8"]
BYTES: Final[dict[Dtype, int]] = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
"""Bytes of a number, by the name of its type."""


class Memory(NamedTuple):
    """In bytes. `weights` are the parameters, `buffers` what else state_dict stores (counters as int64)."""

    weights: int
    buffers: int
    activations: int
    """The sum of all outputs that are no views."""
    peak: int
    peak_at: str
    """The path of the operation during which the most is alive."""


def memory(graph: Graph, cost: Cost, dtype: Dtype = "float32", batch: int = 1) -> Memory:
    """What a forward pass in evaluation needs; `cost` is that of the network, under core."""
    size = BYTES[dtype]
    owner: dict[int, int] = {}
    bytes_of: dict[int, int] = {}
    last_read: dict[int, int] = {}
    for index, (_, value) in enumerate(graph.template.inputs):
        owner[index] = index
        bytes_of[index] = _bytes(graph.template.types[value], size, batch)
        last_read[index] = -1
    # Templates are shared, and so are their nodes: what one needs is known after its first instance.
    known: dict[int, tuple[bool, list[int]]] = {}
    activations = 0
    for step, item in enumerate(graph.flat):
        if id(item.node) not in known:
            known[id(item.node)] = _needs(item, size, batch)
        view, counts = known[id(item.node)]
        for outside, count in zip(item.outputs, counts, strict=True):
            owner[outside] = owner[item.inputs[0]] if view else outside
            if not view:
                bytes_of[outside] = count
                activations += count
            last_read.setdefault(owner[outside], step)
        for value in item.inputs:
            last_read[owner[value]] = step
    freed: dict[int, list[int]] = {}
    for value, step in last_read.items():
        freed.setdefault(step, []).append(value)
    alive = sum(bytes_of[index] for index in range(len(graph.template.inputs)))
    peak, peak_at = alive, "input"
    for step, item in enumerate(graph.flat):
        for value in item.outputs:
            alive += bytes_of.get(value, 0)
        if alive > peak:
            peak, peak_at = alive, item.path or item.node.kind
        for value in freed.get(step, ()):
            alive -= bytes_of[value]
    buffers = cost.statistics * size + cost.counters * 8
    return Memory(cost.params * size, buffers, activations, peak, peak_at)


def _needs(item: Flat, size: int, batch: int) -> tuple[bool, list[int]]:
    """Whether a primitive gives a view, and the bytes of its outputs."""
    op = item.node.op
    assert op is not None
    view = bool(item.inputs) and op.is_view(*item.template.input_types(item.node))
    types = [item.template.types[value] for value in item.node.outputs]
    return view, [_bytes(type_, size, batch) for type_ in types]


def _bytes(type_: TensorType, size: int, batch: int) -> int:
    return product(type_.shape) * size * (batch if type_.batched else 1)
