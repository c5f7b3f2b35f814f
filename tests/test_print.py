"""Printers: what is printed is read as what was printed, in both surfaces and across them, comments kept."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from documents import NOWHERE, comment, documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archdsl import print_arch, print_yaml, read_arch, read_yaml
from archdsl import syntax as s
from archdsl.formatter import formatted
from archdsl.print_arch.layout import flat
from archdsl.source import ArchError, Source, Span

DRAWN = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
TESTS = Path(__file__).parent
SURFACES = ("arch", "yaml")
OTHER = {"arch": "yaml", "yaml": "arch"}


def printed(document: s.Document, surface: str) -> str:
    return {"arch": print_arch, "yaml": print_yaml}[surface].text(document)


def read(text: str, surface: str) -> s.Document:
    return {"arch": read_arch, "yaml": read_yaml}[surface].read(Source("text", text))


def comments_of(text: str, surface: str) -> Counter[str]:
    marks = {"arch": print_arch, "yaml": print_yaml}[surface].marks_of(Source("text", text))
    return Counter(found.text for found in marks.comments)


def convert(text: str, surface: str, target: str) -> str:
    return formatted(Source("text", text), surface, target)  # type: ignore[arg-type]


@pytest.mark.parametrize("surface", SURFACES)
@DRAWN
@given(document=documents())
def test_what_is_printed_is_read_as_it_was(surface: str, document: s.Document) -> None:
    text = printed(document, surface)
    again = read(text, surface)
    assert again == document and repr(again) == repr(document)
    assert convert(text, surface, surface) == text
    there = convert(text, surface, OTHER[surface])
    back = convert(there, OTHER[surface], surface)
    assert convert(back, surface, OTHER[surface]) == there


@pytest.mark.parametrize("surface", SURFACES)
@DRAWN
@given(document=documents(), data=st.data())
def test_comments_are_kept(surface: str, document: s.Document, data: st.DataObject) -> None:
    check_comments(with_comments(printed(document, surface), surface, data), surface)


def check_comments(text: str, surface: str) -> None:
    """Formatting and converting keep a text's comments, and do nothing the second time."""
    kept = comments_of(text, surface)
    once = convert(text, surface, surface)
    assert comments_of(once, surface) == kept
    assert convert(once, surface, surface) == once
    there = convert(text, surface, OTHER[surface])
    assert comments_of(there, OTHER[surface]) == kept
    assert convert(there, OTHER[surface], OTHER[surface]) == there


def with_comments(text: str, surface: str, data: st.DataObject) -> str:
    """The text with comments, blank lines and line breaks at random places, wherever they change no meaning."""
    document = repr(read(text, surface))
    for _ in range(data.draw(st.integers(1, 5))):
        written = data.draw(comment)
        places = [match.start() for match in re.finditer(r"\n|(?<=[,{}|]) | (?=\|>)", text)]
        at = data.draw(st.sampled_from(places))
        indent = " " * data.draw(st.integers(0, 8))
        new = data.draw(st.sampled_from([f" {written}\n", f"\n{indent}{written}\n", "\n\n", "\n"]))
        changed = text[:at] + new + text[at + (text[at] == "\n") :]
        try:
            if repr(read(changed, surface)) == document:
                text = changed
        except ArchError:
            continue
    return text


# --- texts that others wrote


