"""The YAML surface: from a tree with places to `archdsl.syntax`. Scalars hold the language's expressions.

Pydantic would read the shape of a document too, but its import alone costs more than everything that
`archdsl stats` does (docs/dependencies.md); the shapes are few and written down here.
"""

from __future__ import annotations

from archdsl import names, read_arch
from archdsl import syntax as s
from archdsl.read_yaml.tree import Mapping, Node, Scalar, Sequence, compose
from archdsl.source import ArchError, Diagnostic, Source, Span, did_you_mean

# What a document may say, in the order in which people write it.
DOCUMENT_KEYS = (
    "archdsl",
    "import",
    "network",
    "doc",
    "input",
    "parameters",
    "body",
    "head",
    "features",
)
STAGE_KEYS = ("width", "blocks")
PARAMETER_KEYS = ("type", "value")

_TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false", "~": "none", "null": "none"}


def read(source: Source) -> s.Document:
    """The document that a YAML text says; raises `ArchError` with all that is wrong with it."""
    read_arch.check_length(source)
    return _Reader(source).document(compose(source))


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.mistakes: list[Diagnostic] = []

    def mistake(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.mistakes.append(Diagnostic(code, message, span, help))

    # --- the document

    def document(self, root: Node) -> s.Document:
        fields = self.fields(root, DOCUMENT_KEYS, "a document")
        if not isinstance(root, Mapping):
            raise ArchError(self.mistakes)
        self.version(fields.get("archdsl"), root.span)
        imports = self.imports(fields.get("import"))
        network = self.network(fields, root.span)
        if self.mistakes:
            raise ArchError(self.mistakes)
        assert network is not None
        return s.Document(s.LANGUAGE_VERSION, imports, (), (network,), root.span)

    def version(self, node: Node | None, span: Span) -> None:
        written = str(s.LANGUAGE_VERSION)
        if node is None:
            first = Span(self.source, span.line, 1, span.line, 1)
            message = "the document does not say its version of the language"
            self.mistake("E0107", message, first, f"begin with 'archdsl: {written}'")
        elif not isinstance(node, Scalar) or node.text != written:
            found = f", not {node.text}" if isinstance(node, Scalar) else ""
            message = f"this archdsl reads version {written} of the language{found}"
            help = f"write 'archdsl: {written}', or install a newer archdsl"
            self.mistake("E0107", message, node.span, help)

    def imports(self, node: Node | None) -> tuple[s.Import, ...]:
        if node is None:
            return ()
        items = node.items if isinstance(node, Sequence) else (node,)
        result = []
        for item in items:
            if isinstance(item, Scalar):
                result.append(s.Import(item.text, item.span))
            else:
                self.mistake("E0505", "an import is the name of a file", item.span)
        return tuple(result)

    def network(self, fields: dict[str, Node], span: Span) -> s.Network | None:
        for key in ("network", "input", "body"):
            if key not in fields:
                first = Span(self.source, span.line, 1, span.line, 1)
                self.mistake("E0504", f"the document has no {key!r}", first, f"add '{key}: ...'")
        name = self.text(fields.get("network"), "the network's name")
        name_span = fields["network"].span if "network" in fields else span
        self.check_name(name, name_span)
        doc = self.text(fields.get("doc"), "doc") if "doc" in fields else None
        tensors = self.inputs(fields.get("input"))
        params = self.parameters(fields.get("parameters"))
        body = [*self.entries(fields.get("body"), "body")]
        if "head" in fields:
            inner = self.entries(fields["head"], "head")
            body.append(s.Head(tuple(inner), fields["head"].span))
        if "features" in fields:
            body.append(self.features(fields["features"]))
        return s.Network(name, tensors, params, doc, tuple(body), name_span)

    def inputs(self, node: Node | None) -> tuple[s.TensorParam, ...]:
        if node is None:
            return ()
        if isinstance(node, Mapping):
            result = []
            for key, value in node.entries:
                self.check_name(key.text, key.span)
                result.append(s.TensorParam(key.text, self.shape(value), key.span))
            return tuple(result)
        return (s.TensorParam("x", self.shape(node), node.span),)

    def shape(self, node: Node) -> s.Shape:
        if not isinstance(node, Sequence):
            help = "write [channels, rows, columns]"
            self.mistake("E0505", "a shape is a list", node.span, help)
            return s.Shape((), node.span)
        return s.Shape(tuple(self.expression(item) for item in node.items), node.span)

    def parameters(self, node: Node | None) -> tuple[s.Param, ...]:
        result = []
        for key, value in self.mapping(node, "parameters"):
            if key.text != "drop_path":
                self.check_name(key.text, key.span)
            type_ = None
            if isinstance(value, Mapping):
                fields = self.fields(value, PARAMETER_KEYS, f"the parameter {key.text!a}")
                type_ = self.type(fields["type"]) if "type" in fields else None
                if "value" not in fields:
                    self.mistake("E0504", f"{key.text!a} has no 'value'", value.span)
                    continue
                value = fields["value"]
            result.append(s.Param(key.text, type_, self.expression(value), key.span))
        return tuple(result)

    def entries(self, node: Node | None, where: str) -> list[s.Statement]:
        result: list[s.Statement] = []
        for key, value in self.mapping(node, where):
            self.check_name(key.text, key.span)
            if isinstance(value, Mapping):
                result.append(self.stage(key, value))
                continue
            call = self.expression(value)
            if not isinstance(call, s.Call | s.Name):
                help = f"write {key.text}: block(arguments), or a stage with width and blocks"
                self.mistake("E0505", f"the entry {key.text!a} is no block", value.span, help)
                continue
            result.append(s.Entry(key.text, None, call, call.span))
        return result

    def stage(self, key: Scalar, node: Mapping) -> s.Stage:
        fields = self.fields(node, STAGE_KEYS, f"the stage {key.text!a}")
        width = self.expression(fields["width"]) if "width" in fields else None
        items: list[s.Expr] = []
        blocks = fields.get("blocks")
        if blocks is None:
            help = "write 'blocks:' and a list of blocks"
            self.mistake("E0504", f"the stage {key.text!a} has no 'blocks'", key.span, help)
        elif isinstance(blocks, Sequence):
            items = [self.stage_item(item) for item in self.whole_items(blocks)]
        else:
            help = "write one block a line, each after '- '"
            self.mistake("E0505", "'blocks' is a list", blocks.span, help)
        return s.Stage(key.text, width, tuple(items), key.span)

    def whole_items(self, node: Sequence) -> list[Node]:
        """The items of a list, without the pieces of a call that a list in brackets cuts at its commas."""
        result: list[Node] = []
        depth = 0
        for item in node.items:
            balance = item.text.count("(") - item.text.count(")") if isinstance(item, Scalar) else 0
            if not (node.flow and (depth or balance)):
                result.append(item)
                continue
            if depth == 0:
                help = "write one item a line, each after '- '"
                message = "a comma inside a call splits a list that is written in brackets"
                self.mistake("E0507", message, item.span, help)
            depth = max(0, depth + balance)
        return result

    def stage_item(self, item: Node) -> s.Expr:
        if isinstance(item, Mapping) and len(item.entries) == 1:
            key, value = item.entries[0]
            self.check_name(key.text, key.span)
            call = self.expression(value)
            if isinstance(call, s.Call | s.Name):
                return s.Labelled(key.text, None, call, key.span.to(call.span))
            self.mistake("E0505", f"the block {key.text!a} is no block", value.span)
            return call
        return repeated(self.expression(item))

    def features(self, node: Node) -> s.Features:
        items = node.items if isinstance(node, Sequence) else (node,)
        labels = []
        for item in items:
            if isinstance(item, Scalar):
                labels.append(s.LabelPath(tuple(item.text.split(".")), item.span))
            else:
                self.mistake("E0505", "a feature is the label of an entry or stage", item.span)
        return s.Features(tuple(labels), node.span)

    # --- pieces

    def fields(self, node: Node, known: tuple[str, ...], what: str) -> dict[str, Node]:
        """The values of a mapping by key; unknown keys are mistakes."""
        if not isinstance(node, Mapping):
            help = "keys: " + ", ".join(known)
            self.mistake("E0505", f"{what} is a mapping of keys to values", node.span, help)
            return {}
        result = {}
        for key, value in node.entries:
            if key.text not in known:
                help = did_you_mean(key.text, known, "keys here")
                self.mistake("E0503", f"unknown key {key.text!a} in {what}", key.span, help)
                continue
            result[key.text] = value
        return result

    def mapping(self, node: Node | None, what: str) -> tuple[tuple[Scalar, Node], ...]:
        if node is None:
            return ()
        if isinstance(node, Mapping):
            return node.entries
        self.mistake("E0505", f"{what!r} is a mapping of names to values", node.span)
        return ()

    def check_name(self, name: str, span: Span) -> None:
        problem = names.problem(name)
        if problem:
            self.mistake("E0105", problem, span, "choose another name")

    def text(self, node: Node | None, what: str) -> str:
        if node is None:
            return ""
        if isinstance(node, Scalar):
            return node.text.rstrip("\n")
        self.mistake("E0505", f"{what} is text", node.span)
        return ""

    def type(self, node: Node) -> s.TypeName | None:
        if isinstance(node, Sequence) and len(node.items) == 1:
            inner = self.type(node.items[0])
            if inner is None or not (inner.is_list or inner.optional):
                return s.TypeName(inner.name, True, False, node.span) if inner is not None else None
        if not isinstance(node, Scalar):
            self.mistake("E0505", "a type is a word, such as dim or [dim]", node.span)
            return None
        result: s.TypeName | None = self._read(node, "type")
        return result

    # --- expressions

    def expression(self, node: Node) -> s.Expr:
        """The expression of a scalar, or the list of expressions of a list."""
        if isinstance(node, Sequence):
            items = [repeated(self.expression(item)) for item in self.whole_items(node)]
            return s.ListExpr(tuple(items), node.span)
        # A name, since every place can hold one: what is wrong here is not reported again there.
        placeholder = s.Name("identity", node.span)
        if isinstance(node, Mapping):
            help = "quote an expression that holds ': '"
            self.mistake("E0505", "an expression is needed, not a mapping", node.span, help)
            return placeholder
        if node.text.lower() in _TRUTHS and not node.style:
            help = f"write {_TRUTHS[node.text.lower()]}"
            self.mistake("E0507", f"{node.text!a} means nothing here", node.span, help)
            return placeholder
        result: s.Expr | None = self._read(node, "expr")
        return result if result is not None else placeholder

    def _read(self, node: Scalar, start: str):  # type: ignore[no-untyped-def]
        span = node.span
        if node.style in ("|", ">"):
            help = "write it on one line"
            self.mistake("E0507", "an expression is no block of text", span, help)
            return None
        if span.line != span.end_line:
            self.mistake("E0507", "an expression stands on one line", span, "join the lines")
            return None
        quoted = bool(node.style)
        written = self.source.line(span.line)[span.column - 1 : span.end_column - 1]
        if quoted and written[1:-1] != node.text:
            help = "use the other kind of quotes"
            self.mistake("E0507", "an expression has no escapes", span, help)
            return None
        if not node.text.strip():
            self.mistake("E0504", "a value is missing", span, "write it behind the colon")
            return None
        shift = (span.line - 1, span.column - 1 + quoted)
        try:
            return read_arch.read_expression(self.source, node.text, shift, start)
        except ArchError as error:
            self.mistakes += error.diagnostics
            if len(self.mistakes) >= read_arch.MOST_ERRORS:
                raise ArchError(self.mistakes) from None
            return None


def repeated(item: s.Expr) -> s.Expr:
    """`value * count` as an element of a list or stage."""
    if isinstance(item, s.Binary) and item.op == "*":
        return s.Repeat(item.left, item.right, item.span)
    return item


__all__ = ["DOCUMENT_KEYS", "read"]
