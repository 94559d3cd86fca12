"""`normalize binance` and `fold binance` on inputs that were once read wrong."""

import io
from itertools import permutations
from typing import Any

import orjson
import pytest

from cli import fold, normalize
from venues import VENUES
from venues.binance.reading import is_coin_margined

BINANCE = VENUES["binance"]
T = 1_793_000_001_000
NOT_SPOKEN = "unknown message: COIN-M contracts are not spoken here"
PLAIN: dict[str, Any] = {
    "s": "AAAUSDT", "c": "mine-1", "S": "SELL", "o": "LIMIT", "f": "GTC", "q": "2", "p": "5",
    "ap": "0", "sp": "0", "x": "NEW", "X": "NEW", "i": 78, "l": "0", "z": "0", "L": "0",
    "T": T, "t": 0, "m": False, "ps": "BOTH", "er": "0",
}  # fmt: skip
ROW: dict[str, Any] = {
    "orderId": 78, "symbol": "AAAUSDT", "status": "NEW", "clientOrderId": "mine-1", "price": "5",
    "avgPrice": "0", "origQty": "2", "executedQty": "0", "cumQuote": "0", "timeInForce": "GTC",
    "type": "LIMIT", "reduceOnly": False, "closePosition": False, "side": "SELL",
    "positionSide": "BOTH", "stopPrice": "0", "workingType": "CONTRACT_PRICE",
    "origType": "LIMIT", "time": T, "updateTime": T,
}  # fmt: skip
ALGO: dict[str, Any] = {
    "algoType": "CONDITIONAL", "orderType": "STOP_MARKET", "symbol": "AAAUSDT", "side": "SELL",
    "positionSide": "BOTH", "timeInForce": "GTC", "algoStatus": "FINISHED", "triggerPrice": "0.1",
    "price": "0.000", "closePosition": False, "priceProtect": False, "reduceOnly": True,
    "createTime": T, "updateTime": T + 90, "triggerTime": T + 80, "goodTillDate": 0,
    "workingType": "MARK_PRICE", "priceMatch": "NONE", "selfTradePreventionMode": "NONE",
    "icebergQuantity": None, "algoId": 1_000_000_033_010_012, "clientAlgoId": "h2",
    "quantity": "38", "actualOrderId": "88012", "actualPrice": "0.0990", "actualQty": "20",
}  # fmt: skip
SHOWN = ("status", "filled_quantity", "disputed", "reason")


def event(sent_ms: int = T, **changed: Any) -> dict[str, Any]:
    """An ORDER_TRADE_UPDATE; its order is changed by keyword."""
    order = PLAIN | changed
    return {"raw": {"e": "ORDER_TRADE_UPDATE", "E": sent_ms, "T": order["T"], "o": order}}


def rest(raw: Any, **fields: Any) -> dict[str, Any]:
    return {"source": "rest", "raw": raw, **fields}


