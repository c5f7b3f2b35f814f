"""What an expression can be while a graph is made, and how arguments become what their types say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeGuard

from archdsl import syntax as s
from archdsl.assets import file_with_block
from archdsl.ops import OPS, Op, TensorType
from archdsl.record import Record
from archdsl.scalar import Apply, Scalar, human_text, is_constant, number_text
from archdsl.source import Span, did_you_mean, nearest

if TYPE_CHECKING:
    from archdsl.library import Unit

LARGEST_DIM: Final = 2**31 - 1
"""Extents, channels and counts beyond this are refused."""


LARGEST_FORMULA: Final = 96
"""A number is made of at most so many operations on other names, before it gets a name of its own."""


class Tensor(NamedTuple):
    """A tensor of the template that is being made: its number and its type."""

    number: int
    type: TensorType


class OpRef(Record):
    """A primitive with some of its arguments given, as the value of an argument or of a call."""

    op: type[Op]
    args: tuple[tuple[str | None, Any, Span], ...] = ()
    through: str | None = None
    """The argument of the block that is run that holds it."""

    @property
    def name(self) -> str:
        return self.op.kind

    def plain(self) -> Op | None:
        """The primitive, where it needs no arguments and is given none."""
        takes_one = self.op.inputs == self.op.outputs == 1
        needs = any(parameter.required for parameter in self.op.parameters.values())
        return self.op() if takes_one and not needs and not self.args else None


class BlockRef(Record):
    """A block, the file that it sees names of, and arguments that are given already."""

    block: s.Block
    unit: Unit
    args: tuple[tuple[str | None, Any, Span], ...] = ()
    axes: tuple[str, ...] = ()
    """The names that its first axes were given, where its shapes begin with `...`."""

    @property
    def name(self) -> str:
        return self.block.name


class ModuleRef:
    """A labelled call without tensors: a module that may be called several times, sharing its weights."""

    def __init__(self, label: str, callee: OpRef | BlockRef, span: Span) -> None:
        self.label = label
        self.callee = callee
        self.span = span
        self.node: int | None = None


class Open(Record):
    """A decision that the document leaves open: its name, its options and where they are written.

    Of `each choose` in a block of a stage, `name` begins with `*` until the block has a label.
    """

    name: str
    options: tuple[Any, ...]
    places: tuple[Span, ...]
    span: Span


class Poison:
    """Stands for a value that an error has been reported for; whatever touches it stays silent."""

    def __repr__(self) -> str:
        return "POISON"


POISON: Final = Poison()

Value: TypeAlias = (
    Scalar | str | Tensor | list["Value"] | tuple["Value", ...] | OpRef | BlockRef | ModuleRef | Open | Poison
)


def is_poisoned(value: object) -> bool:
    """Whether an error has been reported for a value, or for an element of a list."""
    if type(value) in (list, tuple):
        return any(map(is_poisoned, value))  # type: ignore[call-overload]
    return isinstance(value, Poison)


class Refused(Exception):
    """A mistake in an expression: becomes a diagnostic where the expression stands."""

    def __init__(
        self, code: str, message: str, span: Span, help: str | None = None, note: str | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.span, self.help, self.note = code, message, span, help, note
        self.asked: Sequence[str] = ()
        """The names that a requirement asks about."""


def is_large(pair: Scalar) -> bool:
    """Whether a number's term has more than `LARGEST_FORMULA` operations."""
    if not isinstance(pair.term, Apply):
        return False
    count, waiting = 0, [pair.term]
    while waiting and count <= LARGEST_FORMULA:
        count += 1
        waiting += [arg for arg in waiting.pop().args if isinstance(arg, Apply)]
    return count > LARGEST_FORMULA


def is_list(value: Value) -> TypeGuard[list[Value] | tuple[Value, ...]]:
    """Whether it is a list of the language (pairs and tensors are tuples of ours)."""
    return type(value) in (list, tuple)


def is_fixed(value: Value) -> bool:
    """Whether a list or callable holds no number that depends on a name."""
    if isinstance(value, Scalar):
        return is_constant(value.term)
    if isinstance(value, (OpRef, BlockRef)):
        return all(is_fixed(argument) for _, argument, _ in value.args)
    if is_list(value):
        return all(map(is_fixed, value))
    return isinstance(value, str)


def describe(value: Value) -> str:
    """The value in a message: `3`, `"bilinear"`, `a tensor [96, 14, 14]`, `a list of 4`."""
    if isinstance(value, Scalar):
        if isinstance(value.value, bool):
            return "true" if value.value else "false"
        if value.value is None:
            return "none"
        text, number = human_text(value.term), number_text(value.value)
        return number if text == number else f"{text} = {number}"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Tensor):
        return "a tensor [" + ", ".join(map(str, value.type.values)) + "]"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, OpRef):
        return f"the primitive {value.name}"
    if isinstance(value, BlockRef):
        return f"the block {value.name}"
    if isinstance(value, Open):
        return "an open choice"
    return "a module" if isinstance(value, ModuleRef) else "an error"


