"""Forms of one block that a person would write as one class: what some have and others have not becomes a
branch of the constructor, and activations that differ become an argument.

    y = y |> se: squeeze_excite(...)           self.se = SqueezeExcite(...) if squeeze else nn.Identity()
    return if residual { x + y } else { y }    return x + y if self.residual else y

Only what is the same text in all forms but for such branches is merged: every primitive is written once for
each of them, and compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from archdsl.graph import Callable, Node, Question, Template
from archdsl.ops import Code, Op, Spelling, TensorType
from archdsl.record import Record
from archdsl.scalar import Apply, Scalar, ScalarError, Term, evaluate

MOST_FORMS: Final = 32
"""A block of more forms than this is not looked at: what differs in so many ways is no branch."""


class Branch(Record):
    """Nodes `first` to `last` (one past) that are there where `condition` holds.

    They give one tensor, `result`; where they are not there, `otherwise` is in its place.
    """

    first: int
    last: int
    condition: Term
    result: int
    otherwise: int


class Merged(Record):
    """Several forms as one template, which holds the nodes of all of them."""

    template: Template
    branches: tuple[Branch, ...]
    callables: tuple[Callable, ...]
    """The arguments that take primitives, with the usual one."""
    required: tuple[str, ...]
    """Those of such arguments that have no usual one."""
    called: Mapping[int, str]
    """The nodes that call such an argument."""


class _Unlike(Exception):
    """The forms differ in more than branches."""


def merge(templates: Sequence[Template], class_of: Mapping[int, int]) -> Merged | None:
    """Templates of one block, of different forms, as one; None where they differ in more than branches.

    `class_of` has the class of every block that they call, by the identity of its template.
    """
    if not 1 < len(templates) <= MOST_FORMS:
        return None
    try:
        return _Merge(templates, class_of).merged()
    except _Unlike:
        return None


Place: TypeAlias = tuple[Term, int]
"""A branch: what it asks, and which of the branches that ask it this is."""


class _Part(Record):
    """The nodes of one template: those of all forms, and those of each branch."""

    template: Template
    common: tuple[int, ...]
    branches: dict[Place, tuple[int, ...]]

    __hash__ = object.__hash__


class _Merge:
    """Lays templates side by side, node by node."""

    def __init__(self, templates: Sequence[Template], class_of: Mapping[int, int]) -> None:
        self.templates = templates
        self.class_of = class_of
        self.numbers: list[dict[int, int]] = []
        """By template: the number of each of its tensors in the merged one."""
        self.nodes: list[Node] = []
        self.types: dict[int, TensorType] = {}
        self.names: dict[int, str] = {}
        self.otherwise: dict[int, int] = {}
        """By the result of a branch: what stands for it, once that is known."""
        self.absent: dict[int, list[int]] = {}
        """By the result of a branch: the templates that have it not."""
        self.through: set[str] = set()
        self.called: dict[int, str] = {}

    def merged(self) -> Merged:
        first = self.templates[0]
        for template in self.templates:
            if _frame(template) != _frame(first) or template.training_outputs is not None:
                raise _Unlike
        answers = [_answers(template) for template in self.templates]
        asked = list(answers[0])
        if any(set(answer) != set(asked) for answer in answers):
            raise _Unlike
        open_ = [term for term in asked if len({answer[term] for answer in answers}) > 1]
        parts = [_parted(template, open_) for template in self.templates]
        if len({len(part.common) for part in parts}) > 1:
            raise _Unlike
        for name, value in first.inputs:
            self.types[value], self.names[value] = first.types[value], name
        self.numbers = [{value: value for _, value in first.inputs} for _ in parts]
        slots = _slots(parts, open_)
        branches: list[tuple[int, int, Question]] = []
        for place in range(len(parts[0].common) + 1):
            for slot in slots.get(place, ()):
                branches.append(self._branch(parts, slot, answers))
            if place < len(parts[0].common):
                self._node([(i, part.common[place]) for i, part in enumerate(parts)])
        outputs = self._unified([(i, list(t.outputs)) for i, t in enumerate(self.templates)])
        template = self._template(outputs, open_)
        # A default that is no function is given by each call, as what has no default is.
        usual = {given.name: given for given in first.callables if _is_function(given.op)}
        known = tuple(usual[name] for name in usual if name in self.through)
        if self.through & {(node.label or "").partition(".")[0] for node in self.nodes}:
            raise _Unlike
        return Merged(
            template,
            tuple(self._finished(*branch) for branch in branches),
            known,
            tuple(sorted(self.through.difference(usual))),
            self.called,
        )

    def _finished(self, first: int, last: int, question: Question) -> Branch:
        term, outcome = question
        condition = term if outcome else Apply("not", (term,))
        result = self.nodes[last - 1].outputs[0]
        if result not in self.otherwise or self._skips(first, last, self.otherwise[result]):
            raise _Unlike
        return Branch(first, last, condition, result, self.otherwise[result])

    def _skips(self, first: int, last: int, otherwise: int) -> bool:
        """Whether a branch reads what another one before it gives, and nothing tells what stands for both."""
        read = {value for node in self.nodes[first:last] for value in node.inputs}
        return any(self.otherwise.get(value) == otherwise for value in read)

    # --- nodes

    def _branch(
        self, parts: Sequence[_Part], slot: Place, answers: Sequence[Mapping[Term, bool]]
    ) -> tuple[int, int, Question]:
        """Add the nodes of a branch, from the templates that have it."""
        term = slot[0]
        have = [i for i, part in enumerate(parts) if slot in part.branches]
        counts = {len(parts[i].branches[slot]) for i in have}
        outcomes = {answers[i][term] for i in have}
        lacking = {answers[i][term] for i in range(len(parts)) if i not in have}
        if len(counts) > 1 or len(outcomes) > 1 or outcomes & lacking:
            raise _Unlike
        start = len(self.nodes)
        for place in range(counts.pop()):
            self._node([(i, parts[i].branches[slot][place]) for i in have])
        last = self.nodes[-1]
        if len(last.outputs) != 1 or any("." in (node.label or "") for node in self.nodes[start:]):
            raise _Unlike
        self.absent[last.outputs[0]] = [i for i in range(len(parts)) if i not in have]
        inner = {value for node in self.nodes[start:] for value in node.outputs} - {last.outputs[0]}
        for i in have:
            mine = {value for value, number in self.numbers[i].items() if number in inner}
            own = set(parts[i].branches[slot])
            for index, node in enumerate(parts[i].template.nodes):
                if index not in own and mine.intersection(node.inputs):
                    raise _Unlike
            if mine.intersection(parts[i].template.outputs):
                raise _Unlike
        return start, len(self.nodes), (term, outcomes.pop())

    def _node(self, members: list[tuple[int, int]]) -> None:
        """Add what is one node in each of some templates."""
        nodes = [self.templates[i].nodes[index] for i, index in members]
        first = nodes[0]
        types = [self.templates[i].input_types(node) for (i, _), node in zip(members, nodes, strict=True)]
        for (_, index), node in zip(members, nodes, strict=True):
            alike = (node.label, len(node.inputs), len(node.outputs)) == (
                first.label, len(first.inputs), len(first.outputs),
            )  # fmt: skip
            if not alike or node.module != index:
                raise _Unlike
        number = len(self.nodes)
        if first.op is None:
            self._check_calls(nodes)
        elif any(node.op is None for node in nodes):
            raise _Unlike
        elif any(attribute_terms(node.op) != attribute_terms(first.op) for node in nodes):
            self.called[number] = self._by_argument(nodes)
        elif len({op_texts(node.op, given) for node, given in zip(nodes, types, strict=True)}) > 1:
            raise _Unlike
        inputs = self._unified([(i, list(node.inputs)) for (i, _), node in zip(members, nodes, strict=True)])
        outputs = []
        for position in range(len(first.outputs)):
            value = len(self.types)
            outputs.append(value)
            for (i, _), node in zip(members, nodes, strict=True):
                template, old = self.templates[i], node.outputs[position]
                self.numbers[i][old] = value
                self.types.setdefault(value, template.types[old])
                if old in template.names:
                    self.names.setdefault(value, template.names[old])
        self.nodes.append(first.replace(inputs=tuple(inputs), outputs=tuple(outputs), module=number))

    def _check_calls(self, nodes: Sequence[Node]) -> None:
        first = nodes[0]
        for node in nodes:
            if node.child is None or first.child is None:
                raise _Unlike
            if self.class_of[id(node.child)] != self.class_of[id(first.child)]:
                raise _Unlike
            if [(n, pair.term) for n, pair in node.binds] != [(n, pair.term) for n, pair in first.binds]:
                raise _Unlike
            if [c.name for c in node.callables] != [c.name for c in first.callables]:
                raise _Unlike
        for place, given in enumerate(first.callables):
            others = [node.callables[place] for node in nodes]
            if any(attribute_terms(other.op) != attribute_terms(given.op) for other in others):
                if given.through is None or any(other.through != given.through for other in others):
                    raise _Unlike
                self._check_functions([other.op for other in others])
                self.through.add(given.through)

    def _by_argument(self, nodes: Sequence[Node]) -> str:
        """The argument that all of these nodes call, in each form another primitive."""
        names = {node.through for node in nodes}
        name = names.pop()
        if name is None or names or nodes[0].label is not None:
            raise _Unlike
        self._check_functions([node.op for node in nodes if node.op is not None])
        self.through.add(name)
        return name

    def _check_functions(self, ops: Sequence[Op]) -> None:
        if not all(map(_is_function, ops)):
            raise _Unlike

    # --- tensors

    def _unified(self, members: list[tuple[int, list[int]]]) -> list[int]:
        """The merged numbers of tensors that stand in one place in some templates."""
        result = []
        for position in range(len(members[0][1])):
            found = {i: self.numbers[i][values[position]] for i, values in members}
            chosen = max(found.values())
            for i in sorted(found, key=lambda i: -found[i]):
                self._stands_for(chosen, i, found[i])
            result.append(chosen)
        return result

    def _stands_for(self, chosen: int, template: int, number: int) -> None:
        """Check that a tensor is what `chosen` is in a template, and learn what stands for a missing one."""
        while chosen != number:
            if template not in self.absent.get(chosen, ()):
                raise _Unlike
            known = self.otherwise.setdefault(chosen, number)
            chosen = known

    # --- the whole

    def _template(self, outputs: Sequence[int], open_: Sequence[Term]) -> Template:
        first = self.templates[0]
        lets: dict[str, Scalar] = {}
        for template in self.templates:
            for name, pair in template.lets:
                if lets.setdefault(name, pair).term != pair.term:
                    raise _Unlike
        for template in self.templates:
            known = dict(template.values)
            try:
                for name, pair in lets.items():
                    known[name] = evaluate(pair.term, known)
            except (ScalarError, KeyError, TypeError):
                # A number that means something in a branch alone is no number of the whole class.
                raise _Unlike from None
        decisions = tuple(
            decision
            for decision in first.decisions
            if decision.term not in open_ and decision.argument not in self.through
        )
        return first.replace(  # type: ignore[no-any-return]
            nodes=tuple(self.nodes),
            outputs=tuple(outputs),
            types=self.types,
            names=self.names,
            lets=tuple(lets.items()),
            decisions=decisions,
            general=None,
        )


def _answers(template: Template) -> dict[Term, bool]:
    """What the decisions of a template asked, and what it came to."""
    return {decision.term: decision.outcome for decision in template.decisions if decision.term is not None}


def _frame(template: Template) -> object:
    """What all forms of a class share: its signature, its docstring and its initialisation."""
    return (
        template.inputs,
        [name for name, _ in template.extents],
        [argument.replace(value=None) for argument in template.arguments],
        len(template.outputs),
        [init.terms for init in template.inits],
        template.doc,
    )


def _parted(template: Template, open_: Sequence[Term]) -> _Part:
    common: list[int] = []
    branches: dict[Place, list[int]] = {}
    counts: dict[Term, int] = {}
    for index, node in enumerate(template.nodes):
        terms = [term for term, _ in node.within if term in open_]
        if len(terms) > 1:
            raise _Unlike
        if not terms:
            common.append(index)
            continue
        (term,) = terms
        last = branches.get((term, counts.get(term, 0)))
        if last is None or last[-1] != index - 1:
            counts[term] = counts.get(term, 0) + 1
        branches.setdefault((term, counts[term]), []).append(index)
    return _Part(template, tuple(common), {place: tuple(found) for place, found in branches.items()})


def _slots(parts: Sequence[_Part], open_: Sequence[Term]) -> dict[int, list[Place]]:
    """The branches by how many common nodes stand before them, in the order in which they are asked for."""
    places: dict[Place, int] = {}
    for part in parts:
        for slot, nodes in part.branches.items():
            before = sum(index < nodes[0] for index in part.common)
            if places.setdefault(slot, before) != before:
                raise _Unlike
    result: dict[int, list[Place]] = {}
    for term in open_:
        for slot in sorted((slot for slot in places if slot[0] == term), key=lambda slot: slot[1]):
            result.setdefault(places[slot], []).append(slot)
    return result


def attribute_terms(value: object) -> object:
    """An attribute without its values: terms, strings, and the primitive that holds them."""
    if isinstance(value, Scalar):
        return (type(value.term), value.term)
    if isinstance(value, Op):
        by_value = tuple(getattr(value, name) for name in value.by_value)
        return (value.kind, by_value, tuple(attribute_terms(getattr(value, name)) for name in value._fields))
    if isinstance(value, tuple):
        return tuple(map(attribute_terms, value))
    return value


def op_texts(op: Op | None, types: tuple[TensorType, ...]) -> object:
    """What a primitive is written as, in the block's names."""
    assert op is not None
    write = Spelling(str)
    operands = [Code(f"x{i}") for i in range(len(types))]
    return op.constructor(write, *types), op.call(write, "module", *operands, types=types)


def _is_function(op: Op | None) -> bool:
    """Whether a class can take it as an argument."""
    return op is not None and bool(op.as_function())
