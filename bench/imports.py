"""What imports cost: CPU time over an empty Python. The reasons in docs/dependencies.md are these.

python bench/imports.py
"""

from __future__ import annotations

import cpu

IMPORTS = {
    "argparse": "import argparse",
    "yaml": "import yaml",
    "lark": "import lark",
    "jinja2": "import jinja2",
    "pydantic, one model": "from pydantic import BaseModel\nclass Model(BaseModel):\n    x: int",
    "click": "import click",
    "rich.table": "import rich.table",
    "networkx": "import networkx",
    "torch": "import torch",
    "archdsl": "import archdsl",
}


def main() -> None:
    empty = cpu.python("pass", 9)
    print(f"{'python -c pass':<22} {empty * 1000:7.1f} ms")
    for name, code in IMPORTS.items():
        extra = cpu.python(code, 5) - empty
        print(f"{name:<22} {extra * 1000:7.1f} ms  {extra / empty:6.1f} x")


if __name__ == "__main__":
    main()
