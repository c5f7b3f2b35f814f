"""The built module's forward pass against timm's, one image, one thread, in evaluation.

    python bench/forward.py [s0] [l]

Prints the ratio of CPU times, interleaved in one process so that both meet the same machine. Goal: 1.05.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import torch

import archdsl

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from reference import timm_model

ROUNDS = 40


def seconds(module: torch.nn.Module, image: torch.Tensor) -> float:
    before = time.process_time()
    module(image)
    return time.process_time() - before


def main() -> None:
    torch.set_num_threads(1)
    for spec in sys.argv[1:] or ["s0", "l"]:
        ours = archdsl.build(spec).eval()
        theirs = timm_model(f"efficientformerv2_{spec}").eval()
        image = torch.randn(1, 3, 224, 224)
        with torch.inference_mode():
            for module in (ours, theirs) * 3:
                module(image)
            rounds = [(seconds(ours, image), seconds(theirs, image)) for _ in range(ROUNDS)]
        mine, other = (statistics.median(times) for times in zip(*rounds, strict=True))
        ratio = statistics.median(a / b for a, b in rounds)
        print(f"{spec}: ours {mine * 1000:.1f} ms, timm's {other * 1000:.1f} ms, ratio {ratio:.3f} (goal 1.05)")


if __name__ == "__main__":
    main()
