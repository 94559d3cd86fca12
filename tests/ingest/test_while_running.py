"""Accounts and keys that change under a running worker, a simulated Binance and a real broker."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.registry import write_registry
from orderloom.question import About, Question
from orderloom.raw import Answer, ConnectionChange, Failure, Frame
from runtime.accounts import load_accounts
from runtime.settings import load_settings
from simulator.config import SimulatorConfig, sample_accounts
from simulator.keys import NewKey, OldKey, issue, revoke
from simulator.server import Server, start
from tests.conftest import RunningBroker
from tests.ingest.cluster import PARTITIONS, Cluster, Place, a_cluster

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.broker
EVERYBODY = tuple(range(PARTITIONS))
PRODUCTS = 2
STREAMS = PRODUCTS * PARTITIONS
IN_FORCE = ("last good registry stays in force",)
SECOND_KEY, SECOND_SECRET = "second-key", "second-secret"


@pytest.fixture
async def box() -> AsyncIterator[Server]:
    server = await start(SimulatorConfig(accounts=sample_accounts(PARTITIONS), seed=7))
    try:
        yield server
    finally:
        await server.close()


@pytest.fixture
def cluster(
    broker: RunningBroker, namespace: str, tmp_path: Path, box: Server
) -> Iterator[Cluster]:
    keys = {one.name: (one.api_key, one.secret) for one in sample_accounts(PARTITIONS)}
    http, socket = f"http://{box.address}", f"ws://{box.address}"
    place = Place("binance", ("spot", "linear"), http, socket, keys)
    with a_cluster(broker.bootstrap, namespace, tmp_path, place) as made:
        yield made


async def started(cluster: Cluster, *numbers: int) -> "subprocess.Popen[bytes]":
    """A worker that has these accounts' streams LIVE."""
    cluster.register(*numbers)
    worker = cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == PRODUCTS * len(numbers))
    return worker


def connections(cluster: Cluster, number: int, change: str = "LIVE") -> list[ConnectionChange]:
    items = cluster.items(ConnectionChange, cluster.accounts[number])
    return [one for one in items if isinstance(one, ConnectionChange) and one.change == change]


def names(cluster: Cluster, *numbers: int) -> set[str]:
    """The connections of these accounts that ever began."""
    began = (connections(cluster, number, "CONNECTING") for number in numbers)
    return {one.connection for each in began for one in each}


def told(cluster: Cluster, *words: str) -> list[str]:
    """The lines that a worker logged with all of these words."""
    return [line for line in cluster.words_of("w1") if all(word in line for word in words)]


async def ask(cluster: Cluster, number: int, name: str) -> Answer | Failure:
    """What comes of a question about an account's balances."""
    account = cluster.accounts[number]
    question = Question(id=name, account=account, about=About.BALANCES, product="spot")
    cluster.dispatch(number, question)

    def found() -> list[Answer | Failure]:
        items = (*cluster.items(Answer, account), *cluster.items(Failure, account))
        replies = (one for one in items if isinstance(one, Answer | Failure))
        return [one for one in replies if one.question["id"] == name]

    await cluster.until(lambda: bool(found()))
    return found()[0]


@contextlib.asynccontextmanager
async def trading(box: Server) -> AsyncIterator[None]:
    """The box trades all the while."""

    async def trade() -> None:
        while True:
            box.box.venue.traders.step()
            await asyncio.sleep(0.01)

    task = asyncio.create_task(trade())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_account_that_is_added_begins_and_no_other_socket_is_touched(
    cluster: Cluster, box: Server
) -> None:
    await started(cluster, 0, 1, 2)
    before = names(cluster, 0, 1, 2)
    cluster.register(*EVERYBODY)
    await cluster.until(lambda: len(connections(cluster, 3)) == PRODUCTS)
    async with trading(box):
        await cluster.until(lambda: bool(cluster.items(Frame, cluster.accounts[3])))
    reply = await ask(cluster, 3, "q-added")
    assert isinstance(reply, Answer)
    assert reply.status == 200
    assert names(cluster, 0, 1, 2) == before
    assert cluster.changes("CLOSED") == 0
    [line] = told(cluster, cluster.accounts[3], "is added")
    assert "`orderloom topics`" in line


async def test_a_disabled_account_closes_with_its_reason_and_begins_again_when_enabled(
    cluster: Cluster, box: Server
) -> None:
    worker = await started(cluster, *EVERYBODY)
    before = names(cluster, 0, 2, 3)
    cluster.register(*EVERYBODY, disabled=1)
    worker.send_signal(signal.SIGHUP)
    await cluster.until(lambda: len(connections(cluster, 1, "CLOSED")) == PRODUCTS)
    reasons = {one.reason for one in connections(cluster, 1, "CLOSED")}
    assert reasons == {"disabled: so the registry says"}
    reply = await ask(cluster, 1, "q-disabled")
    assert isinstance(reply, Failure)
    assert "not served here" in reply.reason
    heard = len(cluster.items(Frame, cluster.accounts[1]))
    async with trading(box):
        await cluster.until(lambda: len(cluster.items(Frame, cluster.accounts[2])) > 20)
    assert len(cluster.items(Frame, cluster.accounts[1])) == heard
    cluster.register(*EVERYBODY)
    await cluster.until(lambda: len(connections(cluster, 1)) == 2 * PRODUCTS)
    assert isinstance(await ask(cluster, 1, "q-enabled"), Answer)
    assert names(cluster, 0, 2, 3) == before
    assert cluster.changes("CLOSED") == PRODUCTS


