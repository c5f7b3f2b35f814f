"""Twins: a document with one rule broken in one place, and the code and place that must be told first.

`twin(seed)` draws the document of the seed anew and breaks it in one of `KINDS` that it has a place for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from random_networks.expressions import Expr, listed, literal, text_literal
from random_networks.networks import Sample, document
from random_networks.running import Tensor, World
from random_networks.shapes import OWNERS, RULES
from random_networks.trees import (
    Apply,
    Block,
    Comprehension,
    Document,
    Each,
    Entry,
    Features,
    For,
    Head,
    If,
    Init,
    Item,
    Let,
    LetModule,
    LetNumber,
    Longer,
    Many,
    Output,
    Param,
    Pick,
    Ref,
    Require,
    Return,
    Stage,
    Statement,
    Tree,
)

LARGE = 997
"""A prime that no extent is, and that divides none."""


@dataclass
class Twin:
    """A document that is almost right: what was broken, the codes one of which is told first, and where."""

    kind: str
    text: str
    codes: tuple[str, ...]
    places: list[tuple[int, int, int]]
    """Lines, with the columns of what was changed: the place that is told touches one of them."""


Broken: TypeAlias = "tuple[object | list[object], tuple[str, ...]]"
"""The records whose lines are to be told, and the codes."""


class Site:
    """A drawn document with all places at which something can be broken."""

    def __init__(self, sample: Sample, random: Random) -> None:
        self.sample, self.random = sample, random
        self.document = sample.document
        self.network = sample.network
        self.ran = sample.ran
        self.blocks = [block for block in self.document.blocks if id(block) in self.ran]

    def applies(self, holds: Callable[[Apply], bool]) -> tuple[Apply, Statement, Block] | None:
        """A call in a block that runs, with its statement, of those for which something holds."""
        found = [
            (apply, statement, block)
            for block in self.blocks
            for statement in statements_of(block.body)
            for apply in applies_of(statement)
            if id(apply) in self.ran and holds(apply)
        ]
        return self.random.choice(found) if found else None

    def some(self, kind: type) -> Any | None:
        """A statement of a kind that runs."""
        bodies = [self.network.body, *(block.body for block in self.blocks)]
        found = [s for body in bodies for s in statements_of(body) if isinstance(s, kind) and id(s) in self.ran]
        return self.random.choice(found) if found else None

    def block(self, holds: Callable[[Block], bool] = lambda block: True) -> Block | None:
        found = [block for block in self.blocks if holds(block)]
        return self.random.choice(found) if found else None

    def inserted(self, make: Callable[[str], Statement], *codes: str) -> Broken | None:
        """A statement at the beginning of a block; it is made of the name of a tensor."""
        block = self.block()
        if block is None:
            return None
        statement = make(block.tensors[0][0])
        block.body.insert(0, statement)
        return statement, codes


def statements_of(body: list[Statement]) -> Iterator[Statement]:
    """All statements, those inside others too."""
    for statement in body:
        yield statement
        match statement:
            case If(_, then, otherwise):
                yield from statements_of(then)
                yield from statements_of(otherwise)
            case For(_, _, inner) | Head(inner):
                yield from statements_of(inner)


def applies_of(statement: Statement) -> Iterator[Apply]:
    """All calls on tensors of a statement itself."""
    match statement:
        case Let(_, tree, _):
            yield from _applies(tree)
        case Return(trees) | Output(_, trees):
            for tree in trees:
                yield from _applies(tree)


def _applies(tree: Tree) -> Iterator[Apply]:
    match tree:
        case Apply():
            yield tree
            for one in tree.inputs:
                yield from _applies(one)
        case Pick(_, then, otherwise):
            yield from _applies(then)
            yield from _applies(otherwise)
        case Many(items):
            for one in items:
                yield from _applies(one)
        case Comprehension(item, _, _):
            yield from _applies(item)
        case Longer(_, items):
            yield from _applies(items)


def _is_primitive(apply: Apply, *kinds: str) -> bool:
    return apply.callee in (kinds or RULES) and apply.style != "infix"


def _given(apply: Apply, name: str, value: Expr) -> None:
    """Give an argument, in the place of what was given."""
    apply.args = [(n, found) for n, found in apply.args if n != name] + [(name, value)]


# --- each kind breaks one rule and gives the record and the codes; None where there is no place for it


def no_label(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee in OWNERS and a.label is not None)
    if found is None:
        return None
    found[0].label = found[0].index = None
    return found[1], ("E0203",)


def label_twice(site: Site) -> Broken | None:
    block = site.block()
    if block is None:
        return None
    name = block.tensors[0][0]
    lets: list[Statement] = [
        Let([name], Apply("identity", [Ref(name)], [], "twice_", style="pipe")) for _ in range(2)
    ]
    block.body[:0] = lets
    return lets[1], ("E0204",)


def label_of_two_kinds(site: Site) -> Broken | None:
    block = site.block()
    if block is None:
        return None
    name = block.tensors[0][0]
    lets: list[Statement] = [
        Let([name], Apply("relu", [Ref(name)], [], "both_", index, style="pipe"))
        for index in (None, literal(0))
    ]
    block.body[:0] = lets
    return lets[1], ("E0204",)


def unknown_argument(site: Site) -> Broken | None:
    found = site.applies(lambda a: _is_primitive(a) and a.callee != "rearrange")
    if found is None:
        return None
    found[0].args = [*found[0].args, ("bogus", literal(1))]
    return found[1], ("E0401",)


def misspelt_argument(site: Site) -> Broken | None:
    found = site.applies(
        lambda a: _is_primitive(a) and a.callee != "rearrange" and any(n is not None for n, _ in a.args)
    )
    if found is None:
        return None
    place = site.random.choice([i for i, (name, _) in enumerate(found[0].args) if name is not None])
    name, value = found[0].args[place]
    assert name is not None
    found[0].args[place] = (name[:-1] + "_" + name[-1:], value)
    return found[1], ("E0401",)


def argument_of_another_type(site: Site) -> Broken | None:
    found = site.applies(lambda a: _is_primitive(a) and bool(a.args) and a.callee != "rearrange")
    if found is None:
        return None
    place = site.random.randrange(len(found[0].args))
    name, _ = found[0].args[place]
    is_text = name in ("mode", "approximate") or (name is None and found[0].callee == "gelu")
    found[0].args[place] = (name, literal(3) if is_text else text_literal("text"))
    return found[1], ("E0403",)


def argument_twice(site: Site) -> Broken | None:
    found = site.applies(lambda a: _is_primitive(a) and any(n is not None for n, _ in a.args))
    if found is None:
        return None
    again = site.random.choice([(name, value) for name, value in found[0].args if name is not None])
    found[0].args = [*found[0].args, again]
    return found[1], ("E0404",)


def argument_missing(site: Site) -> Broken | None:
    required = {"conv2d": "out_channels", "linear": "out_features", "slice": "length", "group_norm": "groups",
                "max_pool": "kernel", "avg_pool": "kernel", "upsample": "scale", "pad": "sides",
                "roll": "shifts",
                "parameter": "extents", "adaptive_avg_pool": "size", "split": "sizes"}  # fmt: skip
    found = site.applies(lambda a: a.callee in required)
    if found is None:
        return None
    wanted = required[found[0].callee]
    found[0].args = [(n, v) for n, v in found[0].args if n not in (wanted, None)]
    return found[1], ("E0402",)


def no_dimension(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee in ("conv2d", "linear", "conv_transpose2d"))
    if found is None:
        return None
    name = "out_features" if found[0].callee == "linear" else "out_channels"
    found[0].args = [(name, literal(0)), *((n, v) for n, v in found[0].args if n not in (name, None))]
    return found[1], ("E0403",)


def no_middle(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee == "conv2d")
    if found is None:
        return None
    found[0].args = [(n, v) for n, v in found[0].args if n != "padding"]
    _given(found[0], "kernel", literal(4))
    return found[1], ("E0302",)


def groups_that_do_not_divide(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee in ("conv2d", "conv_transpose2d"))
    if found is None:
        return None
    _given(found[0], "groups", literal(LARGE))
    return found[1], ("E0302",)


def pieces_that_do_not_sum(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee == "split")
    if found is None:
        return None
    found[0].args = [("sizes", listed([literal(LARGE)])), *((n, v) for n, v in found[0].args if n == "axis")]
    return found[1], ("E0302",)


def axis_that_is_not_there(site: Site) -> Broken | None:
    kinds = ("softmax", "l2_normalize", "concat", "slice", "layer_scale", "split")
    found = site.applies(lambda a: a.callee in kinds and bool(a.inputs))
    if found is None:
        return None
    first = {"softmax": "axis", "l2_normalize": "axis", "concat": "axis"}.get(found[0].callee)
    found[0].args = [(n, v) for n, v in found[0].args if first is None or n is not None]
    _given(found[0], "axis", literal(7))
    return found[1], ("E0302",)


def positions_beyond_the_axis(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee == "slice")
    if found is None:
        return None
    _given(found[0], "length", literal(LARGE))
    return found[1], ("E0302",)


def pattern_that_does_not_fit(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee == "rearrange")
    if found is None:
        return None
    found[0].args = [(None, text_literal("a b c d e f -> (a b c d e f)"))]
    return found[1], ("E0302",)


def window_that_does_not_fit(site: Site) -> Broken | None:
    return site.inserted(
        lambda x: Let(["lost_"], Apply("max_pool", [Ref(x)], [(None, literal(LARGE))], style="pipe")), "E0302"
    )


def padding_of_more_than_half(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee in ("max_pool", "avg_pool"))
    if found is None:
        return None
    _given(found[0], "padding", literal(LARGE))
    return found[1], ("E0302",)


def shapes_that_do_not_meet(site: Site) -> Broken | None:
    def make(x: str) -> Statement:
        more = Apply("parameter", [], [(None, listed([literal(1)] * 5))], "lost_", style="call")
        return Let(["lost_"], Apply("add", [Ref(x), more], style="infix"))

    return site.inserted(make, "E0302")


def products_that_do_not_meet(site: Site) -> Broken | None:
    def make(x: str) -> Statement:
        other = Apply("parameter", [], [(None, listed([literal(LARGE), literal(2)]))], "lost_", style="call")
        return Let(["lost_"], Apply("matmul", [Ref(x), other], style="infix"))

    return site.inserted(make, "E0302")


def map_where_there_is_none(site: Site) -> Broken | None:
    def make(x: str) -> Statement:
        return Let(["lost_"], Apply("conv2d", [Apply("parameter", [], [(None, listed([literal(2)] * 3))],
                   "p_")],
                                    [(None, literal(3))], "lost_", style="pipe"))  # fmt: skip

    return site.inserted(make, "E0302")


def unknown_primitive(site: Site) -> Broken | None:
    found = site.applies(lambda a: _is_primitive(a))
    if found is None:
        return None
    found[0].callee += "x"
    return found[1], ("E0202",)


def unknown_name(site: Site) -> Broken | None:
    found = site.applies(lambda a: _is_primitive(a) and bool(a.args))
    if found is None:
        return None
    place = site.random.randrange(len(found[0].args))
    found[0].args[place] = (found[0].args[place][0], Expr("nowhere", "nowhere"))
    return found[1], ("E0201",)


def unknown_tensor(site: Site) -> Broken | None:
    found = site.applies(lambda a: bool(a.inputs) and isinstance(a.inputs[0], Ref))
    if found is None:
        return None
    found[0].inputs[0] = Ref("nowhere")
    return found[1], ("E0201",)


def requirement_that_fails(site: Site) -> Broken | None:
    return site.inserted(lambda x: Require(Expr("1 > 2", "1 > 2"), "it is not so"), "E0405")


def another_requirement(site: Site) -> Broken | None:
    found = site.some(Require)
    if found is None:
        return None
    found.condition = Expr(f"not ({found.condition.text})", "")
    return found, ("E0405",)


def requirement_that_is_no_truth(site: Site) -> Broken | None:
    found = site.some(Require)
    if found is None:
        return None
    found.condition = literal(3)
    return found, ("E0403",)


def another_shape_than_declared(site: Site) -> Broken | None:
    block = site.block(lambda b: any(extents for _, extents in b.results))
    if block is None:
        return None
    extents = site.random.choice([extents for _, extents in block.results if extents])
    place = site.random.randrange(len(extents))
    extents[place] = Expr(f"{extents[place].at(6).text} + 1", "")
    return block.returns, ("E0301",)


def more_results_than_declared(site: Site) -> Broken | None:
    block = site.block(lambda b: isinstance(b.returns, Return))
    if block is None:
        return None
    assert isinstance(block.returns, Return)
    block.returns.trees.append(
        deepcopy(block.returns.trees[0])
        if isinstance(block.returns.trees[0], Ref)
        else Ref(block.tensors[0][0])
    )
    return block.returns, ("E0301",)


def too_many_tensors(site: Site) -> Broken | None:
    one = (
        "relu",
        "gelu",
        "softmax",
        "conv2d",
        "linear",
        "rearrange",
        "slice",
        "mean",
        "batch_norm",
        "layer_norm",
    )
    found = site.applies(lambda a: a.callee in one and len(a.inputs) == 1 and isinstance(a.inputs[0], Ref))
    if found is None:
        return None
    found[0].style, found[0].inputs = "call", [found[0].inputs[0], deepcopy(found[0].inputs[0])]
    return found[1], ("E0404",)


def too_few_tensors(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee in ("add", "sub", "mul", "div", "matmul", "maximum", "minimum"))
    if found is None:
        return None
    found[0].style, found[0].inputs = "call", [Ref(found[2].tensors[0][0])]
    return found[1], ("E0404", "E0201")


def index_beyond_the_list(site: Site) -> Broken | None:
    return site.inserted(lambda x: LetNumber("lost_", Expr("[1, 2][5]", "")), "E0407")


def more_of_a_list_than_it_has(site: Site) -> Broken | None:
    return site.inserted(lambda x: LetNumber("lost_", Expr("first([1, 2], 5)", "")), "E0407")


def names_for_another_number(site: Site) -> Broken | None:
    return site.inserted(lambda x: Let(["a_", "b_", "c_"], Apply("relu", [Ref(x)], style="pipe")), "E0408")


def never_read(site: Site) -> Broken | None:
    return site.inserted(lambda x: Let(["lost_"], Apply("relu", [Ref(x)], style="pipe")), "E0219")


def after_the_return(site: Site) -> Broken | None:
    block = site.block(lambda b: isinstance(b.returns, Return))
    if block is None:
        return None
    statement = LetNumber("after_", literal(1))
    block.body.append(statement)
    return statement, ("E0207",)


def nothing_returned(site: Site) -> Broken | None:
    block = site.block(lambda b: isinstance(b.returns, Return))
    if block is None:
        return None
    block.body.remove(block.returns)  # type: ignore[arg-type]
    return block, ("E0211",)


def reserved_name(site: Site) -> Broken | None:
    name = site.random.choice(["forward", "float", "training", "torch", "class", "half", "state_dict"])
    return site.inserted(lambda x: LetNumber(name, literal(3)), "E0105")


def name_twice_in_a_signature(site: Site) -> Broken | None:
    block = site.block(lambda b: bool(b.params))
    if block is None:
        return None
    block.params.append(Param(block.params[0].name, "dim", literal(1)))
    return block, ("E0206",)


def block_twice(site: Site) -> Broken | None:
    block = site.block()
    if block is None:
        return None
    again = deepcopy(block)
    site.document.blocks.append(again)
    return again, ("E0205",)


def block_called_like_a_primitive(site: Site) -> Broken | None:
    block = site.block()
    if block is None:
        return None
    again = deepcopy(block)
    again.name = "relu"
    site.document.blocks.append(again)
    return again, ("E0205",)


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


def unknown_path_of_init(site: Site) -> Broken | None:
    found = site.some(Init)
    if found is None:
        return None
    found.paths.append("nowhere")
    return found, ("E0201",)


def unknown_initialiser(site: Site) -> Broken | None:
    found = site.some(Init)
    if found is None:
        return None
    found.value = "no_such_distribution(0.1)"
    return found, ("E0210",)


def unknown_mode(site: Site) -> Broken | None:
    found = site.some(Output)
    if found is None:
        return None
    found.mode = "test"
    return found, ("E0209",)


def quotient_that_is_not_whole(site: Site) -> Broken | None:
    return site.inserted(lambda x: LetNumber("lost_", Expr("7 / 2", "")), "E0303")


def division_by_zero(site: Site) -> Broken | None:
    text = site.random.choice(["1 // 0", "5 % 0", "1.5 / 0"])
    return site.inserted(lambda x: LetNumber("lost_", Expr(text, "")), "E0303")


def condition_that_is_no_truth(site: Site) -> Broken | None:
    found = site.some(If)
    if found is None:
        return None
    found.condition = literal(3)
    return found, ("E0403",)


def block_in_itself(site: Site) -> Broken | None:
    block = site.block(
        lambda b: len(b.tensors) == 1 and len(b.results) == 1
        and all(p.default is not None or (p.type or "").endswith("?") for p in b.params)
    )  # fmt: skip
    if block is None:
        return None
    name = block.tensors[0][0]
    statement = Let([name], Apply(block.name, [Ref(name)], [], "again_", style="pipe"))
    block.body.insert(0, statement)
    return statement, ("E0604",)


def choice_in_a_block(site: Site) -> Broken | None:
    return site.inserted(lambda x: LetNumber("lost_", Expr("choose {1, 2}", "")), "E0222")


def loop_over_a_number(site: Site) -> Broken | None:
    return site.inserted(lambda x: For("i_", literal(3), [LetNumber("lost_", literal(1))]), "E0403")


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


def called_without_a_tensor(site: Site) -> Broken | None:
    def make(x: str) -> Statement:
        return LetModule("lost_", "lost_label", "no_such_primitive", [])

    return site.inserted(make, "E0202")


def quantity_in_a_block(site: Site) -> Broken | None:
    return site.inserted(lambda x: LetNumber("lost_", Expr("3.6M", "")), "E0403")


def another_extent_than_written(site: Site) -> Broken | None:
    def make(x: str) -> Statement:
        flat = Apply("parameter", [], [(None, listed([literal(2), literal(3)]))], "lost_label")
        return Let(["lost_"], flat, [literal(2), literal(4)])

    return site.inserted(make, "E0301")


def another_rank_than_written(site: Site) -> Broken | None:
    def make(x: str) -> Statement:
        flat = Apply("parameter", [], [(None, listed([literal(2), literal(3)]))], "lost_label")
        return Let(["lost_"], flat, [literal(2)])

    return site.inserted(make, "E0301")


KINDS: dict[str, Callable[[Site], Broken | None]] = {
    kind.__name__: kind
    for kind in (
        no_label, label_twice, label_of_two_kinds, unknown_argument, misspelt_argument,
        argument_of_another_type,
        argument_twice, argument_missing, no_dimension, no_middle, groups_that_do_not_divide,
        pieces_that_do_not_sum, axis_that_is_not_there, positions_beyond_the_axis, pattern_that_does_not_fit,
        window_that_does_not_fit, padding_of_more_than_half, shapes_that_do_not_meet, products_that_do_not_meet,
        map_where_there_is_none, unknown_primitive, unknown_name, unknown_tensor, requirement_that_fails,
        another_requirement, requirement_that_is_no_truth, another_shape_than_declared,
        more_results_than_declared, too_many_tensors, too_few_tensors, index_beyond_the_list,
        more_of_a_list_than_it_has, names_for_another_number, never_read, after_the_return, nothing_returned,
        reserved_name, name_twice_in_a_signature, block_twice, block_called_like_a_primitive, unknown_import,
        unknown_feature, another_width, each_outside_of_a_stage, lists_of_other_lengths,
        labelled_block_repeated, labels_of_a_stage_twice, label_of_a_container, entry_twice, unknown_block,
        network_returns, two_heads,
        stage_in_the_head, stage_without_blocks, unknown_path_of_init, unknown_initialiser, unknown_mode,
        quotient_that_is_not_whole, division_by_zero, condition_that_is_no_truth, block_in_itself,
        choice_in_a_block, loop_over_a_number, parameter_of_another_type, input_without_extent, unknown_build,
        called_without_a_tensor, quantity_in_a_block, another_extent_than_written, another_rank_than_written,
    )
}  # fmt: skip


RARE = (
    unknown_mode, positions_beyond_the_axis, pieces_that_do_not_sum, unknown_path_of_init, unknown_initialiser,
    padding_of_more_than_half, condition_that_is_no_truth, another_requirement, requirement_that_is_no_truth,
)  # fmt: skip
"""Those that few documents have a place for: every other number tries them first."""


def twin(seed: int) -> Twin:
    """The twin of the document of a seed."""
    random = Random(f"twin {seed}")
    kinds = list(KINDS)
    random.shuffle(kinds)
    if seed % 2:
        kinds.sort(key=lambda kind: KINDS[kind] not in RARE)
    for kind in kinds:
        sample = document(seed)
        before = [line.text for line in sample.document.lines()]
        broken = KINDS[kind](Site(sample, random))
        if broken is None:
            continue
        owners, codes = broken
        return Twin(kind, sample.document.text(), codes, _places(sample.document, before, owners))
    raise AssertionError(f"no twin for seed {seed}")


def _places(made: Document, before: list[str], owners: object) -> list[tuple[int, int, int]]:
    """Where the mistake may be told: the changed columns of a changed line, or all lines of the record."""
    lines = made.lines()
    wanted = owners if isinstance(owners, list) else [owners]
    own = [
        (number, line.text)
        for number, line in enumerate(lines, 1)
        if any(line.owner is one for one in wanted)
        or (isinstance(owners, str) and line.text.startswith(owners))
    ]
    known = set(before)
    changed = [(number, text) for number, text in own if text not in known]
    found = []
    for number, text in changed or own:
        old = before[number - 1] if number <= len(before) and len(before) == len(lines) else None
        start, end = 0, len(text)
        if old is not None and (number, text) in changed:
            start = next(
                (i for i, (a, b) in enumerate(zip(old, text, strict=False)) if a != b), min(len(old), len(text))
            )
            tail = 0
            while tail < min(len(old), len(text)) - start and old[-1 - tail] == text[-1 - tail]:
                tail += 1
            end = max(start, len(text) - tail)
        found.append((number, start + 1, end + 1))
    return found


__all__ = ["KINDS", "Tensor", "Twin", "World", "twin"]
