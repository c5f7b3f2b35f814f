"""What a primitive is. Everything else that archdsl knows about one follows from its class.

A subclass of `Op` declares, in one place: its attributes (annotated names, in the types below), the
shape it gives, the weights it owns, its multiply-accumulates, the text that constructs its module and
the text that calls it. All numbers are `Scalar`s, so that each of these holds for values and for terms.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from archdsl.record import Record
from archdsl.scalar import ATOM, ONE, Scalar, is_constant, python_code

Shape: TypeAlias = tuple[Scalar, ...]

# The types of attributes. Their names, as annotations, are what the reader of arguments goes by.
Dim: TypeAlias = Scalar
"""A positive whole number."""
Count: TypeAlias = Scalar
"""A whole number from 0."""
Int: TypeAlias = Scalar
"""A whole number."""
Real: TypeAlias = Scalar
"""Any number."""
Flag: TypeAlias = Scalar
"""`true` or `false`."""
Text: TypeAlias = str
"""A string; one of `Op.choices` where the class names some."""
Dim2: TypeAlias = tuple[Scalar, Scalar]
"""A positive whole number for both axes, or a list of two (rows, columns)."""
Count2: TypeAlias = tuple[Scalar, Scalar]
"""As Dim2, from 0."""
Dims: TypeAlias = tuple[Scalar, ...]
"""A list of positive whole numbers."""
Ints: TypeAlias = tuple[Scalar, ...]
"""A list of whole numbers."""


class TensorType(NamedTuple):
    """The extents of a tensor without its batch; `batched` is false for weights used as tensors."""

    shape: Shape
    batched: bool = True

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def values(self) -> tuple[int, ...]:
        """The extents as numbers."""
        return tuple([extent.int for extent in self.shape])

    def with_shape(self, *shape: Scalar) -> TensorType:
        return TensorType(shape, self.batched)


class OpError(Exception):
    """An attribute or input that a primitive can't take; `attribute` names the one at fault."""

    def __init__(self, message: str, help: str | None = None, attribute: str | None = None) -> None:
        super().__init__(message)
        self.help = help
        self.attribute = attribute


class Weight(NamedTuple):
    """A tensor of state_dict. `name` is empty where the label alone is its key.

    Roles: `param` is trained; `buffer` is stored beside it (running statistics); `counter` is an
    int64 scalar that is stored; `derived` is rebuilt by the constructor and not stored.
    """

    name: str
    axes: Shape
    role: Literal["param", "buffer", "counter", "derived"] = "param"

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return product(self.axes)


class Table(NamedTuple):
    """A weight with an axis over the positions of a grid, row by row: it changes with the resolution.

    Rules say how it is made for another grid. `offsets`: an entry belongs to a distance (|dy|, |dx|)
    between two positions. `positions`: it belongs to a position; entries before those of the grid (class
    tokens) belong to none.
    """

    weight: str
    axis: int
    grid: Shape
    rule: Literal["offsets", "positions"]


Axes: TypeAlias = tuple[Scalar, ...]
"""A product of sizes, kept as its factors."""
Products: TypeAlias = tuple[Axes, ...]
"""A sum of products: a count of operations, or of weights."""


def product(axes: Axes) -> int:
    """The value of one product."""
    result = 1
    for axis in axes:
        result *= axis.value  # type: ignore[assignment, operator]
    return result


def total(products: Products) -> int:
    """The value of a sum of products."""
    return sum(map(product, products))


class Code(NamedTuple):
    """A Python expression and how tightly it binds (`ATOM`: it never needs parentheses)."""

    text: str
    level: int = ATOM

    @property
    def atom(self) -> str:
        """The text, in parentheses where it stands before a dot or bracket."""
        return self.text if self.level == ATOM else f"({self.text})"


LEVELS = {"+": 5, "-": 5, "*": 6, "/": 6, "@": 6}


def infix(op: str, left: Code, right: Code) -> Code:
    """`left op right`, with the parentheses that Python's precedence asks for."""
    level = LEVELS[op]
    a = left.text if left.level >= level else f"({left.text})"
    b = right.text if right.level > level else f"({right.text})"
    return Code(f"{a} {op} {b}", level)


