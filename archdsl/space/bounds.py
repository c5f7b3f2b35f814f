"""The figures of a space: its exact size, its decisions, and the least and most of each cost."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from archdsl import syntax as s
from archdsl.cost import Convention
from archdsl.cost.memory import BYTES, Dtype
from archdsl.elaborate.choices import Open, option_texts
from archdsl.garbage import paused
from archdsl.library import Unit
from archdsl.record import Record
from archdsl.source import ArchError, Diagnostic
from archdsl.space.conditions import Condition, conditions
from archdsl.space.states import Reached
from archdsl.space.walk import Walk


class Interval(NamedTuple):
    """The least and the most of a cost, over all networks of a space."""

    least: int
    most: int


class Decisions(Record):
    """Decisions that differ in numbers alone: `s3.*.expansion`, how many, and their options."""

    name: str
    count: int
    options: tuple[str, ...]


class SpaceStats(Record):
    """The figures of a space. The costs are those of one network of it; bytes are those of the whole batch.

    `size` counts networks: ways to decide all that there is to decide. Where `conditions` are given the
    intervals are bounds: no network of the space lies outside, but none need lie at their ends, and the size is
    that before the conditions.
    """

    name: str
    input: tuple[int, ...]
    batch: int
    dtype: Dtype
    convention: Convention
    size: int
    decisions: tuple[Decisions, ...]
    conditions: tuple[str, ...]
    params: Interval
    macs: Interval
    weight_bytes: Interval
    activation_bytes: Interval
    peak_activation_bytes: Interval | None
    """None where streams run side by side: then it is not found without expanding."""

    @property
    def exact(self) -> bool:
        """Whether the ends of the intervals are those of networks of the space."""
        return not self.conditions

    def as_dict(self) -> dict[str, object]:
        """The figures as JSON takes them."""
        result: dict[str, object] = {}
        for name in self._fields:
            value = getattr(self, name)
            if isinstance(value, Interval):
                value = {"least": value.least, "most": value.most}
            elif name == "decisions":
                value = [{"name": d.name, "count": d.count, "options": list(d.options)} for d in value]
            elif isinstance(value, tuple):
                value = list(value)
            result[name] = value
        result["exact"] = self.exact
        return result


def space_stats(
    unit: Unit,
    network: s.Network,
    resolution: tuple[int, int] | None = None,
    convention: Convention = "core",
    dtype: Dtype = "float32",
    batch: int = 1,
) -> SpaceStats:
    """The figures of a space, without expanding it; raises `ArchError` where one of its networks is wrong.

    Sizes and intervals are exact: found by going through positions and states (archdsl/space/walk.py).
    """
    wanted = conditions(network)
    used: list[Convention] = ["core", convention]
    used += [c.of for c in wanted if c.metric in ("params", "macs")]  # type: ignore[misc]
    with paused():
        walk = Walk(unit, network, resolution, list(dict.fromkeys(used)), dtype, batch)
        whole = walk.result()
    found = _Figures(walk, whole, dtype)
    for condition in wanted:
        found.narrow(condition)
    return SpaceStats(
        network.name,
        walk.input.values,
        batch,
        dtype,
        convention,
        whole.ways,
        tuple(_grouped(walk.decisions.values())),
        tuple(condition.text for condition in wanted),
        found.interval("params", convention),
        found.interval("macs", convention),
        found.interval("weight_bytes", dtype),
        found.interval("activations", ""),
        found.interval("peak_activation_bytes", dtype) if whole.least.peak is not None else None,
    )


class _Figures:
    """The intervals of a walk, narrowed by conditions."""

    def __init__(self, walk: Walk, whole: Reached, dtype: Dtype) -> None:
        self.sums = {name: (whole.least.sums[i], whole.most.sums[i]) for i, name in enumerate(walk.sums)}
        self.peak = (whole.least.peak or 0, whole.most.peak or 0)
        self.dtype = dtype
        self.limits: dict[str, tuple[int, int]] = {}

    def interval(self, metric: str, of: str) -> Interval:
        key = _key(metric, of)
        if key in self.limits:
            return Interval(*self.limits[key])
        if metric in ("params", "macs"):
            return Interval(*self.sums[f"{metric}({of})"])
        if metric == "weight_bytes":
            # Of another type it is the same count of weights: conditions on one narrow the other.
            least, most = self.interval("params", "core")
            return Interval(least * BYTES[of], most * BYTES[of])  # type: ignore[index]
        if metric == "activations":
            return Interval(*self.sums["activations"])
        size, mine = BYTES[of], BYTES[self.dtype]  # type: ignore[index]
        return Interval(self.peak[0] // mine * size, self.peak[1] // mine * size)

    def narrow(self, condition: Condition) -> None:
        """Leave out what a condition forbids; raises `ArchError` where nothing is left."""
        least, most = self.interval(condition.metric, condition.of)
        limit = condition.limit
        low, high = least, most
        if condition.op in ("<", "<=", "=="):
            high = min(most, _below(limit, condition.op == "<"))
        if condition.op in (">", ">=", "=="):
            low = max(least, _above(limit, condition.op == ">"))
        if low > high:
            message = f"no network of this space has {condition.text}"
            help = f"the least is {least:,}, the most {most:,}"
            raise ArchError([Diagnostic("E0228", message, condition.span, help)])
        self.limits[_key(condition.metric, condition.of)] = (low, high)


def _key(metric: str, of: str) -> str:
    return f"{metric}({of})"


def _below(limit: Fraction, strictly: bool) -> int:
    return math.ceil(limit) - 1 if strictly else math.floor(limit)


def _above(limit: Fraction, strictly: bool) -> int:
    return math.floor(limit) + 1 if strictly else math.ceil(limit)


def _grouped(decisions: Iterable[Open]) -> list[Decisions]:
    """Decisions of one form and with the same options as one line: `s3.*.expansion`."""
    groups: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
    for open_ in decisions:
        form = re.sub(r"\.[0-9]+(?=\.)", ".*", open_.name)
        groups.setdefault((form, tuple(option_texts(open_))), {})[open_.name] = None
    return [
        Decisions(form if len(names) > 1 else next(iter(names)), len(names), options)
        for (form, options), names in groups.items()
    ]
