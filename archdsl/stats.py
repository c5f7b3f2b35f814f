"""The figures of a network put together: what `archdsl stats` says."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from archdsl.cost import Convention, Costs
from archdsl.cost.memory import Dtype, memory
from archdsl.garbage import paused
from archdsl.graph import Graph, Node, Template
from archdsl.record import Record

By: TypeAlias = Literal["network", "stage", "block", "op"]
GROUPINGS: Final[tuple[By, ...]] = ("network", "stage", "block", "op")


class Row(Record):
    """One line of the table: a stage, a block or a primitive, with the shape that it gives."""

    path: str
    kind: str
    params: int
    macs: int
    shape: tuple[int, ...]


class Stats(Record):
    """The figures of a network. MACs are those of one image; bytes are those of the whole batch."""

    name: str
    input: tuple[int, ...]
    batch: int
    dtype: Dtype
    convention: Convention
    by: By
    params: int
    buffers: int
    macs: int
    macs_by_operator: dict[str, int]
    weight_bytes: int
    buffer_bytes: int
    activation_bytes: int
    peak_activation_bytes: int
    peak_at: str
    rows: tuple[Row, ...]

    def as_dict(self) -> dict[str, object]:
        """The figures as JSON takes them."""
        result = {name: getattr(self, name) for name in self._fields}
        result["input"] = list(self.input)
        result["rows"] = [
            {**{name: getattr(row, name) for name in row._fields}, "shape": list(row.shape)}
            for row in self.rows
        ]
        return result


def stats(
    graph: Graph,
    convention: Convention = "core",
    by: By = "stage",
    dtype: Dtype = "float32",
    batch: int = 1,
) -> Stats:
    """Everything that is known about a network without running it."""
    with paused():
        return _figures(graph, convention, by, dtype, batch)


def _figures(graph: Graph, convention: Convention, by: By, dtype: Dtype, batch: int) -> Stats:
    costs = Costs(graph, convention)
    whole = costs.network
    core = whole if convention == "core" else Costs(graph).network
    bytes_ = memory(graph, core, dtype, batch)
    rows = {"network": _no_rows, "stage": _stage_rows, "block": _block_rows, "op": _op_rows}[by](graph, costs)
    return Stats(
        graph.name,
        graph.input.values,
        batch,
        dtype,
        convention,
        by,
        whole.params,
        whole.buffers,
        whole.total_macs,
        dict(sorted(whole.macs.items(), key=lambda item: -item[1])),
        bytes_.weights,
        bytes_.buffers,
        bytes_.activations,
        bytes_.peak,
        bytes_.peak_at,
        tuple(rows),
    )


def _no_rows(_graph: Graph, _costs: Costs) -> list[Row]:
    return []


def _block_rows(graph: Graph, costs: Costs) -> list[Row]:
    return [_block_row(graph.template, index, costs) for index in range(len(graph.template.nodes))]


def _block_row(template: Template, index: int, costs: Costs) -> Row:
    node, cost = template.nodes[index], costs.node(template, index)
    shape = template.types[node.outputs[0]].values
    return Row(node.label or "", node.kind, cost.params, cost.total_macs, shape)


def _stage_rows(graph: Graph, costs: Costs) -> list[Row]:
    template = graph.template
    stages = {stage.first: stage for stage in graph.stages}
    rows: list[Row] = []
    index = 0
    while index < len(template.nodes):
        stage = stages.get(index)
        if stage is None:
            rows.append(_block_row(template, index, costs))
            index += 1
            continue
        nodes = template.nodes[stage.first : stage.last]
        inside = costs.of(template, range(stage.first, stage.last))
        shape = template.types[nodes[-1].outputs[0]].values
        rows.append(Row(stage.label, _kinds(nodes), inside.params, inside.total_macs, shape))
        index = stage.last
    return rows


def _kinds(nodes: tuple[Node, ...]) -> str:
    """`ffn * 4, attention_block * 2`."""
    runs: list[tuple[str, int]] = []
    for node in nodes:
        if runs and runs[-1][0] == node.kind:
            runs[-1] = (node.kind, runs[-1][1] + 1)
        else:
            runs.append((node.kind, 1))
    return ", ".join(kind if count == 1 else f"{kind} * {count}" for kind, count in runs)


def _op_rows(graph: Graph, costs: Costs) -> list[Row]:
    rows = []
    for item in graph.flat:
        cost = costs.of_node(item.template, item.node)
        shape = item.template.types[item.node.outputs[0]].values
        params = cost.params if item.first else 0
        macs = 0 if item.trained else cost.total_macs
        rows.append(Row(item.path, item.node.kind, params, macs, shape))
    return rows
