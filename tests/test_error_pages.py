"""docs/errors.md: every code, the smallest document that gives it, and what is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.case import MARK, Case
from faults.in_commands import COMMANDS, Command
from faults.titles import CHAPTERS, TITLES
from test_errors import CASES

import archdsl

ROOT = Path(archdsl.__file__).parent.parent
PAGE = "docs/errors.md"
LONGEST = 800
"""Of a longer document the page shows no text: a sentence says what it is."""

HEAD = """# Errors

What archdsl prints where a document is wrong: a code, what was found, the place with a caret, the chain of
calls that led there, and what would mend it. All mistakes of a stage are printed at once, the first 20 in full.
The exit code is 2 where the document or the command is wrong, 3 where the surroundings are. This page is made
from the tests' documents, by `pytest tests/test_error_pages.py --update-golden`: for each code the smallest
document that gives it, and what is printed.
"""


def codes() -> set[str]:
    """Every code that the source of archdsl names."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "archdsl").rglob("*.py")]
    return {code for text in texts for code in re.findall(r"\bE0[0-9]{3}\b", text)}


def smallest(code: str) -> Case | Command:
    """The case of a code that takes the least text; the first of those."""
    cases: list[Case | Command] = [case for case in CASES if case.code == code]
    cases += [command for command in COMMANDS if command.code == code]
    return min(cases, key=lambda case: (not _is_plain(written(case)), len(written(case)), case.name))


def _is_plain(text: str) -> bool:
    return all(char.isprintable() or char == "\n" for char in text)


def written(case: Case | Command) -> str:
    """What is typed: documents, and the command where it is not a plain one."""
    return "\n".join(_parts(case))


def _parts(case: Case | Command) -> Iterator[str]:
    if isinstance(case, Command):
        for name, content in case.files:
            yield _file(name, content)
        if case.value != 1.0:
            yield f"All numbers in it are {case.value}.\n"
        yield f"```\n{'>>>' if case.call is not None else '$'} {case.argv}\n```\n"
        return
    for name, text in case.texts().items():
        if name != "--set":
            yield _file(name, text.replace(MARK, ""))
    for setting in case.settings:
        yield f"```\n$ archdsl stats net{case.ending} --set '{setting.replace(MARK, '')}'\n```\n"
    if case.picks:
        yield f"```\n$ archdsl freeze net{case.ending} --with picks.yaml\n```\n"
    if case.spec:
        yield f"```\n$ archdsl stats {case.spec}\n```\n"


def _file(name: str, content: str | bytes | dict[str, tuple[str, list[int]]]) -> str:
    if name.endswith("/"):
        return f"A folder `{name}` is there.\n"
    if isinstance(content, bytes):
        return f"`{name}` holds the bytes `{content!r}`.\n"
    if isinstance(content, dict):
        shown = ", ".join(f"`{key}` {kind} {shape}" for key, (kind, shape) in content.items())
        return f"`{name}` holds {shown}.\n"
    if not content:
        return f"`{name}` is empty.\n"
    kind = "yaml" if name.endswith(".yaml") else ""
    return f"`{name}`:\n\n```{kind}\n{content.rstrip()}\n```\n"


def test_every_code_has_a_title_and_a_case() -> None:
    assert codes() == set(TITLES)
    assert {code[:3] for code in TITLES} <= set(CHAPTERS)
    assert codes() <= {case.code for case in CASES} | {command.code for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_that_fails_says_why(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = command.printed(tmp_path, monkeypatch, capsys)
    assert (code, f"error[{command.code}]" in text) == (command.exit_code, True), text
    for part in command.said:
        assert part in text
    assert "Traceback" not in text and str(tmp_path) not in text


def test_the_page_is_made_of_the_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], golden
) -> None:
    page = [HEAD]
    chapter = ""
    for code in sorted(TITLES):
        if code[:3] != chapter:
            chapter = code[:3]
            page.append(f"## {CHAPTERS[chapter]}\n")
        case = smallest(code)
        folder = tmp_path / code
        folder.mkdir()
        monkeypatch.chdir(folder)
        if isinstance(case, Command):
            printed = case.printed(folder, monkeypatch, capsys)[1]
        else:
            printed = str(case.error(folder))
        page.append(f"### {code}\n\n{TITLES[code]}\n")
        text = written(case)
        missing = (
            f"The module `{case.module}` is not installed.\n"
            if isinstance(case, Command) and case.module
            else ""
        )
        page.append(missing + (text if len(text) <= LONGEST else f"A document with this: {case.name}.\n"))
        page.append(f"```text\n{printed}\n```\n")
    golden(f"../../{PAGE}", "\n".join(page))
