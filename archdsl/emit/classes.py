"""One class a form: templates that say the same in the same words share a class, whatever their numbers.

A form is everything of a template but its values: nodes, labels, wiring, and the terms of attributes,
binds, extents and lets. `dim` and `expansion` may differ, `hidden = int(dim * expansion)` may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

from archdsl.emit.attributes import Attribute, owned_attributes, shared_attributes
from archdsl.emit.forward import Forward
from archdsl.emit.inits import init_lines
from archdsl.emit.merge import MOST_FORMS, Branch, Merged, attribute_terms, merge, op_texts
from archdsl.emit.names import class_name, suffix, unique
from archdsl.emit.wrap import call_lines, conditional_lines, docstring
from archdsl.graph import Argument, Graph, Node, Template
from archdsl.ops import Constructor, Spelling, TensorType
from archdsl.record import Record
from archdsl.scalar import (
    Scalar,
    Term,
    Var,
    free_names,
    is_constant,
    python_text,
    short_text,
)

ANNOTATIONS = {
    "dim": "int", "count": "int", "int": "int", "odd": "int", "ratio": "float", "real": "float",
    "bool": "bool",
}  # fmt: skip


class Parameter(Record):
    """A parameter of a generated constructor; `default` is its text, or None where it is required."""

    name: str
    annotation: str
    default: str | None


FUNCTION: Final = "Callable[[Tensor], Tensor]"
"""The annotation of a parameter that takes an activation."""


class Form(Record):
    """A generated class: its name, its constructor's parameters and its text."""

    name: str
    parameters: tuple[Parameter, ...]
    lines: tuple[str, ...]


class Classes:
    """The classes of a graph: one for each form, or for several that differ in branches alone."""

    def __init__(self, graph: Graph, taken: Iterable[str]) -> None:
        self.keys: dict[int, int] = {}
        """The class of a template, by its identity."""
        self.merged: dict[int, Merged] = {}
        """By class: what its forms are together, where it has several."""
        self.told: dict[int, list[str]] = {}
        """By class: the decisions that tell it from the others of its block, as its docstring says them."""
        templates = [t for t in graph.templates() if t is not graph.template]
        drawn = self._drawn(templates)
        firsts: dict[int, Template] = {}

        def visit(template: Template) -> None:
            number = self.keys[id(template)]
            if number not in firsts:
                for node in drawn[number].nodes:
                    if node.child is not None:
                        visit(node.child)
                firsts.setdefault(number, drawn[number])

        # In the order in which they are met: a class stands behind those that it uses.
        for template in templates:
            visit(template)
        self.told = _told(firsts)
        # A constructor calls classes, and names its own variables as the document does.
        variables = {name for template in templates for name in template.values}
        names = _class_names(firsts, self.keys, {*taken, *variables})
        self.forms: dict[int, Form] = {}
        for number, template in firsts.items():
            writer = _Writer(template, self, self.merged.get(number), self.told[number])
            self.forms[number] = writer.form(names[number])

    def of(self, template: Template) -> Form:
        """The class of a template."""
        return self.forms[self.keys[id(template)]]

    def _drawn(self, templates: Sequence[Template]) -> dict[int, Template]:
        """Give every template a class; the result has, by class, the template that it is written from."""
        drawn: dict[int, Template] = {}
        numbers: dict[object, int] = {}
        for group in _by_block(templates):
            forms: dict[object, list[Template]] = {}
            for template in group:
                forms.setdefault(_form_key(template, self.keys), []).append(template)
            for members, merged in self._classes(list(forms.values())):
                key = _form_key(members[0], self.keys)
                number = numbers.setdefault(key, len(drawn))
                drawn[number] = members[0] if merged is None else merged.template
                if merged is not None:
                    self.merged[number] = merged
                self.keys.update((id(template), number) for template in members)
        return drawn

    def _classes(self, forms: list[list[Template]]) -> Iterator[tuple[list[Template], Merged | None]]:
        """The forms of one block, those together that one class can be."""
        found: list[tuple[list[Template], Merged | None]] = []
        for form in forms:
            for place, (members, _) in enumerate(found if len(forms) <= MOST_FORMS else ()):
                both = [*members, *form]
                merged = merge(self._general(both), self.keys)
                if merged is not None:
                    found[place] = both, merged
                    break
            else:
                found.append((form, None))
        return iter(found)

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
        template.inits,
        tuple(texts),
    )


def _extents(type_: TensorType, axes: Sequence[str]) -> object:
    """The terms of a shape; the first, where they are axes that a block takes any number of, as one."""
    extents = tuple([extent.term for extent in type_.shape])
    if axes and extents[: len(axes)] == tuple(map(Var, axes)):
        return ("...", *extents[len(axes) :])
    return extents


