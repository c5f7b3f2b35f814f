"""Texts that mean harm, by family; `draw` gives one of them, whole, joined, repeated or cut."""

from __future__ import annotations

import builtins
import functools
import keyword
from random import Random

from archdsl import emit, names
from archdsl.ops import OPS
from archdsl.read_arch.layout import SOFT_WORDS

MARK = "archdsl_injected"
"""What the code in these texts would make, in the current folder, if it ever ran."""

CODE = (
    f'"; import os; os.system("touch {MARK}")',
    f'")\nimport os; os.system("touch {MARK}")\n#',
    f'"""\nimport os\nos.system("touch {MARK}")\n"""',
    f"'''\nimport os\nos.system('touch {MARK}')\n'''",
    f'"""\n\nclass Evil:\n    open("{MARK}", "w")\n',
    f"#\rimport os; open('{MARK}', 'w')",
    f"x\n    import os; open('{MARK}', 'w')",
    f"x]  # \x0cimport os; open('{MARK}', 'w')",
    f"__import__('os').system('touch {MARK}')",
    f"relu); __import__('os').system('touch {MARK}'); nn.Identity(",
    f"(lambda: open('{MARK}', 'w'))()",
    "C if (1).__class__ else 2",
    "eval('1')",
    "exec(chr(49))",
    "x: relu\n}\nimport os",
    "self.__class__",
    "nn.Module.__subclasses__()",
)
JINJA = (
    "{{ 7 * 7 }}",
    "{{ header }}",
    "{{ cycler.__init__.__globals__.os.system('touch " + MARK + "') }}",
    "{% for i in range(3) %}x{% endfor %}",
    "{% raw %}",
    "{% endfor %}",
    "{# a comment #}",
    "{#",
    "-%}",
    "{{",
    "}}",
    "{%- include 'module.py.j2' -%}",
    "# for line in imports",
)
MENTIONS = (
    "math.pi",
    "torch.relu(x)",
    "F.relu",
    "DropPath(0.1)",
    "class A(nn.Module):",
    "return None",
    "import os",
    "# x",
)
"""What a docstring may speak of, and no code comes of."""
FORMATS = (
    "{name}",
    "{0}",
    "{x!r:>10}",
    "{",
    "}",
    "{}{}",
    "%s",
    "%(name)s",
    "%n",
    "%",
    "$x",
    "${HOME}",
    "`id`",
    "$(id)",
)
QUOTES = (
    '"', "'", '""', "''", '"""', "'''", '\\"', "\\'", '\\"""', '"""\\', "`", "\\", "\\\\", "\\\\\\", "a\\",
    'a"', "a'", '""""', "\\x41", "\\u0041", "\\U0001F600", "\\N{BULLET}", "\\101", "\\x7f", "\\x", "\\u12",
    "\\\n", "a\\\n", 'r"\\"', "\\x7f" * 9, "\\" * 99, "\\" * 100, '"' * 97,
)  # fmt: skip
CONTROLS = (
    "\n", "\r", "\r\n", "\n\n", "a\nb", "a\rb", "a\n", "\na", "\t", "a\tb", "\0", "a\0b", "\x01", "\x07",
    "\x08", "\x0b", "\x0c", "\x1a", "\x1b[31m", "\x1b]0;title\x07", "\x1b[2J\x1b[H", "\x1c", "\x1d", "\x1e",
    "\x7f", "\x85", "\x9b31m", "\xa0", "\xad", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff", "\ufffd",
    " ", "  ", "a ", " a",
)  # fmt: skip
DIRECTIONS = (
    "\u202e", "a\u202eb", "\u202d", "\u202a", "\u202c", "\u2066", "\u2067x\u2069", "\u200e", "\u200f",
    "\u061c", "\u200b", "\u200d", "\u2060", "\u180e", "\U000e0041", "relu\u202e# \u2066",
)  # fmt: skip
SURROGATES = ("\ud800", "a\udfff", "\udc80", "\udcff.arch", "\ud83d", "\ud83d\ude00")
LOOK_ALIKES = (
    "\u0441onv", "\ufb01le", "\uff43\uff4f\uff4e\uff56", "conv\u2160", "conv\u0663", "\u017felf", "\u212a",
    "conv\u0301", "na\xefve", "\u0430", "\u0445", "\u03bf", "\u13a0", "\u1d5a", "\xb5", "\u2126", "\uff07",
    "\uff02", "\uff3c", "\u037e", "\u2044", "\u01c3", "\u02bc", "\u4e00", "\U0001d4d0", "\U0001f600", "\xaa",
    "\u2019", "\u201c", "\uff1a", "\uff5b\uff5b",
)  # fmt: skip
SCALARS = (
    "1", "-1", "0", "1e5", "1e400", "nan", "inf", "0x10", "1_0", "010", "1j", "true", "false", "none", "None",
    "True", "no", "yes", "on", "off", "null", "~", "=", "<<", "12:30:45", "2001-01-01", "[]", "{}", "[a]",
    "- a", "a: b", "a:", ": a", "&a x", "*a", "!!python/name:os.system", "!x", "| x", "> x", "? a",
    "%YAML 1.1", "---", "...", "@", "#", " #", "a#b", "a #b", ",", "a, b", ";", "a; b", "a b", "a.b", "a-b",
    "a/b", "../x", "/etc/passwd", "a\\b", "-", "--", "->", "|>", "1a", "9" * 33, "a" * 64, "a" * 65,
    "A" * 500, "\xe9" * 300, "\U0001f600" * 120, "_" * 50, "a" + "_" * 60, "a_" * 32, "",
)  # fmt: skip
DUNDERS = (
    "_", "__", "_a", "__w", "__init__", "__class__", "__dict__", "__import__", "__name__", "__builtins__",
    "__doc__", "__file__", "__call__", "__getattr__", "__del__", "a__b", "a__", "a_", "A_", "a1", "A1", "a_1",
    "B", "N", "n", "x2", "y", "y2", "B2", "N2", "Net", "net", "NET", "nE_t", "n_e_t", "none_", "true_",
    "false_", "None_", "t_rue", "f", "f_", "F_", "tensor", "tensor_", "nn_", "torch_", "math_", "self_",
    "super_", "drop_path_", "DropPath", "LayerScale", "TokenScale", "AttentionBias", "attention_bias_",
    "layer_scale_", "i", "j", "k", "q", "layer", "block", "blocks", "rate_", "rates_", "labels",
    "in_channels", "num_classes", "drop_path", "x", "index", "weight", "bias", "gamma", "keep", "rows",
    "columns", "query", "key", "values", "items", "QBlock", "QNet", "QSplit", "QMix", "QJoin", "QChoice",
    "QVariant", "QBlockGELU", "enumerate", "zip", "range",
)  # fmt: skip


