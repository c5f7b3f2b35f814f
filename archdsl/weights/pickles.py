"""Files that torch.save wrote: a zip with a pickle and one entry a tensor.

A pickle is a program. Before torch sees the file, its names are looked through: a file that would call
anything but what rebuilds tensors is refused, whatever torch itself allows. torch reads it with
`weights_only=True`, and never otherwise.
"""

from __future__ import annotations

import math
import pickletools
import struct
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from archdsl.weights.checkpoints import Checkpoint, refuse

if TYPE_CHECKING:
    from torch import Tensor

NESTED: Final = ("state_dict", "model", "model_ema")
"""Where training scripts put the state dict among other things; the first that is there is taken."""

CALLABLE: Final = frozenset({
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
    *(f"torch {kind}Storage" for kind in (
        "Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool",
    )),
})  # fmt: skip
"""All that a file of tensors calls."""

_DAMAGE: Final = (
    zipfile.BadZipFile, struct.error, OSError, EOFError, ValueError, LookupError, ArithmeticError,
    RuntimeError,
)  # fmt: skip
"""What the readers of zips and pickles raise for files that are none."""

SAFE_WAY: Final = "save the state dict alone, as safetensors: safetensors.torch.save_file(state_dict, ...)"


class Pickled(Checkpoint):
    """A file of torch.save, read into memory maps; it is looked through before and after."""

    def __init__(self, path: str, size: int, limit: int, names: int) -> None:
        self.path = path
        self._check_container(size, limit, names)
        self._tensors = self._read()
        self._check_storages()
        self.shapes = {key: tuple(tensor.shape) for key, tensor in self._tensors.items()}
        self.dtypes = {key: str(tensor.dtype).removeprefix("torch.") for key, tensor in self._tensors.items()}

    def tensor(self, key: str) -> Tensor:
        return self._tensors[key]

    def _refuse(self, what: str, help: str | None = None) -> NoReturn:
        refuse(self.path, what, help)

    # --- before torch sees it

    def _check_container(self, size: int, limit: int, names: int) -> None:
        with open(self.path, "rb") as stream:
            if stream.read(4) != b"PK\x03\x04":
                self._refuse("is no zip: files of torch before 1.6, and bare pickles, are not read", SAFE_WAY)
        try:
            with zipfile.ZipFile(self.path) as archive:
                entries = archive.infolist()
                self._check_entries(entries, size, limit, names)
                pickles = [entry for entry in entries if entry.filename.endswith(".pkl")]
                if len(pickles) != 1 or not pickles[0].filename.endswith("data.pkl"):
                    self._refuse("holds no state dict that torch.save wrote", SAFE_WAY)
                program = archive.read(pickles[0])
        except _DAMAGE:
            self._refuse("is a damaged zip", "fetch or write it again")
        self._check_program(program)

    def _check_entries(self, entries: list[zipfile.ZipInfo], size: int, limit: int, names: int) -> None:
        total = sum(entry.file_size for entry in entries)
        if total > limit:
            message = f"unpacks to {total:,} bytes; with this network's weights it has at most {limit:,}"
            self._refuse(message, SAFE_WAY)
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                self._refuse("has compressed entries, which torch.save never writes", SAFE_WAY)
            if entry.filename.endswith(".pkl") and entry.file_size > (1 << 20) + 1024 * names:
                self._refuse("has a pickle that is longer than such a network explains", SAFE_WAY)
        if total > size or len({entry.filename for entry in entries}) < len(entries):
            self._refuse("has entries that overlap", "fetch or write it again")

    def _check_program(self, program: bytes) -> None:
        """Refuse a pickle that would call anything but what rebuilds tensors.

        Tuples may not be used twice: tuples of equal tuples, 60 deep, take 2 ** 60 steps to be hashed.
        """
        tuples: set[object] = set()
        before = ""
        try:
            for opcode, argument, _ in pickletools.genops(program):
                if opcode.name in ("STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4"):
                    self._refuse("holds a pickle that calls what is not written in it", SAFE_WAY)
                if opcode.name == "GLOBAL" and argument not in CALLABLE:
                    what = str(argument).replace(" ", ".")[:80]
                    self._refuse(f"would call {what!a}: it holds more than tensors", SAFE_WAY)
                if opcode.name.endswith("PUT") and before.startswith("TUPLE"):
                    tuples.add(argument)
                if opcode.name in ("DUP", "MEMOIZE") or (opcode.name.endswith("GET") and argument in tuples):
                    self._refuse("holds a pickle that torch.save does not write", SAFE_WAY)
                before = opcode.name
        except _DAMAGE:
            self._refuse("holds a damaged pickle", "fetch or write it again")

    # --- torch

    def _read(self) -> Mapping[str, Tensor]:
        import torch

        try:
            loaded = torch.load(self.path, map_location="cpu", weights_only=True, mmap=True)
        except Exception as error:
            # Its message tells how to run the pickle after all: it is not shown.
            self._refuse(f"can't be read by torch ({type(error).__name__})", SAFE_WAY)
        return self._state_dict(loaded)

    def _state_dict(self, loaded: Any) -> Mapping[str, Tensor]:
        import torch

        outer = loaded if isinstance(loaded, dict) else {}
        inner = next((outer[name] for name in NESTED if isinstance(outer.get(name), dict)), outer)
        tensors = {key: value for key, value in inner.items() if isinstance(value, torch.Tensor)}
        if not inner or len(tensors) < len(inner) or not all(isinstance(key, str) for key in inner):
            message = "holds no state dict: names and tensors, on their own or under "
            self._refuse(message + ", ".join(map(repr, NESTED)), SAFE_WAY)
        return tensors

    def _check_storages(self) -> None:
        """A tensor of any shape can stand on a few bytes; a copy of it would be as large as its shape."""
        import torch

        for key, tensor in self._tensors.items():
            if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
                self._refuse(f"holds {key[:80]!a}, which is no plain tensor", SAFE_WAY)
            needed = math.prod(tensor.shape) * tensor.element_size()
            if tensor.untyped_storage().nbytes() < needed:
                self._refuse(f"declares {needed:,} bytes for {key[:80]!a} and holds fewer", SAFE_WAY)
