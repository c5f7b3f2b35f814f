"""Faults of commands and of what surrounds them: files, folders, modules, memory."""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import archdsl
from archdsl.cli import main
from archdsl.source import ArchError

NET = "archdsl: 1\nnetwork: N\ninput: [3, 32, 32]\nbody:\n  stem: conv2d(8, stride = 2)\n"
HUGE = NET.replace("conv2d(8, stride = 2)", "conv2d(2 ** 31 - 1)") + "  next: conv2d(2 ** 31 - 1)\n"


ARCH = """archdsl 1
network N(x: [3, 8, 8]) { a: b }
block b(x: [C, H, W]) -> [2, H, W] { return x |> conv: conv2d(2) |> norm: batch_norm }
keys other { b { RULE } }
"""
TABLE = """archdsl 1
network N(x: [2, 2, 2]) { a: b }
block b(x: [C, H, W]) -> [1, H * W, H * W] {
  q = x |> rearrange("(n c) h w -> n (h w) c", n = 1)
  k = x |> rearrange("(n c) h w -> n c (h w)", n = 1)
  return q @ k + bias: attention_bias(1, query = [H, W], key = [H, W])
}
keys other { b { "bias.index" -> "places" } }
"""
HEAD = """archdsl 1
network N(x: [3, 8, 8]; num_classes = 10) {
  pool: global_avg_pool
  head { last: linear(num_classes) }
}
"""
BATCH_NORM = {f"a.norm.{name}": ("F32", [2]) for name in ("weight", "bias", "running_mean", "running_var")}
WEIGHTS = {
    "a.conv.weight": ("F32", [2, 3, 1, 1]),
    "a.conv.bias": ("F32", [2]),
    **BATCH_NORM,
    "a.norm.num_batches_tracked": ("I64", []),
}


def tensors(shapes: dict[str, tuple[str, list[int]]], value: float = 1.0) -> bytes:
    """A safetensors file of tensors of these types and shapes, all of one value."""
    header: dict[str, object] = {}
    data = b""
    for name, (kind, shape) in shapes.items():
        one = struct.pack({"F32": "<f", "F64": "<d", "I64": "<q"}[kind], int(value) if kind == "I64" else value)
        start = len(data)
        data += one * math.prod(shape)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _load_into_another() -> object:
    import torch

    return archdsl.load_weights(torch.nn.ReLU(), "w.safetensors")


