"""Shared by all tests: golden files and their update flag."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# Threads of one process that wait for another's cost more than they give on small maps.
os.environ.setdefault("OMP_NUM_THREADS", "1")

TESTS = Path(__file__).parent
GOLDEN = TESTS / "golden"
sys.path.insert(0, str(TESTS))
pytest.register_assert_rewrite(
    "faults",
    "hostile",
    "injection",
    "pages",
    "primitives",
    "random_networks",
    "reference",
    "replays",
    "running",
)


def pytest_configure() -> None:
    import replays

    replays.check_all()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files from what is made now"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest):
    """Compare a text with a golden file, or with a page of `docs` by its whole path.

    `pytest --update-golden` writes the file instead.
    """

    def compare(name: str | Path, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        assert path.exists(), f"{path.name} is missing: look at the output, then pytest --update-golden"
        assert text == path.read_text(encoding="utf-8"), f"{path.name} differs; see --update-golden"

    return compare
