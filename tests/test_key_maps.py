"""Key maps: what each kind of rule does to names and numbers, against references written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import archdsl
from archdsl.source import ArchError
from archdsl.weights.key_maps import own_names, owned_weights, translation

BLOCKS = """archdsl 1
block three(x: [c, h, d]; wide: dim = 8) -> [c, h, 8 + wide] {
  return concat([x |> q: linear(4), x |> k: linear(4), x |> v: linear(wide)], axis = -1)
}
block outer(x: [c, h, d]) -> [c, h, 16] { return x |> inner: three }
block one(x: [c, h, d]) -> [c, h, 12] { return x |> qkv: linear(12) }
block norms(x: [C, H, W]) -> [C + C, H, W] { return concat([x |> a: batch_norm, x |> b: batch_norm]) }
block norms2(x: [C, H, W]) -> [C + C, H, W] { return concat([x |> a: batch_norm, x |> b: group_norm(1)]) }
block scaled(x: [C, H, W]) -> [C, H, W] { return x |> scale: layer_scale(0.5) }
block layers(x: [C, H, W]; n: dim = 2) -> [C, H, W] {
  y = x
  for i in range(n) { y = y |> conv[i]: conv2d(C, kernel = 1) }
  return y
}
block biased(x: [C, H, W]) -> [C, H * W, H * W] {
  return (x |> rearrange("c h w -> c (h w) ()")) + bias: attention_bias(C, query = [H, W], key = [H, W])
}
"""


def network(folder: Path, entries: str, keys: str, shape: str = "[3, 4, 6]", more: str = "") -> archdsl.Network:
    """A network of some of these blocks, with key rules."""
    path = folder / "net.arch"
    path.write_text(f"{BLOCKS}network N(x: {shape}) {{\n{entries}\n}}\nkeys other {{\n{keys}\n}}\n{more}")
    return archdsl.load(path)


def random_model(of: archdsl.Network) -> torch.nn.Module:
    torch.manual_seed(1)
    model = of.build()
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape))
    return model


def other_names(of: archdsl.Network, folder: Path) -> dict[str, torch.Tensor]:
    """A random module's weights under the other names; that they come back whole is seen to."""
    model = random_model(of)
    archdsl.save_weights(model, folder / "other.safetensors", keys="other")
    again = of.build()
    report = archdsl.load_weights(again, folder / "other.safetensors", keys="other")
    assert report.keys == "other" and set(report.loaded) == set(model.state_dict())
    for key, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[key], tensor), key
    return load_file(folder / "other.safetensors")


def own(of: archdsl.Network) -> dict[str, torch.Tensor]:
    return random_model(of).state_dict()


def test_names_lead_through_templates(tmp_path: Path) -> None:
    rules = """
      N { "e" -> ""; "s.*" -> "blocks.*" }
      outer { "inner" -> "attn" }
      three { "q" -> "query"; "*" -> "other.*" }
    """
    entries = "e: outer\nstage s { layers * 2; last: layers(3) }"
    made = other_names(network(tmp_path, entries, rules), tmp_path)
    assert {key for key in made if "weight" in key} == {
        "attn.query.weight", "attn.other.k.weight", "attn.other.v.weight",
        *(f"blocks.{i}.conv.{j}.weight" for i in (0, 1) for j in (0, 1)),
        *(f"blocks.last.conv.{j}.weight" for j in (0, 1, 2)),
    }  # fmt: skip


def test_a_pattern_may_end_inside_a_label_and_reach_into_other_blocks(tmp_path: Path) -> None:
    rules = 'N { "s" -> "stages.1"; "e.inner.q" -> "q" }\nlayers { "conv.*" -> "layer.*.0" }'
    made = other_names(network(tmp_path, "e: outer\nstage s { layers }", rules), tmp_path)
    assert {"q.weight", "e.inner.k.weight", "stages.1.0.layer.1.0.weight"} <= set(made)


