"""Faults in what a primitive declares: its shape, weights, products, constructor, call and tables."""

from __future__ import annotations

from .mutant import Mutant

_FILE = "tests/test_primitives.py"
_TORCH = f"{_FILE}::test_a_primitive_is_what_torch_says"
_OTHER = f"{_FILE}::test_a_class_says_what_its_other_calls_need"
_TOTALS = "tests/test_stats.py::test_totals[s0]"
_REFUSED = "tests/test_primitive_refusals.py::test_a_refusal_says_why_and_where"

PRIMITIVES: tuple[Mutant, ...] = (
    # --- convolutions and products
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
        "result = (extent + padding * const(2) - kernel) // stride + ONE",
        "result = ceil_div(extent + padding * const(2) - kernel, stride) + ONE",
        (f"{_TORCH}[max_pool]",),
    ),
    Mutant(
        "a window with holes rounds up",
        "archdsl/ops/conv.py",
        "result = (extent + padding * const(2) - reach - ONE) // stride + ONE",
        "result = ceil_div(extent + padding * const(2) - reach - ONE, stride) + ONE",
        (f"{_TORCH}[conv2d]",),
    ),
    Mutant(
        "windows side by side round up",
        "archdsl/ops/conv.py",
        "result = extent // stride  # windows side by side",
        "result = ceil_div(extent, stride)",
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
        "return (self.out_channels, x.shape[-3] // self.groups, *self.kernel)",
        "return (self.out_channels, x.shape[-3], *self.kernel)",
        (f"{_TORCH}[conv2d]",),
    ),
    Mutant(
        "a convolution's products are taken over its input",
        "archdsl/ops/conv.py",
        "return ((*self._kernel_axes(x[0]), *self._extents(x[0]), *x[0].shape[:-3]),)",
        "return ((*self._kernel_axes(x[0]), *x[0].shape[-2:], *x[0].shape[:-3]),)",
        (f"{_TORCH}[conv2d]",),
    ),
    Mutant(
        "a convolution's products are those of one map",
        "archdsl/ops/conv.py",
        "return ((*self._kernel_axes(x[0]), *self._extents(x[0]), *x[0].shape[:-3]),)",
        "return ((*self._kernel_axes(x[0]), *self._extents(x[0])),)",
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
        "the authors' count has a bias of each output",
        "archdsl/ops/conv.py",
        "return (axes, (axes[1],)) if bias.value else (axes,)",
        "return (axes, (axes[0],)) if bias.value else (axes,)",
        (_TOTALS,),
    ),
    Mutant(
        "a product with a learned tensor in front has no batch",
        "archdsl/ops/conv.py",
        "return (TensorType((*a.shape[:-1], b.shape[-1]), a.batched or b.batched),)",
        "return (TensorType((*a.shape[:-1], b.shape[-1]), a.batched),)",
        (f"{_TORCH}[matmul]",),
    ),
    # --- what they share
    Mutant(
        "a size of two axes is one number where their values are equal",
        "archdsl/ops/base.py",
        "if pair[0].term == pair[1].term:",
        "if pair[0].value == pair[1].value:",
        (_OTHER,),
    ),
    Mutant(
        "a learned tensor has a batch in front",
        "archdsl/ops/base.py",
        "return axis + 1 if x.batched else axis",
        "return axis + 1",
        (f"{_TORCH}[softmax]",),
    ),
    Mutant(
        "the right operand of a sum needs no parentheses",
        "archdsl/ops/base.py",
        "b = right.text if right.level > level else",
        "b = right.text if right.level >= level else",
        ("tests/test_language.py::test_arithmetic_on_tensors_is_pythons",),
    ),
    Mutant(
        "there is an axis behind the last",
        "archdsl/ops/base.py",
        "if not -x.rank <= value < x.rank:",
        "if not -x.rank <= value <= x.rank:",
        (_REFUSED,),
    ),
    Mutant(
        "a learned tensor may begin as whole numbers",
        "archdsl/ops/base.py",
        'return text if isinstance(value.value, float) else f"{text}.0"',
        "return text",
        (f"{_FILE}::test_first_values_of_learned_tensors_are_floats",),
    ),
    # --- one by one
    Mutant(
        "batch norm without factors is counted as one with them",
        "archdsl/ops/norm.py",
        "per_element = (const(2),) if self.affine.value else ()",
        "per_element = (const(2),)",
        (f"{_TORCH}[batch_norm]",),
    ),
    Mutant(
        "group norm is given channels and groups in the wrong order",
        "archdsl/ops/norm.py",
        "(write(self.groups), write(x[0].shape[0]))",
        "(write(x[0].shape[0]), write(self.groups))",
        (f"{_TORCH}[group_norm]",),
    ),
    Mutant(
        "layer scale is always of the first axis",
        "archdsl/ops/norm.py",
        'return (Weight("gamma", (x[0].shape[self.axis.int],)),)',
        'return (Weight("gamma", (x[0].shape[0],)),)',
        (f"{_TORCH}[layer_scale]",),
    ),
    Mutant(
        "the authors' count of a GELU is of the whole map",
        "archdsl/ops/activation.py",
        "return (x[0].shape[:2],) if x[0].rank in (2, 3) else ()",
        "return (x[0].shape,) if x[0].rank in (2, 3) else ()",
        (_TOTALS,),
    ),
    Mutant(
        "softmax over an axis from the front forgets the batch",
        "archdsl/ops/activation.py",
        "axis = self.axis.int if self.axis.int < 0 else torch_axis(self.axis.int, types[0])",
        "axis = self.axis.int",
        (f"{_TORCH}[softmax]",),
    ),
    Mutant(
        "blocks that differ in the axis of a softmax share a class",
        "archdsl/ops/activation.py",
        'by_value = ("axis",)',
        "by_value = ()",
        (f"{_FILE}::test_an_axis_that_a_block_is_given_is_its_own[softmax]",),
    ),
    Mutant(
        "whether padding counts is written by its value",
        "archdsl/ops/pool.py",
        "if self.count_include_pad.term is not True:",
        "if self.count_include_pad.value is not True:",
        (_OTHER,),
    ),
    Mutant(
        "an even window is taken for one with a middle",
        "archdsl/ops/pool.py",
        "halves = isinstance(kernel, int) and kernel % 2 == 1 and padding == kernel // 2",
        "halves = isinstance(kernel, int) and padding == kernel // 2",
        (f"{_FILE}::test_windows_with_and_without_a_middle_that_are_padded_by_half",),
    ),
    Mutant(
        "upsampling takes rows for columns",
        "archdsl/ops/pool.py",
        "rows * self.scale[0], columns * self.scale[1]",
        "rows * self.scale[1], columns * self.scale[0]",
        (f"{_TORCH}[upsample]",),
    ),
    Mutant(
        "an extent of 1 is not stretched to the other's",
        "archdsl/ops/elementwise.py",
        "right if left.value == 1 and right.value != 1 else left",
        "left",
        (f"{_TORCH}[add]",),
    ),
    Mutant(
        "joining counts the first tensor for each",
        "archdsl/ops/layout.py",
        "extent = extent + other.shape[axis]",
        "extent = extent + x[0].shape[axis]",
        (f"{_TORCH}[concat]",),
    ),
    Mutant(
        "axes that end in one group are merged in any order",
        "archdsl/ops/layout.py",
        "return place + 1 < len(group) and group[place + 1] == next_name",
        "return place + 1 < len(group) and next_name in group",
        (f"{_FILE}::test_groups_of_several_axes",),
    ),
    Mutant(
        "a rearrangement that only transposes copies",
        "archdsl/ops/layout.py",
        "return plan.order == tuple(range(len(plan.order))) or not plan.groups",
        "return plan.order == tuple(range(len(plan.order)))",
        ("tests/test_stats.py::test_peak_memory_of_a_chain_by_hand",),
    ),
    Mutant(
        "padding takes rows for columns",
        "archdsl/ops/layout.py",
        "rows + top + bottom, columns + left + right",
        "rows + left + right, columns + top + bottom",
        (f"{_TORCH}[pad]",),
    ),
    Mutant(
        "a table of biases has an entry for each query",
        "archdsl/ops/learned.py",
        'Weight("weight", (self.heads, keys))',
        'Weight("weight", (self.heads, queries))',
        (f"{_TORCH}[attention_bias]",),
    ),
    Mutant(
        "a table of biases is resampled over the queries",
        "archdsl/ops/learned.py",
        'return (Table("weight", 1, self.key, "offsets"),)',
        'return (Table("weight", 1, self.query, "offsets"),)',
        ("tests/test_weights.py::test_attention_biases_at_another_resolution[192-224]",),
    ),
    Mutant(
        "a learned tensor is repeated for a batch of one size",
        "archdsl/ops/layout.py",
        ".repeat({x[1].atom}.shape[0]",
        ".repeat(len({x[1].atom})",
        ("tests/test_network_classes.py::test_learned_tensors_for_every_sample_of_any_batch",),
    ),
    Mutant(
        "a buffer is trained",
        "archdsl/ops/learned.py",
        'Weight("", self.extents, "buffer" if self.stored.value else "derived")',
        'Weight("", self.extents, "param" if self.stored.value else "derived")',
        ("tests/test_network_classes.py::test_first_values_by_names_of_a_block_and_of_fixed_tables",),
    ),
)
