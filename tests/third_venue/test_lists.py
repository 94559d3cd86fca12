"""What Dusk is asked: lists that remember something, and one code of two meanings."""

import orjson

from orderloom.question import About, Question
from tests.third_venue.dusk import DUSK
from tests.venues.frames import answered
from venues.request import Context, Credentials, HttpRequest
from venues.venue import Page

CONTEXT = Context(Credentials("key", "secret"), DUSK.environments["production"], 10**18)
OPEN = Question(id="q", account="dusk:day", about=About.OPEN_ORDERS, product="spot")


def state(number: int, market: str) -> list[object]:
    return ["state", number, "", market, 1, 1, "1", "1", "0", 10, 0, 1, "1793000001.0"]


def asked(question: Question, answers: dict[str, list[list[object]]]) -> list[str]:
    """What is asked, page by page, of a venue that answers so."""
    request: HttpRequest | None = DUSK.ask(question, CONTEXT)
    seen: list[str] = []
    while request is not None:
        seen.append(request.url.partition("/v/")[2])
        body = orjson.dumps(answers.get(seen[-1], []))
        page = Page(len(seen), request, 200, body)
        assert DUSK.is_complete_answer(page)
        request = DUSK.next_page(question, page, CONTEXT)
    return seen


def test_open_orders_are_listed_market_after_market_though_only_one_page_named_them() -> None:
    first = "working?kind=coins&market=ADA-EUR"
    answers: dict[str, list[list[object]]] = {
        "busy?kind=coins": [["busy", "ADA-EUR"], ["busy", "SOL-EUR"]],
        first: [state(7, "ADA-EUR"), state(9, "ADA-EUR")],
    }
    assert asked(OPEN, answers) == [
        "busy?kind=coins", first, f"{first}&from=9", "working?kind=coins&market=SOL-EUR",
    ]  # fmt: skip


def test_of_one_market_no_other_is_asked() -> None:
    one = OPEN.model_copy(update={"symbol": "SOL-EUR"})
    assert asked(one, {}) == ["working?kind=coins&market=SOL-EUR"]


def test_where_nothing_works_one_page_is_all() -> None:
    assert asked(OPEN, {}) == ["busy?kind=coins"]


def test_one_code_asks_us_to_wait_where_a_ticket_was_asked_for_and_nowhere_else() -> None:
    body = b'[["no",9,"not now"]]'
    assert DUSK.backoff(answered(200, {}, body, "v/ticket")) is not None
    assert DUSK.backoff(answered(200, {}, body, "v/state?order=7")) is None
