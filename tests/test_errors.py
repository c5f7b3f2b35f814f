"""What a user is told about a wrong document: code, place, what was found, a way out.

In the table of cases a `‸` stands right before the place that the message must name; it is taken out
before the document is written. Whole messages are golden files (tests/golden/errors).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from archdsl.network import load
from archdsl.source import SHOWN_ERRORS, ArchError

MARK = "‸"


class Case(NamedTuple):
    """A document with one fault: the error's code, and parts of what is printed about it."""

    name: str
    text: str
    code: str
    said: tuple[str, ...]
    ending: str = ".arch"


HEADER = 'archdsl 1\nimport "convolution"\n'
NETWORK = HEADER + "network N(x: [3, 32, 32]) {\n  stem: wrong\n}\n"


def block(body: str, signature: str = "(x: [C, H, W]) -> [C, H, W]") -> str:
    """A network that calls a block of this body."""
    return f"{NETWORK}block wrong{signature} {{\n  {body}\n}}\n"


def stage(line: str) -> str:
    """A network with one stage of 32 channels, whose blocks are this line."""
    entries = f"  stem: conv_stem(32)\n  stage s1(32) {{\n    {line}\n  }}\n"
    return f'archdsl 1\nimport "efficientformerv2"\nnetwork N(x: [3, 32, 32]) {{\n{entries}}}\n'


