"""Table 1: its rows are variants that print as the paper's figures; the attention forms are their formulas.

What carries the mark `parity` exports and trains; the rest is quick.
"""

from __future__ import annotations

import functools
import re

import ablations_page
import pytest
import torch
import torch.nn.functional as F
from ablations import DOCUMENT, ROWS, SET_ASIDE, form, largest_of_the_supernet
from reference import TOLERANCE, randomise, relative
from running import export, train
from torch import Tensor, nn
from zoo import ROWS as TABLE_2

import archdsl
from archdsl import verify
from archdsl.cost import Costs
from archdsl.library import Library

NAMES = [*ROWS, *SET_ASIDE]


@functools.cache
def network(name: str) -> archdsl.Network:
    return form(name) if name in SET_ASIDE else ROWS[name].load()


@functools.cache
def model(name: str) -> nn.Module:
    """In float64, with weights that leave nothing at rest."""
    built = network(name).build().double().eval()
    randomise(built)
    return built


def counted(name: str) -> tuple[int, int]:
    """Parameters and MACs in the counting of the paper's authors."""
    stats = network(name).stats("paper")
    return stats.params, stats.macs


# --- figures


@pytest.mark.parametrize("name", ROWS)
def test_figures_of_a_row(name: str) -> None:
    row, stats = ROWS[name], network(name).stats()
    assert (stats.params, stats.macs) == tuple(row.core)
    assert counted(name) == tuple(row.counted)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_prints_as_the_paper_has_it(name: str) -> None:
    row = ROWS[name]
    assert [row.printed(what) for what in ("params", "macs")] == [
        f"{row.paper[what]:.2f}" for what in ("params", "macs")
    ]
    assert not (row.ours and row.cut), "what is ours is rounded"


def test_pooling_and_depthwise_convolutions_cost_the_authors_the_same() -> None:
    assert counted("EfficientFormer_L1")[1] == counted("Depthwise_Mixer")[1]


def test_what_attention_at_higher_resolution_adds_and_its_stride_takes_away() -> None:
    """Sec. 3.4: 0.85 M and 0.27 G more, then 0.17 G less, of figures that are rounded each."""
    before, whole, strided = (
        counted(name)
        for name in ("Local_Value_And_Talking_Heads", "Attention_At_Higher_Resolution", "Stride_Attention")
    )
    assert (whole[0] - before[0], whole[1] - before[1]) == (840_930, 272_384_000)
    assert (strided[0] - whole[0], strided[1] - whole[1]) == (2_882, -176_240_064)
    assert whole[0] - before[0] == pytest.approx(0.85e6, abs=0.01e6)
    assert whole[1] - before[1] == pytest.approx(0.27e9, abs=0.01e9)
    assert strided[1] - whole[1] == pytest.approx(-0.17e9, abs=0.01e9)


def test_the_figures_of_the_forms_that_were_set_aside() -> None:
    figures = {name: (network(name).stats().params, network(name).stats().macs) for name in SET_ASIDE}
    assert figures == {
        "Window_Attention": (13_238_352, 1_402_845_952),
        "Reduced_Keys_And_Values": (13_216_128, 1_339_022_080),
    }


def test_the_largest_network_of_the_supernet_beside_the_paper() -> None:
    graph = largest_of_the_supernet()
    core, theirs = Costs(graph).network, Costs(graph, "paper").network
    assert (core.params, core.total_macs) == (36_717_272, 3_543_312_768)
    assert (theirs.params, theirs.total_macs) == (36_348_240, 3_544_352_576)
    paper = TABLE_2["supernet"].paper
    assert theirs.params / 1e6 / paper["params"] == pytest.approx(0.980, abs=0.001)
    assert theirs.total_macs / 1e9 / paper["macs"] == pytest.approx(0.993, abs=0.001)


# --- documents


def test_rows_are_small_variants_of_one_another() -> None:
    document = Library().open(DOCUMENT).document
    (base,) = document.networks
    variants = {variant.name: variant for variant in document.variants}
    assert [base.name, *variants] == list(ROWS), "in the order of the table"
    assert {name: variant.base.name for name, variant in variants.items()} == {
        name: row.after for name, row in ROWS.items() if row.after
    }
    assert max(len(variant.settings) for variant in variants.values()) <= 6


def test_the_first_row_is_the_network_of_table_2() -> None:
    row, other = network("EfficientFormer_L1"), archdsl.load("zoo/efficientformerv1#EfficientFormer_L1")
    assert row.graph.fingerprint == other.graph.fingerprint


