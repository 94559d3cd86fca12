"""Traffic keeps its rate, with and without bursts."""

from itertools import pairwise

from simulator.config import TrafficConfig
from simulator.pacing import Pacer


class Counted:
    """A trader whose decisions make three messages each."""

    def __init__(self) -> None:
        self.messages = 0

    def step(self) -> None:
        self.messages += 3


def sent_in(config: TrafficConfig, turns: int, seconds: float) -> list[int]:
    counted = Counted()
    pacer = Pacer(counted.step, lambda: counted.messages, seed=1)
    pacer.change(config)
    after = []
    for _ in range(turns):
        pacer.turn(seconds)
        after.append(counted.messages)
    return after


def test_the_rate_is_kept_whatever_a_decision_brings() -> None:
    after = sent_in(TrafficConfig(rate=500, running=True), turns=1000, seconds=0.01)
    assert abs(after[-1] - 5000) <= 3


def test_bursts_come_at_once_and_leave_the_average_as_it_was() -> None:
    config = TrafficConfig(rate=500, burst=200, running=True)
    after = sent_in(config, turns=2000, seconds=0.01)
    assert max(now - before for before, now in pairwise(after)) >= 190
    assert 10_000 - 3 <= after[-1] <= 10_000 + 205


def test_nothing_is_traded_while_traffic_is_off() -> None:
    assert sent_in(TrafficConfig(rate=500), turns=100, seconds=0.01)[-1] == 0


def test_a_step_that_makes_no_message_does_not_hold_the_loop_for_ever() -> None:
    pacer = Pacer(lambda: None, lambda: 0, seed=1)
    pacer.change(TrafficConfig(rate=10, running=True))
    pacer.turn(1.0)
