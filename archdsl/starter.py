"""Starter documents: `archdsl new`, from the texts in `codegen`."""

from __future__ import annotations

import os

from archdsl import assets, names
from archdsl import syntax as s
from archdsl.files import write_atomically
from archdsl.source import ArchError, Diagnostic, SurroundingsError

ENDINGS = (".yaml", ".arch")


def starter(path: str, base: str | None = None, setting: str | None = None) -> str:
    """The text of a new document: a network of its own, or a variant of `base`; named after its file.

    A variant begins with a setting, as its surface writes it, or with none.

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
    if base is not None:
        text = _beginning_with(setting, text)
    name = "".join(part[:1].upper() + part[1:] for part in stem.split("_"))
    return text.replace("NAME", name).replace("FILE", os.path.basename(path)).replace("BASE", base or "")


def write_starter(path: str, base: str | None = None) -> None:
    """Write a new document; raises `ArchError`, and `SurroundingsError` where there is a file already."""
    if base is not None:
        from archdsl.network import load

        setting = _setting(load(base).written, path.endswith(".arch"))
        text = starter(path, _from_folder_of(path, base), setting)
    else:
        text = starter(path)
    if os.path.lexists(path):
        message = f"{path!a} is there already"
        raise SurroundingsError([Diagnostic("E0702", message, None, "choose another name")])
    write_atomically(path, text)


def _setting(network: s.Network, is_text: bool) -> str | None:
    """A parameter of a network, set to what it is; None where it has none that is plain."""
    plain = [p for p in network.params if p.default is not None and not p.later and not _chooses(p.default)]
    first = next((p for p in plain if p.name == "num_classes"), plain[0] if plain else None)
    if first is None or first.default is None:
        return None
    # The printers are wanted by this command alone.
    if is_text:
        from archdsl.print_arch.layout import flat

        return f"{first.name} = {flat(first.default)}"
    from archdsl.print_yaml.scalars import expression

    return f"{first.name}: {expression(first.default)}"


def _chooses(value: s.Expr) -> bool:
    return next(s.parts_of(value, s.Choose), None) is not None


def _beginning_with(setting: str | None, text: str) -> str:
    """The text of a variant with its setting; one that sets nothing has no `set:` in YAML."""
    if setting is not None:
        return text.replace("SETTING", setting)
    before, _, after = text.partition("set:\n")
    lines = [*before.splitlines(), *[line.strip() for line in after.splitlines()]]
    return "\n".join(line for line in lines if line.strip() != "SETTING") + "\n"


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
