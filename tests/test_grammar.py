"""The grammar: without conflicts, equal to its shipped tables, and the traps that earlier drafts fell into."""

from __future__ import annotations

from pathlib import Path

import pytest
from lark import Lark

import archdsl
from archdsl import assets, read_arch
from archdsl import syntax as s
from archdsl.network import load
from archdsl.read_arch import tables
from archdsl.read_arch.layout import DEEPEST, LONGEST_CHAIN, Layout
from archdsl.source import ArchError, Source

SPECS = Path(archdsl.__file__).parent.parent / "specs"


def expression(text: str) -> s.Expr:
    return read_arch.read_expression(Source("text", text), text, (0, 0))


def value(text: str) -> object:
    """What an expression of numbers comes to."""
    from archdsl.elaborate.binding import default_value
    from archdsl.elaborate.networks import plain
    from archdsl.library import Unit

    source = Source("text", "")
    span = expression("0").span
    unit = Unit(s.Document(1, (), (), (), (), (), None, span), source, {})
    return plain(default_value(expression(text), {}, unit))


def document(body: str, signature: str = "(x: [C, H, W]) -> [C, H, W]") -> s.Block:
    """The block of this signature and body."""
    text = f"archdsl 1\nblock b{signature} {{{body}}}\n"
    return read_arch.read(Source("text", text)).blocks[0]


def test_the_grammar_has_no_conflicts() -> None:
    # strict: not even conflicts that a default would settle, nor terminals that match the same text.
    grammar = assets.text("grammar", "archdsl.lark")
    Lark(grammar, postlex=Layout(), strict=True, **tables.OPTIONS)


def test_the_shipped_tables_are_those_of_the_grammar() -> None:
    assert assets.text("grammar", "tables.json") == tables.tables_text(tables.made_anew())


def test_reading_needs_no_lark(monkeypatch: pytest.MonkeyPatch) -> None:
    tables.shipped.cache_clear()
    monkeypatch.setattr(tables, "made_anew", lambda: pytest.fail("the grammar was read anew"))
    try:
        tables.shipped()
    finally:
        tables.shipped.cache_clear()


def test_outdated_tables_are_left_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    text = assets.text
    shipped = tables.shipped()
    tables.shipped.cache_clear()
    monkeypatch.setattr(
        assets, "text", lambda folder, file: "{}" if file == "tables.json" else text(folder, file)
    )
    try:
        assert tables.shipped() == shipped
    finally:
        tables.shipped.cache_clear()


# --- expressions: Python's precedence

SUMS = [
    "2 ** 3 ** 2",
    "-2 ** 2",
    "2 ** -1",
    "(-2) ** 2",
    "2 * -3",
    "7 // 2 * 2",
    "7 - 2 - 1",
    "-7 // 2",
    "-7 % 3",
    "1 + 2 * 3",
    "(1 + 2) * 3",
    "1 - -1",
    "8 / 2 / 2",
    "2 < 3 and not 3 < 2",
    "not 1 == 2",
    "1 == 1 or 2 == 3",
    "not 1 > 2 and 2 > 1",
    "1e3",
    "1e-5",
    "2.5",
    "1E3 + 1",
    "-1 ** 2 + 3",
    "2 * 3 ** 2",
    "min(3, 2) + max(1, 4)",
]


@pytest.mark.parametrize("text", SUMS)
def test_arithmetic_is_pythons(text: str) -> None:
    ours = value(text)
    theirs = eval(text, {"__builtins__": {"min": min, "max": max}})
    assert ours == theirs and isinstance(ours, bool) == isinstance(theirs, bool)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("not 3 is none", True),
        ("3 is not none", True),
        ("none is none", True),
        ("not none is none", False),
        ("not none is not none", True),
        ("[4 -1]", [3]),
        ("[4, -1]", [4, -1]),
        ("[4, 3 * 3]", [4, 3, 3, 3]),
        ("[(4 * 3)]", [12]),
        ("[2 * 2 * 3]", [4, 4, 4]),
        ("[]", []),
        ("[1, 2,]", [1, 2]),
        ("[i * i for i in range(3)]", [0, 1, 4]),
        ("[[1, 2][0]]", [1]),
        ("first([1, 2, 3], 0)", []),
        ("last([1, 2, 3], 0)", []),
        ("last([1, 2, 3], 2)", [2, 3]),
        ("ceil(7 / 2)", 4),
        ("floor(7 / 2)", 3),
        ("if 1 < 2 { 3 } else { 4 }", 3),
        ("if 1 > 2 { 3 } else if 1 > 3 { 4 } else { 5 }", 5),
        ("1 + (if true { 1 } else { 2 })", 2),
        ("divisible(6, 3)", True),
        ('"a" == "a"', True),
        ("relu", "relu"),
    ],
)
def test_expressions_of_the_language(text: str, result: object) -> None:
    assert value(text) == result