TEXT = [
    # --- syntax
    Case(
        "signature not closed",
        "archdsl 1\nblock b(x: [C, H, W] ‸-> [C] { return x }\n",
        "E0101",
        ("'->'", "')'"),
    ),
    Case("comma missing", "archdsl 1\nblock b(x: [C, H ‸W]) -> [C] { return x }\n", "E0101", ("'W'", "','")),
    Case(
        "text ends early",
        "archdsl 1\nblock b(x: [C]) -> [C] {\n  return x‸\n",
        "E0101",
        ("ends too early", "'}'"),
    ),
    Case(
        "one brace too many",
        "archdsl 1\nblock b(x: [C]) -> [C] { return x }\n‸}\n",
        "E0101",
        ("'}'", "the end"),
    ),
    Case(
        "keyword of the file misspelt",
        "archdsl 1\n‸blok b(x: [C]) -> [C] { return x }\n",
        "E0101",
        ("'blok'", "'block'"),
    ),
    Case("statement misspelt", block("retrun ‸x"), "E0101", ("did you mean 'return'?",)),
    Case("two statements on a line", block("y = x ‸z = x"), "E0101", ("parted by line ends or ';'",)),
    Case("chained comparison", block("n = 1 < 2 ‸< 3\n  return x"), "E0101", ("unexpected '<'",)),
    Case("if expression without else", block("n = if true { 1 }‸\n  return x"), "E0101", ("'else'",)),
    Case("for without in", block("for i ‸= 3 { }\n  return x"), "E0101", ("expected 'in'",)),
    Case("semicolon in a call", block("return x |> c: conv2d(C‸; kernel = 3)"), "E0101", ("unexpected ';'",)),
    Case("word of the language as a name", block("if ‸= 1\n  return x"), "E0101", ("unexpected '='",)),
    Case("single quotes", block("n = ‸'a'\n  return x"), "E0102", ("double quotes",)),
    Case("string not closed", block('n = ‸"a\n  return x'), "E0102", ("does not end on its line",)),
    Case("exclamation mark", block("n = ‸!true\n  return x"), "E0102", ("'not'",)),
    Case("letter that is not ASCII", block("‸é = 1\n  return x"), "E0102", ("'\\xe9'", "ASCII letters")),
    Case("digit that is not ASCII", block("n = ‸٣\n  return x"), "E0102", ("'\\u0663'",)),
    Case("unknown escape", block('‸"a\\q"\n  return x'), "E0106", ("'\\q'", "\\n")),
    Case(
        "number with a leading zero", block("n = ‸010\n  return x"), "E0108", ("begins with a zero", "write 10")
    ),
    Case(
        "number of 33 characters",
        block("n = ‸" + "9" * 33 + "\n  return x"),
        "E0108",
        ("at most 32 characters",),
    ),
    Case("number beyond doubles", block("n = ‸1e999\n  return x"), "E0108", ("1e999 is larger",)),
    Case(
        "version of the future",
        "archdsl ‸2\nblock b(x: [C]) -> [C] { return x }\n",
        "E0107",
        ("version 1", "not 2"),
    ),
    Case("no version", "‸block b(x: [C]) -> [C] { return x }\n", "E0107", ("does not say", "'archdsl 1'")),
    Case("empty text", "‸", "E0107", ("does not say its version",)),
    Case("label of two words", block("return ‸[x]: conv2d(C)"), "E0109", ("a label is a name",)),
    # --- names
    Case(
        "variable is a word of Python", block("‸class = 1\n  return x"), "E0105", ("'class'", "word of Python")
    ),
    Case("label is an attribute of Module", block("return x |> ‸train: conv2d(C)"), "E0105", ("nn.Module",)),
    Case(
        "label is a name of generated files", block("return x |> ‸nn: conv2d(C)"), "E0105", ("generated files",)
    ),
    Case("label with an underscore first", block("return x |> ‸_a: conv2d(C)"), "E0105", ("a letter first",)),
    Case("label of 65 letters", block(f"return x |> ‸{'a' * 65}: conv2d(C)"), "E0105", ("at most 64",)),
    Case(
        "parameter is a word of Python",
        block("return x", "(x: [C, H, W]; ‸lambda: dim = 1) -> [C, H, W]"),
        "E0105",
        ("'lambda'",),
    ),
    Case(
        "extent is a word of Python",
        block("return x", "(x: [‸lambda, H, W]) -> [3, H, W]"),
        "E0105",
        ("'lambda'",),
    ),
    Case("extent of a let is reserved", block("y: [C, ‸self, W] = x\n  return y"), "E0105", ("'self'",)),
    Case(
        "parameter written twice",
        block("return x", "(x: [C, H, W]; k: dim = 1, ‸k: dim = 2) -> [C, H, W]"),
        "E0206",
        ("'k'", "net.arch:6:27"),
    ),
    Case(
        "parameter named like an extent",
        block("return x", "(x: [C, H, W]; ‸C: dim = 1) -> [C, H, W]"),
        "E0206",
        ("'C' is written twice",),
    ),
    Case(
        "tensor written twice",
        block("return x", "(x: [C, H, W], ‸x: [C, H, W]) -> [C, H, W]"),
        "E0206",
        ("'x'",),
    ),
    Case(
        "unknown type",
        block("return x", "(x: [C, H, W]; k: ‸ratoi = 1) -> [C, H, W]"),
        "E0218",
        ("'ratoi'", "'ratio'"),
    ),
    Case(
        "unknown name",
        block("width = 3\n  return x |> c: conv2d(‸widht)"),
        "E0201",
        ("'widht'", "did you mean 'width'?"),
    ),
    Case("Python's None", block("n = ‸None\n  return x"), "E0201", ("unknown name 'None'", "'none'")),
    Case(
        "unknown primitive",
        block("return x |> c: ‸convv2d(C)"),
        "E0202",
        ("'convv2d'", "did you mean 'conv2d'?"),
    ),
    Case("unknown block", block("return x |> c: ‸conv_nb(C)"), "E0202", ("did you mean 'conv_bn'?",)),
    Case("unknown function", block("n = ‸cel(3 / 2)\n  return x"), "E0202", ("did you mean 'ceil'?",)),
    Case("unknown entry", NETWORK.replace("wrong", "‸convv2d"), "E0202", ("did you mean 'conv2d'?",)),
    Case(
        "unknown feature",
        NETWORK.replace("wrong\n", "relu\n  features ‸stam\n"),
        "E0201",
        ("did you mean 'stem'?",),
    ),
    Case("unknown mode", block("‸output trian = x\n  return x"), "E0209", ("'trian'", "'train'")),
    Case(
        "unknown initialiser",
        block("y = x |> c: conv2d(C)\n  init c = ‸zeroes\n  return y"),
        "E0210",
        ("'zeroes'", "'zeros'"),
    ),
    Case(
        "init of no label",
        block("y = x |> conv: conv2d(C)\n  init ‸cnv = zeros\n  return y"),
        "E0201",
        ("'cnv'", "'conv'"),
    ),
    Case(
        "init of a block",
        block("y = x |> c: conv_bn(C)\n  init ‸c = zeros\n  return y"),
        "E0210",
        ("is a block", "c.conv"),
    ),
    # --- arguments
    Case(
        "unknown argument",
        block("return x |> c: conv2d(C, ‸kernal = 3)"),
        "E0401",
        ("'kernal'", "did you mean 'kernel'?"),
    ),
    Case(
        "unknown argument of a block",
        block("return x |> c: conv_bn(C, ‸kernal = 3)"),
        "E0401",
        ("did you mean 'kernel'?",),
    ),
    Case(
        "two positional arguments",
        block("return x |> c: conv2d(C, ‸3)"),
        "E0404",
        ("one positional argument", "kernel = ..."),
    ),
    Case(
        "argument given twice",
        block("return x |> c: conv2d(C, ‸out_channels = C)"),
        "E0404",
        ("'out_channels' twice",),
    ),
    Case("argument missing", block("return x |> ‸c: conv2d"), "E0402", ("needs 'out_channels'",)),
    Case(
        "argument of a block missing",
        NETWORK.replace("wrong", "‸wrong") + "block wrong(x: [C, H, W]; k: dim) -> [C, H, W] { return x }\n",
        "E0402",
        ("wrong needs 'k'", "wrong(k = ...)"),
    ),
    Case("string for a number", block('return x |> c: conv2d(‸"3")'), "E0403", ("of type dim", '"3"')),
    Case("truth for a number", block("return x |> c: conv2d(‸true)"), "E0403", ("can't be true",)),
    Case("half a channel", block("return x |> c: conv2d(‸C / 2)"), "E0403", ("C / 2 = 1.5", "whole number")),
    Case("zero channels", block("return x |> c: conv2d(‸C - 3)"), "E0403", ("at least 1",)),
    Case(
        "even kernel of a block", block("return x |> c: conv_bn(C, ‸kernel = 4)"), "E0403", ("it must be odd",)
    ),
    Case(
        "kernel of three numbers", block("return x |> c: conv2d(C, ‸kernel = [3, 3, 3])"), "E0403", ("got 3",)
    ),
    Case(
        "unknown mode of upsample",
        block('return x |> upsample(2, ‸mode = "cubic")'),
        "E0403",
        ('"cubic"', "bicubic"),
    ),
    Case("none where a number is", block("return x |> c: conv2d(‸none)"), "E0403", ("can't be none",)),
    Case(
        "tensor for a number",
        block("return x |> c: conv2d(C, ‸kernel = x)"),
        "E0403",
        ("a tensor [3, 32, 32]",),
    ),
    Case("number for a tensor", block("return 3 |> ‸relu"), "E0403", ("takes tensors, got 3",)),
    Case("function of a tensor", block("n = ‸len(x)\n  return x"), "E0404", ("len takes numbers and lists",)),
    Case("tensor missing", block("return ‸add(x)"), "E0404", ("takes 2 tensors, got 1",)),
    Case(
        "tensor of a block missing",
        block("return x |> ‸two") + "block two(x: [C, H, W], y: [C, H, W]) -> [C, H, W] { return x }\n",
        "E0402",
        ("needs the tensor 'y'",),
    ),
    Case(
        "stream missing",
        NETWORK.replace("wrong", "‸wrong")
        + "block wrong(a: [C, H, W], b: [C, H, W]) -> [C, H, W] { return a }\n",
        "E0214",
        ("the stream 'a'", "streams here: x"),
    ),
    # --- labels
    Case(
        "weights without a label",
        block("return x |> ‸conv2d(C)"),
        "E0203",
        ("owns weights", "write label: conv2d"),
    ),
    Case("block with weights without a label", block("return x |> ‸conv_bn(C)"), "E0203", ("'conv_bn'",)),
    Case(
        "label used twice",
        block("return x |> c: conv2d(C) |> ‸c: conv2d(C)"),
        "E0204",
        ("'c' is used twice", "net.arch:7:15"),
    ),
    Case(
        "label with and without an index",
        block("return x |> c: conv2d(C) |> ‸c[1]: conv2d(C)"),
        "E0204",
        ("with and without",),
    ),
    Case("label that is a number's name", block("return x |> ‸C: conv2d(C)"), "E0204", ("name of a number",)),
    Case("negative index of a label", block("return x |> c[‸-1]: conv2d(C)"), "E0403", ("from 0",)),
    Case(
        "entry twice", NETWORK.replace("wrong\n", "relu\n  stem: ‸relu\n"), "E0204", ("'stem' is used twice",)
    ),
    Case("pinned block twice", stage("first: ffn; first: ‸ffn"), "E0204", ("'s1.first' is used twice",)),
    # --- shapes
    Case(
        "sum of unequal maps",
        block("y = x |> c: conv2d(C + 1)\n  return ‸x + y"),
        "E0302",
        ("'+'", "[3, 32, 32] and [4, 32, 32]"),
    ),
    Case(
        "product of unequal matrices",
        block('y = x |> rearrange("c h w -> c (h w)")\n  return ‸y @ y'),
        "E0302",
        ("@",),
    ),
    Case(
        "declared result",
        block("‸return x |> c: conv2d(C + 1)"),
        "E0301",
        ("returns [4, 32, 32], not [3, 32, 32]", "net.arch:6:30"),
    ),
    Case("declared let", block("y: [‸C + 1, H, W] = x\n  return y"), "E0301", ("not C + 1 = 4",)),
    Case("declared rank of a let", block("y: ‸[C, H] = x\n  return y"), "E0301", ("2 extents are written",)),
    Case(
        "rank of an input",
        block('return x |> rearrange("c h w -> c (h w)") |> ‸c: conv_bn(C)'),
        "E0301",
        ("x is [in_channels, H, W], got [3, 1024]",),
    ),
    Case(
        "groups that do not divide",
        block("return x |> ‸c: conv2d(C, groups = 2)"),
        "E0302",
        ("2 groups", "divisor of 3"),
    ),
    Case(
        "even kernel without padding",
        block("return x |> ‸c: conv2d(C, kernel = 4)"),
        "E0302",
        ("no middle", "padding"),
    ),
    Case(
        "window larger than the map",
        block("return x |> ‸c: conv2d(C, kernel = 99, padding = 0)"),
        "E0302",
        ("does not fit",),
    ),
    Case(
        "pattern of other rank",
        block('return x |> ‸rearrange("c h -> h c")'),
        "E0302",
        ("2 axes before the arrow",),
    ),
    Case("number of results", block("‸return x, x"), "E0301", ("returns 2 tensors and declares 1",)),
    Case("result that is a number", block("‸return 1"), "E0301", ("returns 1, not a tensor",)),
    Case(
        "result of training that is a number",
        block("output train = 1\n  ‸output eval = x"),
        "E0301",
        ("gives 1 in training",),
    ),
    Case(
        "no result",
        block("y = x").replace("block wrong", "block ‸wrong"),
        "E0211",
        ("returns nothing", "return tensor"),
    ),
    Case("statement after return", block("return x\n  ‸y = x"), "E0207", ("nothing runs after",)),
    Case(
        "stage in a block",
        block("stage ‸s(3) { relu }\n  return x"),
        "E0208",
        ("'stage' belongs to a network",),
    ),
    Case(
        "return in a network",
        NETWORK.replace("stem: wrong", "‸return x"),
        "E0208",
        ("networks return nothing",),
    ),
    Case(
        "input with a batch",
        NETWORK.replace("[3, 32, 32]", "‸[1, 3, 32, 32]"),
        "E0217",
        ("got 4 extents", "the batch is not written"),
    ),
    Case(
        "stage of another width",
        stage("ffn").replace("s1(32)", "s1(‸48)"),
        "E0301",
        ("has 32 channels, not 48",),
    ),
    Case(
        "stage in the head",
        stage("ffn").rstrip("}\n") + "}\n  head { stage ‸s2(32) { ffn } }\n}\n",
        "E0213",
        ("stands in the head",),
    ),
    # --- lists, each, loops
    Case(
        "each of unequal lengths",
        stage("ffn(expansion = each [4, 3], ‸kernel = each [3, 3, 5])"),
        "E0406",
        ("3 values, expansion has 2", "net.arch:6:9"),
    ),
    Case("each of a number", stage("ffn(expansion = each ‸4)"), "E0403", ("is a list, got 4",)),
    Case(
        "each outside a stage", block("return x |> c: conv_bn(‸each [1, 2])"), "E0406", ("no block of a stage",)
    ),
    Case("negative repetition", stage("ffn * ‸(-1)"), "E0403", ("from 0, got -1",)),
    Case("labelled block repeated", stage("‸first: ffn * 2"), "E0204", ("can't be repeated",)),
    Case("number as a block", stage("‸3"), "E0216", ("no block of a stage",)),
    Case(
        "element that is not there",
        block("n = [1, 2]\n  m = ‸n[2]\n  return x"),
        "E0407",
        ("element 2 in a list of 2", "0 to 1"),
    ),
    Case(
        "names and values",
        block("‸a, b = x |> split([1, 1, 1])\n  return a"),
        "E0408",
        ("2 names for a list of 3",),
    ),
    Case(
        "condition that is a number",
        block("if ‸C { return x }\n  return x"),
        "E0403",
        ("true or false, got C = 3",),
    ),
    Case("division by zero", block("n = ‸1 // 0\n  return x"), "E0303", ("division by zero",)),
    Case("power out of bounds", block("n = ‸2 ** 999999999\n  return x"), "E0303", ("too large",)),
    # --- requirements, calls
    Case("requirement", block('‸require C > 10 else "too thin"\n  return x'), "E0405", ("too thin",)),
    Case("block calls itself", block("return x |> ‸wrong"), "E0604", ("'wrong' calls itself",)),
    Case(
        "blocks call each other",
        block("return x |> other") + "block other(x: [C, H, W]) -> [C, H, W] { return x |> ‸wrong }\n",
        "E0604",
        ("'wrong' calls itself",),
    ),
    Case(
        "block written twice",
        block("return x") + "block ‸wrong(x: [C, H, W]) -> [C, H, W] { return x }\n",
        "E0205",
        ("'wrong' is written twice", "net.arch:6:7"),
    ),
    Case(
        "block named like a primitive",
        HEADER + "block ‸relu(x: [C, H, W]) -> [C, H, W] { return x }\n",
        "E0205",
        ("'relu' is a primitive",),
    ),
    Case(
        "something after the end of training",
        NETWORK.replace("wrong\n", "‸wrong\n  next: relu\n")
        + "block wrong(x: [C, H, W]) -> [C, H, W] {\n  output train = (x, x)\n  output eval = x\n}\n",
        "E0212",
        ("nothing can follow it",),
    ),
    Case(
        "import that is not there",
        NETWORK.replace('"convolution"', '‸"convolutoin"'),
        "E0701",
        ("did you mean 'convolution'?",),
    ),
    Case(
        "import that leaves its folder",
        NETWORK.replace('"convolution"', '‸"../convolution"'),
        "E0704",
        ("can't leave its folder",),
    ),
    Case(
        "import of itself",
        NETWORK.replace('"convolution"', '‸"net"'),
        "E0705",
        ("imports itself", "a third file"),
    ),
    Case(
        "several networks",
        NETWORK + "network M(x: [3, 32, 32]) {\n  stem: relu\n}\n",
        "E0708",
        ("several networks: N, M",),
    ),
    Case("no network", HEADER, "E0708", ("no network",)),
    Case("no entries", HEADER + "network ‸N(x: [3, 32, 32]) {\n}\n", "E0215", ("has no entries",)),
]

