"""The modules that weights go into and come from, and the networks that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archdsl.network import Network, load, network_of
from archdsl.source import fail
from archdsl.weights.heads import head_keys
from archdsl.weights.key_maps import owned_weights

if TYPE_CHECKING:
    from torch import Tensor, nn


def network_for(model: nn.Module, given: Network | str | None) -> Network:
    if isinstance(given, Network):
        return given
    if given is not None:
        return load(given)
    found = network_of(model)
    if found is None:
        message = f"{type(model).__name__} was not built by archdsl"
        raise fail("E0820", message, None, 'say what it is: network=archdsl.load("...")')
    return found


def check_module(network: Network, state: Mapping[str, Tensor]) -> None:
    """Refuse a module that is not the network's: other weights, or the same of another rank or no memory."""
    weights = {o.key: o for o in owned_weights(network.graph) if o.weight.role != "derived"}
    absent = weights.keys() - state.keys()
    surplus = state.keys() - weights.keys()
    if surplus or not absent <= head_keys(network.graph):
        first = min(surplus or absent)
        what = "has" if surplus else "has no"
        message = f"the module is no {network.name}: it {what} {first!r}"
        raise fail("E0820", message, None, "give the network that it was built from: network=...")
    for key, tensor in state.items():
        if tensor.device.type == "meta":
            raise fail("E0820", f"{key!r} is on the device 'meta', where nothing can be loaded")
        if tensor.dim() != len(weights[key].shape):
            message = f"the module is no {network.name}: {key!r} is {list(tensor.shape)}"
            raise fail("E0820", message, None, "give the network that it was built from: network=...")


def derived_buffers(network: Network) -> Mapping[str, Tensor]:
    """The buffers that the network's constructor makes and state_dict does not hold."""
    module = network.build()
    stored = module.state_dict().keys()
    return {key: buffer for key, buffer in module.named_buffers() if key not in stored}
