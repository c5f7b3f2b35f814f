"""Python's collector of cyclic garbage, paused where everything that is made stays alive.

While a graph is made and counted, a collection finds nothing and looks at everything: it doubles the time.
"""

from __future__ import annotations

import gc
from types import TracebackType


class Paused:
    """`with Paused(): ...`; nested pauses end with the outermost."""

    def __enter__(self) -> None:
        self.was_enabled = gc.isenabled()
        gc.disable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.was_enabled:
            gc.enable()
