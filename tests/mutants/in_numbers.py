"""Faults in the arithmetic of sizes: values, terms, and both as text."""

from __future__ import annotations

from .mutant import Mutant

_FILE = "tests/test_scalar.py"
_SCALAR = "archdsl/scalar.py"

NUMBERS: tuple[Mutant, ...] = (
    Mutant(
        "0 - x is x",
        _SCALAR,
        'left == neutral and not isinstance(left, float) and op in "+*"',
        'left == neutral and not isinstance(left, float) and op in "+-*"',
        (_FILE,),
    ),
    Mutant(
        "two roundings up are one for any divisor",
        _SCALAR,
        "isinstance(divisor, int) and isinstance(right, int) and right > 0:",
        "isinstance(divisor, int) and isinstance(right, int):",
        (_FILE,),
    ),
    Mutant(
        "rounding up goes by way of a float",
        _SCALAR,
        '"ceildiv": lambda a, b: -(-a // b),',
        '"ceildiv": lambda a, b: math.ceil(a / b),',
        (_FILE,),
    ),
    Mutant(
        "x + 1 - 1 is x + 2",
        _SCALAR,
        "_signed(left.op, left.args[1]) + _signed(op, right)",
        '_signed(left.op, left.args[1]) + _signed("+", right)',
        (_FILE,),
    ),
    Mutant(
        "c + g + g is c + g",
        _SCALAR,
        'many = Apply("*", (count + 1, right))',
        'many = Apply("*", (count, right))',
        (_FILE,),
    ),
    Mutant(
        "2.5 // 1 is 2.5",
        _SCALAR,
        'if op == "//" and not all(isinstance(operand, int) for operand in values):',
        'if op == "//" and any(operand is None for operand in values):',
        (_FILE,),
    ),
    Mutant(
        "numbers below zero have no bound",
        _SCALAR,
        "elif abs(result) > LARGEST:",
        "elif result > LARGEST:",
        (_FILE,),
    ),
    Mutant(
        "h - (h - k) loses its parentheses",
        _SCALAR,
        'return f"{left} {op} {_wrap(args[1], level + 1)}", level',
        'return f"{left} {op} {_wrap(args[1], level)}", level',
        (_FILE,),
    ),
    Mutant(
        "(-k) ** 2 loses its parentheses",
        _SCALAR,
        "{_wrap(args[0], level + 1)}{power}",
        "{_wrap(args[0], 7)}{power}",
        (_FILE,),
    ),
    Mutant(
        "what is negated is divided without parentheses",
        _SCALAR,
        'return f"-(-{_wrap(args[0], 8)} //',
        'return f"-(-{_wrap(args[0], 6)} //',
        (_FILE,),
    ),
    Mutant(
        "a real number is shown as the whole number below it",
        _SCALAR,
        "if isinstance(value, float) and value == int(value) and abs(value) < 2**53:",
        "if isinstance(value, float) and value >= int(value) and abs(value) < 2**53:",
        (_FILE, "tests/test_language.py", "tests/test_source.py"),
    ),
)
