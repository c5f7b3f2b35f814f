"""EfficientFormerV2: the paper's own code."""

from __future__ import annotations

from pathlib import Path

import torch
from reference import paired_parts

import archdsl
from references.imports import import_file

REPOSITORY = "https://github.com/snap-research/EfficientFormer"
COMMIT = "d01da426243a38303d0a35d01fc928b0e37d38d3"
KEYS = "official"
NETWORKS = {name: f"efficientformerv2_{name}" for name in ("s0", "s1", "s2", "l")}
STAGES = {f"s{stage}": f"network.{2 * stage - 2}" for stage in range(1, 5)}
ENTRIES = {"stem": "patch_embed", "down1": "network.1", "down2": "network.3", "down3": "network.5"}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network with both heads."""
    module = import_file(checkout, "models/efficientformer_v2.py", package="models")
    return getattr(module, name)(pretrained=False, distillation=True)


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """Every block of every stage, and what stands between them."""
    return paired_parts(network, STAGES, ENTRIES)
