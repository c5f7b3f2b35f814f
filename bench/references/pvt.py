"""The Pyramid Vision Transformer: the authors' code."""

from __future__ import annotations

from pathlib import Path

import torch

from references.imports import import_file

REPOSITORY = "https://github.com/whai362/PVT"
COMMIT = "57e2dfaa5a46f9050d76f306a4fcd9a7c061f520"
KEYS = "official"
NETWORKS = {"zoo/pvt_small": "pvt_small"}
PARTS = {
    **{
        f"s{stage}.{block}": f"block{stage}.{block}"
        for stage, depth in enumerate((3, 4, 6, 3), 1)
        for block in range(depth)
    },
    "norm": "norm",
}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The first version of the paper, for classification."""
    return getattr(import_file(checkout, "classification/pvt.py"), name)()
