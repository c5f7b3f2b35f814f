"""One faulty document: its text, with a mark before the place that the message must name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from archdsl.library import read_text
from archdsl.network import load_with_settings
from archdsl.source import ArchError, Source
from archdsl.space.freeze import freeze
from archdsl.space.picks import read_picks

MARK = "‸"


class Case(NamedTuple):
    """A document with one fault: the error's code, and parts of what is printed about it.

    `files` stand beside it, `settings` and `picks` are what a command would be given; the mark may be in any of
    them. `spec` is what is opened, where that is not the document by its name.
    """

    name: str
    text: str
    code: str
    said: tuple[str, ...]
    ending: str = ".arch"
    files: tuple[tuple[str, str], ...] = ()
    settings: tuple[str, ...] = ()
    picks: str = ""
    spec: str = ""

    def texts(self) -> dict[str, str]:
        """All that is written, by the name that messages give it, marks included."""
        texts = {f"net{self.ending}": self.text, **dict(self.files)}
        texts.update({"picks.yaml": self.picks} if self.picks else {})
        return {**texts, "--set": "\n".join(self.settings)}

    def place(self) -> str | None:
        """The marked place, as a message writes it."""
        for name, text in self.texts().items():
            before, mark, _ = text.partition(MARK)
            if mark:
                line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
                return f"{name}:{line}:{column}"
        return None

    def error(self, folder: Path) -> ArchError:
        """The error that comes of it in a folder of its own, which is the current one."""
        for name, text in self.texts().items():
            if name != "--set":
                (folder / name).write_text(text.replace(MARK, ""), encoding="utf-8", newline="")
        settings = [setting.replace(MARK, "") for setting in self.settings]
        with pytest.raises(ArchError) as caught:
            network = load_with_settings(self.spec or f"net{self.ending}", None, settings, [])
            if self.picks:
                freeze(network.chosen, read_picks(Source("picks.yaml", read_text("picks.yaml"))))
            elif network.is_open and "leaves" not in "".join(self.said):
                network.space()
            else:
                _ = network.graph
        return caught.value


HEADER = 'archdsl 1\nimport "convolution"\n'
NETWORK = HEADER + "network N(x: [3, 32, 32]) {\n  stem: wrong\n}\n"


def block(body: str, signature: str = "(x: [C, H, W]) -> [C, H, W]") -> str:
    """A network that calls a block of this body."""
    return f"{NETWORK}block wrong{signature} {{\n  {body}\n}}\n"


def stage(line: str) -> str:
    """A network with one stage of 32 channels, whose blocks are this line."""
    entries = f"  stem: conv_stem(32)\n  stage s1(32) {{\n    {line}\n  }}\n"
    return f'archdsl 1\nimport "efficientformerv2"\nnetwork N(x: [3, 32, 32]) {{\n{entries}}}\n'
