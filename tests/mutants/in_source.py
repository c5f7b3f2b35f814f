"""Faults in the text that is generated: which blocks share a class, its arguments, rates, variables."""

from __future__ import annotations

from .mutant import Mutant

_SOURCE = "tests/test_source.py"
_LANGUAGE = "tests/test_language.py"
_TWO_WAYS = f"{_LANGUAGE}::test_blocks_that_differ_in_one_thing_have_classes_of_their_own"
_NETWORKS = "tests/test_network_classes.py"
_RATES = f"{_LANGUAGE}::test_rates_rise_over_blocks_wherever_they_stand"

SOURCE: tuple[Mutant, ...] = (
    Mutant(
        "blocks that differ in a let share a class",
        "archdsl/emit/forms.py",
        "tuple((name, pair.term) for name, pair in template.lets),",
        "",
        (f"{_TWO_WAYS}[a let]",),
    ),
    Mutant(
        "blocks that differ in a label share a class",
        "archdsl/emit/forms.py",
        "            node.label,\n            node.module,",
        "            node.module,",
        (f"{_TWO_WAYS}[a label]",),
    ),
    Mutant(
        "blocks that begin otherwise share a class",
        "archdsl/emit/forms.py",
        "        tuple([init.terms for init in template.inits]),\n        tuple(texts),",
        "        tuple(texts),",
        (f"{_LANGUAGE}::test_blocks_that_begin_otherwise_have_classes_of_their_own",),
    ),
    Mutant(
        "an argument is left out that is not the default",
        "archdsl/emit/constructors.py",
        "\n        elif text != parameter.default:",
        "\n        elif text != parameter.default and not is_constant(term):",
        (f"{_LANGUAGE}::test_a_block_called_twice_owns_its_weights_once",),
    ),
    Mutant(
        "required arguments stand in the wrong order",
        "archdsl/emit/constructors.py",
        "\n            args.append(text)",
        "\n            args.insert(0, text)",
        (f"{_LANGUAGE}::test_operations_and_blocks_as_arguments",),
    ),
    Mutant(
        "a list of modules may have gaps",
        "archdsl/emit/attributes.py",
        "if found == list(range(len(found)))",
        "if len(found) > 1",
        (f"{_LANGUAGE}::test_comprehensions_lists_and_functions",),
    ),
    Mutant(
        "a bias keeps its first values where the weight is given some",
        "archdsl/emit/inits.py",
        '        if "bias" in names:',
        '        if "bias" in names and len(found) > 2:',
        (f"{_LANGUAGE}::test_blocks_that_begin_otherwise_have_classes_of_their_own",),
    ),
    Mutant(
        "uniform values are never below zero",
        "archdsl/emit/inits.py",
        'texts = [self._number(bound, "-"), self._number(bound)]',
        'texts = ["0.0", self._number(bound)]',
        (f"{_LANGUAGE}::test_blocks_that_begin_otherwise_have_classes_of_their_own",),
    ),
    Mutant(
        "the last rate of drop path is short of its end",
        "archdsl/emit/network.py",
        'rates = f"drop_path * i / {count - 1} for i in range({count})"',
        'rates = f"drop_path * i / {count} for i in range({count})"',
        (_RATES,),
    ),
    Mutant(
        "a run of blocks takes the rates before its own",
        "archdsl/emit/stages.py",
        'return f"rates[{numbers[0]}:{numbers[-1] + 1}{by}]"',
        'return f"rates[{numbers[0] + 1}:{numbers[-1] + 2}{by}]"',
        (_RATES,),
    ),
    Mutant(
        "blocks that drop nothing have rates too",
        "archdsl/emit/constructors.py",
        "dropping = [index for index, node in enumerate(template.nodes) if node.drops_paths]",
        "dropping = [index for index, node in enumerate(template.nodes) if node.child is not None]",
        (_RATES,),
    ),
    Mutant(
        "a block alone takes the first rate",
        "archdsl/emit/constructors.py",
        'rate = f"rates[{self.rate_of[index]}]"',
        'rate = "rates[0]"',
        (_RATES,),
    ),
    Mutant(
        "features end one block too early",
        "archdsl/emit/methods.py",
        "for index, node in enumerate(self.template.nodes, 1))",
        "for index, node in enumerate(self.template.nodes))",
        (f"{_LANGUAGE}::test_features_of_entries_beside_other_streams",),
    ),
    Mutant(
        "blocks with names are not counted where a stage is a sequence",
        "archdsl/emit/attributes.py",
        "position = Attribute(stage.label, str(index - stage.first), is_list=True)",
        "position = Attribute(stage.label, key, is_list=True)",
        (f"{_NETWORKS}::test_each_block_of_a_stage_begins_with_its_own_values[one stream]",),
    ),
    Mutant(
        "an entry takes part of what stands before it",
        "archdsl/emit/methods.py",
        "code, nested = called, nested + 1",
        "code, nested = Code(called.text), nested + 1",
        (f"{_NETWORKS}::test_an_entry_takes_all_of_what_the_one_before_it_gives",),
    ),
    Mutant(
        "a list of modules counts what has no module",
        "archdsl/emit/attributes.py",
        "        and (node.op is None or node.op.constructor(",
        "        and (node.op is None or node.label is not None or node.op.constructor(",
        (f"{_NETWORKS}::test_an_index_that_has_no_module_leaves_a_gap",),
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
        (f"{_LANGUAGE}::test_static_loops_and_labels_with_an_index",),
    ),
    Mutant(
        "training gives what evaluation gives",
        "archdsl/emit/forward.py",
        "self._return_in_training(template.training_outputs)",
        "self._return_in_training(template.outputs)",
        (f"{_SOURCE}::test_constructor_arguments",),
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
        (f"{_SOURCE}::test_golden_source[l]",),
    ),
)
