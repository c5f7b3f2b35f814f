"""What every network does: it is exported, trains a step, and its maps grow smaller."""

from __future__ import annotations

import warnings

import torch

import archdsl


def size_of(network: archdsl.Network) -> tuple[int, ...]:
    """The shape of an image."""
    return network.stats().input


def export(network: archdsl.Network) -> None:
    """Export the module, in evaluation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = network.build(num_classes=3).eval()
        torch.export.export(model, (torch.zeros(1, *size_of(network)),))


def train(network: archdsl.Network) -> torch.nn.Module:
    """The module after a forward and a backward pass of two images, which reach every weight."""
    model = network.build(num_classes=3).train()
    output = model(torch.randn(2, *size_of(network)))
    outputs = output if isinstance(output, tuple) else (output,)
    sum(part.square().sum() for part in outputs).backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())
    return model


def assert_maps_grow_smaller(model: torch.nn.Module, size: tuple[int, ...]) -> None:
    """The pyramid has three maps or more, each smaller than the one before."""
    with torch.no_grad():
        maps = model.eval().features(torch.zeros(1, *size))
    sides = [tuple(found.shape[2:]) for found in maps]
    assert len(maps) > 2 and all(found.dim() == 4 for found in maps)
    assert sides == sorted(sides, reverse=True) and len(set(sides)) == len(sides)
