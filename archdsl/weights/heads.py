"""The classifier: which weights the number of classes decides."""

from __future__ import annotations

from archdsl.graph import Graph
from archdsl.scalar import Scalar, Term, Var
from archdsl.weights.key_maps import owned_weights


def head_keys(graph: Graph) -> frozenset[str]:
    """The weights of the entries of the head that the number of classes decides."""
    entries = {
        index
        for index in range(graph.head, len(graph.template.nodes))
        if any(_reads(value, "num_classes") for value in _given(graph, index))
    }
    return frozenset(owned.key for owned in owned_weights(graph) if owned.entry in entries)


def _given(graph: Graph, index: int) -> list[object]:
    node = graph.template.nodes[index]
    if node.op is not None:
        return [getattr(node.op, name) for name in node.op._fields]
    return [pair for _, pair in node.binds]


def _reads(value: object, name: str) -> bool:
    """Whether the terms of an argument name a parameter of the network."""
    if isinstance(value, Scalar):
        return _names(value.term, name)
    return isinstance(value, tuple) and any(_reads(item, name) for item in value)


def _names(term: Term, name: str) -> bool:
    if isinstance(term, Var):
        return term.name == name
    return isinstance(term, tuple) and any(_names(argument, name) for argument in term.args)
