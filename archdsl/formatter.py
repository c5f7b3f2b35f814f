"""Documents formatted, and converted between the surfaces: read, printed, and read again to be sure."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence

from archdsl import print_arch, print_yaml, surfaces
from archdsl import syntax as s
from archdsl.files import write_atomically
from archdsl.library import LARGEST_FILE, decoded, read_text
from archdsl.print_arch.marks import Marks
from archdsl.source import ArchError, Diagnostic, Source, SurroundingsError
from archdsl.surfaces import Surface, ending_surface, surface_of

MOST_PASSES = 5
"""So often a text is printed until it stays as it is; nearly all do at once."""


class FormatError(AssertionError):
    """A mistake of ours: what was printed does not say what was read. Nothing has been written."""


def formatted(source: Source, surface: Surface, target: Surface | None = None) -> str:
    """The text of a document in its canonical form, in its own surface or in `target`.

    Raises `ArchError` for a text with mistakes, and for one that can't be said in `target` (YAML has no control
    characters); `FormatError` if what is printed did not say the same, with the same comments.
    """
    target = target or surface
    document, marks = _read(source, surface)
    printed = surfaces.printed(document, target, marks)
    for _ in range(MOST_PASSES):
        text = printed
        again, its_marks = _read(Source(f"{source.name} (formatted)", text), target)
        # Records take 1 for 1.0; what they print does not.
        if repr(again) != repr(document):
            raise FormatError(f"{source.name}: its formatted text would say something else")
        if _texts(its_marks) != _texts(marks):
            raise FormatError(f"{source.name}: its formatted text would have other comments")
        printed = surfaces.printed(again, target, its_marks)
        if printed == text:
            break
        # A comment has come to stand where blank lines go otherwise: what is printed is to stay as it is.
    return text


def formatted_file(path: str, target: Surface | None = None) -> tuple[str, bool]:
    """The formatted text of a file, and whether the file holds just that already.

    Raises as `formatted` does, and `ArchError` for a file that can't be read.
    """
    surface = surface_of(path)
    text = formatted(Source(path, read_text(path)), surface, target)
    with open(path, "rb") as stream:
        return text, stream.read() == text.encode()


def format_files(
    paths: Sequence[str], check: bool, target: Surface | None, surface: Surface | None, output: str | None
) -> int:
    """Format files in place, say which would change (`check`), or write one document to `output`.

    The result is the exit code. Raises `ArchError` with the mistakes of all files, before anything is written.
    """
    converts = target is not None or output is not None
    if converts and (check or len(paths) > 1):
        message = "--to and -o take one file and no --check"
        raise ArchError([Diagnostic("E0001", message, None, "convert one file at a time")])
    if output not in (None, "-") and target is None:
        target = ending_surface(str(output))
    texts: list[tuple[str, str, bool]] = []
    mistakes: list[Diagnostic] = []
    for path in dict.fromkeys(paths):
        try:
            if path == "-":
                texts.append(("standard input", *_formatted_input(surface, target)))
            else:
                texts.append((path, *formatted_file(path, target)))
        except SurroundingsError:
            raise
        except ArchError as error:
            mistakes += error.diagnostics
    if mistakes:
        raise ArchError(mistakes)
    if converts:
        _write(paths[0], texts[0][1], output or "-")
        return 0
    changed = [(path, text) for path, text, same in texts if not same]
    for path, text in changed:
        if not check and path != "standard input":
            # Through a link: the file that it leads to is replaced, not the link.
            write_atomically(os.path.realpath(path), text)
        if check or path != "standard input":
            print(path)
    if not check:
        sys.stdout.write("".join(text for path, text, _ in texts if path == "standard input"))
    return 1 if check and changed else 0


def _formatted_input(surface: Surface | None, target: Surface | None) -> tuple[str, bool]:
    if surface is None:
        message = "the form of the standard input is not known"
        raise ArchError([Diagnostic("E0001", message, None, "--from yaml or --from arch")])
    data = sys.stdin.buffer.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        message = f"documents have at most {LARGEST_FILE:,} bytes"
        raise ArchError([Diagnostic("E0103", message)])
    text = formatted(Source("standard input", decoded(data, "standard input")), surface, target)
    return text, data == text.encode()


def _write(path: str, text: str, output: str) -> None:
    if output == "-":
        sys.stdout.write(text)
        return
    if path != "-" and os.path.exists(output) and os.path.samefile(path, output):
        message = f"{output!a} is the document itself"
        raise ArchError([Diagnostic("E0702", message, None, "choose another -o")])
    write_atomically(os.path.realpath(output), text)


def _read(source: Source, surface: Surface) -> tuple[s.Document, Marks]:
    marks_of = print_arch.marks_of if surface == "arch" else print_yaml.marks_of
    return surfaces.read(source, surface), marks_of(source)


def _texts(marks: Marks) -> Counter[str]:
    return Counter(comment.text for comment in marks.comments)
