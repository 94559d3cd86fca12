"""What Binance says of an account and of its key, and that it holds the key to it."""

from tests.simulator.binance.box import an_account
from tests.simulator.binance.client import a_client
from tests.simulator.binance.test_wishes import LIMIT, LINEAR, SPOT, journal

PATH = "/sapi/v1/account/apiRestrictions"
SECOND = {"api_key": "second-key", "secret": "second-secret"}


async def test_a_keys_rights_are_its_own() -> None:
    async with a_client() as client:
        _, first = await client.ask("GET", PATH)
        assert first["enableSpotAndMarginTrading"] is first["enableFutures"] is True
        assert (first["enableWithdrawals"], first["ipRestrict"]) == (False, False)
        rights = {"can_trade": False, "can_withdraw": True, "bound_ips": "127.0.0.1"}
        name = client.account.name
        await client.control("/control/keys", account=name, **SECOND, **rights)
        client.account = client.account.model_copy(update=SECOND)
        _, second = await client.ask("GET", PATH)
        assert second["enableSpotAndMarginTrading"] is second["enableFutures"] is False
        assert (second["enableWithdrawals"], second["ipRestrict"]) == (True, True)
        assert second.keys() == first.keys()


async def test_a_key_that_only_reads_places_nothing() -> None:
    async with a_client(an_account(0, can_trade=False)) as client:
        for path in (SPOT, LINEAR):
            status, answer = await client.ask("POST", path, **LIMIT)
            assert (status, answer["code"]) == (401, -2015)
        for path in ("/ws-api/v3", "/ws-fapi/v1"):
            async with await client.open(path) as stream:
                reply = await stream.call("order.place", client.signed(**LIMIT))
                assert (reply["status"], reply["error"]["code"]) == (401, -2015)
        assert await journal(client, "outcome", "code") == [("refused", "-2015")] * 4
        assert (await client.ask("GET", "/api/v3/account"))[0] == 200


async def test_each_account_has_an_id_and_an_alias_of_its_own() -> None:
    async with a_client() as client:
        seen = []
        for number in range(2):
            client.account = an_account(number)
            _, spot = await client.ask("GET", "/api/v3/account")
            _, linear = await client.ask("GET", "/fapi/v3/balance")
            seen.append((spot["uid"], linear[0]["accountAlias"]))
        assert isinstance(seen[0][0], int)
        assert len(seen[0][1]) == 4
        assert all(one != other for one, other in zip(*seen, strict=True))


async def test_another_accounts_key_says_so_by_its_id() -> None:
    async with a_client() as client:
        _, mine = await client.ask("GET", "/api/v3/account")
        await client.control("/control/keys", account=an_account(1).name, **SECOND)
        client.account = client.account.model_copy(update=SECOND)
        _, other = await client.ask("GET", "/api/v3/account")
        assert mine["uid"] != other["uid"]


async def test_demo_does_not_know_the_call() -> None:
    async with a_client(an_account(0, is_demo=True)) as client:
        assert (await client.ask("GET", PATH))[0] == 404
