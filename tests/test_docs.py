"""What the documentation shows is what the tools print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import archdsl
from archdsl.ops import OPS
from archdsl.report import render
from archdsl.scalar import Scalar, number_text

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def test_readme_has_two_commands() -> None:
    commands = blocks(README, "sh")
    assert len(commands) == 2
    assert "archdsl stats specs/s0.yaml" in commands[0] and commands[1] == "pytest\n"
    assert len(README.splitlines()) <= 75


def test_readme_shows_the_table_that_is_printed() -> None:
    printed = render(archdsl.load("s0").stats(), "table").splitlines()
    shown = next(block for block in blocks(README, "") if block.startswith("EfficientFormerV2_S0"))
    for line in shown.splitlines():
        assert line in (*printed, "..."), line


def test_readme_shows_the_bundled_document_block_and_class() -> None:
    spec = (ROOT / "specs" / "efficientformerv2_base.yaml").read_text(encoding="utf-8")
    document = "".join(blocks(README, "yaml")[0].splitlines(keepends=True)[1:])
    assert document in spec
    library = (ROOT / "specs" / "blocks" / "efficientformerv2.arch").read_text(encoding="utf-8")
    shown = next(block for block in blocks(README, "") if block.startswith("block ffn"))
    for line in shown.splitlines():
        assert line in library, line
    assert blocks(README, "python")[0].rstrip() in archdsl.load("s0").source()


def test_readme_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), (page.name, target)


def test_both_networks_of_the_language_page_are_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    text = next(block for block in blocks(page, "") if block.startswith("network N"))
    (tmp_path / "n.arch").write_text('archdsl 1\nimport "efficientformerv2"\n' + text)
    (tmp_path / "n.yaml").write_text(blocks(page, "yaml")[0])
    a, b = (archdsl.load(tmp_path / name) for name in ("n.arch", "n.yaml"))
    assert a.graph.fingerprint == b.graph.fingerprint
    assert a.stats().params > 0 and yaml.safe_load(blocks(page, "yaml")[0])["network"] == "N"


def test_the_block_of_the_language_page(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    text = next(block for block in blocks(page, "") if block.startswith("archdsl 1"))
    (tmp_path / "b.arch").write_text(text + "network N(x: [8, 4, 4]) { a: ffn }\n")
    assert archdsl.load(tmp_path / "b.arch").build() is not None


def default_text(value: object) -> str:
    """A default as the language writes it."""
    if isinstance(value, Scalar):
        text = number_text(value.value)
        return text.lower() if isinstance(value.value, bool) else text
    if isinstance(value, tuple):
        texts = [default_text(item) for item in value]
        return texts[0] if len(set(texts)) == 1 else f"[{', '.join(texts)}]"
    return "none" if value is None else f'"{value}"'


def primitive_page() -> str:
    """The reference of primitives, from their classes."""
    lines = [
        "# Primitives",
        "",
        "Generated from the classes of `archdsl/ops`; `pytest --update-golden` writes it anew. The batch is",
        "never counted among the axes. The first argument may be positional.",
        "",
        "| primitive | arguments | what it gives |",
        "|---|---|---|",
    ]
    for kind, op in OPS.items():
        arguments = []
        for parameter in op.parameters.values():
            default = "" if parameter.required else f" = {default_text(parameter.default)}"
            arguments.append(f"{parameter.name}{default}")
        about = " ".join((op.__doc__ or "").split()).replace("|", "\\|")
        lines.append(f"| `{kind}` | {', '.join(arguments)} | {about} |")
    return "\n".join(lines) + "\n"


def test_primitives_page_is_current(request: pytest.FixtureRequest) -> None:
    page = ROOT / "docs" / "primitives.md"
    if request.config.getoption("--update-golden"):
        page.write_text(primitive_page(), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == primitive_page()
