"""The parse tables: Lark makes them from the grammar, and they ship beside it as `grammar/tables.json`.

Reading needs no Lark, only the tables. They hold the grammar that they were made of: where it is another one,
they are made anew in memory. A changed grammar asks for

    python -c "from archdsl.read_arch import tables; tables.write()"
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from archdsl import assets
from archdsl.read_arch.layout import Layout

if TYPE_CHECKING:
    from lark import Lark

STARTS = ["document", "expr", "shape", "type", "statements", "block_signature", "path", "setting"]
_SHIFT = 0
"""An action of Lark's tables that goes to another state; the others reduce by a rule."""

OPTIONS: dict[str, Any] = {
    "parser": "lalr",
    "lexer": "basic",
    "start": STARTS,
    "maybe_placeholders": True,
    "propagate_positions": True,
}


class Rule(NamedTuple):
    """How a rule of the grammar reduces: so many symbols become one, by an action of `Construct`.

    `kept` are the symbols that the action gets: (index, whether it is a list to be spliced in, how many
    optional ones are missing in front of it); `missing` are those missing at the end. A rule that `expands`
    stands for its only part; one without an action is a list for the rule around it.
    """

    size: int
    origin: str
    action: str | None
    expands: bool
    kept: tuple[tuple[int, bool, int], ...]
    missing: int

    @property
    def is_plain(self) -> bool:
        """Whether its action gets just some of its symbols."""
        return not self.missing and not any(spliced or before for _, spliced, before in self.kept)


class Tables(NamedTuple):
    """What drives the reader. An action of a state is a state to go to, or ~ the number of a rule."""

    scanner: re.Pattern[str]
    """One token, and what is ignored behind it; the group that matched is its kind."""
    ignored: frozenset[str]
    """Kinds that are no tokens."""
    words: dict[str, str]
    """The kinds of the words that are written like names."""
    kept: frozenset[str]
    """The kinds of tokens that an action can get."""
    states: list[dict[str, int]]
    starts: dict[str, int]
    ends: dict[str, int]
    rules: list[Rule]


@cache
def shipped() -> Tables:
    """The tables that ship beside the grammar, or new ones where those are outdated."""
    try:
        data = json.loads(assets.text("grammar", "tables.json"))
    except (OSError, ValueError):
        data = {}
    if data.get("grammar") != assets.text("grammar", "archdsl.lark"):
        data = json.loads(tables_text(made_anew()))
    rules = [
        Rule(size, origin, action, expands, tuple([tuple(part) for part in kept]), missing)
        for size, origin, action, expands, kept, missing in data["rules"]
    ]
    tokens = "|".join([f"(?P<{kind}>{pattern})" for kind, pattern in data["tokens"]])
    # What is ignored stands behind: nothing follows it in the pattern, so that nothing is tried twice.
    behind = "|".join([pattern for kind, pattern in data["tokens"] if kind in data["ignored"]])
    return Tables(
        re.compile(f"(?:{tokens})(?:{behind})?"),
        frozenset(data["ignored"]),
        data["words"],
        frozenset(data["kept"]),
        data["states"],
        data["starts"],
        data["ends"],
        rules,
    )


def tables_text(lark: Lark) -> str:
    """What belongs into `grammar/tables.json`, from the parser that Lark made of the grammar."""
    made = _numbered(_serialized(lark)[0]["parser"]["parser"])
    names = made["tokens"]
    rules: dict[int, int] = {}
    states = []
    for _, row in sorted(made["states"].items()):
        actions = {}
        for token, (kind, target) in row.items():
            number = target if kind == _SHIFT else ~rules.setdefault(target["@"], len(rules))
            actions[names[token]] = number
        states.append(actions)
    memo = _serialized(lark)[1]
    written = [_rule(memo[number]) for number in rules]
    tokens, words = _tokens(lark)
    kept = {
        symbol["name"]
        for number in rules
        for symbol in memo[number]["expansion"]
        if symbol["__type__"] == "Terminal" and not symbol["filter_out"]
    }
    data = {
        "grammar": assets.text("grammar", "archdsl.lark"),
        "tokens": tokens,
        "words": words,
        "ignored": sorted(lark.ignore_tokens),
        "kept": sorted(kept),
        "states": states,
        "starts": made["start_states"],
        "ends": made["end_states"],
        "rules": written,
    }
    return json.dumps(data, sort_keys=True, separators=(",", ":")) + "\n"


