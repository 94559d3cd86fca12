"""Who asks, and is it really them (docs/venues/bybit.md 2). Pure.

- REST: hex of HMAC-SHA256 over time + key + window + query (or body), exactly as sent.
- Socket: the same over `GET/realtime` + a time in milliseconds that is still to come.
"""

from collections.abc import Mapping
from typing import Any

from simulator.accounts import Account
from simulator.bybit.refusals import refused
from simulator.wire.signing import hmac_hex, is_same

WINDOW_MS = 5000
AHEAD_MS = 1000
SIGN_IN = "GET/realtime"


def check_request(
    accounts: Mapping[str, Account], headers: Mapping[str, str], payload: str, now_ms: int
) -> Account:
    """Whose request it is; refused where it is nobody's, late or early, or signed by others."""
    names = ("API-KEY", "TIMESTAMP", "SIGN", "RECV-WINDOW")
    key, sent, given, window = (headers.get(f"X-BAPI-{name}", "") for name in names)
    if not (key and sent and given):
        raise refused("no_auth")
    account = accounts.get(key)
    if account is None:
        raise refused("bad_key")
    check_time(sent, window, now_ms)
    wanted = hmac_hex(account.credentials[key].secret, f"{sent}{key}{window}{payload}")
    if not is_same(wanted, given):
        raise refused("bad_signature")
    return account


def check_time(sent: str, window: str, now_ms: int) -> None:
    """Behind by the window at most, and ahead by less than a second."""
    if not sent.isdecimal() or not (window or "0").isdecimal():
        raise refused("bad", name="timestamp")
    if not now_ms - int(window or WINDOW_MS) <= int(sent) < now_ms + AHEAD_MS:
        raise refused("outside_window")


def check_sign_in(accounts: Mapping[str, Account], args: Any, now_ms: int) -> Account:
    """Whose socket it is."""
    if not isinstance(args, list) or len(args) != 3:
        raise refused("bad", name="args")
    key, expires, given = map(str, args)
    account = accounts.get(key)
    if account is None:
        raise refused("bad_key")
    if not expires.isdecimal() or int(expires) <= now_ms:
        raise refused("bad", name="expires")
    if not is_same(hmac_hex(account.credentials[key].secret, SIGN_IN + expires), given):
        raise refused("bad_signature")
    return account
