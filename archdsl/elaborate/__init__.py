"""From documents to graphs: blocks expanded, expressions evaluated, shapes known as nodes are added.

What one template or network is made by, each class on the shoulders of those before it:

    expressions, calls        expressions evaluated; calls of functions, primitives, blocks and modules
    nodes, decisions, blocks  nodes and labels; conditions; the statements of a block
    parameters, streams       what a network is given; blocks applied to its named tensors
    stages, networks          the blocks of a stage; the whole, run in order

What they use:

    values, functions, inits  what an expression can be; the language's functions; first values of weights
    binding, axes             calls matched with signatures; `...` in their shapes
    choices                   what is left open, and who decides it
    templates, replay         the memo of templates; templates made from others that differ in numbers
    resolutions               which sizes a network can take
"""

from __future__ import annotations

from archdsl.elaborate.networks import elaborate
from archdsl.elaborate.parameters import LARGEST_RESOLUTION
from archdsl.elaborate.resolutions import at_resolution

__all__ = ["LARGEST_RESOLUTION", "at_resolution", "elaborate"]
