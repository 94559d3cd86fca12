"""The questions of the owned partitions: decoded, asked a few at a time for each account, counted.

A question is done when its answer stands in the log; the lowest one not done is what is committed.
Whoever waits too long asks the same again under another id, and waits for the former no more. So of
questions that differ by their id alone the newest is asked, in the place that the first one had in
the line: else a line that is longer than the asker's patience would be worked off for nobody, for
ever. The former ones are reported as superseded.
"""

import asyncio
import logging
from dataclasses import dataclass, replace

from ingest.group_events import Received
from ingest.outbox import Address, Outbox
from ingest.partition import OwnedPartition
from ingest.progress import DispatchProgress
from ingest.questions import AGE_NS_MAX, Log, ask, failure
from ingest.requester import Requester
from ingest.requesters import Requesters
from orderloom.dispatch import BadDispatch, Dispatch, read_dispatch
from orderloom.question import About, Question
from orderloom.raw import Answer, Failure
from runtime.metrics import QUESTIONS, UNBELIEVED

PARALLEL_MAX = 4
OPEN_MAX = 5_000
"""What waits here is small; what waits unread in Kafka holds up every account of the worker."""
_PUBLIC = frozenset({About.SERVER_TIME, About.INSTRUMENTS})

_log = logging.getLogger(__name__)


_What = tuple[int, Question]
"""Who asks, by the partition, and what: the question without its id. Several partitions ask the
same of a venue, instruments for one, and each waits for an answer of its own."""


@dataclass(slots=True, eq=False)
class _Open:
    """A question on its way, as it was asked for last; `is_begun`: a page of it is written."""

    asked: Dispatch
    address: Address
    progress: DispatchProgress
    offset: int
    is_begun: bool = False
    task: asyncio.Task[None] | None = None

    def done(self) -> None:
        """It, or why it has no answer, stands in the log, or somebody else sees to it."""
        self.progress.done(self.offset)


