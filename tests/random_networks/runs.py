"""One seed, run: its document held to the oracles, its variations, its twin. For pytest and bench/fuzz.py alike."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from archdsl.source import ArchError
from random_networks.networks import Sample, document
from random_networks.oracles import check, check_twin
from random_networks.twins import twin

BOUNDS = ("E0602",)
"""Codes of limits: a document may be drawn whose formulas are too long."""


@dataclass
class Outcome:
    """What came of a seed: failures with the text of the document, or that it was beyond bounds."""

    seed: int
    failures: list[str] = field(default_factory=list)
    beyond_bounds: bool = False
    seen: Counter[str] = field(default_factory=Counter)
    twin: str = ""


def run(seed: int, folder: Path, with_fvcore: bool) -> Outcome:
    """Run a seed; nothing is raised."""
    outcome = Outcome(seed)
    sample: Sample | None = None
    text = ""
    try:
        sample = document(seed)
        text = sample.text
        outcome.seen = sample.seen
        check(sample, folder, with_fvcore)
    except ArchError as error:
        outcome.beyond_bounds = {found.code for found in error.diagnostics} <= set(BOUNDS)
        if not outcome.beyond_bounds:
            outcome.failures.append(f"a right document is refused\n{error}\n{text}")
    except Exception:
        outcome.failures.append(f"{traceback.format_exc()}\n{text}")
    if sample is not None and not outcome.beyond_bounds:
        _twin(outcome, seed, folder)
    return outcome


def _twin(outcome: Outcome, seed: int, folder: Path) -> None:
    text = ""
    try:
        made = twin(seed)
        outcome.twin, text = made.kind, made.text
        check_twin(made, folder)
    except Exception:
        outcome.failures.append(f"twin: {traceback.format_exc()}\n{text}")
