"""What the documentation shows is what the tools print."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import blocks_page
import pages
import pictures
import pytest
import reference
import torch
import zoo_page
from reference import randomise, timm_model
from safetensors.torch import save_file

import archdsl
from archdsl.library import Library
from archdsl.ops import OPS
from archdsl.report import render
from archdsl.scalar import Scalar, number_text
from archdsl.variants import names
from archdsl.verify import verify

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return [fence.text for fence in pages.fences(text) if fence.language == language]


def test_readme_has_two_commands() -> None:
    commands = blocks(README, "sh")
    assert len(commands) == 2
    assert "archdsl stats specs/s0.yaml" in commands[0] and commands[1] == "pytest -n 2 --dist worksteal\n"
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


def test_readme_shows_a_variant_and_a_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(blocks(README, "yaml")[1], encoding="utf-8")
    assert archdsl.load("mine.yaml").graph.fingerprint != archdsl.load("s0").graph.fingerprint
    assert len(str(archdsl.load("supernet").space().size)) == 27 and "10^26 networks" in README


def test_readme_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), (page.name, target)


@pytest.mark.parametrize("name", ["language", "tutorial", "own_network", "recipes", "comparison", "examples"])
def test_a_page_shows_what_is_printed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    path = ROOT / "docs" / f"{name}.md"
    page = path.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHDSL_PATH", raising=False)
    current = pages.run_page(page)
    if request.config.getoption("--update-golden"):
        path.write_text(current, encoding="utf-8")
        page = current
    assert page == current
    assert all(pages.wrong_files(page).values()), pages.wrong_files(page)


@pytest.mark.parametrize("name", ["own_network", "recipes"])
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_networks_of_a_page_run_in_torch(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    documents = [
        fence
        for fence in pages.fences((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"))
        if fence.is_document and not str(fence.file).startswith("wrong")
    ]
    for fence in documents:
        Path(str(fence.file)).write_text(fence.text, encoding="utf-8")
    for file in {fence.file for fence in documents}:
        for network_name in names(Library().open(str(file)).document):
            network = archdsl.load(f"{file}#{network_name}")
            assert [check for check in verify(network) if not check.ok] == [], network_name
            module = network.build().train()
            given = module(torch.randn(2, *network.graph.input.values))
            loss = sum(part.sum() for part in (given if isinstance(given, tuple) else (given,)))
            loss.backward()
            assert all(weight.grad is not None for weight in module.parameters()), network_name


def written_recipes(folder: Path) -> None:
    for fence in pages.fences((ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")):
        if fence.file is not None:
            (folder / fence.file).write_text(fence.text, encoding="utf-8")


def test_a_recipe_is_the_network_that_it_names(tmp_path: Path) -> None:
    written_recipes(tmp_path)
    theirs = timm_model("regnety_004").double().eval()
    randomise(theirs)
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours = archdsl.load(tmp_path / "regular.arch").build().double().eval()
    archdsl.load_weights(ours, tmp_path / "theirs.safetensors", keys="timm_regnet")
    image = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(ours(image), theirs(image), rtol=1e-9, atol=0)


def test_a_recipe_is_the_block_that_it_names(tmp_path: Path) -> None:
    written_recipes(tmp_path)
    timm = reference.timm()
    ours = archdsl.load(tmp_path / "response.arch").build().s1[0].double().eval()
    block = timm.models.convnext.ConvNeXtBlock(16, 16, use_grn=True, ls_init_value=None).double().eval()
    randomise(block)
    called = {"conv_dw": "depthwise", "mlp.grn.weight": "response.gain", "mlp.grn.bias": "response.offset"}
    state = block.state_dict()
    for theirs, name in {**called, "mlp.": ""}.items():
        state = {key.replace(theirs, name): value for key, value in state.items()}
    ours.load_state_dict(state)
    x = torch.randn(2, 16, 8, 8, dtype=torch.float64)
    assert torch.allclose(ours(x), block(x), rtol=1e-9)
    ours = archdsl.load(tmp_path / "attention.arch").build().channels.double().eval()
    attention = timm.models.xcit.XCA(32, 4, qkv_bias=True).double().eval()
    randomise(attention)
    ours.load_state_dict(attention.state_dict())
    x = torch.randn(2, 257, 32, dtype=torch.float64)
    assert torch.allclose(ours(x), attention(x), rtol=1e-9)


def test_the_recipes_in_short_are_those_in_full() -> None:
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    full = " ".join(" ".join(text.split()) for text in blocks(page, "arch"))
    rows = re.findall(r"^\| .+ \| (.+) \|$", page, flags=re.MULTILINE)
    codes = [code.replace("\\|", "|") for row in rows[1:] for code in re.findall(r"`([^`]+)`", row)]
    assert len(rows) > 12 and len(codes) >= len(rows) - 1
    for code in codes:
        assert code in full, code


def test_the_comparison_counts_our_lines() -> None:
    counted = runpy.run_path(str(ROOT / "bench" / "comparison.py"))
    page = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    lines: dict[str, int] = counted["our_lines"]()
    spec, family, library, convolution, generated = lines.values()
    files = f"`specs/s0.yaml` {spec}, the family's network {family}, its blocks {library}"
    assert (
        f"| ours | {spec + family + library + convolution} | {files}, `convolution.arch` {convolution} |"
        in page
    )
    assert f"needs torch alone | {generated} |" in page
    assert counted["ROWS"] in page


def grammar_page() -> str:
    """The rules of the grammar, without what only the parser needs: aliases, priorities, names of tokens."""
    text = (ROOT / "grammar" / "archdsl.lark").read_text(encoding="utf-8")
    tokens = dict(re.findall(r'^([A-Z_]+)(?:\.\d+)?: ("[^"\n]+")$', text, flags=re.MULTILINE))
    tokens |= {"SUBJECT_TO": '"subject to"', "COMPARE": "compare", "_NL": "NL"}
    rules: list[str] = []
    for line in text.splitlines():
        if not re.match(r"\??_?[a-z_]+: | +\| ", line):
            continue
        # In a line, what stands behind `->` is the parser's name for it.
        line = re.sub(r" +-> \w+$", "", line)
        line = re.sub(r"\b_?[A-Z][A-Z_]*\b", lambda m: tokens.get(m.group(), m.group()), line)
        line = re.sub(r'(?<!")\b_?([a-z_]*[a-z])_?\b', r"\1", line.lstrip("?"))
        joined = f"{rules[-1]} {line.strip()}" if line.startswith(" ") else ""
        if joined and len(joined.rpartition("\n")[2]) <= 110:
            rules[-1] = joined
        elif joined:
            rules[-1] += "\n  " + line.strip()
        else:
            rules.append(line)
    return "\n".join([*rules, 'compare: "==" | "!=" | "<=" | ">=" | "<" | ">"']) + "\n"


def test_the_grammar_on_the_language_page_is_current(request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs" / "language.md"
    page = path.read_text(encoding="utf-8")
    (shown,) = (fence for fence in pages.fences(page) if fence.language == "ebnf")
    if request.config.getoption("--update-golden"):
        page = page[: shown.start] + grammar_page() + page[shown.start + len(shown.text) :]
        path.write_text(page, encoding="utf-8")
        (shown,) = (fence for fence in pages.fences(page) if fence.language == "ebnf")
    assert shown.text == grammar_page()


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


def test_primitives_page_is_current(golden) -> None:
    golden(ROOT / "docs" / "primitives.md", primitive_page())


def test_the_page_of_blocks_is_current(golden) -> None:
    golden(ROOT / "docs" / "blocks.md", blocks_page.page())


def test_the_zoo_page_is_current(golden) -> None:
    golden(ROOT / "docs" / "zoo.md", zoo_page.page())


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_a_picture_shows_what_is_there(name: str, golden) -> None:
    golden(ROOT / "docs" / name, pictures.PICTURES[name]())
