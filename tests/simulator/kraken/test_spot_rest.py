"""Spot by REST: keys, nonces, limits, orders, lists (docs/venues/kraken.md 2, 7.1, 9 and 10)."""

from typing import Any

import pytest

from tests.simulator.kraken.kraken_box import SPOT
from tests.simulator.kraken.kraken_client import KrakenClient, a_kraken

ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.5", "price": "90000"}


async def placed(client: KrakenClient, **changes: Any) -> str:
    [name] = (await client.result("AddOrder", **(ORDER | changes)))["txid"]
    return str(name)


async def errors(client: KrakenClient, call: str, **form: Any) -> list[str]:
    status, answer = await client.spot(call, **form)
    assert status == 200
    return list(answer["error"])


async def asked_until_refused(client: KrakenClient, error: str) -> int:
    """How many calls were answered; some become free meanwhile, however slow the machine is."""
    done = 0
    while not (said := await errors(client, "Balance")):
        done += 1
    assert said == [error]
    return done


async def taken(client: KrakenClient, **changes: Any) -> str:
    """An order that somebody else's sale fills."""
    name = await placed(client, **changes)
    other = KrakenClient(client.server, client.server.box.venue.accounts["kraken:test-1"].config,
                         client.http)  # fmt: skip
    await other.result("AddOrder", **(ORDER | {"type": "sell", **changes}))
    return name


async def test_trap_18_a_nonce_must_rise_for_each_key() -> None:
    async with a_kraken() as client:
        assert await errors(client, "Balance", nonce=100) == []
        assert await errors(client, "Balance", nonce=100) == ["EAPI:Invalid nonce"]
        assert await errors(client, "Balance", nonce=99) == ["EAPI:Invalid nonce"]
        assert await errors(client, "Balance", nonce=101) == []


async def test_keys_of_nobody_and_wrong_signatures_are_refused() -> None:
    async with a_kraken() as client:
        right = client.account
        client.account = right.model_copy(update={"api_key": "nobody"})
        assert await errors(client, "Balance") == ["EAPI:Invalid key"]
        client.account = right.model_copy(update={"secret": "b3RoZXI="})
        assert await errors(client, "Balance") == ["EAPI:Invalid signature"]
        client.account = right
        assert await errors(client, "Balance") == []


async def test_trap_12_one_market_has_several_names() -> None:
    async with a_kraken() as client:
        for pair in ("XBTUSD", "XXBTZUSD", "XBT/USD", "BTC/USD"):
            name = await placed(client, pair=pair)
            row = (await client.result("QueryOrders", txid=name))[name]
            assert row["descr"]["pair"] == "XBTUSD"
        await client.result("CancelAll")
        name = await taken(client)
        [fill] = (await client.result("TradesHistory"))["trades"].values()
        assert (fill["ordertxid"], fill["pair"]) == (name, "XXBTZUSD")
        _, answer = await client.send("GET", "/0/public/AssetPairs?pair=XBTUSD")
        [(key, row)] = answer["result"].items()
        assert (key, row["altname"], row["wsname"]) == ("XXBTZUSD", "XBTUSD", "XBT/USD")
        assert {"XXBT", "ZUSD"} <= set(await client.result("BalanceEx"))
        assert await errors(client, "AddOrder", **(ORDER | {"pair": "XXX"})) == [
            "EQuery:Unknown asset pair"
        ]


async def test_an_order_is_found_by_its_client_id_open_and_closed() -> None:
    async with a_kraken() as client:
        name = await placed(client, cl_ord_id="desk-1")
        assert list((await client.result("OpenOrders", cl_ord_id="desk-1"))["open"]) == [name]
        assert await client.result("OpenOrders", cl_ord_id="desk-2") == {"open": {}}
        assert await client.result("CancelOrder", cl_ord_id="desk-1") == {"count": 1}
        closed = await client.result("ClosedOrders", cl_ord_id="desk-1")
        assert closed["count"] == 1
        row = closed["closed"][name]
        assert (row["status"], row["reason"]) == ("canceled", "User requested")
        assert await errors(client, "CancelOrder", txid=name) == ["EOrder:Unknown order"]


async def test_closed_orders_come_fifty_a_page_newest_first_from_an_offset() -> None:
    async with a_kraken() as client:
        names = []
        for _ in range(60):
            names.append(await placed(client))
            await client.result("CancelOrder", txid=names[-1])
        first = await client.result("ClosedOrders")
        second = await client.result("ClosedOrders", ofs=50)
        assert first["count"] == second["count"] == 60
        assert [*first["closed"], *second["closed"]] == names[::-1]
        row = first["closed"][names[30]]
        span = {"closetime": "close", "start": row["closetm"] - 1, "end": row["closetm"] + 1}
        assert names[30] in (await client.result("ClosedOrders", **span))["closed"]
        assert await client.result("ClosedOrders", start=row["closetm"] + 1000) == {
            "closed": {}, "count": 0,
        }  # fmt: skip
        assert "count" not in await client.result("ClosedOrders", without_count="true")


async def test_trap_3_fills_of_a_taker_are_one_row_unless_it_is_said_otherwise() -> None:
    async with a_kraken() as client:
        other = KrakenClient(
            client.server, client.server.box.venue.accounts["kraken:test-1"].config, client.http
        )
        for price in ("90000", "90001"):
            await other.result("AddOrder", **(ORDER | {"type": "sell", "price": price}))
        name = await placed(client, volume="1", price="90001")
        [merged] = (await client.result("TradesHistory"))["trades"].values()
        assert (merged["vol"], merged["price"]) == ("1.00000000", "90000.50000")
        single = await client.result("TradesHistory", consolidate_taker="false")
        assert len(single["trades"]) == single["count"] == 2
        row = (await client.result("QueryOrders", txid=name, trades="true"))[name]
        assert len(row["trades"]) == 1
        asked = {"txid": name, "trades": "true", "consolidate_taker": "false"}
        row = (await client.result("QueryOrders", **asked))[name]
        assert sorted(row["trades"]) == sorted(single["trades"])
        found = await client.result("QueryTrades", txid=",".join(row["trades"]))
        assert found == single["trades"]