# The types of the language, and the reader of each. A reader gets a scalar's value and says what is
# wrong with it, or None.


def _whole(value: object, least: int) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, float) and value == int(value):
            return "a whole number is needed; int(...) makes one"
        return "a whole number is needed"
    if value < least:
        return f"it must be at least {least}"
    return f"it must be at most {LARGEST_DIM}" if value > LARGEST_DIM else None


def _odd(value: object) -> str | None:
    wrong = _whole(value, 1)
    return wrong or (None if value % 2 else "it must be odd")  # type: ignore[operator]


def _number(value: object) -> str | None:
    ok = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if ok else "a number is needed"


def _ratio(value: object) -> str | None:
    wrong = _number(value)
    return wrong or (None if value > 0 else "it must be more than 0")  # type: ignore[operator]


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "true or false is needed"


SCALAR_TYPES: Final = {
    "dim": lambda value: None if type(value) is int and 1 <= value <= LARGEST_DIM else _whole(value, 1),
    "count": lambda value: _whole(value, 0),
    "int": lambda value: _whole(value, -LARGEST_DIM),
    "odd": _odd,
    "ratio": _ratio,
    "real": _number,
    "number": _number,  # of primitives alone: a real that keeps being a whole number if it is one
    "bool": _flag,
}
CALLABLE_TYPES: Final = ("op", "block")
REAL_TYPES: Final = ("ratio", "real")


def coerce(value: Value, type_: s.TypeName, what: str, span: Span) -> Value:
    """The value as its type asks for it (a ratio of 4 is 4.0); raises `Refused`."""
    if isinstance(value, Poison):
        return POISON
    if isinstance(value, Open):
        options = tuple(coerce(option, type_, what, place) for option, place in _options(value))
        return value.replace(options=options)  # type: ignore[no-any-return]
    if isinstance(value, Scalar) and value.value is None:
        if type_.optional:
            return value
        raise _none_refused(type_.name, what, span)
    if not type_.is_list:
        return _coerce_one(value, type_.name, what, span)
    if not is_list(value):
        help = f"write [{describe(value)}]" if isinstance(value, Scalar) else None
        raise Refused("E0403", f"{what} is a list, got {describe(value)}", span, help)
    return [_coerce_one(item, type_.name, f"an element of {what}", span) for item in value]


def _options(value: Open) -> Sequence[tuple[Any, Span]]:
    return list(zip(value.options, value.places, strict=True))


def _none_refused(type_name: str, what: str, span: Span) -> Refused:
    return Refused("E0403", f"{what} can't be none", span, f"it is of type {type_name}")


def _coerce_number(value: Value, type_name: str, what: str, span: Span) -> Value:
    if isinstance(value, Scalar) and value.value is None:
        raise _none_refused(type_name, what, span)
    return _coerce_one(value, type_name, what, span)


def _coerce_one(value: Value, type_name: str, what: str, span: Span) -> Value:
    if isinstance(value, Poison):
        return POISON
    if isinstance(value, Open):
        options = tuple(_coerce_one(option, type_name, what, place) for option, place in _options(value))
        return value.replace(options=options)  # type: ignore[no-any-return]
    if type_name == "str":
        if isinstance(value, str):
            return value
        raise Refused("E0403", f"{what} is a string, got {describe(value)}", span)
    if type_name in CALLABLE_TYPES:
        if isinstance(value, (OpRef, BlockRef)):
            return value
        message = f"{what} is an operation or block, got {describe(value)}"
        raise Refused("E0403", message, span, "give its name, without quotes")
    if not isinstance(value, Scalar):
        raise Refused("E0403", f"{what} is of type {type_name}, got {describe(value)}", span)
    wrong = SCALAR_TYPES[type_name](value.value)
    if wrong:
        message = f"{what} can't be {describe(value)}: {wrong}"
        raise Refused("E0403", message, span, f"it is of type {type_name}")
    if type_name in REAL_TYPES and isinstance(value.value, int):
        # A ratio of 4 is 4.0: the class that is written must hold for 4.5 too, so what is computed from
        # it is no whole number until int(...) makes it one.
        term = value.term
        return Scalar(float(value.value), float(term) if isinstance(term, int) else term)
    return value


