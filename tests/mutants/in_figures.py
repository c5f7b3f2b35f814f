"""Faults in the figures and in the hash: costs of repeated and shared modules, bytes, peaks."""

from __future__ import annotations

from .mutant import Mutant

_MEMORY = "tests/test_memory.py"
_STATS = "tests/test_stats.py"

FIGURES: tuple[Mutant, ...] = (
    Mutant(
        "a module that is called twice is counted twice",
        "archdsl/cost/__init__.py",
        "return cost if node.module == index else cost._replace(",
        "return cost if node.module >= 0 else cost._replace(",
        ("tests/test_language.py::test_a_module_called_twice_shares_its_weights",),
    ),
    Mutant(
        "the first call of a module is counted for the second",
        "archdsl/cost/__init__.py",
        "key = (called, node.module == index, index in trained)",
        "key = (called, True, index in trained)",
        ("tests/test_language.py::test_a_block_called_twice_owns_its_weights_once",),
    ),
    Mutant(
        "equal blocks are counted once",
        "archdsl/cost/__init__.py",
        "params += cost.params * count",
        "params += cost.params",
        (f"{_STATS}::test_totals[s0]",),
    ),
    Mutant(
        "buffers of equal blocks are counted once",
        "archdsl/cost/__init__.py",
        "statistics += cost.statistics * count",
        "statistics += cost.statistics",
        (f"{_STATS}::test_golden_json",),
    ),
    Mutant(
        "counters are numbers of the type of the weights",
        "archdsl/cost/memory.py",
        "cost.counters * 8",
        "cost.counters * size",
        (f"{_STATS}::test_golden_json",),
    ),
    Mutant(
        "of two peaks the last is named",
        "archdsl/cost/memory.py",
        "                if alive > rise:\n",
        "                if alive >= rise:\n",
        (f"{_STATS}::test_peak_memory_of_a_chain_by_hand", f"{_MEMORY}::test_networks"),
    ),
    Mutant(
        "what nobody reads is never freed",
        "archdsl/cost/memory.py",
        "last = [max(read, born) for read, born in zip(owners.read, owners.born, strict=True)]",
        "last = list(owners.read)",
        (f"{_MEMORY}::test_drawn_networks",),
    ),
    Mutant(
        "a block reads all that it is given",
        "archdsl/cost/memory.py",
        "                if inner.read[number] >= 0:\n                    read[owner] = index",
        "                read[owner] = index",
        (f"{_MEMORY}::test_drawn_networks",),
    ),
    Mutant(
        "a learned tensor has the batch in its bytes",
        "archdsl/cost/memory.py",
        "self.size * (self.batch if type_.batched else 1)",
        "self.size * self.batch",
        (f"{_MEMORY}::test_networks",),
    ),
    Mutant(
        "the memo of courses forgets how a block is called",
        "archdsl/cost/memory.py",
        "key = (id(template), call)",
        "key = (id(template), call._replace(kept=()))",
        (f"{_MEMORY}::test_a_block_is_called_in_two_ways",),
    ),
    Mutant(
        "inputs that share memory are held each for itself",
        "archdsl/cost/memory.py",
        "held = [*call.groups, *range(inputs, len(owners.bytes))]",
        "held = [*range(inputs), *range(inputs, len(owners.bytes))]",
        (f"{_MEMORY}::test_a_block_is_called_in_two_ways",),
    ),
    Mutant(
        "the hash forgets the wiring",
        "archdsl/graph/__init__.py",
        "{item.inputs} {item.outputs} {shapes}",
        "{item.outputs} {shapes}",
        ("tests/test_graph.py::test_networks_that_differ_in_their_wiring_have_other_hashes",),
    ),
    Mutant(
        "a block that is called again owns its weights again",
        "archdsl/graph/__init__.py",
        "own = first and node.module == index",
        "own = node.module == index",
        ("tests/test_language.py::test_a_block_called_twice_owns_its_weights_once",),
    ),
)
