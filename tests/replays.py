"""Every template that is made from another one is made by running its block too, and compared."""

from __future__ import annotations

from archdsl.elaborate import templates
from archdsl.graph import Template

seen: dict[str, int] = {}
"""How often a block was made from another template, by its name."""


def told(template: Template) -> list[object]:
    """All of a template, in words; what it calls by identity."""
    nodes = [
        (
            node.inputs, node.outputs, repr(node.op), id(node.child), repr(node.binds), node.label, node.module,
        )
        for node in template.nodes
    ]  # fmt: skip
    rest = [name for name in Template._fields if name not in ("nodes", "span")]
    return [nodes, *(repr(getattr(template, name)) for name in rest)]


def check_all() -> None:
    """Compare from now on, in this process."""
    original = templates.replay

    def checked(shared, recipe, ref, bound):
        before = len(shared.errors)
        made = original(shared, recipe, ref, bound)
        if made is None:
            return None
        assert len(shared.errors) == before, "a template with mistakes was made from one without"
        kept = shared.recipes, shared.runs, shared.steps
        shared.recipes, shared.runs = {}, {}
        run, _ = templates.make_template(shared, ref, bound)
        shared.recipes, shared.runs, shared.steps = kept
        assert run is not None and len(shared.errors) == before
        assert told(made) == told(run), made.block
        # What is known of a node is remembered by its identity (fingerprint, costs, memory).
        assert not {*map(id, made.nodes)} & {*map(id, recipe.template.nodes)}
        seen[made.block] = seen.get(made.block, 0) + 1
        return made

    templates.replay = checked
