"""Random networks, as many as one likes: each document against torch, fvcore, the other surface and its twin.

    python bench/fuzz.py --count 50000 --first 0 --processes 2

Documents are functions of their numbers, so a run goes on where another ended: `--first`. What fails is printed
with its number; `--first N --count 1` shows the document too. The exit code is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

# Maps are tiny: threads of torch would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

CHUNK = 50
EVERY = 250
SHOWN = 12
"""Lines of a failure that are printed, from its end backwards; all of them for a single document."""


def chunk(first: int, count: int, fvcore: int) -> list[tuple[int, list[str], bool, Counter[str], str]]:
    """Run some numbers in this process: (number, failures, beyond bounds, constructs, kind of twin) of each."""
    import warnings

    import replays
    import torch
    from random_networks.runs import run

    from archdsl.elaborate import templates

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if templates.replay.__name__ != "checked":
        replays.check_all()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            made = run(seed, Path(folder), bool(fvcore) and seed % fvcore == 0)
            found.append((seed, made.failures, made.beyond_bounds, made.seen, made.twin))
            _forget()
    return found


def _forget() -> None:
    """Drop the modules that were made: each document leaves one in `sys.modules`."""
    import linecache

    for name in [name for name in sys.modules if name.startswith("_archdsl_")]:
        del sys.modules[name]
    linecache.clearcache()


def chunks(first: int, count: int) -> Iterator[tuple[int, int]]:
    for start in range(first, first + count, CHUNK):
        yield start, min(CHUNK, first + count - start)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--fvcore", type=int, default=1, help="ask fvcore about every Nth document; 0 for none")
    asked = parser.parse_args()
    began, done, failed, beyond = time.monotonic(), 0, 0, 0
    seen: Counter[str] = Counter()
    twins: Counter[str] = Counter()
    shown = None if asked.count == 1 else SHOWN
    with ProcessPoolExecutor(asked.processes) as pool:
        waiting = [
            pool.submit(chunk, first, count, asked.fvcore) for first, count in chunks(asked.first, asked.count)
        ]
        for future in waiting:
            for seed, failures, is_beyond, constructs, twin in future.result():
                done += 1
                beyond += is_beyond
                failed += bool(failures)
                seen.update(constructs.keys())
                twins[twin] += 1
                for failure in failures:
                    told = failure.splitlines()
                    print(
                        f"FAILED {seed}\n  " + "\n  ".join(told if shown is None else told[:shown]), flush=True
                    )
                if done % EVERY == 0:
                    rate = done / (time.monotonic() - began) * 60
                    print(
                        f"{done} documents, to number {seed}; {failed} failed; {rate:.0f} a minute", flush=True
                    )
    rate = done / (time.monotonic() - began) * 60
    print(
        f"{done} documents from number {asked.first} on: {failed} failed, {beyond} beyond bounds; "
        f"{rate:.0f} a minute"
    )
    del twins[""]  # those of documents beyond bounds
    print(f"{len(seen)} constructs drawn; twins: {len(twins)} kinds, {sum(twins.values())} in all")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
