"""A worker in this process: Faust is set as measured, and acknowledges nothing."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from orderloom.topology import RAW
from processors.app import FETCH_WAIT_MS, make_app
from processors.ledger.settings import LedgerSettings
from processors.quiet_logs import quiet_logs
from processors.worker import Parts, ProcessWorker, WorkerCrashed
from runtime import metrics
from runtime.broker import EmbeddedBroker
from runtime.health import Health
from runtime.trouble import SetupError
from tests.conftest import RunningBroker
from tests.processors.counting_state import counting_state
from tests.processors.ledger_lab import VENUE, Lab
from tests.waits import until

WELL = {"group": "", "kafka": "", "ledger lab 0": ""}


@pytest.mark.broker
async def test_faust_is_set_as_measured_and_acknowledges_nothing(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    lab = Lab(broker.bootstrap, namespace, partitions=2)
    apps: list[Any] = []

    def remember(*arguments: Any) -> Any:
        apps.append(make_app(*arguments))
        return apps[0]

    stop, health = asyncio.Event(), Health()
    worker = ProcessWorker(lab.settings, Parts(counting_state, make_app=remember), health)
    working = asyncio.create_task(worker.work(stop, str(tmp_path)))
    await until(lambda: bool(worker.runners) and worker.runners[0].next_offsets != {})
    lab.feed(RAW, [b"%d" % number for number in range(200)])
    await until(lambda: worker.runners[0].next_offsets["raw"] == 200)

    consumer = apps[0].consumer
    assert consumer._thread._consumer._fetcher._fetch_max_wait_ms == FETCH_WAIT_MS
    assert consumer._thread._assignor is apps[0].assignor
    assert apps[0].assignor.replicas == 0
    assert not any(consumer._acked.values())
    assert not any(consumer._gap.values())
    assert not apps[0].conf.stream_wait_empty
    assert apps[0].conf.topic_disable_leader
    await until(lambda: health.parts() == WELL | {"ledger lab 1": ""})
    assert metrics.PARTITIONS.labels(VENUE)._value.get() == 2  # by it those without an owner show
    stop.set()
    await working
    assert lab.faults() == []


@pytest.mark.broker
async def test_a_kafka_that_is_away_and_a_partition_that_is_not_open_are_no_health(
    namespace: str, tmp_path: Path
) -> None:
    with EmbeddedBroker(tmp_path / "broker", heap_mib=256) as broker:
        lab = Lab(broker.bootstrap, namespace)
        lab.configure(request_seconds_max=2.0, session_seconds=2.0)
        stop, health = asyncio.Event(), Health()
        worker = ProcessWorker(lab.settings, Parts(counting_state), health)
        working = asyncio.create_task(worker.work(stop, str(tmp_path)))
        await until(lambda: health.parts() == WELL)
        broker.suspend()
        await until(lambda: "does not answer at" in health.parts()["kafka"])
        await until(lambda: health.parts()["ledger lab 0"] != "")
        assert metrics.OPEN.labels(VENUE, "0")._value.get() == 0
        broker.resume()
        await until(lambda: health.parts() == WELL)
        stop.set()
        await working


@pytest.mark.broker
async def test_a_worker_whose_faust_is_gone_ends_with_what_crashed_it(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    """Its consumer's thread ends first: what is asked of it then must not hide the crash."""
    lab = Lab(broker.bootstrap, namespace)
    apps: list[Any] = []

    def remember(*arguments: Any) -> Any:
        apps.append(make_app(*arguments))
        return apps[0]

    stop = asyncio.Event()
    worker = ProcessWorker(lab.settings, Parts(counting_state, make_app=remember), Health())
    working = asyncio.create_task(worker.work(stop, str(tmp_path)))
    await until(lambda: bool(worker.runners) and worker.runners[0].next_offsets != {})
    await apps[0].consumer._thread.stop()
    await apps[0].crash(RuntimeError("planted"))
    with pytest.raises(WorkerCrashed, match="planted"):
        await asyncio.wait_for(working, 60)


class NothingTaken:
    """A group that confirms, and takes no commit of offsets."""

    def __init__(self, group: Any) -> None:
        self.confirm, self.skip_to = group.confirm, group.skip_to

    def commit(self, _offsets: object) -> bool:
        return False