def test_not_binds_looser_than_is() -> None:
    # A draft inlined the rule and dropped the `not`.
    tree = expression("not a is none")
    assert isinstance(tree, s.Unary) and tree.op == "not"
    assert isinstance(tree.operand, s.Binary) and tree.operand.op == "is"


def test_pipes_bind_loosest() -> None:
    tree = expression("sum |> f")
    assert isinstance(tree, s.Pipe) and tree.source == s.Name("sum", tree.span)
    tree = expression("q @ k * 2 + bias: b(3) |> softmax |> mix: mix_heads")
    assert isinstance(tree, s.Pipe) and len(tree.steps) == 2
    assert isinstance(tree.source, s.Binary) and tree.source.op == "+"
    assert isinstance(tree.source.right, s.Labelled) and tree.source.right.label == "bias"


def test_places_of_expressions() -> None:
    tree = expression("a +\n  bc * d")
    assert isinstance(tree, s.Binary) and isinstance(tree.right, s.Binary)
    assert (tree.span.line, tree.span.column, tree.span.end_line, tree.span.end_column) == (1, 1, 2, 9)
    assert (tree.right.left.span.line, tree.right.left.span.column) == (2, 3)


# --- layout: where lines may break

SAME = [
    "y = x |> relu |> gelu\nreturn y",
    "y = x |> relu\n  |> gelu\nreturn y",
    "y = x\n  |> relu\n  |> gelu\n\n\nreturn y",
    "y = x |>\n relu |>\n\n gelu\nreturn y\n",
    "y = x |> relu |> gelu; return y",
    "y = x |> relu |> gelu;\nreturn y;",
    ";;y = x |> relu |> gelu;;return y;;",
    "\n\n# one\ny = x |> relu # two\n  # three\n  |> gelu\n# four\nreturn y # five\n",
    "y =\n  x |> relu |> gelu\nreturn y",
    "\ty\t=\tx |>\trelu |> gelu\n\treturn y\n",
    "y = x |> relu |> gelu \n return y ",
]


def bare(node: object) -> object:
    """A record without its places."""
    if isinstance(node, tuple) and not hasattr(node, "line"):
        return tuple(bare(item) for item in node)
    if hasattr(node, "_compared"):
        return type(node).__name__, tuple(bare(getattr(node, name)) for name in node._compared)
    return node


@pytest.mark.parametrize("body", SAME)
def test_lines_break_where_people_break_them(body: str) -> None:
    assert bare(document(body).body) == bare(document(SAME[0]).body)
    for ends in ("\r\n", "\n\n"):
        assert bare(document(body.replace("\n", ends)).body) == bare(document(SAME[0]).body)


def test_operators_may_begin_or_end_a_line() -> None:
    one = document("y = x + x * 2 - x\nreturn y")
    for body in ("y = x +\n x *\n 2 -\n x\nreturn y", "y = x\n + x\n * 2\n - x\nreturn y"):
        assert bare(document(body)) == bare(one)


def test_names_and_results_may_stand_on_several_lines() -> None:
    one = document("a, b = x |> split([1, 2])\ninit c, d = zeros\nreturn a, b")
    for body in (
        "a,\n b = x |> split([1, 2])\ninit c,\n  d = zeros\nreturn a,\n  b",
        "a\n, b = x |> split([1,\n2])\ninit c\n , d = zeros\nreturn a\n  , b",
    ):
        assert bare(document(body)) == bare(one)


