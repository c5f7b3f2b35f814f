"""Making the graph of a network: its parameters, entries, stages and head over named streams of tensors.

The first input is the stream `x`. A block takes the streams that its tensors are named after (one tensor
of any other name takes `x`), and its results replace the streams that they are named after, or, unnamed,
the first that it took. All other streams pass it by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from archdsl import syntax as s
from archdsl.elaborate.binding import default_value
from archdsl.elaborate.blocks import BlockElaborator, label_twice
from archdsl.elaborate.expressions import LONGEST_LIST, Args
from archdsl.elaborate.templates import Elaborator
from archdsl.elaborate.values import (
    LARGEST_DIM,
    POISON,
    SCALAR_TYPES,
    BlockRef,
    OpRef,
    Poison,
    Refused,
    Tensor,
    Value,
    callable_named,
    coerce,
    describe,
    is_list,
    not_found_help,
)
from archdsl.garbage import paused
from archdsl.graph import Graph, Node, Stage, Template, frames_of
from archdsl.ops import TensorType
from archdsl.scalar import Scalar, scalar, variable
from archdsl.source import ArchError, Diagnostic, Span, did_you_mean, nearest

if TYPE_CHECKING:
    from archdsl.library import Unit

LARGEST_RESOLUTION: Final = 16_384

MOST_BLOCKS: Final = 12_000
"""A network has at most so many blocks: a full stage, and others around it."""

MODEL_ARGUMENTS: Final = {"num_classes": "dim", "drop_path": "real"}
"""Parameters that stay open in the module, and their types: every network in the field has these names."""


class _Item:
    """A block of a stage: its call with `each` replaced by one value, and its label if it is pinned."""

    def __init__(self, call: s.Call | s.Name, args: Args, label: str | None, span: Span) -> None:
        self.call, self.args, self.label, self.span = call, args, label, span


class _Applied(NamedTuple):
    """The call that was applied last, and the node that it made of streams, and put into streams."""

    call: s.Call | s.Name
    args: Args
    node: Node
    taken: list[str]
    types: list[TensorType]
    given: list[str]
    results: list[TensorType]


class NetworkElaborator(BlockElaborator):
    """Runs a network; entries and stages become nodes of its own template."""

    def __init__(self, shared: Elaborator, unit: Unit, network: s.Network) -> None:
        super().__init__(shared, unit, network.name)
        self.network = network
        self.streams: dict[str, Tensor | Poison] = {}
        self.stages: list[Stage] = []
        self.head: int | None = None
        self.after: dict[str, int] = {}
        self.features: list[tuple[str, int]] = []
        self.main = "x"
        self.applied: _Applied | None = None

    def set_parameters(self, overrides: Mapping[str, s.Expr]) -> dict[str, Value]:
        """Bind the network's parameters, the overridden ones first in authority."""
        known = [param.name for param in self.network.params]
        result: dict[str, Value] = {}
        for name, expr in overrides.items():
            if name not in known:
                message = f"{self.network.name} has no parameter {name!r}"
                help = did_you_mean(name, known, "its parameters")
                self.report(Refused("E0401", message, expr.span, help))
        for param in self.network.params:
            override = overrides.get(param.name)
            try:
                result[param.name] = self._parameter(param, override or param.default)
            except Refused as error:
                self.report(error)
                result[param.name] = POISON
            value = result[param.name]
            self.env[param.name] = value
            if param.name == "num_classes" and isinstance(value, Scalar) and value.int:
                self.env[param.name] = variable(param.name, value.value)
                self.usual[param.name] = value.value
        return result

    def _parameter(self, param: s.Param, expr: s.Expr | None) -> Value:
        if expr is None:
            message = f"the parameter {param.name!r} has no value"
            raise Refused("E0402", message, param.span, f"write {param.name} = ... or set it")
        value = default_value(expr, self.env, self.unit)
        type_ = param.type or self._inferred(param)
        if param.name in MODEL_ARGUMENTS:
            type_ = s.TypeName(MODEL_ARGUMENTS[param.name], False, False, param.span)
        if type_ is not None:
            value = coerce(value, type_, f"the parameter {param.name!r}", expr.span)
            if param.name == "drop_path" and isinstance(value, Scalar) and not 0 <= (value.value or 0) < 1:
                message = f"the parameter 'drop_path' is a rate in [0, 1), got {describe(value)}"
                raise Refused("E0403", message, expr.span)
        elif param.default is not None and expr is not param.default:
            self._same_kind(param, default_value(param.default, self.env, self.unit), value, expr)
        return value

    def _inferred(self, param: s.Param) -> s.TypeName | None:
        assert param.default is not None
        value = default_value(param.default, self.env, self.unit)
        if isinstance(value, Scalar) and value.value is not None:
            kind = {bool: "bool", int: "int"}.get(type(value.value), "real")
            return s.TypeName(kind, False, False, param.span)
        if isinstance(value, str):
            return s.TypeName("str", False, False, param.span)
        return None

    def _same_kind(self, param: s.Param, default: Value, value: Value, expr: s.Expr) -> None:
        if is_list(default) != is_list(value):
            wanted = "a list" if is_list(default) else describe(default)
            message = f"the parameter {param.name!r} is {wanted}, got {describe(value)}"
            raise Refused("E0403", message, expr.span, "an override keeps the type")

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

    # --- statements of a network

    def statement(self, statement: s.Statement) -> None:
        match statement:
            case s.Entry():
                label = self.label_text(statement.label, statement.index)
                self._entry(label, statement.call, statement.span)
            case s.Stage():
                self._stage(statement)
            case s.Head(body):
                if self.head is not None:
                    raise Refused("E0213", "a network has one head", statement.span)
                self.head = len(self.nodes)
                self.run(body)
            case s.Features(labels):
                for path in labels:
                    self._feature(path)
            case s.Return() | s.Output():
                help = "the network's result is that of its last entry"
                raise Refused("E0208", "networks return nothing", statement.span, help)
            case _:
                super().statement(statement)

    def _feature(self, path: s.LabelPath) -> None:
        label = ".".join(path.parts)
        if label not in self.after:
            written = [st.label for st in self.network.body if isinstance(st, (s.Entry, s.Stage))]
            if label in written and self.shared.errors:
                return  # it is lost to a mistake that has been reported
            message = f"there is no entry or stage {label!r} before this"
            raise Refused("E0201", message, path.span, did_you_mean(label, self.after, "entries"))
        self.features.append((label, self.after[label]))

    def _entry(self, label: str, call: s.Expr, span: Span) -> None:
        assert isinstance(call, (s.Call, s.Name))
        args = self.arguments(call.args) if isinstance(call, s.Call) else []
        self.shared.chain.append(frames_of(label, span))
        try:
            self._apply(label, call, args)
        except Refused as error:
            self.report(error)
            self._lose_streams()
        finally:
            self.shared.chain.pop()
        main = self.streams[self.main]
        if isinstance(main, Tensor):
            self.after[label] = main.number

    def _lose_streams(self) -> None:
        for name in self.streams:
            self.streams[name] = POISON

    def _apply(self, label: str, call: s.Call | s.Name, args: Args) -> None:
        """Call a block or primitive on the streams that it names, and put its results in their place."""
        name = call.name if isinstance(call, s.Call) else call.id
        name_span = call.name_span if isinstance(call, s.Call) else call.span
        callee = self.env.get(name) or callable_named(name, self.unit, name_span)
        if not isinstance(callee, (OpRef, BlockRef)):
            from archdsl.ops import OPS

            message = f"unknown block or primitive {name!r}"
            known = [*self.unit.blocks, *OPS]
            raise Refused("E0202", message, name_span, not_found_help(name, known))
        if any(isinstance(value, Poison) for _, value, _ in args):
            self._lose_streams()
            return
        wanted = self._bound_streams(callee, call.span)
        live = [self.streams[stream] for stream in wanted]
        tensors = [tensor for tensor in live if isinstance(tensor, Tensor)]
        if len(tensors) != len(live):
            return
        result = self.apply(callee, args, tensors, label, call.span)
        results = list(result) if is_list(result) else [result]
        names = self._result_streams(callee, wanted, len(results))
        self._put(names, results)
        made = [value.type for value in results if isinstance(value, Tensor)]
        if len(made) == len(results) and self.nodes[-1].inputs == tuple([t.number for t in tensors]):
            types = [tensor.type for tensor in tensors]
            self.applied = _Applied(call, args, self.nodes[-1], wanted, types, names, made)

    def _put(self, names: Sequence[str], results: Sequence[Value]) -> None:
        for stream, value in zip(names, results, strict=True):
            self.streams[stream] = value if isinstance(value, Tensor) else POISON
            if isinstance(value, Tensor):
                self.names.setdefault(value.number, stream)

    def _apply_again(self, label: str, item: _Item) -> bool:
        """Apply the item that was applied last once more, as `item * 1000` does a thousand times.

        False, and nothing done, where it is another item or takes tensors of other types; and where something
        is wrong, which is told by applying it anew.
        """
        last = self.applied
        if last is None or last.call is not item.call or last.args is not item.args or label in self.labels:
            return False
        tensors = [self.streams[stream] for stream in last.taken]
        live = [tensor for tensor in tensors if isinstance(tensor, Tensor)]
        if [tensor.type for tensor in live] != last.types or not self.has_room(last.node):
            return False
        self.own(label, last.node.span)
        results = self.add_again(last.node, live, last.results, label)
        self._put(last.given, results)
        return True

    def _bound_streams(self, callee: OpRef | BlockRef, span: Span) -> list[str]:
        if isinstance(callee, OpRef):
            return [self.main]
        tensors = callee.block.tensors
        if len(tensors) == 1 and tensors[0].name not in self.streams:
            return [self.main]
        for tensor in tensors:
            if tensor.name not in self.streams:
                message = f"{callee.name} takes the stream {tensor.name!r}, which is not there"
                help = "streams here: " + ", ".join(self.streams)
                raise Refused("E0214", message, span, help)
        return [tensor.name for tensor in tensors]

    def _result_streams(self, callee: OpRef | BlockRef, bound: Sequence[str], count: int) -> list[str]:
        if isinstance(callee, OpRef) or (count == 1 and callee.block.results[0].name is None):
            return list(bound[:1]) if count == 1 else [f"{bound[0]}{i}" for i in range(count)]
        return [
            result.name or (bound[i] if i < len(bound) else f"x{i}")
            for i, result in enumerate(callee.block.results)
        ]

    # --- stages

    def _stage(self, stage: s.Stage) -> None:
        if self.head is not None:
            help = "write it in front of the head"
            raise Refused("E0213", f"the stage {stage.label!r} stands in the head", stage.span, help)
        self.own(stage.label, stage.span)
        first, number = len(self.nodes), 0
        items = self._items(stage.items)
        if first + len(items) > MOST_BLOCKS:
            message = f"this network expands to more than {MOST_BLOCKS:,} blocks"
            raise Refused("E0602", message, stage.span)
        for item in items:
            if item.label is None:
                label, number = f"{stage.label}.{number}", number + 1
            else:
                label = f"{stage.label}.{item.label}"
            if self._apply_again(label, item):
                continue
            self.shared.chain.append(frames_of(label, item.span))
            try:
                self._apply(label, item.call, item.args)
            except Refused as error:
                self.report(error)
                self._lose_streams()
            finally:
                self.shared.chain.pop()
        if len(self.nodes) == first and not self.shared.errors:
            raise Refused("E0215", f"stage {stage.label!r} has no blocks", stage.span)
        self.stages.append(Stage(stage.label, first, len(self.nodes), stage.span))
        main = self.streams[self.main]
        if not isinstance(main, Tensor):
            return
        self.after[stage.label] = main.number
        if stage.width is None:
            return
        width = self.scalar_of(stage.width, "a width")
        actual = main.type.shape[0 if main.type.rank == 3 else -1]
        if isinstance(width, Scalar) and width.value != actual.value:
            message = f"stage {stage.label!r} has {actual.value} channels, not {describe(width)}"
            help = f"its last block gives {actual.value}; what comes before decides that"
            self.report(Refused("E0301", message, stage.width.span, help))

    def own(self, label: str | None, span: Span) -> None:
        """Entries own their labels; a stage owns its name, and its blocks names below it."""
        if label is not None and "." in label and label.partition(".")[0] in self._stage_names:
            if label in self.labels:
                raise label_twice(label, span, self.labels[label])
            self.labels[label] = span
            return
        super().own(label, span)

    @cached_property
    def _stage_names(self) -> set[str]:
        return {statement.label for statement in self.network.body if isinstance(statement, s.Stage)}

    def _items(self, items: Sequence[s.Expr]) -> list[_Item]:
        """The blocks of a stage in order, repetitions and `each` expanded."""
        result: list[_Item] = []
        for item in items:
            try:
                result += self._item(item)
            except Refused as error:
                self.report(error)
            if len(result) > LONGEST_LIST:
                message = f"this stage expands to more than {LONGEST_LIST:,} blocks"
                raise Refused("E0602", message, item.span)
        return result

    def _item(self, item: s.Expr) -> list[_Item]:
        match item:
            case s.Name():
                return [_Item(item, [], None, item.span)]
            case s.Call():
                return self._each(item, None)
            case s.Labelled(label, index, call):
                made = self._each(call, label) if isinstance(call, s.Call) else self._item(call)
                if len(made) != 1:
                    message = f"the label {label!r} stands for {len(made)} blocks"
                    raise Refused("E0204", message, item.span, "label one block")
                made[0].label = self.label_text(label, index)
                return made
            case s.Repeat(value, count):
                inner = self._item(value)
                times = self.count_of(count)
                if times * len(inner) > LONGEST_LIST:
                    message = f"this expands to {times * len(inner):,} blocks (limit {LONGEST_LIST:,})"
                    raise Refused("E0602", message, item.span)
                if times > 1 and any(one.label for one in inner):
                    raise Refused("E0204", "a labelled block can't be repeated", item.span)
                return inner * times
            case s.Binary("*", left, right):
                return self._item(s.Repeat(left, right, item.span))
            case s.ListExpr(items):
                return self._items(items)
            case s.Paren((inner,)):
                return self._item(inner)
            case s.IfExpr(condition, then, otherwise):
                outcome = self.decide(condition)
                return [] if outcome is None else self._item(then if outcome else otherwise)
        help = "write block, block(arguments), label: block or block * count"
        raise Refused("E0216", "this is no block of a stage", item.span, help)

    def _each(self, call: s.Call, label: str | None) -> list[_Item]:
        plain: list[s.Argument] = []
        each: list[tuple[s.Argument, list[Value]]] = []
        for arg in call.args:
            if isinstance(arg.value, s.Each):
                each.append((arg, self.elements(arg.value.value, "what 'each' goes over")))
            else:
                plain.append(arg)
        args = self.arguments(tuple(plain))
        if not each:
            return [_Item(call, args, None, call.span)]
        depth = len(each[0][1])
        for arg, values in each[1:]:
            if len(values) != depth:
                message = f"{arg.name} has {len(values)} values, {each[0][0].name} has {depth}"
                note = f"the other stands in {each[0][0].span}"
                raise Refused("E0406", message, arg.span, "lists of one call are equally long", note)
        return [
            _Item(call, [*args, *((a.name, v[i], a.span) for a, v in each)], None, call.span)
            for i in range(depth)
        ]


