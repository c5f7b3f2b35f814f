"""How often the first message about a mistake names its line, and proposes first what would mend it.

The mistakes are those of `corpus/`: line and remedy were written down before any message was looked at.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus.in_text import TEXT
from corpus.in_yaml import YAML
from corpus.mistake import Mistake, original

from archdsl.network import load
from archdsl.source import ArchError, Diagnostic

MISTAKES = [*YAML, *TEXT]
GOAL = 0.95


def first_message(mistake: Mistake, text: str, folder: Path) -> tuple[Diagnostic | None, str]:
    """What is said first about the document, and the name of its file there."""
    name = Path(mistake.document).name if mistake.is_of_blocks else f"net{Path(mistake.document).suffix}"
    if name in ("convolution.arch", "head.arch"):
        (folder / "efficientformerv2.arch").write_text(
            original("blocks/efficientformerv2.arch"), encoding="utf-8"
        )
    (folder / name).write_text(text, encoding="utf-8")
    if mistake.is_of_blocks:
        (folder / "net.yaml").write_text(original("efficientformerv2_base.yaml"), encoding="utf-8")
    try:
        network = load("net.yaml" if mistake.is_of_blocks else name)
        if network.is_open:
            network.space()
        else:
            _ = network.graph
    except ArchError as error:
        return error.diagnostics[0], name
    return None, name


def says_first(message: Diagnostic, remedy: str) -> bool:
    """Whether the message says it, or what its help proposes before anything else."""
    help = message.help or ""
    proposed = help.split(", ")[0] if help.startswith("expected ") else help.split("; ")[0]
    return remedy in message.message or remedy in proposed


def names_line(message: Diagnostic, file: str, line: int) -> bool:
    """Whether the message, its chain of calls or its help names a line."""
    return f"{file}:{line}:" in str(message)


def test_line_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    failed = []
    by_chain = 0
    for number, mistake in enumerate(MISTAKES):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        text, line = mistake.text_and_line()
        message, file = first_message(mistake, text, folder)
        wanted = f"{mistake.document}: {mistake.name}: line {line} of {file} and {mistake.remedy!r}"
        if message is None:
            failed.append(f"{wanted}\n    nothing was said")
        elif not names_line(message, file, line) or not says_first(message, mistake.remedy):
            failed.append(f"{wanted}\n    {message}")
        elif message.span is None or (message.span.source.name, message.span.line) != (file, line):
            by_chain += 1
    right = len(MISTAKES) - len(failed)
    with capsys.disabled():
        print(f"\nright line and remedy first: {right} of {len(MISTAKES)} ({right / len(MISTAKES):.1%})")
        print(f"of these the line stands in the chain of calls or the help: {by_chain}")
        for failure in failed:
            print(f"  {failure}")
    assert right >= GOAL * len(MISTAKES)


def test_the_corpus_is_large_and_its_mistakes_have_names_of_their_own() -> None:
    assert len(MISTAKES) >= 150
    assert len({(mistake.document, mistake.name) for mistake in MISTAKES}) == len(MISTAKES)
