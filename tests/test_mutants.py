"""Faults that are seeded in our own rules, one at a time: the tests see every one of them (tests/mutants)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import AREAS, MUTANTS
from mutants.mutant import Mutant

TESTS = Path(__file__).parent
LEAST = 40


def test_mutants_have_names_of_their_own_and_are_in_all_areas() -> None:
    assert len(MUTANTS) >= LEAST and all(AREAS.values())
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_text_of_a_mutant_stands_in_its_file_once(mutant: Mutant) -> None:
    text = (TESTS.parent / mutant.file).read_text(encoding="utf-8")
    changed = mutant.applied(text)
    assert changed != text
    compile(changed, mutant.file, "exec")
    assert all((TESTS.parent / test.partition("::")[0]).exists() for test in mutant.tests)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a mutant is run in a fork")
def test_every_mutant_is_caught(capsys: pytest.CaptureFixture[str]) -> None:
    """In one process that forks for each of them; `python -m tests.mutants --only NAME` shows one."""
    jobs = str(min(2, os.cpu_count() or 1))
    command = [sys.executable, "-m", "mutants", "--jobs", jobs]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True)
    with capsys.disabled():
        print("\nmutants:", done.stdout.splitlines()[-1] if done.stdout else "none ran")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"caught {len(MUTANTS)} / seeded {len(MUTANTS)}\n")
