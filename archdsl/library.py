"""Finding documents by name, reading them, and what each file sees of the others."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from functools import cache

from archdsl import assets, surfaces
from archdsl import syntax as s
from archdsl.garbage import paused
from archdsl.ops import OPS, Op
from archdsl.record import Record
from archdsl.source import ArchError, Diagnostic, Frame, Source, Span, SurroundingsError, did_you_mean, fail
from archdsl.surfaces import ENDINGS, surface_of

LARGEST_FILE = 1 << 20
"""Files of more bytes are refused before they are read."""

DEEPEST_IMPORT = 32


class Unit(Record):
    """A document and the blocks that it sees: its own and those of its imports, each with its unit.

    `keys` are the key maps that it sees, by name and block.
    """

    document: s.Document
    source: Source
    blocks: Mapping[str, tuple[s.Block, Unit]]
    command_name: str = ""
    keys: Mapping[str, Mapping[str, s.KeyRules]] = {}
    path: str = ""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def first_parameter(callee: s.Block | type[Op]) -> str | None:
    """The argument of a block or primitive that may be given without its name, where it has one."""
    names = [param.name for param in callee.params] if isinstance(callee, s.Block) else callee.parameters
    return next(iter(names), None)


class Library:
    """Documents by path, each read once. `search` are folders for a user's own blocks."""

    def __init__(self, search: Sequence[str] = ()) -> None:
        self.search = tuple(search)
        self._units: dict[str, Unit] = {}
        self._wrong: set[str] = set()

    def open(self, name: str) -> Unit:
        """The document of a path, or of a bundled spec (`s0`, `specs/s0.yaml`).

        Raises `ArchError` for a file that is missing, unreadable or wrong.
        """
        return self._load(self._locate_spec(name), [])

    def base(self, base: s.Base, unit: Unit) -> Unit:
        """The document that a variant of `unit` begins from; raises `ArchError` as `open` does."""
        name = base.document or ""
        self._check_inside(name, base.span, "a base")
        for folder in (os.path.dirname(unit.path), *self.search, assets.folder("specs")):
            found = _within(folder, name)
            if found is not None:
                return self._load(found, [])
        help = did_you_mean(name, spec_names(), "bundled documents")
        raise fail("E0701", f"there is no document {name!a} to begin from", base.span, help)

    # --- finding

    @staticmethod
    def _check_inside(name: str, span: Span, what: str) -> None:
        if os.path.isabs(name) or ".." in name.replace("\\", "/").split("/"):
            help = "name a file beside this one, on the search path, or of the library"
            raise fail("E0704", f"{what} can't leave its folder: {name!a}", span, help)

    def _locate_spec(self, name: str) -> str:
        if os.path.lexists(name):
            return name
        bundled = name[len("specs/") :] if name.startswith("specs/") else name
        found = _within(assets.folder("specs"), bundled)
        if found is not None:
            return found
        help = did_you_mean(name, spec_names(), "bundled documents")
        raise fail("E0701", f"there is no document {name!a}", None, help)

    def _locate_import(self, imported: s.Import, importer: str) -> str:
        name = imported.name
        self._check_inside(name, imported.span, "an import")
        blocks = os.path.join(assets.folder("specs"), "blocks")
        itself = None
        for folder in (os.path.dirname(importer), *self.search, blocks):
            found = _within(folder, name)
            if found is not None and os.path.realpath(found) == os.path.realpath(importer):
                itself = found  # `swin.yaml` may import the library's `swin`
            elif found is not None:
                return found
        if itself is not None:
            return itself
        known = [os.path.splitext(file)[0] for file in sorted(os.listdir(blocks))]
        help = did_you_mean(name, known, "files of the library")
        raise fail("E0701", f"there is no document {name!a} to import", imported.span, help)

    # --- reading

    def _load(self, path: str, chain: list[tuple[str, Span]]) -> Unit:
        key = os.path.realpath(path)
        if key in self._units:
            return self._units[key]
        with paused():
            document, source = read_document(path)
        mistakes: list[Diagnostic] = []
        blocks, keys = self._imported_names(document, path, chain, mistakes)
        _add_key_maps(document, keys, mistakes)
        unit = Unit(document, source, blocks, command_name(path), keys, path)
        # A block comes with the unit whose names it sees: this one, which has it among them.
        blocks.update((block.name, (block, unit)) for block in document.blocks)
        mistakes += _names_twice((*document.networks, *document.variants), "")
        mistakes += [
            Diagnostic("E0205", f"{block.name!r} is a primitive", block.span, "choose another name")
            for block in document.blocks
            if block.name in OPS
        ]
        mistakes += _names_twice(document.blocks, "block ")
        mistakes += _rules_of_nothing(document, blocks)
        if mistakes:
            raise ArchError(mistakes)
        self._units[key] = unit
        return unit

    def _imported_names(
        self, document: s.Document, path: str, chain: list[tuple[str, Span]], mistakes: list[Diagnostic]
    ) -> tuple[dict[str, tuple[s.Block, Unit]], dict[str, dict[str, s.KeyRules]]]:
        """The blocks and key maps that a document's imports bring in; what is wrong with them is noted."""
        blocks: dict[str, tuple[s.Block, Unit]] = {}
        keys: dict[str, dict[str, s.KeyRules]] = {}
        key = os.path.realpath(path)
        for imported in document.imports:
            try:
                inner = self._imported(imported, path, [*chain, (key, imported.span)])
            except ArchError as error:
                mistakes += error.diagnostics
                continue
            for name, found in inner.blocks.items():
                if name in blocks and blocks[name][0] is not found[0]:
                    message = f"block {name!r} comes from two imports"
                    note = f"the other stands in {blocks[name][0].span}"
                    mistakes.append(Diagnostic("E0205", message, imported.span, note))
                blocks[name] = found
            for name, rules in inner.keys.items():
                keys.setdefault(name, {}).update(rules)
        return blocks, keys

    def _imported(self, imported: s.Import, path: str, chain: list[tuple[str, Span]]) -> Unit:
        target = self._locate_import(imported, path)
        key = os.path.realpath(target)
        if any(key == earlier for earlier, _ in chain):
            start = [earlier for earlier, _ in chain].index(key)
            links = [Frame(f"{span.source.name}", span) for _, span in chain[start:]]
            message = f"{imported.name!a} imports itself"
            help = "move what both need into a third file"
            if len(links) == 1:
                help = "there is no other file of this name beside it, in --path or among the library's blocks"
            raise ArchError([Diagnostic("E0705", message, imported.span, help, None, tuple(links))])
        if key in self._wrong:
            # Said already. Reading it anew for every import would take 2 ** n times for a chain of n.
            raise ArchError(())
        if len(chain) > DEEPEST_IMPORT:
            message = f"imports are nested more than {DEEPEST_IMPORT} deep"
            raise fail("E0601", message, imported.span)
        try:
            return self._load(target, chain)
        except ArchError:
            self._wrong.add(key)
            raise


