"""What Kraken Futures tells of an account as a whole: numbers of fills, wallets, its history."""

from collections import Counter, defaultdict
from copy import copy
from typing import TYPE_CHECKING

from simulator.accounts import Account, Fill
from simulator.kraken import futures_documents as documents
from simulator.kraken.futures_documents import Happened
from simulator.kraken.words import account_id
from simulator.matching import Order
from simulator.message import Document, Message

if TYPE_CHECKING:
    from simulator.kraken.venue import KrakenVenue

SNAPSHOT_FILLS = 100
POSITIONS, BALANCES = "open_positions", "balances"


class Reporter:
    """Both kinds of contracts together: one connection shows them all."""

    def __init__(self, venue: "KrakenVenue") -> None:
        self._venue = venue
        self._changed: dict[str, None] = {}
        self._seqs: Counter[str] = Counter()
        self._fills: dict[str, list[Document]] = defaultdict(list)
        self.happened: dict[str, list[Happened]] = defaultdict(list)
        """The history of each account's orders."""
        self._shown: dict[int, Order] = {}

    def number(self, account: Account, fill: Fill, order: Order) -> Document:
        """The execution as `fills` shows it, with the account's next number."""
        self._seqs[account.name] += 1
        row = documents.stream_fill(fill, order, self._seqs[account.name])
        rows = self._fills[account.name]
        rows.append(row)
        del rows[:-SNAPSHOT_FILLS]
        self.touch(account)
        return row

    def write(self, account: Account, kind: str, order: Order, reason: str) -> None:
        """Put an event into the history, with the order as it is now."""
        old = self._shown.get(order.order_id)
        shown = self._shown[order.order_id] = copy(order)
        event = Happened(self._venue.now_ms, kind, shown, reason, old)
        self.happened[account.name].append(event)

    def touch(self, account: Account) -> None:
        """Its positions and wallets changed."""
        self._changed[account.name] = None

    def flush(self) -> None:
        """Tell of what changed since the last time."""
        changed, self._changed = self._changed, {}
        for name in changed:
            account = self._venue.accounts[name]
            self._publish(name, POSITIONS, self.positions(account))
            self._publish(name, BALANCES, self.wallets(account))

    def positions(self, account: Account) -> Document:
        """The whole list; what is not in it is flat."""
        rows = [
            documents.stream_position(
                position, market.instrument(symbol), market.last_price(symbol)
            )
            for market in self._venue.futures
            for (symbol, _), position in account.positions.items()
            if position.product == market.product and position.amount
        ]
        return self._head(account) | {"positions": rows}

    def wallets(self, account: Account) -> Document:
        """What is held."""
        return self._head(account) | documents.stream_wallets(account)

    def fills(self, account: Account) -> list[Document]:
        """The last executions, as they were told."""
        return list(self._fills[account.name])

    def _head(self, account: Account) -> Document:
        return {"account": account_id(account.name), "timestamp": self._venue.now_ms}

    def _publish(self, name: str, kind: str, document: Document) -> None:
        self._venue.publish(Message(name, "linear", kind, document))
