"""The same network and the same mistakes in four descriptions: every number of docs/comparison.md.

    python bench/comparison.py

timm's part needs timm, that about rows needs ultralytics (which is AGPL, and no dependency of ours: install it
in an environment of its own, with PYTHONPATH at this repository); what is not there is left out.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.metadata
import importlib.util
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

OURS = ("specs/s0.yaml", "specs/efficientformerv2_base.yaml", "specs/blocks/efficientformerv2.arch",
        "specs/blocks/convolution.arch")  # fmt: skip

# S0 in the layout of rows, in words of our own; the modules that it names would be written in Python.
ROWS = """\
nc: 1000
backbone:
  # [from, repeats, module, args]
  - [-1, 1, ConvStem, [32]]  # 0
  - [-1, 2, FFN, [32, 4]]  # 1
  - [-1, 1, ConvDownsample, [48]]  # 2
  - [-1, 2, FFN, [48, 4]]  # 3
  - [-1, 1, ConvDownsample, [96]]  # 4
  - [-1, 1, FFN, [96, 4]]  # 5
  - [-1, 3, FFN, [96, 3]]  # 6
  - [-1, 2, AttentionBlock, [96, 4, 2]]  # 7
  - [-1, 1, DualPathDownsample, [176]]  # 8
  - [-1, 1, FFN, [176, 4]]  # 9
  - [-1, 1, FFN, [176, 3]]  # 10
  - [-1, 1, AttentionBlock, [176, 3]]  # 11
  - [-1, 1, AttentionBlock, [176, 4]]  # 12
head:
  - [-1, 1, DistilledHead, [nc]]  # 13
"""

# A small network of modules that ultralytics has, for the mistakes.
SMALL_ROWS = """\
nc: 10
backbone:
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 2, C2f, [32, True]]
  - [-1, 1, Conv, [32, 3, 2]]
  - [-1, 1, C2f, [64, True]]
head:
  - [-1, 1, nn.Upsample, [None, 2, nearest]]
  - [[-1, 1], 1, Concat, [1]]
  - [-1, 1, Conv, [8, 1]]
"""


def written_lines(text: str) -> int:
    """The lines of a document or YAML that are neither empty nor a comment."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in text.splitlines())


def python_lines(text: str) -> int:
    """The lines of Python that hold code: no blank ones, no comments, no docstrings."""
    tree = ast.parse(text)
    prose: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            prose.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = enumerate(text.splitlines(), 1)
    return sum(bool(line.strip()) and line.strip()[0] != "#" and number not in prose for number, line in lines)


def our_lines() -> dict[str, int]:
    """Lines by file of our description, and of the file that is generated."""
    import archdsl

    counted = {name: written_lines((ROOT / name).read_text(encoding="utf-8")) for name in OURS}
    return {**counted, "the generated file": python_lines(archdsl.load("s0").source())}


def attempt(what: str, make: Callable[[], object]) -> None:
    """Print what comes of a mistake."""
    try:
        # torch.fx prints a traceback of its own before it raises.
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            result = str(make())
    except Exception as error:
        result = f"{type(error).__name__}: {' '.join(str(error).split())[:140]}"
    print(f"  {what:<58} {result}")


