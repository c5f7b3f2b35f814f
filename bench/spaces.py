"""What the figures of a space cost: `specs/supernet.yaml`, in CPU time, and how that grows.

    python bench/spaces.py

Goal: the size and intervals of the supernet within 100 ms, over what a plain network of the same document
costs to start up with; time that grows with positions and options, not with networks.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import cpu

from archdsl.network import load

STATS = [sys.executable, "-m", "archdsl", "stats"]

GROWING = """archdsl 1
import "efficientformerv2"
network N(x: [3, 64, 64]; depth = choose {{{depths}}}) {{
  stem: conv_stem(16)
  stage s {{ ffn(expansion = each choose {{2, 3, 4}}) * depth }}
}}
"""


def walk(name: str) -> float:
    """The figures of a space in this process, its document read and elaborated cold, in seconds."""
    return cpu.inside(lambda: load(name).space(), 7)


def main() -> None:
    plain = cpu.process([*STATS, "s0", "--format", "json"], 7)
    space = cpu.process([*STATS, "supernet", "--format", "json"], 7)
    size = load("supernet").space().size
    print(f"archdsl stats s0                     {plain * 1000:7.1f} ms")
    print(f"archdsl stats supernet               {space * 1000:7.1f} ms  ({size:.2e} networks)")
    print(f"the supernet over s0                 {(space - plain) * 1000:7.1f} ms  (goal 100)")
    print(f"the supernet in a warm process       {walk('supernet') * 1000:7.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        times = []
        for most in (20, 40, 80):
            path = Path(folder) / f"n{most}.arch"
            path.write_text(GROWING.format(depths=", ".join(map(str, range(1, most + 1)))), encoding="utf-8")
            times.append(walk(str(path)))
            print(f"1 to {most:2} blocks of 3 ratios           {times[-1] * 1000:7.1f} ms  "
                  f"({load(str(path)).space().size:.2e} networks)")  # fmt: skip
        print(f"twice the depths: {times[1] / times[0]:.1f} x, {times[2] / times[1]:.1f} x "
              "(each depth is a list of its own: at most 4)")  # fmt: skip


if __name__ == "__main__":
    main()
