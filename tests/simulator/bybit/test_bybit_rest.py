"""Bybit's REST as a client meets it: signatures, windows, limits, pages (docs/venues/bybit.md)."""

from typing import Any
from urllib.parse import quote

import pytest

from simulator.bybit.refusals import Refusal
from tests.simulator.bybit.bybit_box import PRICE, SYMBOL, Box, an_order
from tests.simulator.bybit.bybit_client import Client, a_client

SPOT = {"category": "spot", "symbol": SYMBOL}
LIMIT = {"side": "Buy", "orderType": "Limit", "qty": "1", "price": "150"}
OPEN = "order/realtime"
DAY_MS = 24 * 3600 * 1000


async def code(client: Client, headers: dict[str, str], path: str = OPEN) -> tuple[int, Any]:
    status, answer = await client.send("GET", f"/v5/{path}?category=spot", headers)
    return status, answer["retCode"] if isinstance(answer, dict) else answer


async def test_a_request_is_known_by_its_signature_and_its_time() -> None:
    async with a_client() as client:
        good = client.headers("category=spot")
        assert await code(client, good) == (200, 0)
        assert await code(client, good | {"X-BAPI-SIGN": "0" * 64}) == (200, 10004)
        assert await code(client, good | {"X-BAPI-API-KEY": "nobody"}) == (200, 10003)
        assert await code(client, {}) == (401, 10003)
        for skew_ms, wanted in ((-4_000, 0), (-6_000, 10002), (3_000, 10002)):
            assert await code(client, client.headers("category=spot", skew_ms)) == (200, wanted)


async def test_paths_that_are_not_there_and_questions_with_a_body_have_no_good_status() -> None:
    async with a_client() as client:
        assert (await code(client, client.headers("category=spot"), "nothing"))[0] == 404
        status, _ = await client.send("GET", "/v5/market/time", {}, "{}")
        assert status == 403


async def test_the_clock_wants_no_key() -> None:
    async with a_client() as client:
        status, answer = await client.send("GET", "/v5/market/time", {})
        assert (status, answer["retCode"]) == (200, 0)
        assert answer["result"]["timeNano"] == f"{answer['time']}000000"


async def test_an_answer_says_what_is_left_of_the_limit() -> None:
    async with a_client() as client:
        seen = []
        for _ in range(80):
            _, answer = await client.get(OPEN, **SPOT)
            left = client.answered["X-Bapi-Limit-Status"]
            seen.append((answer["retCode"], left))
            if answer["retCode"]:
                reset_ms = int(client.answered["X-Bapi-Limit-Reset-Timestamp"])
                assert 0 <= reset_ms - answer["time"] <= 1000
        assert client.answered["X-Bapi-Limit"] == "50"
        assert (10006, "0") in seen
        assert (0, "49") in seen


async def test_orders_of_coins_and_contracts_have_limits_of_their_own() -> None:
    async with a_client() as client:
        limits = {}
        for category in ("spot", "linear"):
            await client.post("order/create", category=category, symbol=SYMBOL, **LIMIT)
            limits[category] = client.answered["X-Bapi-Limit"]
        assert limits == {"spot": "20", "linear": "10"}


async def test_an_address_that_asks_too_often_is_banned() -> None:
    async with a_client(face={"scale": 0.01}) as client:
        answers = [await client.send("GET", "/v5/market/time", {}) for _ in range(8)]
        assert answers[5][0] == 200
        assert answers[6][0] == 403
        assert answers[7] == (403, "403 access too frequent")


def many(box: Box, count: int) -> list[str]:
    """So many open orders; their ids, the newest first."""
    made = []
    for _ in range(count):
        box.clock.advance(1)
        made.append(str(box.spot.place(box.one, an_order(quantity="0.1")).order_id))
    return made[::-1]


@pytest.mark.parametrize("is_encoded_again", [False, True])
def test_pages_go_on_by_a_cursor_that_goes_back_as_it_came(*, is_encoded_again: bool) -> None:
    box = Box()
    made, seen, cursor = many(box, 45), [], ""
    while True:
        # What stands in a query is decoded once before it comes here.
        sent = cursor if is_encoded_again else cursor.replace("%3D", "=")
        page = box.ask(OPEN, category="spot", cursor=sent)
        assert len(page["list"]) <= 20
        seen += [row["orderId"] for row in page["list"]]
        cursor = page["nextPageCursor"]
        if not cursor:
            break
        assert cursor == quote(cursor, safe="%")
    assert seen == made


def test_a_page_has_no_more_than_the_most() -> None:
    box = Box()
    many(box, 60)
    assert len(box.rows(OPEN, category="spot", limit="1000")) == 50
    with pytest.raises(Refusal):
        box.rows(OPEN, category="spot", cursor="nonsense")


def test_a_history_spans_a_week_and_the_last_one_where_nothing_is_said() -> None:
    box = Box()
    first_ms = box.clock.now_ms()
    box.spot.place_anonymous(an_order("SELL", "4"))
    box.spot.place(box.one, an_order(quantity="2"))
    box.clock.advance(8 * DAY_MS)
    box.spot.place(box.one, an_order(quantity="2"))

    def seen(**span: int) -> tuple[int, int]:
        paths = ("order/history", "execution/list")
        found = [len(box.rows(path, category="spot", **span)) for path in paths]
        return found[0], found[1]

    assert seen() == (1, 1)
    assert seen(startTime=first_ms) == (1, 1)
    assert seen(endTime=first_ms) == (1, 1)
    assert seen(startTime=first_ms, endTime=first_ms - 1) == (0, 0)
    span = {"startTime": first_ms, "endTime": first_ms + 7 * DAY_MS + 1}
    for path in ("order/history", "execution/list"):
        with pytest.raises(Refusal) as refused:
            box.rows(path, category="spot", **span)
        assert refused.value.code == 10001


