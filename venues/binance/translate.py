"""One received message of Binance as evidence. Pure.

A message says itself what it is: events by `e`, replies of the WebSocket API by `id` and `status`,
REST answers and bare rows by the fields that only they have (`SHAPES`, first match). The hints of
`Inbound` decide only where both products write the same. A list is the sum of its rows; one row
that cannot be read makes the whole message a dead letter, so nothing is half taken.
"""

from collections.abc import Callable
from typing import Any, Final

from orderloom.event import Event
from venues.binance import replies, spot, spot_account, usdm, usdm_account
from venues.binance.reading import LINEAR, NOT_SPOKEN, SPOT, is_coin_margined
from venues.document import Document, fields_of, rows_of
from venues.venue import BadFrame, Inbound, Translation, UnknownFrame

Reader = Callable[[Document, list[str]], tuple[Event, ...]]
NESTING_MAX: Final = 4
REQUEST_ID_LENGTH_MAX: Final = 64
UNKNOWN_KEPT_MAX: Final = 32
PRODUCTS: Final = {"spot": SPOT, "margin": SPOT, "linear": LINEAR, "swap": LINEAR}

EVENTS: Final[dict[str, Reader]] = {
    "executionReport": spot.execution_report,
    "outboundAccountPosition": spot_account.account_position,
    "balanceUpdate": spot_account.balance_update,
    "ORDER_TRADE_UPDATE": usdm.order_trade_update,
    "TRADE_LITE": usdm.trade_lite,
    "ACCOUNT_UPDATE": usdm_account.account_update,
    "ALGO_UPDATE": usdm_account.algo_update,
    "CONDITIONAL_ORDER_TRIGGER_REJECT": usdm_account.trigger_reject,
}
IGNORED_EVENTS: Final = {
    "listStatus": "each order of a list has its own report",
    "externalLockUpdate": "a lock from outside: the next balances hold it",
    "eventStreamTerminated": "the connection's own business",
    "serverShutdown": "the connection's own business",
    "listenKeyExpired": "the connection's own business",
    "ACCOUNT_CONFIG_UPDATE": "leverage and modes change no order",
    "MARGIN_CALL": "a warning, not a change",
    "STRATEGY_UPDATE": "the orders of a strategy report themselves",
    "GRID_UPDATE": "the orders of a grid report themselves",
}
# Answers that say nothing of orders, executions, positions, balances or instruments.
IGNORED_SHAPES: Final = (
    ("listenKey", "a listen key"),
    ("subscriptionId", "ack of a subscription"),
    ("authorizedSince", "state of the session"),
    ("serverTime", "the venue's clock"),
    ("countdownTime", "ack of the dead man's switch"),
    ("rateLimitType", "order counters"),
    ("enableReading", "permissions of the key"),
    ("dualSidePosition", "account settings"),
    ("maxNotionalValue", "account settings"),
    ("incomeType", "income history"),
    ("preventedMatchId", "a prevented match is no execution"),
    ("contingencyType", "each order of a list has its own report"),
)


class _Read:
    """One message being read: its hints, and what it held that we do not know."""

    __slots__ = ("ignored", "product", "request_id", "unknown")

    def __init__(self, product: str | None) -> None:
        self.product = product
        self.unknown: list[str] = []
        self.ignored: str | None = None
        self.request_id: str | None = None

    def ignore(self, reason: str) -> tuple[Event, ...]:
        self.ignored = reason
        return ()


def translate(inbound: Inbound) -> Translation:
    """What one message of Binance says.

    Raises:
        BadFrame: a part that matters cannot be read.
        UnknownFrame: a message of a kind that is not known here.
    """
    hint = inbound.product
    # Refused before it is read: five contracts would pass for five coins (decision 0309).
    if hint == "inverse":
        raise UnknownFrame(NOT_SPOKEN)
    read = _Read(None if hint is None else PRODUCTS.get(hint))
    events = _events_of(inbound.document, read, 0)
    unknown = tuple(dict.fromkeys(read.unknown))[:UNKNOWN_KEPT_MAX] if read.unknown else ()
    return Translation(events, None if events else read.ignored, unknown)


def _events_of(document: Any, read: _Read, depth: int) -> tuple[Event, ...]:
    if depth > NESTING_MAX:
        raise UnknownFrame("messages within messages")
    if type(document) is list:
        if any(type(row) is dict and "code" in row for row in document):
            # Only a batch of USD-M answers with a list in which refusals stand beside orders.
            read.product = read.product or LINEAR
        return tuple(event for row in document for event in _events_of(row, read, depth + 1))
    if type(document) is not dict:
        raise UnknownFrame("neither an object nor a list")
    name = document.get("e")
    if name is not None:
        return _pushed_event(name, document, read)
    inner = _wrapped(document)
    if inner is not None:
        return _events_of(inner, read, depth + 1)
    return _answer_of(document, read, depth)


