"""One seed, run: its document held to the oracles, its variations, its twin; for pytest and bench/fuzz.py."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from archdsl.source import ArchError
from random_networks.networks import Sample, document
from random_networks.oracles import check, check_parted, check_resized, check_spread, check_twin, check_varied
from random_networks.twins import twin
from random_networks.variations import parted, resized, spread, varied

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
        outcome.beyond_bounds = error.diagnostics[0].code in BOUNDS
        if not outcome.beyond_bounds:
            outcome.failures.append(f"a right document is refused\n{error}\n{text}")
    except Exception:
        outcome.failures.append(f"{traceback.format_exc()}\n{text}")
    if sample is not None and not outcome.beyond_bounds:
        _variations(outcome, sample, folder)
        _twin(outcome, seed, folder)
    return outcome


def _variations(outcome: Outcome, sample: Sample, folder: Path) -> None:
    """Another resolution, a variant and a space of the document, each as often as its number says."""
    seed = sample.seed
    random = Random(f"variations {seed}")
    made: object = None
    try:
        if seed % 2 == 1:
            made = resized(sample, random)
            outcome.seen["another resolution"] += 1
            check_resized(sample, made, folder)
        if seed % 10 == 0 and sample.document.blocks:
            outcome.seen["import"] += 1
            check_parted(sample, parted(sample), folder)
        if seed % 3 == 0 and (found := varied(sample, random)) is not None:
            made = found.variant
            outcome.seen["variant"] += 1
            for setting in found.settings:
                outcome.seen[f"setting {_kind_of(setting)}"] += 1
            check_varied(sample, found, folder)
        if seed % 3 == 1 and (space := spread(sample, random)) is not None:
            made = space.text
            outcome.seen.update(["space", "subject to"])
            outcome.seen["each choose"] += "each choose" in space.text
            outcome.seen["choose of blocks"] += "    choose {" in space.text
            check_spread(space, folder)
    except ArchError as error:
        if error.diagnostics[0].code not in BOUNDS:
            outcome.failures.append(f"variation: refused\n{error}\n{made}\n{sample.text}")
    except Exception:
        outcome.failures.append(f"variation: {traceback.format_exc()}\n{made}\n{sample.text}")


def _kind_of(setting: str) -> str:
    """How a setting is written: unset, +=, or = with the steps of its path."""
    if setting.startswith("unset"):
        return "unset " + ".".join("x" for _ in setting.split(" ")[1].split("."))
    path, sign, _ = setting.split(" ", 2)
    return f"{'.'.join('x' for _ in path.split('.'))}{'[]' if '[' in path else ''} {sign}"


def _twin(outcome: Outcome, seed: int, folder: Path) -> None:
    text = ""
    try:
        made = twin(seed)
        outcome.twin, text = made.kind, made.text
        check_twin(made, folder)
    except Exception:
        outcome.failures.append(f"twin: {traceback.format_exc()}\n{text}")
