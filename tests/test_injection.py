"""Texts that mean harm at every place of a document: a clear error, or the source of the harmless document.

`docs/reliability.md` tells what was found. The texts, the places and what may come of them are in `injection`.
"""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path
from random import Random
import re
import pytest
from injection import outcome, places, texts
from injection.canonical import Escape

CASES = 20_000


@pytest.fixture(scope="module", autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("injection"))
        for name, text in places.BESIDE.items():
            Path(name).write_text(text, encoding="utf-8")
        yield


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
            escapes.append(f"{place.title}, {encoder.__name__}, {family} {text[:60]!a}: {type(error).__name__} {error}"[:300])
    with capsys.disabled():
        print(f"\ninjection: {CASES:,} texts at {len(places.PLACES)} places: " + ", ".join(
            f"{count:,} {what}" for what, count in sorted(found.items())) + f", {len(escapes)} escaped")
    assert not escapes, "\n".join(escapes[:400])
    assert not Path(texts.MARK).exists()
