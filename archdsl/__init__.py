"""archdsl: vision networks as documents in a language.

    >>> import archdsl
    >>> network = archdsl.load("specs/s0.yaml")
    >>> network.stats().params
    3600256

`load(...)` gives `.stats()`, `.graph`, `.source()` and `.build()`; `build(...)` gives the module;
`load_weights(module, file)` and `save_weights(module, file)` go by the key maps of its document.
Nothing here imports torch before a module is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.version import VERSION as __version__

if TYPE_CHECKING:
    from archdsl.network import Network, build, load
    from archdsl.source import ArchError
    from archdsl.stats import Stats
    from archdsl.weights import load_weights, save_weights

__all__ = [
    "ArchError", "Network", "Stats", "__version__", "build", "load", "load_weights", "save_weights",
]  # fmt: skip

_HOMES = {
    "ArchError": "archdsl.source",
    "Network": "archdsl.network",
    "Stats": "archdsl.stats",
    "build": "archdsl.network",
    "load": "archdsl.network",
    "load_weights": "archdsl.weights",
    "save_weights": "archdsl.weights",
}


def __getattr__(name: str) -> object:
    # Late, so that `import archdsl` costs nothing.
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'archdsl' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)
