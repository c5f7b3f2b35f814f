"""Key maps over the weights of one network: each of our keys in their words, and back.

A key is led through the templates that own it. In a template of block B the rules for B are tried in
order; the first that fits the start of what remains of the key puts its target in that place, and
where it leads, translation goes on. Where none fits, the label is kept. At a primitive the rest is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from archdsl import syntax as s
from archdsl.graph import Graph, Node, Template
from archdsl.network import Network
from archdsl.ops import Weight
from archdsl.record import Record
from archdsl.source import ArchError, Diagnostic, Span, did_you_mean, fail
from archdsl.weights.pieces import Misfit, Piece, Shape, their_shapes
from archdsl.weights.rules import BlockRules, Rule, Segments, block_rules, check_labels, filled, matched


class Owned(NamedTuple):
    """A weight of the network: its key in segments, the templates that it is in by the segment where each
    begins, and the node of a primitive that owns it, with the template of that node."""

    segments: tuple[str, ...]
    templates: dict[int, Template]
    node: Node
    holder: Template
    weight: Weight
    entry: int
    """The index of the entry of the network that it belongs to."""

    @property
    def key(self) -> str:
        return ".".join(self.segments)

    @property
    def shape(self) -> Shape:
        return tuple(axis.int for axis in self.weight.axes)


def owned_weights(graph: Graph) -> Iterator[Owned]:
    """Every weight of a network, in the order of state_dict, derived ones included."""

    def walk(
        template: Template, before: tuple[str, ...], starts: dict[int, Template], entry: int
    ) -> Iterator[Owned]:
        starts = {**starts, len(before): template}
        for index, node in enumerate(template.nodes):
            if node.module != index:
                continue
            at = index if template is graph.template else entry
            segments = (*before, *node.label.split(".")) if node.label else before
            if node.child is not None:
                yield from walk(node.child, segments, starts, at)
                continue
            assert node.op is not None
            for weight in node.op.weights(*template.input_types(node)):
                key = (*segments, weight.name) if weight.name else segments
                yield Owned(key, starts, node, template, weight, at)

    return walk(graph.template, (), {}, 0)


class Translation(Record):
    """A key map for one network: what corresponds to what, and which names of theirs are dropped.

    `name` is None for our own names.
    """

    name: str | None
    pieces: tuple[Piece, ...]
    drops: tuple[Segments, ...] = ()

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def shown(self) -> str:
        """The map as messages name it."""
        return "our own names" if self.name is None else f"the keys {self.name!r}"

    def drops_key(self, key: str) -> bool:
        """Whether a key of theirs is one of those that we have nothing for: it, or its end, is named."""
        segments = key.split(".")
        return any(
            matched(pattern, segments[-len(pattern) :]) is not None
            for pattern in self.drops
            if len(pattern) <= len(segments)
        )


def own_names(graph: Graph) -> Translation:
    """The map that changes nothing."""
    keys = [owned.key for owned in owned_weights(graph) if owned.weight.role != "derived"]
    return Translation(None, tuple(Piece((key,), (key,), None) for key in keys))


def translation(network: Network, name: str | None) -> Translation:
    """A key map of the network's document, or our own names for None.

    Raises `ArchError` for a map that there is not and for rules that are wrong, each with its place.
    """
    if name is None:
        return own_names(network.graph)
    maps = network.key_maps
    if name not in maps:
        source = network.unit.source.name
        help = did_you_mean(name, maps, "key maps") if maps else "declare it: keys NAME { BLOCK { ... } }"
        raise fail("E0805", f"{source} declares no keys {name!a}", None, help)
    return _Translator(network, name, maps[name]).translation()


class _Step(NamedTuple):
    """A key on its way: their names so far, and the rules that were used."""

    theirs: list[list[str]]
    last: Rule | None
    shaping: Rule | None
    part: int
    place: tuple[str, ...]
    """Where the joining rule was used: the segments before it, and what its stars stood for."""
    named: bool
    """Whether a rule named the weight itself, not only what it is in."""


class _Translator:
    """Leads every key of a network through the rules of one map."""

    def __init__(self, network: Network, name: str, written: Mapping[str, s.KeyRules]) -> None:
        self.graph, self.name = network.graph, name
        self.lineage = network.lineage
        self.mistakes: list[Diagnostic] = []
        self.said: set[tuple[str, Span]] = set()
        self.rules = {block: block_rules(rules, self.mistakes) for block, rules in written.items()}
        # As they were written: a variant may take entries away, and rules for them stay right.
        units = network.chosen.units
        networks = {found.name: found for unit in reversed(units) for found in unit.document.networks}
        networks |= dict.fromkeys(network.lineage, networks[network.lineage[-1]])
        check_labels(self.rules, network.unit, networks, self.mistakes)
        if self.mistakes:
            raise ArchError(self.mistakes)
        own = [self.rules[name] for name in self.lineage if name in self.rules]
        self.network_rules = BlockRules(
            tuple(rule for part in own for rule in part.rules),
            tuple(drop for part in own for drop in part.drops),
        )

    def translation(self) -> Translation:
        owned = list(owned_weights(self.graph))
        joined: dict[tuple[str, ...], list[tuple[_Step, Owned]]] = {}
        for weight in owned:
            step = self._translated(weight)
            if weight.weight.role == "derived" and not step.named:
                continue
            names = tuple(".".join(segments) for segments in step.theirs)
            if not all(names):
                span = step.last.span if step.last else weight.node.span
                self._report("E0804", f"nothing is left of the key {weight.key!r}", span, "name it")
                continue
            joined.setdefault(names, []).append((step, weight))
        pieces = self._pieces(joined)
        self._check_collisions(pieces)
        self._check_shapes(pieces, {weight.key: weight.shape for weight in owned})
        self._check_weight_names(owned)
        if self.mistakes:
            raise ArchError(self.mistakes)
        drops = [drop for template in self.graph.templates() for drop in self._rules_of(template).drops]
        return Translation(self.name, tuple(pieces), tuple(dict.fromkeys(drops)))

    def _rules_of(self, template: Template) -> BlockRules:
        if template is self.graph.template:
            return self.network_rules
        return self.rules.get(template.block) or BlockRules()

    def _translated(self, owned: Owned) -> _Step:
        segments = owned.segments
        step = _Step([[]], None, None, 0, (), False)
        position = 0
        while position < len(segments):
            template = owned.templates.get(position)
            found = self._first_match(template, segments[position:]) if template else None
            if found is None:
                later = [start for start in owned.templates if start > position]
                end = min(later, default=len(segments))
                kept = segments[position:end]
                step = step._replace(theirs=[[*name, *kept] for name in step.theirs])
                position = end
                continue
            rule, part, stars = found
            step = self._applied(step, rule, part, stars, segments[:position])
            pattern = rule.ours[part]
            position += len(pattern)
            step = step._replace(named=position == len(segments) and pattern[-1] != "*")
        return step

    def _first_match(self, template: Template, segments: Sequence[str]) -> tuple[Rule, int, Segments] | None:
        for rule in self._rules_of(template).rules:
            for part in range(len(rule.ours)):
                stars = rule.matched(part, segments)
                if stars is not None:
                    return rule, part, stars
        return None

    def _applied(self, step: _Step, rule: Rule, part: int, stars: Segments, before: tuple[str, ...]) -> _Step:
        theirs = [[*name, *filled(target, stars)] for name in step.theirs for target in rule.theirs]
        if not rule.shapes:
            return step._replace(theirs=theirs, last=rule)
        if step.shaping is not None:
            help = f"the other stands in {step.shaping.span}"
            message = "a weight is joined, parted or given another shape by two rules"
            self._report("E0804", message, rule.span, help)
        return step._replace(theirs=theirs, last=rule, shaping=rule, part=part, place=(*before, "", *stars))

    def _pieces(self, joined: Mapping[tuple[str, ...], list[tuple[_Step, Owned]]]) -> list[Piece]:
        pieces: list[Piece] = []
        for names, members in joined.items():
            members = sorted(members, key=lambda member: member[0].part)
            step, weight = members[0]
            rule = step.shaping or step.last
            ours = tuple(owned.key for _, owned in members)
            together = {(id(other.shaping), other.place) for other, _ in members}
            wanted = len(step.shaping.ours) if step.shaping is not None else 1
            parts = [other.part for other, _ in members]
            if len(together) > 1 or len(set(parts)) < len(parts):
                self._collision(names[0], members)
            elif parts != list(range(wanted)):
                assert rule is not None
                missing = [".".join(rule.ours[i]) for i in range(wanted) if i not in parts]
                message = (
                    f"{names[0]!r} is joined of {', '.join(ours)} alone; {missing[0]!r} has no such weight"
                )
                self._report("E0804", message, rule.span, "names that are joined own the same weights")
            else:
                pieces.append(Piece(ours, names, rule, weight.weight.role == "derived"))
        return pieces

    def _collision(self, name: str, members: Sequence[tuple[_Step, Owned]]) -> None:
        keys = [owned.key for _, owned in members]
        rule = next((step.last for step, _ in reversed(members) if step.last is not None), None)
        span = rule.span if rule is not None else members[-1][1].node.span
        message = f"{keys[0]!r} and {keys[1]!r} both become {name!r}"
        self._report("E0804", message, span, "give one of them another name")

    def _check_collisions(self, pieces: Sequence[Piece]) -> None:
        """Names of pieces with several parts may meet those of others."""
        seen: dict[str, Piece] = {}
        for piece in pieces:
            for name in piece.theirs:
                other = seen.setdefault(name, piece)
                rule = piece.rule or other.rule
                if other is not piece and rule is not None:
                    message = f"{other.ours[0]!r} and {piece.ours[0]!r} both become {name!r}"
                    self._report("E0804", message, rule.span, "give one of them another name")

    def _check_shapes(self, pieces: Sequence[Piece], shapes: Mapping[str, Shape]) -> None:
        for piece in pieces:
            try:
                their_shapes(piece, [shapes[key] for key in piece.ours])
            except Misfit as error:
                assert piece.rule is not None
                message = f"{' and '.join(piece.ours)}: {error}"
                self._report("E0804", message, piece.rule.span, "see the shapes with: archdsl show")

    def _check_weight_names(self, owned: Sequence[Owned]) -> None:
        """A rule that leads to a primitive names one of its weights, or one that it may have."""
        usual = {"*", "weight", "bias", *(weight.weight.name for weight in owned)}
        for weight in owned:
            for start, template in weight.templates.items():
                inside = weight.segments[start : len(weight.segments) - bool(weight.weight.name)]
                for rule in self._rules_of(template).rules:
                    for pattern in rule.ours:
                        rest = pattern[len(inside) :]
                        leads_here = rest and matched(pattern[: len(inside)], inside) is not None
                        if leads_here and (len(rest) > 1 or rest[0] not in usual):
                            self._no_weight(".".join(rest), ".".join(inside), template.block, weight, rule)

    def _no_weight(self, name: str, inside: str, block: str, owned: Owned, rule: Rule) -> None:
        op, types = owned.node.op, owned.holder.input_types(owned.node)
        names = [weight.name for weight in op.weights(*types)] if op is not None else []
        message = f"no weight {name!r} in {inside} of {block}"
        self._report("E0803", message, rule.span, did_you_mean(name, names, "its weights"))

    def _report(self, code: str, message: str, span: Span, help: str) -> None:
        # The same rule makes the same mistake in every block that it is used in: once is enough.
        if (code, span) not in self.said:
            self.said.add((code, span))
            self.mistakes.append(Diagnostic(code, message, span, help))


__all__ = ["Owned", "Translation", "own_names", "owned_weights", "translation"]
