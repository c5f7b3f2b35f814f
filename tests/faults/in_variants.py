"""Faults of variants, settings and bases, in both surfaces and on the command line; faults of key maps."""

from __future__ import annotations

from faults.case import Case

BASE = """archdsl 1
import "efficientformerv2"
network N(x: [3, 32, 32]; width = [32, 48], depth = 2) {
  stem: conv_stem(width[0], act = relu)
  stage s1(width[0]) { ffn(expansion = 3) * depth }
  head { pool: global_avg_pool }
  features s1
}
"""
YAML_BASE = """archdsl: 1
import: efficientformerv2
networks:
  N:
    input: [3, 32, 32]
    parameters:
      width: [32, 48]
    body:
      stem: conv_stem(width[0])
build: V
variants:
  V:
"""
KEYS = "archdsl: 1\nnetwork: N\ninput: [3, 8, 8]\nbody:\n  a: relu\nkeys:\n  timm:\n    ffn:\n"


def variant(name: str, settings: str, code: str, *said: str, kind: str = "variant") -> Case:
    return Case(name, f"{BASE}build V\n{kind} V : N {{\n  {settings}\n}}\n", code, said)


def setting(name: str, text: str, code: str, *said: str) -> Case:
    return Case(f"set {name}", BASE, code, said, settings=(text,))


def yaml(name: str, lines: str, code: str, *said: str) -> Case:
    return Case(f"variant {name}", YAML_BASE + lines, code, said, ".yaml")


