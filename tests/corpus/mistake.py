"""One mistake: a bundled document, a piece of it that stands there once, and what stands in its place."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import archdsl
from archdsl import print_arch
from archdsl.library import read_document

MARK = "‸"
SPECS = Path(archdsl.__file__).parent.parent / "specs"


class Mistake(NamedTuple):
    """`old` stands in the document once. A mark in `new` shows the line to be named, if it is not its first.

    `remedy` is what the message must say, or its help before anything else. Of what is missing nothing is left
    to be named: `at` is the piece of the document that misses it.
    """

    name: str
    document: str
    old: str
    new: str
    remedy: str
    at: str = ""

    @property
    def is_of_blocks(self) -> bool:
        """Whether the document holds blocks alone, so that a network must import it."""
        return "blocks/" in self.document

    def text_and_line(self) -> tuple[str, int]:
        """The wrong document, and the line that its message must name."""
        whole = original(self.document)
        assert whole.count(self.old) == 1, (
            f"{self.name}: {self.old!r} stands there {whole.count(self.old)} times"
        )
        before, after = whole.split(self.old)
        if MARK in self.new:
            shown = before + self.new.partition(MARK)[0]
        else:
            shown = before + self.new[: len(self.new) - len(self.new.lstrip())]
        wrong = before + self.new.replace(MARK, "") + after
        if self.at:
            assert self.at in wrong, self.name
            shown = wrong.partition(self.at)[0]
        return wrong, shown.count("\n") + 1


@cache
def original(document: str) -> str:
    """The text of a bundled document; of `base.arch`, a YAML document printed as text."""
    path = SPECS / document
    if path.exists():
        return path.read_text(encoding="utf-8")
    return print_arch.text(read_document(str(path.with_suffix(".yaml")))[0])
