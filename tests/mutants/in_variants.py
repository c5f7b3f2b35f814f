"""Faults in variants: the order of settings and layers, what a base brings, names of arguments."""

from __future__ import annotations

from .mutant import Mutant

_FILE = "tests/test_variants.py"
_SETTING = f"{_FILE}::test_a_setting_is_the_change_that_it_says"
_CHAIN = f"{_FILE}::test_a_chain_of_variants_applies_each_to_what_came_before"
_VARIANTS = "archdsl/variants.py"

VARIANTS: tuple[Mutant, ...] = (
    Mutant(
        "blocks are unset before others are appended",
        _VARIANTS,
        'for kind in ("=", "+=", "unset"):',
        'for kind in ("unset", "=", "+="):',
        (_SETTING,),
    ),
    Mutant(
        "blocks of a base go before one's own",
        _VARIANTS,
        "blocks={**base.blocks, **unit.blocks}",
        "blocks={**unit.blocks, **base.blocks}",
        (f"{_FILE}::test_a_base_in_another_document_brings_its_blocks_and_own_blocks_go_before",),
    ),
    Mutant(
        "settings of the base are forgotten",
        _VARIANTS,
        "param.replace(later=(*param.later, *self.set[param.name]))",
        "param.replace(later=tuple(self.set[param.name]))",
        (f"{_FILE}::test_settings_of_one_parameter_add_up_over_a_chain",),
    ),
    Mutant(
        "settings of the base come last",
        _VARIANTS,
        "param.replace(later=(*param.later, *self.set[param.name]))",
        "param.replace(later=(*self.set[param.name], *param.later))",
        (f"{_FILE}::test_settings_of_one_parameter_add_up_over_a_chain",),
    ),
    Mutant(
        "layers of a stage come before those of its base",
        _VARIANTS,
        "stage.replace(later=(*stage.later, tuple(settings)))",
        "stage.replace(later=(tuple(settings), *stage.later))",
        (_CHAIN,),
    ),
    Mutant(
        "settings of blocks outlive the stage that they were about",
        _VARIANTS,
        "stage.replace(items=items_of(setting.value), later=())",
        "stage.replace(items=items_of(setting.value))",
        (f"{_FILE}::test_a_stage_that_is_set_anew_forgets_what_was_set_in_it",),
    ),
    Mutant(
        "an argument without its name is kept beside the one that is set",
        _VARIANTS,
        "kept = tuple(arg for arg in call.args if (arg.name or first) != name)",
        "kept = tuple(arg for arg in call.args if arg.name != name)",
        (_SETTING,),
    ),
    Mutant(
        "a variant has no name of its own in its line",
        _VARIANTS,
        "return Chosen(joined, network, (name, *base.lineage), units)",
        "return Chosen(joined, network, base.lineage, units)",
        (_CHAIN,),
    ),
    Mutant(
        "blocks are appended in front",
        "archdsl/elaborate/stages.py",
        "items += self._items(items_of(setting.value), stage.label, written)",
        "items = self._items(items_of(setting.value), stage.label, written) + items",
        (_SETTING,),
    ),
    Mutant(
        "settings change no entry of the head",
        _VARIANTS,
        "            case s.Head(body):\n                yield statement.replace(body=inner(body))\n",
        "",
        (_SETTING,),
    ),
    Mutant(
        "features that are set stand beside those that were",
        _VARIANTS,
        "            case s.Features():\n                pass",
        "            case s.Features():\n                yield statement",
        (f"{_FILE}::test_features_that_are_set_are_all_that_there_are[a-two]",),
    ),
    Mutant(
        "a product in the shape of an input is an extent twice",
        "archdsl/variants.py",
        's.Binary("*", item.value, item.count, item.span) if isinstance(item, s.Repeat) else item',
        "item.value if isinstance(item, s.Repeat) else item",
        ("tests/test_variants.py",),
    ),
)
