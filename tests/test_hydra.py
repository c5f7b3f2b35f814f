"""Hydra attention is what its paper says: as many heads as features, a cosine kernel, no map of attention."""

from __future__ import annotations

import pytest
import torch
from reference import TOLERANCE, randomise, relative
from torch import Tensor, nn

import archdsl


def attention_of_many_heads(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention with one feature of queries and keys a head, by its map of similarities.

    All are [batch, tokens, channels]; the values have as many channels a head as there are times more of them.
    """
    q, k = (x / x.square().sum(-1, keepdim=True).sqrt() for x in (q, k))
    heads, each = q.shape[-1], v.shape[-1] // q.shape[-1]
    results = []
    for head in range(heads):
        similarity = q[..., head, None] * k[..., None, :, head]  # [batch, tokens, tokens]
        results.append(similarity @ v[..., head * each : (head + 1) * each])
    return torch.cat(results, dim=-1)


def hydra(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The same in the order that needs no map, where all have as many channels: phi(Q) * sum of phi(K) * V."""
    q = q / q.norm(dim=-1, keepdim=True)
    k = k / k.norm(dim=-1, keepdim=True)
    return q * (k * v).sum(dim=-2, keepdim=True)


@pytest.mark.parametrize("stage", ["s3.4", "s4.3"])
def test_is_the_formula_of_the_paper_between_its_convolutions(stage: str) -> None:
    model = archdsl.build("zoo/hydra_s0", num_classes=3).double().eval()
    randomise(model)
    mixer = model.get_submodule(stage).token_mixer
    strided = hasattr(mixer, "stride_conv")
    x = torch.randn(2, mixer.q.conv.in_channels, 14, 14, dtype=torch.float64)
    z = mixer.stride_conv(x) if strided else x
    q, k, v = (part(z).flatten(2).transpose(1, 2) for part in (mixer.q, mixer.k, mixer.v))
    y = attention_of_many_heads(q, k, v).transpose(1, 2).unflatten(2, z.shape[2:]) + mixer.v_local(mixer.v(z))
    y = nn.functional.interpolate(y, size=x.shape[2:], mode="bilinear") if strided else y
    expected = mixer.proj(nn.functional.gelu(y))
    assert relative(mixer(x), expected) < TOLERANCE


def test_the_two_orders_of_the_paper_are_one() -> None:
    q, k, v = torch.randn(3, 2, 5, 12, dtype=torch.float64)
    assert relative(hydra(q, k, v), attention_of_many_heads(q, k, v)) < TOLERANCE
