"""What can be subscribed to, where, and what comes at once (docs/venues/okx.md, section 3)."""

from dataclasses import dataclass
from typing import Any

import orjson

from simulator.accounts import Account
from simulator.instrument import Product
from simulator.message import Document, Message
from simulator.okx import account_documents as documents
from simulator.okx.account_documents import WALLET
from simulator.okx.refusals import refused
from simulator.okx.venue import PRODUCTS, OkxVenue

BY_INSTRUMENT = ("orders", "positions", "orders-algo", "algo-advance", "liquidation-warning")
CHANNELS = {
    "private": ("orders", "fills", "positions", "account", "balance_and_position",
                "liquidation-warning"),
    "business": ("orders-algo", "algo-advance"),
}  # fmt: skip
KINDS: dict[str, tuple[Product, ...]] = {
    "ANY": PRODUCTS,
    "SPOT": ("spot",),
    "SWAP": ("linear", "inverse"),
    "MARGIN": (),
    "FUTURES": (),
    "OPTION": (),
}
PAGE_MAX = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """One `arg` of a subscription, as it stood and as it is understood."""

    arg: Document
    channel: str
    products: tuple[Product, ...]
    symbol: str
    family: str
    repeats: bool

    @property
    def key(self) -> bytes:
        """The same for the same `arg`."""
        return orjson.dumps(self.arg, option=orjson.OPT_SORT_KEYS)

    def wants(self, message: Message) -> bool:
        """Whether a message of this channel is about what was asked for."""
        if not self.symbol and not self.family:
            return True
        found = str(message.document["data"][0].get("instId", ""))
        return found == self.symbol or found.removesuffix("-SWAP") == self.family


def understood(arg: Document, path: str, account: Account) -> Wanted:
    """The subscription that an `arg` asks for; `Refusal` 60018 or 64003 where there is none."""
    channel = str(arg.get("channel", ""))
    kind = str(arg.get("instType", "ANY" if channel not in BY_INSTRUMENT else ""))
    if channel not in CHANNELS[path] or kind not in KINDS:
        shown = orjson.dumps(arg).decode()
        raise refused("no_channel", arg=shown)
    if channel == "fills" and not account.config.is_vip:
        raise refused("no_tier")
    products = KINDS[kind]
    if channel in ("account", "balance_and_position"):
        products = (WALLET,)
    return Wanted(
        arg,
        channel,
        products,
        str(arg.get("instId", "")),
        str(arg.get("instFamily", "")),
        _repeats(arg),
    )


def _repeats(arg: Document) -> bool:
    """Whether regular snapshots are wanted: yes, unless `updateInterval` is "0"."""
    try:
        extra = orjson.loads(str(arg.get("extraParams") or "{}"))
    except orjson.JSONDecodeError:
        return True
    return not isinstance(extra, dict) or str(extra.get("updateInterval", "")) != "0"


def snapshot(venue: OkxVenue, account: Account, wanted: Wanted) -> list[Document]:
    """What is told at once and now and then again; nothing on channels without a snapshot."""
    if wanted.channel == "positions":
        return _positions(venue, account, wanted)
    if wanted.channel == "account":
        return _account(venue, account, wanted)
    return _both(venue, account) if wanted.channel == "balance_and_position" else []


def _positions(venue: OkxVenue, account: Account, wanted: Wanted) -> list[Document]:
    rows = [
        market.position_row(account, symbol, side) | {"pTime": str(venue.now_ms)}
        for market in venue.swaps
        if market.product in wanted.products
        for (symbol, side), position in list(account.positions.items())
        if position.product == market.product
        and position.amount
        and wanted.symbol in ("", symbol)
        and wanted.family in ("", symbol.removesuffix("-SWAP"))
    ]
    pages = [rows[start : start + PAGE_MAX] for start in range(0, len(rows), PAGE_MAX)] or [[]]
    return [
        {
            "eventType": "snapshot",
            "curPage": number,
            "lastPage": number == len(pages),
            "data": page,
        }
        for number, page in enumerate(pages, 1)
    ]


def _account(venue: OkxVenue, account: Account, wanted: Wanted) -> list[Document]:
    currency = str(wanted.arg.get("ccy", ""))
    names = [currency] if currency else documents.held_currencies(account)
    row = documents.account_row(account, names, venue.now_ms)
    return [{"eventType": "snapshot", "curPage": 1, "lastPage": True, "data": [row]}]


def _both(venue: OkxVenue, account: Account) -> list[Document]:
    balances = [
        documents.moved_balance(account, name, venue.now_ms)
        for name in documents.held_currencies(account)
    ]
    positions = [
        documents.moved_position(account, market.instrument(symbol), side)
        for market in venue.swaps
        for (symbol, side), position in list(account.positions.items())
        if position.product == market.product and position.amount
    ]
    row: dict[str, Any] = documents.moved_row("snapshot", venue.now_ms, balances, positions, [])
    return [{"data": [row]}]
