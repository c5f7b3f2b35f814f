"""EdgeViT: the authors' code."""

from __future__ import annotations

from pathlib import Path

import torch
from reference import paired_parts

import archdsl
from references.imports import import_file

REPOSITORY = "https://github.com/saic-fi/edgevit"
COMMIT = "df3d070addc3dc761173429426eab5edeb0d6343"
KEYS = "official"
NETWORKS = {f"zoo/edgevit#EdgeViT_{size}": f"edgevit_{size.lower()}" for size in ("XXS", "XS", "S")}
STAGES = {f"s{stage}": f"blocks{stage}" for stage in range(1, 5)}
ENTRIES = {f"down{i}": f"patch_embed{i}" for i in range(1, 5)} | {"norm": "norm", "classifier": "head"}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network without pretrained weights."""
    return getattr(import_file(checkout, "src/edgevit.py"), name)(pretrained=False)


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """Every block of every stage, what stands between them, and both halves of a block."""
    found = paired_parts(network, STAGES, {})
    for ours, theirs in list(found.items()):
        if not ours.startswith("s4"):
            found[f"{ours}.local"] = f"{theirs}.LocalAgg"
            found[f"{ours}.attn"] = f"{theirs}.SelfAttn.attn"
    return found | ENTRIES