def normalized(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    stdin, stdout = io.BytesIO(b"".join(orjson.dumps(one) + b"\n" for one in lines)), io.BytesIO()
    assert normalize.run(BINANCE, stdin, stdout) == 0
    return [orjson.loads(one) for one in stdout.getvalue().splitlines()]


def events_of(line: dict[str, Any]) -> list[dict[str, Any]]:
    (said,) = normalized(line)
    events: list[dict[str, Any]] = said["events"]
    return events


def folded(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    """The orders, the same for every order of arrival."""
    outputs = set()
    for arrival in permutations(lines):
        stdin = io.BytesIO(b"".join(orjson.dumps(one) + b"\n" for one in arrival))
        stdout, stderr = io.BytesIO(), io.BytesIO()
        assert fold.run(BINANCE, stdin, stdout, stderr) == 0
        assert stderr.getvalue() == b""
        outputs.add(stdout.getvalue())
    (output,) = outputs
    *orders, _ = [orjson.loads(one) for one in output.splitlines()]
    return orders


# ---- COIN-M where no product is given


def test_15_of_a_portfolio_margin_stream_the_usd_m_half_is_read_and_the_coin_m_half_refused() -> (
    None
):
    fill: dict[str, Any] = {
        "x": "TRADE", "X": "FILLED", "l": "5", "z": "5", "q": "5", "t": 3, "L": "60000",
    }  # fmt: skip
    usdm = event(**fill)
    usdm["raw"]["fs"] = "UM"
    order, execution = events_of(usdm)
    assert (order["product"], execution["last_quantity"]) == ("linear", "5")
    by_unit = event(**fill | {"s": "ETHUSD_PERP", "ma": "ETH"})
    by_unit["raw"] |= {"fs": "CM", "i": "SfsR"}
    account = {"m": "ORDER", "B": [{"a": "BTC", "wb": "1.5", "cw": "1.5", "bc": "0"}]}
    position = {
        "s": "BTCUSD_PERP", "pa": "5", "ep": "60000", "cr": "0", "up": "0", "mt": "cross",
        "iw": "0", "ps": "BOTH",
    }  # fmt: skip
    envelope = {"e": "ACCOUNT_UPDATE", "E": T, "T": T}
    refused = [
        by_unit,
        event(**fill | {"s": "BTCUSD_PERP"}),  # by its symbol
        event(**fill | {"s": "BTCUSD_261225"}),
        event(**fill | {"s": "BTCUSD", "ma": "BTC"}),  # by its margin
        {"raw": {**envelope, "fs": "CM", "a": account}},
        {"raw": {**envelope, "st": 2, "a": account}},
        {"raw": {**envelope, "i": "SfsR", "a": account}},
        {"raw": {**envelope, "a": account | {"P": [position]}}},
        {"raw": {"e": "TRADE_LITE", "E": T, "T": T, "s": "BTCUSD_PERP", "q": "5", "p": "1",
                 "m": True, "c": "x", "S": "BUY", "L": "1", "l": "5", "t": 9, "i": 78}},
        {"raw": PLAIN | fill | {"s": "BTCUSD_PERP"}},  # the bare order
        {"raw": {"e": "ALGO_UPDATE", "E": T, "T": T, "o": {"aid": 7, "s": "BTCUSD_PERP",
                 "X": "NEW", "S": "SELL", "o": "STOP_MARKET", "q": "5"}}},
    ]  # fmt: skip
    assert [said.get("dead_letter") for said in normalized(*refused)] == [NOT_SPOKEN] * len(refused)


def test_34_rows_of_coin_m_are_refused_whether_a_product_is_given_or_not() -> None:
    order = {**ROW, "symbol": "BTCUSD_PERP", "pair": "BTCUSD", "cumBase": "0.003"}
    del order["cumQuote"]
    trade = {
        "symbol": "BTCUSD_PERP", "id": 6, "orderId": 78, "pair": "BTCUSD", "side": "SELL",
        "price": "32552.1", "qty": "1", "realizedPnl": "0", "marginAsset": "BTC",
        "baseQty": "0.003", "commission": "0.00000154", "commissionAsset": "BTC", "time": T,
        "positionSide": "BOTH", "buyer": False, "maker": False,
    }  # fmt: skip
    acknowledged = {
        "symbol": "BTCUSD_PERP",
        "orderId": 78,
        "clientOrderId": "x",
        "positionSide": "BOTH",
    }
    balance = {"asset": "BTC", "balance": "1", "withdrawAvailable": "1", "availableBalance": "1"}
    rows = [
        [order], [trade], order, trade, acknowledged, [balance],
        {**order, "symbol": "BTCUSD_261225"}, {**trade, "symbol": "BTCUSD_261225"},
        {**order, "symbol": "BTCUSD"}, {**trade, "symbol": "BTCUSD"},  # by the amounts alone
        {"symbol": "BTCUSD_PERP", "positionAmt": "5", "positionSide": "BOTH", "entryPrice": "1"},
        {**ALGO, "symbol": "BTCUSD_PERP"},
    ]  # fmt: skip
    for product in ({}, {"product": "linear"}, {"product": "inverse"}):
        said = normalized(*(rest(row, **product) for row in rows))
        assert [one.get("dead_letter") for one in said] == [NOT_SPOKEN] * len(rows), product


def test_usd_m_writes_amounts_in_both_currencies_and_dated_symbols_too_and_is_read() -> None:
    trade = {
        "symbol": "BTCUSDT_261225", "id": 6, "orderId": 78, "side": "SELL", "price": "1",
        "qty": "1", "quoteQty": "1", "realizedPnl": "0", "commission": "0", "time": T,
        "commissionAsset": "USDT", "positionSide": "BOTH", "pair": "BTCUSDT", "baseQty": "1",
        "marginAsset": "USDT",
    }  # fmt: skip
    (execution,) = events_of(rest([trade]))
    assert (execution["product"], execution["last_quantity"]) == ("linear", "1")
    (order,) = events_of(rest({**ROW, "symbol": "BTCUSDT_261225", "cumBase": "0"}))
    assert order["product"] == "linear"
    assert events_of(event(s="BTCUSDT", ma="USDT"))[0]["product"] == "linear"


def test_of_all_instruments_those_of_coin_m_are_left_out() -> None:
    linear = {
        "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "filters": [],
        "baseAsset": "BTC", "quoteAsset": "USDT", "marginAsset": "USDT", "status": "TRADING",
    }  # fmt: skip
    coin = {**linear, "symbol": "BTCUSD_PERP", "pair": "BTCUSD", "marginAsset": "BTC"}
    (instrument,) = events_of(rest({"symbols": [coin, linear]}, product="linear"))
    assert instrument["symbol"] == "BTCUSDT"
    (said,) = normalized(rest({"symbols": [coin]}, product="linear"))
    assert said["dead_letter"] == NOT_SPOKEN


# ---- conditional orders


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"actualQty": "38"}, ("FILLED", "38", False, None)),
        ({}, ("CANCELED", "20", False, None)),
        ({"actualQty": "0"}, ("CANCELED", "0", False, None)),
        ({"closePosition": True, "quantity": None, "actualQty": "55"},
         ("CANCELED", "55", False, None)),
        ({"closePosition": True, "quantity": "", "actualQty": "55"},
         ("CANCELED", "55", False, None)),
    ],
)  # fmt: skip
def test_37_an_algo_order_that_has_finished_is_closed_with_what_it_did(
    changed: dict[str, Any], shown: tuple[Any, ...]
) -> None:
    (order,) = folded(rest([ALGO | changed], product="linear"))
    assert tuple(order[name] for name in SHOWN) == shown


