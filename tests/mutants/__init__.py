"""Faults seeded in archdsl's own rules, one at a time: the tests must see each of them.

`python -m tests.mutants` runs them, from the folder that holds tests/.
"""

from __future__ import annotations

from .in_primitives import PRIMITIVES
from .mutant import Mutant

AREAS: dict[str, tuple[Mutant, ...]] = {
    "primitives": PRIMITIVES,
}
"""The faults by the part of the package that they are in."""

MUTANTS: tuple[Mutant, ...] = tuple(mutant for area in AREAS.values() for mutant in area)
