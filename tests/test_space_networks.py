"""Spaces of odd forms: their figures are those of all networks, and each network is frozen in both surfaces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl.cli import main
from archdsl.elaborate import elaborate
from archdsl.elaborate.choices import Choices, Open, option_texts
from archdsl.graph import Graph
from archdsl.network import Network, load, load_with_settings
from archdsl.source import ArchError, Source
from archdsl.space.picks import picks_text, read_picks
from archdsl.stats import stats

BLOCKS = """archdsl 1
import "convolution"
block thin(x: [C, H, W]; expansion: ratio = 1, act: op = relu) -> [C, H, W] {
  hidden = int(C * expansion)
  return x + (x |> a: conv_bn(hidden) |> act |> b: conv_bn(C))
}
block wide(x: [C, H, W]; expansion: ratio = 1) -> [C, H, W] {
  hidden = int(C * expansion)
  return x |> a: conv_bn(hidden, kernel = 3) |> relu |> b: conv_bn(C, kernel = 3)
}
block listed(x: [C, H, W]; a: [dim] = [2], b: [dim] = [1], inner: block = thin) -> [C, H, W] {
  for i in range(len(a)) { x = x + (x |> c[i]: conv_bn(a[i]) |> d[i]: conv_bn(C)) }
  for i in range(len(b)) { x = x + (x |> e[i]: conv_bn(b[i]) |> f[i]: conv_bn(C)) }
  return x |> inner: inner
}
block halve(x: [C, H, W]) -> [C // 2, H, W] {
  a, b = x |> split([C // 2, C - C // 2])
  return a
}
block tokens_of(x: [C, H, W]; n: dim = 6, d: dim = 16) -> (x: [C, H, W], tokens: [n, d]) {
  return x, x |> global_avg_pool |> make: linear(n * d) |> rearrange("(n d) -> n d", n = n)
}
block join(x: [C, H, W], tokens: [n, d]) -> [C + d] {
  return concat(x |> global_avg_pool, tokens |> mean(0))
}
"""
FIGURES = ("params", "macs", "weight_bytes", "activation_bytes", "peak_activation_bytes")


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Asked(Exception):
    def __init__(self, open_: Open) -> None:
        super().__init__(open_.name)
        self.open = open_


class Asking(Choices):
    def picked(self, open_: Open) -> int:
        pick = self.picks.get(open_.name)
        if pick is None:
            raise Asked(open_)
        assert isinstance(pick, int)
        return pick


def every(network: Network) -> Iterator[tuple[dict[str, str], Graph]]:
    """Every network of a space with its picks, each made from the beginning."""
    waiting: list[dict[str, int]] = [{}]
    while waiting:
        picks = waiting.pop()
        choices = Asking(picks)
        try:
            graph = elaborate(network.unit, network.written, None, choices)
        except Asked as asked:
            waiting += [{**picks, asked.open.name: i} for i in range(len(asked.open.options))]
            continue
        found = choices.met
        yield {name: option_texts(found[name])[i] for name, i in choices.decided.items()}, graph


def opened(network: str, name: str = "n.arch") -> Network:
    Path(name).write_text(f"{BLOCKS}{network}\n", encoding="utf-8")
    return load(name)


SPACES = {
    "a let given anew": """
network N(x: [3, 8, 8]; w = choose {2, 3}) { h = w
 a: conv_bn(h)
 h = 5
 b: conv_bn(h)
 h = w * 2
 c: conv_bn(h) }
""",
    "a let of itself": """
network N(x: [3, 8, 8]; w = choose {2, 3}) { h = w
 a: conv_bn(h)
 h = h + 1
 b: conv_bn(h)
 h = h + 1
 c: conv_bn(h) }
""",
    "two lets that choose": """
network N(x: [3, 8, 8]) { h = choose {1, 2}
 a: conv_bn(h)
 h = choose {3, 4}
 b: conv_bn(h)
 c: conv_bn(h) }
""",
    "lets in branches": """
network N(x: [3, 8, 8]; big = choose {true, false}) {
 if big { v = 8 } else { v = choose {2, 3} }
 a: conv_bn(v)
 b: conv_bn(v) }
""",
    "a let over a let": """
network N(x: [3, 8, 8]; p = choose {1, 2}) {
 v = 1
 if p == 2 { v = choose {3, 4} }
 t: conv_bn(v)
 u: conv_bn(v) }
""",
    "several targets": """
network N(x: [3, 8, 8]; p = choose {1, 2}) { a, b = [p, 5]
 a, b = [b, a]
 e: conv_bn(a)
 f: conv_bn(b) }
""",
    "what a loop leaves": """
network N(x: [3, 8, 8]; p = choose {1, 2}) {
 for i in range(2) {
  v = p + i + choose {0, 1}
  c[i]: conv_bn(v)
 }
 t: conv_bn(v)
 u: conv_bn(i + 1) }
""",
    "what nothing reads": """
network N(x: [3, 8, 8]; w = choose {2, 3}, h = w * 2) { a: conv_bn(4) }
""",
    "arguments of the module": """
network N(x: [3, 8, 8]; num_classes = choose {10, 20}, drop_path = choose {0.1, 0.2}, h = num_classes * 2) {
 a: conv_bn(h)
 k = num_classes * choose {1, 2}
 b: conv_bn(k)
 head {
  p: global_avg_pool
  if choose {true, false} { m: linear(3) }
  c: linear(num_classes)
 } }
""",
    "two choices of a parameter": """
network N(x: [3, 8, 8]; w = choose {1, 2} * choose {1, 3}) {
 a: conv_bn(w)
 b: conv_bn(w)
 c: conv_bn(w) }
""",
    "choices of functions": """
network N(x: [3, 8, 8]; w = max(choose {1, 2}, choose {2, 3})) {
 a: conv_bn(w)
 b: conv_bn(int(choose {1, 2} * 1.5) + int(choose {1, 3} * 1.5))
 c: conv_bn(w) }
""",
    "a choice in an option": """
network N(x: [3, 8, 8]; w = choose {2, choose {3, 4}}, e = choose {[1, 2], [choose {1, 3}]}) {
 a: conv_bn(w)
 stage s { thin(expansion = each e) }
 b: conv_bn(w)
 stage t { thin(expansion = each e) } }
""",
    "lists joined": """
network N(x: [3, 8, 8]; e = [choose {1, 2}] + [choose {1, 3}]) {
 a: conv_bn(4)
 stage s { thin(expansion = each e) }
 stage t { thin(expansion = each e) } }
""",
    "a choice of an argument of a choice": """
network N(x: [3, 8, 8]; act = choose {relu, leaky_relu(choose {0.1, 0.2})}) {
 stage s { thin(act = act) }
 stage t { thin(act = act) * 2 } }
""",
    "parameters that are called": """
network N(x: [3, 8, 8]; k = choose {thin, wide(choose {1, 2})}) {
 stage s { k * 2; k }
 stage t { k }
 u: k }
""",
    "a called parameter given arguments": """
network N(x: [3, 8, 8]; k = choose {thin, wide}) {
 stage s { k(expansion = choose {1, 2}) * 2; k(expansion = each choose {1, 2}) * 2 }
 stage t { listed(inner = k(choose {1, 2})) } }
""",
    "no block by a parameter": """
network N(x: [3, 8, 8]; k = choose {none, thin}) { stage s { k * 2; wide } }
""",
    "one list twice, or two": """
network N(x: [3, 8, 8]; p = [choose {1, 2}, 3], q = [choose {1, 2}, 3]) {
 stage s { listed(a = p, b = p); listed(a = p, b = q) } }
""",
    "one element twice, or two": """
network N(x: [3, 8, 8]) {
 stage s { listed(a = [choose {1, 2} * 2]); listed(a = [choose {1, 2}, choose {1, 2}]) } }
""",
    "options of one name": """
network N(x: [3, 8, 8]) {
 stage s { each choose {thin(choose {1, 2}), thin(choose {3, 4})} * 2 } }
""",
    "plain blocks beside a choice": """
network N(x: [3, 8, 8]) { stage s { thin * 3; choose {thin, wide} } }
""",
    "choices in nested decisions": """
network N(x: [3, 8, 8]; c = choose {true, false}) {
 a: conv_bn(2)
 if c {
  if choose {true, false} { b: thin }
  if choose {true, false} { d: thin }
 }
 if not c { b: wide } }
""",
    "a count of 0": """
network N(x: [3, 8, 8]; d = choose {0, 1, 2}) {
 stage s { thin(each choose {1, 2}) * d }
 a: conv_bn(3) }
""",
    "a width of no blocks": """
network N(x: [3, 8, 8]) {
 a: thin
 stage s(8) { choose {none, conv_bn(8)} }
 stage t(8) { choose {none, conv_bn(8)} } }
""",
    "a width that is chosen": """
network N(x: [3, 8, 8]) { stage s(choose {3, 3.0, 6 / 2}) { thin } }
""",
    "views": """
network N(x: [32, 8, 8]) {
 stage s {
  choose {halve, identity}
  choose {halve, none}
  each choose {identity, thin, dropout(0.1)} * 2
 }
 a: conv_bn(choose {1, 20}) }
""",
    "a view or a copy": """
network N(x: [32, 8, 8]) {
 stage s { choose {halve, conv2d(16)}; choose {identity, conv2d(16)} }
 a: conv2d(64) }
""",
    "a view of a view or of a copy": """
network N(x: [32, 8, 8]) {
 stage s { choose {halve, conv2d(16)}; identity }
 a: conv2d(64) }
""",
    "a decision adds a stream": """
network N(x: [3, 8, 8]; tok = choose {true, false}) {
 a: conv_bn(4)
 if tok { t: tokens_of(n = choose {4, 5}) }
 stage b { thin(choose {1, 3}) * 2 }
 if tok { pool: join } else { pool: global_avg_pool }
 c: linear(3) }
""",
    "stages in a decision": """
network N(x: [3, 8, 8]; deep = choose {true, false}) {
 if deep {
  stage s(3) { thin(each choose {1, 2}) * 2 }
  stage t { wide(choose {1, 2}) }
 } else { s: wide }
 c: conv_bn(3)
 features s }
""",
    "heads in a decision": """
network N(x: [3, 8, 8]; big = choose {true, false}, num_classes = 10) {
 a: conv_bn(choose {4, 5})
 if big { head { p: global_avg_pool
 m: linear(choose {7, 8})
 c: linear(num_classes) } }
 else { head { p: global_avg_pool
 c: linear(num_classes) } } }
""",
    "a loop over choices": """
network N(x: [3, 8, 8]) {
 for w in [choose {1, 2}, choose {3, 4}] {
  v = w + 1
  q[w]: conv_bn(w)
 }
 t: conv_bn(v)
 u: conv_bn(w)
 z: conv_bn(v) }
""",
    "a decision in loops is one": """
network N(x: [3, 8, 8]; n = choose {1, 2}) {
 for i in range(2) {
  for j in range(n) {
   if choose {true, false} { q[2 * i + j]: conv_bn(i + j + 1) }
  }
 }
 t: conv_bn(i + 3) }
""",
    "choices of two targets": """
network N(x: [3, 8, 8]) {
 a, b = [choose {1, 2}, choose {3, 4}]
 t: conv_bn(b)
 u: conv_bn(b)
 v: conv_bn(b)
 w: conv_bn(a) }
""",
    "a loop in a decision": """
network N(x: [3, 8, 8]; m = choose {1, 2, 3}) {
 if m > 1 {
  for i in range(m) { c[i]: thin(choose {1, 2}) }
 } else { d: conv_bn(3) }
 e: conv_bn(m) }
""",
    "quotients in and beside rounding": """
network N(x: [3, 8, 8]; p = choose {1.5, 2.5}, w = 8, h = w / 2, k = [2, 2]) {
 a: conv_bn(ceil(h * p))
 b: conv_bn(h)
 c: conv_bn(k[0] / k[1] * 3)
 d: conv_bn(int(p * choose {2, 4}) + h)
 e: conv_bn(h / k[0]) }
""",
    "called elements": """
network N(x: [3, 8, 8]; ks = [choose {thin, wide}, thin, choose {wide(choose {1, 2}), thin}]) {
 for i in range(len(ks)) {
  k = ks[i]
  c[i]: k
 }
 t: k }
""",
}


@pytest.mark.parametrize("form", SPACES)
def test_figures_and_frozen_documents_of_every_network(form: str) -> None:
    check(opened(SPACES[form]), frozen=form != "a width that is chosen")  # its options are one number


def check(space: Network, frozen: bool = True, step: int = 1) -> None:
    """Compare a space with every network of it, and freeze every network, or every one in so many."""
    networks = list(every(space))
    found = space.space()
    assert found.size == len(networks)
    figures = [stats(graph) for _, graph in networks]
    for name in FIGURES:
        values = [getattr(figure, name) for figure in figures]
        assert getattr(found, name) in ((min(values), max(values)), None), name
    names = {name for picks, _ in networks for name in picks}
    assert sum(d.count for d in found.decisions) >= len(names)  # some that exclude each other share a name
    for picks, graph in networks[::step] if frozen else ():
        read = read_picks(Source("picks.yaml", picks_text(picks) or "{}"))
        plain = space.freeze(read.values, "M")
        assert plain.graph.fingerprint == graph.fingerprint
        for surface in ("arch", "yaml"):
            Path(f"m.{surface}").write_text(plain.text(surface), encoding="utf-8")
            made = load(f"m.{surface}")
            assert not made.is_open and made.graph.fingerprint == graph.fingerprint, picks


BASE = """network N(x: [3, 8, 8]; w = [choose {2, 3}, 4], e = [choose {1, 2}, 2], d = 2) {
 stem: conv_bn(w[0])
 stage s(w[0]) {
  thin(expansion = each e)
  wide(choose {1, 3}) * d
  last: thin
 }
 down: conv_bn(w[1], stride = 2)
 stage t {
  each choose {thin(each choose {1, 2}), none} * 2
  wide
 }
 features s, t
}
"""


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (["w[0] = 3", "d = choose {0, 1}"], {"d"}),
        (["e += [choose {3, 4}]", "w[-1] = choose {6, 7}"], {"e[2]", "w[1]"}),
        (["e = [choose {1, 5}, choose {2, 6}]"], {"e[0]", "e[1]"}),
        (["s += wide(choose {2, 4})", "d = 1"], {"s.blocks[3].0"}),
        (["s.0.expansion = choose {5, 6}", "s.1 = choose {thin, wide(choose {1, 2})}"],
         {"s.0.expansion", "s.1.block", "s.1.wide.0"}),
        # Decisions are called after where blocks end up: another block may have been there.
        (["unset s.0", "s.1.expansion = choose {5, 6}"], {"s.0.expansion"}),
        (["unset t.0", "t.2.expansion = choose {3, 4}"], {"t.1.expansion"}),
        (["t.2 = listed(a = [choose {1, 2}, 3])", "unset t.0"], {"t.1.a[0]"}),
        (["s.last.act = choose {relu, gelu}", "stem.kernel = choose {1, 3}"], {"s.last.act", "stem.kernel"}),
        (["s = [thin(choose {1, 2}), each choose {thin, wide} * d]"], {"s.blocks[0].0", "s.1.block"}),
        (["unset t", "features = [s]"], set()),
    ],
    ids=lambda value: "; ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_choices_that_settings_make(settings: list[str], names: set[str]) -> None:
    body = "\n  ".join(settings)
    opened(f"{BASE}space V : N {{\n  {body}\n}}\nbuild V")
    assert main(["fmt", "n.arch", "--to", "yaml", "-o", "n.yaml"]) == 0
    opened(BASE, "base.arch")
    spaces = [load("n.arch"), load("n.yaml"), load_with_settings("base.arch", None, settings, ())]
    check(spaces[0], step=7)
    assert len({str(space.space().replace(name="V").as_dict()) for space in spaces}) == 1
    for seed in range(4):
        assert len({space.sample(seed, "M").text("arch") for space in spaces}) == 1
    assert names <= {name for picks, _ in every(spaces[0]) for name in picks}


@pytest.mark.parametrize(
    ("network", "code"),
    [
        ("network N(x: [3, 8, 8]; c = choose {1, 2}) { a: conv_bn(c)\n stage s { thin }\n a: thin }", "E0204"),
        ("network N(x: [3, 8, 8]) { stage s { a: thin\n a: thin(choose {1, 2}) } }", "E0204"),
        ("network N(x: [3, 8, 8]) { a: thin\n stage s { choose {thin, none} }\n features a, s }", "E0201"),
        ("network N(x: [3, 8, 8]) { a: thin\n if choose {true, false} { b: thin }\n features a, b }", "E0201"),
        ("network N(x: [3, 8, 8]) { a: thin\n head { stage s { thin(choose {1, 2}) } } }", "E0213"),
        ("network N(x: [3, 8, 8]) { a: thin\n head { p: thin(choose {1, 2}) }\n head { q: thin } }", "E0213"),
        ("network N(x: [3, 8, 8]) { if choose {true, false} { a: thin } }", "E0215"),
        ("network N(x: [3, n, n]; n = choose {8, 16}) { a: thin }", "E0222"),
        ("network N(x: [3, 8, 8]) { a, b = [choose {1, 2}]\n c: conv_bn(a + b) }", "E0408"),
        # The choice leaves the walk in the middle of int: what comes behind is not rounded.
        ("network N(x: [3, 8, 8]; w = int(choose {4, 8} * 1.5)) { a: conv_bn(w)\n b: thin(7 / 2) }", "E0303"),
    ],
)  # fmt: skip
def test_what_one_network_of_a_space_is_refused_for_the_space_is_refused_for(network: str, code: str) -> None:
    space = opened(network)
    for ask in (space.space, lambda: list(every(space))):
        with pytest.raises(ArchError) as caught:
            ask()
        assert caught.value.diagnostics[0].code == code


@pytest.mark.parametrize("function", ["ceil", "floor", "int", "round"])
def test_what_a_rounded_quotient_chooses_is_one_decision(function: str) -> None:
    space = opened(f"network N(x: [3, 8, 8]) {{ w = {function}(choose {{4, 8}} / 2)\n a: conv_bn(w) }}")
    check(space)
    found = space.space()
    assert found.size == 2 and [decision.name for decision in found.decisions] == ["w.0"]


def test_two_decisions_of_one_name_are_told_apart_or_refused() -> None:
    """A parameter `s` and an entry `s` may both choose an argument of what they call."""
    space = opened(
        "network N(x: [3, 8, 8]; s = leaky_relu(choose {0.1, 0.2})) {\n"
        " s: conv_bn(choose {1, 2})\n t: thin(act = s) }"
    )
    assert space.space().size == 4
    with pytest.raises(ArchError) as caught:
        space.freeze({"s.0": 1})
    assert "two decisions of this network are called 's.0'" in str(caught.value)


@pytest.mark.parametrize("size", [(16, 12), (4, 4)])
def test_a_document_frozen_at_a_resolution_has_it(size: tuple[int, int]) -> None:
    opened("network N(x: [3, 8, 8]) { stage s { each choose {thin, wide} * 2 } }")
    sample = load("n.arch", size).sample(3, "M")
    Path("m.arch").write_text(sample.text("arch"), encoding="utf-8")
    assert load("m.arch").graph.resolution == size
    assert load("m.arch").graph.fingerprint == sample.graph.fingerprint


@pytest.mark.parametrize("size", [0, 99_999])
def test_resolutions_out_of_bounds(size: int) -> None:
    opened("network N(x: [3, 8, 8]) { stage s { each choose {thin, wide} * 2 } }")
    space = load("n.arch", size)
    for ask in (space.space, lambda: space.sample(1), lambda: space.graph):
        with pytest.raises(ArchError) as caught:
            ask()
        assert caught.value.diagnostics[0].code == "E0703"


def test_many_decisions_in_loops_and_branches_are_no_entangled_ones() -> None:
    space = opened(
        "network N(x: [3, 8, 8]; deep = choose {true, false}) {\n"
        " for i in range(40) { c[i]: thin(choose {1, 2}) }\n"
        " if deep { stage s { thin(each choose {1, 2}) * 40 } }\n}"
    )
    assert space.space().size == 2**40 * (2**40 + 1)


def test_lets_beyond_all_bounds_are_refused() -> None:
    lets = " h = h + 1\n" * 500
    space = opened(f"network N(x: [3, 8, 8]; w = choose {{1, 2}}) {{\n h = w\n{lets} a: conv_bn(h) }}")
    for ask in (space.space, lambda: space.sample(1), lambda: space.graph):
        with pytest.raises(ArchError) as caught:
            ask()
        assert "E0601" in [mistake.code for mistake in caught.value.diagnostics]
