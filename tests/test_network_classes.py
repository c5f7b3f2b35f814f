"""Networks of odd forms, most of them found by tests/random_networks: each is built, run, and held to torch."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from archdsl.network import load
from archdsl.ops.conv import Conv2d
from archdsl.source import ArchError
from archdsl.verify import verify
from archdsl.weights.heads import head_keys

# fvcore is written with what torch has deprecated since.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

FORMS = {
    "primitives without a module in a stage": (
        "stage s { relu; conv2d(4) * 2; gelu; mean(keep = true) }\n features s"
    ),
    "a stage of nothing but them": "stage s { relu * 3 }\n a: conv2d(2)",
    "a named block beside them": "stage s { last: conv2d(4); relu; conv2d(2) }",
    "primitives of one class made otherwise": (
        "stage s { conv2d(4); conv2d(5, kernel = 3); batch_norm; batch_norm(eps = 0.1) * 2 }\n"
        " stage t { conv2d(each [3, 4]) }"
    ),
    "labels with an index": "for i in [1, 3] { c[i]: conv2d(i); r[i]: relu }\n a: conv2d(2)\n features c.1, a",
    "numbers by a name": "k = num_classes * 2\n head { p: global_avg_pool; c: linear(k) }",
    "numbers by a name outside of the head": "k = num_classes * 2\n a: conv2d(k)\n b: number_minus(k + 1)",
    "blocks of one class whose arguments have names of the network's": (
        "stage s { named(4); named(5); named(in_channels = 6); named(7, num_classes = 2) }"
    ),
    "a layer behind the classifier": "head { p: global_avg_pool; c: linear(num_classes); d: linear(4) }",
    "a head and nothing else": "head { p: global_avg_pool; c: linear(num_classes) }",
    "a map called x": (
        "x: conv2d(4)\n a: conv2d(3)\n b: relu\n c: conv2d(5, kernel = 3)\n d: relu\n features x, b"
    ),
    "signs before methods": "a: conv2d(4)\n b: neg\n c: softmax",
    "signs of several strengths": (
        "a: conv2d(4)\n b: number_minus(1)\n c: mul_number(3)\n d: sub_number(2)\n e: neg\n f: exp\n"
        " g: add_number(1)\n h: div_number(2)\n features c, g"
    ),
    "paths dropped by an entry": "a: drop_path\n stage s { drop_path * 2; gelu; drop_path }\n b: conv2d(3)",
}


def opened(body: str, folder: Path, signature: str = "image: [3, 9, 7]; num_classes = 5, drop_path = 0.2"):
    path = folder / "n.arch"
    path.write_text(f"archdsl 1\nnetwork N({signature}) {{\n {body}\n}}\n{BLOCKS}", encoding="utf-8")
    return load(path)


BLOCKS = """
block two(x: [C, H, W]) -> (x: [C, H, W], y: [C]) { n = 1 }
block named(x: [rows, C, W]; in_channels: dim, num_classes: dim = 1) -> [rows, C, W] {
 return x |> a: conv2d(in_channels) |> b: conv2d(num_classes) |> c: conv2d(rows)
}
block mixer(tokens: [n, d]) -> tokens: [n, d] { return tokens |> fc: linear(d) }
block last(x: [C, H, W]) -> map: [H, W, C] { return x |> rearrange("c h w -> h w c") }
block wide(x: [C, H, W]) -> map: [2 * C, H, W] { return x |> conv: conv2d(2 * C) }
block join(x: [C, H, W], tokens: [n, d]) -> x: [C + d] {
 return concat(x |> global_avg_pool, tokens |> mean(0))
}
"""


@pytest.mark.parametrize("form", FORMS)
def test_its_module_is_what_the_graph_says(form: str, tmp_path: Path) -> None:
    network = opened(FORMS[form], tmp_path)
    assert [check for check in verify(network) if not check.ok] == []
    module = network.build().eval()
    if network.graph.features:
        shapes = [tuple(found.shape[1:]) for found in module.features(torch.zeros(2, 3, 9, 7))]
        assert shapes == [network.graph.template.types[value].values for _, value in network.graph.features]
    if "head" in FORMS[form]:
        assert network.build(num_classes=0)(torch.zeros(2, 3, 9, 7)).shape == (2, 3)


def test_maps_are_those_behind_their_entries(tmp_path: Path) -> None:
    module = opened(FORMS["a map called x"], tmp_path).build()
    image = torch.randn(2, 3, 9, 7)
    first = module.x(image)
    maps = module.features(image)
    assert torch.equal(maps[0], first) and torch.equal(maps[1], module.a(first).relu())


def test_an_entry_takes_all_of_what_the_one_before_it_gives(tmp_path: Path) -> None:
    module = opened(FORMS["signs before methods"], tmp_path).build()
    image = torch.randn(2, 3, 9, 7)
    assert torch.equal(module(image), (-module.a(image)).softmax(-1))
    module = opened(FORMS["signs of several strengths"], tmp_path).build()
    first = (1 - module.a(image)) * 3
    maps = module.features(image)
    assert torch.equal(maps[0], first) and torch.equal(maps[1], (-(first - 2)).exp() + 1)
    assert torch.equal(module(image), maps[1] / 2)


def test_an_entry_of_another_stream_has_the_map_that_there_is(tmp_path: Path) -> None:
    body = "m: mixer\n a: conv2d(4)\n n: mixer\n features m, n, a\n b: join"
    network = opened(body, tmp_path, "image: [3, 9, 7], tokens: [4, 5]")
    assert [check for check in verify(network) if not check.ok] == []
    module, images = network.build(), (torch.randn(2, 3, 9, 7), torch.randn(2, 4, 5))
    maps = module.features(*images)
    assert torch.equal(maps[0], images[0])
    assert torch.equal(maps[1], module.a(images[0])) and torch.equal(maps[2], maps[1])


def test_a_map_beside_the_network_is_made_for_the_pyramid_alone(tmp_path: Path) -> None:
    body = (
        "a: conv2d(4)\n m: last\n b: conv2d(2)\n n: last\n o: last\n features m, b, n, o\n"
        " head { p: global_avg_pool; c: linear(num_classes) }"
    )
    network = opened(body, tmp_path)
    assert [check for check in verify(network) if not check.ok] == []
    module, image = network.build(), torch.randn(2, 3, 9, 7)
    first = module.a(image)
    maps = [found.shape for found in module.features(image)]
    assert maps == [(2, 9, 7, 4), (2, 2, 9, 7), (2, 9, 7, 2), (2, 9, 7, 2)]
    assert torch.equal(module(image), module.c(module.b(first).mean((2, 3))))
    assert torch.equal(module.features(image)[0], first.permute(0, 2, 3, 1))
    text = network.source()
    assert "self.m" not in text[text.index("def forward_features") :], (
        "forward leaves out what it does not need"
    )
    # A map that costs something is made wherever the network runs, so that it costs what is told.
    costly = opened("a: conv2d(4)\n m: wide\n b: conv2d(2)\n features m, b", tmp_path)
    wrong = [check.what for check in verify(costly) if not check.ok]
    assert wrong == ["conv by fvcore"], "fvcore leaves out what no result depends on"
    assert costly.build().features(image)[0].shape == (2, 8, 9, 7)


def test_what_another_stream_gives_is_not_taken_for_the_next(tmp_path: Path) -> None:
    network = opened("a: conv2d(4)\n m: last\n b: conv2d(2)\n features a, b", tmp_path)
    assert [check for check in verify(network) if not check.ok] == []
    module, image = network.build(), torch.randn(2, 3, 9, 7)
    assert torch.equal(module(image), module.b(module.a(image)))


def test_the_number_of_classes_decides_what_it_takes_as_well(tmp_path: Path) -> None:
    graph = opened(FORMS["a layer behind the classifier"], tmp_path).graph
    assert head_keys(graph) == {"c.weight", "c.bias", "d.weight", "d.bias"}
    body = "head { p: global_avg_pool; c: linear(num_classes); d: scaled; e: sized }\n}\n"
    blocks = (
        "block scaled(x: [C]) -> [C] { return x * 2 }\n"
        "block sized(x: [C]; n: dim = C) -> [n] { k = n * 2\n return x |> a: linear(k) |> b: linear(n)\n"
    )
    network = opened(body + blocks, tmp_path)
    assert head_keys(network.graph) == {
        "c.weight",
        "c.bias",
        "e.a.weight",
        "e.a.bias",
        "e.b.weight",
        "e.b.bias",
    }
    kept = network.build(num_classes=0)
    assert [type(part).__name__ for part in (kept.c, kept.d, kept.e)] == ["Identity", "Scaled", "Identity"]


def test_lines_of_features_are_one_list(tmp_path: Path) -> None:
    module = opened("a: conv2d(4)\n b: conv2d(5)\n c: relu\n features b\n features a", tmp_path).build()
    image = torch.randn(2, 3, 9, 7)
    first = module.a(image)
    maps = module.features(image)
    assert torch.equal(maps[0], module.b(first)) and torch.equal(maps[1], first)
    assert torch.equal(module(image), maps[0].relu())


def test_rates_of_entries_rise_with_those_of_blocks(tmp_path: Path) -> None:
    module = opened(FORMS["paths dropped by an entry"], tmp_path).build(drop_path=0.3)
    rates = [part.rate for part in module.modules() if type(part).__name__ == "DropPath"]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_no_map_stands_in_the_head(tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="the feature 'p' is an entry of the head") as caught:
        opened("a: relu\n head { p: global_avg_pool }\n features a, p", tmp_path).graph  # noqa: B018
    assert caught.value.diagnostics[0].code == "E0213"


@pytest.mark.parametrize("name", ["append", "values"])
def test_no_block_of_a_stage_is_called_like_an_attribute_of_its_container(name: str, tmp_path: Path) -> None:
    opened(f"{name}: conv2d(3)", tmp_path).build()
    with pytest.raises(ArchError, match=f"{name!r} is reserved") as caught:
        opened(f"stage s {{ {name}: conv2d(3); relu }}", tmp_path).graph  # noqa: B018
    assert caught.value.diagnostics[0].code == "E0105"


LABELLED = {
    "parameters": "parameter([C, 1, 1])",
    "modules": "layer_scale(0.5)",
}


@pytest.mark.parametrize("indices", ["[0, 1]", "[3, 1]"])
@pytest.mark.parametrize("kind", LABELLED)
def test_labels_with_an_index_of_a_block(kind: str, indices: str, tmp_path: Path) -> None:
    step = f"x + t[i]: {LABELLED[kind]}" if kind == "parameters" else f"x |> t[i]: {LABELLED[kind]}"
    body = "a: looped\n}\n"
    block = f"block looped(x: [C, H, W]) -> [C, H, W] {{\n for i in {indices} {{ x = {step} }}\n return x\n"
    network = opened(body + block, tmp_path)
    assert [check for check in verify(network) if not check.ok] == []


def test_a_mistake_in_a_block_of_several_results_is_told_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(ArchError) as caught:
        opened("a: two\n b: relu", tmp_path).graph  # noqa: B018
    assert [mistake.code for mistake in caught.value.diagnostics] == ["E0211"]


def test_what_begins_with_values_of_its_own_is_found_wherever_it_stands(tmp_path: Path) -> None:
    body = (
        "stage s { conv2d(3); last: conv2d(3) }\n stage t { relu; conv2d(3); end: conv2d(3) }\n"
        " for i in [3, 1] { c[i]: conv2d(3) }\n a: looped\n"
        " init s.0, s.last, t.1, t.end, c.3, a.in.1.conv, a.list.0 = ones\n}\n"
    )
    blocks = (
        "block inner(x: [C, H, W]) -> [C, H, W] { return x |> conv: conv2d(C) }\n"
        "block looped(x: [C, H, W]) -> [C, H, W] {\n"
        " for i in [1, 2] { x = x |> into[i]: inner }\n for i in range(2) { x = x |> list_[i]: conv2d(C) }\n"
        " init into.2.conv, list_.1 = ones\n return x\n"
    )
    body = body.replace("a.in.", "a.into.").replace("a.list.", "a.list_.")
    module = opened(body + blocks, tmp_path).build()
    begun = {key for key, value in module.named_parameters() if key.endswith("weight") and (value == 1).all()}
    assert begun == {
        f"{key}.weight"
        for key in (
            "s.0", "s.last", "t.1", "t.end", "c.3", "a.into.1.conv", "a.into.2.conv", "a.list_.0", "a.list_.1",
        )
    }  # fmt: skip


@pytest.mark.parametrize("order", ["true, false", "false, true"])
def test_a_bias_that_an_argument_decides_begins_at_zero_where_there_is_one(order: str, tmp_path: Path) -> None:
    block = (
        "block plain(x: [C, H, W]; bias: bool) -> [C, H, W] {\n"
        " y = x |> a: conv2d(C, bias = bias) |> b: conv2d(C, bias = bias) |> c: conv2d(C, bias = bias)\n"
        " init a = ones\n init b, c = ones\n return y\n"
    )
    module = opened(f"stage s {{ plain(each [{order}]) }}\n}}\n{block}", tmp_path).build()
    biases = {key: value for key, value in module.named_parameters() if key.endswith("bias")}
    assert len(biases) == 3 and not any(value.any() for value in biases.values())


def test_first_values_by_names_of_a_block_and_of_fixed_tables(tmp_path: Path) -> None:
    block = (
        "block table(x: [C, H, W]; ratio: ratio = 0.5) -> [C, H, W] {\n rows = int(H * ratio)\n"
        " y = x + (a: buffer([rows, W]) |> sum(0)) + b: buffer([H, W]) |> c: conv2d(C)\n"
        " init a = orthogonal(rows ** 0.5)\n init b = sinusoid\n init c = uniform(0.5 / H)\n return y\n"
    )
    network = opened(f"stage s {{ table(each [0.25, 0.5]) }}\n}}\n{block}", tmp_path, "image: [3, 8, 9]")
    assert [check for check in verify(network) if not check.ok] == []
    assert network.source().count("class Table(") == 1
    for rows, made in zip((2, 4), network.build().s, strict=True):
        torch.testing.assert_close(made.a @ made.a.T, rows * torch.eye(rows))
        position, channel = 5, 7
        assert abs(made.b[position, channel] - math.cos(position / 10000 ** (6 / 9))) < 1e-6
        assert abs(made.b[position, 8] - math.sin(position / 10000 ** (8 / 9))) < 1e-6
        assert 0 < made.c.weight.abs().max() <= 0.5 / 8
        assert not any(name in ("a", "b") for name, _ in made.named_parameters())


def test_a_default_that_is_no_function_beside_activations(tmp_path: Path) -> None:
    block = "block acted(x: [C, H, W]; act: op = softmax) -> [C, H, W] {\n return x |> act |> a: conv2d(C)\n"
    network = opened(f"stage s {{ acted; acted(each [relu, silu, identity, relu]) }}\n}}\n{block}", tmp_path)
    assert [check for check in verify(network) if not check.ok] == []


@pytest.mark.parametrize("blocks", [3, 30])
def test_blocks_that_have_little_in_common_are_a_list_unless_it_is_long(blocks: int, tmp_path: Path) -> None:
    block = (
        "block varied(x: [C, H, W]; out_channels: dim, expansion: dim, kernel: odd) -> [out_channels, H, W] {\n"
        " return x |> expand: conv2d(C * expansion, kernel = kernel) |> project: conv2d(out_channels)\n"
    )
    calls = "; ".join(
        f"varied({4 + i}, expansion = {2 + i % 3}, kernel = {1 + 2 * (i % 2)})" for i in range(blocks)
    )
    network = opened(f"stage s {{ {calls} }}\n}}\n{block}", tmp_path)
    assert (" in zip(" in network.source()) == (blocks > 3)
    assert [check for check in verify(network) if not check.ok] == []


@pytest.mark.parametrize("asked", ["C == out", "stride == 1 and C == out"])
@pytest.mark.parametrize("sum_", ["x + y", "y + x"])
def test_a_residual_in_the_middle_of_a_block_is_a_branch_of_its_class(
    asked: str, sum_: str, tmp_path: Path
) -> None:
    stride = ", stride = stride" if "stride" in asked else ""
    block = (
        "block inside(x: [C, H, W]; out: dim, stride: dim = 1) -> [out, h, w] {\n"
        f" y = x |> a: conv2d(out, kernel = 3{stride})\n"
        f" if {asked} {{ y = {sum_} }}\n z: [n, h, w] = y |> b: linear(W) |> c: conv2d(out)\n return z\n"
    )
    network = opened(f"stage s {{ inside(4); inside(4); inside(5); inside(5) }}\n}}\n{block}", tmp_path)
    assert network.source().count("class Inside") == 1
    assert [check for check in verify(network) if not check.ok] == []


STAGES = {
    "one stream": ("image: [3, 9, 7]", "stage s { first: cell; cell; cell; last: cell }"),
    "two streams": (
        "x: [3, 9, 7], y: [3, 9, 7]",
        "stage s { first: pair; pair; pair; last: pair }\n j: met",
    ),
    "two streams, unnamed": ("x: [3, 9, 7], y: [3, 9, 7]", "stage s { pair * 3 }\n j: met"),
    "called one by one": ("image: [3, 9, 7]", "stage s { first: cell; relu; cell; last: cell }"),
}


@pytest.mark.parametrize("form", STAGES)
def test_each_block_of_a_stage_begins_with_its_own_values(form: str, tmp_path: Path) -> None:
    inputs, body = STAGES[form]
    blocks = (
        "block cell(x: [C, H, W]) -> [C, H, W] { return x |> conv: conv2d(C) }\n"
        "block pair(x: [C, H, W], y: [C, H, W]) -> (x: [C, H, W], y: [C, H, W]) {\n"
        " z = x |> conv: conv2d(C)\n return z, y\n}\n"
        "block met(x: [C, H, W], y: [C, H, W]) -> [C, H, W] { return x + y }"
    )
    graph = opened(f"{body}\n}}\n{blocks.rstrip('}')}", tmp_path, inputs).graph
    labels = [node.label or "" for node in graph.template.nodes if node.kind in ("cell", "pair")]
    assert len(labels) >= 3
    for label in labels:
        whole = f"{body}\n init {label}.conv = ones\n}}\n{blocks.rstrip('}')}"
        network = opened(whole, tmp_path, inputs)
        begun = [name for name, value in network.build().named_parameters() if (value == 1).all()]
        assert begun == [f"{label}.conv.weight"]
    assert [check for check in verify(network) if not check.ok] == []


def test_an_index_that_has_no_module_leaves_a_gap(tmp_path: Path) -> None:
    block = (
        "block looped(x: [C, H, W]) -> [C, H, W] {\n x = x |> t[0]: relu\n x = x |> t[1]: conv2d(C)\n"
        " init t.1 = ones\n return x\n"
    )
    network = opened(f"a: looped\n}}\n{block}", tmp_path)
    assert [check for check in verify(network) if not check.ok] == []
    module = network.build()
    assert [*module.state_dict()] == ["a.t.1.weight", "a.t.1.bias"]
    assert bool((module.state_dict()["a.t.1.weight"] == 1).all())


@pytest.mark.parametrize("count", [10, 40])
def test_what_makes_a_module_is_told_once(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    constructor = Conv2d.constructor

    def counted(self: Conv2d, *given):
        told.append(self)
        return constructor(self, *given)

    monkeypatch.setattr(Conv2d, "constructor", counted)
    opened(f"stage s {{ relu; conv2d(3) * {count} }}", tmp_path).source()
    assert len(told) == count


@pytest.mark.parametrize("end", ["return y", "return if residual { y } else { x }"])
@pytest.mark.parametrize("step", ["add_number(1)", "silu"])
def test_a_pipe_may_be_long(step: str, end: str, tmp_path: Path) -> None:
    pipe = "\n".join([f"|> {step}"] * 600)
    block = f"block long(x: [C, H, W]; residual: bool = true) -> [C, H, W] {{\n y = x {pipe}\n {end}\n"
    module = opened(f"a: long\n}}\n{block}", tmp_path).build()
    image = torch.randn(2, 3, 9, 7)
    expected = image
    for _ in range(600):
        expected = expected + 1 if step == "add_number(1)" else torch.nn.functional.silu(expected)
    assert torch.equal(module(image), expected)


def test_a_run_whose_call_is_long_has_one_argument_a_line(tmp_path: Path) -> None:
    wide = "num_classes * 3 + 1234567"
    made = f"conv2d({wide}, kernel = [13, 11], padding = [6, 5], bias = false)"
    text = opened(f"stage s {{ {made} * 3 }}", tmp_path).source()
    lines = [line.strip() for line in text.splitlines()]
    start = lines.index("nn.Conv2d(")
    assert lines[start + 1 : start + 7] == [
        f"{wide},",
        f"{wide},",
        "(13, 11),",
        "padding=(6, 5),",
        "bias=False,",
        ")",
    ]


TRAINED_ALONE = """archdsl 1
block heads(x: [C]; classes: dim) -> [classes] {
  h = x |> fc: linear(C) |> relu
  logits = h |> head: linear(classes)
  # The name is given anew to what training alone needs; a part of it is used twice.
  h = x |> low: hidden(classes)
  h = h + (h |> mix: linear(classes))
  output train = (logits, h)
  output eval = logits * (x |> gate: linear(classes) |> sigmoid)
}
block hidden(x: [C]; n: dim) -> [n] { return x |> fc1: linear(3 * C) |> relu |> fc2: linear(n) }
network N(image: [6, 4, 4]; num_classes = 5) { head { pool: global_avg_pool; c: heads(num_classes) } }
"""


def test_what_training_alone_needs_runs_and_costs_in_training_alone(tmp_path: Path) -> None:
    path = tmp_path / "n.arch"
    path.write_text(TRAINED_ALONE, encoding="utf-8")
    network = load(path)
    assert [check for check in verify(network) if not check.ok] == []
    module, image = network.build(), torch.randn(2, 6, 4, 4)
    c, x = module.c, image.mean((2, 3))
    logits, low = c.head(c.fc(x).relu()), c.low(x)
    first, second = module.train()(image)
    assert torch.equal(first, logits) and torch.equal(second, low + c.mix(low))
    c.low.register_forward_hook(lambda *_: pytest.fail("it runs in evaluation"))
    assert torch.equal(module.eval()(image), logits * c.gate(x).sigmoid())
    figures = network.stats(by="op")
    assert figures.macs == 6 * 6 + 6 * 5 + 6 * 5 and figures.params == sum(
        p.numel() for p in module.parameters()
    )
    trained = [row for row in figures.rows if row.path.startswith(("c.low", "c.mix"))]
    assert len(trained) == 4 and sum(row.macs for row in trained) == 0 < sum(row.params for row in trained)
    # Without what training alone needs, the same in evaluation: the same bytes.
    lines = TRAINED_ALONE.splitlines()
    kept = [
        line
        for line in lines
        if "h = h" not in line and "h = x |> low" not in line and "block hidden" not in line
    ]
    path.write_text("\n".join(kept).replace("(logits, h)", "logits") + "\n", encoding="utf-8")
    alone = load(path).stats()
    assert (alone.macs, alone.activation_bytes, alone.peak_activation_bytes) == (
        figures.macs, figures.activation_bytes, figures.peak_activation_bytes,
    )  # fmt: skip
