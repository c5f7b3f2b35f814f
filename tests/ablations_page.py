"""The page of Table 1, `docs/ablations.md`: made of the documents, and of the facts beside them."""

from __future__ import annotations

from pathlib import Path

from ablations import ROWS, SET_ASIDE, form, largest_of_the_supernet
from zoo import ROWS as TABLE_2

import archdsl
from archdsl.cost import Costs

PAGE = Path(__file__).parent.parent / "docs" / "ablations.md"

INTRODUCTION = """# The ablations of Table 1

Table 1 of "Rethinking Vision Transformers for MobileNet Size and Speed" (EfficientFormerV2) leads in ten
networks from EfficientFormer-L1 to EfficientFormerV2. They are one document,
[`specs/ablations/table1.arch`](../specs/ablations/table1.arch): a network, and nine variants that say what
they change in a row before them. This page is generated; `pytest --update-golden` writes it anew.

    archdsl stats --all --by network --convention paper specs/ablations/table1.arch

prints the figures of all of them, in the counting of the paper's authors.

## Rows

Millions of parameters and thousand millions of MACs, as the paper prints them and as ours are in the counting
of its authors (`--convention paper`); then all parameters and MACs, exactly. Latency (iPhone 12, ms) and
top-1 (%) are the paper's, of its networks. Rows in brackets are those that it rejects.

"""

WHOSE = """
The first three rows are the paper's networks. Its depthwise convolutions cost no more MACs than its pooling,
for its counter charges both 9 an element. Two of the three sizes are printed cut, not rounded ({cut}).

**The widths and depths of the other seven are ours**; the paper publishes none. They print as the paper's
figures. The depths (4, 4, 12, 8) and the widths of stages 1 and 2 (32, 64) are those of EfficientFormerV2-S2
(Table 12), and every ratio is 4 (Table 8); the widths of stages 3 and 4 (160, 320) follow from what rows add,
here with the ratio 4:

| from | to | params: paper | ours | MACs: paper | ours |
|---|---|---:|---:|---:|---:|
"""

REMAINDER = """
- The first two steps are those of Sec. 3.4: two blocks of stage 3 get attention, then the attention gets a
  stride.
- Three rows set one feed-forward network to another ratio, and the 5-stage network inherits the first of
  them. What the sections change does not give what these rows print: from that of Sec. 3.2 to the last the
  paper adds 0.15 G, the blocks at these widths {added:.3f} G. With the ratio 4 they are
{without}
- Attention downsampling alone is smaller than the convolution that it replaces, at these widths by
  {smaller:.2f} M. The paper's row is larger, by 0.08 M: something else must have changed there too.
- The last row is [`specs/efficientformerv2_base.yaml`](../specs/efficientformerv2_base.yaml) with its widths,
  depths and ratios: the same operations, wired alike, under the same keys.

## Attention that was set aside

Sec. 3.4 speaks of two more ways to make attention at 1/16 of the resolution cheaper. Both are blocks of
[`specs/blocks/attention_forms.arch`](../specs/blocks/attention_forms.arch), and take the place of that
attention in the variants of [`specs/ablations/attention.arch`](../specs/ablations/attention.arch).

"""

SUPERNET = """
With downsampled keys and values (Eq. 1) all positions still ask, of a quarter of the keys: 2.8 ms, says the
paper, where stride attention takes 1.5. The third form that it sets aside, attention downsampling alone (Eq.
2), is a row above.

## The supernet

The last row of Table 2 is the search space (Sec. 4.2.2), [`specs/supernet.yaml`](../specs/supernet.yaml). The
paper gives no bounds. Ours keep to its text, multiples of 16 for widths, and have room for S0, S2 and the
depths of L.

| | params | MACs |
|---|---:|---:|
"""

AFTER = """
The authors' supernet has a batch normalisation for each width; a member has one. Bounds whose largest member
prints as the paper's can be found: the widths of EfficientFormer-L1 with the depths of S2 (48, 96, 224, 448
and 4, 4, 12, 8) have {params:.2f} M and {macs:.3f} G. But they leave out L, which the paper found in its
supernet.
"""


def page() -> str:
    """The text of `docs/ablations.md`."""
    cut = [row for row in ROWS.values() if row.cut]
    examples = " and ".join(f"{row.counted[0] / 1e6:.4f} as {row.printed('params')}" for row in cut)
    parts = [INTRODUCTION, _rows(), WHOSE.format(cut=examples), _steps()]
    added = with_the_ratio_4("Dual_Path_Downsampling")[1] - with_the_ratio_4("Depth_And_Width")[1]
    parts.append(REMAINDER.format(added=added / 1e9, without=_without(), smaller=_smaller()))
    parts += [_forms(), SUPERNET, _supernet()]
    return "".join(parts)


