"""Binance's questions: their requests, pages, and when an answer is complete. Pure.

Lists of trades and of order history are asked in windows (Spot at most 24 h, USD-M 7 days) and
answer at most `ROWS_MAX` rows, now and then fewer than there are. So a page with rows is followed
by its last id + 1 without times (the two do not go together on USD-M), page after page, until one
is empty or passes `until_ns`; an empty window is followed by the next. An order's own trades are
read from the first id on. Without times and ids the venue gives the newest rows, so if that page is
full the list is read from its first id on. A question whose pages all came with status
200 is complete. USD-M keeps conditional orders outside the engine, under ids and end points of
their own: open orders and history are two lists each, the engine's and then that of the conditional
ones, and an order of which no trigger is known is asked for among those. Manual: "Account Trade
List", "All Orders", "Current Open Orders", "Query Algo Order", "Query All Algo Orders".
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from orderloom.question import About, Question
from venues.binance.reading import LINEAR, SPOT
from venues.binance.requests import http_request, signed_query
from venues.document import fields_of, parse
from venues.query import query_of
from venues.request import Context, HttpRequest
from venues.venue import MILLISECOND_NS, SECOND_NS, BadFrame, Page

ROWS_MAX: Final = 1000
HOUR_MS: Final = 3_600_000
# A second less than the longest window that the venue takes.
WINDOW_MS: Final = {SPOT: 24 * HOUR_MS - 1000, LINEAR: 7 * 24 * HOUR_MS - 1000}
PUBLIC: Final = frozenset({About.SERVER_TIME, About.INSTRUMENTS})


@dataclass(frozen=True, slots=True)
class _Call:
    """A path and its weight; `weight_all` where no symbol is named, `weight_order` for one order.

    `id_field` of a list that comes in pages: the row's id, and the parameter that goes on from it;
    `time_field` when a row of it was made.
    """

    path: str
    weight: int
    weight_all: int | None = None
    weight_order: int | None = None
    id_field: tuple[str, str] | None = None
    time_field: str = "time"


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
_ALGO_CALLS: Final[dict[tuple[str, About], _Call]] = {
    (LINEAR, About.OPEN_ORDERS): _Call("/fapi/v1/openAlgoOrders", 1, weight_all=40),
    (LINEAR, About.ORDER): _Call("/fapi/v1/algoOrder", 1),
    (LINEAR, About.ORDER_HISTORY): _Call(
        "/fapi/v1/allAlgoOrders", 5, id_field=("algoId", "algoId"), time_field="createTime"
    ),
}
_EVERY_CALL: Final = (*_CALLS.items(), *_ALGO_CALLS.items())
_PAGED: Final = {call.path: call for _, call in _EVERY_CALL if call.id_field is not None}
_WITHOUT_SYMBOL: Final = frozenset({"/fapi/v1/algoOrder", "/fapi/v3/balance", "/api/v3/account"})
_BY_SYMBOL: Final = frozenset({About.ORDER, About.ORDER_HISTORY, About.TRADES})
_LISTS: Final = frozenset(
    call.path
    for (_, about), call in _EVERY_CALL
    if about in (About.OPEN_ORDERS, About.ORDER_HISTORY, About.TRADES, About.POSITIONS)
) | {"/fapi/v3/balance"}


def ask(question: Question, context: Context) -> HttpRequest:
    """The first request of a question.

    Raises:
        ValueError: this venue has no such question, or it needs a symbol or an order's id.
    """
    if question.about in _BY_SYMBOL and question.symbol is None:
        raise ValueError(f"{question.about} of {question.product} is asked by symbol")
    return _first_request(question, _calls_of(question)[0], context)


def _first_request(question: Question, call: _Call, context: Context) -> HttpRequest:
    parameters: dict[str, str | int] = {}
    if question.symbol is not None and call.path not in _WITHOUT_SYMBOL:
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
    calls, path = _calls_of(question), urlsplit(page.request.url).path
    at = next(place for place, call in enumerate(calls) if call.path == path)
    following = _following_rows(question, calls[at], page, context)
    if following is not None:
        return _request(question, calls[at], following, context)
    is_last = at + 1 == len(calls)
    return None if is_last else _first_request(question, calls[at + 1], context)


def _following_rows(
    question: Question, call: _Call, page: Page, context: Context
) -> dict[str, str | int] | None:
    """The parameters that go on with the list of `page`; None where that was its end."""
    if call.id_field is None:
        return None
    row_id, parameter = call.id_field
    asked = dict(parse_qsl(urlsplit(page.request.url).query))
    rows: list[dict[str, Any]] = parse(page.body)
    base = {name: asked[name] for name in ("symbol", *_kept_names(question)) if name in asked}
    # From a time or an id on rows come in the order of their ids; else the venue gives its newest.
    has_order = "startTime" in asked or (parameter in asked and parameter not in base)
    following: dict[str, str | int] | None = None
    if rows and has_order:
        if not _passes(rows[-1][call.time_field], question):
            # By id: several rows share a millisecond, so a time would lose or
            # repeat some (decision 0305). As numbers: of texts, 9 is above 10.
            next_id = max(int(row[row_id]) for row in rows) + 1
            if parameter in asked and parameter not in base and next_id <= int(asked[parameter]):
                raise ValueError(f"{call.path}: a page that ends where it began")
            following = {parameter: next_id}
    elif len(rows) >= ROWS_MAX:
        # The newest rows, and a full page of them: there may be older ones.
        following = {parameter: 0}
    elif "endTime" in asked:
        # Nothing in this window, so no id to go on from: the next one.
        following = _window(question, int(asked["endTime"]) + 1, context)
    return following and {**base, **following, "limit": ROWS_MAX}


def _kept_names(question: Question) -> tuple[str, ...]:
    # Of an order's own trades every page names the order; in a history `orderId` is the page.
    return ("orderId",) if question.about is About.TRADES else ()


def _passes(last_ms: int, question: Question) -> bool:
    """Whether the rows, in the order of their ids, have gone beyond the time asked for."""
    return question.until_ns is not None and last_ms * MILLISECOND_NS > question.until_ns


def _calls_of(question: Question) -> tuple[_Call, ...]:
    """The lists that make up the answer, in the order in which they are asked; or the one call."""
    kind = (question.product, question.about)
    call, algo = _CALLS.get(kind), _ALGO_CALLS.get(kind)
    if call is None:
        raise ValueError(f"no {question.about} of {question.product!r}")
    if algo is None:
        return (call,)
    if question.about is About.ORDER:
        # `GET order` answers -2013 for every conditional
        # order, whatever became of it (decision 0308).
        return (algo,) if question.is_conditional else (call,)
    return (call, algo)


def _order_named(question: Question) -> dict[str, str | int]:
    is_algo = question.is_conditional and question.product == LINEAR
    if question.venue_order_id is not None:
        return {"algoId" if is_algo else "orderId": question.venue_order_id}
    if question.client_order_id is not None:
        return {"clientAlgoId" if is_algo else "origClientOrderId": question.client_order_id}
    raise ValueError("which order? neither a venue order id nor a client order id is given")


def _first_rows(question: Question, context: Context) -> dict[str, str | int]:
    if question.about is About.TRADES and question.venue_order_id is not None:
        # Without times: an order may be older than any window.
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
        # `now_ms` only says which window is the last; its end is left to the venue (decision 0305).
        is_last = end_ms >= now_ms
        return {"startTime": start_ms} if is_last else {"startTime": start_ms, "endTime": end_ms}
    # Up to a whole millisecond: what happened within it was asked for too.
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
    named = ("GET", call.path)
    return http_request(question.product, named, query, context, weight, is_public=is_public)


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


def _has_ids(rows: list[Any], call: _Call | None) -> bool:
    """Whether every row can be paged on from."""
    if call is None or call.id_field is None:
        return True
    name = call.id_field[0]
    return all(
        isinstance(row, dict) and _is_id(row.get(name)) and type(row.get(call.time_field)) is int
        for row in rows
    )


def _is_id(value: object) -> bool:
    return type(value) is int or (type(value) is str and value.isascii() and value.isdecimal())


def server_time(body: bytes) -> int:
    """The venue's clock in ns.

    Raises:
        BadFrame: the answer does not hold it.
    """
    value = fields_of(parse(body), "time answer").get("serverTime")
    if type(value) is not int or not 0 < value < SECOND_NS * 10_000:
        raise BadFrame(f"serverTime: not a time: {value!r:.80}")
    return value * MILLISECOND_NS
