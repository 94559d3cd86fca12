"""The time of steps on a real broker: no timer fires before the evidence in the backlog."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from prometheus_client import REGISTRY

from orderloom.topology import CONTROL, LEDGER, RAW, Topic
from processors.ledger.ledger import Ledger
from processors.ledger.metrics import Exporter
from processors.ledger.runner import LedgerRunner
from processors.ledger.state import PROOF_KEY
from processors.ledger.step_clock import LedgerClock
from runtime.health import Health
from runtime.topics import TopicSpec, create_topics
from tests.conftest import RunningBroker
from tests.processors.counting_state import counting_state
from tests.processors.ledger_lab import AlwaysOurs, Lab, come_to, drain, small_steps
from tests.waits import wait_for

pytestmark = pytest.mark.broker
MS = 1_000_000
HOUR = 3_600_000


class NotingClock(LedgerClock):
    """Notes what it is compared with."""

    def __init__(self) -> None:
        super().__init__()
        self.compared: list[tuple[int, int]] = []

    def compare(self, append_ns: int, before_ns: int) -> None:
        self.compared.append((append_ns, before_ns))
        super().compare(append_ns, before_ns)


class WallClockOnly(Ledger):
    """The broken variant: reads the wall clock, also while it is behind."""

    def _reading(self, batch: Any, wall_ns: int) -> int:
        return self._clock.reading(None, wall_ns)


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> Lab:
    lab = Lab(broker.bootstrap, namespace)
    lab.configure(step=small_steps(1))
    return lab


@pytest.mark.parametrize("make", [Ledger, WallClockOnly])
def test_a_timer_fires_after_the_evidence_that_came_before_it(lab: Lab, make: type[Ledger]) -> None:
    """It is due long ago, and 100 ms after the evidence that an owner of then had not read yet."""
    with stamped_by_the_writer(lab, RAW):
        set_ms = time.time_ns() // MS - HOUR
        feed_at(lab, RAW, set_ms, b"timer:%d" % (300 * MS))
        feed_at(lab, RAW, set_ms + 100, b"evidence")
        feed_at(lab, RAW, set_ms + 200, b"more evidence")
    first = lab.open()
    wait_for(lambda: first.advance(0.2))
    drain(lab.open(make=make))
    order = [value.split(b",")[1] for value in lab.values_in_order()]
    broken = [b"a", b"a", b"timer", b"a"]
    assert order == ([b"a", b"a", b"a", b"timer"] if make is Ledger else broken)


def test_the_inputs_move_through_time_together(lab: Lab) -> None:
    began_ms = time.time_ns() // MS - HOUR
    for topic, later_ms in ((RAW, 0), (CONTROL, 1)):
        with stamped_by_the_writer(lab, topic):
            for number in range(3):
                feed_at(lab, topic, began_ms + 10 * number + later_ms, b"%d" % number)
    drain(lab.open())
    assert [(kind, at) for kind, at, _ in lab.state.folded] == [
        (kind, at) for at in range(3) for kind in ("raw", "control")
    ]


def test_behind_the_ends_the_clock_is_the_append_time_and_never_runs_backwards(lab: Lab) -> None:
    lab.feed(RAW, [b"%d" % number for number in range(5)])
    appended = [record.appended_ns for record in lab.inputs()["raw"]]
    drain(lab.open())
    clocks = [commit["clock_ns"] for commit in lab.commits()]
    assert clocks[:4] == appended[:4]
    assert clocks == sorted(clocks)


def advance_until(ledger: Ledger, condition: Callable[[], bool], seconds: float) -> None:
    """As a runner does: step, or wait as long as the ledger says."""

    def is_reached() -> bool:
        if not ledger.advance(0.05):
            time.sleep(min(0.2, ledger.wait_seconds()))
        return condition()

    wait_for(is_reached, seconds)


@contextmanager
def stamped_by_the_writer(lab: Lab, topic: Topic) -> Iterator[None]:
    """Append times are the test's, as of a broker whose clock is wrong."""
    probe = f"{lab.name(topic)}.probe"
    create_topics(lab.admin, [TopicSpec(probe, 1, 1, topic.config)])
    stamp(lab, (lab.name(topic), probe), "CreateTime")
    yield
    stamp(lab, (lab.name(topic), probe), "LogAppendTime")


def stamp(lab: Lab, names: tuple[str, str], word: str) -> None:
    """Set who stamps both topics; the second takes records until the broker has come to it."""
    for name in names:
        entry = ConfigEntry(
            "message.timestamp.type", word, incremental_operation=AlterConfigOpType.SET
        )
        resource = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=[entry])
        lab.admin.incremental_alter_configs([resource])[resource].result(30)
    is_ours = word == "CreateTime"
    wait_for(lambda: (stamped_at(lab, names[1], 1_000) == 1_000) is is_ours)


def feed_at(lab: Lab, topic: Topic, ms: int, value: bytes | None, key: bytes = b"a") -> None:
    """Append a record to a topic that is stamped by its writer."""
    lab.producer.produce(lab.name(topic), value, key, 0, timestamp=ms)
    assert lab.producer.flush(30) == 0


def stamped_at(lab: Lab, name: str, ms: int) -> int:
    """When a record is stamped that its writer stamps so."""
    stamps: list[int] = []
    lab.producer.produce(
        name, b"", b"any", 0, timestamp=ms,
        on_delivery=lambda _error, message: stamps.append(message.timestamp()[1]),
    )  # fmt: skip
    assert lab.producer.flush(30) == 0
    return stamps[0]


