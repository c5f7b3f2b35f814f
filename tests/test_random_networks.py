"""Random networks: documents that are right by construction, each with its twin that breaks one rule.

Every document is a function of its number; `python bench/fuzz.py --first N --count 1` shows one that fails.
docs/reliability.md says what is drawn and what it is compared with.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from random_networks.networks import document
from random_networks.runs import Outcome, run
from random_networks.twins import KINDS, twin

from archdsl.ops import OPS

DOCUMENTS = 500
EVERY_FVCORE = 20
"""fvcore takes longer than all else together: CI asks it about every 20th document, bench/fuzz.py about all."""

# fvcore is written with what torch has deprecated since.
pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit:DeprecationWarning", "ignore:Initializing zero-element:UserWarning"
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Outcome]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder: Path = tmp_path_factory.mktemp("drawn")
    yield [run(seed, folder, seed % EVERY_FVCORE == 0) for seed in range(DOCUMENTS)]
    torch.set_num_threads(threads)


def test_documents_are_right_and_their_twins_are_refused(outcomes: list[Outcome]) -> None:
    failures = [f"number {made.seed}: {failure}" for made in outcomes for failure in made.failures]
    assert not failures, f"{len(failures)} failures, the first:\n{failures[0]}"
    assert sum(made.beyond_bounds for made in outcomes) <= DOCUMENTS // 100


OPERATORS = ("//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or", "not", "is none", "is not none",
             "exact quotient", "if expression")  # fmt: skip
FUNCTIONS = (
    "ceil",
    "floor",
    "int",
    "round",
    "abs",
    "min",
    "max",
    "sum",
    "len",
    "range",
    "first",
    "last",
    "divisible",
)
TYPES = ("dim", "count", "int", "odd", "ratio", "real", "bool", "str", "op", "block", "[dim]", "[count]",
         "[int]",
         "[odd]", "[ratio]", "[real]", "[bool]", "[str]", "dim?", "odd?", "ratio?", "[dim]?",
         "op?")  # fmt: skip
OF_BLOCKS = (
    "block", "docstring", "block in a block", "block called with other numbers", "block as an argument",
    "block of several results in a block", "operation or block as an argument", "string as an argument",
    "computed default", "extent written as a number", "extent name twice", "positional argument",
    "tensors by name",
    "style pipe", "style call", "style infix", "label", "label with index", "shared module", "residual",
    "let of a number", "let given anew", "let of an operation", "typed let", "several targets",
    "several results",
    "if", "else", "else if", "if expression of tensors", "else if expression", "for", "for in for",
    "comprehension of numbers", "comprehension of tensors", "list of tensors that grows",
    "element of a list of tensors", "lists joined", "repetition in a list", "rearrange ()", "require", "init",
    "output train and eval", "computed in training alone",
)  # fmt: skip
OF_NETWORKS = (
    "docstring of a network", "several inputs", "parameter", "typed parameter", "parameter that is called",
    "num_classes", "num_classes outside of the head", "let of num_classes", "drop_path", "entry",
    "primitive as an entry", "stage", "width of a stage", "repeated block", "repetition in each", "each",
    "labelled block of a stage", "list of blocks", "if in a stage", "if in a network", "for in a network",
    "let in a network", "require in a network", "a block adds a stream", "block of another stream",
    "block of two streams", "streams joined", "head", "classifier", "features", "build", "import",
)  # fmt: skip
OF_VARIATIONS = (
    "another resolution", "variant", "space", "choose of blocks", "each choose", "subject to", "setting x =",
    "setting x[] =", "setting x.x =", "setting x +=", "setting unset x", "setting unset x.x",
)  # fmt: skip


def test_everything_is_drawn(outcomes: list[Outcome]) -> None:
    seen = sum((made.seen for made in outcomes), Counter[str]())
    wanted = [*OPERATORS, *OF_BLOCKS, *OF_NETWORKS, *OF_VARIATIONS]
    wanted += [f"function {name}" for name in FUNCTIONS] + [f"type {name}" for name in TYPES]
    wanted += [f"primitive {kind}" for kind in OPS]
    assert [construct for construct in wanted if not seen[construct]] == []


def test_every_kind_of_twin_is_drawn(outcomes: list[Outcome]) -> None:
    assert {made.twin for made in outcomes if made.twin} == set(KINDS)


PRINTED = (
    "from random_networks.networks import document\n"
    "from random_networks.twins import twin\n"
    "print(''.join(document(seed).text + twin(seed).text for seed in range(5)), end='')\n"
)


def test_a_document_is_a_function_of_its_number() -> None:
    wanted = "".join(document(seed).text + twin(seed).text for seed in range(5))
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", PRINTED]
        made = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert made.stdout == wanted