def _tokens(lark: Lark) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """The kinds of tokens with their patterns, first choice first, and the words that are like names."""
    from lark.lexer import BasicLexer, PatternStr

    lexer = lark.parser.lexer.lexer
    assert isinstance(lexer, BasicLexer)
    tokens = [(terminal.name, terminal.pattern.to_regexp()) for terminal in lexer.scanner.terminals]
    assert set(lexer.callback) <= {"NAME"}, "words are written like names"
    words: dict[str, str] = {}
    for terminal in lexer.terminals:
        if terminal.name not in dict(tokens):
            assert isinstance(terminal.pattern, PatternStr)
            words[terminal.pattern.value] = terminal.name
    return tokens, words


def _rule(rule: dict[str, Any]) -> tuple[Any, ...]:
    """A rule of Lark's as `Rule` has it: Lark's `parse_tree_builder` says the same with closures."""
    expansion, options = rule["expansion"], rule["options"]
    missing = [0] * (len(expansion) + 1)
    place = 0
    for is_missing in options["empty_indices"]:
        if is_missing:
            missing[place] += 1
        else:
            place += 1
    kept, before = [], 0
    for index, symbol in enumerate(expansion):
        before += missing[index]
        terminal = symbol["__type__"] == "Terminal"
        if terminal and symbol["filter_out"] and not options["keep_all_tokens"]:
            continue
        kept.append((index, not terminal and symbol["name"].startswith("_"), before))
        before = 0
    origin = rule["origin"]["name"]
    action = None if origin.startswith("_") else rule["alias"] or origin
    expands = options["expand1"] and rule["alias"] is None
    return len(expansion), origin, action, expands, kept, before + missing[-1]


def write() -> None:
    """Write `grammar/tables.json` anew from the grammar."""
    path = os.path.join(assets.folder("grammar"), "tables.json")
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(tables_text(made_anew()))


def made_anew() -> Lark:
    """The parser that Lark makes of the grammar: the source of the tables, and what tests compare with."""
    from lark import Lark

    return Lark(assets.text("grammar", "archdsl.lark"), postlex=Layout(), **OPTIONS)


def _serialized(lark: Lark) -> tuple[dict[str, Any], dict[int, Any]]:
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

    return lark.memo_serialize([TerminalDef, LarkRule])  # type: ignore[no-any-return]


def _numbered(table: dict[str, Any]) -> dict[str, Any]:
    """The parse table with tokens numbered by name and states by first visit: Lark numbers both by hash."""
    names = table["tokens"]
    tokens = {name: number for number, name in enumerate(sorted(names.values()))}
    rows = {
        state: sorted(((tokens[names[token]], action) for token, action in row.items()), key=itemgetter(0))
        for state, row in table["states"].items()
    }
    states: dict[int, int] = {}
    waiting = [state for _, state in sorted(table["start_states"].items())]
    for state in waiting:
        if state in states:
            continue
        states[state] = len(states)
        waiting += [target for _, (kind, target) in rows[state] if kind == _SHIFT]
    return {
        "tokens": {number: name for name, number in tokens.items()},
        "states": {
            states[state]: {
                token: [kind, states[target] if kind == _SHIFT else target] for token, (kind, target) in row
            }
            for state, row in rows.items()
        },
        "start_states": {name: states[state] for name, state in table["start_states"].items()},
        "end_states": {name: states[state] for name, state in table["end_states"].items()},
    }
