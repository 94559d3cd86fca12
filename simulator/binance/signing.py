"""Who asks, and is it really them: docs/venues/binance.md, section 2. Pure.

- REST: the payload is the query followed by the body, without `&` between, as it stood on the
  wire (percent-encoded), less the `signature` parameter.
- WS API: all params but `signature`, sorted by name, joined without percent-encoding.
- `timestamp < now + 1000` and `now - timestamp <= recvWindow` (default 5000, at most 60000).
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from urllib.parse import unquote

from simulator.binance.refusals import refused
from simulator.wire import signing
from simulator.wire.ed25519 import is_signed

hmac_hex = signing.hmac_hex
PUBLIC, END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
FUTURE_MS_MAX = 1000
WINDOW_MS_DEFAULT = Decimal(5000)
WINDOW_MS_MAX = Decimal(60000)
_SIGNATURE = re.compile(r"(?:^|&)signature=([^&]*)")


def check_rest_signature(secret: str, query: str, body: str) -> None:
    """`Refusal` -1102 without a signature, -1022 with a wrong one."""
    found = _SIGNATURE.search(query) or _SIGNATURE.search(body)
    if found is None:
        raise refused("missing", name="signature")
    payload = _SIGNATURE.sub("", query) + _SIGNATURE.sub("", body)
    _compare(secret, payload, unquote(found.group(1)))


def check_socket_signature(secret: str, params: Mapping[str, object]) -> None:
    """The same for a WS API request."""
    if not params.get("signature"):
        raise refused("missing", name="signature")
    _compare(secret, socket_payload(params), str(params["signature"]))


def socket_payload(params: Mapping[str, object]) -> str:
    """What a WS API request signs."""
    names = sorted(name for name in params if name != "signature")
    return "&".join(f"{name}={_text(params[name])}" for name in names)


def check_time(timestamp: str, window: str, now_ms: int) -> None:
    """`Refusal` -1102, -1130 or -1021 where the clock rule is broken."""
    if not timestamp:
        raise refused("missing", name="timestamp")
    if not timestamp.isdecimal():
        raise refused("bad", name="timestamp")
    is_past = is_late(timestamp, window, now_ms)
    if is_past or int(timestamp) >= now_ms + FUTURE_MS_MAX:
        raise refused("outside_window")


def is_late(timestamp: str, window: str, now_ms: int) -> bool:
    """Whether the window of a request is over; `Refusal` -1130 where it is no window."""
    return now_ms - int(timestamp) > _window(window)


def _window(text: str) -> Decimal:
    try:
        window = Decimal(text) if text else WINDOW_MS_DEFAULT
    except InvalidOperation:
        raise refused("bad", name="recvWindow") from None
    if not 0 < window <= WINDOW_MS_MAX:
        raise refused("bad", name="recvWindow")
    return window


def is_ed25519(secret: str) -> bool:
    """Whether what the venue keeps of a key is the public half of an Ed25519 key (PEM)."""
    return secret.startswith(PUBLIC)


def _compare(secret: str, payload: str, signature: str) -> None:
    if is_ed25519(secret):
        if not is_signed(_decoded(secret.replace(PUBLIC, "").replace(END, ""))[-32:],
                         payload.encode(), _decoded(signature)):  # fmt: skip
            raise refused("bad_signature")
        return
    if not signing.is_same(hmac_hex(secret, payload), signature.lower()):
        raise refused("bad_signature")


def _decoded(text: str) -> bytes:
    try:
        return b64decode("".join(text.split()), validate=True)
    except ValueError:
        return b""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
