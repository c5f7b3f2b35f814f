"""Picks: a YAML (or JSON) file that decides what a space leaves open.

    width: [32, 48, 96, 176]              # width[0] to width[3]
    depth[2]: 6
    s3.*.expansion: [4, 3, 3, 3, 4, 4]    # of block 0, 1, 2, ... of s3
    s4.*.block: ffn                       # of every block of s4

What names one decision goes before a list, and a list before `*`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from archdsl.read_yaml.tree import Mapping as YamlMapping
from archdsl.read_yaml.tree import Node, Scalar, Sequence, compose
from archdsl.source import ArchError, Diagnostic, Source, Span, did_you_mean


class Picks:
    """What decides each decision, by its name; remembers what was asked for."""

    def __init__(self, values: Mapping[str, str | list[str]], places: Mapping[str, Span] | None = None) -> None:
        self.values = dict(values)
        self.places = dict(places or {})
        self.used: dict[str, set[int]] = {}

    def get(self, name: str) -> str | None:
        """The text of the option that is picked, or None."""
        return self._found(name, name, None) or self._listed(name) or self._of_blocks(name)

    def _found(self, name: str, key: str, index: int | None) -> str | None:
        value = self.values.get(key)
        if value is None or (isinstance(value, list) and index is None):
            return None
        if isinstance(value, str):
            self.used.setdefault(key, set())
            return value
        assert index is not None
        if index >= len(value):
            return None
        self.used.setdefault(key, set()).add(index)
        return value[index]

    def _listed(self, name: str) -> str | None:
        """`width` with a list, for `width[2]`."""
        match = re.fullmatch(r"(.*)\[([0-9]+)\]", name)
        if match is None or not isinstance(self.values.get(match.group(1)), list):
            return None
        return self._found(name, match.group(1), int(match.group(2)))

    def _of_blocks(self, name: str) -> str | None:
        """`s3.*.expansion`, for `s3.4.expansion`."""
        for match in re.finditer(r"\.([0-9]+)(?=\.)", name):
            key = f"{name[: match.start()]}.*{name[match.end() :]}"
            found = self._found(name, key, int(match.group(1)))
            if found is not None:
                return found
        return None

    def unused(self, known: list[str]) -> list[Diagnostic]:
        """Mistakes: picks that decide nothing."""
        result = []
        for key, value in self.values.items():
            span = self.places.get(key)
            if key not in self.used:
                help = did_you_mean(key, known, "decisions") if known else "nothing is open here"
                result.append(Diagnostic("E0227", f"{key!a} decides nothing here", span, help))
            elif isinstance(value, list) and len(self.used[key]) < len(value):
                message = f"{key!a} has {len(value)} values, {len(self.used[key])} are asked for"
                result.append(Diagnostic("E0227", message, span, "give one value for each decision"))
        return result


def read_picks(source: Source) -> Picks:
    """The picks of a text; raises `ArchError` with what is wrong with it."""
    root = compose(source)
    mistakes: list[Diagnostic] = []
    values: dict[str, str | list[str]] = {}
    places: dict[str, Span] = {}
    if not isinstance(root, YamlMapping):
        message = "picks are a mapping of decisions to options"
        raise ArchError([Diagnostic("E0505", message, root.span, "width[0]: 32")])
    for key, node in root.entries:
        text = _value(node, mistakes)
        if text is not None:
            values[key.text] = text
            places[key.text] = key.span
    if mistakes:
        raise ArchError(mistakes)
    return Picks(values, places)


def _value(node: Node, mistakes: list[Diagnostic]) -> str | list[str] | None:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence) and all(isinstance(item, Scalar) for item in node.items):
        return [item.text for item in node.items if isinstance(item, Scalar)]
    mistakes.append(Diagnostic("E0505", "a pick is an option, or a list of options", node.span, "width[0]: 32"))
    return None


def picks_text(decided: Mapping[str, str]) -> str:
    """Decisions as a file of picks."""
    return "".join(f"{name}: {_scalar_text(text)}\n" for name, text in decided.items())


def _scalar_text(text: str) -> str:
    plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.() =,-]*", text) and ": " not in text
    return text if plain else "'" + text.replace("'", "''") + "'"
