"""Faults of commands and of what surrounds them: files, folders, modules, memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import archdsl
from archdsl.cli import main
from archdsl.source import ArchError

NET = "archdsl: 1\nnetwork: N\ninput: [3, 32, 32]\nbody:\n  stem: conv2d(8, stride = 2)\n"
HUGE = NET.replace("conv2d(8, stride = 2)", "conv2d(2 ** 31 - 1)") + "  next: conv2d(2 ** 31 - 1)\n"


class Command(NamedTuple):
    """A command that fails in a folder of these files: its exit code, the error's code, and parts of the message.

    `module` is one that is not installed. Of a call in Python, `argv` is the call as it is written.
    """

    name: str
    argv: str
    exit_code: int
    code: str
    said: tuple[str, ...]
    files: tuple[tuple[str, str | bytes], ...] = (("net.yaml", NET),)
    module: str = ""
    call: Callable[[], object] | None = None

    def printed(
        self, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> tuple[int, str]:
        """The exit code, and what goes to the terminal as an error. The folder is the current one."""
        for name, content in self.files:
            if name.endswith("/"):
                (folder / name).mkdir()
            elif isinstance(content, bytes):
                (folder / name).write_bytes(content)
            else:
                (folder / name).write_text(content, encoding="utf-8")
        with patch.context() as context:
            if self.module:
                context.setitem(sys.modules, self.module, None)
            if self.call is not None:
                with pytest.raises(ArchError) as caught:
                    self.call()
                return caught.value.exit_code, str(caught.value)
            try:
                code = main(self.argv.split()[1:])
            except SystemExit as left:
                code = int(left.code or 0)
        return code, capsys.readouterr().err.rstrip("\n")


COMMANDS = [
    Command(
        "command that is not there",
        "archdsl stat net.yaml",
        2,
        "E0001",
        ("invalid choice: 'stat'", "archdsl --help"),
    ),
    Command("no document", "archdsl stats", 2, "E0001", ("SPEC", "archdsl stats --help"), files=()),
    Command(
        "resolution that is none",
        "archdsl stats net.yaml --resolution big",
        2,
        "E0001",
        ("'big' is not a size", "224"),
    ),
    Command(
        "file that is not UTF-8",
        "archdsl stats net.yaml",
        2,
        "E0110",
        ("net.yaml:2:6", "save it as UTF-8"),
        (("net.yaml", b"archdsl: 1\n# caf\xe9\xff\n"),),
    ),
    Command("block that is not there", "archdsl show net.yaml stm", 2, "E0409", ("archdsl show SPEC prints",)),
    Command("file that is not there", "archdsl stats nat.yaml", 2, "E0701", ("no document 'nat.yaml'",)),
    Command(
        "output that is a folder",
        "archdsl build net.yaml -o out",
        3,
        "E0702",
        ("'out' can't be written", "another -o"),
        (("net.yaml", NET), ("out/", "")),
    ),
    Command(
        "output that is the document",
        "archdsl build net.yaml -o net.yaml",
        2,
        "E0702",
        ("is the document itself",),
    ),
    Command(
        "starter that is there already",
        "archdsl new net.yaml",
        3,
        "E0702",
        ("is there already", "another name"),
    ),
    Command("resolution of nothing", "archdsl stats net.yaml --resolution 0", 2, "E0703", ("1 to 16384",)),
    Command(
        "resolution that does not divide",
        "archdsl stats s0 --resolution 208",
        2,
        "E0703",
        ("legal near it: 192 x 192 and 224 x 224",),
    ),
    Command(
        "torch that is not installed",
        "archdsl verify net.yaml",
        3,
        "E0706",
        ("'torch' is not installed", "pip install torch"),
        module="torch",
    ),
    Command(
        "module too large for the machine",
        'archdsl.load("net.yaml").build()',
        3,
        "E0707",
        ("this machine has less", "need no memory"),
        (("net.yaml", HUGE),),
        call=lambda: archdsl.load("net.yaml").build(),
    ),
    Command(
        "picks that are not there", "archdsl freeze net.yaml --with picks.yaml", 2, "E0701", ("picks.yaml",)
    ),
    Command("name that is none", "archdsl sample net.yaml --name 1", 2, "E0105", ("choose another --name",)),
]
