"""Calls matched with signatures: tensors bind extents, arguments take their types, defaults fill in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from archdsl import syntax as s
from archdsl.elaborate.calls import Calls
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.functions import LONGEST_LIST
from archdsl.elaborate.values import (
    BlockRef,
    ModuleRef,
    Poison,
    Refused,
    Tensor,
    Value,
    coerce,
    match_arguments,
)
from archdsl.graph import Template
from archdsl.ops import Op, TensorType, shape_text
from archdsl.scalar import Apply, Constant, Scalar, ScalarError, Term, evaluate, is_constant, scalar
from archdsl.source import Span

if TYPE_CHECKING:
    from archdsl.library import Unit


class Bound:
    """A call with everything in its place: tensors, extents and arguments, in the caller's terms."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.extents: list[tuple[str, Scalar]] = []
        self.scalars: dict[str, Scalar] = {}
        self.values: dict[str, Value] = {}
        self.depends = False
        """Whether a default was computed from the arguments before it."""


class Called(NamedTuple):
    """What a call of a block comes to, in the caller's names: its template, what it binds, and its results."""

    child: Template
    binds: tuple[tuple[str, Scalar], ...]
    types: list[TensorType]
    tensors: list[Tensor] | None
    """What it takes, where it names its tensors; else they are those that it was given, in order."""
    ref: BlockRef
    values: dict[str, Value]
    extents: list[tuple[str, Scalar]]
    depends: bool
    """Whether a default was computed from other arguments, or a list or callable holds a named number."""


class Signature:
    """What every call of a block asks of its signature; `usual` are the defaults that need no caller."""

    def __init__(self, ref: BlockRef) -> None:
        block = ref.block
        self.params = {param.name: param for param in block.params}
        self.names = list(self.params)
        self.tensors = [tensor.name for tensor in block.tensors]
        self.usual: dict[str, Value] = {}
        for name, param in self.params.items():
            assert param.type is not None, "blocks have typed parameters"
            if param.default is None:
                if param.type.optional:
                    self.usual[name] = scalar(None)
                continue
            try:
                value = default_value(param.default, {}, ref.unit)
                self.usual[name] = coerce(value, param.type, f"{name} of {block.name}", param.span)
            except Refused:
                pass  # it needs other parameters, or is wrong: a call will tell
        self.constants = {name: v.value for name, v in self.usual.items() if isinstance(v, Scalar)}
        self.written = {name: _written(value) for name, value in self.usual.items()}
        self.places = {name: f"{name} of {block.name}" for name in self.names}


def usual_values(signature: Signature, bound: Bound) -> dict[str, Constant]:
    """What the numbers of a call would usually be: the defaults, and of what has none the value itself."""
    usual: dict[str, Constant] = {name: pair.value for name, pair in bound.extents}
    for name, pair in bound.scalars.items():
        usual[name] = signature.constants.get(name, pair.value)
    return usual


def usual_value(term: Term, usual: Mapping[str, Constant], otherwise: Constant) -> Constant:
    """What a term would usually give; `otherwise` where it has no value then."""
    try:
        return evaluate(term, usual)
    except (ScalarError, KeyError, TypeError):
        return otherwise


def call_key(ref: BlockRef, args: Args, tensors: list[Tensor]) -> object | None:
    """What decides all that a call comes to, for calls with plain numbers: names and constants.

    None for others. Types of numbers are part of it, and formulas are left out, for 2 == 2.0 and True == 1.
    """
    parts: list[object] = [id(ref.block)]
    for name, value, _ in args:
        if type(value) is not Scalar or type(value.term) is Apply:
            return None
        parts += (name, type(value.value), value)
    for tensor in tensors:
        parts.append(tensor.type)
        for extent in tensor.type.shape:
            if type(extent.term) is Apply:
                return None
    return tuple(parts)