VARIANTS = [
    # --- paths that are not there: the nearest that is
    variant(
        "parameter that is not there",
        "‸widht = [1]",
        "E0401",
        "no parameter, entry or stage 'widht'",
        "did you mean 'width'?",
    ),
    variant("stage that is not there", "‸s3.width = 48", "E0401", "did you mean 's1'?"),
    variant(
        "block that is not there",
        "‸s1.2.expansion = 4",
        "E0224",
        "no block '2'",
        "did you mean 's1.1.expansion'?",
    ),
    variant("number of a block left out", "‸s1.expansion = 4", "E0224", "did you mean 's1.0.expansion'?"),
    variant(
        "argument that is not there",
        "‸s1.1.expansoin = 4",
        "E0401",
        "ffn has no argument",
        "did you mean 'expansion'?",
    ),
    variant("argument of an entry that is not there", "‸stem.atc = relu", "E0401", "did you mean 'act'?"),
    variant(
        "path into a block",
        "‸s1.0.fc1.expansion = 4",
        "E0224",
        "did you mean 's1.0.expansion'?",
        "what a block has inside",
    ),
    variant("label of the head with its head", "‸head.pool = relu", "E0401", "did you mean 'pool'?"),
    variant("index of a stage", "‸s1[0].expansion = 4", "E0224", "named by numbers: s1.0"),
    variant("index of an entry", "‸stem[0] = relu", "E0224", "stem is one block"),
    variant("part of a parameter", "‸width.first = 3", "E0224", "width[0] is the first element"),
    variant(
        "element of a parameter that is not there",
        "width[‸2] = 3",
        "E0407",
        "no element 2 in width, a list of 2",
        "0 to 1",
    ),
    variant("index that is no number", 'width[‸"a"] = 3', "E0403", "an index"),
    variant("element of a number", "‸depth[0] = 3", "E0403", "only a list has elements, depth is 2"),
    # --- settings of the wrong kind
    variant(
        "setting of another type",
        "depth = ‸[2]",
        "E0403",
        "of type int, got a list of 1",
        "a setting keeps the type",
    ),
    variant("list set to a number", "width = ‸32", "E0403", "is a list, got 32", "a setting keeps the type"),
    variant("element set to a list", "width[0] = ‸[32]", "E0403", "width[0] is 32, got a list of 1"),
    variant("append to a number", "‸depth += 1", "E0403", "depth is 2", "write depth = ..."),
    variant("append to an entry", "‸stem += relu", "E0224", "one block", "write stem = ..."),
    variant("append to a block", "‸s1.0 += ffn", "E0224", "'+=' is for lists and stages"),
    variant("entry set to a number", "‸stem = 3", "E0224", "an entry is a block", "stem = block(...)"),
    variant(
        "block set to two", "s1.0 = ‸ffn * 2", "E0224", "one block is set, 2 are given", "s1 += ... appends"
    ),
    variant("features set to a number", "‸features = 3", "E0224", "features = [s1, s2]"),
    variant("one of the features", "‸features[0] = s1", "E0224", "'features' is set as a whole"),
    variant("one extent of the input", "‸input[1] = 64", "E0224", "'input' is set as a whole", "input = [...]"),
    variant("unset of a parameter", "‸unset depth", "E0224", "can't be unset", "depth = ..."),
    variant(
        "unset of an argument that is not given",
        "‸unset stem.kernel",
        "E0224",
        "is given no argument 'kernel'",
        "can be unset: act",
    ),
    variant(
        "unset of a block's argument that is not given",
        "‸unset s1.0.kernel",
        "E0224",
        "can be unset: expansion",
    ),
    variant("set twice", "depth = 1\n  ‸depth = 2", "E0224", "'depth' is set twice", "net.arch:11:3"),
    variant("a choice in a variant", "depth = ‸choose {1, 2}", "E0222", "write 'space' in place of 'variant'"),
    variant(
        "a condition in a variant",
        "‸subject to params(core) <= 1M",
        "E0225",
        "write 'space' in place of 'variant'",
    ),
    # --- on the command line
    setting("a parameter that is not there", "‸dpeth=2", "E0401", "did you mean 'depth'?"),
    setting("without a value", "depth=‸", "E0101", "ends too early", "expected a value"),
    setting("without a sign", "depth‸", "E0101", "ends too early", "write name=value"),
    setting("to a word", "depth = ‸two", "E0201", "unknown name 'two'"),
    setting(
        "a choice", "depth = ‸choose {1, 2}", "E0223", "leaves 1 decision open: depth (1, 2)", "archdsl freeze"
    ),
    # --- names and bases
    Case(
        "variant of nothing",
        BASE + "variant V : ‸M { depth = 1 }\nbuild V\n",
        "E0221",
        ("no network or variant 'M'", "networks here: N", "in quotes"),
    ),
    Case(
        "base of a misspelt document",
        'archdsl 1\nvariant V : ‸"efficientformerv2_bse" { }\n',
        "E0701",
        ("did you mean 'efficientformerv2_base'?",),
    ),
    Case(
        "base that is no network of its document",
        'archdsl 1\nvariant V : ‸"s0#S0" { }\n',
        "E0221",
        ("has no network or variant 'S0'",),
    ),
    Case(
        "base that leaves its folder",
        'archdsl 1\nvariant V : ‸"../net" { }\n',
        "E0704",
        ("a base can't leave its folder",),
    ),
    Case("base without quotes", "archdsl 1\nvariant V : ‸s0 { }\n", "E0221", ('in quotes: "s0"',)),
    Case(
        "variant based on itself",
        "archdsl 1\nvariant V : ‸V { }\n",
        "E0705",
        ("'V' is based on itself", "from a network, at last"),
    ),
    Case("build of nothing", BASE + "build ‸M\n", "E0221", ("to build", "N")),
    Case("build twice", BASE + "build N\nbuild ‸N\n", "E0221", ("builds one network", "net.arch:9:7")),
    Case(
        "network and variant of one name",
        BASE + "variant ‸N : N { depth = 1 }\n",
        "E0205",
        ("'N' is written twice", "net.arch:3:9"),
    ),
    Case(
        "variant that is asked for and not there",
        BASE + "variant Small : N { depth = 1 }\n",
        "E0708",
        ("no network or variant 'Smal'", "did you mean 'Small'?"),
        spec="net.arch#Smal",
    ),
    # --- in YAML
    yaml("setting of nothing", "    set:\n      ‸widht: [32, 48]\n", "E0401", "did you mean 'width'?"),
    yaml("setting of another type", "    set:\n      width: ‸32\n", "E0403", "a setting keeps the type"),
    yaml("append to an entry", "    append:\n      ‸stem: relu\n", "E0224", "write stem = ..."),
    yaml("unset of a mapping", "    unset: ‸{a: b}\n", "E0505", "what is unset is a path"),
    yaml("unset of nothing", "    unset: ‸stam\n", "E0401", "did you mean 'stem'?"),
    yaml("key misspelt", "    ‸sets: {width: [32, 48]}\n", "E0503", "did you mean 'set'?"),
    yaml("settings as a list", "    set: ‸[width]\n", "E0505", "'set' is a mapping"),
    yaml("base of nothing", "    base: ‸M\n", "E0701", "no document 'M'"),
    yaml("choice in a variant", "    set:\n      width: [32, '‸choose {48, 64}']\n", "E0222", "write 'space'"),
    yaml("condition in a variant", "    subject_to: ‸params(core) <= 1M\n", "E0225", "write 'space'"),
    Case(
        "network's key in a variant",
        "archdsl: 1\nvariant: V\nbase: s0\ninput: ‸[3, 32, 32]\n",
        "E0505",
        ("'input' is of a network", "'variants:'"),
        ".yaml",
    ),
    Case(
        "variant without a base",
        "archdsl: 1\nvariant: ‸V\n",
        "E0504",
        ("'V' has no 'base'", "add 'base:"),
        ".yaml",
    ),
    Case(
        "variant that is a list",
        "archdsl: 1\nvariant: ‸[V]\nbase: s0\n",
        "E0505",
        ("'variant' is a name", "'variants:'"),
        ".yaml",
    ),
    Case(
        "network and variant in one document",
        "archdsl: 1\nnetwork: N\ninput: [3, 8, 8]\nbody:\n  a: relu\nvariant: ‸V\nbase: s0\n",
        "E0505",
        ("a network or a variant, not both", "'variants:'"),
        ".yaml",
    ),
    # --- key maps
    Case(
        "two sets of rules for one block",
        BASE + 'keys timm {\n  ffn { "scale" -> "ls" }\n  ‸ffn { "scale" -> "ls2" }\n}\n',
        "E0205",
        ("two sets of rules for 'ffn'", "net.arch:10:3"),
    ),
    Case(
        "rule without a target",
        KEYS + "      ‸scale: {axis: 0}\n",
        "E0504",
        ("has no 'to'",),
        ".yaml",
    ),
    Case(
        "names of weights missing",
        KEYS + "      scale: ‸[]\n",
        "E0504",
        ("names of weights are missing",),
        ".yaml",
    ),
    Case(
        "unknown option of a rule",
        KEYS + "      scale: {to: ls, ‸axes: 0}\n",
        "E0503",
        ("did you mean 'axis'?",),
        ".yaml",
    ),
]
