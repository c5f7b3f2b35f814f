"""What else can be asked of a document: another resolution, variants of its network, spaces of such networks.

Each is written twice: as settings or choices, which archdsl applies, and as the network that they come to,
which
is drawn with them applied to the records. Both must be one network.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

from random_networks.blocks import draw_value
from random_networks.expressions import Expr, Invalid, Op, TooLarge, literal, value
from random_networks.network_running import NetworkState, run_network
from random_networks.networks import Sample
from random_networks.running import World
from random_networks.trees import (
    Argument,
    Document,
    Each,
    Entry,
    Features,
    Group,
    Head,
    Item,
    Network,
    Options,
    Param,
    Stage,
    Variant,
    item_text,
)

MOST_NETWORKS = 12
"""Spaces of more networks are not drawn: each network of a space is written out."""


def _again(sample: Sample, network: Network) -> NetworkState:
    """A changed network run on shapes; raises `Invalid`."""
    return run_network(World({block.name: block for block in sample.document.blocks}), network)


def _document(sample: Sample, network: Network, **more: Any) -> Document:
    return Document(sample.document.blocks, [network], **more)


# --- blocks of another file


def parted(sample: Sample) -> tuple[str, str]:
    """The document without its blocks, and the document of its blocks that it imports as `parts`."""
    network = Document([], [sample.network], imports=["parts"])
    return network.text(), Document(sample.document.blocks, []).text()


# --- another resolution


@dataclass
class Resized:
    """Rows and columns, and the outputs of entries for them; None where the network can't take them."""

    size: tuple[int, int]
    shapes: dict[str, tuple[int, ...]] | None


def resized(sample: Sample, random: Random) -> Resized:
    """The network at another resolution, at which its tensors are not too large to be tried."""
    while True:
        size = random.randint(1, 13), random.randint(1, 13)
        network = deepcopy(sample.network)
        network.tensors[0][1][1:] = [literal(size[0]), literal(size[1])]
        try:
            return Resized(size, _again(sample, network).shapes)
        except TooLarge:
            continue
        except Invalid:
            return Resized(size, None)


# --- variants


@dataclass
class Varied:
    """Settings, the document of a variant that makes them, and the document that they come to."""

    settings: list[str]
    variant: str
    written: str


Setting = tuple[str, Callable[[Network], None]]


def varied(sample: Sample, random: Random) -> Varied | None:
    """A variant of up to three settings; None where none was found that holds."""
    network = deepcopy(sample.network)
    settings: list[str] = []
    touched: set[str] = set()
    for _ in range(6):
        made = random.choice(FORMS)(sample, network, random)
        if made is None or len(settings) == 3:
            continue
        text, apply = made
        subject = text.removeprefix("unset ").partition(" ")[0].partition(".")[0].partition("[")[0]
        trial = deepcopy(network)
        apply(trial)
        try:
            _again(sample, trial)
        except Invalid:
            continue
        if subject in touched:
            continue  # the order of settings is not theirs
        touched.add(subject)
        network, settings = trial, [*settings, text]
    if not settings:
        return None
    variant = Variant("Varied", sample.network.name, settings)
    document = _document(sample, sample.network, variants=[variant], build="Varied")
    written = _document(sample, Network("Varied", network.tensors, network.params, network.body, network.doc))
    return Varied(settings, document.text(), written.text())


def _plain_type(sample: Sample, param: Param) -> str | None:
    """The type that other values of a parameter have, or None where that is not told here."""
    if param.type is not None:
        return param.type
    assert param.default is not None
    try:
        found = value(param.default, {})
    except Invalid:
        return None
    if param.name in ("num_classes", "drop_path"):
        return None
    kind = {bool: "bool", int: "dim", float: "real", Op: "op"}.get(type(found))
    if isinstance(found, list) and found and all(type(one) is int and one > 0 for one in found):
        return "[dim]"
    return kind


def _set_parameter(sample: Sample, network: Network, random: Random) -> Setting | None:
    if not network.params:
        return None
    place = random.randrange(len(network.params))
    type_ = _plain_type(sample, network.params[place])
    if type_ is None:
        return None
    found = draw_value(random, type_)
    if type_ in ("real", "ratio"):
        found = literal(float(value(found, {})))  # a setting keeps the type, and 2 is 2.0 then
    name = network.params[place].name

    def apply(changed: Network) -> None:
        changed.params[place].default = found

    return f"{name} = {found.text}", apply


