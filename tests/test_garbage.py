"""Garbage into both readers: an error with a place, or a document; never another exception."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile import YAML, block
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl import read_arch, read_yaml
from archdsl.network import load
from archdsl.source import ArchError, Source

ROOT = Path(archdsl.__file__).parent.parent

"""No time is asserted here: `bench/hostile.py` prints what these documents cost."""


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- garbage

WORDS = [
    "archdsl",
    "1",
    "\n",
    ";",
    "block",
    "network",
    "stage",
    "head",
    "import",
    '"convolution"',
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    "=",
    "->",
    "|>",
    "**",
    "*",
    "/",
    "//",
    "%",
    "@",
    "+",
    "-",
    "<",
    "==",
    "x",
    "y",
    "C",
    "H",
    "W",
    "conv",
    "conv2d",
    "conv_bn",
    "relu",
    "3",
    "2.5",
    "1e9",
    "if",
    "else",
    "for",
    "in",
    "range",
    "not",
    "and",
    "is",
    "none",
    "true",
    "each",
    "return",
    "require",
    "output",
    "train",
    "init",
    '"a"',
    "dim",
    "?",
    "#",
    "'",
    "\\",
    "é",
    "\t",
    "\u2028",
    "sum",
    "rearrange",
    '"c h w -> c w h"',
]
GARBAGE = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
HYPOTHESIS = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(text=GARBAGE)
@HYPOTHESIS
def test_garbage_into_the_reader_of_text(text: str) -> None:
    for start in (text, f"archdsl 1\nblock b(x: [C]) -> [C] {{ {text} }}", f"archdsl 1\nblock b({text}"):
        try:
            read_arch.read(Source("a.arch", start))
        except ArchError as error:
            _ = str(error)


@given(text=st.one_of(GARBAGE, st.text("[]{}:,-?!&*|>'\"%@`#\n\t ab1", max_size=60)))
@HYPOTHESIS
def test_garbage_into_the_reader_of_yaml(text: str) -> None:
    for start in (text, f"{YAML}{text}", f"{YAML}  a: {text}\n", f"{YAML}parameters:\n  a: {text}\n"):
        try:
            read_yaml.read(Source("a.yaml", start))
        except ArchError as error:
            _ = str(error)


@given(
    tokens=st.lists(st.sampled_from([word for word in WORDS if word != "\n"]), max_size=12),
    form=st.integers(0, 4),
)
@HYPOTHESIS
def test_garbage_that_can_be_read_is_refused_or_runs(tokens: list[str], form: int) -> None:
    words = " ".join(tokens)
    body = (
        f"y = {words}\nreturn y",
        f"return x |> {words}",
        words,
        f"return x |> c: conv2d({words})",
        f"y = [{words}]\nfor i in y {{ x = x |> i }}\nreturn x",
    )[form]
    Path("net.arch").write_text(block(body), encoding="utf-8")
    try:
        load("net.arch").source()
    except ArchError as error:
        _ = str(error)


@given(data=st.data())
@HYPOTHESIS
def test_specs_with_a_piece_lost_or_doubled_are_refused_or_run(data: st.DataObject) -> None:
    """A word of a real document, left out, doubled or exchanged for another one."""
    name = data.draw(st.sampled_from(["s0.yaml", "blocks/efficientformerv2.arch", "blocks/convolution.arch"]))
    pieces = _pieces((ROOT / "specs" / name).read_text(encoding="utf-8"))
    index = data.draw(st.integers(0, len(pieces) - 1))
    change = data.draw(st.sampled_from(["drop", "double", "swap"]))
    if change == "swap":
        pieces[index] = data.draw(st.sampled_from(pieces))
    else:
        pieces[index] *= 0 if change == "drop" else 2
    for file in ("s0.yaml", "blocks/efficientformerv2.arch", "blocks/convolution.arch"):
        text = "".join(pieces) if file == name else (ROOT / "specs" / file).read_text(encoding="utf-8")
        Path(Path(file).name).write_text(text, encoding="utf-8")
    try:
        _ = load("s0.yaml").graph
    except ArchError as error:
        _ = str(error)


def _pieces(text: str) -> list[str]:
    import re

    return re.findall(r"\w+|\s+|[^\w\s]", text)
