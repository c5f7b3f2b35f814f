"""Calls that repeat are not asked anew: what comes of them is what comes of each call by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archdsl
from archdsl.stats import Stats


def figures(tmp_path: Path, name: str, blocks: str) -> tuple[archdsl.Network, Stats]:
    """A network of one stage with these blocks, and its figures."""
    text = (
        'archdsl 1\nimport "convolution"\n'
        "block two(x: [C, H, W], y: [C, H, W]) -> (x: [C, H, W], y: [C, H, W]) {\n"
        "  return y, x |> c: conv_bn(C)\n}\n"
        "block halved(x: [C, H, W]) -> [C, ceil(H / 2), ceil(W / 2)] { return x |> c: conv2d(C, stride = 2) }\n"
        "block scaled(x: [C, H, W]; by: real = 2) -> [C, H, W] {\n"
        "  return x |> c: conv_bn(int(C * by)) |> d: conv_bn(C)\n}\n"
        f"network N(x: [8, 64, 64], y: [8, 64, 64]) {{ stage s {{ {blocks} }} }}\n"
    )
    path = tmp_path / f"{name}.arch"
    path.write_text(text, encoding="utf-8")
    network = archdsl.load(path)
    network.graph.verify()
    return network, network.stats(by="block")


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("two * 3", "two; two; two"),
        ("halved * 4", "halved; halved; halved; halved"),
        ("[scaled, halved] * 2", "scaled; halved; scaled; halved"),
        ("scaled(by = 3) * 2; scaled * 2", "scaled(by = 3); scaled(by = 3); scaled(by = 2.0); scaled"),
        ("relu * 3; halved * 2", "relu; relu; relu; halved; halved"),
        ("relu; two * 0; [scaled, halved] * 0; scaled(by = each [3 * 0, 2])", "relu; scaled(by = 2)"),
    ],
)
def test_repetition_is_the_same_written_out(tmp_path: Path, short: str, long: str) -> None:
    one, ones = figures(tmp_path, "one", short)
    two, twos = figures(tmp_path, "two", long)
    assert one.graph.fingerprint == two.graph.fingerprint
    assert ones.rows == twos.rows and ones.peak_activation_bytes == twos.peak_activation_bytes
    assert one.graph.dump() == two.graph.dump()


def test_whole_numbers_and_numbers_with_a_point_are_two_arguments(tmp_path: Path) -> None:
    # 2 == 2.0 and True == 1 for Python; what is written of them differs.
    text = (
        "archdsl 1\n"
        "block inner(x: [C, H, W]; by: real = 1, bias: bool = true, n: dim = 1) -> [C, H, W] {\n"
        "  return x * by |> c: conv2d(C, bias = bias, groups = n)\n}\n"
        "block outer(x: [C, H, W]) -> [C, H, W] {\n"
        "  return x |> a: inner(by = 2) |> b: inner(by = 2.0) |> c: inner(bias = true) |> d: inner(n = 1)\n}\n"
        "network N(x: [8, 4, 4]) { e: outer }\n"
    )
    path = tmp_path / "numbers.arch"
    path.write_text(text, encoding="utf-8")
    graph = archdsl.load(path).graph
    graph.verify()
    binds = [dict(node.binds) for node in graph.at("e").nodes]
    assert [type(bind["bias"].value) for bind in binds] == [bool] * 4
    assert [type(bind["n"].value) for bind in binds] == [int] * 4
    assert [type(bind["by"].term) for bind in binds] == [float] * 4


# What Python takes for equal, and two calls that differ in nothing else.
ALIKE = {
    "a number with a point": ("whole(n = 1)", "whole(n = 1.0)", "a whole number is needed"),
    "a truth": ("whole(n = 1)", "whole(n = true)", "a whole number is needed"),
    "a truth in an operation": ("after(act = softmax(axis = 1))", "after(act = softmax(axis = true))", "axis"),
    "a truth in a list": ("each_of(sizes = [1, 8])", "each_of(sizes = [true, 8])", "a whole number is needed"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_is_refused_is_refused_after_what_is_equal_to_python(tmp_path: Path, name: str) -> None:
    right, wrong, said = ALIKE[name]
    text = (
        "archdsl 1\n"
        "block whole(x: [C, H, W]; n: dim = 2) -> [C, H, W] { return x |> c: conv2d(C, groups = n) }\n"
        "block after(x: [C, H, W]; act: op = relu) -> [C, H, W] { return x |> act }\n"
        "block each_of(x: [C, H, W]; sizes: [dim] = [2]) -> [C, H, W] {\n"
        "  return x |> c: conv2d(sizes[0]) |> d: conv2d(sizes[1])\n}\n"
    )
    path = tmp_path / "alike.arch"
    path.write_text(f"{text}network N(x: [8, 4, 4]) {{ a: {right}; b: {right} }}\n", encoding="utf-8")
    archdsl.load(path).graph.verify()
    path.write_text(f"{text}network N(x: [8, 4, 4]) {{ a: {right}; b: {wrong} }}\n", encoding="utf-8")
    with pytest.raises(archdsl.ArchError, match=said):
        _ = archdsl.load(path).graph


def test_calls_that_differ_in_one_thing_are_two(tmp_path: Path) -> None:
    """Of a name, of an argument in an operation, of a learned tensor in place of one with a batch."""
    text = """archdsl 1
block two(x: [C, H, W]; a: dim = 1, b: dim = 1) -> [C, H, W] {
  return x |> c: conv2d(C, groups = a) |> d: conv2d(C, groups = b)
}
block after(x: [C, H, W]; act: op = relu) -> [C, H, W] { return x |> act }
block soft(t: [n, d]) -> [n, d] { return t |> softmax(axis = 0) }
block learned(x: [C, H, W]) -> [C, H, W] {
  t = x |> rearrange("c h w -> c (h w)") |> soft
  p = table: parameter([C, (H * W)]) |> soft
  return x + (t * 3 + p |> rearrange("c (h w) -> c h w", h = H))
}
block outer(x: [C, H, W]) -> [C, H, W] {
  return x |> a: two(a = 2) |> b: two(b = 2) |> after(act = leaky_relu(0.5)) |> after(act = leaky_relu(0.25))
}
network N(x: [8, 4, 4]) { e: outer; f: learned }
"""
    path = tmp_path / "two.arch"
    path.write_text(text, encoding="utf-8")
    network = archdsl.load(path)
    network.graph.verify()
    groups = [[node.op.groups.value for node in network.graph.at(f"e.{label}").nodes] for label in "ab"]
    assert groups == [[2, 1], [1, 2]]
    module, leaky = network.build(), torch.nn.functional.leaky_relu
    x, table = torch.randn(2, 8, 4, 4), torch.randn(8, 16)
    assert torch.equal(module.e(x), leaky(leaky(module.e.b(module.e.a(x)), 0.5), 0.25))
    module.f.table.data = table
    wanted = x.flatten(2).softmax(1) * 3 + table.softmax(0)
    assert torch.allclose(module.f(x), x + wanted.unflatten(2, (4, 4)))


def test_ten_thousand_blocks_are_a_network(tmp_path: Path) -> None:
    network, made = figures(tmp_path, "many", "halved * 3; scaled * 9990")
    last = network.graph.template.nodes[-1].label
    assert last == "s.9992" and len(made.rows) == 9993
    assert len(network.graph.template.nodes) == 9993
    assert len(network.source().splitlines()) < 200
