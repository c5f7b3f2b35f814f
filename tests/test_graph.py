"""The graph: what elaboration makes, its views, its hash, its dump."""

from __future__ import annotations

from pathlib import Path

import networkx
import pytest

import archdsl
from archdsl.scalar import evaluate

KITCHEN = Path(__file__).parent / "networks" / "kitchen.arch"


@pytest.mark.parametrize("spec", ["s0", "l", str(KITCHEN)])
def test_verify_finds_nothing(spec: str) -> None:
    archdsl.load(spec).graph.verify()


def test_verify_finds_a_number_that_its_term_does_not_give() -> None:
    graph = archdsl.load("s0").graph
    template = next(t for t in graph.templates() if t.block == "ffn")
    name, pair = template.lets[0]
    wrong = template.replace(lets=((name, pair._replace(value=pair.value + 1)),))
    with pytest.raises(AssertionError):
        archdsl.load("s0").graph.replace(template=wrong).verify()


def test_a_network_with_another_text_keeps_what_its_terms_name() -> None:
    graph = archdsl.load("s0").graph
    changed = graph.replace(template=graph.template.replace(doc="another"))
    assert changed.template.values == graph.template.values
    assert changed.template.values["num_classes"] == 1000
    changed.verify()


def test_golden_dump_of_one_block(golden) -> None:
    golden("s0_s3_4_token_mixer.txt", archdsl.load("s0").graph.dump("s3.4.token_mixer"))


def test_dump_of_all_names_every_template_once() -> None:
    graph = archdsl.load("l").graph
    blocks = [line for line in graph.dump().splitlines() if line.startswith("block ")]
    assert len(blocks) == len(list(graph.templates())) == len(set(blocks))


def test_an_instance_is_elaborated_once() -> None:
    graph = archdsl.load("l").graph
    nodes = {node.label: node for node in graph.template.nodes}
    assert nodes["s1.0"].child is nodes["s1.4"].child
    assert nodes["s1.0"].child is not nodes["s2.0"].child
    assert len(graph.flat) > 700 > 10 * len(list(graph.templates()))


def test_numbers_keep_their_terms() -> None:
    graph = archdsl.load("s0").graph
    for template in graph.templates():
        for pair in template.scalars():
            assert evaluate(pair.term, template.values) == pair.value


def test_networkx_has_every_primitive_and_its_cost() -> None:
    network = archdsl.load("s0")
    flat = network.graph.to_networkx()
    assert networkx.is_directed_acyclic_graph(flat)
    assert sum(data.get("macs", 0) for _, data in flat.nodes(data=True)) == network.stats().macs
    assert sum(data.get("params", 0) for _, data in flat.nodes(data=True)) == network.stats().params
    assert [node for node in flat if flat.in_degree(node) == 0 and flat.nodes[node]["kind"] == "input"]


def test_the_hash_is_that_of_the_network_and_not_of_its_text(tmp_path: Path) -> None:
    spec = Path(archdsl.__file__).parent.parent / "specs" / "efficientformerv2_base.yaml"
    text = spec.read_text(encoding="utf-8")
    hash_ = archdsl.load("s0").graph.fingerprint

    def of(changed: str) -> str:
        file = tmp_path / "changed.yaml"
        file.write_text(changed, encoding="utf-8")
        return archdsl.load(file).graph.fingerprint

    assert of("# a comment\n" + text) == hash_
    assert of(text.replace("- [4 * 2]", "- [4.0, 4]", 1)) == hash_
    assert of(text.replace("drop_path: 0.0", "drop_path: 0.1")) == hash_
    assert of(text.replace("[4, 3 * 2, 4]", "[3, 4, 3, 4]", 1)) != hash_
    assert of(text.replace("stem: ", "start: ")) != hash_
    assert archdsl.load("s0", resolution=256).graph.fingerprint != hash_


def test_networks_that_differ_in_their_wiring_have_other_hashes(tmp_path: Path) -> None:
    file = tmp_path / "wired.arch"
    found = set()
    for result in ("x - y", "y - x", "y - y", "concat(x, y) |> slice(0, length = 3)"):
        file.write_text(
            "archdsl 1\nblock b(x: [C, H, W]) -> [C, H, W] {\n"
            f"  y = relu(x)\n  z = y - x\n  return z * ({result})\n}}\n"
            "network N(x: [3, 4, 4]) { b: b }\n",
            encoding="utf-8",
        )
        found.add(archdsl.load(file).graph.fingerprint)
    assert len(found) == 4


def test_what_is_trained_and_what_training_gives_is_of_the_hash(tmp_path: Path) -> None:
    file = tmp_path / "told.arch"
    found = []
    for owner, trained, first in (
        ("parameter", "y", "zeros"), ("parameter", "y", "ones"), ("buffer", "y", "zeros"),
        ("parameter", "-y", "zeros"), ("parameter", "(y, x)", "zeros"),
    ):  # fmt: skip
        file.write_text(
            f"archdsl 1\nblock b(x: [C]) -> [C] {{\n  y = x + t: {owner}([C])\n  init t = {first}\n"
            f"  output train = {trained}\n  output eval = y\n}}\n"
            "network N(x: [3, 4, 4]) { p: global_avg_pool; b: b }\n",
            encoding="utf-8",
        )
        found.append(archdsl.load(file).graph.fingerprint)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("output eval = y", "output eval = x"), encoding="utf-8")
    found.append(archdsl.load(file).graph.fingerprint)
    assert found[0] == found[1] and len(set(found)) == 5
    for act in ("relu", "silu"):
        file.write_text(f"archdsl 1\nnetwork N(x: [3, 4, 4]) {{ a: {act} }}\n", encoding="utf-8")
        found.append(archdsl.load(file).graph.fingerprint)
    assert found[-1] != found[-2], "what they are is all that tells these two apart"


def test_text_and_yaml_of_one_network_have_one_hash(tmp_path: Path) -> None:
    file = tmp_path / "s0.arch"
    file.write_text(
        """archdsl 1
import "efficientformerv2"
network EfficientFormerV2_S0(image: [3, 224, 224]; num_classes: dim = 1000) {
  stem: conv_stem(32)
  stage s1(32) { ffn * 2 }
  down1: conv_downsample(48)
  stage s2(48) { ffn * 2 }
  down2: conv_downsample(96)
  stage s3(96) { ffn(expansion = each [4, 3 * 3]); attention_block(stride = 2) * 2 }
  down3: dual_path_downsample(176)
  stage s4(176) {
    ffn(expansion = each [4, 3])
    attention_block(expansion = each [3, 4])
  }
  norm: batch_norm
  head { pool: global_avg_pool; classifier: classifier(num_classes) }
  features s1, s2, s3, s4
}
""",
        encoding="utf-8",
    )
    assert archdsl.load(file).graph.fingerprint == archdsl.load("s0").graph.fingerprint
