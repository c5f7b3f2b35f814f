"""What documents of 10,000 blocks cost: CPU time of `archdsl stats FILE --format json`, and how it grows.

Of documents whose source is long, CPU time of `archdsl build FILE -o -` too.

    python bench/scale.py

Goals: 10,000 different blocks in at most 3 s, twice the document in at most 2.3 times the CPU time, and
10,000 blocks by repetition in at most 100 ms over the document of one block.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cpu

HEAD = (
    "archdsl: 1\nimport: [convolution, efficientformerv2]\nnetwork: N\ninput: [3, 64, 64]\n"
    "body:\n  stem: conv_stem(32)\n  s:\n    blocks:\n"
)
BLOCKS = 10_000


def definitions(count: int) -> str:
    """A text that defines so many blocks, and calls each once."""
    blocks = "".join(
        f"block b{i}(x: [C, H, W]) -> [C, H, W] {{\n  return x |> c: conv2d(C, groups = C)\n}}\n"
        for i in range(count)
    )
    calls = "".join(f"    b{i}\n" for i in range(count))
    return f"archdsl 1\n{blocks}network N(x: [32, 16, 16]) {{\n  stage s {{\n{calls}  }}\n}}\n"


def ratios(count: int) -> str:
    """Blocks whose ratios all differ, while what they hold is often the same."""
    return HEAD + "".join(f"      - ffn(expansion = {2 + i / 10_000})\n" for i in range(count))


def widths(count: int) -> str:
    """Blocks that differ in everything: each holds three convolutions of sizes of its own."""
    return HEAD + "".join(f"      - ffn(expansion = {2 + i})\n" for i in range(count))


def lines(count: int) -> str:
    """The same block, written out so many times."""
    return HEAD + "      - conv_bn(32, kernel = 3)\n" * count


def loose(count: int) -> str:
    """A stage with a block that no container can hold: all of them are entries of a dictionary."""
    return f"archdsl 1\nnetwork N(x: [3, 8, 8]) {{\n  stage s {{ relu; conv2d(3) * {count - 1} }}\n}}\n"


KINDS = {
    "definitions, each called once.arch": definitions,
    "ffn of different ratios.yaml": ratios,
    "ffn of different widths.yaml": widths,
    "conv_bn written out.yaml": lines,
}
BUILT = {"conv2d called one by one.arch": loose}

STATS = ("stats", "--format", "json")
BUILD = ("build", "-o", "-")


def seconds(folder: Path, name: str, text: str, repeats: int, command: Sequence[str] = STATS) -> float:
    """The least CPU time of a command for a document."""
    path = folder / name.replace(" ", "_").replace(",", "")
    path.write_text(text, encoding="utf-8")
    name, *options = command
    return cpu.process([sys.executable, "-m", "archdsl", name, str(path), *options], repeats)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured = [(STATS, kind, text) for kind, text in KINDS.items()]
        measured += [(BUILD, kind, text) for kind, text in BUILT.items()]
        for command, kind, text in measured:
            half = seconds(folder, kind, text(BLOCKS // 2), 3, command)
            whole = seconds(folder, kind, text(BLOCKS), 3, command)
            print(
                f"{BLOCKS:,} {kind:<36} {whole:6.2f} s (goal 3)   {BLOCKS // 2:,} in {half:5.2f} s:"
                f" {whole / half:4.2f} x (goal 2.3)"
            )
        one = seconds(folder, "one.yaml", f"{HEAD}      - ffn\n", 9)
        for count in (BLOCKS // 2, BLOCKS):
            many = seconds(folder, "many.yaml", f"{HEAD}      - ffn * {count}\n", 9)
            over = (many - one) * 1000
            print(f"ffn * {count:<6}  {many * 1000:6.1f} ms, {over:6.1f} ms over one block (goal 100)")


if __name__ == "__main__":
    main()
