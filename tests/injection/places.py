"""Every place of a document where a user's text can stand, with a harmless text in it.

A document is written once, with a word of its own at each place (`q_label`); the places are these words. Which
fields of `archdsl.syntax` and keys of YAML they reach is found by reading the documents (test_injection.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

from archdsl.read_yaml import DOCUMENT_KEYS
from archdsl.read_yaml.networks import BLOCK_KEYS, NETWORK_KEYS, PARAMETER_KEYS, STAGE_KEYS
from archdsl.read_yaml.variants import RULE_KEYS, VARIANT_KEYS

Kind = Literal["name", "label", "text", "value"]
"""What may stand there: a name, a name that labels a module, any text, or what has a meaning."""

Encoder = Callable[[str], str]


class Place(NamedTuple):
    """A place: in the document of `file`, `pattern` finds it; `around` writes a text there."""

    title: str
    file: str
    pattern: str
    kind: Kind
    encoders: tuple[Encoder, ...]
    around: str = "{}"

    def document(self, text: str, encoder: Encoder) -> str:
        """The document with a text at the place."""
        before, after = self.around.split("{}")
        written = before + encoder(text) + after
        return re.sub(self.pattern, lambda _: written, DOCUMENTS[self.file])


def raw(text: str) -> str:
    """As it is, whatever it does to the document around it."""
    return text


def escaped(text: str) -> str:
    """As a string of the language writes it."""
    for plain, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        text = text.replace(plain, escape)
    return text


def one_line(text: str) -> str:
    """As a comment holds it: one that ends the line would be no comment."""
    return text.replace("\r", "\n").partition("\n")[0]


def yaml_double(text: str) -> str:
    """As a double-quoted scalar of YAML writes it, every character that is no plain ASCII as an escape."""
    safe = "".join(char if " " <= char <= "~" and char not in '"\\' else f"\\U{ord(char):08x}" for char in text)
    return f'"{safe}"'


def yaml_single(text: str) -> str:
    """As a single-quoted scalar of YAML writes it."""
    return "'" + text.replace("'", "''") + "'"


def yaml_block(text: str) -> str:
    """As a block of text of YAML writes it, indented far enough for every place of these documents."""
    return "|-\n" + "\n".join(" " * 12 + line for line in text.split("\n"))


BLOCK = """\
archdsl 1
build q_net

block q_block(q_tensor: [q_dim, q_rows, q_columns]; q_arg: dim = 2, q_list: [dim] = [1, 2], q_act: op = relu) \
-> [q_dim, q_rows, q_columns] {
  "q_doc"
  q_let = q_arg * q_dim
  require q_let > 0 else "q_message"
  q_typed: [q_new, q_h, q_w] = q_tensor |> q_label: conv2d(q_let) |> q_act |> q_second: conv2d(q_dim)
  q_parts = [q_typed |> q_many[q_item]: conv2d(q_dim) for q_item in range(2)]
  for q_loop in q_list { q_parts = q_parts + [q_typed |> q_looped[q_loop]: conv2d(q_dim)] }
  q_flat = concat(q_parts) |> q_down: conv2d(q_let)
    |> rearrange("(q_axis c) h w -> q_axis c (h w)", q_axis = q_arg)
  init q_label, q_second = trunc_normal(0.02)
  q_back = q_flat |> softmax |> rearrange("a c (h w) -> (a c) h w", h = q_rows) |> q_last: conv2d(q_dim)
  q_left, q_right = concat(q_back, q_tensor) |> split([q_dim, q_dim])
  return (q_left + q_right |> drop_path) * q_arg |> gelu
}

network q_net(q_image: [3, 4, 4]) {
  q_first: relu
  head { q_entry: q_block(3) }
}
"""

NETWORK = """\
# q_comment
archdsl 1
build q_net

block q_block(q_tensor: [C, H, W]; q_arg: dim = 2, q_width: dim = 1) -> [C, H, W] {
  return q_tensor |> fc: conv2d(q_width * q_arg) |> relu |> out: conv2d(C) |> drop_path
}

