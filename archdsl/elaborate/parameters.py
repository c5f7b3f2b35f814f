"""The parameters and inputs of a network, with what variants set them to, and its open choices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from archdsl import syntax as s
from archdsl.elaborate.blocks import BlockElaborator
from archdsl.elaborate.choices import Choices, Deferred, value_text
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.templates import Elaborator
from archdsl.elaborate.values import (
    POISON,
    BlockRef,
    Open,
    OpRef,
    Poison,
    Refused,
    Tensor,
    Value,
    coerce,
    describe,
    is_list,
)
from archdsl.ops import TensorType
from archdsl.scalar import Scalar, scalar, variable
from archdsl.source import ArchError, Span
from archdsl.variants import path_text

if TYPE_CHECKING:
    from archdsl.library import Unit

MODEL_ARGUMENTS: Final = {"num_classes": "dim", "drop_path": "real"}
"""Parameters that stay open in the module, and their types: every network in the field has these names."""


class ParameterElaborator(BlockElaborator):
    """What a network does before its first entry: parameters, inputs, and the choices in both."""

    def __init__(self, shared: Elaborator, unit: Unit, network: s.Network, choices: Choices) -> None:
        super().__init__(shared, unit, network.name)
        self.network = network
        self.choices = choices
        self.streams: dict[str, Tensor | Poison] = {}
        self.main = "x"
        self.place = ""
        """Where in the document an expression stands: what a choice in it is called. Of what each block chooses
        for itself it begins with `*`, which the block's label will replace."""
        self.shared_place = ""
        """The same for choices that blocks share: never with `*`."""
        self.chosen_here = 0
        shared.origins = self.origins
        self.values: dict[str, Value] = {}
        """Parameters and lets of a space, for what has been decided; some stay as long as that does."""

    # --- choices

    @contextmanager
    def at(self, place: str, shared: str | None = None) -> Iterator[None]:
        """Expressions inside stand at a place of the document."""
        before = self.place, self.shared_place, self.chosen_here
        self.place, self.shared_place, self.chosen_here = place, shared or place, 0
        try:
            yield
        finally:
            self.place, self.shared_place, self.chosen_here = before

    def lookup(self, name: str) -> Value | None:
        value = self.env.get(name)
        return self._forced(value) if isinstance(value, Deferred) else value

    def _forced(self, deferred: Deferred) -> Value:
        """The value of a parameter or let of a space, made anew where it depends on what has been decided."""
        if deferred.name in self.values:
            return self.values[deferred.name]
        before = self.choices.reads
        statement = deferred.statement
        with self.at(deferred.name):
            if isinstance(statement, s.Param):
                value = self.parameter(statement)
            else:
                assert isinstance(statement, s.Let)
                value = self.element(statement.value, None)
        if self.choices.reads == before:
            self.values[deferred.name] = value
        return value

    def choice(self, expr: s.Choose) -> Value:
        return self.read(self._open(expr, self._here()))

    def read(self, value: Value) -> Value:
        while isinstance(value, Open):
            value = self.choices.decide(value)
        return value

    def read_whole(self, value: Value) -> Value:
        value = self.read(value)
        if isinstance(value, list) and any(_has_open(item) for item in value):
            return [self.read_whole(item) for item in value]
        if isinstance(value, (OpRef, BlockRef)) and any(_has_open(arg) for _, arg, _ in value.args):
            args = tuple((name, self.read_whole(arg), span) for name, arg, span in value.args)
            return value.replace(args=args)  # type: ignore[no-any-return]
        return value

    def element(self, expr: s.Expr, index: int | None) -> Value:
        if not isinstance(expr, s.Choose | s.ListExpr | s.Comprehension):
            return self.evaluate(expr)
        with self.at(self.place if index is None else f"{self.place}[{index}]"):
            return self._open(expr, self._here()) if isinstance(expr, s.Choose) else self.evaluate(expr)

    def elements_each(self, expr: s.Each, first: int, count: int) -> list[Value]:
        if not isinstance(expr.value, s.Choose):
            return [self.evaluate(expr)]
        return [self.element(expr.value, first + number) for number in range(count)]

    def arguments(self, args: tuple[s.Argument, ...]) -> Args:
        result: Args = []
        place, shared = self.place, self.shared_place
        for arg in args:
            inner = arg.value.value if isinstance(arg.value, s.Each) else arg.value
            name = arg.name or "0"
            try:
                with self.at(f"{place}.{name}" if place else name, f"{shared}.{name}"):
                    if isinstance(inner, s.Choose):
                        each = isinstance(arg.value, s.Each)
                        value: Value = self._open(inner, f"*{_below(place, name)}" if each else self._here())
                    else:
                        value = self.evaluate(arg.value)
            except Refused as error:
                self.report(error)
                value = POISON
            result.append((arg.name, value, arg.span))
        return result

    def _here(self) -> str:
        """The name of the next choice of this place."""
        self.chosen_here += 1
        return self.shared_place if self.chosen_here == 1 else f"{self.shared_place}.{self.chosen_here}"

    def _open(self, expr: s.Choose, name: str) -> Open:
        options: list[Value] = []
        shared = self.shared_place
        for option in expr.options:
            inner = f"{shared}.{option.name}" if isinstance(option, s.Call) else shared
            with self.at(name, inner):
                options.append(self.evaluate(option))
        return self._opened(expr, name, tuple(options))

    @staticmethod
    def _opened(expr: s.Choose, name: str, options: tuple[Value, ...]) -> Open:
        return Open(name, options, tuple(option.span for option in expr.options), expr.span)

    def named(self, value: Value, label: str) -> Value:
        """The value with its choices of `each choose` named after the block that makes them."""
        if isinstance(value, Open):
            name = value.name
            if name.startswith("*"):
                name = f"{label}.{name[1:]}"
            return value.replace(name=name, options=tuple(self.named(o, label) for o in value.options))  # type: ignore[no-any-return]
        if isinstance(value, (OpRef, BlockRef)) and any(_has_open(arg) for _, arg, _ in value.args):
            args = tuple((n, self.named(arg, label), span) for n, arg, span in value.args)
            return value.replace(args=args)  # type: ignore[no-any-return]
        return value

    # --- parameters

    def blamed(self, error: Refused, expr: object) -> Refused:
        origins = self.origins(expr)
        error.help = "; ".join(part for part in (error.help, origins) if part) or None
        return error

    def origins(self, expr: object) -> str:
        """Where the parameters that a part of the network reads are written, or were set last."""
        read = set(s.names_in(expr))
        found = []
        for param in self.network.params:
            if param.name in read:
                value = self.env.get(param.name)
                shown = f" = {value_text(value)}" if isinstance(value, Scalar) else ""
                place = param.later[-1].span if param.later else param.span
                found.append(f"{param.name}{shown} stands in {place}")
        return ", ".join(found)

    def set_parameters(self) -> dict[str, Value]:
        """Bind the network's parameters, with what variants set them to."""
        result: dict[str, Value] = {}
        for param in self.network.params:
            if self.choices.forks and param.name not in MODEL_ARGUMENTS:
                self.env[param.name] = Deferred(param.name, param)  # type: ignore[assignment]
                continue
            try:
                with self.at(param.name):
                    result[param.name] = self.parameter(param)
                    if param.name in MODEL_ARGUMENTS:
                        result[param.name] = self.read(result[param.name])
            except Refused as error:
                self.report(error)
                result[param.name] = POISON
            value = result[param.name]
            self.env[param.name] = value
            if param.name == "num_classes" and isinstance(value, Scalar) and value.value:
                self.env[param.name] = variable(param.name, value.value)
                self.usual[param.name] = value.value
        return result

    def parameter(self, param: s.Param) -> Value:
        default = None if param.default is None else self.element(param.default, None)
        type_ = param.type or self._inferred(param, default)
        if param.name in MODEL_ARGUMENTS:
            type_ = s.TypeName(MODEL_ARGUMENTS[param.name], False, False, param.span)
        value, place = default, param.default.span if param.default is not None else param.span
        for setting in param.later:
            assert setting.value is not None
            value, place = self._set(param, value, setting), setting.value.span
            if default is not None and type_ is None:
                self._same_kind(param, default, value, place)
        if value is None:
            message = f"the parameter {param.name!r} has no value"
            raise Refused("E0402", message, param.span, f"write {param.name} = ... or set it")
        if type_ is not None:
            value = self._coerced(param, value, type_, place)
            if param.name == "drop_path" and isinstance(value, Scalar) and not 0 <= (value.value or 0) < 1:
                message = f"the parameter 'drop_path' is a rate in [0, 1), got {describe(value)}"
                raise Refused("E0403", message, place)
        return value

    def _coerced(self, param: s.Param, value: Value, type_: s.TypeName, place: Span) -> Value:
        try:
            return coerce(value, type_, f"the parameter {param.name!r}", place)
        except Refused as error:
            if param.later and error.help is None:
                error.help = f"a setting keeps the type; {param.name} stands in {param.span}"
            raise

    def _set(self, param: s.Param, value: Value | None, setting: s.Setting) -> Value:
        """The parameter's value after a setting of a variant."""
        assert setting.value is not None
        with self.at(path_text(setting.path)):
            given = self.element(setting.value, None)
        indices = [step for step in setting.path.steps[1:] if not isinstance(step, str)]
        return self._set_inside(param.name, value, indices, given, setting)

    def _set_inside(
        self, what: str, value: Value | None, indices: list[s.Expr], given: Value, setting: s.Setting
    ) -> Value:
        if not indices:
            if setting.kind == "=":
                return given
            if value is None or not is_list(value):
                message = f"'+=' appends to a list, {what} is {'not set' if value is None else describe(value)}"
                raise Refused("E0403", message, setting.span, f"write {what} = ...")
            return [*value, *(given if is_list(given) else [given])]
        if value is None or not is_list(value):
            found = "not set" if value is None else describe(value)
            raise Refused("E0403", f"only a list has elements, {what} is {found}", setting.span)
        number = self.scalar_of(indices[0], "an index")
        index = number.value if isinstance(number, Scalar) else 0
        if isinstance(index, bool) or not isinstance(index, int):
            raise Refused("E0403", "an index is a whole number", indices[0].span)
        if not -len(value) <= index < len(value):
            message = f"there is no element {index} in {what}, a list of {len(value)}"
            raise Refused("E0407", message, indices[0].span, f"elements are 0 to {len(value) - 1}")
        result = list(value)
        old = result[index]
        new = self._set_inside(f"{what}[{index}]", old, indices[1:], given, setting)
        if not indices[1:] and is_list(old) != is_list(new):
            wanted = "a list" if is_list(old) else describe(old)
            message = f"{what}[{index}] is {wanted}, got {describe(new)}"
            raise Refused("E0403", message, setting.value.span, "a setting keeps the type")  # type: ignore[union-attr]
        result[index] = new
        return result

    def _inferred(self, param: s.Param, value: Value | None) -> s.TypeName | None:
        if isinstance(value, Scalar) and value.value is not None:
            kind = {bool: "bool", int: "int"}.get(type(value.value), "real")
            return s.TypeName(kind, False, False, param.span)
        if isinstance(value, str):
            return s.TypeName("str", False, False, param.span)
        return None

    def _same_kind(self, param: s.Param, default: Value, value: Value, span: Span) -> None:
        if is_list(default) != is_list(value):
            wanted = "a list" if is_list(default) else describe(default)
            message = f"the parameter {param.name!r} is {wanted}, got {describe(value)}"
            raise Refused("E0403", message, span, "a setting keeps the type")

    def set_inputs(self, resolution: tuple[int, int] | None) -> None:
        """Make the input tensors, the first at another resolution where one is given."""
        for index, param in enumerate(self.network.tensors):
            if index == 0 and len(param.shape.extents) != 3:
                message = f"an input is [channels, rows, columns], got {len(param.shape.extents)} extents"
                self.report(Refused("E0217", message, param.shape.span, "the batch is not written"))
                raise ArchError(self.shared.errors)
            if index > 0 and param.name in self.streams:
                message = f"the first input is the stream {self.main!r}; {param.name!r} is taken"
                self.report(Refused("E0206", message, param.span, "name this one otherwise"))
            extents: list[Scalar] = []
            for position, expr in enumerate(param.shape.extents):
                if index == 0 and resolution and position >= len(param.shape.extents) - 2:
                    axis = position - (len(param.shape.extents) - 2)
                    extents.append(scalar(resolution[axis]))
                    continue
                what = f"an extent of {param.name}"
                try:
                    value = self.evaluate(expr)
                    type_ = s.TypeName("dim", False, False, expr.span)
                    value = coerce(value, type_, what, expr.span)
                except Refused as error:
                    self.report(error)
                    value = POISON
                extents.append(value if isinstance(value, Scalar) else scalar(1))
            if index == 0 and extents:
                channels = extents[0].int
                extents[0] = variable("in_channels", channels)
                self.usual["in_channels"] = channels
            stream = self.main if index == 0 else param.name
            self.streams[stream] = self.tensor(TensorType(tuple(extents)))
            self.names[index] = stream


def _has_open(value: Value) -> bool:
    """Whether a choice stands open in a value."""
    if isinstance(value, (OpRef, BlockRef)):
        return any(_has_open(arg) for _, arg, _ in value.args)
    return isinstance(value, Open) or (isinstance(value, list) and any(map(_has_open, value)))


def _below(place: str, name: str) -> str:
    """The name of an argument below the block that it belongs to: `expansion`, `mixer.heads`."""
    _, star, inner = place.partition("*")
    return f"{inner}.{name}" if star and inner else name
