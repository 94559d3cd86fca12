"""What a request may meet in every box: each fault in the venue's words, with its true effect."""

from typing import Any

import pytest

from simulator.faults import REQUEST_FAULTS
from tests.simulator.probes import VENUES, a_probe

both = pytest.mark.parametrize("venue", VENUES)
LIMITED = {
    "binance": (429, "-1003"),
    "bybit": (200, "10006"),
    "kraken": (200, "EAPI:Rate limit exceeded"),
    "okx": (429, "50011"),
}
BANNED = {"binance": {418}, "bybit": {403}, "kraken": {429}, "okx": {403}}
SKEWED = {
    "binance": (400, "-1021"),
    "bybit": (200, "10002"),
    "kraken": (200, "EAPI:Invalid nonce"),
    "okx": (401, "50102"),
}
UNKNOWN = {
    "binance": {(503, "-1000")},
    "bybit": {(200, "10000"), (200, "10016"), (503, "10016")},
    "kraken": {
        (502, ""),
        (200, "EGeneral:Internal error"),
        (200, "EService:Busy"),
        (200, "EService:Timeout"),
    },
    "okx": {(500, "50026"), (503, "50001"), (400, "50004")},
}
TIMELESS = {"kraken": (200, "")}
"""What knows nonces and no time."""
MISSING = {
    "binance": (400, "-2013"),
    "bybit": (200, "none"),
    "kraken": (200, "EOrder:Unknown order"),
    "okx": (200, "51603"),
}


def always(kind: str, **changes: Any) -> dict[str, Any]:
    return {"faults": {"probability": {kind: 1.0}} | changes}


async def placed(probe: Any) -> int:
    return len((await probe.books())["orders"])


@both
async def test_http_5xx_with_effect_leaves_an_order_behind(venue: str) -> None:
    async with a_probe(venue, **always("http_5xx_with_effect")) as probe:
        assert await probe.place() in UNKNOWN[venue]
        assert await placed(probe) == 1


@both
async def test_http_5xx_without_effect_leaves_nothing(venue: str) -> None:
    async with a_probe(venue, **always("http_5xx_without_effect")) as probe:
        assert await probe.place() in UNKNOWN[venue]
        assert await placed(probe) == 0


@both
async def test_http_5xx_alone_may_do_either(venue: str) -> None:
    async with a_probe(venue, **always("http_5xx")) as probe:
        answers = {await probe.place() for _ in range(30)}
        assert answers == UNKNOWN[venue]
        assert 0 < await placed(probe) < 30


@both
async def test_http_429_refuses_without_any_effect(venue: str) -> None:
    async with a_probe(venue, **always("http_429")) as probe:
        assert await probe.place() == LIMITED[venue]
        assert await placed(probe) == 0


@both
async def test_http_ban_refuses_everything_until_it_is_over(venue: str) -> None:
    async with a_probe(venue, **always("http_ban", ban_s=0.5)) as probe:
        assert (await probe.place())[0] in BANNED[venue]
        await probe.calm()
        assert (await probe.place())[0] in BANNED[venue]
        while (await probe.place())[0] in BANNED[venue]:
            pass
        assert await placed(probe) == 1


@both
async def test_http_clock_skew_refuses_a_request_for_its_time(venue: str) -> None:
    async with a_probe(venue, **always("http_clock_skew")) as probe:
        assert await probe.place() == SKEWED[venue]
        await probe.calm()
        assert (await probe.place())[0] == 200
        assert await placed(probe) == 1


@both
async def test_the_venues_clock_can_be_set_wrong_and_right_again(venue: str) -> None:
    async with a_probe(venue) as probe:
        before = await probe.server_ms()
        await probe.client.control("/control/clock", skew_ms=60_000)
        assert await probe.server_ms() - before >= 60_000
        assert await probe.place() == (SKEWED | TIMELESS)[venue]
        await probe.client.control("/control/clock", skew_ms=0)
        assert (await probe.place())[0] == 200


@both
async def test_http_late_view_does_not_show_what_is_young(venue: str) -> None:
    async with a_probe(venue) as probe:
        await probe.place()
        changed = always("http_late_view", view_lag_ms_max=10**12)["faults"]
        await probe.client.control("/control/faults", **changed)
        assert await probe.look() == MISSING[venue]
        assert await probe.open_orders() == 0
        await probe.calm()
        assert (await probe.look())[0] == 200
        assert await probe.open_orders() == 1


@both
async def test_http_partial_page_ends_early_and_goes_on_from_its_last_row(venue: str) -> None:
    async with a_probe(venue) as probe:
        await probe.trade(1500)
        whole = await all_trades(probe)
        assert len(whole) >= 4
        await probe.client.control("/control/faults", **always("http_partial_page")["faults"])
        assert len(await probe.trades_from("")) == probe.rows_max // 2
        assert await all_trades(probe) == whole


async def all_trades(probe: Any) -> list[str]:
    found: list[str] = []
    while page := await probe.trades_from(found[-1] if found else ""):
        found += page
    return found


@both
async def test_questions_never_meet_a_fault_that_does_not_fit_them(venue: str) -> None:
    async with a_probe(venue, **always("http_partial_page")) as probe:
        await probe.place()
        assert await probe.open_orders() == 1
        shown = await probe.client.control("/control/faults")
        assert set(shown["injected"]) <= {"http_partial_page"}


def test_every_request_fault_has_a_test_here() -> None:
    names = " ".join(name for name in globals() if name.startswith("test_"))
    assert all(kind in names for kind in REQUEST_FAULTS)
