"""Printers: what is printed is read as what was printed, in both surfaces and across them, comments kept."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from documents import comment, documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl import print_arch, print_yaml, read_arch, read_yaml
from archdsl import syntax as s
from archdsl.formatter import formatted
from archdsl.source import ArchError, Source

ROOT = Path(archdsl.__file__).parent.parent
import os
from hypothesis import Phase

MANY = int(os.environ.get("MANY", "40"))
PHASES = [Phase.generate]
DRAWN = settings(
    max_examples=MANY,
    phases=PHASES,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)
SURFACES = ("arch", "yaml")
OTHER = {"arch": "yaml", "yaml": "arch"}


def printed(document: s.Document, surface: str) -> str:
    return {"arch": print_arch, "yaml": print_yaml}[surface].text(document)


def read(text: str, surface: str) -> s.Document:
    return {"arch": read_arch, "yaml": read_yaml}[surface].read(Source("text", text))


def comments_of(text: str, surface: str) -> Counter[str]:
    marks = {"arch": print_arch, "yaml": print_yaml}[surface].marks_of(Source("text", text))
    return Counter(found.text for found in marks.comments)


def convert(text: str, surface: str, target: str) -> str:
    return formatted(Source("text", text), surface, target)  # type: ignore[arg-type]


@pytest.mark.parametrize("surface", SURFACES)
@DRAWN
@given(document=documents())
def test_what_is_printed_is_read_as_it_was(surface: str, document: s.Document) -> None:
    text = printed(document, surface)
    again = read(text, surface)
    assert again == document and repr(again) == repr(document)
    assert convert(text, surface, surface) == text
    there = convert(text, surface, OTHER[surface])
    back = convert(there, OTHER[surface], surface)
    assert convert(back, surface, OTHER[surface]) == there


@pytest.mark.parametrize("surface", SURFACES)
@DRAWN
@given(document=documents(), data=st.data())
def test_comments_are_kept(surface: str, document: s.Document, data: st.DataObject) -> None:
    check_comments(with_comments(printed(document, surface), surface, data), surface)


def check_comments(text: str, surface: str) -> None:
    """Formatting and converting keep a text's comments, and do nothing the second time."""
    kept = comments_of(text, surface)
    once = convert(text, surface, surface)
    assert comments_of(once, surface) == kept
    assert convert(once, surface, surface) == once
    there = convert(text, surface, OTHER[surface])
    assert comments_of(there, OTHER[surface]) == kept
    assert convert(there, OTHER[surface], OTHER[surface]) == there


def with_comments(text: str, surface: str, data: st.DataObject) -> str:
    """The text with comments, blank lines and line breaks at random places, wherever they change no meaning."""
    document = repr(read(text, surface))
    for _ in range(data.draw(st.integers(1, 5))):
        written = data.draw(comment)
        places = [match.start() for match in re.finditer(r"\n|(?<=[,{}|]) | (?=\|>)", text)]
        at = data.draw(st.sampled_from(places))
        indent = " " * data.draw(st.integers(0, 8))
        new = data.draw(st.sampled_from([f" {written}\n", f"\n{indent}{written}\n", "\n\n", "\n"]))
        changed = text[:at] + new + text[at + (text[at] == "\n") :]
        try:
            if repr(read(changed, surface)) == document:
                text = changed
        except ArchError:
            continue
    return text