DOCUMENT = """archdsl: 1
import: efficientformerv2
network: N
input: [3, 32, 32]
body:
  stem: conv_stem(32)
"""
STAGE = "  s1:\n    width: 32\n    blocks:\n"
PARAMETERS = "parameters:\n"


def yaml(name: str, text: str, code: str, *said: str) -> Case:
    return Case(name, text, code, said, ".yaml")


YAML = [
    yaml(
        "key written twice", DOCUMENT + "‸network: M\n", "E0502", "'network' is written twice", "net.yaml:3:1"
    ),
    yaml("label written twice", DOCUMENT + "  ‸stem: relu\n", "E0502", "net.yaml:6:3"),
    yaml("unknown key", DOCUMENT + "‸paramters: {}\n", "E0503", "did you mean 'parameters'?"),
    yaml(
        "unknown key of a stage",
        DOCUMENT + STAGE.replace("width", "‸widht") + "      - ffn\n",
        "E0503",
        "did you mean 'width'?",
    ),
    yaml(
        "unknown key of a parameter",
        DOCUMENT + PARAMETERS + "  a: {value: 1, ‸typ: dim}\n",
        "E0503",
        "did you mean 'type'?",
    ),
    yaml("no body", DOCUMENT[: DOCUMENT.index("body")].replace("archdsl", "‸archdsl"), "E0504", "no 'body'"),
    yaml("empty file", "‸", "E0504", "the document is empty"),
    yaml("only a comment", "‸# nothing\n", "E0504", "the document is empty"),
    yaml("only a document marker", "‸---\n", "E0504", "the document is empty"),
    yaml("a list", "‸- a\n", "E0505", "a document is a mapping"),
    yaml("version of the future", DOCUMENT.replace(": 1", ": ‸2"), "E0107", "version 1", "not 2"),
    yaml("no version", "‸" + DOCUMENT[len("archdsl: 1\n") :], "E0107", "begin with 'archdsl: 1'"),
    yaml(
        "anchor", DOCUMENT.replace("conv_stem", "‸&a conv_stem"), "E0506", "anchors and aliases", "parameters"
    ),
    yaml("alias", DOCUMENT + "  next: ‸*a\n", "E0506", "anchors and aliases"),
    yaml("merge key", DOCUMENT + "  ‸<<: {}\n", "E0506", "merge keys"),
    yaml(
        "tag",
        DOCUMENT.replace("conv_stem", "‸!!python/name:os.system conv_stem"),
        "E0506",
        "python/name:os.system",
        "remove the tag",
    ),
    yaml("two documents", DOCUMENT + "‸---\na: b\n", "E0506", "a file holds one document"),
    yaml("folded scalar", DOCUMENT.replace("conv_stem", "‸>\n    conv_stem"), "E0507", "write it on one line"),
    yaml("literal scalar", DOCUMENT.replace("conv_stem", "‸|\n    conv_stem"), "E0507", "write it on one line"),
    yaml("scalar of two lines", DOCUMENT.replace("conv_stem(", "‸conv_stem(\n    "), "E0507", "join the lines"),
    yaml("escape in an expression", DOCUMENT + '  a: ‸"rel\\x75"\n', "E0507", "other kind of quotes"),
    yaml("no", DOCUMENT + PARAMETERS + "  a: ‸no\n", "E0507", "'no' means nothing here", "write false"),
    yaml("yes", DOCUMENT + PARAMETERS + "  a: ‸Yes\n", "E0507", "write true"),
    yaml("null", DOCUMENT + PARAMETERS + "  a: ‸null\n", "E0507", "write none"),
    yaml("octal or not", DOCUMENT + PARAMETERS + "  a: ‸010\n", "E0108", "begins with a zero"),
    yaml("a time", DOCUMENT + PARAMETERS + "  a: 12:‸30\n", "E0101", "unexpected"),
    yaml("a date", DOCUMENT + PARAMETERS + "  a: 2001-‸01-1\n", "E0108", "begins with a zero"),
    yaml(
        "call split at its comma",
        DOCUMENT + STAGE.replace("\n    blocks:\n", "\n    blocks: [‸ffn(2, kernel = 3]\n"),
        "E0507",
        "a comma inside a call splits a list",
    ),
    yaml("blocks that are no list", DOCUMENT + "  s1: {blocks: ‸ffn}\n", "E0505", "'blocks' is a list"),
    yaml("stage without blocks", DOCUMENT + "  ‸s1: {width: 32}\n", "E0504", "no 'blocks'"),
    yaml("stage of no blocks", DOCUMENT + "  ‸s1: {blocks: []}\n", "E0215", "has no blocks"),
    yaml(
        "stage of another width",
        DOCUMENT + STAGE.replace("32", "‸48") + "      - ffn\n",
        "E0301",
        "has 32 channels, not 48",
    ),
    yaml("tab", DOCUMENT + "‸\tnext: relu\n", "E0501", "spaces, not tabs"),
    yaml("bracket not closed", DOCUMENT + "features: ‸[stem\n", "E0501", "YAML"),
    yaml("quote not closed", DOCUMENT + '  a: ‸"relu\n', "E0501", "close what is opened here"),
    yaml("list multiplied", DOCUMENT + STAGE + "      - [ffn] *‸ 2\n", "E0501", "quote an expression"),
    yaml("colon in plain text", DOCUMENT + "  a: b‸: relu\n", "E0501", "quote an expression that holds ': '"),
    yaml("control character", DOCUMENT + 'doc: "‸\x07"\n', "E0102", "'\\x07'"),
    yaml("line separator", DOCUMENT + "doc: a‸\u2028b\n", "E0102", "'\\u2028'"),
    yaml("list as a key", DOCUMENT + "  ? ‸[a]\n  : relu\n", "E0505", "a key is a plain word"),
    yaml(
        "nested 33 deep",
        DOCUMENT + PARAMETERS + "  a: " + "[" * 30 + "‸[" + "]" * 31 + "\n",
        "E0508",
        "more than 32 deep",
    ),
    yaml(
        "entry that is a number",
        DOCUMENT + "  next: ‸3\n",
        "E0505",
        "the entry 'next' is no block",
        "write next: block",
    ),
    yaml("label with a keyword", DOCUMENT + "  ‸class: relu\n", "E0105", "'class' is reserved"),
    yaml("label in Cyrillic", DOCUMENT + "  ‸сtem: relu\n", "E0105", "ASCII"),
    yaml("network named like a keyword", DOCUMENT.replace(": N", ": ‸class"), "E0105", "'class'"),
    yaml("unknown block", DOCUMENT.replace("conv_stem", "‸conv_stm"), "E0202", "did you mean 'conv_stem'?"),
    yaml(
        "unknown argument in quotes",
        DOCUMENT + '  next: "ffn(‸expansoin = 3)"\n',
        "E0401",
        "did you mean 'expansion'?",
    ),
    yaml(
        "parameter without a value",
        DOCUMENT + PARAMETERS + "  a: ‸{type: dim}\n",
        "E0504",
        "'a' has no 'value'",
    ),
    yaml(
        "parameter of unknown type",
        DOCUMENT + PARAMETERS + "  a: {type: ‸dmi, value: 1}\n",
        "E0218",
        "did you mean 'dim'?",
    ),
    yaml(
        "parameter of another type",
        DOCUMENT + PARAMETERS + "  a: {type: odd, value: ‸4}\n",
        "E0403",
        "it must be odd",
    ),
    yaml(
        "classes by halves",
        DOCUMENT + PARAMETERS + "  num_classes: {type: real, value: ‸0.5}\n",
        "E0403",
        "a whole number",
    ),
    yaml("rate of two", DOCUMENT + PARAMETERS + "  drop_path: ‸2.0\n", "E0403", "a rate in [0, 1)"),
    yaml("value missing", DOCUMENT + PARAMETERS + "  a:‸\n", "E0504", "a value is missing"),
    yaml(
        "input that is a number",
        DOCUMENT.replace("[3, 32, 32]", "‸224"),
        "E0505",
        "write [channels, rows, columns]",
    ),
    yaml("input of no extent", DOCUMENT.replace("[3, 32", "[3, ‸0"), "E0403", "at least 1"),
    yaml(
        "second input that takes the first's name",
        DOCUMENT.replace("[3, 32, 32]", "{image: [3, 32, 32], ‸x: [3, 8, 8]}"),
        "E0206",
        "'x' is taken",
    ),
    yaml("feature of no entry", DOCUMENT + "features: [‸stam]\n", "E0201", "did you mean 'stem'?"),
    yaml(
        "import that is a mapping",
        DOCUMENT.replace(": efficientformerv2", ": ‸{a: b}"),
        "E0505",
        "name of a file",
    ),
    yaml("head that is a list", DOCUMENT + "head: ‸[a]\n", "E0505", "a mapping"),
]

