"""The document as it was written: one record a construct, each with its place. Both readers give these.

Document  = version, imports, blocks, networks, variants, key maps, the network that it builds
Block     = name, tensor parameters, parameters, results, doc, statements
Network   = the same, with entries, stages and a head among its statements
Variant   = a base and settings: `path = value`, `path += value`, `unset path`, `subject to ...`
Statement = Let | Return | Output | Require | Init | If | For | Entry | Stage | Head | Features | SubjectTo
Expr      = Num | Quantity | Str | Bool | NoneLiteral | Name | Unary | Binary | Call | Labelled | Pipe
          | Index | ListExpr | Repeat | Each | Choose | IfExpr | Comprehension | Paren

`span` is the place that a message names; `whole_span`, where a construct has one, is all of its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from archdsl.record import Record
from archdsl.source import Span

LANGUAGE_VERSION = 1
"""The version of the language that documents state in their first line."""


# --- expressions -------------------------------------------------------------------------------


class Num(Record):
    """A whole number or a number with a point or exponent."""

    value: int | float
    span: Span


class Quantity(Record):
    """A number with a unit, `3.6M`, `1.0ms`, `8MiB`: kept as it was written, an exact decimal."""

    number: str
    unit: str
    span: Span


class Str(Record):
    """A string in double quotes."""

    value: str
    span: Span


class Bool(Record):
    """`true` or `false`."""

    value: bool
    span: Span


class NoneLiteral(Record):
    """`none`: the value of an optional argument that is not there."""

    span: Span


class Name(Record):
    """A name: of an extent, an argument, a let, a block or a primitive."""

    id: str
    span: Span


class Unary(Record):
    """`-x` or `not x`."""

    op: str
    operand: Expr
    span: Span


class Binary(Record):
    """Arithmetic, comparison, `and`, `or`, and `@`, the product of matrices."""

    op: str
    left: Expr
    right: Expr
    span: Span


class Argument(Record):
    """An argument of a call; positional where `name` is None."""

    name: str | None
    value: Expr
    span: Span


class Call(Record):
    """`name(arguments)`: a scalar function, a primitive, a block or a module made before."""

    name: str
    args: tuple[Argument, ...]
    span: Span
    name_span: Span


class Labelled(Record):
    """`label: call` or `label[index]: call`: the call owns weights under this key of state_dict."""

    label: str
    index: Expr | None
    call: Name | Call
    span: Span


class Pipe(Record):
    """`source |> step |> step`: each step takes what stands before it as its first tensor."""

    source: Expr
    steps: tuple[Expr, ...]
    span: Span


class Index(Record):
    """`list[index]`."""

    value: Expr
    index: Expr
    span: Span


class ListExpr(Record):
    """`[a, b * 3]`; an element `b * 3` stands for three b."""

    items: tuple[Expr, ...]
    span: Span


class Repeat(Record):
    """`value * count`, an element of a list or an item of a stage."""

    value: Expr
    count: Expr
    span: Span


class Each(Record):
    """`each [...]`: one value for each block of the item that it is an argument of."""

    value: Expr
    span: Span


class Choose(Record):
    """`choose {2, 3, 4}`: a decision that is left open; `each choose` makes one for each block."""

    options: tuple[Expr, ...]
    span: Span


class IfExpr(Record):
    """`if condition { a } else { b }`, decided when the graph is made."""

    condition: Expr
    then: Expr
    otherwise: Expr
    span: Span


class Comprehension(Record):
    """`[item for name in values]`."""

    item: Expr
    name: str
    values: Expr
    span: Span


class Paren(Record):
    """`(a)`, or `(a, b)` for several tensors."""

    items: tuple[Expr, ...]
    span: Span


Expr: TypeAlias = (
    "Num | Quantity | Str | Bool | NoneLiteral | Name | Unary | Binary | Call | Labelled | Pipe | Index"
    " | ListExpr | Repeat | Each | Choose | IfExpr | Comprehension | Paren | Rest"
)


# --- types and signatures ----------------------------------------------------------------------


class Rest(Record):
    """`...`, which stands first in a shape: any axes."""

    span: Span


class Shape(Record):
    """`[C, ceil(H / 2), W]`: the extents of a tensor, the batch left out."""

    extents: tuple[Expr, ...]
    span: Span


class TensorParam(Record):
    """A tensor that a block or network takes; names of its shape that are new are bound by it."""

    name: str
    shape: Shape
    span: Span


class TypeName(Record):
    """`dim`, `ratio?`, `[dim]`."""

    name: str
    is_list: bool
    optional: bool
    span: Span


class Param(Record):
    """A compile-time parameter. `type` is None where a network infers it from the default."""

    name: str
    type: TypeName | None
    default: Expr | None
    span: Span
    later: tuple[Setting, ...] = ()
    """What variants set it to, in order (archdsl/variants.py); a document as written has none."""


class Result(Record):
    """A tensor that a block gives; named where it replaces or makes a stream of that name."""

    name: str | None
    shape: Shape
    span: Span


# --- statements --------------------------------------------------------------------------------


class Target(Record):
    """A name that a let binds."""

    name: str
    span: Span


class Let(Record):
    """`a = expr`, `a, b = expr` or `a: [C, h, w] = expr`, which binds the names h and w too."""

    targets: tuple[Target, ...]
    shape: Shape | None
    value: Expr
    span: Span


class Return(Record):
    """`return a` or `return a, b`."""

    values: tuple[Expr, ...]
    span: Span


class Output(Record):
    """`output train = (a, b)`: what the block gives in one mode of the module."""

    mode: str
    value: Expr
    span: Span


class Require(Record):
    """`require condition else "message"`."""

    condition: Expr
    message: str
    span: Span


class LabelPath(Record):
    """`fc1.conv`: a module of the block, by its labels."""

    parts: tuple[str, ...]
    span: Span


class Init(Record):
    """`init fc1.conv, fc2.conv = trunc_normal(0.02)`: how those weights begin; biases begin at 0."""

    paths: tuple[LabelPath, ...]
    value: Expr
    span: Span


class If(Record):
    """`if condition { ... } else { ... }`, decided when the graph is made."""

    condition: Expr
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]
    span: Span


class For(Record):
    """`for name in values { ... }`, unrolled when the graph is made."""

    name: str
    values: Expr
    body: tuple[Statement, ...]
    span: Span


class Entry(Record):
    """`stem: conv_stem(32)` in a network: a block between or instead of stages."""

    label: str
    index: Expr | None
    call: Expr
    span: Span


class Stage(Record):
    """`stage s3(96) { ... }`: blocks numbered from 0; `width` is checked, not assumed."""

    label: str
    width: Expr | None
    items: tuple[Expr, ...]
    span: Span
    whole_span: Span
    later: tuple[tuple[Setting, ...], ...] = ()
    """What variants set in its blocks, layer by layer (archdsl/variants.py); as written it has none."""


class Head(Record):
    """`head { ... }`: the entries after `forward_features`."""

    body: tuple[Statement, ...]
    span: Span


class Features(Record):
    """`features s1, s2`: the entries whose maps `features()` gives."""

    labels: tuple[LabelPath, ...]
    span: Span


class SubjectTo(Record):
    """`subject to params(core) <= 3.7M and macs(core) <= 0.4G`: what a space must keep to."""

    condition: Expr
    span: Span


Statement: TypeAlias = (
    Let | Return | Output | Require | Init | If | For | Entry | Stage | Head | Features | SubjectTo
)


# --- documents ---------------------------------------------------------------------------------


class Block(Record):
    """A block: typed tensors and arguments in, tensors out, and the dataflow between."""

    name: str
    tensors: tuple[TensorParam, ...]
    params: tuple[Param, ...]
    results: tuple[Result, ...]
    doc: str | None
    body: tuple[Statement, ...]
    span: Span
    whole_span: Span


class Network(Record):
    """A network: the input, the parameters that a variant may override, entries and stages."""

    name: str
    tensors: tuple[TensorParam, ...]
    params: tuple[Param, ...]
    doc: str | None
    body: tuple[Statement, ...]
    span: Span
    whole_span: Span


class Base(Record):
    """What a variant begins from: a name of this document, or a document, or a name of a document."""

    document: str | None
    name: str | None
    span: Span


class Path(Record):
    """`width`, `expansion[2]`, `s3.4.expansion`: labels as text, indices as expressions."""

    steps: tuple[str | Expr, ...]
    span: Span


class Setting(Record):
    """`path = value`, `path += value` or, without a value, `unset path`; `kind` is `=`, `+=` or `unset`."""

    kind: str
    path: Path
    value: Expr | None
    span: Span


class Variant(Record):
    """`variant S1 : S0 { ... }`; a `space` may leave decisions open and is subject to conditions."""

    name: str
    base: Base
    doc: str | None
    settings: tuple[Setting | SubjectTo, ...]
    is_space: bool
    span: Span
    whole_span: Span


KEY_OPTIONS: Final = ("flip", "permute", "reshape", "unsqueeze", "axis", "groups", "sizes", "first", "step")
"""What a rule of a key map may say besides names, in the order in which YAML has it."""


class KeyRule(Record):
    """`"fc1.conv" -> "mlp.fc1"`: how others name weights of a block; several are joined or parted.

    A segment `*` stands for any one. `options` are `flip` and `permute` (of axes), `reshape` (the other
    shape), `unsqueeze`, `axis`, `groups` and `sizes` (of what is joined or parted), `first` (what the number 0
    becomes) and `step` (how far numbers get apart). With no name of ours it drops what the others have.
    """

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    options: tuple[Argument, ...]
    span: Span


class KeyRules(Record):
    """The rules of a key map for one block or network."""

    block: str
    rules: tuple[KeyRule, ...]
    span: Span
    whole_span: Span


class KeyMap(Record):
    """`keys timm { ffn { "scale" -> "ls2" } }`: the names that others give to weights, by block."""

    name: str
    blocks: tuple[KeyRules, ...]
    span: Span
    whole_span: Span


class Import(Record):
    """`import "attention"`: the blocks of another document."""

    name: str
    span: Span


class Build(Record):
    """`build S1`: the network or variant that a file means where only the file is named."""

    name: str
    span: Span


class Document(Record):
    """A file as it was written."""

    version: int
    imports: tuple[Import, ...]
    blocks: tuple[Block, ...]
    networks: tuple[Network, ...]
    variants: tuple[Variant, ...]
    keys: tuple[KeyMap, ...]
    build: Build | None
    span: Span


def as_call(expr: Name | Call) -> Call:
    """What is called, and with what: a name alone has no arguments."""
    return expr if isinstance(expr, Call) else Call(expr.id, (), expr.span, expr.span)


def names_in(part: object) -> Iterator[str]:
    """Every name that a part of a document reads or calls; names that it gives are not among them."""
    for found in parts_of(part, Name | Call):
        yield found.id if isinstance(found, Name) else found.name


def parts_of(part: object, kind: Any) -> Iterator[Any]:
    """Every record of a kind in a part of a document, the part itself included, outer ones first."""
    if isinstance(part, Record):
        if isinstance(part, kind):
            yield part
        for field in part._compared:
            yield from parts_of(getattr(part, field), kind)
    elif type(part) is tuple:
        for item in part:
            yield from parts_of(item, kind)
