"""Digests of what commands print: a program of its own, run by test_determinism.py in many surroundings.

    python same_bytes.py cases.json

It needs nothing but archdsl's front half, and runs in the current folder. `cases.json` holds faulty documents:
lists of files, what to open, and settings.
"""

from __future__ import annotations

import contextlib
import io
import json
import locale
import sys
from hashlib import sha256
from pathlib import Path

from archdsl.cli import main
from archdsl.network import load_with_settings
from archdsl.source import ArchError, Source
from archdsl.space.freeze import freeze
from archdsl.space.picks import read_picks

COMMANDS = (
    "build s0 -o -",
    "build l -o -",
    "build kitchen.arch -o -",
    "build s0 -o - --resolution 256x192 --set num_classes=0",
    "stats s0 s1 s2 l kitchen.arch --format json",
    "stats s0 --format json --by op --convention fvcore",
    "stats kitchen.arch --by block",
    "stats s0 l --format csv",
    "stats s0 l --format markdown",
    "stats supernet --format json",
    "stats supernet",
    "show s0",
    "show kitchen.arch",
    "fmt base.yaml --to arch",
    "fmt kitchen.arch --to yaml",
    "sample supernet --seed 3",
    "sample supernet --seed 3 --picks",
    "stats supernet s0 --by nothing",
    "stats nowhere.arch",
    "stats s00",
    "show s0 s3.44",
    "stats s0 --set widht=3 --set s3.4.expansoin=3",
)


def printed(command: str) -> str:
    """What a command prints, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code: object = main(command.split())
        except SystemExit as stopped:
            code = stopped.code
    return f"{code}\n{out.getvalue()}\n{err.getvalue()}"


def error(texts: dict[str, str], spec: str, settings: list[str]) -> str:
    """What is said about a faulty document."""
    for name, text in texts.items():
        Path(name).write_text(text, encoding="utf-8", newline="")
    try:
        network = load_with_settings(spec, None, settings, [])
        if "picks.yaml" in texts:
            freeze(network.chosen, read_picks(Source("picks.yaml", texts["picks.yaml"])))
        elif network.is_open:
            network.space()
        else:
            network.source()
    except ArchError as raised:
        return str(raised)
    finally:
        for name in texts:
            Path(name).unlink()
    return "no error"


def digests(cases: str) -> dict[str, str]:
    """A digest of everything, by what it is of."""
    found = {command: printed(command) for command in COMMANDS}
    for number, (texts, spec, settings) in enumerate(json.loads(Path(cases).read_text(encoding="utf-8"))):
        found[f"fault {number}: {settings} {next(iter(texts.values()))[:60]!a}"] = error(texts, spec, settings)
    return {
        what: sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16] for what, text in found.items()
    }


if __name__ == "__main__":
    # What a program that cares for its user's language does; without it Python leaves numbers and case alone.
    with contextlib.suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "")
    result = digests(sys.argv[1])
    assert "torch" not in sys.modules
    print(
        json.dumps(
            {"python": sys.version.split()[0], "locale": locale.setlocale(locale.LC_ALL), "digests": result}
        )
    )
