"""Exact costs of a graph: parameters, multiply-accumulates, bytes. Integers, under a named convention.

Conventions count the same network differently; a figure without its convention means nothing.

    core    every trained weight; multiply-accumulates of convolutions, linear layers and products of
            matrices
    fvcore  the same parameters; what fvcore 0.1.5 reports for our module: core, and 2 an element of batch
            norm, 5 of layer norm, 4 of a bilinear and 1 of a nearest upsampling, 1 of adaptive pooling
    paper   what the authors of EfficientFormerV2 counted: no batch norm, attention bias or layer scale,
            a convolution's bias as one weight an input channel of a group; core, and C * H a GELU of a
            map, 1 an element a GELU of tokens, 2 of layer norm, k * k of average pooling
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from archdsl.graph import Graph, Node, Template
from archdsl.ops import Op, TensorType, product, total

Convention: TypeAlias = Literal["core", "fvcore", "paper"]
CONVENTIONS: Final[tuple[Convention, ...]] = ("core", "fvcore", "paper")


class Cost(NamedTuple):
    """Of one forward pass of one image in evaluation; `macs` by the name of the operator.

    `buffers` counts everything of state_dict that is not trained, and what the constructor derives;
    `statistics` and `counters` are those parts of it that are stored, as floats and as int64.
    """

    params: int
    buffers: int
    statistics: int
    counters: int
    macs: dict[str, int]

    @property
    def total_macs(self) -> int:
        return sum(self.macs.values())


def _op_macs(op: Op, types: tuple[TensorType, ...], convention: Convention) -> dict[str, int]:
    """The multiply-accumulates of one primitive, by operator."""
    match convention:
        case "core":
            counts = {op.operator: op.macs(*types)}
        case "fvcore":
            counts = op.fvcore(*types)
        case "paper":
            counts = {op.operator or op.kind: op.paper_macs(*types)}
    return {name: count for name, products in counts.items() if (count := total(products))}


class TemplateCosts:
    """The costs of templates under one convention, each computed once, when it is asked for."""

    def __init__(self, convention: Convention = "core") -> None:
        self.convention: Convention = convention
        self._templates: dict[int, Cost] = {}

    def template(self, template: Template) -> Cost:
        """The cost of one block. Templates are known by identity: they must stay alive as long as this does."""
        found = self._templates.get(id(template))
        if found is None:
            found = self._templates[id(template)] = self.of(template, range(len(template.nodes)))
        return found

    def node(self, template: Template, index: int) -> Cost:
        """The cost of one call; a module that is called again owns nothing the second time.

        What runs in training alone has its weights, and does nothing in evaluation.
        """
        cost = self.added(template, template.nodes[index], index)
        return cost._replace(macs={}) if index in template.trained_alone else cost

    def added(self, template: Template, node: Node, index: int) -> Cost:
        """The cost of a node that stands, or is to stand, at an index of a template."""
        cost = self.of_node(template, node)
        return cost if node.module == index else cost._replace(params=0, buffers=0, statistics=0, counters=0)

    def of(self, template: Template, indices: range) -> Cost:
        """The cost of some calls together."""
        nodes = template.nodes
        # Equal blocks are counted, and their cost added once: a stage may repeat one ten thousand times.
        times: dict[tuple[int, bool, bool], int] = {}
        first: dict[tuple[int, bool, bool], int] = {}
        trained = template.trained_alone
        for index in indices:
            node = nodes[index]
            called = id(node) if node.child is None else id(node.child)
            key = (called, node.module == index, index in trained)
            times[key] = times.get(key, 0) + 1
            first.setdefault(key, index)
        params = buffers = statistics = counters = 0
        macs: dict[str, int] = {}
        for key, index in first.items():
            cost, count = self.node(template, index), times[key]
            params += cost.params * count
            buffers += cost.buffers * count
            statistics += cost.statistics * count
            counters += cost.counters * count
            for name, products in cost.macs.items():
                macs[name] = macs.get(name, 0) + products * count
        return Cost(params, buffers, statistics, counters, macs)

    def of_node(self, template: Template, node: Node) -> Cost:
        """The cost of a node that owns what it uses."""
        if node.op is None:
            assert node.child is not None
            return self.template(node.child)
        types = template.input_types(node)
        macs = _op_macs(node.op, types, self.convention)
        weights = node.op.weights(*types)
        if not weights:
            return Cost(0, 0, 0, 0, macs)
        sizes = {"param": 0, "buffer": 0, "counter": 0, "derived": 0}
        for weight in weights:
            sizes[weight.role] += product(weight.axes)
        params = sizes["param"]
        if self.convention == "paper":
            params = total(node.op.paper_params(*types))
        buffers = sizes["buffer"] + sizes["counter"] + sizes["derived"]
        return Cost(params, buffers, sizes["buffer"], sizes["counter"], macs)


class Costs(TemplateCosts):
    """The costs of a graph under one convention."""

    def __init__(self, graph: Graph, convention: Convention = "core") -> None:
        super().__init__(convention)
        self.graph = graph
        # Those that others use first: no recursion is as deep as the blocks.
        for template in graph.templates():
            self.template(template)

    @property
    def network(self) -> Cost:
        """The cost of the whole."""
        return self.template(self.graph.template)
