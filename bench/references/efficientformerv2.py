"""EfficientFormerV2: the paper's own code."""

from __future__ import annotations

from pathlib import Path

import torch

from references.imports import import_file

REPOSITORY = "https://github.com/snap-research/EfficientFormer"
COMMIT = "d01da426243a38303d0a35d01fc928b0e37d38d3"
KEYS = "official"
NETWORKS = {name: f"efficientformerv2_{name}" for name in ("s0", "s1", "s2", "l")}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network with both heads."""
    module = import_file(checkout, "models/efficientformer_v2.py", package="models")
    return getattr(module, name)(pretrained=False, distillation=True)


def parts(name: str) -> dict[str, str]:
    """Every block of every stage, and what stands between them."""
    import archdsl

    document = name.rpartition("_")[2]
    found = {"stem": "patch_embed", "down1": "network.1", "down2": "network.3", "down3": "network.5"}
    for row in archdsl.load(document).stats(by="block").rows:
        stage, _, index = row.path.partition(".")
        if index:
            found[row.path] = f"network.{2 * int(stage[1:]) - 2}.{index}"
    return found