network q_net(q_image: [3, 4, 4]; q_param = 4, num_classes = 10, drop_path = 0.1) {
  "q_doc"
  q_number = q_param * 2
  q_entry: q_block(2, q_width = q_number)
  stage q_stage(3) { q_block(q_arg = each [2, 3]); q_pin: q_block(2); q_block }
  stage q_other { q_block(q_arg = each [2, 3, 2], q_width = each [q_number, 3, num_classes]) }
  for q_index in range(2) { q_row[q_index]: sigmoid }
  q_third: sigmoid
  q_fourth: sigmoid
  if q_param > 2 { q_fifth: sigmoid }
  head { q_pool: global_avg_pool; q_head: linear(num_classes) }
  features q_entry, q_other, q_fifth
}
"""

STREAMS = """\
archdsl 1
build q_variant

block q_split(x: [C, H, W]) -> (x: [C, H, W], q_stream: [4, C]) {
  return x, x |> global_avg_pool |> make: linear(4 * C) |> rearrange("(n d) -> n d", n = 4)
}

block q_mix(q_stream: [n, d], x: [C, H, W]) -> (q_stream: [n, d], x: [C, H, W]) {
  return q_stream |> norm: layer_norm |> fc: linear(d), x |> conv: conv2d(C)
}

block q_join(x: [C, H, W], q_stream: [n, d]) -> [C + d] {
  a = concat(x |> global_avg_pool, q_stream |> mean(0))
  output train = (a, a)
  output eval = a
}

network q_net(q_image: [3, 4, 4], q_input: [2, 5]; depth = 2) {
  q_entry: q_split
  stage q_stage { q_mix * depth }
  stage q_other { q_pin: q_mix; q_mix * 2 }
  head { q_pool: q_join }
  features q_entry, q_other
}

variant q_variant : q_net {
  "q_doc"
  depth = 3
  q_pool = q_join
  unset q_other.q_pin
}
"""

SPACE = """\
archdsl 1
block q_block(x: [C, H, W]; q_text: str = "nearest") -> [C, H, W] {
  return x |> up: conv2d(2 * C) |> upsample(2, mode = "bilinear") |> avg_pool(2)
    |> rearrange("q_axes h w -> q_axes w h") |> fc: conv2d(C)
}
block q_choice(x: [C, H, W]) -> [C, H, W] { return x |> relu }

network q_net(q_image: [3, 4, 4]; width = choose {4, 8}, q_mode = "q_word") {
  stage q_entry { choose {q_block, q_choice} }
  q_second: conv2d(width)
}

space q_space : q_net { subject to params(core) <= 3.6M }
variant q_variant : q_net { width = 4; q_entry = [q_block, q_choice] }
build q_variant
keys q_map { q_net { "q_second" -> "q_theirs"; "q_ours" -> "a", "b" (axis = 0); drop "q_dropped" } }
"""

YAML = """\
# q_comment
archdsl: 1
build: q_net
network: q_net
doc: q_doc
input: {q_image: [3, 4, 4]}
parameters:
  q_param: {type: dim, value: 4}
  q_plain: 8
  num_classes: 10
body:
  q_entry: q_block(2, q_width = q_param)
  q_stage:
    width: 3
    blocks:
      - q_block(q_arg = each [2, 3])
      - q_pin: q_block(q_plain)
      - q_block
head:
  q_pool: global_avg_pool
  q_head: linear(num_classes)
features: [q_stage]
blocks:
  q_block:
    signature: '(q_tensor: [C, H, W]; q_arg: dim = 2, q_width: dim = 1) -> [C, H, W]'
    doc: q_about
    body: |
      q_let = q_width * q_arg
      return q_tensor |> q_label: conv2d(q_let) |> relu |> out: conv2d(C)
keys:
  q_map:
    q_block:
      q_ours: q_theirs
      q_label: {to: [q_a, q_b], axis: 0, sizes: [2, 2]}
      q_key: {to: q_known, reshape: [1, 2], axis: 0, groups: 2}
      q_a: {to: q_b, flip: [0], permute: [1, 0], unsqueeze: -1}
      q_b.*: {to: q_c.*, first: 2, step: 3}
