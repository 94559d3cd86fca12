"""The socket of Futures: a challenge, then feeds (docs/venues/kraken.md 2.5 and 3.3)."""

import hmac
from collections.abc import Callable
from random import Random

import orjson

from simulator.accounts import Account
from simulator.delivery import Connection, Feed, Subscription
from simulator.instrument import Product
from simulator.kraken import futures_documents as documents
from simulator.kraken.futures import FAILED, FILLS, OPEN_ORDERS
from simulator.kraken.refusals import futures_refused
from simulator.kraken.reporter import BALANCES, POSITIONS
from simulator.kraken.signing import challenge_signature
from simulator.kraken.venue import KrakenVenue
from simulator.kraken.words import account_id, uuid
from simulator.message import Document
from simulator.refusal import Refused
from simulator.wire.session import Session, Verb, inside

HEARTBEAT, VERBOSE = "heartbeat", "open_orders_verbose"
FEEDS: dict[str, frozenset[str]] = {
    OPEN_ORDERS: frozenset({OPEN_ORDERS}),
    VERBOSE: frozenset({OPEN_ORDERS, FAILED}),
    FILLS: frozenset({FILLS}),
    POSITIONS: frozenset({POSITIONS}),
    BALANCES: frozenset({BALANCES}),
}
"""Private feeds, and the kinds of messages of each."""
PRODUCTS: tuple[Product, ...] = ("linear", "inverse")


class FuturesSession(Session):
    """One connection's requests."""

    def __init__(
        self, venue: KrakenVenue, feed: Feed, connection: Connection, random: Random
    ) -> None:
        super().__init__(feed, connection)
        self._venue = venue
        self._random = random
        self._challenge = ""
        self.put({"event": "info", "version": 1})

    def beat(self, now_ms: int) -> None:
        """Say the time to who asked for it."""
        if HEARTBEAT in self.listening:
            self.put({"feed": HEARTBEAT, "time": now_ms})

    def verb(self, request: Document | None, text: str) -> Verb:
        """By `event`."""
        verbs: dict[str, Verb] = {
            "challenge": self._ask,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
        }
        if request is None:
            raise futures_refused("bad_frame")
        name = str(request.get("event", ""))
        if name not in verbs:
            raise futures_refused("bad_event")
        return verbs[name]

    def refuse(self, request: Document | None, refusal: Refused) -> None:
        """The event `error`."""
        self.put({"event": "error", "message": refusal.message})

    def _ask(self, request: Document) -> None:
        if self._venue.account_of(str(request.get("api_key", "")), PRODUCTS) is None:
            raise futures_refused("bad_key")
        self._challenge = uuid(self._random.getrandbits(96))
        self.put({"event": "challenge", "message": self._challenge})

    def _account(self, request: Document) -> Account | None:
        """Who signed this connection's challenge; None where nobody did."""
        key, challenge = str(request.get("api_key", "")), str(request.get("original_challenge", ""))
        account = self._venue.account_of(key, PRODUCTS)
        if account is None or not challenge or challenge != self._challenge:
            return None
        wanted = challenge_signature(account.credentials[key].secret, challenge)
        given = str(request.get("signed_challenge", ""))
        return account if hmac.compare_digest(wanted, given) else None

    def _subscribe(self, request: Document) -> None:
        name = str(request.get("feed", ""))
        if name == HEARTBEAT:
            self.listen(name, ())
            self.put({"event": "subscribed", "feed": name})
            return
        if name not in FEEDS:
            raise futures_refused("no_channel")
        account = self._account(request)
        if account is None:
            self.put({"event": "subscribed_failed", "feed": name})
            return
        shown = {key: value for key, value in request.items() if key != "event"}
        self.put({"event": "subscribed"} | shown)
        if name in self.listening:
            self.unlisten(name)
        wrap = _numbered(name) if name in (POSITIONS, BALANCES) else inside_feed(name)
        self.listen(
            name,
            [
                Subscription(self.connection, account.name, product, wrap, FEEDS[name])
                for product in PRODUCTS
            ],
        )
        self._show(account, name, wrap)

    def _show(self, account: Account, name: str, wrap: Callable[[str], str]) -> None:
        """What stands at the beginning."""
        reporter, markets = self._venue.reporter, self._venue.futures
        head = {"account": account_id(account.name)}
        if name == POSITIONS:
            self.connection.put(wrap(_text(reporter.positions(account))))
        elif name == BALANCES:
            text = wrap(_text(reporter.wallets(account)))
            self.connection.put(text.replace(f'"{BALANCES}"', f'"{BALANCES}_snapshot"', 1))
        elif name == FILLS:
            self.put({"feed": "fills_snapshot"} | head | {"fills": reporter.fills(account)})
        else:
            orders = [
                documents.stream_order(order)
                for market in markets
                for order in market.open_orders(account)
            ]
            self.put({"feed": f"{name}_snapshot"} | head | {"orders": orders})

    def _unsubscribe(self, request: Document) -> None:
        name = str(request.get("feed", ""))
        if name not in self.listening:
            raise futures_refused("no_channel")
        self.unlisten(name)
        self.put({"event": "unsubscribed", "feed": name})


def _text(document: Document) -> str:
    return orjson.dumps(document).decode()


def inside_feed(name: str) -> Callable[[str], str]:
    """A frame of a feed around what stands in it."""
    return lambda text: inside(f'{{"feed":"{name}",')(text[1:])


def _numbered(name: str) -> Callable[[str], str]:
    """The same, with the next number of the subscription."""
    last = 0

    def wrap(text: str) -> str:
        nonlocal last
        last += 1
        return f'{{"feed":"{name}","seq":{last},{text[1:]}'

    return wrap
