"""Questions, their lists and their pages, walked against lists that answer as the venue would."""

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import orjson
import pytest

from orderloom.question import About, Question
from venues.bybit import BYBIT
from venues.bybit.questions import KEPT_NS, ROWS_MAX, WEEK_NS
from venues.request import Context, Credentials, HttpRequest
from venues.venue import BadFrame, Page

DAY_NS = 24 * 3600 * 10**9
NOW_NS = 1_793_000_000_000_000_000
CONTEXT = Context(Credentials("key", "secret"), BYBIT.environments["production"], NOW_NS)
Asked = dict[str, str]


def asked_of(request: HttpRequest) -> tuple[str, Asked]:
    """Path and parameters as they are on the wire."""
    address = urlsplit(request.url)
    pairs = [pair.split("=", 1) for pair in address.query.split("&") if pair]
    return address.path.removeprefix("/v5/"), dict(pairs)


def envelope(result: dict[str, Any], code: int = 0) -> bytes:
    said = "OK" if code == 0 else "no"
    return orjson.dumps({"retCode": code, "retMsg": said, "result": result, "time": 1})


def listed(rows: list[Any], cursor: str = "") -> bytes:
    return envelope({"category": "linear", "list": rows, "nextPageCursor": cursor})


@dataclass
class Lists:
    """The lists at the venue: row numbers by path, coin and start; and what was asked for.

    A cursor is percent-encoded as the venue's are, and is known again only as it was given.
    """

    rows: dict[tuple[str, ...], int]
    page_max: int = 0
    asked: list[tuple[str, Asked]] = field(default_factory=list)

    def answer(self, request: HttpRequest) -> bytes:
        path, asked = asked_of(request)
        self.asked.append((path, asked))
        whose = (path, asked.get("settleCoin") or asked.get("startTime") or "")
        count, size = self.rows.get(whose, 0), self.page_max or ROWS_MAX[path]
        start = int(unquote(asked["cursor"]).partition("=")[2]) if "cursor" in asked else 0
        assert asked.get("cursor", cursor_at(start)) == cursor_at(start)
        end = min(start + size, count)
        rows = [{"orderId": f"{'/'.join(whose)}/{number}"} for number in range(start, end)]
        return listed(rows, cursor_at(end) if end < count else "")


def cursor_at(row: int) -> str:
    return quote(f"page&row={row}", safe="")


def walk(lists: Lists, question: Question) -> list[str]:
    """The rows that the pages of a question hold."""
    found: list[str] = []
    request: HttpRequest | None = BYBIT.ask(question, CONTEXT)
    for number in range(1, 200):
        assert request is not None
        page = Page(number, request, 200, lists.answer(request))
        assert BYBIT.is_complete_answer(page)
        found += [row["orderId"] for row in orjson.loads(page.body)["result"]["list"]]
        request = BYBIT.next_page(question, page, CONTEXT)
        if request is None:
            return found
    raise AssertionError("the pages never end")


