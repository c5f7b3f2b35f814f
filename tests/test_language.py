"""What the language can say, each construct in a small network that torch runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archdsl
from archdsl.verify import verify

PRELUDE = 'archdsl 1\nimport "efficientformerv2"\n'


def network_of(tmp_path: Path, text: str, **options) -> archdsl.Network:
    file = tmp_path / "network.arch"
    file.write_text(PRELUDE + text, encoding="utf-8")
    return archdsl.load(file, **options)


def checked(network: archdsl.Network) -> archdsl.Network:
    assert [check for check in verify(network) if not check.ok] == []
    return network


def block(tmp_path: Path, text: str, call: str = "b: b", shape: str = "[4, 8, 6]") -> archdsl.Network:
    return checked(network_of(tmp_path, f"{text}\nnetwork N(x: {shape}) {{ {call} }}"))


def test_a_module_called_twice_shares_its_weights(tmp_path: Path) -> None:
    made = block(
        tmp_path,
        "block b(x: [C, H, W]) -> [C, H, W] { m = both: conv2d(C, kernel = 3)\n return m(m(x) |> relu) }",
    )
    stats = made.stats()
    assert stats.params == 4 * 4 * 9 + 4
    assert stats.macs == 2 * 4 * 4 * 9 * 48
    assert list(made.build().state_dict()) == ["b.both.weight", "b.both.bias"]


def test_a_block_called_twice_owns_its_weights_once(tmp_path: Path) -> None:
    made = block(
        tmp_path,
        "block b(x: [C, H, W]) -> [C, H, W] { m = both: conv_bn(C, kernel = 3)\n return m(m(x) |> relu) }",
    )
    stats = made.stats(by="op")
    assert stats.params == sum(row.params for row in stats.rows) == 4 * 4 * 9 + 4 + 8
    assert stats.macs == sum(row.macs for row in stats.rows) == 2 * 4 * 4 * 9 * 48
    assert [key for key, _ in made.graph.weights()] == list(made.build().state_dict())
    assert [item.first for item in made.graph.flat] == [True, True, True, False, False]


def test_static_loops_and_labels_with_an_index(tmp_path: Path) -> None:
    made = block(
        tmp_path,
        """block b(x: [C, H, W]; layers: dim = 3) -> [C * (layers + 1), H, W] {
  parts = [x]
  for i in range(layers) { parts = parts + [concat(parts) |> conv[i]: conv2d(C)] }
  return concat(parts)
}""",
    )
    keys = list(made.build().state_dict())
    assert keys == [f"b.conv.{i}.{name}" for i in range(3) for name in ("weight", "bias")]


def test_comprehensions_lists_and_functions(tmp_path: Path) -> None:
    made = block(
        tmp_path,
        """block b(x: [C, H, W]) -> [30, H, W] {
  sizes = [i * i for i in range(1, 5)]
  require sum(sizes) == 30 and len(first(sizes, 2)) == 2 and max(last(sizes, 1)) == 16
  else "lists do not add up"
  require divisible(sizes[2], 3) and not divisible(C, 3) and min(7, 2 ** 3) == 7 else "no"
  return concat([x |> conv[size]: conv2d(size) for size in sizes])
}""",
    )
    assert made.graph.template.types[made.graph.template.outputs[0]].values == (30, 8, 6)


def test_none_of_a_list_and_names_of_comprehensions(tmp_path: Path) -> None:
    made = block(
        tmp_path,
        """block b(x: [C, H, W]; sizes: [dim] = [4, 4]) -> [C, H, W] {
  i = 7
  require len(last(sizes, 0)) == 0 and len(first(sizes, 0)) == 0 and len(last(sizes, 2)) == 2 else "none"
  doubled = [2 * i for i in sizes]
  require sum(doubled) == 16 and i == 7 else "i is what it was"
  return x + 0
}""",
    )
    assert made.stats().params == 0


TENSOR_SUMS = [
    "x - (y - z)", "x - y - z", "x / (y * z)", "x / y / z", "x * (y / z)", "(x + y) * z", "x + y * z",
    "-(x + y) * z", "-x - -y", "x - (1 - y)", "2 - (x - 1) / 4", "(x - y) @ (z - x)", "x @ y @ z",
    "x @ (y @ z)", "x - y @ (z - 1)", "(x + y) / 2 - (x - (y + z)) * 3", "x * (y - (z - x / (y * y + 1)))",
]  # fmt: skip


@pytest.mark.parametrize("text", TENSOR_SUMS)
def test_arithmetic_on_tensors_is_pythons(tmp_path: Path, text: str) -> None:
    """What is written keeps its brackets where they mean something, and nowhere else."""
    body = f"a, y, z = x |> split([1, 1, 1])\n  x = a\n  return {text}"
    made = block(tmp_path, f"block b(x: [3, H, W]) -> [1, H, W] {{\n  {body}\n}}", shape="[3, 4, 4]")
    image = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    names = dict(zip("xyz", image.split((1, 1, 1), 1), strict=True))
    with torch.no_grad():
        assert torch.equal(made.build().double()(image), eval(text, {}, names))


def test_a_name_that_is_given_anew_leaves_what_it_meant(tmp_path: Path) -> None:
    made = block(
        tmp_path,
        """block b(x: [C, H, W]) -> [C, H, W] {
  y = x |> relu
  first = y
  y = (y * 2) |> sigmoid
  second = y + first
  y = x - y
  x = exp(x)
  return y * second + x - first
}""",
    )
    x = torch.randn(2, 4, 8, 6)
    first = x.relu()
    y = (first * 2).sigmoid()
    assert torch.equal(made.build()(x), (x - y) * (y + first) + x.exp() - first)


def test_features_of_entries_beside_other_streams(tmp_path: Path) -> None:
    made = network_of(
        tmp_path,
        """block two(x: [C, H, W], y: [C, H, W]) -> (x: [C, H, W], y: [C, H, W]) { return x + y, relu(y) }
