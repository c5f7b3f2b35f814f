"""What all parts of a YAML document are read with: fields, names, texts, and the language's expressions."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from archdsl import names, read_arch
from archdsl import syntax as s
from archdsl.read_yaml.tree import MOST_ERRORS, Mapping, Node, Scalar, Sequence
from archdsl.source import ArchError, Diagnostic, Source, Span, did_you_mean

TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false", "~": "none", "null": "none"}
"""What other YAML takes for truths and nothing, and what the language says in its place."""


Kind: TypeAlias = "type[s.Block] | type[s.Network] | type[s.Variant] | type[s.KeyMap]"


class Fields:
    """Reads pieces of a document and collects what is wrong with them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.mistakes: list[Diagnostic] = []

    def mistake(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.mistakes.append(Diagnostic(code, message, span, help))
        if len(self.mistakes) >= MOST_ERRORS:
            raise ArchError(self.mistakes)

    # --- mappings and lists

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
        """The keys and values of a mapping; anything else is a mistake."""
        if node is None:
            return ()
        if isinstance(node, Mapping):
            return node.entries
        self.mistake("E0505", f"{what!r} is a mapping of names to values", node.span)
        return ()

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

    # --- names and texts

    def check_name(self, name: str, span: Span) -> None:
        problem = names.problem(name)
        # A bad name is one mistake, however often it is given.
        if problem and all(mistake.message != problem for mistake in self.mistakes):
            self.mistake("E0105", problem, span, "choose another name")

    def text(self, node: Node | None, what: str) -> str:
        if node is None:
            return ""
        if isinstance(node, Scalar):
            # Of a block of text, the end of its last line belongs to YAML.
            return node.text.rstrip("\n") if node.style in ("|", ">") else node.text
        self.mistake("E0505", f"{what} is text", node.span)
        return ""

    # --- the language's own text

    def type(self, node: Node) -> s.TypeName | None:
        if isinstance(node, Sequence) and len(node.items) == 1:
            inner = self.type(node.items[0])
            if inner is None or not (inner.is_list or inner.optional):
                return s.TypeName(inner.name, True, False, node.span) if inner is not None else None
        if not isinstance(node, Scalar):
            self.mistake("E0505", "a type is a word, such as dim or [dim]", node.span)
            return None
        result: s.TypeName | None = self.parsed(node, "type")
        return result

    def expression(self, node: Node) -> s.Expr:
        """The expression of a scalar, or the list of expressions of a list."""
        if isinstance(node, Sequence):
            items = []
            for item in self.whole_items(node):
                known = len(self.mistakes)
                items.append(repeated(self.expression(item)))
                if node.flow:
                    self.mistakes[known:] = [_of_flow(mistake) for mistake in self.mistakes[known:]]
            return s.ListExpr(tuple(items), node.span)
        # A name, since every place can hold one: what is wrong here is not reported again there.
        placeholder = s.Name("identity", node.span)
        if isinstance(node, Mapping):
            help = "quote an expression that holds ': '"
            self.mistake("E0505", "an expression is needed, not a mapping", node.span, help)
            return placeholder
        if node.text.lower() in TRUTHS and not node.style:
            help = f"write {TRUTHS[node.text.lower()]}"
            self.mistake("E0507", f"{node.text!a} means nothing here", node.span, help)
            return placeholder
        result: s.Expr | None = self.parsed(node, "expr")
        return result if result is not None else placeholder

    def parsed(self, node: Scalar, start: str) -> Any:
        """What a scalar says in the language, or None after a mistake; `start` is a rule of the grammar."""
        span = node.span
        if node.style in ("|", ">"):
            help = "write it on one line"
            self.mistake("E0507", "an expression is no block of text", span, help)
            return None
        if span.line != span.end_line:
            self._several_lines(node)
            return None
        foreign = read_arch.foreign_number(node.text) if start == "expr" and not node.style else None
        if foreign is not None:
            self.mistake("E0108", foreign[0], span, foreign[1])
            return None
        quoted = bool(node.style)
        written = self.source.line(span.line)[span.column - 1 : span.end_column - 1]
        if node.style == '"' and written[1:-1] != node.text:
            help = "use the other kind of quotes"
            self.mistake("E0507", "an expression has no escapes", span, help)
            return None
        if not node.text.strip():
            self.mistake("E0504", "a value is missing", span, "write it behind the colon")
            return None
        text = written[1:-1] if node.style == "'" else node.text
        return self._read(text, start, (span.line - 1, span.column - 1 + quoted), node.style == "'")

    def _several_lines(self, node: Scalar) -> None:
        """Note an expression of several lines; where the first is whole, what begins the next is missing."""
        span = node.span
        first = self.source.line(span.line)[span.column - 1 :]
        second = self.source.line(span.line + 1)
        if (
            node.style
            or not second.strip()
            or any(first.count(a) != first.count(b) for a, b in ("()", "[]", "{}"))
        ):
            self.mistake("E0507", "an expression stands on one line", span, "join the lines")
            return
        start = len(second) - len(second.lstrip()) + 1
        place = Span(self.source, span.line + 1, start, span.line + 1, len(second) + 1)
        help = "begin it with '- ' or a key; or join it to the line before"
        self.mistake("E0507", "an expression stands on one line, and this is another one", place, help)

    def statements(self, node: Scalar) -> tuple[s.Statement, ...] | None:
        """The statements of a block of text, `body: |`; None after a mistake."""
        if node.style == ">":
            message = "'>' joins lines, and the statements in them"
            self.mistake("E0507", message, node.span, "write '|' in its place")
            return None
        text = block_of_text(node)
        result: tuple[s.Statement, ...] = ()
        # Comments alone are no statements.
        if re.sub(r"#.*", "", text).strip():
            result = self._read(text, "statements", (node.span.line, 0))
        return result

    def items(self, node: Node | None, kind: Kind, what: str) -> tuple[Any, ...] | None:
        """The items of a block of text, as `.arch` has them; None for what is no block of text."""
        if not isinstance(node, Scalar) or node.style != "|":
            return None
        document: s.Document | None = self._read(block_of_text(node), "document", (node.span.line, 0))
        if document is None:
            return ()
        parts = (document.blocks, document.networks, document.variants, document.keys)
        found = [item for part in parts for item in part if isinstance(item, kind)]
        if document.version or document.imports or document.build or len(found) != sum(map(len, parts)):
            self.mistake("E0505", f"{what!r} holds nothing else", node.span, "write it under its own key")
        return tuple(found)

    def _read(self, text: str, start: str, shift: tuple[int, int], doubled: bool = False) -> Any:
        try:
            return read_arch.read_expression(self.source, text, shift, start, doubled)
        except ArchError as error:
            self.mistakes += error.diagnostics
            if len(self.mistakes) >= read_arch.MOST_ERRORS:
                raise ArchError(self.mistakes) from None
            return None


def _of_flow(mistake: Diagnostic) -> Diagnostic:
    """What is said about an item of a list in brackets: a comma may be missing."""
    help = mistake.help or ""
    if mistake.code != "E0101" or not help.startswith("expected "):
        return mistake
    return mistake.replace(help=f"expected ',', {help[len('expected ') :]}")  # type: ignore[no-any-return]


def block_of_text(node: Scalar) -> str:
    """The lines of a block of text as they stand in the file: YAML takes the indentation away."""
    first, last = node.span.line, node.span.end_line
    source = node.span.source
    if not source.line(last)[: node.span.end_column - 1].strip():
        last -= 1
    return "\n".join(source.line(number) for number in range(first + 1, last + 1))


def repeated(item: s.Expr) -> s.Expr:
    """`value * count` as an element of a list or stage."""
    if isinstance(item, s.Binary) and item.op == "*":
        return s.Repeat(item.left, item.right, item.span)
    return item
