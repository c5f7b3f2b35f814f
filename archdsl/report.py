"""Figures as text: aligned tables for people, Markdown, CSV and JSON for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from archdsl.stats import Stats

if TYPE_CHECKING:
    from archdsl.space import Interval, SpaceStats

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


def render_space(space: SpaceStats, format: str) -> str:
    """The figures of a space in one of `FORMATS`, ending in a line end."""
    match format:
        case "json":
            import json

            return json.dumps(space.as_dict(), indent=2) + "\n"
        case "csv":
            return _space_csv(space)
        case "markdown":
            return _space_markdown(space)
        case _:
            return _space_table(space)


def render_comparison(found: Sequence[Stats | SpaceStats], format: str) -> str:
    """Many networks as one table, a line each; those of a space have the least and the most of each cost.

    `format` is one of `FORMATS` but JSON, which has all that is known of each. In CSV a space has two lines.
    """
    if format == "csv":
        headings = ("network", "input", "params", "macs", "weight_bytes", "peak_activation_bytes")
        return _csv_text([headings, *(line for one in found for line in _comparison_lines(one))])
    rows = [("network", "input", "params", "MACs", "weights", "peak activations"), *map(_comparison_row, found)]
    if format == "markdown":
        lines = _rows(rows, "|---|---|---:|---:|---:|---:|", "×")
    else:
        lines = _aligned(rows, [2, 3, 4, 5])
    first = found[0]
    images = "one image" if first.batch == 1 else f"{first.batch} images"
    notes = f"MACs of one image, convention {first.convention}; {first.dtype}, activations of {images}"
    return "\n".join([*lines, "", notes]) + "\n"


def _compared(one: Stats | SpaceStats) -> tuple[int | Interval | None, ...]:
    return (one.params, one.macs, one.weight_bytes, one.peak_activation_bytes)


def _comparison_row(one: Stats | SpaceStats) -> tuple[str, ...]:
    def text(figure: int | Interval | None, shown: Callable[[int], str]) -> str:
        if figure is None or isinstance(figure, int):
            return "" if figure is None else shown(figure)
        return f"{shown(figure.least)} to {shown(figure.most)}"

    ways = ("{:,}".format, "{:,}".format, bytes_text, bytes_text)
    return (one.name, _shape(one.input), *map(text, _compared(one), ways))


def _comparison_lines(one: Stats | SpaceStats) -> list[tuple[object, ...]]:
    shape, figures = _shape(one.input), _compared(one)
    if isinstance(one, Stats):
        return [(one.name, shape, *figures)]
    least = [figure if figure is None or isinstance(figure, int) else figure.least for figure in figures]
    most = [figure if figure is None or isinstance(figure, int) else figure.most for figure in figures]
    return [(f"{one.name} (least)", shape, *least), (f"{one.name} (most)", shape, *most)]


def _intervals(space: SpaceStats) -> list[tuple[str, Interval]]:
    named = [
        (f"params ({space.convention})", space.params),
        (f"MACs ({space.convention})", space.macs),
        (f"weight bytes ({space.dtype})", space.weight_bytes),
        ("activation bytes", space.activation_bytes),
    ]
    if space.peak_activation_bytes is not None:
        named.append(("peak activation bytes", space.peak_activation_bytes))
    return named


def size_text(size: int) -> str:
    """A count that a person can take in: all digits, and the power of ten where they are many."""
    return f"{size:,}" if size < 10**12 else f"{size:,} (about {size:.2e})"


def _space_title(space: SpaceStats) -> str:
    networks = "network" if space.size == 1 else "networks"
    return f"{space.name} at {_shape(space.input)}: a space of {size_text(space.size)} {networks}"


def _space_cells(space: SpaceStats) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    decisions = [(d.name, str(d.count), ", ".join(d.options)) for d in space.decisions]
    costs = [(name, f"{i.least:,}", f"{i.most:,}") for name, i in _intervals(space)]
    return [("decision", "of them", "options"), *decisions], [("cost of one network", *_ends(space)), *costs]


def _ends(space: SpaceStats) -> tuple[str, str]:
    return ("least", "most") if space.exact else ("lower bound", "upper bound")


def _space_notes(space: SpaceStats) -> list[str]:
    if space.exact:
        return ["Exact: each end is that of a network of the space."]
    return [
        f"Subject to {' and '.join(space.conditions)}.",
        "Bounds: under conditions no network lies outside; the size is that before the conditions.",
    ]


def _aligned(cells: Sequence[tuple[str, ...]], right: Sequence[int], total: bool = False) -> list[str]:
    """Rows in columns, those of `right` flush right; with a rule above the last where it is a total."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "  ".join(
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    if total:
        lines.insert(-1, "  ".join("-" * width for width in widths[:-1]))
    return lines


def _escaped(text: str, star: str) -> str:
    """The text in Markdown; `star` is what stands for a `*`."""
    return text.replace("*", star).replace("_", "\\_")


def _rows(cells: Sequence[tuple[str, ...]], rule: str, star: str) -> list[str]:
    """A table in Markdown, with its rule below the headings."""
    rows = [f"| {_escaped(' | '.join(row), star)} |" for row in cells]
    return [rows[0], rule, *rows[1:]]


def _csv_text(rows: Iterable[Sequence[object]]) -> str:
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _space_table(space: SpaceStats) -> str:
    decisions, costs = _space_cells(space)
    lines = [_space_title(space), "", *_aligned(decisions, [1]), "", *_aligned(costs, [1, 2]), ""]
    return "\n".join([*lines, *_space_notes(space)]) + "\n"


def _space_markdown(space: SpaceStats) -> str:
    decisions, costs = _space_cells(space)
    lines = [f"**{_space_title(space)}**", ""]
    for cells, rule in ((decisions, "|---|---:|---|"), (costs, "|---|---:|---:|")):
        lines += [*_rows(cells, rule, "\\*"), ""]
    return "\n".join([*lines, *[_escaped(note, "*") for note in _space_notes(space)]]) + "\n"


def _space_csv(space: SpaceStats) -> str:
    ends = [end.replace(" ", "_") for end in _ends(space)]
    figures = [(name, interval.least, interval.most) for name, interval in _intervals(space)]
    return _csv_text([("cost", *ends), *figures, ("size", space.size, space.size)])


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
    rows = _aligned([_HEADINGS, *_cells(stats)], [3, 4, 5], total=True)
    return "\n".join([_title(stats), "", *rows, "", *_notes(stats)]) + "\n"


def _markdown(stats: Stats) -> str:
    rows = _rows([_HEADINGS, *_cells(stats)], "|---|---|---|---:|---:|---:|", "×")
    notes = [_escaped(note, "*") + "  " for note in _notes(stats)]
    return "\n".join([f"**{_title(stats)}**", "", *rows, "", *notes]) + "\n"


def _csv(stats: Stats) -> str:
    rows = [(row.path, row.kind, _shape(row.shape), row.params, row.macs) for row in stats.rows]
    total = ("total", "", "", stats.params, stats.macs)
    return _csv_text([("path", "kind", "shape", "params", "macs"), *rows, total])