def _set_element(sample: Sample, network: Network, random: Random) -> Setting | None:
    lists = [
        i for i, p in enumerate(network.params) if _plain_type(sample, p) == "[dim]" and p.default is not None
    ]
    if not lists:
        return None
    place = random.choice(lists)
    param = network.params[place]
    assert param.default is not None
    known = value(param.default, {})
    index, number = random.randrange(len(known)), random.randint(1, 6)
    items = [number if i == index else one for i, one in enumerate(known)]
    text = f"[{', '.join(map(str, items))}]"

    def apply(changed: Network) -> None:
        changed.params[place].default = Expr(text, text)

    return f"{param.name}[{index - len(known) if random.random() < 0.3 else index}] = {number}", apply


def _append_to_parameter(sample: Sample, network: Network, random: Random) -> Setting | None:
    lists = [
        i for i, p in enumerate(network.params) if _plain_type(sample, p) == "[dim]" and p.default is not None
    ]
    if not lists:
        return None
    place, number = random.choice(lists), random.randint(1, 6)
    param = network.params[place]
    assert param.default is not None
    text = f"[{', '.join(map(str, [*value(param.default, {}), number]))}]"

    def apply(changed: Network) -> None:
        changed.params[place].default = Expr(text, text)

    return f"{param.name} += {number}", apply


def _entries(network: Network) -> list[Entry]:
    heads = [statement for statement in network.body if isinstance(statement, Head)]
    bodies = [network.body, *(head.body for head in heads)]
    return [entry for body in bodies for entry in body if isinstance(entry, Entry) and entry.index is None]


def _set_argument(sample: Sample, network: Network, random: Random) -> Setting | None:
    entries = _entries(network)
    if not entries:
        return None
    place = random.randrange(len(entries))
    block = next((block for block in sample.document.blocks if block.name == entries[place].callee), None)
    if block is None or not block.params:
        return None
    param = random.choice(block.params)
    assert param.type is not None
    found = draw_value(random, param.type)
    is_first = block.params[0] is param
    given = [n for n, _ in entries[place].args if n == param.name or (n is None and is_first)]
    if given and random.random() < 0.3:

        def unset(changed: Network) -> None:
            entry = _entries(changed)[place]
            entry.args = [(n, v) for n, v in entry.args if n not in given]

        return f"unset {entries[place].label}.{param.name}", unset

    def apply(changed: Network) -> None:
        entry = _entries(changed)[place]
        entry.args = [*((n, v) for n, v in entry.args if n not in given), (param.name, found)]

    return f"{entries[place].label}.{param.name} = {found.text}", apply


def _set_entry(sample: Sample, network: Network, random: Random) -> Setting | None:
    entries = _entries(network)
    if not entries:
        return None
    place = random.randrange(len(entries))
    label = entries[place].label
    if random.random() < 0.3:

        def leave_out(changed: Network) -> None:
            entry = _entries(changed)[place]
            for body in (changed.body, *(s.body for s in changed.body if isinstance(s, Head))):
                body[:] = [statement for statement in body if statement is not entry]

        return f"unset {label}", leave_out
    callee, args = random.choice(
        [("relu", []), ("conv2d", [(None, literal(random.randint(1, 4)))]), ("identity", [])]
    )

    def apply(changed: Network) -> None:
        entry = _entries(changed)[place]
        entry.callee, entry.args = callee, list(args)

    return f"{label} = {callee}" + (f"({args[0][1].text})" if args else ""), apply


def _stages(network: Network) -> list[Stage]:
    return [statement for statement in network.body if isinstance(statement, Stage)]


def _append_to_stage(sample: Sample, network: Network, random: Random) -> Setting | None:
    stages = _stages(network)
    if not stages:
        return None
    place = random.randrange(len(stages))
    item = Item(
        random.choice(["relu", "gelu", "batch_norm"]), [], None, literal(2) if random.random() < 0.4 else None
    )

    def apply(changed: Network) -> None:
        _stages(changed)[place].items.append(deepcopy(item))

    return f"{stages[place].label} += {item_text(item)}", apply


