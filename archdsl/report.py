"""Figures as text: aligned tables for people, Markdown, CSV and JSON for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from archdsl.stats import Stats

FORMATS: Final = ("table", "json", "csv", "markdown")

_HEADINGS: Final = ("path", "kind", "output", "params", "MACs", "share")


def render(stats: Stats, format: str) -> str:
    """The figures in one of `FORMATS`, ending in a line end."""
    match format:
        case "json":
            import json

            return json.dumps(stats.as_dict(), indent=2) + "\n"
        case "csv":
            return _csv(stats)
        case "markdown":
            return _markdown(stats)
        case _:
            return _table(stats)


def _share(macs: int, whole: int) -> str:
    return f"{100 * macs / whole:.1f}%" if whole else ""


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _cells(stats: Stats) -> list[tuple[str, ...]]:
    rows = [
        (
            row.path,
            row.kind,
            _shape(row.shape),
            f"{row.params:,}",
            f"{row.macs:,}",
            _share(row.macs, stats.macs),
        )
        for row in stats.rows
    ]
    total = ("total", "", "", f"{stats.params:,}", f"{stats.macs:,}", "")
    return [*rows, total]


def bytes_text(count: int) -> str:
    """Bytes in the unit that a person would choose: `13.7 MiB`."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{count} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError


def _notes(stats: Stats) -> list[str]:
    operators = ", ".join(f"{name} {count:,}" for name, count in stats.macs_by_operator.items())
    images = "one image" if stats.batch == 1 else f"{stats.batch} images"
    return [
        f"{stats.params:,} trained parameters; {stats.buffers:,} numbers in buffers",
        f"MACs of one image, convention {stats.convention}: {operators}",
        f"{stats.dtype}: weights {bytes_text(stats.weight_bytes)}, "
        f"activations of {images} {bytes_text(stats.activation_bytes)}, "
        f"at most {bytes_text(stats.peak_activation_bytes)} at once ({stats.peak_at})",
    ]


def _title(stats: Stats) -> str:
    return f"{stats.name} at {_shape(stats.input)}"


def _table(stats: Stats) -> str:
    cells = [_HEADINGS, *_cells(stats)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS))]
    lines = [_title(stats), ""]
    for number, row in enumerate(cells):
        parts = [
            text.ljust(width) if column < 3 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        if number == len(cells) - 1:
            lines.append("  ".join("-" * width for width in widths[:-1]))
        lines.append("  ".join(parts).rstrip())
    return "\n".join([*lines, "", *_notes(stats)]) + "\n"


def _markdown(stats: Stats) -> str:
    lines = [f"**{_title(stats)}**", "", "| " + " | ".join(_HEADINGS) + " |"]
    lines.append("|---|---|---|---:|---:|---:|")
    for row in _cells(stats):
        lines.append("| " + " | ".join(cell.replace("*", "×").replace("_", "\\_") for cell in row) + " |")
    return "\n".join([*lines, "", *[note.replace("_", "\\_") + "  " for note in _notes(stats)]]) + "\n"


def _csv(stats: Stats) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "kind", "shape", "params", "macs"])
    for row in stats.rows:
        writer.writerow([row.path, row.kind, _shape(row.shape), row.params, row.macs])
    writer.writerow(["total", "", "", stats.params, stats.macs])
    return text.getvalue()
