"""Variants and spaces: change a network, look at a space of networks, take one of them and run it.

    python examples/variants_and_spaces.py

It runs in a few seconds on one core.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

import archdsl

SIDE = 64


def main() -> None:
    # S1 is a variant of a base (specs/s1.yaml). Settings go on top, by the paths that variants use.
    for parameters in ({}, {"expansion[2]": "[3 * 9]", "s4.0.expansion": 2}):
        costs = archdsl.load("s1", parameters=parameters).stats()
        print(f"{costs.name} {parameters}: {costs.params:,} parameters, {costs.macs:,} MACs")

    # The search space of the paper: its figures are exact, and found without expanding it.
    supernet = archdsl.load("supernet", resolution=SIDE)
    space = supernet.space()
    print(f"{space.name}: {space.size:.2e} networks, {len(space.decisions)} kinds of decisions")
    print(f"  {space.params.least:,} to {space.params.most:,} parameters")

    # One of them, the same for the same seed: a plain document, which can be kept and edited.
    drawn = supernet.sample(seed=0, name="Drawn")
    depths = {name: choice for name, choice in drawn.decided.items() if name.startswith("depth")}
    print("drawn:", ", ".join(f"{name} = {choice}" for name, choice in depths.items()))

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "drawn.yaml"
        file.write_text(drawn.text("yaml"), encoding="utf-8")
        network = archdsl.load(file, resolution=SIDE)
        costs = network.stats()
        assert network.graph.fingerprint == drawn.graph.fingerprint, "the document says what was drawn"
        assert space.params.least <= costs.params <= space.params.most

        model = network.build(num_classes=10).eval()
        with torch.no_grad():
            logits = model(torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)))
    print(f"{costs.name}: {costs.params:,} parameters; two images give {tuple(logits.shape)}")


if __name__ == "__main__":
    main()
