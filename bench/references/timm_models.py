"""The networks of the zoo that timm has. It is installed, so the checkout may be any folder."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import torch
from zoo import TIMM

import archdsl

REPOSITORY = "https://github.com/huggingface/pytorch-image-models"
COMMIT = f"timm {version('timm')}"
KEYS = "timm"
NETWORKS = {row.document: str(row.timm) for row in TIMM.values()}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """timm's network, without weights."""
    from reference import timm_model

    return timm_model(name)


def parts(name: str) -> dict[str, str]:
    """What the tests compare too."""
    row = next(row for row in TIMM.values() if row.timm == name)
    found = dict(row.entries)
    for line in archdsl.load(row.document).stats(by="block").rows:
        stage, _, label = line.path.partition(".")
        if label and stage in row.blocks:
            found[line.path] = f"{row.blocks[stage]}.{label}"
    return found
