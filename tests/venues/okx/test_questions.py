"""Questions, their lists and their pages, walked against lists that answer as the venue would."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from orderloom.question import About, Question
from venues.okx import OKX
from venues.okx.questions import ROWS_MAX
from venues.request import Context, Credentials, HttpRequest
from venues.venue import BadFrame, Page

DAY_NS = 24 * 3600 * 10**9
NOW_NS = 1_793_000_000_000_000_000
CONTEXT = Context(Credentials("key", "secret", "pass"), OKX.environments["production"], NOW_NS)
ALGO_HISTORY = "orders-algo-history"
ROW_IDS = {
    "fills": "billId",
    "fills-history": "billId",
    "orders-algo-pending": "algoId",
    ALGO_HISTORY: "algoId",
}
Asked = dict[str, str]


def asked_of(request: HttpRequest) -> tuple[str, Asked]:
    address = urlsplit(request.url)
    return address.path.rpartition("/")[2], dict(parse_qsl(address.query))


def envelope(rows: list[dict[str, Any]], code: str = "0") -> bytes:
    return orjson.dumps({"code": code, "msg": "", "data": rows})


@dataclass
class Lists:
    """The lists at the venue: ids by list name and kind, oldest first; and what was asked for."""

    ids: dict[tuple[str, str], list[int]]
    asked: list[tuple[str, Asked]] = field(default_factory=list)
    page_max: int = ROWS_MAX

    def answer(self, request: HttpRequest) -> bytes:
        name, asked = asked_of(request)
        self.asked.append((name, asked))
        kind = asked.get("instType", asked.get("ordType", ""))
        after = int(asked.get("after", 10**18))
        newest_first = sorted(self.ids.get((name, kind), []), reverse=True)
        page = [number for number in newest_first if number < after][: self.page_max]
        row_id = ROW_IDS.get(name, "ordId")
        if name == ALGO_HISTORY:  # its ids are the milliseconds in which they were made
            return envelope([{row_id: str(number), "cTime": str(number)} for number in page])
        return envelope([{row_id: str(number), "instType": kind} for number in page])

    def ordinary(self) -> list[tuple[str, Asked]]:
        """What was asked of orders and executions, conditional orders left out."""
        return [one for one in self.asked if one[0] != ALGO_HISTORY]


def walk(lists: Lists, question: Question) -> list[int]:
    """The ids of all rows that the pages of a question hold."""
    found: list[int] = []
    request: HttpRequest | None = OKX.ask(question, CONTEXT)
    for number in range(1, 200):
        assert request is not None
        page = Page(number, request, 200, lists.answer(request))
        assert OKX.is_complete_answer(page)
        rows = orjson.loads(page.body)["data"]
        found += [int(row[ROW_IDS.get(asked_of(request)[0], "ordId")]) for row in rows]
        request = OKX.next_page(question, page, CONTEXT)
        if request is None:
            return found
    raise AssertionError("the pages never end")


def a_question(about: About, product: str = "linear", **fields: Any) -> Question:
    return Question(id="q", account="okx:main", about=about, product=product, **fields)


@pytest.mark.parametrize("count", [0, 1, ROWS_MAX - 1, ROWS_MAX, ROWS_MAX + 1, 5 * ROWS_MAX])
@pytest.mark.parametrize("page_max", [ROWS_MAX, 7])
def test_pages_go_on_to_older_rows_until_one_is_empty(count: int, page_max: int) -> None:
    """Also where the venue gives fewer rows than it could: only an empty page is the end."""
    lists = Lists({("fills", "SWAP"): list(range(1, count + 1))}, page_max=page_max)
    found = walk(lists, a_question(About.TRADES, since_ns=NOW_NS - 10**10))
    assert found == sorted(found, reverse=True)
    assert set(found) == set(range(1, count + 1))
    assert len(lists.asked) == -(-count // page_max) + 1


def test_coins_are_asked_for_in_both_kinds() -> None:
    lists = Lists({("fills", "SPOT"): [1, 2], ("fills", "MARGIN"): [3]})
    assert set(walk(lists, a_question(About.TRADES, "spot", since_ns=NOW_NS))) == {1, 2, 3}
    lists = Lists({("orders-history", "MARGIN"): list(range(250))})
    assert len(walk(lists, a_question(About.ORDER_HISTORY, "spot", since_ns=NOW_NS))) == 250


def test_open_orders_hold_the_conditional_ones_of_every_type() -> None:
    types = ("conditional,oco", "trigger", "move_order_stop")
    ids = {("orders-algo-pending", name): [10 + n] for n, name in enumerate(types)}
    lists = Lists(ids | {("orders-pending", "SWAP"): [1, 2]})
    assert set(walk(lists, a_question(About.OPEN_ORDERS))) == {1, 2, 10, 11, 12}


def test_ended_conditional_orders_are_asked_for_no_further_back_than_is_asked() -> None:
    now_ms = NOW_NS // 10**6
    every = [now_ms - 1000 * age for age in range(1000)]
    lists = Lists({(ALGO_HISTORY, "trigger"): every}, page_max=10)
    found = walk(lists, a_question(About.ORDER_HISTORY, since_ns=NOW_NS - 30 * 10**9))
    assert {one for one in every if one >= now_ms - 30_000} <= set(found)
    assert len(set(found)) <= 40
    asked = [one for name, one in lists.asked if name == ALGO_HISTORY and "after" not in one]
    assert {(one["ordType"], one["state"]) for one in asked} == {
        (kind, state)
        for kind in ("conditional,oco", "trigger", "move_order_stop")
        for state in ("canceled", "order_failed")
    }


@pytest.mark.parametrize(
    ("rows", "is_complete"),
    [
        ([{"details": [{"ccy": "SOL"}]}], True),
        ([{"details": []}], True),
        ([], False),
        ([{}], False),
        ([{"details": None}], False),
    ],
)
def test_a_list_of_balances_without_the_account_itself_is_not_an_account_without_any(
    rows: list[dict[str, object]], is_complete: bool
) -> None:
    request = OKX.ask(a_question(About.BALANCES), CONTEXT)
    assert OKX.is_complete_answer(Page(1, request, 200, envelope(rows))) is is_complete


@pytest.mark.parametrize(
    ("ids", "asked"),
    [
        ({"venue_order_id": "7", "client_order_id": "s1"}, {"algoId": "7"}),
        ({"client_order_id": "s1"}, {"algoClOrdId": "s1"}),
    ],
)
def test_row_50_a_conditional_order_is_asked_about_where_the_venue_keeps_those(
    ids: dict[str, str], asked: Asked
) -> None:
    question = a_question(About.ORDER, symbol="BTC-USDT-SWAP", is_conditional=True, **ids)
    request = OKX.ask(question, CONTEXT)
    assert asked_of(request) == ("order-algo", asked)
    row = {"algoId": "7", "state": "canceled"}
    page = Page(1, request, 200, envelope([row]))
    assert OKX.is_complete_answer(page)
    assert OKX.next_page(question, page, CONTEXT) is None


@pytest.mark.parametrize(
    ("about", "days", "names"),
    [
        (About.TRADES, 1, ["fills"]),
        (About.TRADES, 4, ["fills-history"]),
        (About.ORDER_HISTORY, 1, ["orders-history"]),
        (About.ORDER_HISTORY, 9, ["orders-history", "orders-history-archive"]),
    ],
)
def test_what_is_older_is_in_a_list_of_its_own(about: About, days: int, names: list[str]) -> None:
    lists = Lists({})
    walk(lists, a_question(about, since_ns=NOW_NS - days * DAY_NS, until_ns=NOW_NS + 1))
    ordinary = lists.ordinary()
    assert [name for name, _ in ordinary] == names
    assert all(asked["begin"] == str((NOW_NS - days * DAY_NS) // 10**6) for _, asked in ordinary)
    assert all(asked["end"] == str(NOW_NS // 10**6 + 1) for _, asked in ordinary)


def test_pages_keep_the_span_the_kind_and_the_instrument() -> None:
    lists = Lists({("fills", "SWAP"): list(range(1, 302))})
    walk(lists, a_question(About.TRADES, symbol="BTC-USDT-SWAP", since_ns=NOW_NS, until_ns=NOW_NS))
    assert len(lists.asked) == 5
    for name, asked in lists.asked:
        asked.pop("after", None)
        assert (name, asked) == (
            "fills",
            {
                "instType": "SWAP",
                "instId": "BTC-USDT-SWAP",
                "begin": str(NOW_NS // 10**6),
                "end": str(NOW_NS // 10**6),
                "limit": "100",
            },
        )


def test_an_orders_own_trades_are_asked_for_in_both_lists_without_a_span() -> None:
    lists = Lists({("fills", ""): [1], ("fills-history", "SWAP"): [1]})
    question = a_question(
        About.TRADES, symbol="BTC-USDT-SWAP", venue_order_id="17", since_ns=NOW_NS
    )
    assert walk(lists, question) == [1, 1]
    assert {name for name, _ in lists.asked} == {"fills", "fills-history"}
    assert all(asked["ordId"] == "17" and "begin" not in asked for _, asked in lists.asked)


def test_an_order_is_asked_for_by_the_venues_id_if_it_is_known() -> None:
    both = a_question(
        About.ORDER, symbol="ETH-USDT", venue_order_id="17", client_order_id="a1", product="spot"
    )
    assert asked_of(OKX.ask(both, CONTEXT)) == ("order", {"instId": "ETH-USDT", "ordId": "17"})
    for bad in (
        a_question(About.ORDER, symbol="ETH-USDT"),
        a_question(About.ORDER, venue_order_id="17"),
        a_question(About.POSITIONS, "spot"),
        a_question(About.BALANCES, "option"),
    ):
        with pytest.raises(ValueError, match=r"."):
            OKX.ask(bad, CONTEXT)


def test_an_error_in_a_good_status_is_no_answer() -> None:
    request = OKX.ask(a_question(About.OPEN_ORDERS), CONTEXT)
    good = [{"ordId": "1"}]
    assert OKX.is_complete_answer(Page(1, request, 200, envelope(good)))
    for body in (
        envelope([], "50011"),
        envelope(good, "1"),
        envelope([{"ordId": 1}]),
        envelope([{}]),
        b'{"code":"0","msg":""}',
        b'{"code":0,"msg":"","data":[]}',
        b'{"data":[]}',
    ):
        assert not OKX.is_complete_answer(Page(1, request, 200, body)), body


def test_a_page_that_ends_where_it_began_is_never_followed() -> None:
    question = a_question(About.OPEN_ORDERS)
    first = OKX.ask(question, CONTEXT)
    second = OKX.next_page(question, Page(1, first, 200, envelope([{"ordId": "9"}])), CONTEXT)
    assert second is not None
    with pytest.raises(ValueError, match="began"):
        OKX.next_page(question, Page(2, second, 200, envelope([{"ordId": "9"}])), CONTEXT)


def test_each_path_draws_on_its_own_bucket() -> None:
    request = OKX.ask(a_question(About.TRADES, since_ns=NOW_NS - 5 * DAY_NS), CONTEXT)
    [cost] = request.costs
    assert (cost.bucket, cost.weight) == ("trade/fills-history", 1)
    assert OKX.buckets[cost.bucket].capacity == 10


def test_server_time_is_read_from_its_only_row() -> None:
    assert OKX.server_time(envelope([{"ts": "1793000000123"}])) == 1_793_000_000_123_000_000
    for body in (b"{}", b"[]", b"", envelope([]), envelope([{}]), envelope([{"ts": "soon"}])):
        with pytest.raises(BadFrame):
            OKX.server_time(body)