def _wrapped(document: Document) -> Any:
    """The event in its envelope: a subscription of Spot, a combined stream of USD-M."""
    if "event" in document:
        return fields_of(document["event"], "event")
    if "stream" in document and "data" in document:
        return fields_of(document["data"], "data")
    return None


def _pushed_event(name: object, document: Document, read: _Read) -> tuple[Event, ...]:
    if type(name) is not str:
        raise BadFrame(f"e: not a text: {name!r:.80}")
    reader = EVENTS.get(name)
    if reader is not None:
        if _is_of_coin_margined(document):
            raise UnknownFrame(NOT_SPOKEN)
        return reader(document, read.unknown)
    reason = IGNORED_EVENTS.get(name)
    if reason is None:
        raise UnknownFrame(f"event {name!r:.80}")
    return read.ignore(f"{name}: {reason}")


def _is_of_coin_margined(event: Document) -> bool:
    """Whether the envelope says that an event is of COIN-M; else its symbols do (`linear_symbol`).

    `fs` is the business unit of portfolio margin, `st` the product where one stream has both. An
    `ACCOUNT_UPDATE` of balances alone has no symbol: there the account's alias, `i`, is the mark.
    """
    for name, spoken in (("fs", "UM"), ("st", 1)):
        if event.get(name) is not None:
            return bool(event[name] != spoken)
    change = event.get("a")
    return type(change) is dict and not change.get("P") and bool(event.get("i"))


def _answer_of(document: Document, read: _Read, depth: int) -> tuple[Event, ...]:
    # A status that is a number is HTTP's: in a row of an order it is a word.
    if "status" in document and "id" in document and type(document["status"]) is int:
        return _websocket_reply(document, read, depth)
    if "cancelResult" in document and "newOrderResult" in document:
        return _both_halves(document, read, depth)
    # The ack of an algo order's cancel has a code and a text too: it is no refusal.
    if "code" in document and "msg" in document and "algoId" not in document:
        return _coded(document, read, depth)
    for marker, shape in SHAPES:
        if marker in document:
            return shape(document, read)
    for marker, reason in IGNORED_SHAPES:
        if marker in document:
            return read.ignore(reason)
    is_ack = "id" in document and document.get("result", document) is None  # of SUBSCRIBE
    if not document or is_ack:
        return read.ignore("ack of a subscription" if is_ack else "an empty answer")
    raise UnknownFrame(f"an object with {', '.join(sorted(document)[:8])!r:.200}")


def _websocket_reply(reply: Document, read: _Read, depth: int) -> tuple[Event, ...]:
    request_id = reply["id"]
    read.request_id = None if request_id is None else f"{request_id}"[:REQUEST_ID_LENGTH_MAX]
    if reply.get("error") is not None:
        return _coded(fields_of(reply["error"], "error"), read, depth)
    result = reply.get("result")
    if result is None:
        return read.ignore("an empty answer")
    return _events_of(result, read, depth + 1)


def _coded(answer: Document, read: _Read, depth: int) -> tuple[Event, ...]:
    data = answer.get("data")
    if type(data) is dict and "cancelResult" in data:
        return _both_halves(data, read, depth)
    product = read.product or SPOT
    return replies.code_reply(answer, product, read.unknown, read.request_id)


def _both_halves(answer: Document, read: _Read, depth: int) -> tuple[Event, ...]:
    """A cancel-replace: each half is an order, a refusal, or was not tried (null)."""
    halves = (answer.get("cancelResponse"), answer.get("newOrderResponse"))
    return tuple(
        event
        for half in halves
        if half is not None
        for event in _events_of(fields_of(half, "half"), read, depth + 1)
    )


def _order(row: Document, read: _Read) -> tuple[Event, ...]:
    product = _product_of(row, SPOT_ORDER_MARKS, LINEAR_ORDER_MARKS, read)
    if "status" not in row and "executedQty" not in row:
        return replies.acknowledgement(row, product, read.request_id)
    reader = spot.order_row if product == SPOT else usdm.order_row
    return reader(row, read.unknown)


def _trade(row: Document, read: _Read) -> tuple[Event, ...]:
    product = _product_of(row, SPOT_TRADE_MARKS, LINEAR_TRADE_MARKS, read)
    reader = spot.trade_row if product == SPOT else usdm.trade_row
    return reader(row, read.unknown)


