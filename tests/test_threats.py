"""Documents that mean harm, or are garbage: always an `ArchError`, soon, and never another exception.

Each test carries the number of its row in the list of threats. Rows that are tested elsewhere: 11, a grammar
without conflicts (test_grammar.py); 14 and 15, names (test_names.py); 27 to 36, files of weights, writing and
searching, where those are; 37, files in other dress (test_grammar.py); 38 and 39, surroundings (test_cli.py).
tests/faults tells what is said.
"""

from __future__ import annotations

import json
import os
import re
import re._parser as sre_parse
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import TEXT, YAML, block, codes, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archdsl
from archdsl import read_yaml
from archdsl.cli import main
from archdsl.elaborate.templates import MOST_STEPS, Elaborator
from archdsl.network import load, load_with_settings
from archdsl.read_arch.tables import shipped
from archdsl.read_yaml import DOCUMENT_KEYS
from archdsl.read_yaml.tree import DEEPEST as DEEPEST_YAML
from archdsl.source import ArchError, Source, Span

ROOT = Path(archdsl.__file__).parent.parent

"""No time is asserted here: `bench/hostile.py` prints what these documents cost."""


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- YAML: rows 1 to 9


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("levels", [1, 3, 9, 12])
def test_row_01_02_alias_bombs(levels: int) -> None:
    assert codes(refused(YAML + bomb(levels), "net.yaml")) == {"E0506"}


@pytest.mark.parametrize(
    "line",
    [
        "doc: &a [*a]",
        "doc: *a",
        "<<: [*a, *a]",
        "<<: {doc: x}",
        "doc: !!python/object/apply:os.system [touch pwned]",
        "doc: !!binary aGVsbG8=",
        "doc: !!set {a, b}",
        "doc: !local x",
        "doc: ! x",
        "&a doc: x",
        "!!str doc: x",
        "---\ndoc: x",
    ],
)
def test_row_02_03_09_what_yaml_has_and_the_language_does_not(line: str) -> None:
    assert "E0506" in codes(refused(f"{YAML}{line}\n", "net.yaml"))
    assert not Path("pwned").exists()


@pytest.mark.parametrize("depth", [DEEPEST_YAML + 1, 65, 500, 100_000])
@pytest.mark.parametrize("shape", ["flow lists", "flow mappings", "block lists", "mixed"])
def test_row_04_yaml_nested_too_deep(depth: int, shape: str) -> None:
    text = {
        "flow lists": "doc: " + "[" * depth + "]" * depth,
        "flow mappings": "doc: " + "{a: " * depth + "}" * depth,
        "block lists": "doc:\n  " + "- " * depth + "a",
        "mixed": "doc: " + "[{a: " * depth,
    }[shape]
    # Beyond the size of a document its length is refused first.
    assert codes(refused(f"{text}\n", "net.yaml")) <= {"E0508", "E0103"}


def test_row_04_yaml_in_blocks_nested_too_deep() -> None:
    text = "".join(" " * i + "a:\n" for i in range(500))
    assert codes(refused(text, "net.yaml")) == {"E0508"}


@pytest.mark.parametrize("depth", [1, DEEPEST_YAML - 2])
def test_row_04_yaml_nested_up_to_the_bound_is_read(depth: int) -> None:
    Path("net.yaml").write_text(f"{YAML}parameters:\n  a: {'[' * depth}1{']' * depth}\n", encoding="utf-8")
    load("net.yaml").source()


SCALARS = [
    "yes",
    "no",
    "on",
    "off",
    "Yes",
    "NO",
    "~",
    "null",
    "Null",
    "12:30:45",
    "2001-01-01",
    "010",
    "0o10",
    "0x10",
    "1_000",
    "=",
    "<<",
    ".inf",
    "-.inf",
    ".nan",
    "+1",
    "1.",
    ".5",
    "1e999",
    "'010'",
    '""',
    "' '",
    "1,5",
    "nan",
    "inf",
    "True",
    "None",
]


@pytest.mark.parametrize("scalar", SCALARS)
def test_row_06_scalars_that_mean_something_else_elsewhere(scalar: str) -> None:
    refused(f"{YAML}parameters:\n  a: {scalar}\n", "net.yaml")


@pytest.mark.parametrize(
    ("scalar", "value"),
    [("1e3", 1000.0), ("1e-5", 1e-5), ("10", 10), ("true", True), ("none", None), ("2.50", 2.5)],
)
def test_row_07_scalars_that_mean_what_they_say(scalar: str, value: object) -> None:
    Path("net.yaml").write_text(f"{YAML}parameters:\n  a: {scalar}\n", encoding="utf-8")
    assert dict(load("net.yaml").graph.parameters)["a"] == value


