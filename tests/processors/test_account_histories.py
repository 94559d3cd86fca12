"""Seeded evidence about orders that may be one: positions add up, and a restart changes nothing."""

from collections.abc import Iterable

from orderloom.event import Cause, Event, Origin
from orderloom.words import Source
from tests.builders import a_report, an_execution
from tests.processors.partition_lab import ACCOUNT, NOW, Run, a_partition


def say(run: Run, number: int, events: Iterable[Event], source: Source = Source.STREAM) -> None:
    """One message, a step."""
    run.partition.due_ns()  # after a restart all is put together
    account = run.partition.account(ACCOUNT)
    cause, asked_ns = Cause("raw.binance", 0, number), NOW if source is Source.QUERY else None
    account.begin(cause, NOW + number)
    account.take_events(events, Origin(ACCOUNT, source, cause, NOW + number, asked_ns))
    run.step(None, NOW + number)


def test_what_was_shown_by_itself_means_nothing_once_it_is_anothers_also_to_the_digest() -> None:
    nameless = an_execution("5", venue_order_id=None)
    ends = []
    for is_restarted in (False, True):
        run = Run(a_partition())
        say(run, 1, [nameless])
        say(run, 2, [an_execution("5", venue_order_id="9")])
        if is_restarted:
            run.restart()
        say(run, 3, [a_report(venue_order_id="10")])
        ends.append(run.digests)
    assert ends[0] == ends[1]
