"""Texts that mean harm at every place of a document: a clear error, or the source of the harmless document.

`docs/reliability.md` tells what was found. The texts, the places and what may come of them are in `injection`.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import torch
from injection import outcome, places, texts
from injection.canonical import canonical, checked

from archdsl import emit, names, syntax
from archdsl.cli import main
from archdsl.library import read_document
from archdsl.network import load, load_with_settings
from archdsl.ops import OPS
from archdsl.record import Record
from archdsl.source import ArchError, Source
from archdsl.space.freeze import freeze
from archdsl.space.picks import read_picks

CASES = 20_000

DRAWN = """archdsl 1
block pick_me(x: [C, H, W]) -> [C, H, W] { return x |> relu }
network Space(image: [3, 8, 8]; width = choose {4, 8}) {
  stem: conv2d(width)
  stage body { choose {pick_me, none} }
}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {**places.BESIDE, **places.DOCUMENTS, "drawn.arch": DRAWN}.items():
        Path(name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("file", places.DOCUMENTS)
def test_the_harmless_documents_are_networks(file: str) -> None:
    assert outcome.harmless(file)


def test_twenty_thousand_texts_and_none_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    random = Random(1)
    found: Counter[str] = Counter()
    escapes: list[str] = []
    for number in range(CASES):
        place = places.PLACES[number % len(places.PLACES)]
        family, text = texts.draw(random, place.kind in ("name", "label"))
        encoder = random.choice(place.encoders)
        try:
            found[outcome.try_text(place, text, encoder)] += 1
        except Exception as error:
            escapes.append(
                f"{place.title}, {encoder.__name__}, {family} {text[:60]!a}: {type(error).__name__} {error}"[
                    :300
                ]
            )
    with capsys.disabled():
        print(
            f"\ninjection: {CASES:,} texts at {len(places.PLACES)} places: "
            + ", ".join(f"{count:,} {what}" for what, count in sorted(found.items()))
            + f", {len(escapes)} escaped"
        )
    assert not escapes, "\n".join(escapes[:400])
    assert not Path(texts.MARK).exists()


# --- beside documents: names of files, settings, picks, commands


def _beside(count: int, attempt) -> Counter[str]:
    """Outcomes of `attempt(family's text)` for drawn texts; it returns source, text or nothing, or raises."""
    random = Random(2)
    found: Counter[str] = Counter()
    for _ in range(count):
        _, text = texts.draw(random, False)
        try:
            found[attempt(text, random)] += 1
        except ArchError as error:
            outcome.check_error(error)
            found["refused"] += 1
    assert not Path(texts.MARK).exists()
    return found


def test_names_of_files() -> None:
    def attempt(text: str, random: Random) -> str:
        name = (
            "drawn "
            + os.fsdecode(text.replace("/", "").replace("\0", "").encode("utf-8", "surrogatepass")[:200])
            + ".arch"
        )
        Path(name).write_text(places.DOCUMENTS["network.arch"], encoding="utf-8")
        try:
            assert canonical(load(name).source()) == outcome.harmless("network.arch")
            Path(name).write_text(places.DOCUMENTS["network.arch"].replace("{", "", 1), encoding="utf-8")
            with pytest.raises(ArchError) as caught:
                load(name)
            outcome.check_error(caught.value)
        finally:
            Path(name).unlink()
        return "harmless"

    assert _beside(400, attempt)["harmless"] > 300


def test_files_that_are_not_there() -> None:
    def attempt(text: str, random: Random) -> str:
        load(random.choice((text, f"{text}.arch", f"network.arch#{text}", f"{text}#q_net"))).source()
        return "harmless"

    assert _beside(400, attempt)["refused"] > 350


def test_settings_of_the_command() -> None:
    def attempt(text: str, random: Random) -> str:
        setting = random.choice(
            (
                text,
                f"q_param = 8  # {text}",
                f"q_param = {text}",
                f"{text} = 4",
                f"q_stage.{text} = 4",
                f"q_entry = {text}",
                f"q_param{text}",
            )
        )
        checked(load_with_settings("network.arch", None, [setting], ()).source())
        return "another document"

    found = _beside(600, attempt)
    assert found["refused"] > 300 and found["another document"]


def test_parameters_of_load() -> None:
    def attempt(text: str, random: Random) -> str:
        parameters = random.choice(({text: 4}, {"q_param": text}, {"q_param": [text]}, {f"q_entry.{text}": 2}))
        checked(load("network.arch", parameters=parameters, search=[text]).source())
        return "another document"

    assert _beside(300, attempt)["refused"] > 200


def test_picks_and_names_of_frozen_networks() -> None:
    network = load("drawn.arch")
    decided = dict(network.sample(0).decided)
    assert len(decided) == 2

    def attempt(text: str, random: Random) -> str:
        key = random.choice(list(decided))
        kind = random.randrange(4)
        if kind == 0:
            frozen = network.freeze({**decided, random.choice((key, text)): text})
        elif kind == 1:
            line = f"{random.choice((key, text, places.yaml_double(text)))}: {text}\n"
            frozen = freeze(network.chosen, read_picks(Source("picks.yaml", line)))
        elif kind == 2:
            frozen = network.freeze(decided, name=text)
        else:
            frozen = network.sample(1, name=text)
        for surface in ("arch", "yaml"):
            Path(f"frozen.{surface}").write_text(frozen.text(surface), encoding="utf-8")
            checked(load(f"frozen.{surface}").source())
        return "harmless"

    found = _beside(300, attempt)
    assert found["refused"] > 200 and found["harmless"]


COMMANDS = (
    ("stats", "{}"),
    ("stats", "network.arch", "--by", "{}"),
    ("stats", "network.arch", "{}"),
    ("stats", "network.arch", "--resolution", "{}"),
    ("stats", "network.arch", "--path", "{}", "--set", "{}"),
    ("{}",),
    ("show", "network.arch", "{}"),
    ("build", "network.arch", "-o", "-", "--keys", "{}"),
    ("build", "network.arch", "-o", "network.arch/{}/net.py"),
    ("verify", "network.arch", "missing/{}"),
    ("freeze", "drawn.arch", "--with", "missing/{}"),
    ("freeze", "drawn.arch", "--name", "{}"),
    ("sample", "drawn.arch", "--name", "{}"),
    ("sample", "drawn.arch", "--seed", "{}"),
    ("new", "missing/{}"),
    ("new", "missing/{}.yaml", "--base", "{}"),
    ("fmt", "missing/{}"),
    ("fmt", "-", "--to", "{}"),
)


def test_what_commands_print(capfd: pytest.CaptureFixture[str]) -> None:
    before = sorted(os.listdir())

    def attempt(text: str, random: Random) -> str:
        text = text.replace("..", "").replace("\0", "").encode("utf-8", "replace").decode()
        argv = [part.replace("{}", text) for part in random.choice(COMMANDS)]
        try:
            code = main(argv)
        except SystemExit as stopped:
            code = stopped.code
        printed = capfd.readouterr()
        if not printed.out.startswith(("archdsl 1", "usage")) and code:
            assert code in (2, 3) and printed.err and not printed.out, argv
        # Paths go to stdout as they were given, so that other commands can use them.
        assert all(line.isprintable() for line in printed.err.split("\n")), (argv, printed)
        return "refused" if code else "harmless"

    found = _beside(500, attempt)
    assert found["refused"] > 400
    assert sorted(os.listdir()) == before


# --- nothing is forgotten


def _reached(file: str) -> set[str]:
    """The fields of records that hold a word of a document."""
    document, _ = read_document(file)
    return {
        f"{type(part).__name__}.{field}"
        for part in syntax.parts_of(document, Record)
        for field in part._fields
        if any(isinstance(value, str) and "q_" in value for value in _flat(getattr(part, field)))
    }


def _flat(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_every_field_that_holds_text_is_tried() -> None:
    tried = {spot[0] for spot in places.SPOTS}.union(*map(_reached, places.DOCUMENTS))
    fields = {
        f"{name}.{field}"
        for name, record in vars(syntax).items()
        if isinstance(record, type) and issubclass(record, Record) and record is not Record
        for field, annotation in record.__annotations__.items()
        if re.search(r"\bstr\b", annotation)
    }
    assert len(fields) > 35
    assert fields - tried == set(), "fields of archdsl.syntax that no document of injection/places.py reaches"


def test_every_key_of_the_yaml_surface_is_tried() -> None:
    keys = {place.title.rpartition(" ")[2] for place in places.PLACES if " the key " in place.title}
    assert keys == set(places.YAML_KEYS)


def test_every_text_of_a_primitive_is_tried() -> None:
    taking = {
        f"{kind}.{parameter.name}"
        for kind, op in OPS.items()
        for parameter in op.parameters.values()
        if parameter.type == "str"
    }
    written = {
        f"{kind}.{name}"
        for text in places.DOCUMENTS.values()
        for kind, name in (("rearrange", "pattern"), ("upsample", "mode"))
        if re.search(rf"\b{kind}\(", text)
    }
    assert taking <= written, (
        "arguments of primitives that are text, and are in no document of injection/places.py"
    )


def test_every_class_of_a_generated_file_is_reserved() -> None:
    assert set(emit.support_classes()) <= names.GENERATED_CLASSES | names.GENERATED_NAMES


ODD_LABELS = (
    "weight",
    "bias",
    "training_",
    "x",
    "y",
    "block",
    "self_",
    "print",
    "add",
    *sorted(names.CONTAINER_ATTRIBUTES),
)


@pytest.mark.parametrize("file", ["block.arch", "network.arch", "streams.arch", "net.yaml"])
def test_modules_of_odd_labels_run(file: str) -> None:
    ran = 0
    for place in places.PLACES:
        for label in ODD_LABELS if place.file == file and place.kind == "label" else ():
            document = place.document(label, places.raw).replace("unset q_other.q_pin", "")
            Path(file).write_text(document, encoding="utf-8")
            try:
                network = load(file)
                model = network.build().eval()
            except ArchError as error:
                assert label in names.CONTAINER_ATTRIBUTES and "q_pin" in place.title, (place.title, str(error))
                continue
            template = network.graph.template
            shapes = [template.types[value].values for _, value in template.inputs]
            model(*(torch.zeros(1, *shape) for shape in shapes))
            ran += 1
    assert ran > 20


def test_every_attribute_of_a_container_is_known() -> None:
    containers = (torch.nn.Sequential(), torch.nn.ModuleList(), torch.nn.ModuleDict())
    public = {name for container in containers for name in dir(container) if not name.startswith("_")}
    assert public - names.MODULE_ATTRIBUTES == names.CONTAINER_ATTRIBUTES
