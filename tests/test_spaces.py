"""Spaces: exact sizes and intervals against every network written out by hand, freezing and sampling."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archdsl
from archdsl import read_arch
from archdsl.cli import main
from archdsl.library import Library
from archdsl.network import load
from archdsl.source import ArchError, Source
from archdsl.space.picks import picks_text, read_picks
from archdsl.space.walk import Walk
from archdsl.variants import choose

ROOT = Path(archdsl.__file__).parent.parent
PAPER = {
    "s0": ([32, 48, 96, 176], [[4] * 2, [4] * 2, [4, 3, 3, 3, 4, 4], [4, 3, 3, 4]], 2),
    "s2": (
        [32, 64, 144, 288],
        [[4] * 4, [4] * 4, [4] * 2 + [3] * 6 + [4] * 4, [4] * 2 + [3] * 4 + [4] * 2],
        4,
    ),
}


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- against all networks of a space, each a text of its own


class Drawn(NamedTuple):
    """A space: widths and depths of two stages, ratios of their blocks, and what else may be chosen."""

    widths: tuple[tuple[int, ...], tuple[int, ...]]
    depths: tuple[tuple[int, ...], tuple[int, ...]]
    ratios: tuple[tuple[float, ...], tuple[float, ...]]
    shared: bool
    """The blocks of the second stage share one ratio."""
    blocks: tuple[str, ...]
    """What each block of the second stage may be; `none` is no block at all."""
    listed: bool
    """The ratios of the first stage stand in a parameter, as long as the deepest stage."""
    norm: bool
    """Whether there is a normalisation at the end is a choice too."""

    def space(self) -> str:
        def of(options: tuple[object, ...]) -> str:
            return "choose {" + ", ".join(map(str, options)) + "}"

        second = "each " * (not self.shared) + of(self.ratios[1])
        kinds = [f"{kind}(expansion = {second})" if kind != "none" else kind for kind in self.blocks]
        item = f"each {of(tuple(kinds))}" if len(kinds) > 1 else kinds[0]
        first = f"each {of(self.ratios[0])}"
        if self.listed:
            ratios = f", ratios = [{first} * {max(self.depths[0])}]"
            stage = "thin(expansion = each first(ratios, depth[0]))"
        else:
            ratios, stage = "", f"thin(expansion = {first}) * depth[0]"
        norm = f"  if {of(('true', 'false'))} {{ norm: batch_norm }}\n" if self.norm else ""
        return BLOCKS + (
            f"network N(x: [3, 8, 8]; width = [{of(self.widths[0])}, {of(self.widths[1])}],\n"
            f"          depth = [{of(self.depths[0])}, {of(self.depths[1])}]{ratios}) {{\n"
            f"  stem: conv_bn(width[0])\n  stage a(width[0]) {{ {stage} }}\n"
            f"  down: conv_bn(width[1], stride = 2)\n  stage b {{ {item} * depth[1] }}\n"
            "  tail: conv_bn(width[0])\n"
            f"{norm}}}\n"
        )

    def networks(self) -> list[str]:
        """Every network of the space, written out."""
        result = []
        for widths in itertools.product(*self.widths):
            for depths in itertools.product(*self.depths):
                firsts = itertools.product(self.ratios[0], repeat=depths[0])
                seconds = list(self._seconds(depths[1]))
                norms = ["", "  norm: batch_norm\n"] if self.norm else [""]
                for first, second, norm in itertools.product(firsts, seconds, norms):
                    result.append(self._network(widths, first, second, norm))
        return result

    def _seconds(self, depth: int) -> list[list[str]]:
        if self.shared:
            # One ratio for all blocks of a kind; it is decided only where there is such a block.
            return [
                [f"{kind}(expansion = {ratio[kind]})" for kind in chosen if kind != "none"]
                for chosen in itertools.product(self.blocks, repeat=depth)
                for ratio in self._shared({kind for kind in chosen if kind != "none"})
            ]
        one = [f"{k}(expansion = {r})" for k in self.blocks if k != "none" for r in self.ratios[1]]
        one += [""] * ("none" in self.blocks)
        return [[kind for kind in chosen if kind] for chosen in itertools.product(one, repeat=depth)]

    def _shared(self, kinds: set[str]) -> list[dict[str, float]]:
        names = sorted(kinds)
        return [dict(zip(names, r, strict=True)) for r in itertools.product(self.ratios[1], repeat=len(names))]

    @staticmethod
    def _network(widths: tuple[int, ...], first: tuple[float, ...], second: list[str], norm: str) -> str:
        a = "; ".join(f"thin(expansion = {ratio})" for ratio in first)
        b = f"  stage b {{ {'; '.join(second)} }}\n" if second else ""
        return BLOCKS + (
            f"network N(x: [3, 8, 8]) {{\n  stem: conv_bn({widths[0]})\n  stage a {{ {a} }}\n"
            f"  down: conv_bn({widths[1]}, stride = 2)\n{b}  tail: conv_bn({widths[0]})\n{norm}}}\n"
        )


BLOCKS = """archdsl 1
import "convolution"
block thin(x: [C, H, W]; expansion: ratio = 1) -> [C, H, W] {
  hidden = int(C * expansion)
  return x + (x |> a: conv_bn(hidden) |> relu |> b: conv_bn(C))
}
block wide(x: [C, H, W]; expansion: ratio = 1) -> [C, H, W] {
  hidden = int(C * expansion)
  return x |> a: conv_bn(hidden, kernel = 3) |> relu |> b: conv_bn(C, kernel = 3)
}
"""


def some(values: list, most: int = 2) -> st.SearchStrategy:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(tuple)


def pairs(values: list, most: int = 2) -> st.SearchStrategy:
    return st.tuples(some(values, most), some(values, most))


DRAWN = st.builds(
    Drawn,
    pairs([2, 3, 4]),
    pairs([1, 2]),
    pairs([1, 1.5, 2, 3]),
    st.booleans(),
    st.sampled_from([("thin",), ("thin", "wide"), ("wide", "none"), ("thin", "wide", "none")]),
    st.booleans(),
    st.booleans(),
)


def opened(text: str):
    document = read_arch.read(Source("n.arch", text))
    library = Library()
    Path("n.arch").write_text(text, encoding="utf-8")
    assert document.networks
    return choose(library, library.open("n.arch"), None)


@settings(max_examples=20, deadline=None)
@given(DRAWN)
def test_size_and_intervals_are_those_of_all_networks(drawn: Drawn) -> None:
    texts = drawn.networks()
    figures = []
    for text in texts:
        Path("one.arch").write_text(text, encoding="utf-8")
        figures.append(load("one.arch").stats(batch=2))
    Path("n.arch").write_text(drawn.space(), encoding="utf-8")
    space = load("n.arch").space(batch=2)
    assert space.exact
    assert space.size == len(texts)
    for name in ("params", "macs", "weight_bytes", "activation_bytes", "peak_activation_bytes"):
        values = [getattr(figure, name) for figure in figures]
        assert getattr(space, name) == (min(values), max(values)), name


@settings(max_examples=15, deadline=None)
@given(DRAWN, st.integers(0, 5))
def test_a_sample_is_a_network_of_the_space_in_both_surfaces(drawn: Drawn, seed: int) -> None:
    Path("n.arch").write_text(drawn.space(), encoding="utf-8")
    space = load("n.arch")
    sample = space.sample(seed, "M")
    again = space.sample(seed, "M")
    assert sample.text("arch") == again.text("arch") and sample.decided == again.decided
    for surface in ("arch", "yaml"):
        Path(f"m.{surface}").write_text(sample.text(surface), encoding="utf-8")
        made = load(f"m.{surface}")
        assert not made.is_open and made.name == "M"
        assert made.graph.fingerprint == sample.graph.fingerprint
    figures = space.space()
    params = made.stats().params
    assert figures.params.least <= params <= figures.params.most
    # What a sample decided picks it again.
    picks = read_picks(Source("picks.yaml", picks_text(sample.decided) or "{}"))
    if sample.decided:
        assert load("n.arch").freeze(picks.values, "M").text("arch") == sample.text("arch")


# --- the space of the paper


def paper_picks(name: str) -> dict[str, object]:
    width, expansion, attention = PAPER[name]
    picks: dict[str, object] = {"width": width, "depth": [len(ratios) for ratios in expansion]}
    for stage, ratios in enumerate(expansion, start=1):
        picks[f"s{stage}.*.expansion"] = ratios
        if stage > 2:
            plain = len(ratios) - attention
            picks[f"s{stage}.*.block"] = ["ffn"] * plain + ["attention_block"] * attention
    return picks


@pytest.mark.parametrize("name", PAPER)
def test_networks_of_the_paper_are_members_of_the_supernet(name: str) -> None:
    frozen = load("supernet").freeze(paper_picks(name))
    assert frozen.graph.fingerprint == load(name).graph.fingerprint


def test_the_size_of_the_supernet_by_a_formula() -> None:
    space = load("supernet").space()
    plain = sum(3**depth for depth in range(2, 6))
    third = sum(6**depth for depth in range(6, 16))
    fourth = sum(6**depth for depth in range(4, 11))
    options = {d.name: len(d.options) for d in space.decisions}
    widths = 1
    for stage in range(4):
        widths *= options[f"width[{stage}]"]
    assert space.size == widths * plain**2 * third * fourth


def test_the_ends_of_the_supernet_are_networks() -> None:
    """The least and the most of every cost are those of its smallest and largest network."""
    network = load("supernet")
    space = network.space()
    for end, index in (("least", 0), ("most", -1)):
        options = {d.name: d.options[index] for d in space.decisions}
        picks: dict[str, object] = {
            name: "attention_block" if name.endswith("block") and index else value
            for name, value in options.items()
        }
        if not index:
            picks = {name: "ffn" if name.endswith("block") else value for name, value in picks.items()}
        stats = archdsl.load("supernet")
        frozen = stats.freeze(picks)
        Path("end.arch").write_text(frozen.text("arch"), encoding="utf-8")
        figures = load("end.arch").stats()
        assert figures.params == getattr(space.params, end)
        assert figures.macs == getattr(space.macs, end)
        assert figures.activation_bytes == getattr(space.activation_bytes, end)


def test_the_walk_of_the_supernet_stays_small() -> None:
    """No time is asserted (bench/spaces.py prints it), but the work: it must not grow with the networks."""
    chosen = load("supernet").chosen
    walk = Walk(chosen.unit, chosen.network, None, ["core"])
    assert walk.result().ways > 10**25
    assert walk.runs < 1000


# --- conditions

SMALL = BLOCKS + (
    "network N(x: [3, 8, 8]; width = choose {8, 16, 32}) {\n  stem: conv_bn(width)\n"
    "  stage a(width) { thin(expansion = each choose {1, 2, 4}) * choose {1, 2, 3} }\n  SUBJECT\n}\n"
)


def small(condition: str):
    Path("n.arch").write_text(SMALL.replace("SUBJECT", condition), encoding="utf-8")
    return load("n.arch")


def test_under_conditions_intervals_are_bounds_and_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    free = small("").space()
    bound = small("subject to params(core) <= 4k and macs(core) > 60000").space()
    assert free.exact and not bound.exact
    assert bound.size == free.size
    assert bound.params == (free.params.least, 4000)
    assert bound.macs == (max(free.macs.least, 60001), free.macs.most)
    assert main(["stats", "n.arch"]) == 0
    printed = capsys.readouterr().out
    assert "lower bound" in printed and "Subject to params(core) <= 4k and macs(core) > 60,000." in printed
    assert main(["stats", "n.arch", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["exact"] is False


@pytest.mark.parametrize(
    ("condition", "metric", "interval"),
    [
        ("params(core) <= 4k", "params", (None, 4000)),
        ("params(core) < 4k", "params", (None, 3999)),
        ("params(core) < 3999.5", "params", (None, 3999)),
        ("params(core) > 2k", "params", (2001, None)),
        ("params(core) >= 2k", "params", (2000, None)),
        ("params(core) >= 1999.5", "params", (2000, None)),
        ("params(core) == 0.003M", "params", (3000, 3000)),
        ("4k >= params(core)", "params", (None, 4000)),
        ("4k > params(core)", "params", (None, 3999)),
        ("2k < params(core)", "params", (2001, None)),
        ("2k <= params(core)", "params", (2000, None)),
        ("3k == params(core)", "params", (3000, 3000)),
        ("0.0001G <= macs(core)", "macs", (100_000, None)),
        ("peak_activation_bytes(float32) <= 12KiB", "peak_activation_bytes", (None, 12 * 1024)),
        ("peak_activation_bytes(float32) <= 12KB", "peak_activation_bytes", (None, 12_000)),
        ("peak_activation_bytes(float32) <= 0.01MiB", "peak_activation_bytes", (None, 10_485)),
        ("weight_bytes(float32) <= 0.012MB", "weight_bytes", (None, 12_000)),
        ("weight_bytes(float32) >= 0.00001GiB", "weight_bytes", (10_738, None)),
        ("weight_bytes(float32) <= 0.00001GB", "weight_bytes", (None, 10_000)),
    ],
)
def test_intervals_end_at_limits(condition: str, metric: str, interval: tuple[int | None, int | None]) -> None:
    free, bound = (getattr(small(text).space(), metric) for text in ("", f"subject to {condition}"))
    ends = [end if limit is None else limit for limit, end in zip(interval, free, strict=True)]
    assert free.least < max(ends) and free.most > min(ends), "the limit is of no consequence"
    assert bound == tuple(ends)


@pytest.mark.parametrize(
    ("limit", "holds"),
    [("<= 3,456", True), ("< 3,456", False), (">= 3,456", True), ("> 3,456", False), ("== 3,456", True)],
)
def test_conditions_at_the_limit(limit: str, holds: bool) -> None:
    picks = {"width": 16, "a.blocks[0].count": 2, "a.*.expansion": [1, 4]}
    params = small("").freeze(picks).graph
    value = load_params(params)
    written = limit.replace("3,456", str(value))
    space = small(f"subject to params(core) {written}")
    if holds:
        assert space.freeze(picks).graph.fingerprint == params.fingerprint
    else:
        with pytest.raises(ArchError) as caught:
            space.freeze(picks)
        assert [mistake.code for mistake in caught.value.diagnostics] == ["E0228"]


def load_params(graph: archdsl.Graph) -> int:  # type: ignore[name-defined]
    from archdsl.cost import Costs

    return Costs(graph).network.params


def test_samples_keep_to_conditions() -> None:
    space = small("subject to params(core) <= 3k and peak_activation_bytes(float32) <= 32KiB")
    for seed in range(20):
        sample = space.sample(seed)
        assert load_params(sample.graph) <= 3000
    assert len({tuple(space.sample(seed).decided.items()) for seed in range(20)}) > 3


@pytest.mark.parametrize(
    ("condition", "code", "said"),
    [
        ("params <= 3.7M", "E0225", "write params(core)"),
        ("params(cores) <= 3.7M", "E0225", "did you mean 'core'?"),
        ("parms(core) <= 3.7M", "E0225", "did you mean 'params'?"),
        ("params(core) <= 3.7ms", "E0225", "units of params: k, M, G"),
        ("params(core) <= 1k or macs(core) <= 1M", "E0225", "joined by 'and'"),
        ("params(core)", "E0225", "compares a metric with a limit"),
        ("latency(iphone12) <= 1.0ms", "E0226", "no latency table 'iphone12'"),
        ("weight_bytes(float32) <= 100", "E0228", "the least is"),
    ],
)
def test_wrong_conditions(condition: str, code: str, said: str) -> None:
    with pytest.raises(ArchError) as caught:
        small(f"subject to {condition}").space()
    assert caught.value.diagnostics[0].code == code
    assert said in str(caught.value)


# --- what is open is not built


def test_build_names_the_open_decisions(capsys: pytest.CaptureFixture[str]) -> None:
    small("")
    assert main(["build", "n.arch"]) == 2
    said = capsys.readouterr().err
    assert "E0223" in said and "N leaves 3 decisions open" in said
    for name in ("width (8, 16, 32)", "a.blocks[0].count (1, 2, 3)", "a.0.expansion (1, 2, 4)"):
        assert name in said
    assert not Path("build").exists()


@pytest.mark.parametrize(
    ("picks", "said"),
    [
        ({"width": 8}, "leaves 2 decisions open"),
        ({"width": 9, "a.blocks[0].count": 1, "a.*.expansion": 1}, "its options: 8, 16, 32"),
        ({"widht": 8, "a.blocks[0].count": 1, "a.*.expansion": 1, "width": 8}, "did you mean 'width'?"),
        ({"width": 8, "a.blocks[0].count": 1, "a.*.expansion": [1, 2]}, "has 2 values, 1 are asked for"),
        ({"width": 8, "a.blocks[0].count": 2, "a.*.expansion": [1]}, "leaves 1 decision open"),
    ],
)
def test_wrong_picks(picks: dict[str, object], said: str) -> None:
    with pytest.raises(ArchError) as caught:
        small("").freeze(picks)
    assert said in str(caught.value)


def test_freeze_and_sample_as_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", "supernet", "--seed", "7", "--picks"]) == 0
    Path("p.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["sample", "supernet", "--seed", "7", "--name", "Mine", "-o", "mine.arch"]) == 0
    assert main(["freeze", "supernet", "--with", "p.yaml", "--name", "Mine", "-o", "mine.yaml"]) == 0
    assert load("mine.arch").graph.fingerprint == load("mine.yaml").graph.fingerprint
    assert main(["fmt", "--check", "mine.arch", "mine.yaml"]) == 0
    assert main(["sample", "supernet", "--seed", "7", "--to", "arch"]) == 0
    assert "network EfficientFormerV2_Supernet(" in capsys.readouterr().out


def test_a_wrong_network_of_a_space_is_told_with_its_decisions() -> None:
    text = BLOCKS + "network N(x: [3, 8, 8]; groups = choose {1, 2}) {\n  a: conv_bn(3, groups = groups)\n}\n"
    Path("n.arch").write_text(text, encoding="utf-8")
    with pytest.raises(ArchError) as caught:
        load("n.arch").space()
    assert "in the networks of this space with groups = 2" in str(caught.value)


def test_entangled_decisions_are_refused() -> None:
    choices = ", ".join("choose {1, 2}" for _ in range(40))
    text = (
        BLOCKS
        + f"network N(x: [3, 8, 8]; w = [{choices}]) {{\n  a: conv_bn(sum(w))\n  b: conv_bn(sum(w))\n}}\n"
    )
    Path("n.arch").write_text(text, encoding="utf-8")
    with pytest.raises(ArchError) as caught:
        load("n.arch").space()
    assert {mistake.code for mistake in caught.value.diagnostics} == {"E0602"}


def test_a_block_left_out_shifts_no_choice_and_numbers_the_blocks_that_are_there() -> None:
    text = BLOCKS + (
        "network N(x: [3, 8, 8]) {\n  stem: conv_bn(4)\n"
        "  stage a { each choose {thin(expansion = each choose {1, 2}), none} * 3; last: thin }\n}\n"
    )
    Path("n.arch").write_text(text, encoding="utf-8")
    space = load("n.arch")
    assert space.space().size == 3**3
    frozen = space.freeze({"a.*.block": ["none", "thin", "thin"], "a.1.expansion": 2, "a.2.expansion": 1})
    keys = {key.partition(".a.")[0] for key, _ in frozen.graph.weights() if key.startswith("a.")}
    assert {".".join(key.split(".")[:2]) for key in keys} == {"a.0", "a.1", "a.last"}
    depths = {
        sum(n.label.startswith("a.") for n in space.sample(seed).graph.template.nodes) for seed in range(20)
    }
    assert depths == {1, 2, 3, 4}


def test_the_json_of_a_space_keeps_to_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    from archdsl.schema import SpaceReport

    for spec in ("supernet", "n.arch"):
        small("subject to params(core) <= 4k")
        assert main(["stats", spec, "--format", "json", "--batch", "3"]) == 0
        report = SpaceReport.model_validate_json(capsys.readouterr().out)
        assert report.batch == 3 and report.size == load(spec).space().size
        assert report.exact == (spec == "supernet")


@pytest.mark.parametrize("format", ["table", "csv", "markdown", "json"])
def test_the_figures_of_the_supernet_as_printed(
    format: str, golden, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", "supernet", "--format", format]) == 0
    ending = {"table": "txt", "markdown": "md"}.get(format, format)
    golden(f"supernet_stats.{ending}", capsys.readouterr().out)


def test_a_primitive_that_has_the_name_of_a_function_is_chosen(tmp_path: Path) -> None:
    text = "archdsl 1\nnetwork N(x: [3, 4, 5]) { stage s { choose {sum(axes = -1, keep = true), relu} } }\n"
    path = tmp_path / "chosen.arch"
    path.write_text(text, encoding="utf-8")
    assert archdsl.load(str(path)).space().size == 2
    assert archdsl.load(str(path)).sample(0).text("arch")
