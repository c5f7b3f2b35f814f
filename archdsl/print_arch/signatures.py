"""Signatures as text: on one line, or wrapped with the results on a line of their own."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl import syntax as s
from archdsl.print_arch.layout import DEEPEST_ALIGNMENT, WIDTH, flat
from archdsl.print_arch.statements import shape_text


def type_text(type_: s.TypeName) -> str:
    """`ratio`, `[dim]?`."""
    name = f"[{type_.name}]" if type_.is_list else type_.name
    return name + "?" * type_.optional


def parameter(param: s.Param) -> str:
    """`expansion: ratio = 4`."""
    type_ = f": {type_text(param.type)}" if param.type is not None else ""
    default = f" = {flat(param.default)}" if param.default is not None else ""
    return param.name + type_ + default


def tensor(param: s.TensorParam) -> str:
    """`x: [C, H, W]`."""
    return f"{param.name}: {shape_text(param.shape)}"


def results(given: Sequence[s.Result]) -> str:
    """`[C, H, W]`, or several in parentheses."""
    texts = [f"{r.name}: {shape_text(r.shape)}" if r.name is not None else shape_text(r.shape) for r in given]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def inputs(tensors: Sequence[s.TensorParam], params: Sequence[s.Param]) -> str:
    """What stands in the parentheses of a signature, on one line."""
    first = ", ".join(map(tensor, tensors))
    if not params:
        return first
    return f"{first}; {', '.join(map(parameter, params))}"


def signature(block: s.Block) -> str:
    """A block's signature on one line, as YAML has it."""
    return f"({inputs(block.tensors, block.params)}) -> {results(block.results)}"


def header(head: str, part: s.Block | s.Network, indent: int) -> str:
    """`block name(...) -> [...]`, wrapped where it and a brace behind it are too long for a line."""
    given = f" -> {results(part.results)}" if isinstance(part, s.Block) else ""
    one = f"{head}({inputs(part.tensors, part.params)})"
    if indent + len(one + given) + 2 <= WIDTH:
        return one + given
    after = "\n" + " " * (indent + 4) + given[1:] if given else ""
    if indent + len(one) + (0 if given else 2) <= WIDTH:
        return one + after
    align = indent + len(head) + 1
    lines = [f"{head}("]
    if align > DEEPEST_ALIGNMENT:
        align = indent + 4
        lines.append("")
    marks = [","] * len(part.tensors) + [","] * len(part.params)
    if part.params:
        if part.tensors:
            marks[len(part.tensors) - 1] = ";"
        else:
            lines[-1] += "; "
    marks[-1:] = [")"]
    for text, mark in zip([*map(tensor, part.tensors), *map(parameter, part.params)], marks, strict=True):
        start = indent if len(lines) == 1 else align
        line = lines[-1]
        space = "" if not line or line.endswith(("(", " ")) else " "
        tail = 2 if mark == ")" and not given else 0
        if line and space and start + len(line + space + text + mark) + tail > WIDTH:
            lines.append(text + mark)
        else:
            lines[-1] += space + text + mark
    return ("\n" + " " * align).join(lines) + after
