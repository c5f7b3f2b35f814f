"""A case is one application of a primitive; its document, and whether that is right.

The document puts the application into a block of its own, cut out of a network whose input is one axis; the
shape that the block declares, the keys of its weights and the values that it must give come from the
reference of the case, never from archdsl.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch

import archdsl
from archdsl.verify import verify

Shape = tuple[int, ...]
Weights = dict[str, torch.Tensor]
Reference = Callable[..., Any]
BATCH = 2
TOLERANCE = 1e-9


class Case(NamedTuple):
    """One application of a primitive; `reference` takes its weights and tensors.

    A learned input has no batch: it is the table of a `parameter`. `written` is the application where the
    language has a sign for it, with `{0}`, `{1}` for tensors and `{number}` for the attribute.
    """

    kind: str
    inputs: tuple[Shape, ...]
    attributes: dict[str, Any]
    reference: Reference
    weights: dict[str, Shape] = {}
    learned: tuple[bool, ...] = ()
    written: str = ""

    @property
    def is_learned(self) -> tuple[bool, ...]:
        return self.learned or (False,) * len(self.inputs)

    @property
    def without_batch(self) -> bool:
        return all(self.is_learned)


def table(*shape: int, seed: int = 0) -> torch.Tensor:
    """Numbers of both signs, none near zero."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.5
    return size * torch.where(torch.rand(shape, generator=generator) < 0.5, -1.0, 1.0).double()


def weight_tables(case: Case) -> Weights:
    """Weights of the case, the variance positive and the counter a whole number, as torch stores them."""
    made = {name: table(*shape, seed=index + 50) for index, (name, shape) in enumerate(case.weights.items())}
    if "running_var" in made:
        made["running_var"] = made["running_var"].abs()
        made["num_batches_tracked"] = torch.tensor(3)
    return made


# --- documents


def literal(value: Any) -> str:
    match value:
        case bool() | None:
            return {True: "true", False: "false", None: "none"}[value]
        case str():
            return f'"{value}"'
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
    return repr(value)


class Arguments:
    """The attributes of a case as a call writes them: literals, or parameters of the block around it."""

    def __init__(self, case: Case, named: frozenset[str]) -> None:
        self.named = named
        self.parameters: list[str] = []
        self.values: list[str] = []
        self.texts = {name: self.text(name, value) for name, value in case.attributes.items()}

    def text(self, name: str, value: Any) -> str:
        if isinstance(value, list) and name in self.named:
            return "[" + ", ".join(self.text(name, item) for item in value) + "]"
        if name not in self.named or isinstance(value, str | None):
            return literal(value)
        parameter = f"p{len(self.parameters)}"
        type_ = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "real"
        return self.parameter(parameter, type_, value)

    def parameter(self, name: str, type_: str, value: Any) -> str:
        self.parameters.append(f"{name}: {type_}")
        self.values.append(f"{name} = {literal(value)}")
        return name


def owns(case: Case) -> bool:
    return bool(case.weights) or case.kind in ("drop_path", "window_mask")


def application(case: Case, texts: dict[str, str]) -> str:
    tensors = [f"t{index}" for index in range(len(case.inputs))]
    if case.written:
        return case.written.format(*tensors, **texts)
    arguments = ", ".join([*tensors, *(f"{name} = {text}" for name, text in texts.items())])
    return f"{'op: ' if owns(case) else ''}{case.kind}({arguments})"


def inner_block(
    case: Case, outputs: list[Shape], named: frozenset[str], extents_named: bool, counter: int
) -> tuple[str, str, list[str]]:
    """The block around one application: its signature and body, and the arguments of its call."""
    arguments = Arguments(case, named)
    tensors, body = [], []
    for index, (shape, learned) in enumerate(zip(case.inputs, case.is_learned, strict=True)):
        if learned:
            body.append(f"t{index} = table{index}: parameter({literal(list(shape))})")
            continue
        axes = [f"e{index}_{axis}" if extents_named else str(e) for axis, e in enumerate(shape)]
        tensors.append(f"t{index}: [{', '.join(axes)}]")
    if case.without_batch:
        tensors.append("zero: [1]")
    declared = []
    for index, shape in enumerate(outputs):
        axes = [str(extent) for extent in shape]
        if extents_named:
            axes = [arguments.parameter(f"o{index}_{a}", "dim", e) for a, e in enumerate(shape)]
        declared.append(f"[{', '.join(axes)}]")
    names = [f"y{index}" for index in range(len(outputs))]
    body.append(f"{', '.join(names)} = {application(case, arguments.texts)}")
    if case.without_batch:
        # A network gives tensors with a batch, so a learned result meets a zero that has one.
        for name, shape in zip(names, outputs, strict=True):
            zero = "zero" if len(shape) == 1 else f'(zero |> rearrange("z -> z{" ()" * (len(shape) - 1)}"))'
            body.append(f"{name} = {name} + {zero}")
    body.append(f"return {', '.join(names)}")
    signature = f"({', '.join(tensors)}; {', '.join(arguments.parameters)})".replace("; )", ")")
    results = declared[0] if len(declared) == 1 else f"({', '.join(declared)})"
    text = f"{signature} -> {results} {{\n  " + "\n  ".join(body) + "\n}"
    return text, f"block inner{counter}{text}", arguments.values


