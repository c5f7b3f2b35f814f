"""Mistakes in the bundled networks as text, and in the blocks of the library."""

from __future__ import annotations

from corpus.mistake import Mistake


def text(name: str, old: str, new: str, remedy: str) -> Mistake:
    return Mistake(name, "efficientformerv2_base.arch", old, new, remedy)


def variant(name: str, old: str, new: str, remedy: str) -> Mistake:
    return Mistake(name, "s2.arch", old, new, remedy)


def space(name: str, old: str, new: str, remedy: str) -> Mistake:
    return Mistake(name, "supernet.arch", old, new, remedy)


def block(name: str, old: str, new: str, remedy: str, at: str = "") -> Mistake:
    return Mistake(name, "blocks/efficientformerv2.arch", old, new, remedy, at)


def conv(name: str, old: str, new: str, remedy: str) -> Mistake:
    return Mistake(name, "blocks/convolution.arch", old, new, remedy)


def head(name: str, old: str, new: str, remedy: str) -> Mistake:
    return Mistake(name, "blocks/head.arch", old, new, remedy)


TEXT = [
    # --- networks
    text("version misspelt", "archdsl 1", "archdls 1", "did you mean 'archdsl'"),
    text("version missing", "archdsl 1\n", "", "begin with 'archdsl 1'"),
    text(
        "import without quotes",
        'import "efficientformerv2"',
        "import efficientformerv2",
        "a string comes after 'import'",
    ),
    text(
        "import in single quotes", 'import "efficientformerv2"', "import 'efficientformerv2'", "double quotes"
    ),
    text("quote not closed", 'import "efficientformerv2"', 'import "efficientformerv2', "does not end"),
    text("network misspelt", "network E", "netwrok E", "did you mean 'network'"),
    text("stage misspelt", "stage s2(", "stgae s2(", "did you mean 'stage'"),
    text("head misspelt", "  head {", "  haed {", "did you mean 'head'"),
    text("features misspelt", "features s1", "featuers s1", "did you mean 'features'"),
    text(
        "label of a feature misspelt",
        "features s1, s2, s3, s4",
        "features s1, s2, s3, s44",
        "did you mean 's4'",
    ),
    text("colon missing behind a label", "down1: conv", "down1 conv", "':'"),
    text("equals sign for a colon", "down1: conv", "down1 = conv", "down1: "),
    text("colon for an equals sign", "stride = 2", "stride: 2", "'='"),
    text("semicolon missing", "[3, 224, 224]; width", "[3, 224, 224], width", "';'"),
    text("brace of a stage missing", "stage s2(width[1]) {", "stage s2(width[1])", "'{'"),
    text("bracket of a stage's width missing", "stage s2(width[1]) {", "stage s2(width[1] {", "')'"),
    text(
        "closing brace missing",
        "    classifier: classifier(num_classes, distilled = distilled)\n  }\n",
        "    classifier: classifier(num_classes, distilled = distilled)\n",
        "'}'",
    ),
    text("brace too many", "  norm: batch_norm\n", "  norm: batch_norm\n  ‸}\n", "'}'"),
    text("comma missing in a list", "[32, 48, 96, 176]", "[32, 48 96, 176]", "','"),
    text("bracket of a list missing", "[32, 48, 96, 176],", "[32, 48, 96, 176,", "']'"),
    text("width of a stage that is not given", "stage s2(width[1])", "stage s2(width[0])", "48"),
    text(
        "block of a stage misspelt",
        "ffn(expansion = each expansion[1])",
        "fnn(expansion = each expansion[1])",
        "did you mean 'ffn'",
    ),
    text("entry without a label", "down1: conv_downsample", "conv_downsample", "label: "),
    text("entry twice", "down2: conv", "down1: conv", "used twice"),
    text(
        "repetition of a labelled block",
        "norm: batch_norm\n",
        "norm: batch_norm\n  ‸stage s5 { last: ffn * 2 }\n",
        "can't be repeated",
    ),
    text("attribute of Module for a label", "norm: batch_norm", "train: batch_norm", "choose another name"),
    text("return in a network", "  norm: batch_norm\n", "  norm: batch_norm\n  ‸return norm\n", "last entry"),
    text(
        "unknown parameter of the head",
        "classifier(num_classes,",
        "classifier(classes,",
        "unknown name 'classes'",
    ),
    text("semicolon in a call", "stride = 2, expansion", "stride = 2; expansion", "','"),
    text("pipe in a network", "stem: conv_stem(width[0])", "stem: conv_stem(width[0]) |> relu", "line end"),
    text("default of another type", "distilled = true", "distilled: dim = true", "of type dim"),
    text("type misspelt", "attention = 2", "attention: cuont = 2", "did you mean 'count'"),
    variant("base without quotes", '"efficientformerv2_base"', "efficientformerv2_base", "quotes"),
    variant("variant misspelt", "variant E", "varaint E", "did you mean 'variant'"),
    variant("colon missing", " : ", " ", "':'"),
    variant("colon for an equals sign", "attention = 4", "attention: 4", "'='"),
    variant("parameter misspelt", "attention = 4", "attentoin = 4", "did you mean 'attention'"),
    variant("append to a number", "attention = 4", "attention += 4", "write attention = "),
    variant("set twice", "attention = 4", "attention = 4\n  ‸attention = 6", "twice"),
    variant("unset misspelt", "attention = 4", "unste norm", "did you mean 'unset'"),
    variant("unset of nothing", "attention = 4", "unset nrom", "did you mean 'norm'"),
    variant("comma behind a setting", "attention = 4\n", "attention = 4,\n", "','"),
    variant("condition in a variant", "attention = 4", "subject to params(cor) <= 3M", "did you mean 'core'"),
    space("choose misspelt", "[choose {32", "[chose {32", "did you mean 'choose'"),
    space("options in brackets", "[choose {32, 48},", "[choose (32, 48),", "'{'"),
    space(
        "each missing before choose",
        "each choose {ffn(expansion = each choose {2, 3, 4}),\n",
        "each chose {ffn(expansion = each choose {2, 3, 4}),\n",
        "did you mean 'choose'",
    ),
    # --- blocks: names
    block("import misspelt", 'import "convolution"', 'import "convolutions"', "did you mean 'convolution'"),
    block("block misspelt", "block ffn", "blok ffn", "did you mean 'block'"),
    block("type misspelt", "local: bool = true", "local: boolean = true", "did you mean 'bool'"),
    block("name of Python's type", "expansion: ratio = 4, kernel", "expansion: float = 4, kernel", "real"),
    block(
        "argument read by another name", "int(dim * expansion)", "int(dim * expand)", "unknown name 'expand'"
    ),
    block("extent read by another name", "int(dim * expansion)", "int(dims * expansion)", "did you mean 'dim'"),
    block(
        "let misspelt", "conv_bn(hidden) |> act\n  if", "conv_bn(hiden) |> act\n  if", "did you mean 'hidden'"
    ),
    block(
        "primitive misspelt", "talking_head1: mix_heads", "talking_head1: mix_head", "did you mean 'mix_heads'"
    ),
    block("block called misspelt", "fc2: conv_bn(dim)", "fc2: conv_nb(dim)", "did you mean 'conv_bn'"),
    block("argument misspelt", "kernel = kernel, groups", "kernal = kernel, groups", "did you mean 'kernel'"),
    block("return misspelt", "  return x + (y |> scale", "  retrun x + (y |> scale", "did you mean 'return'"),
    block(
        "require misspelt",
        "  require divisible(height, stride)",
        "  requires divisible(height, stride)",
        "did you mean 'require'",
    ),
    block("init misspelt", "init fc1.conv", "int fc1.conv", "did you mean 'init'"),
    block(
        "initialiser misspelt",
        "fc2.conv = trunc_normal",
        "fc2.conv = trunc_norml",
        "did you mean 'trunc_normal'",
    ),
    block("label of init misspelt", "init fc1.conv, fc2.conv", "init fc1.conv, fc3.conv", "did you mean 'fc"),
    head("mode misspelt", "output train", "output training", "did you mean 'train'"),
    block("mode of upsample misspelt", '"bilinear"', '"bilinaer"', 'did you mean "bilinear"'),
    block(
        "function misspelt",
        "require divisible(height, stride)",
        "require divisable(height, stride)",
        "did you mean 'divisible'",
    ),
    # --- blocks: what is missing
    block("label missing before weights", "|> fc2: conv_bn(dim)", "|> conv_bn(dim)", "write label: conv_bn"),
    block("bracket of a call missing", "int(dim * expansion)", "int(dim * expansion", "')'"),
    head(
        "bracket of a signature missing",
        "distilled: bool = true) -> [classes]",
        "distilled: bool = true -> [classes]",
        "')'",
    ),
    head("arrow missing", "distilled: bool = true) -> [classes]", "distilled: bool = true) [classes]", "'->'"),
    block(
        "brace missing",
        "if local { y = y |> mid: conv_bn(hidden, kernel = kernel, groups = hidden) |> act }",
        "if local { y = y |> mid: conv_bn(hidden, kernel = kernel, groups = hidden) |> act",
        "'}'",
    ),
    head(
        "opening brace missing", "if not distilled { return logits }", "if not distilled return logits }", "'{'"
    ),
    block("comma missing", "heads: dim = 8, key_dim: dim = 32", "heads: dim = 8 key_dim: dim = 32", "','"),
    block(
        "pipe missing",
        'q = z |> q: conv_bn(heads * key_dim) |> rearrange("(n d) h w -> n (h w) d", n = heads)\n  k = z |> k',
        'q = z q: conv_bn(heads * key_dim) |> rearrange("(n d) h w -> n (h w) d", n = heads)\n  k = z |> k',
        "'|>'",
    ),
    block("else missing", "else { a |> softmax }", "{ a |> softmax }", "'else'"),
    block(
        "return missing",
        "  return y |> mlp: ffn(expansion = expansion)\n",
        "",
        "return",
        "block attention_block",
    ),
    block(
        "type missing",
        'stride: dim = 1) -> [dim, height, width] {\n  "Self',
        'stride = 1) -> [dim, height, width] {\n  "Self',
        "stride: ",
    ),
    head("result missing", "distilled: bool = true) -> [classes] {", "distilled: bool = true) {", "'->'"),
    block("quote missing", 'mode = "bilinear"', "mode = bilinear", "string"),
    block("single quotes", 'mode = "bilinear"', "mode = 'bilinear'", "double quotes"),
    block(
        "message missing",
        '\n    else "stride attention interpolates back by a whole number: '
        'the stride must divide height and width"',
        "",
        "'else'",
    ),
    # --- blocks: shapes
    block("residual of another shape", "|> fc2: conv_bn(dim)", "|> fc2: conv_bn(hidden)", "[32, 56, 56]"),
    block(
        "wrong extent in a signature",
        "local: bool = true, act: op = gelu) -> [dim, H, W]",
        "local: bool = true, act: op = gelu) -> [hidden, H, W]",
        "unknown name 'hidden'",
    ),
    block(
        "extents in another order",
        "block attention_block(x: [dim, height, width]; expansion: ratio = 4, stride: dim = 1) "
        "-> [dim, height, width]",
        "block attention_block(x: [dim, height, width]; expansion: ratio = 4, stride: dim = 1) "
        "-> [height, width, dim]",
        "[96, 14, 14]",
    ),
    block(
        "result too small by half",
        "act: op = gelu)\n    -> [out_channels, ceil(height / 2), ceil(width / 2)]",
        "act: op = gelu)\n    ‸-> [out_channels, height, width]",
        "out_channels",
    ),
    head("classes where channels are", "x |> head: linear(classes)", "x |> head: linear(dim)", "returns"),
    block(
        "pattern without an axis",
        "if local_value { y = y + (v |> v_local",
        'if local_value { y = y + (v |> rearrange("c h -> c h") |> v_local',
        "2 axes before the arrow",
    ),
    block(
        "pattern with another axis",
        'y = a @ (v |> rearrange("(n d) h w -> n (h w) d", n = heads))'
        ' |> rearrange("n (h w) d -> (n d) h w", h = h)\n'
        "  if local_value",
        'y = a @ (v |> rearrange("(n d) h w -> n (h w) e", n = heads))'
        ' |> rearrange("n (h w) d -> (n d) h w", h = h)\n'
        "  if local_value",
        "'",
    ),
    block(
        "transposed product",
        'k = x |> k: conv_bn(heads * key_dim) |> rearrange("(n d) h w -> n d (h w)", n = heads)',
        'k = x |> k: conv_bn(heads * key_dim) |> rearrange("(n d) h w -> n (h w) d", n = heads)',
        "[8, ",
    ),
    block(
        "size of a pattern missing",
        'rearrange("n (h w) d -> (n d) h w", h = h)\n  if',
        'rearrange("n (h w) d -> (n d) h w")\n  if',
        "h = ",
    ),
    block(
        "groups that do not divide",
        "mid: conv_bn(hidden, kernel = kernel, groups = hidden)",
        "mid: conv_bn(hidden, kernel = kernel, groups = 3)",
        "divisor",
    ),
    block(
        "swapped arguments",
        "attention_bias(heads, query = [h, w], key = [h, w])",
        "attention_bias([h, w], query = heads, key = [h, w])",
        "of type dim",
    ),
    block(
        "even kernel",
        "expansion: ratio = 4, kernel: odd = 3",
        "expansion: ratio = 4, kernel: odd = 4",
        "it must be odd",
    ),
    block(
        "ratio where a whole number is needed",
        "hidden = int(dim * expansion)",
        "hidden = dim * expansion",
        "int(",
    ),
    block(
        "quotient that is not exact",
        "value_dim = int(key_dim * value_ratio)\n  z: [dim, h, w] = if",
        "value_dim = key_dim / 3\n  z: [dim, h, w] = if",
        "'//'",
    ),
    block("number as a condition", "if stride > 1 { y", "if stride { y", "compare"),
    block("one equals sign in a comparison", "if stride > 1 { y", "if stride = 1 { y", "'=='"),
    block(
        "too many names",
        "a = q @ k * key_dim ** -0.5 + bias",
        "a, b = q @ k * key_dim ** -0.5 + bias",
        "2 names",
    ),
    block(
        "label twice",
        "|> v_local: conv_bn(heads * value_dim, kernel = 3, groups",
        "|> v: conv_bn(heads * value_dim, kernel = 3, groups",
        "used twice",
    ),
    block(
        "statement after return",
        "  return y |> mlp: ffn(expansion = expansion)\n",
        "  return y |> mlp: ffn(expansion = expansion)\n  ‸z = y\n",
        "remove it",
    ),
    block(
        "block calls itself",
        "mlp: ffn(expansion = expansion)",
        "mlp: attention_block(expansion = expansion)",
        "calls itself",
    ),
    block("block twice", "block attention_downsample(", "block mhsa(", "written twice"),
    block(
        "string where an operation is",
        "y = x |> fc1: conv_bn(hidden) |> act",
        'y = x |> fc1: conv_bn(hidden) |> "gelu"',
        "name",
    ),
    block(
        "default that is a string",
        "local: bool = true, act: op = gelu) -> [dim, H, W]",
        'local: bool = true, act: op = "gelu") -> [dim, H, W]',
        "without quotes",
    ),
    conv(
        "residual kernel",
        "conv2d(out_channels, kernel = kernel, stride = stride, groups = groups) |>",
        "conv2d(out_channels, kernel_size = kernel, stride = stride, groups = groups) |>",
        "did you mean 'kernel'",
    ),
    conv(
        "channels of torch",
        "conv: conv2d(out_channels, kernel = 3, stride = 2)",
        "conv: conv2d(in_channels, out_channels, kernel = 3, stride = 2)",
        "kernel = ",
    ),
    conv(
        "requirement without its message",
        ' else "the stem\'s first convolution has half of its channels"',
        "",
        "'else'",
    ),
    conv(
        "unbalanced extent",
        "-> [out_channels, ceil(H / 4), ceil(W / 4)] {",
        "-> [out_channels, ceil(H / 4, ceil(W / 4)] {",
        "')'",
    ),
    conv(
        "quarter said to be a half",
        "-> [out_channels, ceil(H / 4), ceil(W / 4)] {",
        "-> [out_channels, ceil(H / 2), ceil(W / 2)] {",
        "returns [32, 56, 56]",
    ),
    conv("Python's division", "conv1: conv_bn(out_channels // 2,", "conv1: conv_bn(out_channels / 3,", "'//'"),
    conv(
        "choice in a block",
        "out_channels // 2, kernel = 3",
        "out_channels // 2, kernel = choose {3, 5}",
        "give the block an argument",
    ),
    conv("word of Python for an argument", "act: op = gelu", "lambda: op = gelu", "choose another name"),
]
