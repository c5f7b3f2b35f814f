"""One fault that a person could make in a rule, and the ordinary tests that see it."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """A fault: in a file of the package, a text that stands there once is replaced by another.

    `tests` are files of tests/ or tests in them, as pytest names them: one of them must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The file's text with the fault; raises `ValueError` where the old text does not stand there once."""
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"{self.name!r}: its text stands {count} times in {self.file}, not once")
        return text.replace(self.old, self.new)
