"""Blocks applied to the named streams of a network.

The first input is the stream `x`. A block takes the streams that its tensors are named after (one tensor
of any other name takes `x`), and its results replace the streams that they are named after, or, unnamed,
the first that it took. All other streams pass it by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

from archdsl import syntax as s
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.parameters import ParameterElaborator
from archdsl.elaborate.values import (
    POISON,
    BlockRef,
    Open,
    OpRef,
    Poison,
    Refused,
    Tensor,
    Value,
    callable_named,
    describe,
    is_list,
    not_found_help,
)
from archdsl.graph import Node, frames_of
from archdsl.library import first_parameter
from archdsl.ops import OPS, TensorType
from archdsl.scalar import Scalar
from archdsl.source import Span

Called: TypeAlias = s.Call | s.Name | Open
"""What an entry or item calls: a name, with or without arguments, or an open choice of blocks."""


class Made(NamedTuple):
    """An entry or block as it was made: its label, what it called, and the values that it gave."""

    label: str
    callee: OpRef | BlockRef
    args: Args


class _Applied(NamedTuple):
    """The call that was applied last, and the node that it made of streams, and put into streams."""

    call: Called
    args: Args
    made: Made
    node: Node
    taken: list[str]
    types: list[TensorType]
    given: list[str]
    results: list[TensorType]


class StreamElaborator(ParameterElaborator):
    """Applies entries to streams."""

    applied: _Applied | None = None
    trace: list[Made] | None = None
    """What was made, in order, for those who ask for it."""

    def entry(self, label: str, call: s.Expr, span: Span) -> None:
        assert isinstance(call, (s.Call, s.Name))
        with self.at(label):
            args = self.arguments(s.as_call(call).args)
        with self.making(label, call, span):
            self.apply_call(label, call, args)

    @contextmanager
    def making(self, label: str, call: Called, span: Span) -> Iterator[None]:
        """Mistakes inside are of an entry or block: they are reported as such, and end it."""

        def origins(names: Sequence[str]) -> str:
            given = [arg for arg in _written(call) if arg.name is None or arg.name in names]
            return self.origins(tuple(given))

        with self.shared.making(frames_of(label, span), origins):
            try:
                yield
            except Refused as error:
                self.report(self.of_call(error, call))
                self.lose_streams()

    def of_call(self, error: Refused, call: Called) -> Refused:
        """A mistake in a call; one in an argument says where the parameters stand that are given."""
        for arg in _written(call):
            if arg.span == error.span:
                return self.blamed(error, arg.value)
        return error

    def lose_streams(self) -> None:
        """After a mistake nothing is known of what flows on."""
        for name in self.streams:
            self.streams[name] = POISON

    def apply_call(
        self, label: str, call: Called, args: Args, place: str | None = None, value: Value | None = None
    ) -> None:
        """Call a block or primitive on the streams that it names, and put its results in their place.

        `value` is what the call's name stands for, where that is known. Choices that are still open in it are
        decided now; they are called after `place`, or the label. Raises `Refused`.
        """
        place = place or label
        callee, span = self._callee(place, call, value)
        if callee is None:
            return
        given = [(name, self.read_whole(self.named(value, place)), written) for name, value, written in args]
        if any(isinstance(value, Poison) for _, value, _ in given):
            self.lose_streams()
            return
        trace = Made(label, callee, given)
        if self.trace is not None:
            self.trace.append(trace)
        wanted = self._bound_streams(callee, span)
        live = [self.streams[stream] for stream in wanted]
        tensors = [tensor for tensor in live if isinstance(tensor, Tensor)]
        if len(tensors) != len(live):
            return
        result = self.apply(callee, given, tensors, label, span)
        results = list(result) if is_list(result) else [result]
        if isinstance(result, Poison) and isinstance(callee, BlockRef):
            results = [POISON] * len(callee.block.results)
        names = self._result_streams(callee, wanted, len(results))
        self._put(names, results)
        made = [value.type for value in results if isinstance(value, Tensor)]
        is_plain = not isinstance(call, Open) and all(isinstance(v, (Scalar, str)) for _, v, _ in args)
        is_whole = len(made) == len(results) and self.nodes[-1].inputs == tuple([t.number for t in tensors])
        if is_plain and is_whole:
            types = [tensor.type for tensor in tensors]
            self.applied = _Applied(call, args, trace, self.nodes[-1], wanted, types, names, made)

    def _callee(
        self, place: str, call: Called, value: Value | None = None
    ) -> tuple[OpRef | BlockRef | None, Span]:
        """What is called, decided; None where a choice decides for no block at all."""
        if isinstance(call, Open):
            callee = self.read_whole(self.named(call, place))
            if isinstance(callee, Scalar) and callee.value is None:
                return None, call.span
            if not isinstance(callee, (OpRef, BlockRef)):
                message = f"a block of a stage is chosen, not {describe(callee)}"
                raise Refused("E0216", message, call.span, "choose {ffn, attention_block}")
            return callee, call.span
        written = s.as_call(call)
        name, name_span = written.name, written.name_span
        found = self.lookup(name) if value is None else value
        known = callable_named(name, self.unit, name_span) if found is None else self.read_whole(found)
        if value is not None and isinstance(known, Scalar) and known.value is None:
            return None, call.span
        if isinstance(known, Scalar | str):
            # As in a block, a number's name may be that of a primitive too: `drop_path` is both.
            known = callable_named(name, self.unit, name_span)
        if not isinstance(known, (OpRef, BlockRef)):
            message = f"unknown block or primitive {name!r}"
            raise Refused("E0202", message, name_span, not_found_help(name, [*self.unit.blocks, *OPS]))
        return known, call.span

    def first_argument(self, call: Called, value: Value | None) -> str | None:
        """The name of the argument that may be given without one."""
        if isinstance(call, Open):
            return None
        callee = self._callee("", call, value)[0]
        if callee is None:
            return None
        return first_parameter(callee.block if isinstance(callee, BlockRef) else callee.op)

    def _put(self, names: Sequence[str], results: Sequence[Value]) -> None:
        for stream, value in zip(names, results, strict=True):
            self.streams[stream] = value if isinstance(value, Tensor) else POISON
            if isinstance(value, Tensor):
                self.names.setdefault(value.number, stream)

    def apply_again(self, label: str, call: Called, args: Args) -> bool:
        """Apply the call that was applied last once more, as `item * 1000` does a thousand times.

        False, and nothing done, where it is another call or takes tensors of other types; and where something
        is wrong, which is told by applying it anew.
        """
        last = self.applied
        if last is None or last.call is not call or last.args is not args or label in self.labels:
            return False
        tensors = [self.streams[stream] for stream in last.taken]
        live = [tensor for tensor in tensors if isinstance(tensor, Tensor)]
        if [tensor.type for tensor in live] != last.types or not self.has_room(last.node):
            return False
        self.own(label, last.node.span)
        results = self.add_again(last.node, live, last.results, label)
        self._put(last.given, results)
        if self.trace is not None:
            self.trace.append(last.made._replace(label=label))
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


def _written(call: Called) -> tuple[s.Argument, ...]:
    """The arguments that a call is written with; what is chosen among has its own."""
    return () if isinstance(call, Open) else s.as_call(call).args
