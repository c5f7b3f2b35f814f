"""Moving axes about: einops' notation for reshape, permute and flatten, and joining, cutting, rolling."""

from __future__ import annotations

from archdsl.ops.base import (
    Code,
    Count,
    Dim,
    Dims,
    Int,
    Ints,
    OpError,
    Spelling,
    TensorType,
    Text,
    Weightless,
    axis_of,
    const,
    expect_batch,
    expect_rank,
    shape_text,
    torch_axis,
)
from archdsl.ops.conv import window_extent
from archdsl.record import Record
from archdsl.scalar import ONE, Apply, Scalar, is_constant


class _Plan(Record):
    """How a rearrangement is done: flatten runs, split axes, permute, flatten groups."""

    merged: tuple[tuple[int, int], ...]
    """Runs of input axes that stay together: (first, last), flattened before anything else."""
    splits: tuple[tuple[int, tuple[str, ...]], ...]
    """Axes that are split, from the last to the first, and the names of their parts."""
    order: tuple[int, ...]
    """The permutation of the elementary axes."""
    groups: tuple[tuple[int, int], ...]
    """Runs of output axes that are flattened at the end, from the last to the first."""


def _groups(side: str) -> list[tuple[str, ...]]:
    groups: list[tuple[str, ...]] = []
    inside: list[str] | None = None
    for word in side.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(" and inside is None:
            inside = []
        elif word == ")" and inside is not None:
            groups.append(tuple(inside))
            inside = None
        elif not word.isidentifier():
            help = "'...' stands for the axes of a block whose shapes begin with it" if word == "..." else None
            raise OpError(f"{word!r} can't stand in a pattern of rearrange", help, "pattern")
        elif inside is None:
            groups.append((word,))
        else:
            inside.append(word)
    if inside is not None:
        raise OpError("a parenthesis of the pattern is not closed", attribute="pattern")
    return groups


class Rearrange(Weightless):
    """einops' notation: `rearrange("(n d) h w -> n (h w) d", n = heads)`. The batch is not written.

    Every axis of the left side appears on the right once. Sizes that do not follow from the input are
    given by name; one part of each group may be left out.
    """

    kind = "rearrange"
    in_line = True

    pattern: Text
    _sizes: tuple[tuple[str, Scalar], ...] = ()

    def _sides(self) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
        left, arrow, right = self.pattern.partition("->")
        if not arrow:
            help = 'write "before -> after"'
            raise OpError("a pattern needs an arrow", help, "pattern")
        sides = _groups(left), _groups(right)
        names = [[name for group in side for name in group] for side in sides]
        for side in names:
            twice = [name for name in side if side.count(name) > 1]
            if twice:
                raise OpError(f"{twice[0]!r} stands twice on one side", attribute="pattern")
        alone = set(names[0]) ^ set(names[1])
        if alone:
            message = f"{sorted(alone)[0]!r} stands on one side only"
            raise OpError(message, "every axis stands on both sides", "pattern")
        return sides

    def _extents(self, x: TensorType) -> dict[str, Scalar]:
        left, _ = self._sides()
        if len(left) != x.rank:
            message = f"the pattern has {len(left)} axes before the arrow, the tensor {shape_text(x)}"
            raise OpError(message, "the batch is not written", "pattern")
        given = dict(self._sizes)
        extents: dict[str, Scalar] = {}
        for group, extent in zip(left, x.shape, strict=True):
            known = ONE
            for name in group:
                if name in given:
                    known = known * given[name]
            rest = [name for name in group if name not in given]
            if len(rest) > 1:
                help = f"give {rest[0]} = ..."
                raise OpError(f"the sizes of {' and '.join(rest)} are not known", help)
            if extent.int % known.int or (not rest and extent.value != known.value):
                names = " * ".join(name for name in group if name in given)
                if not group:
                    raise OpError(f"'()' stands for an extent of 1, got {extent.value}", attribute="pattern")
                raise OpError(f"{names} = {known.value} does not divide {extent.value}")
            for name in group:
                extents[name] = given[name] if name in given else divide(extent, known)
        unknown = sorted(set(given) - set(extents))
        if unknown:
            raise OpError(f"{unknown[0]!r} is no axis of the pattern", attribute=unknown[0])
        return extents

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        extents = self._extents(x[0])
        _, right = self._sides()
        shape = []
        for group in right:
            extent = ONE
            for name in group:
                extent = extent * extents[name]
            shape.append(extent)
        return (x[0].with_shape(*shape),)

    def plan(self) -> _Plan:
        """The steps, the fewest that torch needs."""
        left, right = self._sides()
        after = {name: group for group in right for name in group}
        merged: list[tuple[int, int]] = []
        axes: list[tuple[str, ...]] = []
        position = 0
        while position < len(left):
            run = list(left[position])
            last = position
            while (
                len(left[last]) == 1
                and last + 1 < len(left)
                and len(left[last + 1]) == 1
                and _follows(after[run[-1]], run[-1], left[last + 1][0])
            ):
                last += 1
                run += left[last]
            if last > position:
                merged.append((position, last))
                axes.append((" ".join(run),))
            else:
                axes.append(left[position])
            position = last + 1
        elements = [name for group in axes for name in group]
        splits = [(i, group) for i, group in enumerate(axes) if len(group) != 1]
        target: list[tuple[str, ...]] = []
        for group in right:
            target.append(_as_elements(group, elements))
        flat = [name for group in target for name in group]
        order = tuple(elements.index(name) for name in flat)
        groups, start = [], 0
        for group in target:
            if len(group) > 1:
                groups.append((start, start + len(group) - 1))
            start += len(group)
        return _Plan(tuple(merged), tuple(reversed(splits)), order, tuple(reversed(groups)))

    def is_view(self, *x: TensorType) -> bool:
        plan = self.plan()
        return plan.order == tuple(range(len(plan.order))) or not plan.groups

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        base = 1 if types[0].batched else 0
        plan, given = self.plan(), dict(self._sizes)
        text, rank = x[0].atom, types[0].rank
        for first, last in reversed(plan.merged):
            end = "" if last == rank - 1 else f", {last + base}"
            text += f".flatten({first + base}{end})"
            rank -= last - first
        for axis, names in plan.splits:
            if names:
                free = [name for name in names if name not in given] or [names[-1]]
                sizes = ["-1" if name == free[0] else write(given[name]) for name in names]
                text += f".unflatten({axis + base}, ({', '.join(sizes)}))"
            else:
                text += f".squeeze({axis + base})"
        moved = [i for i, axis in enumerate(plan.order) if i != axis]
        if len(moved) == 2:
            text += f".transpose({moved[0] + base}, {moved[1] + base})"
        elif moved:
            order = [axis + base for axis in plan.order]
            text += f".permute({', '.join(map(str, [0, *order] if base else order))})"
        rank = len(plan.order)
        for first, last in plan.groups:
            end = "" if last == rank - 1 else f", {last + base}"
            text += f".flatten({first + base}{end})"
            rank -= last - first
        _, right = self._sides()
        for axis, group in enumerate(right):
            if not group:
                text += f".unsqueeze({axis + base})"
        return Code(text)


def _follows(group: tuple[str, ...], name: str, next_name: str) -> bool:
    """Whether `next_name` comes right after `name` in a group of the output."""
    place = group.index(name)
    return place + 1 < len(group) and group[place + 1] == next_name


def _as_elements(group: tuple[str, ...], elements: list[str]) -> tuple[str, ...]:
    """The group in terms of elementary axes, some of which are merged runs of names."""
    runs = {run.split(" ")[0]: run for run in elements}
    result, position = [], 0
    while position < len(group):
        run = runs[group[position]]
        result.append(run)
        position += len(run.split(" "))
    return tuple(result)


def divide(a: Scalar, b: Scalar) -> Scalar:
    """`a / b` of sizes that are known to divide: `heads * key_dim / heads` is `key_dim`."""
    if a.term == b.term:
        return ONE
    if isinstance(a.term, Apply) and a.term.op == "*" and b.term in a.term.args:
        rest = [term for term in a.term.args if term != b.term]
        if len(rest) == 1:
            return Scalar(a.int // b.int, rest[0])
    return a // b


class Concat(Weightless):
    """Tensors joined along an axis, the first (channels) unless given; learned ones go to every sample."""

    kind = "concat"
    by_value = ("axis",)
    inputs = -1

    axis: Int = const(0)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        axis = axis_of(self.axis, x[0])
        extent = x[0].shape[axis]
        for other in x[1:]:
            same = other.rank == x[0].rank and all(
                a == b for i, (a, b) in enumerate(zip(other.values, x[0].values, strict=True)) if i != axis
            )
            if not same:
                raise OpError(
                    f"can't join {shape_text(x[0])} and {shape_text(other)} along axis {axis}",
                    "all other extents must be equal",
                )
            extent = extent + other.shape[axis]
        shape = list(x[0].shape)
        shape[axis] = extent
        return (TensorType(tuple(shape), self._with_batch(x) is not None),)

    def _with_batch(self, types: tuple[TensorType, ...]) -> int | None:
        """The first of its tensors that has a batch: learned ones are joined to each sample of it."""
        return next((place for place, type_ in enumerate(types) if type_.batched), None)

    def reads_twice(self, *x: TensorType) -> bool:
        return self._with_batch(x) is not None and not all(type_.batched for type_ in x)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        if len(x) == 1:
            return x[0]
        place = self._with_batch(types)
        like = types[place or 0]
        axis = torch_axis(axis_of(self.axis, like), like)
        texts = [code.text for code in x]
        if place is not None:
            kept = ", -1" * like.rank
            batch = f"len({x[place].text})"
            texts = [
                code.text if type_.batched else f"{code.atom}.expand({batch}{kept})"
                for code, type_ in zip(x, types, strict=True)
            ]
        return Code(f"torch.cat([{', '.join(texts)}], {axis})")


class Repeat(Weightless):
    """A learned tensor for every sample of a second one: `repeat(tokens: parameter([n, dim]), x)`."""

    kind = "repeat"
    inputs = 2

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        learned, like = x
        if learned.batched:
            raise OpError(f"repeat takes a learned tensor first, {shape_text(learned)} has a batch already")
        expect_batch(like, "repeat, as its second,")
        return (TensorType(learned.shape),)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"{x[0].atom}.repeat(len({x[1].text}){', 1' * types[0].rank})")


class Split(Weightless):
    """A tensor cut into pieces of the given sizes along an axis: `a, b = x |> split([c, d])`."""

    kind = "split"
    in_line = True
    by_value = ("axis",)
    outputs = -1

    sizes: Dims
    axis: Int = const(0)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        axis = axis_of(self.axis, x[0])
        whole = sum(size.int for size in self.sizes)
        if whole != x[0].values[axis]:
            raise OpError(
                f"the pieces sum to {whole}, axis {axis} of {shape_text(x[0])} has {x[0].values[axis]}",
                attribute="sizes",
            )
        pieces = []
        for size in self.sizes:
            shape = list(x[0].shape)
            shape[axis] = size
            pieces.append(x[0].with_shape(*shape))
        return tuple(pieces)

    def is_view(self, *x: TensorType) -> bool:
        return True

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        if len(self.sizes) == 1:
            return x[0]
        axis = torch_axis(axis_of(self.axis, types[0]), types[0])
        if all(size.term == self.sizes[0].term for size in self.sizes):
            return Code(f"{x[0].atom}.chunk({len(self.sizes)}, {axis})")
        return Code(f"{x[0].atom}.split({write.sequence(self.sizes)}, {axis})")


def _indexed(x: Code, axis: int, inside: str) -> Code:
    """`x[:, :, inside]`, along an axis as torch counts it."""
    return Code(f"{x.atom}[{':, ' * axis}{inside}]")


class Slice(Weightless):
    """`length` positions of an axis from `start` on."""

    kind = "slice"
    in_line = True
    by_value = ("axis",)

    start: Count
    length: Dim
    axis: Int = const(0)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        axis = axis_of(self.axis, x[0])
        if self.start.int + self.length.int > x[0].values[axis]:
            message = f"positions {self.start.value} to {self.start.int + self.length.int - 1}"
            raise OpError(f"{message} are not all in axis {axis} of {shape_text(x[0])}")
        shape = list(x[0].shape)
        shape[axis] = self.length
        return (x[0].with_shape(*shape),)

    def is_view(self, *x: TensorType) -> bool:
        return True

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        axis = torch_axis(axis_of(self.axis, types[0]), types[0])
        end = self.start + self.length
        first = "" if self.start.term == 0 else write(self.start)
        plain = all(is_constant(scalar.term) for scalar in (self.start, end))
        colon = ":" if plain or not first else " : "
        return _indexed(x[0], axis, f"{first}{colon}{write(end)}")


class Select(Weightless):
    """One position of an axis, which is an axis no more: a class token of [tokens, dim] is [dim]."""

    kind = "select"
    in_line = True
    by_value = ("axis",)

    index: Count
    axis: Int = const(0)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        axis = axis_of(self.axis, x[0])
        if self.index.int >= x[0].values[axis]:
            message = f"there is no position {self.index.value} in axis {axis} of {shape_text(x[0])}"
            raise OpError(message, f"positions are 0 to {x[0].values[axis] - 1}", "index")
        if x[0].rank == 1:
            raise OpError("nothing is left but the batch", "slice(index, length = 1)", "index")
        return (x[0].with_shape(*(extent for place, extent in enumerate(x[0].shape) if place != axis)),)

    def is_view(self, *x: TensorType) -> bool:
        return True

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return _indexed(x[0], torch_axis(axis_of(self.axis, types[0]), types[0]), write(self.index))


class Pad(Weightless):
    """A map with zeros around it: `pad([left, right, top, bottom])`."""

    kind = "pad"

    sides: Ints

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        expect_rank(x[0], 3, self.kind)
        if len(self.sides) != 4 or any(side.int < 0 for side in self.sides):
            raise OpError("pad takes [left, right, top, bottom], each from 0", attribute="sides")
        left, right, top, bottom = self.sides
        channels, rows, columns = x[0].shape
        return (x[0].with_shape(channels, rows + top + bottom, columns + left + right),)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        return Code(f"F.pad({x[0].text}, {write.sequence(self.sides)})")


class Roll(Weightless):
    """Axes shifted round, the rows and columns of a map [C, H, W] unless others are given."""

    kind = "roll"
    in_line = True
    by_value = ("axes",)

    shifts: Ints
    axes: Ints = (const(-2), const(-1))

    def _axes(self, x: TensorType) -> list[int]:
        axes = [axis_of(axis, x, "axes") for axis in self.axes]
        if len(set(axes)) != len(axes):
            raise OpError("an axis is named twice", attribute="axes")
        return axes

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        axes = self._axes(x[0])
        if len(self.shifts) != len(axes):
            message = f"roll takes a shift for each of {len(axes)} axes, got {len(self.shifts)}"
            raise OpError(message, "roll([rows, columns])", "shifts")
        return (x[0],)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        axes = [str(torch_axis(axis, types[0])) for axis in self._axes(types[0])]
        where = f"({', '.join(axes)})" if len(axes) > 1 else axes[0]
        shifts = write.sequence(self.shifts) if len(axes) > 1 else write(self.shifts[0])
        return Code(f"{x[0].atom}.roll({shifts}, {where})")


class Unfold(Weightless):
    """Every window of a map as one column: [C, H, W] gives [C * kernel * kernel, positions]."""

    kind = "unfold"

    kernel: Dim
    stride: Dim = const(1)
    padding: Count = const(0)

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        expect_rank(x[0], 3, self.kind)
        rows, columns = (
            window_extent(extent, self.kernel, self.stride, self.padding, ONE) for extent in x[0].shape[1:]
        )
        channels = x[0].shape[0] * self.kernel * self.kernel
        return (x[0].with_shape(channels, rows * columns),)

    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        text = f"{x[0].text}, {write(self.kernel)}"
        if self.stride.term != 1:
            text += f", stride={write(self.stride)}"
        if self.padding.term != 0:
            text += f", padding={write(self.padding)}"
        return Code(f"F.unfold({text})")
