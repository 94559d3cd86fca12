"""The claims of the partitions that are ours: taken over, kept, made anew, closed.

Nothing in a rebalance waits for any of it: ownership is the group's matter, and what may be sent
the log decides. They survive what leaves the partition here: a session that was lost and goes on.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaException

from ingest.orders.claim_topic import NotAppended, NotClaimed
from ingest.orders.claims import PartitionClaims
from ingest.orders.held_claims import DoneBatch, HeldClaims
from orderloom.claim import BadClaimRecord
from orderloom.claim_log import BrokenClaimLog
from runtime.supervise import WELL_AFTER_SECONDS, Backoff
from runtime.trouble import PassingTrouble, SetupError

TAKE_OVER_SECONDS_MAX: Final = 10.0
"""Longer than that is trouble."""
READ_SECONDS_MAX: Final = 5.0
"""So long a command waits for it: longer than it is worth sending."""
LAST_WORDS_SECONDS_MAX: Final = 3.0
_TROUBLES: Final = (
    BadClaimRecord, BrokenClaimLog, KafkaException, NotAppended, NotClaimed, PassingTrouble,
    SetupError,
)  # fmt: skip

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Kept:
    """One partition; `held` while its log `is_read`, `trouble` why it is not."""

    number: int
    since: float
    held: HeldClaims | None = None
    is_read: asyncio.Event = field(default_factory=asyncio.Event)
    trouble: str = ""
    task: asyncio.Task[None] | None = None


class ClaimKeeper:
    """Used in one event loop.

    `make` makes the claims of a partition; `look` judges their topic and says what of it is less
    than asked for, in a thread (`ClaimTopicWatch`); `fail` takes a mistake of our own.
    """

    def __init__(
        self,
        make: Callable[[int], PartitionClaims],
        look: Callable[[], str],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._make = make
        self._look = look
        self._fail = fail
        self._kept: dict[int, _Kept] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._doubt = ""

    def own(self, number: int) -> None:
        """The partition is ours: its log is taken over meanwhile."""
        kept = self._kept[number] = _Kept(number, time.monotonic())
        kept.task = asyncio.get_running_loop().create_task(self._keep(kept))
        kept.task.add_done_callback(self._ended)

    def drop(self, number: int, settled: Callable[[], Awaitable[None]]) -> None:
        """Claim nothing more there, and close once what was claimed is `settled`."""
        if (kept := self._kept.pop(number, None)) is None:
            return
        task = asyncio.get_running_loop().create_task(self._end(kept, settled))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        task.add_done_callback(self._ended)

    def of(self, number: int) -> HeldClaims | None:
        """Under what is claimed in a partition; None while its log is not read."""
        kept = self._kept.get(number)
        return None if kept is None else kept.held

    async def read(self, number: int) -> HeldClaims | None:
        """As `of`, after a wait of some seconds for one that is being taken over."""
        if (kept := self._kept.get(number)) is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(kept.is_read.wait(), READ_SECONDS_MAX)
        return self.of(number)

    def trouble(self) -> str:
        """What keeps orders from being placed or their claims from being safe, or ""."""
        late = time.monotonic() - TAKE_OVER_SECONDS_MAX
        lines = [
            f"nothing is placed in partition {number}: "
            + (kept.trouble or "its claims are not read yet")
            for number, kept in sorted(self._kept.items())
            if kept.held is None and (kept.trouble or kept.since < late)
        ]
        return "; ".join([*lines, self._doubt] if self._doubt else lines)

    async def stop(self) -> None:
        """Close all, and wait until what is dropped is closed too."""
        for number in tuple(self._kept):
            self.drop(number, _settled)
        while self._ending:
            await asyncio.wait(self._ending)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def _end(self, kept: _Kept, settled: Callable[[], Awaitable[None]]) -> None:
        await settled()
        if (held := kept.held) is not None:
            held.done.flush()
            with suppress(TimeoutError):
                await asyncio.wait_for(held.claims.said(), LAST_WORDS_SECONDS_MAX)
        assert kept.task is not None
        kept.task.cancel()
        await asyncio.wait([kept.task])

    async def _keep(self, kept: _Kept) -> None:
        backoff = Backoff()
        while True:
            began = kept.since = time.monotonic()
            try:
                why = await self._hold(kept)
            except _TROUBLES as error:
                why = str(error)
            if time.monotonic() - began > WELL_AFTER_SECONDS:
                backoff.succeed()
            seconds = backoff.next_seconds()
            kept.trouble = why
            _log.error(
                "nothing is placed in partition %d, whose claims are read anew in %.1f s: %s",
                kept.number,
                seconds,
                why,
                extra={"partition": kept.number},
            )
            await asyncio.sleep(seconds)

    async def _hold(self, kept: _Kept) -> str:
        """Claims from their taking over to their end: why they ended. Raises _TROUBLES."""
        await self._judge()
        claims = self._make(kept.number)
        try:
            await claims.take_over()
            await self._judge()  # the topic that was read is the one that was judged
            kept.held, kept.trouble = HeldClaims(claims, DoneBatch(claims.done)), ""
            kept.is_read.set()
            _log.info("claims of partition %d are read", kept.number)
            await _over(claims)
        finally:
            kept.held = None
            kept.is_read.clear()
            await claims.close()
        return "another process took it over, and it is still ours by the group"

    async def _judge(self) -> None:
        doubt = await asyncio.to_thread(self._look)
        if doubt and doubt != self._doubt:
            _log.error("claims may be lost with a broker: %s", doubt)
        self._doubt = doubt


async def _over(claims: PartitionClaims) -> None:
    """Return once another came after us. Raises what `PartitionClaims.broke` raises."""
    superseded = asyncio.ensure_future(claims.superseded.wait())
    broke = asyncio.ensure_future(claims.broke())
    try:
        await asyncio.wait((superseded, broke), return_when=asyncio.FIRST_COMPLETED)
        if broke.done():
            broke.result()
    finally:
        superseded.cancel()
        broke.cancel()


async def _settled() -> None:
    """Nothing is under way."""
