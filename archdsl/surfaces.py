"""The two surfaces of the language, text and YAML: which one a file is in, how it is read and printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from archdsl import syntax as s
from archdsl.source import Source, fail

if TYPE_CHECKING:
    from archdsl.print_arch.marks import Marks

Surface: TypeAlias = Literal["arch", "yaml"]

SURFACES: Final[tuple[Surface, ...]] = ("arch", "yaml")
ENDINGS: Final[dict[str, Surface]] = {".yaml": "yaml", ".yml": "yaml", ".arch": "arch"}
"""The surface of a file by its ending, in the order in which a name without one is tried."""


def ending_surface(path: str) -> Surface | None:
    """The surface that a file's ending says, or None for any other ending."""
    return next((surface for ending, surface in ENDINGS.items() if path.endswith(ending)), None)


def surface_of(path: str, shown: str | None = None) -> Surface:
    """The surface that a file's ending says; raises `ArchError` for any other ending, naming it as `shown`."""
    surface = ending_surface(path)
    if surface is None:
        message = f"{shown or path!a} is neither .yaml nor .arch"
        raise fail("E0701", message, None, "rename it to what it is")
    return surface


# What reads and prints the other surface is not imported: a command mostly needs one.


def read(source: Source, surface: Surface) -> s.Document:
    """The document that a text says; raises `ArchError` with all its mistakes."""
    if surface == "yaml":
        from archdsl import read_yaml

        return read_yaml.read(source)
    from archdsl import read_arch

    return read_arch.read(source)


def printed(document: s.Document, surface: Surface, marks: Marks | None = None) -> str:
    """The document in its canonical form, with the comments and blank lines of `marks`."""
    if surface == "yaml":
        from archdsl import print_yaml

        return print_yaml.text(document) if marks is None else print_yaml.text(document, marks)
    from archdsl import print_arch

    return print_arch.text(document) if marks is None else print_arch.text(document, marks)