def _class_names(firsts: dict[int, Template], keys: dict[int, int], taken: set[str]) -> dict[int, str]:
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


def _told(firsts: dict[int, Template]) -> dict[int, list[str]]:
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


class _Writer:
    """Writes the class of one template."""

    def __init__(
        self, template: Template, classes: Classes, merged: Merged | None, told: Sequence[str]
    ) -> None:
        self.template = template
        self.classes = classes
        self.told = told
        self.branches = merged.branches if merged is not None else ()
        self.called = merged.called if merged is not None else {}
        self.callables = merged.callables if merged is not None else ()
        self.required = merged.required if merged is not None else ()
        self.built: set[str] = set()
        self.stored: set[str] = set()

    def form(self, name: str) -> Form:
        template = self.template
        owned = owned_attributes(template)
        modules = {**owned, **shared_attributes(template, owned)}
        skipped = [branch for branch in self.branches if self._is_skipped(branch, modules)]
        constructed = self._constructed(owned, skipped)
        kept = [branch for branch in self.branches if branch not in skipped]
        forward = Forward(template, modules, self._on_self, kept, self.called).run()
        lets = self._lets()
        parameters = self._parameters(lets)
        about = self._about()
        lines = [f"class {name}(nn.Module):", *docstring(about, 4), ""]
        signature = [
            f"{p.name}: {p.annotation}" + (f" = {p.default}" if p.default is not None else "")
            for p in parameters
        ]
        start = len(lines)
        lines += call_lines("def __init__(", ["self", *signature], ") -> None:", 4)
        lines.append("        super().__init__()")
        empty = len(lines)
        lines += [f"        {let} = {python_text(pair.term)}" for let, pair in lets]
        order = [*template.values]
        for stored in sorted(self.stored, key=order.index):
            lines.append(f"        self.{stored} = {stored}")
        lines += [f"        self.{given} = {given}" for given in dict.fromkeys(self.called.values())]
        lines += constructed
        for init in template.inits:
            lines += init_lines(init, template, owned)
        if len(lines) == empty and not parameters:
            del lines[start:]
        else:
            lines.append("")
        lines += [f"    def forward({self._forward_signature()}:", *forward]
        return Form(name, parameters, tuple(lines))

    def _about(self) -> str:
        """The docstring: the block's own, and what this form of it decided."""
        doc = self.template.doc or f"The block {self.template.block}."
        return f"{doc}\n\nForm: {'; '.join(self.told)}." if self.told else doc

    def _forward_signature(self) -> str:
        template = self.template
        inputs = ", ".join(["self", *(f"{name}: Tensor" for name, _ in template.inputs)])
        result = result_annotation(template)
        return f"{inputs}) -> {result}"

    def _on_self(self, name: str) -> str:
        self.stored.add(name)
        return f"self.{name}"

    def _bare(self, name: str) -> str:
        self.built.add(name)
        return name

    # --- the constructor

    def _is_skipped(self, branch: Branch, modules: dict[int, Attribute]) -> bool:
        """Whether a branch is one module, in whose place the identity may stand."""
        node = self.template.nodes[branch.first]
        return (
            branch.last - branch.first == 1
            and branch.first in modules
            and node.inputs == (branch.otherwise,)
            and node.kind != "drop_path"
        )

    def _constructed(self, modules: dict[int, Attribute], skipped: Sequence[Branch]) -> list[str]:
        """The lines that make the modules, in the order of their nodes."""
        lines: list[str] = []
        identities = {branch.first: branch.condition for branch in skipped}
        others = {
            index: branch.condition
            for branch in self.branches
            if branch not in skipped
            for index in range(branch.first, branch.last)
        }
        asked: Term = None
        grouped: dict[str, list[tuple[Attribute, str, list[str]]]] = {}
        for index, attribute in modules.items():
            constructor = self._constructor(self.template.nodes[index])
            name, args = constructor.name, argument_texts(constructor)
            before = f"{attribute.on_self} = "
            if attribute.key is not None:
                grouped.setdefault(attribute.name, []).append((attribute, name, args))
            elif index in identities:
                condition = python_text(identities[index], self._bare)
                lines += conditional_lines(before, f"{name}(", args, condition, "nn.Identity()", 8)
            elif index in others and self.template.nodes[index].kind != "drop_path":
                if others[index] != asked:
                    lines.append(f"        if {python_text(others[index], self._bare)}:")
                asked = others[index]
                lines += call_lines(f"{before}{name}(", args, ")", 12)
                continue
            elif name:
                lines += call_lines(f"{before}{name}(", args, ")", 8)
            asked = None
        for group, members in grouped.items():
            is_list = members[0][0].is_list
            holds = "Parameter" if members[0][1] == "nn.Parameter" else "Module"
            lines.append(f"        self.{group} = nn.{holds}{'List' if is_list else 'Dict'}()")
            for attribute, name, args in members:
                add = f"self.{group}.append({name}(" if is_list else f"{attribute.on_self} = {name}("
                lines += call_lines(add, args, "))" if is_list else ")", 8)
        return lines

    def _constructor(self, node: Node) -> Constructor:
        if node.op is not None:
            write = Spelling(self._bare)
            made = node.op.constructor(write, *self.template.input_types(node))
            assert made is not None
            return made
        assert node.child is not None
        own = [*self.required, *(given.name for given in self.callables)]
        return child_constructor(node, self.classes.of(node.child), self._bare, callables=own)

    # --- names that the class needs

    def _lets(self) -> list[tuple[str, Scalar]]:
        """The lets that the constructor uses or stores, and those that they use, in order."""
        needed = self.built | self.stored
        result: list[tuple[str, Scalar]] = []
        for name, pair in reversed(self.template.lets):
            if name in needed:
                needed |= free_names(pair.term)
                result.insert(0, (name, pair))
        self.built |= needed
        return result

    def _parameters(self, lets: list[tuple[str, Scalar]]) -> tuple[Parameter, ...]:
        template = self.template
        needed = self.built | self.stored
        required: list[Parameter] = []
        defaulted: list[Parameter] = []
        for name, _ in template.extents:
            if name in needed:
                required.append(Parameter(name, "int", None))
        for argument in template.arguments:
            if argument.name not in needed:
                continue
            made = _parameter_of(argument)
            (required if made.default is None else defaulted).append(made)
        for name in self.required:
            required.append(Parameter(name, FUNCTION, None))
        for given in self.callables:
            text = given.op.as_function()
            (defaulted if text else required).append(Parameter(given.name, FUNCTION, text or None))
        if template.drops_paths:
            defaulted.append(Parameter("drop_path", "float", "0.0"))
        return (*required, *defaulted)


