"""Networks with open choices: how many there are, what they cost at least and at most, and one of them."""

from __future__ import annotations

from archdsl.elaborate.choices import is_open
from archdsl.space.bounds import Interval, SpaceStats, space_stats

__all__ = ["Interval", "SpaceStats", "is_open", "space_stats"]
