"""Networks beside Table 2, written from the documentation alone: figures and outputs are those of timm's.

What carries the mark `parity` runs whole networks of timm's in float64, trains and exports; the rest is quick.
"""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import yaml
from reference import TOLERANCE, assert_takes_back, randomise, relative, timm_model, with_weights_of
from running import assert_maps_grow_smaller, export, size_of, train

import archdsl
from archdsl.verify import verify

FACTS = Path(__file__).parent / "facts" / "others.yaml"
DOCUMENTS = Path(__file__).parent.parent / "specs" / "others"


class Row(NamedTuple):
    """One network: its document, its name in timm, and timm's figures."""

    document: str
    timm: str
    params: int
    conv: int = 0
    linear: int = 0
    matmul: int = 0
    resolution: int = 224
    others: tuple[int, ...] = (192, 256)
    """Other resolutions that the document takes; the first is the one that it is trained at here."""
    options: dict[str, Any] = {}
    reparameterized: bool = False
    """Whether the document is of timm's network with its branches made one."""


ROWS = {name: Row(**facts) for name, facts in yaml.safe_load(FACTS.read_text(encoding="utf-8")).items()}


@functools.cache
def network(name: str) -> archdsl.Network:
    return archdsl.load(ROWS[name].document)


def test_every_document_has_a_row() -> None:
    assert list(ROWS) == sorted(ROWS)
    named = {row.document.partition("#")[0].removeprefix("others/") for row in ROWS.values()}
    assert named == {path.stem for path in DOCUMENTS.iterdir()}


@pytest.mark.parametrize("name", ROWS)
def test_figures_are_those_of_timm(name: str) -> None:
    row, stats = ROWS[name], network(name).stats()
    wanted = {"conv": row.conv, "linear": row.linear, "matmul": row.matmul}
    assert stats.params == row.params
    assert {op: n for op, n in stats.macs_by_operator.items() if n} == {op: n for op, n in wanted.items() if n}


@pytest.mark.parametrize("name", ROWS)
def test_torch_and_fvcore_count_the_same(name: str) -> None:
    assert [check.what for check in verify(network(name)) if not check.ok] == []


@pytest.mark.parity
@pytest.mark.parametrize("name", ROWS)
def test_outputs_are_those_of_timm_and_weights_go_both_ways(name: str, tmp_path: Path) -> None:
    row = ROWS[name]
    theirs = timm_model(row.timm, **row.options).double()
    if row.reparameterized:
        theirs = importlib.import_module("timm.utils.model").reparameterize_model(theirs)
    randomise(theirs)
    ours, report = with_weights_of(theirs, network(name), "timm", tmp_path / "theirs.safetensors")
    assert not report.dropped
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(1, 3, row.resolution, row.resolution, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        assert relative(ours.eval()(image), theirs.eval()(image)) < TOLERANCE
    assert_takes_back(theirs, ours, "timm", tmp_path / "back.safetensors")


@pytest.mark.parity
@pytest.mark.parametrize("name", ROWS)
def test_exports_trains_and_builds_at_other_resolutions(name: str) -> None:
    row = ROWS[name]
    export(network(name))
    for side in row.others or (row.resolution,):
        other = archdsl.load(row.document, resolution=side)
        model = train(other)
        if other.graph.features:  # not one of one resolution
            assert_maps_grow_smaller(model, size_of(other))
