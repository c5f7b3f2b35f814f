"""Faults in how a document becomes a graph: memos, binding, repetition, labels, streams, replays."""

from __future__ import annotations

from .mutant import Mutant

_LANGUAGE = "tests/test_language.py"
_REPETITION = "tests/test_repetition.py"
_WRITTEN_OUT = f"{_REPETITION}::test_repetition_is_the_same_written_out"
_TWO_CALLS = f"{_REPETITION}::test_calls_that_differ_in_one_thing_are_two"
_EQUAL = f"{_REPETITION}::test_what_is_refused_is_refused_after_what_is_equal_to_python"
_REPLAY = "tests/test_replay.py"
_RUN = f"{_REPLAY}::test_where_numbers_decide_the_result_is_that_of_a_run"
_AFTER = f"{_REPLAY}::test_what_a_run_refuses_is_refused_after_others"
_ERRORS = "tests/test_errors.py::test_one_fault_gives_one_message_at_its_place"

ELABORATION: tuple[Mutant, ...] = (
    # --- `...`
    Mutant(
        "in a pattern '...' stands for one axis",
        "archdsl/elaborate/axes.py",
        '_REST.sub(" ".join(names), part.value)',
        '_REST.sub(" ".join(names[:1]), part.value)',
        ("tests/test_axes.py::test_patterns_say_it_too",),
    ),
    Mutant(
        "an axis of '...' has the name of one in a pattern",
        "archdsl/elaborate/axes.py",
        "for pattern in patterns))",
        "for pattern in patterns[:0]))",
        ("tests/test_axes.py::test_patterns_say_it_too",),
    ),
    # --- what is known already
    Mutant(
        "the memo of templates forgets which inputs have a batch",
        "archdsl/elaborate/templates.py",
        "tuple([(type_.values, type_.batched) for type_ in types]),",
        "tuple([type_.values for type_ in types]),",
        (_TWO_CALLS,),
    ),
    Mutant(
        "the memo of templates forgets the kind of a number",
        "archdsl/elaborate/values.py",
        "return (type(value.value), value.value)",
        "return value.value",
        (_EQUAL,),
    ),
    Mutant(
        "the memo of templates forgets the arguments of an operation",
        "archdsl/elaborate/values.py",
        "return (value.name, tuple((n, key_of(v)) for n, v, _ in value.args))",
        "return value.name",
        (_TWO_CALLS,),
    ),
    Mutant(
        "the memo of calls forgets the kind of a number",
        "archdsl/elaborate/binding.py",
        "parts += (name, type(value.value), value)",
        "parts += (name, value)",
        (_EQUAL,),
    ),
    Mutant(
        "the memo of calls forgets the names of arguments",
        "archdsl/elaborate/binding.py",
        "parts += (name, type(value.value), value)",
        "parts += (type(value.value), value)",
        (_TWO_CALLS,),
    ),
    Mutant(
        "the memo of calls forgets the shapes of tensors",
        "archdsl/elaborate/binding.py",
        "parts.append(tensor.type)",
        "parts.append(tensor.type.rank)",
        (f"{_LANGUAGE}::test_streams",),
    ),
    Mutant(
        "a call is made again for a tensor of another shape",
        "archdsl/elaborate/streams.py",
        "if [tensor.type for tensor in live] != last.types or not self.has_room(last.node):",
        "if len(live) != len(last.types) or not self.has_room(last.node):",
        (_WRITTEN_OUT,),
    ),
    # --- binding and values
    Mutant(
        "an extent that is given twice may shrink",
        "archdsl/elaborate/binding.py",
        "if known.value != extent.value:",
        "if known.value < extent.value:",
        (_ERRORS,),
    ),
    Mutant(
        "a default of other arguments is taken for one of its own",
        "archdsl/elaborate/binding.py",
        "bound.depends = True",
        "bound.depends = False",
        (f"{_RUN}[default that decides]",),
    ),
    Mutant(
        "no decision is unusual",
        "archdsl/elaborate/binding.py",
        "usual[name] = signature.constants.get(name, pair.value)",
        "usual[name] = pair.value",
        (f"{_LANGUAGE}::test_ffn_without_its_middle",),
    ),
    Mutant(
        "a real number stays whole where it is given so",
        "archdsl/elaborate/values.py",
        'REAL_TYPES: Final = ("ratio", "real")',
        'REAL_TYPES: Final = ("ratio",)',
        (_WRITTEN_OUT,),
    ),
    Mutant(
        "an exact quotient may leave a rest",
        "archdsl/elaborate/expressions.py",
        "if b.value != 0 and a.int % b.int:",
        "if b.value != 0 and a.int < b.int:",
        (_ERRORS,),
    ),
    Mutant(
        "ceil of a quotient rounds down",
        "archdsl/elaborate/functions.py",
        'quotient="ceildiv"',
        'quotient="//"',
        (f"{_LANGUAGE}::test_downsampling_and_its_halves",),
    ),
    Mutant(
        "the last none of a list are all of it",
        "archdsl/elaborate/functions.py",
        'return items[:n] if function.name == "first" else items[len(items) - n :]',
        'return items[:n] if function.name == "first" else items[-n:]',
        (f"{_LANGUAGE}::test_none_of_a_list_and_names_of_comprehensions",),
    ),
    Mutant(
        "the name of a comprehension is left behind",
        "archdsl/elaborate/expressions.py",
        "        else:\n            self.env[expr.name] = before\n        return result",
        "        return result",
        (f"{_LANGUAGE}::test_none_of_a_list_and_names_of_comprehensions",),
    ),
    Mutant(
        "rows and columns of another resolution are swapped",
        "archdsl/elaborate/parameters.py",
        "extents.append(scalar(resolution[axis]))",
        "extents.append(scalar(resolution[1 - axis]))",
        ("tests/test_cli.py::test_resolution",),
    ),
    # --- stages and streams
    Mutant(
        "a repetition of none is one",
        "archdsl/elaborate/stages.py",
        "return inner * times",
        "return inner * max(times, 1)",
        (_WRITTEN_OUT,),
    ),
    Mutant(
        "lists of one call may be longer than the first",
        "archdsl/elaborate/stages.py",
        "if len(values) != depth:",
        "if len(values) < depth:",
        (_ERRORS,),
    ),
    Mutant(
        "a block that is left out has a number",
        "archdsl/elaborate/stages.py",
        "self.number += is_there",
        "self.number += 1",
        ("tests/test_spaces.py::test_a_block_left_out_shifts_no_choice_and_numbers_the_blocks_that_are_there",),
    ),
    Mutant(
        "a block with a name of its own has a number too",
        "archdsl/elaborate/stages.py",
        "        if item.label is None:\n            self.position += 1\n            self.number += is_there",
        "        self.position += 1\n        self.number += is_there",
        (f"{_LANGUAGE}::test_blocks_of_a_stage_by_number_and_by_name",),
    ),
    Mutant(
        "settings count the blocks that have names",
        "archdsl/elaborate/stages.py",
        "names.append(item.label or str(sum(name.isdigit() for name in names)))",
        "names.append(item.label or str(len(names)))",
        ("tests/test_variants.py::test_numbers_count_the_blocks_without_names",),
    ),
    Mutant(
        "the width of a stage of tokens is their number",
        "archdsl/elaborate/stages.py",
        "actual = main.type.shape[0 if main.type.rank == 3 else -1]",
        "actual = main.type.shape[0]",
        (f"{_LANGUAGE}::test_the_width_of_a_stage_is_that_of_its_channels",),
    ),
    Mutant(
        "a block of one tensor always takes the main stream",
        "archdsl/elaborate/streams.py",
        "if len(tensors) == 1 and tensors[0].name not in self.streams:",
        "if len(tensors) == 1:",
        (f"{_LANGUAGE}::test_streams",),
    ),
    # --- in a block
    Mutant(
        "one of two equal things is pinned where either may be",
        "archdsl/elaborate/decisions.py",
        'case Apply("and", (a, b)):',
        'case Apply("and" | "or", (a, b)):',
        (f"{_LANGUAGE}::test_a_decision_that_one_of_two_is_equal_drops_neither",),
    ),
    Mutant(
        "a module may be called with tensors of another shape",
        "archdsl/elaborate/nodes.py",
        "return [(weight.name, [axis.value for axis in weight.axes]) for weight in op.weights(*inputs)]",
        "return [(weight.name, []) for weight in op.weights(*inputs)]",
        (_ERRORS,),
    ),
    Mutant(
        "of two results the first is taken twice",
        "archdsl/elaborate/streams.py",
        "for stream, value in zip(names, results, strict=True):",
        "for stream, value in zip(names, results[:1] * len(names), strict=True):",
        (f"{_LANGUAGE}::test_features_of_entries_beside_other_streams",),
    ),
    # --- templates made from others
    Mutant(
        "what numbers decide is not asked again",
        "archdsl/elaborate/replay.py",
        "            if evaluate(term, names) != value:\n                raise _Differs\n        self.pairs",
        "            evaluate(term, names)\n        self.pairs",
        (f"{_RUN}[if]",),
    ),
    Mutant(
        "a requirement is not asked again",
        "archdsl/elaborate/decisions.py",
        "self.guards.append((truth.term, True))",
        "pass",
        (f"{_AFTER}[a requirement]",),
    ),
    Mutant(
        "an exact quotient is not asked again",
        "archdsl/elaborate/expressions.py",
        'self.guards.append((Apply("%", (a.term, b.term)), 0))',
        "pass",
        (f"{_AFTER}[an exact quotient]",),
    ),
    Mutant(
        "a ratio that is whole is one without a point",
        "archdsl/elaborate/replay.py",
        "return float(value)",
        "return value",
        (f"{_RUN}[ratio of a whole number]",),
    ),
    Mutant(
        "a shape may be said in other words",
        "archdsl/elaborate/replay.py",
        "            if extent.term != old.term:\n                raise _Differs",
        "            pass",
        (f"{_RUN}[broadcast]",),
    ),
    Mutant(
        "a power is made from another with its kind of number",
        "archdsl/elaborate/replay.py",
        'if isinstance(part, s.Binary) and part.op == "**" and not isinstance(part.right, s.Num | s.Unary):',
        'if isinstance(part, s.Binary) and part.op == "***":',
        (f"{_RUN}[power of both signs]",),
    ),
    Mutant(
        "a module that is called twice is made from another",
        "archdsl/elaborate/replay.py",
        "if builder.pinned or any(node.module != index for index, node in enumerate(template.nodes)):",
        "if builder.pinned:",
        (f"{_AFTER}[a module called again]",),
    ),
    Mutant(
        "a decision is as unusual as it was for other numbers",
        "archdsl/elaborate/replay.py",
        "decision = decision.replace(unusual=is_unusual)",
        "pass",
        (f"{_REPLAY}::test_a_decision_is_unusual_for_some_numbers_only",),
    ),
    Mutant(
        "a block inside may be made for any extent",
        "archdsl/elaborate/replay.py",
        "            if extent.value != wanted:\n                raise _Differs",
        "            pass",
        (f"{_AFTER}[an extent of two tensors]",),
    ),
)
