"""Weights in and out: names there and back, resampling, and every file that is refused."""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from reference import randomise, timm, timm_model
from safetensors.torch import load_file, save_file

import archdsl
from archdsl.cli import main
from archdsl.source import ArchError, SurroundingsError

FACTS = json.loads((Path(__file__).parent / "facts" / "official_keys.json").read_text(encoding="utf-8"))
State = dict[str, torch.Tensor]


def state_hash(model: torch.nn.Module) -> str:
    """Of every parameter and buffer, stored or not, with its type."""
    digest = hashlib.sha256()
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def same(a: State, b: State) -> bool:
    """Bitwise, names and types included."""
    return a.keys() == b.keys() and all(a[k].dtype == b[k].dtype and torch.equal(a[k], b[k]) for k in a)


@functools.cache
def timm_state(spec: str) -> tuple[torch.nn.Module, State]:
    model = timm_model(f"efficientformerv2_{spec}").double().eval()
    randomise(model)
    return model, model.state_dict()


def offsets(query: int, key: int) -> torch.Tensor:
    """The index of an attention bias, entry by entry: |dy| * columns + |dx|, queries `apart` keys apart."""
    apart = -(-key // query)
    rows = [
        [abs(i * apart - k) * key + abs(j * apart - m) for k, m in itertools.product(range(key), repeat=2)]
        for i, j in itertools.product(range(query), repeat=2)
    ]
    return torch.tensor(rows)


@functools.cache
def official_state(spec: str) -> State:
    """Random weights under the authors' names."""
    generator = torch.Generator().manual_seed(5)
    state: State = {}
    for key, (kind, *shape) in FACTS[spec].items():
        if kind == "index":
            state[key] = offsets(round(shape[0] ** 0.5), round(shape[1] ** 0.5))
        elif kind == "tensor":
            state[key] = torch.rand(shape, generator=generator)
        else:
            state[f"{key}.weight"] = torch.randn(shape, generator=generator) / 8
            state[f"{key}.bias"] = torch.randn(shape[0], generator=generator)
        if kind == "bn":
            state[f"{key}.running_mean"] = torch.randn(shape, generator=generator)
            state[f"{key}.running_var"] = torch.rand(shape, generator=generator) + 0.5
            state[f"{key}.num_batches_tracked"] = torch.tensor(len(state))
    return state


# --- there and back


@pytest.mark.parametrize(
    ("spec", "ending"),
    [
        *itertools.product(("s0", "l"), ("safetensors", "pt", "pth")),
        ("s1", "safetensors"),
        ("s2", "safetensors"),
    ],
)
def test_timm_there_and_back(spec: str, ending: str, tmp_path: Path) -> None:
    theirs, state = timm_state(spec)
    path = tmp_path / f"timm.{ending}"
    if ending == "safetensors":
        save_file(state, path)
    else:
        torch.save(state if ending == "pt" else {"epoch": 3, "model": state}, path)
    ours = archdsl.load(spec).build().double().eval()
    report = archdsl.load_weights(ours, path)
    assert (report.keys, len(report.loaded)) == ("timm", len(state))
    assert (report.resized, report.reset, report.dropped) == ((), (), ())
    archdsl.save_weights(ours, tmp_path / "back.safetensors", keys="timm")
    assert same(load_file(tmp_path / "back.safetensors"), state)
    if ending == "safetensors":
        image = torch.randn(1, 3, 224, 224, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
        with torch.no_grad():
            a, b = ours(image), theirs(image)
        assert ((a - b).abs().max() / b.abs().max()).item() < 1e-9


@pytest.mark.parametrize("spec", ["s0", "l"])
def test_the_authors_there_and_back(spec: str, tmp_path: Path) -> None:
    state = official_state(spec)
    save_file(state, tmp_path / "official.safetensors")
    ours = archdsl.load(spec).build()
    assert archdsl.load_weights(ours, tmp_path / "official.safetensors").keys == "official"
    archdsl.save_weights(ours, tmp_path / "back.safetensors", keys="official")
    back = load_file(tmp_path / "back.safetensors")
    assert sum("idxs" in key for key in back) == {"s0": 5, "l": 13}[spec]
    assert same(back, state)
    # By way of timm's names.
    archdsl.save_weights(ours, tmp_path / "timm.safetensors", keys="timm")
    model = timm_model(f"efficientformerv2_{spec}")
    model.load_state_dict(load_file(tmp_path / "timm.safetensors"), strict=True)
    save_file(model.state_dict(), tmp_path / "timm2.safetensors")
    again = archdsl.load(spec).build()
    assert archdsl.load_weights(again, tmp_path / "timm2.safetensors").keys == "timm"
    assert same(again.state_dict(), ours.state_dict())


def test_our_own_names_are_tried_first_and_without_a_map(tmp_path: Path) -> None:
    ours = archdsl.load("s0").build()
    archdsl.save_weights(ours, tmp_path / "own.safetensors")
    assert same(load_file(tmp_path / "own.safetensors"), ours.state_dict())
    again = archdsl.load("s0").build()
    report = archdsl.load_weights(again, tmp_path / "own.safetensors")
    assert report.keys is None and state_hash(again) == state_hash(ours)
    assert str(report).endswith("own.safetensors: 568 tensors loaded (our own names)")


def test_half_precision_is_widened(tmp_path: Path) -> None:
    half = archdsl.load("s0").build().half()
    save_file(half.state_dict(), tmp_path / "half.safetensors")
    ours = archdsl.load("s0").build()
    archdsl.load_weights(ours, tmp_path / "half.safetensors")
    assert ours.stem.conv1.conv.weight.dtype == torch.float32
    assert torch.equal(ours.stem.conv1.conv.weight, half.stem.conv1.conv.weight.float())


def test_a_module_from_a_written_file_needs_its_network(tmp_path: Path) -> None:
    network = archdsl.load("s0")
    names: dict[str, object] = {}
    exec(network.source(), names)
    model = names["EfficientFormerV2S0" if "EfficientFormerV2S0" in names else "EfficientFormerV2_S0"]()  # type: ignore[operator]
    with pytest.raises(ArchError, match="was not built by archdsl"):
        archdsl.save_weights(model, tmp_path / "a.safetensors")
    archdsl.save_weights(model, tmp_path / "a.safetensors", network="s0")
    archdsl.load_weights(model, tmp_path / "a.safetensors", network=network)
    with pytest.raises(ArchError, match="the module is no EfficientFormerV2_L"):
        archdsl.load_weights(model, tmp_path / "a.safetensors", network="l")


# --- another resolution


def by_hand(table: torch.Tensor, old: int, new: int) -> torch.Tensor:
    """[heads, old * old] at offsets d * old / new: bilinear, number by number."""
    result = torch.empty(table.shape[0], new, new, dtype=torch.float64)
    grid = table.double().reshape(-1, old, old)
    for y, x in itertools.product(range(new), repeat=2):
        v, u = min(y * old / new, old - 1), min(x * old / new, old - 1)
        top, left = min(int(v), old - 2), min(int(u), old - 2)
        dv, du = v - top, u - left
        result[:, y, x] = (
            (1 - dv) * (1 - du) * grid[:, top, left]
            + (1 - dv) * du * grid[:, top, left + 1]
            + dv * (1 - du) * grid[:, top + 1, left]
            + dv * du * grid[:, top + 1, left + 1]
        )
    return result.flatten(1).to(table.dtype)


@pytest.mark.parametrize(("made_for", "used_at"), [(192, 224), (224, 192), (224, 256)])
def test_attention_biases_at_another_resolution(made_for: int, used_at: int, tmp_path: Path) -> None:
    old = archdsl.load("s0", made_for).build()
    randomise(old)
    archdsl.save_weights(old, tmp_path / "a.safetensors", keys="official")
    new = archdsl.load("s0", used_at).build()
    before = state_hash(new)
    with pytest.raises(ArchError) as caught:
        archdsl.load_weights(new, tmp_path / "a.safetensors")
    assert {mistake.code for mistake in caught.value.diagnostics} == {"E0815"}
    wanted = f"weights of another resolution are resampled: --resize {made_for}, in Python resize={made_for}"
    assert {mistake.help for mistake in caught.value.diagnostics} == {wanted}
    assert state_hash(new) == before
    report = archdsl.load_weights(new, tmp_path / "a.safetensors", resize=made_for)
    state, source = new.state_dict(), old.state_dict()
    assert set(report.resized) == {key for key in state if state[key].shape != source[key].shape}
    for key in state:
        if key not in report.resized:
            assert torch.equal(state[key], source[key]), key
            continue
        sizes = [round(tensor.shape[1] ** 0.5) for tensor in (source[key], state[key])]
        torch.testing.assert_close(state[key], by_hand(source[key], *sizes), rtol=0, atol=1e-6)
        assert torch.equal(state[key][:, 0], source[key][:, 0])
    assert new.eval()(torch.zeros(1, 3, used_at, used_at)).isfinite().all()


def test_the_same_resolution_is_the_identity(tmp_path: Path) -> None:
    old, new = archdsl.load("s0").build(), archdsl.load("s0").build()
    archdsl.save_weights(old, tmp_path / "a.safetensors")
    report = archdsl.load_weights(new, tmp_path / "a.safetensors", resize=(224, 224))
    assert report.resized == () and state_hash(new) == state_hash(old)


def test_tables_of_grids_that_are_no_squares(tmp_path: Path) -> None:
    (tmp_path / "n.arch").write_text("""archdsl 1
block b(x: [C, H, W]) -> [C, H * W, H * W] {
  q, k = [x |> rearrange("c h w -> c (h w) ()"), x |> rearrange("c h w -> c () (h w)")]
  return q @ k + bias: attention_bias(C, query = [H, W], key = [H, W])
}
network N(x: [2, 4, 6]) { b: b }
""")
    old, new = (archdsl.load(tmp_path / "n.arch", size).build() for size in ((4, 6), (8, 3)))
    # What is linear in both distances stays so: 10 a row, 1 a column.
    old.b.bias.weight.data = torch.tensor([[10.0 * dy + dx for dy in range(4) for dx in range(6)]] * 2)
    archdsl.save_weights(old, tmp_path / "a.safetensors")
    report = archdsl.load_weights(new, tmp_path / "a.safetensors", resize=(4, 6))
    assert report.resized == ("b.bias.weight",)
    wanted = [[10 * min(dy * 4 / 8, 3) + min(dx * 6 / 3, 5) for dy in range(8) for dx in range(3)]] * 2
    torch.testing.assert_close(new.b.bias.weight.data, torch.tensor(wanted))


VIT = """archdsl 1
block embed(x: [C, H, W]; dim: dim = 8) -> [H // 4 * (W // 4) + 1, dim] {
  h = H // 4
  w = W // 4
  t = x |> proj: conv2d(dim, kernel = 4, stride = 4, padding = 0) |> rearrange("c h w -> (h w) c")
  t = concat([t, x |> global_avg_pool |> cls: linear(dim) |> rearrange("d -> () d")], axis = 0)
  return t + pos: parameter([h * w + 1, dim]GRID)
}
network V(x: [3, 16, 24]) { embed: embed }
"""


@pytest.mark.parametrize("kind", ["parameter", "buffer"])
def test_position_embeddings_are_resampled_as_timm_does(kind: str, tmp_path: Path) -> None:
    (tmp_path / "vit.arch").write_text(VIT.replace("parameter", kind).replace("GRID", ", grid = [h, w]"))
    old, new = (archdsl.load(tmp_path / "vit.arch", size).build() for size in ((16, 24), (28, 16)))
    torch.nn.init.normal_(old.embed.pos, generator=torch.Generator().manual_seed(3))
    archdsl.save_weights(old, tmp_path / "a.safetensors")
    with pytest.raises(ArchError, match="--resize N, in Python resize=N"):
        archdsl.load_weights(new, tmp_path / "a.safetensors")
    report = archdsl.load_weights(new, tmp_path / "a.safetensors", resize=(16, 24))
    assert report.resized == ("embed.pos",)
    timm()
    from timm.layers import resample_abs_pos_embed

    wanted = resample_abs_pos_embed(old.embed.pos[None].double(), [7, 4], [4, 6], num_prefix_tokens=1)[0]
    # timm computes in single precision, whatever it is given.
    torch.testing.assert_close(new.embed.pos.double(), wanted, rtol=0, atol=1e-5)
    assert torch.equal(new.embed.pos[0], old.embed.pos[0])


def test_a_table_without_a_grid_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "vit.arch").write_text(VIT.replace("GRID", ""))
    old, new = (archdsl.load(tmp_path / "vit.arch", size).build() for size in ((16, 24), (28, 16)))
    archdsl.save_weights(old, tmp_path / "a.safetensors")
    with pytest.raises(ArchError) as caught:
        archdsl.load_weights(new, tmp_path / "a.safetensors", resize=(16, 24))
    assert caught.value.diagnostics[0].help == (
        "say how it is resampled: parameter(..., grid = [rows, columns])"
    )


def test_a_weight_that_only_one_resolution_has(tmp_path: Path) -> None:
    text = "block b(x: [C, H, W]) -> [C, H, W] {\n  y = x |> a: conv2d(C, kernel = 1)\n"
    text += "  if H > 8 { y = y |> b: conv2d(C, kernel = 1) }\n  return y\n}\n"
    (tmp_path / "n.arch").write_text(f"archdsl 1\n{text}network N(x: [2, 8, 8]) {{ e: b }}\n")
    small, large = (archdsl.load(tmp_path / "n.arch", size).build() for size in (8, 16))
    for old, new, size, message in (
        (small, large, 8, r"'e\.b\.weight' is absent at that resolution"),
        (large, small, 16, r"'e\.b\.weight' is \[2, 2, 1, 1\] at that resolution and absent at this one"),
    ):
        archdsl.save_weights(old, tmp_path / "a.safetensors")
        before = state_hash(new)
        with pytest.raises(ArchError, match=message):
            archdsl.load_weights(new, tmp_path / "a.safetensors", resize=size)
        assert state_hash(new) == before


@pytest.mark.parametrize(
    ("grid", "message"),
    [("[h]", "grid is [rows, columns]"), ("[h, w + 1]", "a table over 28 positions has as many entries")],
)
def test_a_grid_that_does_not_fit(grid: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "vit.arch").write_text(VIT.replace("GRID", f", grid = {grid}"))
    with pytest.raises(ArchError) as caught:
        archdsl.load(tmp_path / "vit.arch").build()
    assert caught.value.diagnostics[0].message.startswith(message)


# --- other classes


@pytest.mark.parametrize("keys", ["timm", "official"])
@pytest.mark.parametrize("classes", [10, 0])
def test_a_head_of_other_classes(classes: int, keys: str, tmp_path: Path) -> None:
    old = archdsl.load("s0").build()
    archdsl.save_weights(old, tmp_path / "a.safetensors", keys=keys)
    new = archdsl.load("s0").build(num_classes=classes)
    before = state_hash(new)
    with pytest.raises(ArchError) as caught:
        archdsl.load_weights(new, tmp_path / "a.safetensors")
    (mistake,) = caught.value.diagnostics
    ours = "the network 10" if classes else "the module has no classifier"
    assert mistake.code == "E0817" and mistake.message == f"the file tells 1,000 classes apart, {ours}"
    assert mistake.help is not None and "--reset-head" in mistake.help
    assert state_hash(new) == before
    head = {key: value.clone() for key, value in new.state_dict().items() if key.startswith("classifier")}
    report = archdsl.load_weights(new, tmp_path / "a.safetensors", reset_head=True)
    assert set(report.reset) == set(head) and report.keys == keys
    for key, value in new.state_dict().items():
        assert torch.equal(value, head[key] if key in head else old.state_dict()[key]), key


def test_the_classifier_alone_begins_anew(tmp_path: Path) -> None:
    text = "archdsl 1\nnetwork N(x: [3, 4, 4]; num_classes = 5) {\n  a: conv2d(4)\n  head {\n"
    text += "    pool: global_avg_pool\n    mid: linear(7)\n    fc: linear(num_classes)\n  }\n}\n"
    (tmp_path / "n.arch").write_text(text)
    network = archdsl.load(tmp_path / "n.arch")
    old, new = network.build(), network.build(num_classes=3)
    archdsl.save_weights(old, tmp_path / "a.safetensors")
    report = archdsl.load_weights(new, tmp_path / "a.safetensors", reset_head=True)
    assert set(report.reset) == {"fc.weight", "fc.bias"}
    assert torch.equal(new.mid.weight, old.mid.weight) and torch.equal(new.a.weight, old.a.weight)


# --- what is refused


SMALL = """archdsl 1
block b(x: [C, H, W]) -> [C, H, W] { return x |> conv: conv2d(C, kernel = 1) |> bn: batch_norm }
network N(x: [4, 8, 8]) { first: b; second: b }
keys other { b { "conv" -> "0"; "bn" -> "1" } }
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """A small module; the working directory is empty but for its document."""
    monkeypatch.chdir(tmp_path)
    Path("net.arch").write_text(SMALL)
    return archdsl.load("net.arch").build()


def refused(model: torch.nn.Module, path: str | Path, **options: object) -> ArchError:
    """The error of a file; the module is, byte for byte, what it was."""
    before = state_hash(model)
    with pytest.raises(ArchError) as caught:
        archdsl.load_weights(model, path, **options)  # type: ignore[arg-type]
    assert state_hash(model) == before
    assert "weights_only" not in str(caught.value) and len(str(caught.value)) < 16_000
    return caught.value


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch marker",)


def evil_files() -> dict[str, bytes]:
    """A pickle that would run a command, in the containers that files of weights have."""
    program = pickle.dumps({"first.0.weight": Evil()}, protocol=2)
    saved, legacy, nested = io.BytesIO(), io.BytesIO(), io.BytesIO()
    torch.save({"first.0.weight": Evil()}, saved)
    torch.save({"first.0.weight": Evil()}, legacy, _use_new_zipfile_serialization=False)
    torch.save({"model": {"first.0.weight": torch.zeros(1)}, "args": Evil()}, nested)
    four = io.BytesIO()
    torch.save({"model": Evil()}, four, pickle_protocol=4)
    bare = io.BytesIO()
    with zipfile.ZipFile(bare, "w") as archive:
        archive.writestr("archive/data.pkl", program)
        archive.writestr("archive/version", "3\n")
    return {
        "bare pickle": program, "torch.save": saved.getvalue(), "legacy": legacy.getvalue(),
        "beside a state dict": nested.getvalue(), "protocol 4": four.getvalue(), "zip": bare.getvalue(),
        "safetensors": struct.pack("<Q", len(program)) + program,
    }  # fmt: skip


@pytest.mark.parametrize("name", evil_files())
@pytest.mark.parametrize("ending", [".pt", ".bin", ".safetensors"])
def test_no_pickle_runs(name: str, ending: str, small: torch.nn.Module) -> None:
    Path(f"evil{ending}").write_bytes(evil_files()[name])
    refused(small, f"evil{ending}")
    assert not Path("marker").exists()
    pickle.loads(pickle.dumps(Evil()))
    assert Path("marker").exists(), "the payload would have run"


def test_a_pickle_that_would_never_end(small: torch.nn.Module) -> None:
    """Tuples of equal tuples as a key: torch would hash 2 ** 60 of them."""
    program = b"\x80\x02}K\x01\x85q\x00"
    for i in range(1, 60):
        program += b"h" + bytes([i - 1]) + b"\x86q" + bytes([i])
    with zipfile.ZipFile("a.pt", "w") as archive:
        archive.writestr("archive/data.pkl", program + b"K\x01s.")
    assert "a pickle that torch.save does not write" in str(refused(small, "a.pt"))


def test_a_pickle_without_a_program_that_is_legacy(small: torch.nn.Module) -> None:
    torch.save(small.state_dict(), "a.pt", _use_new_zipfile_serialization=False)
    assert "is no zip" in str(refused(small, "a.pt"))


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_truncated_and_empty(ending: str, small: torch.nn.Module) -> None:
    save = save_file if ending == "safetensors" else torch.save
    save(small.state_dict(), f"whole.{ending}")
    data = Path(f"whole.{ending}").read_bytes()
    archdsl.load_weights(small, f"whole.{ending}")
    for length in {*range(0, len(data), max(1, len(data) // 60)), 1, 7, 8, 9, len(data) - 1}:
        Path(f"cut.{ending}").write_bytes(data[:length])
        refused(small, f"cut.{ending}")


def test_bytes_that_are_flipped_give_an_error_or_finite_numbers(small: torch.nn.Module) -> None:
    """Never a crash, never a half-loaded module."""
    save_file(small.state_dict(), "a.safetensors")
    torch.save(small.state_dict(), "a.pt")
    generator = torch.Generator().manual_seed(0)
    for name in ("a.safetensors", "a.pt"):
        data = Path(name).read_bytes()
        for _ in range(150):
            position = int(torch.randint(len(data), (), generator=generator))
            value = int(torch.randint(256, (), generator=generator))
            Path(f"b{Path(name).suffix}").write_bytes(data[:position] + bytes([value]) + data[position + 1 :])
            before = state_hash(small)
            try:
                archdsl.load_weights(small, f"b{Path(name).suffix}")
            except ArchError:
                assert state_hash(small) == before
            assert all(t.isfinite().all() for t in small.state_dict().values())


def test_zip_bomb(small: torch.nn.Module) -> None:
    torch.save(small.state_dict(), "a.pt")
    with zipfile.ZipFile("a.pt") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    for count, message in ((100 << 20, "unpacks to"), (1 << 20, "has compressed entries")):
        with zipfile.ZipFile("bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in entries.items():
                archive.writestr(name, data)
            archive.writestr("a/data/999", bytes(count))
        assert os.path.getsize("bomb.pt") < 1 << 20
        assert message in str(refused(small, "bomb.pt"))


def test_a_tensor_that_is_larger_than_its_numbers(small: torch.nn.Module) -> None:
    state = {**small.state_dict(), "first.conv.weight": torch.zeros(1).expand(1_000_000, 1_000_000)}
    torch.save(state, "bomb.pt")
    assert os.path.getsize("bomb.pt") < 10_000
    message = "declares 4,000,000,000,000 bytes for 'first.conv.weight' and holds fewer"
    assert message in str(refused(small, "bomb.pt"))
    # Of the right shape too: four numbers for sixteen.
    torch.save({**state, "first.conv.weight": torch.zeros(4, 1, 1, 1).expand(4, 4, 1, 1)}, "bomb.pt")
    assert "declares 64 bytes" in str(refused(small, "bomb.pt"))


def header_file(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor_entry(dtype: object = "F32", shape: object = (2,), place: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": place}


WRONG_HEADERS = {
    "longer than the file": (struct.pack("<Q", 1 << 62) + b"{}", "its header would be"),
    "longer than the network explains": (header_file(b" " * (2 << 20)), "longer than such a network explains"),
    "no JSON": (header_file(b"{" * 10), "no JSON"),
    "deep": (header_file(b"[" * 100_000), "no JSON"),
    "no text": (header_file(b"\xff\xfe"), "no JSON"),
    "a list": (header_file([1]), "no table"),
    "an entry that is none": (header_file({"a": 1}), "declared without"),
    "surplus fields": (header_file({"a": {**tensor_entry(), "x": 1}}, bytes(8)), "declared without"),
    "an unknown type": (header_file({"a": tensor_entry("F99")}, bytes(8)), "unknown type 'F99'"),
    "a type that is no text": (header_file({"a": tensor_entry(["F32"])}, bytes(8)), "unknown type"),
    "a negative size": (header_file({"a": tensor_entry(shape=[-2])}, bytes(8)), "no list of sizes"),
    "a size that is true": (header_file({"a": tensor_entry(shape=[True, 2])}, bytes(8)), "no list of sizes"),
    "a size with a point": (header_file({"a": tensor_entry(shape=[2.0])}, bytes(8)), "no list of sizes"),
    "too many axes": (header_file({"a": tensor_entry(shape=[1] * 99)}, bytes(8)), "no list of sizes"),
    "a huge size": (
        header_file({"a": tensor_entry(shape=[1 << 40, 1 << 40])}, bytes(8)), "bytes for its shape and has 8",
    ),
    "offsets that go back": (header_file({"a": tensor_entry(place=[8, 0])}, bytes(8)), "no pair"),
    "offsets beyond the file": (
        header_file({"a": tensor_entry(place=[0, 8])}, bytes(4)), "take 8 bytes, 4 are there",
    ),
    "bytes that are nobody's": (header_file({"a": tensor_entry()}, bytes(12)), "take 8 bytes, 12 are there"),
    "overlapping": (
        header_file({"a": tensor_entry(), "b": tensor_entry(place=[4, 12])}, bytes(12)), "overlaps",
    ),
    "with a gap": (
        header_file({"a": tensor_entry(), "b": tensor_entry(place=[12, 20])}, bytes(20)), "has a gap",
    ),
    "declared twice": (
        header_file(b'{"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]},'
                    b' "a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}', bytes(4)),
        "'a' is declared twice",
    ),
}  # fmt: skip


def test_a_header_that_the_package_refuses(small: torch.nn.Module) -> None:
    """What is not ours to check, the package says, and it is said as everything else is."""
    save_file(small.state_dict(), "a.safetensors")
    data = Path("a.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = {"__metadata__": 5, **json.loads(data[8 : 8 + length])}
    Path("b.safetensors").write_bytes(header_file(header, data[8 + length :]))
    assert "is no sound safetensors file" in str(refused(small, "b.safetensors"))


@pytest.mark.parametrize("name", WRONG_HEADERS)
def test_a_header_that_is_wrong(name: str, small: torch.nn.Module) -> None:
    data, message = WRONG_HEADERS[name]
    Path("a.safetensors").write_bytes(data)
    error = refused(small, "a.safetensors")
    assert {mistake.code for mistake in error.diagnostics} == {"E0810"} and message in str(error)


def changed(state: State, key: str, value: torch.Tensor | None) -> State:
    result = dict(state)
    if value is None:
        del result[key]
    else:
        result[key] = value
    return result


KEY = "first.0.weight"
WRONG_TENSORS = {
    "not a number": (KEY, torch.full((4, 4, 1, 1), float("nan")), "E0818", "not finite"),
    "infinite": ("second.1.running_var", torch.full((4,), float("inf")), "E0818", "not finite"),
    "whole for real": (KEY, torch.zeros(4, 4, 1, 1, dtype=torch.int64), "E0816", "holds int64, not floating"),
    "real for whole": ("first.1.num_batches_tracked", torch.tensor(1.0), "E0816", "holds float32, not whole"),
    "truth for whole": ("first.1.num_batches_tracked", torch.tensor(True), "E0816", "holds bool, not whole"),
    "finer": (KEY, torch.zeros(4, 4, 1, 1, dtype=torch.float64), "E0816", "float32 can't hold exactly"),
    "of another shape": (KEY, torch.zeros(4, 4, 3, 3), "E0814", "is [4, 4, 3, 3], not [4, 4, 1, 1]"),
    "of another rank": (KEY, torch.zeros(16), "E0814", "is [16], not [4, 4, 1, 1]"),
    "missing": (KEY, None, "E0811", "no 'first.0.weight' (ours: first.conv.weight) in the file"),
    "surplus": ("third.weight", torch.zeros(1), "E0812", "nothing of ours is 'third.weight'"),
}  # fmt: skip


def test_a_type_of_the_same_size_does_not_hold_all_numbers(small: torch.nn.Module) -> None:
    module = small.half()
    for dtype, wrong in ((torch.bfloat16, True), (torch.float16, False)):
        state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in module.state_dict().items()}
        save_file(state, "a.safetensors")
        if wrong:
            error = refused(module, "a.safetensors")
            assert {mistake.code for mistake in error.diagnostics} == {"E0816"}
            assert "holds bfloat16, which float16 can't hold exactly" in str(error)
        else:
            archdsl.load_weights(module, "a.safetensors")


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
@pytest.mark.parametrize("name", WRONG_TENSORS)
def test_a_tensor_that_is_wrong(name: str, ending: str, small: torch.nn.Module) -> None:
    key, value, code, message = WRONG_TENSORS[name]
    archdsl.save_weights(small, "right.safetensors", keys="other")
    state = changed(load_file("right.safetensors"), key, value)
    (save_file if ending == "safetensors" else torch.save)(state, f"a.{ending}")
    for options in ({}, {"keys": "other"}):
        error = refused(small, f"a.{ending}", **options)
        assert code in {mistake.code for mistake in error.diagnostics}
        assert message in str(error)


def test_all_mistakes_are_said_and_the_nearest_name_with_them(small: torch.nn.Module) -> None:
    archdsl.save_weights(small, "right.safetensors", keys="other")
    state = load_file("right.safetensors")
    state["frist.0.weight"] = state.pop(KEY)
    state["second.0.weight"] = torch.zeros(1)
    state["second.1.num_batches_tracked"] = torch.tensor(0.5)
    save_file(state, "a.safetensors")
    text = str(refused(small, "a.safetensors"))
    assert "'a.safetensors' is read by the keys 'other': 1 missing, 1 surplus" in text
    assert "help: did you mean 'frist.0.weight', which is there?" in text
    assert all(code in text for code in ("E0811", "E0812", "E0813", "E0814", "E0816"))


@pytest.mark.parametrize("value", [3, [1, 2], {"a": 1}, {"a": {"b": 1}}, {1: torch.zeros(1)}, {}, None])
def test_what_is_no_state_dict(value: object, small: torch.nn.Module) -> None:
    torch.save(value, "a.pt")
    assert "holds no state dict" in str(refused(small, "a.pt"))


def test_what_is_no_file(small: torch.nn.Module) -> None:
    assert "there is no file" in str(refused(small, "nowhere.pt"))
    assert "by its name" in str(refused(small, "weights.npz"))
    os.mkdir("folder.pt")
    assert "is not a file" in str(refused(small, "folder.pt"))
    os.mkfifo("pipe.safetensors")
    assert "is not a file" in str(refused(small, "pipe.safetensors"))
    refused(small, "a\0b.pt")
    archdsl.save_weights(small, "right.safetensors")
    assert "declares no keys 'timm'" in str(refused(small, "right.safetensors", keys="timm"))


def test_two_maps_that_fit(small: torch.nn.Module) -> None:
    Path("net.arch").write_text(SMALL + 'keys again { b { "conv" -> "0"; "bn" -> "1" } }\n')
    network = archdsl.load("net.arch")
    archdsl.save_weights(small, "a.safetensors", keys="again", network=network)
    model = network.build()
    assert "fits the keys other and again" in str(refused(model, "a.safetensors", network=network))
    assert archdsl.load_weights(model, "a.safetensors", keys="again", network=network).keys == "again"


# --- writing


def limited(code: str, cwd: Path, size: int) -> subprocess.CompletedProcess[str]:
    """Python code in a process that can write files of so many bytes."""
    root = Path(archdsl.__file__).parent.parent
    start = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    start += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}));"
    # No bytecode: it would be cut off too, and stay.
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", start + code]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120)


def test_a_full_disk_leaves_both_old_files(small: torch.nn.Module, tmp_path: Path) -> None:
    archdsl.save_weights(small, "a.safetensors")
    for name in ("net.py", "net.safetensors"):
        Path(name).write_text("old")
    code = "import sys; from archdsl.cli import main;"
    code += "sys.exit(main(['build', 'net.arch', '--weights', 'a.safetensors', '-o', 'net.py']))"
    before = sorted(os.listdir())
    sizes = (len(archdsl.load("net.arch").source()), os.path.getsize("a.safetensors"))
    for size in (100, max(sizes) - 1):  # the second is enough for one of them
        done = limited(code, tmp_path, size)
        assert done.returncode == 3 and "can't be written" in done.stderr, done.stderr
        assert Path("net.py").read_text() == Path("net.safetensors").read_text() == "old"
        assert sorted(os.listdir()) == before
    assert limited(code, tmp_path, 1 << 20).returncode == 0


def test_a_place_that_cant_be_written(small: torch.nn.Module, capsys) -> None:
    archdsl.save_weights(small, "a.safetensors")
    Path("net.py").write_text("old")
    os.mkdir("net.safetensors")
    assert main(["build", "net.arch", "--weights", "a.safetensors", "-o", "net.py"]) == 3
    assert "'net.safetensors' can't be written" in capsys.readouterr().err
    assert Path("net.py").read_text() == "old"
    with pytest.raises(SurroundingsError):
        archdsl.save_weights(small, "net.safetensors")
    with pytest.raises(ArchError, match=r"weights are written as \.safetensors"):
        archdsl.save_weights(small, "net.pt")
    assert sorted(os.listdir()) == ["a.safetensors", "net.arch", "net.py", "net.safetensors"]


def test_where_the_second_file_cant_take_its_place_the_first_comes_back(small, monkeypatch) -> None:
    from archdsl.files import write_together

    Path("a").write_text("old a")
    replace = os.replace

    def failing(source: str, target: str) -> None:
        if target == "b":
            raise OSError(5, "broken")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    for name in ("a", "new"):
        with pytest.raises(SurroundingsError, match="'b' can't be written: broken"):
            write_together({name: b"1", "b": b"2"})
    assert Path("a").read_text() == "old a" and sorted(os.listdir()) == ["a", "net.arch"]


# --- the command line


def test_build_with_weights(small: torch.nn.Module, capsys) -> None:
    archdsl.save_weights(small, "other.safetensors", keys="other")
    assert main(["build", "net.arch", "--weights", "other.safetensors", "-o", "out/net.py"]) == 0
    out = capsys.readouterr().out
    assert "other.safetensors: 14 tensors loaded (keys other)" in out
    assert "out/net.safetensors: 14 tensors (our own names)" in out
    names: dict[str, object] = {}
    exec(Path("out/net.py").read_text(), names)
    model = names["N"]()  # type: ignore[operator]
    model.load_state_dict(load_file("out/net.safetensors"))
    assert same(model.state_dict(), small.state_dict())


@pytest.mark.parametrize(
    ("output", "message"),
    [("a.py", "'a.safetensors' is the file of weights itself"), ("b.safetensors", "is where its weights go")],
)
def test_build_takes_no_file_for_two(output: str, message: str, small: torch.nn.Module, capsys) -> None:
    archdsl.save_weights(small, "a.safetensors")
    before = Path("a.safetensors").read_bytes()
    assert main(["build", "net.arch", "--weights", "a.safetensors", "-o", output]) == 2
    assert message in capsys.readouterr().err and Path("a.safetensors").read_bytes() == before
    assert sorted(os.listdir()) == ["a.safetensors", "net.arch"]


def test_build_at_another_resolution_with_other_classes(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    save_file(official_state("s0"), "a.safetensors")
    command = ["build", "s0", "--resolution", "192", "--set", "num_classes=7", "--weights", "a.safetensors"]
    assert main([*command, "-o", "net.py"]) == 2 and not Path("net.py").exists()
    err = capsys.readouterr().err
    assert "--resize 224" in err and "--reset-head" in err
    assert main([*command, "-o", "net.py", "--resize", "224", "--reset-head", "--keys", "official"]) == 0
    out = capsys.readouterr().out
    assert "5 resampled for this resolution" in out and "4 keep their initialisation" in out
    assert load_file("net.safetensors")["classifier.head.bias"].shape == (7,)


def test_weights_are_converted_types_and_all(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    _, state = timm_state("s0")
    torch.save(state, "timm.pth")
    assert main(["weights", "s0", "timm.pth", "-o", "official.safetensors", "--to", "official"]) == 0
    assert main(["weights", "s0", "official.safetensors", "-o", "own.safetensors"]) == 0
    assert main(["weights", "s0", "own.safetensors", "-o", "back.safetensors", "--to", "timm"]) == 0
    assert same(load_file("back.safetensors"), state)
    # In place, too.
    assert main(["weights", "s0", "back.safetensors", "-o", "back.safetensors", "--keys", "timm"]) == 0
    assert same(load_file("back.safetensors"), load_file("own.safetensors"))
    assert "568 tensors loaded (keys timm)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--keys", "timm"], "--keys goes with --weights"),
        (["--resize", "224"], "--resize goes with --weights"),
        (["--reset-head"], "--reset-head goes with --weights"),
        (["--weights", "a.pt", "-o", "-"], "weights can't go to the terminal"),
    ],
)
def test_options_that_would_do_nothing(options: list[str], message: str, capsys) -> None:
    assert main(["build", "s0", *options]) == 2
    assert message in capsys.readouterr().err
