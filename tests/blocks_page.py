"""The page of the library's blocks, `docs/blocks.md`: made of `specs/blocks`."""

from __future__ import annotations

from pathlib import Path

from archdsl.library import Library
from archdsl.print_arch.signatures import signature
from archdsl.syntax import Document

BLOCKS = Path(__file__).parent.parent / "specs" / "blocks"

GENERAL = ("convolution", "mobilenet", "resnet", "transformer", "head")
"""Files whose blocks many networks have in common: they come first."""

INTRODUCTION = """# Blocks

The library: every block of [`specs/blocks`](../specs/blocks), with what it takes and gives. This page is
generated; `pytest --update-golden` writes it anew.

`import "mobilenet"` (in YAML `import: mobilenet`) brings in the blocks of a file, and of those that it imports.
A signature says the tensors, behind `;` the arguments with types and defaults, and the shape of what comes out
([Signatures](language.md#signatures)): `x |> se: squeeze_excite(16, gate = sigmoid)`. What a block does, to the
last line, is in its file, ten lines or so; where it does not fit, write your own beside it.
"""


def _about(text: str) -> str:
    """The comment at the head of a file, before its blocks."""
    lines = text.split("\n")[1:]
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    said = []
    for line in lines[first:]:
        if not line.startswith("#"):
            break
        said.append(line.lstrip("# "))
    return " ".join(said)


def _section(name: str, text: str, document: Document) -> list[str]:
    lines = ["", f"## {name}", ""]
    about = _about(text)
    if about:
        lines += [about, ""]
    if document.imports:
        names = ", ".join(f"[{found.name}](#{found.name})" for found in document.imports)
        lines += [f"Brings in {names}.", ""]
    for block in document.blocks:
        said = " ".join((block.doc or "").split())
        lines.append(f"- `{block.name}{signature(block)}`" + (f"<br>{said}" if said else ""))
    return lines


def page() -> str:
    """The page as text."""
    names = sorted(path.stem for path in BLOCKS.glob("*.arch"))
    names = [*GENERAL, *(name for name in names if name not in GENERAL)]
    lines = INTRODUCTION.splitlines()
    for name in names:
        path = BLOCKS / f"{name}.arch"
        lines += _section(name, path.read_text(encoding="utf-8"), Library().open(str(path)).document)
    return "\n".join(lines) + "\n"
