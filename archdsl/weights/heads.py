"""The classifier: which weights the number of classes decides."""

from __future__ import annotations

from archdsl.graph import Graph
from archdsl.weights.key_maps import owned_weights


def head_keys(graph: Graph) -> frozenset[str]:
    """The weights of the entries of the head that the number of classes decides."""
    template = graph.template
    entries = {
        index
        for index in range(graph.head, len(template.nodes))
        if "num_classes" in template.reads(template.nodes[index])
    }
    return frozenset(owned.key for owned in owned_weights(graph) if owned.entry in entries)