def test_joined(tmp_path: Path) -> None:
    of = network(tmp_path, "e: three", 'three { "q", "k", "v" -> "qkv" }')
    made, ours = other_names(of, tmp_path), own(of)
    assert set(made) == {"e.qkv.weight", "e.qkv.bias"}
    for name in ("weight", "bias"):
        assert torch.equal(made[f"e.qkv.{name}"], torch.cat([ours[f"e.{part}.{name}"] for part in "qkv"]))


def test_joined_in_the_order_of_the_rule(tmp_path: Path) -> None:
    of = network(tmp_path, "e: three", 'three { "v", "q", "k" -> "vqk" }')
    made, ours = other_names(of, tmp_path), own(of)
    for name in ("weight", "bias"):
        assert torch.equal(made[f"e.vqk.{name}"], torch.cat([ours[f"e.{part}.{name}"] for part in "vqk"]))


def test_stars_stand_for_what_they_stood_for_in_order(tmp_path: Path) -> None:
    rules = 'N { "s.*.conv.*" -> "blocks.*.c.*"; "e.*.weight" -> "*.of.e" }'
    made = other_names(network(tmp_path, "e: three\nstage s { layers * 2; last: layers(3) }", rules), tmp_path)
    assert {key for key in made if "bias" not in key} == {
        *(f"blocks.{i}.c.{j}.weight" for i in (0, 1) for j in (0, 1)),
        *(f"blocks.last.c.{j}.weight" for j in (0, 1, 2)),
        *(f"{part}.of.e" for part in "qkv"),
    }


def test_numbers_go_on_from_the_first(tmp_path: Path) -> None:
    rules = 'N { "s.*" -> "blocks.*" (first = 9); "s" -> "named"; "t.*.conv.*" -> "t.*.*" (first = 1) }'
    entries = "stage s { layers * 2; last: layers(3) }\nstage t { layers(1) }"
    made = other_names(network(tmp_path, entries, rules), tmp_path)
    assert {key for key in made if "bias" not in key} == {
        *(f"blocks.{i}.conv.{j}.weight" for i in (9, 10) for j in (0, 1)),
        *(f"named.last.conv.{j}.weight" for j in (0, 1, 2)),
        "t.1.1.weight",
    }


def test_numbers_get_a_step_apart(tmp_path: Path) -> None:
    rules = """N {
      "s.*.conv" -> "blocks.*.a" (step = 2); "t.*.conv" -> "blocks.*.a" (first = 5, step = 3)
    }"""
    made = other_names(
        network(tmp_path, "stage s { layers(1) * 3 }\nstage t { layers(1) * 2 }", rules), tmp_path
    )
    assert {key for key in made if "bias" not in key} == {f"blocks.{i}.a.0.weight" for i in (0, 2, 4, 5, 8)}


def test_numbers_that_begin_below_0_fit_from_0_on(tmp_path: Path) -> None:
    """Theirs begin anew behind our block 0, for which the rule is not."""
    rules = 'N { "s.*" -> "rest.*" (first = -1); "s.0" -> "down" }'
    made = other_names(network(tmp_path, "stage s { layers(1) * 3 }", rules), tmp_path)
    assert {key for key in made if "bias" not in key} == {
        "down.conv.0.weight",
        *(f"rest.{i}.conv.0.weight" for i in (0, 1)),
    }


def test_a_star_may_be_a_part_of_their_segment(tmp_path: Path) -> None:
    rules = 'N { "s.*.conv.*" -> "stage1.block*.c*_2" (first = 1); "e.*" -> "attention.to_*" }'
    made = other_names(network(tmp_path, "e: three\nstage s { layers * 2 }", rules), tmp_path)
    assert {key for key in made if "bias" not in key} == {
        *(f"stage1.block{i}.c{j}_2.weight" for i in (1, 2) for j in (1, 2)),
        *(f"attention.to_{part}.weight" for part in "qkv"),
    }


def test_joined_in_groups(tmp_path: Path) -> None:
    """Head by head: [2, 2 of q + 2 of k + 4 of v], as timm's EfficientFormer keeps them."""
    of = network(tmp_path, "e: three", 'three { "q", "k", "v" -> "qkv" (groups = 2) }')
    made, ours = other_names(of, tmp_path), own(of)
    rows = []
    for head in range(2):
        for part, share in (("q", 2), ("k", 2), ("v", 4)):
            rows += [ours[f"e.{part}.weight"][head * share + i] for i in range(share)]
    assert torch.equal(made["e.qkv.weight"], torch.stack(rows))


