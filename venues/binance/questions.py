"""Binance's questions: their requests, pages, and when an answer is complete. Pure.

Lists of trades and of order history are asked in windows (Spot at most 24 h, USD-M 7 days) and
answer at most `ROWS_MAX` rows, now and then fewer than there are. So a page with rows is followed
by its last id + 1 without times (the two do not go together on USD-M), page after page, until one
is empty or passes `until_ns`; an empty window is followed by the next. An order's own trades are
read from the first id on. Without times and ids the venue gives the newest rows, so if that page is
full the list is read from its first id on. A question whose pages all came with status
200 is complete. Open orders of USD-M are two lists: those of the engine, then the conditional
ones that wait outside it. Manual: "Account Trade List", "All Orders", "Current Open Orders".
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from orderloom.question import About, Question
from venues.binance.reading import LINEAR, SPOT
from venues.binance.requests import http_request, query_of, signed_query
from venues.document import fields_of, parse
from venues.venue import (
    MILLISECOND_NS,
    SECOND_NS,
    BadFrame,
    Context,
    HttpRequest,
    Page,
)

ROWS_MAX: Final = 1000
HOUR_MS: Final = 3_600_000
# A second less than the longest window that the venue takes.
WINDOW_MS: Final = {SPOT: 24 * HOUR_MS - 1000, LINEAR: 7 * 24 * HOUR_MS - 1000}
PUBLIC: Final = frozenset({About.SERVER_TIME, About.INSTRUMENTS})


@dataclass(frozen=True, slots=True)
class _Call:
    """A path and its weight; `weight_all` where no symbol is named, `weight_order` for one order.

    `id_field` of a list that comes in pages: the row's id, and the parameter that goes on from it.
    """

    path: str
    weight: int
    weight_all: int | None = None
    weight_order: int | None = None
    id_field: tuple[str, str] | None = None


_CALLS: Final[dict[tuple[str, About], _Call]] = {
    (SPOT, About.SERVER_TIME): _Call("/api/v3/time", 1),
    (SPOT, About.INSTRUMENTS): _Call("/api/v3/exchangeInfo", 20),
    (SPOT, About.OPEN_ORDERS): _Call("/api/v3/openOrders", 6, weight_all=80),
    (SPOT, About.ORDER): _Call("/api/v3/order", 4),
    (SPOT, About.ORDER_HISTORY): _Call("/api/v3/allOrders", 20, id_field=("orderId", "orderId")),
    (SPOT, About.TRADES): _Call("/api/v3/myTrades", 20, None, 5, ("id", "fromId")),
    (SPOT, About.BALANCES): _Call("/api/v3/account", 20),
    (LINEAR, About.SERVER_TIME): _Call("/fapi/v1/time", 1),
    (LINEAR, About.INSTRUMENTS): _Call("/fapi/v1/exchangeInfo", 1),
    (LINEAR, About.OPEN_ORDERS): _Call("/fapi/v1/openOrders", 1, weight_all=40),
    (LINEAR, About.ORDER): _Call("/fapi/v1/order", 1),
    (LINEAR, About.ORDER_HISTORY): _Call("/fapi/v1/allOrders", 5, id_field=("orderId", "orderId")),
    (LINEAR, About.TRADES): _Call("/fapi/v1/userTrades", 5, id_field=("id", "fromId")),
    (LINEAR, About.POSITIONS): _Call("/fapi/v3/positionRisk", 5),
    (LINEAR, About.BALANCES): _Call("/fapi/v3/balance", 5),
}
# Conditional orders of USD-M have ids and lists of their own ("Current All Algo Open Orders").
_ALGO_LIST: Final = _Call("/fapi/v1/openAlgoOrders", 1, weight_all=40)
_PAGED: Final = {call.path: call.id_field for call in _CALLS.values() if call.id_field is not None}
_WITHOUT_SYMBOL: Final = frozenset({About.SERVER_TIME, About.BALANCES})
_BY_SYMBOL: Final = frozenset({About.ORDER, About.ORDER_HISTORY, About.TRADES})
_LISTS: Final = frozenset(
    call.path
    for (_, about), call in _CALLS.items()
    if about in (About.OPEN_ORDERS, About.ORDER_HISTORY, About.TRADES, About.POSITIONS)
) | {"/fapi/v3/balance", _ALGO_LIST.path}


def ask(question: Question, context: Context) -> HttpRequest:
    """The first request of a question.

    Raises:
        ValueError: this venue has no such question, or it needs a symbol or an order's id.
    """
    call = _call_of(question)
    if question.about in _BY_SYMBOL and question.symbol is None:
        raise ValueError(f"{question.about} of {question.product} is asked by symbol")
    parameters: dict[str, str | int] = {}
    if question.symbol is not None and question.about not in _WITHOUT_SYMBOL:
        parameters["symbol"] = question.symbol
    if question.about is About.ORDER:
        parameters |= _order_named(question)
    if call.id_field is not None:
        parameters |= _first_rows(question, context)
    return _request(question, call, parameters, context)


def next_page(question: Question, page: Page, context: Context) -> HttpRequest | None:
    """The request that follows a complete page; None after the last one.

    Raises:
        ValueError: the venue goes round in circles.
    """
    call = _call_of(question)
    if call.id_field is None:
        return _conditional_orders(question, page, context)
    row_id, parameter = call.id_field
    asked = dict(parse_qsl(urlsplit(page.request.url).query))
    rows: list[dict[str, Any]] = parse(page.body)
    base = {name: asked[name] for name in ("symbol", *_kept_names(question)) if name in asked}
    has_order = "startTime" in asked or (parameter in asked and parameter not in base)
    if rows and has_order:
        if _passes(rows, question):
            return None
        next_id = max(row[row_id] for row in rows) + 1
        if parameter in asked and parameter not in base and next_id <= int(asked[parameter]):
            raise ValueError(f"{call.path}: a page that ends where it began")
        following: dict[str, str | int] = {parameter: next_id}
    elif len(rows) >= ROWS_MAX:
        following = {parameter: 0}
    elif "endTime" in asked:
        window = _window(question, int(asked["endTime"]) + 1, context)
        if window is None:
            return None
        following = window
    else:
        return None
    return _request(question, call, {**base, **following, "limit": ROWS_MAX}, context)


def _conditional_orders(question: Question, page: Page, context: Context) -> HttpRequest | None:
    """The second list of open orders on USD-M, after the first."""
    is_list = question.about is About.OPEN_ORDERS and question.product == LINEAR
    if not is_list or urlsplit(page.request.url).path == _ALGO_LIST.path:
        return None
    parameters: dict[str, str | int] = (
        {} if question.symbol is None else {"symbol": question.symbol}
    )
    return _request(question, _ALGO_LIST, parameters, context)


def _kept_names(question: Question) -> tuple[str, ...]:
    # Of an order's own trades every page names the order; in a history `orderId` is the page.
    return ("orderId",) if question.about is About.TRADES else ()


def _passes(rows: list[dict[str, Any]], question: Question) -> bool:
    """Whether the rows, in the order of their ids, have gone beyond the time asked for."""
    until_ns = question.until_ns
    return until_ns is not None and rows[-1]["time"] * MILLISECOND_NS > until_ns


def _call_of(question: Question) -> _Call:
    call = _CALLS.get((question.product, question.about))
    if call is None:
        raise ValueError(f"no {question.about} of {question.product!r}")
    return call


def _order_named(question: Question) -> dict[str, str | int]:
    if question.venue_order_id is not None:
        return {"orderId": question.venue_order_id}
    if question.client_order_id is not None:
        return {"origClientOrderId": question.client_order_id}
    raise ValueError("which order? neither a venue order id nor a client order id is given")


def _first_rows(question: Question, context: Context) -> dict[str, str | int]:
    if question.about is About.TRADES and question.venue_order_id is not None:
        return {"orderId": question.venue_order_id, "fromId": 0, "limit": ROWS_MAX}
    if question.since_ns is None:
        return {"limit": ROWS_MAX}
    window = _window(question, question.since_ns // MILLISECOND_NS, context)
    return {**(window or {"startTime": question.since_ns // MILLISECOND_NS}), "limit": ROWS_MAX}


def _window(question: Question, start_ms: int, context: Context) -> dict[str, str | int] | None:
    """The times of the window that begins at `start_ms`; None beyond the end of the question.

    The last window of an open question has no end, so that no clock error cuts its newest rows.
    """
    end_ms = start_ms + WINDOW_MS[question.product]
    if question.until_ns is None:
        now_ms = context.venue_ns // MILLISECOND_NS
        is_last = end_ms >= now_ms
        return {"startTime": start_ms} if is_last else {"startTime": start_ms, "endTime": end_ms}
    until_ms = -(-question.until_ns // MILLISECOND_NS)
    if start_ms > until_ms:
        return None
    return {"startTime": start_ms, "endTime": min(end_ms, until_ms)}


def _request(
    question: Question, call: _Call, parameters: dict[str, str | int], context: Context
) -> HttpRequest:
    weight = call.weight
    if call.weight_all is not None and "symbol" not in parameters:
        weight = call.weight_all
    if call.weight_order is not None and "orderId" in parameters:
        weight = call.weight_order
    is_public = question.about in PUBLIC
    query = query_of(parameters) if is_public else signed_query(parameters, context)
    return http_request(question.product, ("GET", call.path), query, context, weight)


def is_complete_answer(page: Page) -> bool:
    """Whether the page is what was asked for: status 200, readable, and no refusal."""
    if page.status != 200:
        return False
    try:
        document = parse(page.body)
    except BadFrame:
        return False
    path = urlsplit(page.request.url).path
    if path not in _LISTS:
        return isinstance(document, dict) and "code" not in document
    return isinstance(document, list) and _has_ids(document, _PAGED.get(path))


def _has_ids(rows: list[Any], id_field: tuple[str, str] | None) -> bool:
    """Whether every row can be paged on from."""
    return id_field is None or all(
        isinstance(row, dict) and type(row.get(id_field[0])) is int and type(row.get("time")) is int
        for row in rows
    )


def server_time(body: bytes) -> int:
    """The venue's clock in ns.

    Raises:
        BadFrame: the answer does not hold it.
    """
    value = fields_of(parse(body), "time answer").get("serverTime")
    if type(value) is not int or not 0 < value < SECOND_NS * 10_000:
        raise BadFrame(f"serverTime: not a time: {value!r:.80}")
    return value * MILLISECOND_NS
