"""Faults in reading and printing: places, lines, quotes, parentheses, comments."""

from __future__ import annotations

from .mutant import Mutant

_PRINT = "tests/test_print.py"
_BRACKETS = f"{_PRINT}::test_records_that_lack_brackets_get_them"
_GRAMMAR = "tests/test_grammar.py"
_ERRORS = "tests/test_errors.py::test_one_fault_gives_one_message_at_its_place"
_THREATS = "tests/test_threats.py"

SURFACES: tuple[Mutant, ...] = (
    # --- readers
    Mutant(
        "else begins a statement of its own",
        "archdsl/read_arch/layout.py",
        '_OPERATORS | frozenset(["RBRACE", "ELSE", "LBRACE", "RPAR", "RSQB"])',
        '_OPERATORS | frozenset(["RBRACE", "LBRACE", "RPAR", "RSQB"])',
        (f"{_GRAMMAR}::test_if_and_else_in_all_layouts",),
    ),
    Mutant(
        "a line that ends in a comma ends a statement",
        "archdsl/read_arch/layout.py",
        '        "ARROW",\n        "COMMA",\n',
        '        "ARROW",\n',
        (f"{_GRAMMAR}::test_names_and_results_may_stand_on_several_lines",),
    ),
    Mutant(
        "operators count from bracket to bracket",
        "archdsl/read_arch/layout.py",
        "outer.append(outer[-1] + chain)",
        "outer.append(0)",
        (f"{_GRAMMAR}::test_chains_up_to_the_bound",),
    ),
    Mutant(
        "doubled quotes of YAML are two",
        "archdsl/read_arch/construct.py",
        'text = text.replace("\'\'", "\'")',
        "pass",
        (f"{_PRINT}::test_places_behind_doubled_quotes",),
    ),
    Mutant(
        "a number may begin with a zero",
        "archdsl/read_arch/construct.py",
        'if len(text) > 1 and text[0] == "0":',
        'if len(text) > 32 and text[0] == "0":',
        (_ERRORS,),
    ),
    Mutant(
        "two labels between dots are one number",
        "archdsl/read_arch/construct.py",
        'steps += str(part).split(".") if isinstance(part, Token) else [part]',
        "steps += [str(part)] if isinstance(part, Token) else [part]",
        ("tests/test_reading.py::test_two_labels_between_dots_are_no_number",),
    ),
    Mutant(
        "a place of YAML is a column to the left",
        "archdsl/read_yaml/tree.py",
        "return Span(source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)",
        "return Span(source, start.line + 1, start.column, end.line + 1, end.column + 1)",
        (_ERRORS,),
    ),
    Mutant(
        "the second of two equal keys wins",
        "archdsl/read_yaml/tree.py",
        "elif key.text in seen:",
        "elif key.text in seen and value in seen:",
        (_ERRORS,),
    ),
    Mutant(
        "an anchor without an alias is let through",
        "archdsl/read_yaml/tree.py",
        'anchored = isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None',
        "anchored = isinstance(event, yaml.AliasEvent)",
        (f"{_THREATS}::test_row_01_02_alias_bombs",),
    ),
    # --- printers
    Mutant(
        "a product in a list becomes a repetition",
        "archdsl/print_arch/layout.py",
        'return ATOM if isinstance(item, s.Binary) and item.op == "*" else ANY',
        "return ANY",
        (_BRACKETS,),
    ),
    Mutant(
        "the right side of a difference loses its brackets",
        "archdsl/print_arch/layout.py",
        "return (SUM if level == COMPARISON else level), level + 1",
        "return (SUM if level == COMPARISON else level), level",
        (_BRACKETS,),
    ),
    Mutant(
        "a sum that is negated loses its brackets",
        "archdsl/print_arch/layout.py",
        "return op + flat(operand, UNARY)",
        "return op + flat(operand)",
        (_BRACKETS,),
    ),
    Mutant(
        "a return in a string is written as it is",
        "archdsl/print_arch/layout.py",
        '"\\t": "\\\\t", "\\r": "\\\\r"}',
        '"\\t": "\\\\t"}',
        (f"{_PRINT}::test_quotes_of_docstrings",),
    ),
    Mutant(
        "a number is printed as it was written, whatever it is",
        "archdsl/print_arch/layout.py",
        "if type(again) is type(value) and again == value:",
        "if type(again) is type(value):",
        (f"{_PRINT}::test_numbers_are_printed_as_they_were_written_where_they_are_what_was_written",),
    ),
    Mutant(
        "comments behind the last piece are lost",
        "archdsl/print_arch/writer.py",
        "        writer.rest()\n",
        "",
        (f"{_PRINT}::test_comments_of_yaml",),
    ),
    Mutant(
        "comments inside a piece are lost",
        "archdsl/print_arch/writer.py",
        "            before.setdefault(inside, []).append(comment)\n            continue",
        "            continue",
        (f"{_PRINT}::test_comments_of_yaml",),
    ),
    Mutant(
        "NO is plain text in YAML",
        "archdsl/print_yaml/scalars.py",
        "text.lower() in TRUTHS",
        "text in TRUTHS",
        (f"{_PRINT}::test_quotes_of_expressions",),
    ),
    Mutant(
        "a sign of comments is plain text in YAML",
        "archdsl/print_yaml/scalars.py",
        'return not (": " in text or " #" in text or',
        'return not (": " in text or',
        (f"{_PRINT}::test_quotes_of_expressions", f"{_PRINT}::test_quotes_of_docstrings"),
    ),
    Mutant(
        "a sign of comments in a string is a comment",
        "archdsl/print_arch/marks.py",
        r"""re.compile(r'"(?:[^"\\\n\r]|\\[^\n\r])*"|#[^\n\r]*|[{}]|\n')""",
        r"""re.compile(r'#[^\n\r]*|[{}]|\n')""",
        (f"{_PRINT}::test_comments_are_kept[arch]",),
    ),
)
