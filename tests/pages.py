"""The pages of `docs` as programs: their files are written, their commands run, and what they print compared.

    a fence that begins with a comment, `# net.arch`   is a file of that name, from there on
    one with commands, `$ archdsl stats net.arch`      is run in the folder with the files so far
    any other of the language                          is a piece, which must be readable

A document must be right: its networks are made, the figures of its spaces found. One whose name begins with
`wrong` must be refused, and a command of the page must show the message. Two files that differ in their
endings, `net.arch` and `net.yaml`, say the same.
"""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import archdsl
from archdsl import cli, read_arch
from archdsl.library import Library
from archdsl.source import ArchError, Source
from archdsl.variants import names

LANGUAGES = {"arch", "yaml", "python", "console", "ebnf"}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"# ([A-Za-z0-9_/]+\.(?:arch|yaml|py))\n")


class Fence(NamedTuple):
    """A fenced block of a page: its language, its text, and where the text begins."""

    language: str
    text: str
    start: int

    @property
    def file(self) -> str | None:
        """The name of the file that it is, or None."""
        found = _NAME.match(self.text)
        return found.group(1) if found else None

    @property
    def is_document(self) -> bool:
        """Whether it is a document of the language: it says the version."""
        return self.file is not None and re.search(r"^archdsl:? 1$", self.text, re.MULTILINE) is not None


def fences(page: str) -> list[Fence]:
    """The fenced blocks of a page, in order."""
    return [Fence(m.group(1), m.group(2), m.start(2)) for m in _FENCE.finditer(page)]


def run_page(page: str) -> str:
    """The page as it would be if it showed what its commands print; the files go into the current folder."""
    result, done = [], 0
    for fence in fences(page):
        assert fence.language in LANGUAGES, f"```{fence.language}: a fence says its language\n{fence.text}"
        if fence.file is not None:
            path = Path(fence.file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text, encoding="utf-8")
            if fence.is_document:
                check_document(fence.file)
        elif fence.language == "console":
            result += [page[done : fence.start], session(fence.text)]
            done = fence.start + len(fence.text)
        elif fence.language == "arch":
            check_piece(fence.text)
    check_pairs()
    return "".join([*result, page[done:]])


def session(text: str) -> str:
    """A console's commands, each with what it prints."""
    lines = [line for line in text.splitlines() if line.startswith("$ ")]
    return "\n".join(line + "\n" + output(line[2:]) for line in lines)


def output(line: str) -> str:
    """What a command prints, errors and all; `head`, `tail` and `grep` behind a `|` are done here."""
    first, *filters = line.split(" | ")
    program, *args = shlex.split(first)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        if program == "archdsl":
            cli.main(args)
        else:
            assert program == "python", line
            _run_file(*args)
    lines = printed.getvalue().splitlines()
    for filter_ in filters:
        match shlex.split(filter_):
            case ["head", "-n", count]:
                lines = lines[: int(count)]
            case ["tail", "-n", count]:
                lines = lines[-int(count) :]
            case ["grep", "-A", count, pattern]:
                found = [i for i, line in enumerate(lines) if re.search(pattern, line)]
                lines = [line for i, line in enumerate(lines) if any(0 <= i - f <= int(count) for f in found)]
            case ["grep", "-e", first_pattern, "-e", second_pattern]:
                lines = [line for line in lines if re.search(f"{first_pattern}|{second_pattern}", line)]
            case ["grep", pattern]:
                lines = [line for line in lines if re.search(pattern, line)]
            case _:
                raise AssertionError(line)
    return "\n".join(lines) + "\n" if lines else ""


def _run_file(path: str) -> None:
    sys.path.insert(0, str(Path.cwd()))
    try:
        runpy.run_path(path, run_name="__main__")
    finally:
        sys.path.pop(0)


def check_document(path: str) -> None:
    """Make all that a document holds; one that is wrong must be refused."""
    is_wrong = Path(path).name.startswith("wrong")
    try:
        list(_made(path))
    except ArchError as error:
        assert is_wrong, f"{path}\n{error}"
    else:
        assert not is_wrong, f"{path} is not wrong"


def _made(path: str) -> Iterator[tuple[str, object]]:
    """The hash of every network of a document, and the figures of every space."""
    for name in names(Library().open(path).document):
        network = archdsl.load(f"{path}#{name}")
        yield name, network.space().as_dict() if network.is_open else network.graph.fingerprint


def check_piece(text: str) -> None:
    """Read a piece: items of a document, statements, a type, an expression."""
    mistakes = []
    for start in ("document", "statements", "expr"):
        try:
            read_arch.read_expression(Source("a piece", text), text.rstrip("\n"), (0, 0), start)
        except ArchError as error:
            mistakes.append(error)
        else:
            return
    raise AssertionError(f"{text}\n" + "\n".join(map(str, mistakes)))


def check_pairs() -> None:
    """Files that differ in their endings alone say the same."""
    for path in Path().glob("**/*.arch"):
        other = path.with_suffix(".yaml")
        if other.exists() and not path.name.startswith("wrong"):
            assert dict(_made(str(path))) == dict(_made(str(other))), path


def wrong_files(page: str) -> dict[str, bool]:
    """Every file that is wrong on purpose, and whether a command of the page shows its message."""
    shown = [session_ for session_ in fences(page) if session_.language == "console"]
    return {
        fence.file: any(fence.file in one.text and "error[" in one.text for one in shown)
        for fence in fences(page)
        if fence.file is not None and Path(fence.file).name.startswith("wrong")
    }
