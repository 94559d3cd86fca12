"""What we ask Bybit: the request of each question, the pages that follow, when they are complete.

Pure. Lists come newest first and go on by a cursor, until it is "". One question may need several
lists, each read to its end: open orders and positions of linear contracts are listed by the coin
that they settle in, a history spans a week at most, and one order stands in the list of the recent
or else in the history. An error comes with status 200 and a `retCode`: that is no answer.

Manual: "Get Open & Closed Orders", "Get Order History", "Get Trade History", "Get Position Info",
"Get Wallet Balance", "Get Instruments Info". Conditional orders stand in the same lists, under the
same ids. Which time of an order the history goes by is not said: read as that of its creation, so
orders made earlier and closed since are known to us as open, and are asked for one by one.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final
from urllib.parse import urlsplit

from orderloom.question import About, Question
from venues.bybit.account import UNIFIED
from venues.bybit.requests import API, get_request
from venues.bybit.words import CATEGORIES, LINEAR, SPOT
from venues.document import (
    INTEGER_MAX,
    fields_of,
    integer,
    needed_identifier,
    parse,
    rows_of,
)
from venues.query import QuestionList
from venues.request import Context, HttpRequest
from venues.venue import MILLISECOND_NS, SECOND_NS, BadFrame, Page

WEEK_NS: Final = 7 * 24 * 3600 * SECOND_NS
# Beyond it nothing is kept; asked for, it would be refused.
KEPT_NS: Final = 104 * WEEK_NS
CURSOR_LENGTH_MAX: Final = 2048
SETTLE_COINS: Final = ("USDT", "USDC")
REALTIME: Final = "order/realtime"
HISTORY: Final = "order/history"
EXECUTIONS: Final = "execution/list"
POSITIONS: Final = "position/list"
WALLET: Final = "account/wallet-balance"
INSTRUMENTS: Final = "market/instruments-info"
TIME: Final = "market/time"
ROWS_MAX: Final = {REALTIME: 50, HISTORY: 50, EXECUTIONS: 100, POSITIONS: 200, INSTRUMENTS: 1000}
PUBLIC: Final = frozenset({INSTRUMENTS, TIME})


def ask(question: Question, context: Context) -> HttpRequest:
    """The first request of a question.

    Raises:
        ValueError: this venue has no such question, or it needs an order's id or a start.
    """
    return _request(question, next(_lists(question, context)), context)


def next_page(question: Question, page: Page, context: Context) -> HttpRequest | None:
    """The request that follows a complete page; None after the last one.

    Raises:
        ValueError: the venue goes round in circles.
    """
    # The adapter keeps no state: where a question stands is read from the request before.
    path, asked = _asked(page.request)
    lists = _lists(question, context)
    one = next((one for one in lists if one.is_of(path, asked)), None)
    if one is None:
        raise ValueError(f"{path}: the page before is of no list of this question")
    result = _result_of(page.body)
    # Found: the rest of the lists would only repeat it, later.
    if question.about is About.ORDER and result.get("list"):
        return None
    cursor = _cursor_of(result)
    if cursor:
        following = _request(question, one, context, cursor)
        if _asked(following)[1]["cursor"] == asked.get("cursor"):
            raise ValueError(f"{path}: a page that ends where it began")
        return following
    other = next(lists, None)
    return None if other is None else _request(question, other, context)


def _asked(request: HttpRequest) -> tuple[str, dict[str, str]]:
    """Path and parameters, as they were sent: a cursor must stay as it is."""
    address = urlsplit(request.url)
    pairs = (pair.partition("=") for pair in address.query.split("&"))
    return address.path.partition(API)[2], {name: value for name, _, value in pairs}


def _lists(question: Question, context: Context) -> Iterator[QuestionList]:
    """The lists that make up the answer, in the order in which they are asked."""
    about, product = question.about, question.product
    if product not in CATEGORIES or (about is About.POSITIONS and product == SPOT):
        raise ValueError(f"no {about} of {product!r}")
    category = {"category": product}
    also = category | ({} if question.symbol is None else {"symbol": question.symbol})
    if about is About.OPEN_ORDERS:
        return _by_coin(REALTIME, question, category | {"openOnly": "0"})
    if about is About.POSITIONS:
        return _by_coin(POSITIONS, question, category)
    if about is About.ORDER:
        named = _order_named(question)
        recent = _by_coin(REALTIME, question, category | named)
        # The recent ones are forgotten whenever the venue restarts.
        return chain(recent, [QuestionList(HISTORY, also=also | named)])
    if about is About.ORDER_HISTORY:
        return _by_week(HISTORY, question, also, context)
    if about is About.TRADES and question.venue_order_id is None:
        return _by_week(EXECUTIONS, question, also, context)
    return iter([_only_list(question, also)])


def _only_list(question: Question, also: dict[str, str]) -> QuestionList:
    if question.about is About.SERVER_TIME:
        return QuestionList(TIME)
    if question.about is About.BALANCES:
        return QuestionList(WALLET, also={"accountType": UNIFIED})
    if question.about is About.INSTRUMENTS:
        return QuestionList(INSTRUMENTS, also=also)
    # An order's own executions, of any age: all other filters are ignored.
    return QuestionList(EXECUTIONS, also=also | _order_named(question))


def _by_coin(path: str, question: Question, also: dict[str, str]) -> Iterator[QuestionList]:
    """One list, or where linear contracts are listed by the coin of settlement one for each."""
    if question.symbol is not None:
        return iter([QuestionList(path, also=also | {"symbol": question.symbol})])
    if question.product != LINEAR:
        return iter([QuestionList(path, also=also)])
    return (QuestionList(path, {"settleCoin": coin}, also) for coin in SETTLE_COINS)


def _by_week(
    path: str, question: Question, also: dict[str, str], context: Context
) -> Iterator[QuestionList]:
    """A list for each week of the span, the oldest first; whoever waits reads on from there."""
    if question.since_ns is None:
        # Without one the venue lists a week: that would look complete and not be.
        raise ValueError(f"{path}: since when?")
    # In whole weeks: a bound that moves between two pages would make other lists of them.
    kept_ns = (context.venue_ns - KEPT_NS) // WEEK_NS * WEEK_NS + WEEK_NS
    since_ns = max(question.since_ns, kept_ns)
    until_ns = context.venue_ns if question.until_ns is None else question.until_ns
    return _weeks(path, also, since_ns, max(until_ns, since_ns), question.until_ns is None)


def _weeks(
    path: str, also: dict[str, str], since_ns: int, until_ns: int, is_open: bool
) -> Iterator[QuestionList]:
    for start_ns in range(since_ns, until_ns + 1, WEEK_NS):
        end_ns = start_ns + WEEK_NS
        # Both include their own millisecond: down and up, so that no part of one is cut off, and
        # never more than a week apart.
        start = {"startTime": start_ns // MILLISECOND_NS}
        is_last = end_ns > until_ns
        if is_last and is_open:
            yield QuestionList(path, start, also)  # a start alone means the week that follows it
        else:
            end = min(-(-until_ns // MILLISECOND_NS), end_ns // MILLISECOND_NS)
            yield QuestionList(path, start, also | {"endTime": str(end)})


def _order_named(question: Question) -> dict[str, str]:
    if question.venue_order_id is not None:
        return {"orderId": question.venue_order_id}
    if question.client_order_id is not None:
        return {"orderLinkId": question.client_order_id}
    raise ValueError("which order? neither a venue order id nor a client order id is given")


def _request(
    question: Question, one: QuestionList, context: Context, cursor: str = ""
) -> HttpRequest:
    limit = {"limit": ROWS_MAX[one.path]} if one.path in ROWS_MAX else {}
    parameters, is_public = {**one.also, **one.own, **limit}, one.path in PUBLIC
    return get_request(
        question.product, one.path, parameters, context, cursor=cursor, is_public=is_public
    )


def _result_of(body: bytes) -> dict[str, Any]:
    return fields_of(fields_of(parse(body), "answer").get("result"), "result")


def _cursor_of(result: dict[str, Any]) -> str:
    """Where the list goes on; "" at its end, and of lists that have no pages.

    Raises:
        BadFrame: something else than a text: then nobody knows whether this is all.
    """
    cursor = result.get("nextPageCursor", "")
    if type(cursor) is not str or len(cursor) > CURSOR_LENGTH_MAX:
        raise BadFrame(f"nextPageCursor: not a cursor: {cursor!r:.80}")
    return cursor


def is_complete_answer(page: Page) -> bool:
    """Whether the page is what was asked for: status 200, code 0, rows that can be paged on."""
    if page.status != 200:
        return False
    path, _ = _asked(page.request)
    try:
        answer = fields_of(parse(page.body), "answer")
        # A refusal has status 200 as well (docs/venues/bybit.md 7).
        if integer(answer, "retCode") != 0:
            return False
        result = fields_of(answer.get("result"), "result")
        _cursor_of(result)
        if path == TIME:
            return "timeNano" in result
        rows = rows_of(result.get("list"), "list")
    except BadFrame:
        return False
    if path == WALLET and not _is_account(rows):
        return False
    return all(isinstance(row, dict) for row in rows)


def _is_account(rows: list[Any]) -> bool:
    """Whether it is the one account: without it, no coins would look like none of any coin."""
    if len(rows) != 1 or not isinstance(rows[0], dict):
        return False
    return rows[0].get("accountType") == UNIFIED and isinstance(rows[0].get("coin"), list)


def server_time(body: bytes) -> int:
    """The venue's clock in ns.

    Raises:
        BadFrame: the answer does not hold it.
    """
    now_ns = int(needed_identifier(_result_of(body), "timeNano"))
    if now_ns > INTEGER_MAX:
        raise BadFrame(f"timeNano: not a time: {now_ns}")
    return now_ns
