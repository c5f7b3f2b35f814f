"""What came of a text at a place: a clear error, the harmless network, or an escape."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Literal

from archdsl import names
from archdsl.network import load
from archdsl.source import ArchError
from injection.canonical import Escape, canonical, checked
from injection.places import DOCUMENTS, LABELS, Encoder, Place, raw, yaml_double, yaml_single

Outcome = Literal["refused", "harmless", "another document"]

LONGEST_ERROR = 16_000
WITHOUT_PLACE = re.compile(r"E0001|E0103|E0105|E0409|E07\d\d|E022[37]")
"""What is said about a command, a file, or all of a document has no place in it."""

_LINE = re.compile(
    r"error\[E\d{4}\]: .+|  --> .+:\d+:\d+|   \|   .*|  note: .+|  in .+|  help: .+||and \d+ more errors?"
)


def check_error(error: ArchError) -> None:
    """Raise `Escape` for an error that is not clear: too long, of no place, or one that steers a terminal."""
    text = str(error)
    if not error.diagnostics or error.exit_code not in (2, 3) or len(text) > LONGEST_ERROR:
        raise Escape(f"an error of {len(error.diagnostics)} mistakes and {len(text)} characters")
    for line in text.split("\n"):
        if not line.isprintable() or not _LINE.fullmatch(line):
            raise Escape(f"an error says {line!a}")
    for mistake in error.diagnostics:
        if mistake.span is None and not WITHOUT_PLACE.fullmatch(mistake.code):
            raise Escape(f"an error without a place: {text!a}")
    for word in ("Traceback", " object at 0x", "archdsl.syntax", "NoneType"):
        if word in text:
            raise Escape(f"an error speaks Python: {text!a}")


@functools.cache
def harmless(file: str) -> str:
    """What the document of a file computes as it is."""
    Path(file).write_text(DOCUMENTS[file], encoding="utf-8")
    return canonical(load(file).source())


SPECIAL = frozenset(["num_classes", "drop_path"])
"""Parameters of a network that mean more than their value."""


@functools.cache
def _others(place: Place) -> frozenset[str]:
    """What a name can't be exchanged for without another meaning: labels have names of their own."""
    words = frozenset(re.findall(r"\w+", DOCUMENTS[place.file]))
    if place.kind == "label":
        # With a label `x` the methods are written as those of several streams: other lines, of one meaning.
        return frozenset((*LABELS, "x", "fc", "out", "make", "norm", "conv", "up"))
    return words | SPECIAL


def try_text(place: Place, text: str, encoder: Encoder) -> Outcome:
    """Write a text at a place, open the document, write its source; raises `Escape`."""
    document = place.document(text, encoder)
    Path(place.file).write_bytes(document.encode("utf-8", "surrogatepass"))
    try:
        source = load(place.file).source()
    except ArchError as error:
        check_error(error)
        return "refused"
    if place.kind == "value" or (place.kind == "text" and encoder is raw):
        checked(source)
        return "another document"
    if place.kind in ("name", "label"):
        if names.problem(text) and encoder in (yaml_double, yaml_single):
            raise Escape(f"{text!a} is no name")
        if names.problem(text) or text in _others(place):
            # What was written is no name but more, or it is the name of something else.
            checked(source)
            return "another document"
    if canonical(source) != harmless(place.file):
        raise Escape("the source computes something else")
    return "harmless"