def ahead(lab: Lab, ms: int) -> None:
    """The ledger's last step was `ms` later than now."""
    lab.feed(RAW, [b"before"])
    drain(lab.open())
    come_to(lab, clock_ns=time.time_ns() + ms * MS)


def test_timers_fire_after_the_brokers_clock_was_ahead_within_a_backlog(lab: Lab) -> None:
    """Append times are an hour ahead for some records, and right again in the next."""
    with stamped_by_the_writer(lab, RAW):
        for ms in (0, HOUR, HOUR, 0):
            at_ms = time.time_ns() // MS + ms
            lab.producer.produce(lab.name(RAW), b"timer:%d" % (300 * MS), b"a", 0, timestamp=at_ms)
        assert lab.producer.flush(30) == 0
    ledger = lab.open()
    drain(ledger)
    assert lab.commits()[-1]["clock_ns"] < time.time_ns() + 3_000 * MS
    advance_until(ledger, lambda: len(lab.state.ticks) == 4, 10)
    assert lab.faults() == []


def test_a_backlog_in_which_the_brokers_clock_was_set_back_is_folded_to_its_end(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With steps so small that there is no room for what was appended at the later times again."""
    monkeypatch.setattr("processors.ledger.input_reader.READ_MESSAGES_MAX", 5)
    with stamped_by_the_writer(lab, RAW):
        for number in range(40):
            at_ms = time.time_ns() // MS - (540_000 if number < 10 else 600_000)
            lab.producer.produce(lab.name(RAW), b"%d" % number, b"a", 0, timestamp=at_ms)
        assert lab.producer.flush(30) == 0
    drain(lab.open(), steps_max=100)
    assert lab.faults() == []


def test_timers_fire_where_the_last_step_was_later_than_now(lab: Lab) -> None:
    """As an older version left it that took an append time from a clock that was ahead."""
    ahead(lab, HOUR)
    lab.feed(RAW, [b"timer:%d" % (300 * MS)])
    ledger = lab.open()
    drain(ledger)
    advance_until(ledger, lambda: len(lab.state.ticks) == 1, 10)
    clocks = [commit["clock_ns"] for commit in lab.commits()]
    assert clocks == sorted(clocks)
    assert lab.faults() == []


def test_health_metrics_and_log_say_that_the_steps_are_ahead_of_the_clock(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    lab.feed(RAW, [b"one"])
    ahead(lab, HOUR)
    runner = LedgerRunner(lab.log, 0, counting_state, AlwaysOurs())
    runner.start()
    health, exporter = Health(), Exporter("ahead")
    try:
        wait_for(lambda: runner.clock_lead_seconds > 0, 20)
        exporter.export([runner], health)
    finally:
        runner.close()
        assert runner.join(20)
    assert "ahead of the clock" in health.parts()["clock ahead 0"]
    assert "ahead of the clock" in caplog.text
    labels = {"venue": "ahead", "partition": "0"}
    lead = REGISTRY.get_sample_value("orderloom_clock_lead_seconds", labels)
    assert lead is not None
    assert 3_500 < lead <= 3_600


def test_an_idle_ledger_steps_only_when_a_timer_is_due(lab: Lab) -> None:
    lab.feed(RAW, [b"timer:%d" % (400 * MS)])
    ledger = lab.open()
    drain(ledger)
    assert len(lab.commits()) == 1
    wait_for(ledger.advance)
    (first, second) = lab.commits()
    assert second["clock_ns"] >= first["clock_ns"] + 400 * MS
    assert second["inputs"]["raw"] == [1, 1]
    assert lab.faults() == []


def test_after_an_opening_the_clock_goes_on_where_it_was(lab: Lab) -> None:
    lab.feed(RAW, [b"one"])
    drain(lab.open())
    lab.memory.clock._correction_ns = -3_600_000 * MS  # this machine's clock is an hour behind
    lab.memory.clock.compare = lambda *_: None  # type: ignore[method-assign]  # and not found out
    lab.feed(RAW, [b"two"])
    drain(lab.open())
    clocks = [commit["clock_ns"] for commit in lab.commits()]
    assert clocks == sorted(clocks)


def test_a_clock_that_is_off_is_found_at_opening(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    lab.memory.clock._correction_ns = -10_000 * MS
    lab.open()
    assert "off the broker's" in caplog.text
    assert abs(lab.memory.clock.now_ns() - time.time_ns()) < 2_000 * MS


def test_after_the_brokers_clock_was_ahead_it_is_not_believed_to_be_still(lab: Lab) -> None:
    """The greatest append time of the ledger's topic stays there for good; the newest counts."""
    drain(lab.open())
    with stamped_by_the_writer(lab, LEDGER):
        at_ms = time.time_ns() // MS + HOUR
        feed_at(lab, LEDGER, at_ms, None, PROOF_KEY)
    assert lab.committed(LEDGER)[-1].timestamp()[1] == at_ms
    lab.memory.clock = clock = NotingClock()
    lab.open()
    ((append_ns, before_ns),) = clock.compared
    assert abs(append_ns - before_ns) < HOUR * MS / 2


def test_a_clock_that_is_off_is_found_while_the_ledger_is_open(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.ledger.clock_watch.CLOCK_CHECK_SECONDS", 0.0)
    ledger = lab.open()
    lab.memory.clock._correction_ns = -10_000 * MS
    lab.feed(RAW, [b"one"])
    lab.deliver(ledger)
    assert abs(lab.memory.clock.now_ns() - time.time_ns()) < 2_000 * MS
