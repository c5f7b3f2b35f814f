"""The networks of the zoo that timm has. It is installed, so the checkout may be any folder."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import torch
from reference import paired_parts, timm_model
from zoo import TIMM

import archdsl

REPOSITORY = "https://github.com/huggingface/pytorch-image-models"
COMMIT = f"timm {version('timm')}"
KEYS = "timm"
ROWS = {row.document: row for row in TIMM.values()}
NETWORKS = {document: str(row.timm) for document, row in ROWS.items()}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """timm's network, without weights."""
    return timm_model(name)


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """What the tests compare too."""
    return paired_parts(network, ROWS[address].blocks, ROWS[address].entries)
