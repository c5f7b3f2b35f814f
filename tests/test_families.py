"""Networks of other families are what timm's are: figures, outputs, keys; and their source reads well."""

from __future__ import annotations

import copy
import functools
import io
import re
import warnings
from pathlib import Path

import pytest
import safetensors.torch
import torch
from families import FAMILIES, Family
from reference import randomise, timm_model
from test_parity import TOLERANCE, record, relative

import archdsl
from archdsl import verify

SMALL = [name for name in FAMILIES if name not in ("efficientformer_l3", "efficientformer_l7")]
"""Those that are run in every test; the others differ from these in numbers alone."""


@functools.cache
def network(name: str) -> archdsl.Network:
    return archdsl.load(FAMILIES[name].document)


def image(seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 3, 224, 224, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("name", FAMILIES)
def test_figures_are_those_of_the_reference(name: str) -> None:
    family, stats = FAMILIES[name], network(name).stats()
    assert (stats.params, stats.buffers, stats.macs) == (family.params, family.buffers, family.macs)
    counted = {op: count for op, count in stats.macs_by_operator.items() if count}
    wanted = {"conv": family.conv, "linear": family.linear, "matmul": family.matmul}
    assert counted == {op: count for op, count in wanted.items() if count}


@pytest.mark.parametrize("name", SMALL)
def test_torch_and_fvcore_count_the_same(name: str) -> None:
    checks = verify.verify(network(name))
    assert [check.what for check in checks if not check.ok] == []
    assert len(checks) > 8


@functools.lru_cache(maxsize=2)
def models(name: str, folder: str) -> tuple[torch.nn.Module, torch.nn.Module]:
    """(ours, timm's), both in float64, with the same weights, which went through a file of timm's names."""
    theirs = timm_model(FAMILIES[name].timm).double()
    randomise(theirs)
    path = Path(folder) / f"{name}.safetensors"
    safetensors.torch.save_file(theirs.state_dict(), path)
    ours = network(name).build().double()
    report = archdsl.load_weights(ours, path, keys="timm")
    assert not report.dropped
    return ours.eval(), theirs.eval()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("families"))


def block_pairs(family: Family, ours: torch.nn.Module) -> dict[str, str]:
    """The parts to compare: every block of every stage, and the entries that timm has as modules too."""
    pairs = dict(family.entries)
    for stage, place in family.blocks.items():
        for index in range(len(ours.get_submodule(stage))):
            # timm counts the flattening in front of a block with attention as a block.
            flat = "efficientformer" in family.timm and stage == "s4"
            shift = flat and type(ours.get_submodule(f"{stage}.{index}")).__name__ == "Meta3D"
            pairs[f"{stage}.{index}"] = f"{place}.{index + shift}"
    return pairs


@pytest.mark.parametrize("name", FAMILIES)
def test_outputs_are_those_of_timm_whole_and_block_by_block(name: str, folder: str) -> None:
    ours, theirs = models(name, folder)
    pairs = block_pairs(FAMILIES[name], ours)
    mine, other = record(ours, list(pairs), image()), record(theirs, list(pairs.values()), image())
    assert len(mine) == len(pairs) > 5
    for path, place in pairs.items():
        result = mine[path]
        if result.dim() > other[place].dim():  # a map, where timm has its positions as tokens
            result = result.flatten(2).transpose(1, 2)
        assert relative(result, other[place]) < TOLERANCE, path
    with torch.no_grad():
        assert relative(ours(image(2)), theirs(image(2))) < TOLERANCE


@pytest.mark.parametrize("name", ["deit_tiny_distilled_patch16_224", "efficientformer_l1"])
def test_both_heads_in_training_are_those_of_timm(name: str, folder: str) -> None:
    ours, theirs = models(name, folder)
    theirs.set_distilled_training(True)
    for module in (ours, theirs):
        module.train()
        for inner in module.modules():
            if isinstance(inner, torch.nn.BatchNorm2d) or type(inner).__name__ == "DropPath":
                inner.eval()
    try:
        with torch.no_grad():
            mine, other = ours(image()), theirs(image())
    finally:
        theirs.set_distilled_training(False)
        ours.eval(), theirs.eval()
    assert len(mine) == len(other) == 2
    for a, b in zip(mine, other, strict=True):
        assert relative(a, b) < TOLERANCE


@pytest.mark.parametrize("name", SMALL)
def test_weights_go_back_under_the_names_of_timm_bitwise(name: str, folder: str) -> None:
    ours, theirs = models(name, folder)
    path = Path(folder) / f"{name}_back.safetensors"
    archdsl.save_weights(ours, path, keys="timm")
    back = safetensors.torch.load_file(path)
    state = theirs.state_dict()
    assert set(back) == set(state)
    assert all(torch.equal(back[key], value) and back[key].shape == value.shape for key, value in state.items())


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - set(SMALL)))
def test_keys_of_larger_members_are_those_of_timm(name: str) -> None:
    from archdsl.weights.key_maps import translation

    with torch.device("meta"):
        theirs = timm_model(FAMILIES[name].timm)
    found = {key for piece in translation(network(name), "timm").pieces for key in piece.theirs}
    assert found == set(theirs.state_dict())


@pytest.mark.parametrize("name", SMALL)
def test_source_reads_as_it_was_signed(name: str, golden) -> None:
    if "_140" in name:
        return  # the classes of mobilenetv2_100, with other numbers
    golden(f"families/{name}.py", network(name).source())


def classes_of(name: str) -> list[str]:
    return re.findall(r"^class (\w+)", network(name).source(), re.MULTILINE)


def test_a_block_of_many_forms_is_one_class() -> None:
    assert [found for found in classes_of("mobilenetv3_large_100") if "InvertedResidual" in found] == [
        "InvertedResidual"
    ]
    assert [found for found in classes_of("resnet50") if "Bottleneck" in found] == ["Bottleneck"]
    swin = network("swin_tiny_patch4_window7_224").source()
    assert classes_of("swin_tiny_patch4_window7_224").count("SwinBlock") == 1
    assert swin.count("SwinBlock(") == 1 + 4, "one definition, and one loop for each stage"
    assert "for shift, rate in zip([0, 3] * 3, rates[4:10])" in swin


def test_a_class_that_takes_an_activation_is_copied_and_kept() -> None:
    model = network("mobilenetv3_large_100").build(num_classes=2).eval()
    kept = io.BytesIO()
    torch.save(model, kept)
    kept.seek(0)
    images = image().float()
    with torch.no_grad():
        for other in (copy.deepcopy(model), torch.load(kept, weights_only=False)):
            assert torch.equal(model(images), other(images))


@pytest.mark.parametrize("name", SMALL)
def test_exports_trains_and_builds_at_another_resolution(name: str) -> None:
    model = network(name).build(num_classes=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.export(model.eval(), (torch.zeros(1, 3, 224, 224),))
    smaller = archdsl.load(FAMILIES[name].document, resolution=(448, 224))
    output = smaller.build(num_classes=3).train()(torch.randn(2, 3, 448, 224))
    outputs = output if isinstance(output, tuple) else (output,)
    sum(part.square().sum() for part in outputs).backward()
