"""The command line: one function a command, no logic.

Exit codes: 0 done, 1 a check failed, 2 the document or the command is wrong, 3 the surroundings are.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, NoReturn

from archdsl.garbage import paused
from archdsl.source import ArchError, Diagnostic
from archdsl.version import VERSION

if TYPE_CHECKING:
    from archdsl.network import Network
    from archdsl.space.freeze import Frozen


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command as everything else is said."""

    def error(self, message: str) -> NoReturn:
        # Python 3.14 writes choices without quotes, those before it with.
        said, choices, rest = message.partition("(choose from ")
        message = said + choices + rest.replace("'", "")
        diagnostic = Diagnostic("E0001", message, None, f"{self.prog} --help lists what there is")
        print(diagnostic, file=sys.stderr)
        raise SystemExit(2)


def _resolution(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})(?:[x,]([0-9]{1,5}))?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!a} is not a size: write 224 or 192x256")
    rows = int(match.group(1))
    return (rows, int(match.group(2) or rows))


def _batch(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text!a} is not a number of images, 1 to 999999")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    # Every command opens a network, which imports these anyway.
    from archdsl.cost import CONVENTIONS
    from archdsl.cost.memory import BYTES
    from archdsl.report import FORMATS
    from archdsl.stats import GROUPINGS

    parser = _Parser(
        prog="archdsl",
        description="Vision networks as documents: exact costs, graphs and PyTorch source.",
    )
    parser.add_argument("--version", action="version", version=f"archdsl {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    stats = commands.add_parser("stats", help="parameters, MACs and memory, exactly")
    stats.add_argument("spec", nargs="+", metavar="SPEC", help="a document, or a bundled name: s0")
    stats.add_argument("--all", action="store_true", help="every network and variant of each document")
    stats.add_argument("--format", choices=FORMATS, default="table")
    stats.add_argument("--by", choices=GROUPINGS, default="stage")
    stats.add_argument("--convention", choices=CONVENTIONS, default="core")
    stats.add_argument("--batch", type=_batch, default=1, metavar="N", help="images at once")
    stats.add_argument("--dtype", choices=tuple(BYTES), default="float32")

    build = commands.add_parser("build", help="write the network as a PyTorch file")
    build.add_argument("spec", metavar="SPEC")
    build.add_argument("-o", "--output", metavar="FILE", help="- is the terminal; else build/NAME.py")
    build.add_argument("--weights", metavar="FILE", help="write these beside it, as .safetensors")
    build.add_argument("--keys", metavar="NAME", help="the key map that the weights follow")
    build.add_argument("--resize", type=_resolution, metavar="N or NxM",
                       help="the resolution that the weights were made for")  # fmt: skip
    build.add_argument("--reset-head", action="store_true", help="leave the classifier as it begins")

    weights = commands.add_parser("weights", help="write a file of weights under other names")
    weights.add_argument("spec", metavar="SPEC")
    weights.add_argument("file", metavar="FILE", help=".safetensors, .pt, .pth or .bin")
    weights.add_argument("-o", "--output", required=True, metavar="FILE", help="a .safetensors file")
    weights.add_argument("--keys", metavar="NAME", help="the key map that FILE follows")
    weights.add_argument("--to", metavar="NAME", help="the key map to write; without it our own names")

    show = commands.add_parser("show", help="print the graph, or one block of it")
    show.add_argument("spec", metavar="SPEC")
    show.add_argument("path", nargs="?", metavar="PATH", help="a block: s3.4.token_mixer")

    verify = commands.add_parser("verify", help="compare with torch and fvcore, and with a file")
    verify.add_argument("spec", metavar="SPEC")
    verify.add_argument("file", nargs="?", metavar="FILE", help="a file that 'build' wrote")

    fmt = commands.add_parser("fmt", help="format documents in place, or convert one")
    fmt.add_argument("file", nargs="+", metavar="FILE", help="- is the standard input")
    fmt.add_argument("--check", action="store_true", help="write nothing; name the files that would change")
    fmt.add_argument("--to", choices=("yaml", "arch"), help="print the document in this form")
    fmt.add_argument("--from", choices=("yaml", "arch"), dest="surface", help="what the standard input is")
    fmt.add_argument("-o", "--output", metavar="FILE", help="write there; - is the terminal")

    freeze = commands.add_parser("freeze", help="one network of a space, by picks, as a plain document")
    freeze.add_argument("spec", metavar="SPEC")
    freeze.add_argument("--with", dest="picks", metavar="PICKS", help="a YAML file: width[0]: 32")

    sample = commands.add_parser("sample", help="one network of a space, at random, as a plain document")
    sample.add_argument("spec", metavar="SPEC")
    sample.add_argument("--seed", type=int, default=0, metavar="N", help="the same network for the same seed")
    sample.add_argument("--picks", action="store_true", help="print what was decided in place of the document")

    for command in (freeze, sample):
        command.add_argument("--name", metavar="NAME", help="what the network is called")
        command.add_argument("--to", choices=("yaml", "arch"), help="the surface, if not that of SPEC or -o")
        command.add_argument("-o", "--output", metavar="FILE", help="write there, not to the terminal")

    new = commands.add_parser("new", help="write a starter document, with comments")
    new.add_argument("file", metavar="FILE", help="net.yaml or net.arch")
    new.add_argument("--base", metavar="SPEC", help="make it a variant of this one")

    for command in (stats, build, show, verify, freeze, sample, weights):
        command.add_argument("--resolution", type=_resolution, metavar="N or NxM", help="rows x columns")
        command.add_argument("--set", action="append", default=[], metavar="PATH=VALUE",
                             help="as a variant does: width='[32, 48]', s3.4.expansion=3")  # fmt: skip
        command.add_argument("--path", action="append", default=[], dest="search", metavar="FOLDER",
                             help="where imports look for your blocks")  # fmt: skip
    return parser


def _load(args: argparse.Namespace, spec: str) -> Network:
    from archdsl.network import load_with_settings

    network = load_with_settings(spec, args.resolution, args.set, args.search)
    if _kept is not None:
        _kept.append(network)
    return network


def _stats(args: argparse.Namespace) -> int:
    from archdsl.network import names_in
    from archdsl.report import render, render_comparison, render_space
    from archdsl.stats import Stats

    specs = [full for spec in args.spec for full in (names_in(spec, args.search) if args.all else [spec])]
    networks = [_load(args, spec) for spec in specs]
    figures = (args.convention, args.dtype, args.batch)
    found = [
        network.space(*figures) if network.is_open else network.stats(args.convention, args.by, *figures[1:])
        for network in networks
    ]
    if args.by == "network" and args.format != "json":
        sys.stdout.write(render_comparison(found, args.format))
        return 0
    texts = [
        render(one, args.format) if isinstance(one, Stats) else render_space(one, args.format) for one in found
    ]
    if args.format == "json" and len(texts) > 1:
        sys.stdout.write("[" + ",\n".join(text.rstrip() for text in texts) + "]\n")
    else:
        sys.stdout.write("\n".join(texts))
    return 0


def _build(args: argparse.Namespace) -> int:
    network = _load(args, args.spec)
    _check_weight_options(args)
    text = network.source()
    if args.output == "-":
        sys.stdout.write(text)
        return 0
    from archdsl.files import write_atomically

    path = args.output or os.path.join("build", f"{network.name.lower()}.py")
    if os.path.exists(args.spec) and os.path.exists(path) and os.path.samefile(args.spec, path):
        message = f"{path!a} is the document itself"
        raise ArchError([Diagnostic("E0702", message, None, "choose another -o")])
    if args.weights is None:
        write_atomically(path, text)
    else:
        from archdsl.weights import write_with_weights

        print(write_with_weights(network, path, args.weights, args.keys, args.resize, args.reset_head))
    print(f"{path}: {network.core.params:,} parameters, {network.core.total_macs:,} MACs (core)")
    return 0


def _check_weight_options(args: argparse.Namespace) -> None:
    """Options that would do nothing are mistakes."""
    options = {"--keys": args.keys, "--resize": args.resize, "--reset-head": args.reset_head}
    given = [name for name, value in options.items() if value]
    if args.weights is None and given:
        raise ArchError([Diagnostic("E0001", f"{given[0]} goes with --weights", None, "--weights FILE")])
    if args.weights is not None and args.output == "-":
        raise ArchError([Diagnostic("E0001", "weights can't go to the terminal", None, "-o net.py")])


def _weights(args: argparse.Namespace) -> int:
    from archdsl.weights import convert_weights

    report = convert_weights(_load(args, args.spec), args.file, args.output, args.keys, args.to)
    print(f"{report}\n{args.output}: {'our own names' if args.to is None else f'keys {args.to}'}")
    return 0


def _show(args: argparse.Namespace) -> int:
    graph = _load(args, args.spec).graph
    try:
        sys.stdout.write(graph.dump(args.path))
    except KeyError as error:
        help = "archdsl show SPEC prints the whole graph"
        raise ArchError([Diagnostic("E0409", str(error.args[0]), None, help)]) from None
    return 0


def _verify(args: argparse.Namespace) -> int:
    network = _load(args, args.spec)
    failed = 0
    if args.file is not None:
        from archdsl.library import read_text

        same = read_text(args.file) == network.source()
        print(f"{'ok    ' if same else 'FAILED'}  {args.file} is what {args.spec} gives")
        if not same:
            print(f"        write it again with: {network.command} -o {args.file}")
        failed += not same
    from archdsl.verify import verify

    for check in verify(network):
        shown = f"{check.ours:,}" if isinstance(check.ours, int) else f"{len(check.ours)} equal"  # type: ignore[arg-type]
        print(f"{'ok    ' if check.ok else 'FAILED'}  {check.what}: {shown}")
        if not check.ok:
            print(f"        ours {check.ours}\n        theirs {check.theirs}")
        failed += not check.ok
    return 1 if failed else 0


def _fmt(args: argparse.Namespace) -> int:
    from archdsl.formatter import format_files

    return format_files(args.file, args.check, args.to, args.surface, args.output)


def _freeze(args: argparse.Namespace) -> int:
    from archdsl.library import display_name, read_text
    from archdsl.source import Source
    from archdsl.space.freeze import freeze
    from archdsl.space.picks import Picks, read_picks

    network = _load(args, args.spec)
    picks = Picks({})
    if args.picks is not None:
        picks = read_picks(Source(display_name(args.picks), read_text(args.picks)))
    return _put(args, network, freeze(network.chosen, picks, args.resolution, args.name))


def _sample(args: argparse.Namespace) -> int:
    from archdsl.space.picks import picks_text

    network = _load(args, args.spec)
    drawn = network.sample(args.seed, args.name)
    if args.picks:
        return _write(args.output, picks_text(drawn.decided))
    return _put(args, network, drawn)


def _put(args: argparse.Namespace, network: Network, frozen: Frozen) -> int:
    """A plain document to where it was asked for, in the surface of its ending or of what it came from."""
    ending = os.path.splitext(args.output or network.unit.path)[1]
    return _write(args.output, frozen.text(args.to or ("arch" if ending == ".arch" else "yaml")))


def _write(output: str | None, text: str) -> int:
    from archdsl.files import write_atomically

    if output is None or output == "-":
        sys.stdout.write(text)
    else:
        write_atomically(output, text)
        print(output)
    return 0


def _new(args: argparse.Namespace) -> int:
    from archdsl.starter import write_starter

    write_starter(args.file, args.base)
    print(f"{args.file}: look at it with  archdsl stats {args.file}")
    return 0


_kept: list[Network] | None = None
"""Where the process ends with the command, what it opened stays to the end."""


def run() -> NoReturn:
    """The command as a process, which ends with it.

    What it made is neither looked through for garbage nor taken apart piece by piece: of a large document
    that takes a fifth of the time.
    """
    import gc

    global _kept
    _kept = []
    for stream in (sys.stdout, sys.stderr):
        # Documents are UTF-8, and so is what is printed of them: the same bytes in every locale.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    gc.disable()
    code = main()
    sys.stderr.flush()
    os._exit(code)


_COMMANDS = {
    "stats": _stats,
    "build": _build,
    "show": _show,
    "verify": _verify,
    "fmt": _fmt,
    "freeze": _freeze,
    "sample": _sample,
    "new": _new,
    "weights": _weights,
}


def _drop_output() -> None:
    """Send what is still to be printed nowhere: Python would try again at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the result is the exit code."""
    if sys.stdout is None:
        # Closed by the caller (`>&-`): there is nowhere to print to.
        return 3
    args = _parser().parse_args(argv)
    try:
        # One pause for all of a command: where one ends, Python looks at everything that was made in it.
        with nullcontext() if args.command == "verify" else paused():
            code = _COMMANDS[args.command](args)
        sys.stdout.flush()
        return code
    except ArchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader has gone (`| head`): no error of ours.
        _drop_output()
        return 0
    except OSError as error:
        what = f"{error.filename!a} can't be used" if error.filename else "the output can't be written"
        print(Diagnostic("E0702", f"{what}: {error.strerror or error}"), file=sys.stderr)
        _drop_output()
        return 3
    except KeyboardInterrupt:
        return 130
