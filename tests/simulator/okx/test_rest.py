"""OKX's REST over a real port: signing, envelopes, pages, limits."""

import time
from decimal import Decimal
from typing import Any

import pytest

from simulator.okx import query_calls
from simulator.okx.fields import Fields
from tests.simulator.okx.okx_box import INVERSE, LINEAR, PRICE, SPOT, Box, an_account
from tests.simulator.okx.okx_client import Client, a_client

WISH = {"instId": LINEAR, "tdMode": "cross", "side": "buy", "ordType": "limit", "sz": "4"}
ORDER = WISH | {"px": f"{PRICE}"}


async def placed(client: Client, **changes: Any) -> str:
    status, answer = await client.post("trade/order", ORDER | changes)
    assert (status, answer["code"]) == (200, "0"), answer
    return str(answer["data"][0]["ordId"])


async def refusal(client: Client, path: str, body: Any, **extra: str) -> tuple[str, str]:
    """The code of the answer, and of its first row."""
    _, answer = await client.post(path, body, **extra)
    return answer["code"], answer["data"][0]["sCode"] if answer["data"] else ""


async def test_an_order_is_placed_asked_for_amended_and_canceled() -> None:
    async with a_client() as client:
        number = await placed(client, clOrdId="desk1", tag="t1")
        [row] = await client.rows("trade/order", instId=LINEAR, clOrdId="desk1")
        assert (row["ordId"], row["state"], row["avgPx"], row["tag"]) == (number, "live", "", "t1")
        change = {"instId": LINEAR, "ordId": number, "newSz": "3", "reqId": "r1"}
        _, answer = await client.post("trade/amend-order", change)
        assert answer["data"][0]["reqId"] == "r1"
        [row] = await client.rows("trade/orders-pending", instType="SWAP")
        assert row["sz"] == "3"
        _, answer = await client.post("trade/cancel-order", {"instId": LINEAR, "ordId": number})
        assert answer["data"][0]["ts"] == row["cTime"]
        assert await client.rows("trade/orders-pending") == []
        [row] = await client.rows("trade/orders-history", instType="SWAP")
        assert (row["state"], row["cancelSource"]) == ("canceled", "1")
        assert row["cancelSourceReason"]


async def test_trade_answers_hold_times_in_microseconds_and_questions_none() -> None:
    async with a_client() as client:
        _, answer = await client.post("trade/order", ORDER)
        assert len(answer["inTime"]) == len(answer["outTime"]) == 16
        _, answer = await client.get("trade/orders-pending")
        assert answer.keys() == {"code", "msg", "data"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"instId": "NO-SUCH"}, "51001"),
        ({"clOrdId": "with-hyphen"}, "51000"),
        ({"px": "150.0000001"}, "51000"),
        ({"sz": "0.001"}, "51020"),
        ({"sz": "4.005"}, "51121"),
        ({"sz": "90000000"}, "51008"),
        ({"posSide": "long"}, "51000"),
        ({"tdMode": "isolated"}, "51010"),
        ({"reduceOnly": True}, "51169"),
        ({"ordType": "fok", "stpMode": "cancel_both"}, "54036"),
    ],
)
async def test_a_refused_order_says_why_inside_an_answer_of_200(
    changes: dict[str, Any], code: str
) -> None:
    async with a_client() as client:
        assert await refusal(client, "trade/order", ORDER | changes) == ("1", code)
        assert await client.rows("trade/orders-history", instType="SWAP") == []


async def test_a_client_id_is_taken_only_while_its_order_is_open() -> None:
    async with a_client() as client:
        number = await placed(client, clOrdId="mine")
        assert await refusal(client, "trade/order", ORDER | {"clOrdId": "mine"}) == ("1", "51016")
        await client.post("trade/cancel-order", {"instId": LINEAR, "ordId": number})
        again = await placed(client, clOrdId="mine")
        [row] = await client.rows("trade/order", instId=LINEAR, clOrdId="mine")
        assert row["ordId"] == again != number