class Command(NamedTuple):
    """A command that fails in a folder of these files: its exit code, the code, and parts of the message.

    Of a safetensors file the types and shapes are given; `value` is that of all its numbers. `module` is one
    that is not installed. Of a call in Python, `argv` is the call as it is written.
    """

    name: str
    argv: str
    exit_code: int
    code: str
    said: tuple[str, ...]
    files: tuple[tuple[str, str | bytes | dict[str, tuple[str, list[int]]]], ...] = (("net.yaml", NET),)
    module: str = ""
    value: float = 1.0
    call: Callable[[], object] | None = None

    def printed(
        self, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> tuple[int, str]:
        """The exit code, and what goes to the terminal as an error. The folder is the current one."""
        for name, content in self.files:
            if name.endswith("/"):
                (folder / name).mkdir()
            elif isinstance(content, bytes):
                (folder / name).write_bytes(content)
            elif isinstance(content, dict):
                (folder / name).write_bytes(tensors(content, self.value))
            else:
                (folder / name).write_text(content, encoding="utf-8")
        with patch.context() as context:
            if self.module:
                context.setitem(sys.modules, self.module, None)
            if self.call is not None:
                with pytest.raises(ArchError) as caught:
                    self.call()
                return caught.value.exit_code, str(caught.value)
            try:
                code = main(self.argv.split()[1:])
            except SystemExit as left:
                code = int(left.code or 0)
        return code, capsys.readouterr().err.rstrip("\n")


def _rule(rule: str) -> str:
    return ARCH.replace("RULE", rule)


def _without(name: str) -> dict[str, tuple[str, list[int]]]:
    return {key: shape for key, shape in WEIGHTS.items() if key != name}


def weights(
    name: str,
    code: str,
    said: tuple[str, ...],
    text: str = ARCH.replace("keys other { b { RULE } }\n", ""),
    options: str = "",
    shapes: dict[str, tuple[str, list[int]]] = WEIGHTS,
    file: bytes | None = None,
    value: float = 1.0,
) -> Command:
    """A command that reads weights into the network of a text."""
    files = (("net.arch", text), ("w.safetensors", shapes if file is None else file))
    argv = f"archdsl weights net.arch w.safetensors -o out.safetensors {options}".rstrip()
    return Command(name, argv, 2, code, said, files, value=value)


COMMANDS = [
    Command(
        "command that is not there",
        "archdsl stat net.yaml",
        2,
        "E0001",
        ("invalid choice: 'stat'", "archdsl --help"),
    ),
    Command("no document", "archdsl stats", 2, "E0001", ("SPEC", "archdsl stats --help"), files=()),
    Command(
        "resolution that is none",
        "archdsl stats net.yaml --resolution big",
        2,
        "E0001",
        ("'big' is not a size", "224"),
    ),
    Command(
        "file that is not UTF-8",
        "archdsl stats net.yaml",
        2,
        "E0110",
        ("net.yaml:2:6", "save it as UTF-8"),
        (("net.yaml", b"archdsl: 1\n# caf\xe9\xff\n"),),
    ),
    Command("block that is not there", "archdsl show net.yaml stm", 2, "E0409", ("archdsl show SPEC prints",)),
    Command("file that is not there", "archdsl stats nat.yaml", 2, "E0701", ("no document 'nat.yaml'",)),
    Command(
        "output that is a folder",
        "archdsl build net.yaml -o out",
        3,
        "E0702",
        ("'out' can't be written", "another -o"),
        (("net.yaml", NET), ("out/", "")),
    ),
    Command(
        "output that is the document",
        "archdsl build net.yaml -o net.yaml",
        2,
        "E0702",
        ("is the document itself",),
    ),
    Command(
        "starter that is there already",
        "archdsl new net.yaml",
        3,
        "E0702",
        ("is there already", "another name"),
    ),
    Command("resolution of nothing", "archdsl stats net.yaml --resolution 0", 2, "E0703", ("1 to 16384",)),
    Command(
        "resolution that does not divide",
        "archdsl stats s0 --resolution 208",
        2,
        "E0703",
        ("legal near it: 192 x 192 and 224 x 224",),
    ),
    Command(
        "torch that is not installed",
        "archdsl verify net.yaml",
        3,
        "E0706",
        ("'torch' is not installed", "pip install torch"),
        module="torch",
    ),
    Command(
        "module too large for the machine",
        'archdsl.load("net.yaml").build()',
        3,
        "E0707",
        ("this machine has less", "need no memory"),
        (("net.yaml", HUGE),),
        call=lambda: archdsl.load("net.yaml").build(),
    ),
    Command(
        "picks that are not there", "archdsl freeze net.yaml --with picks.yaml", 2, "E0701", ("picks.yaml",)
    ),
    Command("name that is none", "archdsl sample net.yaml --name 1", 2, "E0105", ("choose another --name",)),
    # --- weights
    weights(
        "rule of a block that there is not",
        "E0801",
        ("no block or network 'conv'", "known names: N, b"),
        ARCH.replace("b { RULE", 'conv { "x" -> "y"'),
    ),
    weights(
        "rule that names a weight twice",
        "E0802",
        ("names the same weight twice",),
        _rule('"conv", "conv" -> "x"'),
        "--keys other",
    ),
    weights(
        "rule of a label that there is not",
        "E0803",
        ("no label 'cnv' in b", "did you mean 'conv'?"),
        _rule('"cnv" -> "x"'),
        "--keys other",
    ),
    weights(
        "two weights of one name",
        "E0804",
        ("both become", "give one of them another name"),
        _rule('"norm.bias" -> "norm.weight"'),
        "--keys other",
    ),
    weights(
        "key map that there is not",
        "E0805",
        ("declares no keys 'othr'", "did you mean 'other'?"),
        _rule('"conv" -> "x"'),
        "--keys othr",
    ),
    weights("file that is empty", "E0810", ("is empty",), _rule('"conv" -> "x"'), file=b""),
    weights(
        "weight that is not in the file",
        "E0811",
        ("no 'a.conv.weight' in the file",),
        shapes=_without("a.conv.weight"),
    ),
    weights(
        "weight that is not in the network",
        "E0812",
        ("nothing of ours is 'b.weight'",),
        shapes={**WEIGHTS, "b.weight": ("F32", [1])},
    ),
    weights(
        "weights under other names",
        "E0813",
        ("is read by",),
        _rule('"conv" -> "x"'),
        shapes={f"model.{k}": v for k, v in WEIGHTS.items()},
    ),
    weights(
        "weight of another shape",
        "E0814",
        ("[2, 3, 3, 3], not [2, 3, 1, 1]",),
        shapes={**WEIGHTS, "a.conv.weight": ("F32", [2, 3, 3, 3])},
    ),
    weights(
        "table of another resolution",
        "E0815",
        ("not [1, 4]",),
        TABLE,
        shapes={"a.bias.weight": ("F32", [1, 9])},
    ),
    weights(
        "whole numbers for real ones",
        "E0816",
        ("holds int64, not floating-point numbers",),
        shapes={**WEIGHTS, "a.conv.weight": ("I64", [2, 3, 1, 1])},
    ),
    weights(
        "head of other classes",
        "E0817",
        ("5 classes apart, the network 10", "--reset-head"),
        HEAD,
        shapes={"last.weight": ("F32", [5, 3]), "last.bias": ("F32", [5])},
    ),
    weights(
        "numbers that are not finite",
        "E0818",
        ("not finite",),
        shapes={"a.conv.weight": ("F32", [2, 3, 1, 1]), "a.conv.bias": ("F32", [2])},
        value=math.inf,
        text=ARCH.replace(" |> norm: batch_norm", "").replace("RULE", '"conv" -> "c"'),
    ),
    weights(
        "table that differs from what the network makes",
        "E0819",
        ("differs from what the network makes",),
        TABLE,
        "--keys other",
        shapes={"a.bias.weight": ("F32", [1, 4]), "a.places": ("I64", [4, 4])},
    ),
    Command(
        "module of another maker",
        'archdsl.load_weights(torch.nn.ReLU(), "w.safetensors")',
        2,
        "E0820",
        ("ReLU was not built by archdsl",),
        (("w.safetensors", WEIGHTS),),
        call=_load_into_another,
    ),
]