def _set_stage(sample: Sample, network: Network, random: Random) -> Setting | None:
    stages = _stages(network)
    if not stages:
        return None
    place = random.randrange(len(stages))
    items = [Item(random.choice(["relu", "gelu", "batch_norm"]), []) for _ in range(random.randint(1, 3))]

    def apply(changed: Network) -> None:
        _stages(changed)[place].items = deepcopy(items)  # type: ignore[assignment]

    text = item_text(items[0]) if len(items) == 1 else "[" + ", ".join(map(item_text, items)) + "]"
    return f"{stages[place].label} = {text}", apply


def _set_block(sample: Sample, network: Network, random: Random) -> Setting | None:
    """One block of a stage whose blocks are written one by one."""
    stages = _stages(network)
    plain = [i for i, stage in enumerate(stages) if all(_is_one(item) for item in stage.items)]
    if not plain:
        return None
    place = random.choice(plain)
    stage = stages[place]
    index = random.randrange(len(stage.items))
    numbered = [i for i, item in enumerate(stage.items) if isinstance(item, Item) and item.label is None]
    item = stage.items[index]
    assert isinstance(item, Item)
    name = item.label if item.label is not None else str(numbered.index(index))
    if random.random() < 0.4 and len(stage.items) > 1:

        def remove(changed: Network) -> None:
            del _stages(changed)[place].items[index]

        return f"unset {stage.label}.{name}", remove
    callee = random.choice(["relu", "batch_norm", "identity"])

    def apply(changed: Network) -> None:
        _stages(changed)[place].items[index] = Item(callee, [], item.label)

    return f"{stage.label}.{name} = {callee}", apply


def _is_one(item: Item | Group | Options) -> bool:
    return isinstance(item, Item) and item.count is None and not any(isinstance(v, Each) for _, v in item.args)


def _set_features(sample: Sample, network: Network, random: Random) -> Setting | None:
    found = [i for i, statement in enumerate(network.body) if isinstance(statement, Features)]
    if not found:
        return None
    statement = network.body[found[0]]
    assert isinstance(statement, Features)
    if any("." in label for label in statement.labels):
        return None
    labels = random.sample(statement.labels, random.randint(1, len(statement.labels)))

    def apply(changed: Network) -> None:
        features = changed.body[found[0]]
        assert isinstance(features, Features)
        features.labels = labels

    return f"features = [{', '.join(labels)}]", apply


FORMS: list[Callable[[Sample, Network, Random], Setting | None]] = [
    _set_parameter, _set_parameter, _set_element, _append_to_parameter, _set_argument, _set_argument,
    _set_entry,
    _append_to_stage, _set_stage, _set_block, _set_features,
]  # fmt: skip


# --- spaces


@dataclass
class Spread:
    """A space, and every network of it written out."""

    text: str
    networks: list[str] = field(default_factory=list)
    size: int | None = None
    """How many networks it has, where every choice is read."""

    def subject_to(self, condition: str) -> str:
        """The text with a condition on its networks."""
        lines = self.text.splitlines()
        place = next(i for i, line in enumerate(lines) if line.startswith("network ")) + 1
        place += lines[place].startswith('  "')
        return "\n".join([*lines[:place], f"  subject to {condition}", *lines[place:], ""])


Slot = tuple[Callable[[Network, Any], None], list[Any], Any, bool]
"""Puts an option into a network; the options; the choice of them; whether every network reads it."""


def spread(sample: Sample, random: Random) -> Spread | None:
    """A space of the network with some choices in it; None where none was found whose networks all hold."""
    slots: list[Slot] = []
    taken: set[object] = set()
    for _ in range(5):
        made = random.choice([_choose_argument, _choose_argument, _choose_parameter, _choose_block])(
            sample, random, taken
        )
        if made is None:
            continue
        trial = [*slots, made]
        count = 1
        for slot in trial:
            count *= len(slot[1])
        if count <= MOST_NETWORKS and _hold(sample, trial):
            slots = trial
    if not slots:
        return None
    space = deepcopy(sample.network)
    _put(space, slots, [slot[2] for slot in slots])
    found = Spread(_document(sample, space).text())
    for options in product(*(slot[1] for slot in slots)):
        network = deepcopy(sample.network)
        _put(network, slots, list(options))
        found.networks.append(_document(sample, network).text())
    if all(slot[3] for slot in slots):
        found.size = len(found.networks)
    return found


def _put(network: Network, slots: list[Slot], options: list[Any]) -> None:
    # Blocks last: one that is left out, or chosen, moves the places of those behind it.
    pairs = sorted(zip(slots, options, strict=True), key=lambda pair: isinstance(pair[0][2], Options))
    for slot, option in pairs:
        slot[0](network, deepcopy(option))


