"""The pages of one question: what they leave behind is saved, whatever turn they come in.

And when a cycle is followed by the next.
"""

import pytest

from orderloom.question import About, Question
from orderloom.raw import ClockSample
from processors.account.cycles import Cycles
from processors.account.pace import SECOND_NS, Pace
from processors.account.venue_time import VenueTimes
from venues.venue import Profile

PACE = Pace()
PERIOD_S = PACE.period_ns // SECOND_NS


def restarted(cycles: Cycles, saved: dict[str, object]) -> Cycles:
    """The cycles after a restart; of the questions, only what changed was written to `saved`."""
    product = cycles.product
    saved |= {name: cycles.pending[name].document(product) for name in cycles.changed}
    cycles.changed.clear()
    again = Cycles.load(cycles.document())
    for document in saved.values():
        assert isinstance(document, dict)
        again.load_question(document)
    return again


def test_what_a_page_out_of_turn_does_to_its_question_is_saved() -> None:
    calm, saved = Cycles("spot", 0), dict[str, object]()
    calm.ask(Question(id="q1", account="a:b", about=About.TRADES, product="spot"), 100)
    for asked_ns, page in ((2, 1), (1, 1), (2, 2)):  # the third is of another run than the second
        calm.take_page("q1", asked_ns, page, is_last=False)
        killed = restarted(calm, saved)
        assert killed.pending == calm.pending
    for cycles in (calm, killed):
        assert not cycles.take_page("q1", 1, 2, is_last=True)
        assert "q1" in cycles.pending


@pytest.mark.parametrize(
    ("took_s", "rests_s"),
    [(10, PERIOD_S - 10), (40, 20), (600, PERIOD_S), (40 * 60, PERIOD_S)],
    ids=["soon", "at a rate limit", "after a ban of ten minutes", "after a long first look"],
)
def test_the_next_cycle_begins_within_a_period_however_long_one_took(
    took_s: int, rests_s: int
) -> None:
    """Half of ten minutes' ban was five more in which nothing was compared, and seemed in sync."""
    times, cycles, profile = VenueTimes(), Cycles("spot", 0), Profile()
    times.take(ClockSample("spot", SECOND_NS, SECOND_NS, SECOND_NS), 1, SECOND_NS)
    time = times.of("spot")
    began_ns = 100 * SECOND_NS
    cycles.begin(began_ns, (), PACE, (profile, time))
    ended_ns = began_ns + took_s * SECOND_NS
    cycles.finish(profile, ended_ns, time, PACE)
    assert cycles.due_ns() == ended_ns + rests_s * SECOND_NS