def test_signatures_may_take_lines_and_trailing_commas() -> None:
    one = "(x: [C, H, W], y: [C]; a: dim, b: [int] = [1, 2], c: op? = none) -> (u: [C, H, W], [C])"
    two = (
        "(\n  x: [C,\n H, W,],\n  y: [C],\n  ;\n  a: dim,\n  b: [int] = [1, 2,],\n  c: op? = none,\n)\n"
        "    -> (\n u: [C, H, W],\n [C],\n)\n"
    )
    blocks = [document("return x, y", signature) for signature in (one, two)]
    assert bare(blocks[0]) == bare(blocks[1])
    assert [param.name for param in blocks[0].params] == ["a", "b", "c"]
    assert blocks[0].params[2].type == s.TypeName("op", False, True, blocks[0].span)


def test_if_and_else_in_all_layouts() -> None:
    bodies = [
        "if a { y = x } else if b { y = x } else { y = x }\nreturn y",
        "if a {\n  y = x\n}\nelse if b {\n  y = x\n}\nelse {\n  y = x\n}\nreturn y",
        "if a { y = x; } else if b\n{ y = x }\n\nelse\n{ y = x }; return y",
    ]
    blocks = [document(body) for body in bodies]
    assert bare(blocks[0]) == bare(blocks[1]) == bare(blocks[2])
    outer = blocks[0].body[0]
    assert isinstance(outer, s.If) and isinstance(outer.otherwise[0], s.If)
    assert len(outer.otherwise[0].otherwise) == 1


def test_for_and_empty_bodies() -> None:
    block = document("for i in range(3) { x = x |> c[i]: conv2d(C) }\nif a { } else { }\nreturn x")
    assert isinstance(block.body[0], s.For) and isinstance(block.body[1], s.If)
    assert document("").body == ()


def test_networks_of_one_line() -> None:
    text = (
        'archdsl 1; import "a"; network N(x: [3, 8, 8]; k = 2,) { "doc"; "more"; stem: f(k); '
        "stage s1(8) { f(each [1, 2]); g * 2; [f, g]; a: f; }; head { p: g }; features s1, s1.0 }"
    )
    made = read_arch.read(Source("text", text)).networks[0]
    assert made.doc == "doc\nmore"
    assert [type(statement) for statement in made.body] == [s.Entry, s.Stage, s.Head, s.Features]
    assert [type(item) for item in made.body[1].items] == [s.Call, s.Repeat, s.ListExpr, s.Labelled]
    assert [path.parts for path in made.body[3].labels] == [("s1",), ("s1", "0")]


@pytest.mark.parametrize("word", ["archdsl", "block", "network", "stage", "head", "init", "output", "features"])
def test_words_of_statements_are_names_elsewhere(word: str) -> None:
    body = f"y = x |> relu\nn = {word} + [{word}, {word}(1)][0]\nreturn y"
    assert isinstance(document(body).body[1], s.Let)
    if word == "features":  # reserved: generated networks have a method of that name
        return
    body = (
        f"{word} = x |> {word}: conv2d(C)\nfor {word} in [1] {{ }}\n{word}, y = {word}\nreturn {word} |> {word}"
    )
    block = document(body, f"({word}: [C, H, W]; a: dim = {word}) -> [C, H, W]")
    assert block.tensors[0].name == word
    first = block.body[0]
    assert isinstance(first, s.Let) and first.targets[0].name == word
    network = read_arch.read(
        Source("text", f"archdsl 1\nnetwork {word}(x: [3, 8, 8]) {{\n  {word}: relu\n}}\n")
    )
    assert network.networks[0].body[0].label == word


@pytest.mark.parametrize(
    "name", ["input", "x1", "x_1", "iff", "nothing", "elsewhere", "fore", "island", "e1", "noneX", "format"]
)
def test_names_that_begin_like_something_else(name: str) -> None:
    block = document(f"{name} = x |> {name}: conv2d(C)\nreturn {name}")
    assert isinstance(block.body[0], s.Let) and block.body[0].targets[0].name == name


@pytest.mark.parametrize(
    "body",
    [
        "y = x |> relu gelu",
        "return",
        "y = ",
        "y = x |>",
        "y = (x\nreturn x",
        "if { }",
        "1 = x",
        "x",
        "y: = x",
        "y = x |> 3",
    ],
)
def test_what_is_no_statement_is_refused(body: str) -> None:
    with pytest.raises(ArchError) as caught:
        document(body)
    assert caught.value.diagnostics[0].code == "E0101"


