"""Sends the commands of the partitions that are ours, and writes what became of each into `raw`.

A cancel may be sent twice and does no harm so, and nothing stops it: it waits for its turn at the
venue's limits and for nothing else, not for Kafka either. That it is about to be sent is written
first, and then what came back, or that surely nothing left.
"""

import asyncio
import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ingest.actions import HttpAnswer
from ingest.http import HttpClient
from ingest.limits import Rank
from ingest.orders.commands import Commanded
from ingest.outbox import Address, Outbox
from ingest.partition import OwnedPartition
from ingest.requester import HttpResult, Requester, mistake, words_of
from ingest.requesters import Requesters
from orderloom.command import BadCommand, CancelCommand, DecidedCommand, PlaceCommand, read_command
from orderloom.raw import Attempt, AttemptOutcome
from runtime.metrics import COMMANDS
from venues.order_entry import OrderEntry, OrderName, SignedRequest
from venues.request import Context, HttpRequest
from venues.venue import UNREADABLE

ANSWER_SECONDS_MAX: Final = 5.0
BEGUN_WITHIN_NS: Final = 5_000_000_000
URGENT_ATTEMPTS: Final = 2
"""So many attempts of one cancel go before all questions; more show that something is wrong."""
REMEMBERED_NS: Final = 60_000_000_000
"""So long after it was read a command that is read again is known to be the same."""
BODY_BYTES_MAX: Final = 64 * 1024
REST: Final = "rest"

_log = logging.getLogger(__name__)


class _NotSent(Exception):
    """Surely no byte left: `args[0]` says why."""


@dataclass(slots=True, eq=False)
class _Sending:
    """One command on its way, until then (ns UTC); `signed` once its request was built last."""

    command: CancelCommand
    address: Address
    requester: Requester
    until_ns: int
    signed: SignedRequest | None = None
    is_begun: bool = False


