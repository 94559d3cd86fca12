"""A session of an Ed25519 key logs on once, and signs no more; an HMAC key cannot."""

import time
from base64 import b64encode
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.simulator.binance.box import an_account
from tests.simulator.binance.client import a_client
from tests.simulator.binance.test_wishes import LIMIT, SPOT, journal

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
ACCOUNT = an_account(0, secret=PEM)
each = pytest.mark.parametrize("path", ["/ws-api/v3", "/ws-fapi/v1"])


def now_ms() -> int:
    return int(time.time() * 1000)


def sealed(payload: str) -> str:
    return b64encode(PRIVATE.sign(payload.encode())).decode()


def signed(**params: object) -> dict[str, object]:
    params = {"apiKey": ACCOUNT.api_key, "timestamp": now_ms()} | params
    return params | {
        "signature": sealed("&".join(f"{name}={params[name]}" for name in sorted(params)))
    }


@each
async def test_who_has_logged_on_places_without_key_and_signature(path: str) -> None:
    async with a_client(ACCOUNT) as client, await client.open(path) as stream:
        reply = await stream.call("session.logon", signed())
        assert reply["status"] == 200
        shown = reply["result"]
        assert shown.keys() == {
            "apiKey", "authorizedSince", "connectedSince", "returnRateLimits", "serverTime",
            "userDataStream",
        }  # fmt: skip
        assert shown["apiKey"] == ACCOUNT.api_key
        assert shown["connectedSince"] <= shown["authorizedSince"] <= shown["serverTime"]
        placed = await stream.call("order.place", LIMIT | {"timestamp": now_ms()})
        assert placed["status"] == 200
        rows = await journal(client, "account", "outcome", "transport")
        assert rows == [(ACCOUNT.name, "accepted", "socket")]


@each
async def test_a_session_needs_a_time_and_ends_with_its_logout(path: str) -> None:
    async with a_client(ACCOUNT) as client, await client.open(path) as stream:
        before = await stream.call("session.status", {})
        assert before["result"]["apiKey"] is None
        await stream.call("session.logon", signed())
        assert (await stream.call("order.place", LIMIT))["error"]["code"] == -1102
        late = LIMIT | {"timestamp": now_ms() - 6000}
        assert (await stream.call("order.place", late))["error"]["code"] == -1021
        await stream.call("session.logout", {})
        unsigned = LIMIT | {"timestamp": now_ms()}
        assert (await stream.call("order.place", unsigned))["error"]["code"] == -2014
        assert [code for (code,) in await journal(client, "code")] == ["-1102", "-1021", "-2014"]


@each
async def test_an_hmac_key_cannot_log_on(path: str) -> None:
    async with a_client() as client, await client.open(path) as stream:
        reply = await stream.call("session.logon", client.signed())
        assert (reply["status"], reply["error"]["code"]) == (400, -4056)


@pytest.mark.parametrize(
    "wrong", [{"signature": "AAAA"}, {"signature": "no base64"}, {"timestamp": now_ms() + 1}]
)
async def test_a_wrong_signature_does_not_log_on(wrong: dict[str, Any]) -> None:
    async with a_client(ACCOUNT) as client, await client.open("/ws-api/v3") as stream:
        reply = await stream.call("session.logon", signed() | wrong)
        assert reply["error"]["code"] == -1022
        assert (await stream.call("session.status", {}))["result"]["apiKey"] is None


async def test_a_key_that_is_taken_back_is_told_of_without_an_id() -> None:
    async with a_client(ACCOUNT) as client, await client.open("/ws-api/v3") as stream:
        await stream.call("session.logon", signed())
        await client.control("/control/keys/revoke", api_key=ACCOUNT.api_key)
        await stream.say({"id": 1, "method": "order.place", "params": LIMIT})
        reply = await stream.next()
        assert (reply["id"], reply["status"], reply["error"]["code"]) == (None, 401, -2015)


async def test_a_session_subscribes_without_a_signature() -> None:
    async with a_client(ACCOUNT) as client, await client.open("/ws-api/v3") as stream:
        await stream.call("session.logon", signed())
        reply = await stream.call("userDataStream.subscribe", {"timestamp": now_ms()})
        assert reply["result"] == {"subscriptionId": 0}


async def test_rest_takes_the_same_key() -> None:
    async with a_client(ACCOUNT) as client:
        query = urlencode(LIMIT | {"timestamp": now_ms()})
        for seal, status in ((sealed(query), 200), (sealed(query + "x"), 400)):
            whole = f"{query}&signature={quote(seal, safe='')}"
            assert (await client.send("POST", SPOT, whole))[0] == status
