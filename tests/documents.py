"""Random documents: every construct of `archdsl.syntax`, as either reader could have read it.

`documents()` draws records without places; `with_comments` puts comments at random lines of a text.
"""

from __future__ import annotations

from hypothesis import strategies as st

from archdsl import names
from archdsl import syntax as s
from archdsl.source import Source, Span

NOWHERE = Span(Source("drawn", ""), 1, 1, 1, 1)
NAMES = ("a", "b1", "width", "no", "yes", "null", "head", "stage", "keys", "output", "drop", "subject", "unset")
LETTERS = "abz019 \"\\'#:,-{}[]()|>é漢😀\n\t%&*!?@`~;=/."

name = st.sampled_from(NAMES)
string = st.one_of(
    st.text(LETTERS, max_size=12),
    st.sampled_from(
        ["", " ", "# no comment", "a: b", "it's", '"', "\\", "a\\nb", "- x", "~", "yes", "1", "a\n\n b"]
    ),
)


def _sequence(inner: st.SearchStrategy, least: int = 0, most: int = 3) -> st.SearchStrategy:
    return st.lists(inner, min_size=least, max_size=most).map(tuple)


# --- expressions, each wrapped in brackets where the grammar wants them

number = st.one_of(
    st.integers(0, 10**12),
    st.floats(0, 1e20, allow_nan=False).filter(lambda value: len(repr(value)) <= 24),
    st.sampled_from([0.1, 1e-5, 1e16, 1.0, 2.5]),
).map(lambda value: s.Num(value, NOWHERE))
quantity = st.builds(
    lambda digits, unit: s.Quantity(digits, unit, NOWHERE),
    st.sampled_from(["3.6", "1.0", "8", "0.50"]),
    st.sampled_from(["k", "M", "G", "us", "ms", "s", "KB", "MB", "GB", "KiB", "MiB", "GiB"]),
)
_atoms = st.one_of(
    number,
    quantity,
    string.map(lambda value: s.Str(value, NOWHERE)),
    st.booleans().map(lambda value: s.Bool(value, NOWHERE)),
    st.just(s.NoneLiteral(NOWHERE)),
    name.map(lambda id: s.Name(id, NOWHERE)),
)
_OPERATORS = ("or", "and", "==", "<=", "<", "+", "-", "*", "/", "//", "%", "@", "**")


def _bracketed(expr: s.Expr, level: int) -> s.Expr:
    """The expression, in brackets where it would bind less tightly than `level` of the grammar."""
    from archdsl.print_arch.layout import binding

    return expr if binding(expr) >= level else s.Paren((expr,), NOWHERE)


def _item(expr: s.Expr) -> s.Expr:
    """An element of a list: a bare product would be a repetition."""
    return s.Paren((expr,), NOWHERE) if isinstance(expr, s.Binary) and expr.op == "*" else expr


def _binary(op: str, left: s.Expr, right: s.Expr) -> s.Expr:
    from archdsl.print_arch.layout import sides

    low, high = sides(op)
    return s.Binary(op, _bracketed(left, low), _bracketed(right, high), NOWHERE)


def _unary(op: str, operand: s.Expr) -> s.Expr:
    from archdsl.print_arch.layout import NOT, UNARY

    return s.Unary(op, _bracketed(operand, NOT if op == "not" else UNARY), NOWHERE)


def _is_none(value: s.Expr, negated: bool) -> s.Expr:
    from archdsl.print_arch.layout import SUM

    test = s.Binary("is", _bracketed(value, SUM), s.NoneLiteral(NOWHERE), NOWHERE)
    return s.Unary("not", test, NOWHERE) if negated else test


def _repeat(value: s.Expr, count: s.Expr) -> s.Expr:
    from archdsl.print_arch.layout import PRODUCT, UNARY

    return s.Repeat(_bracketed(value, PRODUCT), _bracketed(count, UNARY), NOWHERE)


def _postfix(expr: s.Expr) -> s.Expr:
    from archdsl.print_arch.layout import POSTFIX

    return _bracketed(expr, POSTFIX)


def _index(value: s.Expr, index: s.Expr) -> s.Expr:
    from archdsl.print_arch.layout import POSTFIX

    return s.Index(_bracketed(value, POSTFIX), index, NOWHERE)


def _pipe(source: s.Expr, steps: tuple[s.Expr, ...]) -> s.Expr:
    from archdsl.print_arch.layout import OR

    return s.Pipe(_bracketed(source, OR), steps, NOWHERE)


def _arguments(inner: st.SearchStrategy) -> st.SearchStrategy:
    positional = st.lists(inner.map(lambda value: s.Argument(None, value, NOWHERE)), max_size=1)
    named = st.lists(st.builds(lambda n, value: s.Argument(n, value, NOWHERE), name, inner), max_size=2)
    return st.builds(lambda first, rest: (*first, *rest), positional, named)


def _calls(inner: st.SearchStrategy) -> st.SearchStrategy:
    call = st.builds(lambda n, args: s.Call(n, args, NOWHERE, NOWHERE), name, _arguments(inner))
    return st.one_of(call, name.map(lambda id: s.Name(id, NOWHERE)))