def _instruments(answer: Document, read: _Read) -> tuple[Event, ...]:
    rows = [fields_of(row, "symbols") for row in rows_of(answer["symbols"], "symbols")]
    # Here alone some may be left out: the list names what
    # the venue has, not what an account did (decision 0309).
    spoken = [row for row in rows if not is_coin_margined(f"{row.get('symbol')}", row)]
    if rows and not spoken:
        raise UnknownFrame(NOT_SPOKEN)
    return tuple(event for row in spoken for event in _instrument(row, read))


def _instrument(row: Document, read: _Read) -> tuple[Event, ...]:
    product = _product_of(row, SPOT_SYMBOL_MARKS, LINEAR_SYMBOL_MARKS, read)
    reader = spot_account.instrument_row if product == SPOT else usdm_account.instrument_row
    return reader(row, read.unknown)


def _bare_report(row: Document, read: _Read) -> tuple[Event, ...]:
    product = _product_of(row, SPOT_REPORT_MARKS, LINEAR_REPORT_MARKS, read)
    reader = spot.execution_report if product == SPOT else usdm.order_report
    return reader(row, read.unknown)


def _order_list(answer: Document, read: _Read) -> tuple[Event, ...]:
    rows = rows_of(answer["orderReports"], "orderReports")
    return tuple(event for row in rows for event in _order(fields_of(row, "orderReports"), read))


def _product_of(
    row: Document, spot_marks: frozenset[str], linear_marks: frozenset[str], read: _Read
) -> str:
    """Whose row it is: by a field that only one product writes, else by the hint."""
    if not spot_marks.isdisjoint(row):
        return SPOT
    if not linear_marks.isdisjoint(row):
        return LINEAR
    if read.product is None:
        raise UnknownFrame("a row that both products could have written, and no product is given")
    return read.product


# What only one of the two products writes; where nothing
# of it is there, the hint decides (decision 0301).
SPOT_ORDER_MARKS: Final = frozenset(
    {"orderListId", "cummulativeQuoteQty", "transactTime", "origQuoteOrderQty", "isWorking"}
)
LINEAR_ORDER_MARKS: Final = frozenset(
    {"positionSide", "reduceOnly", "closePosition", "cumQuote", "avgPrice", "origType", "cumQty"}
)
SPOT_TRADE_MARKS: Final = frozenset({"isBuyer", "isMaker", "orderListId"})
LINEAR_TRADE_MARKS: Final = frozenset({"realizedPnl", "positionSide", "buyer", "maker"})
SPOT_SYMBOL_MARKS: Final = frozenset({"isSpotTradingAllowed", "icebergAllowed", "permissions"})
LINEAR_SYMBOL_MARKS: Final = frozenset({"marginAsset", "contractType", "pair"})
SPOT_REPORT_MARKS: Final = frozenset({"C", "I", "Z", "eR"})
LINEAR_REPORT_MARKS: Final = frozenset({"ps", "ap", "er", "rp"})


def _plain(reader: Reader) -> Callable[[Document, _Read], tuple[Event, ...]]:
    return lambda document, read: reader(document, read.unknown)


# The first mark decides: rows of trades and amendments have an `orderId` too, so they come first.
SHAPES: Final[tuple[tuple[str, Callable[[Document, _Read], tuple[Event, ...]]], ...]] = (
    ("symbols", _instruments),
    ("filters", _instrument),
    ("balances", _plain(spot_account.account)),
    ("assets", _plain(usdm_account.account)),
    ("orderReports", _order_list),
    ("amendedOrder", _plain(spot.amend_reply)),
    ("amendment", _plain(usdm.amendment_row)),
    ("newQty", _plain(spot.amendment_row)),
    ("algoId", _plain(usdm_account.algo_row)),
    ("aid", _plain(usdm_account.algo_row)),
    ("commission", _trade),
    ("qty", _trade),
    ("orderId", _order),
    ("positionAmt", _plain(usdm_account.position_row)),
    ("balance", _plain(usdm_account.balance_row)),
    ("walletBalance", _plain(usdm_account.balance_row)),
    ("free", lambda row, read: (spot_account.balance_row(row, read.unknown),)),
    ("X", _bare_report),
    ("wb", lambda row, read: (usdm_account.balance_entry(row, read.unknown),)),
    ("pa", lambda row, read: (usdm_account.position_entry(row, read.unknown),)),
    ("f", lambda row, read: (spot_account.balance_entry(row, read.unknown),)),
)
