"""The pictures of docs/design.md, drawn of what they show: the floors of the contract in pyproject.toml, and
one block on its way from its text to its class."""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path

import archdsl

ROOT = Path(__file__).parent.parent
WIDTH = 880

STYLE = """  <style>
    .box { fill: #f6f8fa; stroke: #57606a; stroke-width: 1.2; }
    .key { fill: #ddf4ff; stroke: #0969da; }
    text { fill: #1f2328; }
    .small { font-size: 12px; fill: #57606a; }
    .mono { font-family: ui-monospace, SFMono-Regular, Menlo, monospace; font-size: 11px; white-space: pre; }
    path { stroke: #57606a; stroke-width: 1.5; fill: none; marker-end: url(#tip); }
  </style>
  <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0 8 4 0 8z" style="fill:#57606a;stroke:none;marker-end:none"/></marker></defs>"""


def _picture(height: int, about: str, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="system-ui, sans-serif" font-size="14" role="img" aria-label="{escape(about)}">'
    )
    ground = f'  <rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, STYLE, ground, *(f"  {part}" for part in parts), "</svg>", ""])


HELD = {
    "cli": "commands",
    "verify": "oracles, tables, new documents, weights",
    "network": "a document, opened",
    "emit": "source, figures, modules, spaces",
    "cost": "what a template costs",
    "elaborate": "documents into graphs",
    "variants": "which network, with which settings",
    "library": "documents found and read once",
    "surfaces": "which surface a file is in",
    "print_yaml": "YAML, written",
    "print_arch": "text and expressions, written",
    "read_yaml": "YAML, read",
    "read_arch": "text and expressions, read",
    "graph": "what the stages hand on",
    "ops": "primitives, names",
    "files": "whole files or none",
    "scalar": "sizes, places, data folders",
    "record": "immutable records",
}
"""What the first module of a floor stands for."""


def floors() -> str:
    """The floors, top to bottom: what stands on one may import what is below it."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        contract = tomllib.load(file)["tool"]["importlinter"]["contracts"][0]
    layers = [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]
    layers = [layer for layer in layers if layer != ["__main__"]]
    parts, y = [], 16
    for layer in layers:
        assert layer[0] in HELD, f"say in tests/pictures.py what {layer[0]} holds"
        parts.append(f'<text class="small" x="20" y="{y + 20}">{escape(HELD[layer[0]])}</text>')
        each = (WIDTH - 290) / len(layer)
        for place, name in enumerate(layer):
            x = 270 + place * each
            kind = "box key" if name in ("elaborate", "graph", "emit") else "box"
            parts.append(
                f'<rect class="{kind}" x="{x:.0f}" y="{y}" width="{each - 8:.0f}" height="30" rx="6"/>'
            )
            middle = f'x="{x + (each - 8) / 2:.0f}" y="{y + 19}" text-anchor="middle"'
            parts.append(f'<text class="mono" {middle}>{name}</text>')
        y += 38
    parts.append(f'<path d="M{WIDTH - 12} 16 L{WIDTH - 12} {y - 8}"/>')
    return _picture(y + 8, "The floors of the package: imports go only downward.", parts)


def _kept(line: str) -> str:
    """A line as XML whose spaces are all shown."""
    return escape(line).replace("  ", "\N{NO-BREAK SPACE}" * 2)


def _panel(x: int, y: int, width: int, title: str, lines: list[str]) -> tuple[list[str], int]:
    height = 34 + 15 * len(lines)
    parts = [f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>']
    parts.append(f'<text x="{x + 12}" y="{y + 20}" font-weight="600" font-size="12">{escape(title)}</text>')
    for number, line in enumerate(lines):
        parts.append(f'<text class="mono" x="{x + 12}" y="{y + 40 + 15 * number}">{_kept(line)}</text>')
    return parts, y + height


def _between(text: str, first: str, last: str) -> list[str]:
    """The lines of a text from one that begins with `first` to the next that begins with `last`."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.lstrip().startswith(first))
    end = next(i for i, line in enumerate(lines[start:], start) if line.lstrip().startswith(last))
    return lines[start : end + 1]


STEPS = (
    (
        "read_yaml and read_arch make records of it; elaborate/stages makes four calls of the item",
        "elaborate/blocks runs the block once for these arguments; every number keeps its term",
    ),
    (
        "cost counts a template once; emit/classes gives templates of equal terms one class",
        "emit/forward writes its statements; emit/stages writes a stage as runs of one class",
    ),
)


def life_of_a_block() -> str:
    """`ffn` in stage s3 of S0: its text, a template of it, its class, and where that is called."""
    network = archdsl.load("s0")
    base = (ROOT / "specs" / "efficientformerv2_base.yaml").read_text(encoding="utf-8")
    blocks = (ROOT / "specs" / "blocks" / "efficientformerv2.arch").read_text(encoding="utf-8")
    source = network.source()
    item = [line.strip() for line in _between(base, "- ffn(expansion = each first(expansion[2]", "- ffn")]
    shown = network.graph.dump("s3.0").rstrip().splitlines()
    made = _between(source, "class FFN(", "class ConvDownsample")[:-3]
    parts: list[str] = []
    y = 12
    texts = (
        ("The document", [*item, "", *_between(blocks, "block ffn(", "}")]),
        ("A template: archdsl show s0 s3.0", shown),
        (
            "The class, and the stage that makes four of them",
            [*made, "", *_between(source, "self.s3 = ", "),")],
        ),
    )
    for number, (title, lines) in enumerate(texts):
        panel, y = _panel(20, y, WIDTH - 40, title, [line for line in lines if '"""' not in line])
        parts += panel
        if number < len(texts) - 1:
            parts.append(f'<path d="M60 {y} L60 {y + 44}"/>')
            for line, step in enumerate(STEPS[number]):
                parts.append(f'<text class="small" x="76" y="{y + 18 + 16 * line}">{escape(step)}</text>')
            y += 46
    return _picture(y + 12, "One block on its way from its text to its class.", parts)


PICTURES = {"floors.svg": floors, "life_of_a_block.svg": life_of_a_block}
