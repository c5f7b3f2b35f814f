"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile

from archdsl.source import Diagnostic, SurroundingsError


def write_atomically(path: str, text: str) -> None:
    """Write a text file in one step: readers see the old content or the new, never a part.

    Missing folders are made. Raises `SurroundingsError` and leaves what was there untouched.
    """
    folder = os.path.dirname(path) or "."
    temporary: str | None = None
    made = _missing(folder)
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(21, "it is a folder", path)
        os.makedirs(folder, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".archdsl-", suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, _mode_of(path))
        os.replace(temporary, path)
        temporary = None
        made = []
        _sync_folder(folder)
    except (OSError, ValueError) as error:
        # ValueError: a path that holds a NUL.
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{path!a} can't be written: {reason}"
        raise SurroundingsError([Diagnostic("E0702", message, None, "choose another -o")]) from None
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        for new in made:
            with contextlib.suppress(OSError, ValueError):
                os.rmdir(new)


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
