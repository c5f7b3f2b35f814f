"""What the strategies of all primitives share: extents, shapes, attributes, and the table of makers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings

from primitives.document import Case, Shape

steady = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


extents = st.integers(1, 5)
numbers = st.one_of(
    st.integers(-3, 3).filter(bool), st.sampled_from([0.5, -0.25, 1e-5, 2.75, -1e-3, 1e10, 1.5e-7])
)
steps = st.one_of(st.integers(1, 3), st.lists(st.integers(1, 3), min_size=2, max_size=2))


def shapes(least: int, most: int) -> st.SearchStrategy[Shape]:
    return st.lists(extents, min_size=least, max_size=most).map(tuple)


def pair(value: int | list[int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


class Draw:
    """Draws a case: its attributes are noted as they are drawn, those left out have their default."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.attributes: dict[str, Any] = {}

    def __call__(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self.draw(strategy)

    def required(self, name: str, strategy: st.SearchStrategy[Any]) -> Any:
        self.attributes[name] = value = self.draw(strategy)
        return value

    def optional(self, name: str, strategy: st.SearchStrategy[Any], default: Any) -> Any:
        return self.required(name, strategy) if self.draw(st.booleans()) else default

    def axis(self, shape: Shape, default: int, name: str = "axis") -> int:
        """An axis of the shape, from the front or the back; given back from the back."""
        axis = self.optional(name, st.integers(-len(shape), len(shape) - 1), default)
        return axis if axis < 0 else axis - len(shape)

    def padded_extent(self, window: int, padding: int) -> int:
        """An extent that a window fits into, often the smallest."""
        return max(1, window - 2 * padding) + self.draw(st.integers(0, 3))


Maker = Callable[[Draw], Case]
MAKERS: dict[str, Maker] = {}


def case_of(*kinds: str) -> Callable[[Callable[..., Case]], Callable[..., Case]]:
    """Notes how the cases of some primitives are drawn; the maker is told which one where there are several."""

    def note(maker: Callable[..., Case]) -> Callable[..., Case]:
        for kind in kinds:
            MAKERS[kind] = maker if len(kinds) == 1 else _for_kind(maker, kind)
        return maker

    return note


def _for_kind(maker: Callable[..., Case], kind: str) -> Maker:
    return lambda draw: maker(draw, kind)


@st.composite
def cases(draw: Callable[..., Any], kind: str) -> Case:
    return MAKERS[kind](Draw(draw))
