"""Networks and blocks in YAML: mappings where a mapping can say it, blocks of text where it can't."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl import syntax as s
from archdsl.print_arch import Items
from archdsl.print_arch.layout import flat
from archdsl.print_arch.marks import Marks
from archdsl.print_arch.signatures import signature, type_text
from archdsl.print_arch.statements import STEP
from archdsl.print_arch.writer import Gap, Place, Writer, place
from archdsl.print_yaml.scalars import (
    can_stand_in_braces,
    element,
    expression,
    in_brackets,
    is_block,
    prose,
    quoted,
    scalar,
)
from archdsl.source import Span

KeyPath = tuple[str, ...]


class Networks:
    """Writes networks and blocks."""

    def __init__(self, writer: Writer, marks: Marks) -> None:
        self.writer = writer
        self.marks = marks
        self.text = Items(writer, marks)
        self._before_several_lines = False

    # --- keys

    def header(self, path: KeyPath, indent: int, where: Place | None = None, gap: Gap = Gap.AUTHOR) -> None:
        """`key:`, below which its value stands; `where` it stood, unless YAML says."""
        self.line(path, "", indent, where, gap, opens=True)

    def line(
        self,
        path: KeyPath,
        value: str,
        indent: int,
        where: Place | None,
        gap: Gap = Gap.AUTHOR,
        opens: bool = False,
    ) -> None:
        """`key: value`."""
        found = self.marks.keys.get(path)
        if found is not None:
            key, given = found
            end = place(key, key if opens else given).end
            if where is not None and end[0] > key.line:
                # Of a value in block style, YAML finds the end where the next key begins.
                end = max(where.end, (key.end_line, key.end_column))
            where = Place(_start(key), end)
        text = f"{scalar(path[-1])}: {value}" if value else f"{scalar(path[-1])}:"
        self.writer.put(text, indent, where, gap, opens)

    def value(self, path: KeyPath, value: s.Expr, indent: int, where: Place | None) -> None:
        """`key: expression`, or a list below its key."""
        if not (isinstance(value, s.ListExpr) and is_block(value)):
            self.line(path, expression(value), indent, where)
            return
        start = Place(where.start, where.start) if where is not None else None
        self.header(path, indent, start)
        for item in value.items:
            self.writer.put(f"- {element(item)}", indent + STEP, place(item.span))

    def section(self, path: KeyPath, indent: int, several_lines: bool) -> Gap:
        """The blank line before a key of a document: around what takes several lines there is one."""
        apart = not indent and (several_lines or self._before_several_lines)
        self._before_several_lines = several_lines
        return Gap.ALWAYS if apart else Gap.AUTHOR

    def doc(self, path: KeyPath, doc: str | None, indent: int) -> None:
        """`doc: ...`."""
        if doc is not None:
            gap = self.section(path, indent, False)
            self.line((*path, "doc"), prose(doc, indent + STEP), indent, None, gap)

    # --- networks

    def network(self, network: s.Network, path: KeyPath, indent: int) -> None:
        """The keys of a network but its name."""
        self.doc(path, network.doc, indent)
        self._inputs(network.tensors, path, indent)
        if network.params:
            gap = self.section(path, indent, True)
            self.header((*path, "parameters"), indent, None, gap)
            for param in network.params:
                self._parameter(param, (*path, "parameters", param.name), indent + STEP)
        body, head, features, conditions = parts(network.body)
        gap = self.section(path, indent, True)
        self.statements(body, (*path, "body"), indent, gap)
        if head is not None:
            gap = self.section(path, indent, True)
            self.statements(head.body, (*path, "head"), indent, gap)
        if features is not None:
            gap = self.section(path, indent, False)
            labels = ", ".join(".".join(label.parts) for label in features.labels)
            self.line((*path, "features"), f"[{labels}]", indent, place(features.span), gap)
        self.conditions(conditions, path, indent)

    def conditions(self, conditions: Sequence[s.SubjectTo], path: KeyPath, indent: int) -> None:
        """`subject_to: ...`."""
        if not conditions:
            return
        gap = self.section(path, indent, len(conditions) > 1)
        path = (*path, "subject_to")
        if len(conditions) == 1:
            (only,) = conditions
            self.line(path, scalar(flat(only.condition)), indent, place(only.span), gap)
            return
        self.header(path, indent, None, gap)
        for condition in conditions:
            self.writer.put(f"- {scalar(flat(condition.condition))}", indent + STEP, place(condition.span))

    def _inputs(self, tensors: Sequence[s.TensorParam], path: KeyPath, indent: int) -> None:
        path = (*path, "input")
        where = place(tensors[0].span, tensors[-1].shape.span) if tensors else None
        if len(tensors) == 1 and tensors[0].name == "x":
            text = _shape(tensors[0].shape)
            self.line(path, text, indent, where, self.section(path, indent, False))
        elif not tensors:
            self.line(path, "{}", indent, where, self.section(path, indent, False))
        else:
            self.header(path, indent, None, self.section(path, indent, True))
            for tensor in tensors:
                where = place(tensor.span, tensor.shape.span)
                self.line((*path, tensor.name), _shape(tensor.shape), indent + STEP, where)

    def _parameter(self, param: s.Param, path: KeyPath, indent: int) -> None:
        where = place(param.span, param.default.span if param.default is not None else None)
        if param.type is None:
            assert param.default is not None  # the readers see to it
            self.value(path, param.default, indent, where)
            return
        listed = param.type.is_list and not param.type.optional
        type_ = type_text(param.type) if listed else scalar(type_text(param.type))
        value = expression(param.default) if param.default is not None else ""
        braces = param.default is None or not is_block(param.default)
        if braces and (listed or in_brackets(type_)) and (not value or can_stand_in_braces(value)):
            self.line(
                path, f"{{type: {type_}, value: {value}}}" if value else f"{{type: {type_}}}", indent, where
            )
            return
        self.header(path, indent, place(param.span))
        self.line((*path, "type"), type_, indent + STEP, place(param.type.span))
        if param.default is not None:
            self.value((*path, "value"), param.default, indent + STEP, place(param.default.span))

    def statements(self, body: Sequence[s.Statement], path: KeyPath, indent: int, gap: Gap) -> None:
        """`body:` or `head:`: a mapping of entries and stages, or a block of text."""
        if not body:
            self.line(path, "{}", indent, None, gap)
        elif is_mapping(body):
            self.header(path, indent, None, gap)
            for statement in body:
                self._entry(statement, path, indent + STEP)
        else:
            self.block_of_text(path, indent, gap)
            self.text.statements(body, indent + STEP)

    def block_of_text(self, path: KeyPath, indent: int, gap: Gap) -> None:
        """`key: |`."""
        self.line(path, "|", indent, None, gap, opens=True)

    def _entry(self, statement: s.Statement, path: KeyPath, indent: int) -> None:
        if isinstance(statement, s.Entry):
            where = place(statement.span)
            self.line((*path, statement.label), scalar(flat(statement.call)), indent, where)
        elif isinstance(statement, s.Stage):
            path = (*path, statement.label)
            self.header(path, indent, keyword(statement.span, statement.whole_span))
            if statement.width is not None:
                width = expression(statement.width)
                self.line((*path, "width"), width, indent + STEP, place(statement.width.span))
            if not statement.items:
                self.line((*path, "blocks"), "[]", indent + STEP, None)
                return
            self.header((*path, "blocks"), indent + STEP)
            for item in statement.items:
                self.writer.put(f"- {_stage_item(item)}", indent + 2 * STEP, place(item.span))

    # --- blocks

    def block(self, block: s.Block, path: KeyPath, indent: int, gap: Gap) -> None:
        """A block: its signature, its docstring and its body as a block of text."""
        self.header(path, indent, keyword(block.span, block.whole_span), gap)
        inner = indent + STEP
        spans = [tensor.span for tensor in block.tensors] + [param.span for param in block.params]
        spans += [result.span for result in block.results]
        where = place(min(spans, key=_start), max(spans, key=_start)) if spans else None
        self.line((*path, "signature"), scalar(signature(block)), inner, where)
        self.doc(path, block.doc, inner)
        if block.body:
            self.block_of_text((*path, "body"), inner, Gap.AUTHOR)
            self.text.statements(block.body, inner + STEP)
        else:
            self.line((*path, "body"), "''", inner, None)


def keyword(span: Span, whole: Span) -> Place:
    """The place of `stage s3` or `block b` in text, of the name alone in YAML."""
    begins_there = (whole.line, whole.column) < (span.line, span.column)
    return Place((whole.line, whole.column) if begins_there else _start(span), (span.end_line, span.end_column))


def _start(span: Span) -> tuple[int, int]:
    return (span.line, span.column)


def _shape(shape: s.Shape) -> str:
    texts = [flat(extent) for extent in shape.extents]
    return f"[{', '.join(text if in_brackets(text) else quoted(text) for text in texts)}]"


def _stage_item(item: s.Expr) -> str:
    if isinstance(item, s.Labelled) and item.index is None:
        return f"{item.label}: {scalar(flat(item.call))}"
    return element(item)


def is_mapping(body: Sequence[s.Statement]) -> bool:
    """Whether a body is entries and stages alone, each with a label of its own."""
    labels: set[str] = set()
    for statement in body:
        if not isinstance(statement, s.Entry | s.Stage) or statement.label in labels:
            return False
        if isinstance(statement, s.Entry) and statement.index is not None:
            return False
        labels.add(statement.label)
    return True


def parts(
    body: Sequence[s.Statement],
) -> tuple[Sequence[s.Statement], s.Head | None, s.Features | None, list[s.SubjectTo]]:
    """A network's body, head, features and conditions, where these stand at its end in this order."""
    rest = list(body)
    conditions: list[s.SubjectTo] = []
    while rest and isinstance(rest[-1], s.SubjectTo):
        conditions.insert(0, rest[-1])
        rest.pop()
    features = head = None
    if rest and isinstance(rest[-1], s.Features):
        features = rest.pop()
    if rest and isinstance(rest[-1], s.Head):
        head = rest.pop()
    return rest, head, features, conditions  # type: ignore[return-value]


def can_be_keys(network: s.Network) -> bool:
    """Whether the keys of a mapping can say a network's inputs and parameters."""
    names = [tensor.name for tensor in network.tensors]
    params = [param.name for param in network.params]
    return len(set(names)) == len(names) and len(set(params)) == len(params)
