"""safetensors: a header that declares every tensor, then their bytes. Nothing in such a file is executed."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from archdsl.weights.checkpoints import Checkpoint, refuse
from archdsl.weights.pieces import Shape

if TYPE_CHECKING:
    from torch import Tensor

MOST_AXES: Final = 16

DTYPES: Final[Mapping[str, tuple[str, int]]] = {
    "F64": ("float64", 8), "F32": ("float32", 4), "F16": ("float16", 2), "BF16": ("bfloat16", 2),
    "I64": ("int64", 8), "I32": ("int32", 4), "I16": ("int16", 2), "I8": ("int8", 1), "U8": ("uint8", 1),
    "BOOL": ("bool", 1),
}  # fmt: skip
"""The names of types in a safetensors header: torch's name, and bytes a number."""


class Safetensors(Checkpoint):
    """A safetensors file; its header is read here, strictly, before the package sees the file."""

    def __init__(self, path: str, size: int, names: int) -> None:
        self.path = path
        self._opened: Any = None
        header, data = self._header(size, names)
        entries = {key: self._entry(key, entry) for key, entry in header.items() if key != "__metadata__"}
        self._check_offsets(entries, data)
        self.shapes = {key: shape for key, (shape, _, _) in entries.items()}
        self.dtypes = {key: dtype for key, (_, dtype, _) in entries.items()}

    def tensor(self, key: str) -> Tensor:
        from safetensors import SafetensorError, safe_open

        try:
            if self._opened is None:
                self._opened = safe_open(self.path, framework="pt", device="cpu")
            tensor: Tensor = self._opened.get_tensor(key)
        except (SafetensorError, OSError) as error:
            self._refuse(str(error))
        return tensor

    def _refuse(self, what: str) -> NoReturn:
        refuse(self.path, f"is no sound safetensors file: {what}", "fetch or write it again")

    def _header(self, size: int, names: int) -> tuple[dict[str, object], int]:
        """The header's entries, and how many bytes of data follow it."""
        longest = (1 << 20) + 1024 * names
        with open(self.path, "rb") as stream:
            start = stream.read(8)
            if len(start) < 8:
                self._refuse(f"it has {len(start)} bytes")
            (length,) = struct.unpack("<Q", start)
            if length > size - 8:
                self._refuse(f"its header would be {length:,} bytes long, the file has {size:,}")
            if length > longest:
                self._refuse(f"its header of {length:,} bytes is longer than such a network explains")
            text = stream.read(length)
        try:
            header = json.loads(text.decode("utf-8"), object_pairs_hook=self._without_duplicates)
        except (ValueError, RecursionError):
            self._refuse("its header is no JSON")
        if not isinstance(header, dict):
            self._refuse("its header is no table of tensors")
        return header, size - 8 - length

    def _without_duplicates(self, pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            self._refuse(f"{twice!a} is declared twice")
        return result

    def _entry(self, key: str, entry: object) -> tuple[Shape, str, tuple[int, int]]:
        """The shape, type and offsets of one tensor."""
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            self._refuse(f"{key!a} is declared without type, shape and place")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in DTYPES:
            self._refuse(f"{key!a} has the unknown type {str(dtype)[:20]!a}")
        name, width = DTYPES[dtype]
        if not _is_sizes(shape) or len(shape) > MOST_AXES:
            self._refuse(f"the shape of {key!a} is no list of sizes")
        if not _is_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
            self._refuse(f"the place of {key!a} is no pair of offsets")
        if math.prod(shape) * width != offsets[1] - offsets[0]:
            declared, found = math.prod(shape) * width, offsets[1] - offsets[0]
            self._refuse(f"{key!a} needs {declared:,} bytes for its shape and has {found:,}")
        return tuple(shape), name, (offsets[0], offsets[1])

    def _check_offsets(self, entries: Mapping[str, tuple[Shape, str, tuple[int, int]]], data: int) -> None:
        """Tensors lie one behind the other, from the first byte of the data to the last."""
        end = 0
        for key, (_, _, (start, stop)) in sorted(entries.items(), key=lambda entry: entry[1][2]):
            if start != end:
                self._refuse(f"{key!a} {'overlaps another tensor' if start < end else 'has a gap before it'}")
            end = stop
        if end != data:
            self._refuse(f"its tensors take {end:,} bytes, {data:,} are there")


def _is_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 62 for item in value)
