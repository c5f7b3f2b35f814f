"""Loading a file into a module: everything is checked before the first number is copied."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeAlias

from archdsl.network import Network
from archdsl.weights.checking import Report, Target, read_weights
from archdsl.weights.modules import check_module, derived_buffers, network_for

if TYPE_CHECKING:
    from torch import Tensor, nn

Size: TypeAlias = int | tuple[int, int]


def load_weights(
    model: nn.Module,
    path: str | os.PathLike[str],
    *,
    keys: str | None = None,
    resize: Size | None = None,
    reset_head: bool = False,
    network: Network | str | None = None,
) -> Report:
    """Load a file of weights into a module: all of it, or, where anything is wrong, nothing.

    `keys` names the key map that the file follows; without it our own names are tried, then every map
    of the document. `resize` is the resolution (rows and columns, or one number for both) that the
    weights were made for: tables over positions are resampled. With `reset_head` the classifier keeps its
    initialisation. `network` is needed for a module that archdsl did not build.

    Raises `ArchError` with everything that does not fit; then no number of the module has changed.
    """
    import torch

    owner = network_for(model, network)
    state = dict(model.state_dict(keep_vars=True))
    check_module(owner, state)
    target = Target(
        owner,
        {key: tuple(tensor.shape) for key, tensor in state.items()},
        {key: _type(tensor) for key, tensor in state.items()},
        derived_buffers,
    )
    tensors, report = read_weights(target, os.fspath(path), keys, _size(resize), reset_head)
    with torch.no_grad():
        for key, tensor in tensors.items():
            state[key].copy_(tensor)
    return report


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _size(size: Size | None) -> tuple[int, int] | None:
    return (size, size) if isinstance(size, int) else size