def test_joined_along_an_axis_and_reshaped(tmp_path: Path) -> None:
    rules = 'three { "q.weight", "k.weight" -> "qk" (axis = 1, reshape = [2, 2, -1]) }'
    of = network(tmp_path, "e: three", rules)
    made, ours = other_names(of, tmp_path), own(of)
    joined = torch.cat([ours["e.q.weight"], ours["e.k.weight"]], dim=1)
    assert torch.equal(made["e.qk"], joined.reshape(2, 2, 12))
    assert torch.equal(made["e.q.bias"], ours["e.q.bias"])


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("flip = [0]", lambda x: x.flip(0)),
        ("flip = [1, 0]", lambda x: x.flip(0, 1)),
        ("permute = [1, 0]", lambda x: x.T),
        ("permute = [1, 0], flip = [1]", lambda x: x.flip(1).T),
        ("flip = [0], permute = [1, 0], reshape = [2, 3, -1]", lambda x: x.flip(0).T.reshape(2, 3, 4)),
        ("permute = [1, 0], unsqueeze = 0", lambda x: x.T.unsqueeze(0)),
    ],
)
def test_axes_turned_and_in_another_order(
    options: str, wanted: Callable[[torch.Tensor], torch.Tensor], tmp_path: Path
) -> None:
    of = network(tmp_path, "e: three", f'three {{ "q.weight" -> "w" ({options}) }}')
    made, ours = other_names(of, tmp_path), own(of)
    assert torch.equal(made["e.w"], wanted(ours["e.q.weight"]))


def test_axes_of_four_come_back_in_their_order(tmp_path: Path) -> None:
    """An order that is not its own inverse: TensorFlow's [rows, columns, in, out] of a convolution."""
    more = "block deep(x: [C, H, W]) -> [5, H, W] { return x |> c: conv2d(5, kernel = 3) }\n"
    rules = 'deep { "c.weight" -> "kernel" (permute = [2, 3, 1, 0]) }'
    of = network(tmp_path, "e: deep", rules, more=more)
    made, ours = other_names(of, tmp_path), own(of)
    assert made["e.kernel"].shape == (3, 3, 3, 5)
    assert torch.equal(made["e.kernel"], ours["e.c.weight"].permute(2, 3, 1, 0))


def test_parted(tmp_path: Path) -> None:
    of = network(tmp_path, "e: one", 'one { "qkv" -> "to.q", "to.k", "to.v" }')
    made, ours = other_names(of, tmp_path), own(of)
    for i, part in enumerate("qkv"):
        for name in ("weight", "bias"):
            assert torch.equal(made[f"e.to.{part}.{name}"], ours[f"e.qkv.{name}"][4 * i : 4 * i + 4])


def test_parted_in_groups_by_sizes(tmp_path: Path) -> None:
    of = network(tmp_path, "e: one", 'one { "qkv" -> "q", "v" (sizes = [4, 8], groups = 2) }')
    made, ours = other_names(of, tmp_path), own(of)
    rows = ours["e.qkv.weight"]
    assert torch.equal(made["e.q.weight"], torch.stack([rows[i] for i in (0, 1, 6, 7)]))
    assert torch.equal(made["e.v.weight"], torch.stack([rows[i] for i in (2, 3, 4, 5, 8, 9, 10, 11)]))


def test_counters_are_one_where_layers_are(tmp_path: Path) -> None:
    of = network(tmp_path, "e: norms", 'norms { "a", "b" -> "ab" }')
    made = other_names(of, tmp_path)
    assert made["e.ab.weight"].shape == (6,) and made["e.ab.num_batches_tracked"].shape == ()
    model = of.build()
    model.e.a.num_batches_tracked.fill_(3)
    with pytest.raises(ArchError, match=r"counters that become one differ: \[0, 3\]"):
        archdsl.save_weights(model, tmp_path / "x.safetensors", keys="other")
    assert not (tmp_path / "x.safetensors").exists()