async def test_a_batch_answers_row_by_row() -> None:
    async with a_client() as client:
        body = [ORDER, ORDER | {"sz": "0"}, ORDER | {"instId": SPOT, "tdMode": "cash"}]
        _, answer = await client.post("trade/batch-orders", body)
        assert answer["code"] == "2"
        assert [row["sCode"] for row in answer["data"]] == ["0", "51020", "0"]
        numbers = [row["ordId"] for row in answer["data"] if row["sCode"] == "0"]
        cancels = [{"instId": LINEAR, "ordId": numbers[0]}, {"instId": SPOT, "ordId": numbers[1]}]
        _, answer = await client.post("trade/cancel-batch-orders", cancels)
        assert answer["code"] == "0"
        _, answer = await client.post("trade/cancel-batch-orders", cancels)
        assert (answer["code"], answer["data"][0]["sCode"]) == ("1", "51400")


async def test_questions_about_what_is_not_there() -> None:
    async with a_client() as client:
        _, answer = await client.get("trade/order", instId=LINEAR, ordId="1")
        assert answer["code"] == "51603"
        gone = {"instId": LINEAR, "ordId": "1"}
        assert await refusal(client, "trade/cancel-order", gone) == ("1", "51400")
        change = gone | {"newPx": "151"}
        assert await refusal(client, "trade/amend-order", change) == ("1", "51503")
        status, answer = await client.get("trade/nothing")
        assert (status, answer["code"]) == (404, "404")


async def test_orders_are_paged_by_id_newest_first() -> None:
    async with a_client() as client:
        numbers = [await placed(client) for _ in range(7)][::-1]
        path = "trade/orders-pending"
        first = [row["ordId"] for row in await client.rows(path, limit=3)]
        older = [row["ordId"] for row in await client.rows(path, limit=3, after=first[-1])]
        newer = [row["ordId"] for row in await client.rows(path, limit=2, before=numbers[4])]
        assert (first, older, newer) == (numbers[:3], numbers[3:6], numbers[2:4])
        assert await client.rows(path, after=numbers[-1]) == []


async def test_fills_are_paged_by_bill_and_name_their_order() -> None:
    async with a_client() as client:
        number = await placed(client)
        other = Client(client.server, an_account(1), client.http)
        for _ in range(4):
            await placed(other, side="sell", sz="1")
        rows = await client.rows("trade/fills-history", instType="SWAP")
        assert [row["ordId"] for row in rows] == [number] * 4
        bills = [row["billId"] for row in rows]
        after = await client.rows("trade/fills", after=bills[1], limit=1)
        assert [row["billId"] for row in after] == bills[2:3]
        [row] = await client.rows("account/positions")
        assert (row["pos"], row["posSide"], row["tradeId"]) == ("4", "net", rows[0]["tradeId"])
        assert len(await other.rows("trade/fills", instId=LINEAR)) == 4


async def test_instruments_name_contracts_and_codes() -> None:
    async with a_client() as client:
        url = "/api/v5/public/instruments?instType="
        _, spot = await client.send("GET", f"{url}SPOT", {})
        _, swap = await client.send("GET", f"{url}SWAP", {})
        _, none = await client.send("GET", f"{url}FUTURES", {})
        assert min(len(spot["data"]), len(swap["data"])) >= 100
        assert none["data"] == []
        rows = {row["instId"]: row for row in swap["data"]}
        assert (rows[LINEAR]["ctVal"], rows[LINEAR]["ctType"]) == ("1", "linear")
        assert (rows["BTC-USDT-SWAP"]["ctVal"], rows["BTC-USDT-SWAP"]["lotSz"]) == ("0.01", "0.01")
        assert (rows[INVERSE]["ctVal"], rows[INVERSE]["ctValCcy"]) == ("100", "USD")
        assert len({row["instIdCode"] for row in [*spot["data"], *swap["data"]]}) == len(
            [*spot["data"], *swap["data"]]
        )


