"""Variants and settings: what paths reach, in which order they apply, how bases chain; starter documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import archdsl
from archdsl.cli import main
from archdsl.network import load
from archdsl.source import ArchError

ROOT = Path(archdsl.__file__).parent.parent
FACTS = json.loads((ROOT / "tests" / "facts" / "efficientformerv2.json").read_text(encoding="utf-8"))

BASE = """archdsl 1
import "efficientformerv2"

network N(image: [3, 32, 32]; width = [8, 16], expansion = [[2, 3], [4, 4]], act = relu, num_classes = 10) {
  "The base."
  stem: conv_stem(width[0], act = act)
  stage s1(width[0]) { ffn(expansion = each expansion[0]) }
  down: conv_downsample(width[1])
  stage s2(width[1]) {
    ffn(expansion = each expansion[1])
    last: ffn
  }
  norm: batch_norm
  head {
    pool: global_avg_pool
    classifier: classifier(num_classes, distilled = false)
  }
  features s1, s2
}
"""


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.arch").write_text(BASE, encoding="utf-8")


def written(text: str) -> str:
    """The hash of the base with its text changed by hand."""
    Path("hand.arch").write_text(text, encoding="utf-8")
    return load("hand.arch").graph.fingerprint


def varied(*settings: str) -> str:
    """The hash of a variant with these settings; the same by a variant in text, in YAML and by the command."""
    body = "\n  ".join(settings)
    Path("v.arch").write_text(f'archdsl 1\nvariant V : "base" {{\n  {body}\n}}\n', encoding="utf-8")
    assert main(["fmt", "v.arch", "--to", "yaml", "-o", "v.yaml"]) == 0
    found = {load(name).graph.fingerprint for name in ("v.arch", "v.yaml", "v.arch#V")}
    Path("own.arch").write_text(BASE + f"\nvariant V : N {{\n  {body}\n}}\nbuild V\n", encoding="utf-8")
    found.add(load("own.arch").graph.fingerprint)
    from archdsl.network import load_with_settings

    found.add(load_with_settings("base.arch", None, settings, ()).graph.fingerprint)
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(
    ("settings", "old", "new"),
    [
        (["width = [12, 20]"], "width = [8, 16]", "width = [12, 20]"),
        (["width[1] = 24"], "width = [8, 16]", "width = [8, 24]"),
        (["width[-1] = 24"], "width = [8, 16]", "width = [8, 24]"),
        (["expansion[0][1] = 5"], "[[2, 3],", "[[2, 5],"),
        (["expansion[1] += [2, 2]"], "[4, 4]]", "[4, 4, 2, 2]]"),
        (["act = gelu"], "act = relu,", "act = gelu,"),
        (["stem = conv_stem(8, act = silu)"], "act = act)", "act = silu)"),
        (["stem.act = silu"], "act = act)", "act = silu)"),
        (["unset stem.act"], ", act = act)", ")"),
        (["down.out_channels = 24", "s2.width = 24"], "conv_downsample(width[1])\n  stage s2(width[1])",
         "conv_downsample(24)\n  stage s2(24)"),
        (["s1 = [ffn * 3]"], "{ ffn(expansion = each expansion[0]) }", "{ ffn * 3 }"),
        (["s1 = ffn"], "{ ffn(expansion = each expansion[0]) }", "{ ffn }"),
        (["s1 += ffn * 2"], "each expansion[0]) }", "each expansion[0]); ffn * 2 }"),
        (["s1 += [ffn(6), ffn]"], "each expansion[0]) }", "each expansion[0]); ffn(6); ffn }"),
        (["s1.1.expansion = 5"], "[[2, 3],", "[[2, 5],"),
        (["s1.0.kernel = 5"], "ffn(expansion = each expansion[0])",
         "ffn(expansion = 2, kernel = 5); ffn(expansion = 3)"),
        (["s1.1 = ffn(6)"], "[[2, 3],", "[[2, 6],"),
        (["s2.last.expansion = 2"], "last: ffn", "last: ffn(2)"),
        (["unset s2.1"], "[4, 4]]", "[4]]"),
        (["unset s2.last"], "\n    last: ffn", ""),
        (["unset s1.1.expansion"], "[[2, 3],", "[[2, 4],"),
        (["unset norm"], "  norm: batch_norm\n", ""),
        (["unset norm", "norm = layer_norm"], "  norm: batch_norm\n", ""),
        (["s1 += ffn", "s1 = [ffn(5)]"], "{ ffn(expansion = each expansion[0]) }", "{ ffn(5); ffn }"),
        (["classifier.distilled = true"], "distilled = false", "distilled = true"),
        (["features = [s2]"], "features s1, s2", "features s2"),
        (["input = [1, width[0] * 6, 64]"], "[3, 32, 32]", "[1, 48, 64]"),
        # Numbers count what is appended, and what is unset: the order in which they are written means nothing.
        (["unset s1.0", "s1.2.expansion = 6", "s1 += ffn"], "ffn(expansion = each expansion[0])",
         "ffn(3); ffn(6)"),
    ],
    ids=lambda value: "; ".join(value) if isinstance(value, list) else None,
)  # fmt: skip
def test_a_setting_is_the_change_that_it_says(settings: list[str], old: str, new: str) -> None:
    assert BASE.count(old) == 1, old
    assert varied(*settings) == written(BASE.replace(old, new))


def test_a_chain_of_variants_applies_each_to_what_came_before() -> None:
    chain = BASE + (
        "\nvariant A : N { s1 += ffn(6); width[0] = 12 }\nvariant B : A { unset s1.0; s1.1.kernel = 5 }\n"
        "variant C : B { s1.0.kernel = 7; s1 += ffn }\n"
    )
    Path("chain.arch").write_text(chain, encoding="utf-8")
    hand = BASE.replace("width = [8,", "width = [12,").replace(
        "ffn(expansion = each expansion[0])", "ffn(3, kernel = 7); ffn(6); ffn"
    )
    # Of B: block 0 goes, block 1 has a kernel of 5; of C: it is block 0 then.
    assert load("chain.arch#C").graph.fingerprint == written(hand)
    names = load("chain.arch#C")
    assert names.lineage == ("C", "B", "A", "N") and names.name == "C"
    assert load("chain.arch").name == "N"


def test_settings_of_one_parameter_add_up_over_a_chain() -> None:
    chain = BASE + (
        "\nvariant A : N { width = [12, 24]; expansion[0] += [5] }\n"
        "variant B : A { width[1] = 20; expansion[0][2] = 6 }\nvariant C : B { act = silu; width[0] = 16 }\n"
    )
    Path("chain.arch").write_text(chain, encoding="utf-8")
    for name, width, act in (("B", "[12, 20]", "relu"), ("C", "[16, 20]", "silu")):
        hand = BASE.replace("width = [8, 16]", f"width = {width}").replace("[[2, 3],", "[[2, 3, 6],")
        hand = hand.replace("act = relu", f"act = {act}")
        assert load(f"chain.arch#{name}").graph.fingerprint == written(hand)


def test_a_stage_that_is_set_anew_forgets_what_was_set_in_it() -> None:
    chain = BASE + (
        "\nvariant A : N { s1.0.kernel = 5; unset s1.1; s1 += ffn(6) }\n"
        "variant B : A { s1 = [ffn(2), ffn(3)] }\nvariant C : B { s1.1.kernel = 7 }\n"
    )
    Path("chain.arch").write_text(chain, encoding="utf-8")
    for name, blocks in (("B", "ffn(2); ffn(3)"), ("C", "ffn(2); ffn(3, kernel = 7)")):
        hand = BASE.replace("ffn(expansion = each expansion[0])", blocks)
        assert load(f"chain.arch#{name}").graph.fingerprint == written(hand)


def test_numbers_count_the_blocks_without_names() -> None:
    blocks = "    a: ffn\n    ffn * 2\n    b: ffn\n    ffn"
    text = BASE.replace("    ffn(expansion = each expansion[1])\n    last: ffn", blocks)
    text += "variant V : N { s2.1.expansion = 6; s2.2.expansion = 7; unset s2.a }\n"
    Path("named.arch").write_text(text, encoding="utf-8")
    hand = text.replace(blocks, "    ffn; ffn(6)\n    b: ffn\n    ffn(7)")
    assert load("named.arch#V").graph.fingerprint == written(hand)


def test_a_variant_has_a_resolution_where_the_extents_of_the_input_are_parameters() -> None:
    sized = BASE.replace("(image: [3, 32, 32]; ", "(image: [3, rows, 2 * rows]; rows = 32, ")
    Path("sized.arch").write_text(sized + "\nvariant V : N { rows = 64 }\n", encoding="utf-8")
    assert main(["fmt", "sized.arch", "--to", "yaml", "-o", "sized.yaml"]) == 0
    hand = written(BASE.replace("[3, 32, 32]", "[3, 64, 128]"))
    for document in ("sized.arch", "sized.yaml"):
        assert load(f"{document}#N").graph.resolution == (32, 64)
        assert load(f"{document}#V").graph.fingerprint == hand
        assert load(f"{document}#V", resolution=96).graph.resolution == (96, 96)
    module = load("sized.yaml#V").build()
    assert module(torch.zeros(1, 3, 64, 128)).shape == (1, 10)


def test_a_base_in_another_document_brings_its_blocks_and_own_blocks_go_before(tmp_path: Path) -> None:
    Path("more.arch").write_text(
        "archdsl 1\nblock ffn(x: [C, H, W]; expansion: ratio = 1) -> [C, H, W] { return x |> c: conv2d(C) }\n"
        'variant V : "base" { s1 += ffn }\n',
        encoding="utf-8",
    )
    keys = {key for key, _ in load("more.arch").graph.weights()}
    assert "s1.2.c.weight" in keys and "s1.0.c.weight" in keys


@pytest.mark.parametrize("name", ["s0", "s1", "s2", "l"])
def test_the_networks_of_the_paper_are_variants_of_one_base(name: str) -> None:
    network = load(name)
    assert network.lineage[-1] == "EfficientFormerV2" and len(network.lineage) == 2
    assert main(["stats", f"{name}#{network.name}"]) == 0


EXACT = {
    # params, MACs, with one head: params, by the authors' counting: params, MACs
    "s0": (3_600_256, 395_892_544, 3_423_256, 3_534_553, 396_088_544),
    "s1": (6_185_560, 651_969_640, 5_960_560, 6_092_480, 652_277_472),
    "s2": (12_710_112, 1_246_863_952, 12_421_112, 12_551_405, 1_247_361_120),
    "l": (26_322_288, 2_552_546_880, 25_937_288, 26_068_650, 2_553_351_040),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact_figures(name: str) -> None:
    core, paper = load(name).stats(), load(name).stats("paper")
    one_head = load(name, parameters={"distilled": False}).stats()
    assert (core.params, core.macs, one_head.params, paper.params, paper.macs) == EXACT[name]


# --- --set on every command


@pytest.mark.parametrize("command", ["stats", "show", "build", "verify", "freeze", "sample"])
def test_every_command_takes_settings(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    args = [command, "base.arch", "--set", "s1.0.expansion=3", "--set", "unset norm", "--set", "s2 += ffn"]
    assert main(args) == 0
    capsys.readouterr()
    assert main([*args[:2], "--set", "s1.7.expansion=3"]) == 2
    said = capsys.readouterr().err
    assert "E0224" in said and "--set:1:1" in said


def test_the_header_of_a_file_names_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "base.arch", "--set", "width=[12, 20]", "-o", "-"]) == 0
    text = capsys.readouterr().out
    assert "archdsl build base.arch --set 'width=[12, 20]'" in text
    assert main(["build", "base.arch#N", "-o", "-"]) == 0
    assert "archdsl build 'base.arch#N'" in capsys.readouterr().out


def test_a_file_with_a_hash_in_its_name_is_found() -> None:
    Path("a#N.arch").write_text(BASE, encoding="utf-8")
    assert load("a#N.arch").name == "N"
    assert load("a#N.arch#N").name == "N"


def test_bases_in_a_circle_are_shown_as_a_chain() -> None:
    Path("a.arch").write_text('archdsl 1\nvariant A : "b" { }\n', encoding="utf-8")
    Path("b.arch").write_text('archdsl 1\nvariant B : "a" { }\n', encoding="utf-8")
    with pytest.raises(ArchError) as caught:
        load("a.arch")
    assert [mistake.code for mistake in caught.value.diagnostics] == ["E0705"]
    assert "base of A (a.arch:2:13), base of B (b.arch:2:13)" in str(caught.value)


def test_bases_up_to_the_bound() -> None:
    lines = ["archdsl 1\n" + BASE.partition("\n")[2], "variant V1 : N { }"]
    lines += [f"variant V{i} : V{i - 1} {{ }}" for i in range(2, 34)]
    Path("deep.arch").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert load("deep.arch#V32").name == "V32"
    with pytest.raises(ArchError) as caught:
        load("deep.arch#V33")
    assert [mistake.code for mistake in caught.value.diagnostics] == ["E0601"]


# --- starter documents


@pytest.mark.parametrize("ending", [".yaml", ".arch"])
def test_starter_documents_work_and_are_formatted(ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", f"my_net{ending}"]) == 0
    assert main(["new", f"mine/small{ending}", "--base", "s0"]) == 0
    assert main(["new", f"smaller{ending}", "--base", f"my_net{ending}#MyNet_Large"]) == 0
    documents = [f"my_net{ending}", f"mine/small{ending}", f"smaller{ending}"]
    assert main(["fmt", "--check", *documents]) == 0
    for document in (*documents, f"my_net{ending}#MyNet_Large"):
        assert main(["stats", document]) == 0
    assert main(["verify", f"my_net{ending}"]) == 0
    assert load(f"smaller{ending}").lineage == ("Smaller", "MyNet_Large", "MyNet")


@pytest.mark.parametrize("ending", [".yaml", ".arch"])
@pytest.mark.parametrize("params", ["", "; width = choose {2, 3}", "; width = [2, 3]", "; act = relu"])
def test_a_variant_of_any_network_can_be_begun(params: str, ending: str) -> None:
    text = f'archdsl 1\nimport "convolution"\nnetwork N(image: [3, 8, 8]{params}) {{\n  a: conv_bn(4)\n}}\n'
    Path("n.arch").write_text(text, encoding="utf-8")
    assert main(["new", f"mine{ending}", "--base", "n.arch"]) == 0
    assert main(["fmt", "--check", f"mine{ending}"]) == 0
    assert load(f"mine{ending}").lineage == ("Mine", "N")
    assert main(["stats", f"mine{ending}"]) == 0


def test_the_two_starter_documents_are_one_network() -> None:
    for ending in (".yaml", ".arch"):
        assert main(["new", f"net{ending}"]) == 0
    assert load("net.yaml").graph.fingerprint == load("net.arch").graph.fingerprint
    assert load("net.yaml#Net_Large").graph.fingerprint == load("net.arch#Net_Large").graph.fingerprint


def test_new_never_overwrites(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("base.arch").read_bytes()
    assert main(["new", "base.arch"]) == 3
    assert main(["new", "net.txt"]) == 2
    assert main(["new", "class.yaml"]) == 2
    assert main(["new", "net.yaml", "--base", "nothing"]) == 2
    assert Path("base.arch").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["base.arch"]


@pytest.mark.parametrize(
    "setting", ["input = 32", "input += [3]", "unset input", "input = [i for i in [3, 4, 5]]"]
)
def test_an_input_that_is_no_shape_is_refused(setting: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", "base.arch", "--set", setting]) == 2
    said = capsys.readouterr().err
    assert "E0224" in said and "the input is set to a shape" in said


def test_an_entry_or_parameter_that_is_called_input_goes_before_the_shape() -> None:
    text = BASE.replace("norm: batch_norm", "input: batch_norm")
    changed = text + "variant V : N { input = identity }\n"
    Path("entry.arch").write_text(changed, encoding="utf-8")
    hand = text.replace("input: batch_norm", "input: identity")
    assert load("entry.arch#V").graph.fingerprint == written(hand)


def test_the_input_of_several_is_the_first(tmp_path: Path) -> None:
    path = tmp_path / "two.arch"
    path.write_text(
        "archdsl 1\nblock join(x: [C, H, W], more: [C, h, w]) -> [2 * C] {\n"
        "  return concat(x |> global_avg_pool, more |> global_avg_pool)\n}\n"
        "network N(image: [3, 8, 8], more: [3, 4, 4]) { j: join }\nvariant V : N { input = [3, 16, 8] }\n"
        "build V\n",
        encoding="utf-8",
    )
    graph = load(path).graph
    assert graph.resolution == (16, 8) and load(path).at((8, 8)).graph.resolution == (8, 8)


@pytest.mark.parametrize(
    "lines",
    ["", "features a", "features a\n  features b", "if true { features a } else { features b }\n  features b"],
    ids=["none", "one", "two", "in a decision"],
)
@pytest.mark.parametrize("labels", ["a", "b", "b, a"])
def test_features_that_are_set_are_all_that_there_are(lines: str, labels: str, tmp_path: Path) -> None:
    path = tmp_path / "n.arch"
    body = f"a: conv2d(4)\n  b: conv2d(5)\n  c: relu\n  {lines}"
    path.write_text(
        f"archdsl 1\nnetwork N(x: [3, 8, 8]) {{\n  {body}\n}}\nvariant v : N {{\n  features = [{labels}]\n}}\n",
        encoding="utf-8",
    )
    network = load(f"{path}#v")
    assert [label for label, _ in network.graph.features] == labels.split(", ")
    module, image = network.build(), torch.randn(2, 3, 8, 8)
    first = module.a(image)
    known = {"a": first, "b": module.b(first)}
    for label, found in zip(labels.split(", "), module.features(image), strict=True):
        assert torch.equal(found, known[label])
    assert torch.equal(module(image), known["b"].relu())
