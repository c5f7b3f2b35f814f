"""From documents to graphs: blocks expanded, expressions evaluated, shapes known as nodes are added."""

from __future__ import annotations

from archdsl.elaborate.networks import elaborate
from archdsl.elaborate.parameters import LARGEST_RESOLUTION
from archdsl.elaborate.resolutions import at_resolution

__all__ = ["LARGEST_RESOLUTION", "at_resolution", "elaborate"]
