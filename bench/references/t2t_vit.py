"""The Tokens-to-Token ViT: the authors' code."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from reference import paired_parts

import archdsl
from references.imports import import_file

REPOSITORY = "https://github.com/yitu-opensource/T2T-ViT"
COMMIT = "0f63dc9558f4d192de926504dbddfa1b3f5db6ca"
KEYS = "official"
NETWORKS = {"zoo/t2t_vit_14": "t2t_vit_14"}
STAGES = {"blocks": "blocks"}
ENTRIES = {
    **{f"t2t.{block}": f"tokens_to_token.attention{block + 1}" for block in range(2)},
    "embed.project": "tokens_to_token.project",
    "norm": "norm",
}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network with Performers in its token module, in the precision of its weights."""
    factory: Any = getattr(import_file(checkout, "models/t2t_vit.py", package="models"), name)
    performer: Any = importlib.import_module("models.token_performer").Token_performer
    for method in ("prm_exp", "single_attn"):
        setattr(performer, method, _unrounded(getattr(performer, method)))
    return factory()


def _unrounded(method: Any) -> Any:
    """A method of the reference's with `float()` of its tensors left out: it would round them to float32."""

    def called(self: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        rounding = torch.Tensor.float
        torch.Tensor.float = lambda tensor: tensor  # type: ignore[assignment, method-assign]
        try:
            return method(self, x)
        finally:
            torch.Tensor.float = rounding  # type: ignore[method-assign]

    return called


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """Every block, and the parts of the token module."""
    return paired_parts(network, STAGES, ENTRIES)
