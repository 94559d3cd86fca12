"""Ingest workers as processes, on a real broker, against the toy venue."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ingest.instant import MINUTE_NS
from orderloom.question import About, Question
from orderloom.raw import (
    Answer,
    ClockSample,
    ConnectionChange,
    Failure,
    Frame,
    Liveness,
    OwnerChange,
)
from orderloom.topology import CONTROL
from runtime.broker import EmbeddedBroker
from runtime.kafka import connected_admin, idempotent_producer
from tests.conftest import RunningBroker
from tests.ingest.cluster import ACCOUNT, PARTITIONS, Cluster, a_cluster, toy_place
from tests.ingest.toy_server import ToyServer, a_toy_server
from tests.ingest.toy_venue import PRODUCT

pytestmark = pytest.mark.broker
SECONDS_MAX = 40
AWAY_SECONDS = 8  # longer than a session
FRAMES = 1200


@pytest.fixture
async def toy() -> AsyncIterator[ToyServer]:
    async with a_toy_server() as server:
        yield server


@pytest.fixture
def cluster(
    broker: RunningBroker, namespace: str, tmp_path: Path, toy: ToyServer
) -> Iterator[Cluster]:
    with a_cluster(broker.bootstrap, namespace, tmp_path, toy_place(toy)) as made:
        yield made


def a_question(number: int, about: About = About.OPEN_ORDERS) -> Question:
    return Question(id=f"q{number}", account=f"toy:a{number}", about=about, product=PRODUCT)


def bodies(cluster: Cluster, account: str) -> list[bytes]:
    frames = [one for one in cluster.items(Frame, account) if isinstance(one, Frame)]
    return [frame.body for frame in frames if frame.body != b"ok"]


async def test_a_worker_owns_signs_in_writes_frames_answers_and_liveness_and_leaves_in_order(
    cluster: Cluster, toy: ToyServer
) -> None:
    worker = cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == PARTITIONS)
    parts = ("worker", "kafka", "streams", "addresses", "claims", "group", "topics", "keys")
    well = dict.fromkeys(parts, "")
    await cluster.until(lambda: cluster.health_of("w1") == (200, well))
    for number in range(5):
        await toy.push(f"fill {number}".encode())
    await cluster.until(lambda: len(cluster.items(Frame)) == PARTITIONS * 7)
    for number in range(PARTITIONS):
        assert bodies(cluster, f"toy:a{number}") == [b"fill %d" % one for one in range(5)]
        first = cluster.records[number][0]
        assert isinstance(first.items[0], OwnerChange)
        assert first.account == "venue"
        cluster.dispatch(number, a_question(number))
    await cluster.until(lambda: len(cluster.items(Answer)) == PARTITIONS)
    await cluster.until(lambda: len(cluster.items(Liveness)) >= 2 * PARTITIONS)
    said = [one for one in cluster.items(Liveness) if isinstance(one, Liveness)][-1]
    assert {one["last_number"] for one in said.connections} == {7}
    assert len(cluster.items(ClockSample)) == PARTITIONS
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 20) == 0
    await cluster.until(lambda: cluster.changes("CLOSED") == PARTITIONS)
    assert [cluster.committed(number) for number in range(PARTITIONS)] == [1] * PARTITIONS


async def test_accounts_that_are_left_out_show_at_healthz(cluster: Cluster) -> None:
    cluster.register(*range(PARTITIONS))
    key = cluster.directory / "key-0.json"
    with cluster.registry.open("a") as file:
        for name, products, path in (("y", ["ELSE"], key), ("z", [PRODUCT], f"{key}.none")):
            made = {"account": f"toy:{name}", "products": products, "key": path, "partition": 0}
            file.write(ACCOUNT.format(**made))
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == PARTITIONS)
    await cluster.until(lambda: cluster.health_of("w1")[1].get("streams") == "")
    status, parts = cluster.health_of("w1")
    assert status == 503
    assert parts["addresses"].startswith("toy:y is left out: ELSE has no address")
    assert parts["keys"].startswith("toy:z is left out: ")


async def test_a_topic_that_is_deleted_under_a_worker_shows_at_healthz(cluster: Cluster) -> None:
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == PARTITIONS)
    await cluster.until(lambda: cluster.health_of("w1")[1].get("topics") == "")
    admin = connected_admin(cluster.bootstrap)
    admin.delete_topics([cluster.dispatches])[cluster.dispatches].result(20)
    await cluster.until(lambda: cluster.dispatches in cluster.health_of("w1")[1]["topics"])
    assert cluster.health_of("w1")[0] == 503


async def test_garbage_in_control_is_named_and_stops_no_worker(cluster: Cluster) -> None:
    name = CONTROL.name("toy", cluster.namespace)
    producer = idempotent_producer(cluster.bootstrap)
    for value in (os.urandom(50), None, b"[]", b"7", b'{"type":"account","config":{}}', b"["):
        producer.produce(name, value, b"\xff", 1)
    assert producer.flush(10) == 0
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == PARTITIONS)
    passed = [line for line in cluster.words_of("w1") if " is passed: " in line]
    assert [line.partition(" is passed")[0] for line in passed] == [
        f"{name} partition 1 offset {offset}" for offset in range(6)
    ]


async def test_a_question_under_way_when_its_worker_is_killed_is_asked_again(
    cluster: Cluster, toy: ToyServer
) -> None:
    worker = cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == PARTITIONS)
    toy.delay_seconds = 3.0
    cluster.dispatch(1, a_question(1, About.ORDER))
    cluster.dispatch(1, a_question(1, About.BALANCES))
    await cluster.until(lambda: toy.seen["GET balances"] == toy.seen["GET order"] == 1)
    worker.kill()
    worker.wait()
    toy.delay_seconds = 0.0
    assert cluster.committed(1) == 0
    cluster.start_worker("w1")
    await cluster.until(lambda: len(cluster.items(Answer)) == 2)
    assert toy.seen["GET order"] == 2
    await cluster.until(lambda: cluster.committed(1) == 2)


async def test_what_cannot_be_read_is_skipped_and_what_is_too_old_or_unknown_is_a_failure(
    cluster: Cluster,
) -> None:
    cluster.dispatch_bytes(2, b"\xff garbage")
    old = a_question(2).model_copy(update={"reason": "old"})
    cluster.dispatch(2, old, at_ns=time.time_ns() - 11 * MINUTE_NS)
    cluster.dispatch(2, a_question(2).model_copy(update={"product": "NONE"}))
    cluster.dispatch(2, a_question(2))
    cluster.start_worker("w1")
    await cluster.until(lambda: len(cluster.items(Answer)) == 1)
    await cluster.until(lambda: len(cluster.items(Failure)) == 2)
    await cluster.until(lambda: cluster.committed(2) == 4)
    assert any("offset 0 is skipped" in words for words in cluster.words_of("w1"))


async def test_two_workers_share_the_accounts_and_one_takes_over_when_the_other_is_killed(
    cluster: Cluster, toy: ToyServer
) -> None:
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == PARTITIONS)
    second = cluster.start_worker("w2")
    await cluster.until(lambda: len(owners(cluster)) == 2)
    await cluster.until(lambda: len(toy.sockets) == PARTITIONS)
    taken = [number for number in range(PARTITIONS) if last_owner(cluster, number) == "w2"]
    assert len(taken) == PARTITIONS // 2
    second.kill()
    second.wait()
    await cluster.until(
        lambda: all(last_owner(cluster, number) == "w1" for number in range(PARTITIONS))
    )
    await cluster.until(lambda: len(toy.sockets) == PARTITIONS)
    for number in range(PARTITIONS):
        generations = [record.generation for record in cluster.records[number]]
        assert generations == sorted(generations)
        assert len(set(generations)) == (3 if number in taken else 1)
        connections = [
            {one.connection for one in record.items if isinstance(one, ConnectionChange)}
            for record in cluster.records[number]
        ]
        assert all(connections[0].isdisjoint(later) for later in connections[1:])


def owners(cluster: Cluster) -> set[str]:
    records = itertools.chain.from_iterable(cluster.records.values())
    return {record.owner.partition("~")[0] for record in records}


def last_owner(cluster: Cluster, number: int) -> str:
    changes = [
        record.owner
        for record in cluster.records[number]
        if any(isinstance(item, OwnerChange) for item in record.items)
    ]
    return changes[-1].partition("~")[0] if changes else ""


async def test_a_clock_that_is_wrong_is_named_in_one_line_and_sampled_into_the_log(
    cluster: Cluster, toy: ToyServer
) -> None:
    toy.clock_ahead_ns = 2_000_000_000
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == PARTITIONS)
    await cluster.until(lambda: len(cluster.items(ClockSample)) == PARTITIONS)
    lines = [words for words in cluster.words_of("w1") if "seconds" in words or "apart" in words]
    assert len(lines) == 1
    assert "set the machine's clock right" in lines[0]


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(tmp_path / "broker", report=print) as started:
        yield started


@pytest.mark.chaos
async def test_while_kafka_is_away_memory_is_bounded_and_nothing_received_is_lost(
    own_broker: EmbeddedBroker, namespace: str, tmp_path: Path, toy: ToyServer
) -> None:
    with a_cluster(own_broker.bootstrap, namespace, tmp_path, toy_place(toy)) as cluster:
        worker = cluster.start_worker("w1", "queue_bytes_max = 8388608")
        await cluster.until(lambda: cluster.changes("LIVE") == PARTITIONS)
        resident = resident_kib(worker.pid)
        for way in ("suspended", "killed"):
            pushing = asyncio.create_task(_push_many(toy, FRAMES))
            await cluster.until(lambda: len(cluster.items(Frame)) % (FRAMES * PARTITIONS) > 200)
            await _away(own_broker, way, cluster, pushing)
            assert resident_kib(worker.pid) - resident < 100 * 1024
            await pushing
            total = FRAMES if way == "suspended" else 2 * FRAMES
            await cluster.until(
                lambda: all(
                    len(bodies(cluster, f"toy:a{number}")) >= total  # noqa: B023  awaited at once
                    for number in range(PARTITIONS)
                )
            )
        for number in range(PARTITIONS):
            assert bodies(cluster, f"toy:a{number}") == [a_body(one) for one in range(FRAMES)] * 2
        assert cluster.changes("LIVE") == PARTITIONS  # no socket was given up
        assert len(cluster.items(OwnerChange)) == PARTITIONS


async def _away(
    own_broker: EmbeddedBroker, way: str, cluster: Cluster, pushing: "asyncio.Task[None]"
) -> None:
    """Kafka goes, the sockets are no longer read, and after more than a session it comes back."""
    if way == "suspended":
        own_broker.suspend()
    else:
        own_broker.kill()
    gone_at = time.monotonic()
    while not cluster.is_paused("w1"):
        assert time.monotonic() - gone_at < SECONDS_MAX
        await asyncio.sleep(0.1)
    while time.monotonic() - gone_at < AWAY_SECONDS:  # noqa: ASYNC110  a span of time is meant
        await asyncio.sleep(0.1)
    assert not pushing.done()
    if way == "suspended":
        own_broker.resume()
    else:
        await asyncio.to_thread(own_broker.start)


def resident_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def a_body(number: int) -> bytes:
    return b"fill %d " % number + b"x" * 20_000


async def _push_many(toy: ToyServer, times: int) -> None:
    for number in range(times):
        await toy.push(a_body(number))
        await asyncio.sleep(0.001)


@pytest.mark.chaos
async def test_a_worker_that_was_stopped_for_longer_than_its_session_settles_and_nothing_is_mixed(
    cluster: Cluster, toy: ToyServer
) -> None:
    cluster.start_worker("w1")
    second = cluster.start_worker("w2")
    await cluster.until(lambda: len(owners(cluster)) == 2 and len(toy.sockets) == PARTITIONS)
    second.send_signal(signal.SIGSTOP)
    await cluster.until(
        lambda: all(last_owner(cluster, number) == "w1" for number in range(PARTITIONS))
    )
    second.send_signal(signal.SIGCONT)
    await cluster.until(
        lambda: {last_owner(cluster, number) for number in range(PARTITIONS)} == {"w1", "w2"}
    )
    await cluster.until(lambda: len(toy.sockets) == PARTITIONS)
    for number in range(PARTITIONS):
        by_generation: dict[int, set[str]] = {}
        for record in cluster.records[number]:
            by_generation.setdefault(record.generation, set()).add(record.owner)
        assert all(len(names) == 1 for names in by_generation.values())


async def test_a_second_worker_of_the_same_name_takes_over_and_the_first_says_why_it_ends(
    cluster: Cluster,
) -> None:
    first = cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == PARTITIONS)
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == 2 * PARTITIONS)
    assert await asyncio.to_thread(first.wait, 20) != 0
    assert "give each worker a name of its own" in (cluster.directory / "w1.log").read_text()