def key_of(value: Value) -> object:
    """The part of a memo key that a value makes: its numbers, and which callables it names."""
    if isinstance(value, Scalar):
        return (type(value.value), value.value)
    if isinstance(value, OpRef):
        return (value.name, tuple((n, key_of(v)) for n, v, _ in value.args))
    if isinstance(value, BlockRef):
        return (id(value.block), tuple((n, key_of(v)) for n, v, _ in value.args))
    if is_list(value):
        return tuple([key_of(item) for item in value])
    return value


# The attributes of primitives are annotated with these (archdsl/ops/base.py).

ATTRIBUTE_TYPES: Final = {
    "Dim": "dim", "Count": "count", "Int": "int", "Real": "number", "Flag": "bool",
    "Dim2": "dim", "Count2": "count", "Dims": "dim", "Ints": "int",
}  # fmt: skip


def make_op(ref: type[Op], args: Sequence[tuple[str | None, Value, Span]], span: Span) -> Op | Poison:
    """The primitive with its attributes; raises `Refused` for surplus, missing or unfit ones."""
    known = ref.parameters
    given = match_arguments(ref.kind, list(known), args, extra_names=ref.kind == "rearrange")
    fields: dict[str, object] = {}
    sizes: list[tuple[str, Scalar]] = []
    for name, (value, place) in given.items():
        if is_poisoned(value):
            return POISON
        if name not in known:
            whole = s.TypeName("dim", False, False, place)
            size = coerce(value, whole, f"{name} of rearrange", place)
            assert isinstance(size, Scalar)
            sizes.append((name, size))
            continue
        fields[name] = _attribute(ref, known[name], value, place)
    for parameter in known.values():
        if parameter.required and parameter.name not in fields:
            help = f"{ref.kind}({parameter.name} = ...)"
            raise Refused("E0402", f"{ref.kind} needs {parameter.name!r}", span, help)
    if sizes:
        fields["_sizes"] = tuple(sizes)
    return ref(**fields)


def _attribute(ref: type[Op], parameter: Any, value: Value, place: Span) -> object:
    what = f"{parameter.name} of {ref.kind}"
    if isinstance(value, Scalar) and value.value is None and parameter.optional:
        return None
    if parameter.type == "Text":
        choices = ref.choices.get(parameter.name)
        if not isinstance(value, str):
            raise Refused("E0403", f"{what} is a string, got {describe(value)}", place)
        if choices and value not in choices:
            close = nearest(value, choices)
            help = f'did you mean "{close}"?' if close else "one of " + ", ".join(choices)
            raise Refused("E0403", f"{what} can't be {describe(value)}", place, help)
        return value
    element = ATTRIBUTE_TYPES[parameter.type]
    if parameter.type in ("Dims", "Ints"):
        items = list(value) if is_list(value) else [value]
        return tuple([_coerce_number(item, element, f"an element of {what}", place) for item in items])
    if parameter.type in ("Dim2", "Count2"):
        if not is_list(value):
            one = _coerce_number(value, element, what, place)
            return (one, one)
        pair = list(value)
        if len(pair) != 2:
            message = f"{what} is one number, or two for rows and columns, got {len(pair)}"
            raise Refused("E0403", message, place)
        return tuple([_coerce_number(item, element, what, place) for item in pair])
    return _coerce_number(value, element, what, place)


def match_arguments(
    callee: str,
    names: Sequence[str],
    args: Sequence[tuple[str | None, Value, Span]],
    extra_names: bool = False,
) -> dict[str, tuple[Value, Span]]:
    """Arguments by name; a positional one is the first parameter. Raises `Refused`."""
    result: dict[str, tuple[Value, Span]] = {}
    for name, value, span in args:
        if name is None:
            if not names:
                raise Refused("E0404", f"{callee} takes no arguments", span)
            if names[0] in result:
                message = f"{callee} takes one positional argument, {names[0]!r}; name the others"
                help = f"{callee}(..., {names[1]} = ...)" if len(names) > 1 else None
                raise Refused("E0404", message, span, help)
            name = names[0]
        elif name not in names and not extra_names:
            message = f"{callee} has no argument {name!r}"
            raise Refused("E0401", message, span, did_you_mean(name, names, "its arguments"))
        if name in result:
            raise Refused("E0404", f"{callee} is given {name!r} twice", span)
        result[name] = (value, span)
    return result


def not_found_help(name: str, known: Sequence[str]) -> str:
    """Help for a block that is not there: the import that brings it in, or the nearest name."""
    file = file_with_block(name)
    return f'import "{file}" brings it in' if file else did_you_mean(name, known)


def callable_named(name: str, unit: Unit, span: Span) -> OpRef | BlockRef | None:
    """What a name calls: a block that the file sees, or a primitive."""
    found = unit.blocks.get(name)
    if found is not None:
        return BlockRef(found[0], found[1])
    return OpRef(OPS[name]) if name in OPS else None
