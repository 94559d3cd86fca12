"""A synthetic fold whose outputs a checker can recompute exactly: counters, a sequence, timers."""

import hashlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from orderloom.topology import DEAD_LETTERS, DIFFERENCES, FILLS, ORDERS
from processors.ledger.step import InputRecord, Output, StepChanges, UnknownStateFormat
from tests.waits import wait_for

TIMER_EVERY = 50
SPREAD_EVERY = 97
TIMER_NS = 20_000_000
RELEASED_SECONDS_MAX = 120.0
SEQUENCE = b"sequence"


@dataclass(slots=True)
class CountingState:
    """Counts the records of each key and publishes each count, numbered densely.

    Every fiftieth record sets a timer, which publishes too. A value that begins with a word of
    `_obey` misbehaves as the word says.
    """

    version: str = "counting-1"
    is_real: bool = True  # not in a replay, which neither waits nor dies
    counts: dict[bytes, int] = field(default_factory=dict)
    sequence: int = 0
    timers: list[int] = field(default_factory=list)
    bad_accounts: set[str] = field(default_factory=set)
    ticks: list[int] = field(default_factory=list)
    folded: list[tuple[str, int, int]] = field(default_factory=list)
    _dirty: set[bytes] = field(default_factory=set)
    _outputs: list[Output] = field(default_factory=list)
    _digest: str = ""

    @property
    def exact_digest(self) -> str:
        return self._digest

    def begin_epoch(self, epoch: int) -> None:
        """What it publishes has no epoch."""

    def restore(self, key: bytes, value: bytes) -> None:
        if value.startswith(b"unknown"):
            raise UnknownStateFormat("counter format unknown")
        if key == SEQUENCE:
            document = orjson.loads(value)
            self.sequence, self.timers = document["sequence"], document["timers"]
            self.bad_accounts, self._digest = set(document["bad"]), document["digest"]
        else:
            self.counts[key] = int(value)

    def fold(self, record: InputRecord, now_ns: int) -> None:
        key, value = record.key or b"", record.value or b""
        self._obey(value)
        count = self.counts[key] = self.counts.get(key, 0) + 1
        self._dirty.add(key)
        self.folded.append((record.topic.kind, record.offset, now_ns))
        self._publish(key, b"%s,%d,%s,%d" % (key, count, record.topic.kind.encode(), record.offset))
        if value.startswith(b"large"):
            self._outputs.append(Output(FILLS, key, b"x" * int(value.split(b":")[1])))
        if value == b"keyless":
            self._outputs.append(Output(ORDERS, None, b""))  # type: ignore[arg-type]  # planted
        if value.startswith(b"timer"):
            self.timers.append(now_ns + int(value.split(b":")[1]))
        elif self.sequence % TIMER_EVERY == 0:
            self.timers.append(now_ns + TIMER_NS)

    def leave_out(self, record: InputRecord, reason: str, trace: str, now_ns: int) -> None:
        key = record.key or b""
        if record.value == b"stubborn":
            raise AssertionError("cannot even be left out")
        self.bad_accounts.add(key.decode())
        self._dirty.add(SEQUENCE)
        headers = (("reason", reason.encode()), ("trace", trace.encode()))
        value = b"%s,%d,%d" % (record.topic.kind.encode(), record.partition, record.offset)
        self._outputs.append(Output(DEAD_LETTERS, key, value, headers))

    def due_ns(self) -> int | None:
        return min(self.timers, default=None)

    def tick(self, now_ns: int) -> None:
        due = sorted(at_ns for at_ns in self.timers if at_ns <= now_ns)
        if due:
            self.timers = [at_ns for at_ns in self.timers if at_ns > now_ns]
            self.ticks += due
            for at_ns in due:
                self._publish(b"timer", b"timer,%d" % at_ns)

    def changes(self) -> StepChanges:
        outputs, self._outputs = self._outputs, []
        state: dict[bytes, bytes | None] = {
            key: b"%d" % self.counts[key] for key in self._counters()
        }
        self._dirty.clear()
        content = hashlib.blake2b(self._digest.encode(), digest_size=16)
        for output in outputs:
            content.update(output.value or b"")
        self._digest = content.hexdigest()
        state[SEQUENCE] = orjson.dumps(
            {
                "sequence": self.sequence,
                "timers": self.timers,
                "bad": sorted(self.bad_accounts),
                "digest": self._digest,
            }
        )
        sequence = str(self.sequence)
        return StepChanges(state, outputs, self._digest, lambda: sequence)

    @property
    def accounts(self) -> Iterable[str]:
        return self.bad_accounts

    def quarantined(self) -> Iterable[str]:
        return self.bad_accounts

    def _counters(self) -> Iterable[bytes]:
        return sorted(self._dirty - {SEQUENCE})

    def _publish(self, key: bytes, value: bytes) -> None:
        self.sequence += 1
        self._outputs.append(Output(FILLS, key, b"%d,%s" % (self.sequence, value)))

    def _obey(self, value: bytes) -> None:
        if value.startswith((b"poison", b"stubborn")):
            raise AssertionError("planted")
        if value == b"kill" and self.is_real:
            os.kill(os.getpid(), signal.SIGKILL)
        if value.startswith(b"slow") and self.is_real:
            time.sleep(float(value.split(b":")[1]))
        if value.startswith(b"until") and self.is_real:
            wait_for(Path(value.split(b":")[1].decode()).exists, RELEASED_SECONDS_MAX)


class SpreadState(CountingState):
    """Publishes now and then into another topic: one that most steps do not touch."""

    __slots__ = ()

    def _publish(self, key: bytes, value: bytes) -> None:
        CountingState._publish(self, key, value)
        if self.sequence % SPREAD_EVERY == 0:
            self._outputs[-1] = replace(self._outputs[-1], topic=DIFFERENCES)


def spread_state(_partition: int) -> SpreadState:
    """An empty state for any partition, over several topics."""
    return SpreadState()


def counting_state(_partition: int) -> CountingState:
    """An empty state for any partition."""
    return CountingState()
