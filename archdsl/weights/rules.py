"""The rules of a key map as they are applied: patterns in segments, options as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from archdsl import syntax as s
from archdsl.library import Unit
from archdsl.record import Record
from archdsl.scalar import LARGEST
from archdsl.source import Diagnostic, Span, did_you_mean

Segments: TypeAlias = tuple[str, ...]
"""A key, or a pattern over keys, parted at its dots; in a pattern `*` stands for any one."""

DEFAULTS: Final[dict[str, Any]] = {**dict.fromkeys(s.KEY_OPTIONS), "axis": 0, "groups": 1, "step": 1}
"""What a rule says where it does not say it."""
NUMBERS: Final = {
    "first": "a whole number, what the number 0 of a '*' becomes",
    "step": "a whole number from 1, how far the numbers of a '*' get apart",
}
"""Options that say how blocks are numbered, and what each is."""


class Rule(Record):
    """`ours -> theirs`: one to one, several joined into one, or one parted into several."""

    ours: tuple[Segments, ...]
    theirs: tuple[Segments, ...]
    axis: int
    groups: int
    sizes: tuple[int, ...] | None
    """Extents of the parts along the axis; equal shares where there are none."""
    reshape: tuple[int, ...] | None
    """Their shape; -1 is what remains."""
    unsqueeze: int | None
    """The axis of extent 1 that theirs has besides ours."""
    flip: tuple[int, ...] | None
    """The axes of ours that theirs has the other way round."""
    permute: tuple[int, ...] | None
    """Our axes in their order."""
    first: int | None
    """What the number 0 becomes, where a `*` stands for one: theirs go on from there. Below 0 a rule fits
    those alone that it leads to 0 or above."""
    step: int
    """How far theirs are apart."""
    span: Span

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def shapes(self) -> bool:
        """Whether it does more to a tensor than name it."""
        changed = (self.flip, self.permute, self.reshape, self.unsqueeze) != (None,) * 4
        return changed or len(self.ours) > 1 or len(self.theirs) > 1

    def matched(self, part: int, segments: Sequence[str]) -> Segments | None:
        """What the stars of one of our names stand for in theirs, or None where it does not fit."""
        stars = matched(self.ours[part], segments)
        if stars is None or self.first is None:
            return stars
        if not all(map(str.isdecimal, stars)):
            return None
        numbers = [self.first + int(star) * self.step for star in stars]
        return tuple(map(str, numbers)) if min(numbers, default=0) >= 0 else None


class BlockRules(Record):
    """What a key map says about one block: its rules in order, and the names that it drops."""

    rules: tuple[Rule, ...] = ()
    drops: tuple[Segments, ...] = ()


def matched(pattern: Segments, segments: Sequence[str]) -> Segments | None:
    """What the stars of a pattern stand for at the start of `segments`, or None where it does not fit."""
    if len(pattern) > len(segments):
        return None
    stars = []
    for wanted, segment in zip(pattern, segments, strict=False):
        if wanted == "*":
            stars.append(segment)
        elif wanted != segment:
            return None
    return tuple(stars)


def filled(pattern: Segments, stars: Segments) -> Segments:
    """A target with what the stars of its pattern stood for: `*`, or `b*` for theirs that begin with `b`."""
    given = iter(stars)
    return tuple(segment.replace("*", next(given)) if "*" in segment else segment for segment in pattern)


# --- from the document


def block_rules(written: s.KeyRules, mistakes: list[Diagnostic]) -> BlockRules:
    """The rules for one block; those that say nothing sensible are mistakes."""
    rules, drops = [], []
    for rule in written.rules:
        reader = _Reader(rule, mistakes)
        if not rule.ours:
            drops += [reader.pattern(name) for name in rule.theirs]
        else:
            made = reader.rule()
            if made is not None:
                rules.append(made)
    return BlockRules(tuple(rules), tuple(drops))


class _Reader:
    """Reads one rule."""

    def __init__(self, written: s.KeyRule, mistakes: list[Diagnostic]) -> None:
        self.written, self.mistakes = written, mistakes
        self.options = dict(DEFAULTS)
        self.sound = True

    def wrong(self, message: str, help: str, span: Span | None = None) -> None:
        self.sound = False
        self.mistakes.append(Diagnostic("E0802", message, span or self.written.span, help))

    def rule(self) -> Rule | None:
        ours = tuple(map(self.pattern, self.written.ours))
        one_to_one = len(ours) == len(self.written.theirs) == 1
        vanishes = one_to_one and self.written.theirs == ("",)
        theirs = ((),) if vanishes else tuple(self.pattern(name, True) for name in self.written.theirs)
        if not theirs:
            self.wrong("a rule has no name of theirs", 'write "ours" -> "theirs"')
        if len(ours) > 1 and len(theirs) > 1:
            message = f"{len(ours)} names of ours are joined and parted into {len(theirs)} of theirs at once"
            self.wrong(message, "join several into one, or part one into several")
        if len({".".join(pattern).count("*") for pattern in (*ours, *theirs)}) > 1:
            help = "what a '*' of ours stood for goes into the '*' of theirs, in order"
            self.wrong("the names of a rule have as many '*' each", help)
        if len(set(ours)) < len(ours) or len(set(theirs)) < len(theirs):
            self.wrong("a rule names the same weight twice", "leave one out")
        self._read_options(one_to_one, len(theirs))
        return Rule(ours=ours, theirs=theirs, **self.options, span=self.written.span) if self.sound else None

    def pattern(self, name: str, is_target: bool = False) -> Segments:
        """The segments of a name; what a `*` stands for may be a part of a segment of a target."""
        segments = tuple(name.split("."))
        most = 1 if is_target else 0
        if any(segment != "*" and (not segment or segment.count("*") > most) for segment in segments):
            help = "segments stand between dots, and '*' stands for a whole one"
            self.wrong(f"{name!a} is no name of a weight", help)
        return segments

    def _read_options(self, one_to_one: bool, parts: int) -> None:
        seen: set[str] = set()
        for option in self.written.options:
            name = option.name
            if name is None or name not in s.KEY_OPTIONS or name in seen:
                message = f"a rule has no option {name!r}" if name else "an option of a rule has a name"
                help = "leave one out" if name in seen else did_you_mean(name or "", s.KEY_OPTIONS, "options")
                self.wrong(f"{name!r} is given twice" if name in seen else message, help, option.span)
                continue
            seen.add(name)
            value = self.options[name] = _numbers(option.value)
            if name == "reshape":
                reshape = self._list(option, value)
                if reshape and (reshape.count(-1) > 1 or any(n < 1 and n != -1 for n in reshape)):
                    self.wrong("a shape has sizes from 1, and -1 once", "reshape = [-1, 1, 1]", option.span)
            elif name == "unsqueeze":
                if not isinstance(value, int) or value < 0 or "reshape" in seen:
                    message = "'unsqueeze' is the number of an axis from 0, and stands without 'reshape'"
                    self.wrong(message, "unsqueeze = 0", option.span)
            elif name in NUMBERS:
                starred = any("*" in name for name in self.written.ours)
                least = 1 if name == "step" else -LARGEST
                if not isinstance(value, int) or not least <= value <= LARGEST or not starred:
                    message = f"{name!r} is {NUMBERS[name]}"
                    self.wrong(message, f'"s2.*" -> "blocks.*" ({name} = 3)', option.span)
                self.options["first"] = self.options["first"] or 0
            elif name in ("flip", "permute"):
                self._axes(option, value, one_to_one)
            elif one_to_one:
                message = f"{name!r} is for names that are joined or parted"
                self.wrong(message, "leave it out", option.span)
            elif name == "sizes":
                sizes = self._list(option, value)
                if sizes is not None and (len(sizes) != parts or parts < 2 or min(sizes) < 1):
                    self.wrong("'sizes' has one size, from 1, for each part", "sizes = [2, 1]", option.span)
            elif not isinstance(value, int) or value < (1 if name == "groups" else 0):
                least = 1 if name == "groups" else 0
                self.wrong(f"{name!r} is a whole number from {least}", f"{name} = 1", option.span)

    def _axes(self, option: s.Argument, value: int | tuple[int, ...] | None, one_to_one: bool) -> None:
        axes = value if isinstance(value, tuple) else ()
        if not axes or min(axes) < 0 or len(set(axes)) < len(axes) or not one_to_one:
            message = f"{option.name!r} is a list of different axes of one weight, the first of which is 0"
            self.wrong(message, f"{option.name} = [1, 0]", option.span)
        elif option.name == "permute" and sorted(axes) != list(range(len(axes))):
            self.wrong("'permute' has every axis of the weight once", "permute = [1, 0]", option.span)

    def _list(self, option: s.Argument, value: int | tuple[int, ...] | None) -> tuple[int, ...] | None:
        if isinstance(value, tuple) and value:
            return value
        self.wrong(f"{option.name!r} is a list of whole numbers", f"{option.name} = [8, 4]", option.span)
        return None


def _numbers(value: s.Expr) -> int | tuple[int, ...] | None:
    """A whole number or a list of them, as it is written; None for anything else."""
    match value:
        case s.Num(int(number)):
            return number
        case s.Unary("-", s.Num(int(number))):
            return -number
        case s.ListExpr(items):
            inner = [_numbers(item) for item in items]
            return tuple(n for n in inner if isinstance(n, int)) if None not in inner else None
    return None


# --- whether the labels are there


class _Label(Record):
    """What stands behind a label: whether it carries an index, and what is called, where that is known."""

    indexed: bool
    callee: str | None


def check_labels(
    rules: Mapping[str, BlockRules],
    unit: Unit,
    networks: Mapping[str, s.Network],
    mistakes: list[Diagnostic],
) -> None:
    """Note the rules whose names lead to no label, whatever the arguments of the block."""
    for name, part in rules.items():
        owner: s.Block | s.Network | None = networks.get(name)
        inside = unit
        if name in unit.blocks:
            owner, inside = unit.blocks[name]
        if owner is None:
            continue
        for rule in part.rules:
            for pattern in rule.ours:
                _follow(pattern, owner, inside, rule.span, mistakes)


def _follow(
    pattern: Segments, owner: s.Block | s.Network, unit: Unit, span: Span, mistakes: list[Diagnostic]
) -> None:
    while pattern and pattern[0] != "*":
        labels = _labels(owner)
        found = labels.get(pattern[0])
        if found is None:
            message = f"no label {pattern[0]!r} in {owner.name}"
            mistakes.append(Diagnostic("E0803", message, span, did_you_mean(pattern[0], labels, "labels")))
            return
        pattern = pattern[2 if found.indexed else 1 :]
        arguments = {param.name for param in owner.params}
        if found.callee is None or found.callee in arguments or found.callee not in unit.blocks:
            return
        owner, unit = unit.blocks[found.callee]


def _labels(owner: s.Block | s.Network) -> dict[str, _Label]:
    result: dict[str, _Label] = {}
    for label, found in _labels_in(owner.body):
        # Written in several branches, it may stand for several things: what is behind it is not known.
        known = result.get(label)
        result[label] = found if known in (None, found) else _Label(found.indexed, None)
    return result


def _labels_in(part: object) -> Iterator[tuple[str, _Label]]:
    if isinstance(part, s.Stage):
        yield part.label, _Label(True, None)
    elif isinstance(part, s.Labelled | s.Entry):
        callee = s.as_call(part.call).name if isinstance(part.call, s.Name | s.Call) else None
        yield part.label, _Label(part.index is not None, callee)
        yield from _labels_in(part.call)
    elif isinstance(part, Record):
        for field in part._compared:
            yield from _labels_in(getattr(part, field))
    elif type(part) is tuple:
        for item in part:
            yield from _labels_in(item)
