"""The figures of the whole zoo in one command, against an empty Python.

    python bench/zoo.py

Prints CPU time. The goal: `archdsl stats --all specs/zoo/*.yaml` takes at most 3 s and does not import torch.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cpu

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [str(path) for path in sorted((ROOT / "specs" / "zoo").glob("*.yaml"))]


def main() -> None:
    """Print the table."""
    empty = cpu.python("pass", 9)
    for options in (["--by", "network"], ["--by", "stage"], ["--by", "op"]):
        command = [sys.executable, "-m", "archdsl", "stats", "--all", *options, *DOCUMENTS]
        used = cpu.process(command, 3)
        title = f"stats --all {' '.join(options)}"
        print(f"{title:<26} {used:5.2f} s  {used / empty:6.1f} x an empty Python  (goal 3 s)")


if __name__ == "__main__":
    main()
