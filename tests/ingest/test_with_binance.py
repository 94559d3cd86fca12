"""The edge with Binance's description against the simulated Binance, on its real wire."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from orderloom.question import About, Question
from orderloom.raw import Answer, ConnectionChange, Failure, Frame
from simulator.binance.app import BinanceBox
from simulator.binance.settings import BinanceSettings
from simulator.config import SimulatorConfig, sample_accounts
from simulator.server import Server, start
from tests.conftest import RunningBroker
from tests.ingest.cluster import PARTITIONS, Cluster, Place, a_cluster

pytestmark = pytest.mark.broker
STREAMS = 2 * PARTITIONS
ABOUTS = {
    "spot": (About.OPEN_ORDERS, About.ORDER_HISTORY, About.TRADES, About.BALANCES),
    "linear": (
        About.OPEN_ORDERS,
        About.ORDER_HISTORY,
        About.TRADES,
        About.BALANCES,
        About.POSITIONS,
    ),
}
BY_SYMBOL = (About.ORDER_HISTORY, About.TRADES)


@pytest.fixture
def config() -> SimulatorConfig:
    return SimulatorConfig(accounts=sample_accounts(PARTITIONS), seed=7)


@pytest.fixture
async def box(config: SimulatorConfig) -> AsyncIterator[Server]:
    server = await start(config)
    try:
        yield server
    finally:
        await server.close()


@pytest.fixture
def place(box: Server) -> Place:
    keys = {one.name: (one.api_key, one.secret) for one in sample_accounts(PARTITIONS)}
    http, socket = f"http://{box.address}", f"ws://{box.address}"
    return Place("binance", ("spot", "linear"), http, socket, keys)


@pytest.fixture
def cluster(
    broker: RunningBroker, namespace: str, tmp_path: Path, place: Place
) -> Iterator[Cluster]:
    with a_cluster(broker.bootstrap, namespace, tmp_path, place) as made:
        yield made


def questions(cluster: Cluster) -> list[Question]:
    return [
        Question(
            id=f"{product}-{about}",
            account=cluster.accounts[0],
            about=about,
            product=product,
            symbol="BTCUSDT" if about in BY_SYMBOL else None,
        )
        for product, abouts in ABOUTS.items()
        for about in abouts
    ]


def answers(cluster: Cluster) -> list[Answer]:
    return [one for one in cluster.items(Answer) if isinstance(one, Answer)]


def ended_questions(cluster: Cluster) -> int:
    """How many questions have their last page, or failed."""
    return sum(one.is_last for one in answers(cluster)) + len(cluster.items(Failure))


async def test_every_message_of_the_box_is_in_the_log_and_every_question_is_answered(
    cluster: Cluster, box: Server
) -> None:
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == STREAMS)
    for _ in range(300):
        box.box.venue.traders.step()
        await asyncio.sleep(0)
    replies = PARTITIONS  # Spot answers each subscription with a frame
    await cluster.until(lambda: len(cluster.items(Frame)) == box.box.feed.messages + replies)
    asked = questions(cluster)
    for question in asked:
        cluster.dispatch(0, question)
    await cluster.until(lambda: ended_questions(cluster) >= len(asked))
    assert cluster.items(Failure) == []
    ended = [one.question["id"] for one in answers(cluster) if one.is_last]
    assert sorted(ended) == sorted(one.id for one in asked)
    assert all(one.status == 200 for one in answers(cluster))


async def test_cut_connections_planned_ends_and_expired_keys_are_followed_by_new_ones(
    cluster: Cluster, box: Server
) -> None:
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == STREAMS)
    await box.box.sockets.end_all(planned=False)
    await cluster.until(lambda: cluster.changes("LIVE") == 2 * STREAMS)
    await box.box.sockets.end_all(planned=True)
    await cluster.until(lambda: cluster.changes("LIVE") == 3 * STREAMS)
    assert isinstance(box.box, BinanceBox)
    box.box.private.expire(everything=True)
    await cluster.until(lambda: cluster.changes("LIVE") == 3 * STREAMS + PARTITIONS)
    assert cluster.changes("REFUSED") == 0
    await cluster.until(lambda: cluster.changes("CLOSED") == 2 * STREAMS + PARTITIONS)


async def test_a_wrong_key_is_named_for_its_account_and_the_others_go_on(
    cluster: Cluster, place: Place
) -> None:
    wrong = cluster.accounts[1]
    place.keys[wrong] = (place.keys[wrong][0], "not the secret")
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == STREAMS - 1)
    await cluster.until(lambda: cluster.changes("REFUSED") == 1)
    [refused] = [
        one for one in cluster.items(ConnectionChange) if getattr(one, "change", "") == "REFUSED"
    ]
    assert isinstance(refused, ConnectionChange)
    assert refused.product == "spot"  # USD-M gives a listen key to whoever knows the public half
    lines = [words for words in cluster.words_of("w1") if "refuses the" in words]
    assert len(lines) == 1
    assert wrong in lines[0]
    assert "Check the key" in lines[0]


@pytest.mark.parametrize(
    "config", [SimulatorConfig(accounts=sample_accounts(PARTITIONS), clock_skew_ms=-2_500)]
)
async def test_a_venue_whose_clock_is_off_by_seconds_is_signed_for_in_its_own_time(
    cluster: Cluster,
) -> None:
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == STREAMS)
    cluster.dispatch(0, questions(cluster)[0])
    await cluster.until(lambda: len(answers(cluster)) == 1)
    assert answers(cluster)[0].status == 200
    lines = [words for words in cluster.words_of("w1") if "apart" in words]
    assert len(lines) == 2  # one for each product


@pytest.mark.parametrize(
    "config",
    [
        SimulatorConfig(
            accounts=sample_accounts(PARTITIONS), face=BinanceSettings(spot_weight=250, window_s=2)
        )
    ],
)
async def test_a_limit_that_is_lower_than_we_think_slows_us_down_and_every_question_is_answered(
    cluster: Cluster,
) -> None:
    cluster.start_worker("w1")
    await cluster.until(lambda: cluster.changes("LIVE") == STREAMS)
    [question] = [one for one in questions(cluster) if one.id == "spot-BALANCES"]
    for number in range(18):
        cluster.dispatch(0, question.model_copy(update={"id": f"q{number}", "reason": f"{number}"}))
    await cluster.until(lambda: len(answers(cluster)) + len(cluster.items(Failure)) >= 18)
    assert any("the next of its kind waits" in words for words in cluster.words_of("w1"))
    assert [(one.status, one.body) for one in answers(cluster) if one.status != 200] == []
    assert len(answers(cluster)) >= 15
