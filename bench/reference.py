"""Compare a network of the zoo with its reference outside timm: figures, and outputs whole and part by part.

    python bench/reference.py edgevit CHECKOUT          a checkout of the reference's repository
    python bench/reference.py edgevit CHECKOUT XXS      only documents that have XXS in their address
    python bench/reference.py edgevit CHECKOUT --keep   keep the results, for docs/zoo.md
    python bench/reference.py timm_models .             the networks that timm has

The recipe `bench/references/<name>.py` says how the reference is built; none of its code is here. Every weight
and buffer of the reference is randomised in float64 and loaded into ours by the document's key map; then both
run the same image. Printed for every network: parameters and multiply-accumulates of both, by torch's
FlopCounterMode on a forward pass of theirs and by the graph of ours, and the largest relative difference of the
outputs and of each part. The reference's lines of code are those of the classes that its modules are instances
of and of their bases, without blank lines, comments and docstrings; torch's own classes are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import sys
import tempfile
import textwrap
import warnings
from pathlib import Path
from types import ModuleType

import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "bench")]

from comparison import python_lines  # noqa: E402
from reference import laid_out_as, randomise, record, relative, with_weights_of  # noqa: E402

import archdsl  # noqa: E402

KEPT = ROOT / "tests" / "facts" / "references.yaml"
OPERATORS = {"convolution": "conv", "addmm": "linear", "mm": "linear", "bmm": "matmul", "baddbmm": "matmul"}


def main() -> None:
    """Run one recipe."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("name", help="a recipe in bench/references")
    parser.add_argument("checkout", type=Path, help="a checkout of the reference's repository")
    parser.add_argument("only", nargs="?", default="", help="a part of the addresses to compare")
    parser.add_argument("--keep", action="store_true", help="keep the results for docs/zoo.md")
    options = parser.parse_args()
    recipe = importlib.import_module(f"references.{options.name}")
    print(f"{recipe.REPOSITORY} at {recipe.COMMIT}")
    for address, factory in recipe.NETWORKS.items():
        if options.only in address:
            result = compare(recipe, options.checkout, address, factory)
            if options.keep:
                keep(address, {"repository": recipe.REPOSITORY, "commit": recipe.COMMIT, **result})


def compare(recipe: ModuleType, checkout: Path, address: str, factory: str) -> dict[str, object]:
    """Print the comparison of one network; what docs/zoo.md says of it."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        theirs = recipe.build(checkout, factory).double()
    randomise(theirs)
    theirs.eval()  # now: some keep what they compute from their weights here
    network = archdsl.load(address)
    side = network.stats().input
    image = torch.randn(1, *side, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    pairs: dict[str, str] = recipe.parts(network, address)
    with tempfile.TemporaryDirectory() as folder:
        ours, _ = with_weights_of(theirs, network, recipe.KEYS, Path(folder) / "theirs.safetensors")
    ours.eval()
    print(f"\n{address}: {factory}")
    stats = network.stats()
    trained = sum(p.numel() for p in theirs.parameters() if p.requires_grad)
    row("", "ours", "theirs")
    row("params", stats.params, trained)
    for operator, count in counted(theirs, image).items():
        row(operator, stats.macs_by_operator.get(operator, 0), count)
    mine, other = record(ours, pairs, image), record(theirs, pairs.values(), image)
    whole, *rest = (relative(laid_out_as(mine[a], other[b]), other[b]) for a, b in {"": "", **pairs}.items())
    worst = max(zip(rest, pairs, strict=True))
    print(f"  outputs differ by {whole:.1e}, of {len(pairs)} parts at most {worst[0]:.1e} ({worst[1]})")
    lines = code_lines(theirs)
    print(f"  the reference has {lines} lines of code")
    differences = {"outputs": float(f"{whole:.1e}"), "parts": len(pairs), "worst": float(f"{worst[0]:.1e}")}
    return {**differences, "lines": lines}


def keep(address: str, result: dict[str, object]) -> None:
    """Put the results of one network into the file of facts, in the order of addresses."""
    known = yaml.safe_load(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    text = yaml.safe_dump({**known, address: result}, width=110)
    KEPT.write_text(f"# What `bench/reference.py ... --keep` measured.\n{text}", encoding="utf-8")


def code_lines(module: torch.nn.Module) -> int:
    """Lines of code of the classes that a module and those in it are instances of, and of their bases."""
    classes = {base for inner in module.modules() for base in type(inner).__mro__}
    others = ("torch", "builtins", "abc", "references")
    own = [found for found in classes if found.__module__.partition(".")[0] not in others]
    return sum(python_lines(textwrap.dedent(inspect.getsource(found))) for found in own)


def row(what: str, ours: object, theirs: object) -> None:
    """Print one line of the table."""
    texts = [f"{value:,}" if isinstance(value, int) else str(value) for value in (ours, theirs)]
    same = "" if not isinstance(ours, int) else "equal" if ours == theirs else "DIFFERENT"
    print(f"  {what:<8}{texts[0]:>16}{texts[1]:>16}  {same}".rstrip())


def counted(theirs: torch.nn.Module, image: torch.Tensor) -> dict[str, int]:
    """Multiply-accumulates of one image by operator."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        theirs(image)
    result = {"conv": 0, "linear": 0, "matmul": 0}
    for operator, flops in counter.get_flop_counts()["Global"].items():
        result[OPERATORS[str(operator).removeprefix("aten.").partition(".")[0]]] += flops // 2
    return result


if __name__ == "__main__":
    main()
