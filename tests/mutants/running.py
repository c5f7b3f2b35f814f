"""Tests against a copy of the package, in a fork of a process that has imported what takes long.

That is torch and the like, and never archdsl. A mutant costs half a second so; in a process of its own, six.
"""

from __future__ import annotations

import compileall
import gc
import importlib
import os
import shutil
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from .mutant import Mutant

ROOT = Path(__file__).parent.parent.parent
DATA = ("grammar", "specs", "codegen")
"""The folders that the package looks for beside itself."""

LIMIT = 60
"""So many seconds the tests of a mutant may take: a loop without an end is seen too."""

CONTROL_LIMIT = 600
HEAVY = (
    "pytest",
    "hypothesis",
    "numpy",
    "torch",
    "torch.fx",
    "torch.utils.flop_counter",
    "safetensors.torch",
    "fvcore.nn",
    "networkx",
    "yaml",
    "lark",
    "jinja2",
    "pydantic",
)


class Outcome(Enum):
    """What became of a mutant."""

    CAUGHT = "caught"
    SURVIVED = "SURVIVED"
    BROKEN = "BROKEN"
    """The tests could not be run: the mutant shows nothing."""


_OUTCOMES = {0: Outcome.SURVIVED, 1: Outcome.CAUGHT, 2: Outcome.CAUGHT}
"""By pytest's exit status: 1 is of a test that fails, 2 of one that can't be collected any more."""


class Result(NamedTuple):
    """The outcome of some tests, what saw the fault, the time that it computed, and all that was printed."""

    outcome: Outcome
    seen_by: str
    seconds: float
    output: str


# --- before all


def prepare() -> None:
    """Import what takes long, and let Hypothesis draw the same each time; to be called once."""
    assert "archdsl" not in sys.modules
    # A fork takes none of the threads along that numpy and torch would start.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in HEAVY:
            importlib.import_module(name)
    from hypothesis import Phase, settings

    _warm_up()
    # A failure is enough: the smallest one is nobody's concern.
    quick = settings(phases=(Phase.explicit, Phase.generate), database=None, derandomize=True, deadline=None)
    settings.register_profile("mutants", quick)
    settings.load_profile("mutants")
    # What is there now stays: no collection in a child looks at it, or copies its pages.
    gc.collect()
    gc.freeze()
    threads = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else 1
    assert threads == 1, f"{threads} threads, and a fork takes one along"


def _warm_up() -> None:
    """Count the operations of a layer, for which torch imports seconds' worth of modules."""
    import torch
    from fvcore.nn import FlopCountAnalysis
    from torch.utils.flop_counter import FlopCounterMode

    torch.set_num_threads(1)
    layer, image = torch.nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 1, 1)
    with warnings.catch_warnings(), FlopCounterMode(display=False), torch.no_grad():
        warnings.simplefilter("ignore")
        layer(image)
        FlopCountAnalysis(layer, image).total()


# --- copies


def original(folder: Path) -> Path:
    """A copy of the package with its data and its bytecode, in a folder of its own."""
    copy = folder / "original"
    for name in ("archdsl", *DATA):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    # What tests look for beside the package.
    (copy / "tests").symlink_to(ROOT / "tests", target_is_directory=True)
    compileall.compile_dir(copy / "archdsl", quiet=2)
    return copy


def mutated(copy: Path, mutant: Mutant, folder: Path) -> Path:
    """The same copy with one fault; raises `ValueError` where its text does not stand there once."""
    made = folder / "mutant"
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(copy, made, symlinks=True)
    path = made / mutant.file
    path.write_text(mutant.applied(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    # Its bytecode goes by the time and the size of the file: both may be the same.
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        compiled.unlink()
    return made


# --- children


class Child:
    """A fork that runs tests against a copy of the package, until the first that fails."""

    def __init__(self, copy: Path, tests: Sequence[str], folder: Path, limit: float) -> None:
        self._output = folder / "output.txt"
        self._limit = limit
        self._end = time.monotonic() + limit
        self._process = os.fork()
        if self._process == 0:
            _run_tests(copy, tests, folder, self._output)

    def result(self) -> Result | None:
        """What came of it; None as long as it runs. At its limit it is ended, with all that it started."""
        found, status, usage = os.wait4(self._process, os.WNOHANG)
        is_late = not found and time.monotonic() > self._end
        if is_late:
            os.killpg(self._process, signal.SIGKILL)
            found, status, usage = os.wait4(self._process, 0)
        if not found:
            return None
        seconds = usage.ru_utime + usage.ru_stime
        text = self._output.read_text(encoding="utf-8", errors="replace") if self._output.exists() else ""
        if is_late:
            return Result(Outcome.CAUGHT, f"the limit of {self._limit} s", seconds, text)
        outcome = _OUTCOMES.get(os.waitstatus_to_exitcode(status), Outcome.BROKEN)
        return Result(outcome, next(_failed(text), ""), seconds, text)


def run(copy: Path, tests: Sequence[str], folder: Path, limit: float) -> Result:
    """The tests against a copy of the package, until the first that fails."""
    child = Child(copy, tests, folder, limit)
    while True:
        result = child.result()
        if result is not None:
            return result
        time.sleep(0.02)


def run_mutants(
    copy: Path, mutants: Sequence[Mutant], folder: Path, jobs: int
) -> Iterator[tuple[Mutant, Result]]:
    """Every mutant against its tests, some at a time; each as it ends."""
    waiting = list(reversed(mutants))
    running: dict[Path, tuple[Mutant, Child]] = {}
    places = [folder / f"job{number}" for number in range(jobs)]
    while waiting or running:
        for place in places:
            if place not in running and waiting:
                mutant = waiting.pop()
                place.mkdir(exist_ok=True)
                child = Child(mutated(copy, mutant, place), mutant.tests, place, LIMIT)
                running[place] = (mutant, child)
        for place, (mutant, child) in list(running.items()):
            result = child.result()
            if result is not None:
                del running[place]
                yield mutant, result
        time.sleep(0.01)


def _failed(output: str) -> Iterator[str]:
    """The tests that failed, by pytest's summary."""
    for line in output.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("FAILED", "ERROR") and rest:
            named, bracket, _ = rest.partition("] - ")
            yield named + bracket[:1] if bracket else rest.partition(" - ")[0]


def _run_tests(copy: Path, tests: Sequence[str], folder: Path, output: Path) -> None:
    """Run the tests and end the process with pytest's status; 70 where it does not come so far."""
    code = 70
    try:
        os.setsid()
        stream = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number in (1, 2):
            os.dup2(stream, number)
        sys.path[:] = [str(copy), *(path for path in sys.path if Path(path).resolve() != ROOT)]
        os.environ["PYTHONPATH"] = str(copy)
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "hypothesis")
        import pytest

        import archdsl

        assert Path(archdsl.__file__).parent.parent == copy
        options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=short", f"--rootdir={ROOT}"]
        options += ["-c", str(ROOT / "pyproject.toml"), f"--basetemp={folder / 'pytest'}"]
        # Its plugin stands in memory before pytest could rewrite it.
        options += ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
        code = int(pytest.main([*options, *(str(ROOT / test) for test in tests)]))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)
