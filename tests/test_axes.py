"""`...` in the shapes of a block: any first axes, the same in all of its tensors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import archdsl
from archdsl.formatter import formatted_file
from archdsl.source import ArchError

BLOCKS = """archdsl 1
block mlp(x: [..., dim]; expansion: ratio = 4) -> [..., dim] {
  hidden = int(dim * expansion)
  y: [..., hidden] = x |> fc1: linear(hidden) |> gelu
  if expansion > 2 { z: [..., hidden] = y * 2; y = z }
  return y |> fc2: linear(dim)
}
block tokens(x: [C, H, W]) -> [H * W, C] { return x |> rearrange("c h w -> (h w) c") }
block pooled(x: [n, C]) -> [C] { return x |> mean(0) }
block gated(x: [..., C], y: [..., 1]) -> [..., C] { return x * y }
"""


def load(folder: Path, text: str) -> archdsl.Network:
    path = folder / "axes.arch"
    path.write_text(BLOCKS + text, encoding="utf-8")
    return archdsl.load(str(path))


def test_one_block_is_one_class_for_any_number_of_axes(tmp_path: Path) -> None:
    network = load(tmp_path, "network N(x: [3, 4, 5]) { a: mlp; b: tokens; c: mlp; d: pooled; e: mlp }")
    network.graph.verify()
    source = network.source()
    # A tensor of one axis has none for `...`: its class says so.
    assert re.findall(r"class (MLP\w*)", source) == ["MLP", "MLP2"]
    assert "[..., hidden]" in source and "axis0" not in source
    module = network.build().eval()
    image = torch.randn(2, 3, 4, 5)
    with torch.no_grad():
        wanted = module.a.fc2(torch.nn.functional.gelu(module.a.fc1(image)) * 2)
        assert torch.equal(module.a(image), wanted)
        assert module(image).shape == (2, 3)
    assert network.graph.dump("c").startswith("block mlp(axis0 = 20, dim = 3; expansion = 4.0)")


def test_names_of_its_own_keep_their_meaning(tmp_path: Path) -> None:
    text = "block own(x: [..., C]; axis0: dim) -> [..., axis0] { return x |> l: linear(axis0) }\n"
    network = load(tmp_path, text + "network N(x: [3, 4, 5]) { a: own(7) }")
    assert network.graph.template.types[1].values == (3, 4, 7)
    network.graph.verify()


HEADS = """block heads(x: [..., n, dim]; h: dim = 2) -> [..., h, n, dim / h] {
  for i in [0, 1] { if i > 0 { x = x |> rearrange("... n axis0 -> ... n axis0") } }
  return x |> rearrange("... n (h d) -> ... h n d", h = h)
}
block last_first(x: [..., d]) -> [d, n] { return x |> rearrange("... d -> d (...)") }
"""


@pytest.mark.parametrize("before", ["(a b) n d -> (a b n) d", "(a b) n d -> (a b) n d", "(a b) n d -> a b n d"])
def test_patterns_say_it_too(before: str, tmp_path: Path) -> None:
    entries = f'shaped: rearrange("{before}", a = 2, b = 3); a: heads; b: last_first'
    network = load(tmp_path, f"{HEADS}network N(x: [6, 5, 4]) {{ {entries} }}")
    network.graph.verify()
    x = torch.randn(2, 6, 5, 4)
    shaped = x.reshape(2, *network.graph.template.types[network.graph.template.nodes[0].outputs[0]].values)
    parted = shaped.unflatten(-1, (2, 2)).transpose(-2, -3)
    assert torch.equal(network.build()(x), parted.flatten(1, -2).transpose(1, 2))


def test_of_no_axes_a_pattern_is_the_one_without(tmp_path: Path) -> None:
    prints = {
        load(
            tmp_path,
            f"block b(x: [{rest}n, d]; h: dim = 2) -> [{rest}h, n, d / h] {{\n"
            f'  return x |> rearrange("{pattern}", h = h)\n}}\n'
            'network N(x: [6, 5, 4]) { flat: rearrange("a n d -> (a n) d"); b: b }',
        ).graph.fingerprint
        for rest, pattern in (("", "n (h d) -> h n d"), ("..., ", "... n (h d) -> ... h n d"))
    }
    assert len(prints) == 1


def test_in_other_blocks_a_pattern_has_no_such_axes(tmp_path: Path) -> None:
    text = 'block b(x: [n, m, d]) -> [d, n, m] { return x |> rearrange("... d -> d ...") }\n'
    with pytest.raises(ArchError) as caught:
        load(tmp_path, text + "network N(x: [3, 4, 5]) { a: b }").graph  # noqa: B018
    (mistake,) = caught.value.diagnostics
    assert "'...' can't stand in a pattern" in mistake.message
    assert mistake.help is not None and "whose shapes begin with it" in mistake.help


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("network N(x: [..., 4, 5]) { a: relu }", "the input of a network has axes of its own"),
        ("network N(x: [..., 3, 4, 5]) { a: relu }", "the input of a network has axes of its own"),
        ("block b(x: [C, ...]) -> [C] { return x }\nnetwork N(x: [3, 4, 5]) { a: b }", "x is [C, ...]"),
        (
            "block b(x: [C, H, W]) -> [..., W] { return x }\nnetwork N(x: [3, 4, 5]) { a: b }",
            "'...' stands first in the shapes of a block",
        ),
        (
            "block b(x: [C, H, W]) -> [C, H, W] { y: [..., W] = x; return y }\n"
            "network N(x: [3, 4, 5]) { a: b }",
            "'...' stands first in the shapes of a block",
        ),
        (
            "block b(x: [..., n, d]) -> [..., d] { return x |> mean(-2) }\n"
            "block c(x: [C, H, W]) -> [C] { return x |> global_avg_pool |> b }\n"
            "network N(x: [3, 4, 5]) { a: c }",
            "x is [..., n, d], got [3]",
        ),
        (
            "block c(x: [C, H, W]) -> [C, H, W] { return gated(x, x |> mean([1, 2], keep = true)) }\n"
            "network N(x: [3, 4, 5]) { a: c }",
            "axis1 is 4 and 1 in one call",
        ),
    ],
)  # fmt: skip
def test_where_it_can_not_stand(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ArchError) as caught:
        load(tmp_path, text).graph  # noqa: B018
    assert message in caught.value.diagnostics[0].message
    assert caught.value.diagnostics[0].span is not None


def test_both_surfaces_say_it(tmp_path: Path) -> None:
    network = load(tmp_path, "network N(x: [3, 4, 5]) { a: mlp }")
    text, _ = formatted_file(str(tmp_path / "axes.arch"), "yaml")
    assert "'(x: [..., dim]; expansion: ratio = 4) -> [..., dim]'" in text and "y: [..., hidden] = x" in text
    (tmp_path / "axes.yaml").write_text(text, encoding="utf-8")
    assert archdsl.load(str(tmp_path / "axes.yaml")).graph.fingerprint == network.graph.fingerprint
