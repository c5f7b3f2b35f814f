"""Bytes of weights and activations, and the most that are alive at once.

The schedule is the order of the document. An operation allocates its output while its inputs are still
there; a tensor is freed after the operation that reads it last. Views share the memory of their input:
rearrangements that move no axis they flatten, split, slice, identity, and in evaluation dropout and
drop_path. Nothing else is done in place. The input counts; weights and tables derived from them do not,
nor does what runs in training alone.

Nothing here walks the flat network. What a call of a block does to memory depends on its template and on
how its tensors are used around it: which inputs share memory, which of them nobody reads later, and the same
of its results. That is a `_Call`; a template has one course for each, which is found once.
tests/test_memory.py compares the figures with those of a walk over every primitive.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from archdsl.cost import Cost
from archdsl.graph import Graph, Node, Template
from archdsl.ops import TensorType, product

Dtype: TypeAlias = Literal["float64", "float32", "float16", "bfloat16", "int8"]
BYTES: Final[dict[Dtype, int]] = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
"""Bytes of a number, by the name of its type."""


class Memory(NamedTuple):
    """In bytes. `weights` are the parameters, `buffers` what else state_dict stores (counters as int64)."""

    weights: int
    buffers: int
    activations: int
    """The sum of all outputs that are no views."""
    peak: int
    peak_at: str
    """The path of the operation during which the most is alive."""


class Activations(NamedTuple):
    """In bytes: the sum of all outputs that are no views, the most that is alive at once, and its path."""

    total: int
    peak: int
    peak_at: str


def memory(graph: Graph, cost: Cost, dtype: Dtype = "float32", batch: int = 1) -> Memory:
    """What a forward pass in evaluation needs; `cost` is that of the network, under core."""
    size = BYTES[dtype]
    found = activations(graph.template, dtype, batch)
    buffers = cost.statistics * size + cost.counters * 8
    return Memory(cost.params * size, buffers, found.total, found.peak, found.peak_at)


def activations(template: Template, dtype: Dtype = "float32", batch: int = 1) -> Activations:
    """What the activations of one template need, by itself: a block, or a whole network.

    Its inputs are alive from the start and freed after their last read, as all tensors are; one that is never
    read stays.
    """
    return _Courses(BYTES[dtype], batch).alone(template)


class TemplateActivations:
    """What the activations of templates need, each by itself, found once."""

    def __init__(self, dtype: Dtype = "float32", batch: int = 1) -> None:
        self._courses = _Courses(BYTES[dtype], batch)

    def bytes(self, type_: TensorType) -> int:
        """The bytes of a tensor, those of the whole batch where it has one."""
        return self._courses.bytes(type_)

    def total(self, template: Template, node: Node) -> int:
        """The bytes that one call of a template allocates."""
        if node.child is not None:
            return self._courses.owners(node.child).total
        made = sum(self._courses.bytes(template.types[value]) for value in node.outputs)
        return 0 if _is_view(template, node) else made

    def link(self, template: Template, node: Node, held: int) -> tuple[int, int]:
        """Of a call of one input and one result, in a chain: the most that is alive, and what the result holds.

        `held` is what its input holds: a view holds all of the memory that it is a part of.
        """
        if node.child is None:
            made = self.total(template, node)
            return held + made, held if _is_view(template, node) else made
        owners = self._courses.owners(node.child)
        owner = owners.of[node.child.outputs[0]]
        passes = owner < len(node.child.inputs)
        freed = held if owners.read[0] >= 0 and not passes else 0
        course = self._courses.course(node.child, _Call((0,), (freed,), (False,) * len(owners.given)))
        return held + max(course.rise, 0), held if passes else owners.bytes[owner]


class _Owners(NamedTuple):
    """Who owns the memory of a template's tensors. The inputs are the owners 0, 1, ...; allocations follow."""

    of: dict[int, int]
    """The owner of each tensor."""
    bytes: list[int]
    born: list[int]
    """The node that allocates; -1 for inputs."""
    read: list[int]
    """The last node that reads; -1 where none does."""
    made: list[list[int]]
    """The allocations of each node."""
    given: tuple[int, ...]
    """The allocations that leave the template with its results."""
    total: int
    """The bytes of all allocations, those of called blocks included."""


class _Call(NamedTuple):
    """How the tensors of a call are used around it.

    `groups`: for each input the number of its owner, inputs of one owner having one number. `freed`: for each
    owner the bytes that are freed after its last read inside, 0 where it is read later. `kept`: for each
    allocation that leaves with the results, whether it is read later.
    """

    groups: tuple[int, ...]
    freed: tuple[int, ...]
    kept: tuple[bool, ...]


class _Course(NamedTuple):
    """What a call does to the bytes alive: the most above what was there before, where, and what is left of it.

    `rise` is -1 where nothing runs.
    """

    rise: int
    at: str
    change: int


