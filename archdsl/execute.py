"""The module of a graph: its source, executed. There is no other way from a document to torch."""

from __future__ import annotations

import linecache
import os
import sys
import types
from typing import TYPE_CHECKING

from archdsl.source import Diagnostic, SurroundingsError

if TYPE_CHECKING:
    from torch import nn


def module_class(source: str, class_name: str, fingerprint: str) -> type[nn.Module]:
    """The network's class, from the text of its file.

    The text lives in a module `_archdsl_<class>_<hash>` of `sys.modules` and in `linecache`: tracebacks
    show the generated line, `inspect.getsource` finds it, and instances pickle within the process. The
    name has no dot, since pickle would import what stands before one.
    """
    import hashlib

    text_hash = hashlib.sha256(source.encode()).hexdigest()[:8]
    name = f"_archdsl_{class_name}_{fingerprint}_{text_hash}"
    module = sys.modules.get(name)
    if module is None:
        module = types.ModuleType(name)
        module.__file__ = f"<{name}>"
        code = compile(source, module.__file__, "exec")
        sys.modules[name] = module
        try:
            exec(code, module.__dict__)
        except ModuleNotFoundError as error:
            del sys.modules[name]
            help = "pip install torch"
            message = f"the module {error.name!r} is not installed"
            raise SurroundingsError([Diagnostic("E0706", message, None, help)]) from None
        except BaseException:
            del sys.modules[name]
            raise
        # No loader: linecache would drop a line list that has a modification time.
        lines = source.splitlines(keepends=True)
        linecache.cache[module.__file__] = (len(source), None, lines, module.__file__)
    result: type[nn.Module] = getattr(module, class_name)
    return result


def check_memory(params: int) -> None:
    """Refuse a module that this machine can't hold; raises `SurroundingsError`."""
    try:
        available = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return
    needed = 4 * params
    if needed > available:
        message = f"{params:,} parameters need {needed / 2**30:,.0f} GiB; this machine has less"
        help = "stats and source need no memory for weights"
        raise SurroundingsError([Diagnostic("E0707", message, None, help)])
