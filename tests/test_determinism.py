"""The same bytes of source, JSON and messages, whatever the seed of hashes, locale, folder, zone or Python."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from faults.case import MARK
from test_errors import CASES

import archdsl

ROOT = Path(archdsl.__file__).parent.parent
TESTS = Path(__file__).parent
SEEDS = range(16)
ZONES = ("UTC", "Asia/Kathmandu", "America/St_Johns")
UMASKS = (0o022, 0o077, 0o002)
FAULTY = (
    'archdsl 1\nnetwork N(image: [3, 8, 8]) {\n  a: "I\u0307stanbul \u0131 \u00e9\u6f22" \u201crelu\u201d\n}\n'
)
LETTERS = "archdsl 1\n# I\u0307stanbul \u0131 \u00e9\u6f22\nnetwork N(image: [3, 8, 8]) {\n  a: relu\n}\n"
"""Documents with letters that not every locale can write; a message shows a line of the first."""


def _locales(folder: Path) -> list[str]:
    """C, and Turkish in two encodings (`i` has another capital), made in `folder` where that can be done."""
    made = ["C"]
    folder.mkdir()
    for encoding in ("ISO-8859-9", "UTF-8"):
        name = f"tr_TR.{encoding}"
        if shutil.which("localedef") is not None:
            run = ["localedef", "-i", "tr_TR", "-f", encoding, str(folder / name)]
            made += [name] if subprocess.run(run, capture_output=True, check=False).returncode == 0 else []
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()
    return made + [name for name in known if name.lower().startswith("c.utf")]


def _folders(tmp_path: Path, without: str = "") -> list[Path]:
    """Two folders of the same files, one deep, with a space and a letter that is not ASCII.

    `without` leaves out the faults of a code.
    """
    cases = [
        (
            {name: text.replace(MARK, "") for name, text in case.texts().items() if name != "--set"},
            case.spec or f"net{case.ending}",
            [setting.replace(MARK, "") for setting in case.settings],
        )
        for case in CASES[::2]
        if case.code != without
    ]
    result = [tmp_path / "a", tmp_path / "b \u00e9" / "c" / "d"]
    for folder in result:
        folder.mkdir(parents=True)
        shutil.copy(TESTS / "networks" / "kitchen.arch", folder)
        shutil.copy(ROOT / "specs" / "efficientformerv2_base.yaml", folder / "base.yaml")
        (folder / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
        (folder / "faulty.arch").write_text(FAULTY, encoding="utf-8")
        (folder / "letters.arch").write_text(LETTERS, encoding="utf-8")
    return result


def _run(
    python: str, folder: Path, seed: int, path: str, name: str = "C", locales: Path | None = None
) -> tuple[dict, bytes]:
    """What same_bytes.py found in one of these surroundings, and what commands print of texts with letters."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": path,
        "PYTHONHASHSEED": str(seed),
        "LC_ALL": name,
        "TZ": ZONES[seed % len(ZONES)],
    }
    if name.startswith("tr_TR"):
        environment["LOCPATH"] = str(locales)
    old = os.umask(UMASKS[seed % len(UMASKS)])
    try:
        run = [python, str(TESTS / "same_bytes.py"), "cases.json"]
        made = subprocess.run(run, cwd=folder, env=environment, capture_output=True, check=False)
        assert made.returncode == 0, made.stderr.decode("utf-8", "replace")[-2000:]
        said = []
        for command in ("stats faulty.arch", "fmt letters.arch --to yaml"):
            run = [python, "-m", "archdsl", *command.split()]
            said.append(subprocess.run(run, cwd=folder, env=environment, capture_output=True, check=False))
    finally:
        os.umask(old)
    faulty, letters = said
    assert (faulty.returncode, letters.returncode) == (2, 0), letters.stderr
    return json.loads(made.stdout), faulty.stderr + letters.stdout


def _differences(one: dict, other: dict) -> list[str]:
    return [what for what, digest in one["digests"].items() if other["digests"][what] != digest]


def test_seeds_locales_folders_zones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders, locales = _folders(tmp_path), _locales(tmp_path / "locales")
    first = None
    for seed in SEEDS:
        name = locales[seed % len(locales)]
        found = _run(sys.executable, folders[seed % 2], seed, str(ROOT), name, tmp_path / "locales")
        first = first or found
        assert _differences(first[0], found[0]) == [], (seed, name)
        assert first[1] == found[1], (seed, name)
        assert found[0]["locale"] == name or not name.startswith("tr_TR")
    assert first is not None
    with capsys.disabled():
        print(
            f"\ndeterminism: {len(first[0]['digests'])} texts, {len(SEEDS)} seeds, locales {', '.join(locales)}"
        )


def _pythons() -> dict[str, str]:
    """Interpreters other than this one, by version: on the path, and where pyenv keeps them."""
    kept = os.path.join(
        os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv")), "versions", "*", "bin", "python"
    )
    candidates = [shutil.which(f"python3.{minor}") or "" for minor in range(11, 20)] + sorted(glob.glob(kept))
    found: dict[str, str] = {}
    for path in filter(None, candidates):
        code = "import sys; print(sys.version_info >= (3, 11), sys.version.split()[0])"
        asked = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        if asked.returncode == 0 and asked.stdout.startswith("True"):
            found.setdefault(asked.stdout.split()[1], path)
    return {version: path for version, path in found.items() if version != sys.version.split()[0]}


def _pure_packages(folder: Path) -> Path:
    """PyYAML, Jinja2 and MarkupSafe for another interpreter: without what is compiled they are Python."""
    import jinja2
    import markupsafe
    import yaml

    folder.mkdir()
    for package in (jinja2, markupsafe, yaml):
        source = Path(package.__file__).parent
        ignored = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__")
        shutil.copytree(source, folder / source.name, ignore=ignored)
    return folder


def test_other_pythons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # What is wrong with a text that is no YAML is said in PyYAML's words, and its two parsers have their own.
    folder = _folders(tmp_path, "E0501")[0]
    pure = _pure_packages(tmp_path / "pure")
    mine = _run(sys.executable, folder, 0, str(ROOT))
    others = {sys.version.split()[0]: sys.executable, **_pythons()}
    for version, python in others.items():
        found = _run(python, folder, 1, os.pathsep.join((str(ROOT), str(pure))))
        assert found[0]["python"] == version
        assert _differences(mine[0], found[0]) == [], version
        assert mine[1] == found[1], version
    with capsys.disabled():
        print(f"\ndeterminism: the same with Python {', '.join(others)}, PyYAML without its compiled part")
