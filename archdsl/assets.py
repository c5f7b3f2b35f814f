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


@cache
def text(folder_name: str, file: str) -> str:
    """The text of one data file."""
    with open(os.path.join(folder(folder_name), file), encoding="utf-8") as stream:
        return stream.read()
