"""Immutable records: the shape of every piece of data that one stage hands to the next.

`dataclasses` costs about a millisecond of import for each class, and the front half has some eighty;
a base class with `__init_subclass__` costs a few microseconds, and type checkers read it just as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, dataclass_transform


@dataclass_transform(frozen_default=True)
class Record:
    """A frozen object whose fields are its annotated names, in order, with class values as defaults.

    Equality and hash go by type and fields; a field whose name ends in `span` says where a
    thing was written and takes no part in either. Raises `TypeError` for missing, surplus or unknown arguments.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _compared: ClassVar[tuple[str, ...]] = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = tuple(
            name
            for name, kind in cls.__dict__.get("__annotations__", {}).items()
            if not str(kind).startswith("ClassVar") and name not in cls._fields
        )
        cls._fields = cls._fields + own
        cls.__match_args__ = cls._fields  # type: ignore[misc]
        cls.__init__ = Record.__init__  # type: ignore[method-assign]
        cls._compared = tuple(name for name in cls._fields if not name.endswith("span"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The first instance of a class writes its constructor: a fixed one is four times as fast as one
        # that looks at its fields each time, and most classes are never used in a run.
        constructor = _constructor(type(self))
        type(self).__init__ = constructor  # type: ignore[method-assign]
        constructor(self, *args, **kwargs)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        mine, theirs = self.__dict__, other.__dict__
        return all(mine[name] == theirs[name] for name in self._compared)

    def __hash__(self) -> int:
        values = self.__dict__
        return hash((type(self), *[values[name] for name in self._compared]))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._compared)
        return f"{type(self).__name__}({inside})"

    def replace(self, **changes: Any) -> Any:
        """A copy with some fields changed; raises `TypeError` for a name that is no field."""
        return type(self)(**{**{name: self.__dict__[name] for name in self._fields}, **changes})


def _constructor(cls: type[Record]) -> Callable[..., None]:
    """`def __init__(self, a, b=default)`, from the fields of a class."""
    names: dict[str, Any] = {}
    parameters: list[str] = []
    for name in cls._fields:
        if hasattr(cls, name):
            names[f"_{name}"] = getattr(cls, name)
            parameters.append(f"{name}=_{name}")
        else:
            parameters.append(name)
    # Attributes can't be set; entries of the dictionary can, and one by one is the fastest way to do it.
    entries = "".join(f"\n    _entries[{name!r}] = {name}" for name in cls._fields)
    text = f"def __init__(self, {', '.join(parameters)}):\n    _entries = self.__dict__{entries}"
    exec(text, names)
    result: Callable[..., None] = names["__init__"]
    return result
