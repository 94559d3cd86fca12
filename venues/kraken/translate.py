"""One received message of Kraken, of either system, as evidence. Pure.

A message says itself what it is. Spot: a push by `channel`, a reply on the socket by `method`, an
answer of REST by its list `error`. Futures: a push by `feed`, the connection's own business by
`event`, an answer by `result`, a page of the history by `elements`. One row that cannot be read
makes the whole message a dead letter, so nothing is half taken; what stands among the rows of a
table and is none is counted.
"""

from collections.abc import Callable
from typing import Any, Final

from orderloom.event import Event
from orderloom.words import Source
from venues.document import Document, fields_of, integer, rows_of, text
from venues.kraken import (
    futures,
    futures_account,
    futures_answers,
    futures_replies,
    replies,
    spot,
    spot_account,
    spot_answers,
)
from venues.kraken.reading import KrakenReading
from venues.kraken.words import INVERSE, LINEAR, SPOT
from venues.venue import BadFrame, Count, Inbound, Translation, UnknownFrame

RowReader = Callable[[Document, KrakenReading], tuple[Event, ...]]
NamedRowReader = Callable[[str, Document, KrakenReading], tuple[Event, ...]]
UNKNOWN_KEPT_MAX: Final = 32
PRODUCTS: Final = {SPOT: SPOT, LINEAR: LINEAR, INVERSE: INVERSE}

CHANNELS: Final[dict[str, RowReader]] = {
    "executions": spot.execution_report,
    "balances": spot_account.balance_entry,
}
IGNORED_CHANNELS: Final = {
    "heartbeat": "a heartbeat",
    "status": "whether the engine takes orders",
}
IGNORED_METHODS: Final = {
    "subscribe": "ack of a subscription",
    "unsubscribe": "ack of a subscription",
    "ping": "a heartbeat",
    "pong": "a heartbeat",
}
# By the first of these that a row has: a position of margin names an order too, and no trade.
NAMED_ROWS: Final[tuple[tuple[str, NamedRowReader | str], ...]] = (
    ("wsname", spot_account.pair_row),
    ("balance", spot_account.balance_row),
    ("vol_exec", spot_answers.order_row),
    ("vol_closed", "a position of margin, which fills explain"),
    ("ordertxid", spot_answers.trade_row),
)
TABLES: Final = ("open", "closed", "trades")
IGNORED_RESULTS: Final = (
    ("token", "a token for the socket"),
    ("unixtime", "the venue's clock"),
    ("permissions", "the rights of the key"),
    ("triggerTime", "the dead man's switch"),
    ("amends", "former terms of an order"),
    ("timestamp", "whether the engine takes orders"),
)
FEEDS: Final[dict[str, RowReader]] = {
    "open_orders": futures.order_change,
    "open_orders_verbose": futures.order_change,
    "open_orders_snapshot": futures.order_snapshot,
    "open_orders_verbose_snapshot": futures.order_snapshot,
    "fills": futures.fill_list,
    "fills_snapshot": futures.fill_list,
    "open_positions": futures_account.position_list,
    "balances": futures_account.balance_push,
    "balances_snapshot": futures_account.balance_push,
}
IGNORED_FEEDS: Final = {
    "heartbeat": "a heartbeat",
    "account_log": "bookings, which fills and balances have",
    "account_log_snapshot": "bookings, which fills and balances have",
    "notifications_auth": "news of the venue's",
}
IGNORED_EVENTS: Final = frozenset({"info", "challenge", "subscribed", "unsubscribed"})
REFUSED_EVENTS: Final = frozenset({"error", "alert", "subscribed_failed", "unsubscribed_failed"})
LISTS: Final[tuple[tuple[str, RowReader], ...]] = (
    ("openOrders", futures_answers.open_order),
    ("orders", futures_answers.order_status),
    ("fills", futures_answers.fill_row),
)
WHOLE_ANSWERS: Final[tuple[tuple[str, RowReader], ...]] = (
    ("openPositions", futures_account.position_rows),
    ("accounts", futures_account.wallets),
    ("instruments", futures_account.instrument_rows),
    (futures_replies.BATCH, futures_replies.batch_status),
)
IGNORED_ANSWERS: Final = (
    ("strategy", "settings"),
    ("status", "the dead man's switch"),
)


def translate(inbound: Inbound) -> Translation:
    """What one message of Kraken says.

    Raises:
        BadFrame: a part that matters cannot be read.
        UnknownFrame: a message of a kind that is not known here.
    """
    product = None if inbound.product is None else PRODUCTS.get(inbound.product)
    reading = KrakenReading(product, is_query=inbound.source is not Source.STREAM)
    events = _events_of(inbound.document, reading)
    unknown = tuple(dict.fromkeys(reading.unknown))[:UNKNOWN_KEPT_MAX]
    return Translation(events, None if events else reading.ignored, unknown, tuple(reading.counts))


def _events_of(document: Any, reading: KrakenReading) -> tuple[Event, ...]:
    if type(document) is not dict:
        raise UnknownFrame("no object")
    for marker, reader in ENVELOPES:
        if marker in document:
            return reader(document, reading)
    raise UnknownFrame(f"an object with {', '.join(sorted(document)[:8])!r:.200}")


# ---- Spot