@pytest.mark.parametrize(
    ("status", "quantity", "done"),
    [("EXPIRED", "38", "20"), ("CANCELED", "38", "20"), ("FILLED", "20", "20")],
)
def test_37_how_it_closed_is_for_the_order_that_it_became_to_say(
    status: str, quantity: str, done: str
) -> None:
    engine = event(i=88012, c="h2", x=status, X=status, q=quantity, z=done, er="0")
    amounts = {"origQty": quantity, "executedQty": done, "cumQuote": "1.98", "avgPrice": "0.099"}
    row = ROW | {"orderId": 88012, "clientOrderId": "h2", "status": status, **amounts}
    (order,) = folded(rest([ALGO], product="linear"), engine, rest([row]))
    assert (order["status"], order["disputed"]) == (status, False)
    assert (order["quantity"], order["filled_quantity"]) == (quantity, done)
    assert order["order_key"].endswith("/1000000033010012")


@pytest.mark.parametrize("status", ["CANCELED", "EXPIRED"])
def test_the_end_of_an_algo_order_ends_no_order_that_it_became(status: str) -> None:
    """Of that one it says nothing: the order may rest, and its own words count."""
    row = ALGO | {"algoStatus": status, "actualQty": "0"}
    (order,) = folded(rest(ALGO | {"algoStatus": "TRIGGERED", "actualQty": "0"}), rest(row))
    assert (order["status"], order["disputed"]) == ("ACTIVE", False)


@pytest.mark.parametrize("symbol", ["UNIU", "UUSDTU"])
def test_a_coin_that_is_spelled_as_the_start_of_a_symbol_is_no_margin_of_coin_m(
    symbol: str,
) -> None:
    assert not is_coin_margined(symbol, {"marginAsset": "U"})
    assert is_coin_margined("BTCUSD_PERP", {"marginAsset": "BTC"})
    assert is_coin_margined("BTCUSD", {"marginAsset": "BTC"})


def test_an_order_that_was_amended_after_its_trigger_has_its_own_terms() -> None:
    waiting = rest(ALGO | {"algoStatus": "NEW", "actualOrderId": "", "actualQty": "0"})
    finished = rest(ALGO | {"actualQty": "25", "updateTime": T + 500})
    amended = event(T + 400, T=T + 400, i=88012, c="h2", x="AMENDMENT", q="25", p="6")
    filled = event(T + 450, T=T + 450, i=88012, c="h2", x="TRADE", X="FILLED", q="25", p="6",
                   z="25", l="25", L="6", t=5, n="0", N="USDT")  # fmt: skip
    (order,) = folded(waiting, finished, amended, filled)
    assert (order["status"], order["quantity"], order["disputed"]) == ("FILLED", "25", False)
    assert (order["trigger_price"], order["trigger_type"]) == ("0.1", "MARK")


