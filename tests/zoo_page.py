"""The page of the zoo, `docs/zoo.md`: made of the documents, and of the facts beside them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from zoo import NETWORKS, ROWS, Row

import archdsl
from archdsl.ops import OPS
from archdsl.report import bytes_text, size_text

ROOT = Path(__file__).parent.parent
REFERENCES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "facts" / "references.yaml").read_text(encoding="utf-8")
)
REPOSITORY = "https://github.com/"

INTRODUCTION = """# The zoo

Every network of Table 2 of "Rethinking Vision Transformers for MobileNet Size and Speed" (EfficientFormerV2),
in its order, is a document: [`specs/zoo`](../specs/zoo) and `specs/`, made of the blocks of
[`specs/blocks`](../specs/blocks). None has a line of Python of its own. This page is generated; `pytest
--update-golden` writes it anew.

    archdsl stats --all --by network specs/zoo/*.yaml

prints the figures of all of them. The ablations of Table 1 are on [a page of their own](ablations.md).
"""

FIGURES = """## Figures

Parameters and MACs (convolutions, linear layers, products of matrices; of one image) are equal to those of
the reference implementation, each operator's too, where there is a reference. Peak memory is that of the
activations of one image, float32. The paper's figures stand in millions and thousand millions; a number in
brackets leads to why they differ.
"""

AGREEMENT = """## Beside the references

Weights of the reference, all of them random, are loaded by the document's key map; then both run one image in
float64. The largest difference beside the largest value is shown, of the logits and of the part that differs
most. timm's networks are compared so in the tests; `python bench/reference.py NAME CHECKOUT` does it for all,
with a checkout of the repository at the commit.

Lines: `document` is the document without its key map (a family's document holds all its members, a variant's
counts with its base), `blocks` all blocks that the network uses, most of them shared with others. The
reference's lines are those of the classes that its modules are instances of, and of their bases. Nowhere are
blank lines, comments and docstrings counted.
"""

PRIMITIVES = """## Who uses which primitive

Of the {count} networks above, by family where all its members use it.
"""


def page() -> str:
    """The text of `docs/zoo.md`."""
    notes = [row for row in ROWS.values() if row.note]
    numbers = {row.name: number for number, row in enumerate(notes, start=1)}
    parts = [INTRODUCTION, FIGURES, _figures(numbers), "## Where the paper and the reference disagree\n"]
    parts += ["\n".join(f"{numbers[row.name]}. **{row.title}.** {row.note.strip()}" for row in notes) + "\n"]
    parts += [AGREEMENT, _agreement(), PRIMITIVES.format(count=len(NETWORKS)), _primitives()]
    return "\n".join(parts)


def _link(row: Row) -> str:
    file, _, name = row.document.partition("#")
    return f"[{row.title}](../specs/{file}.yaml)" + (f" `#{name}`" if name else "")


def _figures(numbers: dict[str, int]) -> str:
    lines = [
        "| network | input | params | MACs | peak memory | paper: params | paper: MACs | |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in ROWS.values():
        network = row.load()
        stats: Any = network.space() if network.is_open else network.stats()
        shape = " x ".join(map(str, stats.input))
        note = f"[{numbers[row.name]}](#where-the-paper-and-the-reference-disagree)" if row.note else ""
        paper = [f"{row.paper[what]}" if row.paper[what] is not None else "" for what in ("params", "macs")]
        cells = [_largest("{:,}".format, stats.params), _largest("{:,}".format, stats.macs),
                 _largest(bytes_text, stats.peak_activation_bytes)]  # fmt: skip
        if row.paper_counting and not network.is_open:
            counted = network.stats(convention="paper")
            note = f"{note} in the paper's own counting {counted.params:,} and {counted.macs:,}".strip()
        if network.is_open:
            note = f"{note} the largest of {size_text(stats.size)} networks".strip()
        lines.append(f"| {_link(row)} | {shape} | {' | '.join(cells)} | {' | '.join(paper)} | {note} |")
    return "\n".join(lines) + "\n"


def _largest(shown: Any, figure: Any) -> str:
    return str(shown(getattr(figure, "most", figure)))


def _agreement() -> str:
    lines = [
        "| network | reference | logits | parts | most | document | blocks | lines of the reference |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in NETWORKS.values():
        document, blocks = our_lines(row)
        found = REFERENCES.get(row.document)
        if found is None:
            lines.append(f"| {_link(row)} | none | | | | {document} | {blocks} | |")
            continue
        reference, commit = found["repository"], found["commit"]
        where = commit if " " in commit else f"{reference.removeprefix(REPOSITORY)} {commit[:7]}"
        compared = f"{_difference(found['outputs'])} | {found['parts']} | {_difference(found['worst'])}"
        lines.append(
            f"| {_link(row)} | [{where}]({reference}) | {compared} | {document} | {blocks} | {found['lines']} |"
        )
    return "\n".join(lines) + "\n"


def _difference(largest: float) -> str:
    return f"{largest:.0e}" if largest else "equal"


def our_lines(row: Row) -> tuple[int, int]:
    """Lines of the network's document (with its base), and of the blocks that it uses."""
    network = row.load()
    files = {network.unit.source.name, network.written.span.source.name}
    document = sum(len(_code((ROOT / file).read_text(encoding="utf-8"))) for file in files)
    return document, sum(_block_lines(network))


def _code(text: str) -> list[str]:
    """The lines of a YAML document that say something: no key map, comments, blank lines or docstrings."""
    text = re.sub(r"^keys:\n(?: .*\n|\n|#.*\n)*", "", text, flags=re.MULTILINE)
    return [line for line in text.splitlines() if not re.match(r"\s*(#.*|doc:.*)?$", line)]


def _block_lines(network: archdsl.Network) -> list[int]:
    counts = {}
    for template in network.graph.templates():
        found = network.unit.blocks.get(template.block)
        if template is network.graph.template or found is None:
            # A block that a block of an import uses stands with that import.
            found = next((u.blocks[template.block] for _, u in network.unit.blocks.values()
                          if template.block in u.blocks), None)  # fmt: skip
        if found is None or template is network.graph.template:
            continue
        span = found[0].whole_span
        text = "\n".join(span.source.line(number) for number in range(span.line, span.end_line + 1))
        lines = [line for line in text.splitlines() if not re.match(r'\s*(#.*|"[^"]*")?$', line)]
        counts[span] = len(lines)
    return list(counts.values())


def kinds(network: archdsl.Network) -> set[str]:
    """The primitives of a network."""
    graph = network.graph
    return {node.kind for template in graph.templates() for node in template.nodes if node.op is not None}


def families() -> dict[str, list[Row]]:
    """The rows by their document; the members of EfficientFormerV2 are one family."""
    found: dict[str, list[Row]] = {}
    for row in NETWORKS.values():
        file = row.document.partition("#")[0]
        title = "EfficientFormerV2" if "/" not in file else row.title
        key = title if "/" not in file else file
        found.setdefault(key, []).append(row)
    return found


def _primitives() -> str:
    users: dict[str, list[str]] = {kind: [] for kind in OPS}
    for rows in families().values():
        used = [kinds(row.load()) for row in rows]
        for kind in OPS:
            members = [row.title for row, found in zip(rows, used, strict=True) if kind in found]
            if len(members) == len(rows) > 1:
                users[kind].append(_family_title(rows))
            else:
                users[kind] += members
    everyone = list(dict.fromkeys(title for rows in families().values() for title in _titles(rows)))
    lines = ["| primitive | networks |", "|---|---|"]
    lines += [f"| `{kind}` | {_users(found, everyone)} |" for kind, found in users.items() if found]
    unused = ", ".join(f"`{kind}`" for kind, found in users.items() if not found)
    return "\n".join([*lines, "", f"None of them uses {unused}."]) + "\n"


def _titles(rows: list[Row]) -> list[str]:
    return [_family_title(rows)] if len(rows) > 1 else [row.title for row in rows]


def _users(found: list[str], everyone: list[str]) -> str:
    """Who they are, or who they aren't where that is much shorter."""
    others = [title for title in everyone if title not in found]
    known = all(title in everyone for title in found)
    if not known or len(others) > len(found) / 3:
        return ", ".join(found)
    return f"all but {', '.join(others)}" if others else "all"


def _family_title(rows: list[Row]) -> str:
    titles = [row.title for row in rows]
    common = re.split(r"[-\s]", titles[0])[0]
    return common if all(title.startswith(common) for title in titles) else " and ".join(titles)
