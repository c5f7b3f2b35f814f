"""`archdsl stats specs/s0.yaml --format json` against `python -c pass`, and against timm with fvcore.

    python bench/startup.py

Prints ratios of CPU time measured in one run. Goals: at most 25 times an empty Python, at most 1/15 of
a process that builds timm's S0 and counts it with fvcore; elaboration and costs of L cold in 20 ms.
"""

from __future__ import annotations

import sys

import cpu

STATS = [sys.executable, "-m", "archdsl", "stats", "specs/s0.yaml", "--format", "json"]

TIMM = """
import sys; sys.path.insert(0, "tests")
import logging, warnings; warnings.simplefilter("ignore")
from reference import timm_model
model = timm_model("efficientformerv2_s0").eval()
import torch
from fvcore.nn import FlopCountAnalysis
logging.getLogger("fvcore").setLevel(logging.ERROR)
print(FlopCountAnalysis(model, torch.zeros(1, 3, 224, 224)).total())
"""

COLD = """
import time, gc
from archdsl.network import load
network = load("l")
before = time.process_time()
network.stats()
print(time.process_time() - before)
"""


def cold_elaboration() -> float:
    """Elaboration and costs of L in a fresh process, imports and reading left out, in seconds."""
    import subprocess

    times = [
        float(subprocess.run([sys.executable, "-c", COLD], check=True, capture_output=True).stdout)
        for _ in range(5)
    ]
    return min(times)


def main() -> None:
    empty = cpu.python("pass", 9)
    ours = cpu.process(STATS, 9)
    timm = cpu.python(TIMM, 2)
    print(f"python -c pass                        {empty * 1000:7.1f} ms")
    print(f"archdsl stats specs/s0.yaml (JSON)    {ours * 1000:7.1f} ms  {ours / empty:6.1f} x  (goal 25)")
    print(f"timm's S0 built and counted by fvcore {timm * 1000:7.1f} ms  1/{timm / ours:.1f}  (goal 1/15)")
    print(f"elaboration and costs of L, cold      {cold_elaboration() * 1000:7.1f} ms  (goal 20)")


if __name__ == "__main__":
    main()
