"""The Pyramid Vision Transformer: the authors' code."""

from __future__ import annotations

from pathlib import Path

import torch
from reference import paired_parts

import archdsl
from references.imports import import_file

REPOSITORY = "https://github.com/whai362/PVT"
COMMIT = "57e2dfaa5a46f9050d76f306a4fcd9a7c061f520"
KEYS = "official"
NETWORKS = {"zoo/pvt_small": "pvt_small"}
STAGES = {f"s{stage}": f"block{stage}" for stage in range(1, 5)}
ENTRIES = {"norm": "norm"}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The first version of the paper, for classification."""
    return getattr(import_file(checkout, "classification/pvt.py"), name)()


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """Every block of every stage, and the last normalisation."""
    return paired_parts(network, STAGES, ENTRIES)
