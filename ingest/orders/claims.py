"""One partition of `claims`: appends with what became of them, and the standing reader.

An append counts only by its delivery report, and in that the error comes first: the offset of one
that failed is None, 0 or 1. What failed, or is not known to have succeeded in time, may stand in
the log later: the command is then never sent from here, and NOT_SENT says so.
"""

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from ingest.orders.claim_topic import (
    APPEND_SECONDS_MAX,
    Appended,
    ClaimedBefore,
    ClaimTopic,
    NotAppended,
    NotClaimed,
)
from ingest.orders.claimer import Claimer
from orderloom.claim import (
    BadClaimRecord,
    Claim,
    ClaimOwner,
    ClaimRecord,
    Command,
    Done,
    NotSent,
    Verb,
    encode_claim_record,
    read_claim_record,
)
from orderloom.claim_log import BrokenClaimLog, ClaimLog
from orderloom.topology import PARTITION_KEY
from runtime.kafka import STALE, WEATHER

WINDOW_MS: Final = 10 * 60_000
"""So much of the log before our own OWNER record is read: more than a command may wait."""
AGAIN_SECONDS: Final = 0.2
POLL_SECONDS: Final = 0.1
ASK_SECONDS_MAX: Final = 10.0
RECORD_BYTES_MAX: Final = 256 * 1024
"""One too large would fail each other append of its batch."""
_PASSING: Final = {KafkaError._PARTITION_EOF, *STALE, *WEATHER}  # noqa: SLF001  public
"""What a reader is told while it reads on."""

_log = logging.getLogger(__name__)