class _Courses:
    """The courses of calls for one size of a number and one batch, each found once."""

    def __init__(self, size: int, batch: int) -> None:
        self.size, self.batch = size, batch
        self._owners: dict[int, _Owners] = {}
        self._courses: dict[tuple[int, _Call], _Course] = {}

    def alone(self, template: Template) -> Activations:
        owners = self.owners(template)
        count = len(template.inputs)
        freed = tuple([owners.bytes[owner] if owners.read[owner] >= 0 else 0 for owner in range(count)])
        call = _Call(tuple(range(count)), freed, (False,) * len(owners.given))
        course = self.course(template, call)
        before = sum(owners.bytes[:count])
        if course.rise <= 0:
            return Activations(owners.total, before, "input")
        return Activations(owners.total, before + course.rise, course.at)

    def owners(self, template: Template) -> _Owners:
        """Who owns what in a template."""
        found = self._owners.get(id(template))
        if found is None:
            found = self._owners[id(template)] = self._find_owners(template)
        return found

    def _find_owners(self, template: Template) -> _Owners:
        of: dict[int, int] = {}
        bytes_: list[int] = []
        born: list[int] = []
        read: list[int] = []
        made: list[list[int]] = []
        total = 0

        def allocate(count: int, node: int) -> int:
            bytes_.append(count)
            born.append(node)
            read.append(-1)
            return len(bytes_) - 1

        for _, value in template.inputs:
            of[value] = allocate(self.bytes(template.types[value]), -1)
        for index, node in enumerate(template.nodes):
            child, before = node.child, len(bytes_)
            if index in template.trained_alone:
                made.append([])
                continue
            if child is None:
                for value in node.inputs:
                    read[of[value]] = index
                if _is_view(template, node):
                    of.update((value, of[node.inputs[0]]) for value in node.outputs)
                else:
                    for value in node.outputs:
                        of[value] = allocate(self.bytes(template.types[value]), index)
                    total += sum(bytes_[before:])
                made.append(list(range(before, len(bytes_))))
                continue
            inner = self.owners(child)
            total += inner.total
            taken = [of[value] for value in node.inputs]
            for number, owner in enumerate(taken):
                if inner.read[number] >= 0:
                    read[owner] = index
            given = [allocate(inner.bytes[owner], index) for owner in inner.given]
            # What leaves a block is an input of it that passed through, or was allocated inside.
            outside = dict(zip(inner.given, given, strict=True))
            for value, result in zip(node.outputs, child.outputs, strict=True):
                inside = inner.of[result]
                of[value] = outside[inside] if inside in outside else taken[inside]
            made.append(given)
        leaving = dict.fromkeys([of[value] for value in template.outputs])
        escaped = tuple([owner for owner in leaving if owner >= len(template.inputs)])
        return _Owners(of, bytes_, born, read, made, escaped, total)

    def course(self, template: Template, call: _Call) -> _Course:
        """What a call of a template does to the bytes alive."""
        key = (id(template), call)
        found = self._courses.get(key)
        if found is None:
            found = self._courses[key] = self._find_course(template, call)
        return found

    def _find_course(self, template: Template, call: _Call) -> _Course:
        owners, inputs, never = self.owners(template), len(call.groups), len(template.nodes)
        # Inputs that share memory are held as one; each allocation is held by itself.
        held = [*call.groups, *range(inputs, len(owners.bytes))]
        bytes_ = [*call.freed, *([0] * (inputs - len(call.freed))), *owners.bytes[inputs:]]
        last = [max(read, born) for read, born in zip(owners.read, owners.born, strict=True)]
        last[:inputs] = [-1] * inputs
        for number, group in enumerate(call.groups):
            last[group] = max(last[group], owners.read[number])
        for group, count in enumerate(call.freed):
            if not count:
                last[group] = never
        for owner, kept in zip(owners.given, call.kept, strict=True):
            if kept:
                last[owner] = never
        of, freed = owners.of, [0] * (never + 1)
        for holder in (*range(len(call.freed)), *range(inputs, len(bytes_))):
            freed[last[holder]] += bytes_[holder]
        alive, rise, at = 0, -1, ""
        for index, node in enumerate(template.nodes):
            made = owners.made[index]
            if index in template.trained_alone:
                continue
            if node.child is None:
                alive += sum([bytes_[owner] for owner in made])
                if alive > rise:
                    rise, at = alive, node.label or node.kind
                alive -= freed[index]
                continue
            holders = [held[of[value]] for value in node.inputs]
            later = tuple([last[owner] != index for owner in made])
            inner = self.course(node.child, _call(holders, bytes_, last, index, later))
            if alive + inner.rise > rise and inner.at:
                rise, at = alive + inner.rise, f"{node.label}.{inner.at}" if node.label else inner.at
            alive += inner.change
        return _Course(rise, at, alive)

    def bytes(self, type_: TensorType) -> int:
        """The bytes of a tensor, those of the whole batch where it has one."""
        return product(type_.shape) * self.size * (self.batch if type_.batched else 1)


def _call(holders: list[int], bytes_: list[int], last: list[int], index: int, kept: tuple[bool, ...]) -> _Call:
    """How a node uses the memory that its inputs are held by; most nodes have one input."""
    groups: dict[int, int] = {}
    numbers = tuple([groups.setdefault(holder, len(groups)) for holder in holders])
    freed = tuple([bytes_[holder] if last[holder] == index else 0 for holder in groups])
    return _Call(numbers, freed, kept)


def _is_view(template: Template, node: Node) -> bool:
    assert node.op is not None
    return bool(node.inputs) and node.op.is_view(*template.input_types(node))
