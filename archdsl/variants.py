"""Variants: a network or variant of a document chosen by name, and the network that its settings make.

    base network  ->  settings of its variants, one layer each  ->  settings of the command

What a setting does to an entry or a stage is done here, to the document's own records. Settings of
parameters and of single blocks of a stage need values, which only elaboration has: they are kept beside what
they are about (`Param.later`, `Stage.later`), layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from archdsl import syntax as s
from archdsl.library import Library, Unit, first_parameter
from archdsl.ops import OPS
from archdsl.record import Record
from archdsl.source import ArchError, Diagnostic, Frame, Source, Span, did_you_mean, fail

DEEPEST_BASE = 32
"""Variants may be based on variants so deep."""

MOST_ERRORS = 1000
"""After so many mistakes no more are looked for."""


class Chosen(Record):
    """A network to be made: `unit` is what its names mean, `lineage` its own name and those of its bases."""

    unit: Unit
    network: s.Network
    lineage: tuple[str, ...]
    units: tuple[Unit, ...]
    """Its document and those of its bases."""


def choose(library: Library, unit: Unit, name: str | None, settings: Sequence[str] = ()) -> Chosen:
    """The network of that name (or the one that the document builds), with `path=value` settings on top.

    Raises `ArchError` for a name that is not there, bases in a circle, and settings of nothing.
    """
    chosen = _named(library, unit, name or _usual(unit), [])
    layer = _command_layer(settings)
    if not layer:
        return chosen
    return chosen.replace(network=apply(chosen.network, layer, True, chosen.unit))  # type: ignore[no-any-return]


def names(document: s.Document) -> list[str]:
    """The networks, variants and spaces of a document."""
    return [network.name for network in document.networks] + [variant.name for variant in document.variants]


def _usual(unit: Unit) -> str:
    document = unit.document
    if document.build is not None:
        known = names(document)
        if document.build.name not in known:
            message = f"there is no network or variant {document.build.name!r} to build"
            raise fail("E0221", message, document.build.span, did_you_mean(document.build.name, known))
        return document.build.name
    if len(document.networks) == 1:
        return document.networks[0].name
    if not document.networks and len(document.variants) == 1:
        return document.variants[0].name
    known = names(document)
    if not known:
        message = f"{unit.source.name!a} holds blocks and no network"
        raise fail("E0708", message, None, "import it from a document with a network")
    message = f"{unit.source.name!a} holds several networks: {', '.join(known)}"
    help = f"name one: {unit.source.name}#{known[0]}; or write 'build {known[0]}' in it"
    raise fail("E0708", message, None, help)


def _named(library: Library, unit: Unit, name: str, chain: list[tuple[str, Frame]]) -> Chosen:
    for network in unit.document.networks:
        if network.name == name:
            return Chosen(unit, network, (name,), (unit,))
    variant = next((v for v in unit.document.variants if v.name == name), None)
    if variant is None:
        message = f"{unit.source.name!a} has no network or variant {name!a}"
        help = did_you_mean(name, names(unit.document), "networks")
        raise fail("E0708", message, None, help)
    key = f"{unit.path}#{name}"
    frame = Frame(f"base of {name}", variant.base.span)
    if any(key == earlier for earlier, _ in chain):
        start = [earlier for earlier, _ in chain].index(key)
        links = tuple(link for _, link in chain[start:])
        help = "a variant begins from a network, at last"
        message = f"{name!r} is based on itself"
        raise ArchError([Diagnostic("E0705", message, chain[-1][1].span, help, None, links)])
    if len(chain) >= DEEPEST_BASE:
        message = f"variants are based on variants more than {DEEPEST_BASE} deep"
        raise fail("E0601", message, variant.base.span)
    base = _base(library, unit, variant, [*chain, (key, frame)])
    joined = _joined(unit, base.unit)
    network = apply(base.network, variant.settings, variant.is_space, joined)
    network = network.replace(name=name, doc=variant.doc or network.doc, span=variant.span)
    units = base.units if unit is base.units[0] else (unit, *base.units)
    return Chosen(joined, network, (name, *base.lineage), units)


def _base(library: Library, unit: Unit, variant: s.Variant, chain: list[tuple[str, Frame]]) -> Chosen:
    base = variant.base
    if base.document is None:
        known = names(unit.document)
        if base.name not in known:
            message = f"there is no network or variant {base.name!r} to begin from"
            others = [other for other in known if other != variant.name]
            quoted = f'a document stands in quotes: "{base.name}"'
            help = did_you_mean(base.name or "", others, "networks here")
            raise fail("E0221", message, base.span, f"{help}; {quoted}" if others else quoted)
        return _named(library, unit, base.name, chain)
    other = library.base(base, unit)
    if base.name is not None and base.name not in names(other.document):
        message = f"{other.source.name!a} has no network or variant {base.name!a}"
        raise fail("E0221", message, base.span, did_you_mean(base.name, names(other.document), "networks"))
    return _named(library, other, base.name or _usual(other), chain)


def _joined(unit: Unit, base: Unit) -> Unit:
    """What names mean in a variant: its own document's blocks first, then those of its base."""
    if unit is base:
        return unit
    keys = {name: {**base.keys.get(name, {}), **unit.keys.get(name, {})} for name in {**base.keys, **unit.keys}}
    return unit.replace(blocks={**base.blocks, **unit.blocks}, keys=keys)  # type: ignore[no-any-return]


