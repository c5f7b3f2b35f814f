"""Faults in what a primitive declares: its shape, weights, products, constructor, call and tables."""

from __future__ import annotations

from .mutant import Mutant

_TORCH = "tests/test_primitives.py::test_a_primitive_is_what_torch_says"
_TWICE = "tests/test_primitives.py::test_a_block_called_twice_is_right_both_times"

PRIMITIVES: tuple[Mutant, ...] = (
    Mutant(
        "a layer of products forgets its bias",
        "archdsl/ops/conv.py",
        'return (weight, Weight("bias", (out,))) if bias.value else (weight,)',
        "return (weight,)",
        (f"{_TORCH}[linear]",),
    ),
    Mutant(
        "a window without padding rounds up",
        "archdsl/ops/conv.py",
        "result = (extent + padding * const(2) - reach - ONE) // stride + ONE",
        "result = ceil_div(extent + padding * const(2) - reach - ONE, stride) + ONE",
        (f"{_TORCH}[max_pool]",),
    ),
    Mutant(
        "half a window rounds down",
        "archdsl/ops/conv.py",
        "return extent if stride == ONE else ceil_div(extent, stride)",
        "return extent if stride == ONE else extent // stride",
        (f"{_TORCH}[conv2d]",),
    ),
    Mutant(
        "a convolution's weights ignore its groups",
        "archdsl/ops/conv.py",
        "return (self.out_channels, x.shape[0] // self.groups, *self.kernel)",
        "return (self.out_channels, x.shape[0], *self.kernel)",
        (f"{_TORCH}[conv2d]",),
    ),
    Mutant(
        "a convolution's products are taken over its input",
        "archdsl/ops/conv.py",
        "return ((*self._kernel_axes(x[0]), *self._extents(x[0])),)",
        "return ((*self._kernel_axes(x[0]), *x[0].shape[1:]),)",
        (f"{_TORCH}[conv2d]",),
    ),
    Mutant(
        "a transposed convolution's products are taken over its output",
        "archdsl/ops/conv.py",
        "return ((*self._kernel_axes(x[0]), *x[0].shape[1:]),)",
        "return ((*self._kernel_axes(x[0]), *self.shape(*x)[0].shape[1:]),)",
        (f"{_TORCH}[conv_transpose2d]",),
    ),
    Mutant(
        "dilation is left out of half a window",
        "archdsl/ops/conv.py",
        "return (dilation[0] * (kernel[0] // const(2)), dilation[1] * (kernel[1] // const(2)))",
        "return (kernel[0] // const(2), kernel[1] // const(2))",
        (f"{_TORCH}[conv2d]",),
    ),
    Mutant(
        "groups of a convolution are not written",
        "archdsl/ops/conv.py",
        '''                ("dilation", self.dilation, 1),
            )
            if any(axis.term != default for axis in pair)
        ]
        named += keywords(write, groups=(self.groups, 1), bias=(self.bias, True))''',
        '''                ("dilation", self.dilation, 1),
            )
            if any(axis.term != default for axis in pair)
        ]
        named += keywords(write, bias=(self.bias, True))''',
        (f"{_TORCH}[conv2d]",),
    ),
    Mutant(
        "rows and columns of a pair of equal values are one",
        "archdsl/ops/base.py",
        "if pair[0].term == pair[1].term:",
        "if pair[0].value == pair[1].value:",
        (f"{_TWICE}[max_pool]", f"{_TWICE}[conv2d]"),
    ),
    Mutant(
        "a learned tensor has a batch in front",
        "archdsl/ops/base.py",
        "return axis + 1 if x.batched else axis",
        "return axis + 1",
        (f"{_TORCH}[softmax]",),
    ),
)
