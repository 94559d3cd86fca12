"""Targeted questions: one order that we doubt, asked about by its own id after a grace time.

Pure. A ghost (live with us, absent from a complete list) is asked for before anything is concluded;
an order whose venue claims more than its executions explain has its trades looked up; a doubt
raised by a contradiction is asked about at once. Time and tries never close anything: they only ask
again (docs/state-model.md INV-2). All of them stand in the account's state record, so no more than
`WAITING_MAX` ghosts and gaps wait at once: what is still one when a cycle ends is raised again
then.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

GHOST: Final = "GHOST"
GAP: Final = "GAP"
DOUBT: Final = "DOUBT"
WAITING_MAX: Final = 1_000
TRIES_BEFORE_SLOW: Final = 5
SLOW_FACTOR: Final = 15


@dataclass(slots=True)
class Target:
    """One doubt about one order; `question_id` while its question is on the way."""

    order_key: str
    why: str
    due_ns: int
    tries: int = 0
    question_id: str | None = None


@dataclass(slots=True)
class Targets:
    """The doubts of one account, at most one of a kind per order."""

    by_name: dict[str, Target] = field(default_factory=dict)
    by_question: dict[str, str] = field(default_factory=dict)

    def raise_doubt(self, order_key: str, why: str, due_ns: int) -> None:
        """Ask about the order at `due_ns`, unless that is under way already, or too many wait."""
        if why == DOUBT or len(self.by_name) < WAITING_MAX:
            self.by_name.setdefault(f"{why} {order_key}", Target(order_key, why, due_ns))

    def settle(self, order_key: str, why: str) -> None:
        """The doubt is gone."""
        target = self.by_name.pop(f"{why} {order_key}", None)
        if target is not None and target.question_id is not None:
            self.by_question.pop(target.question_id, None)

    def due(self, now_ns: int) -> list[Target]:
        """The doubts whose time has come, in a fixed order."""
        return [t for _, t in sorted(self.by_name.items()) if t.due_ns <= now_ns]

    def due_ns(self) -> int | None:
        """When the earliest doubt is due."""
        return min((target.due_ns for target in self.by_name.values()), default=None)

    def asked(self, target: Target, question_id: str, due_ns: int) -> None:
        """The doubt's question went out; asked again if there is no answer by `due_ns`."""
        if target.question_id is not None:
            self.by_question.pop(target.question_id, None)
        target.question_id, target.due_ns, target.tries = question_id, due_ns, target.tries + 1
        self.by_question[question_id] = f"{target.why} {target.order_key}"

    def answered(self, question_id: str) -> Target | None:
        """The doubt that this question was about, if it is still open."""
        return self.by_name.get(self.by_question.get(question_id, ""))

    def ask_again(self, target: Target, now_ns: int, retry_ns: int) -> None:
        """The answer settled nothing (or was an error): ask again, slower after some tries."""
        factor = 1 if target.tries < TRIES_BEFORE_SLOW else SLOW_FACTOR
        target.due_ns = now_ns + retry_ns * factor

    def dump(self) -> list[dict[str, Any]]:
        """The complete state, JSON-ready."""
        return [asdict(target) for target in self.by_name.values()]

    @classmethod
    def load(cls, document: list[dict[str, Any]]) -> "Targets":
        """The targets that `dump` gave out."""
        targets = cls()
        for fields in document:
            target = Target(**fields)
            name = f"{target.why} {target.order_key}"
            targets.by_name[name] = target
            if target.question_id is not None:
                targets.by_question[target.question_id] = name
        return targets