class PartitionClaims:
    """What we may send in one partition; used in one event loop.

    `life` names us in the log, and no other object, of this process or of another: what we say is
    not sent would else be believed of what another sent. `wall_ns` is our clock, UTC.
    """

    def __init__(
        self,
        topic: ClaimTopic,
        process: str,
        version: str,
        wall_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self.life = f"{process}.{uuid.uuid4().hex[:12]}"
        self._topic = topic
        self._version = version
        self._loop = asyncio.get_running_loop()
        self._claimer: Claimer | None = None
        self._verdicts: dict[str, asyncio.Future[str | None]] = {}
        self._owned = asyncio.Event()
        self.superseded = asyncio.Event()
        """Set once another came after us: nothing is claimed here any more."""
        self._saying: set[asyncio.Task[None]] = set()
        self._kept_from = (0, 0)
        """A place in the log, and its time (ms): what is older than the last one is let go of."""
        self._producer = topic.make_producer()
        self._is_closed = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="claims", daemon=True)
        self._reader: threading.Thread | None = None
        self._broken: asyncio.Future[None] = self._loop.create_future()
        self._poller.start()

    async def take_over(self) -> None:
        """Say that we own the partition, and return when all up to there was read; called once.

        Whoever lost the partition and owns it again does so by another object. Raises NotAppended,
        and what `broke` raises.
        """
        assert self._claimer is None
        record = ClaimOwner(life=self.life, version=self._version)
        owned = await self._append(PARTITION_KEY, record)
        begin = await asyncio.to_thread(self._begin, owned)
        claimer = self._claimer = Claimer(self.life, ClaimLog(begin))
        claimer.owned(owned.offset, record)
        self._reader = threading.Thread(
            target=self._read, args=(begin,), name="claims reader", daemon=True
        )
        self._reader.start()
        waiting = self._loop.create_task(self._owned.wait())
        try:
            await asyncio.wait((waiting, self._broken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if self._broken.done():
            self._broken.result()

    async def broke(self) -> None:
        """Wait until nothing is claimed any more; never returns.

        Raises BrokenClaimLog and BadClaimRecord when the log is not what was read before,
        KafkaException when it cannot be read, and NotClaimed when it was closed.
        """
        await asyncio.shield(self._broken)

    def refusal(self, command: Command) -> str | None:
        """Why the command may not be claimed here and now; None if it may."""
        if self._claimer is None or self._broken.done():
            return "the claim log is not read"
        return self._claimer.refusal(command)

    def is_named(self, command: Command) -> bool:
        """Whether it was claimed here, or the log names it: that alone says what became of it."""
        return self._claimer is not None and self._claimer.is_named(command)

    async def claim(self, claim: Claim) -> None:
        """Return where the claim counts: the command is to be written in this turn.

        Raises ClaimedBefore, and NotClaimed where it is surely not sent from here. Once its append
        began the log proves that, or will soon.
        """
        assert claim.life == self.life
        command, value = claim.command, encode_claim_record(claim)
        if (why := self.refusal(command)) is not None:
            raise ClaimedBefore(why) if self.is_named(command) else NotClaimed(why)
        if len(value) > RECORD_BYTES_MAX:
            why = f"its record has {len(value)} bytes, more than {RECORD_BYTES_MAX}"
            self.void(command, why)
            raise NotClaimed(why)
        assert self._claimer is not None
        self._claimer.claim(claim)
        verdict = self._verdicts[command.id] = self._loop.create_future()
        try:
            why = await self._why_not(claim, verdict)
        except asyncio.CancelledError:  # a claim that may count, and nobody who sends it
            self.not_sent(command, "its sender was stopped")
            raise
        finally:
            self._verdicts.pop(command.id, None)
            self._claimer.failed(command.id)  # where it was not judged
        if why is not None:
            self.not_sent(command, why)
            raise ClaimedBefore(why) if self._claimer.is_anothers(command) else NotClaimed(why)

    async def _why_not(self, claim: Claim, verdict: "asyncio.Future[str | None]") -> str | None:
        """Append the claim and judge it: why it is not to be sent; None if it is."""
        command, claimer = claim.command, self._claimer
        assert claimer is not None
        try:
            appended = await self._append(command.account.encode(), claim)
        except NotAppended as error:
            return f"its claim is not known to stand: {error}"
        self._guard(partial(claimer.acked, command.id, *appended))
        self._decide()
        try:
            return await asyncio.wait_for(verdict, APPEND_SECONDS_MAX)
        except TimeoutError:  # the reader stands still
            return f"what stands below its claim was not read within {APPEND_SECONDS_MAX:g} s"

    def last_look(self, command: Command) -> str | None:
        """Why a command that was claimed is not to be written now; None if it is.

        Asked where the connection exists and before the first byte: nothing waits after it.
        """
        if self._claimer is None or self._broken.done():
            return "the claim log is not read"
        return self._claimer.last_look(command, self._wall_ns())

    def note(self, claim: Claim) -> None:
        """Append the claim of a cancel, which waits for nothing: its fate is nobody's matter."""
        assert claim.command.verb is Verb.CANCEL
        value = encode_claim_record(claim)
        if self._claimer is None or self._broken.done() or len(value) > RECORD_BYTES_MAX:
            return
        with suppress(BufferError, KafkaException):
            key, topic = claim.command.account.encode(), self._topic
            self._producer.produce(topic.name, key=key, value=value, partition=topic.partition)

    def not_sent(self, command: Command, why: str) -> None:
        """No byte of the command left, and none will: say so in the log, until it stands there."""
        record = NotSent(life=self.life, command_id=command.id, why=why)
        self._say(command.account.encode(), record)

    def void(self, command: Command, why: str) -> None:
        """Nobody shall send a command that was not claimed; said by the owner alone.

        Whoever was superseded, or reads the log no more, would void what its successor may send.
        """
        if self.refusal(command) is None:
            self.not_sent(command, why)

    def done(self, command_ids: tuple[str, ...]) -> None:
        """The venue answered these commands."""
        self._say(PARTITION_KEY, Done(command_ids=command_ids))

    async def said(self) -> None:
        """Return when all that was to be said stands in the log."""
        while self._saying:
            await asyncio.wait(self._saying)

    async def close(self) -> None:
        """Stop; what is not in the log by now is given up."""
        self._is_closed.set()
        self._break(NotClaimed("closed"))  # first: no kill is read from here on
        with suppress(Exception):
            self._broken.result()  # whoever awaits it learns of it; nobody must
        for task in self._saying:
            task.cancel()
        for thread in (self._poller, self._reader):
            if thread is not None:
                await asyncio.to_thread(thread.join)
        self._producer.purge(in_queue=True, in_flight=True, blocking=False)

    # ---- appends

    def _say(self, key: bytes, record: ClaimRecord) -> None:
        task = self._loop.create_task(self._say_until_it_stands(key, record))
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)

    async def _say_until_it_stands(self, key: bytes, record: ClaimRecord) -> None:
        while not self._is_closed.is_set():
            try:
                await self._append(key, record)
            except NotAppended as error:
                _log.warning("a record of claims is tried again: %s", error)
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                return

    async def _append(self, key: bytes, record: ClaimRecord) -> Appended:
        """Where the record stands. Raises NotAppended."""
        reported: asyncio.Future[Appended] = self._loop.create_future()
        try:
            self._producer.produce(
                self._topic.name,
                key=key,
                value=encode_claim_record(record),
                partition=self._topic.partition,
                on_delivery=partial(self._delivered, reported),
            )
        except (BufferError, KafkaException) as error:
            raise NotAppended(str(error)) from None
        try:
            return await asyncio.wait_for(reported, APPEND_SECONDS_MAX)
        except TimeoutError:
            raise NotAppended(f"no acknowledgement within {APPEND_SECONDS_MAX:g} s") from None

    def _delivered(
        self, reported: "asyncio.Future[Appended]", error: KafkaError | None, message: Message
    ) -> None:
        # We are in the poller's thread.
        if not self._is_closed.is_set():
            self._loop.call_soon_threadsafe(self._report, reported, error, message)

    def _report(
        self, reported: "asyncio.Future[Appended]", error: KafkaError | None, message: Message
    ) -> None:
        if reported.done():  # its time is over: the command is given up, wherever this stands
            return
        if error is not None:  # before anything else is read of it: its offset means nothing
            reported.set_exception(NotAppended(error.str()))
            return
        kind, at_ms = message.timestamp()
        offset = message.offset()
        if offset is None or kind != TIMESTAMP_LOG_APPEND_TIME:
            reported.set_exception(NotAppended("acknowledged without a place and its append time"))
        else:
            reported.set_result(Appended(offset, at_ms * 1_000_000))

    def _poll(self) -> None:
        """Serve the producer; a thread of its own.

        A fatal error is raised here, once, and neither reports nor `produce` call it fatal: the
        producer never sends again.
        """
        while not self._is_closed.is_set():
            try:
                self._producer.poll(POLL_SECONDS)
            except KafkaException as error:
                _log.error("the producer of claims is made anew: %s", error)
                self._producer = self._topic.make_producer()

    # ---- the reader

    def _begin(self, owned: Appended) -> int:
        """The offset from which the log is read."""
        since_ms = max(0, owned.at_ns // 1_000_000 - WINDOW_MS)
        asked = TopicPartition(self._topic.name, self._topic.partition, since_ms)
        consumer = self._topic.make_reader()
        try:
            (found,) = consumer.offsets_for_times([asked], timeout=ASK_SECONDS_MAX)
        finally:
            consumer.close()
        return int(found.offset) if 0 <= found.offset <= owned.offset else owned.offset

    def _read(self, begin: int) -> None:
        """Bring record after record into the loop; a thread of its own."""
        try:
            self._bring(begin)
        except KafkaException as error:
            self._loop.call_soon_threadsafe(self._break, error)

    def _bring(self, begin: int) -> None:
        """Raises KafkaException where the log cannot be read on."""
        consumer = self._topic.make_reader()
        consumer.assign([TopicPartition(self._topic.name, self._topic.partition, begin)])
        try:
            while not self._is_closed.is_set():
                message = consumer.poll(POLL_SECONDS)
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    self._loop.call_soon_threadsafe(self._take, message)
                elif error.code() not in _PASSING:
                    raise KafkaException(error)
        finally:
            consumer.close()

    def _take(self, message: Message) -> None:
        offset, claimer = message.offset(), self._claimer
        if claimer is None or self._broken.done() or offset is None:
            return
        self._guard(lambda: claimer.read(offset, read_claim_record(message.value())))
        self._let_go(claimer, offset, message.timestamp()[1])
        if claimer.is_ready:
            self._owned.set()
        if claimer.is_superseded:
            self.superseded.set()
        self._decide()

    def _let_go(self, claimer: Claimer, offset: int, at_ms: int) -> None:
        """Once in a window, let go of what is older than the one before."""
        place, since_ms = self._kept_from
        if at_ms >= since_ms + WINDOW_MS:
            claimer.forget(place)
            self._kept_from = offset, at_ms

    def _decide(self) -> None:
        if self._claimer is None or self._broken.done():
            return
        for claim, why_not in self._claimer.judged():
            verdict = self._verdicts.get(claim.command.id)
            if verdict is not None and not verdict.done():
                verdict.set_result(why_not)

    def _guard(self, take: Callable[[], Any]) -> None:
        try:
            take()
        except (BrokenClaimLog, BadClaimRecord) as error:
            self._break(error)

    def _break(self, error: Exception) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)
        for verdict in self._verdicts.values():
            if not verdict.done():
                verdict.set_result(f"the claim log broke: {error}")