def a_question(about: About, product: str = "linear", **fields: Any) -> Question:
    return Question(id="q", account="bybit:main", about=about, product=product, **fields)


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 120])
def test_a_list_is_read_until_its_cursor_is_blank(count: int) -> None:
    lists = Lists({("order/realtime", "USDT"): count, ("order/realtime", "USDC"): 3})
    found = walk(lists, a_question(About.OPEN_ORDERS))
    assert len(set(found)) == len(found) == count + 3
    assert len(lists.asked) == max(1, -(-count // 50)) + 1
    assert all(asked["openOnly"] == "0" for _, asked in lists.asked)


def test_pages_keep_what_was_asked_for() -> None:
    lists = Lists({("order/realtime", ""): 120})
    walk(lists, a_question(About.OPEN_ORDERS, symbol="BTCUSDT"))
    assert len(lists.asked) == 3
    for path, asked in lists.asked:
        asked.pop("cursor", None)
        assert (path, asked) == (
            "order/realtime",
            {"category": "linear", "openOnly": "0", "symbol": "BTCUSDT", "limit": "50"},
        )


def test_a_cursor_goes_back_as_it_came_and_no_part_of_it_is_another_parameter() -> None:
    question = a_question(About.OPEN_ORDERS, symbol="BTCUSDT")
    first = BYBIT.ask(question, CONTEXT)
    for given, sent in (
        ("page_args%3D7c0d%26symbol%3D6%26", "page_args%3D7c0d%26symbol%3D6%26"),
        ("132766:2,a&b=c d", "132766%3A2%2Ca%26b%3Dc%20d"),
    ):
        following = BYBIT.next_page(question, Page(1, first, 200, listed([{}], given)), CONTEXT)
        assert following is not None
        assert following.url.endswith(f"&cursor={sent}")


def test_a_page_that_ends_where_it_began_is_never_followed() -> None:
    question = a_question(About.OPEN_ORDERS)
    first = BYBIT.ask(question, CONTEXT)
    again = listed([{}], "here%3D1")
    second = BYBIT.next_page(question, Page(1, first, 200, again), CONTEXT)
    assert second is not None
    with pytest.raises(ValueError, match="began"):
        BYBIT.next_page(question, Page(2, second, 200, again), CONTEXT)


def weeks_of(about: About, **fields: Any) -> list[Asked]:
    lists = Lists({})
    walk(lists, a_question(about, **fields))
    assert len({path for path, _ in lists.asked}) == 1
    return [asked for _, asked in lists.asked]


@pytest.mark.parametrize("about", [About.TRADES, About.ORDER_HISTORY])
def test_a_span_is_asked_for_week_by_week_without_a_hole(about: About) -> None:
    since_ns, until_ns = NOW_NS - 17 * DAY_NS - 1, NOW_NS - DAY_NS - 1
    asked = weeks_of(about, since_ns=since_ns, until_ns=until_ns)
    spans = [(int(one["startTime"]), int(one["endTime"])) for one in asked]
    assert spans[0][0] <= since_ns // 10**6
    assert spans[-1][1] >= until_ns // 10**6
    assert all(later[0] <= earlier[1] for earlier, later in pairwise(spans))
    assert all(end - start <= WEEK_NS // 10**6 for start, end in spans)
    assert len(spans) == 3


def test_a_span_that_is_still_open_ends_with_a_week_that_begins_in_it() -> None:
    asked = weeks_of(About.ORDER_HISTORY, since_ns=NOW_NS - 9 * DAY_NS)
    assert ["endTime" in one for one in asked] == [True, False]
    assert int(asked[1]["startTime"]) == int(asked[0]["endTime"])


def test_what_is_kept_no_longer_is_not_asked_for() -> None:
    asked = weeks_of(About.TRADES, since_ns=0, until_ns=NOW_NS)
    oldest_ns = int(asked[0]["startTime"]) * 10**6
    assert NOW_NS - KEPT_NS < oldest_ns <= NOW_NS - KEPT_NS + WEEK_NS
    # The same a moment later: else no page of it would be known again.
    later = replace(CONTEXT, venue_ns=NOW_NS + 10**9)
    question = a_question(About.TRADES, since_ns=0, until_ns=NOW_NS)
    assert BYBIT.ask(question, later).url == BYBIT.ask(question, CONTEXT).url


def test_a_week_of_many_pages_is_followed_by_the_next_week() -> None:
    start = (NOW_NS - 8 * DAY_NS) // 10**6
    later = start + WEEK_NS // 10**6
    rows: dict[tuple[str, ...], int] = {
        ("execution/list", str(start)): 250,
        ("execution/list", str(later)): 101,
    }
    found = walk(Lists(rows), a_question(About.TRADES, since_ns=start * 10**6, until_ns=NOW_NS))
    assert len(set(found)) == len(found) == 351


def test_an_orders_own_executions_are_asked_for_without_a_span() -> None:
    request = BYBIT.ask(
        a_question(About.TRADES, symbol="BTCUSDT", venue_order_id="7c0d", since_ns=NOW_NS), CONTEXT
    )
    assert asked_of(request) == (
        "execution/list",
        {"category": "linear", "symbol": "BTCUSDT", "orderId": "7c0d", "limit": "100"},
    )


@pytest.mark.parametrize(
    ("ids", "asked"),
    [
        ({"venue_order_id": "7c0d", "client_order_id": "desk1"}, {"orderId": "7c0d"}),
        ({"client_order_id": "desk1"}, {"orderLinkId": "desk1"}),
    ],
)
@pytest.mark.parametrize("is_conditional", [False, True])
def test_an_order_is_asked_for_by_the_venues_id_if_it_is_known(
    ids: dict[str, str], asked: Asked, is_conditional: bool
) -> None:
    question = a_question(
        About.ORDER, "spot", symbol="ETHUSDT", is_conditional=is_conditional, **ids
    )
    path, sent = asked_of(BYBIT.ask(question, CONTEXT))
    assert path == "order/realtime"
    assert sent == {"category": "spot", "symbol": "ETHUSDT", "limit": "50", **asked}


def test_an_order_whose_symbol_nobody_knows_is_looked_for_in_each_coin_of_settlement() -> None:
    lists = Lists({})
    assert walk(lists, a_question(About.ORDER, venue_order_id="7c0d")) == []
    assert [(path, asked.get("settleCoin")) for path, asked in lists.asked] == [
        ("order/realtime", "USDT"),
        ("order/realtime", "USDC"),
        ("order/history", None),
    ]


def test_what_cannot_be_asked_is_refused() -> None:
    for bad in (
        a_question(About.ORDER, symbol="ETHUSDT"),
        a_question(About.POSITIONS, "spot"),
        a_question(About.BALANCES, "option"),
        a_question(About.TRADES, symbol="ETHUSDT"),
        a_question(About.ORDER_HISTORY),
    ):
        with pytest.raises(ValueError, match=r"."):
            BYBIT.ask(bad, CONTEXT)


def test_an_error_in_a_good_status_is_no_answer() -> None:
    request = BYBIT.ask(a_question(About.OPEN_ORDERS), CONTEXT)
    good = [{"orderId": "7c0d"}]
    assert BYBIT.is_complete_answer(Page(1, request, 200, listed(good)))
    for body in (
        envelope({"list": [], "nextPageCursor": ""}, 10006),
        envelope({"list": good}, 10016),
        envelope({}),
        listed(["7c0d"]),
        envelope({"list": good, "nextPageCursor": 7}),
        envelope({"list": good, "nextPageCursor": None}),
        envelope({"list": good, "nextPageCursor": "x" * 5000}),
        listed(good).replace(b'"retCode":0', b'"retCode":"0"'),
        listed(good).replace(b'"retCode":0,', b""),
    ):
        assert not BYBIT.is_complete_answer(Page(1, request, 200, body)), body


@pytest.mark.parametrize(
    ("rows", "is_complete"),
    [
        ([{"accountType": "UNIFIED", "coin": [{"coin": "USDT"}]}], True),
        ([{"accountType": "UNIFIED", "coin": []}], True),
        ([{"accountType": "CONTRACT", "coin": []}], False),
        ([], False),
        ([{}], False),
        ([{"accountType": "UNIFIED", "coin": None}], False),
    ],
)
def test_a_list_of_balances_without_the_account_itself_is_not_an_account_without_any(
    rows: list[dict[str, object]], is_complete: bool
) -> None:
    request = BYBIT.ask(a_question(About.BALANCES), CONTEXT)
    assert asked_of(request) == ("account/wallet-balance", {"accountType": "UNIFIED"})
    assert BYBIT.is_complete_answer(Page(1, request, 200, envelope({"list": rows}))) is is_complete


def test_server_time_is_read_to_the_nanosecond() -> None:
    said = {"timeSecond": "1793000000", "timeNano": "1793000000123456789"}
    assert BYBIT.server_time(envelope(said)) == 1_793_000_000_123_456_789
    for body in (b"{}", b"[]", b"", envelope({}), envelope({"timeNano": "soon"})):
        with pytest.raises(BadFrame):
            BYBIT.server_time(body)
