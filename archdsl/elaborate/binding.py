"""Calls matched with signatures: tensors bind extents, arguments take their types, defaults fill in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archdsl import syntax as s
from archdsl.elaborate.expressions import LONGEST_LIST, Args, Expressions
from archdsl.elaborate.values import (
    BlockRef,
    Poison,
    Refused,
    Tensor,
    Value,
    coerce,
    match_arguments,
)
from archdsl.ops import shape_text
from archdsl.scalar import Scalar, scalar
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
            value = coerce(value, type_, f"{name} of {block.name}", place)
        elif name in signature.usual:
            value = signature.usual[name]
        elif declared.default is not None:
            default = default_value(declared.default, scope, ref.unit)
            value = coerce(default, type_, f"{name} of {block.name}", declared.span)
        else:
            help = f"{block.name}({name} = ...)"
            raise Refused("E0402", f"{block.name} needs {name!r}", span, help)
        scope[name] = bound.values[name] = value
        if isinstance(value, Scalar):
            bound.scalars[name] = value
    return bound


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


class _Defaults(Expressions):
    """Evaluates defaults: numbers, names of earlier parameters, operations."""

    def __init__(self, env: Mapping[str, Value], unit: Unit) -> None:
        self.env = dict(env)
        self.unit = unit
        self.steps = 0

    def spend(self, count: int, span: Span) -> None:
        self.steps += count
        if self.steps > LONGEST_LIST:
            raise Refused("E0602", f"this default takes more than {LONGEST_LIST:,} steps", span)

    def report(self, error: Refused) -> None:
        raise error

    def decide(self, condition: s.Expr) -> bool | None:
        value = self.evaluate(condition)
        return bool(value.value) if isinstance(value, Scalar) else None


def default_value(expr: s.Expr, scope: Mapping[str, Value], unit: Unit) -> Value:
    """The value of a default, in terms of the parameters before it; raises `Refused`."""
    if isinstance(expr, (s.Num, s.Bool)):
        return scalar(expr.value)
    return _Defaults(scope, unit).evaluate(expr)
