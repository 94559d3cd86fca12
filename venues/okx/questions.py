"""What we ask OKX: the request of each question, the pages that follow, when they are complete.

Pure. Lists come newest first, at most `ROWS_MAX` rows a page; `after` an id goes on to older ones,
and only an empty page is the end ("Pagination"). So a page with rows is followed by the one after
its last row. One question may need several lists: coins are of two kinds, SPOT and MARGIN, and
conditional orders have a list for each type (`conditional` and `oco` share one); an empty page
leads on to the next list, and the end of the last one is the end. An error comes with status 200
and a `code`: that is no answer.

A conditional order is known at end points of its own until it triggered ("GET Algo order details",
"GET Algo order list", "GET Algo order history"); what it became is in the lists of orders, and
names it there. So of the histories only those that ended without a trigger are asked for. They know
no times, and go back for months: a page that reaches back far enough is the last.

`begin` of the order history means the *creation* of an order (section "GET Order history"): those
created earlier and closed since are known to us as open, and are asked for one by one.
"""

from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from orderloom.question import About, Question
from venues.document import fields_of, parse, rows_of, time_ns
from venues.okx.reading import CONTRACT_KIND, INVERSE, LINEAR, SPOT
from venues.okx.requests import API, get_request
from venues.query import Parameters, QuestionList
from venues.request import Context, HttpRequest
from venues.venue import MILLISECOND_NS, SECOND_NS, BadFrame, Page

ROWS_MAX: Final = 100
DAY_NS: Final = 24 * 3600 * SECOND_NS
# An hour early: at the very edge a row would be in the
# short list no more, and not asked for in the long one.
MARGIN_NS: Final = 3600 * SECOND_NS
RECENT_TRADES_NS: Final = 3 * DAY_NS - MARGIN_NS
RECENT_ORDERS_NS: Final = 7 * DAY_NS - MARGIN_NS
KINDS: Final = {SPOT: ("SPOT", "MARGIN"), LINEAR: (CONTRACT_KIND,), INVERSE: (CONTRACT_KIND,)}
PUBLIC: Final = frozenset({About.SERVER_TIME, About.INSTRUMENTS})
ALGO_ORDER: Final = "trade/order-algo"
ALGO_HISTORY: Final = "trade/orders-algo-history"
ALGO_LISTS: Final = ("conditional,oco", "trigger", "move_order_stop")
UNTRIGGERED_ENDS: Final = ("canceled", "order_failed")
_ONE_PAGE: Final = {
    About.SERVER_TIME: "public/time",
    About.INSTRUMENTS: "public/instruments",
    About.ORDER: "trade/order",
    About.POSITIONS: "account/positions",
    About.BALANCES: "account/balance",
}
_ROW_IDS: Final = {
    "trade/orders-pending": "ordId",
    "trade/orders-history": "ordId",
    "trade/orders-history-archive": "ordId",
    "trade/orders-algo-pending": "algoId",
    ALGO_HISTORY: "algoId",
    # Trade ids are unique per instrument alone, and may be 0 or negative (docs/venues/okx.md 5).
    "trade/fills": "billId",
    "trade/fills-history": "billId",
}


def ask(question: Question, context: Context) -> HttpRequest:
    """The first request of a question.

    Raises:
        ValueError: this venue has no such question, or it needs a symbol or an order's id.
    """
    return _request(question, _lists(question, context)[0], {}, context)


def next_page(question: Question, page: Page, context: Context) -> HttpRequest | None:
    """The request that follows a complete page; None after the last one.

    Raises:
        ValueError: the venue goes round in circles.
    """
    # The adapter keeps no state: where a question stands is read from the request before.
    path, asked = _asked(page.request)
    lists = _lists(question, context)
    at = next((n for n, one in enumerate(lists) if one.is_of(path, asked)), None)
    if at is None:
        raise ValueError(f"{path}: the page before is of no list of this question")
    row_id = _ROW_IDS.get(path)
    rows = _rows_of(page.body) if row_id is not None else []
    # However short the page: the manual promises an end for an empty one alone (decision 0805).
    if row_id is not None and rows and not _reaches_back(path, rows[-1], question):
        after = rows[-1][row_id]
        if after == asked.get("after"):
            raise ValueError(f"{path}: a page that ends where it began")
        return _request(question, lists[at], {"after": after}, context)
    return None if at + 1 == len(lists) else _request(question, lists[at + 1], {}, context)


def _reaches_back(path: str, last: dict[str, Any], question: Question) -> bool:
    """Whether what follows a row is older than what is asked for, where a list knows no times."""
    if path != ALGO_HISTORY or question.since_ns is None:
        return False
    made_ns = time_ns(last, "cTime")
    return made_ns is not None and made_ns < question.since_ns


def _asked(request: HttpRequest) -> tuple[str, dict[str, str]]:
    address = urlsplit(request.url)
    return address.path.removeprefix(API), dict(parse_qsl(address.query))


