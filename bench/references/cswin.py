"""The CSWin Transformer: the authors' code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from reference import paired_parts

import archdsl
from references.imports import fake, import_file

REPOSITORY = "https://github.com/microsoft/CSWin-Transformer"
COMMIT = "f111ae2f771df32006e7afd7916835dd67d4cb9d"
KEYS = "official"
NETWORKS = {"zoo/cswin_tiny": "CSWin_64_12211_tiny_224"}
STAGES = {f"s{stage}": f"stage{stage}" for stage in range(1, 5)}
ENTRIES = {
    **{f"merge{stage}": f"merge{stage}" for stage in (1, 2, 3)},
    "embed": "stage1_conv_embed",
    "norm": "norm",
}


class Tokens(torch.nn.Module):
    """The one rearrangement that the reference asks of einops: a map as tokens."""

    def __init__(self, pattern: str, **_: int) -> None:
        super().__init__()
        assert pattern == "b c h w -> b (h w) c"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2).transpose(1, 2)


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network for 224 x 224."""
    try:
        import einops.layers.torch  # noqa: F401
    except ModuleNotFoundError:
        fake("einops.layers.torch", Rearrange=Tokens)
    factory: Any = getattr(import_file(checkout, "models/cswin.py"), name)
    return factory()


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """Every block of every stage, and what stands between them."""
    return paired_parts(network, STAGES, ENTRIES)
