"""Networks and blocks in YAML: inputs, parameters, entries, stages; bodies may also be blocks of text."""

from __future__ import annotations

from archdsl import syntax as s
from archdsl.read_yaml.fields import Fields, repeated
from archdsl.read_yaml.tree import Mapping, Node, Scalar, Sequence
from archdsl.source import Span

NETWORK_KEYS = ("doc", "input", "parameters", "body", "head", "features", "subject_to")
BLOCK_KEYS = ("signature", "doc", "body")
STAGE_KEYS = ("width", "blocks")
PARAMETER_KEYS = ("type", "value")


class Networks(Fields):
    """Reads networks and blocks."""

    def network(self, fields: dict[str, Node], span: Span, name_node: Node | None) -> s.Network:
        """A network from its keys; `name_node` holds its name."""
        missing = [key for key in ("input", "body") if key not in fields]
        for key in (["network"] if name_node is None else []) + missing:
            first = Span(self.source, span.line, 1, span.line, 1)
            what = "the document" if "network" in fields or name_node is None else "the network"
            self.mistake("E0504", f"{what} has no {key!r}", first, f"add '{key}: ...'")
        name = self.text(name_node, "the network's name")
        name_span = name_node.span if name_node is not None else span
        self.check_name(name, name_span)
        doc = self.text(fields.get("doc"), "doc") if "doc" in fields else None
        tensors = self._inputs(fields.get("input"))
        params = self._parameters(fields.get("parameters"))
        body = [*self.entries(fields.get("body"), "body")]
        if "head" in fields:
            inner = self.entries(fields["head"], "head")
            body.append(s.Head(tuple(inner), fields["head"].span))
        if "features" in fields:
            body += self._features(fields["features"])
        body += self.conditions(fields.get("subject_to"))
        return s.Network(name, tensors, params, doc, tuple(body), name_span, span)

    def conditions(self, node: Node | None) -> list[s.SubjectTo]:
        """What a space is subject to: one condition, or a list of them."""
        if node is None:
            return []
        items = node.items if isinstance(node, Sequence) else (node,)
        return [s.SubjectTo(self.expression(item), item.span) for item in items]

    def block(self, key: Scalar, node: Node) -> s.Block:
        """A block: its signature as a scalar, its body as a block of text."""
        what = f"the block {key.text!a}"
        self.check_name(key.text, key.span)
        fields = self.fields(node, BLOCK_KEYS, what)
        for name in ("signature", "body") if isinstance(node, Mapping) else ():
            if name not in fields:
                help = "body: |" if name == "body" else "signature: '(x: [C, H, W]) -> [C, H, W]'"
                self.mistake("E0504", f"{what} has no {name!r}", key.span, f"add {help}")
        signature = fields.get("signature")
        tensors: tuple[s.TensorParam, ...] = ()
        params: tuple[s.Param, ...] = ()
        results: tuple[s.Result, ...] = ()
        if isinstance(signature, Scalar):
            tensors, params, results = self.parsed(signature, "block_signature") or ((), (), ())
        elif signature is not None:
            self.mistake("E0505", "a signature is text", signature.span, "'(x: [C, H, W]) -> [C, H, W]'")
        doc = self.text(fields["doc"], "doc") if "doc" in fields else None
        body = fields.get("body")
        statements: tuple[s.Statement, ...] = ()
        if isinstance(body, Scalar) and (body.style in ("|", ">") or not body.text):
            statements = self.statements(body) or ()
        elif body is not None:
            help = "write 'body: |' and the statements below it"
            self.mistake("E0505", "the body of a block is a block of text", body.span, help)
        return s.Block(key.text, tensors, params, results, doc, statements, key.span, node.span)

    # --- pieces of a network

    def _inputs(self, node: Node | None) -> tuple[s.TensorParam, ...]:
        if node is None:
            return ()
        if isinstance(node, Mapping):
            result = []
            for key, value in node.entries:
                self.check_name(key.text, key.span)
                result.append(s.TensorParam(key.text, self._shape(value), key.span))
            return tuple(result)
        return (s.TensorParam("x", self._shape(node), node.span),)

    def _shape(self, node: Node) -> s.Shape:
        if not isinstance(node, Sequence):
            help = "write [channels, rows, columns]"
            self.mistake("E0505", "a shape is a list", node.span, help)
            return s.Shape((), node.span)
        return s.Shape(tuple(self.expression(item) for item in node.items), node.span)

    def _parameters(self, node: Node | None) -> tuple[s.Param, ...]:
        result = []
        for key, value in self.mapping(node, "parameters"):
            if key.text != "drop_path":
                self.check_name(key.text, key.span)
            type_ = None
            default: Node | None = value
            if isinstance(value, Mapping):
                fields = self.fields(value, PARAMETER_KEYS, f"the parameter {key.text!a}")
                type_ = self.type(fields["type"]) if "type" in fields else None
                if not fields:
                    self.mistake("E0504", f"{key.text!a} has no 'value'", value.span)
                    continue
                default = fields.get("value")
            written = self.expression(default) if default is not None else None
            result.append(s.Param(key.text, type_, written, key.span))
        return tuple(result)

    def entries(self, node: Node | None, where: str) -> list[s.Statement]:
        """Entries and stages of a mapping, or the statements of a block of text."""
        if isinstance(node, Scalar) and node.style in ("|", ">"):
            return list(self.statements(node) or ())
        result: list[s.Statement] = []
        stage: Scalar | None = None
        for key, value in self.mapping(node, where):
            if key.text == "blocks" and stage is not None and isinstance(value, Sequence):
                # The stage before it was read without it.
                self.mistakes = [mistake for mistake in self.mistakes if mistake.span is not stage.span]
                message = f"{key.text!r} stands beside the stage {stage.text!a}, not in it"
                self.mistake("E0505", message, key.span, "indent it below the stage")
                continue
            self.check_name(key.text, key.span)
            stage = key if isinstance(value, Mapping) else None
            if isinstance(value, Mapping):
                result.append(self._stage(key, value))
                continue
            call = self.expression(value)
            if not isinstance(call, s.Call | s.Name):
                help = f"write {key.text}: block(arguments), or a stage with width and blocks"
                self.mistake("E0505", f"the entry {key.text!a} is no block", value.span, help)
                continue
            result.append(s.Entry(key.text, None, call, call.span))
        return result

    def _stage(self, key: Scalar, node: Mapping) -> s.Stage:
        fields = self.fields(node, STAGE_KEYS, f"the stage {key.text!a}")
        width = self.expression(fields["width"]) if "width" in fields else None
        items: list[s.Expr] = []
        blocks = fields.get("blocks")
        if blocks is None:
            help = "write 'blocks:' and a list of blocks"
            self.mistake("E0504", f"the stage {key.text!a} has no 'blocks'", key.span, help)
        elif isinstance(blocks, Sequence):
            items = [self._stage_item(item) for item in self.whole_items(blocks)]
        else:
            help = "write one block a line, each after '- '"
            self.mistake("E0505", "'blocks' is a list", blocks.span, help)
        return s.Stage(key.text, width, tuple(items), key.span, key.span.to(node.span))

    def _stage_item(self, item: Node) -> s.Expr:
        if isinstance(item, Mapping) and len(item.entries) == 1:
            key, value = item.entries[0]
            self.check_name(key.text, key.span)
            call = self.expression(value)
            if isinstance(call, s.Call | s.Name):
                return s.Labelled(key.text, None, call, key.span.to(call.span))
            self.mistake("E0505", f"the block {key.text!a} is no block", value.span)
            return call
        if isinstance(item, Scalar) and item.text.startswith("-"):
            # In text it would be subtracted from the block before it.
            self.mistake("E0505", "a block does not begin with '-'", item.span)
        return repeated(self.expression(item))

    def _features(self, node: Node) -> list[s.Features]:
        items = node.items if isinstance(node, Sequence) else (node,)
        labels = []
        for item in items:
            path: s.Path | None = self.parsed(item, "path") if isinstance(item, Scalar) else None
            steps = [step for step in path.steps if isinstance(step, str)] if path is not None else []
            if path is not None and len(steps) == len(path.steps):
                labels.append(s.LabelPath(tuple(steps), item.span))
            elif path is not None or not isinstance(item, Scalar):
                self.mistake("E0505", "a feature is the label of an entry or stage", item.span)
        return [s.Features(tuple(labels), node.span)] if items else []