def test_what_a_conditional_order_waits_for_is_said_and_every_name_of_it() -> None:
    trailing = {
        "caid": "trail-1", "aid": 7, "at": "CONDITIONAL", "o": "TRAILING_STOP_MARKET",
        "s": "AAAUSDT", "S": "SELL", "ps": "BOTH", "f": "GTE_GTC", "q": "0", "X": "NEW", "ai": "",
        "tp": "0", "p": "0", "wt": "MARK_PRICE", "cp": True, "R": True, "AP": "12", "cr": "1.5",
    }  # fmt: skip
    update = {"raw": {"e": "ALGO_UPDATE", "E": T, "T": T, "o": trailing}}
    became = {"raw": {"e": "ALGO_UPDATE", "E": T, "T": T,
                      "o": trailing | {"X": "TRIGGERED", "ai": "88"}}}  # fmt: skip
    engine = event(i=88, c="generated-1")
    (order,) = folded(update, became, engine)
    wanted = {
        "trigger_type": "MARK", "activation_price": "12", "callback_rate": "1.5",
        "reduce_only": True, "close_position": True,
    }  # fmt: skip
    assert {name: order[name] for name in wanted} == wanted
    assert order["client_order_ids"] == ["trail-1", "generated-1"]


def test_55_an_order_refused_at_its_trigger_says_so_whatever_else_ends_it() -> None:
    expired = event(x="EXPIRED", X="EXPIRED", er="8", o="STOP_MARKET", sp="4")
    rejected = {"raw": {"e": "CONDITIONAL_ORDER_TRIGGER_REJECT", "E": T + 1, "T": T,
                        "or": {"s": "AAAUSDT", "i": 78, "r": "no margin"}}}  # fmt: skip
    waiting = event(T - 5, T=T - 5, o="STOP_MARKET", sp="4")
    (order,) = folded(waiting, expired, rejected)
    assert (order["status"], order["reason"], order["disputed"]) == (
        "EXPIRED", "LIFECYCLE_REJECT", False,
    )  # fmt: skip
    (alone,) = folded(waiting, expired)
    assert alone["reason"] == "REPLACED"


# ---- executions by their quantity and id, ids as text, batches, amendments


@pytest.mark.parametrize(
    "word", ["NEW", "TRADE", "CALCULATED", "EXPIRED", "CANCELED", "AMENDMENT", "SOMETHING_NEW"]
)
def test_an_execution_is_one_whatever_x_says(word: str) -> None:
    adl = event(
        c="adl_autoclose", o="MARKET", f="IOC", p="0", ap="5", x=word, X="FILLED", l="2", z="2",
        L="5", n="0.01", N="USDT", t=70003,
    )  # fmt: skip
    order, execution = events_of(adl)
    assert (order["status"], order["reason"]) == ("FILLED", "ADL")
    assert (execution["exec_id"], execution["last_quantity"], execution["fee"]) == (
        "70003", "2", "0.01",
    )  # fmt: skip


@pytest.mark.parametrize("none", ["", "0", 0, None])
def test_an_algo_order_that_has_become_no_order_bears_its_own_id_alone(none: object) -> None:
    other = ALGO | {"algoId": 9, "clientAlgoId": "h9"}
    changed = {"algoStatus": "CANCELED", "actualOrderId": none, "actualQty": "0"}
    orders = folded(rest([ALGO | changed]), rest([other | changed]))
    assert [one["venue_order_id"] for one in orders] == ["1000000033010012", "9"]
    assert {one["status"] for one in orders} == {"CANCELED"}


@pytest.mark.parametrize("word", ["CANCELED", "EXPIRED"])
def test_how_an_algo_order_ended_says_nothing_of_how_the_order_that_it_became_did(
    word: str,
) -> None:
    engine = event(i=88012, c="h2", x="EXPIRED", X="EXPIRED", er="4")
    (order,) = folded(rest([ALGO | {"algoStatus": word, "actualQty": "0"}]), engine)
    assert (order["status"], order["reason"], order["disputed"]) == (
        "EXPIRED", "REDUCE_ONLY", False,
    )  # fmt: skip