def bind(ref: BlockRef, signature: Signature, args: Args, tensors: list[Tensor], span: Span) -> Bound | None:
    """Match a call with a block's signature; None where an argument is poisoned; raises `Refused`."""
    block, bound = ref.block, Bound()
    params, wanted = signature.params, signature.tensors
    by_name = {n: v for n, v, _ in args if n in wanted}
    if by_name:
        args = [argument for argument in args if argument[0] not in wanted]
    given = match_arguments(block.name, signature.names, args)
    left = list(tensors)
    for name in wanted:
        tensor = by_name.get(name) or (left.pop(0) if left else None)
        if not isinstance(tensor, Tensor):
            message = f"{block.name} needs the tensor {name!r}"
            raise Refused("E0402", message, span, f"give it as {name} = ...")
        bound.tensors.append(tensor)
    if left:
        count = f"{len(wanted)} tensor{'' if len(wanted) == 1 else 's'}"
        raise Refused("E0404", f"{block.name} takes {count}, got {len(tensors)}", span)
    extents: dict[str, Scalar] = {}
    for param, tensor in zip(block.tensors, bound.tensors, strict=True):
        _bind_extents(param, tensor, extents, span)
    bound.extents = list(extents.items())
    scope: dict[str, Value] = dict(extents)
    for name, declared in params.items():
        type_ = declared.type
        assert type_ is not None
        if name in given:
            value, place = given[name]
            if isinstance(value, Poison):
                return None
            value = coerce(value, type_, signature.places[name], place)
        elif name in signature.usual:
            value = signature.usual[name]
        elif declared.default is not None:
            default = default_value(declared.default, scope, ref.unit)
            value = coerce(default, type_, f"{name} of {block.name}", declared.span)
            bound.depends = True
        else:
            help = f"{block.name}({name} = ...)"
            raise Refused("E0402", f"{block.name} needs {name!r}", span, help)
        scope[name] = bound.values[name] = value
        if isinstance(value, Scalar):
            bound.scalars[name] = value
    return bound


def _written(default: Value) -> Scalar | None:
    """A default as a class can write it: a number that depends on nothing."""
    return default if isinstance(default, Scalar) and is_constant(default.term) else None


def _bind_extents(param: s.TensorParam, tensor: Tensor, extents: dict[str, Scalar], span: Span) -> None:
    shape = tensor.type.shape
    written = param.shape.extents
    if len(written) != len(shape):
        axes = ", ".join(getattr(extent, "id", "...") for extent in written)
        message = f"{param.name} is [{axes}], got {shape_text(tensor.type)}"
        raise Refused("E0301", message, span)
    for expr, extent in zip(written, shape, strict=True):
        if isinstance(expr, s.Name):
            known = extents.setdefault(expr.id, extent)
            if known.value != extent.value:
                message = f"{expr.id} is {known.value} and {extent.value} in one call"
                raise Refused("E0301", message, span, f"{param.name} is {shape_text(tensor.type)}")
        elif isinstance(expr, s.Num):
            if expr.value != extent.value:
                message = f"{param.name} has {extent.value} where {expr.value} is written"
                raise Refused("E0301", message, span)
        else:
            message = "an extent of an input is a name or a number"
            raise Refused("E0301", message, expr.span)


class _Defaults(Calls):
    """Evaluates defaults: numbers, names of earlier parameters, operations."""

    def __init__(self, env: Mapping[str, Value], unit: Unit) -> None:
        self.env = dict(env)
        self.unit = unit
        self.steps = 0
        self.guards = []

    def spend(self, count: int, span: Span) -> None:
        self.steps += count
        if self.steps > LONGEST_LIST:
            raise Refused("E0602", f"this default takes more than {LONGEST_LIST:,} steps", span)

    def report(self, error: Refused) -> None:
        raise error

    @contextmanager
    def deciding(self, condition: s.Expr) -> Iterator[bool | None]:
        truth = self.truth_of(condition)
        yield None if isinstance(truth, Poison) else truth.value is True

    def add_op(
        self,
        op: Op,
        tensors: list[Tensor],
        label: str | None,
        span: Span,
        through: str | None = None,
        again: int | None = None,
    ) -> Value:
        raise _computes_tensors(op.kind, span)

    def call_block(
        self,
        ref: BlockRef,
        args: Args,
        tensors: list[Tensor],
        label: str | None,
        span: Span,
        again: int | None = None,
    ) -> Value:
        raise _computes_tensors(ref.name, span)

    def call_module(self, module: ModuleRef, tensors: list[Tensor], span: Span) -> Value:
        raise _computes_tensors(module.label, span)


def _computes_tensors(name: str, span: Span) -> Refused:
    message = f"{name!r} gives a tensor here, and a default is none"
    return Refused("E0403", message, span, "a default is a number, a string, a list, an operation or a block")


def default_value(expr: s.Expr, scope: Mapping[str, Value], unit: Unit) -> Value:
    """The value of a default, in terms of the parameters before it; raises `Refused`."""
    if isinstance(expr, (s.Num, s.Bool)):
        return scalar(expr.value)
    return _Defaults(scope, unit).evaluate(expr)
