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
    """Give every parameter and buffer a value between 0.5 and 1.5 that no default has.

    With default values a comparison is worthless: layer scale begins at 1e-5, biases at 0 and running
    statistics at the identity, so that whole blocks could be missing. Weights that sum over many inputs
    are scaled down so that nothing overflows or saturates.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if not tensor.is_floating_point():
                continue
            values = torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
            if tensor.dim() > 1:
                fan = tensor[0].numel()
                tensor.copy_((values - 0.5) * 2 / fan**0.5)
            else:
                tensor.copy_(values + 0.5)


def timm_names(keys: list[str]) -> dict[str, str]:
    """The names that timm gives to our tensors of EfficientFormerV2, by our own."""
    attentive = {tuple(key.split(".")[:2]) for key in keys if ".token_mixer." in key}
    return {key: _timm_name(key.split("."), attentive) for key in keys}


def _timm_name(parts: list[str], attentive: set[tuple[str, ...]]) -> str:
    head = parts[0]
    if head in ("norm", "stem"):
        return ".".join(parts)
    if head == "classifier":
        return ".".join(parts[1:])
    if head.startswith("down"):
        stage = f"stages.{head[4:]}.downsample"
        if parts[1] == "attention":
            return f"{stage}.attn." + _downsampling(parts[2:])
        inner = parts[2:] if parts[1] == "local" else parts[1:]
        return ".".join([stage, "conv", *inner])
    block, *rest = parts[1:]
    prefix = f"stages.{int(head[1:]) - 1}.blocks.{block}"
    if rest[0] == "token_mixer":
        return f"{prefix}.token_mixer." + _attention(rest[1:])
    if rest[0] == "scale" and tuple(parts[:2]) in attentive:
        return f"{prefix}.ls1.gamma"
    inner = rest[1:] if rest[0] == "mlp" else rest
    if inner[0] == "scale":
        return f"{prefix}.ls2.gamma"
    return f"{prefix}.mlp." + ".".join(inner)


def _attention(parts: list[str]) -> str:
    return "attention_biases" if parts[0] == "bias" else ".".join(parts)


def _downsampling(parts: list[str]) -> str:
    if parts[0] == "q_local":
        return "q.local." + ".".join(parts[1:])
    if parts[0] == "q":
        return "q.proj." + ".".join(parts[1:])
    return _attention(parts)
