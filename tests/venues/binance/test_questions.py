"""Questions and their pages, walked against a list that answers as the venue would."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from orderloom.question import About, Question
from venues.binance import BINANCE
from venues.binance.questions import ROWS_MAX
from venues.request import Context, Credentials, HttpRequest
from venues.venue import BadFrame, Page

DAY_NS = 24 * 3600 * 10**9
NOW_NS = 1_793_000_000_000_000_000
CONTEXT = Context(Credentials("key", "secret"), BINANCE.environments["production"], NOW_NS)
WINDOW_MS_MAX = {"spot": 24 * 3_600_000, "linear": 7 * 24 * 3_600_000}


@dataclass
class Rows:
    """Trades of one symbol at the venue, id by id, and what was asked for."""

    times_ms: list[int]
    product: str
    asked: list[dict[str, int]] = field(default_factory=list)
    share: int = 1
    """A page has at least one row, and else only one in so many of those that are there."""

    def answer(self, request: HttpRequest) -> bytes:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        asked: dict[str, int] = {
            name: int(query[name]) for name in ("fromId", "startTime", "endTime") if name in query
        }
        self.asked.append(asked)
        start, end = asked.get("startTime"), asked.get("endTime")
        assert not ({"fromId"} & set(asked) and (start or end)), "ids and times do not go together"
        if start is not None and end is not None:
            assert 0 <= end - start <= WINDOW_MS_MAX[self.product]
        if start is not None and end is None:
            end = start + WINDOW_MS_MAX[self.product]
        rows = [
            {"id": number, "time": time_ms}
            for number, time_ms in enumerate(self.times_ms)
            if number >= asked.get("fromId", 0)
            and (start is None or time_ms >= start)
            and (end is None or time_ms <= end)
        ]
        limit = min(int(query["limit"]), max(1, len(rows) // self.share))
        is_upwards = "fromId" in asked or start is not None
        return orjson.dumps(rows[:limit] if is_upwards else rows[-limit:])


def walk(rows: Rows, question: Question) -> set[int]:
    """The ids of all rows that the pages of a question hold."""
    found: set[int] = set()
    request: HttpRequest | None = BINANCE.ask(question, CONTEXT)
    for number in range(1, 100):
        assert request is not None
        page = Page(number, request, 200, rows.answer(request))
        assert BINANCE.is_complete_answer(page)
        found |= {row["id"] for row in orjson.loads(page.body)}
        request = BINANCE.next_page(question, page, CONTEXT)
        if request is None:
            return found
    raise AssertionError("the pages never end")


def trades(product: str, **changed: Any) -> Question:
    return Question(
        id="q", account="binance:main", about=About.TRADES, product=product, symbol="BTCUSDT",
        **changed,
    )  # fmt: skip


def hourly(days: int) -> list[int]:
    return [NOW_NS // 10**6 - hour * 3_600_000 for hour in range(24 * days, 0, -1)]


@pytest.mark.parametrize("product", BINANCE.products)
@pytest.mark.parametrize("days", [0, 1, 2, 8, 20])
def test_a_long_span_is_asked_in_windows_that_leave_no_hole(product: str, days: int) -> None:
    rows = Rows(hourly(30), product)
    since_ns = NOW_NS - days * DAY_NS
    expected = {n for n, at in enumerate(rows.times_ms) if at * 10**6 >= since_ns}
    assert walk(rows, trades(product, since_ns=since_ns)) == expected


@pytest.mark.parametrize("product", BINANCE.products)
def test_a_span_with_an_end_holds_all_of_it(product: str) -> None:
    rows = Rows(hourly(30), product)
    since_ns, until_ns = NOW_NS - 20 * DAY_NS, NOW_NS - 3 * DAY_NS
    inside = {
        n for n, at in enumerate(rows.times_ms) if since_ns <= at * 10**6 <= until_ns
    }  # fmt: skip
    assert inside <= walk(rows, trades(product, since_ns=since_ns, until_ns=until_ns))


@pytest.mark.parametrize("product", BINANCE.products)
@pytest.mark.parametrize("count", [1, 2, 7, ROWS_MAX + 3])
def test_a_page_that_is_shorter_than_it_should_be_ends_nothing(product: str, count: int) -> None:
    rows = Rows([NOW_NS // 10**6 - 1000] * count, product, share=2)
    assert walk(rows, trades(product, since_ns=NOW_NS - 10**10)) == set(range(count))
    assert walk(rows, trades(product, venue_order_id="17")) == set(range(count))


@pytest.mark.parametrize("product", BINANCE.products)
@pytest.mark.parametrize("count", [ROWS_MAX - 1, ROWS_MAX, ROWS_MAX + 1, 3 * ROWS_MAX])
def test_a_full_page_is_followed_from_its_last_id(product: str, count: int) -> None:
    """All in one millisecond: nothing but ids tells the rows apart."""
    rows = Rows([NOW_NS // 10**6 - 1000] * count, product)
    assert walk(rows, trades(product, since_ns=NOW_NS - 10**10)) == set(range(count))
    assert "startTime" in rows.asked[0]
    assert all(set(asked) == {"fromId"} for asked in rows.asked[1:])


@pytest.mark.parametrize("product", BINANCE.products)
def test_rows_beyond_the_end_of_the_span_end_the_pages(product: str) -> None:
    early, late = NOW_NS // 10**6 - 10_000, NOW_NS // 10**6 - 1000
    rows = Rows([early] * 1500 + [late] * 9000, product)
    span = {"since_ns": NOW_NS - 20 * 10**9, "until_ns": NOW_NS - 5 * 10**9}
    found = walk(rows, trades(product, **span))
    assert set(range(1500)) <= found
    assert len(rows.asked) == 2


@pytest.mark.parametrize("product", BINANCE.products)
def test_without_a_time_a_full_page_is_read_again_from_the_first_id(product: str) -> None:
    rows = Rows(hourly(30) * 4, product)
    assert walk(rows, trades(product)) == set(range(len(rows.times_ms)))


@pytest.mark.parametrize("product", BINANCE.products)
def test_an_orders_own_trades_are_asked_by_its_id_on_every_page(product: str) -> None:
    rows = Rows([NOW_NS // 10**6] * 2500, product)
    question = trades(product, venue_order_id="17", since_ns=NOW_NS - DAY_NS)
    first = BINANCE.ask(question, CONTEXT)
    assert "orderId=17" in first.url
    assert "startTime" not in first.url
    second = BINANCE.next_page(question, Page(1, first, 200, rows.answer(first)), CONTEXT)
    assert second is not None
    assert "orderId=17" in second.url
    assert walk(rows, question) == set(range(2500))


def test_a_question_about_one_symbols_open_orders_costs_less() -> None:
    def weight(product: str, symbol: str | None) -> float:
        question = Question(
            id="q", account="binance:main", about=About.OPEN_ORDERS, product=product, symbol=symbol
        )
        return BINANCE.ask(question, CONTEXT).costs[0].weight

    assert [weight("spot", "BTCUSDT"), weight("spot", None)] == [6, 80]
    assert [weight("linear", "BTCUSDT"), weight("linear", None)] == [1, 40]
    assert BINANCE.ask(trades("spot", venue_order_id="17"), CONTEXT).costs[0].weight == 5
    assert BINANCE.ask(trades("spot"), CONTEXT).costs[0].weight == 20


@pytest.mark.parametrize(("symbol", "weight"), [(None, 40), ("BTCUSDT", 1)])
def test_open_orders_of_usd_m_are_two_lists(symbol: str | None, weight: int) -> None:
    question = Question(
        id="q", account="binance:main", about=About.OPEN_ORDERS, product="linear", symbol=symbol
    )
    first = BINANCE.ask(question, CONTEXT)
    second = BINANCE.next_page(question, Page(1, first, 200, b"[]"), CONTEXT)
    assert second is not None
    assert (second.channel, second.costs[0].weight) == ("GET openAlgoOrders", weight)
    assert ("symbol=BTCUSDT" in second.url) is (symbol is not None)
    assert BINANCE.is_complete_answer(Page(2, second, 200, b"[]"))
    assert BINANCE.next_page(question, Page(2, second, 200, b"[]"), CONTEXT) is None


def test_a_history_is_paged_by_order_id() -> None:
    question = Question(
        id="q", account="binance:main", about=About.ORDER_HISTORY, product="spot",
        symbol="BTCUSDT", since_ns=NOW_NS - 10**9,
    )  # fmt: skip
    first = BINANCE.ask(question, CONTEXT)
    body = orjson.dumps([{"orderId": 5 + n, "time": NOW_NS // 10**6} for n in range(ROWS_MAX)])
    second = BINANCE.next_page(question, Page(1, first, 200, body), CONTEXT)
    assert second is not None
    assert f"orderId={5 + ROWS_MAX}" in second.url
    assert "Time" not in second.url
    assert BINANCE.next_page(question, Page(2, second, 200, b"[]"), CONTEXT) is None


def conditional(**names: Any) -> Question:
    return Question(
        id="q", account="binance:main", about=About.ORDER, product="linear", symbol="BTCUSDT",
        is_conditional=True, **names,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        ({"venue_order_id": "22", "client_order_id": "stop-1"}, "algoId=22"),
        ({"client_order_id": "stop-1"}, "clientAlgoId=stop-1"),
    ],
)
def test_a_conditional_order_of_usd_m_is_asked_for_where_it_is_kept(
    names: dict[str, str], asked: str
) -> None:
    request = BINANCE.ask(conditional(**names), CONTEXT)
    assert (request.channel, request.costs[0].weight) == ("GET algoOrder", 1)
    query = urlsplit(request.url).query
    assert asked in query
    assert "symbol" not in query
    page = Page(1, request, 200, b'{"algoId":22}')
    assert BINANCE.is_complete_answer(page)
    assert BINANCE.next_page(conditional(**names), page, CONTEXT) is None
    refused = Page(1, request, 400, b'{"code":-2013,"msg":"Order does not exist."}')
    assert not BINANCE.is_complete_answer(refused)


def test_a_conditional_order_of_spot_is_an_order_like_any_other() -> None:
    question = conditional(venue_order_id="22").model_copy(update={"product": "spot"})
    request = BINANCE.ask(question, CONTEXT)
    assert request.channel == "GET order"
    assert "orderId=22" in request.url


def test_the_history_of_usd_m_goes_on_with_that_of_conditional_orders() -> None:
    question = Question(
        id="q", account="binance:main", about=About.ORDER_HISTORY, product="linear",
        symbol="BTCUSDT", since_ns=NOW_NS - 10**9,
    )  # fmt: skip
    first = BINANCE.ask(question, CONTEXT)
    second = BINANCE.next_page(question, Page(1, first, 200, b"[]"), CONTEXT)
    assert second is not None
    assert (second.channel, second.costs[0].weight) == ("GET allAlgoOrders", 5)
    assert "symbol=BTCUSDT" in second.url
    assert "startTime=" in second.url
    rows = [{"algoId": 5 + n, "createTime": NOW_NS // 10**6} for n in range(ROWS_MAX)]
    page = Page(2, second, 200, orjson.dumps(rows))
    assert BINANCE.is_complete_answer(page)
    third = BINANCE.next_page(question, page, CONTEXT)
    assert third is not None
    assert third.channel == "GET allAlgoOrders"
    assert f"algoId={5 + ROWS_MAX}" in third.url
    assert BINANCE.next_page(question, Page(3, third, 200, b"[]"), CONTEXT) is None
    without_time = Page(2, second, 200, b'[{"algoId":5,"time":1}]')
    assert not BINANCE.is_complete_answer(without_time)


def test_ids_that_come_as_text_are_paged_on_from_as_numbers() -> None:
    question = trades("spot", since_ns=NOW_NS - 10**9)
    first = BINANCE.ask(question, CONTEXT)
    body = orjson.dumps([{"id": name, "time": NOW_NS // 10**6} for name in ("9", 10, "8")])
    second = BINANCE.next_page(question, Page(1, first, 200, body), CONTEXT)
    assert second is not None
    assert "fromId=11" in second.url


@pytest.mark.parametrize(
    ("about", "product", "changed"),
    [
        (About.POSITIONS, "spot", {}),
        (About.TRADES, "spot", {}),
        (About.ORDER, "linear", {"symbol": "BTCUSDT"}),
        (About.BALANCES, "inverse", {}),
    ],
)
def test_what_cannot_be_asked_is_said_at_once(
    about: About, product: str, changed: dict[str, Any]
) -> None:
    question = Question(id="q", account="binance:main", about=about, product=product, **changed)
    with pytest.raises(ValueError, match=r"."):
        BINANCE.ask(question, CONTEXT)


def test_rows_without_an_id_or_time_are_no_complete_page() -> None:
    request = BINANCE.ask(trades("spot"), CONTEXT)
    for body in (
        b"[{}]",
        b'[{"id":1}]',
        b'[{"id":"x","time":2}]',
        b'[{"id":1,"time":"2"}]',
        b"[7]",
        b"{}",
    ):
        assert not BINANCE.is_complete_answer(Page(1, request, 200, body))
    for body in (b'[{"id":1,"time":2}]', b'[{"id":"1","time":2}]'):
        assert BINANCE.is_complete_answer(Page(1, request, 200, body))


def test_the_venues_clock_is_read_in_ns() -> None:
    assert BINANCE.server_time(b'{"serverTime":1793000000123}') == 1_793_000_000_123_000_000
    for body in (b"{}", b'{"serverTime":"1"}', b'{"serverTime":-1}', b"[]", b""):
        with pytest.raises(BadFrame):
            BINANCE.server_time(body)


@pytest.mark.parametrize("product", ["spot", "linear"])
def test_a_venue_that_gives_the_same_page_again_and_again_is_found_out(product: str) -> None:
    question = trades(product, since_ns=None, until_ns=None)
    body = orjson.dumps([{"id": number, "time": number} for number in range(1000)])
    first = BINANCE.ask(question, CONTEXT)
    second = BINANCE.next_page(question, Page(1, first, 200, body), CONTEXT)
    assert second is not None
    if second is not None and "fromId=0" in second.url:  # the newest rows come first of all
        second = BINANCE.next_page(question, Page(2, second, 200, body), CONTEXT)
        assert second is not None
    again = Page(3, second, 200, body)
    with pytest.raises(ValueError, match="ends where it began"):
        BINANCE.next_page(question, again, CONTEXT)
