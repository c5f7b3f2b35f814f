"""Which format a file of weights has, told by its ending, and whether it is a file at all."""

from __future__ import annotations

import os
import stat
from typing import Final

from archdsl.source import Diagnostic, SurroundingsError, fail
from archdsl.weights.checkpoints import Checkpoint, refuse
from archdsl.weights.pickles import Pickled
from archdsl.weights.safetensors_files import Safetensors

SAFETENSORS_ENDING: Final = ".safetensors"
PICKLE_ENDINGS: Final = (".pt", ".pth", ".bin")

SLACK: Final = 64 << 20
"""Bytes that a file may have beyond what the network's own numbers take: a head of more classes."""


def open_checkpoint(path: str, numbers: int, names: int) -> Checkpoint:
    """Open a file for a network of so many numbers under so many names.

    Raises `ArchError` for a file that is damaged, larger than such a network explains, of another
    format, or that holds anything but tensors; `SurroundingsError` for one that can't be read.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending != SAFETENSORS_ENDING and ending not in PICKLE_ENDINGS:
        endings = ", ".join((SAFETENSORS_ENDING, *PICKLE_ENDINGS))
        refuse(path, f"is no file of weights by its name ({endings})", "rename it to what it is")
    size = _size(path)
    if not size:
        refuse(path, "is empty")
    if ending == SAFETENSORS_ENDING:
        return Safetensors(path, size, names)
    return Pickled(path, size, 8 * numbers + SLACK, names)


def _size(path: str) -> int:
    try:
        # O_NONBLOCK: a FIFO would otherwise hang the open itself.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise fail("E0701", f"there is no file {path!a}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SurroundingsError([Diagnostic("E0701", f"{path!a} can't be read: {reason}")]) from None
    try:
        status = os.fstat(handle)
    finally:
        os.close(handle)
    if not stat.S_ISREG(status.st_mode):
        refuse(path, "is not a file")
    return status.st_size
