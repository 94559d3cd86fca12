"""Takes up the commands of the partitions that are ours: whose they are, and which were seen.

How each is sent stands in `cancels` and `placements`; what became of it goes into `raw`.
"""

import asyncio
import logging
from typing import Final

from ingest.http import HttpClient
from ingest.orders.cancels import Canceling, CancelSender
from ingest.orders.claim_keeper import ClaimKeeper
from ingest.orders.claim_topic import APPEND_SECONDS_MAX
from ingest.orders.commands import Commanded
from ingest.orders.outcomes import Outcomes
from ingest.orders.placements import Placement, Placements
from ingest.outbox import Outbox
from ingest.partition import OwnedPartition
from ingest.requesters import Requesters
from orderloom.command import BadCommand, CancelCommand, DecidedCommand, PlaceCommand, read_command
from runtime.metrics import COMMANDS

ANSWER_SECONDS_MAX: Final = 5.0
BEGUN_WITHIN_NS: Final = 5_000_000_000
"""Within so long of its append a cancel is begun, or not at all: the fold decides the next."""
REMEMBERED_NS: Final = 60_000_000_000
"""So long after it was read a command that is read again is known to be the same."""

_log = logging.getLogger(__name__)


class OrderSender:
    """Used in one event loop, in which each command is a task of its own.

    Placements go under `claims`.
    """

    def __init__(
        self,
        requesters: Requesters,
        outbox: Outbox,
        partitions_total: int,
        claims: ClaimKeeper,
    ) -> None:
        self._requesters = requesters
        self._outbox = outbox
        self._partitions_total = partitions_total
        self._venue = requesters.public.venue
        wall_ns = requesters.clock.wall_ns
        # Of its own: no list of a thousand pages stands before a cancel for a connection.
        self._http = HttpClient(wall_ns, ANSWER_SECONDS_MAX)
        self._outcomes = Outcomes(self._venue.name, outbox, wall_ns)
        self._cancels = CancelSender(self._http, self._outcomes, claims.of)
        self._placements = Placements(self._http, self._outcomes, claims, self._refusal)
        self._taken: dict[tuple[int, str], int] = {}
        """What was taken up, by partition, and until when it is remembered (ns UTC)."""
        self._tasks: dict[asyncio.Task[None], int] = {}
        """What is under way, each in its partition."""

    def receive(self, owned: OwnedPartition | None, received: Commanded) -> None:
        """Take a command up; what cannot be read is named and counted."""
        if owned is None or self._venue.orders is None:  # not ours any more
            return
        try:
            command = read_command(received.key, received.value)
        except BadCommand as error:
            COMMANDS.labels(self._venue.name, "unreadable").inc()
            place = (received.partition, received.offset)
            _log.error("command in partition %d at offset %d is passed: %s", *place, error)
            return
        if self._is_known(command, received.partition):
            return
        if isinstance(command, CancelCommand):
            # While a ledger catches up its clock is behind: a command is as old as its append.
            until_ns = min(command.command.send_by_ns, received.appended_ns + BEGUN_WITHIN_NS)
            self._cancel(command, owned, until_ns)
        else:
            self._place(command, owned)

    def _cancel(self, command: CancelCommand, owned: OwnedPartition, until_ns: int) -> None:
        address = owned.address(command.account)
        requester = self._requesters.by_account.get(command.account)
        why = self._refusal(command, owned.number)
        # Nothing else stops it, its time neither: somebody wants the order gone.
        if why is None and self._placements.cancel(command):
            why = "what would place its order was not sent, and will not be"
        if why is not None or requester is None:
            self._outcomes.unsent(command, address, why or "the account is not served here")
            return
        assert self._venue.orders is not None
        sending = Canceling(command, owned.number, address, requester, until_ns)
        sent = self._cancels.send(self._venue.orders, sending)
        self._follow(asyncio.get_running_loop().create_task(sent), owned.number)

    def _place(self, command: PlaceCommand, owned: OwnedPartition) -> None:
        address = owned.address(command.account)
        requester = self._requesters.by_account.get(command.account)
        why = self._refusal(command, owned.number)
        if why is not None or requester is None:
            why = why or "the account is not served here"
            refused = self._placements.refuse(command, owned.number, address, why)
            self._follow(asyncio.get_running_loop().create_task(refused), owned.number)
            return
        assert self._venue.orders is not None
        placing = Placement(command, owned.number, address, requester)
        self._follow(self._placements.start(self._venue.orders, placing), owned.number)

    async def settled(self, partition: int) -> None:
        """Return when nothing of a partition is under way: each has its seconds."""
        if tasks := [task for task, number in self._tasks.items() if number == partition]:
            seconds = 2 * APPEND_SECONDS_MAX + ANSWER_SECONDS_MAX
            await asyncio.wait(tasks, timeout=seconds)

    async def stop(self) -> None:
        """Wait for the answers that are under way: each has its seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=ANSWER_SECONDS_MAX)
        for task in self._tasks:
            task.cancel()
        await self._http.close()

    def _follow(self, task: "asyncio.Task[None]", partition: int) -> None:
        self._tasks[task] = partition
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._outbox.fail(error)  # a mistake of our own ends this life, and is seen

    def _is_known(self, command: DecidedCommand, partition: int) -> bool:
        now_ns = self._requesters.clock.wall_ns()
        while self._taken:  # in about the order of their ends
            oldest, until_ns = next(iter(self._taken.items()))
            if until_ns > now_ns:
                break
            del self._taken[oldest]
        # By partition: one that stands where it does not belong hides none that does.
        known = partition, command.id
        is_known = known in self._taken
        self._taken.setdefault(known, now_ns + REMEMBERED_NS)
        return is_known

    def _refusal(self, command: DecidedCommand, partition: int) -> str | None:
        """Why the command is not for us to send; None if it is."""
        config = self._requesters.accounts.get(command.account)
        if config is None:
            return "the account is not served here"
        if config.partition_of(self._partitions_total) != partition:
            return f"the account does not lie in partition {partition}"
        if config.orders == "none":
            return "the registry lets nothing be sent for this account"
        if isinstance(command, PlaceCommand) and config.orders != "trade":
            return "the registry lets nothing be placed for this account"
        return None
