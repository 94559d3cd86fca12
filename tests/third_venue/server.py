"""Dusk itself on real sockets: its own books, a wire that loses some messages, and connections cut.

It imports nothing of `dusk.py`: the wire is written down twice, as any exchange's is.
"""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
from aiohttp import web

from tests.third_venue.sockets import NO, Row, Sockets

PAGE = 7
ASKED_MAX = 24
"""So many questions in a second, each account by itself."""
LISTED_MAX = 9
"""Of them so many about one market."""
WORKING, DONE, PULLED, LAPSED = 10, 20, 30, 40
MARKETS = {
    "SOL-EUR": ("coins", "SOL", "EUR", "", "0.01", "0.001", ""),
    "ADA-EUR": ("coins", "ADA", "EUR", "", "0.0001", "1", ""),
    "SOL-F": ("futures", "SOL", "EUR", "EUR", "0.01", "1", "0.1"),
}


def now() -> str:
    """The venue's clock, in seconds."""
    nanoseconds = time.time_ns()
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9 // 1000:06d}"


@dataclass
class Order:
    """One order in the books."""

    number: int
    own: str
    market: str
    side: int
    price: Decimal
    lots: Decimal
    done: Decimal = Decimal(0)
    code: int = WORKING
    why: int = 0
    turn: int = 0
    at: str = ""

    def row(self) -> Row:
        return [
            "state", self.number, self.own, self.market, self.side, 1, str(self.price),
            str(self.lots), str(self.done), self.code, self.why, self.turn, self.at,
        ]  # fmt: skip


@dataclass
class Books:
    """What one account did: the truth."""

    orders: dict[int, Order] = field(default_factory=dict)
    deals: list[Row] = field(default_factory=list)
    stakes: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    coins: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: Decimal(10_000)))

    def purse(self) -> list[Row]:
        return [["purse", coin, str(free), "0", now()] for coin, free in self.coins.items()]

    def futures(self) -> list[Row]:
        return [
            ["stake", market, str(lots), "", now()]
            for market, lots in self.stakes.items()
            if MARKETS[market][0] == "futures"
        ]


