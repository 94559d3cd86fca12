"""What a worker owns, event by event of the group: no broker, but a log that is a list."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ingest.group_events import Assigned, Gained, Lost, Registered, Revoked, Rewound
from ingest.instant import SECOND_NS
from ingest.registry import Act, Change
from orderloom.question import About, Question
from orderloom.topology import PARTITION_KEY
from tests.ingest.edge_on_loopback import (
    QUESTION,
    P,
    a_dispatch,
    a_dispatch_of,
    an_edge,
    an_entry,
    an_opening,
)
from tests.ingest.toy_server import ToyServer, a_toy_server
from tests.waits import until


@pytest.fixture
async def toy() -> AsyncIterator[ToyServer]:
    async with a_toy_server() as server:
        yield server


async def test_a_partition_that_another_had_in_between_is_asked_for_again(toy: ToyServer) -> None:
    async with an_edge(toy, an_entry()) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        for event in (Lost((P,)), Assigned((P,)), Gained(P, 7, 3, is_continued=False)):
            await edge.handle(event)
        await until(lambda: running.owned_as == [5, 7])
        await edge.handle(a_dispatch(3))
        await until(lambda: running.answered == ["q3"])
        await until(lambda: edge.asking.committable() == {P: 4})


async def test_after_dispatches_were_made_anew_their_questions_are_asked_from_the_first_on(
    toy: ToyServer,
) -> None:
    async with an_edge(toy, an_entry()) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 5000, is_continued=False))
        for event in (Rewound(P, 0), a_dispatch(0), a_dispatch(1)):
            await edge.handle(event)
        await until(lambda: running.answered == ["q0", "q1"])
        await until(lambda: edge.asking.committable() == {P: 2})


async def test_a_partition_that_goes_on_is_read_from_where_the_group_stands(
    toy: ToyServer,
) -> None:
    async with an_edge(toy, an_entry()) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        for event in (Lost((P,)), Assigned((P,)), Gained(P, 5, 3, is_continued=True)):
            await edge.handle(event)
        await edge.handle(a_dispatch(3))
        await until(lambda: running.answered == ["q3"])
        assert running.owned_as == [5]


async def test_while_the_venue_reports_no_time_for_new_accounts_partitions_are_still_given_up(
    toy: ToyServer,
) -> None:
    toy.delay_seconds = 3.0
    async with an_edge(toy) as running:
        await running.edge.handle(Gained(P, 5, 0, is_continued=False))
        revoked = Revoked((P,))
        async with asyncio.timeout(1):
            for event in (an_opening(), an_opening(an_entry("toy:b")), revoked):
                await running.edge.handle(event)
        assert revoked.released.is_set()


async def test_an_added_account_signs_nothing_before_the_venue_has_reported_its_time(
    toy: ToyServer,
) -> None:
    toy.delay_seconds, toy.clock_ahead_ns = 0.3, 5 * SECOND_NS
    async with an_edge(toy) as running:
        edge = running.edge
        await edge.handle(an_opening())
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        await edge.handle(a_dispatch(0))
        edge.tick()
        await until(lambda: running.answered == ["q0"])
        edge.tick()
        await until(lambda: toy.seen["POST key"] == 1)
        assert toy.urls[0].startswith("/time")
        [asked] = [url for url in toy.urls if url.startswith("/balances")]
        assert int(asked.rpartition("at=")[2]) - time.time_ns() > 4 * SECOND_NS
        assert len(edge.partitions[P].runners) == 1


async def test_an_account_that_is_closed_before_the_venue_has_reported_its_time_does_not_begin(
    toy: ToyServer,
) -> None:
    toy.delay_seconds = 0.3
    async with an_edge(toy) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        await edge.handle(an_opening())
        await edge.handle(Registered(Change(Act.CLOSE, an_entry(), "account is disabled")))
        await edge.handle(an_opening(an_entry("toy:b")))
        runners = edge.partitions[P].runners
        await until(lambda: bool(runners))
        assert [runner.account for runner in runners] == ["toy:b"]


@pytest.mark.parametrize("partition", [0, P + 1])
async def test_nothing_is_asked_for_an_account_whose_partition_is_not_ours(
    toy: ToyServer, partition: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with an_edge(toy, an_entry(), an_entry("toy:b", partition=partition)) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        await edge.handle(a_dispatch(0, "toy:b"))
        await edge.handle(a_dispatch(1, "toy:a", asks_for="toy:b"))
        await edge.handle(a_dispatch(2))
        await until(lambda: running.answered == ["q2"])
        await until(lambda: edge.asking.committable() == {P: 3})
    assert {record.account for record in running.log.records} == {"toy:a", "venue"}
    assert f"offset 0 is skipped: account toy:b lies in partition {partition}" in caplog.text
    assert (
        "offset 1 is skipped: not a dispatch: Value error, its id or account is not that of"
        in caplog.text
    )


async def test_of_the_same_question_asked_again_and_again_the_newest_alone_is_asked(
    toy: ToyServer,
) -> None:
    question = Question.model_validate(QUESTION)
    toy.delay_seconds = 1.0
    async with an_edge(toy, an_entry()) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        for offset in range(17):
            await edge.handle(a_dispatch_of(offset, question))
            await asyncio.sleep(0)
        await until(lambda: running.answered == ["q16"])
        reasons = {f"q{number}": f"superseded by q{number + 1}" for number in range(16)}
        assert running.failed == reasons
        assert toy.seen["GET balances"] == 1
        await until(lambda: edge.asking.committable() == {P: 17})


async def test_the_newest_question_has_the_place_in_the_line_that_the_first_one_had(
    toy: ToyServer,
) -> None:
    toy.delay_seconds = 0.5
    async with an_edge(toy, an_entry()) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        for offset in range(12):
            await edge.handle(a_dispatch(offset))
        again = Question.model_validate(QUESTION | {"symbol": "S5"})
        await edge.handle(a_dispatch_of(12, again))
        await until(lambda: len(running.answered) == 12)
        assert running.answered.index("q12") < 8
        assert running.failed == {"q5": "superseded by q12"}


async def test_a_question_whose_pages_came_for_a_former_id_is_asked_from_its_first_page_on(
    toy: ToyServer,
) -> None:
    question = Question.model_validate(QUESTION | {"about": About.TRADES})
    toy.delay_seconds = 1.0
    async with an_edge(toy, an_entry()) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        await edge.handle(a_dispatch_of(0, question))
        await until(lambda: running.answered == ["q0"])
        await edge.handle(a_dispatch_of(1, question))
        await until(lambda: running.answered == ["q0", "q1", "q1", "q1"])
        assert running.failed == {"q0": "superseded by q1"}
        await until(lambda: edge.asking.committable() == {P: 2})


async def test_what_differs_in_more_than_its_id_is_asked_by_itself(toy: ToyServer) -> None:
    questions = [
        Question.model_validate(QUESTION | more)
        for more in ({}, {"symbol": "S"}, {"urgent": True}, {"reason": "gap"}, {"since_ns": 5})
    ]
    toy.delay_seconds = 0.5
    async with an_edge(toy, an_entry()) as running:
        await running.edge.handle(Gained(P, 5, 0, is_continued=False))
        for offset, question in enumerate(questions):
            await running.edge.handle(a_dispatch_of(offset, question))
        await until(lambda: len(running.answered) == len(questions))
        assert not running.failed


async def test_a_dispatch_that_is_read_again_is_not_reported_as_failed(toy: ToyServer) -> None:
    toy.delay_seconds = 1.0
    async with an_edge(toy, an_entry()) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        await edge.handle(a_dispatch(0))
        await until(lambda: toy.seen["GET balances"] == 1)
        for event in (Lost((P,)), Assigned((P,)), Gained(P, 7, 0, is_continued=False)):
            await edge.handle(event)
        await edge.handle(a_dispatch(0))
        await until(lambda: running.answered == ["q0"])
        await until(lambda: edge.asking.committable() == {P: 1})
        assert not running.failed


async def test_partitions_that_ask_the_same_each_get_an_answer_of_their_own(
    toy: ToyServer,
) -> None:
    """As all do that ask a venue for its instruments, under one name."""
    asked = {"account": PARTITION_KEY.decode(), "about": About.INSTRUMENTS}
    question = Question.model_validate(QUESTION | asked)
    toy.delay_seconds = 0.2
    async with an_edge(toy, an_entry()) as running:
        for partition in (P, P + 1):
            await running.edge.handle(Gained(partition, 5, 0, is_continued=False))
        for partition in (P, P + 1):
            received = a_dispatch_of(partition, question)
            await running.edge.handle(replace(received, partition=partition))
        await until(lambda: running.edge.asking.committable() == {P: P + 1, P + 1: P + 2})
        assert not any("superseded" in reason for reason in running.failed.values())
        assert {*running.answered, *running.failed} == {f"q{P}", f"q{P + 1}"}