async def test_an_amend_keeps_the_id_and_an_edit_makes_a_new_order() -> None:
    async with a_kraken() as client:
        name = await placed(client, cl_ord_id="desk-1")
        amended = await client.result("AmendOrder", txid=name, limit_price="89999", order_qty="0.4")
        assert amended["amend_id"].startswith("T")
        row = (await client.result("OpenOrders"))["open"][name]
        assert (row["descr"]["price"], row["vol"]) == ("89999", "0.40000000")
        edited = await client.result("EditOrder", txid=name, pair="XBTUSD", volume="0.3")
        assert (edited["originaltxid"], edited["orders_cancelled"]) == (name, 1)
        [(other, row)] = (await client.result("OpenOrders"))["open"].items()
        assert (other, "cl_ord_id" in row) == (edited["txid"], False)


async def test_calls_count_and_the_count_decays() -> None:
    async with a_kraken(face={"scale": 1}) as client:
        for _ in range(3):
            assert await errors(client, "TradesHistory") == []
        assert 3 <= await asked_until_refused(client, "EAPI:Rate limit exceeded") < 8
        assert await errors(client, "AddOrder", **ORDER) == []
        await client.control("/control/clock", skew_ms=30_100)
        assert 10 <= await asked_until_refused(client, "EAPI:Rate limit exceeded") < 20


async def test_orders_count_by_pair_and_what_changes_a_young_one_costs_more() -> None:
    async with a_kraken(face={"scale": 1}) as client:
        done = 0
        while not (said := await errors(client, "AddOrder", **ORDER)):
            [name] = (await client.result("OpenOrders"))["open"]
            said = await errors(client, "CancelOrder", txid=name)
            if said:
                break
            done += 1
        # An order costs 1, and its cancel within five seconds 8: of 60, and what comes back.
        assert said == ["EOrder:Rate limit exceeded"]
        assert 6 <= done < 12
        assert (
            await errors(client, "AddOrder", **(ORDER | {"pair": "ETHUSD", "price": "3000"})) == []
        )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"volume": "0.0000001"}, "EOrder:Order minimum not met"),
        ({"volume": "0.00000123"}, "EGeneral:Invalid arguments:volume"),
        ({"price": "90000.01"}, "EOrder:Tick size check failed"),
        ({"volume": "0.000001", "price": "1"}, "EOrder:Cost minimum not met"),
        ({"volume": "1000000"}, "EOrder:Insufficient funds"),
        ({"ordertype": "nonsense"}, "EGeneral:Invalid arguments:ordertype"),
        ({"cl_ord_id": "x" * 19}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"cl_ord_id": "a", "userref": 7}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"deadline": "2020-01-01T00:00:00Z"}, "EService:Deadline elapsed"),
    ],
)
async def test_what_is_wrong_with_an_order_is_said(changes: dict[str, str], error: str) -> None:
    async with a_kraken() as client:
        [said] = await errors(client, "AddOrder", **(ORDER | changes))
        assert said == error
        assert await client.result("OpenOrders") == {"open": {}}


async def test_trap_13_a_client_id_is_unique_among_open_orders_and_may_be_used_again() -> None:
    async with a_kraken() as client:
        first = await placed(client, cl_ord_id="9" * 32)
        again = ORDER | {"cl_ord_id": "9" * 32}
        assert await errors(client, "AddOrder", **again) == ["EGeneral:Invalid arguments:cl_ord_id"]
        await client.result("CancelOrder", txid=first)
        assert await placed(client, cl_ord_id="9" * 32) != first


async def test_trap_10_a_purchase_by_what_is_paid_says_quote_and_is_filled_in_base() -> None:
    async with a_kraken() as client:
        other = KrakenClient(
            client.server, client.server.box.venue.accounts["kraken:test-1"].config, client.http
        )
        await other.result("AddOrder", **(ORDER | {"type": "sell", "price": "90000"}))
        wish = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "oflags": "viqc"}
        [name] = (await client.result("AddOrder", volume="900", **wish))["txid"]
        row = (await client.result("QueryOrders", txid=name))[name]
        assert (row["vol"], row["vol_exec"], row["cost"]) == (
            "900.00000000", "0.01000000", "900.00000",
        )  # fmt: skip
        assert "viqc" in row["oflags"]


async def test_answers_of_the_firewall_are_no_json() -> None:
    async with a_kraken(faults={"probability": {"http_ban": 1.0}, "ban_s": 60}) as client:
        assert (await client.spot("Balance"))[0] == 429
        status, text = await client.send("GET", "/0/public/Time")
        assert (status, text) == (429, "error code: 1015")


async def test_the_books_know_the_orders_by_the_ids_of_the_wire() -> None:
    async with a_kraken() as client:
        name = await taken(client)
        books = await client.control(f"/truth?account={client.account.name}")
        assert [(row["venue_order_id"], row["symbol"]) for row in books["orders"]] == [(name, SPOT)]
        [fill] = books["fills"]
        assert [fill["exec_id"]] == list((await client.result("TradesHistory"))["trades"])
        assert fill["unpriced"] is True