@pytest.mark.parametrize(("by", "count"), [("created", 0), ("updated", 1)])
def test_nobody_says_by_which_time_the_history_goes(by: str, count: int) -> None:
    box = Box(history_by=by)
    order = box.spot.place(box.one, an_order())
    box.clock.advance(8 * DAY_MS)
    box.spot.cancel(box.one, order)
    assert len(box.rows("order/history", category="spot")) == count


def test_an_id_makes_all_other_filters_of_executions_void() -> None:
    box = Box()
    box.spot.place_anonymous(an_order("SELL", "4"))
    order = box.spot.place(box.one, an_order())
    box.clock.advance(8 * DAY_MS)
    assert box.rows("execution/list", category="spot") == []
    named = {"orderId": str(order.order_id), "execType": "Funding", "symbol": "BTCUSDT"}
    assert len(box.rows("execution/list", category="spot", **named)) == 1


def test_an_unknown_id_is_an_empty_list() -> None:
    box = Box()
    for category, number in (("spot", "17"), ("linear", "no-uuid"), ("linear", "0" * 32)):
        for path in (OPEN, "order/history"):
            asked = {"category": category, "symbol": SYMBOL, "orderId": number}
            assert box.rows(path, **asked) == []


def test_of_two_ids_that_of_the_venue_wins() -> None:
    box = Box()
    first, second = (
        box.spot.place(box.one, an_order(client_order_id=name)) for name in ("one", "two")
    )
    box.wish("cancel", **SPOT, orderId=str(first.order_id), orderLinkId="two")
    assert (first.is_open, second.is_open) == (False, True)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"price": "150.0000001"}, 170134),
        ({"qty": "0.00000001"}, 170136),
        ({"qty": "1.00000001"}, 170137),
        ({"qty": "0.01"}, 170140),
        ({"qty": "90000000"}, 170131),
        ({"symbol": "NOTHING"}, 170121),
        ({"side": "up"}, 10001),
        ({"orderLinkId": "no spaces"}, 10001),
        ({"category": "linear", "symbol": "NOTHING"}, 10029),
        ({"category": "linear", "qty": "90000000"}, 110007),
        ({"category": "linear", "reduceOnly": True}, 110017),
        ({"category": "linear", "positionIdx": 1}, 10001),
        ({"category": "linear", "triggerPrice": "140", "triggerDirection": 1}, 110092),
        ({"category": "linear", "triggerPrice": "160", "triggerDirection": 2}, 110093),
        ({"category": "option"}, 10001),
    ],
)
def test_a_refusal_has_its_name(changes: dict[str, Any], wanted: int) -> None:
    box = Box()
    with pytest.raises(Refusal) as refused:
        box.wish("create", **(SPOT | LIMIT | changes))
    assert refused.value.code == wanted
    assert not box.messages


def test_an_amend_is_of_the_total_and_says_where_it_changes_nothing() -> None:
    box = Box()
    order = box.linear.place(box.one, an_order())
    box.linear.place_anonymous(an_order("SELL", "2"))
    named = {"category": "linear", "symbol": SYMBOL, "orderId": str(order.order_id)}
    for changes, wanted in (({"qty": "2"}, 110064), ({"qty": "4"}, 34040), ({}, 34040)):
        with pytest.raises(Refusal) as refused:
            box.wish("amend", **named, **changes)
        assert refused.value.code == wanted
    box.wish("amend", **named, qty="3", price=str(PRICE - 1))
    told = box.items("order")[-1]
    assert (told["orderStatus"], told["qty"], told["price"]) == ("PartiallyFilled", "3.000", "149")
    assert told["leavesQty"] == "1.000"


def test_a_post_only_order_that_would_take_at_its_new_price_is_canceled() -> None:
    box = Box()
    box.linear.place_anonymous(an_order("SELL", price=PRICE + 2))
    order = box.linear.place(box.one, an_order(time_in_force="GTX"))
    named = {"category": "linear", "symbol": SYMBOL, "orderId": str(order.order_id)}
    box.wish("amend", **named, price=str(PRICE + 2))
    assert box.items("order")[-1]["rejectReason"] == "EC_PostOnlyWillTakeLiquidity"


def test_balances_are_those_that_are_not_zero() -> None:
    box = Box()
    [row] = box.rows("account/wallet-balance", accountType="UNIFIED")
    coins = {coin["coin"]: coin for coin in row["coin"]}
    assert {"SOL", "USDT", "USDC", "BTC", "MNT"} == set(coins)
    box.spot.place(box.one, an_order())
    [row] = box.rows("account/wallet-balance", accountType="UNIFIED", coin="USDT")
    assert [coin["locked"] for coin in row["coin"]] == ["600"]


def test_instruments_come_by_category_and_page() -> None:
    box = Box()
    page = box.ask("market/instruments-info", category="linear", limit="5")
    assert [row["symbol"] for row in page["list"]][:2] == ["BTCUSDT", "ETHUSDT"]
    assert page["nextPageCursor"]
    [row] = box.rows("market/instruments-info", category="linear", symbol="BTCPERP")
    assert row["settleCoin"] == "USDC"
    assert box.rows("market/instruments-info", category="spot", status="PreLaunch") == []
