"""The class of a network: its constructor, the entries of its head that may be left out, and its methods."""

from __future__ import annotations

from archdsl.emit.attributes import network_attributes
from archdsl.emit.classes import Classes
from archdsl.emit.constructors import Makers, argument_texts
from archdsl.emit.forward import shape_comment
from archdsl.emit.inits import Inits
from archdsl.emit.methods import Methods
from archdsl.emit.names import class_name
from archdsl.emit.stages import Stages
from archdsl.emit.wrap import call_lines, conditional_lines, docstring
from archdsl.graph import Graph
from archdsl.scalar import number_text


class NetworkClass:
    """Writes the network's own class."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self.graph = graph
        self.template = graph.template
        self.name = class_name(graph.name)
        self.makers = Makers(graph.template, classes.of)
        self.stage_of = {index: stage for stage in graph.stages for index in range(stage.first, stage.last)}
        # A block without a module is in no container.
        self.loose = {
            stage.label for stage in graph.stages if None in self.makers.made[stage.first : stage.last]
        }
        """The stages whose blocks are called one by one."""
        self.attributes = network_attributes(graph, self.loose)
        self.first_of: dict[str, int] = {}
        """By the label of entries with an index: the first of them that has a module."""
        for index, attribute in self.attributes.items():
            if attribute.key is not None and self.makers.made[index] is not None:
                self.first_of.setdefault(attribute.name, index)

    def lines(self) -> list[str]:
        """The text of the class."""
        shape = ", ".join(map(str, self.graph.input.values))
        about = f"{self.template.doc or self.name}\n\nThe input is [batch, {shape}]."
        if any(self._is_optional(index) for index in range(self.graph.head, len(self.template.nodes))):
            about += " With `num_classes=0` the classifier is left out."
        methods = Methods(self.graph, self.stage_of, self.attributes, self.loose)
        return [
            f"class {self.name}(nn.Module):",
            *docstring(about, 4),
            "",
            *self._constructor(methods.names),
            *methods.lines,
        ]

    def _constructor(self, stored: set[str]) -> list[str]:
        """`__init__`, which stores some of its arguments."""
        signature = ["self"]
        if self.graph.num_classes is not None:
            signature.append(f"num_classes: int = {self.graph.num_classes}")
        signature.append(f"in_channels: int = {self.graph.input.values[0]}")
        if self.makers.rate_of:
            signature.append(f"drop_path: float = {number_text(self.graph.drop_path)}")
        lines = call_lines("def __init__(", signature, ") -> None:", 4)
        lines.append("        super().__init__()")
        lines += [f"        self.{name} = {name}" for name in sorted(stored)]
        count = len(self.makers.rate_of)
        if count == 1:
            lines.append("        rates = [drop_path]")
        elif count:
            rates = f"drop_path * i / {count - 1} for i in range({count})"
            lines.append(f"        rates = [{rates}]")
        stages = Stages(self.graph, self.makers)
        index = 0
        while index < len(self.template.nodes):
            stage = self.stage_of.get(index)
            if stage is None or stage.label in self.loose:
                lines += self._entry(index)
                index += 1
            else:
                lines += stages.lines(stage)
                index = stage.last
        return [*lines, *Inits(self.template, self.attributes, by_value=True).lines]

    def _entry(self, index: int) -> list[str]:
        node = self.template.nodes[index]
        made = self.makers.rated(index)
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

    def _is_optional(self, index: int) -> bool:
        """Whether an entry goes where there are no classes to tell apart."""
        node = self.template.nodes[index]
        return (
            index >= self.graph.head
            and self.makers.made[index] is not None
            and len(node.inputs) == len(node.outputs) == 1
            and "num_classes" in self.template.reads(node)
        )
