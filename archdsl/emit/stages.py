"""A stage in the constructor of a network: runs of blocks of one class, as comprehensions over what differs."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.emit.attributes import has_names, is_plain
from archdsl.emit.constructors import Makers, Parameter, argument_texts
from archdsl.emit.forward import shape_comment
from archdsl.emit.names import unique
from archdsl.emit.wrap import WIDTH, call_lines, run_length, with_comment
from archdsl.graph import Graph, Stage
from archdsl.ops import Constructor

MOST_ALTERNATING = 4
"""A stage whose blocks alternate between so many classes is a loop."""
MOST_VARYING = 3
"""A loop over more than this, the rates included, is written out where that is shorter."""


class Stages:
    """Writes the stages of a network."""

    def __init__(self, graph: Graph, makers: Makers) -> None:
        self.graph = graph
        self.template = graph.template
        self.makers = makers

    def lines(self, stage: Stage) -> list[str]:
        """The lines of a constructor that make a stage which is one container."""
        comment = shape_comment(self.template.types[self.template.nodes[stage.last - 1].outputs[0]])
        plain = is_plain(stage, self.graph)
        if has_names(stage, self.graph):
            return self._pinned_stage(stage, comment)
        items: list[str] = []
        kinds = [self._kind(index) for index in range(stage.first, stage.last)]
        start = stage.first
        while start < stage.last:
            period, end = _repetition(kinds, start - stage.first)
            end += stage.first
            if period == 1 and self._is_transition(start, end):
                end = start + 1
            items += self._run(start, end, period)
            start = end
        container = "nn.Sequential" if plain else "nn.ModuleList"
        lines = with_comment(f"        self.{stage.label} = {container}(", comment)
        if plain:
            return [*lines, *(f"            {item}" for item in items), "        )"]
        inner = [f"                {item}" for item in items]
        return [*lines, "            [", *inner, "            ]", "        )"]

    def _pinned_stage(self, stage: Stage, comment: str) -> list[str]:
        """A stage with named blocks: modules by name, so that numbers do not shift."""
        kind = "nn.Sequential" if is_plain(stage, self.graph) else "nn.ModuleDict"
        lines = with_comment(f"        self.{stage.label} = {kind}()", comment)
        start = stage.first
        while start < stage.last:
            end = start + 1
            while end < stage.last and self._counts_on(start, end):
                end += 1
            lines += self._added(stage.label, start, end)
            start = end
        return lines

    def _counts_on(self, start: int, index: int) -> bool:
        """Whether a block continues a run of numbered blocks of one class with the same arguments."""
        labels = [(self.template.nodes[i].label or "").rpartition(".")[2] for i in (start, index)]
        if not all(label.isdigit() for label in labels):
            return False
        return (
            int(labels[1]) - int(labels[0]) == index - start
            and self.makers.made[start] == self.makers.made[index]
        )

    def _added(self, stage: str, start: int, end: int) -> list[str]:
        """`add_module` for one block, or a loop for a run of them."""
        label = (self.template.nodes[start].label or "").rpartition(".")[2]
        if end - start == 1:
            made = self.makers.rated(start)
            assert made is not None
            return call_lines(f'self.{stage}.add_module("{label}", {made.name}(', argument_texts(made), "))", 8)
        made = self.makers.made[start]
        assert made is not None
        first = int(label)
        if start in self.makers.rate_of:
            rate = self.makers.rate_of[start]
            counter = f", {first}" if first else ""
            loop = f"for i, rate in enumerate(rates[{rate}:{rate + end - start}]{counter}):"
        else:
            loop = f"for i in range({first}, {first + end - start}):"
        before = f"self.{stage}.add_module(str(i), {made.name}("
        return [f"        {loop}", *call_lines(before, argument_texts(made), "))", 12)]

    def _kind(self, index: int) -> object:
        """What blocks of a run share: their class, and whether they have a rate; primitives are made alike."""
        made = self.makers.made[index]
        if made is None or self.template.nodes[index].child is None:
            return made
        return made.name, index in self.makers.rate_of

    def _is_transition(self, start: int, end: int) -> bool:
        """Whether the first of a run takes other channels than the rest, which are all made alike."""
        args = [m.args for index in range(start, end) if (m := self.makers.made[index])]
        return len(args) > 2 and args[0] != args[1] and self._varying(range(start + 1, end)) == []

    def _varying(self, indices: range) -> list[str]:
        """What differs between blocks of one class, but for their rates."""
        made = [m for index in indices if (m := self.makers.made[index])]
        columns = [(str(place), [m.args[place] for m in made]) for place in range(len(made[0].args))]
        columns += self._keyword_rows(indices).items()
        return [name for name, values in columns if len(set(values)) > 1]

    def _run(self, start: int, end: int, period: int) -> list[str]:
        """Lines for blocks whose classes repeat: one call, or a comprehension over what differs."""
        if end - start == 1:
            return self._written_out(start, end)
        taken = {"num_classes", "in_channels"} | ({"block"} if period > 1 else set())
        rows = [self._call_over(range(start + k, end, period), taken) for k in range(period)]
        sources = [source for _, own in rows for source in own]
        calls = [call for call, _ in rows]
        lines = _comprehension(calls, sources, (end - start) // period)
        # Of blocks that have little in common a list says more than a loop, unless it is long.
        if len(sources) > MOST_VARYING and len(written := self._written_out(start, end)) < len(lines):
            return written
        return lines

    def _written_out(self, start: int, end: int) -> list[str]:
        """Lines for blocks one by one."""
        lines = []
        for index in range(start, end):
            made = self.makers.rated(index)
            assert made is not None
            lines += _indented(call_lines(f"{made.name}(", argument_texts(made), "),", 12), 12)
        return lines

    def _call_over(self, indices: range, taken: set[str]) -> tuple[Constructor, list[tuple[str, str]]]:
        """What makes each of some blocks of one class, and (name, list) of what differs in it."""
        start = indices[0]
        rows = [made for index in indices if (made := self.makers.made[index]) is not None]
        given = self._keyword_rows(indices)
        args = list(rows[0].args)
        named: list[tuple[str, str]] = []
        sources: list[tuple[str, str]] = []
        for position in range(len(args)):
            column = [row.args[position] for row in rows]
            if len(set(column)) > 1:
                args[position] = unique(self._required_name(start, position), taken)
                sources.append((args[position], run_length(column)))
        for name, values in given.items():
            if name == "drop_path":
                continue
            if len(set(values)) > 1:
                variable = unique(name, taken)
                named.append((name, variable))
                sources.append((variable, run_length(values)))
            elif values[0] != self._default(start, name):
                named.append((name, values[0]))
        if start in self.makers.rate_of:
            variable = unique("rate", taken)
            sources.append((variable, self._rates(indices)))
            if "drop_path" in given:
                named.append(("drop_path", variable))
            else:
                # A primitive that drops paths takes nothing but its rate.
                args = [variable]
        return Constructor(rows[0].name, tuple(args), tuple(named)), sources

    def _rates(self, indices: range) -> str:
        """The rates of some blocks: a slice of all."""
        numbers = [self.makers.rate_of[index] for index in indices]
        step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
        by = f":{step}" if step > 1 else ""
        return f"rates[{numbers[0]}:{numbers[-1] + 1}{by}]"

    def _parameters(self, index: int) -> tuple[Parameter, ...]:
        """Those of a block's class; a primitive has none that are known by name."""
        child = self.template.nodes[index].child
        return () if child is None else self.makers.form_of(child).parameters

    def _keyword_rows(self, indices: range) -> dict[str, list[str]]:
        """For every argument by name that some of these blocks give: its text in each of them."""
        given = [dict(m.keywords) for i in indices if (m := self.makers.made[i])]
        # Primitives of one run are made alike.
        names = [parameter.name for parameter in self._parameters(indices[0])] or [*given[0]]
        return {
            name: [row.get(name, self._default(indices[0], name)) for row in given]
            for name in names
            if any(name in row for row in given)
        }

    def _default(self, index: int, name: str) -> str:
        found = [parameter.default for parameter in self._parameters(index) if parameter.name == name]
        return found[0] or "" if found else ""

    def _required_name(self, index: int, position: int) -> str:
        required = [parameter.name for parameter in self._parameters(index) if parameter.default is None]
        return required[position]


