"""Files of references imported beside today's timm: what they take from older ones is put where it was."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from types import ModuleType

MOVED = {
    "timm.models.layers.helpers": "timm.layers.helpers",
    "timm.models.layers.drop": "timm.layers.drop",
    "timm.models.layers.weight_init": "timm.layers.weight_init",
    "timm.models.registry": "timm.models._registry",
    "timm.models.helpers": "timm.models._helpers",
    "timm.models.vision_transformer": "timm.models.vision_transformer",
}


def import_file(checkout: Path, path: str, package: str = "") -> ModuleType:
    """The module in a file of the checkout; with `package`, as part of its folder, without its __init__."""
    _old_timm()
    sys.path.insert(0, str(checkout))
    file = checkout / path
    if package:
        folder = types.ModuleType(package)
        folder.__path__ = [str(file.parent)]
        sys.modules[package] = folder
        return importlib.import_module(f"{package}.{file.stem}")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def fake(name: str, **names: object) -> None:
    """Put a module of some names where a package is missing, and modules for what it is in."""
    parent = ""
    for part in name.split("."):
        path = f"{parent}.{part}" if parent else part
        module = sys.modules.setdefault(path, types.ModuleType(path))
        module.__dict__.setdefault("__path__", [])
        if parent:
            setattr(sys.modules[parent], part, module)
        parent = path
    vars(sys.modules[name]).update(names)


def _old_timm() -> None:
    from reference import timm

    timm()
    layers = importlib.import_module("timm.layers")
    for name in ("timm.models.layers", *MOVED):
        target = layers if name == "timm.models.layers" else importlib.import_module(MOVED[name])
        sys.modules[name] = target
    vision_transformer = sys.modules["timm.models.vision_transformer"]
    vars(vision_transformer).setdefault("_cfg", lambda **settings: settings)
    vars(sys.modules["timm.models.helpers"]).setdefault("load_pretrained", None)
