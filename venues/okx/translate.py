"""One received message of OKX as evidence. Pure.

A message says itself what it is: a push by `arg.channel`, an event of the connection by `event`,
the reply to a request on the socket by `op`, a REST answer by `code` and `data`, and a row by the
fields that only such rows have (`SHAPES`, first match). A list is the sum of its rows; one row that
cannot be read makes the whole message a dead letter, so nothing is half taken. Rows of kinds that
are not spoken here (options, dated futures) are left out and counted, beside others that are.
"""

from collections.abc import Callable
from typing import Any, Final

from orderloom.event import Event
from orderloom.words import Source
from venues.document import Document, fields_of, rows_of, text
from venues.okx import account, algo, orders, replies
from venues.okx.reading import INVERSE, LINEAR, SPOT
from venues.reading import Reading
from venues.venue import BadFrame, Inbound, Translation, UnknownFrame

Reader = Callable[[Document, Reading], tuple[Event, ...]]
UNKNOWN_KEPT_MAX: Final = 32
NESTING_MAX: Final = 3
PRODUCTS: Final = {
    "spot": SPOT, "margin": SPOT, "linear": LINEAR, "swap": LINEAR, "inverse": INVERSE,
}  # fmt: skip
HEARTBEATS: Final = frozenset({"ping", "pong"})

CHANNELS: Final[dict[str, Reader]] = {
    "orders": lambda row, reading: orders.order_row(row, reading, is_push=True),
    "fills": orders.lean_fill,
    "positions": account.position_row,
    "account": account.account,
    "balance_and_position": account.balance_and_position,
    "orders-algo": algo.algo_row,
    "algo-advance": algo.algo_row,
}
IGNORED_CHANNELS: Final = {
    "liquidation-warning": "a warning, not a change",
    "account-greeks": "risk figures change no order",
    "status": "maintenance of the venue",
    "grid-orders-spot": "the orders of a grid report themselves",
    "grid-orders-contract": "the orders of a grid report themselves",
}
IGNORED_EVENTS: Final = {
    "login": "ack of a sign-in",
    "subscribe": "ack of a subscription",
    "unsubscribe": "ack of a subscription",
    "channel-conn-count": "the connection's own business",
    "channel-conn-count-error": "the connection's own business",
    "notice": "the connection's own business",
}
# Rows that say nothing of orders, executions, positions, balances or instruments.
IGNORED_SHAPES: Final = (
    ("triggerTime", "ack of the dead man's switch"),
    ("acctLv", "account settings"),
    ("accRateLimit", "order counters"),
    ("serviceType", "maintenance of the venue"),
    ("ts", "the venue's clock"),
)
# The first mark decides: orders, executions and conditional orders share many
# fields, so what only one kind of row has stands before what several have.
SHAPES: Final[tuple[tuple[str, Reader], ...]] = (
    ("sCode", replies.item_reply),
    ("accFillSz", orders.order_row),
    ("details", account.account),
    ("balData", account.balance_and_position),
    ("posData", account.balance_and_position),
    ("tickSz", account.instrument_row),
    ("lotSz", account.instrument_row),
    ("count", orders.lean_fill),
    ("billId", orders.trade_row),
    ("fillSz", lambda row, reading: _trade_or_order(row)(row, reading)),
    ("algoId", algo.algo_row),
    ("pos", account.position_row),
    ("cashBal", account.balance_row),
)


def _trade_or_order(row: Document) -> Reader:
    return orders.order_row if "state" in row else orders.trade_row


def translate(inbound: Inbound) -> Translation:
    """What one message of OKX says.

    Raises:
        BadFrame: a part that matters cannot be read.
        UnknownFrame: a message of a kind that is not known here.
    """
    product = None if inbound.product is None else PRODUCTS.get(inbound.product)
    # `fillSz` is this push's fill on the stream and the last one in an
    # answer: which it is, decides whether a row is an execution at all.
    reading = Reading(product, is_query=inbound.source is not Source.STREAM)
    events = _events_of(inbound.document, reading, 0)
    unknown = tuple(dict.fromkeys(reading.unknown))[:UNKNOWN_KEPT_MAX] if reading.unknown else ()
    return Translation(events, None if events else reading.ignored, unknown)


def _events_of(document: Any, reading: Reading, depth: int) -> tuple[Event, ...]:
    if type(document) is dict:
        return _object(document, reading, depth)
    if type(document) is list and depth < NESTING_MAX:
        if not document:
            return reading.ignore("an empty answer")
        return tuple(event for row in document for event in _events_of(row, reading, depth + 1))
    if type(document) is str and document in HEARTBEATS:
        return reading.ignore("a heartbeat")
    raise UnknownFrame("neither an object nor a list of objects")


def _object(document: Document, reading: Reading, depth: int) -> tuple[Event, ...]:
    if "event" in document:
        return _event(document, reading)
    if "arg" in document:
        return _push(document, reading)
    if "op" in document:
        return replies.socket_reply(document, reading)
    if "data" in document:
        return _answer(document, reading, depth)
    return _row(document, reading)


def _event(event: Document, reading: Reading) -> tuple[Event, ...]:
    name = event["event"]
    if type(name) is not str:
        raise BadFrame(f"event: not a text: {name!r:.80}")
    if name == "error":
        return replies.refusal(event, reading, text(event, "id"))
    reason = IGNORED_EVENTS.get(name)
    if reason is None:
        raise UnknownFrame(f"event {name!r:.80}")
    return reading.ignore(f"{name}: {reason}")


def _push(push: Document, reading: Reading) -> tuple[Event, ...]:
    channel = fields_of(push["arg"], "arg").get("channel")
    if type(channel) is not str:
        raise BadFrame(f"channel: not a text: {channel!r:.80}")
    if channel in IGNORED_CHANNELS:
        return reading.ignore(f"{channel}: {IGNORED_CHANNELS[channel]}")
    reader = CHANNELS.get(channel)
    if reader is None:
        raise UnknownFrame(f"channel {channel!r:.80}")
    rows = rows_of(push.get("data"), "data")
    if not rows:
        return reading.ignore("an empty snapshot")
    return tuple(event for row in rows for event in reader(fields_of(row, "data"), reading))


def _answer(answer: Document, reading: Reading, depth: int) -> tuple[Event, ...]:
    """An answer in its envelope; items with a code of their own decide for themselves."""
    code, rows = replies.code_of(answer, "code"), rows_of(answer["data"], "data")
    if rows and code in replies.ITEM_CODES:
        # Only answers have this envelope, whatever the hint says (decision 0301).
        reading.is_query = True
        return _events_of(rows, reading, depth + 1)
    if code == replies.ACCEPTED:
        return reading.ignore("an empty answer")
    return replies.refusal(answer, reading)


def _row(row: Document, reading: Reading) -> tuple[Event, ...]:
    for marker, reader in SHAPES:
        if marker in row:
            return reader(row, reading)
    if "code" in row and "msg" in row:
        return _answer({"data": [], **row}, reading, 0)
    # `ts` stands in most rows: one that names an order must not pass for the venue's clock.
    is_about_an_order = "instId" in row or "ordId" in row
    for marker, reason in IGNORED_SHAPES:
        if marker in row and not is_about_an_order:
            return reading.ignore(reason)
    if not row:
        return reading.ignore("an empty answer")
    raise UnknownFrame(f"an object with {', '.join(sorted(row)[:8])!r:.200}")
