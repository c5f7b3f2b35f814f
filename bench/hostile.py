"""What documents that are made to hurt cost: CPU time and memory of a process that refuses them.

    python bench/hostile.py

Goal: every one is refused with exit code 2 within 2 s of CPU and 512 MB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = 'archdsl 1\nimport "convolution"\n'
NETWORK = "network N(x: [3, 32, 32]) { stem: b }\n"
YAML = "archdsl: 1\nimport: efficientformerv2\nnetwork: N\ninput: [3, 32, 32]\nbody:\n"


def block(body: str) -> str:
    return f"{HEAD}{NETWORK}block b(x: [C, H, W]) -> [C, H, W] {{\n{body}\n}}\n"


ALIASES = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
DOCUMENTS = {
    "alias bomb, 9 levels.yaml": ALIASES,
    "flow lists nested 100,000 deep.yaml": "[" * 100_000,
    "brackets nested 100,000 deep.arch": block("n = " + "(" * 100_000),
    "a chain of 20,000 operators.arch": block("n = 1" + " + 1" * 20_000),
    "a power.arch": block("n = 2 ** 999999999\nreturn x"),
    "a number of 5,000 digits.arch": block(f"n = {'9' * 5000}\nreturn x"),
    "a repetition of 10,000,000.yaml": YAML + "  s:\n    blocks:\n      - ffn * 10000000\n",
    "nested repetitions.yaml": YAML + "  s:\n    blocks:\n      - '[[ffn * 9999] * 9999] * 9999'\n",
    "a width of 1e12.yaml": YAML + "  stem: conv_stem(1000000000000)\n",
    "10,000 wrong lines.arch": block("retrun x\n" * 10_000),
    "10,000 unknown names.arch": block("".join(f"a{i} = q{i}\n" for i in range(10_000)) + "return x"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in DOCUMENTS.items():
            path = Path(folder) / name.replace(" ", "_").replace(",", "")
            path.write_text(text, encoding="utf-8")
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(
                [sys.executable, "-m", "archdsl", "stats", str(path)], capture_output=True, check=False
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            # The largest child so far: it can only rise, and stays far below the bound.
            megabytes = after.ru_maxrss / 1024
            print(f"{name:<40} exit {done.returncode}  {seconds:5.2f} s  at most {megabytes:4.0f} MB so far")


if __name__ == "__main__":
    main()