def _rows() -> str:
    lines = [
        "| section | network | params: paper | ours | MACs: paper | ours | all params | all MACs "
        "| latency | top-1 | whose |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in ROWS.values():
        name = f"`#{row.name}`" if row.kept else f"(`#{row.name}`)"
        params, macs = row.core
        counted = [f"{row.paper[what]:.2f} | {row.printed(what)}" for what in ("params", "macs")]
        shown = [row.section, f"{row.method} {name}", *counted, f"{params:,}", f"{macs:,}"]
        shown += [f"{row.paper['latency']}", f"{row.paper['top1']}", "ours" if row.ours else "the paper's"]
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


STEPS = (
    ("Local_Value_And_Talking_Heads", "Attention_At_Higher_Resolution"),
    ("Attention_At_Higher_Resolution", "Stride_Attention"),
    ("Stride_Attention", "Dual_Path_Downsampling"),
)


def _steps() -> str:
    lines = []
    for first, second in STEPS:
        paper = [f"{ROWS[second].paper[what] - ROWS[first].paper[what]:+.2f}" for what in ("params", "macs")]
        before, after = with_the_ratio_4(first), with_the_ratio_4(second)
        ours = [f"{(after[i] - before[i]) / unit:+.4f}" for i, unit in enumerate((1e6, 1e9))]
        shown = [f"{paper[i]} | {ours[i]}" for i in range(2)]
        lines.append(f"| `{first}` | `{second}` | {' | '.join(shown)} |\n")
    return "".join(lines)


RATIOS = {
    "Depth_And_Width": "s1.0.expansion",
    "Attention_Downsampling": "s4.0.expansion",
    "Dual_Path_Downsampling": "s2.0.expansion",
}
"""The rows with a feed-forward network of another ratio, and which."""


def with_the_ratio_4(name: str) -> tuple[int, int]:
    """Parameters and MACs of a row in the authors' counting, all of whose ratios are 4."""
    settings = {RATIOS[name]: 4} if name in RATIOS else {}
    stats = ROWS[name].load(parameters=settings).stats("paper")
    return stats.params, stats.macs


def _without() -> str:
    lines = []
    for name in RATIOS:
        params, macs = with_the_ratio_4(name)
        lines.append(f"  {params / 1e6:.3f} M and {macs / 1e9:.3f} G (`{name}`)")
    return ",\n".join(lines) + "."


def _smaller() -> float:
    return (ROWS["Stride_Attention"].counted[0] - with_the_ratio_4("Attention_Downsampling")[0]) / 1e6


def _forms() -> str:
    lines = [
        "| attention in stage 3 | params | MACs | of which products of attention |",
        "|---|---:|---:|---:|",
    ]
    networks = {name: ROWS[name].load() for name in ("Attention_At_Higher_Resolution", "Stride_Attention")}
    networks |= {name: form(name) for name in SET_ASIDE}
    for name, network in networks.items():
        stats = network.stats()
        matmul = stats.macs_by_operator["matmul"]
        lines.append(f"| `#{name}` | {stats.params:,} | {stats.macs:,} | {matmul:,} |")
    return "\n".join(lines) + "\n"


def _supernet() -> str:
    graph = largest_of_the_supernet()
    core, counted = Costs(graph).network, Costs(graph, "paper").network
    paper = TABLE_2["supernet"].paper
    ours = (counted.params / 1e6, counted.total_macs / 1e9)
    away = [f"{(a / b - 1) * 100:+.1f} %" for a, b in zip(ours, (paper["params"], paper["macs"]), strict=True)]
    lines = [
        f"| the paper | {paper['params']} M | {paper['macs']} G |",
        f"| our largest member, in the authors' counting | {counted.params:,} | {counted.total_macs:,} |",
        f"| beside the paper | {away[0]} | {away[1]} |",
        f"| all of it | {core.params:,} | {core.total_macs:,} |",
    ]
    other = other_supernet().stats("paper")
    return "\n".join(lines) + "\n" + AFTER.format(params=other.params / 1e6, macs=other.macs / 1e9)


def other_supernet() -> archdsl.Network:
    """The largest network of other bounds: the widths of EfficientFormer-L1, the depths of S2."""
    settings = {
        "width": [48, 96, 224, 448],
        "expansion": [[4] * depth for depth in (4, 4, 12, 8)],
        "attention": 8,
        "s3": "attention_block(stride = 2, expansion = each expansion[2])",
    }
    return archdsl.load("efficientformerv2_base", parameters=settings)