CASES = [*TEXT, *YAML]


def mistakes_in(text: str, ending: str, folder: Path, **options: object) -> ArchError:
    """The error that loading and elaborating the document raises."""
    (folder / f"net{ending}").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(ArchError) as caught:
        _ = load(f"net{ending}", **options).graph  # type: ignore[arg-type]
    return caught.value


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Messages name files as they were given: relative names keep them free of this machine's paths.
    monkeypatch.chdir(tmp_path)


def test_cases_have_names_of_their_own() -> None:
    names = [case.ending + case.name for case in CASES]
    assert len(set(names)) == len(names) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.ending[1:]}-{case.name}")
def test_one_fault_gives_one_message_at_its_place(case: Case, tmp_path: Path) -> None:
    before, mark, _ = case.text.partition(MARK)
    error = mistakes_in(case.text.replace(MARK, ""), case.ending, tmp_path)
    assert error.exit_code == 2
    assert [mistake.code for mistake in error.diagnostics] == [case.code], str(error)
    text = str(error)
    for part in case.said:
        assert part in text
    if mark:
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        assert str(error.diagnostics[0].span) == f"net{case.ending}:{line}:{column}", text
    assert str(tmp_path) not in text


# --- several at once


def test_syntax_errors_of_all_blocks_come_at_once(tmp_path: Path) -> None:
    text = (
        "archdsl 1\nblock a(x: [C, H W]) -> [C] {\n  return x\n}\n"
        "block b(x: [C]) -> [C] {\n  return x +\n}\nnetwork N(x: [3, 8, 8]) {\n  a: relu relu\n}\n"
    )
    error = mistakes_in(text, ".arch", tmp_path)
    assert [str(mistake.span) for mistake in error.diagnostics] == [
        "net.arch:2:18",
        "net.arch:7:1",
        "net.arch:9:11",
    ]


