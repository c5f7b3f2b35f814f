"""A document opened: its graph, figures, source and module, each made when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from archdsl.cost import Convention, Cost, Costs
from archdsl.cost.memory import Dtype
from archdsl.elaborate import at_resolution, elaborate
from archdsl.graph import Graph
from archdsl.library import Library
from archdsl.stats import By, Stats
from archdsl.stats import stats as figures
from archdsl.variants import Chosen, choose, names
from archdsl.version import VERSION

if TYPE_CHECKING:
    from torch import nn

    from archdsl import syntax as s
    from archdsl.emit import Header
    from archdsl.space import SpaceStats
    from archdsl.space.freeze import Frozen


class Network:
    """A network of a document, at a resolution and with its parameters set."""

    def __init__(
        self,
        chosen: Chosen,
        command_name: str,
        resolution: tuple[int, int] | None,
        settings: Sequence[str],
    ) -> None:
        self.chosen = chosen
        self.unit = chosen.unit
        self.written = chosen.network
        """The network as the document has it, the settings of its variants beside its parameters."""
        self.lineage = chosen.lineage
        """Its name, and the names of the variants and the network that it comes from."""
        self._command_name = command_name
        self._resolution = resolution
        self._settings = tuple(settings)

    @property
    def name(self) -> str:
        """The network's name."""
        return self.written.name

    @property
    def key_maps(self) -> Mapping[str, Mapping[str, s.KeyRules]]:
        """The key maps that its document sees, by name and then by block or network."""
        return self.unit.keys

    def at(self, resolution: tuple[int, int]) -> Network:
        """The same network for inputs of other rows and columns."""
        return Network(self.chosen, self._command_name, resolution, self._settings)

    def __repr__(self) -> str:
        return f"<archdsl.Network {self.name} of {self.unit.source.name}>"

    @cached_property
    def graph(self) -> Graph:
        """The graph; raises `ArchError` with everything that is wrong with the document."""
        if self._resolution is None:
            return elaborate(self.unit, self.written)
        return at_resolution(self.unit, self.written, self._resolution)

    def stats(
        self,
        convention: Convention = "core",
        by: By = "stage",
        dtype: Dtype = "float32",
        batch: int = 1,
    ) -> Stats:
        """The figures: parameters, MACs, bytes, and a row a stage, block or primitive."""
        return figures(self.graph, convention, by, dtype, batch)

    @property
    def is_open(self) -> bool:
        """Whether it leaves decisions open: then it is a space of networks, which has no graph of its own."""
        from archdsl.space import is_open

        return is_open(self.written)

    def space(self, convention: Convention = "core", dtype: Dtype = "float32", batch: int = 1) -> SpaceStats:
        """The figures of a space: its exact size, its decisions, the least and most of each cost."""
        from archdsl.space import space_stats

        return space_stats(self.unit, self.written, self._resolution, convention, dtype, batch)

    def freeze(self, picks: Mapping[str, object], name: str | None = None) -> Frozen:
        """The network of a space that picks decide for: `{"width[0]": 32, "s3.*.expansion": [4, 3, 3]}`.

        Raises `ArchError` for decisions left open, picks of nothing, and conditions that are not kept to.
        """
        from archdsl.space.freeze import freeze
        from archdsl.space.picks import Picks

        texts: dict[str, str | list[str]] = {
            key: [value_text(item) for item in value] if isinstance(value, list | tuple) else value_text(value)
            for key, value in picks.items()
        }
        return freeze(self.chosen, Picks(texts), self._resolution, name)

    def sample(self, seed: int, name: str | None = None) -> Frozen:
        """A network of a space, drawn at random: the same for the same seed."""
        from archdsl.space.freeze import sample

        return sample(self.chosen, seed, self._resolution, name)

    @cached_property
    def core(self) -> Cost:
        """What the whole costs under the convention core."""
        return Costs(self.graph).network

    def source(self) -> str:
        """The text of a Python file with the network, which needs torch alone."""
        return self._source

    @cached_property
    def _source(self) -> str:
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
        from shlex import quote

        parts = ["archdsl build", quote(self._command_name)]
        if self._resolution is not None:
            rows, columns = self._resolution
            parts.append(f"--resolution {rows}" + (f"x{columns}" if columns != rows else ""))
        parts += [f"--set {quote(setting)}" for setting in self._settings]
        return " ".join(parts)

    def _header(self) -> Header:
        from archdsl.emit import Header

        return Header(VERSION, self.graph.fingerprint, self.command, self.core.params, self.core.total_macs)


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

    `#name` behind it takes one network or variant of several: `mine.arch#Small`. `resolution` is rows and
    columns of the input, one number for both; `parameters` set parameters, entries and arguments of blocks
    by their path (values, or texts of the language such as `"[4, 3 * 3]"`); `search` are folders with
    blocks of your own. Raises `ArchError` for a document that can't be read; one whose graph can't be
    made raises when the graph is asked for.
    """
    settings = [f"{path}={value_text(value)}" for path, value in (parameters or {}).items()]
    return load_with_settings(os.fspath(spec), resolution, settings, search)


def load_with_settings(
    spec: str,
    resolution: int | tuple[int, int] | None,
    settings: Sequence[str],
    search: Sequence[str],
) -> Network:
    """As `load`, with settings as a variant writes them: `path = value`, `path += value`, `unset path`."""
    file, name = _file_and_name(spec)
    library = Library((*search, *_search_path()))
    unit = library.open(file)
    chosen = choose(library, unit, name, settings)
    command_name = unit.command_name + (f"#{name}" if name else "")
    size = (resolution, resolution) if isinstance(resolution, int) else resolution
    return Network(chosen, command_name, size, settings)


def names_in(spec: str | os.PathLike[str], search: Sequence[str] = ()) -> list[str]:
    """The addresses of all networks, variants and spaces of a document: `zoo/levit#LeViT_192`, ...

    Of a document that holds one, and of an address that has a `#` already, that alone. Raises `ArchError` for a
    document that can't be read.
    """
    spec = os.fspath(spec)
    file, name = _file_and_name(spec)
    known = names(Library((*search, *_search_path())).open(file).document)
    return [spec] if name is not None or len(known) < 2 else [f"{file}#{known_name}" for known_name in known]


def _file_and_name(spec: str) -> tuple[str, str | None]:
    """`file#variant` in its two parts; a file that has a `#` in its name is found all the same."""
    if os.path.lexists(spec):
        return spec, None
    file, _, name = spec.rpartition("#")
    return (file, name) if file else (spec, None)


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


def _search_path() -> list[str]:
    """Folders of a user's own blocks, from the environment variable ARCHDSL_PATH."""
    return [folder for folder in os.environ.get("ARCHDSL_PATH", "").split(os.pathsep) if folder]
