"""Faults in variants: the order of settings and layers, what a base brings, names of arguments."""

from __future__ import annotations

from .mutant import Mutant

_FILE = "tests/test_variants.py"
_VARIANTS = "archdsl/variants.py"

VARIANTS: tuple[Mutant, ...] = (
    Mutant(
        "blocks are unset before others are appended",
        _VARIANTS,
        'for kind in ("=", "+=", "unset"):',
        'for kind in ("unset", "=", "+="):',
        (_FILE, "tests/test_errors.py"),
    ),
    Mutant(
        "blocks of a base go before one's own",
        _VARIANTS,
        "blocks={**base.blocks, **unit.blocks}",
        "blocks={**unit.blocks, **base.blocks}",
        (_FILE,),
    ),
    Mutant(
        "settings of the base are forgotten",
        _VARIANTS,
        "param.replace(later=(*param.later, *self.set[param.name]))",
        "param.replace(later=tuple(self.set[param.name]))",
        (_FILE,),
    ),
    Mutant(
        "settings of the base come last",
        _VARIANTS,
        "param.replace(later=(*param.later, *self.set[param.name]))",
        "param.replace(later=(*self.set[param.name], *param.later))",
        (_FILE,),
    ),
    Mutant(
        "layers of a stage come before those of its base",
        _VARIANTS,
        "stage.replace(later=(*stage.later, tuple(settings)))",
        "stage.replace(later=(tuple(settings), *stage.later))",
        (_FILE,),
    ),
    Mutant(
        "settings of blocks outlive the stage that they were about",
        _VARIANTS,
        "stage.replace(items=items_of(setting.value), later=())",
        "stage.replace(items=items_of(setting.value))",
        (_FILE, "tests/test_space_networks.py"),
    ),
    Mutant(
        "an argument without its name is kept beside the one that is set",
        _VARIANTS,
        "kept = tuple(arg for arg in call.args if (arg.name or first) != name)",
        "kept = tuple(arg for arg in call.args if arg.name != name)",
        (_FILE,),
    ),
    Mutant(
        "a variant has no name of its own in its line",
        _VARIANTS,
        "return Chosen(joined, network, (name, *base.lineage), units)",
        "return Chosen(joined, network, base.lineage, units)",
        (_FILE,),
    ),
    Mutant(
        "blocks are appended in front",
        "archdsl/elaborate/stages.py",
        "items += self._items(items_of(setting.value), stage.label, written)",
        "items = self._items(items_of(setting.value), stage.label, written) + items",
        (_FILE,),
    ),
    Mutant(
        "an element from the back is none of the list",
        "archdsl/elaborate/parameters.py",
        "        index %= len(value)\n",
        "",
        (_FILE,),
    ),
    Mutant(
        "settings change no entry of the head",
        _VARIANTS,
        "            case s.Head(body):\n                yield statement.replace(body=inner(body))\n",
        "",
        (_FILE,),
    ),
)