def elaborate(
    unit: Unit,
    network: s.Network,
    resolution: tuple[int, int] | None = None,
    overrides: Mapping[str, s.Expr] | None = None,
) -> Graph:
    """The graph of a network; raises `ArchError` with every mistake that could be found.

    `resolution` is (rows, columns) of the first input in place of the document's own.
    """
    shared = Elaborator()
    builder = NetworkElaborator(shared, unit, network)
    parameters = builder.set_parameters(overrides or {})
    _check_parameters(builder)
    if not network.tensors:
        builder.report(Refused("E0217", "the network has no input", network.span))
        raise ArchError(shared.errors)
    builder.set_inputs(resolution)
    with paused():
        try:
            builder.run(network.body)
        except Refused as error:
            builder.report(error)
        except RecursionError:
            message = "blocks, statements and brackets are nested too deep"
            help = "give inner parts a name of their own"
            raise ArchError([Diagnostic("E0601", message, network.span, help)]) from None
    if not shared.errors:
        _check_end(builder)
    if shared.errors:
        raise ArchError(shared.errors)
    outputs = tuple(t.number for t in [builder.streams[builder.main]] if isinstance(t, Tensor))
    template = Template(
        network.name,
        network.doc,
        (("in_channels", builder.types[0].shape[0].int),),
        (),
        tuple((builder.names[index], index) for index in range(len(network.tensors))),
        tuple(builder.nodes),
        outputs,
        None,
        builder.types,
        builder.names,
        tuple(builder.lets.items()),
        tuple(builder.decisions),
        tuple(builder.inits),
        network.span,
    )
    classes = parameters.get("num_classes")
    num_classes = classes.int if isinstance(classes, Scalar) else None
    if num_classes is not None:
        template.values["num_classes"] = num_classes
    drop_path = parameters.get("drop_path")
    return Graph(
        network.name,
        template,
        tuple(builder.stages),
        len(builder.nodes) if builder.head is None else builder.head,
        tuple(builder.features),
        tuple((name, plain(value)) for name, value in parameters.items()),
        float(drop_path.value or 0) if isinstance(drop_path, Scalar) else 0.0,
        num_classes,
    )


