"""The classes of a graph as text: one for each form (archdsl/emit/forms.py)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archdsl.emit.attributes import Attribute, owned_attributes, shared_attributes
from archdsl.emit.constructors import (
    BUFFER,
    FUNCTION,
    Form,
    Parameter,
    argument_texts,
    child_constructor,
    parameter_of,
)
from archdsl.emit.forms import Forms, class_names, told
from archdsl.emit.forward import Forward
from archdsl.emit.inits import Inits
from archdsl.emit.merge import Branch, Merged
from archdsl.emit.wrap import call_lines, conditional_lines, docstring
from archdsl.graph import Graph, Node, Template
from archdsl.ops import Constructor, Spelling
from archdsl.scalar import Term, python_text


class Classes:
    """The classes of a graph, those that others use first."""

    def __init__(self, graph: Graph, taken: Iterable[str]) -> None:
        self._forms = Forms(graph)
        firsts = self._forms.firsts
        # A constructor calls classes, and names its own variables as the document does.
        blocks = [template for template in graph.templates() if template is not graph.template]
        variables = {name for template in blocks for name in template.values}
        names = class_names(firsts, {*taken, *variables})
        decisions = told(firsts)
        self.forms: dict[int, Form] = {}
        for number, template in firsts.items():
            writer = _Writer(template, self, self._forms.merged.get(number), decisions[number])
            self.forms[number] = writer.form(names[number])

    def of(self, template: Template) -> Form:
        """The class of a template."""
        return self.forms[self._forms.keys[id(template)]]


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

    def form(self, name: str) -> Form:
        """The class, under a name."""
        template = self.template
        owned = owned_attributes(template)
        modules = {**owned, **shared_attributes(template, owned)}
        skipped = [branch for branch in self.branches if self._is_skipped(branch, modules)]
        kept = [branch for branch in self.branches if branch not in skipped]
        made = _Modules(self, owned, skipped, kept)
        forward = Forward(template, modules, kept, self.called)
        inits = Inits(template, owned)
        needed = template.with_lets(made.names | inits.names | forward.names)
        lets = [(let, pair) for let, pair in template.lets if let in needed]
        parameters = self._parameters(needed)
        lines = [f"class {name}(nn.Module):", *docstring(self._about(), 4), ""]
        if made.buffers:
            lines += [*(f"    {buffer}: Tensor" for buffer in made.buffers), ""]
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
        for stored in sorted(forward.names, key=order.index):
            lines.append(f"        self.{stored} = {stored}")
        lines += [f"        self.{given} = {given}" for given in dict.fromkeys(self.called.values())]
        lines += made.lines
        lines += inits.lines
        if len(lines) == empty and not parameters:
            del lines[start:]
        else:
            lines.append("")
        tensors = [f"{name}: Tensor" for name, _ in template.inputs]
        lines += call_lines("def forward(", ["self", *tensors], f") -> {result_annotation(template)}:", 4)
        lines += forward.lines
        return Form(name, parameters, tuple(lines))

    def _about(self) -> str:
        """The docstring: the block's own, and what this form of it decided."""
        doc = self.template.doc or f"The block {self.template.block}."
        return f"{doc}\n\nForm: {'; '.join(self.told)}." if self.told else doc

    def _is_skipped(self, branch: Branch, modules: dict[int, Attribute]) -> bool:
        """Whether a branch is one module, in whose place the identity may stand."""
        node = self.template.nodes[branch.first]
        return (
            branch.last - branch.first == 1
            and branch.first in modules
            and node.inputs == (branch.otherwise,)
            and node.kind != "drop_path"
        )

    # --- names that the class needs

    def _parameters(self, needed: set[str]) -> tuple[Parameter, ...]:
        template = self.template
        required: list[Parameter] = []
        defaulted: list[Parameter] = []
        for name, _ in template.extents:
            if name in needed:
                required.append(Parameter(name, "int", None))
        for argument in template.arguments:
            if argument.name not in needed:
                continue
            made = parameter_of(argument)
            (required if made.default is None else defaulted).append(made)
        for name in self.required:
            required.append(Parameter(name, FUNCTION, None))
        for given in self.callables:
            text = given.op.as_function()
            (defaulted if text else required).append(Parameter(given.name, FUNCTION, text or None))
        if template.drops_paths:
            defaulted.append(Parameter("drop_path", "float", "0.0"))
        return (*required, *defaulted)


class _Modules:
    """The lines that make the modules of a class, in the order of its nodes, and the names that they use."""

    def __init__(
        self,
        writer: _Writer,
        owned: Mapping[int, Attribute],
        skipped: Sequence[Branch],
        kept: Sequence[Branch],
    ) -> None:
        self.writer = writer
        self.nodes = writer.template.nodes
        self.names: set[str] = set()
        self.lines: list[str] = []
        self.buffers: list[str] = []
        """The attributes that are registered: no assignment says what they are."""
        self.identities = {branch.first: branch.condition for branch in skipped}
        """By node: the condition without which the identity is in its place."""
        self.conditions = {
            index: branch.condition
            for branch in kept
            for index in range(branch.first, branch.last)
            if self.nodes[index].kind != "drop_path"
        }
        """By node: the condition without which it is not there; a drop_path is shared, and always is."""
        grouped: dict[str, list[tuple[Attribute, Constructor]]] = {}
        asked: Term = None
        for index, attribute in owned.items():
            constructor = self._constructor(self.nodes[index])
            if attribute.key is not None:
                grouped.setdefault(attribute.name, []).append((attribute, constructor))
                asked = None
            else:
                asked = self._single(index, attribute, constructor, asked)
        for name, members in grouped.items():
            self._group(name, members)

    def _bare(self, name: str) -> str:
        self.names.add(name)
        return name

    def _single(self, index: int, attribute: Attribute, constructor: Constructor, asked: Term) -> Term:
        """Make a module under a name of its own, below a condition where it has one; that condition."""
        before, call, args = f"{attribute.on_self} = ", f"{constructor.name}(", argument_texts(constructor)
        if constructor.name == BUFFER:
            self.buffers.append(attribute.name)
            before, call, args = "self.", f"{BUFFER}(", [f'"{attribute.name}"', *args]
        if index in self.identities:
            holds = python_text(self.identities[index], self._bare)
            self.lines += conditional_lines(before, call, args, holds)
            return None
        condition = self.conditions.get(index)
        if condition is None:
            self.lines += call_lines(before + call, args, ")", 8)
            return None
        if condition != asked:
            self.lines.append(f"        if {python_text(condition, self._bare)}:")
        self.lines += call_lines(before + call, args, ")", 12)
        return condition

    def _group(self, name: str, members: Sequence[tuple[Attribute, Constructor]]) -> None:
        """Make a list or a dictionary, and what it holds."""
        is_list = members[0][0].is_list
        holds = "Parameter" if members[0][1].name == "nn.Parameter" else "Module"
        self.lines.append(f"        self.{name} = nn.{holds}{'List' if is_list else 'Dict'}()")
        for attribute, constructor in members:
            call = f"{constructor.name}("
            add = f"self.{name}.append({call}" if is_list else f"{attribute.on_self} = {call}"
            self.lines += call_lines(add, argument_texts(constructor), "))" if is_list else ")", 8)

    def _constructor(self, node: Node) -> Constructor:
        writer = self.writer
        if node.op is not None:
            made = node.op.constructor(Spelling(self._bare), *writer.template.input_types(node))
            assert made is not None
            return made
        assert node.child is not None
        own = [*writer.required, *(given.name for given in writer.callables)]
        return child_constructor(node, writer.classes.of(node.child), self._bare, callables=own)


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
