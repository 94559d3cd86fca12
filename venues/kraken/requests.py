"""Kraken's requests: the signatures of both systems. Pure.

Manual: "Spot REST authentication", "Futures REST authentication", "Futures WebSocket: sign
challenge". The rules:

- Spot: POST, the form has a nonce that only ever rises for a key. Signed is the path and SHA-256 of
  nonce and form as they are sent; HMAC-SHA512, in base64.
- Futures: signed is SHA-256 of the query as it is sent, the nonce (none here: it may be left out,
  and two processes never collide) and the path without `/derivatives`.
- The secret is base64.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256, sha512
from hmac import new as hmac_of
from typing import Final

from venues.kraken.words import LINEAR, SPOT
from venues.query import Parameters, query_of
from venues.rates import Cost
from venues.request import Context, Credentials, HttpRequest

SPOT_PRIVATE: Final = "/0/private/"
SPOT_PUBLIC: Final = "/0/public/"
DERIVATIVES: Final = "/derivatives"
TRADING: Final = "/derivatives/api/v3/"
HISTORY: Final = "/api/history/v3/"
SPOT_BUCKET: Final = "spot"
PUBLIC_BUCKET: Final = "public"
FUTURES_BUCKET: Final = "derivatives"
HISTORY_BUCKET: Final = "history"
FORM: Final = "application/x-www-form-urlencoded"
USER_AGENT: Final = "orderloom"
_NO_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")


def signature(credentials: Credentials, signed: bytes) -> str:
    """HMAC-SHA512 of `signed` in base64, with the key that the secret holds."""
    digest = hmac_of(_key_of(credentials.secret), signed, sha512).digest()
    return b64encode(digest).decode()


def _key_of(secret: str) -> bytes:
    # What is no base64 is no secret of Kraken's: signed with all the
    # same, so that the venue refuses it in its own words.
    digits = _NO_BASE64.sub("", secret)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return b64decode(digits + "=" * (-len(digits) % 4))


def spot_request(
    name: str, parameters: Parameters, context: Context, *, weight: float = 1,
    carry: tuple[str, ...] = (),
) -> HttpRequest:  # fmt: skip
    """The POST request of a private call such as ``OpenOrders``."""
    nonce, path = context.nonce, f"{SPOT_PRIVATE}{name}"
    form = query_of({"nonce": nonce, **parameters})
    said = sha256(f"{nonce}{form}".encode()).digest()
    return HttpRequest(
        method="POST",
        url=f"{context.endpoints.rest[SPOT]}{path}",
        headers={
            "API-Key": context.credentials.key,
            "API-Sign": signature(context.credentials, path.encode() + said),
            "Content-Type": FORM,
            "User-Agent": USER_AGENT,
        },
        body=form.encode(),
        channel=name,
        costs=(Cost(SPOT_BUCKET, weight),),
        carry=carry,
    )


def public_request(product: str, path: str, context: Context) -> HttpRequest:
    """A GET request that shows no key."""
    return HttpRequest(
        method="GET",
        url=f"{context.endpoints.rest[product]}{path}",
        headers={"User-Agent": USER_AGENT},
        channel=path.rpartition("/")[2],
        costs=(Cost(PUBLIC_BUCKET),),
    )


def futures_request(
    path: str, parameters: Parameters, context: Context, *, weight: float, product: str = LINEAR
) -> HttpRequest:
    """The GET request of a path such as ``/derivatives/api/v3/openorders``, signed."""
    query = query_of(parameters)
    is_history = path.startswith(HISTORY)
    return HttpRequest(
        method="GET",
        url=f"{context.endpoints.rest[product]}{path}" + (f"?{query}" if query else ""),
        headers=_futures_headers(context.credentials, path, query),
        channel=path.rpartition("/")[2],
        costs=(Cost(HISTORY_BUCKET if is_history else FUTURES_BUCKET, weight),),
    )


def _futures_headers(credentials: Credentials, path: str, query: str) -> Mapping[str, str]:
    said = sha256(f"{query}{path.removeprefix(DERIVATIVES)}".encode()).digest()
    return {
        "APIKey": credentials.key,
        "Authent": signature(credentials, said),
        "User-Agent": USER_AGENT,
    }


def signed_challenge(credentials: Credentials, challenge: str) -> str:
    """The challenge of a socket of Futures', signed."""
    return signature(credentials, sha256(challenge.encode()).digest())
