"""LeViT: the authors' code, with both heads."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

import archdsl
from references.imports import fake, import_file

REPOSITORY = "https://github.com/facebookresearch/LeViT"
COMMIT = "3772b8e7517b900330ee1f46e11b0ae917dae323"
KEYS = "official"
NETWORKS = {f"zoo/levit#LeViT_{size}": f"LeViT_{size}" for size in ("128S", "192", "256", "384")}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network with both heads."""
    fake("utils")  # their training script's, which the networks need for fused convolutions alone
    try:
        return getattr(import_file(checkout, "levit.py"), name)(distillation=True)
    finally:
        del sys.modules["utils"]


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """Every attention and hidden layer of every stage with its residual, and what stands between stages."""
    found, number = {"stem": "patch_embed"}, 0
    for row in network.stats(by="block").rows:
        if row.path.startswith("down"):
            found[f"{row.path}.attn"], found[row.path] = f"blocks.{number}", f"blocks.{number + 1}"
        elif row.path.startswith("s") and "." in row.path:
            found[f"{row.path}.attn"], found[row.path] = f"blocks.{number}.m", f"blocks.{number + 1}"
        else:
            continue
        number += 2
    return found