def test_parted_weights_have_memory_of_their_own(tmp_path: Path) -> None:
    """Each part is written whole: one counter for both, and columns that do not lie side by side."""
    rules = 'norm { "both" -> "a", "b" }\none { "qkv.weight" -> "w1", "w2", "w3" (axis = 1) }'
    more = "block norm(x: [C, H, W]) -> [C, H, W] { return x |> both: batch_norm }\n"
    of = network(tmp_path, "e: norm\nf: one", rules, "[4, 4, 6]", more)
    made, ours = other_names(of, tmp_path), own(of)
    assert torch.equal(torch.cat([made["e.a.weight"], made["e.b.weight"]]), ours["e.both.weight"])
    assert made["e.a.num_batches_tracked"] == made["e.b.num_batches_tracked"] == 0
    assert torch.equal(torch.cat([made[f"f.w{i}"] for i in (1, 2, 3)], 1), ours["f.qkv.weight"])


def test_reshaped(tmp_path: Path) -> None:
    rules = 'scaled { "scale.gamma" -> "layer_scale" (reshape = [-1, 1, 1]) }'
    of = network(tmp_path, "e: scaled", rules)
    made, ours = other_names(of, tmp_path), own(of)
    assert torch.equal(made["e.layer_scale"], ours["e.scale.gamma"].reshape(3, 1, 1))


def test_dropped(tmp_path: Path) -> None:
    of = network(tmp_path, "e: scaled", 'scaled { drop "relative.*.index", "mask" }')
    model = random_model(of)
    surplus = {key: torch.zeros(2) for key in ("e.relative.0.index", "mask", "e.mask")}
    state = {**model.state_dict(), **surplus}
    save_file(state, tmp_path / "a.safetensors")
    again = of.build()
    report = archdsl.load_weights(again, tmp_path / "a.safetensors")
    assert report.keys == "other"
    assert set(report.dropped) == set(surplus)
    assert torch.equal(again.e.scale.gamma, model.e.scale.gamma)
    save_file({**state, "e.a.mask.b": torch.zeros(1)}, tmp_path / "b.safetensors")
    with pytest.raises(ArchError, match=r"nothing of ours is 'e\.a\.mask\.b'"):
        archdsl.load_weights(again, tmp_path / "b.safetensors", keys="other")


