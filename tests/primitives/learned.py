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
