"""Samples the venue's clocks, one for each product: at start, and every ten seconds.

The fold converts our times by them (decision 0014): a clock that was set is noticed by the next."""

import asyncio
import logging
from collections.abc import Callable

from ingest.actions import HttpAnswer
from ingest.limits import Rank
from ingest.requester import Requester
from ingest.venue_clock import VenueClock
from orderloom.question import About, Question
from orderloom.raw import ClockSample
from runtime.metrics import CLOCK_ERROR_SECONDS
from venues.venue import UNREADABLE

# Until the next sample a clock that was set goes unnoticed (decision 0014).
EVERY_SECONDS = 10.0
AGAIN_SECONDS = 5.0
START_SECONDS_MAX = 5.0
TIME_NS_MAX = 2**63 - 1

_log = logging.getLogger(__name__)


class ClockKeeper:
    """Keeps `requester.clocks` right; `write` is given each sample."""

    def __init__(self, requester: Requester, write: Callable[[ClockSample], None]) -> None:
        self._requester = requester
        self._write = write

    @property
    def is_sampled(self) -> bool:
        """Whether the venue has reported the time of every product."""
        return not self._unknown()

    async def start(self) -> None:
        """Sample what has no sample; a venue that does not answer holds nobody up for long."""
        samples = [self._sample(product) for product in self._unknown()]
        try:
            await asyncio.wait_for(asyncio.gather(*samples), START_SECONDS_MAX)
        except TimeoutError:
            _log.warning(
                "%s does not report its time: requests are signed by our own clock until it does",
                self._requester.venue.name,
            )

    async def run(self) -> None:
        """Go on sampling, until cancelled."""
        while True:
            await asyncio.sleep(AGAIN_SECONDS if self._unknown() else EVERY_SECONDS)
            for product in tuple(self._requester.clocks):  # an account that is added may bring more
                await self._sample(product)

    def _unknown(self) -> list[str]:
        return [
            product for product, clock in self._requester.clocks.items() if not clock.has_sample
        ]

    async def _sample(self, product: str) -> None:
        venue = self._requester.venue
        question = Question(
            id=f"clock-{product}",
            account=f"{venue.name}:clock",
            about=About.SERVER_TIME,
            product=product,
        )
        try:
            # Before all questions: without a sample nothing is covered, and signatures may be off.
            reply = await self._requester.ask(
                product, lambda context: venue.ask(question, context), Rank.STREAM
            )
        except UNREADABLE as error:
            _log.warning("%s cannot be asked for its time: %s", product, type(error).__name__)
            return
        if isinstance(reply.outcome, HttpAnswer) and reply.outcome.status == 200:
            self._learn(product, self._requester.clocks[product], reply.outcome)

    def _learn(self, product: str, clock: VenueClock, answer: HttpAnswer) -> None:
        try:
            venue_ns = self._requester.venue.server_time(answer.body)
        except UNREADABLE:
            venue_ns = -1
        # An unreadable time is believed as little as one that no clock shows (decision 0509).
        if not 0 < venue_ns <= TIME_NS_MAX:
            # Not its words: Kraken says its time beside what only a key is told (decision 0513).
            _log.warning("%s reports a time that is none, in %d bytes", product, len(answer.body))
            return
        # Told in whole seconds, the clock read that time up to a second
        # before it was asked: so the sample is true, and wide (decision 0514).
        step_ns = self._requester.venue.clock_steps_ns.get(product, 0)
        sample = ClockSample(product, venue_ns, answer.sent_ns - step_ns, answer.received_ns)
        if clock.add(sample):
            self._log_change(product, clock)
        CLOCK_ERROR_SECONDS.labels(self._requester.venue.name).set(clock.offset_ns / 1e9)
        self._write(sample)

    def _log_change(self, product: str, clock: VenueClock) -> None:
        if clock.is_wrong:
            _log.error(
                "this machine's clock and that of %s %s are %.3f s apart: requests are signed in "
                "the venue's time; set the machine's clock right (chrony, ntpd)",
                self._requester.venue.name,
                product,
                clock.offset_ns / 1e9,
                extra={"cause": "clock"},
            )
        else:
            _log.info("the clock of %s %s is right again", self._requester.venue.name, product)
