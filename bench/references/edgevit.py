"""EdgeViT: the authors' code."""

from __future__ import annotations

from pathlib import Path

import torch

from references.imports import import_file

REPOSITORY = "https://github.com/saic-fi/edgevit"
COMMIT = "df3d070addc3dc761173429426eab5edeb0d6343"
KEYS = "official"
NETWORKS = {f"zoo/edgevit#EdgeViT_{size}": f"edgevit_{size.lower()}" for size in ("XXS", "XS", "S")}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network without pretrained weights."""
    return getattr(import_file(checkout, "src/edgevit.py"), name)(pretrained=False)


def parts(name: str) -> dict[str, str]:
    """Every block of every stage, what stands between them, and both halves of a block."""
    import archdsl

    document = f"zoo/edgevit#EdgeViT_{name.rpartition('_')[2].upper()}"
    found = {f"down{i}": f"patch_embed{i}" for i in range(1, 5)} | {"norm": "norm", "classifier": "head"}
    for row in archdsl.load(document).stats(by="block").rows:
        stage, _, index = row.path.partition(".")
        if index:
            theirs = f"blocks{stage[1:]}.{index}"
            found[row.path] = theirs
            if stage != "s4":
                found[f"{row.path}.local"] = f"{theirs}.LocalAgg"
                found[f"{row.path}.attn"] = f"{theirs}.SelfAttn.attn"
    return found
