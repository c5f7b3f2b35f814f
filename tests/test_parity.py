"""Outputs equal to timm's, with every parameter and buffer randomised, in float64."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import torch
from reference import TOLERANCE, randomise, record, relative, timm_model

import archdsl
from archdsl.weights.key_maps import translation

BLOCKS = Path(archdsl.__file__).parent.parent / "specs" / "blocks" / "efficientformerv2.arch"


@functools.cache
def reference_model(name: str):
    model = timm_model(name).double()
    randomise(model)
    return model


def timm_names(network: archdsl.Network) -> dict[str, str]:
    """timm's names of our weights, as the documents declare them; none of them changes its shape."""
    pieces = translation(network, "timm").pieces
    return {ours: theirs for piece in pieces for ours, theirs in zip(piece.ours, piece.theirs, strict=True)}


def pair(spec: str, search: tuple[str, ...] = (), path: str | None = None):
    """(ours, timm's), with equal weights."""
    theirs = reference_model(f"efficientformerv2_{spec}")
    network = archdsl.load(path or spec, search=search)
    ours = network.build().double()
    state = theirs.state_dict()
    names = timm_names(network)
    assert sorted(names.values()) == sorted(state)
    ours.load_state_dict({key: state[theirs] for key, theirs in names.items()}, strict=True)
    return ours, theirs


def images(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, 224, 224, generator=generator, dtype=torch.float64)


# Our path of a block and timm's: every block, and the attention inside it.
def block_pairs(ours: torch.nn.Module) -> list[tuple[str, str]]:
    result = [("stem", "stem")]
    for stage in range(1, 5):
        if stage > 1:
            result.append((f"down{stage - 1}", f"stages.{stage - 1}.downsample"))
        for index, block in enumerate(getattr(ours, f"s{stage}")):
            result.append((f"s{stage}.{index}", f"stages.{stage - 1}.blocks.{index}"))
            if hasattr(block, "token_mixer"):
                inner = (f"s{stage}.{index}.token_mixer", f"stages.{stage - 1}.blocks.{index}.token_mixer")
                result.append(inner)
    return [*result, ("norm", "norm")]


@pytest.mark.parametrize("spec", ["s0", "l"])
def test_evaluation_equals_timm_whole_and_block_by_block(spec: str) -> None:
    ours, theirs = pair(spec)
    ours.eval(), theirs.eval()
    pairs = block_pairs(ours)
    for seed in (1, 2):
        image = images(seed)[:1]
        with torch.no_grad():
            logits, wanted = ours(image), theirs(image)
        assert relative(logits, wanted) < TOLERANCE
        mine = record(ours, [a for a, _ in pairs], image)
        other = record(theirs, [b for _, b in pairs], image)
        for a, b in pairs:
            assert relative(mine[a], other[b]) < TOLERANCE, a


@pytest.mark.parametrize("spec", ["s0", "l"])
def test_training_equals_timm_with_both_heads_and_statistics(spec: str) -> None:
    ours, theirs = pair(spec)
    for module in (ours, theirs):
        module.train()
        for inner in module.modules():
            if type(inner).__name__ == "DropPath":
                inner.eval()
    theirs.set_distilled_training(True)
    before = {key: value.clone() for key, value in theirs.state_dict().items()}
    try:
        with torch.no_grad():
            mine, other = ours(images(3)), theirs(images(3))
        assert isinstance(mine, tuple) and len(mine) == len(other) == 2
        for a, b in zip(mine, other, strict=True):
            assert relative(a, b) < TOLERANCE
        after = theirs.state_dict()
        mine_after = ours.state_dict()
        for key, name in timm_names(archdsl.load(spec)).items():
            if "running" in key:
                assert relative(mine_after[key], after[name]) < TOLERANCE, key
    finally:
        theirs.load_state_dict(before)
        theirs.set_distilled_training(False)


FAULTS = {
    "a residual is missing": (
        "return x + (y |> scale: layer_scale(1e-5) |> drop_path)",
        "return y |> scale: layer_scale(1e-5) |> drop_path",
    ),
    "the bias comes after the talking head": (
        "if position_bias { a = a + bias: attention_bias(heads, query = [h, w], key = [h, w]) }\n"
        "  a = if talking_heads { a |> talking_head1: mix_heads |> softmax",
        "b = a |> talking_head1: mix_heads\n"
        "  a = b + bias: attention_bias(heads, query = [h, w], key = [h, w])\n"
        "  a = if talking_heads { a |> softmax",
    ),
    "the keys' heads are the fast axis": (
        'k = z |> k: conv_bn(heads * key_dim) |> rearrange("(n d) h w -> n d (h w)", n = heads)',
        'k = z |> k: conv_bn(heads * key_dim) |> rearrange("(d n) h w -> n d (h w)", n = heads)',
    ),
    "the upsampling is nearest": ('upsample(stride, mode = "bilinear")', "upsample(stride)"),
    "the attention is not scaled": ("a = q @ k * key_dim ** -0.5\n", "a = q @ k\n"),
    "locality in V takes no part": (
        "y = y + (v |> v_local: conv_bn(heads * value_dim, kernel = 3, groups = heads * value_dim))",
        "u = v |> v_local: conv_bn(heads * value_dim, kernel = 3, groups = heads * value_dim)\n"
        "    y = y + (u - u)",
    ),
    "an activation is missing": (
        "return y |> act |> proj: conv_bn(dim)",
        "return y |> proj: conv_bn(dim)",
    ),
    "rows and columns are swapped": (
        'rearrange("n (h w) d -> (n d) h w", h = h)\n  if local_value',
        'rearrange("n (w h) d -> (n d) h w", h = h)\n  if local_value',
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wiring_fault_in_a_block_is_seen(fault: str, tmp_path: Path) -> None:
    right, wrong = FAULTS[fault]
    text = BLOCKS.read_text(encoding="utf-8")
    assert text.count(right) == 1, "the fault no longer fits the block: write it anew"
    (tmp_path / "efficientformerv2.arch").write_text(text.replace(right, wrong), encoding="utf-8")
    ours, theirs = pair("s0", search=(str(tmp_path),))
    ours.eval(), theirs.eval()
    image = images(1)[:1]
    with torch.no_grad():
        assert relative(ours(image), theirs(image)) > 1e-6
