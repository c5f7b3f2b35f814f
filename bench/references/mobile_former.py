"""Mobile-Former: its first author's code, which lacks some of the files that it imports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from reference import numbered_parts

import archdsl
from references.imports import fake, import_file

REPOSITORY = "https://github.com/AAboys/MobileFormer"
COMMIT = "f44731062abb22a87962f0783467393dae23a9c5"
KEYS = "official"
NETWORKS = {"zoo/mobile_former_508m": "mobile_former_508m"}
ENTRIES = {"to_former": "local_global", "stem": "stem", "norm": "classifier.fc.1"}
INSIDE = {"to_former": "local_global", "former": "global_block", "to_mobile": "global_local"}


def build(checkout: Path, name: str) -> torch.nn.Module:
    """The network; nothing of its missing files is used but what makes it, and drop path, at rate 0."""
    fake("mobile_former_code.helpers", build_model_with_cfg=_made, default_cfg_for_features=None)
    fake("mobile_former_code.layers", DropPath=lambda rate: torch.nn.Identity())
    module = import_file(checkout, "mobile_former.py", package="mobile_former_code")
    made: torch.nn.Module = getattr(module, name)()
    return made


def _made(model: Any, variant: str, pretrained: bool, default_cfg: object, **options: Any) -> torch.nn.Module:
    made: torch.nn.Module = model(**options)
    return made


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """Every block of every stage, the bridges and the transformer in it, and what follows."""
    found = numbered_parts(network, "features")
    for ours, theirs in list(found.items()):
        if not ours.startswith("s1"):
            found |= {f"{ours}.{mine}": f"{theirs}.{other}" for mine, other in INSIDE.items()}
    return found | ENTRIES
