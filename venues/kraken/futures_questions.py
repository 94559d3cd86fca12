"""What we ask Kraken Futures: requests, the pages that follow, when a page may be believed. Pure.

Manual: "Get Open Orders", "Get Open Positions", "Get Wallets", "Get Instruments", "Get Order
Events", "Get Execution Events". Both kinds of contracts stand in the same lists. Histories go
forward by a token, from the oldest. One order is looked for among the open ones, then in the
history, from the newest: `orders/status` forgets an order five seconds after its end, and wants a
key that may trade (decision 1106).
"""

from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from orderloom.question import About, Question
from venues.document import Document, fields_of, parse, rows_of
from venues.kraken.reading import moment_ns
from venues.kraken.requests import HISTORY, TRADING, futures_request, public_request
from venues.request import Context, HttpRequest
from venues.venue import MILLISECOND_NS, SECOND_NS, BadFrame, Page

OPEN: Final = f"{TRADING}openorders"
POSITIONS: Final = f"{TRADING}openpositions"
ACCOUNTS: Final = f"{TRADING}accounts"
INSTRUMENTS: Final = f"{TRADING}instruments"
ORDERS: Final = f"{HISTORY}orders"
EXECUTIONS: Final = f"{HISTORY}executions"
LISTS: Final = {OPEN: "openOrders", POSITIONS: "openPositions", INSTRUMENTS: "instruments"}
HISTORIES: Final = frozenset({ORDERS, EXECUTIONS})
ASKED_AT: Final = {
    About.OPEN_ORDERS: OPEN,
    About.ORDER: OPEN,
    About.POSITIONS: POSITIONS,
    About.BALANCES: ACCOUNTS,
}
# Every answer says the time. The list is long, but of what the manual has no other is public: the
# clock is asked without a key, and each refused key would count against our address.
PUBLIC: Final = frozenset({About.INSTRUMENTS, About.SERVER_TIME})
WEIGHTS: Final = {OPEN: 2.0, POSITIONS: 2.0, ACCOUNTS: 2.0}
GOES_ON: Final = "continuation_token"
TOKEN_LENGTH_MAX: Final = 2048
LOOKED_BACK_NS: Final = 7 * 24 * 3600 * SECOND_NS
"""How far the history of one order is read."""


def ask(question: Question, context: Context) -> HttpRequest:
    """The first request of a question.

    Raises:
        ValueError: this system has no such question, or it needs an order's id or a start.
    """
    about = question.about
    if about in PUBLIC:
        return public_request(question.product, INSTRUMENTS, context)
    if about is About.ORDER and not (question.venue_order_id or question.client_order_id):
        raise ValueError("which order? neither a venue order id nor a client order id is given")
    if about in ASKED_AT:
        return _request(ASKED_AT[about], {}, question, context)
    is_of_order = about is About.TRADES and question.venue_order_id is not None
    span = _lately(question, context) if is_of_order else _span(question)
    return _request(ORDERS if about is About.ORDER_HISTORY else EXECUTIONS, span, question, context)


def _request(
    path: str, parameters: dict[str, str], question: Question, context: Context
) -> HttpRequest:
    weight = WEIGHTS.get(path, 1.0)
    return futures_request(path, parameters, context, weight=weight, product=question.product)


def _span(question: Question) -> dict[str, str]:
    if question.since_ns is None:
        raise ValueError(f"{question.about}: since when?")
    # Down and up, so that no part of a millisecond is cut off; whether the ends
    # themselves are included is not said.
    span = {"sort": "asc", "since": str(question.since_ns // MILLISECOND_NS - 1)}
    if question.until_ns is not None:
        span["before"] = str(-(-question.until_ns // MILLISECOND_NS) + 1)
    return span


def _lately(question: Question, context: Context) -> dict[str, str]:
    since_ns = context.venue_ns - LOOKED_BACK_NS if question.since_ns is None else question.since_ns
    # In whole hours: every page of a list is asked for from the same start.
    since = since_ns // (3600 * SECOND_NS) * 3_600_000
    named = {} if question.symbol is None else {"tradeable": question.symbol}
    return {"sort": "desc", "since": str(since), **named}


def next_page(question: Question, page: Page, context: Context) -> HttpRequest | None:
    """The request that follows a complete page; None after the last one.

    Raises:
        ValueError: the venue goes round in circles.
    """
    address = urlsplit(page.request.url)
    if question.about is About.ORDER and _is_found(question, page.body):
        return None
    if address.path in HISTORIES:
        return _following(address.path, dict(parse_qsl(address.query)), page, question, context)
    if question.about is About.ORDER:
        return _request(ORDERS, _lately(question, context), question, context)
    return None


def _is_found(question: Question, body: bytes) -> bool:
    """Whether the page speaks of the order: what it says first is the newest."""
    name = question.venue_order_id or question.client_order_id or ""
    return f'"{name}"'.encode() in body


def _following(
    path: str, asked: dict[str, str], page: Page, question: Question, context: Context
) -> HttpRequest | None:
    answer = fields_of(parse(page.body), "answer")
    token = _token_of(answer)
    if not token or not answer["elements"]:
        return None
    if token == asked.get(GOES_ON):
        raise ValueError(f"{path}: a page that ends where it began")
    return _request(path, asked | {GOES_ON: token}, question, context)


def _token_of(answer: Document) -> str:
    """Where the history goes on; "" at its end.

    Raises:
        BadFrame: something else than a text: then nobody knows whether this is all.
    """
    token = answer.get("continuationToken") or ""
    if type(token) is not str or len(token) > TOKEN_LENGTH_MAX:
        raise BadFrame(f"continuationToken: no token: {token!r:.80}")
    return token


def is_complete_answer(page: Page) -> bool:
    """Whether the page is what was asked for: a success, whose rows are rows."""
    path = urlsplit(page.request.url).path
    try:
        answer = fields_of(parse(page.body), "answer")
        if path in HISTORIES:
            _token_of(answer)
            rows = rows_of(answer.get("elements"), "elements")
            return all(type(row) is dict and type(row.get("event")) is dict for row in rows)
        if answer.get("result") != "success":
            return False
        if path == ACCOUNTS:
            return bool(fields_of(answer.get("accounts"), "accounts"))
        return _is_list(path, rows_of(answer.get(LISTS[path]), path))
    except BadFrame:
        return False


def _is_list(path: str, rows: list[Any]) -> bool:
    return all(type(row) is dict for row in rows) and (bool(rows) or path != INSTRUMENTS)


def server_time(answer: Document) -> int:
    """The venue's clock in ns."""
    now_ns = moment_ns(answer, "serverTime")
    if now_ns is None:
        raise BadFrame("serverTime: missing")
    return now_ns
