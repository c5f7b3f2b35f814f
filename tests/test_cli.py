"""The command line: every command and option, exit codes, and that it stays quiet, quick and the same."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import archdsl
from archdsl.cli import main
from archdsl.network import load
from archdsl.schema import StatsReport

ROOT = Path(archdsl.__file__).parent.parent
PARAMS, MACS = 3_600_256, 395_892_544

NETWORK = """archdsl: 1
import: mine
network: Small
input: [3, 16, 16]
parameters:
  width: 8
  num_classes: 10
body:
  stem: stem(width)
  s1:
    width: width
    blocks:
      - convolve * 2
head:
  pool: global_avg_pool
  classifier: linear(num_classes)
"""
BLOCKS = """archdsl 1
import "convolution"
block stem(x: [C, H, W]; out: dim) -> [out, ceil(H / 2), ceil(W / 2)] {
  return x |> conv: conv_bn(out, kernel = 3, stride = 2) |> relu
}
block convolve(x: [C, H, W]) -> [C, H, W] {
  return x + (x |> conv: conv_bn(C, kernel = 3) |> relu)
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small network of our own, the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARCHDSL_PATH", raising=False)
    (tmp_path / "small.yaml").write_text(NETWORK, encoding="utf-8")
    (tmp_path / "mine.arch").write_text(BLOCKS, encoding="utf-8")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command."""
    try:
        code = main(argv)
    except SystemExit as left:  # argparse's own way out
        code = int(left.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def in_a_process(*argv: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    env = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "archdsl", *argv]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, timeout=60)


# --- stats


@pytest.mark.parametrize("spec", ["s0", "specs/s0", "specs/s0.yaml", "s0.yaml"])
def test_a_bundled_spec_by_all_its_names(spec: str, folder: Path, capsys) -> None:
    code, out, err = run(capsys, "stats", spec)
    assert (code, err) == (0, "")
    assert f"{PARAMS:,}" in out and f"{MACS:,}" in out and out.endswith("\n")


def test_table(folder: Path, capsys) -> None:
    code, out, _ = run(capsys, "stats", "small.yaml")
    lines = out.splitlines()
    assert code == 0 and lines[0] == "Small at 3 x 16 x 16"
    assert lines[2].split() == ["path", "kind", "output", "params", "MACs", "share"]
    assert [line.split()[0] for line in lines[3:7]] == ["stem", "s1", "pool", "classifier"]
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("by", ["stage", "block", "op"])
@pytest.mark.parametrize("convention", ["core", "fvcore", "paper"])
def test_json_is_what_the_schema_says(by: str, convention: str, capsys) -> None:
    code, out, _ = run(capsys, "stats", "s0", "--format", "json", "--by", by, "--convention", convention)
    report = StatsReport.model_validate_json(out)
    assert code == 0 and (report.by, report.convention) == (by, convention)
    assert report.input == [3, 224, 224] and (report.batch, report.dtype) == (1, "float32")
    assert sum(row.macs for row in report.rows) == report.macs == sum(report.macs_by_operator.values())
    assert sum(row.params for row in report.rows) == report.params
    assert report.model_dump() == load("s0").stats(convention, by).as_dict()  # type: ignore[arg-type]
    assert convention == "paper" or report.params == PARAMS


def test_rows_of_each_grouping(capsys) -> None:
    kinds = {}
    for by in ("stage", "block", "op"):
        _, out, _ = run(capsys, "stats", "s0", "--format", "json", "--by", by)
        kinds[by] = [row.path for row in StatsReport.model_validate_json(out).rows]
    assert "s3" in kinds["stage"] and "s3.4" in kinds["block"]
    assert "s3.4.token_mixer.q.conv" in kinds["op"]


def test_many_networks_are_one_table(folder: Path, capsys) -> None:
    argv = ["stats", "--all", "--by", "network", "zoo/mobilenetv2", "s0", "supernet"]
    code, out, _ = run(capsys, *argv)
    first, *lines = out.splitlines()
    assert code == 0 and first.split()[:3] == ["network", "input", "params"]
    assert [line.split()[0] for line in lines[:4]] == [
        "MobileNetV2", "MobileNetV2_140", "EfficientFormerV2_S0", "EfficientFormerV2_Supernet",
    ]  # fmt: skip
    assert f"{PARAMS:,}" in lines[2] and " to " in lines[3] and "convention core" in lines[-1]
    _, out, _ = run(capsys, *argv, "--format", "csv")
    rows = {row["network"]: row for row in csv.DictReader(io.StringIO(out))}
    assert len(rows) == 5 and int(rows["EfficientFormerV2_S0"]["macs"]) == MACS
    ends = [int(rows[f"EfficientFormerV2_Supernet ({end})"]["params"]) for end in ("least", "most")]
    assert ends[0] < PARAMS < ends[1]
    _, out, _ = run(capsys, *argv, "--format", "markdown")
    assert out.splitlines()[1] == "|---|---|---:|---:|---:|---:|"
    _, out, _ = run(capsys, *argv[:-1], "--format", "json")
    assert [report["name"] for report in json.loads(out)] == [
        "MobileNetV2",
        "MobileNetV2_140",
        "EfficientFormerV2_S0",
    ]


def test_all_of_one_named_network_is_that_one(capsys) -> None:
    code, out, _ = run(capsys, "stats", "--all", "--by", "network", "zoo/mobilenetv2#MobileNetV2_140")
    assert code == 0 and [line.split()[0] for line in out.splitlines()[1:2]] == ["MobileNetV2_140"]
    assert run(capsys, "stats", "--all", "nowhere")[0] == 2


def test_json_of_several_specs_is_a_list(folder: Path, capsys) -> None:
    code, out, _ = run(capsys, "stats", "s0", "small.yaml", "--format", "json")
    reports = [StatsReport.model_validate(item) for item in json.loads(out)]
    assert code == 0 and [report.name for report in reports] == ["EfficientFormerV2_S0", "Small"]


def test_csv(capsys) -> None:
    code, out, _ = run(capsys, "stats", "s0", "--format", "csv", "--by", "block")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0 and set(rows[0]) == {"path", "kind", "shape", "params", "macs"}
    assert int(rows[-1]["params"]) == PARAMS == sum(int(row["params"]) for row in rows[:-1])
    assert int(rows[-1]["macs"]) == MACS


def test_markdown(capsys) -> None:
    code, out, _ = run(capsys, "stats", "s0", "--format", "markdown")
    table = [line for line in out.splitlines() if line.startswith("|")]
    assert code == 0 and len({line.count("|") for line in table}) == 1
    assert f"{PARAMS:,}" in table[-1]


def test_batch_and_dtype_scale_bytes_and_not_macs(capsys) -> None:
    def report(*argv: str) -> StatsReport:
        code, out, _ = run(capsys, "stats", "s0", "--format", "json", *argv)
        assert code == 0
        return StatsReport.model_validate_json(out)

    one, eight = report(), report("--batch", "8")
    assert eight.macs == one.macs and eight.params == one.params and eight.batch == 8
    # Attention biases are activations that no batch multiplies.
    assert 7.9 * one.activation_bytes < eight.activation_bytes < 8 * one.activation_bytes
    assert eight.weight_bytes == one.weight_bytes
    for dtype, size in (("float64", 8), ("float32", 4), ("float16", 2), ("bfloat16", 2), ("int8", 1)):
        made = report("--dtype", dtype)
        assert made.weight_bytes == size * PARAMS and made.dtype == dtype
        assert made.activation_bytes * 4 == one.activation_bytes * size


@pytest.mark.parametrize(
    ("written", "size"), [("192", [192, 192]), ("192x256", [192, 256]), ("256,192", [256, 192])]
)
def test_resolution(written: str, size: list[int], capsys) -> None:
    code, out, _ = run(capsys, "stats", "s0", "--format", "json", "--resolution", written)
    assert code == 0 and json.loads(out)["input"] == [3, *size]


def test_set(folder: Path, capsys) -> None:
    code, out, _ = run(
        capsys, "stats", "small.yaml", "--format", "json", "--set", "width=4 * 4", "--set", "num_classes=2"
    )
    report = StatsReport.model_validate_json(out)
    assert code == 0 and report.rows[0].shape == [16, 8, 8] and report.rows[-1].shape == [2]


def test_path(folder: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "mine.arch").rename(elsewhere / "mine.arch")
    code, _, err = run(capsys, "stats", "small.yaml")
    assert code == 2 and "there is no document 'mine' to import" in err
    assert run(capsys, "stats", "small.yaml", "--path", "nowhere", "--path", "elsewhere")[0] == 0
    monkeypatch.setenv("ARCHDSL_PATH", os.pathsep.join(["nowhere", "", str(elsewhere)]))
    assert run(capsys, "stats", "small.yaml")[0] == 0


# --- build


def test_build_writes_a_file_that_says_how_it_was_made(folder: Path, capsys) -> None:
    code, out, err = run(capsys, "build", "s0", "-o", "new/folder/net.py")
    assert (code, err) == (0, "")
    assert out == f"new/folder/net.py: {PARAMS:,} parameters, {MACS:,} MACs (core)\n"
    text = Path("new/folder/net.py").read_text(encoding="utf-8")
    assert text == load("s0").source() and "archdsl build s0" in text
    assert os.listdir("new/folder") == ["net.py"]


def test_build_has_a_place_of_its_own_for_its_file(folder: Path, capsys) -> None:
    assert run(capsys, "build", "small.yaml")[0] == 0
    assert os.listdir("build") == ["small.py"]


def test_build_to_the_terminal(folder: Path, capsys) -> None:
    before = sorted(os.listdir())
    code, out, _ = run(
        capsys, "build", "small.yaml", "--output", "-", "--resolution", "32x48", "--set", "width=4"
    )
    assert code == 0 and sorted(os.listdir()) == before
    assert "archdsl build small.yaml --resolution 32x48 --set width=4" in out
    compile(out, "small.py", "exec")


def test_build_replaces_a_file_and_keeps_its_mode(folder: Path, capsys) -> None:
    target = folder / "net.py"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    assert run(capsys, "build", "small.yaml", "-o", "net.py")[0] == 0
    assert target.read_text(encoding="utf-8") != "old" and target.stat().st_mode & 0o777 == 0o640


def test_build_of_a_wrong_document_touches_nothing(folder: Path, capsys) -> None:
    target = folder / "net.py"
    target.write_text("old", encoding="utf-8")
    (folder / "mine.arch").write_text(BLOCKS.replace("relu", "rleu"), encoding="utf-8")
    code, out, err = run(capsys, "build", "small.yaml", "-o", "net.py")
    assert (code, out) == (2, "") and "did you mean 'relu'?" in err
    assert target.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(
    "output",
    ["small.yaml/net.py", "folder", "a/b\0c.py", "a" * 300, "new/deep/" + "a" * 300, "new/small.yaml/../x\0"],
)
def test_an_impossible_output_is_the_surroundings_fault_and_leaves_nothing(
    output: str, folder: Path, capsys
) -> None:
    (folder / "folder").mkdir()
    before = sorted(str(path) for path in folder.rglob("*"))
    code, _, err = run(capsys, "build", "small.yaml", "-o", output)
    assert code == 3 and err.startswith("error[E0702]")
    assert sorted(str(path) for path in folder.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(folder: Path, capsys) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o500)
    code, _, err = run(capsys, "build", "small.yaml", "-o", "closed/net.py")
    assert code == 3 and "can't be written" in err and not list(closed.iterdir())


def test_the_document_itself_is_no_output(folder: Path, capsys) -> None:
    os.link("small.yaml", "same.py")
    for output in ("small.yaml", "./small.yaml", "same.py"):
        code, _, err = run(capsys, "build", "small.yaml", "-o", output)
        assert code == 2 and "is the document itself" in err
    assert Path("small.yaml").read_text(encoding="utf-8") == NETWORK


# --- show, verify


def test_show(folder: Path, capsys) -> None:
    code, out, _ = run(capsys, "show", "small.yaml")
    assert code == 0 and out == load("small.yaml").graph.dump()
    code, out, _ = run(capsys, "show", "s0", "s3.4.token_mixer")
    assert code == 0 and out.startswith("block mhsa(")


@pytest.mark.parametrize("path", ["s3.4.token_mixr", "s9", "stem.conv.conv", "", ".", "s1..conv"])
def test_show_of_nothing(path: str, folder: Path, capsys) -> None:
    code, out, err = run(capsys, "show", "small.yaml", path)
    if path:
        assert (code, out) == (2, "") and err.startswith("error[E0409]")
    else:
        assert code == 0


def test_verify_with_the_file_and_with_one_that_was_changed(folder: Path, capsys) -> None:
    assert run(capsys, "build", "small.yaml", "-o", "net.py")[0] == 0
    code, out, _ = run(capsys, "verify", "small.yaml", "net.py")
    assert code == 0 and "FAILED" not in out and out.count("ok  ") == len(out.splitlines())
    text = Path("net.py").read_text(encoding="utf-8")
    Path("net.py").write_text(text.replace("x + ", "x - ", 1), encoding="utf-8")
    code, out, _ = run(capsys, "verify", "small.yaml", "net.py")
    lines = out.splitlines()
    assert code == 1 and lines[0] == "FAILED  net.py is what small.yaml gives"
    assert lines[1].strip() == "write it again with: archdsl build small.yaml -o net.py"
    assert all(line.startswith("ok  ") for line in lines[2:])


def test_verify_without_a_file(folder: Path, capsys) -> None:
    code, out, _ = run(capsys, "verify", "small.yaml", "--resolution", "32", "--set", "width=4")
    assert code == 0 and "fvcore" in out and "parameters" in out


def test_verify_with_a_file_that_is_not_there(folder: Path, capsys) -> None:
    code, _, err = run(capsys, "verify", "small.yaml", "nothing.py")
    assert code == 2 and err.startswith("error[E0701]")


# --- exit codes and how mistakes of the command are said


def test_version_and_help(capsys) -> None:
    assert run(capsys, "--version") == (0, f"archdsl {archdsl.__version__}\n", "")
    code, out, err = run(capsys, "--help")
    assert code == 0 and err == "" and all(command in out for command in ("stats", "build", "show", "verify"))
    for command in ("stats", "build", "show", "verify"):
        code, out, _ = run(capsys, command, "--help")
        assert code == 0 and all(option in out for option in ("--resolution", "--set", "--path"))


WRONG = [
    ([], "required"),
    (["statz"], "statz"),
    (["stats"], "SPEC"),
    (["stats", "s0", "--format", "xml"], "xml"),
    (["stats", "s0", "--by", "layer"], "layer"),
    (["stats", "s0", "--convention", "timm"], "timm"),
    (["stats", "s0", "--dtype", "float8"], "float8"),
    (["stats", "s0", "--batch", "0"], "'0' is not a number of images"),
    (["stats", "s0", "--batch", "1e3"], "1e3"),
    (["stats", "s0", "--resolution", "big"], "'big' is not a size: write 224 or 192x256"),
    (["stats", "s0", "--resolution", "-1"], "--resolution"),
    (["stats", "s0", "--resolution", "٢٢٤"], "is not a size"),
    (["stats", "s0", "--resolution", "99999"], "out of bounds"),
    (["stats", "s0", "--resolution", "0"], "out of bounds"),
    (["stats", "s0", "--resolution", "208"], "192 x 192 and 224 x 224"),
    (["stats", "s0", "--set", "num_classes"], "write name=value"),
    (["stats", "s0", "--set", "=3"], "unexpected '='"),
    (["stats", "s0", "--set", "clases=3"], "no parameter, entry or stage 'clases'"),
    (["stats", "s0", "--set", "num_classes="], "the text ends too early"),
    (["stats", "s0", "--set", "num_classes=3; import os"], "the line ends too early"),
    (["stats", "s9"], "there is no document 's9'"),
    (["stats", "nothing.yaml"], "there is no document 'nothing.yaml'"),
    (["stats", "s0", "nothing.yaml"], "there is no document 'nothing.yaml'"),
    (["stats", "mine.arch"], "no network"),
    (["build", "s0", "s0"], "s0"),
    (["show", "mine.txt"], "neither .yaml nor .arch"),
]


@pytest.mark.parametrize(
    ("argv", "said"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else None
)
def test_wrong_commands_end_with_two(argv: list[str], said: str, folder: Path, capsys) -> None:
    (folder / "mine.txt").write_text("", encoding="utf-8")
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("error[E") and said in err and "Traceback" not in err


def test_a_missing_package_is_the_surroundings_fault(
    folder: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fvcore", None)
    monkeypatch.delitem(sys.modules, "fvcore.nn", raising=False)
    code, _, err = run(capsys, "verify", "small.yaml")
    assert code == 3 and err.startswith("error[E0706]") and "pip install" in err


# --- processes: what is imported, closed pipes, the same bytes everywhere

IMPORTED = """
import sys
from archdsl.cli import main
assert main(sys.argv[2:]) == 0
loaded = sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[1].split(",")))
print(",".join(loaded), file=sys.stderr)
"""
HEAVY = "torch,networkx,jinja2,pydantic,rich,fvcore,numpy,timm"


@pytest.mark.parametrize(
    ("argv", "loaded"),
    [
        (["stats", "s0"], ""),
        (["stats", "s0", "--format", "json", "--by", "op"], ""),
        (["stats", "--all", *map(str, sorted((ROOT / "specs/zoo").glob("*.yaml")))], ""),
        (["show", "s0"], ""),
        (["build", "s0", "-o", "-"], "jinja2"),
    ],
)
def test_what_is_not_needed_is_not_imported(argv: list[str], loaded: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", IMPORTED, HEAVY, *argv]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr.strip() == loaded


def test_the_package_runs_as_a_module(folder: Path) -> None:
    assert in_a_process("stats", "small.yaml", cwd=folder).returncode == 0
    wrong = in_a_process("stats", "nothing.yaml", cwd=folder)
    assert (wrong.returncode, wrong.stdout) == (2, b"") and wrong.stderr.startswith(b"error[E0701]")
    impossible = in_a_process("build", "small.yaml", "-o", "small.yaml/x.py", cwd=folder)
    assert impossible.returncode == 3


@pytest.mark.parametrize("argv", [["stats", "s0", "--by", "op"], ["show", "s0"], ["build", "s0", "-o", "-"]])
def test_a_reader_that_goes_away_is_no_error(argv: list[str], tmp_path: Path) -> None:
    # A pipe whose reader is gone before anything is written: what `| head` comes to.
    reading, writing = os.pipe()
    os.close(reading)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with os.fdopen(writing, "wb") as pipe:
        command = [sys.executable, "-m", "archdsl", *argv]
        done = subprocess.run(command, cwd=tmp_path, env=env, stdout=pipe, stderr=subprocess.PIPE, timeout=60)
    assert done.stderr == b"" and done.returncode in (0, -signal.SIGPIPE)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_behind_stdout_is_the_surroundings_fault(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "archdsl", "stats", "s0"]
        done = subprocess.run(command, cwd=tmp_path, env=env, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 3 and done.stderr.startswith(b"error[E0702]") and b"Traceback" not in done.stderr


def test_the_same_bytes_whatever_the_surroundings(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "an other folder"
    other.mkdir()
    (folder / "wrong.yaml").write_text(
        NETWORK.replace("convolve *", "convolv *").replace("(width)", "(widt)"), encoding="utf-8"
    )
    commands = [
        (["stats", "s0", "--format", "json", "--by", "op"], (folder, other)),
        (["build", "s0", "-o", "-"], (folder, other)),
        (["stats", "wrong.yaml"], (folder,)),
    ]
    settings = [
        {"PYTHONHASHSEED": "0", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "Asia/Kolkata"},
        {"PYTHONHASHSEED": "4242", "LC_ALL": "tr_TR.UTF-8", "PYTHONUTF8": "0", "COLUMNS": "20"},
    ]
    for argv, folders in commands:
        outputs = set()
        for environment, cwd in zip(settings, itertools.cycle(folders)):
            done = in_a_process(*argv, cwd=cwd, **environment)
            outputs.add((done.returncode, done.stdout, done.stderr))
        assert len(outputs) == 1, argv


def test_a_document_that_is_not_ascii_under_a_plain_locale(folder: Path) -> None:
    (folder / "mine.arch").write_text(BLOCKS + "# é\nblock é(", encoding="utf-8")
    (folder / "small.yaml").write_text(NETWORK + "doc: naïve ☃\n", encoding="utf-8")
    done = in_a_process("stats", "small.yaml", cwd=folder, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 2 and b"Traceback" not in done.stderr and b"error[E0102]" in done.stderr
    (folder / "mine.arch").write_text(BLOCKS, encoding="utf-8")
    done = in_a_process(
        "build", "small.yaml", "-o", "-", cwd=folder, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert done.returncode == 0 and done.stdout.isascii()
    assert in_a_process("show", "small.yaml", cwd=folder, LC_ALL="C", PYTHONUTF8="0").returncode == 0


def test_a_closed_output_is_no_traceback() -> None:
    command = f"{sys.executable} -m archdsl stats s0 >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (3, "")
