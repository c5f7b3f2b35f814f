"""Templates: blocks run once for each set of arguments and input shapes, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from archdsl import syntax as s
from archdsl.elaborate.axes import first_axes, is_open, with_axes
from archdsl.elaborate.binding import Bound, Called, Signature, usual_values
from archdsl.elaborate.blocks import BlockElaborator
from archdsl.elaborate.expressions import Args
from archdsl.elaborate.nodes import callables_of
from archdsl.elaborate.replay import MOST_RECIPES, Recipe, is_simple, kind_of_call, recipe_of, replay
from archdsl.elaborate.values import (
    POISON,
    BlockRef,
    OpRef,
    Poison,
    Refused,
    Tensor,
    Value,
    describe,
    key_of,
)
from archdsl.graph import Argument, Decision, Template
from archdsl.ops import TensorType, shape_text
from archdsl.scalar import Scalar, scalar, variable
from archdsl.source import ArchError, Diagnostic, Frame, Span

DEEPEST_CALL: Final = 64
"""Blocks may call blocks so deep."""

MOST_STEPS: Final = 200_000
"""Statements run, and elements of lists made, in all blocks of a network together."""

MOST_ERRORS: Final = 1000
"""After so many mistakes no more are looked for."""


class Elaborator:
    """What all templates of one graph share: the memo, the errors, the chain of calls."""

    def __init__(self) -> None:
        self.memo: dict[object, Template] = {}
        self.signatures: dict[int, Signature] = {}
        self.running: set[object] = set()
        self.errors: list[Diagnostic] = []
        self.mistakes = 0
        """How many were found, those that had been told already counted too."""
        self.reported: set[tuple[str, str, Span]] = set()
        self.chain: list[Frame] = []
        self.steps = 0
        self.sizes: dict[int, int] = {}
        self.calls: dict[object, Called] = {}
        self.recipes: dict[object, list[Recipe]] = {}
        self.runs: dict[object, list[tuple[BlockElaborator, Template]]] = {}
        """Blocks that were run, by the kind of call, until another call of the kind asks for a recipe."""
        self.simple: dict[int, bool] = {}
        self.expanded: dict[tuple[int, int], BlockRef] = {}
        """Blocks whose shapes begin with `...`, by how many axes that stands for."""
        self.origins: Callable[[Sequence[str]], str] | None = None
        """Where the parameters stand that an entry reads in arguments of these names, while it is made."""

    @contextmanager
    def making(self, frame: Frame, origins: Callable[[Sequence[str]], str]) -> Iterator[None]:
        """Mistakes inside are of an entry or block of the network, which tells what its arguments read."""
        self.chain.append(frame)
        self.origins = origins
        try:
            yield
        finally:
            self.chain.pop()
            self.origins = None

    def spend(self, count: int, span: Span) -> None:
        """Count what loops and lists do; raises `ArchError` beyond `MOST_STEPS`, for nothing may go on."""
        self.steps += count
        if self.steps > MOST_STEPS:
            message = f"the loops and lists of this network take more than {MOST_STEPS:,} steps"
            self.report(Refused("E0602", message, span, "are loops nested by mistake?"))
            raise ArchError(self.errors)

    def size(self, template: Template) -> int:
        """The primitives of a template, those of the blocks that it calls counted in."""
        key = id(template)
        if key not in self.sizes:
            self.sizes[key] = sum(1 if n.child is None else self.size(n.child) for n in template.nodes)
        return self.sizes[key]

    def report(self, error: Refused) -> None:
        """Note a mistake with the chain of calls that led to it."""
        self.mistakes += 1
        chain = tuple(reversed(self.chain))
        help = error.help
        if error.asked and self.origins is not None:
            help = "; ".join(part for part in (help, self.origins(error.asked)) if part) or None
        diagnostic = Diagnostic(error.code, error.message, error.span, help, error.note, chain)
        # Other instances of a block make the same mistake in the same place: once is enough.
        key = (error.code, error.message, error.span)
        if key not in self.reported:
            self.reported.add(key)
            self.errors.append(diagnostic)
        if len(self.errors) >= MOST_ERRORS:
            raise ArchError(self.errors)

    def with_axes(self, ref: BlockRef, args: Args, tensors: Sequence[Tensor]) -> BlockRef:
        """The block as it is for tensors of these numbers of axes, where its shapes begin with `...`."""
        block = ref.block
        if not any(is_open(tensor.shape) for tensor in block.tensors):
            return ref
        ranks = {name: value.type.rank for name, value, _ in args if name and isinstance(value, Tensor)}
        rest = [tensor.name for tensor in block.tensors if tensor.name not in ranks]
        ranks.update((name, tensor.type.rank) for name, tensor in zip(rest, tensors, strict=False))
        count = first_axes(block, ranks)
        if count is None:
            return ref
        key = (id(block), count)
        if key not in self.expanded:
            expanded, axes = with_axes(block, count)
            self.expanded[key] = ref.replace(block=expanded, axes=axes)
        return self.expanded[key].replace(args=ref.args)  # type: ignore[no-any-return]

    def signature(self, ref: BlockRef) -> Signature:
        """The signature of a block, prepared once."""
        found = self.signatures.get(id(ref.block))
        if found is None:
            found = self.signatures[id(ref.block)] = Signature(ref)
        return found

    def template(self, ref: BlockRef, bound: Bound, span: Span) -> Template | None:
        """The template of a call, from the memo or made now; None where it has no result."""
        types = [tensor.type for tensor in bound.tensors]
        key = (
            id(ref.block),
            tuple([key_of(value) for value in bound.values.values()]),  # in the order of the signature
            tuple([(type_.values, type_.batched) for type_ in types]),
        )
        if key in self.memo:
            return self.memo[key]
        if key in self.running or len(self.running) >= DEEPEST_CALL:
            if key in self.running:
                message = f"block {ref.name!r} calls itself with the same arguments"
                raise Refused("E0604", message, span, "a block can't contain itself")
            message = f"blocks call blocks more than {DEEPEST_CALL} deep"
            raise Refused("E0601", message, span)
        self.running.add(key)
        self.chain.append(Frame(ref.name, span))
        try:
            template = self._made(ref, bound)
        finally:
            self.chain.pop()
            self.running.discard(key)
        if template is not None:
            self.memo[key] = template
        return template

    def _made(self, ref: BlockRef, bound: Bound) -> Template | None:
        """A template from one of the same kind, or by running the block."""
        kind = kind_of_call(ref, bound)
        recipes = self._recipes(kind, ref)
        for recipe in recipes:
            made = replay(self, recipe, ref, bound)
            if made is not None:
                return made
        mistakes = self.mistakes
        template, builder = make_template(self, ref, bound)
        if template is not None and kind is not None and self.mistakes == mistakes:
            # Most blocks are called once: what it takes to make another is found when there is another.
            self.runs.setdefault(kind, []).append((builder, template))
        return template

    def _recipes(self, kind: object | None, ref: BlockRef) -> list[Recipe]:
        """How to make templates like those of a kind that have been made."""
        if kind not in self.runs:
            return self.recipes.get(kind, [])
        runs = self.runs.pop(kind)
        simple = self.simple.get(id(ref.block))
        if simple is None:
            simple = self.simple[id(ref.block)] = is_simple(ref.block)
        known = self.recipes.setdefault(kind, [])
        for builder, template in runs if simple else ():
            recipe = recipe_of(builder, template)
            if recipe is not None and len(known) < MOST_RECIPES:
                known.append(recipe)
        return known


def make_template(shared: Elaborator, ref: BlockRef, bound: Bound) -> tuple[Template | None, BlockElaborator]:
    """Run a block for bound arguments; None where its results are not known after an error.

    A block that decides that names are equal is run once more with one in the place of the other, so
    that its class needs neither.
    """
    builder, general = _run(shared, ref, bound, {}), None
    if builder.pins:
        general = _finish(builder, ref, bound)
        errors = len(shared.errors)
        pinned = _run(shared, ref, bound, builder.pins)
        del shared.errors[errors:]
        pinned.decisions = builder.decisions
        pinned.pinned = True
        builder = pinned
    return _finish(builder, ref, bound, general), builder


def _run(shared: Elaborator, ref: BlockRef, bound: Bound, pins: Mapping[str, Scalar]) -> BlockElaborator:
    block = ref.block
    builder = BlockElaborator(shared, ref.unit, block.name)
    env, usual = builder.env, shared.signature(ref).usual
    builder.usual = usual_values(shared.signature(ref), bound)
    for name, pair in bound.extents:
        env[name] = variable(name, pair.value)
        builder.actual[name] = pair.value
    for param in block.params:
        value = bound.values[param.name]
        default = usual.get(param.name)
        if isinstance(value, Scalar):
            env[param.name] = variable(param.name, value.value)
            builder.actual[param.name] = value.value
        elif isinstance(value, list):
            env[param.name] = [_constant(item) for item in value]
        else:
            env[param.name] = value.replace(through=param.name) if isinstance(value, OpRef) else value
            other = default is not None and key_of(default) != key_of(value)
            if isinstance(value, (OpRef, BlockRef)) and other:
                builder.unusual_callables.add(param.name)
                shown = f"{param.name} is {value.name}"
                builder.decisions.append(Decision(value.name, shown, True, True, argument=param.name))
    for name, pin in pins.items():
        env[name] = pin
    for param_, tensor in zip(block.tensors, bound.tensors, strict=True):
        # An extent that is written as a number is that number; one that is a name has been bound.
        written = [
            env[expr.id] if isinstance(expr, s.Name) else scalar(extent.value)
            for expr, extent in zip(param_.shape.extents, tensor.type.shape, strict=True)
        ]
        shape = tuple(pair for pair in written if isinstance(pair, Scalar))
        mine = builder.tensor(TensorType(shape, tensor.type.batched))
        env[param_.name] = mine
        builder.names[mine.number] = param_.name
    builder.run(block.body)
    return builder


def _constant(value: Value) -> Value:
    return Scalar(value.value, value.value) if isinstance(value, Scalar) else value


def _finish(
    builder: BlockElaborator, ref: BlockRef, bound: Bound, general: Template | None = None
) -> Template | None:
    block = ref.block
    if builder.returned is None:
        help = "end it with 'return tensor', or 'output train = ...' and 'output eval = ...'"
        builder.report(Refused("E0211", f"block {block.name!r} returns nothing", block.span, help))
        return None
    outputs: list[int] = []
    ok = len(builder.returned) == len(block.results)
    span = builder.return_span or block.span
    if not ok and not any(isinstance(value, Poison) for value in builder.returned):
        given, wanted = len(builder.returned), len(block.results)
        message = f"block {block.name!r} returns {given} tensors and declares {wanted}"
        builder.report(Refused("E0301", message, span))
    for index, result in enumerate(block.results):
        value = builder.returned[index] if ok else POISON
        number = _declared(builder, block, result, value, span)
        if number is None:
            return None
        outputs.append(number)
    training = None
    if builder.trained is not None:
        for value in builder.trained:
            if not isinstance(value, (Tensor, Poison)):
                message = f"block {block.name!r} gives {describe(value)} in training, not a tensor"
                builder.report(Refused("E0301", message, span))
        if not all(isinstance(value, Tensor) for value in builder.trained):
            return None
        training = tuple(value.number for value in builder.trained)  # type: ignore[union-attr]
    written, params = builder.shared.signature(ref).written, bound.values
    arguments = tuple(
        [
            Argument(param.name, param.type.name, written.get(param.name), value.value)
            for param in block.params
            if param.type is not None and isinstance(value := params[param.name], Scalar)
        ]
    )
    _check_modes(builder, outputs)
    _check_reads(builder, outputs, training or ())
    return Template(
        block=block.name,
        doc=block.doc,
        extents=tuple((name, pair.int) for name, pair in bound.extents),
        arguments=arguments,
        inputs=tuple((param.name, index) for index, param in enumerate(block.tensors)),
        nodes=tuple(builder.nodes),
        outputs=tuple(outputs),
        training_outputs=training,
        types=builder.types,
        names=builder.names,
        lets=tuple(builder.lets.items()),
        decisions=tuple(builder.decisions),
        inits=tuple(builder.inits),
        span=block.span,
        callables=callables_of(builder.shared.signature(ref).usual),
        general=general,
        axes=ref.axes,
    )


def _declared(
    builder: BlockElaborator, block: s.Block, result: s.Result, value: Value, span: Span
) -> int | None:
    """The number of a returned tensor, its extents in the words of the declaration; None if unknown.

    A name in the declaration that nothing has bound is bound by what is returned.
    """
    try:
        if isinstance(value, Tensor) and value.type.rank == len(result.shape.extents):
            for expr, extent in zip(result.shape.extents, value.type.shape, strict=True):
                if isinstance(expr, s.Name) and expr.id not in builder.env:
                    builder.bind_extent(expr, extent)
        if isinstance(value, Poison):  # names that it would have bound are no mistakes of their own
            names = [expr.id for expr in result.shape.extents if isinstance(expr, s.Name)]
            builder.env.update({name: POISON for name in names if name not in builder.env})
        declared = [builder.scalar_of(expr, "an extent") for expr in result.shape.extents]
    except Refused as error:
        builder.report(error)
        return None
    known = [pair for pair in declared if isinstance(pair, Scalar)]
    if len(known) != len(declared) or not all(isinstance(pair.value, int) for pair in known):
        return None
    claim = TensorType(tuple(known))
    if isinstance(value, Poison):
        # After a reported error, go on with what the block declares: more mistakes can be found.
        return builder.tensor(claim).number
    if not isinstance(value, Tensor):
        message = f"block {block.name!r} returns {describe(value)}, not a tensor"
        builder.report(Refused("E0301", message, span))
        return builder.tensor(claim).number
    if value.type.values != claim.values:
        message = f"block {block.name!r} returns {shape_text(value.type)}, not {shape_text(claim)}"
        note = f"declared in {result.span}"
        builder.report(Refused("E0301", message, span, note))
        return builder.tensor(claim).number
    builder.types[value.number] = TensorType(tuple(known), value.type.batched)
    return value.number


def _check_reads(builder: BlockElaborator, outputs: Sequence[int], training: Sequence[int]) -> None:
    """What is computed must be read: it would cost and mean nothing."""
    if builder.shared.errors:
        return
    read = {*outputs, *training, *(value for node in builder.nodes for value in node.inputs)}
    for node in builder.nodes:
        if read.isdisjoint(node.outputs):
            name = builder.names.get(node.outputs[0])
            what = f"{name!r}" if name else f"what {node.kind!r} gives"
            message = f"{what} is computed and never read"
            builder.report(Refused("E0219", message, node.span, "return it, use it or remove it"))


def _check_modes(builder: BlockElaborator, outputs: list[int]) -> None:
    """A block with another result in training is the last thing that its caller does."""
    for node in builder.nodes:
        if node.child is None or not node.child.has_modes:
            continue
        used = any(value in other.inputs for other in builder.nodes for value in node.outputs)
        if used or list(node.outputs) != outputs:
            message = f"{node.kind!r} gives something else in training; nothing can follow it"
            builder.report(Refused("E0212", message, node.span, "return what it gives"))