def lines_of_timm() -> tuple[int, int]:
    """Lines of timm's module: all, and those of its classes."""
    from reference import timm

    timm()
    from timm.models import efficientformer_v2

    text = Path(efficientformer_v2.__file__).read_text(encoding="utf-8")
    classes = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    bodies = ["\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno]) for node in classes]
    return python_lines(text), sum(map(python_lines, bodies))


def mistakes_of_timm() -> None:
    """The same kinds of mistakes, given to timm's network as arguments."""
    import torch
    from reference import timm_model

    image = torch.zeros(1, 3, 224, 224)

    def made(**options: object) -> str:
        model = timm_model("efficientformerv2_s0", **options)
        return f"accepted: {sum(p.numel() for p in model.parameters()):,} parameters"

    def run(size: int = 224, **options: object) -> str:
        model = timm_model("efficientformerv2_s0", **options).eval()
        return f"accepted: {tuple(model(image if size == 224 else torch.zeros(1, 3, size, size)).shape)}"

    from timm import list_models

    print(f"  networks that it has: {len(list_models()):,}")
    attempt("as it is", made)
    attempt("a misspelt keyword, mlp_ratio", lambda: made(mlp_ratio=4))
    attempt("8 ratios for 6 blocks", lambda: made(mlp_ratios=(4, 4, (4, 3, 3, 3, 4, 4, 9, 9), (4, 3, 3, 4))))
    attempt("3 ratios for 6 blocks", lambda: made(mlp_ratios=(4, 4, (4, 3, 3), (4, 3, 3, 4))))
    attempt("5 widths for 4 stages, made", lambda: made(embed_dims=(32, 48, 96, 176, 200)))
    attempt("5 widths for 4 stages, run", lambda: run(embed_dims=(32, 48, 96, 176, 200)))
    attempt("a width that is text", lambda: made(embed_dims=("32", 48, 96, 176)))
    attempt("a width that is True, run", lambda: run(embed_dims=(32, 48, 96, True)))
    attempt("99 of 4 blocks with attention", lambda: made(num_vit=99))
    attempt("distillation='no'", lambda: made(distillation="no"))
    attempt("drop_path_rate=5.0, made", lambda: made(drop_path_rate=5.0))
    attempt(
        "drop_path_rate=5.0, run in training",
        lambda: timm_model("efficientformerv2_s0", drop_path_rate=5.0).train()(torch.zeros(2, 3, 224, 224)),
    )
    attempt("act_layer='gleu'", lambda: made(act_layer="gleu"))
    attempt("made for 224, run at 256", lambda: run(size=256))
    from timm.models._efficientnet_builder import decode_arch_def

    for text in ("se0.25", "se025", "sr0.25", "noskp"):
        attempt(
            f"a block of text, 'ir_r2_k3_s2_e6_c24_{text}'",
            lambda text=text: "accepted: se_ratio {se_ratio}, noskip {noskip}".format(
                **decode_arch_def([[f"ir_r2_k3_s2_e6_c24_{text}"]])[0][0]
            ),
        )


def traced() -> None:
    """What torch.fx writes of both modules, and of modules with odd names."""
    import torch
    from reference import timm_model
    from torch import fx, nn

    import archdsl

    for whose, model in (("timm's", timm_model("efficientformerv2_s0")), ("ours", archdsl.load("s0").build())):
        graph = fx.symbolic_trace(model.eval())
        lines = [line for line in graph.code.splitlines() if line.strip()]
        asserts = sum("torch._assert" in line for line in lines)
        items = sum("getitem" in line for line in lines)
        shapes = sum("getattr" in line for line in lines)
        constants = sum("_tensor_constant" in line for line in lines)
        print(
            f"  {whose}: {len(lines)} lines, {asserts} asserts, {items} with getitem, {shapes} with getattr,"
            f" {constants} with _tensor_constant"
        )
        lost = set(model.state_dict()) - set(graph.state_dict())
        names = {key.rpartition(".")[2] for key in lost}
        print(f"    keys of state_dict lost: {len(lost)} of {len(model.state_dict())} {sorted(names)}")
        sizes = next((line.strip() for line in lines if ", 49)" in line), "none with 49, the positions at 224")
        print(f"    a size that is written into it: {sizes[:110]}")
        for what, network in (("  run at 256", graph), ("  not traced, run at 256", model)):
            attempt(what, lambda run=network: f"accepted: {type(run(torch.zeros(1, 3, 256, 256)))}")
    kept = torch.randn(3)

    class Tensors(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + kept

    print(f"  a tensor of a module's surroundings: {fx.symbolic_trace(Tensors()).code.split(chr(10))[-4:]}")
    for name in ("class", 'a"b', "None", "float", "x y"):
        holder = nn.Sequential()

        def run(name: str = name, holder: nn.Module = holder) -> str:
            holder.add_module(name, nn.Linear(2, 2))
            return f"accepted: {tuple(fx.symbolic_trace(holder)(torch.zeros(1, 2)).shape)}"

        attempt(f"a module called {name!r}", run)


def mistakes_of_rows() -> None:
    """Mistakes in rows, as ultralytics reads them."""
    os.environ.update(YOLO_CONFIG_DIR=tempfile.mkdtemp(), YOLO_OFFLINE="1", YOLO_VERBOSE="false")
    import torch
    from ultralytics.nn.tasks import parse_model
    from ultralytics.utils import YAML

    folder = Path(tempfile.mkdtemp())

    def made(text: str, runs: bool = True) -> str:
        (folder / "rows.yaml").write_text(text, encoding="utf-8")
        rows = YAML.load(folder / "rows.yaml")
        model, saved = parse_model(rows, 3, verbose=False)
        told = f"accepted: {sum(p.numel() for p in model.parameters()):,} parameters, nc {rows['nc']}"
        told += f", {next(iter(model.state_dict()))}" if text == SMALL_ROWS else ""
        if not runs:
            return told
        x, outputs = torch.zeros(1, 3, 64, 64), []
        for layer in model:
            if layer.f != -1:
                x = [x if place == -1 else outputs[place] for place in layer.f]
            x = layer(x)
            outputs.append(x if layer.i in saved else None)
        return f"{told}, {tuple(x.shape)}"

    def changed(old: str, new: str) -> str:
        assert old in SMALL_ROWS
        return SMALL_ROWS.replace(old, new)

    last = "[-1, 1, Conv, [8, 1]]"
    attempt("as it is", lambda: made(SMALL_ROWS))
    attempt("an unknown key, depth_multipel", lambda: made("depth_multipel: 0.33\n" + SMALL_ROWS))
    attempt("nc twice, 10 and 80", lambda: made(SMALL_ROWS + "nc: 80\n"))
    attempt("a width that is text, '16'", lambda: made(changed("[16, 3, 2]", "['16', 3, 2]")))
    attempt("no for a shortcut", lambda: made(changed("[32, True]", "[32, no]")))
    attempt("Ture for a shortcut", lambda: made(changed("[32, True]", "[32, Ture]")))
    attempt("kernel and stride exchanged", lambda: made(changed("[16, 3, 2]", "[16, 2, 3]")))
    attempt("repeats yes", lambda: made(changed("[-1, 2, C2f", "[-1, yes, C2f")))
    row = "  - [-1, 2, C2f, [32, True]]"
    inserted = f"  - [-1, 1, Conv, [48, 3, 1]]\n{row}"
    attempt("a row inserted before the one that Concat reads", lambda: made(changed(row, inserted)))
    attempt("wrong channels, made", lambda: made(changed(last, "[-1, 1, nn.Conv2d, [3, 8, 1]]"), False))
    attempt("wrong channels, run", lambda: made(changed(last, "[-1, 1, nn.Conv2d, [3, 8, 1]]")))
    attempt("an argument too many", lambda: made(changed("[8, 1]", "[8, 1, 1, 0, 1, 1, True, 9]")))
    for name in ("Convv", "class", "float", "FFN"):
        attempt(f"a module {name}", lambda name=name: made(changed(last, f"[-1, 1, {name}, [8, 1]]")))
    mark = folder / "mark"
    code = f"torch.nn.ReLU() if open('{mark}', 'w') else None"
    attempt("code as an activation", lambda: made(f'activation: "{code}"\n{SMALL_ROWS}'))
    print(f"    it ran: {mark.exists()}")


def main() -> None:
    versions = {"python": sys.version.split()[0]}
    for package in ("torch", "timm", "ultralytics"):
        if importlib.util.find_spec(package) is not None:
            versions[package] = importlib.metadata.version(package)
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print("\nlines")
    for name, count in our_lines().items():
        print(f"  {count:>4}  {name}")
    print(f"  {written_lines(ROWS):>4}  rows, without the modules that they name")
    if "timm" in versions:
        whole, classes = lines_of_timm()
        print(f"  {whole:>4}  timm/models/efficientformer_v2.py, {classes} of them in its classes")
        print("\ntimm")
        mistakes_of_timm()
        print("\ntorch.fx")
        traced()
    if "ultralytics" in versions:
        print("\nrows, ultralytics")
        mistakes_of_rows()


if __name__ == "__main__":
    main()
