"""Bytes of weights and activations, and the most that are alive at once.

The schedule is the order of the document. An operation allocates its output while its inputs are still
there; a tensor is freed after the operation that reads it last. Views share the memory of their input:
rearrangements that move no axis they flatten, split, slice, identity, and in evaluation dropout and
drop_path. Nothing else is done in place. The input counts; weights and tables derived from them do not.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from archdsl.graph import Graph

BYTES: Final = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1,
}  # fmt: skip
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


def memory(graph: Graph, dtype: str = "float32", batch: int = 1) -> Memory:
    """What a forward pass in evaluation needs."""
    size = BYTES[dtype]
    weights = buffers = 0
    for _, weight in graph.weights():
        if weight.role == "param":
            weights += weight.count * size
        elif weight.role == "buffer":
            buffers += weight.count * size
        elif weight.role == "counter":
            buffers += weight.count * 8
    owner: dict[int, int] = {}
    bytes_of: dict[int, int] = {}
    last_read: dict[int, int] = {}
    for index, (_, value) in enumerate(graph.template.inputs):
        owner[index] = index
        bytes_of[index] = _elements(graph.template.types[value].values) * size * batch
        last_read[index] = -1
    activations = 0
    for step, item in enumerate(graph.flat):
        op = item.node.op
        assert op is not None
        view = bool(item.inputs) and op.is_view(*item.template.input_types(item.node))
        for outside, inside in zip(item.outputs, item.node.outputs, strict=True):
            type_ = item.template.types[inside]
            owner[outside] = owner[item.inputs[0]] if view else outside
            if not view:
                count = _elements(type_.values) * size * (batch if type_.batched else 1)
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
        alive += sum(bytes_of[v] for v in item.outputs if owner[v] == v)
        if alive > peak:
            peak, peak_at = alive, item.path or item.node.kind
        alive -= sum(bytes_of[v] for v in freed.get(step, ()))
    return Memory(weights, buffers, activations, peak, peak_at)


def _elements(extents: tuple[int, ...]) -> int:
    result = 1
    for extent in extents:
        result *= extent
    return result