"""

VARIANTS = """\
archdsl: 1
import: [q_import]
build: q_variant
networks:
  q_net:
    doc: q_doc
    input: [3, 4, 4]
    parameters: {q_param: 4}
    body:
      q_entry: conv2d(q_param)
      q_stage: {blocks: [q_block, q_block]}
      q_third: sigmoid
variants:
  q_variant:
    base: q_net
    doc: q_about
    set: {q_param: 8}
    append: {q_stage: q_block}
    unset: [q_third]
  q_other: {base: q_document}
blocks:
  q_block:
    signature: '(x: [C, H, W]) -> [C, H, W]'
    body: |
      return x |> fc: conv2d(C)
spaces:
  q_space: {base: q_net, set: {q_param: '8'}, subject_to: [params(core) <= 3M]}
"""

LONE = """\
archdsl: 1
variant: q_variant
base: q_base
doc: q_doc
set: {q_param: 8, q_entry.q_arg: 2}
append: {q_stage: inner}
unset: [q_third]
blocks: |
  block inner(x: [C, H, W]) -> [C, H, W] { return x |> fc: conv2d(C) }
"""

LONE_SPACE = """\
archdsl: 1
space: q_space
base: q_base
set: {q_param: 8}
subject_to: params(core) <= 3M
"""

BASE = """\
archdsl 1
import "q_import"
block inner(x: [C, H, W]) -> [C, H, W] { return x |> fc: conv2d(C) }
variant q_variant : "q_base" { q_param = 8; q_entry.q_arg = 2; q_stage += inner; unset q_third }
variant q_other : "q_base#q_net" { }
build q_variant
"""

DOCUMENTS = {
    "block.arch": BLOCK,
    "network.arch": NETWORK,
    "streams.arch": STREAMS,
    "space.arch": SPACE,
    "base.arch": BASE,
    "net.yaml": YAML,
    "variants.yaml": VARIANTS,
    "lone.yaml": LONE,
    "space.yaml": LONE_SPACE,
}
BESIDE = {
    "q_import.arch": "archdsl 1\nblock imported(x: [C, H, W]) -> [C, H, W] { return x |> fc: conv2d(C) }\n",
    "q_base.arch": NETWORK.replace("q_param = 4", "q_param: dim = 4"),
    "q_document.arch": "archdsl 1\nnetwork q_net(image: [3, 4, 4]) { a: relu }\n",
}
"""The files that these documents import or begin from."""

LABELS = (
    "q_label", "q_second", "q_many", "q_looped", "q_down", "q_last", "q_entry", "q_stage", "q_other", "q_pin",
    "q_row", "q_third", "q_fourth", "q_fifth", "q_pool", "q_head", "q_first",
)  # fmt: skip
TEXTS = ("q_doc", "q_about", "q_message", "q_comment")
VALUES = (
    "q_axes", "q_word", "q_theirs", "q_ours", "q_dropped", "q_a",
    "q_b", "q_base", "q_document", "q_import", "q_key", "q_known",
)  # fmt: skip
YAML_KEYS = sorted(
    {*DOCUMENT_KEYS, *BLOCK_KEYS, *NETWORK_KEYS, *PARAMETER_KEYS, *STAGE_KEYS, *RULE_KEYS, *VARIANT_KEYS}
)


def _kind(word: str) -> Kind:
    if word in TEXTS:
        return "text"
    return "label" if word in LABELS else "value" if word in VALUES else "name"


def _encoders(file: str, word: str) -> tuple[Encoder, ...]:
    """How a text can be written where a word stands: in a comment, in quotes, as a scalar of YAML, bare."""
    text = DOCUMENTS[file]
    if word == "q_comment":
        return (one_line, raw)
    if file.endswith(".arch"):
        return (escaped, raw) if re.search(rf'"{word}\b', text) else (raw,)
    scalars = re.findall(rf"(?:^|[ \[{{]){word}(?=$|[:,\]}}])", text, re.MULTILINE)
    if len(scalars) < len(re.findall(rf"\b{word}\b", text)):
        return (raw,)
    return (raw, yaml_double, yaml_single, yaml_block) if word in TEXTS else (raw, yaml_double, yaml_single)


def _words() -> list[Place]:
    """A place for each word of each document."""
    return [
        Place(f"{file}: {word}", file, rf"\b{word}\b", _kind(word), _encoders(file, word))
        for file, text in DOCUMENTS.items()
        for word in dict.fromkeys(re.findall(r"\bq_\w+", text))
    ]  # fmt: skip


SPOTS = (
    ("Binary.op", "block.arch", r"q_arg \* q_dim", "q_arg {} q_dim"),
    ("Binary.op", "block.arch", "q_let > 0", "q_let {} 0"),
    ("Unary.op", "block.arch", r"range\(2\)", "range({} 2)"),
    ("TypeName.name", "block.arch", "q_arg: dim", "q_arg: {}"),
    ("TypeName.name", "block.arch", r"q_list: \[dim\]", "q_list: {}"),
    ("Call.name", "block.arch", "trunc_normal", "{}"),
    ("Call.name", "block.arch", "range", "{}"),
    ("Call.name", "network.arch", "q_head: linear", "q_head: {}"),
    ("Num.value", "block.arch", r"trunc_normal\(0.02\)", "trunc_normal({})"),
    ("Num.value", "network.arch", "q_param = 4", "q_param = {}"),
    ("Bool.value", "block.arch", "q_arg: dim = 2", "q_arg: dim = {}"),
    ("Output.mode", "streams.arch", "output train", "output {}"),
    ("Setting.kind", "streams.arch", "depth = 3", "depth {} 3"),
    ("Setting.kind", "streams.arch", "unset", "{}"),
    ("Quantity.number", "space.arch", "3.6M", "{}M"),
    ("Quantity.unit", "space.arch", "3.6M", "3.6{}"),
    ("Call.name", "space.arch", r"params\(core\)", "{}(core)"),
    ("Name.id", "space.arch", r"params\(core\)", "params({})"),
    ("Argument.name", "space.arch", "axis = 0", "{} = 0"),
    ("Str.value", "space.arch", '"bilinear"', '"{}"'),
    ("Str.value", "block.arch", r"q_axis c \(h w\)", "{}"),
    ("Document.version", "block.arch", "archdsl 1", "archdsl {}"),
    ("Document.version", "net.yaml", "archdsl: 1", "archdsl: {}"),
    ("Import.name", "base.arch", '"q_import"', "{}"),
    ("Param.default", "net.yaml", "q_plain: 8", "q_plain: {}"),
    ("TypeName.name", "net.yaml", "type: dim", "type: {}"),
    ("Stage.width", "net.yaml", "width: 3", "width: {}"),
    ("Call.args", "net.yaml", r"each \[2, 3\]", "{}"),
    ("the signature", "net.yaml", "signature: .*", "signature: {}"),
    ("the body", "net.yaml", "return q_tensor", "{} q_tensor"),
    ("a whole document", "net.yaml", r"(?s)\A.*\Z", "{}"),
    ("a whole document", "block.arch", r"(?s)\A.*\Z", "{}"),
    ("behind the end", "block.arch", r"\Z", "{}"),
    ("behind the end", "net.yaml", r"\Z", "{}"),
    ("before the beginning", "block.arch", r"\A", "{}"),
    ("before the beginning", "net.yaml", r"\A", "{}"),
)
"""What is no word: operators, numbers, types, whole texts. The first is the field that it is read into."""


def _spots() -> list[Place]:
    return [
        Place(f"{file}: {title} {number}", file, pattern, "value", _encoders_of_spot(file, around), around)
        for number, (title, file, pattern, around) in enumerate(SPOTS)
    ]


def _encoders_of_spot(file: str, around: str) -> tuple[Encoder, ...]:
    if '"{}"' in around:
        return (escaped, raw)
    return (raw, yaml_double) if file.endswith("yaml") and around.endswith(": {}") else (raw,)


def _keys() -> list[Place]:
    """A place for each key of the YAML surface, where one stands."""
    return [
        Place(f"{file}: the key {key}", file, rf"(?<![\w']){key}:", "value", (raw, yaml_double), "{}:")
        for key in YAML_KEYS
        for file, text in DOCUMENTS.items()
        if file.endswith("yaml") and re.search(rf"(?<![\w']){key}:", text)
    ]


PLACES = (*_words(), *_spots(), *_keys())