@functools.cache
def module_words() -> tuple[str, ...]:
    """What modules and their containers have as attributes: a label of that name would take its place.

    Written down, not asked of torch: the tests that draw these texts never import it. `test_injection.py`
    compares them with the torch there is.
    """
    private = (
        "_modules", "_parameters", "_buffers", "_backward_hooks", "_forward_hooks", "_call_impl", "_apply",
        "_get_name", "_version", "_load_from_state_dict", "_non_persistent_buffers_set", "__setattr__",
        "__setstate__", "__annotations__",
    )  # fmt: skip
    return (*sorted(names.MODULE_ATTRIBUTES), *sorted(names.CONTAINER_ATTRIBUTES), *private)


@functools.cache
def families() -> dict[str, tuple[str, ...]]:
    """The texts by family."""
    generated = sorted(names.GENERATED_NAMES | set(emit.support_classes()))
    return {
        "code": CODE,
        "jinja": JINJA,
        "formats": FORMATS,
        "mentions": MENTIONS,
        "quotes": QUOTES,
        "controls": CONTROLS,
        "directions": DIRECTIONS,
        "surrogates": SURROGATES,
        "look-alikes": LOOK_ALIKES,
        "scalars": SCALARS,
        "keywords": (*keyword.kwlist, *keyword.softkwlist),
        "builtins": tuple(dir(builtins)),
        "dunders": DUNDERS,
        "modules": module_words(),
        "generated": tuple(generated),
        "language": (*sorted(names.WORDS), *sorted(w.lower() for w in SOFT_WORDS), *names.TYPES, "subject to"),
        "primitives": tuple(OPS),
    }


NAMES = ("keywords", "builtins", "dunders", "modules", "generated", "language", "primitives")
"""The families that are words: some of them are names."""


def draw(random: Random, prefers_names: bool) -> tuple[str, str]:
    """A family and a text of it. Where a name is wanted, half are words: other texts end at the gate."""
    known = families()
    family = random.choice(NAMES if prefers_names and random.random() < 0.5 else tuple(known))
    text = random.choice(known[family])
    fate = random.random()
    if fate < 0.7:
        return family, text
    other = random.choice(known[random.choice(tuple(known))])
    if fate < 0.8:
        return family, text + other
    if fate < 0.86:
        return family, f"harmless {text}"
    if fate < 0.9:
        return family, f"{text} harmless {other}"
    if fate < 0.94:
        return family, (text + random.choice((" ", "", "\n"))) * random.randint(2, 60)
    if fate < 0.97:
        return family, "".join(random.choice((text, other, "a", '"', "\\", "\n")) for _ in range(6))
    return family, "".join(
        chr(random.choice((random.randrange(128), random.randrange(0x3000)))) for _ in range(9)
    )
