"""The YAML surface: from a tree with places to `archdsl.syntax`. Scalars hold the language's expressions.

Pydantic would read the shape of a document too, but its import alone costs more than everything that
`archdsl stats` does (docs/dependencies.md); the shapes are few and written down here.
"""

from __future__ import annotations

from archdsl import read_arch
from archdsl import syntax as s
from archdsl.read_yaml.networks import NETWORK_KEYS
from archdsl.read_yaml.tree import Mapping, Node, Scalar, Sequence, compose
from archdsl.read_yaml.variants import VARIANT_KEYS, Variants
from archdsl.source import ArchError, Source, Span

# What a document may say, in the order in which people write it.
DOCUMENT_KEYS = (
    "archdsl",
    "import",
    "build",
    "network",
    "variant",
    "space",
    "doc",
    "base",
    "input",
    "parameters",
    "body",
    "head",
    "features",
    "set",
    "append",
    "unset",
    "subject_to",
    "networks",
    "variants",
    "spaces",
    "blocks",
    "keys",
)


def read(source: Source) -> s.Document:
    """The document that a YAML text says; raises `ArchError` with all that is wrong with it."""
    read_arch.check_length(source)
    return _Reader(source).document(compose(source))


class _Reader(Variants):
    def document(self, root: Node) -> s.Document:
        fields = self.fields(root, DOCUMENT_KEYS, "a document")
        if not isinstance(root, Mapping):
            raise ArchError(self.mistakes)
        self._version(fields.get("archdsl"), root.span)
        imports = self._imports(fields.get("import"))
        blocks = self.items(fields.get("blocks"), s.Block, "blocks")
        if blocks is None:
            given = self.mapping(fields.get("blocks"), "blocks")
            blocks = tuple(self.block(key, node) for key, node in given)
        networks = self._networks(fields, root.span)
        variants = self._variants(fields, networks)
        keys = self.items(fields.get("keys"), s.KeyMap, "keys")
        if keys is None:
            keys = tuple(self.key_map(key, node) for key, node in self.mapping(fields.get("keys"), "keys"))
        build = self._build(fields.get("build"))
        if self.mistakes:
            raise ArchError(self.mistakes)
        return s.Document(s.LANGUAGE_VERSION, imports, blocks, networks, variants, keys, build, root.span)

    def _version(self, node: Node | None, span: Span) -> None:
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

    def _imports(self, node: Node | None) -> tuple[s.Import, ...]:
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

    def _build(self, node: Node | None) -> s.Build | None:
        if node is None:
            return None
        name = self.text(node, "what a document builds")
        self.check_name(name, node.span)
        return s.Build(name, node.span)

    def _networks(self, fields: dict[str, Node], span: Span) -> tuple[s.Network, ...]:
        """The network of the document's own keys, where it has one, and those of `networks`."""
        result: list[s.Network] = []
        others = [key for key in ("variant", "space", "networks", "variants", "spaces", "blocks", "keys")
                  if key in fields]  # fmt: skip
        own = [key for key in ("network", "input", "parameters", "body", "head", "features") if key in fields]
        kind = next((kind for kind in ("variant", "space") if kind in fields), None)
        if kind is not None and not {"network", "body"} & fields.keys():
            for name in own:
                message = f"{name!r} is of a network; this document is a {kind}"
                help = f"remove it, or write the {kind} under '{kind}s:' beside a network"
                self.mistake("E0505", message, fields[name].span, help)
        elif own or not others:
            result.append(self.network(fields, span, fields.get("network")))
            for kind in ("variant", "space"):
                if kind in fields:
                    message = f"a document is a network or a {kind}, not both"
                    help = f"write it under '{kind}s:'"
                    self.mistake("E0505", message, fields[kind].span, help)
        written = self.items(fields.get("networks"), s.Network, "networks")
        if written is not None:
            return (*result, *written)
        for key, node in self.mapping(fields.get("networks"), "networks"):
            inner = self.fields(node, NETWORK_KEYS, f"the network {key.text!a}")
            result.append(self.network(inner, node.span, key))
        return tuple(result)

    def _variants(self, fields: dict[str, Node], networks: tuple[s.Network, ...]) -> tuple[s.Variant, ...]:
        result: list[s.Variant] = []
        entries: dict[str, tuple[tuple[Scalar, Node], ...]] = {}
        for name in ("variants", "spaces"):
            written = self.items(fields.get(name), s.Variant, name)
            result += written or ()
            entries[name] = self.mapping(fields.get(name), name) if written is None else ()
        local = {network.name for network in networks} | {variant.name for variant in result}
        local.update(key.text for name in entries for key, _ in entries[name])
        only = networks[0].name if len(networks) == 1 else None
        for kind in ("variant", "space"):
            node = fields.get(kind)
            if isinstance(node, Scalar):
                result.append(self.variant(node, fields, node.span, kind == "space", local, None))
            elif node is not None:
                self.mistake("E0505", f"{kind!r} is a name", node.span, f"several stand under '{kind}s:'")
            for key, inner in entries[f"{kind}s"]:
                given = self.fields(inner, VARIANT_KEYS, f"the {kind} {key.text!a}")
                result.append(self.variant(key, given, inner.span, kind == "space", local, only))
        return tuple(sorted(result, key=lambda variant: variant.is_space))


__all__ = ["DOCUMENT_KEYS", "read"]