class DuskServer:
    """A running Dusk with accounts by key; `seen` counts what happened to whom asked."""

    def __init__(self, secrets: dict[str, str], chance: random.Random) -> None:
        self.address = ""
        self.books = {key: Books() for key in secrets}
        self.seen: Counter[str] = Counter()
        self.lost_share = 0.0
        self.refuse_each = 0
        self._windows: dict[str, tuple[float, int]] = {}
        self.sockets = Sockets(secrets, chance, self.seen)
        self._chance = chance
        self._order_numbers = self._deal_numbers = 7_000_000

    # ---- trading

    async def trade(self, orders: int) -> None:
        """So many orders, each carried some way: filled in parts, pulled, lapsed or left open."""
        for _ in range(orders):
            key = self._chance.choice(list(self.books))
            order = self._placed(key)
            await self._tell(key, order.row())
            for _ in range(self._chance.randint(0, 3)):
                await self._deal(key, order)
            if order.code == WORKING and self._chance.random() < 0.8:
                code, why = self._chance.choice([(PULLED, 1), (LAPSED, 2), (PULLED, 3)])
                self._change(order, code=code, why=why)
                await self._tell(key, order.row())
            await asyncio.sleep(0)

    def _placed(self, key: str) -> Order:
        self._order_numbers += self._chance.randint(1, 9)
        market = self._chance.choice(list(MARKETS))
        order = Order(
            number=self._order_numbers,
            own=self._chance.choice(["", f"mine{self._order_numbers}"]),
            market=market,
            side=self._chance.randint(1, 2),
            price=Decimal(self._chance.randint(10_000, 20_000)) / 100,
            lots=Decimal(self._chance.randint(1, 50)),
        )
        self.books[key].orders[order.number] = order
        self._change(order)
        return order

    async def _deal(self, key: str, order: Order) -> None:
        """One match: books first, then what is said of it, in whichever order."""
        left = order.lots - order.done
        if not left:
            return
        lots = min(left, Decimal(self._chance.randint(1, 20)))
        books, sign = self.books[key], 1 if order.side == 1 else -1
        fee = lots * order.price / 1000 * self._chance.choice([1, 1, -1])
        self._deal_numbers += 1
        self._change(order, done=order.done + lots, code=DONE if lots == left else WORKING)
        deal = [
            "deal", self._deal_numbers, order.number, order.own, order.market, order.side,
            str(order.price), str(lots), str(fee), "EUR", self._chance.randint(0, 1), order.at,
        ]  # fmt: skip
        books.deals.append(deal)
        books.stakes[order.market] += sign * lots
        kind, base = MARKETS[order.market][:2]
        if kind == "coins":
            books.coins[base] += sign * lots
            books.coins["EUR"] -= sign * lots * order.price
        books.coins["EUR"] -= fee
        said = [deal, order.row(), *books.futures(), *books.purse()]
        self._chance.shuffle(said)
        for row in said:
            await self._tell(key, row)

    @staticmethod
    def _change(order: Order, **changed: Any) -> None:
        for name, value in changed.items():
            setattr(order, name, value)
        order.turn, order.at = order.turn + 1, now()

    async def _tell(self, key: str, row: Row) -> None:
        """Push one message, or lose it; who has no connection hears nothing either."""
        if self._chance.random() < self.lost_share:
            self.seen[f"lost {row[0]}"] += 1
            return
        await self.sockets.tell(key, row)

    # ---- questions

    async def answer(self, request: web.Request) -> web.Response:
        """One question, and what its asker has left in this window."""
        key = request.headers.get("Dusk-Key", "")
        left, reset_ms = self._left(key, ASKED_MAX)
        if (market := request.query.get("market")) is not None:
            in_time = self._left(f"{key} {market}", LISTED_MAX)[0] >= 0
            left = left if in_time else -1
        self.seen["questions"] += 1
        if left < 0 or (self.refuse_each and self.seen["questions"] % self.refuse_each == 0):
            self.seen["over" if left < 0 else "429"] += 1
            said = _said([["no", 9, "slow down"]], 429, {"dusk-wait": "1"})
        else:
            said = self._answer(request, key)
        said.headers.update({"dusk-left": str(max(0, left)), "dusk-reset": str(reset_ms)})
        return said

    def _left(self, key: str, asked_max: int) -> tuple[int, int]:
        """What `key` may still ask in its window, which its first question began; ms to its end."""
        at = time.monotonic()
        began, used = self._windows.get(key, (at, 0))
        began, used = (at, 0) if at - began >= 1 else (began, used)
        self._windows[key] = began, used + 1
        return asked_max - used - 1, int(1000 * (began + 1 - at)) + 1

    def _answer(self, request: web.Request, key: str) -> web.Response:
        path, asked, said = request.match_info["path"], request.query, request.headers
        if path == "clock":
            return _said([["clock", now().partition(".")[0]]])
        if path == "markets":
            wanted = {name: one for name, one in MARKETS.items() if one[0] == asked["kind"]}
            return _said([["market", name, *one[1:]] for name, one in wanted.items()])
        what = f"{said.get('Dusk-Time')}{request.raw_path}"
        if not self.sockets.is_signed(key, what, said.get("Dusk-Mac", "")):
            return _said([NO], 200) if path == "ticket" else _said(NO, 401)
        if path == "ticket":
            return _said([self.sockets.ticket(float(said["Dusk-Time"]))])
        return self._private(path, dict(asked), self.books[key])

    def _private(self, path: str, asked: dict[str, str], books: Books) -> web.Response:
        orders = [one for one in books.orders.values() if _is_of(one.market, asked)]
        if path == "state":
            order = books.orders.get(int(asked["order"]))
            return _said(["no", 7, "no such order"], 404) if order is None else _said([order.row()])
        if path == "working" and "market" not in asked:
            return _said(["no", 4, "of which market?"], 400)
        if path in ("working", "past"):
            is_working = path == "working"
            rows = (one.row() for one in orders if (one.code == WORKING) == is_working)
            return _paged(rows, asked, 12)
        if path == "deals":
            return _paged((row for row in books.deals if _is_of(row[4], asked)), asked, 11)
        busy = sorted({one.market for one in orders if one.code == WORKING})
        lists: dict[str, list[Row]] = {
            "purse": books.purse(), "stakes": books.futures(),
            "busy": [["busy", market] for market in busy],
        }  # fmt: skip
        return _said(lists[path])


def _is_of(market: str, asked: dict[str, str]) -> bool:
    return MARKETS[market][0] == asked["kind"] and asked.get("market", market) == market


def _paged(rows: Iterable[Row], asked: dict[str, str], time_column: int) -> web.Response:
    """Oldest first, after the cursor, within the span, of one order where that is asked."""
    since, until = Decimal(asked.get("since", "0")), Decimal(asked.get("until", "1e12"))
    after, order = int(asked.get("from", "0")), asked.get("order")
    wanted = [
        row
        for row in sorted(rows, key=_number_of)
        if row[1] > after and since <= Decimal(row[time_column]) < until
        and order in (None, str(row[2]))
    ]  # fmt: skip
    return _said(wanted[:PAGE])


def _number_of(row: Row) -> int:
    return int(row[1])


def _said(rows: Row, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(rows), status=status, headers=headers)


@asynccontextmanager
async def running(server: DuskServer) -> AsyncIterator[DuskServer]:
    """`server` on a free port of this machine."""
    app = web.Application()
    app.router.add_get("/feed", server.sockets.feed)
    app.router.add_get("/v/{path}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.address = server.sockets.address = f"127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()
