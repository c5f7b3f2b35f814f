"""The one gate for every name of a document: what passes here may become Python, nothing else may.

Every other string enters generated source through `repr` alone.
"""

from __future__ import annotations

import keyword

MAX_LENGTH = 64

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_REST = _LETTERS | frozenset("0123456789_")

# `self.float = nn.ReLU()` turns `Module.float` into a layer without a word; `self.training = ...`
# breaks `eval()`. tests/test_names.py compares this table with `dir(nn.Module())` of the torch there is.
MODULE_ATTRIBUTES = frozenset(
    [
        "T_destination",
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
    ]
)

CONTAINER_ATTRIBUTES = frozenset(
    ["append", "clear", "extend", "insert", "items", "keys", "pop", "update", "values"]
)
"""What `nn.Sequential` and `nn.ModuleDict` have beyond a module: no label of a block in a stage, which is one.

tests/test_injection.py compares this table with the torch there is.
"""

SUPPORT_CLASSES = frozenset(
    [
        "AttentionBias",
        "DropPath",
        "LayerScale",
        "RelativePositionBias",
        "TokenScale",
        "WindowMask",
    ]
)
"""The classes of codegen/support.py.j2, which tests/test_injection.py compares with these."""

GENERATED_CLASSES = SUPPORT_CLASSES | {"None", "True", "False", "F", "Tensor"}
"""What no class that is made of a document's name may be called: `none_` would be `None`, `f` would be `F`."""

# What generated files import, define or call by themselves.
GENERATED_NAMES = frozenset(
    [
        "F",
        "Tensor",
        "nn",
        "torch",
        "math",
        "self",
        "super",
        "int",
        "float",
        "bool",
        "str",
        "tuple",
        "list",
        "dict",
        "zip",
        "range",
        "len",
        "min",
        "max",
        "sum",
        "round",
        "abs",
        "rates",
        "rate",
        "forward_features",
        "forward_head",
        "features",
        "drop_path",
        "make_divisible",
        "sinusoid_",
        "enumerate",
        *SUPPORT_CLASSES,
    ]
)

# The language's own words; the grammar would not read them as names.
WORDS = frozenset(
    [
        "if",
        "else",
        "for",
        "in",
        "and",
        "or",
        "not",
        "is",
        "true",
        "false",
        "none",
        "return",
        "require",
        "each",
        "choose",
    ]
)

TYPES = ("dim", "count", "int", "odd", "ratio", "real", "bool", "op", "block", "str")
"""The types of parameters (archdsl/elaborate/values.py reads a value of each)."""


def problem(name: str) -> str | None:
    """Why `name` can't be a name, or None. Any text may be given."""
    if not name:
        return "a name is missing"
    if len(name) > MAX_LENGTH:
        return f"a name has at most {MAX_LENGTH} characters, this one has {len(name)}"
    if name[0] not in _LETTERS or not _REST.issuperset(name):
        return f"{name!a} is not a name: use ASCII letters, digits and underscores, a letter first"
    if keyword.iskeyword(name) or (keyword.issoftkeyword(name) and name != "type"):
        return f"{name!r} is reserved: it is a word of Python"
    if name in MODULE_ATTRIBUTES:
        return f"{name!r} is reserved: it is an attribute of torch's nn.Module"
    if name in GENERATED_NAMES:
        return f"{name!r} is reserved: generated files use it themselves"
    if name in WORDS:
        return f"{name!r} is reserved: it is a word of the language"
    return None
