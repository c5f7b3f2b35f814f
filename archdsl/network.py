"""A document opened: its graph, figures, source and module, each made when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from archdsl import syntax as s
from archdsl.cost import Convention
from archdsl.cost.memory import Dtype
from archdsl.elaborate import at_resolution, elaborate
from archdsl.graph import Graph
from archdsl.library import Library, Unit
from archdsl.source import ArchError, Diagnostic, Source, did_you_mean, fail
from archdsl.stats import By, Stats
from archdsl.stats import stats as figures
from archdsl.version import VERSION

if TYPE_CHECKING:
    from torch import nn

    from archdsl.emit import Header


class Network:
    """A network of a document, at a resolution and with its parameters set."""

    def __init__(
        self,
        unit: Unit,
        network: s.Network,
        resolution: tuple[int, int] | None,
        overrides: Mapping[str, s.Expr],
        settings: Sequence[str],
    ) -> None:
        self.unit = unit
        self.document = network
        self._resolution = resolution
        self._overrides = dict(overrides)
        self._settings = tuple(settings)

    @property
    def name(self) -> str:
        """The network's name."""
        return self.document.name

    @property
    def lineage(self) -> tuple[str, ...]:
        """Its name, and those of the networks that it comes from: the key rules of all of them hold."""
        return (self.name,)

    @property
    def key_maps(self) -> Mapping[str, Mapping[str, s.KeyRules]]:
        """The key maps that its document sees, by name and then by block or network."""
        return self.unit.keys

    def at(self, resolution: tuple[int, int]) -> Network:
        """The same network for inputs of other rows and columns."""
        return Network(self.unit, self.document, resolution, self._overrides, self._settings)

    def __repr__(self) -> str:
        return f"<archdsl.Network {self.name} of {self.unit.source.name}>"

    @cached_property
    def graph(self) -> Graph:
        """The graph; raises `ArchError` with everything that is wrong with the document."""
        if self._resolution is None:
            return elaborate(self.unit, self.document, None, self._overrides)
        return at_resolution(self.unit, self.document, self._resolution, self._overrides)

    def stats(
        self,
        convention: Convention = "core",
        by: By = "stage",
        dtype: Dtype = "float32",
        batch: int = 1,
    ) -> Stats:
        """The figures: parameters, MACs, bytes, and a row a stage, block or primitive."""
        return figures(self.graph, convention, by, dtype, batch)

    def source(self) -> str:
        """The text of a Python file with the network, which needs torch alone."""
        from archdsl import emit

        return emit.source(self.graph, self._header())

    def build(
        self,
        num_classes: int | None = None,
        in_channels: int | None = None,
        drop_path: float | None = None,
    ) -> nn.Module:
        """The module: the text of `source()`, executed, its class called with what is given.

        Without classes (`num_classes=0`) the module gives what its head pools. Raises `TypeError` for
        an argument that the network does not have, `SurroundingsError` where torch is missing.
        """
        from archdsl.execute import check_memory

        check_memory(self.stats().params)
        given = {"num_classes": num_classes, "in_channels": in_channels, "drop_path": drop_path}
        made: nn.Module = self.module_class()(
            **{name: value for name, value in given.items() if value is not None}
        )
        return made

    def module_class(self) -> type[nn.Module]:
        """The class of `source()`."""
        from archdsl.emit.names import class_name
        from archdsl.execute import module_class

        made = module_class(self.source(), class_name(self.name), self.graph.fingerprint)
        _NETWORKS[made] = self
        return made

    @property
    def command(self) -> str:
        """The command that writes this network's file again, the same in every folder."""
        parts = ["archdsl build", self.unit.command_name]
        if self._resolution is not None:
            rows, columns = self._resolution
            parts.append(f"--resolution {rows}" + (f"x{columns}" if columns != rows else ""))
        parts += [f"--set {setting}" for setting in self._settings]
        return " ".join(parts)

    def _header(self) -> Header:
        from archdsl.emit import Header

        core = self.stats()
        return Header(VERSION, self.graph.fingerprint, self.command, core.params, core.macs, "core")


# Two documents that give the same text share a class: the one that was built last is remembered.
_NETWORKS: WeakKeyDictionary[type, Network] = WeakKeyDictionary()


def network_of(model: object) -> Network | None:
    """The network that a module was built from, or None for a module from elsewhere."""
    return _NETWORKS.get(type(model))


def load(
    spec: str | os.PathLike[str],
    resolution: int | tuple[int, int] | None = None,
    parameters: Mapping[str, object] | None = None,
    search: Sequence[str] = (),
) -> Network:
    """Open a document: a path, or the name of a bundled spec (`s0`, `specs/s0.yaml`).

    `resolution` is rows and columns of the input, one number for both; `parameters` override those
    that the network declares (values, or texts of the language such as `"[4, 3 * 3]"`); `search` are
    folders with blocks of your own. Raises `ArchError` for a document that can't be read; one whose
    graph can't be made raises when the graph is asked for.
    """
    unit = Library((*search, *_search_path())).open(os.fspath(spec))
    networks = unit.document.networks
    if not networks:
        message = f"{unit.source.name!a} holds blocks and no network"
        raise fail("E0708", message, None, "import it from a document with a network")
    if len(networks) > 1:
        names = ", ".join(network.name for network in networks)
        raise fail("E0708", f"{unit.source.name!a} holds several networks: {names}")
    size = (resolution, resolution) if isinstance(resolution, int) else resolution
    settings = [f"{name}={value_text(value)}" for name, value in (parameters or {}).items()]
    overrides = _overrides(settings, networks[0])
    return Network(unit, networks[0], size, overrides, settings)


def build(spec: str | os.PathLike[str], **options: Any) -> nn.Module:
    """The module of a document: `load(spec).build()`, with the options of both."""
    own = {"num_classes", "in_channels", "drop_path"}
    opened = load(spec, **{k: v for k, v in options.items() if k not in own})
    return opened.build(**{k: v for k, v in options.items() if k in own})


def value_text(value: object) -> str:
    """A Python value as the language writes it; texts are taken to be the language already."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(value_text, value)) + "]"
    return str(value)


def _overrides(settings: Sequence[str], network: s.Network) -> dict[str, s.Expr]:
    from archdsl.read_arch import read_expression

    result: dict[str, s.Expr] = {}
    known = [param.name for param in network.params]
    mistakes: list[Diagnostic] = []
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals or name not in known:
            help = did_you_mean(name, known, "its parameters") if equals else "name=value"
            message = f"{network.name} has no parameter {name!a}"
            mistakes.append(Diagnostic("E0401", message, None, help))
            continue
        try:
            result[name] = read_expression(Source(f"--set {name}", text), text, (0, 0))
        except ArchError as error:
            mistakes += error.diagnostics
    if mistakes:
        raise ArchError(mistakes)
    return result


def _search_path() -> list[str]:
    """Folders of a user's own blocks, from the environment variable ARCHDSL_PATH."""
    return [folder for folder in os.environ.get("ARCHDSL_PATH", "").split(os.pathsep) if folder]