def _labelled(inner: st.SearchStrategy) -> st.SearchStrategy:
    index = st.none() | inner
    return st.builds(lambda n, i, call: s.Labelled(n, i, call, NOWHERE), name, index, _calls(inner))


def _larger(inner: st.SearchStrategy) -> st.SearchStrategy:
    items = _sequence(st.one_of(inner.map(_item), st.builds(_repeat, inner, inner)))
    steps = _sequence(st.one_of(_calls(inner), _labelled(inner)), 1)
    return st.one_of(
        st.builds(_unary, st.sampled_from(["-", "not"]), inner),
        st.builds(_binary, st.sampled_from(_OPERATORS), inner, inner),
        st.builds(_is_none, inner, st.booleans()),
        _calls(inner),
        _labelled(inner),
        st.builds(_pipe, inner, steps),
        st.builds(_index, inner, inner),
        items.map(lambda found: s.ListExpr(found, NOWHERE)),
        inner.map(lambda value: s.Each(_postfix(value), NOWHERE)),
        _sequence(inner, 1).map(lambda options: s.Choose(options, NOWHERE)),
        st.builds(lambda a, b, c: s.IfExpr(a, b, c, NOWHERE), inner, inner, inner),
        st.builds(lambda item, n, values: s.Comprehension(item, n, values, NOWHERE), inner, name, inner),
        _sequence(inner, 1).map(lambda items: s.Paren(items, NOWHERE)),
    )


expression = st.recursive(_atoms, _larger, max_leaves=8)
call = _calls(expression)

# --- signatures


def _shape(extents: tuple[s.Expr, ...], is_open: bool) -> s.Shape:
    """A shape, which may begin with `...`."""
    return s.Shape((s.Rest(NOWHERE), *extents) if is_open else extents, NOWHERE)


shape = st.builds(_shape, _sequence(expression, 0, 3), st.booleans())
type_name = st.builds(
    lambda kind, is_list, optional: s.TypeName(kind, is_list, optional, NOWHERE),
    st.sampled_from(names.TYPES),
    st.booleans(),
    st.booleans(),
)


@st.composite
def signatures(draw: st.DrawFn, typed: bool) -> tuple[tuple[s.TensorParam, ...], tuple[s.Param, ...]]:
    """Tensors and parameters with names of their own; `typed` where each must say its type."""
    # Of blocks and networks, networks alone have a parameter drop_path.
    labels = draw(
        st.permutations(["x", "image", "tokens", "scale", "rate_1", "depth", *([] if typed else ["drop_path"])])
    )
    count = draw(st.integers(0, 2))
    # An extent may have no name of the signature.
    extent = st.one_of(number, st.sampled_from(["H", "W"]).map(lambda id: s.Name(id, NOWHERE)))
    shapes = st.builds(_shape, _sequence(extent, 0, 3), st.booleans() if typed else st.just(False))
    chosen = [label for label in labels if label != "drop_path"][:count]
    tensors = tuple(s.TensorParam(label, draw(shapes), NOWHERE) for label in chosen)
    params = []
    for label in [label for label in labels if label not in chosen][: draw(st.integers(0, 3))]:
        type_ = draw(type_name) if typed or draw(st.booleans()) else None
        default = draw(expression) if type_ is None or draw(st.booleans()) else None
        params.append(s.Param(label, type_, default, NOWHERE))
    return tensors, tuple(params)


# --- statements

part = st.one_of(name, st.sampled_from(["0", "12"]))
label_path = st.builds(lambda n, rest: s.LabelPath((n, *rest), NOWHERE), name, st.lists(part, max_size=2))
targets = _sequence(name.map(lambda n: s.Target(n, NOWHERE)), 1, 2)
let = st.one_of(
    st.builds(lambda found, value: s.Let(found, None, value, NOWHERE), targets, expression),
    st.builds(
        lambda n, extents, value: s.Let((s.Target(n, NOWHERE),), extents, value, NOWHERE),
        name,
        shape,
        expression,
    ),
)
entry = st.builds(lambda n, i, c: s.Entry(n, i, c, NOWHERE), name, st.none() | expression, call)
plain_entry = st.builds(lambda n, c: s.Entry(n, None, c, NOWHERE), name, call)


def _leads_with_minus(expr: s.Expr) -> bool:
    from archdsl.print_arch.layout import flat

    return flat(expr).startswith("-")


stage_item = st.one_of(
    call,
    _labelled(expression),
    expression.map(_item),
    st.builds(_repeat, expression, expression),
).filter(lambda item: not _leads_with_minus(item))
stage = st.builds(
    lambda n, width, items: s.Stage(n, width, items, NOWHERE, NOWHERE),
    name,
    st.none() | expression,
    _sequence(stage_item),
)
subject_to = expression.map(lambda condition: s.SubjectTo(condition, NOWHERE))
features = _sequence(label_path, 1).map(lambda labels: s.Features(labels, NOWHERE))
simple = st.one_of(
    let,
    _sequence(expression, 1, 2).map(lambda values: s.Return(values, NOWHERE)),
    st.builds(lambda n, value: s.Output(n, value, NOWHERE), name, expression),
    st.builds(lambda condition, text: s.Require(condition, text, NOWHERE), expression, string),
    st.builds(lambda p, value: s.Init(p, value, NOWHERE), _sequence(label_path, 1, 2), expression),
    entry,
    stage,
    features,
    subject_to,
)