async def test_a_removed_account_closes_with_its_reason(cluster: Cluster) -> None:
    await started(cluster, *EVERYBODY)
    cluster.register(0, 1, 2)
    await cluster.until(lambda: len(connections(cluster, 3, "CLOSED")) == PRODUCTS)
    reasons = {one.reason for one in connections(cluster, 3, "CLOSED")}
    assert reasons == {"removed: so the registry says"}
    assert len(told(cluster, cluster.accounts[3], "registered no more")) == 1
    assert cluster.changes("CLOSED") == PRODUCTS


async def test_a_rotated_key_is_signed_in_before_the_old_connections_close(
    cluster: Cluster, box: Server
) -> None:
    await started(cluster, *EVERYBODY)
    account, before = cluster.accounts[2], names(cluster, 0, 1, 3)
    [old_key, _] = cluster.place.keys[account]
    new_key = NewKey(account=account, api_key=SECOND_KEY, secret=SECOND_SECRET)
    issue(box.box.venue, new_key)
    async with trading(box):
        cluster.write_key(2, SECOND_KEY, SECOND_SECRET)
        await cluster.until(lambda: bool(told(cluster, account, "has another key")))
        revoke(box.box.venue, OldKey(api_key=old_key))
        reply = await ask(cluster, 2, "q-rotated")
        await cluster.until(lambda: len(connections(cluster, 2, "CLOSED")) == PRODUCTS)
    assert isinstance(reply, Answer)
    assert reply.status == 200
    items = cluster.items(ConnectionChange, account)
    changes = [one for one in items if isinstance(one, ConnectionChange)]
    for product in ("spot", "linear"):
        mine = [one for one in changes if one.product == product]
        ways = [one.change for one in mine if one.change in ("LIVE", "CLOSED")]
        assert ways == ["LIVE", "LIVE", "CLOSED"]
        first, second, ended = (one for one in mine if one.change in ("LIVE", "CLOSED"))
        assert ended.connection == first.connection != second.connection
        assert ended.reason == "replaced: another key"
    assert names(cluster, 0, 1, 3) == before
    assert cluster.changes("CLOSED") == PRODUCTS
    log = (cluster.directory / "w1.log").read_text()
    assert SECOND_SECRET not in log


async def test_a_refused_key_is_logged_the_old_connection_goes_on_and_the_next_key_mends_it(
    cluster: Cluster, box: Server
) -> None:
    await started(cluster, *EVERYBODY)
    account = cluster.accounts[2]
    [old_key, old_secret] = cluster.place.keys[account]
    refused = f'orderloom_key_refused{{account="{account}"}} '
    cluster.write_key(2, "no-such-key", "no-such-secret")
    await cluster.until(lambda: len(connections(cluster, 2, "REFUSED")) == PRODUCTS)
    await cluster.until(lambda: f"{refused}1.0" in cluster.metrics_of("w1"))
    lines = told(cluster, "binance refuses the", account)
    assert len(lines) == PRODUCTS
    assert all("Check the key" in line for line in lines)
    first = {one.connection for one in connections(cluster, 2)}
    assert not first & {one.connection for one in connections(cluster, 2, "CLOSED")}
    heard = len(cluster.items(Frame, account))
    async with trading(box):
        await cluster.until(lambda: len(cluster.items(Frame, account)) > heard)
    reply = await ask(cluster, 2, "q-refused")
    assert isinstance(reply, Answer)
    assert reply.status == 401
    cluster.write_key(2, old_key, old_secret)
    await cluster.until(lambda: len(connections(cluster, 2)) == 2 * PRODUCTS)
    await cluster.until(lambda: f"{refused}0.0" in cluster.metrics_of("w1"))
    assert len(connections(cluster, 2, "REFUSED")) == PRODUCTS  # it did not knock again


async def test_a_registry_that_cannot_be_read_stops_nothing(cluster: Cluster, box: Server) -> None:
    worker = await started(cluster, *EVERYBODY)
    contents = (b"[[accounts", b"", b"\xff\xfe", b'[[accounts]]\nid = "binance:x"\n')
    for number, content in enumerate(contents, 1):
        cluster.registry.write_bytes(content)
        worker.send_signal(signal.SIGHUP)
        await cluster.until(lambda: len(told(cluster, *IN_FORCE)) == number)  # noqa: B023  awaited
    assert isinstance(await ask(cluster, 0, "q-broken"), Answer)
    assert 'registry_unusable{venue="binance"} 1.0' in cluster.metrics_of("w1")
    cluster.register(*EVERYBODY, moved=1)
    await cluster.until(lambda: bool(told(cluster, cluster.accounts[1], "lies in partition 1")))
    assert isinstance(await ask(cluster, 1, "q-moved"), Answer)
    assert 'registry_unusable{venue="binance"} 0.0' in cluster.metrics_of("w1")
    assert cluster.changes("CLOSED") == 0
    assert cluster.changes("LIVE") == STREAMS


async def test_an_account_that_moved_while_no_worker_ran_is_not_served_elsewhere(
    cluster: Cluster,
) -> None:
    settings = load_settings(cluster.settings_file())
    write_registry(settings, "binance", load_accounts(cluster.registry, partitions=PARTITIONS))
    cluster.register(*EVERYBODY, moved=1)
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == STREAMS - PRODUCTS)
    [line] = told(cluster, cluster.accounts[1], "lies in partition 1, the registry now says 2")
    assert "left out" in line
    assert names(cluster, 1) == set()
    cluster.register(*EVERYBODY)
    await cluster.until(lambda: len(connections(cluster, 1)) == PRODUCTS)
    assert cluster.accounts[1] not in {record.account for record in cluster.records[2]}