def test_the_last_row_is_of_the_family_of_efficientformerv2() -> None:
    """Equal in all but this: the last normalisation is the head's here, as in EfficientFormer."""
    ratios = [[4] * 4, [5] + [4] * 3, [4] * 12, [4] * 8]
    settings = {"width": [32, 64, 160, 320], "expansion": ratios, "attention": 2}
    other = archdsl.load("efficientformerv2_base", parameters=settings)
    ours, theirs = (
        [(item.path, item.node.op, item.inputs, item.outputs) for item in graph.flat]
        for graph in (network("Dual_Path_Downsampling").graph, other.graph)
    )
    assert ours == theirs and len(ours) > 400


# --- modules


@pytest.mark.parametrize("name", NAMES)
def test_torch_and_fvcore_count_the_same(name: str) -> None:
    checks = verify.verify(network(name))
    assert [check.what for check in checks if not check.ok] == []
    assert len(checks) > 8


@pytest.mark.parity
@pytest.mark.parametrize("name", NAMES)
def test_exports(name: str) -> None:
    export(network(name))


@pytest.mark.parity
@pytest.mark.parametrize("name", NAMES)
def test_trains_at_another_resolution(name: str) -> None:
    load = functools.partial(form, name) if name in SET_ASIDE else ROWS[name].load
    # Windows of 7 x 7 positions cover a map whose sides are multiples of 7.
    size = (224, 448) if name == "Window_Attention" else (128, 192)
    train(load(resolution=size))


@pytest.mark.parametrize("name", NAMES)
def test_source_is_as_long_as_a_network_is_diverse(name: str) -> None:
    """Equal blocks are one class and a loop, whatever the depth; no class is there twice."""
    source = network(name).source()
    classes = re.findall(r"^class (\w+)", source, re.MULTILINE)
    assert len(classes) == len(set(classes)) <= 16
    assert not any(re.search(r"\d$", found) for found in classes[:-1]), "a number in place of a name"
    assert len(source.splitlines()) <= 430 and max(map(len, source.splitlines())) <= 100
    body = source[source.rindex("\nclass ") :]
    assert len(body.splitlines()) <= 75


@pytest.mark.parametrize("name", ["Unified_FFN", "Five_Stages", *SET_ASIDE])
def test_source_reads_as_it_was_signed(name: str, golden) -> None:
    golden(f"ablations/{name.lower()}.py", network(name).source())


def test_the_fifth_stage_is_a_map_of_the_pyramid() -> None:
    with torch.no_grad():
        maps = model("Five_Stages").features(torch.zeros(1, 3, 224, 224, dtype=torch.float64))
    assert [tuple(found.shape[1:]) for found in maps] == [
        (32, 56, 56), (64, 28, 28), (160, 14, 14), (224, 7, 7), (304, 4, 4)
    ]  # fmt: skip


# --- the forms of attention, each beside its formula


def norm(x: Tensor, bn: nn.BatchNorm2d) -> Tensor:
    shift, scale = (
        value.view(-1, 1, 1) for value in (bn.running_mean, bn.weight / (bn.running_var + bn.eps).sqrt())
    )
    return (x - shift) * scale + bn.bias.view(-1, 1, 1)


def project(x: Tensor, layer: nn.Module, **options: int) -> Tensor:
    """A convolution and its batch normalisation, as functions of the numbers in the layer."""
    return norm(F.conv2d(x, layer.conv.weight, layer.conv.bias, **options), layer.bn)


def heads_of(x: Tensor, heads: int = 8) -> Tensor:
    """A map's positions, row by row, as [batch, heads, positions, channels of a head]."""
    return x.reshape(x.shape[0], heads, -1, x.shape[2] * x.shape[3]).transpose(2, 3)


def distance_bias(
    table: Tensor, queries: list[tuple[int, int]], keys: list[tuple[int, int]], columns: int
) -> Tensor:
    """The entry of every head for the distance between each query and each key."""
    rows = [[abs(a - c) * columns + abs(b - d) for c, d in keys] for a, b in queries]
    return table[:, torch.tensor(rows)]


def grid(rows: int, columns: int, step: int = 1) -> list[tuple[int, int]]:
    return [(a, b) for a in range(0, rows, step) for b in range(0, columns, step)]


def mixed(scores: Tensor, layer: nn.Conv2d) -> Tensor:
    """Every head of an attention map a mixture of all: talking heads."""
    return torch.einsum("oi,binm->bonm", layer.weight[:, :, 0, 0], scores) + layer.bias.view(-1, 1, 1)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, mixer: nn.Module | None) -> Tensor:
    scores = torch.einsum("bhnd,bhmd->bhnm", q, k) / q.shape[-1] ** 0.5 + bias
    if mixer is not None:
        scores = mixed(scores, mixer.talking_head1)
    scores = scores.exp() / scores.exp().sum(-1, keepdim=True)
    if mixer is not None:
        scores = mixed(scores, mixer.talking_head2)
    return torch.einsum("bhnm,bhmd->bhnd", scores, v)


