"""Faults in the figures of spaces: what a walk forgets, counts twice or merges, and conditions."""

from __future__ import annotations

from .mutant import Mutant

_SPACES = "tests/test_spaces.py"
_NETWORKS = "tests/test_space_networks.py"
_FORMS = f"{_NETWORKS}::test_figures_and_frozen_documents_of_every_network"

_LIMITS = f"{_SPACES}::test_intervals_end_at_limits"
_WRONG = f"{_NETWORKS}::test_what_one_network_of_a_space_is_refused_for_the_space_is_refused_for"

SPACES: tuple[Mutant, ...] = (
    Mutant(
        "ways after ways are added",
        "archdsl/space/states.py",
        "return Reached(self.ways * ways,",
        "return Reached(self.ways + ways - 1,",
        (f"{_SPACES}::test_the_size_of_the_supernet_by_a_formula",),
    ),
    Mutant(
        "ways that join are counted once",
        "archdsl/space/states.py",
        "self.ways += other.ways",
        "self.ways = max(self.ways, other.ways)",
        (f"{_FORMS}[lists joined]",),
    ),
    Mutant(
        "the most of a cost is that of the first way",
        "archdsl/space/states.py",
        "self.most = _chosen(max, self.most, other.most)",
        "self.most = self.most if self.ways else other.most",
        (f"{_FORMS}[lists joined]",),
    ),
    Mutant(
        "states forget what memory is held",
        "archdsl/space/states.py",
        "return (self.picks, types_key(self.streams), names, self.labels, self.held, self.is_begun)",
        "return (self.picks, types_key(self.streams), names, self.labels, self.is_begun)",
        (f"{_FORMS}[a view or a copy]",),
    ),
    Mutant(
        "states forget which labels there are",
        "archdsl/space/states.py",
        "return (self.picks, types_key(self.streams), names, self.labels, self.held, self.is_begun)",
        "return (self.picks, types_key(self.streams), names, self.held, self.is_begun)",
        (_WRONG,),
    ),
    Mutant(
        "states forget whether anything is made",
        "archdsl/space/states.py",
        "return (self.picks, types_key(self.streams), names, self.labels, self.held, self.is_begun)",
        "return (self.picks, types_key(self.streams), names, self.labels, self.held)",
        (_WRONG,),
    ),
    Mutant(
        "a decision is forgotten that a whole list is read for",
        "archdsl/space/reads.py",
        "return any(read[: len(own)] == own[: len(read)] for read in reads)",
        "return any(read == own for read in reads)",
        (f"{_FORMS}[lists joined]",),
    ),
    Mutant(
        "what a parameter reads is forgotten",
        "archdsl/space/reads.py",
        "waiting += _direct(definition)",
        "pass",
        (f"{_FORMS}[a let given anew]",),
    ),
    Mutant(
        "what is known of a block forgets the memory that is held",
        "archdsl/space/walk.py",
        "key = (self._signature(item, own, picked), types_key(state.streams), state.held)",
        "key = (self._signature(item, own, picked), types_key(state.streams))",
        (f"{_FORMS}[a view of a view or of a copy]",),
    ),
    Mutant(
        "what `if` in a loop chooses is chosen in each round",
        "archdsl/space/walk.py",
        "inside = inside.and_(Later(frozenset({origin(self.builder.places[id(loop)])}), frozenset()))",
        "pass",
        (f"{_FORMS}[a decision in loops is one]",),
    ),
    Mutant(
        "a decision that the next blocks share is forgotten",
        "archdsl/space/walk.py",
        "result.append(result[-1] if own <= result[-1] else own | result[-1])",
        "result.append(own)",
        (f"{_FORMS}[lists joined]",),
    ),
    Mutant(
        "a stage is there without a block",
        "archdsl/space/states.py",
        "labels = state.labels | {stage} if self.is_there else state.labels",
        "labels = state.labels | {stage}",
        (f"{_FORMS}[a width of no blocks]",),
    ),
    Mutant(
        "a view holds what it shows alone",
        "archdsl/cost/memory.py",
        "return held + made, held if _is_view(template, node) else made",
        "return held + made, made",
        (f"{_FORMS}[a view or a copy]",),
    ),
    Mutant(
        "less than a limit is at most the limit",
        "archdsl/space/bounds.py",
        "return math.ceil(limit) - 1 if strictly else math.floor(limit)",
        "return math.floor(limit)",
        (_LIMITS,),
    ),
    Mutant(
        "more than a limit is at least the limit",
        "archdsl/space/bounds.py",
        "return math.floor(limit) + 1 if strictly else math.ceil(limit)",
        "return math.ceil(limit)",
        (_LIMITS,),
    ),
    Mutant(
        "a limit that stands in front is compared as if behind",
        "archdsl/space/conditions.py",
        '"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="',
        '"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "=="',
        (_LIMITS,),
    ),
    Mutant(
        "a KiB is a thousand bytes",
        "archdsl/space/conditions.py",
        '"KiB": 2**10',
        '"KiB": 10**3',
        (_LIMITS,),
    ),
    Mutant(
        "a network is frozen that breaks a condition",
        "archdsl/space/freeze.py",
        "    mistakes += broken(frozen.graph, conditions(chosen.network))\n",
        "",
        (f"{_SPACES}::test_conditions_at_the_limit",),
    ),
    Mutant(
        "a list of picks goes on from its begin",
        "archdsl/space/picks.py",
        "        if index >= len(value):\n            return None\n",
        "        index %= len(value)\n",
        (f"{_SPACES}::test_wrong_picks",),
    ),
)
