"""Starter documents: `archdsl new`, from the texts in `codegen`."""

from __future__ import annotations

import os

from archdsl import assets, names
from archdsl.files import write_atomically
from archdsl.source import ArchError, Diagnostic, SurroundingsError

ENDINGS = (".yaml", ".arch")


def starter(path: str, base: str | None = None) -> str:
    """The text of a new document: a network of its own, or a variant of `base`; named after its file.

    Raises `ArchError` for a file whose name can't be a network's, or whose ending is no surface.
    """
    stem, ending = os.path.splitext(os.path.basename(path))
    if ending not in ENDINGS:
        message = f"{path!a} is neither .yaml nor .arch"
        raise ArchError([Diagnostic("E0701", message, None, "name it net.yaml or net.arch")])
    problem = names.problem(stem)
    if problem:
        message = f"a document is named after its network: {problem}"
        raise ArchError([Diagnostic("E0105", message, None, f"my_net{ending}")])
    text = assets.text("codegen", ("starter" if base is None else "variant") + ending)
    name = "".join(part[:1].upper() + part[1:] for part in stem.split("_"))
    return text.replace("NAME", name).replace("FILE", os.path.basename(path)).replace("BASE", base or "")


def write_starter(path: str, base: str | None = None) -> None:
    """Write a new document; raises `ArchError`, and `SurroundingsError` where there is a file already."""
    if base is not None:
        from archdsl.network import load

        load(base)
        base = _from_folder_of(path, base)
    text = starter(path, base)
    if os.path.lexists(path):
        message = f"{path!a} is there already"
        raise SurroundingsError([Diagnostic("E0702", message, None, "choose another name")])
    write_atomically(path, text)


def _from_folder_of(path: str, base: str) -> str:
    """What a document at `path` calls a base that the command has named."""
    file, mark, name = base.partition("#")
    if not os.path.lexists(file):
        return base
    relative = os.path.relpath(file, os.path.dirname(path) or ".").replace(os.sep, "/")
    if relative.startswith(".."):
        message = f"a base stands beside its variant, or below: {base!a}"
        raise ArchError([Diagnostic("E0704", message, None, "write the variant beside it, or use --path")])
    return relative + mark + name
