"""Networks beside their references: timm's, weights that leave nothing at rest, what compares two modules."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

import archdsl

TOLERANCE = 1e-9
"""Outputs in float64 that differ by less, beside the largest value, are equal."""


@functools.cache
def timm():
    """timm, imported where torchvision's compiled operators can't be loaded.

    torchvision registers fake kernels for operators that do not exist then; those registrations are
    skipped while it is imported. timm itself needs none of them.
    """
    register = torch.library.register_fake

    def skip_missing(name, *args, **kwargs):
        if isinstance(name, str) and name.startswith("torchvision::"):
            return lambda function: function
        return register(name, *args, **kwargs)

    torch.library.register_fake = skip_missing
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import timm
            import timm.layers
    finally:
        torch.library.register_fake = register
    timm.layers.set_fused_attn(False)
    return timm


def timm_model(name: str, **options):
    """One of timm's networks, without weights from a hub."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return timm().create_model(name, pretrained=False, **options)


def randomise(module: torch.nn.Module, seed: int = 0) -> None:
    """Give every parameter and stored buffer a value between 0.5 and 1.5 that no default has.

    With default values a comparison is worthless: layer scale begins at 1e-5, biases at 0 and running
    statistics at the identity, so that whole blocks could be missing. Weights that sum over many inputs
    are scaled down so that nothing overflows or saturates.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if not tensor.is_floating_point():
                continue
            values = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
            if tensor.dim() > 1:
                fan = tensor[0].numel()
                tensor.copy_((values - 0.5) * 2 / fan**0.5)
            else:
                tensor.copy_(values + 0.5)


def laid_out_as(result: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Ours as theirs: maps as tokens or with channels last, sequences as samples, the batch behind."""
    if result.dim() == 3 and other.dim() == 4:
        return result.transpose(1, 2).unflatten(2, other.shape[2:])
    if result.dim() == 4 and other.dim() == 3:
        ways = [result.flatten(2).transpose(1, 2), result.flatten(1, 2), result.flatten(0, 1)]
    elif result.dim() == 4:
        ways = [result.permute(0, 2, 3, 1), result.permute(0, 3, 1, 2)]
    else:
        ways = [result.transpose(0, 1)] if result.dim() == 3 else []
    for laid_out in (result, *ways):
        if laid_out.shape == other.shape:
            return laid_out
    return result


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference beside the largest value of `b`."""
    assert a.shape == b.shape
    return ((a - b).abs().max() / b.abs().max()).item()


def record(module: torch.nn.Module, paths: Iterable[str], image: torch.Tensor) -> dict[str, torch.Tensor]:
    """What a module gives for an image, under "", and its parts by their paths; of several the first."""
    seen: dict[str, torch.Tensor] = {}

    def hook(path: str) -> Any:
        def note(_module: object, _inputs: object, output: Any) -> None:
            seen[path] = output[0] if isinstance(output, tuple) else output

        return note

    handles = [module.get_submodule(path).register_forward_hook(hook(path)) for path in ("", *paths)]
    with torch.no_grad():
        module(image)
    for handle in handles:
        handle.remove()
    return seen


def paired_parts(
    network: archdsl.Network, stages: Mapping[str, str], entries: Mapping[str, str]
) -> dict[str, str]:
    """What is compared one by one, ours and the reference's: single parts, and all blocks of some stages."""
    found = dict(entries)
    for row in network.stats(by="block").rows:
        stage, _, label = row.path.partition(".")
        if label and stage in stages:
            found[row.path] = f"{stages[stage]}.{label}"
    return found


def numbered_parts(network: archdsl.Network, place: str) -> dict[str, str]:
    """The same for a reference that numbers the blocks of all stages through."""
    paths = [row.path for row in network.stats(by="block").rows if "." in row.path]
    return {path: f"{place}.{index}" for index, path in enumerate(paths)}


def with_weights_of(
    theirs: torch.nn.Module, network: archdsl.Network, keys: str, path: Path
) -> tuple[torch.nn.Module, Any]:
    """Our module in float64 with the reference's weights, and the report of loading them.

    They go through a file of the reference's names.
    """
    state = {key: value.contiguous().clone() for key, value in theirs.state_dict().items()}
    safetensors.torch.save_file(state, path)
    ours: Any = network.build().double()
    return ours, archdsl.load_weights(ours, path, keys=keys)


def assert_takes_back(theirs: torch.nn.Module, ours: torch.nn.Module, keys: str, path: Path) -> None:
    """Our weights under the reference's names are its own, bitwise."""
    archdsl.save_weights(ours, path, keys=keys)
    back, state = safetensors.torch.load_file(path), theirs.state_dict()
    assert set(back) == set(state)
    assert all(torch.equal(back[key], value) and back[key].shape == value.shape for key, value in state.items())
