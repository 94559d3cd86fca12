"""A question of a cycle that is on its way. Pure."""

from dataclasses import dataclass
from typing import Any, Final, Self

from orderloom.question import Question

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
