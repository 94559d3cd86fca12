"""Placements by workers as processes: who dies at one leaves it unsent for ever."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from orderloom import topology
from orderloom.claim import Claim, ClaimOwner, ClaimRecord, read_claim_record
from orderloom.raw import AttemptOutcome
from runtime.kafka import connected_admin, end_offsets, reader
from tests.conftest import RunningBroker
from tests.ingest.cluster import Cluster, a_cluster, toy_place
from tests.ingest.orders.placing import a_placement
from tests.ingest.toy_server import ToyServer, a_toy_server

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
P = 0
SIGKILL = -9


@pytest.fixture
async def toy() -> AsyncIterator[ToyServer]:
    async with a_toy_server() as server:
        yield server


@pytest.fixture
def cluster(
    broker: RunningBroker, namespace: str, tmp_path: Path, toy: ToyServer
) -> Iterator[Cluster]:
    with a_cluster(broker.bootstrap, namespace, tmp_path, toy_place(toy)) as made:
        made.register(P)
        made.registry.write_text(made.registry.read_text() + 'orders = "trade"\n')
        yield made


def claims(cluster: Cluster, kind: Any = object) -> list[Any]:
    """All records of one kind in the account's partition."""
    place = topology.CLAIMS.name("toy", cluster.namespace), P
    end = end_offsets(connected_admin(cluster.bootstrap), [place])[place]
    found: list[ClaimRecord] = []
    consumer = reader(cluster.bootstrap, committed=False)
    try:
        consumer.assign([TopicPartition(*place, 0)])
        while len(found) < end:
            message = consumer.poll(20)
            assert message is not None
            if message.error() is None:
                found.append(read_claim_record(message.value()))
    finally:
        consumer.close()
    return [one for one in found if isinstance(one, kind)]


def placed(toy: ToyServer) -> list[str]:
    paths = [url for url in toy.urls if url.startswith("/order?name=")]
    return [path.partition("name=")[2].partition("&")[0] for path in paths]


async def test_what_a_worker_claimed_before_it_was_killed_its_successor_does_not_send(
    cluster: Cluster, toy: ToyServer
) -> None:
    account = cluster.accounts[P]
    dying = cluster.start_worker("w1", module="tests.ingest.orders.dying_worker")
    await cluster.until(lambda: len(claims(cluster, ClaimOwner)) == 1)
    await cluster.until(lambda: cluster.health_of("w1")[1].get("claims") == "")
    first = a_placement(1, 0, account=account)
    cluster.command(P, first)
    await cluster.until(lambda: dying.poll() == SIGKILL)
    assert [one.command.id for one in claims(cluster, Claim)] == [first.command.id]
    cluster.start_worker("w1")  # which reads the first command again
    await cluster.until(lambda: len(claims(cluster, ClaimOwner)) == 2)
    second = a_placement(2, len(claims(cluster)), account=account)
    cluster.command(P, second)
    await cluster.until(lambda: bool(cluster.items(AttemptOutcome)))
    assert placed(toy) == ["o2"]
    outcomes = [one for one in cluster.items(AttemptOutcome) if isinstance(one, AttemptOutcome)]
    assert [one.command_id for one in outcomes] == [second.command.id], (
        "who sent it knows, no other"
    )
    assert f"command {first.command.id} is not ours" in " ".join(cluster.words_of("w1"))
    assert len(claims(cluster, Claim)) == 2
