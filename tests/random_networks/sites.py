"""A drawn document with all places at which something can be broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeAlias

from random_networks.expressions import Expr
from random_networks.networks import Sample
from random_networks.shapes import RULES
from random_networks.trees import (
    Apply,
    Block,
    Comprehension,
    For,
    Head,
    If,
    Let,
    Longer,
    Many,
    Output,
    Pick,
    Return,
    Statement,
    Tree,
)

LARGE = 997
"""A prime that no extent is, and that divides none."""


Broken: TypeAlias = "tuple[object | list[object], tuple[str, ...]]"
"""The records whose lines are to be told, and the codes."""


class Site:
    """A drawn document with all places at which something can be broken."""

    def __init__(self, sample: Sample, random: Random) -> None:
        self.sample, self.random = sample, random
        self.document = sample.document
        self.network = sample.network
        self.ran = sample.ran
        self.blocks = [block for block in self.document.blocks if id(block) in self.ran]

    def applies(self, holds: Callable[[Apply], bool]) -> tuple[Apply, Statement, Block] | None:
        """A call in a block that runs, with its statement, of those for which something holds."""
        found = [
            (apply, statement, block)
            for block in self.blocks
            for statement in statements_of(block.body)
            for apply in applies_of(statement)
            if id(apply) in self.ran and holds(apply)
        ]
        return self.random.choice(found) if found else None

    def some(self, kind: type) -> Any | None:
        """A statement of a kind that runs."""
        bodies = [self.network.body, *(block.body for block in self.blocks)]
        found = [s for body in bodies for s in statements_of(body) if isinstance(s, kind) and id(s) in self.ran]
        return self.random.choice(found) if found else None

    def block(self, holds: Callable[[Block], bool] = lambda block: True) -> Block | None:
        found = [block for block in self.blocks if holds(block)]
        return self.random.choice(found) if found else None

    def inserted(self, make: Callable[[str], Statement], *codes: str) -> Broken | None:
        """A statement at the beginning of a block; it is made of the name of a tensor."""
        block = self.block()
        if block is None:
            return None
        statement = make(block.tensors[0][0])
        block.body.insert(0, statement)
        return statement, codes


def statements_of(body: list[Statement]) -> Iterator[Statement]:
    """All statements, those inside others too."""
    for statement in body:
        yield statement
        match statement:
            case If(_, then, otherwise):
                yield from statements_of(then)
                yield from statements_of(otherwise)
            case For(_, _, inner) | Head(inner):
                yield from statements_of(inner)


def applies_of(statement: Statement) -> Iterator[Apply]:
    """All calls on tensors of a statement itself."""
    match statement:
        case Let(_, tree, _):
            yield from _applies(tree)
        case Return(trees) | Output(_, trees):
            for tree in trees:
                yield from _applies(tree)


def _applies(tree: Tree) -> Iterator[Apply]:
    match tree:
        case Apply():
            yield tree
            for one in tree.inputs:
                yield from _applies(one)
        case Pick(_, then, otherwise):
            yield from _applies(then)
            yield from _applies(otherwise)
        case Many(items):
            for one in items:
                yield from _applies(one)
        case Comprehension(item, _, _):
            yield from _applies(item)
        case Longer(_, items):
            yield from _applies(items)


def is_primitive(apply: Apply, *kinds: str) -> bool:
    return apply.callee in (kinds or RULES) and apply.style != "infix"


def give(apply: Apply, name: str, value: Expr) -> None:
    """Give an argument, in the place of what was given."""
    apply.args = [(n, found) for n, found in apply.args if n != name] + [(name, value)]
