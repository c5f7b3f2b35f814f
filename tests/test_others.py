"""Networks beside Table 2, written from the documentation alone: figures and outputs are those of timm's.

What carries the mark `parity` runs whole networks of timm's in float64, trains and exports; the rest is quick.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import safetensors.torch
import torch
import yaml
from reference import randomise, timm_model
from test_parity import TOLERANCE, relative

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
    state = theirs.state_dict()
    safetensors.torch.save_file(state, tmp_path / "theirs.safetensors")
    ours = network(name).build().double()
    assert not archdsl.load_weights(ours, tmp_path / "theirs.safetensors", keys="timm").dropped
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(1, 3, row.resolution, row.resolution, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        assert relative(ours.eval()(image), theirs.eval()(image)) < TOLERANCE
    archdsl.save_weights(ours, tmp_path / "back.safetensors", keys="timm")
    back = safetensors.torch.load_file(tmp_path / "back.safetensors")
    assert set(back) == set(state)
    assert all(torch.equal(back[key], value) for key, value in state.items())


@pytest.mark.parity
@pytest.mark.parametrize("name", ROWS)
def test_exports_trains_and_builds_at_other_resolutions(name: str) -> None:
    row = ROWS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = torch.zeros(1, 3, row.resolution, row.resolution)
        torch.export.export(network(name).build(num_classes=3).eval(), (image,))
    for side in row.others or (row.resolution,):
        model = archdsl.load(row.document, resolution=side).build(num_classes=3)
        output = model.train()(torch.randn(2, 3, side, side))
        outputs = output if isinstance(output, tuple) else (output,)
        sum(part.square().sum() for part in outputs).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
        if not network(name).graph.features:
            continue  # of one resolution
        maps = model.eval().features(torch.randn(1, 3, side, side))
        sides = [found.shape[2] for found in maps]
        assert len(maps) > 2 and all(found.dim() == 4 for found in maps)
        assert sides == sorted(sides, reverse=True) and len(set(sides)) == len(sides)
