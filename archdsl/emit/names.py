"""The names of generated classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from archdsl.names import GENERATED_CLASSES

# How the field writes what no rule gives.
SPELLINGS: Final = {
    "bn": "BN", "ffn": "FFN", "mhsa": "MHSA", "mlp": "MLP", "se": "SE", "relu": "ReLU", "relu6": "ReLU6",
    "gelu": "GELU", "silu": "SiLU", "elu": "ELU", "vit": "ViT", "swiglu": "SwiGLU", "grn": "GRN",
    "mbconv": "MBConv", "qkv": "QKV", "resnet": "ResNet", "convnext": "ConvNeXt",
    "levit": "LeViT", "nasvit": "NASViT", "uninet": "UniNet", "meta3d": "Meta3D", "meta4d": "Meta4D",
}  # fmt: skip


def class_name(name: str) -> str:
    """`conv_bn` is `ConvBN`, `ConvMixer_768_32` is `ConvMixer768_32`; `f` is `F_`, for `F` is taken."""
    result = _joined(name)
    return f"{result}_" if result in GENERATED_CLASSES else result


def _joined(name: str) -> str:
    result = ""
    for word in name.split("_"):
        between = "_" if result[-1:].isdigit() and word[:1].isdigit() else ""
        result += between + SPELLINGS.get(word, word[:1].upper() + word[1:])
    return result


def suffix(decisions: Sequence[tuple[str, bool]]) -> str:
    """What a class is called after its block's name: the decisions that are not the usual ones."""
    return "".join(_joined(name) if outcome else f"No{_joined(name)}" for name, outcome in decisions)


def unique(name: str, taken: set[str]) -> str:
    """The name, with the first free number behind it where it is taken; the result is taken then."""
    result, number = name, 1
    while result in taken:
        number += 1
        result = f"{name}{number}"
    taken.add(result)
    return result