def test_faults_of_one_block_come_at_once_and_what_follows_from_them_does_not(tmp_path: Path) -> None:
    body = (
        "a = x |> c: convv2d(C)\n  b = a |> d: conv2d(C)\n  e = x |> f: conv2d(C, kernal = 3)\n"
        "  g = x + y\n  return b + e + g"
    )
    error = mistakes_in(block(body), ".arch", tmp_path)
    assert [mistake.code for mistake in error.diagnostics] == ["E0202", "E0401", "E0201"]


def test_a_block_called_twice_is_blamed_once(tmp_path: Path) -> None:
    error = mistakes_in(
        block("y = z\n  return x").replace("stem: wrong", "a: wrong\n  b: wrong"), ".arch", tmp_path
    )
    assert len(error.diagnostics) == 1


def test_yaml_says_all_that_is_wrong_with_its_form(tmp_path: Path) -> None:
    text = DOCUMENT.replace(": 1", ": 3") + "features: {a: b}\nparamters: {}\n" + PARAMETERS + "  a: yes\n"
    error = mistakes_in(text, ".yaml", tmp_path)
    assert {mistake.code for mistake in error.diagnostics} == {"E0107", "E0505", "E0503", "E0507"}


def test_at_most_twenty_are_printed_and_the_rest_is_counted(tmp_path: Path) -> None:
    entries = "".join(f"  a{i}: nothing{i}\n" for i in range(30))
    text = str(mistakes_in(f"{HEADER}network N(x: [3, 8, 8]) {{\n{entries}}}\n", ".arch", tmp_path))
    assert text.count("error[") <= SHOWN_ERRORS
    lets = "".join(f"  a{i} = nothing{i}\n" for i in range(30))
    text = str(mistakes_in(block(lets + "  return x"), ".arch", tmp_path))
    assert text.count("error[") == SHOWN_ERRORS and text.endswith("and 10 more errors")


