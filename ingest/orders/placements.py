"""Sends placements, each at most once (decisions 1201 and 1204).

In this order: its turn at the venue's limits, build and sign, claim, the acknowledgement of the
claim and all below it read, the attempt told to `raw`, a connection, the last look, the first byte.
What is known to have stayed here is said to the claim log; of all else nobody knows until the venue
says it, and it is not sent again.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.actions import HttpAnswer, HttpOutcome
from ingest.http import HttpClient, KeptBack
from ingest.limits import Rank
from ingest.orders.claim_keeper import ClaimKeeper
from ingest.orders.claim_topic import ClaimedBefore, NotClaimed
from ingest.orders.held_claims import HeldClaims
from ingest.orders.outcomes import Outcomes, Unsent, claim_of
from ingest.outbox import Address
from ingest.requester import Requester, Sending, mistake, words_of
from orderloom.claim import Verb
from orderloom.command import CancelCommand, PlaceCommand
from orderloom.words import ReplyClass
from venues.order_entry import OrderEntry, OrderTerms, SignedRequest
from venues.request import Context, HttpRequest
from venues.venue import UNREADABLE

EXPIRY_NS: Final = 5_000_000_000
"""So long after it was signed the venue takes a placement, at most."""

NOT_READ: Final = "the claim log is not read yet"


@dataclass(slots=True, eq=False)
class Placement:
    """A placement on its way.

    `is_claiming` once its claim may stand in the log, `held` once it counts, `is_written` once a
    byte of it may have left. `why_not` once it shall not be written any more.
    """

    command: PlaceCommand
    partition: int
    address: Address
    requester: Requester
    signed: SignedRequest | None = None
    held: HeldClaims | None = None
    why_not: str = ""
    is_claiming: bool = False
    is_written: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def product(self) -> str:
        """Of the venue."""
        return self.command.command.product


class Placements:
    """Used in one event loop.

    `refusal` says why a command is not for us to send from a partition,
    by what the registry says now, or None.
    """

    def __init__(
        self,
        http: HttpClient,
        outcomes: Outcomes,
        claims: ClaimKeeper,
        refusal: Callable[[PlaceCommand, int], str | None],
    ) -> None:
        self._http = http
        self._outcomes = outcomes
        self._claims = claims
        self._refusal = refusal
        self._under_way: set[Placement] = set()

    async def refuse(
        self, command: PlaceCommand, partition: int, address: Address, why: str
    ) -> None:
        """It is not for us to send. Told once the log is read: a former owner may have sent it."""
        await self._claims.read(partition)
        self._tell(command, partition, address, why)

    def start(self, entry: OrderEntry, placing: Placement) -> "asyncio.Task[None]":
        """Send it; from now on a cancel of it finds it."""
        self._under_way.add(placing)
        task = placing.task = asyncio.get_running_loop().create_task(self._place(entry, placing))
        task.add_done_callback(lambda _task: self._under_way.discard(placing))
        return task

    def cancel(self, cancel: CancelCommand) -> bool:
        """A cancel was read: what of its order is not written shall not be; whether that is all.

        What is surely not claimed is void, and there is nothing to cancel then. What may be is kept
        back at its last look, and the cancel goes all the same.
        """
        found = [one for one in self._under_way if _is_of(cancel, one)]
        unclaimed = [one for one in found if self._is_unclaimed(one)]
        for placing in found:
            placing.why_not = "its order was canceled before it was sent"
        for placing in unclaimed:
            self._under_way.discard(placing)
            assert placing.task is not None
            placing.task.cancel()
            self._keep_back(placing, placing.why_not)
        return bool(found) and len(unclaimed) == len(found)

    def _is_unclaimed(self, placing: Placement) -> bool:
        """Whether the log, as far as it was read, shows that nobody can have sent it yet."""
        held = self._claims.of(placing.partition)
        if placing.is_claiming or held is None:
            return False
        return not held.claims.is_named(placing.command.command)

    async def _place(self, entry: OrderEntry, placing: Placement) -> None:
        command, address = placing.command, placing.address
        began_ns = placing.requester.now().wall_ns
        await self._claims.read(placing.partition)
        try:
            outcome = await self._perform(entry, placing)
        except ClaimedBefore as error:
            self._outcomes.claimed_before(command, str(error))
        except NotClaimed as error:  # the log says it, or will
            self._outcomes.unsent(command, address, str(error))
        except Unsent as unsent:
            self._keep_back(placing, str(unsent))
        except UNREADABLE as error:
            if placing.is_written:
                why = f"its answer cannot be read: {mistake(error)}"
                self._outcomes.unanswered(command, address, began_ns, why)
            else:
                self._keep_back(placing, words_of(error))
        else:
            self._conclude(entry, placing, outcome)

    async def _perform(self, entry: OrderEntry, placing: Placement) -> HttpOutcome:
        """Raises NotClaimed, Unsent, UNREADABLE."""
        requester, product = placing.requester, placing.product
        terms = _terms_of(placing.command)

        def build(context: Context) -> HttpRequest:
            placing.signed = entry.place(terms, context.venue_ns + EXPIRY_NS, context)
            return placing.signed.http

        left_ns = placing.command.command.send_by_ns - requester.now().wall_ns
        try:
            async with asyncio.timeout(max(0.0, left_ns / 1e9)) as waiting:

                async def begin() -> None:
                    self._check(placing)
                    waiting.reschedule(None)  # the claim has its own bounds
                    await self._claim(placing)

                way = Sending(self._http, begin, lambda: _look(placing))
                result = await requester.ask(product, build, Rank.PLACE, way)
        except TimeoutError:
            raise Unsent("its time was over before its turn at the venue's limits came") from None
        return result.outcome

    def _check(self, placing: Placement) -> None:
        """Raises Unsent where it is not to be claimed; the registry may have changed meanwhile."""
        requester, command = placing.requester, placing.command
        why = placing.why_not or self._refusal(command, placing.partition)
        clock = requester.clocks.get(placing.product)
        if not why and (clock is None or not clock.has_sample):
            why = "the venue's time is not known yet, and so not when the request would expire"
        if not why and requester.now().wall_ns > command.command.send_by_ns:
            why = "its time is over"
        if why:
            raise Unsent(why)

    async def _claim(self, placing: Placement) -> None:
        """Return in the turn in which the claim is known to count. Raises NotClaimed, Unsent."""
        assert placing.signed is not None
        if (held := self._claims.of(placing.partition)) is None:
            raise Unsent(NOT_READ)
        placing.is_claiming = True
        await held.claims.claim(claim_of(placing.command, placing.signed, held.claims.life))
        placing.held = held
        self._outcomes.attempt(placing.command, placing.address, placing.signed)

    def _conclude(self, entry: OrderEntry, placing: Placement, outcome: HttpOutcome) -> None:
        command, address = placing.command, placing.address
        if isinstance(outcome, HttpAnswer):
            self._outcomes.answered(command, address, outcome)
            reply = entry.judge(Verb.PLACE, placing.product, outcome.status, outcome.body).reply
            if reply is not ReplyClass.UNKNOWN and placing.held is not None:
                placing.held.done.add(command.id)
        elif outcome.is_unsent:
            self._keep_back(placing, outcome.reason)
        else:
            self._outcomes.unanswered(command, address, outcome.sent_ns, outcome.reason)

    def _keep_back(self, placing: Placement, why: str) -> None:
        """No byte of it left: say so to the claim log and to `raw`."""
        if placing.held is not None:
            placing.held.claims.not_sent(placing.command.command, why)
            self._outcomes.unsent(placing.command, placing.address, why)
        else:
            self._tell(placing.command, placing.partition, placing.address, why)

    def _tell(self, command: PlaceCommand, partition: int, address: Address, why: str) -> None:
        """It is not sent from here; where the log names it already, that alone says what became."""
        held = self._claims.of(partition)
        if held is not None and held.claims.is_named(command.command):
            self._outcomes.claimed_before(command, why)
            return
        if held is None:
            why = NOT_READ
        else:
            held.claims.void(command.command, why)
        self._outcomes.unsent(command, address, why)


def _look(placing: Placement) -> None:
    """The last look: where the connection exists, and before the first byte. Raises KeptBack."""
    requester, signed = placing.requester, placing.signed
    assert placing.held is not None
    assert signed is not None
    why = placing.why_not or placing.held.claims.last_look(placing.command.command)
    venue_ns = requester.venue_ns(placing.product, requester.now())
    if not why and signed.expires_ns is not None and venue_ns >= signed.expires_ns:
        why = "its request has expired"
    if why:
        raise KeptBack(why)
    placing.is_written = True


def _is_of(cancel: CancelCommand, placing: Placement) -> bool:
    """Whether a cancel is of the order that is being placed."""
    placed = placing.command
    is_named = cancel.client_order_id == placed.client_order_id
    return is_named and cancel.account == placed.account


def _terms_of(command: PlaceCommand) -> OrderTerms:
    return OrderTerms(
        product=command.command.product,
        symbol=command.command.symbol,
        side=command.side,
        order_type=command.order_type,
        client_order_id=command.client_order_id,
        quantity=command.quantity,
        quote_quantity=command.quote_quantity,
        price=command.price,
        time_in_force=command.time_in_force,
        position_side=command.position_side,
        reduce_only=command.reduce_only,
        margin_mode=command.margin_mode,
    )