def _add_key_maps(
    document: s.Document, keys: dict[str, dict[str, s.KeyRules]], mistakes: list[Diagnostic]
) -> None:
    """Lay a document's own rules over those that it imports, block by block."""
    for key_map in document.keys:
        own: dict[str, s.KeyRules] = {}
        for part in key_map.blocks:
            if part.block in own:
                message = f"the keys {key_map.name!r} have two sets of rules for {part.block!r}"
                help = f"the other stands in {own[part.block].span}"
                mistakes.append(Diagnostic("E0205", message, part.span, help))
            own[part.block] = part
        keys.setdefault(key_map.name, {}).update(own)


def _names_twice(written: Sequence[s.Network | s.Variant | s.Block], what: str) -> list[Diagnostic]:
    """Mistakes for names that stand for two things."""
    seen: dict[str, Span] = {}
    mistakes: list[Diagnostic] = []
    for one in written:
        if one.name in seen:
            message = f"{what}{one.name!r} is written twice"
            mistakes.append(Diagnostic("E0205", message, one.span, f"the other stands in {seen[one.name]}"))
        seen[one.name] = one.span
    return mistakes


def _rules_of_nothing(document: s.Document, blocks: Mapping[str, object]) -> list[Diagnostic]:
    """Mistakes for the key rules of a block or network that there is not."""
    known = {*blocks, *(n.name for n in document.networks), *(v.name for v in document.variants)}
    return [
        Diagnostic("E0801", f"no block or network {part.block!r}", part.span, did_you_mean(part.block, known))
        for key_map in document.keys
        for part in key_map.blocks
        if part.block not in known
    ]


