"""The venue's clock: what is known of it is true, and no more, also if it is told in steps."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.clocks import ClockKeeper
from ingest.http import HttpClient
from ingest.instant import SECOND_NS
from ingest.venue_clock import VenueClock
from orderloom.raw import ClockSample
from runtime.clock import wall_ns
from tests.ingest.requester_on_loopback import a_requester
from tests.ingest.toy_server import a_toy_server
from tests.ingest.toy_venue import PRODUCT, toy_venue

MS = 1_000_000


def told(product: str, ahead_ns: int, looked_ns: int, way_ns: int) -> ClockSample:
    """A sample of a clock that is `ahead_ns` of ours, as `clocks` writes it, in whole seconds."""
    venue_ns = (looked_ns + ahead_ns) // SECOND_NS * SECOND_NS
    return ClockSample(product, venue_ns, looked_ns - way_ns - SECOND_NS, looked_ns + way_ns)


@given(
    st.integers(-3 * SECOND_NS, 3 * SECOND_NS),
    st.lists(st.integers(0, 60_000), min_size=1, max_size=20),
)
@example(900 * MS, [100])
@example(-900 * MS, [899])
def test_whole_seconds_bound_the_truth_and_raise_no_false_alarm(
    ahead_ns: int, moments_ms: list[int]
) -> None:
    clock = VenueClock()
    for moment_ms in sorted(moments_ms):
        sample = told(PRODUCT, ahead_ns, 1_000 * SECOND_NS + moment_ms * MS, 20 * MS)
        assert sample.venue_ns - sample.received_ns <= ahead_ns
        assert ahead_ns <= sample.venue_ns - sample.sent_ns
        clock.add(sample)
        assert abs(clock.offset_ns - ahead_ns) <= SECOND_NS // 2 + 20 * MS
        if clock.is_wrong:
            assert abs(ahead_ns) > SECOND_NS
        if abs(ahead_ns) > 2 * SECOND_NS + 40 * MS:
            assert clock.is_wrong


async def test_a_clock_that_is_told_in_steps_is_sampled_with_its_step() -> None:
    samples: list[ClockSample] = []
    async with a_toy_server() as toy:
        http = HttpClient(wall_ns, seconds_max=2)
        requester = a_requester(toy_venue(toy.rest, toy.stream), http)
        exact = requester.venue.server_time
        for step_ns in (0, SECOND_NS):
            requester.venue = replace(
                requester.venue,
                server_time=lambda body: exact(body) // SECOND_NS * SECOND_NS,
                clock_steps_ns={PRODUCT: step_ns},
            )
            keeper = ClockKeeper(requester, samples.append)
            requester.clocks[PRODUCT]._samples.clear()
            await keeper.start()
        await http.close()
    fine, coarse = samples
    assert fine.received_ns - fine.sent_ns < SECOND_NS
    assert SECOND_NS <= coarse.received_ns - coarse.sent_ns < 2 * SECOND_NS


def test_the_clock_sample_with_the_shortest_way_is_believed() -> None:
    clock = VenueClock()
    assert clock.add(ClockSample(PRODUCT, 3_000_000_500, 0, 1_000))
    assert clock.offset_ns == 3_000_000_000
    assert not clock.add(ClockSample(PRODUCT, 3_000_000_050, 0, 100))
    assert clock.is_wrong
    assert not clock.add(ClockSample(PRODUCT, 5_000_000_000, 0, 5_000_000_000))
    assert clock.offset_ns == 3_000_000_000


def test_a_clock_that_was_set_is_known_by_the_next_sample() -> None:
    clock = VenueClock()
    for at_ns in range(0, 50_000, 10_000):
        clock.add(ClockSample(PRODUCT, at_ns + 50, at_ns, at_ns + 100))
    assert clock.offset_ns == 0
    # Ours was set back by a second and more, and this sample is the worst of all.
    set_at = 60_000 - 2_000_000_000
    assert clock.add(ClockSample(PRODUCT, 60_500, set_at, set_at + 1_000))
    assert clock.offset_ns == 2_000_000_000
    # Set while the venue was asked, it would look as the shortest way of all.
    assert not clock.add(ClockSample(PRODUCT, 70_500, 70_000, 0))
    assert clock.offset_ns == 2_000_000_000
