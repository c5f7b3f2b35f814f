"""The YAML surface written: from `archdsl.syntax` to YAML, with the author's comments."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl import names
from archdsl import syntax as s
from archdsl.print_arch import base_document, path
from archdsl.print_arch.marks import NO_MARKS, Marks
from archdsl.print_arch.statements import STEP
from archdsl.print_arch.writer import Gap, place, print_twice
from archdsl.print_yaml.marks import marks_of
from archdsl.print_yaml.networks import KeyPath, Networks, can_be_keys, keyword
from archdsl.print_yaml.scalars import LONGEST_KEY, expression, in_brackets, quoted, scalar
from archdsl.read_yaml.tree import first_refused
from archdsl.source import Source, Span, fail

_ORDER = {"=": 0, "+=": 1, "unset": 2}


def text(document: s.Document, marks: Marks = NO_MARKS) -> str:
    """The document as YAML, its keys in the order of `read_yaml.DOCUMENT_KEYS`, with the comments of `marks`.

    Raises `ArchError` for a text with characters that YAML can't hold.
    """
    source = document.span.source
    refuse_characters(source)
    return print_twice(source, marks.comments, lambda writer: _Documents(writer, marks).document(document))


def refuse_characters(source: Source) -> None:
    """Raise `ArchError` at the first character of a text that YAML can't hold."""
    found = first_refused(source)
    if found is not None:
        character, span = found
        raise fail("E0102", f"YAML can't hold the character {character!a}", span, "remove it")


class _Documents(Networks):
    def document(self, document: s.Document) -> None:
        """All keys of a document."""
        span = document.span
        start = Span(span.source, span.line, span.column, span.line, span.column + len("archdsl"))
        self.line(("archdsl",), str(document.version), 0, place(start), Gap.NEVER)
        self._imports(document.imports)
        if document.build is not None:
            gap = self.section((), 0, False)
            self.line(("build",), scalar(document.build.name), 0, place(document.build.span), gap)
        self._networks(document.networks)
        self._variants(document)
        self._blocks(document)
        self._key_maps(document.keys)

    def _imports(self, imports: Sequence[s.Import]) -> None:
        if not imports:
            return
        texts = [import_.name for import_ in imports]
        where = place(imports[0].span, imports[-1].span)
        if len(texts) == 1:
            self.line(("import",), scalar(texts[0]), 0, where, self.section((), 0, False))
        elif all(map(in_brackets, texts)):
            self.line(("import",), f"[{', '.join(texts)}]", 0, where, self.section((), 0, False))
        else:
            self.header(("import",), 0, None, self.section((), 0, True))
            for import_ in imports:
                self.writer.put(f"- {scalar(import_.name)}", STEP, place(import_.span))

    # --- networks and blocks

    def _networks(self, networks: Sequence[s.Network]) -> None:
        texts = [network.name for network in networks]
        if len(set(texts)) != len(texts) or not all(map(can_be_keys, networks)):
            self._written_out("networks", networks)
            return
        for network in networks[:1]:
            where = keyword(network.span, network.whole_span)
            if ("network",) in self.marks.keys:
                where = place(network.span)
            self.section((), 0, False)
            self.line(("network",), network.name, 0, where, Gap.ALWAYS)
            self.network(network, (), 0)
        if networks[1:]:
            self.header(("networks",), 0, None, self.section((), 0, True))
        for number, network in enumerate(networks[1:]):
            inner: KeyPath = ("networks", network.name)
            where = keyword(network.span, network.whole_span)
            self.header(inner, STEP, where, Gap.ALWAYS if number else Gap.NEVER)
            self.network(network, inner, 2 * STEP)

    def _blocks(self, document: s.Document) -> None:
        blocks = document.blocks
        texts = [block.name for block in blocks]
        if len(set(texts)) != len(texts):
            self._written_out("blocks", blocks)
        elif blocks:
            self.header(("blocks",), 0, None, self.section((), 0, True))
            for number, block in enumerate(blocks):
                self.block(block, ("blocks", block.name), STEP, Gap.ALWAYS if number else Gap.NEVER)
        elif not (document.networks or document.variants or document.keys):
            # Without them a document is a network that lacks its keys.
            self.line(("blocks",), "{}", 0, None, self.section((), 0, False))

    def _written_out(self, key: str, items: Sequence[s.Block | s.Network | s.Variant | s.KeyMap]) -> None:
        self.block_of_text((key,), 0, self.section((), 0, True))
        self.text.items(items, STEP, Gap.NEVER)

    # --- variants

    def _variants(self, document: s.Document) -> None:
        variants = document.variants
        local = {network.name for network in document.networks} | {variant.name for variant in variants}
        unique = len({variant.name for variant in variants}) == len(variants)
        if not (unique and all(_can_be_a_variant(variant, local) for variant in variants)):
            self._written_out("variants", variants)
            return
        if len(variants) == 1 and not document.networks and variants[0].base.document is not None:
            (only,) = variants
            key = "space" if only.is_space else "variant"
            self.section((), 0, False)
            where = place(only.span) if (key,) in self.marks.keys else keyword(only.span, only.whole_span)
            self.line((key,), scalar(only.name), 0, where, Gap.ALWAYS)
            self._variant(only, (), 0, set())
            return
        for name in ("variants", "spaces"):
            several = [variant for variant in variants if variant.is_space == (name == "spaces")]
            if several:
                self.header((name,), 0, None, self.section((), 0, True))
            for number, variant in enumerate(several):
                inner: KeyPath = (name, variant.name)
                where = keyword(variant.span, variant.whole_span)
                self.header(inner, STEP, where, Gap.AUTHOR if number else Gap.NEVER)
                self._variant(variant, inner, 2 * STEP, local)

    def _variant(self, variant: s.Variant, at: KeyPath, indent: int, local: set[str]) -> None:
        order = ("doc", "base", "set", "subject_to") if not indent else ("base", "doc", "set", "subject_to")
        for key in order:
            if key == "doc":
                self.doc(at, variant.doc, indent)
            elif key == "base":
                text = base_document(variant.base)
                if variant.base.document is None:
                    text = variant.base.name or ""
                else:
                    text = quoted(text) if text in local else scalar(text)
                gap = self.section(at, indent, False)
                self.line((*at, "base"), text, indent, place(variant.base.span), gap)
            elif key == "set":
                self._settings(variant, at, indent)
            else:
                conditions = [part for part in variant.settings if isinstance(part, s.SubjectTo)]
                self.conditions(conditions, at, indent)

    def _settings(self, variant: s.Variant, at: KeyPath, indent: int) -> None:
        settings = [part for part in variant.settings if isinstance(part, s.Setting)]
        for kind, key in (("=", "set"), ("+=", "append")):
            given = [part for part in settings if part.kind == kind]
            if given:
                self.section(at, indent, True)
                self.header((*at, key), indent)
            for part in given:
                assert part.value is not None
                where = place(part.span, part.value.span)
                inner = (*at, key, path(part.path.steps))
                self.value(inner, part.value, indent + STEP, where)
        unset = [part for part in settings if part.kind == "unset"]
        if not unset:
            return
        texts = [path(part.path.steps) for part in unset]
        if all(map(in_brackets, texts)):
            gap = self.section(at, indent, False)
            where = place(unset[0].span, unset[-1].span)
            self.line((*at, "unset"), f"[{', '.join(texts)}]", indent, where, gap)
            return
        self.header((*at, "unset"), indent, None, self.section(at, indent, True))
        for part, text in zip(unset, texts, strict=True):
            self.writer.put(f"- {scalar(text)}", indent + STEP, place(part.span))

    # --- key maps

    def _key_maps(self, maps: Sequence[s.KeyMap]) -> None:
        texts = [key_map.name for key_map in maps]
        if len(set(texts)) != len(texts) or not all(map(_can_be_a_key_map, maps)):
            self._written_out("keys", maps)
            return
        if maps:
            self.header(("keys",), 0, None, self.section((), 0, True))
        for key_map in maps:
            at: KeyPath = ("keys", key_map.name)
            where = keyword(key_map.span, key_map.whole_span)
            if not key_map.blocks:
                self.line(at, "{}", STEP, where)
                continue
            self.header(at, STEP, where)
            for rules in key_map.blocks:
                inner = (*at, rules.block)
                where = place(rules.span)
                if not rules.rules:
                    self.line(inner, "{}", 2 * STEP, where)
                    continue
                self.header(inner, 2 * STEP, where)
                for rule in rules.rules:
                    self._rule(rule, inner)

    def _rule(self, rule: s.KeyRule, at: KeyPath) -> None:
        indent = 3 * STEP
        where = place(rule.span)
        theirs = _weights(rule.theirs) if len(rule.theirs) > 1 or not rule.ours else scalar(rule.theirs[0])
        key = (*at, ", ".join(rule.ours) if rule.ours else "drop")
        if not rule.options and not (rule.ours == ("drop",) and len(rule.theirs) > 1):
            self.line(key, theirs, indent, where)
            return
        self.header(key, indent, where)
        self.line((*key, "to"), theirs, indent + STEP, None)
        for option in rule.options:
            self.line((*key, option.name or ""), expression(option.value), indent + STEP, place(option.span))


