"""What is shown of an asset follows from what the venue said of it, whatever came first."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations, product
from typing import Any

import orjson
import pytest

from orderloom.event import BalanceReport
from orderloom.raw import Answer
from orderloom.words import Source
from processors.account.balances import Balances
from processors.account.exposure import Exposure
from processors.account.figures import CycleCoverage
from processors.instruments import Instruments
from tests.processors.account.restoring import take_back
from venues import VENUES
from venues.venue import Inbound

MS = 1_000_000


def some_balances(name: str = "binance") -> Balances:
    venue = VENUES[name]
    return Balances(Exposure(), venue.profiles, Instruments(venue.name, 0), lambda *_, **__: None)


def after(*reports: BalanceReport) -> dict[str, Any]:
    """The row of the one asset, the same after each order of arrival, repetition and restart."""
    rows: list[dict[str, Any]] = []
    for arrival in permutations(reports):
        balances = some_balances()
        for report in (*arrival, arrival[0]):
            balances.take(report)
            restored = some_balances()
            take_back(restored, balances)
            balances.dirty.update(balances.rows)
            assert (restored.rows, restored.ordinals) == (balances.rows, balances.ordinals)
        rows += balances.rows.values()
    assert all(row == rows[0] for row in rows)
    return rows[0]


def pushed(free: str, sent_ms: int, at_ms: int = 1_793_000_002_204) -> BalanceReport:
    held = {"a": "SOL", "f": free, "l": "0.00"}
    event = {"e": "outboundAccountPosition", "E": sent_ms, "u": at_ms, "B": [held]}
    document = {"subscriptionId": 0, "event": event}
    (report,) = VENUES["binance"].translate(Inbound(document, Source.STREAM, "spot")).events
    assert isinstance(report, BalanceReport)
    return report


def answered(free: str, at_ms: int = 1_793_000_002_204) -> BalanceReport:
    rows = [{"asset": "SOL", "free": free, "locked": "0"}]
    document = {"updateTime": at_ms, "balances": rows}
    (report,) = VENUES["binance"].translate(Inbound(document, Source.QUERY, "spot")).events
    assert isinstance(report, BalanceReport)
    return report


def test_of_two_messages_of_one_millisecond_the_one_sent_later_counts() -> None:
    first, second = pushed("10", 1_793_000_002_205), pushed("7", 1_793_000_002_206)
    assert after(first, second)["free"] == "7"
    assert after(replace(first, free=Decimal(3)), second)["free"] == "7"


def test_of_two_that_no_time_tells_apart_the_lower_amount_counts() -> None:
    assert after(pushed("10", 1_793_000_002_206), pushed("7", 1_793_000_002_206))["free"] == "7"


def test_an_answer_shows_what_all_messages_of_its_time_left() -> None:
    assert after(pushed("10", 1_793_000_002_206), answered("7"), pushed("3", 1, 5))["free"] == "7"


def test_an_older_message_changes_nothing_and_what_lacks_a_time_is_oldest() -> None:
    timeless = BalanceReport(product="spot", asset="SOL", free=Decimal(1))
    assert after(pushed("10", 1_793_000_002_206), timeless)["free"] == "10"


def test_two_sources_of_one_time_that_say_different_things_are_joined() -> None:
    said: dict[str, Any] = {"product": "spot", "asset": "USDT", "venue_ns": 8 * MS}
    whole = BalanceReport(**said, free=Decimal(4), locked=Decimal(1), total=Decimal(5))
    row = after(whole, BalanceReport(**said, total=Decimal(5)))
    assert [row[name] for name in ("free", "locked", "total")] == ["4", "1", "5"]


def test_every_product_orders_what_it_pushes_by_when_it_was_sent() -> None:
    for sent_ms, wallet in product((5, 6), ("10", "7")):
        account = {"m": "ORDER", "B": [{"a": "USDT", "wb": wallet}], "P": []}
        event = {"e": "ACCOUNT_UPDATE", "E": sent_ms, "T": 4, "a": account}
        inbound = Inbound(orjson.loads(orjson.dumps(event)), Source.STREAM, "linear")
        (report,) = VENUES["binance"].translate(inbound).events
        assert isinstance(report, BalanceReport)
        assert report.ordinal == (4 * MS, sent_ms * MS)


# ---- what a complete list lacks

SECOND = 1000 * MS
LAG = VENUES["okx"].profiles["spot"].visibility_lag_ns
HELD_NS, ASKED_NS = 1_000 * SECOND, 2_000 * SECOND


def held(asset: str, amount: str, venue_ns: int | None = HELD_NS) -> BalanceReport:
    number = Decimal(amount)
    return BalanceReport(product="spot", asset=asset, free=number, total=number, venue_ns=venue_ns)


def some_okx_balances(*, sol_ns: int | None = HELD_NS) -> Balances:
    """An account that holds 10 SOL, since then, and USDT."""
    venue = VENUES["okx"]
    balances = Balances(
        Exposure(), venue.profiles, Instruments(venue.name, 0), lambda *_, **__: None
    )
    balances.take(held("SOL", "10", sol_ns))
    balances.take(held("USDT", "5"))
    return balances


def a_page(number: int, assets: str, asked_ns: int | None = ASKED_NS, **fields: Any) -> Any:
    """Arguments of `take_list`: one page of a list; the last unless it is said otherwise."""
    about = {"id": fields.get("id", "q1"), "product": fields.get("product", "linear")}
    run_ns, is_last = fields.get("run_ns", 7), fields.get("is_last", True)
    item = Answer(about, "", number, is_last, 200, run_ns, run_ns, run_ns, b"")
    return [held(asset, "5", asked_ns) for asset in assets.split()], item, asked_ns


def sol(balances: Balances) -> list[str | None] | None:
    row = balances.rows.get("spot/SOL")
    return None if row is None else [row[name] for name in ("free", "locked", "total")]


def answered_with(balances: Balances, page: Any) -> bool:
    """A page of an answer is folded; whether what it lacks changed what is shown."""
    for report in page[0]:
        balances.take(report)
    balances.dirty.clear()
    return balances.take_list(*page)


def restarted(balances: Balances, saved: dict[str, Any]) -> Balances:
    """As it is after a restart; `saved` are its state records so far."""
    saved |= dict(balances.state())
    again = some_balances("okx")
    for path, document in saved.items():
        if document is not None:
            again.restore(path.partition("/")[0], orjson.loads(orjson.dumps(document)))
    return again


GONE, KEPT = None, ["10", None, "10"]


@pytest.mark.parametrize("product", VENUES["okx"].products)
def test_an_asset_that_a_complete_list_lacks_is_nothing_whichever_product_asked(
    product: str,
) -> None:
    balances = some_okx_balances()
    assert answered_with(balances, a_page(1, "USDT", product=product))
    assert sol(balances) == GONE
    assert balances.dirty == {"spot/SOL"}
    later = a_page(1, "USDT", ASKED_NS + SECOND)
    assert not answered_with(balances, later)  # it is known by now
    assert not balances.dirty


def test_whatever_is_younger_than_the_list_may_show_stays() -> None:
    for sol_ns, shown in ((ASKED_NS - LAG, GONE), (ASKED_NS - LAG + 1, KEPT), (None, GONE)):
        balances = some_okx_balances(sol_ns=sol_ns)
        balances.take_list(*a_page(1, "USDT"))
        assert sol(balances) == shown


def test_a_list_of_old_takes_nothing_from_what_was_said_since() -> None:
    balances = some_okx_balances()
    balances.take_list(*a_page(1, "USDT"))
    balances.take(held("SOL", "10", ASKED_NS))
    assert sol(balances) == KEPT
    balances.take_list(*a_page(1, "USDT"))
    assert sol(balances) == KEPT
    again = some_okx_balances(sol_ns=ASKED_NS)
    again.take_list(*a_page(1, "USDT"))
    assert (again.rows, again.ordinals) == (balances.rows, balances.ordinals)


def test_what_a_complete_list_lacks_is_nothing_whatever_came_first() -> None:
    """An asset that was unknown, held or at zero when the list came; an older word of it after."""
    said = [held("BTC", "0", HELD_NS - SECOND), held("BTC", "1"), held("BTC", "2", HELD_NS + 1)]
    lists = [a_page(1, "USDT"), a_page(1, "SOL USDT", ASKED_NS + SECOND)]
    found = []
    for arrival in permutations([*said, *lists]):
        balances, saved = some_okx_balances(), dict[str, Any]()
        for step in arrival:
            if isinstance(step, BalanceReport):
                balances.take(step)
            else:
                for report in step[0]:
                    balances.take(report)
                balances.take_list(*step)
            balances = restarted(balances, saved)
        found.append((balances.rows, balances.ordinals))
    assert all(one == found[0] for one in found)
    assert {key: row["total"] for key, row in found[0][0].items()} == {
        "spot/SOL": "5",
        "spot/USDT": "5",
    }


def test_a_list_shows_again_what_an_older_one_lacked_however_old_it_says_that_it_is() -> None:
    balances = some_okx_balances()
    balances.take_list(*a_page(1, "USDT"))
    rows, item, asked_ns = a_page(1, "USDT", ASKED_NS + SECOND)
    assert balances.take_list([*rows, held("SOL", "10")], item, asked_ns)
    assert sol(balances) == KEPT


def test_of_no_known_time_or_of_a_list_that_promises_nothing_nothing_is_concluded() -> None:
    balances = some_okx_balances()
    assert not balances.take_list(*a_page(1, "USDT", None))
    assert sol(balances) == KEPT
    binance = some_balances()
    binance.take(BalanceReport(product="linear", asset="BNB", total=Decimal(3)))
    assert not binance.take_list(*a_page(1, "USDT", product="linear"))
    assert binance.rows["linear/BNB"]["total"] == "3"


@pytest.mark.parametrize(
    ("pages", "shown"),
    [
        ([(1, "USDT", {})], KEPT),
        ([(1, "USDT", {}), (2, "BTC", {"is_last": True})], GONE),
        ([(1, "SOL", {}), (2, "USDT", {"is_last": True})], KEPT),
        ([(2, "USDT", {"is_last": True})], KEPT),
        ([(1, "USDT", {}), (3, "BTC", {"is_last": True})], KEPT),
        ([(1, "USDT", {"run_ns": 6}), (2, "BTC", {"is_last": True})], KEPT),
        ([(1, "USDT", {"id": "q0"}), (2, "BTC", {"is_last": True})], KEPT),
    ],
)
def test_only_the_last_page_of_a_whole_answer_proves_what_it_lacks(
    pages: list[tuple[int, str, dict[str, Any]]], shown: list[str | None] | None
) -> None:
    balances, saved = some_okx_balances(), dict[str, Any]()
    for number, assets, fields in pages:
        balances.take_list(*a_page(number, assets, **{"is_last": False} | fields))
        balances = restarted(balances, saved)
    assert sol(balances) == shown


def listed(balances: Balances, at_ns: int, held: dict[str, str]) -> set[str]:
    """A complete cycle in which the venue lists these totals; the symbols to be asked about."""
    reports = [
        BalanceReport(product="spot", asset=asset, total=Decimal(total), venue_ns=at_ns)
        for asset, total in held.items()
    ]
    item = Answer({"product": "spot"}, "", 1, True, 200, at_ns, at_ns, at_ns, b"")
    balances.take_page(reports, item, at_ns)
    return balances.check("spot", CycleCoverage(at_ns, at_ns), lambda: ())


@pytest.mark.parametrize("rest", [{"USDT": "5"}, {"USDT": "5", "SOL": "0"}])
def test_a_holding_that_is_gone_as_a_whole_and_unheard_differs(rest: dict[str, str]) -> None:
    rules: list[str] = []
    venue = VENUES["binance"]
    balances = Balances(
        Exposure(),
        venue.profiles,
        Instruments(venue.name, 0),
        lambda kind, rule, *_, **__: rules.append(rule),
    )
    whole = {"USDT": "5", "SOL": "3"}
    for second in range(1, 4):
        listed(balances, second * MS * 1000, whole)
    for second in range(4, 7):
        listed(balances, second * MS * 1000, rest)
    assert rules == ["open"]
    for second in range(7, 10):
        listed(balances, second * MS * 1000, whole)
    assert rules == ["open", "explained"]


def a_transfer(amount: str, second: int) -> BalanceReport:
    at_ns = second * MS * 1000
    return BalanceReport(product="spot", asset="USDT", delta=Decimal(amount), venue_ns=at_ns)


def test_a_transfer_that_what_was_held_holds_moves_nothing_when_it_is_heard_late() -> None:
    rules: list[str] = []
    venue = VENUES["binance"]
    instruments = Instruments(venue.name, 0)
    balances = Balances(
        Exposure(), venue.profiles, instruments, lambda kind, rule, *_, **__: rules.append(rule)
    )
    for second in range(10, 13):
        listed(balances, second * MS * 1000, {"USDT": "5"})
    balances.take(a_transfer("3", 5))
    for second in range(13, 16):
        listed(balances, second * MS * 1000, {"USDT": "5"})
    assert not rules
    balances.take(a_transfer("3", 14))
    for second in range(16, 19):
        listed(balances, second * MS * 1000, {"USDT": "8"})
    assert not rules
    for second in range(19, 22):
        listed(balances, second * MS * 1000, {"USDT": "5"})
    assert rules == ["open"]


def test_what_has_no_time_is_of_when_it_was_said() -> None:
    def said(amount: str, **fields: Any) -> BalanceReport:
        return BalanceReport(product="spot", asset="USDT", total=Decimal(amount), **fields)

    balances = some_balances()
    assert balances.take(said("100"), 10)
    assert balances.take(said("250"), 20)
    assert not balances.take(said("100"), 10)
    assert balances.rows["spot/USDT"]["total"] == "250"
    assert balances.take(said("200", venue_ns=15)) is False
    assert balances.take(said("300", venue_ns=25))
    assert not balances.take(said("250"), 24)
    assert balances.take(said("250"), 26)