def _command_layer(settings: Sequence[str]) -> tuple[s.Setting | s.SubjectTo, ...]:
    from archdsl.read_arch import read_expression

    layer: list[s.Setting | s.SubjectTo] = []
    mistakes: list[Diagnostic] = []
    for text in settings:
        try:
            layer.append(read_expression(Source("--set", text), text, (0, 0), "setting"))
        except ArchError as error:
            for mistake in error.diagnostics:
                help = mistake.help if "=" in text or text.startswith("unset") else "write name=value"
                mistakes.append(mistake.replace(help=help))
    if mistakes:
        raise ArchError(mistakes)
    return tuple(layer)


# --- settings -----------------------------------------------------------------------------------


def apply(
    network: s.Network, layer: Sequence[s.Setting | s.SubjectTo], is_space: bool, unit: Unit
) -> s.Network:
    """The network with one layer of settings; what is written is of no order: sets, appends, then unsets.

    `unit` says what the names of blocks mean. Raises `ArchError` with all settings that are about nothing, or
    twice about one thing.
    """
    edits = _Edits(network, is_space, unit)
    for item in layer if not is_space else ():
        if isinstance(item, s.SubjectTo):
            message = "a variant is one network; a space is subject to conditions"
            edits.mistake("E0225", message, item.span, "write 'space' in place of 'variant'")
    seen: dict[object, s.Setting] = {}
    for setting in layer:
        if isinstance(setting, s.Setting):
            first = seen.setdefault((setting.kind, setting.path), setting)
            if first is not setting:
                message = f"{_path_text(setting.path)!r} is set twice"
                edits.mistake("E0224", message, setting.span, f"the first stands in {first.span}")
    for kind in ("=", "+=", "unset"):
        for setting in seen.values():
            if setting.kind == kind:
                edits.apply(setting)
    return edits.finished(tuple(item for item in layer if isinstance(item, s.SubjectTo)))