def _weights(given: Sequence[str]) -> str:
    return f"[{', '.join(text if in_brackets(text) else quoted(text) for text in given)}]"


def _can_be_a_variant(variant: s.Variant, local: set[str]) -> bool:
    """Whether a mapping can say a variant: settings by kind, each path once, a base that is there."""
    if variant.base.document is None and variant.base.name not in local:
        return False
    kinds = [3 if isinstance(part, s.SubjectTo) else _ORDER[part.kind] for part in variant.settings]
    if kinds != sorted(kinds):
        return False
    paths = [(part.kind, path(part.path.steps)) for part in variant.settings if isinstance(part, s.Setting)]
    keys = [text for kind, text in paths if kind != "unset"]
    return len(set(paths)) == len(paths) and all(len(text) < LONGEST_KEY for text in keys)


def _can_be_a_key_map(key_map: s.KeyMap) -> bool:
    """Whether mappings can say a key map: each block and each rule once, with options in their order."""
    blocks = [rules.block for rules in key_map.blocks]
    if len(set(blocks)) != len(blocks) or any(map(names.problem, blocks)):
        return False
    for rules in key_map.blocks:
        keys = [", ".join(rule.ours) if rule.ours else "drop" for rule in rules.rules]
        if len(set(keys)) != len(keys) or any(len(key) > LONGEST_KEY or key == "<<" for key in keys):
            return False
        for rule in rules.rules:
            options = [option.name for option in rule.options]
            if options != [name for name in s.KEY_OPTIONS if name in options]:
                return False
            if any(name != name.strip() or "," in name for name in rule.ours):
                return False
    return True


__all__ = ["marks_of", "text"]
