"""A switch fires once, when nobody set it anew in time."""

from simulator.accounts import Account
from simulator.clock import LogicalClock
from simulator.config import AccountConfig
from simulator.wire.switches import Switches

ONE, TWO = (Account(AccountConfig(name=name, api_key=name, secret="s")) for name in "ab")


def fired(switches: Switches) -> list[tuple[str, str]]:
    return [(account.name, scope) for account, scope in switches.fired()]


def test_it_fires_once_when_its_time_is_over() -> None:
    clock = LogicalClock()
    switches = Switches(clock.now_ms)
    assert switches.set(ONE, "S", 100) == clock.now_ms() + 100
    clock.advance(99)
    assert fired(switches) == []
    clock.advance(1)
    assert fired(switches) == [("a", "S")]
    assert fired(switches) == []


def test_setting_it_anew_counts_anew_and_zero_stops_it() -> None:
    clock = LogicalClock()
    switches = Switches(clock.now_ms)
    for account, scope in ((ONE, "S"), (ONE, "T"), (TWO, "S")):
        switches.set(account, scope, 100)
    clock.advance(60)
    switches.set(ONE, "S", 100)
    assert switches.set(ONE, "T", 0) == 0
    assert switches.scopes(ONE) == ["S"]
    clock.advance(60)
    assert fired(switches) == [("b", "S")]
