"""One rule of networks and documents broken: each gives the record that says it now, and the codes."""

from __future__ import annotations

from random_networks.expressions import listed, literal
from random_networks.sites import LARGE, Broken, Site
from random_networks.trees import (
    Each,
    Entry,
    Features,
    Head,
    Item,
    Param,
    Ref,
    Return,
    Stage,
)


def unknown_import(site: Site) -> Broken | None:
    site.document.imports.append("no_such_blocks")
    return "import", ("E0701",)


def unknown_feature(site: Site) -> Broken | None:
    found = site.some(Features)
    if found is None:
        return None
    found.labels.append("nowhere")
    return found, ("E0201",)


def another_width(site: Site) -> Broken | None:
    found = site.some(Stage)
    if found is None:
        return None
    found.width = literal(LARGE)
    return found, ("E0301",)


def each_outside_of_a_stage(site: Site) -> Broken | None:
    found = site.some(Entry)
    if found is None:
        return None
    found.args = [*found.args, ("bogus", Each(listed([literal(1)])))]
    return found, ("E0406",)


def lists_of_other_lengths(site: Site) -> Broken | None:
    stage = site.some(Stage)
    if stage is None:
        return None
    item = Item(
        "conv2d", [(None, Each(listed([literal(1), literal(2)]))), ("kernel", Each(listed([literal(1)])))]
    )
    stage.items.append(item)
    return item, ("E0406",)


def labelled_block_repeated(site: Site) -> Broken | None:
    stage = site.some(Stage)
    if stage is None:
        return None
    item = Item("relu", [], "twice_", literal(2))
    stage.items.append(item)
    return item, ("E0204",)


def label_of_a_container(site: Site) -> Broken | None:
    stage = site.some(Stage)
    if stage is None:
        return None
    item = Item("relu", [], site.random.choice(["append", "values", "insert", "pop", "keys", "items"]))
    stage.items.append(item)
    return item, ("E0105",)


def labels_of_a_stage_twice(site: Site) -> Broken | None:
    stage = site.some(Stage)
    if stage is None:
        return None
    items = [Item("relu", [], "twice_"), Item("gelu", [], "twice_")]
    stage.items += items
    return items[1], ("E0204",)


def entry_twice(site: Site) -> Broken | None:
    found = site.some(Entry)
    if found is None or found.index is not None or found not in site.network.body:
        return None
    again = Entry(found.label, "relu", [])
    site.network.body.insert(site.network.body.index(found) + 1, again)
    return again, ("E0204",)


def unknown_block(site: Site) -> Broken | None:
    again = Entry("lost_", "no_such_block", [])
    site.network.body.insert(0, again)
    return again, ("E0202",)


def network_returns(site: Site) -> Broken | None:
    statement = Return([Ref("image")])
    site.network.body.insert(0, statement)
    return statement, ("E0201", "E0208")


def two_heads(site: Site) -> Broken | None:
    found = site.some(Head)
    if found is None:
        return None
    again = Head([Entry("lost_", "relu", [])])
    site.network.body.append(again)
    return again, ("E0213",)


def stage_in_the_head(site: Site) -> Broken | None:
    found = site.some(Head)
    if found is None:
        return None
    again = Stage("lost_", None, [Item("relu", [])])
    found.body.insert(0, again)
    return again, ("E0213",)


def stage_without_blocks(site: Site) -> Broken | None:
    again = Stage("lost_", None, [Item("relu", [], None, literal(0))])
    site.network.body.insert(0, again)
    return again, ("E0215",)


def parameter_of_another_type(site: Site) -> Broken | None:
    param = Param("lost_", "dim", literal(1.5))
    site.network.params.append(param)
    return site.network, ("E0403",)


def input_without_extent(site: Site) -> Broken | None:
    site.network.tensors[0][1][1] = literal(0)
    return site.network, ("E0403",)


def unknown_build(site: Site) -> Broken | None:
    site.document.build = "NoSuchNetwork"
    return "build", ("E0221",)
