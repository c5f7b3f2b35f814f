"""Mistakes in the bundled networks, variants and spaces as YAML."""

from __future__ import annotations

from corpus.mistake import Mistake


def base(name: str, old: str, new: str, remedy: str, at: str = "") -> Mistake:
    return Mistake(name, "efficientformerv2_base.yaml", old, new, remedy, at)


def s2(name: str, old: str, new: str, remedy: str, at: str = "") -> Mistake:
    return Mistake(name, "s2.yaml", old, new, remedy, at)


def space(name: str, old: str, new: str, remedy: str, at: str = "") -> Mistake:
    return Mistake(name, "supernet.yaml", old, new, remedy, at)


YAML = [
    # --- misspelt
    base(
        "import misspelt",
        "import: efficientformerv2",
        "import: efficentformerv2",
        "did you mean 'efficientformerv2'",
    ),
    base("key of the version misspelt", "archdsl: 1", "archdls: 1", "did you mean 'archdsl'"),
    base("import's key misspelt", "import:", "imports:", "did you mean 'import'"),
    base("network's key misspelt", "network: E", "netwrok: E", "did you mean 'network'"),
    base("key of the input misspelt", "input:", "inputs:", "did you mean 'input'"),
    base("parameters misspelt", "parameters:", "paramters:", "did you mean 'parameters'"),
    base("body misspelt", "body:", "boddy:", "did you mean 'body'"),
    base("head misspelt", "\nhead:", "\nhaed:", "did you mean 'head'"),
    base("features misspelt", "features:", "feature:", "did you mean 'features'"),
    base("doc misspelt", "doc:", "docs:", "did you mean 'doc'"),
    base("width's key misspelt", "    width: width[0]", "    widht: width[0]", "did you mean 'width'"),
    base(
        "blocks misspelt",
        "blocks:\n      - ffn(expansion = each expansion[0])",
        "block:\n      - ffn(expansion = each expansion[0])",
        "did you mean 'blocks'",
    ),
    base("entry's block misspelt", "conv_stem(", "conv_stemm(", "did you mean 'conv_stem'"),
    base(
        "block of a stage misspelt",
        "attention_block(stride",
        "attenton_block(stride",
        "did you mean 'attention_block'",
    ),
    base("primitive misspelt", "norm: batch_norm", "norm: batchnorm", "did you mean 'batch_norm'"),
    base(
        "block in capitals",
        "down2: conv_downsample",
        "down2: Conv_Downsample",
        "did you mean 'conv_downsample'",
    ),
    base("argument misspelt", "stride = 2", "strides = 2", "did you mean 'stride'"),
    base(
        "argument of each misspelt",
        "ffn(expansion = each expansion[0])",
        "ffn(expantion = each expansion[0])",
        "did you mean 'expansion'",
    ),
    base(
        "parameter misspelt where it is read",
        "conv_downsample(width[1])",
        "conv_downsample(widths[1])",
        "did you mean 'width'",
    ),
    base(
        "argument of the head misspelt",
        "distilled = distilled",
        "distiled = distilled",
        "did you mean 'distilled'",
    ),
    base("drop_path misspelt", "drop_path: 0.0", "drop_pth: 0.0", "did you mean 'drop_path'"),
    base(
        "function misspelt",
        "expansion = each first(expansion[2]",
        "expansion = each frist(expansion[2]",
        "did you mean 'first'",
    ),
    base("label of a feature misspelt", "[s1, s2, s3, s4]", "[s1, s2, s3, stage4]", "entries: "),
    base(
        "each misspelt",
        "ffn(expansion = each expansion[1])",
        "ffn(expansion = ech expansion[1])",
        "did you mean 'each'",
    ),
    # --- what is missing
    base("no version", "archdsl: 1\n", "", "begin with 'archdsl: 1'"),
    base("no import", "import: efficientformerv2\n", "", "import", "stem: conv_stem"),
    base("no name", "network: EfficientFormerV2\n", "", "add 'network:", "archdsl: 1"),
    base("no input", "input: [3, 224, 224]\n", "", "add 'input:", "archdsl: 1"),
    base("label missing", "  down1: conv", "  conv", "label: block"),
    base("colon missing", "  down1: conv_downsample(width[1])", "  down1 conv_downsample(width[1])", "':'"),
    base("blank missing behind a colon", "  down1: conv_downsample", "  down1:conv_downsample", "': '"),
    base("bracket of a call missing", "conv_downsample(width[2])", "conv_downsample(width[2]", "')'"),
    base("bracket of an index missing", "stem: conv_stem(width[0])", "stem: conv_stem(width[0)", "']'"),
    base("bracket of a list missing", "[s1, s2, s3, s4]", "[s1, s2, s3, s4", "close"),
    base(
        "bracket of a list missing in the middle",
        "width: [32, 48, 96, 176]",
        "width: [32, 48, 96, 176",
        "close",
    ),
    base("comma missing in a list", "width: [32, 48, 96, 176]", "width: [32, 48 96, 176]", "','"),
    base("comma missing in a call", "stride = 2, expansion", "stride = 2 expansion", "','"),
    base(
        "equals sign missing",
        "classifier(num_classes, distilled = distilled)",
        "classifier(num_classes, distilled)",
        "distilled = ",
    ),
    base("dash missing", "      - attention_block(stride", "        attention_block(stride", "- "),
    base("value missing", "  attention: 2", "  attention:", "write it behind the colon"),
    base(
        "list of blocks missing",
        "    blocks:\n      - ffn(expansion = each expansion[1])\n",
        "",
        "write 'blocks:'",
        "s2:",
    ),
    base("blocks left empty", "      - ffn(expansion = each expansion[1])\n", "", "- ", "blocks:\n  down2"),
    base("width missing behind its key", "    width: width[1]", "    width:", "write it behind the colon"),
    base(
        "argument missing", "down1: conv_downsample(width[1])", "down1: conv_downsample", "needs 'out_channels'"
    ),
    base(
        "parameter missing",
        "  attention: 2\n",
        "",
        "unknown name 'attention'",
        "      - ffn(expansion = each first(expansion[2]",
    ),
    base(
        "parameter of the head missing",
        "  distilled: true\n",
        "",
        "unknown name 'distilled'",
        "  classifier: classifier",
    ),
    base(
        "quote not closed",
        "doc: EfficientFormerV2 (Li et al., ICCV 2023, Table 12).",
        'doc: "EfficientFormerV2 (Li et al., ICCV 2023, Table 12).',
        "close",
    ),
    # --- indentation
    base("entry indented too little", "  down2: conv_downsample", "down2: conv_downsample", "indent"),
    base("entry indented too much", "  down2: conv_downsample", "   down2: conv_downsample", "indent"),
    base("indented by a tab", "  down2: conv_downsample", "\tdown2: conv_downsample", "spaces"),
    base(
        "blocks indented like the stage",
        "    width: width[1]\n    blocks:",
        "    width: width[1]\n  ‸blocks:",
        "indent",
    ),
    base(
        "list of blocks indented unevenly",
        "      - attention_block(stride",
        "     - attention_block(stride",
        "indent",
    ),
    base("parameter not indented", "  num_classes: 1000", "num_classes: 1000", "indent"),
    # --- wrong values
    base("string for a width", "stem: conv_stem(width[0])", 'stem: conv_stem("32")', "of type dim"),
    base("list for a width", "stem: conv_stem(width[0])", "stem: conv_stem(width)", "of type dim"),
    base("half a channel", "stem: conv_stem(width[0])", "stem: conv_stem(4.5)", "whole number"),
    base("zero channels", "stem: conv_stem(width[0])", "stem: conv_stem(0)", "at least 1"),
    base("negative channels", "down2: conv_downsample(width[2])", "down2: conv_downsample(-96)", "at least 1"),
    base(
        "odd channels of the stem", "stem: conv_stem(width[0])", "stem: conv_stem(33)", "half of its channels"
    ),
    base("number for a list", "width: [32, 48, 96, 176]", "width: ‸32", "list"),
    base("list too short", "width: [32, 48, 96, 176]", "width: ‸[32, 48, 96]", "3"),
    base("number where a truth is", "distilled: true", "distilled: 1", "true or false"),
    base("yes for a truth", "distilled: true", "distilled: yes", "write true"),
    base("off for a truth", "distilled: true", "distilled: off", "write false"),
    base("null for a truth", "distilled: true", "distilled: null", "write none"),
    base("string for a truth", "distilled: true", "distilled: 'true '' '", '"'),
    base("classes with a leading zero", "num_classes: 1000", "num_classes: 0100", "write 100"),
    base("classes with underscores", "num_classes: 1000", "num_classes: 1_000", "write 1000"),
    base("classes in base sixteen", "num_classes: 1000", "num_classes: 0x3e8", "write 1000"),
    base("classes below nothing", "num_classes: 1000", "num_classes: -1", "at least"),
    base("classes as a real number", "num_classes: 1000", "num_classes: 1000.5", "whole number"),
    base("rate without its zero", "drop_path: 0.0", "drop_path: .1", "write 0.1"),
    base("rate with a plus", "drop_path: 0.0", "drop_path: +0.1", "write 0.1"),
    base("rate of a percentage", "drop_path: 0.0", "drop_path: 10", "[0, 1)"),
    base("rate with a comma", "drop_path: 0.0", "drop_path: 0,1", "0.1"),
    base("rate below nothing", "drop_path: 0.0", "drop_path: -0.1", "[0, 1)"),
    base("input with a batch", "input: [3, 224, 224]", "input: [1, 3, 224, 224]", "the batch is not written"),
    base("input of two extents", "input: [3, 224, 224]", "input: [224, 224]", "[channels, rows, columns]"),
    base("input of one number", "input: [3, 224, 224]", "input: 224", "[channels, rows, columns]"),
    base("input as a product", "input: [3, 224, 224]", "input: 3x224x224", "[channels, rows, columns]"),
    base("input too small for the stride", "input: [3, 224, 224]", "input: [3, 208, 208]", "stride"),
    base("more attention than blocks", "attention: 2", "attention: 9", "9"),
    base("negative attention", "attention: 2", "attention: -1", "-1"),
    base("attention by halves", "attention: 2", "attention: 2.0", "whole number"),
    base("version of the future", "archdsl: 1", "archdsl: 2", "write 'archdsl: 1'"),
    base("version as text", "archdsl: 1", "archdsl: v1", "write 'archdsl: 1'"),
    # --- shapes
    base("stage of another width", "    width: width[2]", "    width: width[1]", "has 96 channels"),
    base("width as it is not given", "    width: width[3]", "    width: 200", "176"),
    base("stride that does not divide", "stride = 2, expansion", "stride = 3, expansion", "divide"),
    base(
        "each of unequal lengths",
        "ffn(expansion = each expansion[1])",
        "ffn(expansion = each expansion[1], kernel = each [3, 3, 5])",
        "equally long",
    ),
    base(
        "list that is not there",
        "ffn(expansion = each expansion[1])",
        "ffn(expansion = each expansion[4])",
        "0 to 3",
    ),
    base("each of a number", "ffn(expansion = each expansion[1])", "ffn(expansion = each 4)", "is a list"),
    base("each forgotten", "ffn(expansion = each expansion[1])", "ffn(expansion = expansion[1])", "each"),
    base(
        "something after the classifier",
        "distilled = distilled)",
        "distilled = distilled)\n  ‸last: relu",
        "make it the last",
    ),
    base("pooled before the head", "norm: batch_norm\n", "norm: global_avg_pool\n", "rank"),
    # --- twice
    base("parameter twice", "  attention: 2\n", "  attention: 2\n  ‸attention: 4\n", "written twice"),
    base(
        "entry twice", "down2: conv_downsample(width[2])", "down1: conv_downsample(width[2])", "written twice"
    ),
    base("stage twice", "\n  s4:\n", "\n  s3:\n", "written twice"),
    base(
        "key twice", "input: [3, 224, 224]\n", "input: [3, 224, 224]\n‸input: [3, 192, 192]\n", "written twice"
    ),
    base("argument twice", "stride = 2, expansion", "stride = 2, stride = 1, expansion", "twice"),
    base(
        "two positional arguments",
        "classifier(num_classes, distilled = distilled)",
        "classifier(num_classes, true)",
        "distilled = ",
    ),
    # --- YAML that is more, or less, than it looks
    base("anchor", "width: [32, 48, 96, 176]", "width: &w [32, 48, 96, 176]", "name"),
    base("alias", "    width: width[1]", "    width: *w", "name"),
    base("tag", "num_classes: 1000", "num_classes: !!int 1000", "remove the tag"),
    base("second document", "\nbody:", "\n---\nbody:", "'---'"),
    base(
        "call in a list in brackets",
        "blocks:\n      - ffn(expansion = each expansion[0])",
        "blocks: ‸[ffn(expansion = each expansion[0], kernel = 3)]",
        "one item a line",
    ),
    base("folded expression", "stem: conv_stem(width[0])", "stem: >\n    conv_stem(width[0])", "one line"),
    base(
        "expression of two lines",
        "attention_block(stride = 2, ",
        "attention_block(stride = 2,\n        ",
        "one line",
    ),
    base("product of a list", "- [4 * 2]\n    - [4, 3 * 3", "- [4] * 2\n    - [4, 3 * 3", "quote"),
    base("braces for a list", "[s1, s2, s3, s4]", "{s1, s2, s3, s4}", "label"),
    base("block in quotes inside quotes", "norm: batch_norm", "norm: '\"batch_norm\"'", "block"),
    base("Python's truth", "distilled: true", "distilled: True", "true"),
    base("keyword for a label", "  norm: batch_norm", "  class: batch_norm", "choose another name"),
    base("label with a dash", "  down1: conv", "  down-1: conv", "letters"),
    base("label that is a number", "  down1: conv", "  1: conv", "a letter first"),
    # --- variants
    s2(
        "base misspelt",
        "base: efficientformerv2_base",
        "base: efficientformerv2_bse",
        "did you mean 'efficientformerv2_base'",
    ),
    s2("base's key misspelt", "base:", "bsae:", "did you mean 'base'"),
    s2("set misspelt", "set:", "sets:", "did you mean 'set'"),
    s2("variant misspelt", "variant:", "varient:", "did you mean 'variant'"),
    s2("no base", "base: efficientformerv2_base\n", "", "add 'base: ", "variant: "),
    s2("parameter of a setting misspelt", "  attention: 4", "  atention: 4", "did you mean 'attention'"),
    s2(
        "setting of an entry that is not there", "  attention: 4", "  stm: conv_stem(32)", "did you mean 'stem'"
    ),
    s2("setting of a stage that is not there", "  attention: 4", "  s5.width: 32", "did you mean 's"),
    s2("setting of a block that is not there", "  attention: 4", "  s3.20.expansion: 3", "its blocks"),
    s2(
        "setting of an argument that is not there",
        "  attention: 4",
        "  s3.0.expansoin: 3",
        "did you mean 'expansion'",
    ),
    s2(
        "setting of an entry's argument that is not there",
        "  attention: 4",
        "  stem.out_chanels: 32",
        "did you mean 'out_channels'",
    ),
    s2("setting of an element that is not there", "  attention: 4", "  width[4]: 32", "0 to 3"),
    s2("setting into a number", "  attention: 4", "  attention[0]: 4", "list"),
    s2("setting inside a block", "  attention: 4", "  s3.9.mlp.expansion: 4", "ends at an argument"),
    s2("setting keeps no type", "  attention: 4", "  attention: [4, 4]", "keeps the type"),
    s2("list set to a number", "width: [32, 64, 144, 288]", "width: 32", "keeps the type"),
    s2(
        "choice in a variant",
        "  attention: 4",
        "  attention: choose {2, 4}",
        "write 'space' in place of 'variant'",
    ),
    s2(
        "variant of an odd width",
        "width: [32, 64, 144, 288]",
        "width: [33, 64, 144, 288]",
        "half of its channels",
    ),
    s2("variant of a short list", "width: [32, 64, 144, 288]", "width: [32, 64, 144]", "3"),
    s2("unset of what is not there", "set:", "unset: norrm\nset:", "did you mean 'norm'"),
    s2("unset of a parameter", "set:", "unset: attention\nset:", "set it: attention = "),
    s2("append to a number", "set:", "append:\n  ‸attention: 2\nset:", "write attention = "),
    s2("setting twice", "  attention: 4", "  attention: 4\n  ‸attention: 6", "twice"),
    s2("settings not indented", "  attention: 4", "attention: 4", "indent"),
    s2(
        "settings as a list",
        "set:\n  width: [32, 64, 144, 288]",
        "set:\n  ‸- width: [32, 64, 144, 288]",
        "mapping",
    ),
    s2("network's keys in a variant", "set:", "input: [3, 224, 224]\nset:", "variants:"),
    # --- spaces
    space("choose misspelt", "- choose {32, 48}", "- chose {32, 48}", "did you mean 'choose'"),
    space(
        "each choose without each where blocks are",
        "- ffn(expansion = each choose {2, 3, 4}) * depth[0]",
        "- ffn(expansion = each chose {2, 3, 4}) * depth[0]",
        "did you mean 'choose'",
    ),
    space("options in brackets", "- choose {32, 48}", "- choose [32, 48]", "'{'"),
    space("options not closed", "- choose {32, 48}", "- choose {32, 48", "'}'"),
    space("option of a wrong width", "- choose {32, 48}", "- choose {32, 33}", "half of its channels"),
    space(
        "condition without its convention", "\nbody:", "\nsubject_to: params <= 3.7M\nbody:", "write params("
    ),
    space(
        "condition of an unknown convention",
        "\nbody:",
        "\nsubject_to: macs(cor) <= 0.4G\nbody:",
        "did you mean 'core'",
    ),
    space(
        "condition of an unknown metric",
        "\nbody:",
        "\nsubject_to: param(core) <= 3.7M\nbody:",
        "did you mean 'params'",
    ),
    space("condition in a wrong unit", "\nbody:", "\nsubject_to: params(core) <= 3.7MB\nbody:", "M"),
    space("condition that is none", "\nbody:", "\nsubject_to: params(core)\nbody:", "<="),
    space(
        "condition that nothing keeps to", "\nbody:", "\nsubject_to: params(core) <= 1k\nbody:", "the least is"
    ),
    space("condition of no table", "\nbody:", "\nsubject_to: latency(iphone12) <= 1.0ms\nbody:", "latency"),
    space("depth that is not there", "* depth[3]", "* depth[4]", "0 to 3"),
    space(
        "depth of a real number",
        "- choose {4, 5, 6, 7, 8, 9, 10}",
        "- choose {4.5, 5, 6, 7, 8, 9, 10}",
        "whole number",
    ),
    space("input with a choice", "input: [3, 224, 224]", "input: [3, 224, choose {192, 224}]", "write a size"),
]
