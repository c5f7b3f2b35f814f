"""The gate for names: what may become Python, and the tables that decide it."""

from __future__ import annotations

import keyword

import pytest
import torch

from archdsl import names
from archdsl.elaborate.values import CALLABLE_TYPES, SCALAR_TYPES
from archdsl.emit.names import class_name
from archdsl.read_arch.layout import SOFT_WORDS
from archdsl.source import ArchError, Source


def read(text: str):
    """The text surface's reader, as a user's file reaches it."""
    from archdsl.read_arch import read

    return read(Source("a.arch", text))


def labelled(name: str, body: str = "return x |> {}: conv2d(C)") -> str:
    return f"archdsl 1\nblock b(x: [C, H, W]) -> [C, H, W] {{\n  {body.format(name)}\n}}\n"


def test_every_attribute_of_a_module_is_reserved() -> None:
    # On another torch this says what is missing in archdsl/names.py.
    public = {name for name in dir(torch.nn.Module()) if not name.startswith("_")}
    assert public - names.MODULE_ATTRIBUTES == set()


def test_private_attributes_are_no_names() -> None:
    private = [name for name in dir(torch.nn.Module()) if name.startswith("_")]
    assert private and all(names.problem(name) for name in private)


RESERVED = sorted(
    names.MODULE_ATTRIBUTES
    | names.GENERATED_NAMES
    | {word for word in (*keyword.kwlist, *keyword.softkwlist) if word not in ("type", "_")}
)


def test_reserved_names_are_refused_as_labels_and_variables() -> None:
    for name in RESERVED:
        for body in ("return x |> {}: conv2d(C)", "{} = x\n  return x", "for {} in [1] {{ }}\n  return x"):
            with pytest.raises(ArchError) as caught:
                read(labelled(name, body))
            codes = {mistake.code for mistake in caught.value.diagnostics}
            # The language's own words (if, for, ...) can't even be read as names.
            assert codes == {"E0105"} or (codes == {"E0101"} and name in names.WORDS), name


def test_reserved_names_are_refused_as_labels_in_yaml() -> None:
    from archdsl.read_yaml import read as read_yaml

    for name in RESERVED:
        text = f"archdsl: 1\nnetwork: N\ninput: [3, 8, 8]\nbody:\n  {name}: relu\n"
        with pytest.raises(ArchError) as caught:
            read_yaml(Source("a.yaml", text))
        assert [mistake.code for mistake in caught.value.diagnostics] == ["E0105"], name


@pytest.mark.parametrize(
    "place",
    [
        "block {}(x: [C, H, W]) -> [C, H, W] {{ return x }}",
        "block b({}: [C, H, W]) -> [C, H, W] {{ return x }}",
        "block b(x: [{}, H, W]) -> [C, H, W] {{ return x }}",
        "block b(x: [C, H, W]; {}: dim = 1) -> [C, H, W] {{ return x }}",
        "block b(x: [C, H, W]) -> ({}: [C, H, W]) {{ return x }}",
        "block b(x: [C, H, W]) -> [C, H, W] {{ y: [{}, h, w] = x\n return x }}",
        "network {}(x: [3, 8, 8]) {{ a: relu }}",
        "network N(x: [3, 8, 8]; {} = 1) {{ a: relu }}",
        "network N(x: [3, 8, 8]) {{ stage {}(3) {{ relu }} }}",
    ],
)
def test_every_place_that_names_something_asks_the_gate(place: str) -> None:
    for name in ("class", "training", "self", "_private", "a" * 65):
        with pytest.raises(ArchError) as caught:
            read(f"archdsl 1\n{place.format(name)}\n")
        assert [mistake.code for mistake in caught.value.diagnostics] == ["E0105"], name
    read(f"archdsl 1\n{place.format('a' * 64)}\n")


# `import` is Python's too, and `features` a method of every generated network.
_SOFT = sorted({word.lower() for word in SOFT_WORDS} - {"import", "features"})


@pytest.mark.parametrize("name", ["a", "Z", "x1", "a_b", "a__b", "x_", "A" * 64, *_SOFT])
def test_other_names_are_names(name: str) -> None:
    assert names.problem(name) is None


LOOK_ALIKES = [
    "сonv",  # Cyrillic es
    "ﬁle",  # a ligature that Python's reader turns into `file`
    "ｃｏｎｖ",  # full width
    "convⅠ",  # a Roman numeral
    "conv٣",  # an Arabic digit
    "ſelf",  # a long s, which Python's reader turns into s
    "con\u200dv",  # a joiner of no width
    "conv\u202e",  # a change of direction
    "\u212a",  # the Kelvin sign
    "conv\u0301",  # an accent
    "naïve",
]


@pytest.mark.parametrize("name", LOOK_ALIKES, ids=ascii)
def test_look_alikes_are_refused(name: str) -> None:
    from archdsl.read_yaml import read as read_yaml

    assert names.problem(name)
    with pytest.raises(ArchError) as caught:
        read(labelled(name))
    assert {mistake.code for mistake in caught.value.diagnostics} <= {"E0101", "E0102"}
    with pytest.raises(ArchError) as caught:
        read_yaml(Source("a.yaml", f"archdsl: 1\nnetwork: N\ninput: [3, 8, 8]\nbody:\n  {name}: relu\n"))
    assert [mistake.code for mistake in caught.value.diagnostics] == ["E0105"]
    assert str(caught.value.diagnostics[0].message).isascii()


@pytest.mark.parametrize(
    "name", ["", "1a", "_a", "a.b", "a-b", "a b", "a\n", "a\0", '"', "a;", "{{a}}", "None", "__import__"]
)
def test_what_is_no_word_is_refused(name: str) -> None:
    assert names.problem(name)


def test_the_types_that_are_read_are_those_that_are_known() -> None:
    # "number" is for attributes of primitives, and no word of the language.
    assert set(names.TYPES) == {*SCALAR_TYPES, *CALLABLE_TYPES, "str"} - {"number"}


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("conv_bn", "ConvBN"),
        ("conv__bn_", "ConvBN"),
        ("MobileNetV3_Large", "MobileNetV3Large"),
        ("ConvMixer_768_32", "ConvMixer768_32"),
        ("v2_1x", "V2_1x"),
        ("s0_relu6_", "S0ReLU6"),
        ("f", "F_"),
    ],
)
def test_a_class_is_called_as_the_field_writes_it(name: str, made: str) -> None:
    assert class_name(name) == made


def test_a_reserved_name_is_one_mistake_however_often_it_is_given() -> None:
    body = "  half = half + 1\n  float = 2\n  return half |> half: relu"
    text = f"block b(half: [C, H, W]) -> half: [C, H, W] {{\n{body}\n}}"
    with pytest.raises(ArchError) as caught:
        read(f"archdsl 1\n{text}\n")
    assert [mistake.message for mistake in caught.value.diagnostics] == [
        f"{name!r} is reserved: it is an attribute of torch's nn.Module" for name in ("half", "float")
    ]
