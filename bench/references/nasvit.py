"""NASViT: the largest network of its supernet, cut out of it.

`get_active_subnet` of the authors' code makes the convolutions of a network static and leaves the blocks with
attention as they are in the supernet: with scales for every depth and size, and offsets of the largest window.
What this one network reads of them takes their place, so that the weights which are counted and randomised are
its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference import numbered_parts
from torch import Tensor, nn
from torch.nn.utils import parametrize

import archdsl
from references.imports import fake, import_file

REPOSITORY = "https://github.com/facebookresearch/NASViT"
COMMIT = "0472916056803ddb5c8f9c2d93ef943e0c99d026"
KEYS = "official"
NETWORKS = {"zoo/nasvit_largest": "sample_max_subnet"}
ENTRIES = {"stem": "first_conv", "last": "last_conv.0", "classifier": "classifier"}

SIDES = (144, 72, 36, 18, 9, 9, 5)
"""Rows of the map that each stage gives, at 288 x 288."""


class Settings(dict[str, Any]):
    """What the authors keep their settings in: names read and set as attributes."""

    __setattr__ = dict.__setitem__

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


class Scales(nn.Module):
    """The scales of one network in the table of those of all: [depths, sizes, channels]."""

    def __init__(self, depth: int, size: int, table: Tensor) -> None:
        super().__init__()
        self.place, self.shape = (depth, size), table.shape

    def forward(self, scales: Tensor) -> Tensor:
        """The table, with zeros for the others."""
        table = scales.new_zeros(self.shape)
        table[self.place] = scales
        return table

    def right_inverse(self, table: Tensor) -> Tensor:
        """What is read of a table."""
        return table[self.place]


class Offsets(nn.Module):
    """The biases of the offsets in a small map, in the middle of the table of a larger one's."""

    def __init__(self, side: int, largest: int) -> None:
        super().__init__()
        self.rows, self.border = 2 * side - 1, largest - side

    def forward(self, biases: Tensor) -> Tensor:
        """The larger table, with zeros around."""
        table = biases.unflatten(0, (self.rows, self.rows))
        return nn.functional.pad(table, (0, 0, *[self.border] * 4)).flatten(0, 1)

    def right_inverse(self, table: Tensor) -> Tensor:
        """What is read of a table."""
        larger = self.rows + 2 * self.border
        middle = slice(self.border, larger - self.border)
        return table.unflatten(0, (larger, larger))[middle, middle].flatten(0, 1)


def build(checkout: Path, name: str) -> nn.Module:
    """The network with static batch normalisation and with its own weights alone."""
    fake("yacs.config", CfgNode=Settings)
    supernet_config = import_file(checkout, "misc/config.py", package="misc")._C.supernet_config
    models = import_file(checkout, "models/attentive_nas_dynamic_model.py", package="models")
    supernet = models.AttentiveNasDynamicModel(supernet_config, bn_param=(0.1, 1e-5))
    getattr(supernet, name)()
    network: nn.Module = supernet.get_active_subnet()
    sides = [side for side, depth in zip(SIDES, supernet.runtime_depth, strict=True) for _ in range(depth)]
    for block, side in zip(network.blocks, sides, strict=True):
        if hasattr(block, "attn"):
            for scales in ("rescale_attn", "rescale_mlp"):
                place = Scales(block.rescale_idx, side**2 % 8, getattr(block, scales))
                parametrize.register_parametrization(block, scales, place)
            offsets = Offsets(side, block.attn.window_size[0])
            parametrize.register_parametrization(block.attn, "relative_position_bias_table", offsets)
        elif block.shortcut.reduction == 1 and block.shortcut.in_channels == block.shortcut.out_channels:
            del block.shortcut.conv  # it is never called
    network.register_state_dict_post_hook(_plain_names)
    # Theirs squeezes what is pooled, and the batch with it where it is one image.
    network.classifier.register_forward_hook(lambda _m, _x, y: y if y.dim() == 2 else y[None])
    return network


def _plain_names(_module: nn.Module, state: dict[str, Tensor], prefix: str, _local: object) -> None:
    """Weights under the names that they have in the supernet."""
    for key in list(state):
        value = state.pop(key)
        state[key.replace("parametrizations.", "").removesuffix(".original")] = value


def parts(network: archdsl.Network, address: str) -> dict[str, str]:
    """Every block, and what comes before and behind them."""
    return numbered_parts(network, "blocks") | ENTRIES
