"""torch and fvcore as oracles: whether a network's module is what its graph says it is."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

from archdsl.cost import Costs
from archdsl.graph import Graph, Template
from archdsl.network import Network
from archdsl.record import Record
from archdsl.source import Diagnostic, SurroundingsError

if TYPE_CHECKING:
    from torch import nn


class Check(Record):
    """One comparison: what was compared, our figure, theirs, and whether they are equal."""

    what: str
    ours: object
    theirs: object

    @property
    def ok(self) -> bool:
        return self.ours == self.theirs


def verify(network: Network) -> list[Check]:
    """Compare the graph with the module, by torch and fvcore, operator by operator.

    Raises `SurroundingsError` where one of them is not installed.
    """
    graph = network.graph
    graph.verify()
    try:
        import torch

        with warnings.catch_warnings():
            # fvcore scripts a module while it is imported, which torch deprecates.
            warnings.simplefilter("ignore")
            import fvcore.nn  # noqa: F401
    except ModuleNotFoundError as error:
        message = f"the module {error.name!r} is not installed"
        help = f"pip install {error.name}"
        raise SurroundingsError([Diagnostic("E0706", message, None, help)]) from None
    module = network.build().eval()
    inputs = [graph.template.types[value] for _, value in graph.template.inputs]
    images = [torch.zeros(1, *type_.values) for type_ in inputs]
    return [
        *_state_checks(graph, module),
        *_shape_checks(graph, module, images),
        *_flop_checks(graph, module, images),
        *_fvcore_checks(graph, module, images),
    ]


def _state_checks(graph: Graph, module: nn.Module) -> list[Check]:
    params = {key: tuple(value.shape) for key, value in module.named_parameters()}
    stored = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    buffers = {key: tuple(value.shape) for key, value in module.named_buffers()}
    ours: dict[str, dict[str, tuple[int, ...]]] = {"param": {}, "buffer": {}, "derived": {}}
    for key, weight in graph.weights():
        role = "buffer" if weight.role == "counter" else weight.role
        ours[role][key] = tuple(axis.int for axis in weight.axes)
    costs = Costs(graph).network
    return [
        Check("parameters", costs.params, sum(p.numel() for p in module.parameters())),
        Check("buffers", costs.buffers, sum(b.numel() for b in module.buffers())),
        Check("keys and shapes of parameters", ours["param"], params),
        Check("keys and shapes of state_dict", {**ours["param"], **ours["buffer"]}, stored),
        Check("buffers that are not stored", ours["derived"],
              {key: shape for key, shape in buffers.items() if key not in stored}),
    ]  # fmt: skip


def block_shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    """The output shape of every block of the network by its path; those called twice are left out.

    So are those that run in training alone.
    """
    result: dict[str, tuple[int, ...]] = {}

    def walk(template: Template, prefix: str) -> None:
        for index, node in enumerate(template.nodes):
            if node.child is None or node.label is None or node.module != index:
                continue
            if index in template.trained_alone:
                continue
            path = prefix + node.label
            if len(node.outputs) == 1:
                result[path] = template.types[node.outputs[0]].values
            walk(node.child, path + ".")

    walk(graph.template, "")
    return result


def _shape_checks(graph: Graph, module: nn.Module, images: list[Any]) -> list[Check]:
    import torch

    seen: dict[str, tuple[int, ...]] = {}
    wanted = block_shapes(graph)

    def hook(path: str) -> Any:
        def note(_module: Any, _inputs: Any, output: Any) -> None:
            seen[path] = tuple(output.shape[1:])

        return note

    handles = [
        inner.register_forward_hook(hook(path)) for path, inner in module.named_modules() if path in wanted
    ]
    with torch.no_grad():
        module(*images)
        if graph.features and wanted.keys() - seen.keys():
            make_maps: Any = module.features  # some entries make maps of the pyramid alone
            make_maps(*images)
    for handle in handles:
        handle.remove()
    return [Check("shapes of blocks", wanted, seen)]


def _flop_checks(graph: Graph, module: nn.Module, images: list[Any]) -> list[Check]:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*images)
    macs = counter.get_total_flops() // 2
    return [Check("MACs by torch's FlopCounterMode", Costs(graph).network.total_macs, macs)]


def fvcore_counts(module: nn.Module, images: list[Any]) -> dict[str, int]:
    """What fvcore reports for a module, by its names of the operators."""
    from fvcore.nn import FlopCountAnalysis

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analysis = FlopCountAnalysis(module, tuple(images)).unsupported_ops_warnings(False)
        counts = analysis.uncalled_modules_warnings(False).by_operator()
    return {name: int(count) for name, count in counts.items() if count}


def _fvcore_checks(graph: Graph, module: nn.Module, images: list[Any]) -> list[Check]:
    ours = Costs(graph, "fvcore").network.macs
    theirs = fvcore_counts(module, images)
    return [
        Check(f"{name} by fvcore", ours.get(name, 0), theirs.get(name, 0)) for name in sorted({*ours, *theirs})
    ]