DIGITS = [
    "9" * 33,
    "9" * 4300,
    "9" * 4301,
    "9" * 100_000,
    "0x" + "f" * 5000,
    "1:" + "59:" * 2000 + "0",
    "1e" + "9" * 30,
    "1." + "0" * 5000,
]


@pytest.mark.parametrize("digits", DIGITS, ids=lambda text: f"{text[:4]}-{len(text)}")
def test_row_08_numbers_of_many_digits(digits: str) -> None:
    refused(f"{YAML}parameters:\n  a: {digits}\n", "net.yaml")
    refused(f"{YAML}  next: conv2d({digits})\n", "net.yaml")
    refused(block(f"n = {digits}\nreturn x"))


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_row_05_any_key_written_twice_is_refused(data: st.DataObject) -> None:
    lines = (ROOT / "specs" / "s0.yaml").read_text(encoding="utf-8").splitlines()
    keyed = [i for i, line in enumerate(lines) if ":" in line and not line.strip().startswith("-")]
    index = data.draw(st.sampled_from(keyed))
    indent = len(lines[index]) - len(lines[index].lstrip())
    # Put it where its own mapping ends.
    end = next(
        (
            i
            for i in range(index + 1, len(lines))
            if lines[i].strip() and len(lines[i]) - len(lines[i].lstrip()) <= indent
        ),
        len(lines),
    )
    key = lines[index].strip().partition(":")[0]
    lines.insert(end, f"{' ' * indent}{key}: relu")
    with pytest.raises(ArchError) as caught:
        read_yaml.read(Source("s0.yaml", "\n".join(lines) + "\n"))
    assert "E0502" in codes(caught.value)


# --- text: rows 10 to 12, 22, 23