def _parameter_of(argument: Argument) -> Parameter:
    annotation = ANNOTATIONS[argument.type]
    if argument.default is None:
        return Parameter(argument.name, annotation, None)
    if argument.default.value is None:
        return Parameter(argument.name, f"{annotation} | None", "None")
    return Parameter(argument.name, annotation, short_text(argument.default.value))


def argument_texts(constructor: Constructor) -> list[str]:
    """The arguments of a constructor's call, those by name last."""
    return [*constructor.args, *(f"{name}={value}" for name, value in constructor.keywords)]


def child_constructor(
    node: Node,
    form: Form,
    rename: object,
    rate: str = "drop_path",
    callables: Sequence[str] = (),
) -> Constructor:
    """The call that makes a block inside another: required arguments by place, others by name.

    Arguments that equal their default are left out. `callables` are the caller's own arguments that take
    activations.
    """
    binds = dict(node.binds)
    args: list[str] = []
    named: list[tuple[str, str]] = []
    for parameter in form.parameters:
        if parameter.name == "drop_path":
            # A branch may be left out that drops paths where it is there.
            named += [("drop_path", rate)] if node.drops_paths else []
            continue
        if parameter.annotation == FUNCTION:
            text = _function(node, parameter.name, callables)
            if parameter.default is None:
                args.append(text)
            elif text != parameter.default:
                named.append((parameter.name, text))
            continue
        term = binds[parameter.name].term
        text = short_text(term) if is_constant(term) else python_text(term, rename)  # type: ignore[arg-type]
        if parameter.default is None:
            args.append(text)
        elif text != parameter.default:
            named.append((parameter.name, text))
    return Constructor(form.name, tuple(args), tuple(named))


def _function(node: Node, name: str, callables: Sequence[str]) -> str:
    """What a call gives to an argument that takes an activation: the caller's own argument, or a function."""
    given = next(given for given in node.callables if given.name == name)
    if given.through in callables:
        return given.through or ""
    return given.op.as_function()


def result_annotation(template: Template) -> str:
    """The type of what `forward` returns."""

    def of(count: int) -> str:
        return "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"

    result = of(len(template.outputs))
    trained = template
    while trained.training_outputs is None and trained.has_modes:
        trained = next(n.child for n in reversed(trained.nodes) if n.child is not None and n.child.has_modes)
    if trained.training_outputs is None or len(trained.training_outputs) == len(template.outputs):
        return result
    return f"{result} | {of(len(trained.training_outputs))}"