class _Edits:
    """A network that settings change."""

    def __init__(self, network: s.Network, is_space: bool, unit: Unit) -> None:
        self.network = network
        self.unit = unit
        self.is_space = is_space
        self.params = {param.name: param for param in network.params}
        self.set: dict[str, list[s.Setting]] = {}
        self.entries = {item.label: item for item in _labelled(network.body)}
        self.changed: dict[str, s.Entry | s.Stage | None] = {}
        self.blocks: dict[str, list[s.Setting]] = {}
        self.features: s.Features | None = None
        self.input: s.Shape | None = None
        self.mistakes: list[Diagnostic] = []

    def mistake(self, code: str, message: str, span: Span, help: str | None = None) -> None:
        self.mistakes.append(Diagnostic(code, message, span, help))
        if len(self.mistakes) >= MOST_ERRORS:
            raise ArchError(self.mistakes)

    def apply(self, setting: s.Setting) -> None:
        first, *rest = setting.path.steps
        assert isinstance(first, str)
        if not self.is_space and setting.value is not None:
            for choice in s.parts_of(setting.value, s.Choose):
                help = f"write 'space' in place of 'variant', or decide: {_path_text(setting.path)} = ..."
                self.mistake(
                    "E0222", "a variant is one network; a space leaves choices open", choice.span, help
                )
        if first in self.params:
            self._parameter(self.params[first], rest, setting)
        elif first in ("features", "input") and first not in self.entries:
            self._whole(first, rest, setting)
        elif first in self.changed and self.changed[first] is None:
            self.mistake(
                "E0224", f"{first!r} is unset in the same breath", setting.span, "leave one of them out"
            )
        elif first in self.entries:
            item = self.changed.get(first) or self.entries[first]
            steps = [step if isinstance(step, str) else None for step in rest]
            if None in steps:
                help = f"{first} is one block; its arguments are {first}.name"
                if isinstance(item, s.Stage):
                    help = f"the blocks of a stage are named by numbers: {first}.0"
                self.mistake("E0224", "an index is for lists", setting.path.span, help)
            elif isinstance(item, s.Stage):
                self._stage(item, [step for step in steps if step is not None], setting)
            else:
                self._entry(item, [step for step in steps if step is not None], setting)
        else:
            message = f"{self.network.name} has no parameter, entry or stage {first!r}"
            known = [*self.params, *self.entries, "features", "input"]
            help = did_you_mean(first, known, "it has")
            if first == "head" and rest and rest[0] in self.entries:
                help = (
                    f"did you mean {_path_text(setting.path)[len('head.') :]!r}? labels of the head stand alone"
                )
            self.mistake("E0401", message, setting.path.span, help)

    def _parameter(self, param: s.Param, rest: list[str | s.Expr], setting: s.Setting) -> None:
        if setting.kind == "unset":
            help = f"set it: {param.name} = ..."
            self.mistake("E0224", f"the parameter {param.name!r} can't be unset", setting.span, help)
        elif any(isinstance(step, str) for step in rest):
            help = f"{param.name}[0] is the first element of a list"
            self.mistake("E0224", f"the parameter {param.name!r} has no parts of that name", setting.span, help)
        else:
            self.set.setdefault(param.name, []).append(setting)

    def _whole(self, name: str, rest: list[str | s.Expr], setting: s.Setting) -> None:
        """Set what is set as a whole alone."""
        if rest:
            self.mistake("E0224", f"{name!r} is set as a whole", setting.path.span, f"{name} = [...]")
        elif name == "features":
            self._features(setting)
        else:
            self._input(setting)

    def _features(self, setting: s.Setting) -> None:
        value = setting.value
        items = value.items if isinstance(value, s.ListExpr) else (value,)
        labels = [_label_path(item) for item in items]
        if setting.kind != "=" or None in labels:
            self.mistake("E0224", "features are set to a list of labels", setting.span, "features = [s1, s2]")
            return
        self.features = s.Features(tuple(label for label in labels if label is not None), setting.span)

    def _input(self, setting: s.Setting) -> None:
        if setting.kind != "=" or not isinstance(setting.value, s.ListExpr):
            self.mistake("E0224", "the input is set to a shape", setting.span, "input = [3, 224, 224]")
            return
        # A shape is no list: `32 * 2` is 64 in it.
        extents = tuple(
            s.Binary("*", item.value, item.count, item.span) if isinstance(item, s.Repeat) else item
            for item in setting.value.items
        )
        self.input = s.Shape(extents, setting.value.span)

    def _entry(self, entry: s.Entry, rest: list[str], setting: s.Setting) -> None:
        call = entry.call
        if setting.kind == "+=":
            message = f"{entry.label!r} is one block; '+=' is for lists and stages"
            self.mistake("E0224", message, setting.span, f"write {entry.label} = ...")
        elif not rest:
            if setting.kind == "=" and not isinstance(setting.value, s.Name | s.Call):
                self.mistake("E0224", "an entry is a block", setting.span, f"{entry.label} = block(...)")
                return
            new = None if setting.kind == "unset" else entry.replace(call=setting.value, span=setting.span)
            self.changed[entry.label] = new
        elif len(rest) > 1:
            self._too_deep(setting, 2)
        else:
            changed = with_argument(call, rest[0], setting, first_argument(call, self.unit))
            if changed is None:
                message = f"{entry.label!r} is given no argument {rest[0]!r}"
                assert isinstance(call, s.Name | s.Call), "what has arguments to unset"
                given = [arg.name or "" for arg in s.as_call(call).args]
                self.mistake("E0224", message, setting.span, unset_help(given))
            else:
                self.changed[entry.label] = entry.replace(call=changed)

    def _stage(self, stage: s.Stage, rest: list[str], setting: s.Setting) -> None:
        label = stage.label
        if rest == ["width"] and setting.kind == "=":
            self.changed[label] = stage.replace(width=setting.value)
        elif rest:
            if len(rest) > 2:
                self._too_deep(setting, 3)
            self.blocks.setdefault(label, []).append(setting)
        elif setting.kind == "unset":
            self.changed[label] = None
        elif setting.kind == "=":
            self.changed[label] = stage.replace(items=items_of(setting.value), later=())
        else:
            self.blocks.setdefault(label, []).append(setting)

    def _too_deep(self, setting: s.Setting, length: int) -> None:
        message = "a path ends at an argument of a block of this network"
        steps = [str(step) for step in setting.path.steps]
        # `s3.6.mlp.expansion`: the block may have the argument itself.
        near = ".".join([*steps[: length - 1], steps[-1]])
        help = f"did you mean {near!r}? what a block has inside is its own: give it an argument"
        self.mistake("E0224", message, setting.path.span, help)

    def finished(self, conditions: tuple[s.SubjectTo, ...]) -> s.Network:
        """The changed network; raises `ArchError` with all mistakes."""
        for label, settings in self.blocks.items():
            stage = self.changed.get(label, self.entries[label])
            if isinstance(stage, s.Stage):
                self.changed[label] = stage.replace(later=(*stage.later, tuple(settings)))
        if self.mistakes:
            raise ArchError(self.mistakes)
        body = tuple(_replaced(self.network.body, self.changed))
        if self.features is not None:
            body = _with_features(body, self.features)
        body += conditions
        params = tuple(
            param.replace(later=(*param.later, *self.set[param.name])) if param.name in self.set else param
            for param in self.network.params
        )
        tensors = self.network.tensors
        if self.input is not None and tensors:
            tensors = (tensors[0].replace(shape=self.input), *tensors[1:])
        return self.network.replace(tensors=tensors, params=params, body=body)  # type: ignore[no-any-return]


