"""The text surface written: from `archdsl.syntax` to `.arch` text, with the author's comments."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl import syntax as s
from archdsl.print_arch.layout import argument, path, string
from archdsl.print_arch.marks import NO_MARKS, Marks, marks_of
from archdsl.print_arch.signatures import header
from archdsl.print_arch.statements import FAR_LEFT, STEP, Statements, setting
from archdsl.print_arch.writer import Gap, Place, place, print_twice
from archdsl.source import Span

Item = s.Import | s.Build | s.Block | s.Network | s.Variant | s.KeyMap


def text(document: s.Document, marks: Marks = NO_MARKS) -> str:
    """The document as text, in the order in which its items stand, with the comments of `marks`."""
    return print_twice(
        document.span.source, marks.comments, lambda writer: Items(writer, marks).document(document)
    )


class Items(Statements):
    """Writes whole documents and their items."""

    def document(self, document: s.Document) -> None:
        """The version and all items."""
        span = document.span
        written = self.marks.keys.get(("archdsl",), (span, span))[0]
        start = (written.line, written.column)
        version = f"archdsl {document.version}"
        self.writer.put(version, 0, Place(start, (start[0], start[1] + len("archdsl"))), Gap.NEVER)
        parts: list[Item] = [
            *document.imports,
            *([document.build] if document.build is not None else []),
            *document.blocks,
            *document.networks,
            *document.variants,
            *document.keys,
        ]
        self.items(sorted(parts, key=lambda item: (item.span.line, item.span.column)), 0)

    def items(self, items: Sequence[Item], indent: int, gap: Gap = Gap.ALWAYS) -> None:
        """Items, with blank lines around those that have a body; `gap` is that in front of the first one."""
        before = True
        for number, item in enumerate(items):
            own = not isinstance(item, s.Import | s.Build)
            apart = Gap.ALWAYS if own or (before and number) else Gap.AUTHOR
            self._item(item, indent, apart if number else (gap if own else Gap.AUTHOR))
            before = own

    def _item(self, item: Item, indent: int, gap: Gap) -> None:
        inner = indent + STEP
        match item:
            case s.Import(name, span):
                self.writer.put(f"import {string(name)}", indent, place(span), gap)
            case s.Build(name, span):
                self.writer.put(f"build {name}", indent, place(span), gap)
            case s.Block():
                last = _last([item.span, *(result.span for result in item.results)])
                head = header(f"block {item.name}", item, indent)
                compact = self._one(item.body) if item.doc is None else None
                self.braces(head, indent, (item.span, last), item.whole_span, compact,
                            lambda: self._body(item.doc, item.body, inner), gap)  # fmt: skip
            case s.Network():
                values = [param.default.span for param in item.params if param.default is not None]
                last = _last([item.span, *(t.shape.span for t in item.tensors), *values])
                head = header(f"network {item.name}", item, indent)
                self.braces(head, indent, (item.span, last), item.whole_span, None,
                            lambda: self._body(item.doc, item.body, inner), gap)  # fmt: skip
            case s.Variant():
                self._variant(item, indent, gap)
            case s.KeyMap():
                self._key_map(item, indent, gap)

    def _body(self, doc: str | None, body: Sequence[s.Statement], indent: int) -> None:
        self._doc(doc, indent)
        self.statements(body, indent)

    def _doc(self, doc: str | None, indent: int) -> None:
        for line in doc.split("\n") if doc is not None else ():
            self.writer.put(string(line), indent, None, Gap.NEVER)

    def _variant(self, variant: s.Variant, indent: int, gap: Gap) -> None:
        def inside() -> None:
            self._doc(variant.doc, indent + STEP)
            for part in variant.settings:
                self.writer.put(setting(part, indent + STEP), indent + STEP, place(part.span))

        compact = None
        if len(variant.settings) < 2 and variant.doc is None:
            compact = "".join(setting(part, FAR_LEFT) for part in variant.settings)
            compact = None if "\n" in compact else compact
        head = f"{'space' if variant.is_space else 'variant'} {variant.name} : {base(variant.base)}"
        where = (variant.span, variant.base.span)
        self.braces(head, indent, where, variant.whole_span, compact, inside, gap)

    def _key_map(self, keys: s.KeyMap, indent: int, gap: Gap) -> None:
        def rules(block: s.KeyRules) -> None:
            for rule in block.rules:
                self.writer.put(key_rule(rule), indent + 2 * STEP, place(rule.span))

        def inside() -> None:
            for block in keys.blocks:
                compact = "".join(map(key_rule, block.rules)) if len(block.rules) < 2 else None
                self.braces(block.block, indent + STEP, (block.span, block.span), block.whole_span, compact,
                            lambda block=block: rules(block))  # type: ignore[misc] # fmt: skip

        self.braces(f"keys {keys.name}", indent, (keys.span, keys.span), keys.whole_span,
                    None if keys.blocks else "", inside, gap)  # fmt: skip


def base(given: s.Base) -> str:
    """What a variant begins from: a name, or a document in quotes."""
    return given.name or "" if given.document is None else string(base_document(given))


def base_document(given: s.Base) -> str:
    """`s0#S1`."""
    return f"{given.document}#{given.name}" if given.name is not None else given.document or ""


def key_rule(rule: s.KeyRule) -> str:
    """`"fc1.conv" -> "mlp.fc1"`."""
    theirs = ", ".join(map(string, rule.theirs))
    if not rule.ours:
        return f"drop {theirs}"
    options = f" ({', '.join(map(argument, rule.options))})" if rule.options else ""
    return f"{', '.join(map(string, rule.ours))} -> {theirs}{options}"


def _last(spans: Sequence[Span]) -> Span:
    return max(spans, key=lambda span: (span.end_line, span.end_column))


__all__ = ["NO_MARKS", "Marks", "base_document", "marks_of", "path", "text"]
