"""Faults that take several files: imports and bases in circles, of no end, and of one name twice."""

from __future__ import annotations

from faults.case import HEADER, NETWORK, Case, block

SAME = "archdsl 1\nblock same(x: [C, H, W]) -> [C, H, W] { return x }\n"
FILES = [
    Case(
        "imports in a circle",
        NETWORK.replace("convolution", "a"),
        "E0705",
        ("'a' imports itself", "a.arch (a.arch:2:8)", "b.arch (b.arch:2:8)", "a third file"),
        files=(("a.arch", 'archdsl 1\nimport "b"\n'), ("b.arch", 'archdsl 1\nimport ‸"a"\n')),
    ),
    Case(
        "bases in a circle",
        'archdsl 1\nvariant V : "b" { }\n',
        "E0705",
        (
            "'V' is based on itself",
            "base of V (net.arch:2:13)",
            "base of W (b.arch:2:13)",
            "from a network, at last",
        ),
        files=(
            ("b.arch", 'archdsl 1\nvariant W : "c" { }\n'),
            ("c.arch", 'archdsl 1\nvariant U : ‸"net" { }\n'),
        ),
    ),
    Case(
        "bases in a circle in YAML",
        "archdsl: 1\nvariant: V\nbase: b\n",
        "E0705",
        ("'V' is based on itself", "base of V (net.yaml:3:7)"),
        ".yaml",
        files=(("b.yaml", "archdsl: 1\nvariant: W\nbase: ‸net\n"),),
    ),
    Case(
        "blocks in a circle",
        block("return x |> a: two") + "block two(x: [C, H, W]) -> [C, H, W] { return x |> b: three }\n"
        "block three(x: [C, H, W]) -> [C, H, W] { return x |> ‸c: wrong }\n",
        "E0604",
        ("'wrong' calls itself", "in three (net.arch:9:52), two (net.arch:7:15), wrong (net.arch:4:9)"),
    ),
    Case(
        "a block of two imports",
        NETWORK.replace('"convolution"', '"a"\nimport ‸"b"'),
        "E0205",
        ("'same' comes from two imports", "the other stands in a.arch:2:7"),
        files=(("a.arch", SAME), ("b.arch", SAME)),
    ),
    Case(
        "imports nested 33 deep",
        NETWORK.replace("convolution", "d0"),
        "E0601",
        ("imports are nested more than 32 deep",),
        files=(
            *((f"d{i}.arch", f'archdsl 1\nimport {"‸" if i == 31 else ""}"d{i + 1}"\n') for i in range(33)),
            ("d33.arch", "archdsl 1\n"),
        ),
    ),
    Case(
        "bases nested 33 deep",
        HEADER
        + "network V33(x: [3, 8, 8]) { a: relu }\nbuild V0\n"
        + "".join(f"variant V{i} : {'‸' if i == 32 else ''}V{i + 1} {{ }}\n" for i in range(33)),
        "E0601",
        ("based on variants more than 32 deep",),
    ),
    Case(
        "an import with a fault",
        NETWORK.replace("convolution", "a"),
        "E0101",
        ("expected ']'",),
        files=(("a.arch", "archdsl 1\nblock b(x: [C‸) -> [C] { return x }\n"),),
    ),
    Case(
        "a base with a fault",
        'archdsl 1\nvariant V : "b" { }\n',
        "E0101",
        ("expected ':'",),
        files=(("b.arch", "archdsl 1\nnetwork N(x ‸[3, 8, 8]) { a: relu }\n"),),
    ),
    Case(
        "a base that holds blocks alone",
        'archdsl 1\nvariant V : "b" { }\n',
        "E0708",
        ("holds blocks and no network",),
        files=(("b.arch", SAME),),
    ),
    Case(
        "a document that is not there",
        NETWORK,
        "E0701",
        ("no document 's00'", "did you mean 's0'?"),
        spec="s00",
    ),
    Case(
        "a document of another ending",
        NETWORK,
        "E0701",
        ("neither .yaml nor .arch", "rename it"),
        files=(("net.txt", NETWORK),),
        spec="net.txt",
    ),
    Case("a document too long", "# " + "a" * 2**20 + "\n", "E0103", ("documents have at most 1,048,576",)),
]
