"""Names for life: accounts, orders, executions.

Pure. The order key of an adopted order is ``account/product/symbol/venue order id``; of an order of
our own ``account/intent id``. All other ids are aliases. An execution is known by (product, symbol,
execution id, venue order id) within its account, because some venues give both sides of a
self-trade the same execution id (docs/state-model.md 4.1).
"""

import re
from base64 import b32encode
from hashlib import blake2b
from typing import Final

VENUE_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
ACCOUNT_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
OWN_TAG: Final = "ol"
"""How the client order ids of our own orders begin, whoever placed them through us."""
# 80 bits are 16 letters of base32 without padding; with the tag 18, which
# is what Kraken Spot takes of free text, and others take more.
_DIGEST_BYTES: Final = 10


def venue_of(account: str) -> str:
    """The venue of an account id such as ``okx:main``."""
    return account.partition(":")[0]


def checked_account(text: str) -> str:
    """`text` itself, if it is an account id.

    Raises:
        ValueError: it is not ``venue:name`` with the letters that both parts allow.
    """
    venue, _, name = text.partition(":")
    if not VENUE_NAME.fullmatch(venue) or not ACCOUNT_NAME.fullmatch(name):
        raise ValueError(f"account id {text!r}: write venue:name, for example binance:main")
    return text


def adopted_order_key(account: str, product: str, symbol: str, venue_order_id: str) -> str:
    """The key of an order that the venue showed us and no intent of ours explains."""
    # With the symbol: Binance counts order ids symbol by symbol (docs/venues/binance.md 5).
    return f"{account}/{product}/{symbol}/{venue_order_id}"


def execution_key(product: str, symbol: str, exec_id: str, venue_order_id: str) -> str:
    """The identity of one execution within its account."""
    return f"{product}/{symbol}/{exec_id}/{venue_order_id}"


def own_client_order_id(salt: str, account: str, strategy: str, key: str) -> str:
    """The client order id of an order of ours: 18 small letters and digits, the same each time.

    A function of its arguments alone, so that whoever has the intent can tell the id before an
    order has it. `salt` tells apart deployments that share an account at the venue; `key` is the
    strategy's own name of the intent.

    Raises:
        ValueError: one of them is empty, or no text.
    """
    parts = [part.encode() for part in (salt, account, strategy, key)]
    if not all(parts):
        raise ValueError("a client order id is made of salt, account, strategy and key")
    # With their lengths: else ("a", "bc") and ("ab", "c") would be one order.
    said = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    digest = blake2b(said, digest_size=_DIGEST_BYTES).digest()
    return OWN_TAG + b32encode(digest).decode().lower()
