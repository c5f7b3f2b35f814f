"""Peak memory, combined from templates, against a walk over every primitive of the network."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archdsl
from archdsl.cost import Costs
from archdsl.cost.memory import BYTES, Activations, Dtype, activations, memory
from archdsl.elaborate import elaborate
from archdsl.graph import Flat, Graph
from archdsl.library import Unit
from archdsl.ops import TensorType, product
from archdsl.read_arch import read
from archdsl.source import Source
from archdsl.space import is_open

ROOT = Path(archdsl.__file__).parent.parent
FILES = sorted([*(ROOT / "specs").glob("*.yaml"), *(ROOT / "tests" / "networks").glob("*.*")])
FILES = [file for file in FILES if not is_open(archdsl.load(file).written)]  # a space is no network


class Needs(NamedTuple):
    view: bool
    counts: list[int]


def walked(graph: Graph, dtype: Dtype, batch: int) -> Activations:
    """The figures by the schedule as `archdsl/cost/memory.py` states it, one primitive after the other."""
    size = BYTES[dtype]
    owner: dict[int, int] = {}
    bytes_of: dict[int, int] = {}
    last_read: dict[int, int] = {}
    for index, (_, value) in enumerate(graph.template.inputs):
        owner[index] = index
        bytes_of[index] = bytes_in(graph.template.types[value], size, batch)
        last_read[index] = -1
    total = 0
    steps = [item for item in graph.flat if not item.trained]
    for step, item in enumerate(steps):
        view, counts = needs(item, size, batch)
        for outside, count in zip(item.outputs, counts, strict=True):
            owner[outside] = owner[item.inputs[0]] if view else outside
            if not view:
                bytes_of[outside] = count
                total += count
            last_read.setdefault(owner[outside], step)
        for value in item.inputs:
            last_read[owner[value]] = step
    freed: dict[int, list[int]] = {}
    for value, step in last_read.items():
        freed.setdefault(step, []).append(value)
    alive = sum(bytes_of[index] for index in range(len(graph.template.inputs)))
    peak, peak_at = alive, "input"
    for step, item in enumerate(steps):
        for value in item.outputs:
            alive += bytes_of.get(value, 0)
        if alive > peak:
            peak, peak_at = alive, item.path
        for value in freed.get(step, ()):
            alive -= bytes_of[value]
    return Activations(total, peak, peak_at)


def needs(item: Flat, size: int, batch: int) -> Needs:
    op = item.node.op
    assert op is not None
    view = bool(item.inputs) and op.is_view(*item.template.input_types(item.node))
    return Needs(view, [bytes_in(item.template.types[value], size, batch) for value in item.node.outputs])


def bytes_in(type_: TensorType, size: int, batch: int) -> int:
    return product(type_.shape) * size * (batch if type_.batched else 1)


def check(graph: Graph) -> None:
    cost = Costs(graph).network
    for dtype, batch in (("float32", 1), ("float16", 3)):
        expected = walked(graph, dtype, batch)
        assert activations(graph.template, dtype, batch) == expected
        found = memory(graph, cost, dtype, batch)
        assert (found.activations, found.peak, found.peak_at) == expected


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_networks(file: Path) -> None:
    check(archdsl.load(file).graph)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_block_by_itself_is_a_network_of_that_block(file: Path) -> None:
    for template in archdsl.load(file).graph.templates():
        alone = Graph(template.block, template, (), 0, (), (), 0.0, None)
        assert activations(template) == walked(alone, "float32", 1)


STEPS = [
    "relu(A)",
    "A + B",
    "identity(A)",
    "concat(A |> split([4, 4]))",
    "A |> slice(start = 0, length = 8)",
    "drop_path(A)",
]


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """Blocks of two maps that call each other, with views, inputs as results, and results nobody reads."""
    texts = ["archdsl 1\n"]
    for number in range(draw(st.integers(1, 5))):
        lines: list[str] = []
        there, unread = ["x", "y"], {"x", "y"}
        for step in range(draw(st.integers(0, 5))):
            a, b = draw(st.sampled_from(there)), draw(st.sampled_from(there))
            called = draw(st.integers(-1, number - 1))
            made = [f"v{step}", f"w{step}"]
            if called < 0:
                text = draw(st.sampled_from(STEPS))
                del made[1]
            else:
                text = f"b{called}(A, B)"
            unread -= {a, b} if "B" in text else {a}
            lines.append(f"  {', '.join(made)} = {text.replace('A', a).replace('B', b)}")
            there += made
            unread |= set(made)
        first = " + ".join(sorted(unread)) if draw(st.booleans()) or len(unread) > 2 else None
        if first is None:
            one, two = [*sorted(unread), *there][:2]
        else:
            one, two = first, draw(st.sampled_from(there))
        if draw(st.booleans()):
            one, two = two, one
        lines.append(f"  return {one}, {two}")
        body = "\n".join(lines)
        texts.append(
            f"block b{number}(x: [8, H, W], y: [8, H, W]) -> (x: [8, H, W], y: [8, H, W]) {{\n{body}\n}}\n"
        )
    count = draw(st.integers(1, 4))
    called = [f"  e{i}: b{draw(st.integers(0, len(texts) - 2))}\n" for i in range(count)]
    inputs = draw(st.sampled_from(["x: [8, 4, 4], y: [8, 4, 4]"]))
    return "".join([*texts, f"network N({inputs}) {{\n", *called, "}\n"])


@given(blocks())
@settings(max_examples=400, deadline=None)
def test_drawn_networks(text: str) -> None:
    source = Source("drawn.arch", text)
    document = read(source)
    seen: dict[str, tuple[object, Unit]] = {}
    unit = Unit(document, source, seen)
    seen.update((block.name, (block, unit)) for block in document.blocks)
    check(elaborate(unit, document.networks[0]))


TWO_CALLS = {
    "results that are read and results that are not": (
        "block made(x: [8, H, W]) -> (x: [8, H, W], y: [8, H, W]) { return relu(x), gelu(x) }\n"
        "block b(x: [8, H, W]) -> [8, H, W] {\n"
        "  p, q = made(x)\n  r, s = made(x)\n  return p + q + r + x\n}\n"
    ),
    "one tensor for two inputs": (
        "block two(x: [8, H, W], y: [8, H, W]) -> [8, H, W] { return (x |> relu |> gelu) + y }\n"
        "block around(x: [8, H, W], y: [8, H, W]) -> [8, H, W] { return two(x, y) }\n"
        "block b(x: [8, H, W]) -> [8, H, W] {\n"
        "  v = relu(x)\n  w = around(v, v)\n  u = gelu(w)\n  return around(u, w)\n}\n"
    ),
}


@pytest.mark.parametrize("name", TWO_CALLS)
def test_a_block_is_called_in_two_ways(name: str, tmp_path: Path) -> None:
    path = tmp_path / "two.arch"
    path.write_text(f"archdsl 1\n{TWO_CALLS[name]}network N(x: [8, 4, 4]) {{ b: b }}\n", encoding="utf-8")
    check(archdsl.load(path).graph)
