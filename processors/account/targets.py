"""Targeted questions: one order that we doubt, asked about by its own id after a grace time.

Pure. A ghost (live with us, absent from a complete list) is asked for before anything is concluded;
an order whose venue claims more than its executions explain has its trades looked up; a doubt
raised by a contradiction is asked about at once. Time and tries never close anything: they only ask
again (docs/state-model.md INV-2). No more than `WAITING_MAX` ghosts and gaps wait at once: what is
still one when a cycle ends is raised again then. Nothing would raise a contradiction again, so each
waits; where many do (a venue has a new status word), they are asked about one after another.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any, Final

from processors.timers import Timers

GHOST: Final = "GHOST"
GAP: Final = "GAP"
DOUBT: Final = "DOUBT"
WAITING_MAX: Final = 1_000
TRIES_BEFORE_SLOW: Final = 5
SLOW_FACTOR: Final = 15
AT_ONCE: Final = 100
NEXT_NS: Final = 1_000_000_000
"""So many doubts are due together, the next so many that long after them."""


@dataclass(slots=True)
class Target:
    """One doubt about one order; `question_id` while its question is on the way."""

    order_key: str
    why: str
    due_ns: int
    tries: int = 0
    question_id: str | None = None

    @property
    def name(self) -> str:
        """What it is known by."""
        return f"{self.why} {self.order_key}"


@dataclass(slots=True)
class Targets:
    """The doubts of one account, at most one of a kind per order."""

    by_name: dict[str, Target] = field(default_factory=dict)
    by_question: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    """The names of those that changed since they were saved."""
    timers: Timers = field(default_factory=Timers, compare=False)
    """When each is due: a message looks for the earliest, however many wait."""

    def raise_doubt(self, order_key: str, why: str, due_ns: int) -> None:
        """Ask about the order at `due_ns`, unless that is under way already, or too many wait."""
        target = Target(order_key, why, due_ns + len(self.by_name) // AT_ONCE * NEXT_NS)
        # Ghosts and gaps are raised again when a cycle ends; a contradiction never would be.
        if target.name in self.by_name or (why != DOUBT and len(self.by_name) >= WAITING_MAX):
            return
        self.by_name[target.name] = target
        self._note(target)

    def _note(self, target: Target) -> None:
        self.changed.add(target.name)
        self.timers.set(target.name, target.due_ns)

    def settle(self, order_key: str, why: str) -> None:
        """The doubt is gone."""
        target = self.by_name.pop(f"{why} {order_key}", None)
        if target is None:
            return
        self.changed.add(target.name)
        self.timers.set(target.name, None)
        if target.question_id is not None:
            self.by_question.pop(target.question_id, None)

    def due(self, now_ns: int) -> list[Target]:
        """The doubts whose time has come, in a fixed order."""
        earliest_ns = self.timers.earliest_ns()
        if earliest_ns is None or earliest_ns > now_ns:
            return []
        due = (target for target in self.by_name.values() if target.due_ns <= now_ns)
        return sorted(due, key=attrgetter("name"))

    def due_ns(self) -> int | None:
        """When the earliest doubt is due."""
        return self.timers.earliest_ns()

    def asked(self, target: Target, question_id: str, due_ns: int) -> None:
        """The doubt's question went out; asked again if there is no answer by `due_ns`."""
        # The answer to a former asking settles nothing any more.
        if target.question_id is not None:
            self.by_question.pop(target.question_id, None)
        target.question_id, target.due_ns, target.tries = question_id, due_ns, target.tries + 1
        self.by_question[question_id] = target.name
        self._note(target)

    def answered(self, question_id: str) -> Target | None:
        """The doubt that this question was about, if it is still open."""
        return self.by_name.get(self.by_question.get(question_id, ""))

    def ask_again(self, target: Target, now_ns: int, retry_ns: int) -> None:
        """The answer settled nothing (or was an error): ask again, slower after some tries."""
        # Slower, and never at an end: tries close nothing (docs/state-model.md INV-2).
        factor = 1 if target.tries < TRIES_BEFORE_SLOW else SLOW_FACTOR
        self.put_off(target, now_ns + retry_ns * factor)

    def put_off(self, target: Target, due_ns: int) -> None:
        """It is asked about then, and not before."""
        target.due_ns = due_ns
        self._note(target)

    def forget_questions(self, now_ns: int) -> None:
        """What was asked was never sent: all is asked about, as for the first time."""
        self.by_question.clear()
        for place, (_, target) in enumerate(sorted(self.by_name.items())):
            due_ns = now_ns + place // AT_ONCE * NEXT_NS
            target.question_id, target.due_ns, target.tries = None, due_ns, 0
            self._note(target)

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Those that changed since the last call, by name; None: it is no more."""
        for name in sorted(self.changed):
            target = self.by_name.get(name)
            yield name, None if target is None else asdict(target)
        self.changed.clear()

    def load(self, document: dict[str, Any]) -> None:
        """Take back one."""
        target = Target(**{name: document[name] for name in Target.__slots__})
        self.by_name[target.name] = target
        self.timers.set(target.name, target.due_ns)
        if target.question_id is not None:
            self.by_question[target.question_id] = target.name
