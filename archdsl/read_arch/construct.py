"""From rules of the grammar to records of `archdsl.syntax`, while the parser runs: no tree in between."""

from __future__ import annotations

import math
from string import ascii_letters
from typing import Any

from archdsl import names
from archdsl import syntax as s
from archdsl.source import ArchError, Diagnostic, Source, Span, did_you_mean

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_LONGEST_NUMBER = 32

MOST_MISTAKES = 1000
"""After so many mistakes no more are looked for."""


class Token(str):
    """A name, number, string or operator as it was written, with its place."""

    __slots__ = ("span",)
    span: Span


_OTHER_TYPES = {"float": "real", "number": "real", "integer": "int", "string": "str", "boolean": "bool"}
"""What types are called elsewhere."""


class Construct:
    """One method a rule of the grammar; collects mistakes that the grammar can't see.

    A method takes the place of its rule and what the rule's parts have become: tokens, and None for what is
    optional and missing. `shift` is where the text stands in its file: (lines before it, columns before its
    first line). `doubled`: it stands in single quotes of YAML, as it is written there, every `'` twice.
    """

    def __init__(self, source: Source, shift: tuple[int, int], doubled: bool = False) -> None:
        line, column = shift[0] + 1, shift[1] + 1
        self.doubled = doubled
        self.nothing = Span(source, line, column, line, column)
        """The place of a rule that nothing was written for: the start of the text."""
        self.mistakes: list[Diagnostic] = []

    # --- places and names

    def span(self, place: Span | Token) -> Span:
        """The place of a token or of a rule."""
        return place if type(place) is Span else place.span  # type: ignore[union-attr]

    def mistake(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        """Note a mistake; raises `ArchError` with all of them when there are too many to go on."""
        self.mistakes.append(Diagnostic(code, message, span, help))
        if len(self.mistakes) >= MOST_MISTAKES:
            raise ArchError(self.mistakes)

    def name_of(self, token: Token) -> str:
        """The text of a name that is being given to something; a bad one is noted."""
        self._check_name(str(token), self.span(token))
        return str(token)

    def _check_name(self, name: str, span: Span) -> None:
        problem = names.problem(name)
        # A bad name is one mistake, however often it is given.
        if problem and all(mistake.message != problem for mistake in self.mistakes):
            self.mistake("E0105", problem, span, "choose another name")

    def string_of(self, token: Token) -> str:
        text, parts, escaped = str(token)[1:-1], [], False
        if self.doubled:
            text = text.replace("''", "'")
        for char in text:
            if escaped:
                if char not in _ESCAPES:
                    what = f"unknown escape '\\{char}' in a string"
                    self.mistake("E0106", what, self.span(token), 'known: \\" \\\\ \\n \\r \\t')
                parts.append(_ESCAPES.get(char, ""))
                escaped = False
            elif char == "\\":
                escaped = True
            else:
                parts.append(char)
        return "".join(parts)

    # --- documents

    def document(self, meta: Any, parts: list[Any]) -> s.Document:
        version, *items = parts

        def of(kind: type[Any]) -> tuple[Any, ...]:
            return tuple(item for item in items if isinstance(item, kind))

        builds = of(s.Build)
        for again in builds[1:]:
            help = f"the first stands in {builds[0].span}"
            self.mistake("E0221", "a document builds one network", again.span, help)
        return s.Document(
            version or 0,
            of(s.Import),
            of(s.Block),
            of(s.Network),
            # Variants before spaces, as YAML has them: their order means nothing.
            tuple(sorted(of(s.Variant), key=lambda variant: variant.is_space)),
            of(s.KeyMap),
            builds[0] if builds else None,
            self.span(meta),
        )

    def version(self, meta: Any, parts: list[Any]) -> int:
        if str(parts[0]) != str(s.LANGUAGE_VERSION):
            message = f"this archdsl reads version {s.LANGUAGE_VERSION} of the language, not {parts[0]}"
            help = f"write 'archdsl {s.LANGUAGE_VERSION}', or install a newer archdsl"
            self.mistake("E0107", message, self.span(parts[0]), help)
        return s.LANGUAGE_VERSION

    def import_(self, meta: Any, parts: list[Any]) -> s.Import:
        return s.Import(self.string_of(parts[0]), self.span(parts[0]))

    def block(self, meta: Any, parts: list[Any]) -> s.Block:
        name, (tensors, params, results), (doc, body) = parts
        whole = self.span(meta)
        return s.Block(self.name_of(name), tensors, params, results, doc, body, self.span(name), whole)

    def block_signature(self, meta: Any, parts: list[Any]) -> tuple[Any, Any, Any]:
        (tensors, params), _, results = parts
        self._check_signature(tensors, params)
        for param in params:
            if param.name == "drop_path":
                self._check_name(param.name, param.span)
            if param.type is None:
                message = f"the argument {param.name!r} of a block has no type"
                self.mistake(
                    "E0218", message, param.span, f"write {param.name}: {_usual_type(param.default)} = ..."
                )
        return tensors, params, results

    def network(self, meta: Any, parts: list[Any]) -> s.Network:
        name, (tensors, params), (doc, body) = parts
        self._check_signature((), params)
        for tensor in tensors:
            for extent in tensor.shape.extents:
                if isinstance(extent, s.Rest):
                    help = "write the extents; '...' is for the tensors of blocks"
                    self.mistake("E0217", "the input of a network has axes of its own", extent.span, help)
        whole = self.span(meta)
        return s.Network(self.name_of(name), tensors, params, doc, body, self.span(name), whole)

    # --- variants and key maps

    def build(self, meta: Any, parts: list[Any]) -> s.Build:
        return s.Build(self.name_of(parts[0]), self.span(parts[0]))

    def variant(self, meta: Any, parts: list[Any]) -> s.Variant:
        return self._variant(meta, parts, False)

    def space(self, meta: Any, parts: list[Any]) -> s.Variant:
        return self._variant(meta, parts, True)

    def _variant(self, meta: Any, parts: list[Any], is_space: bool) -> s.Variant:
        name, base, (doc, settings) = parts
        spans = self.span(name), self.span(meta)
        return s.Variant(self.name_of(name), base, doc, settings, is_space, *spans)

    def local_base(self, meta: Any, parts: list[Any]) -> s.Base:
        return s.Base(None, str(parts[0]), self.span(parts[0]))

    def document_base(self, meta: Any, parts: list[Any]) -> s.Base:
        document, _, name = self.string_of(parts[0]).partition("#")
        return s.Base(document, name or None, self.span(parts[0]))

    def variant_body(self, meta: Any, parts: list[Any]) -> tuple[str | None, tuple[Any, ...]]:
        return self.body(meta, parts)

    def settings(self, meta: Any, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)

    def set_(self, meta: Any, parts: list[Any]) -> s.Setting:
        return s.Setting("=", parts[0], parts[1], self.span(meta))

    def append(self, meta: Any, parts: list[Any]) -> s.Setting:
        return s.Setting("+=", parts[0], parts[2], self.span(meta))

    def unset(self, meta: Any, parts: list[Any]) -> s.Setting:
        return s.Setting("unset", parts[0], None, self.span(meta))

    def path(self, meta: Any, parts: list[Any]) -> s.Path:
        steps: list[Any] = []
        for part in parts:
            # `4.1` between dots is read as one number: they are two labels.
            steps += str(part).split(".") if isinstance(part, Token) else [part]
        return s.Path(tuple(steps), self.span(meta))

    def subject_to(self, meta: Any, parts: list[Any]) -> s.SubjectTo:
        return s.SubjectTo(parts[1], self.span(meta))

    def keys(self, meta: Any, parts: list[Any]) -> s.KeyMap:
        rules = tuple(part for part in parts[1:] if part is not None)
        return s.KeyMap(self.name_of(parts[0]), rules, self.span(parts[0]), self.span(meta))

    def key_rules(self, meta: Any, parts: list[Any]) -> s.KeyRules:
        rules = tuple(part for part in parts[1:] if part is not None)
        return s.KeyRules(str(parts[0]), rules, self.span(parts[0]), self.span(meta))

    def key_pair(self, meta: Any, parts: list[Any]) -> s.KeyRule:
        ours, _, theirs, *options = parts
        kept = tuple(option for option in options if option is not None)
        return s.KeyRule(ours, theirs, kept, self.span(meta))

    def key_drop(self, meta: Any, parts: list[Any]) -> s.KeyRule:
        return s.KeyRule((), parts[0], (), self.span(meta))

    def names_of(self, meta: Any, parts: list[Any]) -> tuple[str, ...]:
        return tuple(self.string_of(part) for part in parts)

    def _check_signature(self, tensors: tuple[s.TensorParam, ...], params: tuple[s.Param, ...]) -> None:
        """Note names that a signature gives twice: each becomes an argument of one function."""
        extents = {e.id: e.span for tensor in tensors for e in tensor.shape.extents if isinstance(e, s.Name)}
        for name, span in extents.items():
            self._check_name(name, span)
        taken = dict(extents)
        for name, span in [*((t.name, t.span) for t in tensors), *((p.name, p.span) for p in params)]:
            if name in taken:
                message = f"{name!r} is written twice in one signature"
                self.mistake("E0206", message, span, f"the first stands in {taken[name]}")
            taken.setdefault(name, span)

    def signature(self, meta: Any, parts: list[Any]) -> tuple[Any, Any]:
        return parts[0], parts[2] or ()

    def tensors(self, meta: Any, parts: list[Any]) -> tuple[s.TensorParam, ...]:
        return tuple(part for part in parts if part is not None)

    def tensor(self, meta: Any, parts: list[Any]) -> s.TensorParam:
        return s.TensorParam(self.name_of(parts[0]), parts[1], self.span(meta))

    def params(self, meta: Any, parts: list[Any]) -> tuple[s.Param, ...]:
        return tuple(part for part in parts if part is not None)

    def typed_param(self, meta: Any, parts: list[Any]) -> s.Param:
        # `drop_path` is the one parameter that a network shares with the files made from it; no block has it.
        name = str(parts[0]) if parts[0] == "drop_path" else self.name_of(parts[0])
        return s.Param(name, parts[1], parts[2], self.span(parts[0]))

    def untyped_param(self, meta: Any, parts: list[Any]) -> s.Param:
        name = str(parts[0]) if parts[0] == "drop_path" else self.name_of(parts[0])
        return s.Param(name, None, parts[1], self.span(parts[0]))

    def plain_type(self, meta: Any, parts: list[Any]) -> s.TypeName:
        return self._type(parts, False, self.span(meta))

    def list_type(self, meta: Any, parts: list[Any]) -> s.TypeName:
        return self._type(parts, True, self.span(meta))

    def _type(self, parts: list[Any], is_list: bool, span: Span) -> s.TypeName:
        name = str(parts[0])
        if name not in names.TYPES:
            usual = _OTHER_TYPES.get(name)
            help = f"did you mean {usual!r}?" if usual else did_you_mean(name, names.TYPES, "types")
            self.mistake("E0218", f"unknown type {name!r}", self.span(parts[0]), help)
        return s.TypeName(name, is_list, parts[1] is not None, span)

    def results(self, meta: Any, parts: list[Any]) -> tuple[s.Result, ...]:
        return tuple(part for part in parts if part is not None)

    def plain_result(self, meta: Any, parts: list[Any]) -> s.Result:
        return s.Result(None, parts[0], self.span(meta))

    def named_result(self, meta: Any, parts: list[Any]) -> s.Result:
        return s.Result(self.name_of(parts[0]), parts[1], self.span(meta))

    def rest(self, meta: Any, parts: list[Any]) -> s.Rest:
        return s.Rest(self.span(meta))

    def shape(self, meta: Any, parts: list[Any]) -> s.Shape:
        return s.Shape(tuple(part for part in parts if part is not None), self.span(meta))

    # --- statements

    def body(self, meta: Any, parts: list[Any]) -> tuple[str | None, tuple[s.Statement, ...]]:
        lines = [self.string_of(part) for part in parts if isinstance(part, Token)]
        return "\n".join(lines) if lines else None, parts[-1] or ()

    def block_body(self, meta: Any, parts: list[Any]) -> tuple[s.Statement, ...]:
        return parts[0] or ()

    def statements(self, meta: Any, parts: list[Any]) -> tuple[s.Statement, ...]:
        return tuple(parts)

    def target(self, meta: Any, parts: list[Any]) -> s.Target:
        return s.Target(self.name_of(parts[0]), self.span(parts[0]))

    def let(self, meta: Any, parts: list[Any]) -> s.Let:
        return s.Let(tuple(parts[:-1]), None, parts[-1], self.span(meta))

    def typed_let(self, meta: Any, parts: list[Any]) -> s.Let:
        name, shape, value = parts
        target = s.Target(self.name_of(name), self.span(name))
        for extent in shape.extents:
            if isinstance(extent, s.Name):
                self._check_name(extent.id, extent.span)
        return s.Let((target,), shape, value, self.span(meta))

    def return_(self, meta: Any, parts: list[Any]) -> s.Return:
        return s.Return(tuple(parts), self.span(meta))

    def output(self, meta: Any, parts: list[Any]) -> s.Output:
        return s.Output(str(parts[0]), parts[1], self.span(meta))

    def require(self, meta: Any, parts: list[Any]) -> s.Require:
        return s.Require(parts[0], self.string_of(parts[1]), self.span(meta))

    def init(self, meta: Any, parts: list[Any]) -> s.Init:
        return s.Init(tuple(parts[:-1]), parts[-1], self.span(meta))

    def if_(self, meta: Any, parts: list[Any]) -> s.If:
        condition, then, otherwise = parts
        if isinstance(otherwise, s.If):
            otherwise = (otherwise,)
        return s.If(condition, then, otherwise or (), self.span(meta))

    def for_(self, meta: Any, parts: list[Any]) -> s.For:
        return s.For(self.name_of(parts[0]), parts[1], parts[2], self.span(meta))

    def plain_entry(self, meta: Any, parts: list[Any]) -> s.Entry:
        return s.Entry(self.name_of(parts[0]), None, parts[1], self.span(meta))

    def indexed_entry(self, meta: Any, parts: list[Any]) -> s.Entry:
        return s.Entry(self.name_of(parts[0]), parts[1], parts[2], self.span(meta))

    def stage(self, meta: Any, parts: list[Any]) -> s.Stage:
        name, width, *items = parts
        kept = tuple(self._repeated(item) for item in items if item is not None)
        return s.Stage(self.name_of(name), width, kept, self.span(name), self.span(meta))

    def head(self, meta: Any, parts: list[Any]) -> s.Head:
        return s.Head(parts[0], self.span(meta))

    def features(self, meta: Any, parts: list[Any]) -> s.Features:
        return s.Features(tuple(parts), self.span(meta))

    def label_path(self, meta: Any, parts: list[Any]) -> s.LabelPath:
        # `1.0` is read as one number: it is two labels.
        steps = [step for part in parts for step in str(part).split(".")]
        return s.LabelPath(tuple(steps), self.span(meta))

    # --- expressions

    def name(self, meta: Any, parts: list[Any]) -> s.Name:
        return s.Name(str(parts[0]), self.span(parts[0]))

    def number(self, meta: Any, parts: list[Any]) -> s.Num:
        text, span = str(parts[0]), self.span(parts[0])
        if len(text) > _LONGEST_NUMBER:
            self.mistake("E0108", f"a number has at most {_LONGEST_NUMBER} characters", span)
            return s.Num(1, span)
        if text.isdigit():
            if len(text) > 1 and text[0] == "0":
                help = f"write {text.lstrip('0') or '0'}"
                self.mistake("E0108", f"{text} begins with a zero", span, help)
            return s.Num(int(text), span)
        value = float(text)
        if not math.isfinite(value):
            self.mistake("E0108", f"{text} is larger than any number with a point", span)
            return s.Num(1, span)
        return s.Num(value, span)

    def quantity(self, meta: Any, parts: list[Any]) -> s.Quantity:
        text, span = str(parts[0]), self.span(parts[0])
        if len(text) > _LONGEST_NUMBER:
            self.mistake("E0108", f"a number has at most {_LONGEST_NUMBER} characters", span)
            return s.Quantity("1", "k", span)
        number = text.rstrip(ascii_letters)
        return s.Quantity(number, text[len(number) :], span)

    def string(self, meta: Any, parts: list[Any]) -> s.Str:
        return s.Str(self.string_of(parts[0]), self.span(parts[0]))

    def true(self, meta: Any, parts: list[Any]) -> s.Bool:
        return s.Bool(True, self.span(meta))

    def false(self, meta: Any, parts: list[Any]) -> s.Bool:
        return s.Bool(False, self.span(meta))

    def none(self, meta: Any, parts: list[Any]) -> s.NoneLiteral:
        return s.NoneLiteral(self.span(meta))

    def positional(self, meta: Any, parts: list[Any]) -> s.Argument:
        return s.Argument(None, parts[0], parts[0].span)

    def keyword(self, meta: Any, parts: list[Any]) -> s.Argument:
        return s.Argument(str(parts[0]), parts[1], self.span(meta))

    def call(self, meta: Any, parts: list[Any]) -> s.Call:
        name, *args = parts
        kept = tuple(arg for arg in args if arg is not None)
        return s.Call(str(name), kept, self.span(meta), self.span(name))

    def plain_label(self, meta: Any, parts: list[Any]) -> s.Labelled:
        return s.Labelled(self.name_of(parts[0]), None, parts[1], self.span(meta))

    def indexed_label(self, meta: Any, parts: list[Any]) -> s.Labelled:
        return s.Labelled(self.name_of(parts[0]), parts[1], parts[2], self.span(meta))

    def labelled_atom(self, meta: Any, parts: list[Any]) -> s.Expr:
        label, call = parts
        index: s.Expr | None = None
        if isinstance(label, s.Index):
            index = label.index
            label = label.value
        if not isinstance(label, s.Name):
            help = "write label: call, or label[index]: call"
            self.mistake("E0109", "a label is a name", self.span(meta), help)
            return call  # type: ignore[no-any-return]
        self._check_name(label.id, label.span)
        return s.Labelled(label.id, index, call, self.span(meta))

    def pipeline(self, meta: Any, parts: list[Any]) -> s.Pipe:
        steps = tuple(part for part in parts[1:] if not isinstance(part, Token))
        return s.Pipe(parts[0], steps, self.span(meta))

    def binary(self, meta: Any, parts: list[Any]) -> s.Binary:
        return s.Binary(str(parts[1]), parts[0], parts[2], self.span(meta))

    def or_(self, meta: Any, parts: list[Any]) -> s.Binary:
        return s.Binary("or", parts[0], parts[1], self.span(meta))

    def and_(self, meta: Any, parts: list[Any]) -> s.Binary:
        return s.Binary("and", parts[0], parts[1], self.span(meta))

    def not_(self, meta: Any, parts: list[Any]) -> s.Unary:
        return s.Unary("not", parts[0], self.span(meta))

    def negative(self, meta: Any, parts: list[Any]) -> s.Unary:
        return s.Unary("-", parts[1], self.span(meta))

    def is_none(self, meta: Any, parts: list[Any]) -> s.Binary:
        span = self.span(meta)
        return s.Binary("is", parts[0], s.NoneLiteral(span), span)

    def is_not_none(self, meta: Any, parts: list[Any]) -> s.Unary:
        return s.Unary("not", self.is_none(meta, parts), self.span(meta))

    def index(self, meta: Any, parts: list[Any]) -> s.Index:
        return s.Index(parts[0], parts[1], self.span(meta))

    def paren(self, meta: Any, parts: list[Any]) -> s.Paren:
        return s.Paren(tuple(part for part in parts if part is not None), self.span(meta))

    def list_(self, meta: Any, parts: list[Any]) -> s.ListExpr:
        kept = tuple(self._repeated(part) for part in parts if part is not None)
        return s.ListExpr(kept, self.span(meta))

    def comprehension(self, meta: Any, parts: list[Any]) -> s.Comprehension:
        return s.Comprehension(parts[0], self.name_of(parts[1]), parts[2], self.span(meta))

    def each(self, meta: Any, parts: list[Any]) -> s.Each:
        return s.Each(parts[0], self.span(meta))

    def choose(self, meta: Any, parts: list[Any]) -> s.Choose:
        return s.Choose(tuple(part for part in parts if part is not None), self.span(meta))

    def conditional(self, meta: Any, parts: list[Any]) -> s.IfExpr:
        return s.IfExpr(parts[0], parts[1], parts[2], self.span(meta))

    @staticmethod
    def _repeated(item: s.Expr) -> s.Expr:
        if isinstance(item, s.Binary) and item.op == "*":
            return s.Repeat(item.left, item.right, item.span)
        return item


def _usual_type(default: s.Expr | None) -> str:
    """The type that a default lets one expect."""
    match default:
        case s.Bool():
            return "bool"
        case s.Num(float()):
            return "real"
        case s.Str():
            return "str"
        case s.Name() | s.Call():
            return "op"
        case s.ListExpr():
            return "[dim]"
        case _:
            return "dim"
