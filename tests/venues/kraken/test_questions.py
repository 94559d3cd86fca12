"""Questions and their pages, walked against lists that answer as the two systems would."""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from orderloom.question import About, Question
from venues.kraken import KRAKEN
from venues.request import Context, Credentials, HttpRequest
from venues.venue import BadFrame, Page

NOW_NS = 1_793_600_000_000_000_000
HOUR_NS = 3600 * 10**9
CONTEXT = Context(Credentials("key", "c2VjcmV0"), KRAKEN.environments["production"], NOW_NS)
Asked = dict[str, str]


def asked_of(request: HttpRequest) -> tuple[str, Asked]:
    """The call and its parameters, without the nonce."""
    address = urlsplit(request.url)
    asked = dict(parse_qsl(request.body.decode() or address.query))
    asked.pop("nonce", None)
    return address.path.rpartition("/")[2], asked


def a_question(about: About, product: str = "spot", **fields: Any) -> Question:
    return Question(id="q", account="kraken:main", about=about, product=product, **fields)


@dataclass
class SpotLists:
    """Closed orders or fills, newest first, 50 a page; one more comes after each page."""

    count: int
    grows: bool = False
    is_counted: bool = True
    asked: list[Asked] = field(default_factory=list)

    def answer(self, request: HttpRequest) -> bytes:
        name, asked = asked_of(request)
        self.asked.append(asked)
        first = int(asked.get("ofs", "0"))
        newest = range(self.count - 1, -1, -1)
        rows = {f"T{number}": {"ordertxid": "O", "vol_exec": "0"} for number in newest}
        page = dict(list(rows.items())[first : first + 50])
        count = {"count": self.count} if self.is_counted else {}
        self.count += self.grows
        table = "trades" if name == "TradesHistory" else "closed"
        return orjson.dumps({"error": [], "result": {table: page, **count}})


def walk(question: Question, answer: Any) -> list[str]:
    """The bodies' rows, page after page."""
    found: list[str] = []
    request: HttpRequest | None = KRAKEN.ask(question, CONTEXT)
    for number in range(1, 50):
        assert request is not None
        page = Page(number, request, 200, answer(request))
        assert KRAKEN.is_complete_answer(page)
        result = orjson.loads(page.body)["result"]
        found += list(result.get("trades") or result.get("closed") or {})
        request = KRAKEN.next_page(question, page, CONTEXT)
        if request is None:
            return found
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("about", [About.TRADES, About.ORDER_HISTORY])
@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 149])
@pytest.mark.parametrize("is_counted", [True, False])
def test_a_list_is_read_to_its_end(about: About, count: int, is_counted: bool) -> None:
    lists = SpotLists(count, is_counted=is_counted)
    found = walk(a_question(about, since_ns=NOW_NS - HOUR_NS), lists.answer)
    assert sorted(found) == sorted(f"T{number}" for number in range(count))


def test_what_comes_meanwhile_is_listed_twice_and_nothing_is_left_out() -> None:
    lists = SpotLists(120, grows=True)
    found = walk(a_question(About.TRADES, since_ns=NOW_NS - HOUR_NS), lists.answer)
    assert set(found) >= {f"T{number}" for number in range(120)}


def test_pages_keep_what_was_asked_for() -> None:
    lists = SpotLists(120)
    since_ns = NOW_NS - HOUR_NS + 1
    walk(a_question(About.ORDER_HISTORY, since_ns=since_ns, until_ns=NOW_NS - 1), lists.answer)
    assert [asked.pop("ofs", "0") for asked in lists.asked] == ["0", "50", "100"]
    wanted = {"closetime": "close", "start": "1793596399", "end": "1793600000"}
    assert all(asked == wanted | {"consolidate_taker": "false"} for asked in lists.asked)


def test_an_empty_page_before_the_end_is_no_end() -> None:
    question = a_question(About.TRADES, since_ns=NOW_NS - HOUR_NS)
    body = b'{"error":[],"result":{"trades":{},"count":7}}'
    with pytest.raises(ValueError, match="before the end"):
        KRAKEN.next_page(question, Page(1, KRAKEN.ask(question, CONTEXT), 200, body), CONTEXT)