def _channel(push: Document, reading: KrakenReading) -> tuple[Event, ...]:
    name = _word(push, "channel")
    if name in IGNORED_CHANNELS:
        return reading.ignore(f"{name}: {IGNORED_CHANNELS[name]}")
    reader = CHANNELS.get(name)
    if reader is None:
        raise UnknownFrame(f"channel {name!r:.80}")
    number = integer(push, "sequence")
    if number is not None:
        reading.counts.append(Count(name, number, begins=push.get("type") == "snapshot"))
    rows = [fields_of(row, "data") for row in rows_of(push.get("data"), "data")]
    if not rows:
        return reading.ignore("an empty push")
    return tuple(event for row in rows for event in reader(row, reading))


def _word(document: Document, name: str) -> str:
    value = document[name]
    if type(value) is not str:
        raise BadFrame(f"{name}: not a text: {value!r:.80}")
    return value


def _method(answer: Document, reading: KrakenReading) -> tuple[Event, ...]:
    name = _word(answer, "method")
    reason = IGNORED_METHODS.get(name)
    if reason is not None and answer.get("success") is not False:
        return reading.ignore(f"{name}: {reason}")
    return replies.socket_reply(answer, reading)


def _spot_answer(answer: Document, reading: KrakenReading) -> tuple[Event, ...]:
    if type(answer["error"]) is str:  # of the host that checks keys of Futures
        return replies.refused(answer["error"], reading)
    errors = replies.errors_of(answer)
    reading.unknown += [f"warning={one[:80]}" for one in answer["error"] if one not in errors]
    if errors:
        return replies.refused(errors[0], reading)
    result = fields_of(answer.get("result") or {}, "result")
    for name in TABLES:
        if name in result:
            return _table(fields_of(result[name], name), reading)
    for marker, reason in IGNORED_RESULTS:
        if marker in result:
            return reading.ignore(reason)
    said = replies.spot_results(result, reading)
    return _table(result, reading) if said is None else said


def _table(table: Document, reading: KrakenReading) -> tuple[Event, ...]:
    """Rows under their names; what has the shape of none is counted."""
    found: list[Event] = []
    known = 0
    for name, row in table.items():
        reader = _reader_of(row)
        if reader is None:
            reading.unknown.append(f"row {name[:80]}")
            continue
        known += 1
        found += reading.ignore(reader) if isinstance(reader, str) else reader(name, row, reading)
    if table and not known:
        raise UnknownFrame(f"a table with {', '.join(sorted(table)[:8])!r:.200}")
    return tuple(found) if found else reading.ignore(reading.ignored or "an empty answer")


def _reader_of(row: object) -> NamedRowReader | str | None:
    if type(row) is not dict:
        return None
    return next((reader for marker, reader in NAMED_ROWS if marker in row), None)


# ---- Futures


def _feed(push: Document, reading: KrakenReading) -> tuple[Event, ...]:
    if "event" in push:
        return _connection(push, reading)
    name = _word(push, "feed")
    if name in IGNORED_FEEDS:
        return reading.ignore(f"{name}: {IGNORED_FEEDS[name]}")
    reader = FEEDS.get(name)
    if reader is None:
        raise UnknownFrame(f"feed {name!r:.80}")
    return reader(push, reading)


def _connection(push: Document, reading: KrakenReading) -> tuple[Event, ...]:
    name = _word(push, "event")
    if name in IGNORED_EVENTS:
        return reading.ignore(f"{name}: the connection's own business")
    if name not in REFUSED_EVENTS:
        raise UnknownFrame(f"event {name!r:.80}")
    return replies.refused(text(push, "message") or name, reading)


def _futures_answer(answer: Document, reading: KrakenReading) -> tuple[Event, ...]:
    outcome = answer["result"]
    if outcome == "error":
        return replies.refused(_error_of(answer), reading)
    if outcome != "success":
        raise UnknownFrame(f"result {outcome!r:.80}")
    for name, reader in LISTS:
        if name in answer:
            rows = rows_of(answer[name], name)
            said = tuple(one for row in rows for one in reader(fields_of(row, name), reading))
            return said or reading.ignore(reading.ignored or "an empty answer")
    for name, reader in WHOLE_ANSWERS:
        if name in answer:
            return reader(answer, reading)
    for name in futures_replies.STATUSES:
        if name in answer:
            return futures_replies.request_status(name, answer, reading)
    for name, reason in IGNORED_ANSWERS:
        if name in answer:
            return reading.ignore(reason)
    raise UnknownFrame(f"an answer with {', '.join(sorted(answer)[:8])!r:.200}")


def _error_of(answer: Document) -> str:
    said = answer.get("error")
    if said is None:
        listed = rows_of(answer.get("errors") or [""], "errors")
        said = listed[0]
    if type(said) is not str:
        raise BadFrame(f"error: not a text: {said!r:.80}")
    return said


def _history(page: Document, reading: KrakenReading) -> tuple[Event, ...]:
    rows = [fields_of(row, "elements") for row in rows_of(page["elements"], "elements")]
    found = tuple(event for row in rows for event in futures_answers.history_event(row, reading))
    return found or reading.ignore(reading.ignored or "an empty answer")


def _answer(answer: Document, reading: KrakenReading) -> tuple[Event, ...]:
    is_futures = type(answer["result"]) is str
    if not is_futures and "error" not in answer:
        raise UnknownFrame("a result without the errors beside it")
    return (_futures_answer if is_futures else _spot_answer)(answer, reading)


ENVELOPES: Final[tuple[tuple[str, RowReader], ...]] = (
    ("channel", _channel),
    ("method", _method),
    ("feed", _feed),
    ("event", _connection),
    ("elements", _history),
    # An answer of Futures that is an error has both of the next two.
    ("result", _answer),
    ("error", _spot_answer),
)
