"""The data folders: `grammar`, `specs`, `codegen`, inside the package (a wheel) or beside it (a checkout)."""

from __future__ import annotations

import os
from functools import cache

_PACKAGE = os.path.dirname(os.path.abspath(__file__))


@cache
def folder(name: str) -> str:
    """The absolute path of a data folder; raises `FileNotFoundError` for a broken installation."""
    for parent in (_PACKAGE, os.path.dirname(_PACKAGE)):
        candidate = os.path.join(parent, name)
        if os.path.isdir(candidate):
            return candidate
    raise FileNotFoundError(f"archdsl's data folder {name!r} is missing: install archdsl again")


def file_with_block(name: str) -> str | None:
    """The file of the block library that defines a block; read only where a mistake asks for it."""
    if not name.isidentifier():
        return None
    for file in sorted(os.listdir(os.path.join(folder("specs"), "blocks"))):
        if f"block {name}(" in text("specs", os.path.join("blocks", file)):
            return os.path.splitext(file)[0]
    return None


@cache
def text(folder_name: str, file: str) -> str:
    """The text of one data file."""
    with open(os.path.join(folder(folder_name), file), encoding="utf-8") as stream:
        return stream.read()
