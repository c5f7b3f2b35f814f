"""Which resolutions a network can take: found by trying, since only its blocks know."""

from __future__ import annotations

from typing import Final

from archdsl import syntax as s
from archdsl.elaborate.networks import elaborate
from archdsl.elaborate.parameters import LARGEST_RESOLUTION, check_bounds
from archdsl.graph import Graph
from archdsl.library import Unit
from archdsl.source import ArchError, Diagnostic

MOST_TRIES: Final = 12
"""So many sizes are tried in each direction."""


def at_resolution(
    unit: Unit,
    network: s.Network,
    resolution: tuple[int, int],
) -> Graph:
    """The graph at (rows, columns); raises `ArchError` that names the legal ones near an illegal one."""
    check_bounds(resolution)
    try:
        return elaborate(unit, network, resolution)
    except ArchError as error:
        # At its own resolution a wrong document is as wrong: then the resolution is not to blame.
        native = elaborate(unit, network)
        near = nearest_legal(unit, network, resolution, native)
        rows, columns = resolution
        message = f"{network.name} can't take {rows} x {columns}"
        known = " and ".join(f"{near_rows} x {near_columns}" for near_rows, near_columns in near)
        remedy = f"legal near it: {known}" if known else None
        first = Diagnostic("E0703", message, network.span, remedy)
        raise ArchError([first, *error.diagnostics]) from None


def total_stride(graph: Graph) -> int:
    """Rows of the input to a row of the smallest map, rounded."""
    rows = graph.resolution[0]
    maps = [
        graph.template.types[value].values[1]
        for node in graph.template.nodes
        for value in node.outputs
        if graph.template.types[value].rank == 3
    ]
    return max(1, round(rows / min(maps))) if maps else 1


def nearest_legal(
    unit: Unit,
    network: s.Network,
    resolution: tuple[int, int],
    native: Graph,
) -> list[tuple[int, int]]:
    """The nearest legal sizes below and above, in multiples of the network's total stride."""
    step = total_stride(native)
    found: list[tuple[int, int]] = []
    for direction in (-1, 1):
        for count in range(MOST_TRIES):
            sizes = [
                (size // step if direction < 0 else -(-size // step)) * step + direction * count * step
                for size in resolution
            ]
            candidate = (sizes[0], sizes[1])
            if candidate == resolution or not all(1 <= s_ <= LARGEST_RESOLUTION for s_ in sizes):
                continue
            try:
                elaborate(unit, network, candidate)
            except ArchError:
                continue
            found.append(candidate)
            break
    return found
