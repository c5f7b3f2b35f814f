"""What a user is told about a wrong document: code, place, what was found, a way out.

In the table of cases a `‸` stands right before the place that the message must name; it is taken out
before the document is written. Whole messages are golden files (tests/golden/errors).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.case import HEADER, NETWORK, Case, block, stage
from faults.in_files import FILES
from faults.in_spaces import SPACES
from faults.in_text import TEXT
from faults.in_variants import VARIANTS
from faults.in_yaml import DOCUMENT, PARAMETERS, YAML

from archdsl.network import load
from archdsl.source import SHOWN_ERRORS, ArchError

CASES = [*TEXT, *YAML, *VARIANTS, *SPACES, *FILES]


def mistakes_in(text: str, ending: str, folder: Path, **options: object) -> ArchError:
    """The error that loading and elaborating the document raises."""
    (folder / f"net{ending}").write_text(text, encoding="utf-8", newline="")
    with pytest.raises(ArchError) as caught:
        _ = load(f"net{ending}", **options).graph  # type: ignore[arg-type]
    return caught.value


@pytest.fixture(autouse=True)
def _in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Messages name files as they were given: relative names keep them free of this machine's paths.
    monkeypatch.chdir(tmp_path)


def test_cases_have_names_of_their_own() -> None:
    names = [case.ending + case.name for case in CASES]
    assert len(set(names)) == len(names) == len(CASES) >= 280


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.ending[1:]}-{case.name}")
def test_one_fault_gives_one_message_at_its_place(case: Case, tmp_path: Path) -> None:
    error = case.error(tmp_path)
    assert error.exit_code == 2
    assert [mistake.code for mistake in error.diagnostics] == [case.code], str(error)
    text = str(error)
    for part in case.said:
        assert part in text
    place = case.place()
    assert place is None or str(error.diagnostics[0].span) == place, text
    assert str(tmp_path) not in text


# --- several at once


def test_syntax_errors_of_all_blocks_come_at_once(tmp_path: Path) -> None:
    text = (
        "archdsl 1\nblock a(x: [C, H W]) -> [C] {\n  return x\n}\n"
        "block b(x: [C]) -> [C] {\n  return x +\n}\nnetwork N(x: [3, 8, 8]) {\n  a: relu relu\n}\n"
    )
    error = mistakes_in(text, ".arch", tmp_path)
    assert [str(mistake.span) for mistake in error.diagnostics] == [
        "net.arch:2:18",
        "net.arch:7:1",
        "net.arch:9:11",
    ]


def test_faults_of_one_block_come_at_once_and_what_follows_from_them_does_not(tmp_path: Path) -> None:
    body = (
        "a = x |> c: convv2d(C)\n  b = a |> d: conv2d(C)\n  e = x |> f: conv2d(C, kernal = 3)\n"
        "  g = x + y\n  return b + e + g"
    )
    error = mistakes_in(block(body), ".arch", tmp_path)
    assert [mistake.code for mistake in error.diagnostics] == ["E0202", "E0401", "E0201"]


def test_a_block_called_twice_is_blamed_once(tmp_path: Path) -> None:
    error = mistakes_in(
        block("y = z\n  return x").replace("stem: wrong", "a: wrong\n  b: wrong"), ".arch", tmp_path
    )
    assert len(error.diagnostics) == 1


def test_yaml_says_all_that_is_wrong_with_its_form(tmp_path: Path) -> None:
    text = DOCUMENT.replace(": 1", ": 3") + "features: {a: b}\nparamters: {}\n" + PARAMETERS + "  a: yes\n"
    error = mistakes_in(text, ".yaml", tmp_path)
    assert {mistake.code for mistake in error.diagnostics} == {"E0107", "E0505", "E0503", "E0507"}


def test_at_most_twenty_are_printed_and_the_rest_is_counted(tmp_path: Path) -> None:
    entries = "".join(f"  a{i}: nothing{i}\n" for i in range(30))
    text = str(mistakes_in(f"{HEADER}network N(x: [3, 8, 8]) {{\n{entries}}}\n", ".arch", tmp_path))
    assert text.count("error[") <= SHOWN_ERRORS
    lets = "".join(f"  a{i} = nothing{i}\n" for i in range(30))
    text = str(mistakes_in(block(lets + "  return x"), ".arch", tmp_path))
    assert text.count("error[") == SHOWN_ERRORS and text.endswith("and 10 more errors")


# --- imports


def test_a_fault_in_an_import_is_named_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "mine.arch").write_text("archdsl 1\nblock b(x: [C) -> [C] { return x }\n", encoding="utf-8")
    error = mistakes_in(NETWORK.replace("convolution", "mine"), ".arch", tmp_path)
    assert [str(mistake.span) for mistake in error.diagnostics] == ["mine.arch:2:14"]


def test_a_cycle_of_imports_is_shown_with_its_links(tmp_path: Path, golden) -> None:
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.arch").write_text(f'archdsl 1\nimport "{other}"\n', encoding="utf-8")
    error = mistakes_in(NETWORK.replace("convolution", "a"), ".arch", tmp_path)
    assert [mistake.code for mistake in error.diagnostics] == ["E0705"]
    golden("errors/import_cycle.txt", f"{error}\n")


def test_a_document_may_import_blocks_of_its_own_name(tmp_path: Path) -> None:
    file = tmp_path / "swin.arch"
    file.write_text('archdsl 1\nimport "swin"\nnetwork N(x: [3, 28, 28]) { a: patch_map(8) }', encoding="utf-8")
    assert load(file).stats().params == 8 * 3 * 16 + 8 + 2 * 8
    file.write_text('archdsl 1\nimport "swan"\nnetwork N(x: [3, 28, 28]) { a: relu }', encoding="utf-8")
    file.rename(tmp_path / "swan.arch")
    with pytest.raises(ArchError) as caught:
        load(tmp_path / "swan.arch")
    assert [mistake.code for mistake in caught.value.diagnostics] == ["E0705"]


def test_a_file_imported_by_two_ways_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_text('archdsl 1\nimport "convolution"\nimport "b"\n', encoding="utf-8")
    (tmp_path / "b.arch").write_text('archdsl 1\nimport "convolution"\n', encoding="utf-8")
    (tmp_path / "net.arch").write_text(
        NETWORK.replace('"convolution"', '"a"\nimport "b"').replace("wrong", "conv_bn(3)"), encoding="utf-8"
    )
    assert load("net.arch").stats().params == 3 * 3 + 3 + 6


def test_a_block_of_two_imports_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        text = "archdsl 1\nblock same(x: [C, H, W]) -> [C, H, W] { return x }\n"
        (tmp_path / f"{name}.arch").write_text(text, encoding="utf-8")
    error = mistakes_in(NETWORK.replace('"convolution"', '"a"\nimport "b"'), ".arch", tmp_path)
    assert [mistake.code for mistake in error.diagnostics] == ["E0205"]
    assert "block 'same' comes from two imports" in str(error)


# --- parameters and resolutions


def test_parameters_that_are_set_are_checked(tmp_path: Path) -> None:
    for setting, code, said in (
        ({"num_clases": 10}, "E0401", "did you mean 'num_classes'?"),
        ({"num_classes": "ten"}, "E0201", "unknown name 'ten'"),
        ({"num_classes": 0}, "E0403", "at least 1"),
        ({"num_classes": "1 +"}, "E0101", "the text ends too early"),
        ({"distilled": 3}, "E0403", "true or false"),
        ({"drop_path": 1}, "E0403", "a rate in [0, 1)"),
    ):
        with pytest.raises(ArchError) as caught:
            _ = load("s0", None, setting).graph
        assert [mistake.code for mistake in caught.value.diagnostics] == [code]
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("size", "legal"), [(208, "192 x 192 and 224 x 224"), (240, "224 x 224 and 256 x 256")]
)
def test_an_illegal_resolution_names_the_legal_ones_near_it(size: int, legal: str) -> None:
    with pytest.raises(ArchError) as caught:
        _ = load("s0", size).graph
    first = caught.value.diagnostics[0]
    assert first.code == "E0703" and f"{size} x {size}" in first.message
    assert first.help == f"legal near it: {legal}"


@pytest.mark.parametrize("size", [224, 192, 256, (192, 256)])
def test_legal_resolutions_are_taken(size: int | tuple[int, int]) -> None:
    assert load("s0", size).graph.resolution == (size if isinstance(size, tuple) else (size, size))


@pytest.mark.parametrize("size", [0, 16_385, (224, 10**9)])
def test_a_resolution_out_of_bounds_is_refused(size: int | tuple[int, int]) -> None:
    with pytest.raises(ArchError, match="out of bounds"):
        _ = load("s0", size).graph


# --- whole messages

WHOLE = {
    "mismatch": ".arch-sum of unequal maps",
    "argument": ".arch-unknown argument",
    "label": ".arch-label used twice",
    "missing_label": ".arch-weights without a label",
    "syntax": ".arch-signature not closed",
    "each": ".arch-each of unequal lengths",
    "requirement": ".arch-requirement",
    "declared": ".arch-declared result",
    "reserved": ".arch-label is an attribute of Module",
    "import": ".arch-import that is not there",
    "yaml_key": ".yaml-unknown key of a stage",
    "yaml_twice": ".yaml-key written twice",
    "yaml_anchor": ".yaml-anchor",
    "yaml_comma": ".yaml-call split at its comma",
    "yaml_truth": ".yaml-no",
    "yaml_tab": ".yaml-tab",
    "yaml_indent": ".yaml-line indented too little",
    "yaml_number": ".yaml-underscores",
    "path": ".arch-block that is not there",
    "base_cycle": ".arch-bases in a circle",
    "block_cycle": ".arch-blocks in a circle",
    "bracket": ".arch-bracket closed on no line",
    "brace": ".arch-brace closed on no line",
    "origin": ".arch-parameter that a requirement refuses",
    "condition": ".arch-condition without its convention",
    "open": ".arch-set a choice",
}


@pytest.mark.parametrize("file", WHOLE)
def test_whole_message(file: str, tmp_path: Path, golden) -> None:
    (case,) = [case for case in CASES if f"{case.ending}-{case.name}" == WHOLE[file]]
    golden(f"errors/{file}.txt", f"{case.error(tmp_path)}\n")


def test_whole_message_of_an_illegal_resolution(golden) -> None:
    with pytest.raises(ArchError) as caught:
        _ = load("s0", 208).graph
    golden("errors/resolution.txt", f"{caught.value}\n")


def test_whole_message_deep_in_a_chain_of_calls(tmp_path: Path, golden) -> None:
    text = stage("attention_block(stride = 3)")
    golden("errors/chain.txt", f"{mistakes_in(text, '.arch', tmp_path)}\n")


def test_a_label_that_is_lost_to_a_mistake_is_no_second_one(tmp_path: Path) -> None:
    path = tmp_path / "lost.arch"
    path.write_text("""archdsl 1
block b(x: [n, m, C]) -> [n, m, C] {
  y = x |> slice(0, 1) |> q: linear(C)
  z = y |> k: linear(C)
  init q, k = zeros
  init w = zeros
  return z
}
network N(x: [3, 4, 8]) { b: b }
""")
    with pytest.raises(ArchError) as caught:
        _ = load(path).graph
    assert [mistake.code for mistake in caught.value.diagnostics] == ["E0404", "E0201"]
    assert "'w'" in caught.value.diagnostics[1].message


def test_the_place_of_bytes_that_are_no_text_counts_characters(tmp_path: Path) -> None:
    path = tmp_path / "bytes.arch"
    path.write_bytes(b"archdsl 1\n# " + "\U0001f600".encode() * 120 + b"\xff\n")
    with pytest.raises(ArchError) as caught:
        load(path)
    assert caught.value.diagnostics[0].span.column == 123
    assert "\U0001f600?" in str(caught.value) or "\U0001f600\ufffd" in str(caught.value)
