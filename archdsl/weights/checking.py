"""A file of weights against a network: which map it follows, and everything that does not fit.

Nothing is loaded here. What comes out are our tensors by our keys, all of them checked, or an error that
names every mistake in the words of the file.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from archdsl.network import Network
from archdsl.record import Record
from archdsl.source import SHOWN_ERRORS, ArchError, Diagnostic, fail, nearest
from archdsl.weights.checkpoints import Checkpoint
from archdsl.weights.heads import head_keys
from archdsl.weights.key_maps import Translation, own_names, owned_weights, translation
from archdsl.weights.opening import open_checkpoint
from archdsl.weights.pieces import Misfit, Piece, Shape, text, their_shapes, to_ours
from archdsl.weights.resampling import grid_of, resampling

if TYPE_CHECKING:
    from torch import Tensor

FLOATS: Final = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
MOST_COMPARED: Final = 500
"""Among so many names the nearest one is looked for."""
MOST_BEGINNINGS: Final = 8
"""So many beginnings of keys are named where a map does not fit."""
INTEGERS: Final = ("uint8", "int8", "int16", "int32", "int64")


class Report(Record):
    """What was loaded: the file, the map that it follows (None: our own names), and what was done.

    `resized` are the tables that were resampled, `reset` the weights that keep their initialisation,
    `dropped` the names of the file that its map drops.
    """

    file: str
    keys: str | None
    loaded: tuple[str, ...]
    resized: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = "our own names" if self.keys is None else f"keys {self.keys}"
        lines = [f"{self.file}: {len(self.loaded)} tensors loaded ({names})"]
        for keys, what in (
            (self.resized, "resampled for this resolution"),
            (self.reset, "keep their initialisation"),
            (self.dropped, "of the file left out"),
        ):
            if keys:
                shown = ", ".join(keys[:4]) + (", ..." if len(keys) > 4 else "")
                lines.append(f"  {len(keys)} {what}: {shown}")
        return "\n".join(lines)


class Target(Record):
    """What a file must fit: the network, and the shapes and types of our weights as they stand.

    The shapes are those of a module, which may have been built with other classes or channels than its
    document says. `dtypes` is None where any type will do. `derived` gives the buffers that a constructor
    makes.
    """

    network: Network
    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str] | None
    derived: Callable[[Network], Mapping[str, Tensor]]


def read_weights(
    target: Target,
    path: str,
    keys: str | None,
    resize: tuple[int, int] | None,
    reset_head: bool,
) -> tuple[dict[str, Tensor], Report]:
    """Our tensors from a file, and what was done for that. Raises `ArchError` with all that is wrong."""
    source = target.network if resize is None else target.network.at(resize)
    sizes = [owned.weight.size for owned in owned_weights(source.graph)]
    checkpoint = open_checkpoint(path, sum(sizes), len(sizes))
    reader = _Reader(target, path, checkpoint, source, reset_head)
    reader.choose(keys)
    return reader.read()


class _Reader:
    """Holds one file against one network."""

    def __init__(
        self, target: Target, path: str, checkpoint: Checkpoint, source: Network, reset_head: bool
    ) -> None:
        self.target, self.path, self.checkpoint, self.source = target, path, checkpoint, source
        self.reset_head = reset_head
        self.new = {owned.key: owned for owned in owned_weights(target.network.graph)}
        self.old = {owned.key: owned for owned in owned_weights(source.graph)}
        self.head = head_keys(target.network.graph)
        if reset_head and not self.head:
            message = f"{target.network.name} has no classifier that could begin anew"
            raise fail("E0817", message, None, "leave --reset-head out")
        self.mistakes: list[Diagnostic] = []
        self.is_given = False
        self.map = own_names(source.graph)
        self.pieces: list[Piece] = []
        self.left_out: list[Piece] = []

    # --- which map

    def choose(self, keys: str | None) -> None:
        """Take the map of a name, or find the one that the file follows."""
        self.is_given = keys is not None
        if keys is not None:
            self._take(translation(self.source, keys))
            return
        own = own_names(self.source.graph)
        if not self._difference(own):
            self._take(own)
            return
        maps = [translation(self.source, name) for name in self.target.network.key_maps]
        fitting = [found for found in maps if not self._difference(found)]
        if len(fitting) > 1:
            fitting = [found for found in fitting if self._shapes_fit(found)] or fitting
        if len(fitting) > 1:
            names = " and ".join(str(found.name) for found in fitting)
            raise fail("E0813", f"{self.path!a} fits the keys {names}", None, "name one of them: --keys NAME")
        # Where none fits, the nearest one tells what is wrong.
        self._take(fitting[0] if fitting else min([own, *maps], key=self._difference))

    def _split(self, found: Translation) -> tuple[list[Piece], list[Piece]]:
        """The pieces to be read, and those of a head that begins anew or that the module does not have."""
        read: list[Piece] = []
        left: list[Piece] = []
        for piece in found.pieces:
            absent = any(key not in self.target.shapes for key in piece.ours)
            in_head = self.head.issuperset(piece.ours)
            (left if in_head and (absent or self.reset_head) else read).append(piece)
        return read, left

    def _difference(self, found: Translation) -> int:
        """How many names the file has and the map does not, or the other way round."""
        read, left = self._split(found)
        wanted = {name for piece in read for name in piece.theirs}
        known = wanted | {name for piece in left for name in piece.theirs}
        there = self.checkpoint.shapes
        surplus = [name for name in there if name not in known and not found.drops_key(name)]
        return len(wanted - there.keys()) + len(surplus)

    def _shapes_fit(self, found: Translation) -> bool:
        try:
            return all(
                self.checkpoint.shapes[name] == shape
                for piece in self._split(found)[0]
                for name, shape in zip(piece.theirs, self._wanted(piece), strict=True)
            )
        except Misfit:
            return False

    def _take(self, found: Translation) -> None:
        self.map = found
        self.pieces, self.left_out = self._split(found)

    # --- everything that does not fit

    def read(self) -> tuple[dict[str, Tensor], Report]:
        self._check_names()
        self._check_shapes()
        self._stop()
        result = self._tensors()
        self._stop()
        known = {name for piece in self.map.pieces for name in piece.theirs}
        resized = tuple(key for key in result if self._resized(key))
        reset = tuple(key for piece in self.left_out for key in piece.ours if key in self.target.shapes)
        dropped = tuple(name for name in self.checkpoint.shapes if name not in known)
        loaded = tuple(result)
        return result, Report(self.path, self.map.name, loaded, resized, reset, dropped)

    def _stop(self) -> None:
        if self.mistakes:
            raise ArchError(self.mistakes)

    def _wrong(self, code: str, message: str, help: str | None = None) -> None:
        self.mistakes.append(Diagnostic(code, message, None, help))

    def _named(self, piece: Piece, name: str) -> str:
        """A name of theirs with ours beside it."""
        ours = " + ".join(piece.ours)
        return repr(name) if ours == name else f"{name!r} (ours: {ours})"

    def _check_names(self) -> None:
        there = self.checkpoint.shapes
        wanted = {name: piece for piece in self.pieces for name in piece.theirs}
        left = {name: piece for piece in self.left_out for name in piece.theirs}
        surplus = [
            name for name in there if name not in wanted and name not in left and not self.map.drops_key(name)
        ]
        missing = [name for name in wanted if name not in there]
        if missing or surplus:
            counts = f"{len(missing)} missing, {len(surplus)} surplus"
            message = f"{self.path!a} is read by {self.map.shown}: {counts}"
            names = ", ".join(self.target.network.key_maps)
            helps = [f"name the map that it follows: --keys NAME, one of {names}"] if names else []
            helps = [] if self.is_given else helps
            if missing and surplus and len(missing) + len(surplus) > SHOWN_ERRORS:
                helps.append(f"missing are {_counted(missing)}; left over are {_counted(surplus)}")
            self._wrong("E0813", message, "; ".join(helps) or None)
        first = len(self.mistakes)
        for number, name in enumerate(missing):
            # Looking for the nearest name takes time: where it is printed, and not among thousands.
            look = number < SHOWN_ERRORS and len(surplus) <= MOST_COMPARED
            close = nearest(name, surplus) if look else None
            help = f"did you mean {close!a}, which is there?" if close else None
            self._wrong("E0811", f"no {self._named(wanted[name], name)} in the file", help)
        for name in surplus:
            help = f"if it is no loss, the map can say so: drop {name!a}" if self.map.name else None
            self._wrong("E0812", f"nothing of ours is {name!a}", help)
        # Of many, some of both kinds are printed: what the one is called tells what the other is.
        named, half = self.mistakes[first:], SHOWN_ERRORS // 2 - 1
        if len(missing) > half:
            named = [
                *named[:half],
                *named[len(missing) : len(missing) + half],
                *named[half : len(missing)],
                *named[len(missing) + half :],
            ]
            self.mistakes[first:] = named
        classes = [name for name in left if name in there] if not self.reset_head else []
        if classes:
            count = there[classes[0]][0] if there[classes[0]] else 0
            message = f"the file tells {count:,} classes apart, the module has no classifier"
            self._wrong("E0817", message, "leave that out: --reset-head, in Python reset_head=True")

    def _wanted(self, piece: Piece) -> list[Shape]:
        """The shapes that the file must have: at its own resolution, else as the module has them."""
        return their_shapes(piece, [self._ours(key) for key in piece.ours])

    def _ours(self, key: str) -> Shape:
        old, new = self.old[key], self.new.get(key)
        if new is not None and old.shape == new.shape and key in self.target.shapes:
            return self.target.shapes[key]
        return old.shape

    def _check_shapes(self) -> None:
        tables: list[tuple[Piece, str, Shape, Shape]] = []
        classes: list[tuple[Shape, Shape]] = []
        for piece in self.pieces:
            try:
                wanted = self._wanted(piece)
            except Misfit as error:
                span = piece.rule.span if piece.rule is not None else None
                self.mistakes.append(Diagnostic("E0804", f"{' and '.join(piece.ours)}: {error}", span))
                continue
            for name, shape in zip(piece.theirs, wanted, strict=True):
                found = self.checkpoint.shapes.get(name)
                if found is not None and found != shape:
                    if self.head.issuperset(piece.ours) and len(found) == len(shape):
                        classes.append((found, shape))
                    elif piece.derived or any(grid_of(self.new[key]) for key in piece.ours):
                        tables.append((piece, name, found, shape))
                    else:
                        message = f"{self._named(piece, name)} is {text([found])}, not {text([shape])}"
                        self._wrong("E0814", message)
                self._check_type(piece, name)
            self._check_tables(piece)
        for key in self.target.shapes:
            if key not in self.old:
                message = f"{key!r} is absent at that resolution, and nothing says how to make it"
                self._wrong("E0815", message)
        if classes:
            self._other_classes(*classes[0])
        self._other_tables(tables)

    def _check_tables(self, piece: Piece) -> None:
        """What depends on the resolution can be made for another one only where a rule says how."""
        for key in piece.ours:
            new, old = self.new.get(key), self.old[key]
            if piece.derived or (new is not None and new.shape == old.shape):
                continue
            if new is None or resampling(old, new) is None:
                there = list(new.shape) if new is not None else "absent"
                message = f"{key!r} is {list(old.shape)} at that resolution and {there} at this one"
                table = "buffer" if old.node.kind == "buffer" else "parameter"
                help = f"say how it is resampled: {table}(..., grid = [rows, columns])"
                self._wrong("E0815", message, help)

    def _other_classes(self, found: Shape, wanted: Shape) -> None:
        theirs, ours = next((a, b) for a, b in zip(found, wanted, strict=True) if a != b)
        message = f"the file tells {theirs:,} classes apart, the network {ours:,}"
        self._wrong("E0817", message, "begin the classifier anew: --reset-head, in Python reset_head=True")

    def _other_tables(self, tables: Sequence[tuple[Piece, str, Shape, Shape]]) -> None:
        if not tables:
            return
        size = self._guessed_resolution(tables)
        option, value = ("N", "N") if size is None else (f"{size[0]}x{size[1]}", f"{size}")
        if size is not None and size[0] == size[1]:
            option = value = str(size[0])
        help = f"weights of another resolution are resampled: --resize {option}, in Python resize={value}"
        # What the constructor makes differs with the tables: where they differ, it says nothing new.
        shown = [table for table in tables if not table[0].derived] or tables
        for piece, name, found, shape in shown:
            self._wrong("E0815", f"{self._named(piece, name)} is {text([found])}, not {text([shape])}", help)

    def _guessed_resolution(self, tables: Sequence[tuple[Piece, str, Shape, Shape]]) -> tuple[int, int] | None:
        """The resolution at which all tables would fit, if it is the module's times the root of a ratio."""
        _, _, found, shape = tables[0]
        ratio = math.prod(found) / max(1, math.prod(shape))
        for power in (0.5, 0.25):
            rows, columns = (round(size * ratio**power) for size in self.source.graph.resolution)
            try:
                graph = self.target.network.at((rows, columns)).graph
            except ArchError:
                continue
            shapes = {owned.key: owned.shape for owned in owned_weights(graph)}
            try:
                made = [
                    dict(zip(piece.theirs, their_shapes(piece, [shapes[k] for k in piece.ours]), strict=True))
                    for piece, _, _, _ in tables
                ]
            except (Misfit, KeyError):
                continue
            if all(made[i][name] == found for i, (_, name, found, _) in enumerate(tables)):
                return rows, columns
        return None

    def _check_type(self, piece: Piece, name: str) -> None:
        found = self.checkpoint.dtypes.get(name)
        if found is None:
            return
        roles = {self.old[key].weight.role for key in piece.ours}
        whole = not roles.isdisjoint({"counter", "derived"})
        if (found not in INTEGERS) if whole else (found not in FLOATS):
            wanted = "whole numbers" if whole else "floating-point numbers"
            self._wrong("E0816", f"{self._named(piece, name)} holds {found}, not {wanted}")
            return
        if whole or self.target.dtypes is None:
            return
        for key in piece.ours:
            # The module has no such weight: that is said elsewhere.
            wanted = self.target.dtypes.get(key, found)
            exact = wanted == found or FLOATS.get(wanted, 0) > FLOATS[found]
            if not exact:
                message = f"{self._named(piece, name)} holds {found}, which {wanted} can't hold exactly"
                self._wrong("E0816", message, f"load into a module of {found}, and convert it then")

    # --- the numbers

    def _tensors(self) -> dict[str, Tensor]:
        result: dict[str, Tensor] = {}
        derived: Mapping[str, Tensor] | None = None
        for piece in self.pieces:
            theirs = [self.checkpoint.tensor(name) for name in piece.theirs]
            for name, tensor in zip(piece.theirs, theirs, strict=True):
                if tensor.is_floating_point() and not tensor.isfinite().all():
                    self._wrong("E0818", f"{self._named(piece, name)} holds numbers that are not finite")
            try:
                ours = to_ours(piece, theirs, [self._ours(key) for key in piece.ours])
            except Misfit as error:
                self._wrong("E0819", f"{' and '.join(piece.theirs)}: {error}")
                continue
            if piece.derived:
                derived = derived if derived is not None else self.target.derived(self.source)
                self._compare(piece, derived, ours)
                continue
            for key, tensor in zip(piece.ours, ours, strict=True):
                result[key] = self._resampled(key, tensor)
        return result

    def _compare(self, piece: Piece, derived: Mapping[str, Tensor], ours: Sequence[Tensor]) -> None:
        for key, tensor in zip(piece.ours, ours, strict=True):
            wrong = int((derived[key].long() != tensor.long()).sum())
            if wrong:
                places = f"{wrong:,} of {tensor.numel():,} places"
                message = (
                    f"{self._named(piece, piece.theirs[0])} differs from what the network makes in {places}"
                )
                self._wrong("E0819", message, "were these weights made for another network?")

    def _resized(self, key: str) -> bool:
        return self.old[key].shape != self.new[key].shape or grid_of(self.old[key]) != grid_of(self.new[key])

    def _resampled(self, key: str, tensor: Tensor) -> Tensor:
        if not self._resized(key):
            return tensor
        made = resampling(self.old[key], self.new[key])
        assert made is not None, key
        return made(tensor)


def _counted(keys: Sequence[str]) -> str:
    """How many keys begin with what: `s1 (36), s2 (78) and 4 more`."""
    count = Counter(key.partition(".")[0] for key in keys)
    shown = [f"{name!a} ({number})" for name, number in list(count.items())[:MOST_BEGINNINGS]]
    more = f" and {len(count) - MOST_BEGINNINGS} more" if len(count) > MOST_BEGINNINGS else ""
    return ", ".join(shown) + more
