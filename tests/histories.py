"""Seeded histories of evidence about a few orders: shuffled, repeated and cut.

A history is a list of (event, origin). `a_history(seed)` trades some orders as a venue might show
them: reports, executions, their repetitions by query, partial knowledge, client-id-only evidence,
chains, busts and corrections, in the venue's order.
"""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import orjson

from orderloom.event import Execution, Fee, OrderReport, Origin
from orderloom.words import FillKind, Liquidity, Reason, Side, Source, Status
from processors.orders.orders import Orders
from tests.builders import PLACE, an_origin, everywhere
from venues.venue import Profile

SECOND_NS = 1_000_000_000
ENDS = (Status.CANCELED, Status.EXPIRED, Status.REJECTED, Status.FILLED)

Piece = tuple[Any, Origin]


def a_history(seed: int, orders: int = 4) -> list[Piece]:
    """What a venue said about `orders` orders, in its own order."""
    random = Random(seed)
    pieces: list[Piece] = []
    for number in range(orders):
        pieces += _an_order(random, number)
    return pieces


def _an_order(random: Random, number: int) -> list[Piece]:
    """One order from acceptance to its end; client ids are used again by other orders."""
    base = {
        **PLACE,
        "venue_order_id": str(100 + number),
        "client_order_id": f"c{random.randrange(3)}",
    }
    side = random.choice(list(Side))
    quantity = Decimal(random.randint(2, 6))
    at = random.randint(1, 50) * SECOND_NS
    filled = Decimal(0)
    pieces: list[Piece] = []

    def report(status: Status | None, **fields: Any) -> None:
        source = random.choice(list(Source))
        origin = an_origin(source, asked_ns=at if source is Source.QUERY else None)
        stamped = {"ordinal": (at, 0), "venue_ns": at} if random.random() < 0.9 else {}
        known = {"side": side, "price": Decimal(150), "quantity": quantity}
        event = OrderReport(
            status=status, filled_quantity=filled, **{**base, **known, **stamped, **fields}
        )
        pieces.append((event, origin))

    if random.random() < 0.2:
        report(Status.WAITING_TRIGGER)
    report(Status.ACTIVE)
    for match in range(random.randint(0, 4)):
        at += random.randint(0, 2) * SECOND_NS
        amount = min(Decimal(random.randint(1, 3)), quantity - filled)
        if amount <= 0:
            break
        filled += amount
        pieces += _an_execution(random, base, (side, amount, at, f"{number}-{match}"))
        report(Status.FILLED if filled == quantity else Status.PARTIALLY_FILLED)
        if random.random() < 0.15:
            quantity += 1
            report(Status.PARTIALLY_FILLED, is_amendment=True, quantity=quantity)
        if random.random() < 0.15:
            base = _moved(random, base)
            report(Status.ACTIVE, replaces=pieces[-1][0].venue_order_id)
    at += SECOND_NS
    if random.random() < 0.7:
        report(random.choice(ENDS), reason=random.choice([None, *list(Reason)[:10]]))
    if random.random() < 0.1:
        report(random.choice(ENDS))
    return pieces


def _moved(random: Random, base: dict[str, Any]) -> dict[str, Any]:
    return {**base, "venue_order_id": f"{base['venue_order_id']}{random.randrange(10)}"}


def _an_execution(
    random: Random, base: dict[str, Any], match: tuple[Side, Decimal, int, str]
) -> list[Piece]:
    """One match as its several sources report it, some of them, some with fewer fields."""
    side, amount, at, exec_id = match
    full = Execution(
        **base, exec_id=exec_id, side=side, last_price=Decimal(150), last_quantity=amount,
        fee=Decimal("0.01"), fee_currency="SOL", liquidity=Liquidity.MAKER, venue_ns=at,
    )  # fmt: skip
    if random.random() < 0.1:
        full = replace(full, more_fees=(Fee("GT", Decimal("0.02")), Fee("POINT", Decimal(-1))))
    events = [full]
    if random.random() < 0.5:
        events.append(replace(full, fee=None, fee_currency=None))
    if random.random() < 0.3:
        events.append(replace(full, client_order_id=None, liquidity=None))
    if random.random() < 0.2:
        events.append(replace(full, venue_order_id=None))
    if random.random() < 0.1:
        events.append(replace(full, venue_order_id=None, client_order_id=None))
    if random.random() < 0.1:
        events.append(replace(full, last_price=Decimal(151)))
    if random.random() < 0.1:
        events.append(replace(full, kind=FillKind.CORRECTION, last_price=Decimal(149)))
    if random.random() < 0.1:
        events.append(replace(full, kind=FillKind.BUST))
    return [(event, an_origin(random.choice(list(Source)))) for event in events]


def shuffled(pieces: list[Piece], random: Random) -> list[Piece]:
    """Any order of arrival."""
    return random.sample(pieces, len(pieces))


def repeated(pieces: list[Piece], random: Random) -> list[Piece]:
    """Every piece at least once, some again."""
    return pieces + random.choices(pieces, k=len(pieces) // 2)


def folded(pieces: list[Piece], orders: Orders | None = None) -> Orders:
    """The orders after these pieces."""
    orders = orders or Orders("binance:main", everywhere(Profile()))
    for event, origin in pieces:
        orders.apply(event, origin)
    return orders


def cut(pieces: list[Piece], place: int, random: Random, empty: Orders | None = None) -> Orders:
    """The orders after these pieces, with a save and a load in between."""
    before = folded(pieces[:place], empty)
    after = Orders(before.account, before.profiles)
    keys = before.state_keys()
    for key in random.sample(keys, len(keys)):
        after.load_order(orjson.loads(orjson.dumps(before.dump_order(key))))
    after.finish_load()
    return folded(pieces[place:], after)


def content_of(orders: Orders) -> dict[str, bytes]:
    """What the orders hold, independent of arrival."""
    return {order.key: order.content() for order in orders.all()}


def evidence_of(orders: Orders) -> dict[str, Any]:
    """The complete joined evidence, unattributed included: all state but what arrival decides."""
    documents = {key: orders.dump_order(key) for key in orders.state_keys()}
    return {
        key: orjson.dumps([document["evidence"], document.get("unattributed")])
        for key, document in documents.items()
        if document is not None
    }
