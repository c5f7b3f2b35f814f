"""Documents that mean harm, or are garbage: always an `ArchError`, soon, and never another exception.

Alias bombs, deep nesting, numbers and loops without end, files that are none, imports that lead out, garbage.
"""

from __future__ import annotations

import os
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
from archdsl.network import load
from archdsl.read_yaml.tree import DEEPEST as DEEPEST_YAML
from archdsl.source import ArchError, Source

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
def test_alias_bombs(levels: int) -> None:
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
def test_what_yaml_has_and_the_language_does_not(line: str) -> None:
    assert "E0506" in codes(refused(f"{YAML}{line}\n", "net.yaml"))
    assert not Path("pwned").exists()


@pytest.mark.parametrize("depth", [DEEPEST_YAML + 1, 65, 500, 100_000])
@pytest.mark.parametrize("shape", ["flow lists", "flow mappings", "block lists", "mixed"])
def test_yaml_nested_too_deep(depth: int, shape: str) -> None:
    text = {
        "flow lists": "doc: " + "[" * depth + "]" * depth,
        "flow mappings": "doc: " + "{a: " * depth + "}" * depth,
        "block lists": "doc:\n  " + "- " * depth + "a",
        "mixed": "doc: " + "[{a: " * depth,
    }[shape]
    # Beyond the size of a document its length is refused first.
    assert codes(refused(f"{text}\n", "net.yaml")) <= {"E0508", "E0103"}


def test_yaml_in_blocks_nested_too_deep() -> None:
    text = "".join(" " * i + "a:\n" for i in range(500))
    assert codes(refused(text, "net.yaml")) == {"E0508"}


@pytest.mark.parametrize("depth", [1, DEEPEST_YAML - 2])
def test_yaml_nested_up_to_the_bound_is_read(depth: int) -> None:
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
def test_scalars_that_mean_something_else_elsewhere(scalar: str) -> None:
    refused(f"{YAML}parameters:\n  a: {scalar}\n", "net.yaml")


