"""Who asks, and is it really them: docs/venues/okx.md, section 2. Pure.

- REST: base64(HMAC-SHA256(secret, timestamp + METHOD + path with query + body)), with the
  timestamp of the header, ISO-8601 with milliseconds, at most 30 s from the venue's clock.
- Login: the same over timestamp (in seconds) + `GET` + `/users/self/verify`.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from simulator.config import AccountConfig
from simulator.okx.refusals import HTTP_UNAUTHORIZED, Refusal, refused
from simulator.wire.signing import hmac_base64, is_same

WINDOW_MS = 30_000
LOGIN_PATH = "GET/users/self/verify"
sign = hmac_base64


def headers_of(headers: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Key, signature, timestamp and passphrase; `Refusal` 50103 to 50107 where one is missing."""
    wanted = {
        "OK-ACCESS-KEY": "50103",
        "OK-ACCESS-SIGN": "50106",
        "OK-ACCESS-TIMESTAMP": "50107",
        "OK-ACCESS-PASSPHRASE": "50104",
    }
    for name, code in wanted.items():
        if not headers.get(name):
            text = f'Request header "{name}" can not be empty.'
            raise Refusal(code, text, HTTP_UNAUTHORIZED)
    key, signature, timestamp, passphrase = (headers[name] for name in wanted)
    return key, signature, timestamp, passphrase


def check_signature(account: AccountConfig, payload: str, signature: str, passphrase: str) -> None:
    """`Refusal` 50105 for a wrong passphrase, 50113 for a wrong signature."""
    if passphrase != account.passphrase:
        raise refused("bad_phrase")
    if not is_same(sign(account.secret, payload), signature):
        raise refused("bad_signature")


def check_time(timestamp: str, now_ms: int) -> None:
    """`Refusal` 50112 for what is no time, 50102 for one too far off."""
    try:
        sent_ms = int(datetime.fromisoformat(timestamp).timestamp() * 1000)
    except ValueError:
        raise refused("bad_timestamp") from None
    if abs(now_ms - sent_ms) > WINDOW_MS:
        raise refused("outside_window")


def check_login(
    account: AccountConfig | None, fields: Mapping[str, object], now_ms: int
) -> AccountConfig:
    """`Refusal` 60004 to 60024 where a login must fail, by what is wrong with it."""
    if account is None:
        raise refused("login_key")
    if fields.get("passphrase") != account.passphrase:
        raise refused("login_phrase")
    timestamp = str(fields.get("timestamp", ""))
    if not timestamp.replace(".", "", 1).isdecimal():
        raise refused("login_time")
    if abs(now_ms - int(Decimal(timestamp) * 1000)) > WINDOW_MS:
        raise refused("login_late")
    wanted = sign(account.secret, timestamp + LOGIN_PATH)
    if not is_same(wanted, str(fields.get("sign", ""))):
        raise refused("login_signature")
    return account