class Spelling:
    """How the names of a block are spelt where a text stands: bare in `__init__`, on self later."""

    def __init__(self, rename: Callable[[str], str]) -> None:
        self.rename = rename

    def __call__(self, scalar: Scalar) -> str:
        return python_code(scalar.term, self.rename)[0]

    def code(self, scalar: Scalar) -> Code:
        """The scalar as an operand of a larger expression."""
        return Code(*python_code(scalar.term, self.rename))

    def pair(self, pair: tuple[Scalar, ...]) -> str:
        """A size of two axes: one number where both are the same, else a tuple."""
        if pair[0].term == pair[1].term:
            return self(pair[0])
        return self.sequence(pair)

    def sequence(self, values: tuple[Scalar, ...]) -> str:
        """A tuple."""
        inside = ", ".join(map(self, values))
        return f"({inside},)" if len(values) == 1 else f"({inside})"


class Constructor(NamedTuple):
    """The call that makes a module: `nn.Conv2d(in, out, 3, padding=1)`."""

    name: str
    args: tuple[str, ...] = ()
    keywords: tuple[tuple[str, str], ...] = ()


class Parameter(NamedTuple):
    """An attribute of a primitive, as a call may give it."""

    name: str
    type: str
    optional: bool
    default: object
    required: bool


class Op(Record):
    """A primitive operation; see the module's text. Its docstring is its entry in the reference."""

    kind: ClassVar[str] = ""
    inputs: ClassVar[int] = 1
    """How many tensors it takes; -1 for one or more."""
    outputs: ClassVar[int] = 1
    operator: ClassVar[str] = ""
    """The name that its multiply-accumulates are counted under: conv, linear or matmul."""
    choices: ClassVar[dict[str, tuple[str, ...]]] = {}
    by_value: ClassVar[tuple[str, ...]] = ()
    """Attributes whose value decides the text of a call: blocks that differ in them share no class."""
    in_line: ClassVar[bool] = False
    """Whether its call reads in a line, as signs and methods of a tensor do: it nests nothing."""
    parameters: ClassVar[dict[str, Parameter]] = {}
    """Its attributes by name, in the order in which a call may give them."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.kind and any(getattr(cls, name) is getattr(Op, name) for name in ("shape", "macs", "call")):
            raise TypeError(f"primitive {cls.kind!r} must declare its shape, its macs and its call")
        cls.parameters = {name: _parameter(cls, name) for name in cls._fields if not name.startswith("_")}

    # --- what it computes

    @abstractmethod
    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        """The types of its outputs; raises `OpError` for inputs it can't take."""

    def weights(self, *x: TensorType) -> tuple[Weight, ...]:
        """What it owns in state_dict, for inputs of these types."""
        return ()

    def tables(self, *x: TensorType) -> tuple[Table, ...]:
        """Which of its weights are tables over positions, so that weights of another resolution fit."""
        return ()

    @abstractmethod
    def macs(self, *x: TensorType) -> Products:
        """Multiply-accumulates of one forward pass at batch 1; biases are not counted."""

    def fvcore(self, *x: TensorType) -> dict[str, Products]:
        """What fvcore counts, by its name of the operator. The same as `macs`, unless overridden."""
        return {self.operator: self.macs(*x)} if self.operator else {}

    def paper_macs(self, *x: TensorType) -> Products:
        """What the authors' own counter of operations counts. The same as `macs`, unless overridden."""
        return self.macs(*x)

    def paper_params(self, *x: TensorType) -> Products:
        """What the authors' own counter of parameters counts: by default every trained weight."""
        return tuple(weight.axes for weight in self.weights(*x) if weight.role == "param")

    def is_view(self, *x: TensorType) -> bool:
        """Whether its output shares the memory of its first input."""
        return False

    def reads_twice(self, *x: TensorType) -> bool:
        """Whether the text of its call names an input more than once: each is given a variable then."""
        return False

    # --- how it is written

    def constructor(self, write: Spelling, *x: TensorType) -> Constructor | None:
        """The call that makes its module, or None where it needs none."""
        return None

    def as_function(self) -> str:
        """The function of one tensor that it is, `F.relu`; empty where it is none, or needs more than that."""
        return ""

    @abstractmethod
    def call(self, write: Spelling, module: str, *x: Code, types: tuple[TensorType, ...]) -> Code:
        """The expression for its output; `module` is the attribute that holds its module."""