def _repetition(kinds: Sequence[object], start: int) -> tuple[int, int]:
    """How many kinds of blocks follow each other from `start` on, again and again, and where that ends.

    The fewest of those that reach furthest; (1, start + 1) for a block that repeats nothing.
    """
    best, reach = 1, 1
    for period in range(1, MOST_ALTERNATING + 1):
        end = start + period
        while end < len(kinds) and kinds[end] == kinds[end - period]:
            end += 1
        length = end - start - (end - start) % period
        if (period == 1 or length >= 2 * period) and length > reach:
            best, reach = period, length
    return best, start + reach


def _indented(lines: list[str], indent: int) -> list[str]:
    return [line[indent:] for line in lines]


def _comprehension(calls: Sequence[Constructor], sources: list[tuple[str, str]], count: int) -> list[str]:
    """`*(call for ...),`, of one call or of several that alternate."""
    names, values = ", ".join(name for name, _ in sources), [values for _, values in sources]
    if not sources:
        loop = f"for _ in range({count})"
    elif len(sources) == 1:
        loop = f"for {names} in {values[0]}"
    else:
        loop = f"for {names} in zip({', '.join(values)})"
    loops = [loop]
    if len(loop) + 16 > WIDTH and len(sources) > 1:
        loops = _indented(call_lines(f"for {names} in zip(", values, ")", 16), 16)
    texts = [f"{call.name}({', '.join(argument_texts(call))})" for call in calls]
    if len(calls) == 1:
        line = f"*({texts[0]} {loop}),"
        if len(line) + 12 <= WIDTH:
            return [line]
        broken = call_lines(f"{calls[0].name}(", argument_texts(calls[0]), ")", 16)
        return ["*(", *_indented(broken, 12), *(f"    {part}" for part in loops), "),"]
    pair = f"for block in ({', '.join(texts)})"
    inner = [f"    {pair}"]
    if len(pair) + 16 > WIDTH:
        inner = ["    for block in (", *(f"        {text}," for text in texts), "    )"]
    return ["*(", "    block", *(f"    {part}" for part in loops), *inner, "),"]
