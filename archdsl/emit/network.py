"""The class of the network: stages as runs of one class, the pyramid, the head that may be left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archdsl.emit.attributes import Attribute, has_names, is_plain, network_attributes
from archdsl.emit.classes import Classes, result_annotation
from archdsl.emit.constructors import argument_texts, child_constructor
from archdsl.emit.forward import shape_comment
from archdsl.emit.inits import init_lines
from archdsl.emit.names import class_name, unique
from archdsl.emit.wrap import (
    WIDTH,
    call_lines,
    conditional_lines,
    docstring,
    run_length,
    with_comment,
)
from archdsl.graph import Graph, Node, Stage
from archdsl.ops import Code, Constructor, Spelling
from archdsl.scalar import number_text

MOST_ALTERNATING = 4
"""A stage whose blocks alternate between so many classes is a loop."""
MOST_NESTED_ENTRIES = 3
"""So many entries may be called inside one another in a line of the network's own methods."""


class _Step:
    """What runs as one call: an entry, or a whole stage of one stream."""

    def __init__(self, text: str, node: Node, stage: Stage | None) -> None:
        self.text, self.node, self.stage = text, node, stage


class NetworkClass:
    """Writes the network's own class."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self.graph = graph
        self.template = graph.template
        self.classes = classes
        self.name = class_name(graph.name)
        self.stage_of: dict[int, Stage] = {
            index: stage for stage in graph.stages for index in range(stage.first, stage.last)
        }
        dropping = [i for i, n in enumerate(self.template.nodes) if n.drops_paths]
        self.rate_of = {index: number for number, index in enumerate(dropping)}
        self.made = tuple([self._made(index) for index in range(len(self.template.nodes))])
        """What makes the module of each node; where it drops paths, with a rate that is called `rate`."""
        self.first_of: dict[str, int] = {}
        """By the label of entries with an index: the first of them that has a module."""
        for index, node in enumerate(self.template.nodes):
            name, dot, _ = (node.label or "").partition(".")
            if dot and self.made[index] is not None:
                self.first_of.setdefault(name, index)
        self.stored: set[str] = set()
        """The arguments that the methods use."""
        self.loose = {stage.label for stage in graph.stages if self._is_loose(stage)}
        """The stages whose blocks are called one by one."""
        self.attributes = network_attributes(graph, self.loose)
        self.single = (
            len(self.template.inputs) == 1
            and not self.loose
            and "x" not in dict(graph.features)
            and all(len(node.inputs) == len(node.outputs) == 1 for node in self.template.nodes)
            and all(index in self.stage_of or "." not in (node.label or "")
                    for index, node in enumerate(self.template.nodes))
        )  # fmt: skip

    def lines(self) -> list[str]:
        """The text of the class."""
        shape = ", ".join(map(str, self.graph.input.values))
        about = f"{self.template.doc or self.name}\n\nThe input is [batch, {shape}]."
        if any(self._is_optional(index) for index in range(len(self.template.nodes))):
            about += " With `num_classes=0` the classifier is left out."
        result = [f"class {self.name}(nn.Module):", *docstring(about, 4), ""]
        # The methods first: they tell which arguments are stored.
        methods = self._single_stream() if self.single else self._streams()
        return [*result, *self._constructor(), *methods]

    # --- the constructor

    def _constructor(self) -> list[str]:
        signature = ["self"]
        if self.graph.num_classes is not None:
            signature.append(f"num_classes: int = {self.graph.num_classes}")
        signature.append(f"in_channels: int = {self.graph.input.values[0]}")
        if self.rate_of:
            signature.append(f"drop_path: float = {number_text(self.graph.drop_path)}")
        lines = call_lines("def __init__(", signature, ") -> None:", 4)
        lines.append("        super().__init__()")
        lines += [f"        self.{name} = {name}" for name in sorted(self.stored)]
        count = len(self.rate_of)
        if count == 1:
            lines.append("        rates = [drop_path]")
        elif count:
            rates = f"drop_path * i / {count - 1} for i in range({count})"
            lines.append(f"        rates = [{rates}]")
        index = 0
        while index < len(self.template.nodes):
            stage = self.stage_of.get(index)
            if stage is None:
                lines += self._entry(index)
                index += 1
            else:
                lines += self._stage(stage)
                index = stage.last
        for init in self.template.inits:
            lines += init_lines(init, self.template, self.attributes)
        return lines

    def _made(self, index: int) -> Constructor | None:
        node = self.template.nodes[index]
        if node.op is not None:
            made = node.op.constructor(Spelling(str), *self.template.input_types(node))
            return Constructor(made.name, ("rate",)) if made is not None and node.drops_paths else made
        assert node.child is not None
        return child_constructor(node, self.classes.of(node.child), str, "rate")

    def _rated(self, index: int) -> Constructor | None:
        """What makes the module of a node that stands alone, with its own rate."""
        made = self.made[index]
        if made is None or index not in self.rate_of:
            return made
        rate = f"rates[{self.rate_of[index]}]"
        if self.template.nodes[index].child is None:
            return Constructor(made.name, (rate,))
        keywords = [(name, rate if name == "drop_path" else value) for name, value in made.keywords]
        return Constructor(made.name, made.args, tuple(keywords))

    def _entry(self, index: int) -> list[str]:
        node = self.template.nodes[index]
        made = self._rated(index)
        if made is None:
            return []
        comment = shape_comment(self.template.types[node.outputs[0]])
        before, call = f"{self.attributes[index].on_self} = ", f"{made.name}("
        args = argument_texts(made)
        if self._is_optional(index):
            lines = conditional_lines(before, call, args, "num_classes", comment)
            return [*self._dictionary(index), *lines]
        return [*self._dictionary(index), *call_lines(before + call, args, ")", 8, comment)]

    def _dictionary(self, index: int) -> list[str]:
        """The line that makes what holds an entry whose label carries an index, before the first of them."""
        group = self.attributes[index].name
        return [f"        self.{group} = nn.ModuleDict()"] if self.first_of.get(group) == index else []

    def _is_loose(self, stage: Stage) -> bool:
        """Whether a stage has a block without a module, which no container can hold."""
        return any(self.made[index] is None for index in range(stage.first, stage.last))

    def _is_optional(self, index: int) -> bool:
        """Whether an entry of the head goes where there are no classes to tell apart."""
        made, node = self.made[index], self.template.nodes[index]
        return (
            index >= self.graph.head
            and made is not None
            and len(node.inputs) == len(node.outputs) == 1
            and any(
                re.search(r"\bnum_classes\b", text)
                for text in (*made.args, *(value for _, value in made.keywords))
            )
        )

    def _stage(self, stage: Stage) -> list[str]:
        nodes = self.template.nodes[stage.first : stage.last]
        if stage.label in self.loose:
            return [line for index in range(stage.first, stage.last) for line in self._entry(index)]
        comment = shape_comment(self.template.types[nodes[-1].outputs[0]])
        plain = is_plain(stage, self.graph)
        if has_names(stage, self.graph):
            return self._pinned_stage(stage, comment)
        items: list[str] = []
        kinds = [self._kind(index) for index in range(stage.first, stage.last)]
        start = stage.first
        while start < stage.last:
            period, end = _repetition(kinds, start - stage.first)
            end += stage.first
            if period == 1 and self._is_transition(start, end):
                end = start + 1
            items += self._run(start, end, period)
            start = end
        container = "nn.Sequential" if plain else "nn.ModuleList"
        lines = with_comment(f"        self.{stage.label} = {container}(", comment)
        if plain:
            return [*lines, *(f"            {item}" for item in items), "        )"]
        inner = [f"                {item}" for item in items]
        return [*lines, "            [", *inner, "            ]", "        )"]

    def _pinned_stage(self, stage: Stage, comment: str) -> list[str]:
        """A stage with named blocks: modules by name, so that numbers do not shift."""
        kind = "nn.Sequential" if is_plain(stage, self.graph) else "nn.ModuleDict"
        lines = with_comment(f"        self.{stage.label} = {kind}()", comment)
        start = stage.first
        while start < stage.last:
            end = start + 1
            while end < stage.last and self._counts_on(start, end):
                end += 1
            lines += self._added(stage.label, start, end)
            start = end
        return lines

    def _counts_on(self, start: int, index: int) -> bool:
        """Whether a block continues a run of numbered blocks of one class with the same arguments."""
        labels = [(self.template.nodes[i].label or "").rpartition(".")[2] for i in (start, index)]
        if not all(label.isdigit() for label in labels):
            return False
        return int(labels[1]) - int(labels[0]) == index - start and self.made[start] == self.made[index]

    def _added(self, stage: str, start: int, end: int) -> list[str]:
        """`add_module` for one block, or a loop for a run of them."""
        label = (self.template.nodes[start].label or "").rpartition(".")[2]
        if end - start == 1:
            made = self._rated(start)
            assert made is not None
            return call_lines(f'self.{stage}.add_module("{label}", {made.name}(', argument_texts(made), "))", 8)
        made = self.made[start]
        assert made is not None
        first = int(label)
        if start in self.rate_of:
            rate = self.rate_of[start]
            counter = f", {first}" if first else ""
            loop = f"for i, rate in enumerate(rates[{rate}:{rate + end - start}]{counter}):"
        else:
            loop = f"for i in range({first}, {first + end - start}):"
        before = f"self.{stage}.add_module(str(i), {made.name}("
        return [f"        {loop}", *call_lines(before, argument_texts(made), "))", 12)]

    def _kind(self, index: int) -> object:
        """What blocks of a run share: their class, and whether they have a rate; primitives are made alike."""
        made = self.made[index]
        if made is None or self.template.nodes[index].child is None:
            return made
        return made.name, index in self.rate_of

    def _is_transition(self, start: int, end: int) -> bool:
        """Whether the first of a run takes other channels than the rest, which are all made alike."""
        args = [m.args for index in range(start, end) if (m := self.made[index])]
        return len(args) > 2 and args[0] != args[1] and self._varying(range(start + 1, end)) == []

    def _varying(self, indices: range) -> list[str]:
        """What differs between blocks of one class, but for their rates."""
        made = [m for index in indices if (m := self.made[index])]
        columns = [(str(place), [m.args[place] for m in made]) for place in range(len(made[0].args))]
        columns += self._keyword_rows(indices).items()
        return [name for name, values in columns if len(set(values)) > 1]

    def _run(self, start: int, end: int, period: int) -> list[str]:
        """Lines for blocks whose classes repeat: one call, or a comprehension over what differs."""
        if end - start == 1:
            single = self._rated(start)
            assert single is not None
            return _indented(call_lines(f"{single.name}(", argument_texts(single), "),", 12), 12)
        taken = {"num_classes", "in_channels"} | ({"block"} if period > 1 else set())
        rows = [self._call_over(range(start + k, end, period), taken) for k in range(period)]
        sources = [source for _, own in rows for source in own]
        calls = [call for call, _ in rows]
        return _comprehension(calls, sources, (end - start) // period)

    def _call_over(self, indices: range, taken: set[str]) -> tuple[str, list[tuple[str, str]]]:
        """The call that makes each of some blocks of one class, and (name, list) of what differs in it."""
        start = indices[0]
        made = [self.made[index] for index in indices]
        first = made[0]
        assert first is not None
        keywords = self._keyword_rows(indices)
        args = list(first.args)
        sources: list[tuple[str, str]] = []
        rows = [m.args for m in made if m is not None]
        for position in range(len(args)):
            column = [row[position] for row in rows]
            if len(set(column)) > 1:
                args[position] = unique(self._required_name(start, position), taken)
                sources.append((args[position], run_length(column)))
        for name, values in keywords.items():
            if name == "drop_path":
                continue
            if len(set(values)) > 1:
                variable = unique(name, taken)
                args.append(f"{name}={variable}")
                sources.append((variable, run_length(values)))
            elif values[0] != self._default(start, name):
                args.append(f"{name}={values[0]}")
        if start in self.rate_of:
            variable = unique("rate", taken)
            sources.append((variable, self._rates(indices)))
            # A primitive that drops paths takes nothing but its rate.
            args = [*args, f"drop_path={variable}"] if "drop_path" in keywords else [variable]
        return f"{first.name}({', '.join(args)})", sources

    def _rates(self, indices: range) -> str:
        """The rates of some blocks: a slice of all."""
        numbers = [self.rate_of[index] for index in indices]
        step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
        by = f":{step}" if step > 1 else ""
        return f"rates[{numbers[0]}:{numbers[-1] + 1}{by}]"

    def _keyword_rows(self, indices: range) -> dict[str, list[str]]:
        """For every argument by name that some of these blocks give: its text in each of them."""
        given = [dict(m.keywords) for i in indices if (m := self.made[i])]
        child = self.template.nodes[indices[0]].child
        names = [*given[0]] if child is None else [p.name for p in self.classes.of(child).parameters]
        return {
            name: [row.get(name, self._default(indices[0], name)) for row in given]
            for name in names
            if any(name in row for row in given)
        }

    def _default(self, index: int, name: str) -> str:
        child = self.template.nodes[index].child
        for parameter in () if child is None else self.classes.of(child).parameters:
            if parameter.name == name:
                return parameter.default or ""
        return ""

    def _required_name(self, index: int, position: int) -> str:
        child = self.template.nodes[index].child
        assert child is not None
        required = [p for p in self.classes.of(child).parameters if p.default is None]
        return required[position].name

    # --- methods of a network of one stream

    def _steps(self, first: int, last: int) -> list[_Step]:
        steps: list[_Step] = []
        index = first
        while index < last:
            node, stage = self.template.nodes[index], self.stage_of.get(index)
            attribute = self.attributes[index] if stage is None else Attribute(stage.label)
            if stage is not None:
                index = stage.last
                node = self.template.nodes[index - 1]
            else:
                index += 1
            steps.append(_Step(attribute.on_self, node, stage))
        return steps

    def _single_stream(self) -> list[str]:
        graph = self.graph
        body = self._steps(0, graph.head)
        values = [value for _, value in graph.features]
        # The methods' own variable is x, which a label may be too.
        taken = {"x"}
        marks = {value: unique(label.replace(".", "_"), taken) for label, value in graph.features}
        last = max((i for i, s in enumerate(body) if s.node.outputs[0] in marks), default=-1)
        lines: list[str] = []
        if values:
            lines += ["", "    def features(self, x: Tensor) -> list[Tensor]:"]
            names = ", ".join(label for label, _ in graph.features)
            about = f"The maps of {names}, for detection and segmentation."
            lines += docstring(about, 8)
            lines += self._chain(body[: last + 1], "x", marks)
            lines.append(f"        return [{', '.join(marks[value] for value in values)}]")
        lines += ["", "    def forward_features(self, x: Tensor) -> Tensor:"]
        lines += docstring("What the head takes.", 8)
        if last >= 0:
            rest = body[last + 1 :]
            place = values.index(body[last].node.outputs[0])
            place = -1 if place == len(values) - 1 else place
            if rest:
                lines += self._chain(rest, f"self.features(x)[{place}]", {}, "return ")
            else:
                lines.append(f"        return self.features(x)[{place}]")
        else:
            lines += self._chain(body, "x", {}, "return ") or ["        return x"]
        head = self._steps(graph.head, len(self.template.nodes))
        result = result_annotation(self.template)
        lines += ["", f"    def forward(self, x: Tensor) -> {result}:"]
        if head:
            lines += self._chain(head, "self.forward_features(x)", {}, "return ")
        else:
            lines.append("        return self.forward_features(x)")
        return lines

    def _chain(self, steps: Sequence[_Step], start: str, marks: dict[int, str], end: str = "") -> list[str]:
        """Statements that run steps one after the other; marked results get variables of their own."""
        lines: list[str] = []
        code, nested = Code(start), 0
        for position, step in enumerate(steps):
            value = step.node.outputs[0]
            final = position == len(steps) - 1
            called = self._called(step, code)
            if nested >= MOST_NESTED_ENTRIES or len(called.text) + 8 + len(end or "x = ") > WIDTH:
                lines.append(f"        x = {code.text}")
                called, nested = self._called(step, Code("x")), 0
            code, nested = called, nested + 1
            if value in marks:
                comment = shape_comment(self.template.types[value])
                lines += with_comment(f"        {marks[value]} = {code.text}", comment)
                code, nested = Code(marks[value]), 0
            elif final and end:
                comment = shape_comment(self.template.types[value])
                lines += with_comment(f"        {end}{code.text}", comment)
        return lines

    def _called(self, step: _Step, code: Code) -> Code:
        """The call of a step with an expression, which knows how tightly it binds."""
        node = step.node
        if step.stage is None and node.op is not None:
            types = self.template.input_types(node)
            return node.op.call(Spelling(self._on_self), step.text, code, types=types)
        return Code(f"{step.text}({code.text})")

    def _on_self(self, name: str) -> str:
        self.stored.add(name)
        return f"self.{name}"

    # --- methods of a network of several streams

    def _streams(self) -> list[str]:
        inputs = ", ".join(f"{name}: Tensor" for name, _ in self.template.inputs)
        lines: list[str] = []
        result = result_annotation(self.template)
        labels = [label for label, _ in self.graph.features]
        names = [name for name, _ in self.template.inputs]
        marks = self._feature_variables()
        if labels:
            lines += ["", f"    def features(self, {inputs}) -> list[Tensor]:"]
            lines += docstring(f"The maps of {', '.join(labels)}.", 8)
            lines += self._stream_statements(0, self._after(labels), marks)
            lines.append(f"        return [{', '.join(marks[label] for label in labels)}]")
        carried = self._carried()
        kind = "Tensor" if len(carried) == 1 else f"tuple[{', '.join(['Tensor'] * len(carried))}]"
        lines += ["", f"    def forward_features(self, {inputs}) -> {kind}:"]
        lines += docstring(f"What the head takes: {', '.join(carried)}.", 8)
        lines += self._stream_statements(0, self.graph.head, {})
        lines.append(f"        return {', '.join(carried)}")
        lines += ["", f"    def forward(self, {inputs}) -> {result}:"]
        call = f"self.forward_features({', '.join(names)})"
        lines.append(f"        {', '.join(carried)} = {call}")
        lines += self._stream_statements(self.graph.head, len(self.template.nodes), {})
        lines.append(f"        return {self._name(self.template.outputs[0])}")
        return lines

    def _feature_variables(self) -> dict[str, str]:
        """The variable of each map of the pyramid by its label, which no stream has: that one goes on."""
        taken = self._stream_names()
        labels = dict.fromkeys(label for label, _ in self.graph.features)
        return {label: unique(label.replace(".", "_"), taken) for label in labels}

    def _stream_names(self) -> set[str]:
        return {"x", *self.template.names.values(), *(name for name, _ in self.template.inputs)}

    def _carried(self) -> list[str]:
        """The streams that the head reads, or the result where there is no head."""
        made = {v for _, v in self.template.inputs}
        made.update(v for n in self.template.nodes[: self.graph.head] for v in n.outputs)
        used = [v for n in self.template.nodes[self.graph.head :] for v in n.inputs if v in made]
        values = used or list(self.template.outputs)
        return list(dict.fromkeys(self._name(value) for value in values))

    def _name(self, value: int) -> str:
        return self.template.names.get(value, "x")

    def _stream_statements(self, first: int, last: int, marks: dict[str, str]) -> list[str]:
        """Statements for the nodes of a range; `marks` are the variables of maps by their labels."""
        lines: list[str] = []
        index = first
        while index < last:
            stage = self.stage_of.get(index)
            node = self.template.nodes[index]
            if stage is None or stage.label in self.loose:
                lines.append(f"        {self._statement(node, self.attributes[index].on_self)}")
                label, end = node.label or "", index + 1
                if stage is not None:
                    label = stage.label if end == stage.last else ""
            elif is_plain(stage, self.graph):
                outside = self.template.nodes[stage.last - 1]
                lines.append(f"        {self._wired(node, outside, f'self.{stage.label}')}")
                label, end = stage.label, stage.last
            else:
                lines += self._stage_loops(stage, marks)
                label, end = stage.label, stage.last
            if label in marks:
                value = dict(self.graph.features)[label]
                lines.append(f"        {marks[label]} = {self._name(value)}")
            index = end
        return lines

    def _after(self, labels: Sequence[str]) -> int:
        """The index of the first node behind all entries and stages of these labels."""
        ends = {stage.label: stage.last for stage in self.graph.stages}
        ends.update((node.label or "", index) for index, node in enumerate(self.template.nodes, 1))
        return max(ends[label] for label in labels)

    def _wired(self, first: Node, last: Node, module: str) -> str:
        inputs = ", ".join(self._name(value) for value in first.inputs)
        return f"{', '.join(self._name(value) for value in last.outputs)} = {module}({inputs})"

    def _statement(self, node: Node, module: str) -> str:
        outputs = ", ".join(self._name(value) for value in node.outputs)
        inputs = [Code(self._name(value)) for value in node.inputs]
        if node.op is not None:
            types = self.template.input_types(node)
            return f"{outputs} = {node.op.call(Spelling(self._on_self), module, *inputs, types=types).text}"
        return f"{outputs} = {module}({', '.join(code.text for code in inputs)})"

    def _stage_loops(self, stage: Stage, marks: dict[str, str]) -> list[str]:
        """A loop for each run of blocks that take and give the same streams."""
        lines: list[str] = []
        nodes = self.template.nodes
        by_name = has_names(stage, self.graph)
        start = stage.first

        def wires(index: int) -> tuple[list[str], list[str]]:
            node = nodes[index]
            return [self._name(v) for v in node.inputs], [self._name(v) for v in node.outputs]

        while start < stage.last:
            end = start + 1
            while end < stage.last and wires(end) == wires(start):
                end += 1
            a, b = start - stage.first, end - stage.first
            blocks = f"self.{stage.label}"
            if by_name:
                blocks = f"list({blocks}.values())"
            if b - a == 1:
                lines.append(f"        {self._statement(nodes[start], self.attributes[start].on_self)}")
                start = end
                continue
            if b - a < stage.last - stage.first:
                blocks += f"[{a}:{b}]"
            inputs = (name for name, _ in self.template.inputs)
            block = unique("block", {*marks.values(), *inputs, *self.template.names.values()})
            lines.append(f"        for {block} in {blocks}:")
            lines.append(f"            {self._statement(nodes[start], block)}")
            start = end
        return lines


def _repetition(kinds: Sequence[object], start: int) -> tuple[int, int]:
    """How many kinds of blocks follow each other from `start` on, again and again, and where that ends.

    The fewest of those that reach furthest; (1, start + 1) for a block that repeats nothing.
    """
    best, reach = 1, 1
    for period in range(1, MOST_ALTERNATING + 1):
        end = start + period
        while end < len(kinds) and kinds[end] == kinds[end - period]:
            end += 1
        length = end - start - (end - start) % period
        if (period == 1 or length >= 2 * period) and length > reach:
            best, reach = period, length
    return best, start + reach


def _indented(lines: list[str], indent: int) -> list[str]:
    return [line[indent:] for line in lines]


def _comprehension(calls: list[str], sources: list[tuple[str, str]], count: int) -> list[str]:
    """`*(call for ...),`, of one call or of several that alternate."""
    if not sources:
        loop = f"for _ in range({count})"
    elif len(sources) == 1:
        loop = f"for {sources[0][0]} in {sources[0][1]}"
    else:
        names = ", ".join(name for name, _ in sources)
        loop = f"for {names} in zip({', '.join(values for _, values in sources)})"
    loops = [loop]
    if len(loop) + 16 > WIDTH and len(sources) > 1:
        names, values = ", ".join(name for name, _ in sources), [values for _, values in sources]
        loops = _indented(call_lines(f"for {names} in zip(", values, ")", 16), 16)
    if len(calls) == 1:
        line = f"*({calls[0]} {loop}),"
        if len(line) + 12 <= WIDTH:
            return [line]
        return ["*(", *_indented(_broken(calls[0], 16), 12), *(f"    {part}" for part in loops), "),"]
    pair = f"for block in ({', '.join(calls)})"
    inner = [f"    {pair}"]
    if len(pair) + 16 > WIDTH:
        inner = ["    for block in (", *(f"        {call}," for call in calls), "    )"]
    return ["*(", "    block", *(f"    {part}" for part in loops), *inner, "),"]


def _broken(call: str, indent: int) -> list[str]:
    """A call on one line, or its arguments on lines of their own where that is too long."""
    name, _, rest = call.partition("(")
    return call_lines(f"{name}(", rest[:-1].split(", "), ")", indent)
