"""One rule of blocks broken: each gives the record that says it now, and the codes; None without a place."""

from __future__ import annotations

from copy import deepcopy

from random_networks.expressions import Expr, listed, literal, text_literal
from random_networks.shapes import OWNERS
from random_networks.sites import LARGE, Broken, Site, give, is_primitive
from random_networks.trees import (
    Apply,
    For,
    If,
    Init,
    Let,
    LetModule,
    LetNumber,
    Output,
    Param,
    Ref,
    Require,
    Return,
    Statement,
)


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
    found = site.applies(lambda a: is_primitive(a) and a.callee != "rearrange")
    if found is None:
        return None
    found[0].args = [*found[0].args, ("bogus", literal(1))]
    return found[1], ("E0401",)


def misspelt_argument(site: Site) -> Broken | None:
    found = site.applies(
        lambda a: is_primitive(a) and a.callee != "rearrange" and any(n is not None for n, _ in a.args)
    )
    if found is None:
        return None
    place = site.random.choice([i for i, (name, _) in enumerate(found[0].args) if name is not None])
    name, value = found[0].args[place]
    assert name is not None
    found[0].args[place] = (name[:-1] + "_" + name[-1:], value)
    return found[1], ("E0401",)


def argument_of_another_type(site: Site) -> Broken | None:
    found = site.applies(lambda a: is_primitive(a) and bool(a.args) and a.callee != "rearrange")
    if found is None:
        return None
    place = site.random.randrange(len(found[0].args))
    name, _ = found[0].args[place]
    is_text = name in ("mode", "approximate") or (name is None and found[0].callee == "gelu")
    found[0].args[place] = (name, literal(3) if is_text else text_literal("text"))
    return found[1], ("E0403",)


def argument_twice(site: Site) -> Broken | None:
    found = site.applies(lambda a: is_primitive(a) and any(n is not None for n, _ in a.args))
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
    give(found[0], "kernel", literal(4))
    return found[1], ("E0302",)


def groups_that_do_not_divide(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee in ("conv2d", "conv_transpose2d"))
    if found is None:
        return None
    give(found[0], "groups", literal(LARGE))
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
    give(found[0], "axis", literal(7))
    return found[1], ("E0302",)


def positions_beyond_the_axis(site: Site) -> Broken | None:
    found = site.applies(lambda a: a.callee == "slice")
    if found is None:
        return None
    give(found[0], "length", literal(LARGE))
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
    give(found[0], "padding", literal(LARGE))
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
    found = site.applies(lambda a: is_primitive(a))
    if found is None:
        return None
    found[0].callee += "x"
    return found[1], ("E0202",)


def unknown_name(site: Site) -> Broken | None:
    found = site.applies(lambda a: is_primitive(a) and bool(a.args))
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
