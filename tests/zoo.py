"""The rows of Table 2, each a document: what `tests/facts/zoo.yaml` says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

import archdsl


class Row(NamedTuple):
    """One network of the table; figures are the reference's, None where there is none."""

    title: str
    document: str
    paper: dict[str, Any]
    """`type`, `params` in millions and `macs` in thousand millions, as the paper prints them."""
    paper_counting: dict[str, int] | None = None
    """`params` and `macs` by the counter of the paper's authors, the convention `paper`."""
    rows: int = 1
    timm: str | None = None
    reference: str | None = None
    """The repository of the reference, where it is not (only) timm's."""
    source: str | None = None
    commit: str | None = None
    resolution: int = 224
    params: int | None = None
    params_of_supernet: int | None = None
    frozen: int = 0
    buffers: int | None = None
    conv: int = 0
    linear: int = 0
    matmul: int = 0
    blocks: dict[str, str] = {}
    entries: dict[str, str] = {}
    others: list[Any] = [192, 256]
    """Other resolutions that the network takes; the first is the one that it is trained at in tests."""
    note: str = ""
    code: dict[str, int] = {}
    """Files of the reference that define this network, and their lines of code."""
    todo: bool = False

    @property
    def name(self) -> str:
        """A short name for tests and files: `edgevit_xxs`."""
        return self.document.split("#")[-1].split("/")[-1].lower()

    @property
    def macs(self) -> int | None:
        """Multiply-accumulates of one image, None where there is no reference."""
        return self.conv + self.linear + self.matmul or None

    def load(self, **options: Any) -> archdsl.Network:
        """The document, opened."""
        return archdsl.load(self.document, **options)


def _read() -> dict[str, Row]:
    text = (Path(__file__).parent / "facts/zoo.yaml").read_text(encoding="utf-8")
    rows = [Row(title=title, **facts) for title, facts in yaml.safe_load(text).items()]
    return {row.name: row for row in rows if not row.todo}


ROWS = _read()
"""All rows by their short names, in the order of the table."""

NETWORKS = {name: row for name, row in ROWS.items() if name != "supernet"}
"""Those that are one network, and no space."""

TIMM = {name: row for name, row in NETWORKS.items() if row.timm is not None}
"""Those that timm has too."""
