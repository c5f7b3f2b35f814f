"""The methods of a network: `features`, `forward_features` and `forward`, of one stream or of several."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from archdsl.cost import Costs
from archdsl.emit.attributes import Attribute, has_names, is_plain
from archdsl.emit.classes import result_annotation
from archdsl.emit.forward import shape_comment
from archdsl.emit.names import unique
from archdsl.emit.wrap import WIDTH, docstring, with_comment
from archdsl.graph import Graph, Node, Stage
from archdsl.ops import Code, Spelling

MOST_NESTED_ENTRIES = 3
"""So many entries may be called inside one another in a line of the network's own methods."""


class _Step(NamedTuple):
    """What runs as one call: an entry, or a whole stage of one stream, whose last block is `node`."""

    module: str
    node: Node
    stage: Stage | None
    is_tap: bool = False
    """Whether it makes a map of the pyramid that nothing else reads, from what goes on without it."""


class Methods:
    """The methods of a network as text."""

    def __init__(
        self,
        graph: Graph,
        stage_of: Mapping[int, Stage],
        attributes: Mapping[int, Attribute],
        loose: Container[str],
    ) -> None:
        self.graph = graph
        self.template = graph.template
        self.stage_of = stage_of
        self.attributes = attributes
        self.loose = loose
        self.streams = {"x", *self.template.names.values(), *(name for name, _ in self.template.inputs)}
        """The variables that hold the streams of several."""
        self.names: set[str] = set()
        """The network's arguments that the methods use: the constructor stores them."""
        self.taps = self._taps()
        self.lines = self._single_stream() if self._is_single() else self._streams()

    def _is_single(self) -> bool:
        """Whether one tensor goes through all of it, from entry to entry and stage to stage."""
        nodes = self.template.nodes
        if (
            len(self.template.inputs) > 1
            or any(stage.label in self.loose for stage in self.graph.stages)
            or "x" in dict(self.graph.features)
            or any(len(node.inputs) != 1 or len(node.outputs) != 1 for node in nodes)
            or any(index not in self.stage_of and "." in (node.label or "") for index, node in enumerate(nodes))
        ):
            return False
        flowing = self.template.inputs[0][1]
        for index, node in enumerate(nodes):
            if node.inputs[0] != flowing:
                return False
            if index not in self.taps:
                flowing = node.outputs[0]
        return flowing == self.template.outputs[0]

    def _taps(self) -> set[int]:
        """The entries that make maps of the pyramid and nothing else: no entry reads what they give.

        Only those that cost nothing, so that `forward`, which leaves them out, costs what the graph says.
        """
        nodes = self.template.nodes
        read = {value for node in nodes for value in node.inputs} | set(self.template.outputs)
        maps = {value for _, value in self.graph.features} - read
        found = {
            index
            for index, node in enumerate(nodes[: self.graph.head])
            if index not in self.stage_of and len(node.outputs) == 1 and node.outputs[0] in maps
        }
        costs = Costs(self.graph, "fvcore") if found else None
        free = [(index, costs.node(self.template, index)) for index in found] if costs is not None else []
        return {index for index, cost in free if cost.params == cost.total_macs == 0}

    def _on_self(self, name: str) -> str:
        self.names.add(name)
        return f"self.{name}"

    # --- of a network of one stream

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
        if self.taps:
            main = [step for step in body if not step.is_tap]
            lines += self._chain(main, "x", {}, "return ") or ["        return x"]
        elif last >= 0:
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

    def _steps(self, first: int, last: int) -> list[_Step]:
        steps: list[_Step] = []
        index = first
        while index < last:
            node, stage = self.template.nodes[index], self.stage_of.get(index)
            attribute = self.attributes[index] if stage is None else Attribute(stage.label)
            is_tap = index in self.taps
            if stage is not None:
                index = stage.last
                node = self.template.nodes[index - 1]
            else:
                index += 1
            steps.append(_Step(attribute.on_self, node, stage, is_tap))
        return steps

    def _chain(self, steps: Sequence[_Step], start: str, marks: dict[int, str], end: str = "") -> list[str]:
        """Statements that run steps one after the other; marked results get variables of their own."""
        lines: list[str] = []
        code, nested = Code(start), 0
        for position, step in enumerate(steps):
            value = step.node.outputs[0]
            final = position == len(steps) - 1
            if step.is_tap:
                if not code.text.isidentifier():
                    lines.append(f"        x = {code.text}")
                    code, nested = Code("x"), 0
                made = f"        {marks[value]} = {self._called(step, code).text}"
                lines += with_comment(made, shape_comment(self.template.types[value]))
                continue
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
            return node.op.call(Spelling(self._on_self), step.module, code, types=types)
        return Code(f"{step.module}({code.text})")

    # --- of a network of several streams

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
            end = self._after(labels)
            # What the last of them makes is returned as it is; streams of earlier ones may go on.
            marks = {label: mark for label, mark in marks.items() if self._ends[self._maker(label)] < end}
            lines += self._stream_statements(0, end, marks)
            maps = {label: self._name(value) for label, value in self.graph.features} | marks
            lines.append(f"        return [{', '.join(maps[label] for label in labels)}]")
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
        taken = set(self.streams)
        labels = dict.fromkeys(label for label, _ in self.graph.features)
        return {label: unique(label.replace(".", "_"), taken) for label in labels}

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
        maps = dict(self.graph.features)
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
            for feature, mark in marks.items():
                if self._maker(feature) == label:
                    lines.append(f"        {mark} = {self._name(maps[feature])}")
            index = end
        return lines

    def _after(self, labels: Sequence[str]) -> int:
        """The index of the first node behind all entries and stages of these labels."""
        return max(self._ends[self._maker(label)] for label in labels)

    def _maker(self, feature: str) -> str:
        """The entry or stage after which a map of the pyramid is there: `s4` of its stream `s4.low`."""
        return feature if feature in self._ends else feature.rpartition(".")[0]

    @cached_property
    def _ends(self) -> dict[str, int]:
        """The index of the first node behind each entry and stage, by its label."""
        ends = {stage.label: stage.last for stage in self.graph.stages}
        for index, node in enumerate(self.template.nodes):
            if index not in self.stage_of:
                ends[node.label or ""] = index + 1
        return ends

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
        block = unique("block", {*marks.values(), *self.streams})
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
            lines.append(f"        for {block} in {blocks}:")
            lines.append(f"            {self._statement(nodes[start], block)}")
            start = end
        return lines
