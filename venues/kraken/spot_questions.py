"""What we ask Kraken Spot: requests, the pages that follow, and when a page may be believed. Pure.

Manual: "Get Open Orders", "Get Closed Orders", "Query Orders Info", "Get Trades History", "Query
Trades Info", "Get Extended Balance", "Get Tradable Asset Pairs", "Get Server Time". Closed orders
and fills come newest first, 50 a page, from an offset: what comes meanwhile is listed twice and
nothing is left out. No list can be asked for by pair. `consolidate_taker` is always false: else the
fills of a taker become one row, whose id the stream does not know.
"""

from typing import Any, Final
from urllib.parse import parse_qsl

from orderloom.question import About, Question
from venues.document import Document, fields_of, integer, parse, rows_of
from venues.kraken.replies import errors_of
from venues.kraken.requests import SPOT_PUBLIC, public_request, spot_request
from venues.kraken.words import SPOT
from venues.query import Parameters
from venues.request import Context, HttpRequest
from venues.venue import SECOND_NS, BadFrame, Page

OPEN: Final = "OpenOrders"
CLOSED: Final = "ClosedOrders"
QUERY: Final = "QueryOrders"
TRADES: Final = "TradesHistory"
QUERY_TRADES: Final = "QueryTrades"
BALANCES: Final = "BalanceEx"
PAIRS: Final = "AssetPairs"
TIME: Final = "Time"
ROWS_MAX: Final = 50
TRADES_MAX: Final = 20
"""How many fills one query may name."""
# The manual says 4 since June 2026, the venue's own client 2: the dearer one.
WEIGHTS: Final = {TRADES: 4, QUERY_TRADES: 2}
TABLES: Final = {OPEN: "open", CLOSED: "closed", TRADES: "trades"}
# What each row of a table has, so that a table of something else is no answer.
MARKS: Final = {
    OPEN: "vol_exec",
    CLOSED: "vol_exec",
    QUERY: "vol_exec",
    TRADES: "ordertxid",
    QUERY_TRADES: "ordertxid",
    BALANCES: "balance",
    PAIRS: "altname",
}
ASKED_AT: Final = {About.BALANCES: BALANCES, About.OPEN_ORDERS: OPEN}
UNMERGED: Final = {"consolidate_taker": "false"}


def ask(question: Question, context: Context) -> HttpRequest:
    """The first request of a question.

    Raises:
        ValueError: this system has no such question, or it needs an order's id or a start.
    """
    about = question.about
    if about is About.SERVER_TIME or about is About.INSTRUMENTS:
        name = TIME if about is About.SERVER_TIME else PAIRS
        return public_request(SPOT, f"{SPOT_PUBLIC}{name}", context)
    if about in ASKED_AT:
        return _request(ASKED_AT[about], {}, context)
    if about is About.ORDER:
        return _order(question, context)
    if about is About.TRADES:
        return _trades(question, context)
    if about is About.ORDER_HISTORY:
        # By when they closed: what was opened before the span and closed in it is listed.
        return _request(CLOSED, {"closetime": "close", **_span(question)}, context)
    raise ValueError(f"no {about} of {SPOT!r}")


def _request(
    name: str, parameters: Parameters, context: Context, carry: tuple[str, ...] = ()
) -> HttpRequest:
    return spot_request(name, parameters, context, weight=WEIGHTS.get(name, 1), carry=carry)


def _trades(question: Question, context: Context) -> HttpRequest:
    if question.venue_order_id is None:
        return _request(TRADES, _span(question), context)
    # No list of fills goes by order: its own row names them.
    asked = {"txid": question.venue_order_id, "trades": "true", **UNMERGED}
    return _request(QUERY, asked, context)


def _order(question: Question, context: Context) -> HttpRequest:
    if question.venue_order_id is not None:
        return _request(QUERY, {"txid": question.venue_order_id, **UNMERGED}, context)
    if question.client_order_id is not None:
        return _request(OPEN, {"cl_ord_id": question.client_order_id}, context)
    raise ValueError("which order? neither a venue order id nor a client order id is given")


def _span(question: Question) -> dict[str, str]:
    if question.since_ns is None:
        raise ValueError(f"{question.about}: since when?")
    # In whole seconds, down and up; and whether the start itself is included is not said.
    span = {"start": str(question.since_ns // SECOND_NS - 1)}
    if question.until_ns is not None:
        span["end"] = str(-(-question.until_ns // SECOND_NS))
    return span | UNMERGED


def next_page(question: Question, page: Page, context: Context) -> HttpRequest | None:
    """The request that follows a complete page; None after the last one."""
    name, asked = _asked(page.request)
    result = _result_of(page.body)
    if name in (CLOSED, TRADES):
        offset = _offset(result, name, int(asked.get("ofs", "0")))
        return None if offset is None else _request(name, asked | {"ofs": str(offset)}, context)
    if name == OPEN and question.about is About.ORDER and not result[TABLES[OPEN]]:
        named = {"cl_ord_id": question.client_order_id or "", **UNMERGED}
        return _request(CLOSED, named, context)
    if name == QUERY and question.about is About.TRADES:
        return _fills(tuple(_fill_ids(result)), context)
    return _fills(page.request.carry, context) if name == QUERY_TRADES else None


def _asked(request: HttpRequest) -> tuple[str, dict[str, str]]:
    """The call, and its parameters without the nonce."""
    asked = dict(parse_qsl(request.body.decode()))
    asked.pop("nonce", None)
    return request.url.rpartition("/")[2], asked


def _result_of(body: bytes) -> dict[str, Any]:
    return fields_of(fields_of(parse(body), "answer").get("result"), "result")


def _offset(result: Document, name: str, offset: int) -> int | None:
    """Where the list goes on; None at its end."""
    rows, count = len(result[TABLES[name]]), integer(result, "count")
    is_last = rows < ROWS_MAX if count is None else offset + rows >= count
    if is_last:
        return None
    if not rows:
        raise ValueError(f"{name}: an empty page before the end, which {count} says")
    return offset + rows


def _fill_ids(result: Document) -> list[str]:
    found: list[str] = []
    for row in result.values():
        listed = rows_of(fields_of(row, "order").get("trades") or [], "trades")
        if not all(type(one) is str for one in listed):
            raise BadFrame("trades: not a list of ids")
        found += listed
    return found


def _fills(names: tuple[str, ...], context: Context) -> HttpRequest | None:
    """The next of these fills; the request carries the names of those that follow."""
    if not names:
        return None
    asked = {"txid": ",".join(names[:TRADES_MAX]), **UNMERGED}
    return _request(QUERY_TRADES, asked, context, names[TRADES_MAX:])


def is_complete_answer(page: Page) -> bool:
    """Whether the page is what was asked for: no error, and each row is one."""
    name, _ = _asked(page.request)
    try:
        answer = fields_of(parse(page.body), "answer")
        if errors_of(answer):
            return False
        result = fields_of(answer.get("result"), "result")
        if name == TIME:
            return integer(result, "unixtime") is not None
        table = fields_of(result.get(TABLES[name]), name) if name in TABLES else result
        integer(result, "count")
    except BadFrame:
        return False
    is_whole = all(type(row) is dict and MARKS[name] in row for row in table.values())
    return is_whole and (bool(table) or name != PAIRS)


def server_time(answer: Document) -> int:
    """The venue's clock in ns, there in whole seconds."""
    seconds = integer(fields_of(answer.get("result"), "result"), "unixtime")
    if seconds is None or not 0 < seconds < 9_000_000_000:
        raise BadFrame(f"unixtime: not a time: {seconds!r:.80}")
    return seconds * SECOND_NS
