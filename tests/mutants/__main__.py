"""`python -m tests.mutants`: every mutant against its tests, a line each, and how many were caught."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import AREAS, MUTANTS
from .mutant import Mutant
from .running import CONTROL_LIMIT, Outcome, original, prepare, run, run_mutants


def main(argv: Sequence[str]) -> int:
    """0 where all are caught, 1 where one survives, 2 where nothing was shown."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", help="these alone, and what pytest prints")
    parser.add_argument("--area", metavar="AREA", choices=AREAS, help="those of one area alone")
    parser.add_argument("--list", action="store_true", help="name them, and run nothing")
    parser.add_argument("--jobs", metavar="N", type=int, default=1, help="so many at a time")
    options = parser.parse_args(argv)
    chosen = AREAS[options.area] if options.area else MUTANTS
    if options.only:
        unknown = sorted({*options.only} - {mutant.name for mutant in MUTANTS})
        if unknown:
            parser.error(f"no mutant {unknown[0]!r}; --list names them")
        chosen = tuple(mutant for mutant in MUTANTS if mutant.name in options.only)
    if options.list:
        for area, mutants in AREAS.items():
            print(*(f"{area}: {mutant.name}" for mutant in mutants if mutant in chosen), sep="\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        return _run(chosen, Path(folder).resolve(), options.jobs, bool(options.only))


def _run(chosen: Sequence[Mutant], folder: Path, jobs: int, shown: bool) -> int:
    prepare()
    copy = original(folder)
    tests = list(dict.fromkeys(test for mutant in chosen for test in mutant.tests))
    # Where they fail without a fault, they show nothing.
    control = run(copy, tests, folder, CONTROL_LIMIT)
    print(f"without a fault {control.seconds:.1f} s: {len(tests)} named tests and files", flush=True)
    if control.outcome is not Outcome.SURVIVED:
        print(control.output, "the named tests fail without a fault: nothing is shown", sep="\n")
        return 2
    counts = dict.fromkeys(Outcome, 0)
    for mutant, result in run_mutants(copy, chosen, folder, jobs):
        counts[result.outcome] += 1
        said = f"{result.outcome.value:8} {result.seconds:4.1f} s  {mutant.name}"
        print(f"{said}: {result.seen_by}" if result.seen_by else said, flush=True)
        if shown or result.outcome is Outcome.BROKEN:
            print(result.output, flush=True)
    caught = counts[Outcome.CAUGHT]
    print(f"caught {caught} / seeded {len(chosen)}", flush=True)
    return 2 if counts[Outcome.BROKEN] else 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
