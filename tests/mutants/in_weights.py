"""Faults in files of weights: names, joining and parting, shapes, resampling, and what is let through."""

from __future__ import annotations

from .mutant import Mutant

_MAPS = "tests/test_key_maps.py"
_WEIGHTS = "tests/test_weights.py"
_BIASES = f"{_WEIGHTS}::test_attention_biases_at_another_resolution[192-224]"

WEIGHTS: tuple[Mutant, ...] = (
    Mutant(
        "parts are joined along the axis of the groups",
        "archdsl/weights/pieces.py",
        "torch.cat(split, dim=rule.axis + 1)",
        "torch.cat(split, dim=rule.axis)",
        (_MAPS,),
    ),
    Mutant(
        "groups are ignored",
        "archdsl/weights/pieces.py",
        "return tensor.reshape(*shape[:axis], rule.groups, -1, *shape[axis + 1 :])",
        "return tensor.reshape(*shape[:axis], 1, -1, *shape[axis + 1 :])",
        (_MAPS,),
    ),
    Mutant(
        "another shape is not given",
        "archdsl/weights/pieces.py",
        "return made if rule.reshape is None else [part.reshape(rule.reshape) for part in made]",
        "return made",
        (_MAPS,),
    ),
    Mutant(
        "axes come back in the order in which they went",
        "archdsl/weights/pieces.py",
        "made.permute([rule.permute.index(axis) for axis in range(made.dim())])",
        "made.permute(rule.permute)",
        (_MAPS,),
    ),
    Mutant(
        "axes are not turned round on the way back",
        "archdsl/weights/pieces.py",
        "return [made.flip(rule.flip or ())]",
        "return [made]",
        (_MAPS,),
    ),
    Mutant(
        "parts are always equal shares",
        "archdsl/weights/pieces.py",
        "sizes = rule.sizes or (extent // count,) * count",
        "sizes = (extent // count,) * count",
        (_MAPS,),
    ),
    Mutant(
        "counters that differ become the first",
        "archdsl/weights/pieces.py",
        "if len(values) > 1:",
        "if len(values) > 2:",
        (_MAPS,),
    ),
    Mutant(
        "parts are joined in the order of the module",
        "archdsl/weights/key_maps.py",
        "members = sorted(members, key=lambda member: member[0].part)",
        "members = list(members)",
        (f"{_MAPS}::test_joined_in_the_order_of_the_rule",),
    ),
    Mutant(
        "the last rule that fits is taken",
        "archdsl/weights/key_maps.py",
        "for rule in self._rules_of(template).rules:\n            for part in",
        "for rule in reversed(self._rules_of(template).rules):\n            for part in",
        (_MAPS,),
    ),
    Mutant(
        "a dropped name is looked for at the start of a key",
        "archdsl/weights/key_maps.py",
        "matched(pattern, segments[-len(pattern) :]) is not None",
        "matched(pattern, segments[: len(pattern)]) is not None",
        (_MAPS,),
    ),
    Mutant(
        "stars are filled from the end",
        "archdsl/weights/rules.py",
        "given = iter(stars)",
        "given = iter(stars[::-1])",
        (f"{_MAPS}::test_stars_stand_for_what_they_stood_for_in_order",),
    ),
    Mutant(
        "a label that is no number goes on from the first",
        "archdsl/weights/rules.py",
        "if not all(map(str.isdecimal, stars)):\n            return None",
        "if not all(map(str.isdecimal, stars)):\n            return stars",
        (f"{_MAPS}::test_numbers_go_on_from_the_first",),
    ),
    Mutant(
        "a step forgets the first",
        "archdsl/weights/rules.py",
        'self.options["first"] = self.options["first"] or 0',
        'self.options["first"] = 0 if name == "step" else self.options["first"]',
        (f"{_MAPS}::test_numbers_get_a_step_apart",),
    ),
    Mutant(
        "a distance is measured between the ends of a grid",
        "archdsl/weights/resampling.py",
        "whole, rest = divmod(d * old, new)",
        "whole, rest = divmod(d * (old - 1), new - 1)",
        (_BIASES,),
    ),
    Mutant(
        "a table is made for columns by rows",
        "archdsl/weights/resampling.py",
        "rows = _interpolation(table.shape[-2], new[0]).to(table)\n"
        "    columns = _interpolation(table.shape[-1], new[1]).to(table)",
        "rows = _interpolation(table.shape[-2], new[1]).to(table)\n"
        "    columns = _interpolation(table.shape[-1], new[0]).to(table)",
        (f"{_WEIGHTS}::test_tables_of_grids_that_are_no_squares",),
    ),
    Mutant(
        "positions are resampled without smoothing",
        "archdsl/weights/resampling.py",
        "antialias=True",
        "antialias=False",
        (f"{_WEIGHTS}::test_position_embeddings_are_resampled_as_timm_does",),
    ),
    Mutant(
        "class tokens are put behind the grid",
        "archdsl/weights/resampling.py",
        "torch.cat([kept, made.flatten(-2)], dim=-1)",
        "torch.cat([made.flatten(-2), kept], dim=-1)",
        (f"{_WEIGHTS}::test_position_embeddings_are_resampled_as_timm_does",),
    ),
    Mutant(
        "infinite numbers are loaded",
        "archdsl/weights/checking.py",
        "not tensor.isfinite().all()",
        "tensor.isnan().any()",
        (f"{_WEIGHTS}::test_a_tensor_that_is_wrong",),
    ),
    Mutant(
        "a type of the same size holds all numbers",
        "archdsl/weights/checking.py",
        "FLOATS.get(wanted, 0) > FLOATS[found]",
        "FLOATS.get(wanted, 0) >= FLOATS[found]",
        (f"{_WEIGHTS}::test_a_type_of_the_same_size_does_not_hold_all_numbers",),
    ),
    Mutant(
        "surplus names are let through",
        "archdsl/weights/checking.py",
        "if missing or surplus:",
        "surplus = []\n        if missing:",
        (f"{_WEIGHTS}::test_all_mistakes_are_said_and_the_nearest_name_with_them",),
    ),
    Mutant(
        "the classifier is all of the head",
        "archdsl/weights/heads.py",
        'if "num_classes" in template.reads(template.nodes[index])',
        "if template.nodes[index].label is not None",
        (f"{_WEIGHTS}::test_the_classifier_alone_begins_anew",),
    ),
    Mutant(
        "parts of one tensor are written as one memory",
        "archdsl/weights/saving.py",
        "v.clone().contiguous()",
        "v",
        (f"{_MAPS}::test_parted_weights_have_memory_of_their_own",),
    ),
)