class Weightless(Op):
    """A primitive that multiplies nothing and owns nothing: its cost is that of moving data."""

    @abstractmethod
    def shape(self, *x: TensorType) -> tuple[TensorType, ...]: ...

    def macs(self, *x: TensorType) -> Products:
        return ()


class Pointwise(Weightless):
    """A weightless primitive of one tensor that keeps its shape."""

    def shape(self, *x: TensorType) -> tuple[TensorType, ...]:
        return (x[0],)


def _parameter(cls: type[Op], name: str) -> Parameter:
    for base in cls.__mro__:
        text = base.__dict__.get("__annotations__", {}).get(name)
        if text is not None:
            break
    type_name, _, none = str(text).partition(" | ")
    required = not hasattr(cls, name)
    return Parameter(name, type_name, bool(none), getattr(cls, name, None), required)


def const(value: float | bool) -> Scalar:
    """A default of an attribute."""
    return Scalar(value, value)


def both(value: int) -> tuple[Scalar, Scalar]:
    """A default of a two-axis attribute."""
    return (const(value), const(value))


def keywords(write: Spelling, **given: tuple[Scalar, float | bool | None]) -> list[tuple[str, str]]:
    """The keyword arguments that differ from torch's own default (the second of each pair)."""
    return [
        (name, write(value))
        for name, (value, default) in given.items()
        if not (is_constant(value.term) and value.value == default)
    ]


def expect_rank(x: TensorType, rank: int, what: str) -> None:
    """Raise `OpError` unless `x` has this many extents."""
    if x.rank != rank:
        raise OpError(f"{what} takes {_AXES[rank]}, got {shape_text(x)}")


def expect_batch(x: TensorType, what: str) -> None:
    """Raise `OpError` for a learned tensor, where torch would take the first axis for the batch."""
    if not x.batched:
        raise OpError(f"{what} takes a tensor with a batch, {shape_text(x)} is learned and has none")


def expect_axes(x: TensorType, what: str) -> None:
    """Raise `OpError` for a single number, which has no channels."""
    if not x.rank:
        raise OpError(f"{what} takes a tensor with axes, got a single number")


_AXES = {1: "[C]", 2: "[N, C]", 3: "a map [C, H, W]"}


def shape_text(x: TensorType) -> str:
    """The extents as numbers: `[96, 14, 14]`."""
    return "[" + ", ".join(str(extent.value) for extent in x.shape) + "]"


def float_text(write: Spelling, value: Scalar) -> str:
    """The number as a float: `torch.full(..., 1)` would make integers."""
    text = write(value)
    if not is_constant(value.term):
        return f"float({text})"
    return text if isinstance(value.value, float) else f"{text}.0"


def axis_of(axis: Scalar, x: TensorType, attribute: str = "axis") -> int:
    """An axis counted from 0 without the batch; raises `OpError` where there is no such axis."""
    value = axis.int
    if not -x.rank <= value < x.rank:
        last = x.rank - 1
        raise OpError(
            f"there is no axis {value} in {shape_text(x)}",
            f"axes are 0 to {last}, or -{x.rank} to -1; the batch is not counted",
            attribute,
        )
    return value % x.rank


def torch_axis(axis: int, x: TensorType) -> int:
    """The same axis as torch counts it, with the batch in front."""
    return axis + 1 if x.batched else axis


__all__ = [
    "ATOM", "ONE", "Axes", "Code", "Constructor", "Count", "Count2", "Dim", "Dim2", "Dims", "Flag",
    "Int", "Ints", "LEVELS", "Op", "OpError", "Parameter", "Products", "Real", "Shape", "Spelling",
    "Pointwise", "Table", "TensorType", "Text", "Weight", "Weightless", "axis_of", "both", "const",
    "expect_axes", "expect_batch", "expect_rank", "float_text", "infix", "keywords", "product", "shape_text",
    "torch_axis", "total",
]  # fmt: skip
