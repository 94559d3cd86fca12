"""Claims of the owned partitions: made anew where they break, and what is wrong is said."""

from collections.abc import Callable

import pytest

from ingest.orders.claim_topic import ClaimTopicWatch
from orderloom.claim import ClaimOwner
from orderloom.claim_log import BrokenClaimLog
from orderloom.topology import CLAIMS
from runtime.kafka import connected_admin
from runtime.topics import TopicSpec, create_topics, safe_config
from tests.conftest import RunningBroker
from tests.ingest.orders.claim_stage import SECONDS_MAX, Stage
from tests.ingest.orders.placing import Trader, a_cancel_of, a_placement, a_trader
from tests.ingest.toy_server import a_toy_server
from tests.waits import until

pytestmark = pytest.mark.broker
P = 0


@pytest.fixture
def stage(broker: RunningBroker, namespace: str) -> Stage:
    return Stage(broker.bootstrap, namespace)


def a_watch(stage: Stage, replication: int = 1) -> ClaimTopicWatch:
    spec = TopicSpec(stage.name, 1, replication, CLAIMS.config | safe_config(replication))
    return ClaimTopicWatch(lambda: connected_admin(stage.bootstrap), spec)


def trouble(trader: Trader) -> str:
    return trader.running.edge.troubles()["claims"]


async def test_what_broke_is_said_and_only_placements_wait_for_it(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        assert trouble(trader) == ""
        stage.write(b'{"type":"PARDON"}')
        await until(lambda: "PARDON" in trouble(trader), SECONDS_MAX)
        assert "nothing is placed in partition 0" in trouble(trader)
        command = a_placement(1, 1)
        trader.send(command)
        outcome = await trader.outcome(command)
        assert (outcome.is_unsent, outcome.reason) == (True, "the claim log is not read yet")
        cancel = a_cancel_of(a_placement(2, 0), 2)
        trader.send(cancel)
        assert (await trader.outcome(cancel)).status == 200
        assert not trader.arrived


async def test_who_was_superseded_and_owns_the_partition_still_takes_it_over_again(
    stage: Stage,
) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy) as trader:
        former = trader.claims
        async with stage.owner("other"):
            await until(lambda: trader.keeper.of(P) is not None and trader.claims is not former, 20)
        assert trouble(trader) == ""
        assert (await trader.outcome(trader.place(1))).status == 200
        assert former.life != trader.claims.life
        assert len(trader.records(ClaimOwner)) == 3


async def test_a_topic_that_was_made_anew_is_claimed_in_no_more(stage: Stage) -> None:
    async with a_toy_server() as toy, a_trader(stage, toy, look=a_watch(stage).look) as trader:
        stage.admin.delete_topics([stage.name])[stage.name].result()
        create_topics(stage.admin, [TopicSpec(stage.name, 1, 1, CLAIMS.config)])
        await until(lambda: "made again" in trouble(trader), SECONDS_MAX)
        command = a_placement(1, 0)
        trader.send(command)
        assert (await trader.outcome(command)).is_unsent
        assert not trader.arrived


async def test_a_topic_that_is_made_anew_while_it_is_taken_over_is_not_claimed_in(
    stage: Stage,
) -> None:
    looked: list[str] = []
    look = a_watch(stage).look

    def another(ask: Callable[[], str] = look) -> str:
        looked.append(stage.name)
        if len(looked) == 4:  # at the second taking over, after the log was read
            stage.admin.delete_topics([stage.name])[stage.name].result()
            create_topics(stage.admin, [TopicSpec(stage.name, 1, 1, CLAIMS.config)])
        return ask()

    async with a_toy_server() as toy, a_trader(stage, toy, look=another) as trader:
        former = trader.claims
        async with stage.owner("other"):
            await until(lambda: "made again" in trouble(trader), SECONDS_MAX)
        assert trader.keeper.of(P) is None
        assert former.life


async def test_less_than_the_cluster_was_asked_to_keep_is_said_and_stops_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    look = a_watch(stage, replication=3).look
    async with a_toy_server() as toy, a_trader(stage, toy, look=look) as trader:
        said = trouble(trader)
        assert "kept 1 times, not 3" in said
        assert "min.insync.replicas" in said
        assert any("claims may be lost" in line for line in caplog.messages)
        assert (await trader.outcome(trader.place(1))).status == 200


def test_a_watch_knows_the_topic_that_it_saw_first(stage: Stage) -> None:
    watch = a_watch(stage)
    assert watch.look() == watch.look() == ""
    stage.admin.delete_topics([stage.name])[stage.name].result()
    unclean = CLAIMS.config | {"unclean.leader.election.enable": "true"}
    create_topics(stage.admin, [TopicSpec(stage.name, 1, 1, unclean)])
    with pytest.raises(BrokenClaimLog, match="made again"):
        watch.look()
    # A new process takes it for what it is.
    assert "has unclean.leader.election.enable=true, not false" in a_watch(stage).look()