@pytest.mark.parametrize("word", ["NEW", "TRADE", "EXPIRED", "TRADE_PREVENTION", "SOMETHING_NEW"])
def test_an_execution_of_spot_is_one_whatever_x_says(word: str) -> None:
    report = {
        "e": "executionReport", "E": T, "s": "AAAUSDT", "c": "a", "C": "", "S": "BUY",
        "o": "MARKET", "f": "GTC", "q": "2", "p": "0", "x": word, "X": "FILLED", "i": 78,
        "I": 9, "l": "2", "z": "2", "L": "5", "n": "0", "N": "USDT", "T": T, "t": 70003,
        "Z": "10", "m": False, "w": False,
    }  # fmt: skip
    _, execution = events_of({"raw": {"subscriptionId": 0, "event": report}})
    assert (execution["exec_id"], execution["last_quantity"]) == ("70003", "2")


def test_without_a_quantity_or_an_id_there_is_none() -> None:
    none: tuple[dict[str, Any], ...] = (
        {"l": "0", "t": 9},
        {"l": "2", "t": 0, "z": "2"},
        {"l": "2", "t": -1, "z": "2"},
    )
    for changed in none:
        (only,) = events_of(event(x="TRADE", L="5", **changed))
        assert only["type"] == "order"


@pytest.mark.parametrize("number", [70001, "70001"])
def test_ids_are_read_as_numbers_and_as_text(number: object) -> None:
    spot = {
        "symbol": "AAAUSDT", "id": number, "orderId": number, "price": "5", "qty": "1",
        "commission": "0", "commissionAsset": "USDT", "time": T, "isBuyer": True, "isMaker": False,
    }  # fmt: skip
    usdm = {
        "symbol": "AAAUSDT", "id": number, "orderId": number, "side": "BUY", "price": "5",
        "qty": "1", "realizedPnl": "0", "commission": "0", "commissionAsset": "USDT", "time": T,
        "positionSide": "BOTH",
    }  # fmt: skip
    fill = {"price": "5", "qty": "1", "commission": "0", "commissionAsset": "USDT",
            "tradeId": number}  # fmt: skip
    reply = {
        "symbol": "AAAUSDT", "orderId": number, "orderListId": -1, "clientOrderId": "a",
        "transactTime": T, "price": "5", "origQty": "1", "executedQty": "1", "status": "FILLED",
        "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "fills": [fill],
    }  # fmt: skip
    report = event(x="TRADE", X="FILLED", l="2", z="2", L="5", n="0", N="USDT", t=number, i=number)
    lite = {"raw": {"e": "TRADE_LITE", "E": T, "T": T, "s": "AAAUSDT", "q": "2", "p": "5",
                    "m": True, "c": "a", "S": "BUY", "L": "5", "l": "2", "t": number,
                    "i": number}}  # fmt: skip
    for line in (rest([spot]), rest([usdm]), rest(reply), report, lite):
        (execution,) = (one for one in events_of(line) if one["type"] == "execution")
        assert (execution["exec_id"], execution["venue_order_id"]) == ("70001", "70001")


REFUSED = {"code": -2022, "msg": "no"}


@pytest.mark.parametrize("batch", [[ROW, REFUSED], [REFUSED, ROW], [REFUSED], [REFUSED, REFUSED]])
def test_a_batch_answers_for_usd_m_whether_a_product_is_given_or_not(batch: list[Any]) -> None:
    for product in ({}, {"product": "linear"}):
        events = events_of(rest(batch, **product))
        assert {one["product"] for one in events} == {"linear"}
        refusals = [one for one in events if one["type"] == "reply"]
        assert {one["reason"] for one in refusals} == {"REDUCE_ONLY"}


def test_a_refusal_by_itself_is_spots_where_no_product_is_given() -> None:
    (reply,) = events_of(rest(REFUSED))
    assert (reply["product"], reply["reason"]) == ("spot", "REFUSED")


def test_of_two_amendments_of_one_moment_the_one_sent_later_holds() -> None:
    first = event(T + 1, x="AMENDMENT", q="9", p="5")
    second = event(T + 2, x="AMENDMENT", q="7", p="6")
    placed = event(T, q="9", p="4")
    (order,) = folded(placed, first, second)
    assert order["quantity"] == "7"
    assert (
        folded(placed, event(T + 2, x="AMENDMENT", q="9"), event(T + 1, x="AMENDMENT", q="7"))[0][
            "quantity"
        ]
        == "9"
    )
