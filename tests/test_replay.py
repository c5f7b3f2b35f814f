"""Templates made from others of their block: what a run of the block gives, or none.

tests/conftest.py compares every one that any test makes (tests/replays.py); in these blocks numbers decide.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import replays
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.network import load
from archdsl.source import ArchError


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def replayed(text: str, ending: str = "arch") -> dict[str, int]:
    """How often each block of a document was made from another template."""
    before = dict(replays.seen)
    Path(f"n.{ending}").write_text(text, encoding="utf-8")
    load(f"n.{ending}").graph.verify()
    return {
        name: count - before.get(name, 0)
        for name, count in replays.seen.items()
        if count != before.get(name, 0)
    }


def document(block: str, calls: list[str], size: int = 16) -> str:
    stage = "; ".join(calls)
    return (
        f'archdsl 1\nimport "efficientformerv2"\n{block}\n'
        f"network N(image: [3, {4 * size}, {4 * size}]) {{\n  stem: conv_stem(8)\n  stage s {{ {stage} }}\n}}\n"
    )


def test_blocks_that_differ_in_numbers_are_made_once() -> None:
    found = replayed(document("", [f"ffn({i}, kernel = 3)" for i in range(1, 9)]))
    assert found["ffn"] == 7 and found["conv_bn"] > 12
    found = replayed(document("", [f"mhsa(heads = {i}, stride = 2)" for i in range(1, 5)]))
    assert found["mhsa"] == 3


NUMBERS_DECIDE = {
    "if": "y = if n > 2 { x |> a: conv_bn(C) } else { x |> b: conv_bn(C, kernel = 3) }\n  return y",
    "if over statements": "y = x\n  if n > 2 { y = y |> a: conv_bn(n * 4) |> b: conv_bn(C) }\n  return y",
    "if of a let": "h = C * n\n  return if h > 20 { x |> a: conv_bn(h) |> b: conv_bn(C) } else { x }",
    "equality": "return if n == 3 { x |> a: conv_bn(C, groups = 2) } else { x |> a: conv_bn(C) }",
    "equality of names": "return if n == C { x } else { x |> a: conv_bn(n) |> b: conv_bn(C) }",
    "residual inside": "y = x |> a: conv_bn(n)\n  if n == C { y = x + y }\n  return y |> b: conv_bn(C)",
    "unusual": "return if n == 1 and C == 8 { x |> a: relu } else { x |> relu }",
    "power": "return x |> a: conv_bn(2 ** n) |> b: conv_bn(C)",
    "power of both signs": "h = 2 ** (n - 2)\n  return x |> a: conv_bn(int(h * 4)) |> b: conv_bn(C)",
    "ratio of a whole number": "return x |> a: ffn(n)",
    "loop": "y = x\n  for i in range(n) { y = y |> c[i]: conv_bn(C) }\n  return y",
    "list": "parts = [x |> c[i]: conv_bn(4) for i in range(n)]\n  return concat(parts) |> d: conv_bn(C)",
    "exact quotient": "return x |> a: conv_bn(12 / n * 4) |> b: conv_bn(C)",
    "rounding": "return x |> a: conv_bn(ceil(C / n)) |> b: conv_bn(round(C / n + 0.5)) |> c: conv_bn(C)",
    "real quotient": "return x |> a: conv_bn(int(C / (n + 0.5))) |> b: conv_bn(C)",
    "broadcast": 'w = x |> global_avg_pool |> l: linear(n) |> rearrange("n -> n () ()")\n'
    "  y = w * x\n  return y |> a: conv_bn(C)",
    "typed let": "y: [D, h, w] = x |> a: conv_bn(n * 2)\n  return y |> b: conv_bn(if D > 4 { C } else { C })",
    "rearrange": 'return x |> rearrange("(n d) h w -> n d h w", n = n) |> rearrange("n d h w -> (d n) h w")',
    "default of another": "return x |> inner: depends(n)",
    "default that decides": "return x |> inner: decides(n)",
    "module called twice": "m = a: conv_bn(C, groups = n)\n  return m(m(x))",
}
EXTRA = (
    "block depends(x: [C, H, W]; m: dim, hidden: dim = m * 3) -> [C, H, W] "
    "{ return x |> a: conv_bn(hidden) |> b: conv_bn(C) }\n"
    "block decides(x: [C, H, W]; m: dim, hidden: dim = if m > 2 { 4 } else { m }) -> [C, H, W] "
    "{ return x |> a: conv_bn(hidden) |> b: conv_bn(C) }\n"
)


@pytest.mark.parametrize("body", NUMBERS_DECIDE.values(), ids=NUMBERS_DECIDE.keys())
def test_where_numbers_decide_the_result_is_that_of_a_run(body: str) -> None:
    block = EXTRA + f"block b(x: [C, H, W]; n: dim = 1) -> [C, H, W] {{\n  {body}\n}}"
    tried = 0
    for numbers in ([1, 2, 4, 3], [4, 2, 1], [8, 4, 2, 1], [3, 1], [1, 8, 4]):
        for n in numbers:
            try:
                replayed(document(block, [f"b({n})"]))
            except ArchError:
                numbers = [other for other in numbers if other != n]
        if numbers:
            replayed(document(block, [f"b({n})" for n in numbers]))
        tried = max(tried, len(numbers))
    assert tried > 1, "each of these is refused, and nothing is compared"


def test_a_mistake_that_only_other_numbers_make_is_told() -> None:
    block = (
        'block b(x: [C, H, W]; n: dim = 1) -> [C, H, W] {\n  require n < 4 else "too many"\n'
        "  return x |> a: conv_bn(12 / n) |> b: conv_bn(C, groups = n)\n}"
    )
    replayed(document(block, ["b(1)", "b(2)"]))
    for wrong, said in (("b(5)", "too many"), ("b(3)", "groups"), ("b(0)", "at least 1")):
        with pytest.raises(ArchError) as caught:
            replayed(document(block, ["b(1)", "b(2)", wrong]))
        assert said in str(caught.value)
        assert "block 2 of s" in str(caught.value)


def test_nothing_is_made_from_a_template_whose_mistake_has_been_told_before() -> None:
    block = "block b(x: [C, H, W]; n: dim = 1) -> [H, C, W] { return x |> relu }"
    text = (
        f"archdsl 1\n{block}\nnetwork N(image: [3, 4, 4]) "
        "{\n  stage s { b(1); b(2); b(3); b(4) }\n  c: conv2d(4)\n  d: b(5)\n}\n"
    )
    with pytest.raises(ArchError, match="returns"):
        replayed(text)


# The body of a block, numbers that it takes, one that it does not take after them, and what is said then.
REFUSED_AFTER = {
    "a requirement": (
        'require n < 4 else "too many"\n  return x |> a: conv_bn(n) |> c: conv_bn(C)',
        [1, 2],
        5,
        "too many",
    ),
    "an exact quotient": ("return x |> a: conv_bn(12 / n) |> b: conv_bn(C)", [1, 2], 5, "12 / 5|12 / n"),
    "groups": ("return x |> a: conv_bn(C, groups = n)", [1, 2], 3, "groups"),
    "a module called again": (
        "m = a: conv_bn(C)\n  return m(x) + m(x |> b: conv_bn(n))",
        [8],
        4,
        "tensors of another shape",
    ),
    "an extent of two tensors": ("return d: both(x, x |> b: conv_bn(n))", [8], 4, "in one call"),
    "a shape": ("return x |> a: conv_bn(n)", [8], 4, r"returns \[4"),
    "a size that is written": (
        "y: [8, h, w] = x |> a: conv_bn(n) |> relu\n  return y |> b: conv_bn(C)",
        [8],
        4,
        r"\[4, 16, 16\], not 8",
    ),
    "a division by zero": ("return x / (n - 4)", [8, 7], 4, "divided by 0"),
    "a sum": ("return x + (x |> a: conv_bn(n))", [8], 4, "do not match"),
}


@pytest.mark.parametrize("name", REFUSED_AFTER)
def test_what_a_run_refuses_is_refused_after_others(name: str) -> None:
    body, numbers, wrong, said = REFUSED_AFTER[name]
    block = (
        "block both(a: [D, h, w], b: [D, h, w]) -> [D, h, w] { return concat(a, b) |> c: conv_bn(D) }\n"
        f"block b(x: [C, H, W]; n: dim = 1) -> [C, H, W] {{\n  {body}\n}}"
    )
    calls = [f"b({n})" for n in numbers]
    replayed(document(block, calls))
    with pytest.raises(ArchError, match=said):
        replayed(document(block, [*calls, f"b({wrong})"]))


def test_a_result_whose_size_is_written_is_no_other_for_other_numbers() -> None:
    block = "archdsl 1\nblock b(x: [C, H, W]) -> [3, H, W] { return x |> relu }\n"
    replayed(block + "network N(image: [3, 9, 7]) { a: b; b: b; c: conv2d(3); d: b }\n")
    with pytest.raises(ArchError, match=r"returns \[8, 9, 7\], not \[3, 9, 7\]"):
        replayed(block + "network N(image: [3, 9, 7]) { a: b; c: conv2d(8); d: b; e: conv2d(2) }\n")


def test_a_decision_is_unusual_for_some_numbers_only() -> None:
    block = (
        "block b(x: [C, H, W]; n: dim = 1) -> [C, H, W] {\n"
        "  return if n * 4 > C { x |> a: conv_bn(n) |> c: conv_bn(C) } else { x }\n}"
    )
    found = replayed(document(block, ["conv_bn(2)", "b", "conv_bn(8)", "b(4)"]))
    assert found["b"] == 1


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.builds("ffn({}, kernel = {})".format, st.sampled_from([1, 1.5, 2]), st.sampled_from([1, 3, 5])),
            st.builds("attention_block({}, stride = {})".format, st.integers(1, 4), st.sampled_from([1, 2])),
            st.builds(
                "mhsa(heads = {}, key_dim = {}, value_ratio = {}, talking_heads = {})".format,
                st.integers(1, 3), st.integers(1, 5), st.sampled_from([1, 0.5, 2.5]),
                st.sampled_from(["true", "false"]),
            ),
            st.builds("conv_bn({}, kernel = {}, groups = {})".format, st.sampled_from([8, 16, 24]),
                      st.sampled_from([1, 3]), st.sampled_from([1, 2, 4, 8])),
            st.builds("attention_downsample({}, heads = {})".format, st.just(8), st.integers(1, 3)),
        ),
        min_size=2,
        max_size=8,
    ),
    st.sampled_from([8, 16]),
)  # fmt: skip
def test_drawn_blocks_of_the_library(calls: list[str], size: int) -> None:
    text = document("", calls, size)
    try:
        replayed(text)
    except ArchError as error:
        # Heads that do not divide, strides on maps that have become too small: refused, as a run refuses it.
        assert {mistake.code for mistake in error.diagnostics} <= {"E0301", "E0302", "E0303", "E0405", "E0403"}
