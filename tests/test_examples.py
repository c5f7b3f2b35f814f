"""The examples that are more than a script. All of them are run by `.ci/run`."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pages
import pytest
import torch
from reference import randomise

import archdsl

ROOT = Path(__file__).parent.parent
# A segmenter's labels on docs/examples.md, and the modules of examples/segmenter.py.
NAMES = {
    r"neck\.(inner|layer)(\d)": lambda m: f"pyramid.neck.{m[1]}_blocks.{int(m[2]) - 1}.0",
    r"mask\.from(\d)(?:\.(\d))?\.(conv|norm)": (
        lambda m: f"head.branches.s{m[1]}.{4 * int(m[2] or 0) + (m[3] == 'norm')}"
    ),
    r"mask\.classifier": lambda m: "head.classifier",
    r"(?=stem|s\d|down)": lambda m: "pyramid.backbone.",
}


def their_name(key: str) -> str:
    return next(re.sub(f"^{ours}", theirs, key) for ours, theirs in NAMES.items() if re.match(ours, key))


def test_the_segmenter_in_the_language_is_that_of_the_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
    document = tmp_path / "segmenter.arch"
    document.write_text(next(f.text for f in pages.fences(page) if f.file == document.name), encoding="utf-8")
    monkeypatch.syspath_prepend(ROOT / "examples")
    example = importlib.import_module("segmenter")

    theirs = example.Segmenter(archdsl.load("s2", resolution=128), classes=3).double().eval()
    randomise(theirs)
    weights = theirs.state_dict()
    ours = archdsl.load(document).build().double().eval()
    ours.load_state_dict({key: weights[their_name(key)] for key in ours.state_dict()})
    left = weights.keys() - {their_name(key) for key in ours.state_dict()}
    assert {key.rpartition(".")[0] for key in left} == {"pyramid.backbone.norm"}, "what no map of it reads"

    image = torch.rand(1, 3, 128, 128, dtype=torch.float64) * 2 - 1
    with torch.no_grad():
        wanted, found = theirs(image), ours(image)
    assert wanted.std() > 1e-3 * wanted.abs().mean()
    assert (found - wanted).abs().max() <= 1e-12 * wanted.abs().max()
