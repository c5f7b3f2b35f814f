"""Faults of spaces: choices, conditions, picks."""

from __future__ import annotations

from faults.case import Case

SPACE = """archdsl 1
import "efficientformerv2"
network N(x: [3, 32, 32]; width = choose {32, 48}) {
  stem: conv_stem(width)
  stage s1(width) { ffn(expansion = each choose {2, 3}) * 2 }
"""


def space(name: str, lines: str, code: str, *said: str) -> Case:
    return Case(name, f"{SPACE}  {lines}\n}}\n", code, said)


def yaml(name: str, lines: str, code: str, *said: str) -> Case:
    head = "archdsl: 1\nimport: efficientformerv2\nnetwork: N\ninput: [3, 32, 32]\nbody:\n"
    text = f"{head}  stem: conv_stem(choose {{32, 48}})\n{lines}"
    return Case(f"space {name}", text, code, said, ".yaml")


def picked(name: str, picks: str, code: str, *said: str) -> Case:
    return Case(f"pick {name}", f"{SPACE}}}\n", code, said, picks=picks)


SPACES = [
    # --- choices
    space("a choice misspelt", "a: conv2d(choos ‸{3, 4})", "E0101", "did you mean 'choose'?"),
    space("options in round brackets", "a: conv2d(choose ‸(3, 4))", "E0101", "expected '{'"),
    space(
        "a choice in a block",
        "a: b\n}\nblock b(x: [C, H, W]) -> [C, H, W] {\n  return x |> c: conv2d(‸choose {3, 4})",
        "E0222",
        "give the block an argument",
    ),
    space("an option that is wrong", "a: conv2d(4, kernel = choose {3, 4})", "E0302", "no middle"),
    space(
        "a choice of no block", "stage s2 { choose {3, relu} }", "E0216", "a block of a stage is chosen, not 3"
    ),
    Case(
        "an input that is chosen",
        SPACE.replace("[3, 32, 32]", "[3, 32, ‸choose {32, 64}]") + "}\n",
        "E0222",
        ("one size in all of a space", "write a size"),
    ),
    Case(
        "a network left open",
        SPACE + "}\n",
        "E0223",
        ("leaves 3 decisions open: width (32, 48)",),
        picks="{}\n",
    ),
    # --- conditions
    space(
        "condition without its convention",
        "subject to ‸params <= 1M",
        "E0225",
        "named with a convention",
        "write params(core)",
    ),
    space(
        "condition of an unknown convention",
        "subject to params(‸cor) <= 1M",
        "E0225",
        "'cor' is not a convention of params",
        "did you mean 'core'?",
    ),
    space(
        "condition of an unknown metric",
        "subject to ‸parms(core) <= 1M",
        "E0225",
        "unknown metric 'parms'",
        "did you mean 'params'?",
    ),
    space("condition without a limit", "subject to ‸params(core)", "E0225", "compares a metric with a limit"),
    space(
        "condition with a limit in bytes",
        "subject to params(core) <= ‸1MB",
        "E0225",
        "'MB' is no unit of params",
        "units of params: k, M, G",
    ),
    space(
        "condition with a limit that is a name",
        "subject to params(core) <= ‸width",
        "E0225",
        "a limit is a number",
    ),
    space(
        "condition of latency", "subject to ‸latency(iphone12) <= 1.0ms", "E0226", "no latency table 'iphone12'"
    ),
    space(
        "condition that nothing keeps to",
        "subject to ‸params(core) <= 1k",
        "E0228",
        "no network of this space",
        "the least is",
    ),
    space("a unit outside of conditions", "a: conv2d(‸3k)", "E0403", "has a unit", "write the number out"),
    yaml("condition without its convention", "subject_to: ‸macs <= 1M\n", "E0225", "write macs(core)"),
    yaml(
        "conditions one of which is wrong",
        "subject_to:\n  - params(core) <= 1G\n  - ‸macs <= 1M\n",
        "E0225",
        "write macs(core)",
    ),
    yaml("condition that nothing keeps to", "subject_to: ‸params(core) <= 1\n", "E0228", "the least is"),
    yaml("choice in brackets", "parameters:\n  a: choose ‸[3, 4]\n", "E0101", "expected '{'"),
    # --- picks
    picked(
        "of nothing",
        "width: 32\ns1.0.expansion: 2\ns1.1.expansion: 2\n‸widht: 32\n",
        "E0227",
        "'widht' decides nothing here",
        "did you mean 'width'?",
    ),
    picked(
        "that is no option",
        "width: 33\ns1.*.expansion: 2\n",
        "E0227",
        "width can't be 33",
        "its options: 32, 48",
    ),
    picked("of too many", "width: 32\n‸s1.*.expansion: [2, 2, 3]\n", "E0227", "has 3 values, 2 are asked for"),
    picked("as a list of documents", "‸- width\n", "E0505", "a mapping of decisions to options"),
    picked("as a mapping", "width: ‸{a: b}\n", "E0505", "a pick is an option"),
    picked("written twice", "width: 32\n‸width: 48\n", "E0502", "written twice"),
    Case(
        "pick that breaks a condition",
        SPACE + "  subject to ‸params(core) <= 1k\n}\n",
        "E0228",
        ("its params(core) is", "decide otherwise"),
        picks="width: 32\ns1.*.expansion: 2\n",
    ),
]