def texts_of_tests() -> list[tuple[str, str]]:
    """(surface, text) of every string in tests/ that is a document without mistakes."""
    found: dict[str, str] = {}
    for path in sorted(TESTS.glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 5000:
                for surface in SURFACES if node.value.lstrip("#\n ").startswith("archdsl") else ():
                    try:
                        read(node.value, surface)
                    except ArchError:
                        continue
                    found[node.value] = surface
    return [(surface, text) for text, surface in found.items()]


def test_documents_of_all_tests() -> None:
    texts = texts_of_tests()
    assert len(texts) > 20
    for surface, text in texts:
        if "\x01" in text:  # YAML can't hold it
            continue
        check_comments(text, surface)


ODD = {
    "the language's text under a name like a key": (
        "archdsl: 1\nblocks:\n  doc:\n    body: |\n      return x # kept\n    signature: '(x: [C]) -> [C]'\n"
        "    doc: |  # kept too\n      # prose\n      of lines\n"
    ),
    "document marks": (
        "%YAML 1.2\n# a\n--- # b\narchdsl: 1 # c\nnetwork: N\ninput: [3]\nbody: {} # d\n... # e\n# f\n"
    ),
    "inside lists and mappings": (
        "archdsl: 1\nnetwork: N # n\ninput: [3, # channels\n  8,\n  # columns\n  8]\n"
        "parameters: # p\n  # first\n"
        "  a: # value\n    3\nbody: {stem: relu, # the stem\n  s1: # stage\n   {blocks: [relu]}}\n"
    ),
    "in prose": (
        "archdsl: 1\nnetwork: N\ndoc: >  # why\n  # not a comment\n  folded\n\ninput: [3]\n"
        "body: |\n  a: relu # b\n    # c\n"
    ),
    "quoted": "archdsl: 1\nnetwork: N\ndoc: 'a # b\n  # c'\ninput: [3]\nbody:\n  a: 'f(\"# d\")'\t# e\n",
    "around everything": (
        "# a\n\n\n# b\narchdsl: 1\n\n\n\n# c\n\nbody: {a: relu}\n\n# d\ninput: [3]\nnetwork: N\n# e\n\n\n# f\n"
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_comments_of_yaml(name: str) -> None:
    check_comments(ODD[name], "yaml")


def test_comments_stay_with_what_they_are_about() -> None:
    text = (
        "archdsl: 1\nnetwork: N\ninput: [3]\nparameters:\n"
        "  n:\n    type: dim\n    value: 10\n  # about m\n  m: 3\n"
        "body:\n  s1:\n    blocks:\n      - relu\n      # the rest of s1\n  # about s2\n  s2:\n    blocks:\n"
        "      - relu\n"
    )
    made = convert(text, "yaml", "yaml")
    assert "  n: {type: dim, value: 10}\n  # about m\n  m: 3\n" in made
    assert "      - relu\n      # the rest of s1\n  # about s2\n  s2:\n" in made
    made = convert(text, "yaml", "arch")
    assert "    relu\n    # the rest of s1\n  }\n  # about s2\n  stage s2 {\n" in made


def test_comments_are_found() -> None:
    found = {name: sorted(text.strip("# ") for text in comments_of(ODD[name], "yaml")) for name in ODD}
    assert found == {
        "the language's text under a name like a key": ["kept", "kept too"],
        "document marks": list("abcdef"),
        "inside lists and mappings": sorted(
            ["n", "channels", "columns", "p", "first", "value", "the stem", "stage"]
        ),
        "in prose": ["b", "c", "why"],
        "quoted": ["e"],
        "around everything": list("abcdef"),
    }


# --- what it looks like


def arch(body: str, signature: str = "(x: [C]) -> [C]") -> str:
    return f"archdsl 1\n\nblock b{signature} {{\n{body}}}\n"


LAID_OUT = {
    "a pipeline keeps its lines": (
        "  y = x |> aa\n |> bb |>\n cc: dd(1)\n  return y\n",
        "  y = x |> aa\n        |> bb\n        |> cc: dd(1)\n  return y\n",
    ),
    "a pipeline broken before its first step": (
        "  y = xs\n  |> aa |> bb\n  return y\n",
        "  y = xs\n      |> aa |> bb\n  return y\n",
    ),
    "a pipeline that is too long": (
        f"  return x |> {'a' * 50} |> {'b' * 30} |> {'c' * 30} |> dd\n",
        f"  return x |> {'a' * 50} |> {'b' * 30}\n           |> {'c' * 30} |> dd\n",
    ),
    "a call that is too long": (
        f"  y = f({'a' * 60}, k = {'b' * 40}, m = {'c' * 20})\n  return y\n",
        f"  y = f({'a' * 60}, k = {'b' * 40},\n        m = {'c' * 20})\n  return y\n",
    ),
    "a sum that is too long": (
        f"  y = {'a' * 60} + {'b' * 50} - {'c' * 20} * d\n  return y\n",
        f"  y = {'a' * 60} + {'b' * 50}\n      - {'c' * 20} * d\n  return y\n",
    ),
    "a requirement that is too long": (
        f'  require {"a" * 60} else "{"b" * 60}"\n',
        f'  require {"a" * 60}\n    else "{"b" * 60}"\n',
    ),
    "a decision on one line": ("  if a { y = x } else { y = z }\n", "  if a { y = x } else { y = z }\n"),
    "a decision of two statements": ("  if a { y = x; z = x }\n", "  if a {\n    y = x\n    z = x\n  }\n"),
    "a decision that is too long": (
        f"  if a {{ y = {'a' * 50} + {'b' * 55} }}\n",
        f"  if a {{\n    y = {'a' * 50} + {'b' * 55}\n  }}\n",
    ),
    "blank lines": ("\n\n  y = x\n\n\n  z = y\n\n", "  y = x\n\n  z = y\n"),
    "several statements on a line": ("  y = x;  z = y ;return z\n", "  y = x\n  z = y\n  return z\n"),
    "else if": (
        "  if a {\n  y = x } else { if b { y = x\n } else { } }\n",
        "  if a {\n    y = x\n  } else if b {\n    y = x\n  }\n",
    ),
    "negation": ("  y = not a is none\n", "  y = a is not none\n"),
}


@pytest.mark.parametrize("name", LAID_OUT)
def test_layout(name: str) -> None:
    written, made = LAID_OUT[name]
    assert convert(arch(written), "arch", "arch") == arch(made)
    assert convert(arch(made), "arch", "arch") == arch(made)


def test_long_signatures_wrap() -> None:
    params = ", ".join(f"parameter_{i}: dim = {i}" for i in range(6))
    text = convert(arch("", f"(x: [C, H, W]; {params}) -> [C, H, W]"), "arch", "arch")
    lines = text.splitlines()[2:]
    assert lines[0].endswith(",") and lines[1].startswith("        parameter_")
    assert lines[2] == "    -> [C, H, W] {" and max(map(len, lines)) <= 120
    assert convert(text, "arch", "arch") == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("conv(8)", "conv(8)"),
        ("no", "'no'"),
        ("NO", "'NO'"),
        ("Yes", "'Yes'"),
        ("null", "'null'"),
        ('f(mode = "a: b")', "'f(mode = \"a: b\")'"),
        ('f(mode = "it\'s # a")', "'f(mode = \"it''s # a\")'"),
        ('f("it\'s")', 'f("it\'s")'),
        ("f([1, 2])", "f([1, 2])"),
        ("f(-1)", "f(-1)"),
    ],
)
def test_quotes_of_expressions(text: str, written: str) -> None:
    arch_text = f"archdsl 1\n\nnetwork N(x: [3]) {{\n  a: {text}\n}}\n"
    made = convert(arch_text, "arch", "yaml")
    assert made.endswith(f"body:\n  a: {written}\n")
    assert convert(made, "yaml", "arch") == arch_text


@pytest.mark.parametrize(
    ("doc", "written"),
    [
        ("A sentence (of 3), it's so.", "A sentence (of 3), it's so."),
        ("With: a colon", "'With: a colon'"),
        ("it's: so", "'it''s: so'"),
        ("", "''"),
        (" led by a blank", "' led by a blank'"),
        ("two\nlines", "|\n  two\n  lines"),
        ("two\n\n  lines: # 1", "|\n  two\n\n    lines: # 1"),
        ("two\nlines\n", '"two\\nlines\\n"'),
        (" two\nlines", '" two\\nlines"'),
        ('a tab\t"\\', '"a tab\\t\\"\\\\"'),
        ("\r\x01\u2028", '"\\r\\x01\\u2028"'),
    ],
)
def test_quotes_of_docstrings(doc: str, written: str) -> None:
    document = read("archdsl: 1\nnetwork: N\ndoc: x\ninput: [3]\nbody: {}\n", "yaml")
    document = document.replace(networks=(document.networks[0].replace(doc=doc),))
    text = printed(document, "yaml")
    assert f"\ndoc: {written}\n\ninput:" in text or f"\ndoc: {written}\ninput:" in text
    assert read(text, "yaml").networks[0].doc == doc
    assert read(printed(document, "arch"), "arch").networks[0].doc == doc


def test_places_behind_doubled_quotes() -> None:
    text = "archdsl: 1\nnetwork: N\ninput: [3]\nbody:\n  a: 'f(\"it''s\", 3 +)'\n"
    with pytest.raises(ArchError) as caught:
        read(text, "yaml")
    (mistake,) = caught.value.diagnostics
    assert (mistake.span.line, mistake.span.column) == (5, 21)
    call = read(text.replace(" +", ""), "yaml").networks[0].body[0].call
    assert call.args[0].value.value == "it's" and call.args[1].value.span.column == 18


def test_records_that_lack_brackets_get_them() -> None:
    one = s.Num(1, NOWHERE)
    total = s.Binary("+", one, one, one.span)
    for expr, text in [
        (s.Binary("*", total, total, one.span), "(1 + 1) * (1 + 1)"),
        (s.Unary("-", total, one.span), "-(1 + 1)"),
        (s.Binary("-", one, total, one.span), "1 - (1 + 1)"),
        (s.ListExpr((s.Binary("*", one, one, one.span),), one.span), "[(1 * 1)]"),
        (s.Index(total, one, one.span), "(1 + 1)[1]"),
    ]:
        assert flat(expr) == text


def test_numbers_are_printed_as_they_were_written_where_they_are_what_was_written() -> None:
    def of(value: float, written: str) -> str:
        source = Source("text", written)
        return flat(s.Num(value, Span(source, 1, 1, 1, len(written) + 1)))

    for value, written in ((0.1, "0.10"), (1e-5, "1e-5"), (1e-5, "0.00001"), (4, "4"), (100.0, "1E2")):
        assert of(value, written) == written
    for value, written, made in ((3, "4", "3"), (4, "4.0", "4"), (4.0, "4", "4.0"), (0.5, "0.25", "0.5")):
        assert of(value, written) == made


# --- what the readers take since there are printers


def test_blocks_of_text_hold_what_mappings_cannot_say() -> None:
    text = (
        "archdsl: 1\nnetworks: |\n  network N(x: [3, 8, 8]) { a: relu }\nblocks: |\n  # none\n"
        "variants: |\n  space Z : N { unset a; a = 1 }\n  variant V : elsewhere { }\n"
        'keys: |\n  keys timm { head { "a" -> "b"; "a" -> "c" } }\n'
    )
    document = read(text, "yaml")
    assert [part.name for part in document.variants] == ["V", "Z"]
    assert document.keys[0].blocks[0].block == "head" and len(document.keys[0].blocks[0].rules) == 2
    assert read(convert(text, "yaml", "arch"), "arch") == document
    check_comments(text, "yaml")


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("blocks: |\n  network N(x: [3]) { }\n", "E0505", 2),
        ('variants: |\n  import "a"\n', "E0505", 2),
        ("variants: |\n  archdsl 1\n  variant V : N { }\n", "E0505", 2),
        ("networks: |\n  network N(x: [3]) {\n    a: relu relu\n  }\n", "E0101", 4),
        ("network: N\ninput: [3]\nbody: {}\nfeatures: [a b]\n", "E0101", 5),
        ("network: N\ninput: [3]\nbody: {}\nfeatures: ['a[1]']\n", "E0505", 5),
        ("network: N\ninput: [3]\nbody: {s1: {blocks: [f, -f]}}\n", "E0505", 4),
        ("keys: {timm: {'my block': {a: b}}}\n", "E0105", 2),
        ("keys: {timm: {ffn: {a: []}}}\n", "E0504", 2),
    ],
)
def test_what_text_cannot_say_yaml_does_not_read(text: str, code: str, line: int) -> None:
    with pytest.raises(ArchError) as caught:
        read("archdsl: 1\n" + text, "yaml")
    (mistake,) = caught.value.diagnostics
    assert (mistake.code, mistake.span.line) == (code, line)