@pytest.mark.broker
async def test_a_worker_whose_commits_are_never_taken_is_started_again(
    broker: RunningBroker, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.worker.ADRIFT_SECONDS", 0.5)
    lab = Lab(broker.bootstrap, namespace)
    lab.configure(session_seconds=1.0)
    worker = ProcessWorker(lab.settings, Parts(counting_state), Health())
    working = asyncio.create_task(worker.work(asyncio.Event(), str(tmp_path)))
    await until(lambda: bool(worker.runners) and worker.runners[0].next_offsets != {})
    worker._group = NothingTaken(worker._group)  # type: ignore[assignment]  # as said
    with pytest.raises(WorkerCrashed, match="the group has not confirmed us"):
        await asyncio.wait_for(working, 60)


@pytest.mark.broker
async def test_a_worker_that_gets_no_partition_is_well_all_the_same(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    """One partition, two workers: the group takes both in, and is asked no more of either."""
    lab, stop, healths = Lab(broker.bootstrap, namespace), asyncio.Event(), [Health(), Health()]
    workers = [ProcessWorker(lab.settings, Parts(counting_state), health) for health in healths]
    working = [asyncio.create_task(worker.work(stop, str(tmp_path))) for worker in workers]
    await until(lambda: all(health.parts().get("group") == "" for health in healths))
    await until(lambda: sorted(len(worker.runners) for worker in workers) == [0, 1])
    assert all(health.parts()["group"] == "" for health in healths)
    stop.set()
    await asyncio.gather(*working)


class NoGroup:
    """An app that starts, and that no group ever takes in."""

    crash_reason = None
    should_stop = False

    def __getattr__(self, _name: str) -> Any:
        return self

    def __call__(self, *_what: Any, **_how: Any) -> Any:
        return self

    async def start(self) -> None:
        """Begun."""

    async def stop(self) -> None:
        """Nothing to end."""


@pytest.mark.broker
async def test_a_worker_that_no_group_takes_in_says_so_and_is_started_again(
    broker: RunningBroker, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("processors.worker.ADRIFT_SECONDS", 0.5)
    lab, health = Lab(broker.bootstrap, namespace), Health()
    lab.configure(session_seconds=1.0)
    parts = Parts(counting_state, make_app=lambda *_: NoGroup())
    working = asyncio.create_task(
        ProcessWorker(lab.settings, parts, health).work(asyncio.Event(), str(tmp_path))
    )
    await until(lambda: health.parts().get("kafka") == "")
    assert "has not taken this one in" in health.parts()["group"]
    with pytest.raises(WorkerCrashed, match="the group has not confirmed us"):
        await asyncio.wait_for(working, 60)


@pytest.mark.broker
async def test_a_worker_ends_where_nobody_looks_for_kafka_any_more(
    broker: RunningBroker, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = Lab(broker.bootstrap, namespace)
    worker = ProcessWorker(lab.settings, Parts(counting_state), Health())

    def fall() -> bool:
        raise MemoryError("a test")

    monkeypatch.setattr(worker._log, "answers", fall)
    with pytest.raises(WorkerCrashed, match="nobody looks for Kafka"):
        await asyncio.wait_for(worker.work(asyncio.Event(), str(tmp_path)), 60)


@pytest.mark.broker
def test_topics_that_are_missing_are_named(broker: RunningBroker, namespace: str) -> None:
    worker = ProcessWorker(
        LedgerSettings(broker.bootstrap, VENUE, namespace), Parts(counting_state), Health()
    )
    with pytest.raises(SetupError, match="orderloom topics"):
        asyncio.run(worker.work(asyncio.Event(), ""))


def test_aiokafkas_debug_lines_are_off() -> None:
    quiet_logs()
    assert not logging.getLogger("aiokafka.consumer.fetcher").isEnabledFor(logging.INFO)


async def test_requests_are_waited_for_longer_than_any_session_that_may_be_set(
    tmp_path: Path,
) -> None:
    """Faust refuses to start otherwise, again and again."""
    for seconds in (1.0, 6.0, 45.0, 1_800.0):
        settings = LedgerSettings(bootstrap="127.0.0.1:1", venue=VENUE, session_seconds=seconds)
        conf = make_app(settings, 1, str(tmp_path)).conf
        assert conf.broker_request_timeout > conf.broker_session_timeout == seconds
