"""Faults of documents in YAML."""

from __future__ import annotations

from faults.case import Case

DOCUMENT = """archdsl: 1
import: efficientformerv2
network: N
input: [3, 32, 32]
body:
  stem: conv_stem(32)
"""
STAGE = "  s1:\n    width: 32\n    blocks:\n"
PARAMETERS = "parameters:\n"
BLOCK = DOCUMENT + '  next: b\nblocks:\n  b:\n    signature: "(x: [C, H, W]) -> [C, H, W]"\n'


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
    yaml(
        "repetition of a choice in brackets",
        DOCUMENT + PARAMETERS + "  a: [each choose {2, 3} *‸ 2]\n",
        "E0501",
        "quote an expression that repeats in brackets",
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
    yaml(
        "misspelt argument of every model",
        DOCUMENT + PARAMETERS + "  ‸drop_paht: 0.1\n",
        "E0220",
        "nothing reads the parameter 'drop_paht'",
        "did you mean 'drop_path'?",
    ),
    yaml("no", DOCUMENT + PARAMETERS + "  a: ‸no\n", "E0507", "'no' means nothing here", "write false"),
    yaml("yes", DOCUMENT + PARAMETERS + "  a: ‸Yes\n", "E0507", "write true"),
    yaml("null", DOCUMENT + PARAMETERS + "  a: ‸null\n", "E0507", "write none"),
    yaml("octal or not", DOCUMENT + PARAMETERS + "  a: ‸010\n", "E0108", "begins with a zero"),
    yaml("a time", DOCUMENT + PARAMETERS + "  a: ‸12:30\n", "E0108", "is no number here", "write 750"),
    yaml("a date", DOCUMENT + PARAMETERS + "  a: ‸2001-01-01\n", "E0108", "no date here", "in double quotes"),
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
        DOCUMENT + PARAMETERS + "  ‸a: {type: dim}\n",
        "E0402",
        "'a' has no value",
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
    # --- values that mean something in other YAML
    yaml("on", DOCUMENT + PARAMETERS + "  a: ‸on\n", "E0507", "'on' means nothing here", "write true"),
    yaml("off", DOCUMENT + PARAMETERS + "  a: ‸OFF\n", "E0507", "write false"),
    yaml("tilde", DOCUMENT + PARAMETERS + "  a: ‸~\n", "E0507", "write none"),
    yaml("no in a list", DOCUMENT + PARAMETERS + "  a: [true, ‸no]\n", "E0507", "write false"),
    yaml(
        "underscores",
        DOCUMENT + PARAMETERS + "  a: ‸1_000\n",
        "E0108",
        "'1_000' is no number here",
        "write 1000",
    ),
    yaml("base sixteen", DOCUMENT + PARAMETERS + "  a: ‸0x10\n", "E0108", "write 16"),
    yaml("base eight", DOCUMENT + PARAMETERS + "  a: ‸0o17\n", "E0108", "write 15"),
    yaml("no zero before the point", DOCUMENT + PARAMETERS + "  a: ‸.5\n", "E0108", "write 0.5"),
    yaml("no digit behind the point", DOCUMENT + PARAMETERS + "  a: ‸5.\n", "E0108", "write 5.0"),
    yaml("plus", DOCUMENT + PARAMETERS + "  a: ‸+1\n", "E0108", "write 1"),
    yaml("infinity", DOCUMENT + PARAMETERS + "  a: ‸-.inf\n", "E0108", "infinite or undefined"),
    yaml("comma for a point", DOCUMENT + PARAMETERS + "  a: ‸0,5\n", "E0108", "write 0.5"),
    yaml("underscores in a call", DOCUMENT + "  a: conv2d(‸1_000)\n", "E0108", "write 1000"),
    yaml("zero in front in a call", DOCUMENT + "  a: conv2d(‸010)\n", "E0108", "write 10"),
    # --- form
    yaml("comma missing in a list", DOCUMENT + PARAMETERS + "  a: [1 ‸2]\n", "E0101", "expected ','"),
    yaml(
        "list not closed on its line",
        DOCUMENT + PARAMETERS + "  a: ‸[1, 2\n  b: 1\n",
        "E0501",
        "close what is opened",
    ),
    yaml("colon missing", DOCUMENT + "  ‸a relu\n  b: relu\n", "E0501", "parted by ': '"),
    yaml("line indented too far", DOCUMENT + "   ‸a: relu\n", "E0501", "indent it as the lines around it are"),
    yaml(
        "line indented too little",
        DOCUMENT + "  a: relu\n‸b: relu\n  c: relu\n",
        "E0501",
        "indent it as the lines around it are",
    ),
    yaml("dash missing", DOCUMENT + STAGE + "      - ffn\n        ‸ffn\n", "E0507", "begin it with '- '"),
    yaml(
        "blocks beside their stage",
        DOCUMENT + "  s1:\n    width: 32\n  ‸blocks:\n    - ffn\n",
        "E0505",
        "indent it below the stage",
    ),
    yaml(
        "bracket in a list in brackets",
        DOCUMENT + "  s1: {blocks: [ffn(expansion = e‸[0])]}\n",
        "E0501",
        "one item a line",
    ),
    # --- blocks
    yaml(
        "body that is folded", BLOCK + "    body: ‸>\n      return x\n", "E0507", "'>' joins lines", "write '|'"
    ),
    yaml(
        "body on the line of its key",
        BLOCK + "    body: ‸return x\n",
        "E0505",
        "a block of text",
        "write 'body: |'",
    ),
    yaml("block without a body", BLOCK.replace("  b:", "  ‸b:"), "E0504", "has no 'body'", "add body: |"),
    yaml(
        "block without a signature",
        BLOCK.partition("    signature")[0].replace("  b:", "  ‸b:") + "    body: |\n      return x\n",
        "E0504",
        "has no 'signature'",
    ),
    yaml(
        "block whose argument has no type",
        BLOCK.replace("H, W])", "H, W]; ‸k = 3)") + "    body: |\n      return x\n",
        "E0218",
        "has no type",
        "write k: dim = ...",
    ),
    yaml(
        "signature that is a list",
        BLOCK.replace('"(x: [C, H, W]) -> [C, H, W]"', "‸[x]") + "    body: |\n      return x\n",
        "E0505",
        "a signature is text",
    ),
    yaml(
        "statement in a body",
        BLOCK + "    body: |\n      y = x\n      retrun ‸y\n",
        "E0101",
        "did you mean 'return'?",
    ),
    yaml(
        "fault in a body",
        BLOCK + "    body: |\n      return x |> c: ‸convv2d(C)\n",
        "E0202",
        "did you mean 'conv2d'?",
    ),
    yaml(
        "networks under blocks",
        DOCUMENT + "blocks: ‸|\n  network M(x: [3, 8, 8]) { a: relu }\n",
        "E0505",
        "'blocks' holds nothing else",
    ),
]