@pytest.mark.parametrize(
    ("scalar", "value"),
    [("1e3", 1000.0), ("1e-5", 1e-5), ("10", 10), ("true", True), ("none", None), ("2.50", 2.5)],
)
def test_scalars_that_mean_what_they_say(scalar: str, value: object) -> None:
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
def test_numbers_of_many_digits(digits: str) -> None:
    refused(f"{YAML}parameters:\n  a: {digits}\n", "net.yaml")
    refused(f"{YAML}  next: conv2d({digits})\n", "net.yaml")
    refused(block(f"n = {digits}\nreturn x"))


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_key_written_twice_is_refused(data: st.DataObject) -> None:
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
def test_brackets_nested_too_deep(depth: int, pair: str) -> None:
    opening, closing = pair[: len(pair) // 2 or 1], pair[-1]
    opening = {"f()": "f(", "-(-)": "-("}.get(pair, opening)
    error = refused(block(f"n = {opening * depth}1{closing * depth}\nreturn x"))
    assert codes(error) <= {"E0104", "E0101", "E0103"}
    refused(block(f"n = {opening * depth}"))


def test_expressions_of_many_terms() -> None:
    for chain in ("+ 1 ", "** 1 ", "and true ", "is none ", "|> relu "):
        refused(block(f"n = 1 {chain * 10_000}\nreturn x"))
    refused(block(f"n = {'- ' * 10_000}1\nreturn x"))
    refused(block(f"n = {'if true { 1 } else ' * 10_000}{{ 1 }}\nreturn x"))
    refused(block(f"{'if false { } else ' * 10_000}{{ }}\nreturn y"))


def test_what_passes_each_bound_but_not_all_together() -> None:
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


def test_blocks_that_call_each_other_deep() -> None:
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
def test_arithmetic_out_of_bounds(arithmetic: str) -> None:
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
def test_loops_and_lists_out_of_bounds(statement: str) -> None:
    assert codes(refused(block(f"{statement}\nreturn x"))) <= {"E0602", "E0403"}


def test_a_formula_that_grows_with_every_call() -> None:
    """Constants fold, names do not: H + side + side - 1 + side + side - 1 + ..."""
    step = "pad([side, side, side, side]) |> c[i]: conv2d(C, kernel = 2, padding = 0)"
    body = f"y = x\nfor i in range(300) {{ y = y |> {step} }}\nreturn y"
    signature = "(x: [C, H, W]; side: dim = 1) -> [C, H + 300, W + 300]"
    assert codes(refused(block(body, signature))) == {"E0602"}


def test_defaults_that_loop() -> None:
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
def test_repetitions_out_of_bounds(repetition: str) -> None:
    refused(f"{YAML}  s1:\n    blocks:\n      - ffn * ({repetition})\n", "net.yaml")
    refused(block(f"n = [1 * ({repetition})]\nreturn x"))


def test_nested_repetitions() -> None:
    nested = "ffn"
    for _ in range(4):
        nested = f"([{nested}] * 100)"
    refused(f"{YAML}  s1:\n    blocks:\n      - '{nested}'\n", "net.yaml")
    stages = "".join(f"  s{i}:\n    blocks:\n      - relu * 9999\n" for i in range(20))
    assert codes(refused(YAML + stages, "net.yaml")) == {"E0602"}


def test_blocks_that_each_call_the_one_before_twice() -> None:
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
def test_widths_of_no_sense(width: str) -> None:
    refused(block(f"return x |> c: conv2d({width})"))
    refused(f"{YAML}  s1:\n    width: {width}\n    blocks: [ffn]\n".replace('"8"', "'\"8\"'"), "net.yaml")


def test_a_network_too_large_for_any_machine_is_counted_and_not_built(tmp_path: Path) -> None:
    Path("net.yaml").write_text(f"{YAML}  a: conv2d(2 ** 31 - 1)\n  b: conv2d(2 ** 31 - 1)\n", encoding="utf-8")
    network = load("net.yaml")
    assert network.stats().params > (2**31 - 1) ** 2
    with pytest.raises(ArchError) as caught:
        network.build()
    assert caught.value.exit_code == 3 and codes(caught.value) == {"E0707"}


# --- files and imports: rows 25, 26, 37


def test_files_that_are_no_files(capsys: pytest.CaptureFixture[str]) -> None:
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
def test_imports_stay_in_their_folder(name: str, tmp_path: Path) -> None:
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


def test_imports_that_multiply_are_read_once() -> None:
    for i in range(30):
        Path(f"d{i}.arch").write_text(f'archdsl 1\nimport "d{i + 1}"\nimport "d{i + 1}"\n', encoding="utf-8")
    for last, code in (("archdsl 1\n", "E0708"), ('archdsl 1\nimport "d0"\n', "E0705"), ("block\n", "E0101")):
        Path("d30.arch").write_text(last, encoding="utf-8")
        with pytest.raises(ArchError) as caught:
            load("d0.arch")
        assert [mistake.code for mistake in caught.value.diagnostics] == [code]


def test_imports_nested_too_deep() -> None:
    for i in range(40):
        Path(f"d{i}.arch").write_text(f'archdsl 1\nimport "d{i + 1}"\n', encoding="utf-8")
    assert codes(refused('archdsl 1\nimport "d0"\n')) == {"E0601"}


@given(edges=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_imports_are_read_if_and_only_if_there_is_no_cycle(edges: list[tuple[int, int]]) -> None:
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
def test_files_that_are_no_text(data: bytes) -> None:
    for name in ("net.arch", "net.yaml"):
        error = refused(data, name)
        assert error.diagnostics[0].span is not None
        # Nothing of the file may steer the terminal that the message goes to.
        assert all(char.isprintable() or char == "\n" for char in str(error))


def test_the_place_of_a_byte_that_is_no_text() -> None:
    assert str(refused(b"archdsl 1\n# \xff\n").diagnostics[0].span) == "net.arch:2:3"


@pytest.mark.parametrize("name", ["net.arch", "net.yaml"])
def test_long_files(name: str) -> None:
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
def test_errors_by_the_thousand_stay_readable(count: int) -> None:
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


def test_entries_by_the_thousand_take_linear_time() -> None:
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
def test_strings_enter_source_as_strings_alone(payload: str) -> None:
    import ast
    import json

    Path("net.yaml").write_text(f"doc: {json.dumps(payload)}\n{YAML}", encoding="utf-8")
    tree = ast.parse(load("net.yaml").source())
    Path("net.yaml").write_text(f'doc: "harmless"\n{YAML}', encoding="utf-8")
    plain = ast.parse(load("net.yaml").source())
    for node in (*ast.walk(tree), *ast.walk(plain)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    assert ast.dump(tree) == ast.dump(plain)


def test_a_hostile_file_ends_the_command_with_two_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(YAML + bomb(9), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "archdsl", "stats", "net.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2 and done.stdout == ""
    assert "Traceback" not in done.stderr and "error[E0506]" in done.stderr