def items_of(value: s.Expr | None) -> tuple[s.Expr, ...]:
    """The blocks that a setting gives to a stage: those of a list, or one."""
    if isinstance(value, s.ListExpr):
        return value.items
    assert value is not None
    if isinstance(value, s.Binary) and value.op == "*":
        return (s.Repeat(value.left, value.right, value.span),)
    return (value,)


def with_argument(call: s.Expr, name: str, setting: s.Setting, first: str | None) -> s.Call | None:
    """The call with an argument set or unset; None where there is none to unset.

    `first` is the argument that may be given without its name.
    """
    assert isinstance(call, s.Name | s.Call)
    call = s.as_call(call)
    kept = tuple(arg for arg in call.args if (arg.name or first) != name)
    if setting.kind == "unset":
        return call.replace(args=kept) if len(kept) < len(call.args) else None
    assert setting.value is not None
    return call.replace(args=(*kept, s.Argument(name, setting.value, setting.span)))  # type: ignore[no-any-return]


def first_argument(call: s.Expr, unit: Unit) -> str | None:
    """The argument of what is called that may be given without its name, where it has one."""
    name = s.as_call(call).name if isinstance(call, s.Name | s.Call) else ""
    callee = unit.blocks[name][0] if name in unit.blocks else OPS.get(name)
    return None if callee is None else first_parameter(callee)


def unset_help(given: Sequence[str]) -> str:
    """Help for an argument that can't be unset: those that can."""
    names = [name for name in given if name]
    return "only what is written can be unset: " + (
        ", ".join(names) if names else "it is given no argument by name"
    )


def _path_text(path: s.Path) -> str:
    """The path as a document writes it."""
    from archdsl.print_arch.layout import path as written  # messages alone need what prints documents

    return written(path.steps)


def _label_path(expr: s.Expr | None) -> s.LabelPath | None:
    return s.LabelPath((expr.id,), expr.span) if isinstance(expr, s.Name) else None


def _labelled(statements: Sequence[s.Statement]) -> Iterator[s.Entry | s.Stage]:
    """Every entry and stage, those in the head and in decisions too."""
    for statement in statements:
        if isinstance(statement, s.Stage) or (isinstance(statement, s.Entry) and statement.index is None):
            yield statement
        elif isinstance(statement, s.Head):
            yield from _labelled(statement.body)
        elif isinstance(statement, s.If):
            yield from _labelled((*statement.then, *statement.otherwise))


def _replaced(
    statements: Sequence[s.Statement],
    changed: dict[str, s.Entry | s.Stage | None],
) -> Iterator[s.Statement]:
    inner: Callable[[Sequence[s.Statement]], tuple[s.Statement, ...]]
    inner = lambda body: tuple(_replaced(body, changed))  # noqa: E731
    for statement in statements:
        match statement:
            case s.Entry() | s.Stage() if statement.label in changed:
                new = changed[statement.label]
                if new is not None:
                    yield new
            case s.Head(body):
                yield statement.replace(body=inner(body))
            case s.If(_, then, otherwise):
                yield statement.replace(then=inner(then), otherwise=inner(otherwise))
            case _:
                yield statement


def _with_features(body: Sequence[s.Statement], features: s.Features) -> tuple[s.Statement, ...]:
    """The body with one list of features, behind what it names, in the place of all that it has."""
    kept = list(_without_features(body))
    place = len(kept)
    while place and isinstance(kept[place - 1], s.SubjectTo):
        place -= 1
    given = [features] if features.labels else []
    return (*kept[:place], *given, *kept[place:])


def _without_features(statements: Sequence[s.Statement]) -> Iterator[s.Statement]:
    for statement in statements:
        match statement:
            case s.Features():
                pass
            case s.Head(body) | s.For(_, _, body):
                yield statement.replace(body=tuple(_without_features(body)))
            case s.If(_, then, otherwise):
                then, otherwise = tuple(_without_features(then)), tuple(_without_features(otherwise))
                yield statement.replace(then=then, otherwise=otherwise)
            case _:
                yield statement
