"""Writing weights as safetensors, under our names or those of a key map, from a module or another file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from archdsl.files import write_together
from archdsl.network import Network
from archdsl.source import ArchError, Diagnostic, fail
from archdsl.weights.checking import Report, Target, read_weights
from archdsl.weights.key_maps import owned_weights, translation
from archdsl.weights.loading import load_weights
from archdsl.weights.modules import check_module, derived_buffers, network_for
from archdsl.weights.opening import SAFETENSORS_ENDING
from archdsl.weights.pieces import Misfit, to_theirs

if TYPE_CHECKING:
    from torch import Tensor, nn


def save_weights(
    model: nn.Module,
    path: str | os.PathLike[str],
    *,
    keys: str | None = None,
    network: Network | str | None = None,
) -> None:
    """Write a module's weights as safetensors, under our names or those of a key map.

    The file is written whole or not at all. Raises `ArchError` for a map that there is not.
    """
    output = os.fspath(path)
    _check_ending(output)
    owner = network_for(model, network)
    state = dict(model.state_dict())
    check_module(owner, state)
    write_together({output: weights_bytes(owner, state, keys)})


def convert_weights(
    network: Network,
    path: str,
    output: str,
    keys: str | None = None,
    to: str | None = None,
) -> Report:
    """Write a file of weights anew under the names of another map (None: ours), types and all."""
    _check_ending(output)
    shapes = {o.key: o.shape for o in owned_weights(network.graph) if o.weight.role != "derived"}
    target = Target(network, shapes, None, derived_buffers)
    tensors, report = read_weights(target, path, keys, None, False)
    write_together({output: weights_bytes(network, tensors, to)})
    return report


def write_with_weights(
    network: Network,
    path: str,
    weights: str,
    keys: str | None = None,
    resize: tuple[int, int] | None = None,
    reset_head: bool = False,
) -> str:
    """Write the network's Python file and, beside it, its weights under our names: both or neither.

    `model.load_state_dict(safetensors.torch.load_file(...))` brings them together. Gives what is said of it.
    """
    beside = os.path.splitext(path)[0] + SAFETENSORS_ENDING
    if beside == path or _is_same_file(beside, weights):
        what = "is where its weights go" if beside == path else "is the file of weights itself"
        raise fail("E0702", f"{beside!a} {what}", None, "choose another -o")
    model = network.build()
    report = load_weights(model, weights, keys=keys, resize=resize, reset_head=reset_head, network=network)
    data = weights_bytes(network, dict(model.state_dict()), None)
    write_together({path: network.source().encode(), beside: data})
    return f"{report}\n{beside}: {len(model.state_dict())} tensors (our own names)"


def weights_bytes(network: Network, ours: Mapping[str, Tensor], keys: str | None) -> bytes:
    """The bytes of a safetensors file with these weights under the names of a map."""
    from safetensors.torch import save

    found = translation(network, keys)
    derived = derived_buffers(network) if any(piece.derived for piece in found.pieces) else {}
    result: dict[str, Tensor] = {}
    for piece in found.pieces:
        values = derived if piece.derived else ours
        if any(key not in values for key in piece.ours):
            continue  # a head that the module was built without
        try:
            theirs = to_theirs(piece, [values[key].detach().cpu() for key in piece.ours])
        except Misfit as error:
            span = piece.rule.span if piece.rule is not None else None
            diagnostic = Diagnostic("E0804", f"{' and '.join(piece.ours)}: {error}", span)
            raise ArchError([diagnostic]) from None
        # Parts of one tensor share its memory, which the format can't say.
        result.update({k: v.clone().contiguous() for k, v in zip(piece.theirs, theirs, strict=True)})
    data: bytes = save(result, {"format": "pt"})
    return data


def _is_same_file(a: str, b: str) -> bool:
    return os.path.exists(a) and os.path.exists(b) and os.path.samefile(a, b)


def _check_ending(path: str) -> None:
    if not path.endswith(SAFETENSORS_ENDING):
        message = f"weights are written as {SAFETENSORS_ENDING}, not to {path!a}"
        raise fail("E0702", message, None, "choose another -o")