def test_the_fills_of_one_order_are_named_by_its_row_and_asked_for_by_twenty() -> None:
    question = a_question(About.TRADES, venue_order_id="OQ7K2A-4ZC3X-77PLMN")
    names = [f"T{number}" for number in range(45)]
    first = KRAKEN.ask(question, CONTEXT)
    assert asked_of(first) == (
        "QueryOrders",
        {"txid": "OQ7K2A-4ZC3X-77PLMN", "trades": "true", "consolidate_taker": "false"},
    )
    row = {"OQ7K2A-4ZC3X-77PLMN": {"vol_exec": "1", "trades": names}}
    body = orjson.dumps({"error": [], "result": row})
    asked: list[str] = []
    request: HttpRequest | None = KRAKEN.next_page(question, Page(1, first, 200, body), CONTEXT)
    while request is not None:
        name, parameters = asked_of(request)
        assert name == "QueryTrades"
        batch = parameters["txid"].split(",")
        assert len(batch) <= 20
        asked += batch
        answer = orjson.dumps({"error": [], "result": {}})
        request = KRAKEN.next_page(question, Page(2, request, 200, answer), CONTEXT)
    assert asked == names


def test_an_order_without_fills_needs_no_second_question() -> None:
    question = a_question(About.TRADES, venue_order_id="O1")
    body = b'{"error":[],"result":{"O1":{"vol_exec":"0"}}}'
    page = Page(1, KRAKEN.ask(question, CONTEXT), 200, body)
    assert KRAKEN.next_page(question, page, CONTEXT) is None


def test_an_order_of_our_id_is_looked_for_among_the_open_ones_then_the_closed() -> None:
    question = a_question(About.ORDER, client_order_id="os-1")
    first = KRAKEN.ask(question, CONTEXT)
    assert asked_of(first) == ("OpenOrders", {"cl_ord_id": "os-1"})
    nothing = Page(1, first, 200, b'{"error":[],"result":{"open":{}}}')
    following = KRAKEN.next_page(question, nothing, CONTEXT)
    assert following is not None
    assert asked_of(following) == (
        "ClosedOrders", {"cl_ord_id": "os-1", "consolidate_taker": "false"},
    )  # fmt: skip
    found = Page(1, first, 200, b'{"error":[],"result":{"open":{"O1":{"vol_exec":"0"}}}}')
    assert KRAKEN.next_page(question, found, CONTEXT) is None


def test_a_history_of_futures_goes_on_by_its_token_until_there_is_none() -> None:
    question = a_question(About.ORDER_HISTORY, "linear", since_ns=NOW_NS - HOUR_NS)
    request = KRAKEN.ask(question, CONTEXT)
    row = {"uid": "1", "timestamp": 1, "event": {"OrderNotFound": {}}}
    first = orjson.dumps({"elements": [row], "continuationToken": "bmV4dA=="})
    second = KRAKEN.next_page(question, Page(1, request, 200, first), CONTEXT)
    assert second is not None
    assert asked_of(second)[1] == asked_of(request)[1] | {"continuation_token": "bmV4dA=="}
    with pytest.raises(ValueError, match="began"):
        KRAKEN.next_page(question, Page(2, second, 200, first), CONTEXT)
    for end in ({"elements": [row]}, {"elements": [], "continuationToken": "eA=="}):
        page = Page(2, second, 200, orjson.dumps(end))
        assert KRAKEN.is_complete_answer(page)
        assert KRAKEN.next_page(question, page, CONTEXT) is None


def test_one_order_of_futures_is_read_back_from_the_newest_until_it_is_found() -> None:
    question = a_question(About.ORDER, "linear", symbol="PF_XBTUSD", venue_order_id="1c9c")
    opened = Page(1, KRAKEN.ask(question, CONTEXT), 200, b'{"result":"success","openOrders":[]}')
    history = KRAKEN.next_page(question, opened, CONTEXT)
    assert history is not None
    name, asked = asked_of(history)
    assert (name, asked["sort"], asked["tradeable"]) == ("orders", "desc", "PF_XBTUSD")
    # The same a moment later: a token goes on in the list that it came from.
    later = KRAKEN.next_page(question, opened, replace(CONTEXT, venue_ns=NOW_NS + 10**9))
    assert later is not None
    assert asked_of(later) == asked_of(history)
    other = orjson.dumps({"elements": [{"event": {}}], "continuationToken": "eA=="})
    assert KRAKEN.next_page(question, Page(2, history, 200, other), CONTEXT) is not None
    found = orjson.dumps({"elements": [{"event": {"uid": "1c9c"}}], "continuationToken": "eA=="})
    assert KRAKEN.next_page(question, Page(2, history, 200, found), CONTEXT) is None