async def test_the_key_check_shows_rights_and_modes() -> None:
    async with a_client(an_account(is_hedged=True, pays_quote=True)) as client:
        [row] = await client.rows("account/config")
        assert (row["perm"], row["posMode"], row["feeType"]) == (
            "read_only,trade", "long_short_mode", "1",
        )  # fmt: skip
        [wallet] = await client.rows("account/balance", ccy="SOL,USDT")
        assert [detail["ccy"] for detail in wallet["details"]] == ["SOL", "USDT"]


def test_the_list_of_balances_leaves_out_what_is_nothing() -> None:
    box = Box()

    def listed(**fields: str) -> list[str]:
        [row] = query_calls.balance(box.venue, box.one, Fields(fields))
        return [detail["ccy"] for detail in row["details"]]

    assert "SOL" in listed()
    box.one.balance("spot", "SOL").free = Decimal(0)
    assert "SOL" not in listed()
    assert "USDT" in listed()
    assert listed(ccy="SOL") == ["SOL"]


async def test_wrong_credentials_are_refused_each_with_its_code() -> None:
    async with a_client() as client:
        path = "/api/v5/account/config"

        async def code(**changes: str) -> tuple[int, str]:
            status, answer = await client.send("GET", path, client.headers("GET", path) | changes)
            return status, answer["code"]

        assert await code() == (200, "0")
        assert await code(**{"OK-ACCESS-KEY": ""}) == (401, "50103")
        assert await code(**{"OK-ACCESS-KEY": "nobody"}) == (401, "50119")
        assert await code(**{"OK-ACCESS-SIGN": "bad"}) == (401, "50113")
        assert await code(**{"OK-ACCESS-PASSPHRASE": "bad"}) == (401, "50105")
        assert await code(**{"OK-ACCESS-TIMESTAMP": "bad"}) == (401, "50112")
        assert await code(**{"x-simulated-trading": "1"}) == (401, "50101")
        late = client.headers("GET", path, skew_s=-31)
        assert (await client.send("GET", path, late))[1]["code"] == "50102"


async def test_a_demo_key_wants_the_demo_header() -> None:
    async with a_client(an_account(is_demo=True)) as client:
        assert (await client.get("account/config"))[1]["code"] == "50101"
        answer = await client.post("trade/order", ORDER, **{"x-simulated-trading": "1"})
        assert answer[1]["code"] == "0"


async def test_an_order_that_comes_after_its_deadline_is_not_placed() -> None:
    async with a_client() as client:
        past, future = (str(int((time.time() + by) * 1000)) for by in (-1, 30))
        assert await refusal(client, "trade/order", ORDER, expTime=past) == ("50036", "")
        assert await refusal(client, "trade/order", ORDER, expTime=future) == ("0", "0")


async def test_too_many_requests_are_refused_by_endpoint_and_account() -> None:
    async with a_client() as client:
        codes = [(await client.get("account/config"))[1]["code"] for _ in range(12)]
        assert codes.count("0") <= 10  # five in each of the two windows that twelve may fall in
        assert set(codes) == {"0", "50011"}
        other = Client(client.server, an_account(1), client.http)
        assert (await other.get("account/config"))[1]["code"] == "0"


async def test_a_market_purchase_is_sized_in_quote() -> None:
    async with a_client() as client:
        other = Client(client.server, an_account(1), client.http)
        spot = {"instId": SPOT, "tdMode": "cash"}
        await placed(other, side="sell", sz="10", **spot)
        wish = {"side": "buy", "ordType": "market", "sz": "600", **spot}
        number = await placed(client, **wish)
        [row] = await client.rows("trade/order", instId=SPOT, ordId=number)
        assert (row["sz"], row["tgtCcy"], row["accFillSz"]) == ("600", "quote_ccy", "4")
        books = await client.control("/truth?account=okx:test-0")
        [order] = books["orders"]
        assert (order["quantity"], order["quantity_unit"]) == ("600", "quote")
        assert Decimal(order["filled"]) == 4


async def test_the_wrong_json_is_named() -> None:
    async with a_client() as client:
        headers = client.headers("POST", "/api/v5/trade/order", "{")
        status, answer = await client.send("POST", "/api/v5/trade/order", headers, "{")
        assert (status, answer["code"]) == (400, "50002")
