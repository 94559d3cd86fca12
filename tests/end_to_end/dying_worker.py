"""A worker that kills itself at a named point of reconciliation, the second time it comes there.

`python -m tests.end_to_end.dying_worker KIND VENUE POINT`, told by ORDERLOOM_CONFIG like others. It
is a program of its own: the product's workers have no way to be told such a thing.
"""

import os
import signal
import sys
import threading
from functools import partial
from itertools import count
from typing import Any, Final

from cli import processing
from cli.members import held_member
from ingest import questions, worker
from ingest.asking import Asking
from processors.ledger.step import InputRecord
from processors.measured import MeasuredFold
from processors.worker import Parts
from runtime.logs import set_up_logs
from runtime.settings import Settings, load_settings
from runtime.supervise_process import stop_on_signals
from venues import VENUES

PASSES: Final = 2
RECEIVED, BEFORE_REQUEST, BETWEEN_PAGES, BEFORE_RECORD = INGEST = (
    "question-received",
    "before-the-request",
    "between-two-pages",
    "before-the-last-page-is-written",
)
BEGUN, DISPATCHED, BETWEEN_ANSWERS, CLOSING, CLOSED = PROCESS = (
    "cycle-begun",
    "questions-dispatched",
    "between-two-answers",
    "closing-answer-before-commit",
    "closing-answer-after-commit",
)


class Plant:
    """The point at which the process dies."""

    def __init__(self, point: str) -> None:
        self.point = point
        self._passes = count(1)
        self._lock = threading.Lock()

    def reached(self, point: str) -> None:
        with self._lock:
            if point == self.point and next(self._passes) == PASSES:
                os.kill(os.getpid(), signal.SIGKILL)


class Step(threading.local):
    """What the present step of this thread's ledger has done; a ledger has one thread."""

    is_begun = False
    is_closing = False


def plant_process(plant: Plant) -> None:
    """Put the plant into the fold and into the ledger's commits."""
    step = Step()

    class PlantedFold(MeasuredFold):
        def tick(self, now_ns: int) -> None:
            before = self._of_cycles()
            super().tick(now_ns)
            if self._of_cycles()[0] > before[0]:
                step.is_begun = True
                plant.reached(BEGUN)

        def fold(self, record: InputRecord, now_ns: int) -> None:
            before = self._of_cycles()
            super().fold(record, now_ns)
            after = self._of_cycles()
            if after[1] > before[1]:
                step.is_closing = True
            elif after[2] < before[2]:
                plant.reached(BETWEEN_ANSWERS)

        def _of_cycles(self) -> tuple[int, int, int]:
            """Cycles begun, cycles complete, and questions of cycles without an answer."""
            cycles = [
                one
                for account in self.accounts.values()
                for one in account.look_ups.reconciliation.cycles.values()
            ]
            completed = sum(one.completed for one in cycles)
            asking, pending = sum(one.asking for one in cycles), sum(len(r.pending) for r in cycles)
            return completed + asking, completed, pending

    def probe(reached: str) -> None:
        if reached == "before-commit" and step.is_closing:
            plant.reached(CLOSING)
        elif reached == "after-commit":
            if step.is_begun:
                plant.reached(DISPATCHED)
            if step.is_closing:
                plant.reached(CLOSED)
            step.is_begun = step.is_closing = False

    processing.MeasuredFold = PlantedFold  # type: ignore[attr-defined]  # that is the plant
    processing.Parts = partial(Parts, probe=probe)  # type: ignore[attr-defined, assignment]  # too


def plant_ingest(plant: Plant) -> None:
    """Put the plant between a question and its answer."""
    receive, next_of, item = Asking.receive, questions._next_of, questions._item

    def receiving(self: Asking, *arguments: Any) -> None:
        receive(self, *arguments)
        plant.reached(RECEIVED)

    def following(question: Any, requester: Any, page: Any) -> Any:
        if question.reason == "round":
            plant.reached(BEFORE_REQUEST if page is None else BETWEEN_PAGES)
        return next_of(question, requester, page)

    def making(question: Any, page: Any, answer: Any, is_last: bool, asked_ns: int) -> Any:
        if is_last and question.reason == "round":
            plant.reached(BEFORE_RECORD)
        return item(question, page, answer, is_last, asked_ns)

    Asking.receive = receiving  # type: ignore[method-assign, assignment]  # that is it
    questions._next_of, questions._item = following, making


def main(kind: str, venue: str, point: str) -> int:
    settings: Settings = load_settings()
    set_up_logs(f"dying {kind} {venue}", settings.log_level)
    plant = Plant(point)
    if kind == "process":
        plant_process(plant)
        return processing.run_once(settings, venue)
    plant_ingest(plant)
    with held_member(settings.data_dir, f"ingest-{venue}") as name:
        worker.run(settings, VENUES[venue], name, stop_on_signals())
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