# --- imports


def test_a_fault_in_an_import_is_named_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.arch").write_text("archdsl 1\nblock b(x: [C) -> [C] { return x }\n", encoding="utf-8")
    error = mistakes_in(NETWORK.replace("convolution", "mine"), ".arch", tmp_path)
    assert [str(mistake.span) for mistake in error.diagnostics] == ["mine.arch:2:14"]


def test_a_cycle_of_imports_is_shown_with_its_links(tmp_path: Path, golden) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.arch").write_text(f'archdsl 1\nimport "{other}"\n', encoding="utf-8")
    error = mistakes_in(NETWORK.replace("convolution", "a"), ".arch", tmp_path)
    assert [mistake.code for mistake in error.diagnostics] == ["E0705"]
    golden("errors/import_cycle.txt", f"{error}\n")


def test_a_file_imported_by_two_ways_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_text('archdsl 1\nimport "convolution"\nimport "b"\n', encoding="utf-8")
    (tmp_path / "b.arch").write_text('archdsl 1\nimport "convolution"\n', encoding="utf-8")
    (tmp_path / "net.arch").write_text(
        NETWORK.replace('"convolution"', '"a"\nimport "b"').replace("wrong", "conv_bn(3)"), encoding="utf-8"
    )
    assert load("net.arch").stats().params == 3 * 3 + 3 + 6


def test_a_block_of_two_imports_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        text = "archdsl 1\nblock same(x: [C, H, W]) -> [C, H, W] { return x }\n"
        (tmp_path / f"{name}.arch").write_text(text, encoding="utf-8")
    error = mistakes_in(NETWORK.replace('"convolution"', '"a"\nimport "b"'), ".arch", tmp_path)
    assert [mistake.code for mistake in error.diagnostics] == ["E0205"]
    assert "block 'same' comes from two imports" in str(error)


# --- parameters and resolutions


def test_parameters_that_are_set_are_checked(tmp_path: Path) -> None:
    for setting, code, said in (
        ({"num_clases": 10}, "E0401", "did you mean 'num_classes'?"),
        ({"num_classes": "ten"}, "E0201", "unknown name 'ten'"),
        ({"num_classes": 0}, "E0403", "at least 1"),
        ({"num_classes": "1 +"}, "E0101", "the text ends too early"),
        ({"distilled": 3}, "E0403", "true or false"),
        ({"drop_path": 1}, "E0403", "a rate in [0, 1)"),
    ):
        with pytest.raises(ArchError) as caught:
            _ = load("s0", None, setting).graph
        assert [mistake.code for mistake in caught.value.diagnostics] == [code]
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("size", "legal"), [(208, "192 x 192 and 224 x 224"), (240, "224 x 224 and 256 x 256")]
)
def test_an_illegal_resolution_names_the_legal_ones_near_it(size: int, legal: str) -> None:
    with pytest.raises(ArchError) as caught:
        _ = load("s0", size).graph
    first = caught.value.diagnostics[0]
    assert first.code == "E0703" and f"{size} x {size}" in first.message
    assert first.help == f"legal near it: {legal}"