def _hold(sample: Sample, slots: list[Slot]) -> bool:
    for options in product(*(slot[1] for slot in slots)):
        network = deepcopy(sample.network)
        _put(network, slots, list(options))
        try:
            _again(sample, network)
        except Invalid:
            return False
    return True


def _callers(network: Network) -> list[Entry | Item]:
    """Entries and blocks of stages, in the order in which they are written."""
    found: list[Entry | Item] = []
    for statement in network.body:
        match statement:
            case Entry():
                found.append(statement)
            case Stage(_, _, items):
                found += [item for item in items if isinstance(item, Item)]
            case Head(body):
                found += [entry for entry in body if isinstance(entry, Entry)]
    return found


def _choice(options: list[Expr]) -> Expr:
    return Expr("choose {" + ", ".join(option.text for option in options) + "}", options[0].code)


def _choose_argument(sample: Sample, random: Random, taken: set[object]) -> Slot | None:
    callers = _callers(sample.network)
    if not callers:
        return None
    place = random.randrange(len(callers))
    caller = callers[place]
    block = next((block for block in sample.document.blocks if block.name == caller.callee), None)
    if block is None or not block.params:
        return None
    param = random.choice(block.params)
    if (place, param.name) in taken or param.type is None or (place, None) in taken:
        return None
    taken.add((place, param.name))
    is_first = block.params[0] is param
    options: list[Expr] = []
    for found in (draw_value(random, param.type) for _ in range(6)):
        if found.text not in [option.text for option in options] and len(options) < 3:
            options.append(found)
    if len(options) < 2 or any(isinstance(v, Each) for n, v in caller.args if n == param.name):
        return None

    def put(network: Network, option: Expr) -> None:
        changed = _callers(network)[place]
        kept: list[Argument] = [
            (n, v) for n, v in changed.args if n != param.name and not (n is None and is_first)
        ]
        changed.args = [*kept, (param.name, option)]

    # A block that is made no times reads nothing.
    is_read = not (isinstance(caller, Item) and caller.count is not None)
    return put, options, _choice(options), is_read


def _choose_parameter(sample: Sample, random: Random, taken: set[object]) -> Slot | None:
    params = sample.network.params
    if not params:
        return None
    place = random.randrange(len(params))
    param = params[place]
    type_ = _plain_type(sample, param)
    inputs = " ".join(extent.code for _, extents in sample.network.tensors for extent in extents)
    if type_ is None or param.name in taken or param.name in inputs:
        return None
    taken.add(param.name)
    options: list[Expr] = []
    for found in (draw_value(random, type_) for _ in range(6)):
        if found.text not in [option.text for option in options] and len(options) < 3:
            options.append(literal(float(value(found, {}))) if type_ in ("real", "ratio") else found)
    if len(options) < 2:
        return None

    def put(network: Network, option: Expr) -> None:
        network.params[place].default = option

    return put, options, _choice(options), False


def _choose_block(sample: Sample, random: Random, taken: set[object]) -> Slot | None:
    stages = _stages(sample.network)
    if not stages or "block" in taken:
        return None
    place = random.randrange(len(stages))
    index = random.randrange(len(stages[place].items))
    item = stages[place].items[index]
    if not isinstance(item, Item) or item.label is not None or any(isinstance(v, Each) for _, v in item.args):
        return None
    callers = _callers(sample.network)
    number = next(i for i, caller in enumerate(callers) if caller is item)
    if any(isinstance(name, tuple) and name[0] == number for name in taken):
        return None
    taken.update({"block", (number, None)})
    others: list[Item | None] = [Item("relu", []), Item("batch_norm", []), Item("gelu", []), None]
    plain = Item(item.callee, item.args)
    options: list[Item | None] = [plain, *random.sample(others, random.randint(1, 2))]
    is_each = item.count is None and random.random() < 0.4

    def put(network: Network, option: Item | Options | None) -> None:
        stage = _stages(network)[place]
        if option is None:
            stage.items[index] = Group([])
        elif isinstance(option, Item):
            stage.items[index] = Item(option.callee, option.args, None, item.count)
        else:
            stage.items[index] = option

    is_read = item.count is None
    return put, options, Options(options, is_each, item.count), is_read
