"""Hostile documents: how one is made, and what must come of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archdsl.network import load
from archdsl.source import ArchError

YAML = "archdsl: 1\nimport: efficientformerv2\nnetwork: N\ninput: [3, 32, 32]\nbody:\n  stem: conv_stem(32)\n"
TEXT = 'archdsl 1\nimport "convolution"\nnetwork N(x: [3, 32, 32]) {\n  stem: b\n}\n'


def block(body: str, signature: str = "(x: [C, H, W]) -> [C, H, W]") -> str:
    return f"{TEXT}block b{signature} {{\n{body}\n}}\n"


def refused(text: str | bytes, name: str = "net.arch") -> ArchError:
    """The error that a document gives, be it in reading, in elaboration, in its figures or its source."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    Path(name).write_bytes(data)
    before = sorted(os.listdir())
    with pytest.raises(ArchError) as caught:
        load(name).source()
    assert sorted(os.listdir()) == before
    assert caught.value.exit_code in (2, 3)
    assert len(str(caught.value)) < 16_000
    return caught.value


def codes(error: ArchError) -> set[str]:
    return {mistake.code for mistake in error.diagnostics}