def _within(folder: str, name: str) -> str | None:
    """The file of that name in a folder, with or without its ending, or None; links don't lead out."""
    root = os.path.realpath(folder)
    for ending in ("", *ENDINGS):
        candidate = os.path.join(folder, name + ending)
        if not os.path.isfile(candidate):
            continue
        real = os.path.realpath(candidate)
        if real == root or real.startswith(root + os.sep):
            return candidate
    return None


@cache
def spec_names() -> tuple[str, ...]:
    """The names of the bundled specs, those in folders too: `s0`, `zoo/resnet50`. Blocks are no specs."""
    root = assets.folder("specs")
    names: list[str] = []
    for folder, _, files in os.walk(root):
        inside = os.path.relpath(folder, root).replace(os.sep, "/")
        if inside != "blocks":
            stems = [os.path.splitext(file)[0] for file in files if file.endswith(tuple(ENDINGS))]
            names += stems if inside == "." else [f"{inside}/{stem}" for stem in stems]
    return tuple(sorted(names, key=lambda name: ("/" in name, name)))


def bundled_name(path: str) -> str | None:
    """The name of a bundled file below `specs`, or None for a file of the user's own."""
    root = os.path.realpath(assets.folder("specs"))
    real = os.path.realpath(path)
    inside = real.startswith(root + os.sep)
    return os.path.relpath(real, root).replace(os.sep, "/") if inside else None


def display_name(path: str) -> str:
    """The path as messages show it: bundled files by `specs/...`, others as they were given."""
    bundled = bundled_name(path)
    return f"specs/{bundled}" if bundled else path.replace(os.sep, "/")


def command_name(path: str) -> str:
    """What a command calls the document, the same in every folder: `s0`, or the name of a user's file."""
    bundled = bundled_name(path)
    return os.path.splitext(bundled)[0] if bundled else os.path.basename(path)


def read_text(path: str) -> str:
    """The text of a file, UTF-8, any line ends; raises `ArchError` for anything that is no such file."""
    shown = display_name(path)
    try:
        # O_NONBLOCK: a FIFO would otherwise hang the open itself.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        reason = error.strerror or str(error)
        diagnostic = Diagnostic("E0701", f"{shown!a} can't be read: {reason}")
        kind = ArchError if isinstance(error, FileNotFoundError) else SurroundingsError
        raise kind([diagnostic]) from None
    except ValueError:
        raise fail("E0701", f"{shown!a} is not a path") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise fail("E0701", f"{shown!a} is not a file")
    with os.fdopen(handle, "rb") as stream:
        if status.st_size > LARGEST_FILE:
            message = f"{shown!a} has {status.st_size:,} bytes; documents have at most {LARGEST_FILE:,}"
            raise fail("E0103", message)
        data = stream.read(LARGEST_FILE + 1)
    return decoded(data, shown)


def decoded(data: bytes, shown: str) -> str:
    """The text of a file's bytes, its line ends made one; raises `ArchError` where it is not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8")) + 1  # what stands before is sound
        source = Source(shown, data.decode("utf-8", "replace"))
        span = Span(source, line, column, line, column + 1)
        raise fail("E0110", "the file is not UTF-8 text", span, "save it as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_document(path: str) -> tuple[s.Document, Source]:
    """Read a file in the surface that its ending says; raises `ArchError` with all its mistakes."""
    source = Source(display_name(path), read_text(path))
    return surfaces.read(source, surface_of(path, source.name)), source
