"""Twins: a document with one rule broken in one place, and the code and place that must be told first.

`twin(seed)` draws the document of the seed anew and breaks it in one of `KINDS` that it has a place for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from random_networks.networks import document
from random_networks.rules_of_blocks import (
    after_the_return,
    another_extent_than_written,
    another_rank_than_written,
    another_requirement,
    another_shape_than_declared,
    argument_missing,
    argument_of_another_type,
    argument_twice,
    axis_that_is_not_there,
    block_called_like_a_primitive,
    block_in_itself,
    block_twice,
    called_without_a_tensor,
    choice_in_a_block,
    condition_that_is_no_truth,
    division_by_zero,
    groups_that_do_not_divide,
    index_beyond_the_list,
    label_of_two_kinds,
    label_twice,
    loop_over_a_number,
    map_where_there_is_none,
    misspelt_argument,
    more_of_a_list_than_it_has,
    more_results_than_declared,
    name_twice_in_a_signature,
    names_for_another_number,
    never_read,
    no_dimension,
    no_label,
    no_middle,
    nothing_returned,
    padding_of_more_than_half,
    pattern_that_does_not_fit,
    pieces_that_do_not_sum,
    positions_beyond_the_axis,
    products_that_do_not_meet,
    quantity_in_a_block,
    quotient_that_is_not_whole,
    requirement_that_fails,
    requirement_that_is_no_truth,
    reserved_name,
    shapes_that_do_not_meet,
    too_few_tensors,
    too_many_tensors,
    unknown_argument,
    unknown_initialiser,
    unknown_mode,
    unknown_name,
    unknown_path_of_init,
    unknown_primitive,
    unknown_tensor,
    window_that_does_not_fit,
)
from random_networks.rules_of_networks import (
    another_width,
    each_outside_of_a_stage,
    entry_twice,
    input_without_extent,
    label_of_a_container,
    labelled_block_repeated,
    labels_of_a_stage_twice,
    lists_of_other_lengths,
    network_returns,
    parameter_of_another_type,
    stage_in_the_head,
    stage_without_blocks,
    two_heads,
    unknown_block,
    unknown_build,
    unknown_feature,
    unknown_import,
)
from random_networks.running import Tensor, World
from random_networks.sites import Broken, Site
from random_networks.trees import (
    Document,
)


@dataclass
class Twin:
    """A document that is almost right: what was broken, the codes one of which is told first, and where."""

    kind: str
    text: str
    codes: tuple[str, ...]
    places: list[tuple[int, int, int]]
    """Lines, with the columns of what was changed: the place that is told touches one of them."""


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
    stage_in_the_head,
    unknown_mode, positions_beyond_the_axis, pieces_that_do_not_sum, unknown_path_of_init, unknown_initialiser,
    padding_of_more_than_half, condition_that_is_no_truth, another_requirement, requirement_that_is_no_truth,
)  # fmt: skip
"""Those that few documents have a place for: every other number tries them first."""


def twin(seed: int) -> Twin:
    """The twin of the document of a seed."""
    random = Random(f"twin {seed}")
    kinds = list(KINDS)
    random.shuffle(kinds)
    if seed % 2 == 0:
        # Each kind is the first that is tried once in so many numbers.
        kinds.insert(0, list(KINDS)[seed // 2 % len(KINDS)])
    else:
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
