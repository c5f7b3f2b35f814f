"""Spaces of odd forms: figures against every network made by itself, and every one frozen in both surfaces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl.elaborate import elaborate
from archdsl.elaborate.choices import Choices, Open, option_texts
from archdsl.graph import Graph
from archdsl.network import Network, load
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
            graph = elaborate(network.unit, network.document, None, choices)
        except Asked as asked:
            waiting += [{**picks, asked.open.name: i} for i in range(len(asked.open.options))]
            continue
        found = choices.met
        yield {name: option_texts(found[name])[i] for name, i in choices.decided.items()}, graph


def opened(network: str, name: str = "n.arch") -> Network:
    Path(name).write_text(f"{BLOCKS}{network}\n", encoding="utf-8")
    return load(name)


SPACES = {
    # What lets and loops bind, and when.
    "a let given anew": "network N(x: [3, 8, 8]; w = choose {2, 3}) { h = w; a: conv_bn(h); h = 5; b: conv_bn(h);"
    " h = w * 2; c: conv_bn(h) }",
    "a let of itself": "network N(x: [3, 8, 8]; w = choose {2, 3}) { h = w; a: conv_bn(h); h = h + 1; b: conv_bn(h);"
    " h = h + 1; c: conv_bn(h) }",
    "two lets that choose": "network N(x: [3, 8, 8]) { h = choose {1, 2}; a: conv_bn(h); h = choose {3, 4};"
    " b: conv_bn(h); c: conv_bn(h) }",
    "lets in branches": "network N(x: [3, 8, 8]; big = choose {true, false}) {\n"
    " if big { v = 8 } else { v = choose {2, 3} }\n a: conv_bn(v)\n b: conv_bn(v) }",
    "a let over a let": "network N(x: [3, 8, 8]; p = choose {1, 2}) {\n v = 1\n if p == 2 { v = choose {3, 4} }\n"
    " t: conv_bn(v)\n u: conv_bn(v) }",
    "several targets": "network N(x: [3, 8, 8]; p = choose {1, 2}) { a, b = [p, 5]; a, b = [b, a];"
    " e: conv_bn(a); f: conv_bn(b) }",
    "what a loop leaves": "network N(x: [3, 8, 8]; p = choose {1, 2}) {\n"
    " for i in range(2) {\n  v = p + i + choose {0, 1}\n  c[i]: conv_bn(v)\n }\n"
    " t: conv_bn(v)\n u: conv_bn(i + 1) }",
    "what nothing reads": "network N(x: [3, 8, 8]; w = choose {2, 3}, h = w * 2) { a: conv_bn(4) }",
    # Parameters.
    "arguments of the module": "network N(x: [3, 8, 8]; num_classes = choose {10, 20}, drop_path = choose {0.1, 0.2},"
    " h = num_classes * 2) {\n a: conv_bn(h)\n k = num_classes * choose {1, 2}\n b: conv_bn(k)\n"
    " head {\n  p: global_avg_pool\n  if choose {true, false} { m: linear(3) }\n  c: linear(num_classes)\n } }",
    "two choices of a parameter": "network N(x: [3, 8, 8]; w = choose {1, 2} * choose {1, 3}) {\n"
    " a: conv_bn(w)\n b: conv_bn(w)\n c: conv_bn(w) }",
    "choices of functions": "network N(x: [3, 8, 8]; w = max(choose {1, 2}, choose {2, 3})) {\n a: conv_bn(w)\n"
    " b: conv_bn(int(choose {1, 2} * 1.5) + int(choose {1, 3} * 1.5))\n c: conv_bn(w) }",
    "a choice in an option": "network N(x: [3, 8, 8]; w = choose {2, choose {3, 4}}, e = choose {[1, 2], [choose {1, 3}]})"
    " {\n a: conv_bn(w)\n stage s { thin(expansion = each e) }\n b: conv_bn(w)\n stage t { thin(expansion = each e) } }",
    "lists joined": "network N(x: [3, 8, 8]; e = [choose {1, 2}] + [choose {1, 3}]) {\n a: conv_bn(4)\n"
    " stage s { thin(expansion = each e) }\n stage t { thin(expansion = each e) } }",
    "a choice of an argument of a choice": "network N(x: [3, 8, 8]; act = choose {relu, leaky_relu(choose {0.1, 0.2})})"
    " {\n stage s { thin(act = act) }\n stage t { thin(act = act) * 2 } }",
    # Blocks that look alike.
    "parameters that are called": "network N(x: [3, 8, 8]; k = choose {thin, wide(choose {1, 2})}) {\n"
    " stage s { k * 2; k(expansion = each [1, 2]) }\n stage t { k }\n u: k }".replace("k(expansion = each [1, 2])", "k"),
    "a called parameter given arguments": "network N(x: [3, 8, 8]; k = choose {thin, wide}) {\n"
    " stage s { k(expansion = choose {1, 2}) * 2; k(expansion = each choose {1, 2}) * 2 }\n"
    " stage t { listed(inner = k(choose {1, 2})) } }",
    "no block by a parameter": "network N(x: [3, 8, 8]; k = choose {none, thin}) { stage s { k * 2; wide } }",
    "one list twice, or two": "network N(x: [3, 8, 8]; p = [choose {1, 2}, 3], q = [choose {1, 2}, 3]) {\n"
    " stage s { listed(a = p, b = p); listed(a = p, b = q) } }",
    "one element twice, or two": "network N(x: [3, 8, 8]) {\n"
    " stage s { listed(a = [choose {1, 2} * 2]); listed(a = [choose {1, 2}, choose {1, 2}]) } }",
    "options of one name": "network N(x: [3, 8, 8]) {\n"
    " stage s { each choose {thin(choose {1, 2}), thin(choose {3, 4})} * 2 } }",
    "plain blocks beside a choice": "network N(x: [3, 8, 8]) { stage s { thin * 3; choose {thin, wide} } }",
    # Statements and blocks that are left out.
    "choices in nested decisions": "network N(x: [3, 8, 8]; c = choose {true, false}) {\n a: conv_bn(2)\n"
    " if c {\n  if choose {true, false} { b: thin }\n  if choose {true, false} { d: thin }\n }\n"
    " if not c { b: wide } }",
    "a count of 0": "network N(x: [3, 8, 8]; d = choose {0, 1, 2}) {\n stage s { thin(each choose {1, 2}) * d }\n"
    " a: conv_bn(3) }",
    "a width of no blocks": "network N(x: [3, 8, 8]) {\n a: thin\n stage s(8) { choose {none, conv_bn(8)} }\n"
    " stage t(8) { choose {none, conv_bn(8)} } }",
    "a width that is chosen": "network N(x: [3, 8, 8]) { stage s(choose {3, 3.0, 6 / 2}) { thin } }",
    # Memory that a view holds, and streams.
    "views": "network N(x: [32, 8, 8]) {\n stage s {\n  choose {halve, identity}\n  choose {halve, none}\n"
    "  each choose {identity, thin, dropout(0.1)} * 2\n }\n a: conv_bn(choose {1, 20}) }",
    "a decision adds a stream": "network N(x: [3, 8, 8]; tok = choose {true, false}) {\n a: conv_bn(4)\n"
    " if tok { t: tokens_of(n = choose {4, 5}) }\n stage b { thin(choose {1, 3}) * 2 }\n"
    " if tok { pool: join } else { pool: global_avg_pool }\n c: linear(3) }",
}  # fmt: skip


@pytest.mark.parametrize("form", SPACES)
def test_figures_and_frozen_documents_of_every_network(form: str) -> None:
    space = opened(SPACES[form])
    networks = list(every(space))
    found = space.space()
    assert found.size == len(networks)
    figures = [stats(graph) for _, graph in networks]
    for name in FIGURES:
        values = [getattr(figure, name) for figure in figures]
        assert getattr(found, name) in ((min(values), max(values)), None), name
    names = {name for picks, _ in networks for name in picks}
    assert sum(len(d.options) > 0 and d.count for d in found.decisions) >= len(names)
    for picks, graph in networks:
        if form == "a width that is chosen":
            break  # its options are one number
        frozen = space.freeze(
            read_picks(Source("picks.yaml", picks_text(picks) or "{}")).values if picks else {}, "M"
        )
        assert frozen.graph.fingerprint == graph.fingerprint
        for surface in ("arch", "yaml"):
            Path(f"m.{surface}").write_text(frozen.text(surface), encoding="utf-8")
            made = load(f"m.{surface}")
            assert not made.is_open and made.graph.fingerprint == graph.fingerprint, picks


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
    ],
)  # fmt: skip
def test_what_one_network_of_a_space_is_refused_for_the_space_is_refused_for(network: str, code: str) -> None:
    space = opened(network)
    for ask in (space.space, lambda: list(every(space))):
        with pytest.raises(ArchError) as caught:
            ask()
        assert caught.value.diagnostics[0].code == code


def test_two_decisions_of_one_name_are_told_apart_or_refused() -> None:
    """A parameter `s` and an entry `s` may both choose an argument of what they call."""
    space = opened(
        "network N(x: [3, 8, 8]; s = leaky_relu(choose {0.1, 0.2})) {\n s: conv_bn(choose {1, 2})\n t: thin(act = s) }"
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
