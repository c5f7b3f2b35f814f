"""What makes a module: the parameters of generated classes, and the calls that give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from archdsl.graph import Argument, Node, Template
from archdsl.ops import Constructor, Spelling
from archdsl.record import Record
from archdsl.scalar import is_constant, python_text, short_text

ANNOTATIONS: Final = {
    "dim": "int", "count": "int", "int": "int", "odd": "int", "ratio": "float", "real": "float",
    "bool": "bool",
}  # fmt: skip
FUNCTION: Final = "Callable[[Tensor], Tensor]"
"""The annotation of a parameter that takes an activation."""
BUFFER: Final = "register_buffer"
"""What makes a buffer: a method of its owner, that is told the name."""
RATE: Final = "rate"
"""What the rate of a node of a network is called where it is not known yet which one it is."""


class Parameter(Record):
    """A parameter of a generated constructor; `default` is its text, or None where it is required."""

    name: str
    annotation: str
    default: str | None


class Form(Record):
    """A generated class: its name, its constructor's parameters and its text."""

    name: str
    parameters: tuple[Parameter, ...]
    lines: tuple[str, ...]


def parameter_of(argument: Argument) -> Parameter:
    """The parameter that takes a scalar argument of a block."""
    annotation = ANNOTATIONS[argument.type]
    if argument.default is None:
        return Parameter(argument.name, annotation, None)
    if argument.default.value is None:
        return Parameter(argument.name, f"{annotation} | None", "None")
    return Parameter(argument.name, annotation, short_text(argument.default.value))


def argument_texts(constructor: Constructor) -> list[str]:
    """The arguments of a constructor's call, those by name last."""
    return [*constructor.args, *(f"{name}={value}" for name, value in constructor.keywords)]


def child_constructor(
    node: Node,
    form: Form,
    rename: Callable[[str], str],
    rate: str = "drop_path",
    callables: Sequence[str] = (),
) -> Constructor:
    """The call that makes a block inside another: required arguments by place, others by name.

    Arguments that equal their default are left out. `callables` are the caller's own arguments that take
    activations.
    """
    binds = dict(node.binds)
    args: list[str] = []
    named: list[tuple[str, str]] = []
    for parameter in form.parameters:
        if parameter.name == "drop_path":
            # A branch may be left out that drops paths where it is there.
            named += [("drop_path", rate)] if node.drops_paths else []
            continue
        if parameter.annotation == FUNCTION:
            text = _function(node, parameter.name, callables)
            if parameter.default is None:
                args.append(text)
            elif text != parameter.default:
                named.append((parameter.name, text))
            continue
        value, term = binds[parameter.name]
        text = short_text(value) if is_constant(term) else python_text(term, rename)
        if parameter.default is None:
            args.append(text)
        elif text != parameter.default:
            named.append((parameter.name, text))
    return Constructor(form.name, tuple(args), tuple(named))


def _function(node: Node, name: str, callables: Sequence[str]) -> str:
    """What a call gives to an argument that takes an activation: the caller's own argument, or a function."""
    given = next(given for given in node.callables if given.name == name)
    return given.through or "" if given.through in callables else given.op.as_function()


class Makers:
    """What makes the module of each node of a network, told once."""

    def __init__(self, template: Template, form_of: Callable[[Template], Form]) -> None:
        self.template = template
        self.form_of = form_of
        dropping = [index for index, node in enumerate(template.nodes) if node.drops_paths]
        self.rate_of = {index: number for number, index in enumerate(dropping)}
        """Which of the network's rates a node has, where it drops paths."""
        self.made = tuple([self._made(node) for node in template.nodes])
        """By node; None where it needs no module. A rate is called `rate`."""

    def _made(self, node: Node) -> Constructor | None:
        if node.child is not None:
            return child_constructor(node, self.form_of(node.child), str, RATE)
        assert node.op is not None
        made = node.op.constructor(Spelling(str), *self.template.input_types(node))
        return Constructor(made.name, (RATE,)) if made is not None and node.drops_paths else made

    def rated(self, index: int) -> Constructor | None:
        """What makes the module of a node that stands alone, with its own rate."""
        made = self.made[index]
        if made is None or index not in self.rate_of:
            return made
        rate = f"rates[{self.rate_of[index]}]"
        if self.template.nodes[index].child is None:
            return Constructor(made.name, (rate,))
        keywords = [(name, rate if name == "drop_path" else value) for name, value in made.keywords]
        return Constructor(made.name, made.args, tuple(keywords))
