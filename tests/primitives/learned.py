"""Cases of learned tensors."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import torch

from primitives.document import Case, Weights
from primitives.drawing import Draw, case_of, extents, numbers, shapes


@case_of("parameter")
def parameter(draw: Draw) -> Case:
    shape = draw.required("extents", shapes(0, 4).map(list))
    draw.optional("value", numbers, 0.0)
    return Case("parameter", (), draw.attributes, lambda weights: weights[""], {"": tuple(shape)})


@case_of("buffer")
def buffer(draw: Draw) -> Case:
    shape = draw.required("extents", shapes(0, 4).map(list))
    draw.optional("value", numbers, 0.0)
    return Case("buffer", (), draw.attributes, lambda weights: weights[""], {"": tuple(shape)})


@case_of("attention_bias")
def attention_bias(draw: Draw) -> Case:
    heads = draw.required("heads", st.integers(1, 3))
    key = draw.required("key", st.lists(extents, min_size=2, max_size=2))
    strides = [draw(st.integers(1, 3)) for _ in (0, 1)]
    query = [-(-k // s) for k, s in zip(key, strides, strict=True)]
    draw.attributes["query"] = query
    apart = [-(-k // q) for k, q in zip(key, query, strict=True)]

    def reference(weights: Weights) -> torch.Tensor:
        result = torch.empty(heads, query[0] * query[1], key[0] * key[1], dtype=torch.float64)
        for i, j in itertools.product(range(query[0]), range(query[1])):
            for k, m in itertools.product(range(key[0]), range(key[1])):
                rows, columns = abs(i * apart[0] - k), abs(j * apart[1] - m)
                offset = weights["weight"][:, rows * key[1] + columns]
                result[:, i * query[1] + j, k * key[1] + m] = offset
        return result

    return Case("attention_bias", (), draw.attributes, reference, {"weight": (heads, key[0] * key[1])})


@case_of("relative_position_bias")
def relative_position_bias(draw: Draw) -> Case:
    heads = draw.required("heads", st.integers(1, 3))
    rows, columns = draw.required("window", st.lists(extents, min_size=2, max_size=2))
    positions = list(itertools.product(range(rows), range(columns)))

    def reference(weights: Weights) -> torch.Tensor:
        result = torch.empty(heads, len(positions), len(positions), dtype=torch.float64)
        for (i, query), (j, key) in itertools.product(enumerate(positions), enumerate(positions)):
            down, right = query[0] - key[0] + rows - 1, query[1] - key[1] + columns - 1
            result[:, i, j] = weights["weight"][down * (2 * columns - 1) + right]
        return result

    table = ((2 * rows - 1) * (2 * columns - 1), heads)
    return Case("relative_position_bias", (), draw.attributes, reference, {"weight": table})


@case_of("window_mask")
def window_mask(draw: Draw) -> Case:
    window = draw.required("window", st.lists(st.integers(1, 3), min_size=2, max_size=2))
    size = [side * draw(st.integers(1, 3)) for side in window]
    shift = [draw(st.integers(0, side - 1)) for side in window]
    draw.attributes |= {"size": size, "shift": shift}

    def reference(_: Weights) -> torch.Tensor:
        # Where every position of the rolled map was before: neighbours in a window are neighbours there.
        windows = itertools.product(*(range(0, n, w) for n, w in zip(size, window, strict=True)))
        result = []
        for corner in windows:
            inside = list(itertools.product(*(range(c, c + w) for c, w in zip(corner, window, strict=True))))
            came = [
                [(p + s) % n - (p - c) for p, s, n, c in zip(place, shift, size, corner, strict=True)]
                for place in inside
            ]
            result.append([[0.0 if a == b else -100.0 for b in came] for a in came])
        return torch.tensor(result, dtype=torch.float64)[:, None]

    return Case("window_mask", (), draw.attributes, reference)
