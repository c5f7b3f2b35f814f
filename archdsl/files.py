"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping

from archdsl.source import Diagnostic, SurroundingsError


def write_atomically(path: str, text: str) -> None:
    """Write a text file in one step: readers see the old content or the new, never a part.

    Missing folders are made. Raises `SurroundingsError` and leaves what was there untouched.
    """
    write_together({path: text.encode()})


def write_together(files: Mapping[str, bytes]) -> None:
    """Write several files, each as `write_atomically` does, all of them or none.

    All are complete on the disk before the first takes its place; where one can't, those that have
    are taken back.
    """
    path = ""
    temporary: dict[str, str] = {}
    before: dict[str, str | None] = {}
    made: list[str] = []
    try:
        for path, data in files.items():
            folder = os.path.dirname(path) or "."
            if os.path.isdir(path):
                raise IsADirectoryError(21, "it is a folder", path)
            made += _missing(folder)
            os.makedirs(folder, exist_ok=True)
            temporary[path] = _written(folder, data)
            os.chmod(temporary[path], _mode_of(path))
        last = path
        for path in files:
            before[path] = None if path == last else _kept(path)
            os.replace(temporary[path], path)
            del temporary[path]
        made = []
        before = {path: kept for path, kept in before.items() if kept is not None}
        for folder in dict.fromkeys(os.path.dirname(path) or "." for path in files):
            _sync_folder(folder)
    except (OSError, ValueError) as error:
        # ValueError: a path that holds a NUL.
        _take_back(before, path)
        before = {}
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{path!a} can't be written: {reason}"
        raise SurroundingsError([Diagnostic("E0702", message, None, "choose another -o")]) from None
    finally:
        for left in (*temporary.values(), *filter(None, before.values())):
            with contextlib.suppress(OSError):
                os.unlink(left)
        for new in made:
            with contextlib.suppress(OSError, ValueError):
                os.rmdir(new)


def _written(folder: str, data: bytes) -> str:
    """The path of a new file with this content, safe on the disk."""
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".archdsl-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


def _kept(path: str) -> str | None:
    """A second name for the content of a file that is about to be replaced; None where there is no file."""
    if not os.path.exists(path):
        return None
    with open(path, "rb") as stream:
        kept = _written(os.path.dirname(path) or ".", stream.read())
    os.chmod(kept, _mode_of(path))
    return kept


def _take_back(before: Mapping[str, str | None], failed: str) -> None:
    """Put back what stood in the place of files that were already replaced."""
    for path, kept in before.items():
        with contextlib.suppress(OSError):
            if path == failed:
                if kept is not None:
                    os.unlink(kept)
            elif kept is not None:
                os.replace(kept, path)
            else:
                os.unlink(path)


def _missing(folder: str) -> list[str]:
    """The folders on the way to `folder` that are not there, the innermost first."""
    result = []
    while folder and not os.path.lexists(folder):
        result.append(folder)
        folder = os.path.dirname(folder)
    return result


def _mode_of(path: str) -> int:
    """The mode of the file that is replaced, or that of a new one."""
    if os.path.exists(path):
        return os.stat(path).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: str) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
