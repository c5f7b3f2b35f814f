"""Faults in reading and printing: places, lines, quotes, parentheses, comments."""

from __future__ import annotations

from .mutant import Mutant

_PRINT = "tests/test_print.py"
_GRAMMAR = "tests/test_grammar.py"
_ERRORS = "tests/test_errors.py"
_THREATS = "tests/test_threats.py"

SURFACES: tuple[Mutant, ...] = (
    # --- readers
    Mutant(
        "else begins a statement of its own",
        "archdsl/read_arch/layout.py",
        '_OPERATORS | frozenset(["RBRACE", "ELSE", "LBRACE", "RPAR", "RSQB"])',
        '_OPERATORS | frozenset(["RBRACE", "LBRACE", "RPAR", "RSQB"])',
        (_GRAMMAR,),
    ),
    Mutant(
        "a line that ends in a comma ends a statement",
        "archdsl/read_arch/layout.py",
        '        "ARROW",\n        "COMMA",\n',
        '        "ARROW",\n',
        (_GRAMMAR,),
    ),
    Mutant(
        "operators count from bracket to bracket",
        "archdsl/read_arch/layout.py",
        "outer.append(outer[-1] + chain)",
        "outer.append(0)",
        (_GRAMMAR, f"{_THREATS}::test_row_10_what_passes_each_bound_but_not_all_together"),
    ),
    Mutant(
        "doubled quotes of YAML are two",
        "archdsl/read_arch/construct.py",
        'text = text.replace("\'\'", "\'")',
        "pass",
        (_PRINT,),
    ),
    Mutant(
        "a number may begin with a zero",
        "archdsl/read_arch/construct.py",
        'if len(text) > 1 and text[0] == "0":',
        'if len(text) > 32 and text[0] == "0":',
        (_ERRORS, _THREATS),
    ),
    Mutant(
        "two labels between dots are one number",
        "archdsl/read_arch/construct.py",
        'steps += str(part).split(".") if isinstance(part, Token) else [part]',
        "steps += [str(part)] if isinstance(part, Token) else [part]",
        ("tests/test_variants.py", _PRINT),
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
        (_THREATS, _ERRORS),
    ),
    # --- printers
    Mutant(
        "a product in a list becomes a repetition",
        "archdsl/print_arch/layout.py",
        'return ATOM if isinstance(item, s.Binary) and item.op == "*" else ANY',
        "return ANY",
        (_PRINT,),
    ),
    Mutant(
        "the right side of a difference loses its brackets",
        "archdsl/print_arch/layout.py",
        "return (SUM if level == COMPARISON else level), level + 1",
        "return (SUM if level == COMPARISON else level), level",
        (_PRINT,),
    ),
    Mutant(
        "a sum that is negated loses its brackets",
        "archdsl/print_arch/layout.py",
        "return op + flat(operand, UNARY)",
        "return op + flat(operand)",
        (_PRINT,),
    ),
    Mutant(
        "a return in a string is written as it is",
        "archdsl/print_arch/layout.py",
        '"\\t": "\\\\t", "\\r": "\\\\r"}',
        '"\\t": "\\\\t"}',
        (_PRINT,),
    ),
    Mutant(
        "a number is printed as it was written, whatever it is",
        "archdsl/print_arch/layout.py",
        "if type(again) is type(value) and again == value:",
        "if type(again) is type(value):",
        (_PRINT, "tests/test_space_networks.py"),
    ),
    Mutant(
        "comments behind the last piece are lost",
        "archdsl/print_arch/writer.py",
        "        writer.rest()\n",
        "",
        (_PRINT,),
    ),
    Mutant(
        "a second comment behind a piece is lost",
        "archdsl/print_arch/writer.py",
        "            if number not in behind:\n                behind[number] = comment\n                ",
        "            behind[number] = comment\n            ",
        (_PRINT,),
    ),
    Mutant(
        "comments inside a piece are lost",
        "archdsl/print_arch/writer.py",
        "            before.setdefault(inside, []).append(comment)\n            continue",
        "            continue",
        (_PRINT,),
    ),
    Mutant(
        "NO is plain text in YAML",
        "archdsl/print_yaml/scalars.py",
        "text.lower() in TRUTHS",
        "text in TRUTHS",
        (_PRINT,),
    ),
    Mutant(
        "a sign of comments is plain text in YAML",
        "archdsl/print_yaml/scalars.py",
        'return not (": " in text or " #" in text or',
        'return not (": " in text or',
        (_PRINT,),
    ),
    Mutant(
        "a sign of comments in a string is a comment",
        "archdsl/print_arch/marks.py",
        r"""re.compile(r'"(?:[^"\\\n\r]|\\[^\n\r])*"|#[^\n\r]*|[{}]|\n')""",
        r"""re.compile(r'#[^\n\r]*|[{}]|\n')""",
        (_PRINT,),
    ),
)
