"""The rows of Table 1, each a document: what `tests/facts/ablations.yaml` says of it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import archdsl

DOCUMENT = "ablations/table1"
SET_ASIDE = ("Window_Attention", "Reduced_Keys_And_Values")
"""Forms of attention that the paper speaks of and gives no row (Sec. 3.4): `ablations/attention`."""


class Row(NamedTuple):
    """One network of the table."""

    name: str
    section: str
    method: str
    kept: bool
    """Whether the paper goes on from it."""
    paper: dict[str, float]
    """`params` in millions, `macs` in thousand millions, `latency` in ms, `top1` in percent, as printed."""
    core: list[int]
    """Parameters and MACs."""
    counted: list[int]
    """Parameters and MACs in the counting of the paper's authors."""
    after: str | None = None
    """The row that it is a variant of."""
    ours: bool = False
    """Whether its widths and depths are ours, those of the paper being unpublished."""
    cut: list[str] = []
    """What the paper prints without its last digits, and does not round."""

    def load(self, **options: Any) -> archdsl.Network:
        """The document, opened."""
        return archdsl.load(f"{DOCUMENT}#{self.name}", **options)

    def printed(self, what: str) -> str:
        """Our `params` or `macs` in the authors' counting, with as many digits as the table has."""
        figure = self.counted[0] / 1e6 if what == "params" else self.counted[1] / 1e9
        return f"{math.floor(figure * 100) / 100 if what in self.cut else figure:.2f}"


ROWS = {
    name: Row(name, **facts)
    for name, facts in yaml.safe_load(
        (Path(__file__).parent / "facts" / "ablations.yaml").read_text(encoding="utf-8")
    ).items()
}
"""All rows by the names of their variants, in the order of the table."""


def form(name: str, **options: Any) -> archdsl.Network:
    """A form of attention that was set aside, in a network."""
    return archdsl.load(f"ablations/attention#{name}", **options)


def largest_of_the_supernet() -> archdsl.Graph:
    """The network of `specs/supernet.yaml` that has the last option of every decision."""
    network = archdsl.load("supernet")
    picks = {decision.name: decision.options[-1] for decision in network.space().decisions}
    # An option with arguments is picked by the name of its block.
    named = {name: "attention_block" if name.endswith(".block") else option for name, option in picks.items()}
    return network.freeze(named).graph
