"""Every primitive as drawn cases with a reference in torch; each module notes how its own are drawn."""

from primitives import layout, learned, norms, pointwise, products, windows  # noqa: F401 - fills MAKERS
