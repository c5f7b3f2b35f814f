"""Every network of Table 2 is what its reference is: figures, outputs, keys; and its source reads well.

What carries the mark `parity` runs whole networks of timm's in float64, trains and exports; the rest is quick.
"""

from __future__ import annotations

import copy
import functools
import io
import re
from pathlib import Path

import pytest
import torch
from reference import (
    TOLERANCE,
    assert_takes_back,
    laid_out_as,
    paired_parts,
    randomise,
    record,
    relative,
    timm_model,
    with_weights_of,
)
from running import assert_maps_grow_smaller, export, size_of, train
from zoo import NETWORKS, TIMM

import archdsl
from archdsl import verify

BLOCKWISE_ABOVE = 5
"""A network has more parts than this that are compared one by one."""


@functools.cache
def network(name: str) -> archdsl.Network:
    return NETWORKS[name].load()


def image(name: str, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    side = NETWORKS[name].resolution
    return torch.randn(1, 3, side, side, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("name", NETWORKS)
def test_figures_are_those_of_the_reference(name: str) -> None:
    row, stats = NETWORKS[name], network(name).stats()
    counted = {op: count for op, count in stats.macs_by_operator.items() if count}
    if row.macs is not None:
        wanted = {"conv": row.conv, "linear": row.linear, "matmul": row.matmul}
        assert counted == {op: count for op, count in wanted.items() if count}
    if row.params is not None:
        assert stats.params == row.params
    if row.buffers is not None:
        assert stats.buffers == row.buffers
    printed = stats
    if row.paper_counting is not None:
        printed = network(name).stats(convention="paper")
        assert {"params": printed.params, "macs": printed.macs} == row.paper_counting
    for what, figure in (("params", printed.params / 1e6), ("macs", printed.macs / 1e9)):
        # Where the table is further from the network than by rounding or cutting, the row says why.
        paper = row.paper[what]
        digits = len(str(paper).partition(".")[2])
        assert paper is None or row.note or abs(figure - paper) < 10.0**-digits, what


@pytest.mark.parametrize("name", NETWORKS)
def test_torch_and_fvcore_count_the_same(name: str) -> None:
    checks = verify.verify(network(name))
    assert [check.what for check in checks if not check.ok] == []
    assert len(checks) > 8


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in ("s0", "l")])
def test_source_reads_as_it_was_signed(name: str, golden) -> None:
    golden(f"zoo/{name}.py", network(name).source())


def classes_of(name: str) -> list[str]:
    return re.findall(r"^class (\w+)", network(name).source(), re.MULTILINE)


def test_a_block_of_many_forms_is_one_class() -> None:
    assert [found for found in classes_of("mobilenetv3_large") if "InvertedResidual" in found] == [
        "InvertedResidual"
    ]
    assert [found for found in classes_of("resnet50") if "Bottleneck" in found] == ["Bottleneck"]
    swin = network("swin_tiny").source()
    assert classes_of("swin_tiny").count("SwinBlock") == 1
    assert swin.count("SwinBlock(") == 1 + 4, "one definition, and one loop for each stage"
    assert "for shift, rate in zip([0, 3] * 3, rates[4:10])" in swin


def test_a_class_that_takes_an_activation_is_copied_and_kept() -> None:
    model = network("mobilenetv3_large").build(num_classes=2).eval()
    kept = io.BytesIO()
    torch.save(model, kept)
    kept.seek(0)
    images = image("mobilenetv3_large").float()
    with torch.no_grad():
        for other in (copy.deepcopy(model), torch.load(kept, weights_only=False)):
            assert torch.equal(model(images), other(images))


@functools.lru_cache(maxsize=1)
def models(name: str, folder: str) -> tuple[torch.nn.Module, torch.nn.Module]:
    """(ours, timm's), both in float64, with the same weights, which went through a file of timm's names."""
    theirs = timm_model(TIMM[name].timm).double()
    randomise(theirs)
    ours, report = with_weights_of(theirs, network(name), "timm", Path(folder) / "theirs.safetensors")
    assert not report.dropped
    return ours.eval(), theirs.eval()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("zoo"))


@pytest.mark.parity
@pytest.mark.parametrize("name", TIMM)
def test_timm_gives_the_same_whole_and_block_by_block_and_takes_our_weights(name: str, folder: str) -> None:
    ours, theirs = models(name, folder)
    pairs = paired_parts(network(name), TIMM[name].blocks, TIMM[name].entries)
    mine = record(ours, pairs, image(name))
    other = record(theirs, pairs.values(), image(name))
    assert len(mine) - 1 == len(pairs) > BLOCKWISE_ABOVE
    for path, place in pairs.items():
        assert relative(laid_out_as(mine[path], other[place]), other[place]) < TOLERANCE, path
    with torch.no_grad():
        assert relative(ours(image(name, 2)), theirs(image(name, 2))) < TOLERANCE
    assert_takes_back(theirs, ours, "timm", Path(folder) / "back.safetensors")


@pytest.mark.parity
@pytest.mark.parametrize("name", ["deit_tiny_distilled", "efficientformer_l1", "levit_128s"])
def test_both_heads_in_training_are_those_of_timm(name: str, folder: str) -> None:
    ours, theirs = models(name, folder)
    theirs.set_distilled_training(True)
    for module in (ours, theirs):
        module.train()
        for inner in module.modules():
            if type(inner).__name__.startswith(("BatchNorm", "DropPath")):
                inner.eval()
    try:
        with torch.no_grad():
            mine, other = ours(image(name)), theirs(image(name))
    finally:
        theirs.set_distilled_training(False)
        ours.eval(), theirs.eval()
    assert len(mine) == len(other) == 2
    for a, b in zip(mine, other, strict=True):
        assert relative(a, b) < TOLERANCE


@pytest.mark.parity
@pytest.mark.parametrize("name", NETWORKS)
def test_exports_trains_and_builds_at_other_resolutions(name: str) -> None:
    export(network(name))
    first, *rest = [
        NETWORKS[name].load(resolution=size if isinstance(size, int) else tuple(size))
        for size in NETWORKS[name].others
    ]
    made = [(first, train(first)), *((other, other.build(num_classes=3)) for other in rest)]
    for other, model in made:
        with torch.no_grad():
            assert model.eval()(torch.randn(1, *size_of(other))).isfinite().all()


@pytest.mark.parity
@pytest.mark.parametrize("name", NETWORKS)
def test_features_are_maps_that_grow_smaller(name: str) -> None:
    if not hasattr(module := network(name).build(), "features"):
        pytest.skip("has no stages with maps")
    assert_maps_grow_smaller(module, size_of(network(name)))