def plain(value: Value) -> object:
    """A parameter as Python data: numbers, truths, strings, lists, names of operations."""
    if isinstance(value, Scalar):
        return value.value
    if is_list(value):
        return [plain(item) for item in value]
    return value.name if isinstance(value, (OpRef, BlockRef)) else value


def _check_parameters(builder: NetworkElaborator) -> None:
    """`drop_paht: 0.1` would drop nothing, in silence: what is nearly an argument of every model is read,
    or misspelt. Other misspelt parameters are missed where they are used."""
    network = builder.network
    defaults = tuple(param.default for param in network.params)
    shapes = tuple(tensor.shape for tensor in network.tensors)
    read = {*s.names_in(network.body), *s.names_in(defaults), *s.names_in(shapes), *MODEL_ARGUMENTS}
    for param in network.params:
        close = nearest(param.name, MODEL_ARGUMENTS)
        if close is not None and param.name not in read:
            message = f"nothing reads the parameter {param.name!r}"
            builder.report(Refused("E0220", message, param.span, f"did you mean {close!r}?"))


def _check_end(builder: NetworkElaborator) -> None:
    if not builder.nodes:
        message = f"network {builder.name!r} has no entries"
        builder.report(Refused("E0215", message, builder.network.span))
    for index, node in enumerate(builder.nodes):
        if node.child is not None and node.child.has_modes and index != len(builder.nodes) - 1:
            message = f"{node.kind!r} gives something else in training; nothing can follow it"
            builder.report(Refused("E0212", message, node.span, "make it the last entry"))


__all__ = ["LARGEST_DIM", "LARGEST_RESOLUTION", "MODEL_ARGUMENTS", "SCALAR_TYPES", "elaborate"]
