"""Faults seeded in archdsl's own rules, one at a time: the tests must see each of them.

`python -m tests.mutants` runs them, from the folder that holds tests/.
"""

from __future__ import annotations

from .in_elaboration import ELABORATION
from .in_figures import FIGURES
from .in_numbers import NUMBERS
from .in_primitives import PRIMITIVES
from .in_source import SOURCE
from .in_spaces import SPACES
from .in_surfaces import SURFACES
from .in_variants import VARIANTS
from .in_weights import WEIGHTS
from .mutant import Mutant

AREAS: dict[str, tuple[Mutant, ...]] = {
    "primitives": PRIMITIVES,
    "arithmetic of sizes": NUMBERS,
    "elaboration": ELABORATION,
    "figures and the hash": FIGURES,
    "generated source": SOURCE,
    "spaces": SPACES,
    "files of weights": WEIGHTS,
    "readers and printers": SURFACES,
    "variants": VARIANTS,
}
"""The faults by the part of the package that they are in."""

MUTANTS: tuple[Mutant, ...] = tuple(mutant for area in AREAS.values() for mutant in area)