def _lists(question: Question, context: Context) -> list[QuestionList]:
    """The lists that make up the answer, in the order in which they are asked."""
    kinds, about = KINDS.get(question.product), question.about
    if kinds is None or (about is About.POSITIONS and question.product == SPOT):
        raise ValueError(f"no {about} of {question.product!r}")
    if about is About.OPEN_ORDERS:
        # Conditional orders are in no list of orders until they
        # trigger: only all lists together say what is open.
        algos = [QuestionList("trade/orders-algo-pending", {"ordType": one}) for one in ALGO_LISTS]
        return [*_by_kind("trade/orders-pending", kinds), *algos]
    if about is About.ORDER_HISTORY:
        lists = _by_kind("trade/orders-history", kinds)
        if _is_older(question, RECENT_ORDERS_NS, context):
            lists += _by_kind("trade/orders-history-archive", kinds)
        return [*lists, *_ended_conditionals()]
    if about is About.TRADES:
        return _trade_lists(question, kinds, context)
    if about is About.ORDER and question.is_conditional:
        return [QuestionList(ALGO_ORDER)]
    path = _ONE_PAGE[about]
    if about in (About.INSTRUMENTS, About.POSITIONS):
        return _by_kind(path, kinds)
    return [QuestionList(path)]


def _by_kind(path: str, kinds: tuple[str, ...]) -> list[QuestionList]:
    return [QuestionList(path, {"instType": kind}) for kind in kinds]


def _ended_conditionals() -> list[QuestionList]:
    return [
        # Those that triggered are in the lists of orders: with their state as well it were
        # nine requests instead of six, at the limit that recovery waits for (decision 0807).
        QuestionList(ALGO_HISTORY, {"ordType": one, "state": state})
        for one in ALGO_LISTS
        for state in UNTRIGGERED_ENDS
    ]


def _trade_lists(
    question: Question, kinds: tuple[str, ...], context: Context
) -> list[QuestionList]:
    if question.venue_order_id is not None:  # of any age: the recent list, then the long one
        own: Parameters = {"ordId": question.venue_order_id}
        return [
            QuestionList("trade/fills", own),
            *(QuestionList("trade/fills-history", {"instType": kind, **own}) for kind in kinds),
        ]
    # Without a start all is meant: a list of three days would look complete and not be.
    is_older = question.since_ns is None or _is_older(question, RECENT_TRADES_NS, context)
    return _by_kind("trade/fills-history" if is_older else "trade/fills", kinds)


def _is_older(question: Question, span_ns: int, context: Context) -> bool:
    return question.since_ns is not None and question.since_ns < context.venue_ns - span_ns


def _request(
    question: Question, one: QuestionList, page: Parameters, context: Context
) -> HttpRequest:
    parameters: dict[str, str | int] = dict(one.own)
    is_without = question.about in (About.SERVER_TIME, About.BALANCES)
    if question.symbol is not None and not is_without and one.path != ALGO_ORDER:
        parameters["instId"] = question.symbol
    if question.about is About.ORDER:
        parameters |= _order_named(question)
    if one.path in _ROW_IDS:
        parameters |= {**_span(question, one), **page, "limit": ROWS_MAX}
    is_public = question.about in PUBLIC
    return get_request(question.product, one.path, parameters, context, is_public=is_public)


def _order_named(question: Question) -> dict[str, str | int]:
    if question.symbol is None:
        raise ValueError("an order is asked for with its instrument")
    venue_id, own_id = (
        ("algoId", "algoClOrdId") if question.is_conditional else ("ordId", "clOrdId")
    )
    if question.venue_order_id is not None:
        return {venue_id: question.venue_order_id}
    if question.client_order_id is not None:
        return {own_id: question.client_order_id}
    raise ValueError("which order? neither a venue order id nor a client order id is given")


def _span(question: Question, one: QuestionList) -> dict[str, str | int]:
    """The times of a history; an order's own executions are asked for without."""
    is_history = question.about in (About.TRADES, About.ORDER_HISTORY)
    if not is_history or "ordId" in one.own or one.path == ALGO_HISTORY:
        return {}
    span: dict[str, str | int] = {}
    if question.since_ns is not None:
        # Both include their own millisecond: down and up, so that no part of one is cut off.
        span["begin"] = max(0, question.since_ns // MILLISECOND_NS)
    if question.until_ns is not None:
        span["end"] = -(-question.until_ns // MILLISECOND_NS)
    return span


def _rows_of(body: bytes) -> list[Any]:
    return rows_of(fields_of(parse(body), "answer").get("data"), "data")


def is_complete_answer(page: Page) -> bool:
    """Whether the page is what was asked for: status 200, code 0, rows that can be paged on."""
    if page.status != 200:
        return False
    try:
        answer = fields_of(parse(page.body), "answer")
        rows = rows_of(answer.get("data"), "data")
    except BadFrame:
        return False
    # A refusal has status 200 as well, and its empty list
    # would look like "nothing there" (decision 0804).
    if answer.get("code") != "0":
        return False
    path, _ = _asked(page.request)
    if path == _ONE_PAGE[About.BALANCES] and not _is_account(rows):
        return False
    row_id = _ROW_IDS.get(path)
    return all(isinstance(row, dict) and _has_id(row, row_id) for row in rows)


def _is_account(rows: list[Any]) -> bool:
    """Whether it is the one account: without it, no coins would look like none of any coin."""
    return len(rows) == 1 and isinstance(rows[0], dict) and isinstance(rows[0].get("details"), list)


def _has_id(row: dict[str, Any], row_id: str | None) -> bool:
    value = "0" if row_id is None else row.get(row_id)
    return isinstance(value, str) and value.isascii() and value.isdecimal()


def server_time(body: bytes) -> int:
    """The venue's clock in ns.

    Raises:
        BadFrame: the answer does not hold it.
    """
    rows = _rows_of(body)
    now_ns = time_ns(fields_of(rows[0], "data"), "ts") if rows else None
    if now_ns is None:
        raise BadFrame("ts: missing")
    return now_ns
