"""UniNet: its authors' code."""

from __future__ import annotations

from pathlib import Path

import torch

import archdsl
from references.imports import import_file

REPOSITORY = "https://github.com/Sense-X/UniNet"
COMMIT = "81ef33218caca5fb62e85b9cbf85283963f4cc00"
KEYS = "official"
NETWORKS = {"zoo/uninet_b1": "UniNetB1"}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network."""
    made: torch.nn.Module = getattr(import_file(checkout, "uninet.py"), name)()
    return made


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """Every block of every stage, what stands between them, and the stem and the last convolution."""
    paths = [row.path for row in network.stats(by="block").rows]
    between = paths[paths.index("stem") + 1 : paths.index("last")]
    return {"stem": "stem", "last": "head"} | {path: f"blocks.{index}" for index, path in enumerate(between)}