def test_what_cannot_be_asked_is_refused() -> None:
    for bad in (
        a_question(About.ORDER),
        a_question(About.ORDER, "linear"),
        a_question(About.POSITIONS),
        a_question(About.BALANCES, "option"),
        a_question(About.TRADES),
        a_question(About.TRADES, "inverse"),
        a_question(About.ORDER_HISTORY),
    ):
        with pytest.raises(ValueError, match=r"."):
            KRAKEN.ask(bad, CONTEXT)


@pytest.mark.parametrize(
    ("about", "product", "body", "is_complete"),
    [
        (About.OPEN_ORDERS, "spot", {"error": [], "result": {"open": {}}}, True),
        (About.OPEN_ORDERS, "spot", {"error": ["WOld"], "result": {"open": {}}}, True),
        (About.OPEN_ORDERS, "spot", {"error": ["EAPI:x"], "result": {"open": {}}}, False),
        (About.OPEN_ORDERS, "spot", {"error": [], "result": {"open": {"O1": 7}}}, False),
        (About.OPEN_ORDERS, "spot", {"error": [], "result": {}}, False),
        (About.OPEN_ORDERS, "spot", {"result": {"open": {}}}, False),
        (About.BALANCES, "spot", {"error": [], "result": {}}, True),
        (About.BALANCES, "spot", {"error": [], "result": {"ZUSD": {}}}, False),
        (About.INSTRUMENTS, "spot", {"error": [], "result": {}}, False),
        (About.SERVER_TIME, "spot", {"error": [], "result": {"unixtime": "1"}}, False),
        (About.OPEN_ORDERS, "linear", {"result": "success", "openOrders": []}, True),
        (About.OPEN_ORDERS, "linear", {"result": "error", "openOrders": []}, False),
        (About.OPEN_ORDERS, "linear", {"result": "success", "openOrders": [7]}, False),
        (About.OPEN_ORDERS, "linear", {"result": "success"}, False),
        (About.BALANCES, "linear", {"result": "success", "accounts": {}}, False),
        (About.INSTRUMENTS, "linear", {"result": "success", "instruments": []}, False),
    ],
)
def test_only_what_was_asked_for_is_an_answer(
    about: About, product: str, body: dict[str, Any], is_complete: bool
) -> None:
    request = KRAKEN.ask(a_question(about, product), CONTEXT)
    page = Page(1, request, 200, orjson.dumps(body))
    assert KRAKEN.is_complete_answer(page) is is_complete
    assert not KRAKEN.is_complete_answer(replace(page, status=500))


def test_a_page_of_history_with_a_row_that_is_none_is_no_answer() -> None:
    request = KRAKEN.ask(a_question(About.TRADES, "linear", since_ns=NOW_NS), CONTEXT)
    bodies: tuple[dict[str, Any], ...] = (
        {"elements": [7]},
        {"elements": [{}]},
        {},
        {"elements": [], "continuationToken": 7},
    )
    for body in bodies:
        assert not KRAKEN.is_complete_answer(Page(1, request, 200, orjson.dumps(body)))


def test_the_clocks_of_both_systems_are_read() -> None:
    assert KRAKEN.server_time(b'{"error":[],"result":{"unixtime":1793000000}}') == (
        1_793_000_000_000_000_000
    )
    assert KRAKEN.clock_steps_ns == {"spot": 10**9}
    futures = b'{"result":"success","serverTime":"2026-11-01T10:00:01.160Z"}'
    assert KRAKEN.server_time(futures) == 1_793_527_201_160_000_000
    for body in (b"{}", b"[]", b"", b'{"result":"success"}', b'{"error":[],"result":{}}'):
        with pytest.raises(BadFrame):
            KRAKEN.server_time(body)


@pytest.mark.parametrize(
    "said", ["2026-13-01T10:00:01Z", "2026-11-01 10:00:01Z", "1969-11-01T10:00:01Z", "soon", 7]
)
def test_a_time_that_is_none_is_not_read(said: object) -> None:
    with pytest.raises(BadFrame):
        KRAKEN.server_time(orjson.dumps({"result": "success", "serverTime": said}))
