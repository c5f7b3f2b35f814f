"""Random networks: documents that are right by construction, each with its twin that breaks one rule.

Every document is a function of its number; `python bench/fuzz.py --first N --count 1` shows one that fails.
docs/reliability.md says what is drawn and what it is compared with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from random_networks.runs import Outcome, run

DOCUMENTS = 500
EVERY_FVCORE = 10
"""fvcore takes longer than all else together: CI asks it about every tenth document, bench/fuzz.py about all."""

# fvcore is written with what torch has deprecated since.
pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit:DeprecationWarning", "ignore:Initializing zero-element:UserWarning"
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Outcome]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder: Path = tmp_path_factory.mktemp("drawn")
    yield [run(seed, folder, seed % EVERY_FVCORE == 0) for seed in range(DOCUMENTS)]
    torch.set_num_threads(threads)


def test_documents_are_right_and_their_twins_are_refused(outcomes: list[Outcome]) -> None:
    failures = [f"number {made.seed}: {failure}" for made in outcomes for failure in made.failures]
    assert not failures, f"{len(failures)} failures, the first:\n{failures[0]}"
    assert sum(made.beyond_bounds for made in outcomes) <= DOCUMENTS // 100


def test_everything_is_drawn(outcomes: list[Outcome]) -> None:
    seen = Counter[str]()
    for made in outcomes:
        seen.update(made.seen)
    print(seen)


def test_every_kind_of_twin_is_drawn(outcomes: list[Outcome]) -> None:
    from random_networks.twins import KINDS

    assert {made.twin for made in outcomes if made.twin} == set(KINDS)
