"""Costs: exact integers, under three conventions, by block, and in bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import archdsl
from archdsl.report import render
from archdsl.verify import verify

FACTS = json.loads((Path(__file__).parent / "facts" / "efficientformerv2.json").read_text())
SPECS = ["s0", "l"]


@pytest.mark.parametrize("spec", SPECS)
def test_totals(spec: str) -> None:
    network, facts = archdsl.load(spec), FACTS[spec]
    core, fvcore, paper = (network.stats(c) for c in ("core", "fvcore", "paper"))
    assert (core.params, core.macs, core.buffers) == (facts["params"], facts["macs"], facts["buffers"])
    assert fvcore.macs_by_operator == facts["fvcore"]
    assert (paper.params, paper.macs) == (facts["paper"]["params"], facts["paper"]["macs"])
    # Their names of the operators; the products of attention are one entry there.
    theirs = {"attn": "matmul", "avgpool": "avg_pool"}
    breakdown = {theirs.get(name, name): count for name, count in facts["paper"]["breakdown"].items()}
    assert paper.macs_by_operator == breakdown
    one = archdsl.load(spec, parameters={"distilled": False})
    assert one.stats().params == facts["one_head_params"]


@pytest.mark.parametrize("spec", SPECS)
def test_every_block(spec: str) -> None:
    rows = [row for row in archdsl.load(spec).stats(by="block").rows if row.path != "pool"]
    *blocks, norm, head, head_dist = FACTS[spec]["blocks"]
    assert len(rows) == len(blocks) + 2
    for row, (kind, params, macs, shape) in zip(rows, blocks, strict=False):
        assert (row.params, row.macs, list(row.shape)) == (params, macs, shape), (row.path, kind)
    assert rows[-2].params == norm[1]
    assert rows[-1].params == head[1] + head_dist[1]
    assert rows[-1].macs == head[2] + head_dist[2]


def test_resolution_is_part_of_the_count() -> None:
    counts = {r: archdsl.load("s0", resolution=r).stats().params for r in (192, 224, 256)}
    assert counts == {192: 3_599_424, 224: 3_600_256, 256: 3_601_216}


@pytest.mark.parametrize("by", ["stage", "block", "op"])
@pytest.mark.parametrize("convention", ["core", "fvcore", "paper"])
def test_rows_sum_to_the_total(by: str, convention: str) -> None:
    stats = archdsl.load("s0").stats(convention, by)  # type: ignore[arg-type]
    assert sum(row.params for row in stats.rows) == stats.params
    assert sum(row.macs for row in stats.rows) == stats.macs == sum(stats.macs_by_operator.values())


@pytest.mark.parametrize("spec", ["s0", "l", "kitchen"])
def test_torch_and_fvcore_agree_operator_by_operator(spec: str) -> None:
    path = Path(__file__).parent / "networks" / f"{spec}.arch"
    checks = verify(archdsl.load(path if path.exists() else spec))
    assert len(checks) >= 11
    assert [check.what for check in checks if not check.ok] == []


@pytest.mark.parametrize("format", ["table", "markdown", "csv"])
def test_golden_tables(format: str, golden) -> None:
    endings = {"table": "txt", "markdown": "md", "csv": "csv"}
    golden(f"s0_stats.{endings[format]}", render(archdsl.load("s0").stats(), format))


def test_golden_json(golden) -> None:
    golden("s0_stats.json", render(archdsl.load("s0").stats(), "json"))


# --- bytes

CHAIN = """
archdsl 1
block residual(x: [C, H, W]) -> [C, H, W] {
  y = x |> a: conv2d(2 * C) |> relu |> b: conv2d(C)
  return x + y
}
network Chain(x: [2, 4, 4]) {
  one: residual
  flat: rearrange("c h w -> (h w) c")
}
"""


def chain(tmp_path: Path) -> archdsl.Network:
    file = tmp_path / "chain.arch"
    file.write_text(CHAIN)
    return archdsl.load(file)


def test_peak_memory_of_a_chain_by_hand(tmp_path: Path) -> None:
    """x is 32 numbers. At relu x, a and its result are alive: 32 + 64 + 64. At the addition 32 * 3."""
    stats = chain(tmp_path).stats()
    assert stats.peak_activation_bytes == 4 * (32 + 64 + 64)
    assert stats.peak_at == "one.relu"
    # a, relu, b, the sum; the rearrangement only transposes, and shares the memory of the sum.
    assert stats.activation_bytes == 4 * (64 + 64 + 32 + 32)


def test_batch_and_dtype_scale_bytes_and_leave_macs(tmp_path: Path) -> None:
    network = chain(tmp_path)
    base, batched = network.stats(), network.stats(batch=3)
    assert batched.peak_activation_bytes == 3 * base.peak_activation_bytes
    assert (batched.macs, batched.weight_bytes) == (base.macs, base.weight_bytes)
    for dtype, size in (("float64", 8), ("float16", 2), ("bfloat16", 2), ("int8", 1)):
        scaled = network.stats(dtype=dtype)
        assert scaled.peak_activation_bytes * 4 == base.peak_activation_bytes * size
        assert scaled.weight_bytes == base.params * size


def test_peak_memory_of_s0_against_a_second_account() -> None:
    """The same rule, told another way: at each step, what exists and is still read or being made."""
    graph = archdsl.load("s0").graph
    root: dict[int, int] = {0: 0}
    size: dict[int, int] = {0: 3 * 224 * 224}
    born: dict[int, int] = {0: -1}
    dies: dict[int, int] = {0: -1}
    for step, item in enumerate(graph.flat):
        view = item.inputs and item.node.op.is_view(*item.template.input_types(item.node))
        for value, inner in zip(item.outputs, item.node.outputs, strict=True):
            root[value] = root[item.inputs[0]] if view else value
            if not view:
                count = 1
                for extent in item.template.types[inner].values:
                    count *= extent
                size[value], born[value], dies[value] = count, step, step
        for value in item.inputs:
            dies[root[value]] = step
    peak = max(sum(size[v] for v in size if born[v] <= step <= dies[v]) for step in range(len(graph.flat)))
    assert 4 * peak == archdsl.load("s0").stats().peak_activation_bytes
