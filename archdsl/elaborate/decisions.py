"""What is decided while a template is made: conditions, requirements, and names that turn out to be equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from archdsl import syntax as s
from archdsl.elaborate.binding import usual_value
from archdsl.elaborate.nodes import NodeElaborator
from archdsl.elaborate.values import Poison, Refused
from archdsl.graph import Decision
from archdsl.scalar import Apply, Constant, Scalar, Term, Var, human_text, is_constant

if TYPE_CHECKING:
    from archdsl.elaborate.templates import Elaborator
    from archdsl.library import Unit


class DecisionElaborator(NodeElaborator):
    """Decides conditions, and notes what was asked."""

    def __init__(self, shared: Elaborator, unit: Unit, name: str) -> None:
        super().__init__(shared, unit, name)
        self.actual: dict[str, Constant] = {}
        """What the names in terms stand for, whatever the document has given them to since."""
        self.decisions: list[Decision] = []
        self.unusual_callables: set[str] = set()
        self.pins: dict[str, Scalar] = {}
        """Names that a decision found to be equal to others, and those others."""
        self.pinned = False
        """Whether this is the second run, with those in each other's place."""

    @contextmanager
    def deciding(self, condition: s.Expr) -> Iterator[bool | None]:
        before = self.within
        outcome, term = self._decided(condition)
        if outcome is not None and term is not None:
            self.within = (*before, (term, outcome))
        try:
            yield outcome
        finally:
            self.within = before

    def _decided(self, condition: s.Expr) -> tuple[bool | None, Term | None]:
        """The outcome of a condition, and the term that was asked where names decide, noted as a decision."""
        try:
            truth = self.truth_of(condition)
        except Refused as error:
            self.report(error)
            return None, None
        if isinstance(truth, Poison):
            return None, None
        outcome, term = truth.value is True, truth.term
        if is_constant(term):
            callables = [name for name in _names_of(condition) if name in self.unusual_callables]
            if callables:
                self._note(Decision(callables[0], f"on {callables[0]}", outcome, True))
            return outcome, None
        usual = usual_value(term, self.usual, outcome)
        subject = next(iter(_names_in_order(term)), "")
        self._note(Decision(subject, human_text(term), outcome, usual != outcome, term))
        self.guards.append((term, outcome))
        if outcome:
            self._pin(term)
        return outcome, term

    def _note(self, decision: Decision) -> None:
        if decision not in self.decisions:
            self.decisions.append(decision)

    def _pin(self, term: Term) -> None:
        """A decision that names are equal makes one of them the other: `stride == 1`, `C == out`."""
        match term:
            case Apply("and", (a, b)):
                self._pin(a)
                self._pin(b)
            case Apply("==", (a, b)):
                a, b = self._unfolded(a), self._unfolded(b)
                if isinstance(b, Var) and not (isinstance(a, Var) and a.name in self.usual):
                    a, b = b, a
                if isinstance(a, Var) and (is_constant(b) or isinstance(b, Var)):
                    self.pins[a.name] = Scalar(self.actual[a.name], b)
            case Var(name) if name in self.lets:
                self._pin(self.lets[name].term)

    def _unfolded(self, term: Term) -> Term:
        if isinstance(term, Var) and term.name in self.lets:
            return self.lets[term.name].term
        return term

    def require(self, statement: s.Require) -> None:
        truth = self.truth_of(statement.condition)
        if isinstance(truth, Poison):
            return
        if not is_constant(truth.term):
            self.guards.append((truth.term, True))
        if truth.value is True:
            return
        asked = list(dict.fromkeys(_names_in_order(truth.term)))
        found = [f"{name} = {self.actual[name]}" for name in asked]
        note = "here " + ", ".join(found) if found else None
        raise self.unmet(Refused("E0405", statement.message, statement.span, None, note), statement, asked)

    def unmet(self, error: Refused, statement: s.Require, asked: Sequence[str]) -> Refused:
        """The mistake of a requirement that does not hold, which asks about these names, with its help."""
        if asked:
            error.help = f"{self.name} requires it; its caller decides on {', '.join(asked)}"
            error.asked = asked
        return error


def _names_in_order(term: object) -> list[str]:
    if isinstance(term, Var):
        return [term.name]
    if isinstance(term, Apply):
        return [name for arg in term.args for name in _names_in_order(arg)]
    return []


def _names_of(expr: object) -> list[str]:
    if isinstance(expr, s.Name):
        return [expr.id]
    if isinstance(expr, s.Binary):
        return _names_of(expr.left) + _names_of(expr.right)
    return _names_of(expr.operand) if isinstance(expr, s.Unary) else []