@pytest.mark.parametrize("depth", [65, 500, 100_000])
@pytest.mark.parametrize("pair", ["()", "[]", "{}", "f()", "-(-)"])
def test_row_10_brackets_nested_too_deep(depth: int, pair: str) -> None:
    opening, closing = pair[: len(pair) // 2 or 1], pair[-1]
    opening = {"f()": "f(", "-(-)": "-("}.get(pair, opening)
    error = refused(block(f"n = {opening * depth}1{closing * depth}\nreturn x"))
    assert codes(error) <= {"E0104", "E0101", "E0103"}
    refused(block(f"n = {opening * depth}"))


def test_row_12_no_pattern_repeats_a_repetition() -> None:
    """Such a pattern, `(a+)+`, may take exponential time; the patterns of the tokens are all there are."""

    def depth(pattern: object, inside: int) -> int:
        deepest = inside
        for operation, argument in pattern if isinstance(pattern, sre_parse.SubPattern) else ():
            repeats = operation in (sre_parse.MAX_REPEAT, sre_parse.MIN_REPEAT) and argument[1] > 1
            parts = (
                argument[-1]
                if operation is sre_parse.BRANCH
                else argument
                if isinstance(argument, tuple)
                else ()
            )
            deepest = max([deepest, inside + repeats, *(depth(part, inside + repeats) for part in parts)])
        return deepest

    assert depth(sre_parse.parse("(?:a+b)+"), 0) == 2
    assert depth(sre_parse.parse(shipped().scanner.pattern), 0) == 1


def test_row_10_23_expressions_of_many_terms() -> None:
    for chain in ("+ 1 ", "** 1 ", "and true ", "is none ", "|> relu "):
        refused(block(f"n = 1 {chain * 10_000}\nreturn x"))
    refused(block(f"n = {'- ' * 10_000}1\nreturn x"))
    refused(block(f"n = {'if true { 1 } else ' * 10_000}{{ 1 }}\nreturn x"))
    refused(block(f"{'if false { } else ' * 10_000}{{ }}\nreturn y"))


def test_row_10_what_passes_each_bound_but_not_all_together() -> None:
    # 64 brackets, each with a call, a pipe, a label and an operator: deep for what walks the tree.
    deep = "f(a = 1 |> l: f(a = -"
    refused(block(f"n = {deep * 31}1{'))' * 31}\nreturn x"))
    nested = "if true { " * 20 + "return x + (-(-(-(x |> NEXT))))" + " }" * 20
    blocks = "".join(
        f"block b{i}(x: [C, H, W]) -> [C, H, W] {{ {nested.replace('NEXT', f'b{i + 1}')} }}\n"
        for i in range(60)
    )
    last = "block b60(x: [C, H, W]) -> [C, H, W] { return x |> relu }\n"
    assert codes(refused(TEXT.replace("stem: b", "stem: b0") + blocks + last)) == {"E0601"}


def test_row_22_blocks_that_call_each_other_deep() -> None:
    for count, fine in ((60, True), (70, False), (1000, False)):
        blocks = "".join(
            f"block b{i}(x: [C, H, W]) -> [C, H, W] {{ return x |> b{i + 1} }}\n" for i in range(count)
        )
        text = TEXT.replace("stem: b", "stem: b0") + blocks
        text += f"block b{count}(x: [C, H, W]) -> [C, H, W] {{ return x |> relu }}\n"
        if fine:
            Path("net.arch").write_text(text, encoding="utf-8")
            load("net.arch").source()
        else:
            assert codes(refused(text)) == {"E0601"}


@pytest.mark.parametrize(
    "arithmetic",
    [
        "2 ** 999999999",
        "2 ** 63",
        "2.5 ** 999999999",
        "10.0 ** 308 * 10.0",
        "9223372036854775807 + 1",
        "1 // 0",
        "1 % 0",
        "1 / 0",
        "0 ** -1",
        "(-8) ** 0.5",
        "int(1e308)",
        "round(1e300)",
        "1e308 * 10",
        "ceil(1 / 0)",
        "2 ** 2 ** 2 ** 2 ** 2 ** 2",
        "-(2 ** 62) * 4",
        "1e308 // 1e-308",
    ],
)
def test_row_23_arithmetic_out_of_bounds(arithmetic: str) -> None:
    assert codes(refused(block(f"n = {arithmetic}\nreturn x"))) == {"E0303"}
    refused(f"{YAML}parameters:\n  a: {arithmetic}\n", "net.yaml")


@pytest.mark.parametrize(
    "statement",
    [
        "n = [0] * 3",
        "n = [0 * 10 ** 10]",
        "n = range(10 ** 10)",
        "n = range(-(10 ** 10), 0)",
        "n = [0 * 9999, 0 * 9999]",
        "for i in range(9999) { for j in range(9999) { for k in range(9999) { } } }",
        "n = [[[0 for i in range(9999)] for j in range(9999)] for k in range(9999)]",
        "n = [0]\nfor i in range(99) { n = n + n }",
        "for i in range(9999) { n = range(9999) }",
        "n = C + 1\nfor i in range(9999) { n = n % C + H }",
        "n = C + 1\nfor i in range(60) { n = n % 7 + n % 5 }",
        "for i in range(9000) { y = x |> c[i]: conv2d(0 - i) }",
    ],
)
def test_row_23_loops_and_lists_out_of_bounds(statement: str) -> None:
    assert codes(refused(block(f"{statement}\nreturn x"))) <= {"E0602", "E0403"}


def test_row_23_a_formula_that_grows_with_every_call() -> None:
    """Constants fold, names do not: H + side + side - 1 + side + side - 1 + ..."""
    step = "pad([side, side, side, side]) |> c[i]: conv2d(C, kernel = 2, padding = 0)"
    body = f"y = x\nfor i in range(300) {{ y = y |> {step} }}\nreturn y"
    signature = "(x: [C, H, W]; side: dim = 1) -> [C, H + 300, W + 300]"
    assert codes(refused(block(body, signature))) == {"E0602"}


def test_row_23_defaults_that_loop() -> None:
    signature = "(x: [C, H, W]; k: [int] = [0 for i in range(9999) for j in range(9)]) -> [C, H, W]"
    refused(block("return x", signature))
    signature = (
        "(x: [C, H, W]; k: int = sum([sum([j for j in range(9999)]) for i in range(9999)])) -> [C, H, W]"
    )
    assert codes(refused(block("return x", signature))) == {"E0602"}


# --- sizes: rows 17, 18, 20, 21


@pytest.mark.parametrize(
    "repetition", ["10000000", "10 ** 7", "2 ** 62", "-1", "2.5", "true", "none", '"2"', "[2]"]
)
def test_row_21_repetitions_out_of_bounds(repetition: str) -> None:
    refused(f"{YAML}  s1:\n    blocks:\n      - ffn * ({repetition})\n", "net.yaml")
    refused(block(f"n = [1 * ({repetition})]\nreturn x"))


def test_row_21_nested_repetitions() -> None:
    nested = "ffn"
    for _ in range(4):
        nested = f"([{nested}] * 100)"
    refused(f"{YAML}  s1:\n    blocks:\n      - '{nested}'\n", "net.yaml")
    stages = "".join(f"  s{i}:\n    blocks:\n      - relu * 9999\n" for i in range(20))
    assert codes(refused(YAML + stages, "net.yaml")) == {"E0602"}


def test_row_21_blocks_that_each_call_the_one_before_twice() -> None:
    blocks = "".join(
        f"block b{i}(x: [C, H, W]) -> [C, H, W] {{ return x |> b{i + 1} |> b{i + 1} }}\n" for i in range(50)
    )
    last = "block b50(x: [C, H, W]) -> [C, H, W] { return x |> relu }\n"
    error = refused(TEXT.replace("stem: b", "stem: b0") + blocks + last)
    assert codes(error) == {"E0602"} and len(error.diagnostics) == 1


@pytest.mark.parametrize(
    "width",
    [
        "10 ** 12",
        "1000000000000",
        "2 ** 31",
        "2 ** 62",
        "0",
        "-1",
        "8.5",
        "true",
        "none",
        '"8"',
        "[8]",
        "relu",
        "x",
    ],
)
def test_row_18_widths_of_no_sense(width: str) -> None:
    refused(block(f"return x |> c: conv2d({width})"))
    refused(f"{YAML}  s1:\n    width: {width}\n    blocks: [ffn]\n".replace('"8"', "'\"8\"'"), "net.yaml")


def test_row_17_a_network_too_large_for_any_machine_is_counted_and_not_built(tmp_path: Path) -> None:
    Path("net.yaml").write_text(f"{YAML}  a: conv2d(2 ** 31 - 1)\n  b: conv2d(2 ** 31 - 1)\n", encoding="utf-8")
    network = load("net.yaml")
    assert network.stats().params > (2**31 - 1) ** 2
    with pytest.raises(ArchError) as caught:
        network.build()
    assert caught.value.exit_code == 3 and codes(caught.value) == {"E0707"}


# --- files and imports: rows 25, 26, 37


def test_row_25_files_that_are_no_files(capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("fifo.arch")
    os.mkdir("folder.arch")
    os.symlink("nowhere", "dangling.arch")
    os.symlink("loop.arch", "loop.arch")
    names = [
        "fifo.arch",
        "folder.arch",
        "dangling.arch",
        "loop.arch",
        "/dev/zero",
        "/dev/null",
        ".",
        "/",
        "",
        "a\0b",
        "a" * 5000,
    ]
    for name in names:
        assert main(["stats", name]) in (2, 3), name
        assert "error[E0701]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        "../mine",
        "a/../../mine",
        "/etc/passwd",
        "~/mine",
        "a\\\\..\\\\..\\\\mine",
        "fifo",
        "folder",
        "out",
        "outside/mine",
        "..",
        ".",
        "",
        "a" * 5000,
        "file:///etc/passwd",
        "https://x/y",
    ],
)
def test_row_25_imports_stay_in_their_folder(name: str, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "mine.arch").write_text("archdsl 1\n", encoding="utf-8")
    os.mkfifo(inner / "fifo.arch")
    (inner / "folder.arch").mkdir()
    (inner / "out.arch").symlink_to(tmp_path / "mine.arch")
    (inner / "outside").symlink_to(tmp_path)
    assert codes(refused(f'archdsl 1\nimport "{name}"\n', "inner/net.arch")) <= {"E0701", "E0704"}
    assert codes(refused(YAML.replace("efficientformerv2", f"'{name}'"), "inner/net.yaml")) <= {
        "E0701",
        "E0704",
    }


