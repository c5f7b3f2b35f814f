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
import ast
import contextlib
import importlib
import inspect
import io
import sys
import tempfile
import textwrap
import tokenize
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import safetensors.torch
import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "bench")]

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
    from reference import randomise

    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        theirs = recipe.build(checkout, factory).double()
    randomise(theirs)
    theirs.eval()  # now: some keep what they compute from their weights here
    network = archdsl.load(address)
    side = network.stats().input
    image = torch.randn(1, *side, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    parts = getattr(recipe, "parts", None)
    pairs: dict[str, str] = parts(factory) if parts is not None else recipe.PARTS
    ours = loaded(network, recipe, theirs)
    print(f"\n{address}: {factory}")
    stats = network.stats()
    trained = sum(p.numel() for p in theirs.parameters() if p.requires_grad)
    row("", "ours", "theirs")
    row("params", stats.params, trained)
    for operator, count in counted(theirs, image).items():
        row(operator, stats.macs_by_operator.get(operator, 0), count)
    mine, other = run(ours, list(pairs), image), run(theirs, list(pairs.values()), image)
    worst = max(((difference(mine[a], other[b]), a) for a, b in pairs.items()), default=(0.0, "none"))
    whole = difference(mine[""], other[""])
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
    return sum(lines_of(inspect.getsource(found)) for found in own)


def lines_of(source: str) -> int:
    """Lines that hold code: no blank lines, comments and docstrings."""
    text = textwrap.dedent(source)
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            said = body[0].value
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                docstrings.update(range(said.lineno, said.end_lineno + 1))
    silent = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    used = {line for t in tokens if t.type not in silent for line in range(t.start[0], t.end[0] + 1)}
    return len(used - docstrings)


def row(what: str, ours: object, theirs: object) -> None:
    """Print one line of the table."""
    texts = [f"{value:,}" if isinstance(value, int) else str(value) for value in (ours, theirs)]
    same = "" if not isinstance(ours, int) else "equal" if ours == theirs else "DIFFERENT"
    print(f"  {what:<8}{texts[0]:>16}{texts[1]:>16}  {same}".rstrip())


def loaded(network: archdsl.Network, recipe: ModuleType, theirs: torch.nn.Module) -> torch.nn.Module:
    """Our module with the reference's weights, which go through a file and the document's key map."""
    state = {key: value.contiguous().clone() for key, value in theirs.state_dict().items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "theirs.safetensors"
        safetensors.torch.save_file(state, path)
        ours: Any = network.build().double()
        archdsl.load_weights(ours, path, keys=recipe.KEYS)
    return ours.eval()


def counted(theirs: torch.nn.Module, image: torch.Tensor) -> dict[str, int]:
    """Multiply-accumulates of one image by operator."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        theirs(image)
    result = {"conv": 0, "linear": 0, "matmul": 0}
    for operator, flops in counter.get_flop_counts()["Global"].items():
        result[OPERATORS[str(operator).removeprefix("aten.").partition(".")[0]]] += flops // 2
    return result


def run(module: torch.nn.Module, paths: list[str], image: torch.Tensor) -> dict[str, torch.Tensor]:
    """The output of a module, under "", and of its parts."""
    seen: dict[str, torch.Tensor] = {}

    def hook(path: str) -> Any:
        def note(_module: object, _inputs: object, output: Any) -> None:
            seen[path] = output[0] if isinstance(output, tuple) else output

        return note

    handles = [module.get_submodule(path).register_forward_hook(hook(path)) for path in paths]
    with torch.no_grad():
        output = module(image)
    for handle in handles:
        handle.remove()
    return {**seen, "": output[0] if isinstance(output, tuple) else output}


def difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """The largest difference beside the largest value; ours is laid out as theirs first."""
    from reference import laid_out_as

    ours = laid_out_as(ours, theirs)
    if ours.shape != theirs.shape:
        raise SystemExit(f"shapes differ: {tuple(ours.shape)}, {tuple(theirs.shape)}")
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


if __name__ == "__main__":
    main()
