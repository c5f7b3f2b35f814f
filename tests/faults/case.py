"""One faulty document: its text, with a mark before the place that the message must name."""

from __future__ import annotations

from typing import NamedTuple

MARK = "‸"


class Case(NamedTuple):
    """A document with one fault: the error's code, and parts of what is printed about it."""

    name: str
    text: str
    code: str
    said: tuple[str, ...]
    ending: str = ".arch"


HEADER = 'archdsl 1\nimport "convolution"\n'
NETWORK = HEADER + "network N(x: [3, 32, 32]) {\n  stem: wrong\n}\n"


def block(body: str, signature: str = "(x: [C, H, W]) -> [C, H, W]") -> str:
    """A network that calls a block of this body."""
    return f"{NETWORK}block wrong{signature} {{\n  {body}\n}}\n"


def stage(line: str) -> str:
    """A network with one stage of 32 channels, whose blocks are this line."""
    entries = f"  stem: conv_stem(32)\n  stage s1(32) {{\n    {line}\n  }}\n"
    return f'archdsl 1\nimport "efficientformerv2"\nnetwork N(x: [3, 32, 32]) {{\n{entries}}}\n'
