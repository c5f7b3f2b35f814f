"""One class a form: templates that say the same in the same words share a class, whatever their numbers.

A form is everything of a template but its values: nodes, labels, wiring, and the terms of attributes,
binds, extents and lets. `dim` and `expansion` may differ, `hidden = int(dim * expansion)` may not.
"""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from archdsl.emit.merge import MOST_FORMS, Merged, attribute_terms, merge, op_texts
from archdsl.emit.names import class_name, suffix, unique
from archdsl.graph import Graph, Template
from archdsl.ops import TensorType
from archdsl.scalar import Var


class Forms:
    """Which templates of a graph share a class: those of one form, or of several that one class can be."""

    def __init__(self, graph: Graph) -> None:
        self.keys: dict[int, int] = {}
        """The class of a template, by its identity."""
        self.merged: dict[int, Merged] = {}
        """By class: what its forms are together, where it has several."""
        self.firsts: dict[int, Template] = {}
        """By class, those that others use first: the template that it is written from."""
        templates = [template for template in graph.templates() if template is not graph.template]
        drawn = self._drawn(templates)

        def visit(template: Template) -> None:
            number = self.keys[id(template)]
            if number not in self.firsts:
                for node in drawn[number].nodes:
                    if node.child is not None:
                        visit(node.child)
                self.firsts.setdefault(number, drawn[number])

        # In the order in which they are met: a class stands behind those that it uses.
        for template in templates:
            visit(template)

    def _drawn(self, templates: Sequence[Template]) -> dict[int, Template]:
        """Give every template a class; the result has, by class, the template that it is written from."""
        drawn: dict[int, Template] = {}
        numbers: dict[object, int] = {}
        for group in _by_block(templates):
            forms: dict[object, list[Template]] = {}
            for template in group:
                forms.setdefault(_form_key(template, self.keys), []).append(template)
            for key, members, merged in self._classes(forms):
                number = numbers.setdefault(key, len(drawn))
                drawn[number] = members[0] if merged is None else merged.template
                if merged is not None:
                    self.merged[number] = merged
                self.keys.update((id(template), number) for template in members)
        return drawn

    def _classes(
        self, forms: dict[object, list[Template]]
    ) -> list[tuple[object, list[Template], Merged | None]]:
        """The forms of one block, those together that one class can be, each with the key of its first."""
        found: list[tuple[object, list[Template], Merged | None]] = []
        for key, form in forms.items():
            for place, (first, members, _) in enumerate(found if len(forms) <= MOST_FORMS else ()):
                both = [*members, *form]
                merged = merge(self._general(both), self.keys)
                if merged is not None:
                    found[place] = first, both, merged
                    break
            else:
                found.append((key, form, None))
        return found

    def _general(self, templates: Sequence[Template]) -> list[Template]:
        """Their forms before any name was put in the place of an equal one, one template each."""
        general = [template.general or template for template in templates]
        return list({_form_key(template, self.keys): template for template in general}.values())


def _by_block(templates: Sequence[Template]) -> list[list[Template]]:
    """The templates by block, those that others call first; one by one where blocks call themselves."""
    groups: dict[object, list[Template]] = {}
    calls: dict[object, dict[object, None]] = {}
    for template in templates:
        block = (template.block, template.span)
        groups.setdefault(block, []).append(template)
        inner = calls.setdefault(block, {})
        for node in template.nodes:
            if node.child is not None:
                inner[(node.child.block, node.child.span)] = None
    try:
        return [groups[block] for block in TopologicalSorter(calls).static_order()]
    except CycleError:
        return [[template] for template in templates]


def _form_key(template: Template, keys: dict[int, int]) -> object:
    nodes = tuple(
        (
            node.inputs,
            node.outputs,
            node.label,
            node.module,
            attribute_terms(node.op) if node.op is not None else keys[id(node.child)],
            tuple((name, pair.term) for name, pair in node.binds),
            tuple((given.name, attribute_terms(given.op)) for given in node.callables),
        )
        for node in template.nodes
    )
    types = tuple(
        (value, _extents(type_, template.axes), type_.batched) for value, type_ in template.types.items()
    )
    # What is written for some axes must hold for any number of them.
    texts = (
        [op_texts(node.op, template.input_types(node)) for node in template.nodes if node.op is not None]
        if template.axes
        else []
    )
    return (
        template.block,
        template.doc,
        nodes,
        types,
        tuple(template.names.items()),
        tuple((name, pair.term) for name, pair in template.lets),
        tuple(a.replace(value=None) for a in template.arguments),
        template.inputs,
        template.outputs,
        template.training_outputs,
        tuple([init.terms for init in template.inits]),
        tuple(texts),
    )


def _extents(type_: TensorType, axes: Sequence[str]) -> object:
    """The terms of a shape; the first, where they are axes that a block takes any number of, as one."""
    extents = tuple([extent.term for extent in type_.shape])
    if axes and extents[: len(axes)] == tuple(map(Var, axes)):
        return ("...", *extents[len(axes) :])
    return extents


def class_names(firsts: dict[int, Template], taken: set[str]) -> dict[int, str]:
    """Names by form: the block's, then what its decisions add; where two still agree, what the blocks
    inside add; a number at last."""
    plain = {
        number: class_name(template.block) + suffix(_unusual(template)) for number, template in firsts.items()
    }
    result: dict[int, str] = {}
    for number, template in firsts.items():
        name = plain[number]
        rivals = [other for other in plain if plain[other] == name and other != number]
        if rivals:
            own = _unusual(template)
            name += suffix([decision for decision in _inner(template) if decision not in own])
        result[number] = unique(name, taken)
    return result


def told(firsts: dict[int, Template]) -> dict[int, list[str]]:
    """What is worth saying of each form: its unusual decisions, and those in which it differs from others."""
    result: dict[int, list[str]] = {}
    for number, template in firsts.items():
        others = [t for t in firsts.values() if t.block == template.block and t is not template]
        answers = [{d.condition: d.outcome for d in other.decisions} for other in others]
        result[number] = [
            d.condition if d.outcome else f"not ({d.condition})" if " " in d.condition else f"not {d.condition}"
            for d in template.decisions
            if d.unusual or any(a.get(d.condition, d.outcome) != d.outcome for a in answers)
        ]
    return result


def _unusual(template: Template) -> list[tuple[str, bool]]:
    return [(d.name, d.outcome) for d in template.decisions if d.unusual]


def _inner(template: Template) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    for node in template.nodes:
        if node.child is not None:
            found += _unusual(node.child) + _inner(node.child)
    return list(dict.fromkeys(found))
