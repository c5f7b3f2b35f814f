"""Faults in the text that is generated: which blocks share a class, its arguments, rates, variables."""

from __future__ import annotations

from .mutant import Mutant

_SOURCE = "tests/test_source.py"
_LANGUAGE = "tests/test_language.py"
_PRIMITIVES = "tests/test_primitives.py"
_ALL = (_LANGUAGE, _PRIMITIVES, _SOURCE, "tests/test_stats.py")

SOURCE: tuple[Mutant, ...] = (
    Mutant(
        "blocks that differ in a let share a class",
        "archdsl/emit/classes.py",
        "tuple((name, pair.term) for name, pair in template.lets),",
        "",
        _ALL,
    ),
    Mutant(
        "blocks that differ in a label share a class",
        "archdsl/emit/classes.py",
        "            node.label,\n            node.module,",
        "            node.module,",
        _ALL,
    ),
    Mutant(
        "blocks that differ in whose weights they use share a class",
        "archdsl/emit/classes.py",
        "            node.label,\n            node.module,",
        "            node.label,",
        _ALL,
    ),
    Mutant(
        "blocks that begin otherwise share a class",
        "archdsl/emit/classes.py",
        "        template.inits,\n    )",
        "    )",
        _ALL,
    ),
    Mutant(
        "true and 1 are one word",
        "archdsl/emit/classes.py",
        "return (type(value.term), value.term)",
        "return value.term",
        _ALL,
    ),
    Mutant(
        "an argument is left out that is not the default",
        "archdsl/emit/classes.py",
        "elif text != parameter.default:",
        "elif text != parameter.default and not is_constant(term):",
        (_LANGUAGE, _SOURCE),
    ),
    Mutant(
        "required arguments stand in the wrong order",
        "archdsl/emit/classes.py",
        "            args.append(text)",
        "            args.insert(0, text)",
        (_LANGUAGE, _SOURCE),
    ),
    Mutant(
        "a list of modules may have gaps",
        "archdsl/emit/classes.py",
        "if found == list(range(len(found)))",
        "if len(found) > 1",
        (_LANGUAGE,),
    ),
    Mutant(
        "a bias keeps its first values where the weight is given some",
        "archdsl/emit/classes.py",
        '        if "bias" in owned:\n            lines.append(f"        nn.init.zeros_({target}.bias)")',
        "",
        (_SOURCE, _LANGUAGE),
    ),
    Mutant(
        "uniform values are never below zero",
        "archdsl/emit/classes.py",
        'f", {number_text(-bound)}, {number_text(bound)}"',
        'f", 0.0, {number_text(bound)}"',
        (_LANGUAGE,),
    ),
    Mutant(
        "the last rate of drop path is short of its end",
        "archdsl/emit/network.py",
        'rates = f"drop_path * i / {count - 1} for i in range({count})"',
        'rates = f"drop_path * i / {count} for i in range({count})"',
        (_SOURCE,),
    ),
    Mutant(
        "a run of blocks takes the rates before its own",
        "archdsl/emit/network.py",
        'sources.append(("rate", f"rates[{rate}:{rate + end - start}]"))',
        'sources.append(("rate", f"rates[{rate - 1}:{rate + end - start - 1}]"))',
        (_SOURCE,),
    ),
    Mutant(
        "blocks that drop nothing have rates too",
        "archdsl/emit/network.py",
        "dropping = [i for i, n in enumerate(self.template.nodes) if n.drops_paths]",
        "dropping = [i for i, n in enumerate(self.template.nodes) if n.child is not None]",
        (_SOURCE,),
    ),
    Mutant(
        "a block alone takes the first rate",
        "archdsl/emit/network.py",
        'rate = rate or f"rates[{self.rate_of.get(index, 0)}]"',
        'rate = rate or "rates[0]"',
        (_SOURCE, _LANGUAGE),
    ),
    Mutant(
        "features end one block too early",
        "archdsl/emit/network.py",
        "return 1 + max(i for i, node in enumerate(nodes)",
        "return max(i for i, node in enumerate(nodes)",
        (_LANGUAGE,),
    ),
    Mutant(
        "a variable is given anew while it is needed",
        "archdsl/emit/forward.py",
        "while name in self.holder and self._needed_beyond(self.holder[name], tree):",
        "while name in self.holder and tree is None:",
        (f"{_LANGUAGE}::test_a_name_that_is_given_anew_leaves_what_it_meant",),
    ),
    Mutant(
        "what is read twice is computed twice",
        "archdsl/emit/forward.py",
        "if self.uses[value] == 1 and (",
        "if self.uses[value] <= 2 and (",
        (_LANGUAGE, _PRIMITIVES, "tests/test_stats.py"),
    ),
    Mutant(
        "training gives what evaluation gives",
        "archdsl/emit/forward.py",
        "texts = [self._result(value) for value in template.training_outputs]",
        "texts = [self._result(value) for value in template.outputs]",
        (_SOURCE,),
    ),
    Mutant(
        "a backslash ends a docstring's quotes",
        "archdsl/emit/wrap.py",
        'safe = text.replace("\\\\", "\\\\\\\\").replace(',
        "safe = text.replace(",
        ("tests/test_threats.py::test_row_13_strings_enter_source_as_strings_alone",),
    ),
    Mutant(
        "runs of equal values lose one",
        "archdsl/emit/wrap.py",
        "runs.append((value, 1))",
        "runs.append((value, 0 if runs else 1))",
        (_SOURCE,),
    ),
)
