"""One received message of Bybit as evidence. Pure.

A message says itself what it is: a push by `topic`, an answer by `retCode` (of REST, or with `op`
of a socket for orders), the connection's own business by `op` alone, and a row by the fields that
only such rows have (`SHAPES`, first match). A list is the sum of its rows; one row that cannot be
read makes the whole message a dead letter, so nothing is half taken. Rows of products that are not
spoken here (options) are left out and counted, beside others that are.
"""

from collections.abc import Callable
from typing import Any, Final

from orderloom.event import Event
from venues.bybit import account, executions, orders, replies
from venues.bybit.reading import SWAP, Message
from venues.bybit.words import CATEGORIES
from venues.document import Document, fields_of, rows_of, text, time_ns
from venues.venue import BadFrame, Inbound, Translation, UnknownFrame

Reader = Callable[[Document, Message], tuple[Event, ...]]
UNKNOWN_KEPT_MAX: Final = 32
NESTING_MAX: Final = 3
PRODUCTS: Final = {**CATEGORIES, SWAP: SWAP}
OPTION: Final = "option"

TOPICS: Final[dict[str, Reader]] = {
    "order": orders.order_row,
    "execution": executions.execution_row,
    "execution.fast": executions.execution_row,
    "position": account.position_row,
    "wallet": account.wallet,
}
IGNORED_TOPICS: Final = {
    "greeks": "risk figures change no order",
    "dcp": "the dead man's switch",
    "system.status": "maintenance of the venue",
}
IGNORED_OPERATIONS: Final = {
    "auth": "ack of a sign-in",
    "subscribe": "ack of a subscription",
    "unsubscribe": "ack of a subscription",
    "ping": "a heartbeat",
    "pong": "a heartbeat",
}
# The first mark decides: orders and executions share many fields, and all name an order.
SHAPES: Final[tuple[tuple[str, Reader], ...]] = (
    ("execId", executions.execution_row),
    ("orderStatus", orders.order_row),
    ("size", account.position_row),
    ("walletBalance", account.balance_row),
    ("coin", account.wallet),
    ("lotSizeFilter", account.instrument_row),
    ("orderLinkId", replies.ack),
    ("orderId", replies.ack),
)
# Answers that say nothing of orders, executions, positions, balances or instruments.
IGNORED_SHAPES: Final = (
    ("timeNano", "the venue's clock"),
    ("permissions", "the rights of the key"),
    ("unifiedMarginStatus", "account settings"),
    ("dcpInfos", "settings of the dead man's switch"),
)


def translate(inbound: Inbound) -> Translation:
    """What one message of Bybit says.

    Raises:
        BadFrame: a part that matters cannot be read.
        UnknownFrame: a message of a kind that is not known here.
    """
    product = None if inbound.product is None else PRODUCTS.get(inbound.product)
    reading = Message(product)
    events = _events_of(inbound.document, reading, 0)
    unknown = tuple(dict.fromkeys(reading.unknown))[:UNKNOWN_KEPT_MAX] if reading.unknown else ()
    return Translation(events, None if events else reading.ignored, unknown)


def _events_of(document: Any, reading: Message, depth: int) -> tuple[Event, ...]:
    if type(document) is dict:
        return _object(document, reading)
    if type(document) is list and depth < NESTING_MAX:
        if not document:
            return reading.ignore("an empty answer")
        return tuple(event for row in document for event in _events_of(row, reading, depth + 1))
    raise UnknownFrame("neither an object nor a list of objects")


def _object(document: Document, reading: Message) -> tuple[Event, ...]:
    if "topic" in document:
        return _push(document, reading)
    if "op" in document:
        return _operation(document, reading)
    if "retCode" in document:
        return _answer(document, reading)
    return _row(document, reading)


def _operation(answer: Document, reading: Message) -> tuple[Event, ...]:
    """The answer to what was said on a socket: sign-in, subscription, ping, or a request."""
    name = answer["op"]
    if type(name) is not str:
        raise BadFrame(f"op: not a text: {name!r:.80}")
    if name.startswith("order."):
        return replies.socket_reply(answer, reading)
    reason = IGNORED_OPERATIONS.get(name)
    if reason is None:
        raise UnknownFrame(f"op {name!r:.80}")
    if answer.get("success") is False:
        return replies.failed_operation(answer, reading)
    if "retCode" in answer and replies.code_of(answer, "retCode") != replies.ACCEPTED:
        return replies.socket_reply(answer, reading)
    return reading.ignore(f"{name}: {reason}")


def _push(push: Document, reading: Message) -> tuple[Event, ...]:
    topic = push["topic"]
    if type(topic) is not str:
        raise BadFrame(f"topic: not a text: {topic!r:.80}")
    name, _, category = topic.rpartition(".")
    if category in CATEGORIES:  # such as `order.linear`; else all products come together
        reading.product = CATEGORIES[category]
    else:
        # Never by a connection's hint: one socket brings all products.
        name, reading.product = topic, None
    ignored = IGNORED_TOPICS.get(name) or IGNORED_TOPICS.get(name.partition(".")[0])
    if ignored is not None:
        return reading.ignore(f"{name}: {ignored}")
    reader = TOPICS.get(name)
    if reader is None:
        raise UnknownFrame(f"topic {topic!r:.80}")
    reading.sent_ns = time_ns(push, "creationTime")
    rows = rows_of(push.get("data"), "data")
    if not rows:
        return reading.ignore("an empty push")
    return tuple(event for row in rows for event in reader(fields_of(row, "data"), reading))


def _answer(answer: Document, reading: Message) -> tuple[Event, ...]:
    """An answer of REST in its envelope."""
    if replies.code_of(answer, "retCode") != replies.ACCEPTED:
        return replies.refusal(answer, reading)
    reading.sent_ns = time_ns(answer, "time")
    result = fields_of(answer.get("result") or {}, "result")
    if "list" not in result:
        return _row(result, reading)
    rows = rows_of(result["list"], "list")
    verdicts = fields_of(answer.get("retExtInfo") or {}, "retExtInfo").get("list")
    if verdicts:  # all is well, says the answer, whatever became of the items
        return replies.batch(rows, rows_of(verdicts, "retExtInfo"), reading)
    category = text(result, "category")
    if category == OPTION:
        reading.unknown.append(f"category={category}")
        return reading.ignore("of category option: not spoken here")
    if category is not None:
        if category not in CATEGORIES:
            raise UnknownFrame(f"category {category!r:.80}")
        reading.product = CATEGORIES[category]
    if not rows:
        return reading.ignore("an empty answer")
    return tuple(event for row in rows for event in _row(fields_of(row, "list"), reading))


def _row(row: Document, reading: Message) -> tuple[Event, ...]:
    for marker, reader in SHAPES:
        if marker in row:
            return reader(row, reading)
    for marker, reason in IGNORED_SHAPES:
        if marker in row:
            return reading.ignore(reason)
    if not row:
        return reading.ignore("an empty answer")
    raise UnknownFrame(f"an object with {', '.join(sorted(row)[:8])!r:.200}")