def test_what_the_constructor_makes_is_written_and_compared(tmp_path: Path) -> None:
    of = network(
        tmp_path, "e: biased", 'biased { "bias.index" -> "idxs"; "bias.weight" -> "biases" }', "[2, 2, 3]"
    )
    made = other_names(of, tmp_path)
    assert set(made) == {"e.idxs", "e.biases"}
    wanted = [[abs(i // 3 - j // 3) * 3 + abs(i % 3 - j % 3) for j in range(6)] for i in range(6)]
    assert made["e.idxs"].tolist() == wanted
    made["e.idxs"][0, 0] = 1
    save_file(made, tmp_path / "wrong.safetensors")
    with pytest.raises(ArchError, match="differs from what the network makes in 1 of 36 places"):
        archdsl.load_weights(of.build(), tmp_path / "wrong.safetensors", keys="other")
    # A rule for all that is below names no buffer that nobody stores.
    below = network(tmp_path, "e: biased", 'biased { "bias" -> "b"; }', "[2, 2, 3]")
    assert set(other_names(below, tmp_path)) == {"e.b.weight"}


def test_both_surfaces_say_the_same(tmp_path: Path) -> None:
    text = """
      three { "q", "k", "v" -> "qkv" (groups = 2) }
      one { "qkv" -> "q", "v" (sizes = [4, 8]) }
      scaled { "scale.gamma" -> "layer_scale" (flip = [0], permute = [0], reshape = [-1, 1, 1]); drop "mask" }
      N { "e" -> ""; "s.*" -> "t.*" (first = 3) }
    """
    entries = "e: scaled\nf: three\nstage s { layers(1) }\n"
    one = network(tmp_path, entries, text)
    (tmp_path / "blocks.arch").write_text(BLOCKS)
    (tmp_path / "net.yaml").write_text("""archdsl: 1
import: blocks
network: N
input: [3, 4, 6]
body:
  e: scaled
  f: three
  s:
    blocks:
      - layers(1)
keys:
  other:
    three:
      q, k, v: {to: qkv, groups: 2}
    one:
      qkv: {to: [q, v], sizes: [4, 8]}
    scaled:
      scale.gamma: {to: layer_scale, flip: [0], permute: [0], reshape: [-1, 1, 1]}
      drop: [mask]
    N:
      e: ""
      s.*: {to: t.*, first: 3}
""")
    two = archdsl.load(tmp_path / "net.yaml")
    a, b = other_names(one, tmp_path), other_names(two, tmp_path)
    joined, numbered = {"f.qkv.weight", "f.qkv.bias"}, {"t.3.conv.0.weight", "t.3.conv.0.bias"}
    assert set(a) == {"layer_scale", *joined, *numbered} and a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert translation(two, "other").drops == translation(one, "other").drops == (("mask",),)


def test_variants_follow_the_rules_of_the_network_that_they_come_from(tmp_path: Path) -> None:
    entries = "e: scaled\nf: one\ng: linear(12)"
    rules = 'N { "e" -> "e1"; "f" -> "f1"; "g" -> "g1" }\nV { "f" -> "f2" }'
    of = network(tmp_path, entries, rules, more="variant V : N { unset e }\nbuild N\n")
    assert {key.split(".")[0] for key in other_names(of, tmp_path)} == {"e1", "f1", "g1"}
    variant = archdsl.load(f"{tmp_path}/net.arch#V")
    assert {key.split(".")[0] for key in other_names(variant, tmp_path)} == {"f2", "g1"}


@pytest.mark.parametrize("spec", ["s0", "l"])
def test_our_names_are_those_of_the_graph(spec: str) -> None:
    graph = archdsl.load(spec).graph
    assert [(owned.key, owned.weight) for owned in owned_weights(graph)] == list(graph.weights())
    assert [piece.ours for piece in own_names(graph).pieces] == [
        (key,) for key, weight in graph.weights() if weight.role != "derived"
    ]


# entries, rules -> code, message, help; the place is that of what is in guillemets
WRONG = {
    "a block that there is not": (
        "e: three", '«thre» { "q" -> "x" }', "E0801", "no block or network 'thre'", "did you mean 'three'?",
    ),
    "a label that there is not": (
        "e: three", 'three { «"w" -> "x"» }', "E0803", "no label 'w' in three", "labels: k, q, v",
    ),
    "a label that is nearly there": (
        "e: layers", 'layers { «"conf.0" -> "x.0"» }', "E0803", "no label 'conf' in layers",
        "did you mean 'conv'?",
    ),
    "a label inside another block": (
        "e: outer", 'outer { «"inner.w" -> "x"» }', "E0803", "no label 'w' in three", "labels: k, q, v",
    ),
    "a label of a block that is not used": (
        "e: three", 'scaled { «"scole.gamma" -> "x"» }', "E0803", "no label 'scole' in scaled",
        "did you mean 'scale'?",
    ),
    "an entry of the network": (
        "entry: three", 'N { «"enty" -> "x"» }', "E0803", "no label 'enty' in N", "did you mean 'entry'?",
    ),
    "a weight that there is not": (
        "e: scaled", 'scaled { «"scale.gama" -> "x"» }', "E0803", "no weight 'gama' in scale of scaled",
        "did you mean 'gamma'?",
    ),
    "two become one": (
        "e: three", 'three { "q" -> "x"; «"k" -> "x"» }', "E0804",
        "'e.q.weight' and 'e.k.weight' both become 'e.x.weight'", "give one of them another name",
    ),
    "one becomes what another is": (
        "e: three", 'three { «"q" -> "k"» }', "E0804",
        "'e.q.weight' and 'e.k.weight' both become 'e.k.weight'", "give one of them another name",
    ),
    "nothing is left": (
        "e: scaled", 'N { "e" -> "" }\nscaled { «"scale.gamma" -> ""» }', "E0804",
        "nothing is left of the key 'e.scale.gamma'", "name it",
    ),
    "joined of different layers": (
        "e: norms2", 'norms2 { «"a", "b" -> "ab"» }', "E0804",
        "'e.ab.running_mean' is joined of e.a.running_mean alone; 'b' has no such weight",
        "names that are joined own the same weights",
    ),
    "joined along no axis": (
        "e: three", 'three { «"q", "k" -> "qk" (axis = 1)» }', "E0804",
        "e.q.bias and e.k.bias: [4] and [4] have no axis 1 to be joined along",
        "see the shapes with: archdsl show",
    ),
    "groups that do not divide": (
        "e: three", 'three { «"q", "k", "v" -> "qkv" (groups = 3)» }', "E0804",
        "e.q.weight and e.k.weight and e.v.weight: 4 can't be parted into 3 groups",
        "see the shapes with: archdsl show",
    ),
    "unequal shares": (
        "e: three", 'three { «"v" -> "a", "b", "c"» }', "E0804",
        "e.v.weight: 8 can't be parted into 3 equal shares", "see the shapes with: archdsl show",
    ),
    "sizes that do not add up": (
        "e: three", 'three { «"v" -> "a", "b" (sizes = [4, 3])» }', "E0804",
        "e.v.weight: sizes [4, 3] make 7, the axis has 8", "see the shapes with: archdsl show",
    ),
    "a shape that does not fit": (
        "e: scaled", 'scaled { «"scale.gamma" -> "x" (reshape = [2, -1])» }', "E0804",
        "e.scale.gamma: [3] can't be given the shape [2, -1]", "see the shapes with: archdsl show",
    ),
    "two rules shape a weight": (
        "e: outer", 'outer { "inner" -> "x" (reshape = [-1]) }\nthree { «"q", "k" -> "qk"» }', "E0804",
        "a weight is joined, parted or given another shape by two rules", "the other stands in net.arch:22:9",
    ),
    "joined and parted at once": (
        "e: three", 'three { «"q", "k" -> "a", "b"» }', "E0802",
        "2 names of ours are joined and parted into 2 of theirs at once",
        "join several into one, or part one into several",
    ),
    "stars that are lost": (
        "e: layers", 'layers { «"conv.*" -> "x"» }', "E0802", "the names of a rule have as many '*' each",
        "what a '*' of ours stood for goes into the '*' of theirs, in order",
    ),
    "half a star": (
        "e: three", 'three { «"q*" -> "x"» }', "E0802", "'q*' is no name of a weight",
        "segments stand between dots, and '*' stands for a whole one",
    ),
    "two stars in a segment": (
        "e: layers", 'N { «"e.*.*" -> "b*_*"» }', "E0802", "'b*_*' is no name of a weight",
        "segments stand between dots, and '*' stands for a whole one",
    ),
    "an unknown option": (
        "e: three", 'three { "q", "k" -> "qk" («group = 2») }', "E0802", "a rule has no option 'group'",
        "did you mean 'groups'?",
    ),
    "an option without use": (
        "e: three", 'three { "q" -> "x" («axis = 1») }', "E0802",
        "'axis' is for names that are joined or parted", "leave it out",
    ),
    "an option of another kind": (
        "e: three", 'three { "q", "k" -> "x" («groups = [2]») }', "E0802",
        "'groups' is a whole number from 1", "groups = 1",
    ),
    "a shape with two rests": (
        "e: scaled", 'scaled { "scale.gamma" -> "x" («reshape = [-1, -1]») }', "E0802",
        "a shape has sizes from 1, and -1 once", "reshape = [-1, 1, 1]",
    ),
    "axes of joined weights": (
        "e: three", 'three { "q", "k" -> "x" («flip = [0]») }', "E0802",
        "'flip' is a list of different axes of one weight, the first of which is 0", "flip = [1, 0]",
    ),
    "an axis twice": (
        "e: three", 'three { "q.weight" -> "x" («permute = [0, 0]») }', "E0802",
        "'permute' is a list of different axes of one weight, the first of which is 0", "permute = [1, 0]",
    ),
    "an order without an axis": (
        "e: three", 'three { "q.weight" -> "x" («permute = [0, 2]») }', "E0802",
        "'permute' has every axis of the weight once", "permute = [1, 0]",
    ),
    "an order of other axes": (
        "e: three", 'three { «"q.weight" -> "x" (permute = [1, 2, 0])» }', "E0804",
        "e.q.weight: [4, 6] has 2 axes, which permute = [1, 2, 0] does not fit",
        "see the shapes with: archdsl show",
    ),
    "a flip of an axis that is not there": (
        "e: three", 'three { «"q" -> "x" (flip = [1])» }', "E0804",
        "e.q.bias: [4] has 1 axis, which flip = [1] does not fit", "see the shapes with: archdsl show",
    ),
    "a first without a number": (
        "e: layers", 'layers { "conv" -> "x" («first = 2») }', "E0802",
        "'first' is a whole number, what the number 0 of a '*' becomes",
        '"s2.*" -> "blocks.*" (first = 3)',
    ),
    "a first that is no number": (
        "e: layers", 'layers { "conv.*" -> "x.*" («first = [1]») }', "E0802",
        "'first' is a whole number, what the number 0 of a '*' becomes",
        '"s2.*" -> "blocks.*" (first = 3)',
    ),
    "a first beyond all bounds": (
        "e: layers", 'layers { "conv.*" -> "x.*" («first = 9223372036854775808») }', "E0802",
        "'first' is a whole number, what the number 0 of a '*' becomes",
        '"s2.*" -> "blocks.*" (first = 3)',
    ),
    "a first given twice": (
        "e: layers", 'layers { "conv.*" -> "x.*" (first = 1, «first = 2») }', "E0802",
        "'first' is given twice", "leave one out",
    ),
    "a step of 0": (
        "e: layers", 'layers { "conv.*" -> "x.*" («step = 0») }', "E0802",
        "'step' is a whole number from 1, how far the numbers of a '*' get apart",
        '"s2.*" -> "blocks.*" (step = 3)',
    ),
    "the same name twice": (
        "e: three", 'three { «"q", "q" -> "x"» }', "E0802", "a rule names the same weight twice",
        "leave one out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_said_with_its_place(name: str, tmp_path: Path, monkeypatch) -> None:
    entries, rules, code, message, help = WRONG[name]
    monkeypatch.chdir(tmp_path)
    text = f"{BLOCKS}network N(x: [3, 4, 6]) {{\n{entries}\n}}\nkeys other {{\n{rules}\n}}\n"
    Path("net.arch").write_text(text.replace("«", "").replace("»", ""))
    with pytest.raises(ArchError) as caught:
        translation(archdsl.load("net.arch"), "other")
    error = caught.value.diagnostics[0]
    before = text[: text.index("«")]
    assert (error.code, error.message, error.help) == (code, message, help)
    assert error.span is not None
    assert (error.span.line, error.span.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))


def test_an_unknown_map_names_the_nearest() -> None:
    with pytest.raises(ArchError) as caught:
        translation(archdsl.load("s0"), "tim")
    assert caught.value.diagnostics[0].help == "did you mean 'timm'?"


def test_a_map_that_misses_many_says_where_and_shows_both_sides(tmp_path: Path) -> None:
    of = network(tmp_path, "e: layers(9)\nf: three", 'N { "e" -> "trunk" }')
    made = {f"body.{key}" if key[0] == "e" else key: value for key, value in own(of).items()}
    save_file(made, tmp_path / "other.safetensors")
    with pytest.raises(ArchError) as caught:
        archdsl.load_weights(of.build(), tmp_path / "other.safetensors", keys="other")
    shown = str(caught.value).splitlines()
    assert "18 missing, 18 surplus" in shown[0]
    assert shown[1] == "  help: missing are 'trunk' (18); left over are 'body' (18)"
    assert sum("E0811" in line for line in shown) >= 9 and sum("E0812" in line for line in shown) >= 9
    assert len(caught.value.diagnostics) == 37
