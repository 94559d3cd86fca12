"""The venue's own numbers in its messages: a hole in them is a blind interval at once."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from orderloom.raw import Frame
from processors.partition import PartitionFold
from tests.processors.partition_lab import ACCOUNT, NOW, Run, a_raw_record, live
from venues import VENUES
from venues.venue import Count, Inbound, Translation

TENTH = 100_000_000


def translate(inbound: Inbound) -> Translation:
    """A venue that numbers two subscriptions; a message is a list of [name, number, begins]."""
    return Translation(counts=tuple(Count(*one) for one in inbound.document))


def a_partition() -> PartitionFold:
    return PartitionFold(replace(VENUES["binance"], translate=translate, usual=None), 0)


def a_run() -> Run:
    run = Run(a_partition())
    run.step(a_raw_record(live("spot")))
    return run


def told(run: Run, *messages: list[Any]) -> list[tuple[int, int | None, str]]:
    """The blind intervals that these messages opened, a tenth of a second apart, each in a step."""
    streams = run.partition.account(ACCOUNT).streams
    known = len(streams.blind)
    for message in messages:
        number = streams.links["c-spot"].number + 1
        at_ns = NOW + number * TENTH
        frame = Frame("c-spot", number, "spot", at_ns, orjson.dumps(message))
        run.step(a_raw_record(frame), at_ns)
        streams = run.partition.account(ACCOUNT).streams
    return [(one.start_ns - NOW, one.end_ns and one.end_ns - NOW, one.reason) for one in
            streams.blind[known:]]  # fmt: skip


def test_numbers_that_follow_one_another_open_nothing() -> None:
    rows = [[["fills", 1, True]], [["orders", 7, True], ["fills", 2]], [["orders", 8]]]
    assert told(a_run(), *rows) == []


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_hole_is_blind_from_the_last_message_of_that_name(is_restarted: bool) -> None:
    run = a_run()
    assert told(run, [["fills", 1, True]], [["orders", 7, True]]) == []
    if is_restarted:
        run.partition = a_partition()
        for key, value in run.state.items():
            run.partition.restore(key, value)
    found = told(run, [["orders", 8]], [["fills", 3]], [["fills", 4]])
    assert found == [(1 * TENTH, 4 * TENTH, "the venue counted more")]


def test_a_subscription_that_begins_anew_is_no_hole_and_a_repeat_is_none() -> None:
    run = a_run()
    assert told(run, [["fills", 5, True]], [["fills", 4]], [["fills", 5]], [["fills", 6]]) == []
    assert told(run, [["fills", 40, True]], [["fills", 41]]) == []


@pytest.mark.parametrize("is_restarted", [False, True])
@pytest.mark.parametrize(
    ("beginnings", "following", "is_hole"),
    [
        ([1], [21, 22], False),  # the beginning was said twice
        ([1, 1], [21], False),
        ([1], [2, 3], False),  # it began anew
        ([1], [20], True),  # of which nobody knows what it is
        ([1], [22], True),
        ([1], [2, 21], True),
        ([1], [21, 23], True),
        ([30], [31], False),
    ],
)
def test_a_beginning_that_is_said_again_sets_no_count_back(
    beginnings: list[int], following: list[int], is_hole: bool, *, is_restarted: bool
) -> None:
    run = a_run()
    told(run, [["fills", 1, True]], *([["fills", number]] for number in range(2, 21)))
    found = told(run, *([["fills", number, True]] for number in beginnings))
    if is_restarted:
        run.partition = a_partition()
        for key, value in run.state.items():
            run.partition.restore(key, value)
    found += told(run, *([["fills", number]] for number in following))
    assert bool(found) is is_hole


def test_one_that_does_not_begin_has_lost_its_beginning() -> None:
    assert told(a_run(), [["fills", 3]]) == [(TENTH, TENTH, "the venue counted more")]


def test_what_a_former_owner_still_writes_says_nothing_of_the_stream() -> None:
    run = a_run()
    told(run, [["fills", 1, True]])
    run.step(a_raw_record(live("spot"), generation=2))
    late = Frame("c-spot", 2, "spot", NOW, orjson.dumps([["fills", 9]]))
    before = [one.document() for one in run.partition.account(ACCOUNT).streams.blind]
    run.step(a_raw_record(late, generation=1))
    assert [one.document() for one in run.partition.account(ACCOUNT).streams.blind] == before
