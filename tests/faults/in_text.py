"""Faults of documents in text."""

from __future__ import annotations

from faults.case import HEADER, NETWORK, Case, block, stage

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
    Case("unknown function", block("n = ‸cel(1.5)\n  return x"), "E0202", ("did you mean 'ceil'?",)),
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
    Case(
        "init of a normalisation that learns nothing",
        block("y = x |> bn: batch_norm(affine = false)\n  init ‸bn = zeros\n  return y"),
        "E0210",
        ("'bn' has no weight to initialise", "a normalisation"),
    ),
    Case(
        "init of a normalisation as a matrix",
        block("y = x |> bn: batch_norm\n  init ‸bn = xavier_uniform\n  return y"),
        "E0210",
        ("xavier_uniform takes two axes or more", "'bn' has 1 axis"),
    ),
    Case(
        "init of one axis as a matrix",
        block("y = x + t: parameter([H])\n  init ‸t = orthogonal(1)\n  return y"),
        "E0210",
        ("orthogonal takes two axes or more", "1 axes"),
    ),
    Case(
        "init of a layer as positions",
        block("y = x |> c: conv2d(C)\n  init ‸c = sinusoid\n  return y"),
        "E0210",
        ("sinusoid takes a table [positions, dim]",),
    ),
    Case(
        "init with a deviation below 0",
        block("y = x |> c: conv2d(C)\n  init c = ‸normal(0.5 - C)\n  return y"),
        "E0403",
        ("'std' of normal can't be", "it must be at least 0"),
    ),
    Case(
        "init cut off at no deviation",
        block("y = x |> c: conv2d(C)\n  init c = ‸trunc_normal(0)\n  return y"),
        "E0403",
        ("'std' of trunc_normal can't be 0", "it must be above 0"),
    ),
    Case(
        "init of a bound below 0",
        block("y = x |> c: conv2d(C)\n  init c = ‸uniform(-1)\n  return y"),
        "E0403",
        ("'bound' of uniform can't be -1", "it must be at least 0"),
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
    Case("half a channel", block("return x |> c: conv2d(‸C / 2)"), "E0303", ("C = 3 / 2", "'//' rounds down")),
    Case(
        "a block that is not imported",
        NETWORK.replace("wrong", "‸ffn"),
        "E0202",
        ('import "efficientformerv2" brings it in',),
    ),
    Case(
        "arguments without ';'",
        block("return x", "(x: [C, H, W], n: ‸dim = 2) -> [C, H, W]"),
        "E0101",
        ("after ';'",),
    ),
    Case(
        "a comparison with one '='",
        block("n = 0\n  if C ‸= 1 { n = 1 }\n  return x"),
        "E0101",
        ("'==' compares",),
    ),
    Case(
        "a label in a loop",
        block("y = x\n  for i in range(2) { y = y |> ‸c: conv2d(C) }\n  return y"),
        "E0204",
        ("c[i]: ...",),
    ),
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
    Case(
        "label with an index for a buffer",
        block("return x + ‸t[0]: buffer([H, W])"),
        "E0204",
        ("torch has no lists of buffers", "a label of its own"),
    ),
    Case(
        "label that is a number's name",
        block("return x |> ‸C: conv2d(C)"),
        "E0204",
        ("name of an argument or number",),
    ),
    Case("negative index of a label", block("return x |> c[‸-1]: conv2d(C)"), "E0403", ("from 0",)),
    Case(
        "entry twice", NETWORK.replace("wrong\n", "relu\n  stem: ‸relu\n"), "E0204", ("'stem' is used twice",)
    ),
    Case(
        "feature twice",
        NETWORK.replace("wrong\n", "relu\n  features stem, ‸stem\n"),
        "E0204",
        ("'stem' is named twice",),
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
    Case(
        "one name for two extents",
        block("return x |> ‸b: same_rows", "(x: [C, H, W]) -> [C, H, W]").replace(
            "x: [3, 32, 32]", "x: [3, 32, 31]"
        )
        + "block same_rows(x: [C, H, H]) -> [C, H, H] { return x }\n",
        "E0301",
        ("H is 32 and 31 in one call", "x is [3, 32, 31]"),
    ),
    Case(
        "one name for two extents, the second larger",
        block("return x |> ‸b: same_rows", "(x: [C, H, W]) -> [C, H, W]").replace(
            "x: [3, 32, 32]", "x: [3, 31, 32]"
        )
        + "block same_rows(x: [C, H, H]) -> [C, H, H] { return x }\n",
        "E0301",
        ("H is 31 and 32 in one call",),
    ),
    Case(
        "an extent that is written as a number",
        block("return x |> ‸b: of_four") + "block of_four(x: [4, H, W]) -> [4, H, W] { return x }\n",
        "E0301",
        ("x has 3 where 4 is written",),
    ),
    Case(
        "primitive called again for another shape",
        block("m = a: conv2d(C)\n  y = x |> b: conv2d(2 * C)\n  return m(x) + ‸m(y)"),
        "E0302",
        ("'a' was made for tensors of another shape", "first called in net.arch:9:10"),
    ),
    Case(
        "block called again for another shape",
        block("m = a: conv_bn(C)\n  y = x |> b: conv2d(2 * C)\n  return m(x) + ‸m(y)"),
        "E0302",
        ("'a' was made for tensors of another shape", "first called in net.arch:9:10"),
    ),
    *[
        Case(
            f"default that computes a tensor: {kind}",
            block("return x", f"(x: [C, H, W]; given: {default}) -> [C, H, W]")
            + "block of(y: [C, H, W]) -> [C, H, W] { return y |> relu }\n",
            "E0403",
            (f"{name!r} gives a tensor here, and a default is none", "a default is a number"),
        )
        for kind, default, name in (
            ("a primitive", "op = ‸parameter(4)", "parameter"),
            ("a block", "block = ‸of(y = 1)", "of"),
            ("a module", "[op] = [‸m() for m in [fc: relu]]", "fc"),
        )
    ],
    *[
        Case(
            f"default with a condition that is {found}",
            block("return x", f"(x: [C, H, W]; a: dim = if ‸{found} {{ 1 }} else {{ 2 }}) -> [C, H, W]"),
            "E0403",
            (f"a condition is true or false, got {found}",),
        )
        for found in ("3", "none")
    ],
    Case(
        "module of a primitive that is refused, called again",
        block("m = a: conv2d(‸0)\n  y = m(x)\n  return m(y)"),
        "E0403",
        ("out_channels of conv2d can't be 0",),
    ),
    Case(
        "module of a block that gives nothing, called again",
        block("m = a: void\n  y = m(x) |> b: conv2d(C)\n  return m(y) + m(x)").replace(
            "block wrong", "block ‸void(x: [C, H, W]) -> [C, H, W] { y = x |> relu }\nblock wrong"
        ),
        "E0211",
        ("block 'void' returns nothing",),
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
    Case(
        "requirement on a number whose name has been given to a tensor",
        block('n = C * 2\n  k = n\n  n = x |> relu\n  ‸require k > 10 else "too thin"\n  return n'),
        "E0405",
        ("too thin", "here n = 6"),
    ),
    Case(
        "requirement on an extent whose name has been given to another number",
        block('k = C\n  C = 50\n  ‸require k > 10 else "too thin"\n  return x'),
        "E0405",
        ("too thin", "here C = 3"),
    ),
    Case(
        "requirement of a network behind an entry",
        HEADER
        + "network N(x: [3, 32, 32]; width = [8, 9], num_classes = 10) {\n  a: conv_bn(width[0])\n"
        + '  ‸require num_classes == 7 else "seven alone"\n  b: conv_bn(num_classes)\n}\n',
        "E0405",
        ("seven alone", "here num_classes = 10", "help: num_classes = 10 stands in net.arch:3:43"),
    ),
    Case(
        "requirement in front of what names the result's extents",
        block(
            '‸require C > 10 else "too thin"\n  y: [C, n] = x |> rearrange("c h w -> c (h w)")\n  return y',
            "(x: [C, H, W]) -> [C, n]",
        ),
        "E0405",
        ("too thin",),
    ),
    Case(
        "fault in what is returned, whose extents are named by the result alone",
        block("return x |> conv2d(‸D)", "(x: [C, H, W]) -> [c, h, w]"),
        "E0201",
        ("unknown name 'D'",),
    ),
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
        ("imports itself", "no other file of this name"),
    ),
    Case(
        "several networks",
        NETWORK + "network M(x: [3, 32, 32]) {\n  stem: relu\n}\n",
        "E0708",
        ("several networks: N, M",),
    ),
    Case("no network", HEADER, "E0708", ("no network",)),
    Case("no entries", HEADER + "network ‸N(x: [3, 32, 32]) {\n}\n", "E0215", ("has no entries",)),
    # --- brackets and numbers
    Case(
        "bracket closed on no line",
        block("n = int‸(C * 2\n  return x"),
        "E0101",
        ("'(' is not closed", "expected ')'"),
    ),
    Case(
        "brace closed on no line",
        block("if true { y = x‸\n  return y"),
        "E0101",
        ("the '{' of net.arch:7:11 is not closed", "expected '}'"),
    ),
    Case(
        "brace too many in the middle",
        NETWORK.replace("stem: wrong", "stem: relu\n  ‸}\n  next: relu"),
        "E0101",
        ("unexpected '}'", "remove it"),
    ),
    Case(
        "underscores in a number",
        block("n = ‸1_000\n  return x"),
        "E0108",
        ("'1_000' is no number here", "write 1000"),
    ),
    Case("number in base sixteen", block("n = ‸0x1F\n  return x"), "E0108", ("write 31",)),
    Case("number without its zero", block("n = ‸.5\n  return x"), "E0108", ("write 0.5",)),
    Case("number that ends in a point", block("n = ‸5.\n  return x"), "E0108", ("write 5.0",)),
    Case("number with a plus", block("n = ‸+1\n  return x"), "E0108", ("write 1",)),
    Case(
        "word in front of a list misspelt",
        stage("ffn(expansion = ech [4‸, 3])"),
        "E0101",
        ("did you mean 'each'?",),
    ),
    Case("each forgotten", stage("ffn(‸expansion = [4, 3])"), "E0403", ("got a list of 2", "write 'each'")),
    Case(
        "colon for an equals sign",
        block("return x |> c: conv2d(C, kernel: ‸3)"),
        "E0101",
        ("'=' gives a value to an argument",),
    ),
    Case(
        "entry without a label",
        NETWORK.replace("stem: wrong", "conv_bn‸(3)"),
        "E0101",
        ("write label: conv_bn(...)",),
    ),
    Case(
        "module called with a label",
        block("m = c: conv2d(C)\n  return ‸other: m(x)"),
        "E0204",
        ("'c' is a module, and has its label", "leave 'other' out"),
    ),
    Case(
        "entry with an equals sign",
        NETWORK.replace("stem: wrong", "‸stem = conv_bn(3)\n  next: relu"),
        "E0220",
        ("nothing reads the block 'stem'", "write stem: conv_bn(...)"),
    ),
    Case(
        "pipe missing before a label",
        block("return x ‸c: conv2d(C)"),
        "E0101",
        ("'|>' leads to a labelled call",),
    ),
    Case("pipe in a network", NETWORK.replace("wrong", "relu ‸|> relu"), "E0101", ("a line end and a label",)),
    Case(
        "argument of a block without a type",
        block("return x", "(x: [C, H, W]; ‸k = true) -> [C, H, W]"),
        "E0218",
        ("has no type", "write k: bool = ..."),
    ),
    Case(
        "type of another language",
        block("return x", "(x: [C, H, W]; k: ‸float = 1) -> [C, H, W]"),
        "E0218",
        ("did you mean 'real'?",),
    ),
    Case(
        "string without its quotes",
        block("return x |> upsample(2, mode = ‸bilinear)"),
        "E0201",
        ('in double quotes: "bilinear"',),
    ),
    Case(
        "string misspelt",
        block('return x |> upsample(2, ‸mode = "bilinaer")'),
        "E0403",
        ('did you mean "bilinear"?',),
    ),
    Case(
        "parameter that is too short",
        HEADER + "network N(x: [3, 32, 32]; width = [8]) {\n  a: conv_bn(‸width[1])\n}\n",
        "E0407",
        ("elements are 0 to 0", "width stands in net.arch:3:27"),
    ),
    Case(
        "parameter that a requirement refuses",
        HEADER + "network N(x: [3, 32, 32]; width = 33) {\n  a: conv_stem(width)\n}\n",
        "E0405",
        ("half of its channels", "width = 33 stands in net.arch:3:27"),
    ),
    Case(
        "tensor that nothing reads",
        block("y = x |> ‸relu\n  return x"),
        "E0219",
        ("'y' is computed and never read",),
    ),
    # --- bounds
    Case(
        "brackets nested 65 deep",
        block(f"n = {'(' * 63}‸({')' * 64}\n  return x"),
        "E0104",
        ("nested more than 64 deep",),
    ),
    Case(
        "list of 10,001 elements",
        block("n = [1 * ‸10001]\n  return x"),
        "E0602",
        ("expands to 10,001 elements",),
    ),
]
