"""Statements as text, in bodies with braces and in YAML's blocks of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archdsl import syntax as s
from archdsl.print_arch.layout import WIDTH, Layout, flat, is_broken, item_level, path, string
from archdsl.print_arch.marks import Marks, Position
from archdsl.print_arch.writer import Gap, Place, Writer, place
from archdsl.source import Span

STEP = 2
"""So many columns a body is indented."""

FAR_LEFT = -(1 << 20)
"""An indentation at which every statement fits on a line."""


class Statements:
    """Writes statements, each with its place, to a writer."""

    def __init__(self, writer: Writer, marks: Marks) -> None:
        self.writer = writer
        self.marks = marks

    def statements(self, body: Sequence[s.Statement], indent: int) -> None:
        """Statements, one a line or more."""
        for statement in body:
            self._statement(statement, indent)

    def braces(
        self,
        header: str,
        indent: int,
        where: tuple[Span, Span],
        whole: Span,
        compact: str | None,
        inside: Callable[[], None],
        gap: Gap = Gap.AUTHOR,
    ) -> None:
        """A header, `{`, what `inside` writes, and `}`; on one line where it was and `compact` fits there.

        `where` are the first and last span of the header, `whole` that of the construct.
        """
        first, last = where
        header_place = place(first, last)
        pair = self.marks.braces_after((last.end_line, last.end_column))
        # Of a construct of YAML, the next brace is another one's.
        if pair is not None and _behind(pair[1]) != (whole.end_line, whole.end_column):
            pair = None
        was_one_line = whole.line == whole.end_line or (compact == "" and pair is None)
        if compact is not None and was_one_line and "\n" not in header:
            line = f"{header} {{ {compact} }}" if compact else f"{header} {{ }}"
            if indent + len(line) <= WIDTH:
                self.writer.put(line, indent, place(whole), gap)
                return
        if pair is not None:
            header_place = Place((whole.line, whole.column), _behind(pair[0]))
        self.writer.put(header + " {", indent, header_place, gap, opens=True)
        inside()
        self._close("}", indent, place_of_brace(pair))

    def _close(self, text: str, indent: int, where: Place | None, opens: bool = False) -> None:
        self.writer.put(text, indent, where, Gap.NEVER, opens, comments_at=indent + STEP)

    def _statement(self, statement: s.Statement, indent: int) -> None:
        match statement:
            case s.If():
                self._if(statement, indent)
            case s.For(name, values, body, span):
                head = Layout(indent).statement(f"for {name} in ", values, 2)
                self.braces(head, indent, (span.to(values.span), values.span), span, self._one(body),
                            lambda: self.statements(body, indent + STEP))  # fmt: skip
            case s.Head(body, span):
                start = Span(span.source, span.line, span.column, span.line, span.column)
                self.braces("head", indent, (start, start), span, self._one(body),
                            lambda: self.statements(body, indent + STEP))  # fmt: skip
            case s.Stage():
                self._stage(statement, indent)
            case _:
                self.writer.put(simple(statement, indent), indent, place(statement.span))

    def _stage(self, stage: s.Stage, indent: int) -> None:
        def items() -> None:
            for item in stage.items:
                text = Layout(indent + STEP).statement("", item)
                if item_level(item):
                    text = f"({text})"
                self.writer.put(text, indent + STEP, place(item.span))

        head, last = f"stage {stage.label}", stage.span
        if stage.width is not None:
            head = Layout(indent).statement(head + "(", stage.width, 3) + ")"
            last = stage.width.span
        compact = None
        if len(stage.items) < 2 and not is_broken(stage.items):
            compact = "".join(flat(item, item_level(item)) for item in stage.items)
        self.braces(head, indent, (stage.span, last), stage.whole_span, compact, items)

    def _if(self, statement: s.If, indent: int) -> None:
        compact = self._one_line_if(statement)
        if compact is not None and indent + len(compact) <= WIDTH:
            self.writer.put(compact, indent, place(statement.span))
            return
        first, whole = statement.condition.span, statement.span
        end = (whole.end_line, whole.end_column)
        pair = self._pair((first.end_line, first.end_column), end)
        head = Layout(indent).statement("if ", statement.condition, 2) + " {"
        start = (whole.line, whole.column)
        where = Place(start, _behind(pair[0])) if pair else place(first)
        self.writer.put(head, indent, where, opens=True)
        self.statements(statement.then, indent + STEP)
        rest = statement.otherwise
        while rest:
            before = pair
            nested = rest[0] if len(rest) == 1 and isinstance(rest[0], s.If) else None
            if nested is not None:
                last = nested.condition.span
                pair = self._pair((last.end_line, last.end_column), end)
                head = Layout(indent).statement("} else if ", nested.condition, 2) + " {"
            else:
                pair = self._pair(_behind(before[1]), end) if before else None
                head = "} else {"
            between = Place(before[1], _behind(pair[0])) if before and pair else None
            self._close(head, indent, between, opens=True)
            self.statements(nested.then if nested is not None else rest, indent + STEP)
            rest = nested.otherwise if nested is not None else ()
        self._close("}", indent, place_of_brace(pair))

    def _pair(self, after: Position, end: Position) -> tuple[Position, Position] | None:
        pair = self.marks.braces_after(after)
        return pair if pair is not None and pair[1] < end else None

    def _one(self, body: Sequence[s.Statement]) -> str | None:
        """A body of one statement or none on one line, or None."""
        if not body:
            return ""
        if len(body) > 1 or isinstance(body[0], s.If | s.For | s.Head | s.Stage) or is_broken(body):
            return None
        text = simple(body[0], FAR_LEFT)
        return None if "\n" in text else text

    def _one_line_if(self, statement: s.If) -> str | None:
        """The decision on one line, where its author wrote it so and each branch holds one statement."""
        span = statement.span
        if span.line != span.end_line or is_broken(statement.condition):
            return None
        parts = [f"if {flat(statement.condition)}"]
        branch, rest = statement.then, statement.otherwise
        while True:
            one = self._one(branch)
            if one is None:
                return None
            parts.append(f"{{ {one} }}" if one else "{ }")
            if not rest:
                return " ".join(parts)
            nested = rest[0] if len(rest) == 1 and isinstance(rest[0], s.If) else None
            if nested is not None and is_broken(nested.condition):
                return None
            parts.append(f"else if {flat(nested.condition)}" if nested is not None else "else")
            branch, rest = (nested.then, nested.otherwise) if nested is not None else (rest, ())


def place_of_brace(pair: tuple[Position, Position] | None) -> Place | None:
    """The place of the closing brace of a pair."""
    return Place(pair[1], _behind(pair[1])) if pair is not None else None


def _behind(position: Position) -> Position:
    return (position[0], position[1] + 1)


def simple(statement: s.Statement, indent: int) -> str:
    """A statement without a body; on one line where it fits."""
    layout = Layout(indent)
    match statement:
        case s.Let(targets, shape, value):
            names = ", ".join(target.name for target in targets)
            typed = f": {shape_text(shape)}" if shape is not None else ""
            return layout.statement(f"{names}{typed} = ", value)
        case s.Return(values):
            return several(layout, "return ", values, indent)
        case s.Output(mode, value):
            return layout.statement(f"output {mode} = ", value)
        case s.Require(condition, message):
            otherwise = f"else {string(message)}"
            one = f"require {flat(condition)} {otherwise}"
            if indent + len(one) <= WIDTH and not is_broken(condition):
                return one
            return layout.statement("require ", condition) + "\n" + " " * (indent + 2) + otherwise
        case s.Init(paths, value):
            return layout.statement(f"init {', '.join('.'.join(p.parts) for p in paths)} = ", value)
        case s.Entry(label, index, call):
            numbered = f"[{flat(index)}]" if index is not None else ""
            return layout.statement(f"{label}{numbered}: ", call)
        case s.Features(labels):
            return "features " + ", ".join(".".join(p.parts) for p in labels)
        case s.SubjectTo(condition):
            return layout.statement("subject to ", condition)
    raise AssertionError(f"{type(statement).__name__} has a body")


def several(layout: Layout, head: str, values: Sequence[s.Expr], indent: int) -> str:
    """`return a, b`."""
    if len(values) == 1:
        return layout.statement(head, values[0])
    return head + layout.fill("", [("", value) for value in values], "", indent + len(head), 0)


def setting(part: s.Setting | s.SubjectTo, indent: int) -> str:
    """A setting of a variant."""
    if isinstance(part, s.SubjectTo):
        return simple(part, indent)
    if part.value is None:
        return f"unset {path(part.path.steps)}"
    return Layout(indent).statement(f"{path(part.path.steps)} {part.kind} ", part.value)


def shape_text(shape: s.Shape) -> str:
    """`[C, H, W]`."""
    return f"[{', '.join(map(flat, shape.extents))}]"