network N(x: [4, 8, 8], y: [4, 8, 8]) {
  one: two
  last: two
  features one, last
  stage s { two }
}""",
    )
    x, y = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)
    one, last = made.build().features(x, y)
    assert torch.equal(one, x + y) and torch.equal(last, x + y + y.relu())


@pytest.mark.parametrize(("argument", "kernel"), [("", None), ("kernel = 3", 3)])
def test_optional_arguments_and_if_else_chains(tmp_path: Path, argument: str, kernel: int | None) -> None:
    made = block(
        tmp_path,
        """block b(x: [C, H, W]; kernel: odd? = none, mode: int = 2) -> [C, H, W] {
  y = if kernel is none { x } else { x |> conv: conv2d(C, kernel = kernel) }
  if mode == 1 { y = y |> relu } else if mode == 2 { y = y |> silu } else { y = y |> gelu }
  return y
}""",
        f"b: b({argument})",
    )
    assert made.stats().params == (0 if kernel is None else 4 * 4 * 9 + 4)
    assert "F.silu" in made.source()


def test_operations_and_blocks_as_arguments(tmp_path: Path) -> None:
    made = block(
        tmp_path,
        """block around(x: [C, H, W]; inside: block = ffn, act: op = relu) -> [C, H, W] {
  return x + (x |> inner: inside |> act)
}""",
        "b: around(inside = mhsa(heads = 2, key_dim = 4), act = leaky_relu(0.2))",
    )
    assert "F.leaky_relu" in made.source() and "class MHSA" in made.source()


def test_extents_are_symbols_and_written_shapes_bind(tmp_path: Path) -> None:
    made = block(
        tmp_path,
        """block b(x: [C, H, W]) -> [n, C] {
  t: [n, C] = x |> rearrange("c h w -> (h w) c")
  return t |> fc: linear(C)
}""",
    )
    assert made.graph.template.types[made.graph.template.outputs[0]].values == (48, 4)


def test_a_decision_that_names_are_equal_drops_them_from_the_class(tmp_path: Path) -> None:
    text = """block b(x: [C, H, W]; out: dim, stride: dim = 1) -> [out, ceil(H / stride), ceil(W / stride)] {
  residual = stride == 1 and C == out
  y = x |> conv: conv2d(out, kernel = 3, stride = stride)
  if residual { return x + y }
  return y
}"""
    source = block(tmp_path, text, "a: b(4)").source()
    assert "def __init__(self, out: int) -> None:" in source
    assert "nn.Conv2d(out, out, 3, padding=1)" in source
    assert "y = self.conv(x)" in source and "return x + y" in source
    assert "self, C: int, out: int, stride: int = 1" in block(tmp_path, text, "a: b(8)").source()


def test_streams(tmp_path: Path) -> None:
    kitchen = archdsl.load(Path(__file__).parent / "networks" / "kitchen.arch")
    module = checked(kitchen).build().eval()
    maps = module.features(torch.zeros(1, 3, 32, 48))
    assert [tuple(map_.shape) for map_ in maps] == [(1, 16, 8, 12), (1, 40, 8, 12)]
    _, tokens = module.forward_features(torch.zeros(1, 3, 32, 48))
    assert tuple(tokens.shape) == (1, 6, 16)


def test_blocks_of_a_stage_by_number_and_by_name(tmp_path: Path) -> None:
    made = checked(
        network_of(
            tmp_path,
            """network N(x: [4, 8, 8]) {
  stage s(8) {
    down: conv_downsample(8)
    ffn(expansion = each [1, 2]) * 2
    [ffn(expansion = 3), ffn(local = false)]
  }
}""",
        )
    )
    labels = [node.label for node in made.graph.template.nodes]
    assert labels == ["s.down", "s.0", "s.1", "s.2", "s.3", "s.4", "s.5"]
    assert len(made.build().s) == 7


def test_parameters_override_and_keep_their_type(tmp_path: Path) -> None:
    text = """network N(x: [3, 16, 16]; width = [8, 16], depth: [dim] = [1, 2], num_classes = 5) {
  stem: conv_bn(width[0], stride = 2)
  stage s(width[1]) { conv_bn(width[1]) * depth[1] }
  head { pool: global_avg_pool; fc: linear(num_classes) }
}"""
    assert len(network_of(tmp_path, text).graph.stages[0:1]) == 1
    made = network_of(tmp_path, text, parameters={"width": [4, 12], "depth": "[1, 3 * 1]"})
    assert made.graph.template.types[made.graph.template.outputs[0]].values == (5,)
    assert dict(made.graph.parameters)["width"] == [4, 12]
    with pytest.raises(archdsl.ArchError, match="is a list"):
        _ = network_of(tmp_path, text, parameters={"width": 4}).graph
    with pytest.raises(archdsl.ArchError, match="did you mean 'width'"):
        network_of(tmp_path, text, parameters={"widht": [4, 4]})


def test_repetition_is_not_arithmetic_in_a_list(tmp_path: Path) -> None:
    made = network_of(
        tmp_path, "network N(x: [4, 8, 8]) { stage s { ffn(expansion = each [4, 3 * 2, (1 * 2)]) } }"
    )
    hidden = [node.child.values["hidden"] for node in made.graph.template.nodes]  # type: ignore[union-attr]
    assert hidden == [16, 12, 12, 8]


def test_a_learned_tensor_can_begin_at_random(tmp_path: Path) -> None:
    text = """block b(x: [C, H, W]) -> [C, H, W] {
  y = x + place: parameter([C, H, W]) |> c: conv2d(C, bias = false)
  init place, c = normal(0.5)
  return y
}"""
    made = block(tmp_path, text)
    assert "nn.init.normal_(self.place, std=0.5)" in made.source()
    torch.manual_seed(0)
    assert made.build().b.place.std().item() == pytest.approx(0.5, rel=0.2)


def test_what_is_written_does_not_depend_on_values(tmp_path: Path) -> None:
    """64 / 4 is a whole number and 62 / 4 is none: in a rounding function both are real quotients."""
    text = """block b(x: [C, H, W]) -> [C, H, W] {
  hidden = int(C / 4 + 0.5)
  return x + (x |> down: conv2d(hidden) |> up: conv2d(C))
}
network N(x: [64, 4, 4]) { a: b; fewer: conv2d(62); c: b }"""
    made = checked(network_of(tmp_path, text))
    assert made.source().count("class B(") == 1 and "int(C / 4 + 0.5)" in made.source()
    hidden = [n.child.values["hidden"] for n in made.graph.template.nodes if n.child is not None]
    assert hidden == [16, 16]


def test_a_ratio_is_no_whole_number_even_if_it_is(tmp_path: Path) -> None:
    """The class must hold for a reduction of 4.5 too: `C / reduction` stays a float until int(...)."""
    text = """block se(x: [C, H, W]; reduction: ratio = 4) -> [C, H, W] {
  hidden = HIDDEN
  gate = x |> mean([1, 2], keep = true) |> reduce: conv2d(hidden) |> relu |> expand: conv2d(C) |> sigmoid
  return x * gate
}
network N(x: [8, 4, 4]) { a: se; b: se(reduction = 3.5) }"""
    source = checked(network_of(tmp_path, text.replace("HIDDEN", "int(C / reduction)"))).source()
    assert "hidden = int(C / reduction)" in source and source.count("class SE") == 1
    assert "def __init__(self, C: int, reduction: float = 4)" in source
    with pytest.raises(archdsl.ArchError, match=r"int\(...\) makes one"):
        _ = network_of(tmp_path, text.replace("HIDDEN", "C / reduction")).graph


def test_ratios_are_pythons_numbers(tmp_path: Path) -> None:
    """int(120 * 2.05) is 245 in Python, and so it is here: the generated file computes the same."""
    made = checked(network_of(tmp_path, "network N(x: [120, 2, 2]) { a: ffn(expansion = 2.05) }"))
    assert made.graph.template.nodes[0].child.values["hidden"] == 245  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "switches",
    [
        "",
        "talking_heads = false",
        "local_value = false",
        "position_bias = false",
        "stride = 2",
        "stride = 2, talking_heads = false, local_value = false, position_bias = false",
        "heads = 2, key_dim = 8, value_ratio = 1.5",
    ],
)
def test_attention_switches(tmp_path: Path, switches: str) -> None:
    made = checked(network_of(tmp_path, f"network N(x: [8, 6, 4]) {{ a: mhsa({switches}) }}"))
    keys = " ".join(made.build().state_dict())
    assert ("talking_head1" in keys) == ("talking_heads" not in switches)
    assert ("v_local" in keys) == ("local_value" not in switches)
    assert ("bias.weight" in keys) == ("position_bias" not in switches)
    assert ("stride_conv" in keys) == ("stride" in switches)


@pytest.mark.parametrize("half", ["attention_downsample", "conv_downsample", "dual_path_downsample"])
@pytest.mark.parametrize("shape", ["[8, 6, 4]", "[8, 7, 5]"])
def test_downsampling_and_its_halves(tmp_path: Path, half: str, shape: str) -> None:
    checked(network_of(tmp_path, f"network N(x: {shape}) {{ a: {half}(12) }}"))


def test_ffn_without_its_middle(tmp_path: Path) -> None:
    made = checked(network_of(tmp_path, "network N(x: [8, 6, 4]) { a: ffn(local = false) }"))
    assert not [key for key in made.build().state_dict() if ".mid." in key]
    assert "class FFNNoLocal" in made.source()


def test_search_path_for_blocks_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "wide.arch").write_text(
        "archdsl 1\nblock wide(x: [C, H, W]) -> [2 * C, H, W] { return x |> conv: conv2d(2 * C) }\n"
    )
    file = tmp_path / "n.yaml"
    file.write_text("archdsl: 1\nimport: wide\nnetwork: N\ninput: [4, 8, 8]\nbody:\n  a: wide\n")
    with pytest.raises(archdsl.ArchError, match="no document 'wide'"):
        archdsl.load(file)
    assert archdsl.load(file, search=[str(tmp_path / "mine")]).stats().params == 4 * 8 + 8
    monkeypatch.setenv("ARCHDSL_PATH", str(tmp_path / "mine"))
    assert archdsl.load(file).stats().params == 4 * 8 + 8