def _compound(inner: st.SearchStrategy) -> st.SearchStrategy:
    body = _sequence(inner, 0, 2)
    return st.one_of(
        st.builds(lambda c, then, other: s.If(c, then, other, NOWHERE), expression, body, body),
        st.builds(lambda n, values, b: s.For(n, values, b, NOWHERE), name, expression, body),
        body.map(lambda b: s.Head(b, NOWHERE)),
    )


statement = st.recursive(simple, _compound, max_leaves=4)
statements = _sequence(statement)
doc = st.none() | string

# --- documents


@st.composite
def blocks(draw: st.DrawFn) -> s.Block:
    """A block of any statements."""
    tensors, params = draw(signatures(True))
    result = st.builds(lambda n, extents: s.Result(n, extents, NOWHERE), st.none() | name, shape)
    results = draw(_sequence(result, 1, 2))
    return s.Block(draw(name), tensors, params, results, draw(doc), draw(statements), NOWHERE, NOWHERE)


@st.composite
def networks(draw: st.DrawFn) -> s.Network:
    """A network: one that a mapping can say, or one of any statements."""
    tensors, params = draw(signatures(False))
    if draw(st.booleans()):
        body = list(
            draw(st.lists(st.one_of(plain_entry, stage), max_size=3, unique_by=lambda part: part.label))
        )
        if draw(st.booleans()):
            inner = draw(_sequence(plain_entry, 0, 2))
            body.append(s.Head(inner, NOWHERE))
        body += draw(st.lists(features, max_size=1))
        body += draw(st.lists(subject_to, max_size=2))
    else:
        body = list(draw(statements))
    return s.Network(draw(name), tensors, params, draw(doc), tuple(body), NOWHERE, NOWHERE)


path = st.builds(
    lambda n, rest: s.Path((n, *rest), NOWHERE), name, st.lists(st.one_of(part, expression), max_size=2)
)
setting = st.one_of(
    st.builds(
        lambda kind, p, value: s.Setting(kind, p, value, NOWHERE),
        st.sampled_from(["=", "+="]),
        path,
        expression,
    ),
    path.map(lambda p: s.Setting("unset", p, None, NOWHERE)),
    subject_to,
)
_document_name = st.text("abz/. #'😀", min_size=1, max_size=8).filter(lambda text: "#" not in text)
base = st.one_of(
    name.map(lambda n: s.Base(None, n, NOWHERE)),
    st.builds(lambda d, n: s.Base(d, n, NOWHERE), _document_name, st.none() | name),
)


def _rank(part: s.Setting | s.SubjectTo) -> int:
    return 3 if isinstance(part, s.SubjectTo) else ("=", "+=", "unset").index(part.kind)


@st.composite
def variants(draw: st.DrawFn) -> s.Variant:
    """A variant or space; more often than not with settings in YAML's order."""
    settings = draw(st.lists(setting, max_size=3))
    if draw(st.booleans()):
        settings.sort(key=_rank)
    is_space = draw(st.booleans())
    return s.Variant(draw(name), draw(base), draw(doc), tuple(settings), is_space, NOWHERE, NOWHERE)


_weight = st.one_of(st.sampled_from(["fc1.conv", "*.bias", "a b", "drop", ""]), string)
_options = st.one_of(
    st.just(()),
    st.builds(lambda value: (s.Argument("axis", value, NOWHERE),), expression),
    _arguments(expression),
)
key_rule = st.one_of(
    st.builds(
        lambda a, b, o: s.KeyRule(a, b, o, NOWHERE),
        _sequence(_weight, 1, 2),
        _sequence(_weight, 1, 2),
        _options,
    ),
    _sequence(_weight, 1, 2).map(lambda theirs: s.KeyRule((), theirs, (), NOWHERE)),
)
key_rules = st.builds(lambda n, rules: s.KeyRules(n, rules, NOWHERE, NOWHERE), name, _sequence(key_rule))
key_map = st.builds(lambda n, found: s.KeyMap(n, found, NOWHERE, NOWHERE), name, _sequence(key_rules, 0, 2))


@st.composite
def documents(draw: st.DrawFn) -> s.Document:
    """A document of every construct."""
    found = draw(st.lists(variants(), max_size=2))
    return s.Document(
        s.LANGUAGE_VERSION,
        draw(_sequence(string.map(lambda text: s.Import(text, NOWHERE)), 0, 2)),
        draw(_sequence(blocks(), 0, 2)),
        draw(_sequence(networks(), 0, 2)),
        tuple(sorted(found, key=lambda variant: variant.is_space)),
        draw(_sequence(key_map, 0, 2)),
        draw(st.none() | name.map(lambda n: s.Build(n, NOWHERE))),
        NOWHERE,
    )


comment = st.text("abc #\"'{}:|é-", max_size=6).map(lambda text: f"#{text}".rstrip())
