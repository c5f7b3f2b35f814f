"""Files of weights, opened with distrust: what a file declares is checked before anything is made of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

from archdsl.source import fail
from archdsl.weights.pieces import Shape

if TYPE_CHECKING:
    from torch import Tensor


class Checkpoint(ABC):
    """A file of weights that has been looked through: shapes and torch's names of types, by key."""

    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str]

    @abstractmethod
    def tensor(self, key: str) -> Tensor:
        """The numbers behind a key."""


def refuse(path: str, what: str, help: str | None = None) -> NoReturn:
    """Raise the error for a file that is no sound file of weights."""
    raise fail("E0810", f"{path!a} {what}", None, help)