class Asking:
    """Asks what is received; used in one event loop, but `is_full` from any thread."""

    def __init__(self, requesters: Requesters, outbox: Outbox, partitions_total: int) -> None:
        self._requesters = requesters
        self._partitions_total = partitions_total
        self._outbox = outbox
        self._progress: dict[int, DispatchProgress] = {}
        self._turns: dict[tuple[str, bool], asyncio.Semaphore] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: dict[_What, _Open] = {}

    def is_full(self) -> bool:
        """Whether as many questions are open as may be."""
        return len(self._tasks) >= OPEN_MAX

    def begin(self, partition: int, offset: int) -> None:
        """A partition is ours, and is read from `offset`."""
        self._progress[partition] = DispatchProgress(offset)

    def end(self, partition: int) -> None:
        """A partition is no longer ours; answers under way are still written, as evidence."""
        self._progress.pop(partition, None)

    def committable(self) -> dict[int, int]:
        """For each partition the lowest offset that is not done."""
        return {number: progress.committable for number, progress in self._progress.items()}

    def receive(self, owned: OwnedPartition | None, received: Received) -> None:
        """Take a dispatch up; what cannot be read is named, counted and passed."""
        progress = self._progress.get(received.partition)
        # Not ours any more, or read again after the group was joined anew: it is under way already.
        if owned is None or progress is None or not progress.received(received.offset):
            return
        try:
            asked = read_dispatch(received.value)
            self._check_place(asked, received.partition)
        except BadDispatch as error:
            venue = self._requesters.public.venue.name
            QUESTIONS.labels(venue, "unreadable", "skipped").inc()
            place = (received.partition, received.offset)
            _log.error("dispatch in partition %d at offset %d is skipped: %s", *place, error)
            # Passed for good: its bytes will not change, and would hold back all that is committed.
            progress.done(received.offset)
            return
        self._take(_Open(asked, owned.address(asked.account), progress, received.offset))

    def _take(self, newer: _Open) -> None:
        """Ask, unless the same waits already: then the newer takes its place in the line."""
        what = newer.address.partition, newer.asked.question.model_copy(update={"id": ""})
        former = self._open.get(what)
        if former is not None:
            self._supersede(former, newer)
            if not former.is_begun:
                former.asked, former.address = newer.asked, newer.address
                former.progress, former.offset = newer.progress, newer.offset
                return
            assert former.task is not None, "a question that is begun has a task"
            former.task.cancel()  # its pages are of an id that nobody waits for
        self._open[what] = newer
        newer.task = asyncio.get_running_loop().create_task(self._ask(what, newer))
        self._tasks.add(newer.task)
        newer.task.add_done_callback(self._ended)

    def _supersede(self, former: _Open, newer: _Open) -> None:
        former.done()  # the newer one's offset is not
        question = former.asked.question
        if question.id == newer.asked.question.id:  # read again: the partition was away
            return
        now_ns = self._requesters.clock.wall_ns()
        reason = f"superseded by {newer.asked.question.id}"
        self._outbox.put(former.address, failure(question, reason, now_ns, now_ns))
        QUESTIONS.labels(self._requesters.public.venue.name, question.about, "superseded").inc()

    def _check_place(self, asked: Dispatch, partition: int) -> None:
        """Only who owns an account's partition asks for it. Raises BadDispatch."""
        config = self._requesters.accounts.get(asked.account)
        # An account that is not served is let through: it gets a failure, which says so.
        home = partition if config is None else config.partition_of(self._partitions_total)
        if home != partition:
            UNBELIEVED.labels(self._requesters.public.venue.name, "dispatch").inc()
            raise BadDispatch(f"account {asked.account} lies in partition {home}")

    async def stop(self) -> None:
        """Give up what is under way: it is not committed, so it will be asked again."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._outbox.fail(error)

    async def _ask(self, what: _What, one: _Open) -> None:
        try:
            async with self._turn(one.asked):
                await self._ask_now(one)
            # Done is what stands in the log: killed before,
            # we find the question again (decision 0506).
            await self._outbox.written(one.address.account, one.address.partition)
            one.done()
        finally:
            if self._open.get(what) is one:
                del self._open[what]

    async def _ask_now(self, one: _Open) -> None:
        asked, address, now_ns = one.asked, one.address, self._requesters.clock.wall_ns()
        question, requester = asked.question, self._requester(asked)
        trouble = ""
        if requester is None:
            trouble = f"account {asked.account} is not served here: unknown, disabled, or no key"
        # After an outage a backlog that nobody waits for
        # any more costs no rate limit (decision 0506).
        elif now_ns - asked.at_ns > AGE_NS_MAX:
            trouble = "dropped: decided more than ten minutes ago"
        if requester is None or trouble:
            one.is_begun = True
            self._outbox.put(address, failure(question, trouble, now_ns, now_ns))
            QUESTIONS.labels(self._requesters.public.venue.name, question.about, "dropped").inc()
            return

        def write(item: Answer | Failure) -> None:
            one.is_begun = True  # who waits for it now is who gets all of it
            named = replace(item, question=one.asked.question.document())
            self._outbox.put(one.address, named)

        log = Log(
            write,
            lambda: self._outbox.room(address.account, address.partition),
        )
        await ask(question, requester, log)

    def _requester(self, asked: Dispatch) -> Requester | None:
        requester = self._requesters.by_account.get(asked.account)
        if requester is None and asked.question.about in _PUBLIC:
            # Instruments and the time need no key, and a partition that asks for them has none.
            return self._requesters.public
        return requester

    def _turn(self, asked: Dispatch) -> asyncio.Semaphore:
        """Urgent questions do not stand behind periodic ones."""
        key = (asked.account, asked.question.urgent)
        return self._turns.setdefault(key, asyncio.Semaphore(PARALLEL_MAX))