def test_comments_may_hold_anything() -> None:
    one = document("return x")
    two = document("# { ( [ \" ' ; |> é \u202e\nreturn x # }\n")
    assert bare(one) == bare(two)


def test_strings_keep_what_they_hold() -> None:
    block = document('"a # no comment; { \\" \\\\ \\n\\t é"\n""\n"c"\nreturn x')
    assert block.doc == 'a # no comment; { " \\ \n\t é\n\nc'


def test_many_lines_of_doc_are_read() -> None:
    # A draft built a tree as deep as the lines are many.
    assert document('"a"\n' * 5000 + "return x").doc == "\n".join(["a"] * 5000)


# --- bounds


def test_nesting_up_to_the_bound() -> None:
    for opening, closing in ("()", "[]"):
        expression(f"{opening * DEEPEST}1{closing * DEEPEST}")
        with pytest.raises(ArchError) as caught:
            expression(f"{opening * (DEEPEST + 1)}1{closing * (DEEPEST + 1)}")
        (mistake,) = caught.value.diagnostics
        assert mistake.code == "E0104" and mistake.span.column == DEEPEST + 1
    # The first is the brace of the block.
    document("if a { " * (DEEPEST - 1) + "}" * (DEEPEST - 1) + "\nreturn x")


def test_chains_up_to_the_bound() -> None:
    expression("1 + " * LONGEST_CHAIN + "1")
    # The signature around the braces has two: its arrow and a bracket.
    almost = "1 + " * (LONGEST_CHAIN - 2) + "1"
    document(f"n = {almost}\nm = f({almost}, {almost})\nreturn x")
    # What stands around a bracket counts in it, and what stands in it counts no more behind it.
    expression("(1 + 1) + " * LONGEST_CHAIN + "1")
    half = "1 + " * (LONGEST_CHAIN // 2)
    expression(f"{half}({half}1)")
    around = (f"{half}({half}1 + 1)", f"{half}f({half}1 + 1)", "(1) + " * (LONGEST_CHAIN + 1) + "a")
    chains = [chain * (LONGEST_CHAIN + 1) + "a" for chain in ("1 + ", "- ", "not ", "2 ** ")]
    for text in (*chains, *around):
        with pytest.raises(ArchError) as caught:
            expression(text)
        assert caught.value.diagnostics[0].code == "E0104"


# --- the same document in other dress


def dressed(text: str) -> dict[str, bytes]:
    return {
        "lines end in CRLF": text.replace("\n", "\r\n").encode(),
        "lines end in CR": text.replace("\n", "\r").encode(),
        "a BOM": b"\xef\xbb\xbf" + text.encode(),
        "no last line end": text.rstrip("\n").encode(),
        "spaces at line ends": text.replace("\n", "  \n").encode(),
    }


@pytest.mark.parametrize("file", ["blocks/convolution.arch", "blocks/efficientformerv2.arch", "s0.yaml"])
def test_files_in_other_dress_say_the_same(file: str, tmp_path: Path) -> None:
    from archdsl.library import read_document

    text = (SPECS / file).read_text(encoding="utf-8")
    forms = dressed(text)
    if file.endswith(".arch"):
        forms["tabs for spaces"] = text.replace("  ", "\t").encode()
    path = tmp_path / Path(file).name
    path.write_bytes(text.encode())
    plain, _ = read_document(str(path))
    for what, data in forms.items():
        path.write_bytes(data)
        assert bare(read_document(str(path))[0]) == bare(plain), what


def test_places_are_the_same_in_other_dress(tmp_path: Path) -> None:
    for ending, text in {
        ".arch": "archdsl 1\n\nnetwork N(x: [3, 8, 8]) {\n\ta: relu\n\tb: nothing\n}\n",
        ".yaml": "archdsl: 1\nnetwork: N\ninput: [3, 8, 8]\nbody:\n  b: nothing\n",
    }.items():
        path = tmp_path / f"net{ending}"
        for what, data in dressed(text).items():
            path.write_bytes(data)
            with pytest.raises(ArchError) as caught:
                _ = load(str(path)).graph
            (mistake,) = caught.value.diagnostics
            assert (mistake.span.line, mistake.span.column) == ((5, 5) if ending == ".arch" else (5, 6)), what