def cut(name: str, shape: Shape, start: int) -> str:
    """The statement that takes a tensor of this shape out of the network's input."""
    text = f"{name} = x |> slice({start}, length = {math.prod(shape)})"
    if not shape:
        text += ' |> rearrange("() -> ")'
    if len(shape) > 1:
        axes = [f"a{axis}" for axis in range(len(shape))]
        sizes = "".join(f", {axis} = {extent}" for axis, extent in zip(axes, shape, strict=True))
        text += f' |> rearrange("({" ".join(axes)}) -> {" ".join(axes)}"{sizes})'
    return text


def document(
    cases: list[Case], outputs: list[list[Shape]], named: list[frozenset[str]], extents_named: bool
) -> tuple[str, int]:
    """The document that applies every case, and the extent of its input. Equal blocks are written once."""
    blocks: dict[str, str] = {}
    texts: dict[str, str] = {}
    statements = [
        'x = image |> rearrange("n i j -> (n i j)")',
        "zero = (x |> slice(0, length = 1)) * 0",
    ]
    # The zero stands in the result, since fvcore's trace drops what nobody reads.
    pieces = ["zero"]
    start, total = 1, 1
    for number, case in enumerate(cases):
        key, text, values = inner_block(case, outputs[number], named[number], extents_named, len(blocks))
        block = blocks.setdefault(key, f"inner{len(blocks)}")
        texts.setdefault(block, text)
        tensors = []
        for index, shape in enumerate(case.inputs):
            if not case.is_learned[index]:
                tensors.append(f"c{number}_{index}")
                statements.append(cut(tensors[-1], shape, start))
                start += math.prod(shape)
        if case.without_batch:
            tensors.append("zero")
        names = [f"r{number}_{index}" for index in range(len(outputs[number]))]
        call = f"{block}({', '.join([*tensors, *values])})"
        statements.append(f"{', '.join(names)} = case{number}: {call}")
        for name, shape in zip(names, outputs[number], strict=True):
            axes = " ".join(f"a{axis}" for axis in range(len(shape)))
            pieces.append(name if len(shape) == 1 else f'({name} |> rearrange("{axes} -> ({axes})"))')
            total += math.prod(shape)
    statements.append(f"return concat({', '.join(pieces)})")
    body = "\n  ".join(statements)
    probe = f"block probe(image: [n, 1, 1]) -> [{total}] {{\n  {body}\n}}"
    network = f"network sample(image: [{start}, 1, 1]) {{\n  probe: probe\n}}"
    return "\n\n".join(["archdsl 1", *texts.values(), probe, network]) + "\n", start


def load(folder: Path, text: str) -> archdsl.Network:
    path = folder / "case.arch"
    path.write_text(text, encoding="utf-8")
    return archdsl.load(path)


def tensors_of(case: Case, seed: int) -> list[torch.Tensor]:
    return [
        table(*(() if learned else (BATCH,)), *shape, seed=seed + index)
        for index, (shape, learned) in enumerate(zip(case.inputs, case.is_learned, strict=True))
    ]


def expected(case: Case, tensors: list[torch.Tensor], weights: Weights) -> list[torch.Tensor]:
    """What the reference gives, as outputs with a batch."""
    result = case.reference(weights, *tensors)
    made = list(result) if isinstance(result, tuple) else [result]
    if case.without_batch:
        # Without axes it takes that of the zero it is added to.
        made = [one.reshape(one.shape or (1,)).expand(BATCH, *(one.shape or (1,))) for one in made]
    return made


def check(folder: Path, cases: list[Case], named: list[frozenset[str]], extents_named: bool) -> None:
    """Whether the document of the cases is right in costs, keys, shapes and values."""
    inputs = [tensors_of(case, 10 * number) for number, case in enumerate(cases)]
    weights = [weight_tables(case) for case in cases]
    wanted = [expected(*parts) for parts in zip(cases, inputs, weights, strict=True)]
    shapes = [[tuple(one.shape[1:]) for one in outputs] for outputs in wanted]
    text, extent = document(cases, shapes, named, extents_named)
    network = load(folder, text)
    for compared in verify(network):
        assert compared.ok, (compared, text)
    state: Weights = {}
    flat = [table(BATCH, 1)]
    for number, case in enumerate(cases):
        prefix = f"probe.case{number}."
        for name, value in weights[number].items():
            state[f"{prefix}op.{name}" if name else f"{prefix}op"] = value
        for index, learned in enumerate(case.is_learned):
            if learned:
                state[f"{prefix}table{index}"] = inputs[number][index]
            else:
                flat.append(inputs[number][index].flatten(1))
    image = torch.cat(flat, 1)[:, :, None, None]
    assert image.shape[1] == extent
    module = network.build().double().eval()
    module.load_state_dict(state, strict=True)
    with torch.no_grad():
        given_back = module(image)
    parts = [one.flatten(1) for outputs in wanted for one in outputs]
    right = torch.cat([torch.zeros(BATCH, 1, dtype=torch.float64), *parts], 1)
    assert given_back.shape == right.shape, text
    assert torch.allclose(given_back, right, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True), (
        f"{text}\n{network.source()}"
    )
