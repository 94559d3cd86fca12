"""A second key opens the same account, and a key that is taken back opens nothing."""

import json

from tests.simulator.binance.client import a_client
from tests.simulator.okx.okx_client import a_client as an_okx_client

SECOND = {"api_key": "second-key", "secret": "second-secret", "passphrase": "second-phrase"}


async def test_binance_knows_each_key_by_its_own_secret_until_it_is_taken_back() -> None:
    async with a_client() as client:
        first = client.account
        issued = await client.control("/control/keys", account=first.name, **SECOND)
        assert issued == {"keys": 2}
        client.account = first.model_copy(update=SECOND)
        status, books = await client.ask("GET", "/api/v3/account")
        assert (status, books["canTrade"]) == (200, True)
        client.account = first.model_copy(update={"api_key": "second-key"})
        assert (await client.ask("GET", "/api/v3/account"))[1]["code"] == -1022
        client.account = first
        assert (await client.ask("GET", "/api/v3/account"))[0] == 200
        assert await client.control("/control/keys/revoke", api_key=first.api_key) == {"keys": 1}
        assert (await client.ask("GET", "/api/v3/account"))[1]["code"] == -2015
        client.account = first.model_copy(update=SECOND)
        async with await client.spot_stream(), await client.linear_stream():
            assert (await client.ask("GET", "/fapi/v3/account"))[0] == 200


async def test_okx_knows_each_key_by_its_own_secret_until_it_is_taken_back() -> None:
    async with an_okx_client() as client:
        first = client.account
        await client.control("/control/keys", account=first.name, **SECOND)
        assert await client.control("/control/keys/revoke", api_key=first.api_key) == {"keys": 1}
        status, answer = await client.get("account/balance")
        assert (status, answer["code"]) == (401, "50119")
        async with await client.open() as refused:
            await refused.say(client.login())
            assert (await refused.next())["code"] == "60005"
        client.account = first.model_copy(update=SECOND)
        assert (await client.get("account/balance"))[1]["code"] == "0"
        async with await client.stream():
            pass


async def test_what_is_unknown_or_wrong_is_refused() -> None:
    async with a_client() as client:
        assert (
            "no account" in (await client.control("/control/keys", account="x", **SECOND))["error"]
        )
        assert "no key" in (await client.control("/control/keys/revoke", api_key="x"))["error"]
        assert "api_key" in json.dumps(await client.control("/control/keys", account="x"))
