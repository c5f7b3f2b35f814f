"""`archdsl fmt`: files formatted in place, checked, converted; what is wrong leaves everything as it was."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

import archdsl
from archdsl import formatter, surfaces
from archdsl.cli import main
from archdsl.formatter import FormatError, formatted
from archdsl.network import load
from archdsl.source import ArchError, Source

ROOT = Path(archdsl.__file__).parent.parent
SPECS = sorted((ROOT / "specs").glob("**/*.*"))
CASES = ROOT / "tests" / "golden" / "fmt"

UGLY = "archdsl 1\nblock b(x:[C])->[C]{return x}# same\n"
NEAT = "archdsl 1\n\nblock b(x: [C]) -> [C] { return x }  # same\n"
WRONG = "archdsl 1\nblock b(x: [C]) -> [C] { retrun x }\n"
NETWORK = "archdsl: 1\nnetwork:   N\ninput: [3, 8, 8]\nbody: {a: relu}\n"


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of `archdsl fmt`."""
    code = main(["fmt", *argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def written(name: str, text: str) -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8", newline="")
    return path


# --- what is bundled, and golden files


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_bundled_documents_keep_their_meaning(path: Path) -> None:
    surface = surfaces.surface_of(str(path))
    source = Source(path.name, path.read_text(encoding="utf-8"))
    for target in surfaces.SURFACES:
        text = formatted(source, surface, target)
        assert formatted(Source(path.name, text), target) == text


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_bundled_documents_are_formatted(path: Path) -> None:
    assert formatter.formatted_file(str(path))[1]


@pytest.mark.parametrize("name", ["s0", "l"])
def test_conversion_keeps_the_graph(name: str, tmp_path: Path) -> None:
    text = (ROOT / "specs" / f"{name}.yaml").read_text(encoding="utf-8")
    (tmp_path / "net.arch").write_text(formatted(Source(name, text), "yaml", "arch"), encoding="utf-8")
    assert load("net.arch").graph.fingerprint == load(name).graph.fingerprint


@pytest.mark.parametrize("target", surfaces.SURFACES)
@pytest.mark.parametrize("name", ["blocks.arch", "network.yaml"])
def test_every_construct(name: str, target: surfaces.Surface, golden) -> None:
    stem, ending = os.path.splitext(name)
    text = (CASES / f"{stem}_before{ending}").read_text(encoding="utf-8")
    made = formatted(Source(name, text), surfaces.surface_of(name), target)
    golden(f"fmt/{stem}.{target}", made)
    assert formatted(Source(name, made), target) == made


# --- files


def test_in_place(capsys) -> None:
    path = written("b.arch", UGLY)
    assert run(capsys, "b.arch", "--check") == (1, "b.arch\n", "")
    assert path.read_text() == UGLY
    assert run(capsys, "b.arch") == (0, "b.arch\n", "")
    assert path.read_text() == NEAT
    assert run(capsys, "b.arch", "--check") == (0, "", "")


def test_what_is_formatted_is_not_written(capsys) -> None:
    path = written("b.arch", NEAT)
    os.utime(path, (1, 1))
    assert run(capsys, "b.arch") == (0, "", "")
    assert path.stat().st_mtime == 1


def test_other_line_ends_and_a_bom_are_no_format(capsys) -> None:
    for text in (NEAT.replace("\n", "\r\n"), "\ufeff" + NEAT, NEAT.rstrip("\n")):
        path = written("b.arch", text)
        assert run(capsys, "b.arch")[0] == 0
        assert path.read_bytes() == NEAT.encode()


def test_through_a_link(capsys) -> None:
    Path("deep").mkdir()
    path = written("deep/b.arch", UGLY)
    Path("link.arch").symlink_to(path)
    assert run(capsys, "link.arch")[0] == 0
    assert Path("link.arch").is_symlink() and path.read_text() == NEAT


def test_one_wrong_file_leaves_all_as_they_were(capsys) -> None:
    good, bad = written("good.arch", UGLY), written("bad.arch", WRONG)
    code, out, err = run(capsys, "good.arch", "bad.arch", "missing.yaml", "b.txt")
    assert (code, out) == (2, "") and "bad.arch:2:33" in err and "missing.yaml" in err and "b.txt" in err
    assert good.read_text() == UGLY and bad.read_text() == WRONG


def test_nothing_is_written_that_says_something_else(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    path = written("b.arch", UGLY)
    monkeypatch.setattr(formatter.print_arch, "text", lambda *_: NEAT.replace("x }", "C }"))
    with pytest.raises(FormatError, match="something else"):
        run(capsys, "b.arch")
    monkeypatch.setattr(formatter.print_arch, "text", lambda *_: NEAT.replace("  # same", ""))
    with pytest.raises(FormatError, match="other comments"):
        run(capsys, "b.arch")
    assert path.read_text() == UGLY


# --- conversion


def test_to_the_other_surface(capsys) -> None:
    written("n.yaml", NETWORK)
    text = "archdsl 1\n\nnetwork N(x: [3, 8, 8]) {\n  a: relu\n}\n"
    assert run(capsys, "n.yaml", "--to", "arch") == (0, text, "")
    assert run(capsys, "n.yaml", "--to", "arch", "-o", "-") == (0, text, "")
    assert run(capsys, "n.yaml", "-o", "n.arch") == (0, "", "")
    assert Path("n.arch").read_text() == text and Path("n.yaml").read_text() == NETWORK
    assert run(capsys, "n.arch", "--to", "yaml", "-o", "again.yaml")[0] == 0
    assert run(capsys, "again.yaml", "--check")[0] == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["n.yaml", "-o", "n.yaml"], "the document itself"),
        (["n.yaml", "--to", "arch", "--check"], "--check"),
        (["n.yaml", "n.yaml", "-o", "x.yaml"], "one file"),
        (["-"], "--from"),
    ],
)
def test_commands_that_mean_nothing(argv: list[str], said: str, capsys) -> None:
    written("n.yaml", NETWORK)
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "") and said in err
    assert Path("n.yaml").read_text() == NETWORK


@pytest.mark.parametrize(("surface", "text", "made"), [("arch", UGLY, NEAT), ("arch", NEAT, NEAT)])
def test_standard_input(surface: str, text: str, made: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    class Input:
        buffer = io.BytesIO(text.encode())

    monkeypatch.setattr(sys, "stdin", Input)
    assert run(capsys, "-", "--from", surface) == (0, made, "")
    Input.buffer.seek(0)
    code, out, _ = run(capsys, "-", "--from", surface, "--check")
    assert (code, out) == ((0, "") if text == made else (1, "standard input\n"))


def test_yaml_holds_no_control_characters() -> None:
    text = 'archdsl 1\n\nblock b() -> [] {\n  require a else "\x01"\n}\n'
    assert formatted(Source("b", text), "arch") == text
    with pytest.raises(ArchError) as caught:
        formatted(Source("b", text), "arch", "yaml")
    (mistake,) = caught.value.diagnostics
    assert mistake.code == "E0102" and (mistake.span.line, mistake.span.column) == (4, 19)
