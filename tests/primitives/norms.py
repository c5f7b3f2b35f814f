"""Cases of norms and scales."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import torch

from primitives.document import BATCH, Case, Weights
from primitives.drawing import Draw, case_of, numbers, shapes

epsilons = st.sampled_from([1e-3, 1e-6, 0.5, 1])


def normalised(x: torch.Tensor, axes: Any, eps: float) -> torch.Tensor:
    mean = x.mean(axes, keepdim=True)
    return (x - mean) / (((x - mean) ** 2).mean(axes, keepdim=True) + eps) ** 0.5


def along(weight: torch.Tensor, rank: int) -> torch.Tensor:
    """A weight for every channel of [batch, channels, ...]."""
    return weight.reshape(-1, *(1,) * (rank - 1))


@case_of("batch_norm")
def batch_norm(draw: Draw) -> Case:
    shape = draw(shapes(1, 3))
    eps = draw.optional("eps", epsilons, 1e-5)
    draw.optional("momentum", st.sampled_from([0.01, 1]), 0.1)
    affine = draw.optional("affine", st.booleans(), True)
    names = [*(["weight", "bias"] if affine else []), "running_mean", "running_var"]

    def reference(weights: Weights, x: torch.Tensor) -> torch.Tensor:
        by_channel = {name: along(weights[name], len(shape)) for name in names}
        result = (x - by_channel["running_mean"]) / (by_channel["running_var"] + eps) ** 0.5
        return result * by_channel["weight"] + by_channel["bias"] if affine else result

    return Case("batch_norm", (shape,), draw.attributes, reference, dict.fromkeys(names, shape[:1]))


@case_of("layer_norm")
def layer_norm(draw: Draw) -> Case:
    learned = draw(st.booleans())
    shape = draw(shapes(2 if learned else 1, 4))
    eps = draw.optional("eps", epsilons, 1e-5)

    def reference(weights: Weights, x: torch.Tensor) -> torch.Tensor:
        return normalised(x, -1, eps) * weights["weight"] + weights["bias"]

    weights = {"weight": shape[-1:], "bias": shape[-1:]}
    return Case("layer_norm", (shape,), draw.attributes, reference, weights, (learned,))


@case_of("group_norm")
def group_norm(draw: Draw) -> Case:
    groups = draw.required("groups", st.integers(1, 3))
    # A group of one number has no variance: torch refuses it, and so do we.
    shape = (groups * draw(st.integers(2, 3)), *draw(shapes(0, 3)))
    eps = draw.optional("eps", epsilons, 1e-5)

    def reference(weights: Weights, x: torch.Tensor) -> torch.Tensor:
        grouped = x.reshape(BATCH, groups, -1)
        result = normalised(grouped, -1, eps).reshape(x.shape)
        return result * along(weights["weight"], len(shape)) + along(weights["bias"], len(shape))

    weights = {"weight": shape[:1], "bias": shape[:1]}
    return Case("group_norm", (shape,), draw.attributes, reference, weights)


@case_of("layer_scale")
def layer_scale(draw: Draw) -> Case:
    first = draw(st.booleans())
    shape = draw(shapes(3, 3) if first else shapes(1, 4))
    draw.optional("value", numbers, 1e-5)
    if first:
        draw.optional("axis", st.sampled_from([0, -3]), 0)
    else:
        draw.required("axis", st.sampled_from([-1, len(shape) - 1]))

    def reference(weights: Weights, x: torch.Tensor) -> torch.Tensor:
        return x * (weights["gamma"][:, None, None] if first else weights["gamma"])

    weights = {"gamma": shape[:1] if first else shape[-1:]}
    return Case("layer_scale", (shape,), draw.attributes, reference, weights, (draw(st.booleans()),))
