"""What documents that are made to hurt cost: CPU time and memory of a process that refuses them.

    python bench/hostile.py

Goal: every one is refused with exit code 2 within 2 s of CPU and 512 MB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = 'archdsl 1\nimport "efficientformerv2"\n'
NETWORK = "network N(x: [3, 32, 32]) { stem: b }\n"
YAML = "archdsl: 1\nimport: efficientformerv2\nnetwork: N\ninput: [3, 32, 32]\nbody:\n"
GOAL_SECONDS, GOAL_MEGABYTES = 2.0, 512


def block(body: str) -> str:
    return f"{HEAD}{NETWORK}block b(x: [C, H, W]) -> [C, H, W] {{\n{body}\n}}\n"


def space(names: str, body: str) -> str:
    return f"{HEAD}network N(x: [3, 32, 32]; k = [{names}]) {{\n{body}\n}}\n"


def lines(pattern: str, count: int) -> str:
    return "\n".join(pattern.replace("#", str(i)) for i in range(count)) + "\n"


FOUR = ", ".join(["choose {1, 2, 3, 4}"] * 30)
ALIASES = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
DOCUMENTS = {
    "alias bomb, 9 levels.yaml": ALIASES,
    "merge keys.yaml": YAML + "  <<: [" + "{a: relu}, " * 20_000 + "]\n",
    "flow lists nested 100,000 deep.yaml": "[" * 100_000,
    "block lists nested 100,000 deep.yaml": "- " * 100_000,
    "100,000 tags.yaml": "a:\n" + "  - !x y\n" * 100_000,
    "60,000 keys twice.yaml": "a: b\n" * 60_000,
    "60,000 unknown keys.yaml": lines("k#: b", 60_000),
    "40,000 entries that are no blocks.yaml": YAML + lines("  k#: 3", 40_000),
    "a name of 900,000 letters.yaml": YAML + f"  {'a' * 900_000}: relu\n",
    "brackets nested 100,000 deep.arch": block("n = " + "(" * 100_000),
    "100,000 brackets in a row.arch": block("n = " + "(1)" * 100_000),
    "20,000 braces that are not closed.arch": block("if true {\n" * 20_000),
    "a chain of 20,000 operators.arch": block("n = 1" + " + 1" * 20_000),
    "a power.arch": block("n = 2 ** 999999999\nreturn x"),
    "a number of 5,000 digits.arch": block(f"n = {'9' * 5000}\nreturn x"),
    "a number of 900,000 underscores.arch": block(f"n = 1{'_' * 900_000}0\nreturn x"),
    "a string of 900,001 backslashes.arch": block('n = "' + "\\" * 900_001 + '"\nreturn x'),
    "a list of 200,000 numbers.arch": block("n = [" + "1, " * 200_000 + "]\nreturn x"),
    "a repetition of 10,000,000.yaml": YAML + "  s:\n    blocks:\n      - ffn * 10000000\n",
    "nested repetitions.yaml": YAML + "  s:\n    blocks:\n      - '[[ffn * 9999] * 9999] * 9999'\n",
    "loops in loops.arch": block("for i in range(9999) { for j in range(9999) { } }\nreturn x"),
    "a width of 1e12.yaml": YAML + "  stem: conv_stem(1000000000000)\n",
    "10,000 wrong lines.arch": block("retrun x\n" * 10_000),
    "10,000 unknown names.arch": block("".join(f"a{i} = q{i}\n" for i in range(10_000)) + "return x"),
    "blocks that each call the next twice.arch": HEAD
    + NETWORK.replace("b }", "b0 }")
    + "".join(f"block b{i}(x: [C]) -> [C] {{ return x |> b{i + 1} |> b{i + 1} }}\n" for i in range(60)),
    "20,000 blocks of one name.arch": HEAD + "block b(x: [C]) -> [C] { return x }\n" * 20_000,
    "20,000 variants in a chain.arch": "archdsl 1\nbuild V0\n" + lines("variant V# : V1# { }", 20_000),
    "20,000 settings of nothing.arch": 'archdsl 1\nvariant V : "s0" {\n' + lines("  q# = 1", 20_000) + "}\n",
    "20,000 settings of one element.arch": 'archdsl 1\nvariant V : "s0" {\n'
    + "  width[0] = 3\n" * 20_000
    + "}\n",
    "20,000 settings of blocks.arch": 'archdsl 1\nvariant V : "s0" {\n'
    + lines("  s3.#.expansion = 3", 20_000)
    + "}\n",
    "20,000 conditions.arch": space(
        "1", "a: relu\nb: conv2d(choose {1, 2})\n" + "subject to params(cor) <= 1M\n" * 20_000
    ),
    "a sum of 9,000 decisions.arch": space("each choose {1, 2} * 9000", "a: conv2d(sum(k))"),
    "sums that every block reads.arch": space(FOUR, lines("a#: conv2d(sum(first(k, #)) + 1)", 30)),
    "widths that are read again.arch": space(
        FOUR, lines("a#: conv2d(k[#])", 30) + lines("b#: conv2d(k[#])", 30)
    ),
    "large blocks of 30 decisions.arch": space(
        FOUR, "stem: conv_stem(32)\na: attention_block(expansion = sum(k))"
    ),
    "stages of 500 blocks and 30 decisions.arch": space(
        FOUR, lines("stage s# { conv2d(each choose {8, 9}, kernel = 2 * k[# % 30] + 1) * 500 }", 10)
    ),
    "lists of 9,999 for each decision.arch": space(FOUR, "a: conv2d(sum([sum(k) + i for i in range(9999)]))"),
    "a choice of 30,000 options.arch": space(
        "choose {" + "1, " * 30_000 + "1}", "a: conv2d(k[0])\nb: conv2d(k[0])"
    ),
    "choices in choices.arch": space("choose {1, " * 60 + "2" + "}" * 60, "a: conv2d(k)"),
}
CHAINS = {
    "60 imports in a chain.arch": (
        'archdsl 1\nimport "d0"\n', {f"d{i}.arch": f'archdsl 1\nimport "d{i + 1}"\n' for i in range(60)},
    ),
    "imports that double, 30 levels.arch": (
        'archdsl 1\nimport "d0"\n',
        {f"d{i}.arch": f'archdsl 1\nimport "d{i + 1}"\nimport "d{i + 1}"\n' for i in range(30)}
        | {"d30.arch": "archdsl 1\n"},
    ),
    "bases that double, 30 levels.arch": (
        'archdsl 1\nvariant A : "d0" { q = 1 }\n',
        {
            f"d{i}.arch": f'archdsl 1\nbuild A\nvariant A : "d{i + 1}" {{ }}\nvariant B : "d{i + 1}" {{ }}\n'
            for i in range(30)
        }
        | {"d30.arch": "archdsl 1\nnetwork A(x: [3, 8, 8]) { a: relu }\n"},
    ),
    "a circle of 30 bases.arch": (
        'archdsl 1\nvariant A : "d0" { }\n',
        {f"d{i}.arch": f'archdsl 1\nvariant A : "d{(i + 1) % 30}" {{ }}\n' for i in range(30)},
    ),
}  # fmt: skip


def run(folder: str, name: str) -> tuple[int, float, float]:
    """Exit code, seconds of CPU and megabytes of the command on a file."""
    with open(os.devnull, "w") as nowhere:
        child = subprocess.Popen(
            [sys.executable, "-m", "archdsl", "stats", name], cwd=folder, stdout=nowhere, stderr=nowhere,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        )  # fmt: skip
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    slowest, largest, missed = 0.0, 0.0, 0
    for title, (text, others) in ({name: (text, {}) for name, text in DOCUMENTS.items()} | CHAINS).items():
        with tempfile.TemporaryDirectory() as folder:
            name = "net" + os.path.splitext(title)[1]
            for file, content in {name: text, **others}.items():
                (Path(folder) / file).write_text(content, encoding="utf-8")
            code, seconds, megabytes = run(folder, name)
        ok = code == 2 and seconds <= GOAL_SECONDS and megabytes <= GOAL_MEGABYTES
        missed += not ok
        slowest, largest = max(slowest, seconds), max(largest, megabytes)
        print(
            f"{title:<44} exit {code}  {seconds:5.2f} s  {megabytes:4.0f} MB{'' if ok else '  BEYOND THE GOAL'}"
        )
    count = len(DOCUMENTS) + len(CHAINS)
    print(f"{count - missed} of {count} within the goal; at most {slowest:.2f} s and {largest:.0f} MB")


if __name__ == "__main__":
    main()