class OrderSender:
    """Used in one event loop, in which each is a task of its own."""

    def __init__(self, requesters: Requesters, outbox: Outbox, partitions_total: int) -> None:
        self._requesters = requesters
        self._outbox = outbox
        self._partitions_total = partitions_total
        self._venue = requesters.public.venue
        # Of its own: no list of a thousand pages stands before a cancel for a connection.
        self._http = HttpClient(requesters.clock.wall_ns, ANSWER_SECONDS_MAX)
        self._taken: dict[str, int] = {}
        """The commands that were taken up, and until when they are remembered (ns UTC)."""
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, owned: OwnedPartition | None, received: Commanded) -> None:
        """Take a command up; what cannot be read is named and counted."""
        entry = self._venue.orders
        if owned is None or entry is None:  # not ours any more
            return
        try:
            command = read_command(received.key, received.value)
        except BadCommand as error:
            COMMANDS.labels(self._venue.name, "unreadable").inc()
            place = (received.partition, received.offset)
            _log.error("command in partition %d at offset %d is passed: %s", *place, error)
            return
        if self._is_known(command):
            return
        address = owned.address(command.account)
        requester = self._requesters.by_account.get(command.account)
        why = self._refusal(command, received.partition)
        if isinstance(command, PlaceCommand):
            why = why or "this version places no orders"
        if why is not None or requester is None or isinstance(command, PlaceCommand):
            self._unsent(command, address, why or "the account is not served here")
            return
        # While a ledger catches up its clock is behind: a command is as old as its append.
        until_ns = min(command.command.send_by_ns, received.appended_ns + BEGUN_WITHIN_NS)
        sending = _Sending(command, address, requester, until_ns)
        task = asyncio.get_running_loop().create_task(self._send(entry, sending))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Wait for the answers that are under way: each has its seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=ANSWER_SECONDS_MAX)
        for task in self._tasks:
            task.cancel()
        await self._http.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._outbox.fail(error)  # a mistake of our own ends this life, and is seen

    def _is_known(self, command: DecidedCommand) -> bool:
        now_ns = self._requesters.clock.wall_ns()
        while self._taken:  # in about the order of their ends
            oldest, until_ns = next(iter(self._taken.items()))
            if until_ns > now_ns:
                break
            del self._taken[oldest]
        is_known = command.id in self._taken
        self._taken.setdefault(command.id, now_ns + REMEMBERED_NS)
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
        return None

    async def _send(self, entry: OrderEntry, sending: _Sending) -> None:
        began_ns = sending.requester.now().wall_ns
        try:
            result = await self._perform(entry, sending)
        except _NotSent as unsent:
            self._unsent(sending.command, sending.address, str(unsent))
            return
        except UNREADABLE as error:
            if not sending.is_begun:
                self._unsent(sending.command, sending.address, words_of(error))
                return
            self._write(sending, began_ns, None, f"its answer cannot be read: {mistake(error)}")
            return
        outcome = result.outcome
        if isinstance(outcome, HttpAnswer):
            self._write(sending, outcome.sent_ns, outcome, "")
        elif outcome.is_unsent:
            self._unsent(sending.command, sending.address, outcome.reason)
        else:
            self._write(sending, outcome.sent_ns, None, outcome.reason)

    async def _perform(self, entry: OrderEntry, sending: _Sending) -> HttpResult:
        """Raises _NotSent, UNREADABLE."""
        command, requester = sending.command, sending.requester
        product = command.command.product
        name = OrderName(
            product,
            command.command.symbol,
            command.venue_order_id,
            command.client_order_id,
            command.is_conditional,
        )

        def build(context: Context) -> HttpRequest:
            sending.signed = entry.cancel(name, context)
            return sending.signed.http

        left_ns = sending.until_ns - requester.now().wall_ns
        try:
            async with asyncio.timeout(max(0.0, left_ns / 1e9)) as waiting:

                def begin() -> None:
                    """In the turn in which it is handed to its transport."""
                    self._check_time(sending)
                    waiting.reschedule(None)  # from here on it is not known whether it left
                    self._begin(sending)

                # Else those that never end would take the limits from all accounts of the address.
                rank = Rank.CANCEL if command.attempt <= URGENT_ATTEMPTS else Rank.URGENT
                return await requester.ask(product, build, rank, self._http, begin)
        except TimeoutError:
            raise _NotSent("its time was over before its turn at the venue's limits came") from None

    def _check_time(self, sending: _Sending) -> None:
        if sending.requester.now().wall_ns > sending.until_ns:
            raise _NotSent("its time is over")

    def _begin(self, sending: _Sending) -> None:
        sending.is_begun = True
        assert sending.signed is not None
        said = sending.signed.canonical
        self._outbox.put(
            sending.address,
            Attempt(
                command_id=sending.command.id,
                command=sending.command.document(),
                transport=REST,
                request=said,
                sha256=sha256(said.encode()).hexdigest(),
                at_ns=sending.requester.now().wall_ns,
            ),
        )

    def _write(
        self, sending: _Sending, sent_ns: int, answer: HttpAnswer | None, reason: str
    ) -> None:
        """What came back, or why nothing did, of a request that may have arrived."""
        command = sending.command.command
        now_ns = sending.requester.now().wall_ns
        COMMANDS.labels(self._venue.name, "answered" if answer else "unanswered").inc()
        if answer is None:
            _log.warning(
                "command %s has no answer: %s",
                command.id,
                reason,
                extra={"account": command.account},
            )
        outcome = AttemptOutcome(
            command_id=command.id,
            verb=command.verb,
            product=command.product,
            sent_ns=sent_ns,
            received_ns=now_ns if answer is None else answer.received_ns,
            is_unsent=False,
            status=None if answer is None else answer.status,
            reason=reason,
            body=b"" if answer is None else answer.body[:BODY_BYTES_MAX],
        )
        self._outbox.put(sending.address, outcome)

    def _unsent(self, command: DecidedCommand, address: Address, why: str) -> None:
        now_ns = self._requesters.clock.wall_ns()
        COMMANDS.labels(self._venue.name, "unsent").inc()
        _log.warning(
            "command %s is not sent: %s", command.id, why, extra={"account": command.account}
        )
        self._outbox.put(
            address,
            AttemptOutcome(
                command_id=command.id,
                verb=command.command.verb,
                product=command.command.product,
                sent_ns=now_ns,
                received_ns=now_ns,
                is_unsent=True,
                reason=why,
            ),
        )
