"""UniNet: its authors' code."""

from __future__ import annotations

from pathlib import Path

import torch

from references.imports import import_file

REPOSITORY = "https://github.com/Sense-X/UniNet"
COMMIT = "81ef33218caca5fb62e85b9cbf85283963f4cc00"
KEYS = "official"
NETWORKS = {"zoo/uninet_b1": "UniNetB1"}
ROW = ("s1", 1), ("down1", 0), ("s2", 2), ("down2", 0), ("s3", 4), ("down3", 0), ("s4", 4), ("mix", 0), \
    ("s5", 4), ("down5", 0), ("s6", 8)  # fmt: skip
"""Their one row of blocks: our stages, with how many blocks they have, and what stands between them."""


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network."""
    made: torch.nn.Module = getattr(import_file(checkout, "uninet.py"), name)()
    return made


def parts(name: str) -> dict[str, str]:
    """Every block of every stage, what stands between them, and the stem and the last convolution."""
    paths = [path for label, count in ROW for path in [f"{label}.{i}" for i in range(count)] or [label]]
    return {"stem": "stem", "last": "head"} | {path: f"blocks.{index}" for index, path in enumerate(paths)}
