"""From documents to graphs: blocks expanded, expressions evaluated, shapes known as nodes are added."""

from __future__ import annotations

from archdsl.elaborate.networks import LARGEST_RESOLUTION, elaborate
from archdsl.elaborate.resolutions import at_resolution

__all__ = ["LARGEST_RESOLUTION", "at_resolution", "elaborate"]
