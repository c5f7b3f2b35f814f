"""Faults in the arithmetic of sizes: values, terms, and both as text."""

from __future__ import annotations

from .mutant import Mutant

_FILE = "tests/test_scalar.py"
_WRITTEN = f"{_FILE}::test_simplification_is_what_a_person_would_write"
_AGREE = f"{_FILE}::test_value_term_and_python_text_agree"
_SCALAR = "archdsl/scalar.py"

NUMBERS: tuple[Mutant, ...] = (
    Mutant(
        "0 - x is x",
        _SCALAR,
        'left == neutral and not isinstance(left, float) and op in "+*"',
        'left == neutral and not isinstance(left, float) and op in "+-*"',
        (_AGREE,),
    ),
    Mutant(
        "two roundings up are one for any divisor",
        _SCALAR,
        "isinstance(divisor, int) and isinstance(right, int) and right > 0:",
        "isinstance(divisor, int) and isinstance(right, int):",
        (_WRITTEN,),
    ),
    Mutant(
        "rounding up goes by way of a float",
        _SCALAR,
        '"ceildiv": lambda a, b: -(-a // b),',
        '"ceildiv": lambda a, b: math.ceil(a / b),',
        (f"{_FILE}::test_rounding_up_is_exact_beyond_doubles",),
    ),
    Mutant(
        "x + 1 - 1 is x + 2",
        _SCALAR,
        "_signed(left.op, left.args[1]) + _signed(op, right)",
        '_signed(left.op, left.args[1]) + _signed("+", right)',
        (_WRITTEN,),
    ),
    Mutant(
        "c + g + g is c + g",
        _SCALAR,
        'many = Apply("*", (count + 1, right))',
        'many = Apply("*", (count, right))',
        (_AGREE,),
    ),
    Mutant(
        "2.5 // 1 is 2.5",
        _SCALAR,
        'if op == "//" and not all(isinstance(operand, int) for operand in values):',
        'if op == "//" and any(operand is None for operand in values):',
        (_WRITTEN,),
    ),
    Mutant(
        "numbers below zero have no bound",
        _SCALAR,
        "elif abs(result) > LARGEST:",
        "elif result > LARGEST:",
        (f"{_FILE}::test_what_has_no_result_is_an_error_of_its_own",),
    ),
    Mutant(
        "h - (h - k) loses its parentheses",
        _SCALAR,
        'return f"{left} {op} {_wrap(args[1], level + 1)}", level',
        'return f"{left} {op} {_wrap(args[1], level)}", level',
        (_AGREE,),
    ),
    Mutant(
        "(-k) ** 2 loses its parentheses",
        _SCALAR,
        "{_wrap(args[0], level + 1)}{power}",
        "{_wrap(args[0], 7)}{power}",
        (f"{_FILE}::test_other_names_give_the_same_in_term_and_text",),
    ),
    Mutant(
        "what is negated is divided without parentheses",
        _SCALAR,
        'return f"-(-{_wrap(args[0], 8)} //',
        'return f"-(-{_wrap(args[0], 6)} //',
        (_WRITTEN,),
    ),
    Mutant(
        "a real number is shown as the whole number below it",
        _SCALAR,
        "if isinstance(value, float) and value == int(value) and abs(value) < 2**53:",
        "if isinstance(value, float) and value >= int(value) and abs(value) < 2**53:",
        ("tests/test_language.py::test_ratios_are_pythons_numbers",),
    ),
)