def map_of(x: Tensor, rows: int) -> Tensor:
    """[batch, heads, positions, channels] as a map again."""
    return x.transpose(2, 3).reshape(x.shape[0], x.shape[1] * x.shape[3], rows, -1)


def random_map() -> Tensor:
    return torch.randn(2, 160, 14, 14, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def compared(layer: nn.Module, formula: Tensor, x: Tensor) -> None:
    with torch.no_grad():
        assert relative(layer(x), formula) < TOLERANCE


@torch.no_grad()
def test_window_attention_is_attention_in_each_window() -> None:
    layer, x = model("Window_Attention").get_submodule("s3.11.token_mixer"), random_map()
    q, k, v = (project(x, part) for part in (layer.q, layer.k, layer.v))
    positions = grid(7, 7)
    bias = distance_bias(layer.bias.weight, positions, positions, columns=7)
    y = torch.empty_like(v)
    for row in range(0, 14, 7):
        for column in range(0, 14, 7):
            window = (..., slice(row, row + 7), slice(column, column + 7))
            y[window] = map_of(attend(*(heads_of(z[window]) for z in (q, k, v)), bias, layer), 7)
    y = y + project(v, layer.v_local, padding=1, groups=1024)
    compared(layer, project(F.gelu(y), layer.proj), x)


@torch.no_grad()
def test_downsampled_keys_and_values_are_equation_1() -> None:
    layer, x = model("Reduced_Keys_And_Values").get_submodule("s3.11.token_mixer"), random_map()
    small = (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4
    q, k, v = project(x, layer.q), project(small, layer.k), project(small, layer.v)
    bias = distance_bias(layer.bias.weight, grid(14, 14), grid(14, 14, step=2), columns=14)
    y = map_of(attend(heads_of(q), heads_of(k), heads_of(v), bias, layer), 14)
    compared(layer, project(F.gelu(y), layer.proj), x)


@torch.no_grad()
def test_attention_downsampling_is_equation_2() -> None:
    layer, x = model("Attention_Downsampling").down3, random_map()
    local = F.conv2d(x, layer.q_local.weight, layer.q_local.bias, stride=2, padding=1, groups=160)
    q, k, v = project(local + x[..., ::2, ::2], layer.q), project(x, layer.k), project(x, layer.v)
    bias = distance_bias(layer.bias.weight, grid(14, 14, step=2), grid(14, 14), columns=14)
    y = map_of(attend(heads_of(q), heads_of(k), heads_of(v), bias, None), 7)
    y = y + project(v, layer.v_local, stride=2, padding=1, groups=512)
    compared(layer, project(F.gelu(y), layer.proj), x)


@torch.no_grad()
def test_stride_attention_is_attention_on_a_smaller_map() -> None:
    layer, x = model("Stride_Attention").get_submodule("s3.11.token_mixer"), random_map()
    small = project(x, layer.stride_conv, stride=2, padding=1, groups=160)
    q, k, v = (project(small, part) for part in (layer.q, layer.k, layer.v))
    bias = distance_bias(layer.bias.weight, grid(7, 7), grid(7, 7), columns=7)
    y = map_of(attend(heads_of(q), heads_of(k), heads_of(v), bias, layer), 7)
    y = y + project(v, layer.v_local, padding=1, groups=1024)
    y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
    compared(layer, project(F.gelu(y), layer.proj), x)


@torch.no_grad()
def test_the_blocks_between_the_two_families_are_their_formulas() -> None:
    """The mixer of Sec. 3.1, and the feed-forward network that convolves the map of its tokens."""
    block = model("Depthwise_Mixer").s3[0]
    x = torch.randn(2, 224, 14, 14, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    y = x + project(x, block.token_mixer, padding=1, groups=224) * block.scale1.gamma.view(-1, 1, 1)
    hidden = project(F.gelu(project(y, block.mlp.fc1)), block.mlp.fc2)
    compared(block, y + hidden * block.scale2.gamma.view(-1, 1, 1), x)

    mlp = model("Unified_FFN").get_submodule("s4.3.mlp")
    tokens = torch.randn(2, 49, 448, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    hidden = F.gelu(tokens @ mlp.fc1.weight.T + mlp.fc1.bias).transpose(1, 2).reshape(2, 1792, 7, 7)
    hidden = F.gelu(project(hidden, mlp.mid, padding=1, groups=1792)).reshape(2, 1792, 49).transpose(1, 2)
    compared(mlp, hidden @ mlp.fc2.weight.T + mlp.fc2.bias, tokens)


def test_the_page_is_current(golden) -> None:
    golden(ablations_page.PAGE, ablations_page.page())
