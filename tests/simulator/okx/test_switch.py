"""The dead man's switch of OKX, for everything or by tag; and what the venue says of a key."""

from typing import Any

import pytest

from simulator.okx.settings import OkxSettings
from tests.simulator.okx.okx_box import SPOT, an_account
from tests.simulator.okx.okx_client import Client, a_client
from tests.simulator.okx.test_operations import WISH, journal
from tests.simulator.okx.test_private_socket import ORDER

PATH = "trade/cancel-all-after"
COINS = {"instId": SPOT, "tdMode": "cash", "side": "buy", "ordType": "limit", "sz": "1"}
SECOND = {"api_key": "second-key", "secret": "second-secret", "passphrase": "second-phrase"}


async def place(client: Client, name: str, **changes: str) -> None:
    wish = WISH | {"px": "150", "clOrdId": name} | changes
    _, answer = await client.post("trade/order", wish)
    assert answer["code"] == "0", answer


async def ended(client: Client) -> dict[str, str]:
    """Why each order that is no more ended."""
    books = await client.control(f"/truth?account={client.account.name}")
    orders = books["orders"]
    return {row["client_order_id"]: row["reason"] for row in orders if row["status"] == "CANCELED"}


async def test_it_ends_everything_one_by_one_when_its_time_is_over() -> None:
    async with a_client() as client, await client.stream() as stream:
        await place(client, "one")
        await place(client, "two", **COINS)
        _, answer = await client.post(PATH, {"timeOut": "10"})
        [row] = answer["data"]
        assert int(row["triggerTime"]) - int(row["ts"]) == 10
        assert (answer["code"], row["tag"], len(row["ts"])) == ("0", "", 10)
        await client.control("/control/clock", skew_ms=10_001)
        sources: dict[str, str] = {}
        while len(sources) < 2:
            push = await stream.until(lambda document: "data" in document)
            [order] = push["data"]
            if order["state"] == "canceled":
                sources[order["clOrdId"]] = order["cancelSource"]
        assert sources == {"one": "20", "two": "20"}
        assert await ended(client) == {"one": "TIMER", "two": "TIMER"}


async def test_with_a_tag_it_ends_the_orders_of_that_tag() -> None:
    async with a_client() as client:
        await place(client, "mine", tag="desk1")
        await place(client, "other", tag="desk2")
        await place(client, "plain")
        await client.post(PATH, {"timeOut": "10", "tag": "desk1"})
        await client.control("/control/clock", skew_ms=10_001)
        while not (found := await ended(client)):
            pass
        assert found == {"mine": "TIMER"}


async def test_zero_stops_it_and_each_call_counts_anew() -> None:
    async with a_client(face=OkxSettings(scale=100)) as client:
        await place(client, "stopped", tag="a")
        await place(client, "renewed", tag="b")
        await place(client, "left", tag="c")
        for tag, seconds in (("a", 10), ("b", 10), ("c", 10), ("b", 20)):
            await client.post(PATH, {"timeOut": str(seconds), "tag": tag})
        _, answer = await client.post(PATH, {"timeOut": "0", "tag": "a"})
        assert answer["data"][0]["triggerTime"] == "0"
        await client.control("/control/clock", skew_ms=10_500)
        while not (found := await ended(client)):
            pass
        assert found == {"left": "TIMER"}
        await client.control("/control/clock", skew_ms=20_500)
        while len(found := await ended(client)) < 2:
            pass
        assert found == {"left": "TIMER", "renewed": "TIMER"}


@pytest.mark.parametrize("seconds", ["9", "121", "x", ""])
async def test_less_than_ten_and_more_than_120_seconds_are_refused(seconds: str) -> None:
    async with a_client() as client:
        _, answer = await client.post(PATH, {"timeOut": seconds})
        assert answer["code"] in ("51000", "50014")
        assert await journal(client, "verb", "outcome") == [("countdown", "refused")]


async def test_one_call_a_second_and_twenty_tags_are_the_most() -> None:
    async with a_client() as client:
        codes = [(await client.post(PATH, {"timeOut": "10"}))[1]["code"] for _ in range(3)]
        assert codes[0] == "0"
        assert "50011" in codes[1:]
        asked = [{"timeOut": "10", "tag": f"t{number}"} for number in range(21)]
        codes = [(await client.post(PATH, body))[1]["code"] for body in asked]
        assert codes == ["0"] * 20 + ["51071"]


async def test_its_answer_may_be_in_milliseconds() -> None:
    async with a_client(face=OkxSettings(timer_in_ms=True)) as client:
        _, answer = await client.post(PATH, {"timeOut": "10"})
        assert len(answer["data"][0]["triggerTime"]) == 13


async def config(client: Client) -> dict[str, Any]:
    return dict((await client.rows("account/config"))[0])


async def test_a_keys_rights_and_its_accounts_id_are_told() -> None:
    async with a_client() as client:
        first = await config(client)
        assert (first["perm"], first["ip"]) == ("read_only,trade", "")
        rights = {"can_trade": False, "can_withdraw": True, "bound_ips": "127.0.0.1"}
        other = an_account(1).name
        await client.control("/control/keys", account=other, **SECOND, **rights)
        client.account = client.account.model_copy(update=SECOND)
        second = await config(client)
        assert (second["perm"], second["ip"]) == ("read_only,withdraw", "127.0.0.1")
        assert second["uid"] != first["uid"]


async def test_a_key_that_only_reads_places_nothing() -> None:
    async with a_client(an_account(0, can_trade=False)) as client, await client.stream() as stream:
        status, answer = await client.post("trade/order", WISH | {"px": "150"})
        assert (status, answer["code"]) == (401, "50120")
        assert (await stream.call("order", ORDER))["code"] == "50120"
        assert await journal(client, "outcome", "code") == [("refused", "50120")] * 2
        assert await client.rows("trade/orders-pending", instType="SWAP") == []
