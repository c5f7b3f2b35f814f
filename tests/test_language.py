"""What the language can say, each construct in a small network that torch runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from reference import randomise

import archdsl
from archdsl.scalar import human_text
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


def test_the_width_of_a_stage_is_that_of_its_channels(tmp_path: Path) -> None:
    """The first axis of a map, the last of tokens."""
    text = """block tokens_of(x: [C, H, W]) -> [H * W, C] { return x |> rearrange("c h w -> (h w) c") }
block mixer(t: [n, d]) -> [n, d] { return t + (t |> fc: linear(d)) }
network N(x: [4, 4, 3]) {
  stage s(4) { conv_bn(4) }
  tokens: tokens_of
  stage t(WIDTH) { mixer * 2 }
}"""
    checked(network_of(tmp_path, text.replace("WIDTH", "4")))
    with pytest.raises(archdsl.ArchError, match="stage 't' has 4 channels, not 12"):
        _ = network_of(tmp_path, text.replace("WIDTH", "12")).graph


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


TWO_STREAMS = """block part(x: [C, H, W]) -> (x: [C, H, W], low: [C, H // 2, W // 2]) {
  return x, x |> avg_pool(2)
}
block two(x: [C, H, W], low: [C, h, w]) -> (x: [C, H, W], low: [C, h, w]) {
  return x |> conv: conv2d(C), low |> relu
}
block up(x: [C, H, W], low: [C, h, w]) -> [C, H, W] { return x + (low |> upsample(2)) }
network N(x: [4, 8, 8]) {
  part: part
  stage s1 { two * 2 }
  stage s2 { two; x: two }
  up: up
  FEATURES
}"""


def test_features_of_any_stream_after_an_entry_or_stage(tmp_path: Path) -> None:
    made = network_of(
        tmp_path, TWO_STREAMS.replace("FEATURES", "features part.low, s1, s1.low, s2.x, s2.low, up, up.low")
    )
    checked(made)
    model, x = made.build(), torch.randn(2, 4, 8, 8)
    maps = model.features(x)
    assert [found.shape[2] for found in maps] == [4, 8, 4, 8, 4, 8, 4]
    assert torch.equal(maps[0], torch.nn.functional.avg_pool2d(x, 2))
    assert torch.equal(maps[1], model.s1[1].conv(model.s1[0].conv(x)))
    assert torch.equal(maps[2], maps[0].relu()) and torch.equal(maps[4], maps[2])
    assert torch.equal(maps[3], model.s2["x"].conv(model.s2["0"].conv(maps[1])))
    assert torch.equal(maps[5], model(x))


def test_a_feature_that_is_no_stream(tmp_path: Path) -> None:
    with pytest.raises(archdsl.ArchError, match="there is no stream 'lwo' after 's1'") as caught:
        _ = network_of(tmp_path, TWO_STREAMS.replace("FEATURES", "features s1.lwo")).graph
    assert "did you mean 'low'?" in str(caught.value)


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


@pytest.mark.parametrize(
    ("call", "shape"), [("b(4, stride = 2)", (4, 4, 3)), ("b(8)", (8, 8, 6)), ("b(4)", (4, 8, 6))]
)
def test_a_decision_that_one_of_two_is_equal_drops_neither(
    tmp_path: Path, call: str, shape: tuple[int, ...]
) -> None:
    text = """block b(x: [C, H, W]; out: dim, stride: dim = 1) -> [out, ceil(H / stride), ceil(W / stride)] {
  y = x |> conv: conv2d(out, kernel = 3, stride = stride)
  if stride == 1 or C == out { y = y |> relu }
  return y
}"""
    made = block(tmp_path, text, f"a: {call}")
    assert made.graph.template.types[made.graph.template.outputs[0]].values == shape


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


def test_a_residual_branch_can_begin_at_zero(tmp_path: Path) -> None:
    text = """block b(x: [C, H, W]) -> [C, H, W] {
  y = x |> c: conv2d(C) |> bn: batch_norm
  init bn = zeros
  return x + y
}"""
    made = block(tmp_path, text)
    assert made.source().count("nn.init.") == 1 and "nn.init.zeros_(self.bn.weight)" in made.source()
    module, x = made.build().train(), torch.randn(2, 4, 8, 8)
    assert torch.equal(module.b(x), x)


# Two ways that a block may go by an argument, in one word each.
TWO_WAYS = {
    "a let": ("h = C * 2", "h = C * 3", "return x |> a: conv2d(h) |> b: conv2d(C)"),
    "a label": ("y = x |> one: conv2d(C)", "y = x |> two: conv2d(C)", "return y"),
    "an attribute": ("y = x |> a: conv2d(C)", "y = x |> a: conv2d(C, groups = 2)", "return y"),
    "an operation": ("y = x |> relu", "y = x |> silu", "return y"),
    "the order of inputs": ("y = x - relu(x)", "y = relu(x) - x", "return y"),
    "an axis": ("y = x |> softmax(axis = 0)", "y = x |> softmax(axis = 1)", "return y"),
    "a block inside": ("y = x |> a: ffn(local = false)", "y = x |> a: ffn", "return y"),
    "an argument inside": ("y = x |> a: ffn(2)", "y = x |> a: ffn(3, kernel = 5)", "return y"),
    "a result": ("y = x |> relu", "y = x", "z = x |> silu\n  return y + z * 0"),
    "how often": ("y = x |> a: conv2d(C)", "m = a: conv2d(C)\n  y = m(m(x))", "return y"),
}


@pytest.mark.parametrize("name", TWO_WAYS)
def test_blocks_that_differ_in_one_thing_have_classes_of_their_own(tmp_path: Path, name: str) -> None:
    """What both calls of a block give is what two blocks give that have nothing in common."""
    one, other, rest = TWO_WAYS[name]
    both = f"  if way {{\n  {one}\n  }} else {{\n  {other}\n  }}\n  {rest}\n"
    text = f"block both(x: [C, H, W]; way: bool = true) -> [C, H, W] {{\n{both}}}\n"
    for number, way in enumerate((one, other)):
        text += f"block alone{number}(x: [C, H, W]) -> [C, H, W] {{\n  {way}\n  {rest}\n}}\n"
    text += "block probe(x: [C, H, W]) -> [4 * C, H, W] {\n  return concat("
    text += "x |> a: both, x |> b: alone0, x |> c: both(way = false), x |> d: alone1)\n}"
    module = block(tmp_path, f"{text}\n", "b: probe").build().double().eval()
    for inner in module.b.children():
        randomise(inner, 3)
    x = torch.randn(2, 4, 8, 6, dtype=torch.float64)
    with torch.no_grad():
        made = module(x).split(4, 1)
    keys = [list(inner.state_dict()) for inner in module.b.children()]
    assert torch.equal(made[0], made[1]) and torch.equal(made[2], made[3])
    assert keys[0] == keys[1] and keys[2] == keys[3]
    assert keys[0] != keys[2] or not torch.equal(made[0], made[2])


def test_blocks_that_begin_otherwise_have_classes_of_their_own(tmp_path: Path) -> None:
    text = """block b(x: [C, H, W]; small: bool = false) -> [C, H, W] {
  y = x |> a: conv2d(C, kernel = 9)
  if small { init a = uniform(0.25) } else { init a = uniform(0.5) }
  return y
}"""
    module = block(tmp_path, text, "a: b; b: b(small = true)").build()
    for inner, bound in ((module.a.a, 0.5), (module.b.a, 0.25)):
        values = inner.weight.detach()
        assert values.min().item() == pytest.approx(-bound, rel=0.05)
        assert values.max().item() == pytest.approx(bound, rel=0.05)
        assert not inner.bias.detach().any()


def test_rates_rise_over_blocks_wherever_they_stand(tmp_path: Path) -> None:
    """Entries, blocks of a stage alone and in runs, with names of their own, and others that drop nothing."""
    text = """network N(x: [8, 8, 8]; drop_path = 0.9) {
  a: ffn
  plain: conv_bn(8)
  stage s { ffn; attention_block; ffn(2) * 2; conv_bn(8); first: ffn }
  stage t { ffn * 2; conv_bn(8); ffn }
  b: ffn
}"""
    module = checked(network_of(tmp_path, text)).build()
    parts = [module.a, *module.s, *module.t, module.b]
    found = [[m.rate for m in part.modules() if type(m).__name__ == "DropPath"] for part in parts]
    rates = [rates for rates in found if rates]
    assert len(rates) == 10 and all(len(set(own)) == 1 for own in rates)
    assert [own[0] for own in rates] == pytest.approx([0.1 * number for number in range(10)])


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


@pytest.mark.parametrize(
    ("written", "width"),
    [
        ("ceil(7 / 2 / 2)", 2),
        ("floor(7 / 2 / 2)", 1),
        ("int(7 / 2 / 2)", 1),
        ("ceil((7 / 2) / 1.0)", 4),
        ("ceil((C / 3))", 2),
        ("floor(max(C / 3, 1) * 3 / 2)", 2),
        ("ceil(90071992547409931 / 10) - 9007199254740993", 1),
    ],
)
def test_quotients_in_quotients_that_are_rounded(tmp_path: Path, written: str, width: int) -> None:
    made = block(tmp_path, f"block b(x: [C, H, W]) -> [{width}, H, W] {{ return x |> c: conv2d({written}) }}")
    assert made.stats().params == 4 * width + width


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


def test_names_of_a_result_are_bound_by_what_is_returned(tmp_path: Path) -> None:
    text = """archdsl 1
block flat(x: [C, H, W]) -> [n] { return x |> rearrange("c h w -> (c h w)") }
block table(x: [n]) -> [k, m] { return x |> rearrange("(a b) -> a b", a = 3) |> mix: linear(7) }
block rows(x: [k, m]) -> [k, m] { return x |> mix: linear(m) }
network N(x: [3, 4, 4]) { a: flat; b: table; c: rows }
"""
    path = tmp_path / "results.arch"
    path.write_text(text, encoding="utf-8")
    network = archdsl.load(str(path))
    network.graph.verify()
    assert network.graph.template.types[1].values == (48,)
    assert network.graph.template.types[3].values == (3, 7)
    assert ("n", "C * H * W") in [(name, human_text(pair.term)) for name, pair in network.graph.at("a").lets]


def test_a_list_of_tensors_has_a_sum(tmp_path: Path) -> None:
    """`sum` of a list adds its tensors, of one is that one; of a tensor it is the primitive."""
    text = """archdsl 1
block of_list(x: [C, H, W]; n: dim) -> [C, H, W] { return sum([x |> fc[i]: conv2d(C) for i in range(n)]) }
block of_axis(x: [C, H, W]) -> [C, H] { return sum(x) }
network N(x: [3, 4, 4]) { a: of_list(3); b: of_list(1); c: of_axis }
"""
    path = tmp_path / "sums.arch"
    path.write_text(text, encoding="utf-8")
    graph = archdsl.load(str(path)).graph
    made = {label: [node.kind for node in graph.at(label).nodes] for label in "abc"}
    assert made == {"a": ["conv2d"] * 3 + ["add"] * 2, "b": ["conv2d"], "c": ["sum"]}