@pytest.mark.parametrize("size", [224, 192, 256, (192, 256)])
def test_legal_resolutions_are_taken(size: int | tuple[int, int]) -> None:
    assert load("s0", size).graph.resolution == (size if isinstance(size, tuple) else (size, size))


@pytest.mark.parametrize("size", [0, 16_385, (224, 10**9)])
def test_a_resolution_out_of_bounds_is_refused(size: int | tuple[int, int]) -> None:
    with pytest.raises(ArchError, match="out of bounds"):
        _ = load("s0", size).graph


# --- whole messages

WHOLE = {
    "mismatch": ".arch-sum of unequal maps",
    "argument": ".arch-unknown argument",
    "label": ".arch-label used twice",
    "missing_label": ".arch-weights without a label",
    "syntax": ".arch-signature not closed",
    "each": ".arch-each of unequal lengths",
    "requirement": ".arch-requirement",
    "declared": ".arch-declared result",
    "reserved": ".arch-label is an attribute of Module",
    "import": ".arch-import that is not there",
    "yaml_key": ".yaml-unknown key of a stage",
    "yaml_twice": ".yaml-key written twice",
    "yaml_anchor": ".yaml-anchor",
    "yaml_comma": ".yaml-call split at its comma",
    "yaml_truth": ".yaml-no",
    "yaml_tab": ".yaml-tab",
}


@pytest.mark.parametrize("file", WHOLE)
def test_whole_message(file: str, tmp_path: Path, golden) -> None:
    (case,) = [case for case in CASES if f"{case.ending}-{case.name}" == WHOLE[file]]
    golden(f"errors/{file}.txt", f"{mistakes_in(case.text.replace(MARK, ''), case.ending, tmp_path)}\n")


def test_whole_message_of_an_illegal_resolution(golden) -> None:
    with pytest.raises(ArchError) as caught:
        _ = load("s0", 208).graph
    golden("errors/resolution.txt", f"{caught.value}\n")


def test_whole_message_deep_in_a_chain_of_calls(tmp_path: Path, golden) -> None:
    text = stage("attention_block(stride = 3)")
    golden("errors/chain.txt", f"{mistakes_in(text, '.arch', tmp_path)}\n")
