"""Where modules stand on their owner: one spelling for what makes them, calls them and begins their weights."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from archdsl.emit.names import unique
from archdsl.graph import Graph, Stage, Template
from archdsl.ops import Spelling


class Attribute(NamedTuple):
    """A name of the owner, and the key of one of the modules that it holds where it holds several.

    Lists hold them by position, dictionaries by the index or label that the document gives.
    """

    name: str
    key: str | None = None
    is_list: bool = False

    @property
    def text(self) -> str:
        """What stands behind `self.`: `fc1`, `conv[2]`, `conv["3"]`."""
        if self.key is None:
            return self.name
        return f"{self.name}[{self.key}]" if self.is_list else f'{self.name}["{self.key}"]'

    @property
    def on_self(self) -> str:
        """The same as an expression: `self.fc1`."""
        return f"self.{self.text}"


def owned_attributes(template: Template) -> dict[int, Attribute]:
    """By node: the attribute of its module, for every node of a block that has one of its own."""
    drop_path = _first_drop_path(template)
    owners = [
        index
        for index, node in enumerate(template.nodes)
        if node.module == index
        and (node.kind != "drop_path" or index == drop_path)
        and (node.op is None or node.op.constructor(Spelling(str), *template.input_types(node)) is not None)
    ]
    # A list counts from 0 without a gap; other indices are names in a dictionary.
    indices: dict[str, list[int]] = {}
    for index in owners:
        name, dot, key = (template.nodes[index].label or "").partition(".")
        if dot:
            indices.setdefault(name, []).append(int(key))
    lists = {name for name, found in indices.items() if found == list(range(len(found)))}
    taken = {(node.label or "").partition(".")[0] for node in template.nodes}
    result: dict[int, Attribute] = {}
    for index in owners:
        node = template.nodes[index]
        label = node.label
        if label is None:
            label = node.kind if node.kind == "drop_path" else unique(node.kind, taken)
        name, dot, key = label.partition(".")
        result[index] = Attribute(name, key, name in lists) if dot else Attribute(name)
    return result


def shared_attributes(template: Template, owned: dict[int, Attribute]) -> dict[int, Attribute]:
    """By node: the attribute of the module that a drop_path shares with the first of its block.

    All of them have one rate and no weights.
    """
    first = _first_drop_path(template)
    return {
        index: owned[first]
        for index, node in enumerate(template.nodes)
        if first is not None and node.kind == "drop_path" and node.module == index != first
    }


def _first_drop_path(template: Template) -> int | None:
    return next((index for index, node in enumerate(template.nodes) if node.kind == "drop_path"), None)


def network_attributes(graph: Graph, loose: set[str]) -> dict[int, Attribute]:
    """By node of a network: the attribute of its module; `loose` are stages that no container holds."""
    nodes = graph.template.nodes
    result: dict[int, Attribute] = {}
    for index, node in enumerate(nodes):
        name, dot, key = (node.label or "").partition(".")
        result[index] = Attribute(name, key) if dot else Attribute(name)
    for stage in graph.stages:
        if stage.label in loose or (has_names(stage, graph) and not is_plain(stage, graph)):
            continue
        for index in range(stage.first, stage.last):
            key = result[index].key or ""
            # A block of a sequence is found by its position: numbers do not count those that have names.
            position = Attribute(stage.label, str(index - stage.first), is_list=True)
            result[index] = position if key.isdigit() else Attribute(f"{stage.label}.{key}")
    return result


def has_names(stage: Stage, graph: Graph) -> bool:
    """Whether a stage has a block with a name of its own."""
    labels = [graph.template.nodes[index].label or "" for index in range(stage.first, stage.last)]
    return any(not label.rpartition(".")[2].isdigit() for label in labels)


def is_plain(stage: Stage, graph: Graph) -> bool:
    """Whether every block of a stage takes one tensor and gives it on to the next."""
    nodes = graph.template.nodes[stage.first : stage.last]
    return all(len(node.inputs) == len(node.outputs) == 1 for node in nodes) and all(
        after.inputs == before.outputs for before, after in pairwise(nodes)
    )