def test_row_26_imports_that_multiply_are_read_once() -> None:
    for i in range(30):
        Path(f"d{i}.arch").write_text(f'archdsl 1\nimport "d{i + 1}"\nimport "d{i + 1}"\n', encoding="utf-8")
    for last, code in (("archdsl 1\n", "E0708"), ('archdsl 1\nimport "d0"\n', "E0705"), ("block\n", "E0101")):
        Path("d30.arch").write_text(last, encoding="utf-8")
        with pytest.raises(ArchError) as caught:
            load("d0.arch")
        assert [mistake.code for mistake in caught.value.diagnostics] == [code]


def test_row_26_imports_nested_too_deep() -> None:
    for i in range(40):
        Path(f"d{i}.arch").write_text(f'archdsl 1\nimport "d{i + 1}"\n', encoding="utf-8")
    assert codes(refused('archdsl 1\nimport "d0"\n')) == {"E0601"}


@given(edges=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_row_26_imports_are_read_if_and_only_if_there_is_no_cycle(edges: list[tuple[int, int]]) -> None:
    reached, cyclic = {0}, False

    def visit(file: int, above: tuple[int, ...]) -> None:
        nonlocal cyclic
        for start, end in edges:
            if start == file:
                cyclic |= end in (*above, file)
                if end not in reached or end not in above:
                    reached.add(end)
                    if end not in (*above, file):
                        visit(end, (*above, file))

    visit(0, ())
    for file in range(6):
        imports = "".join(f'import "g{end}"\n' for start, end in edges if start == file)
        Path(f"g{file}.arch").write_text(
            f"archdsl 1\n{imports}block b{file}(x: [C]) -> [C] {{ return x }}\n", encoding="utf-8"
        )
    with pytest.raises(ArchError) as caught:
        load("g0.arch")
    assert codes(caught.value) == ({"E0705"} if cyclic else {"E0708"})


@pytest.mark.parametrize(
    "data",
    [
        b"archdsl 1\n# \xff\n",
        "archdsl 1\n".encode("utf-16"),
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"a\0b",
        b"\0",
        b"\x1b[31m",
        b"a\x85b",
    ],
)
def test_row_37_files_that_are_no_text(data: bytes) -> None:
    for name in ("net.arch", "net.yaml"):
        error = refused(data, name)
        assert error.diagnostics[0].span is not None
        # Nothing of the file may steer the terminal that the message goes to.
        assert all(char.isprintable() or char == "\n" for char in str(error))


def test_row_37_the_place_of_a_byte_that_is_no_text() -> None:
    assert str(refused(b"archdsl 1\n# \xff\n").diagnostics[0].span) == "net.arch:2:3"


@pytest.mark.parametrize("name", ["net.arch", "net.yaml"])
def test_row_37_long_files(name: str) -> None:
    for text in (
        "# " + "a" * 500_000,
        "# " + "a" * 2_000_000,
        "a" * 250_000,
        "a b " * 60_000,
        '"' * 250_000,
        "\n" * 250_000,
        "block \n" * 37_000,
        "a: b\n" * 52_000,
        "a: b b\n" * 37_000,
        "- " * 100_000,
        "[," * 100_000,
        "? " * 100_000,
        "#" * 250_000,
        "|> " * 80_000,
        "1" * 250_000,
        "\\" * 250_000,
        '"\\"' * 80_000,
        "e" * 1000 + "9" * 200_000,
    ):
        refused(text, name)


@pytest.mark.parametrize("count", [1000, 12_000])
def test_row_40_errors_by_the_thousand_stay_readable(count: int) -> None:
    refused(
        "archdsl: 1\nnetwork: N\ninput: [3, 8, 8]\nbody:\n" + "".join(f"  a{i}: b b\n" for i in range(count)),
        "net.yaml",
    )
    refused(
        "archdsl: 1\nnetwork: N\ninput: [3, 8, 8]\nbody:\n" + "".join(f"  a{i}: !\n" for i in range(count)),
        "net.yaml",
    )
    refused("archdsl 1\nnetwork N(x: [3, 8, 8]) {\n" + "  class: relu\n" * count + "}\n")
    refused("archdsl 1\nnetwork N(x: [3, 8, 8]) {\n" + "".join(f"  a{i}: b{i}\n" for i in range(count)) + "}\n")


def test_row_40_entries_by_the_thousand_take_linear_time() -> None:
    Path("net.arch").write_text(
        "archdsl 1\nnetwork N(x: [3, 8, 8]) {\n" + "".join(f"  a{i}: relu\n" for i in range(9000)) + "}\n",
        encoding="utf-8",
    )
    assert len(load("net.arch").graph.template.nodes) == 9000


# --- strings

PAYLOADS = [
    'x"; import os; os.system("touch pwned")',
    '"""\nimport os\n"""',
    "\\",
    "\\N{no such name} \\x \\u12",
    "{{ cycler.__init__.__globals__.os }}",
    "{% raw %}",
    "a\rimport os",
    "\u202e",
    "\0",
    "'''",
    "#",
    "%s{0}",
    "\x85import os",
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_row_13_strings_enter_source_as_strings_alone(payload: str) -> None:
    import ast

    Path("net.yaml").write_text(f"doc: {json.dumps(payload)}\n{YAML}", encoding="utf-8")
    tree = ast.parse(load("net.yaml").source())
    Path("net.yaml").write_text(f'doc: "harmless"\n{YAML}', encoding="utf-8")
    plain = ast.parse(load("net.yaml").source())
    for node in (*ast.walk(tree), *ast.walk(plain)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    assert ast.dump(tree) == ast.dump(plain)


def test_row_41_a_hostile_file_ends_the_command_with_two_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(YAML + bomb(9), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "archdsl", "stats", "net.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and done.stdout == ""
    assert "Traceback" not in done.stderr and "error[E0506]" in done.stderr


# --- bounds: at each of them, and one past it


def network(body: str, signature: str = "(x: [3, 32, 32])") -> str:
    return f'archdsl 1\nimport "efficientformerv2"\nnetwork N{signature} {{\n{body}\n}}\n'


def chain(count: int) -> str:
    """`count` blocks, each of which calls the next."""
    blocks = "".join(
        f"block b{i}(x: [C, H, W]) -> [C, H, W] {{ return x |> b{i + 1} }}\n" for i in range(count - 1)
    )
    return (
        TEXT.replace("stem: b", "stem: b0")
        + blocks
        + f"block b{count - 1}(x: [C, H, W]) -> [C, H, W] {{ return x |> relu }}\n"
    )


def variants(count: int) -> str:
    """A variant that is based on another, so many times."""
    lines = "".join(f"variant V{i} : V{i + 1} {{ }}\n" for i in range(count))
    return f"archdsl 1\nbuild V0\nnetwork V{count}(x: [3, 8, 8]) {{ a: relu }}\n{lines}"


def nested(depth: int) -> str:
    return "[" * depth + "1" + "]" * depth


def two_stages(item: str, count: int) -> str:
    return network(f"stage s {{ {item} * 6000 }}\nstage t {{ {item} * {count - 6000} }}")


BOUNDS = {
    "22 characters of a name": (64, "E0105", lambda n: block(f"{'a' * n} = 1\nreturn x"), ".arch"),
    "08 characters of a number": (32, "E0108", lambda n: block(f"n = 1.{'0' * (n - 2)}\nreturn x"), ".arch"),
    "10 brackets": (64, "E0104", lambda n: block(f"n = {'(' * (n - 1)}1{')' * (n - 1)}\nreturn x"), ".arch"),
    "23 operators": (128, "E0104", lambda n: f"{YAML}parameters:\n  a: 1{' + 1' * n}\n", ".yaml"),
    "04 nested lists": (32, "E0508", lambda n: f"{YAML}parameters:\n  a: {nested(n - 2)}\n", ".yaml"),
    "22 calls": (64, "E0601", chain, ".arch"),
    "26 bases": (32, "E0601", variants, ".arch"),
    "21 elements of a list": (10_000, "E0602", lambda n: block(f"n = [1 * {n}]\nreturn x"), ".arch"),
    "21 elements of a written list": (
        10_000,
        "E0602",
        lambda n: block(f"n = [{'1, ' * n}]\nreturn x"),
        ".arch",
    ),
    "21 elements of a range": (10_000, "E0602", lambda n: block(f"n = range({n})\nreturn x"), ".arch"),
    "21 blocks of a stage": (10_000, "E0602", lambda n: network(f"stage s {{ relu * {n} }}"), ".arch"),
    "21 blocks of a network": (12_000, "E0602", lambda n: two_stages("relu", n), ".arch"),
    "23 operations of a formula": (96, "E0602", lambda n: block(f"n = H{' % 7' * n}\nreturn x"), ".arch"),
    "17 channels": (2**31 - 1, "E0403", lambda n: network(f"c: conv2d({n})"), ".arch"),
    "23 whole numbers": (2**63 - 1, "E0303", lambda n: block(f"n = {n - 1} + 1\nreturn x"), ".arch"),
    "17 resolutions": (16_384, "E0703", lambda n: (network("a: relu"), n), ".arch"),
    "37 bytes of a file": (2**20, "E0103", lambda n: network("a: relu").ljust(n, "#"), ".arch"),
}  # fmt: skip


@pytest.mark.parametrize("bound", BOUNDS)
def test_row_by_number_at_the_bound_and_one_past_it(bound: str) -> None:
    most, code, make, ending = BOUNDS[bound]

    def open_it(number: int) -> None:
        made = make(number)
        text, resolution = made if isinstance(made, tuple) else (made, None)
        Path(f"net{ending}").write_text(text, encoding="utf-8")
        _ = load(f"net{ending}", resolution).graph

    open_it(most)
    with pytest.raises(ArchError) as caught:
        open_it(most + 1)
    assert codes(caught.value) == {code}, str(caught.value)


def test_row_23_steps_at_the_bound_and_one_past_it() -> None:
    shared, place = Elaborator(), Span(Source("net.arch", ""), 1, 1, 1, 1)
    shared.spend(MOST_STEPS, place)
    with pytest.raises(ArchError) as caught:
        shared.spend(1, place)
    assert codes(caught.value) == {"E0602"}


def test_row_26_imports_at_the_bound_and_one_past_it() -> None:
    for i in range(40):
        Path(f"d{i}.arch").write_text(f'archdsl 1\nimport "d{i + 1}"\n', encoding="utf-8")
    Path("d40.arch").write_text("archdsl 1\n", encoding="utf-8")
    for first, code in ((8, "E0708"), (7, "E0601")):
        with pytest.raises(ArchError) as caught:
            load(f"d{first}.arch")
        assert codes(caught.value) == {code}


@pytest.mark.parametrize(("wrong", "more"), [(20, False), (21, True)])
def test_row_40_errors_shown(wrong: int, more: bool) -> None:
    error = refused(block("".join(f"a{i} = q{i}\n" for i in range(wrong)) + "return x"))
    assert str(error).count("error[") == 20 and ("and 1 more error" in str(error)) == more


# --- variants and spaces


def test_row_26_bases_that_multiply_take_linear_time() -> None:
    """Each of 30 documents bases two variants on the next: 2 ** 30 ways lead to the last."""
    for i in range(30):
        text = (
            f'archdsl 1\nvariant A : "e{i + 1}#A" {{ w = 1 }}\nvariant B : "e{i + 1}#A" {{ w = 2 }}\nbuild A\n'
        )
        Path(f"e{i}.arch").write_text(text, encoding="utf-8")
    Path("e30.arch").write_text(
        "archdsl 1\nnetwork A(x: [3, 8, 8]; w = 3) { a: conv2d(w) }\n", encoding="utf-8"
    )
    graph = load("e0.arch").graph
    assert dict(graph.parameters) == {"w": 1}


@given(
    edges=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=6, unique_by=lambda edge: edge[0])
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_row_26_bases_are_followed_if_and_only_if_there_is_no_cycle(edges: list[tuple[int, int]]) -> None:
    bases = dict(edges)
    plain, based = "network V# (x: [3, 8, 8]) { a: relu }", "variant V# : V"
    lines = "\n".join(
        (f"{based}{bases[i]} {{ }}" if i in bases else plain).replace("#", str(i)) for i in range(6)
    )
    Path("v.arch").write_text(f"archdsl 1\nbuild V0\n{lines}", encoding="utf-8")
    seen, at = set(), 0
    while at in bases and at not in seen:
        seen.add(at)
        at = bases[at]
    if at in seen:
        with pytest.raises(ArchError) as caught:
            load("v.arch")
        assert codes(caught.value) == {"E0705"}
    else:
        assert load("v.arch").lineage[-1] == f"V{at}"


@pytest.mark.parametrize(
    "name", ["../s0", "/etc/passwd", "a/../../s0", "~/s0", "..\\\\s0", "fifo", "folder", "", "s0\\n"]
)
def test_row_25_bases_stay_in_their_folder(name: str) -> None:
    os.mkfifo("fifo.arch")
    os.mkdir("folder.arch")
    assert codes(refused(f'archdsl 1\nvariant V : "{name}" {{ }}\n')) <= {"E0701", "E0704"}


def space(names: str, body: str) -> str:
    return network(body, f"(x: [3, 32, 32]; k = [{names}])")


ENTANGLED = {
    "a sum of 40 decisions": space(", ".join(["choose {1, 2}"] * 40), "a: conv2d(sum(k))"),
    "a sum of 9,000 decisions": space("each choose {1, 2} * 9000", "a: conv2d(sum(k))"),
    "widths that are read again": space(
        ", ".join(["choose {2, 3, 4, 5}"] * 30),
        "\n".join(f"{name}{i}: conv2d(k[{i}])" for name in "ab" for i in range(30)),
    ),
    "large blocks": space(
        ", ".join(["choose {1, 2, 3, 4}"] * 30), "stem: conv_stem(32)\na: attention_block(expansion = sum(k))"
    ),
    "long stages": space(
        ", ".join(["choose {1, 2, 3, 4}"] * 30),
        "\n".join(
            f"stage s{i} {{ conv2d(each choose {{8, 9}}, kernel = 2 * k[{i} % 30] + 1) * 500 }}"
            for i in range(10)
        ),
    ),
    "a list for each of them": space(
        ", ".join(["choose {1, 2, 3, 4}"] * 30), "a: conv2d(sum([sum(k) + i for i in range(9999)]))"
    ),
}


@pytest.mark.parametrize("name", ENTANGLED)
def test_row_21_entangled_decisions(name: str) -> None:
    Path("net.arch").write_text(ENTANGLED[name], encoding="utf-8")
    with pytest.raises(ArchError) as caught:
        load("net.arch").space()
    assert codes(caught.value) == {"E0602"}
    assert len(str(caught.value)) < 16_000


def test_row_21_decisions_at_the_bound_and_one_past_it() -> None:
    for count, fine in ((10_000, True), (10_001, False)):
        Path("net.arch").write_text(two_stages("each choose {relu, gelu}", count), encoding="utf-8")
        with pytest.raises(ArchError) as caught:
            _ = load("net.arch").graph
        assert codes(caught.value) == ({"E0223"} if fine else {"E0602", "E0223"})
        assert len(str(caught.value)) < 16_000
        assert load("net.arch").space().size == 2**count


@pytest.mark.parametrize(
    "picks",
    ["[" * 1000, "a: &a [*a]", "<<: {a: b}", "--- a\n--- b", "a: {b: c}", "- a", "a: [[b]]", "", "\0",
     "a: b\na: c", "k[0]: 3\n" * 20_000, "".join(f"q{i}: 1\n" for i in range(20_000)),
     "k: [" + "1, " * 50_000 + "1]", "k[" + "9" * 5000 + "]: 1", "k.*.*.*: 1", "*" * 5000 + ": 1"],
)  # fmt: skip
def test_row_01_05_21_picks_are_documents_like_others(picks: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.arch").write_text(space("choose {1, 2}", "a: conv2d(k[0])"), encoding="utf-8")
    Path("picks.yaml").write_text(picks, encoding="utf-8")
    assert main(["freeze", "net.arch", "--with", "picks.yaml"]) == 2
    assert len(capsys.readouterr().err) < 16_000


@pytest.mark.parametrize(
    "setting",
    ["a" * 100_000, "k=" + "[" * 100_000, "k=" + "1+" * 50_000 + "1", "\0=1", "k=\ud800", "=", "", "k[" * 50],
)
def test_row_10_13_settings_are_expressions_like_others(setting: str) -> None:
    Path("net.arch").write_text(space("1, 2", "a: conv2d(k[0])"), encoding="utf-8")
    with pytest.raises(ArchError) as caught:
        load_with_settings("net.arch", None, [setting], [])
    assert len(str(caught.value)) < 16_000


# --- names, keys, resolutions, source


def test_row_16_names_that_become_one_are_kept_apart() -> None:
    """`a.b` and `a_b` are two keys; labels that differ in case alone are two names."""
    Path("net.arch").write_text(
        network("A: conv2d(4)\na: conv2d(5)\na_b: conv2d(6)\nstage a1 { b: conv2d(7) }"), encoding="utf-8"
    )
    keys = [key for key, _ in load("net.arch").graph.weights()]
    assert len(keys) == len(set(keys)) == 8
    load("net.arch").source()
    assert codes(refused(network("a: relu\na: relu"))) == {"E0204"}


KEYS = [
    (file.name, key)
    for file in sorted((ROOT / "specs").glob("*.yaml"))
    for key in sorted(set(re.findall(r"^ *([a-z_]+):(?: |$)", file.read_text(encoding="utf-8"), re.MULTILINE)))
    if key in DOCUMENT_KEYS or key == "blocks"
]  # fmt: skip


@pytest.mark.parametrize("key", sorted({key for _, key in KEYS if len(key) > 2}))
def test_row_19_a_key_of_one_other_letter_is_named(key: str) -> None:
    wrong = 0
    edits = [f"{key[:i]}{key[i + 1 :]}" for i in range(len(key))] + [
        f"{key[:i]}q{key[i:]}" for i in range(len(key) + 1)
    ]
    file = next(name for name, other in KEYS if other == key)
    text = (ROOT / "specs" / file).read_text(encoding="utf-8")
    for edit in edits:
        if edit in DOCUMENT_KEYS:
            continue
        changed = re.sub(rf"^( *){key}:", rf"\g<1>{edit}:", text, count=1, flags=re.MULTILINE)
        with pytest.raises(ArchError) as caught:
            read_yaml.read(Source(file, changed))
        helps = [mistake.help or "" for mistake in caught.value.diagnostics if mistake.code == "E0503"]
        wrong += f"did you mean {key!r}?" not in helps
    assert wrong <= 0.05 * len(edits)


@pytest.mark.parametrize("spec", ["s0", "l"])
def test_row_20_every_small_resolution_is_taken_or_refused(spec: str) -> None:
    for size in (*range(1, 65), 97, 127, 129):
        try:
            graph = load(spec, (size, 64)).graph
        except ArchError as error:
            assert error.diagnostics[0].code == "E0703"
        else:
            graph.verify()


def test_row_24_numbers_that_source_can_not_hold() -> None:
    for number in ("1e308 * 10", "-(1e308 * 10)", "1e400", "0.0 / 0"):
        refused(block(f"n = {number}\nreturn x |> c: layer_scale(n)"))
    Path("net.arch").write_text(block("return x |> c: layer_scale(1e-300)"), encoding="utf-8")
    compile(load("net.arch").source(), "net.py", "exec")


def test_row_24_long_chains_become_statements() -> None:
    for body in (
        "y = x\nfor i in range(3000) { y = y + x }\nreturn y",
        "y = x\nfor i in range(3000) { y = y |> relu }\nreturn y",
    ):
        Path("net.arch").write_text(block(body), encoding="utf-8")
        compile(load("net.arch").source(), "net.py", "exec")


@pytest.mark.parametrize("payload", PAYLOADS, ids=ascii)
def test_row_13_names_are_refused_and_never_written(payload: str) -> None:
    quoted = json.dumps(payload)
    for line in (f"  {quoted}: relu\n", f"  s1:\n    blocks:\n      - {quoted}: relu\n"):
        error = refused(YAML + line, "net.yaml")
        assert all(char.isprintable() or char == "\n" for char in str(error))
    refused(YAML.replace("network: N", f"network: {quoted}"), "net.yaml")
    refused(f"{YAML}parameters:\n  {quoted}: 1\n", "net.yaml")
