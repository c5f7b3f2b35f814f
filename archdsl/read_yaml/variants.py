"""Variants, spaces and key maps in YAML."""

from __future__ import annotations

from collections.abc import Iterator, Set

from archdsl import syntax as s
from archdsl.read_yaml.networks import Networks
from archdsl.read_yaml.tree import Mapping, Node, Scalar, Sequence
from archdsl.source import Span

VARIANT_KEYS = ("base", "doc", "set", "append", "unset", "subject_to")
RULE_KEYS = ("to", *s.KEY_OPTIONS)


class Variants(Networks):
    """Reads variants, spaces and key maps."""

    def variant(
        self,
        name: Scalar,
        fields: dict[str, Node],
        span: Span,
        is_space: bool,
        local: Set[str],
        only: str | None,
    ) -> s.Variant:
        """A variant or space; `local` are the names of the document, `only` its one network, if so."""
        self.check_name(name.text, name.span)
        doc = self.text(fields["doc"], "doc") if "doc" in fields else None
        base = self._base(name, fields.get("base"), local, only)
        settings: list[s.Setting | s.SubjectTo] = []
        for kind, key in (("=", "set"), ("+=", "append")):
            for path_node, value in self.mapping(fields.get(key), key):
                path = self._path(path_node)
                settings.append(s.Setting(kind, path, self.expression(value), path_node.span))
        unset = fields.get("unset")
        for item in unset.items if isinstance(unset, Sequence) else () if unset is None else (unset,):
            if isinstance(item, Scalar):
                settings.append(s.Setting("unset", self._path(item), None, item.span))
            else:
                self.mistake("E0505", "what is unset is a path", item.span, "unset: [norm, s3.4]")
        settings += self.conditions(fields.get("subject_to"))
        return s.Variant(name.text, base, doc, tuple(settings), is_space, name.span, span)

    def _base(self, name: Scalar, node: Node | None, local: Set[str], only: str | None) -> s.Base:
        if node is None:
            if only is None:
                help = "base: a network or variant of this document, or another document"
                self.mistake("E0504", f"{name.text!a} has no 'base'", name.span, f"add '{help}'")
            return s.Base(None, only or "", name.span)
        text = self.text(node, "a base")
        # Quoted, it is a document even where this one has the name too.
        if isinstance(node, Scalar) and not node.style and text in local:
            return s.Base(None, text, node.span)
        document, _, inner = text.partition("#")
        return s.Base(document, inner or None, node.span)

    def _path(self, node: Scalar) -> s.Path:
        result: s.Path | None = self.parsed(node, "path")
        return result or s.Path((node.text,), node.span)

    # --- key maps

    def key_map(self, key: Scalar, node: Node) -> s.KeyMap:
        """`timm: {ffn: {scale: ls2}}`."""
        self.check_name(key.text, key.span)
        what = f"the key map {key.text!a}"
        blocks = tuple(self._block_rules(name, inner) for name, inner in self.mapping(node, what))
        return s.KeyMap(key.text, blocks, key.span, key.span.to(node.span))

    def _block_rules(self, name: Scalar, node: Node) -> s.KeyRules:
        self.check_name(name.text, name.span)
        return s.KeyRules(name.text, tuple(self._rules(name, node)), name.span, name.span.to(node.span))

    def _rules(self, block: Scalar, node: Node) -> Iterator[s.KeyRule]:
        for key, value in self.mapping(node, f"the rules of {block.text!a}"):
            span = key.span.to(value.span)
            if key.text == "drop" and isinstance(value, Sequence):
                yield s.KeyRule((), self._key_names(value), (), span)
                continue
            ours = tuple(part.strip() for part in key.text.split(","))
            options: list[s.Argument] = []
            target: Node | None = value
            if isinstance(value, Mapping):
                fields = self.fields(value, RULE_KEYS, f"the rule {key.text!a}")
                target = fields.get("to")
                if target is None:
                    self.mistake("E0504", f"the rule {key.text!a} has no 'to'", key.span, "add 'to: ...'")
                for name in s.KEY_OPTIONS:
                    if name in fields:
                        given = self.expression(fields[name])
                        options.append(s.Argument(name, given, fields[name].span))
            yield s.KeyRule(ours, self._key_names(target) if target else (), tuple(options), span)

    def _key_names(self, node: Node) -> tuple[str, ...]:
        items = node.items if isinstance(node, Sequence) else (node,)
        if not items:
            self.mistake("E0504", "the names of weights are missing", node.span)
        return tuple(self.text(item, "the name of a weight") for item in items)
