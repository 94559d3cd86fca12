"""Sends cancels. One may be sent twice and does no harm so, and nothing stops it.

It waits for its turn at the venue's limits and for nothing else, not for Kafka either: its claim is
appended, and its fate is nobody's matter.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.actions import HttpAnswer
from ingest.http import HttpClient
from ingest.limits import Rank
from ingest.orders.held_claims import HeldClaims
from ingest.orders.outcomes import Outcomes, Unsent, claim_of
from ingest.outbox import Address
from ingest.requester import HttpResult, Requester, Sending, mistake, words_of
from orderloom.command import CancelCommand
from venues.order_entry import OrderEntry, OrderName, SignedRequest
from venues.request import Context, HttpRequest
from venues.venue import UNREADABLE

URGENT_ATTEMPTS: Final = 2
"""So many attempts of one cancel go before all questions; more show that something is wrong."""


@dataclass(slots=True, eq=False)
class Canceling:
    """A cancel on its way, to be begun until then (ns UTC); `signed` once its request was built."""

    command: CancelCommand
    partition: int
    address: Address
    requester: Requester
    until_ns: int
    signed: SignedRequest | None = None
    is_begun: bool = False


class CancelSender:
    """Used in one event loop; `held` is `ClaimKeeper.of`."""

    def __init__(
        self, http: HttpClient, outcomes: Outcomes, held: Callable[[int], HeldClaims | None]
    ) -> None:
        self._http = http
        self._outcomes = outcomes
        self._held = held

    async def send(self, entry: OrderEntry, sending: Canceling) -> None:
        """One cancel, until what became of it is written."""
        command, address = sending.command, sending.address
        began_ns = sending.requester.now().wall_ns
        try:
            outcome = (await self._perform(entry, sending)).outcome
        except Unsent as unsent:
            self._outcomes.unsent(command, address, str(unsent))
        except UNREADABLE as error:
            if sending.is_begun:
                why = f"its answer cannot be read: {mistake(error)}"
                self._outcomes.unanswered(command, address, began_ns, why)
            else:
                self._outcomes.unsent(command, address, words_of(error))
        else:
            if isinstance(outcome, HttpAnswer):
                self._outcomes.answered(command, address, outcome)
            elif outcome.is_unsent:
                self._outcomes.unsent(command, address, outcome.reason)
            else:
                self._outcomes.unanswered(command, address, outcome.sent_ns, outcome.reason)

    async def _perform(self, entry: OrderEntry, sending: Canceling) -> HttpResult:
        """Raises Unsent, UNREADABLE."""
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

                async def begin() -> None:
                    """In the turn in which it is handed to its transport."""
                    self._check_time(sending)
                    waiting.reschedule(None)  # from here on it is not known whether it left
                    self._begin(sending)

                way = Sending(self._http, begin)
                # Else those that never end would take the limits from all accounts of the address.
                rank = Rank.CANCEL if command.attempt <= URGENT_ATTEMPTS else Rank.URGENT
                return await requester.ask(product, build, rank, way)
        except TimeoutError:
            raise Unsent("its time was over before its turn at the venue's limits came") from None

    def _check_time(self, sending: Canceling) -> None:
        if sending.requester.now().wall_ns > sending.until_ns:
            raise Unsent("its time is over")

    def _begin(self, sending: Canceling) -> None:
        sending.is_begun = True
        assert sending.signed is not None
        if (held := self._held(sending.partition)) is not None:
            held.claims.note(claim_of(sending.command, sending.signed, held.claims.life))
        self._outcomes.attempt(sending.command, sending.address, sending.signed)
