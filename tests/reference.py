"""timm's networks beside a CPU build of torch, and weights that leave nothing at rest."""

from __future__ import annotations

import functools
import warnings

import torch


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
