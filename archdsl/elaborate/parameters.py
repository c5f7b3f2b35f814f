"""The parameters and inputs of a network, with what variants set them to, and its open choices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from archdsl import syntax as s
from archdsl.elaborate.blocks import BlockElaborator
from archdsl.elaborate.choices import Choices, Deferred, Settled, has_open, is_open, value_text
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
from archdsl.source import ArchError, Diagnostic, Span

if TYPE_CHECKING:
    from archdsl.library import Unit

MODEL_ARGUMENTS: Final = {"num_classes": "dim", "drop_path": "real"}
"""Parameters that stay open in the module, and their types: every network in the field has these names."""


LARGEST_RESOLUTION: Final = 16_384


class ParameterElaborator(BlockElaborator):
    """What a network does before its first entry: parameters, inputs, and the choices in both."""

    def __init__(self, shared: Elaborator, unit: Unit, network: s.Network, choices: Choices) -> None:
        super().__init__(shared, unit, network.name)
        self.network = network
        self.choices = choices
        self.is_open = is_open(network)
        """Whether decisions are left open: then parameters and lets wait until they are read."""
        self.streams: dict[str, Tensor | Poison] = {}
        self.main = "x"
        self.place = ""
        """Where in the document an expression stands: what a choice in it is called. Of what each block chooses
        for itself it begins with `*`, which the block's label will replace."""
        self.shared_place = ""
        """The same for choices that blocks share: never with `*`."""
        self.taken: dict[str, int] = {}
        """How many lists, calls and choices have stood at each place below this one."""
        self.resolution: tuple[int, int] | None = None
        """The rows and columns of the first input, where they are not those of the document."""
        self.in_input = False
        """Whether an extent of an input is evaluated: nothing is chosen there."""
        self.parameters: dict[str, Value] = {}
        """The values of the parameters; of an open network they are there once it is settled."""
        self.waiting: dict[str, Deferred] = {}
        """The parameters of an open network."""
        self.deferred: dict[object, Deferred] = {}
        """They and the lets, by what they are made of: what means the same is one."""
        self.values: dict[int, Value] = {}
        """Those that no decision has a part in, evaluated, by their identity."""

    # --- choices

    @contextmanager
    def at(self, place: str, shared: str | None = None, same: bool = False) -> Iterator[None]:
        """Expressions inside stand at a place of the document, or (`same`) at a part of the one around it."""
        before = self.place, self.shared_place, self.taken
        self.place, self.shared_place, self.taken = place, shared or place, self.taken if same else {}
        try:
            yield
        finally:
            self.place, self.shared_place, self.taken = before

    def _numbered(self, place: str, kind: str = "") -> str:
        """The place, with a number behind it where another one of its kind has stood there."""
        number = self.taken[place + kind] = self.taken.get(place + kind, 0) + 1
        return place if number == 1 else f"{place}.{number}"

    def lookup(self, name: str) -> Value | None:
        value = self.env.get(name)
        if not isinstance(value, Deferred):
            return value
        found = self.valued(value)
        if name == "num_classes" and isinstance(value.statement, s.Param):
            return self._class_count(self.read(found))
        return found

    def defer(self, statement: s.Param | s.Let, place: str, position: int = 0) -> Deferred:
        """What is evaluated later: the same where all that it reads is the same."""
        read = {name: self.env[name] for name in s.names_in(statement) if name in self.env}
        key = (id(statement), position, tuple((name, identity(value)) for name, value in read.items()))
        found = self.deferred.get(key)
        if found is None:
            found = self.deferred[key] = Deferred(statement, read, place, position)
        return found

    def valued(self, deferred: Deferred) -> Value:
        """The value of a parameter or let, made anew where it depends on what has been decided."""
        if id(deferred) in self.values:
            return self.values[id(deferred)]
        before, names = self.choices.reads, self.env
        statement = deferred.statement
        self.env = dict(deferred.names)  # type: ignore[arg-type]
        try:
            # What it is does not depend on who reads it.
            with self.rounded(False), self.at(deferred.place):
                if isinstance(statement, s.Let):
                    value = self._let_value(statement, deferred.position)
                else:
                    value = self.parameter(statement)
        finally:
            self.env = names
        if self.choices.reads == before:
            self.values[id(deferred)] = value
        return value

    def _let_value(self, let: s.Let, position: int) -> Value:
        value = self.element(let.value, None)
        if len(let.targets) == 1:
            return value
        value = self.read(value)
        if not is_list(value) or len(value) != len(let.targets):
            raise Refused("E0408", f"{len(let.targets)} names for {describe(value)}", let.span)
        return value[position]

    def choice(self, expr: s.Choose) -> Value:
        return self.read(self._open(expr, self._numbered(self.shared_place)))

    def read(self, value: Value) -> Value:
        while isinstance(value, Open):
            if self.in_input:
                help = "write a size; --resolution takes another"
                raise Refused("E0222", "the input is of one size in all of a space", value.span, help)
            value = self.choices.decide(value)
        return value

    def read_whole(self, value: Value) -> Value:
        value = self.read(value)
        if is_list(value) and any(map(has_open, value)):
            return [self.read_whole(item) for item in value]
        if isinstance(value, (OpRef, BlockRef)) and any(has_open(arg) for _, arg, _ in value.args):
            args = tuple((name, self.read_whole(arg), span) for name, arg, span in value.args)
            return value.replace(args=args)  # type: ignore[no-any-return]
        return value

    def element(self, expr: s.Expr, index: int | None) -> Value:
        if not isinstance(expr, s.Choose | s.ListExpr | s.Comprehension):
            return self.evaluate(expr)
        if index is None:
            return self._left_open(expr)
        with self.at(f"{self.shared_place}[{index}]"):
            return self._left_open(expr)

    def _left_open(self, expr: s.Expr) -> Value:
        """The value of an expression; a choice stays one."""
        if isinstance(expr, s.Choose):
            return self._open(expr, self._numbered(self.shared_place))
        return self.evaluate(expr)

    def list_of(self, items: tuple[s.Expr, ...], first: int = 0) -> list[Value]:
        # `[choose {1, 2}] + [choose {1, 2}]` are two lists at one place.
        with self.at(self._numbered(self.shared_place, "[")):
            return super().list_of(items, first)

    def comprehension(self, expr: s.Comprehension) -> Value:
        with self.at(self._numbered(self.shared_place, "[")):
            return super().comprehension(expr)

    def elements_each(self, expr: s.Each, first: int, count: int) -> list[Value]:
        if not isinstance(expr.value, s.Choose):
            return [self.evaluate(expr)]
        return [self.element(expr.value, first + number) for number in range(count)]

    def arguments(self, args: tuple[s.Argument, ...]) -> Args:
        result: Args = []
        place, shared = self.place, self._numbered(self.shared_place, "(") if args else ""
        for position, arg in enumerate(args):
            inner = arg.value.value if isinstance(arg.value, s.Each) else arg.value
            name = arg.name or str(position)
            try:
                with self.at(f"{place}.{name}" if place else name, f"{shared}.{name}"):
                    if isinstance(arg.value, s.Each) and isinstance(inner, s.Choose):
                        value: Value = self._open(inner, f"*{_below(place, name)}")
                    else:
                        value = self._left_open(arg.value)
            except Refused as error:
                self.report(error)
                value = POISON
            result.append((arg.name, value, arg.span))
        return result

    def _open(self, expr: s.Choose, name: str) -> Open:
        options: list[Value] = []
        shared = self.shared_place
        for option in expr.options:
            # What an option chooses is called after the option, where that is a block.
            if isinstance(option, s.Call):
                with self.at(name, self._numbered(f"{shared}.{option.name}")):
                    options.append(self.evaluate(option))
            else:
                with self.at(name, shared, same=True):
                    options.append(self._left_open(option))
        return Open(name, tuple(options), tuple(option.span for option in expr.options), expr.span)

    def named(self, value: Value, label: str) -> Value:
        """The value with its choices of `each choose` named after the block that makes them."""
        if isinstance(value, Open):
            name = f"{label}.{value.name[1:].lstrip('.')}" if value.name.startswith("*") else value.name
            return value.replace(name=name, options=tuple(self.named(o, label) for o in value.options))  # type: ignore[no-any-return]
        if isinstance(value, (OpRef, BlockRef)) and any(has_open(arg) for _, arg, _ in value.args):
            args = tuple((n, self.named(arg, label), span) for n, arg, span in value.args)
            return value.replace(args=args)  # type: ignore[no-any-return]
        return [self.named(item, label) for item in value] if is_list(value) and has_open(value) else value

    # --- parameters

    def unmet(self, error: Refused, statement: s.Require, asked: Sequence[str]) -> Refused:
        # Nobody calls a network: what decides is its parameters.
        return self.blamed(error, statement.condition)

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

    def set_parameters(self) -> None:
        """Bind the network's parameters, with what variants set them to; mistakes are reported."""
        for param in self.network.params:
            if self.is_open:
                self.waiting[param.name] = self.defer(param, param.name)
                self.env[param.name] = self.waiting[param.name]  # type: ignore[assignment]
                continue
            try:
                value = self.parameter(param)
            except Refused as error:
                self.report(error)
                value = POISON
            self.parameters[param.name] = value
            self.env[param.name] = self._class_count(value) if param.name == "num_classes" else value

    def read_model_arguments(self) -> None:
        """Decide what the module has as arguments: every network reads it."""
        for param in self.network.params:
            if param.name in MODEL_ARGUMENTS:
                self.read(self.lookup(param.name) or POISON)

    def settle_parameters(self) -> None:
        """Evaluate the parameters of an open network for what was decided; mistakes are reported."""
        choices, self.choices = self.choices, Settled(self.choices.decided)
        for name, deferred in self.waiting.items():
            try:
                value = self.valued(deferred)
                self.parameters[name] = self.read(value) if name in MODEL_ARGUMENTS else value
            except Refused as error:
                self.report(error)
        self.choices = choices

    def _class_count(self, value: Value) -> Value:
        """The number of classes by its name: the module takes it as an argument."""
        if not isinstance(value, Scalar) or not value.value:
            return value
        self.usual["num_classes"] = self.actual["num_classes"] = value.value
        return variable("num_classes", value.value)

    def parameter(self, param: s.Param) -> Value:
        default = None if param.default is None else self.element(param.default, None)
        type_ = param.type or self._inferred(param, default)
        if param.name in MODEL_ARGUMENTS:
            type_ = s.TypeName(MODEL_ARGUMENTS[param.name], False, False, param.span)
        value, place = default, param.default.span if param.default is not None else param.span
        for setting in param.later:
            assert setting.value is not None
            indices = [step for step in setting.path.steps[1:] if not isinstance(step, str)]
            value, place = self._set(param.name, value, indices, setting), setting.value.span
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

    def _set(self, what: str, value: Value | None, indices: Sequence[s.Expr], setting: s.Setting) -> Value:
        """A parameter's value, or that of an element of it, after a setting of a variant."""
        assert setting.value is not None
        if not indices:
            if setting.kind == "=":
                with self.at(what):
                    return self.element(setting.value, None)
            if value is None or not is_list(value):
                message = f"'+=' appends to a list, {what} is {'not set' if value is None else describe(value)}"
                raise Refused("E0403", message, setting.span, f"write {what} = ...")
            with self.at(what):
                if isinstance(setting.value, s.ListExpr):
                    # Choices in it are called after the places that they get.
                    return [*value, *self.list_of(setting.value.items, len(value))]
                given = self.element(setting.value, len(value))
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
        index %= len(value)
        result, old, inner = list(value), value[index], f"{what}[{index}]"
        new = self._set(inner, old, indices[1:], setting)
        if not indices[1:] and is_list(old) != is_list(new):
            wanted = "a list" if is_list(old) else describe(old)
            raise Refused(
                "E0403",
                f"{inner} is {wanted}, got {describe(new)}",
                setting.value.span,
                "a setting keeps the type",
            )
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
        if resolution is not None:
            check_bounds(resolution)
        self.resolution = resolution
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
                self.in_input = True
                try:
                    value = self.evaluate(expr)
                    type_ = s.TypeName("dim", False, False, expr.span)
                    value = coerce(value, type_, what, expr.span)
                except Refused as error:
                    self.report(error)
                    value = POISON
                self.in_input = False
                extents.append(value if isinstance(value, Scalar) else scalar(1))
            if index == 0 and extents:
                channels = extents[0].int
                extents[0] = variable("in_channels", channels)
                self.usual["in_channels"] = self.actual["in_channels"] = channels
            stream = self.main if index == 0 else param.name
            self.streams[stream] = self.tensor(TensorType(tuple(extents)))
            self.names[index] = stream


def check_bounds(resolution: tuple[int, int]) -> None:
    """Raise `ArchError` for rows or columns that no network takes."""
    for size in resolution:
        if not 1 <= size <= LARGEST_RESOLUTION:
            message = f"a resolution of {size} is out of bounds"
            help = f"rows and columns are 1 to {LARGEST_RESOLUTION}"
            raise ArchError([Diagnostic("E0703", message, None, help)])


def identity(value: Value | Deferred) -> object:
    """What tells values of names from others, as long as they are alive."""
    if isinstance(value, Scalar):
        return (type(value.value), value)
    if isinstance(value, Open):
        return (value.name, value.span, tuple(map(identity, value.options)))
    if isinstance(value, Deferred) or not is_list(value):
        return id(value)
    return tuple(map(identity, value))


def _below(place: str, name: str) -> str:
    """The name of an argument below the block that it belongs to: `expansion`, `mixer.heads`."""
    _, star, inner = place.partition("*")
    return f"{inner}.{name}" if star and inner else name
