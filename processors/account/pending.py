"""A question of a cycle that is on its way. Pure."""

from dataclasses import dataclass, field
from typing import Any, Final, Self

from orderloom.question import Question
from processors.timers import Timers

NUMBERS: Final = ("due_ns", "run_ns", "pages", "has_failed", "failures")
"""The fields that the state holds as they are."""


@dataclass(slots=True)
class Pending:
    """A question on its way. `run_ns` names the run of pages that is being received.

    One that `has_failed` is asked again at `due_ns` in any case; another only if nothing of its
    cycle was answered meanwhile. `failures` counts those in a row, also of its former askings.
    """

    question: Question
    due_ns: int
    run_ns: int = -1
    pages: int = 0
    has_failed: bool = False
    failures: int = 0

    def document(self, product: str) -> dict[str, Any]:
        """JSON-ready, as the state keeps it."""
        return {
            "product": product,
            "question": self.question.document(),
            "due_ns": self.due_ns,
            "run_ns": self.run_ns,
            "pages": self.pages,
            "has_failed": self.has_failed,
            "failures": self.failures,
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> Self:
        """What `document` gave out."""
        question = Question.model_validate(document["question"])
        return cls(question, **{name: document[name] for name in NUMBERS})


@dataclass(slots=True)
class QuestionTimers:
    """When the questions of a cycle are due: a message looks for the earliest, however many wait.

    Those that failed apart from the others, for which an answer to any of them is patience.
    """

    _waiting: Timers = field(default_factory=Timers)
    _failed: Timers = field(default_factory=Timers)

    def set(self, one: Pending) -> None:
        """A question is due then, and at no other time."""
        # It may stand among the others: that it failed, or not, may be new.
        self.drop(one.question.id)
        (self._failed if one.has_failed else self._waiting).set(one.question.id, one.due_ns)

    def drop(self, question_id: str) -> None:
        """A question is on its way no more."""
        self._waiting.set(question_id, None)
        self._failed.set(question_id, None)

    def due_ns(self, patient_ns: int) -> int:
        """When the first is due, where those that did not fail wait until `patient_ns`."""
        waiting, failed = self._waiting.earliest_ns(), self._failed.earliest_ns()
        due = [] if waiting is None else [max(waiting, patient_ns)]
        return min(due if failed is None else [*due, failed])
