"""Questions: asked page by page, within the limits, and never dropped in silence."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest

from ingest import questions
from ingest.clocks import ClockKeeper
from ingest.http import HttpClient
from ingest.instant import SECOND_NS
from ingest.progress import DispatchProgress
from ingest.questions import Log, ask
from ingest.requester import Requester
from orderloom.dispatch import BadDispatch, read_dispatch
from orderloom.event import Reply
from orderloom.question import About, Question
from orderloom.raw import Answer, ClockSample, Failure, Item
from orderloom.words import Reason
from runtime.clock import wall_ns
from tests.ingest.requester_on_loopback import a_requester
from tests.ingest.toy_server import ToyServer, a_toy_server
from tests.ingest.toy_venue import PAGES, PRODUCT, toy_venue
from tests.waits import until
from venues.venue import Translation


def a_question(about: About = About.OPEN_ORDERS, **keywords: object) -> Question:
    fields = {"id": "q1", "account": "toy:main", "about": about, "product": PRODUCT} | keywords
    return Question.model_validate(fields)


@asynccontextmanager
async def a_requester_at(toy: ToyServer, seconds_max: float = 2) -> AsyncIterator[Requester]:
    http = HttpClient(wall_ns, seconds_max=seconds_max)
    try:
        yield a_requester(toy_venue(toy.rest, toy.stream), http)
    finally:
        await http.close()


async def asked(question: Question, requester: Requester) -> list[Item]:
    items: list[Item] = []

    async def room() -> None:
        """There always is."""

    await ask(question, requester, Log(items.append, room))
    return items


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "AGAIN_SECONDS", 0.01)


async def test_an_answer_is_written_as_it_came_with_its_question_and_times() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.answer = b'[{"price": 1.10}]'
        before_ns = time.time_ns()
        [answer] = await asked(a_question(), requester)
        assert isinstance(answer, Answer)
        assert (answer.page, answer.is_last, answer.status) == (1, True, 200)
        assert answer.body == b'[{"price": 1.10}]'
        assert answer.channel == "GET open_orders"
        assert answer.question == a_question().document()
        assert before_ns <= answer.asked_ns == answer.sent_ns <= answer.received_ns


async def test_pages_are_asked_until_the_last_and_share_the_time_of_the_first() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        items = await asked(a_question(About.TRADES), requester)
        answers = [item for item in items if isinstance(item, Answer)]
        assert [answer.page for answer in answers] == list(range(1, PAGES + 1))
        assert [answer.is_last for answer in answers] == [False, False, True]
        assert {answer.asked_ns for answer in answers} == {answers[0].sent_ns}
        assert len({url for url in toy.urls if "page=" in url}) == PAGES


async def test_a_refusal_of_the_venue_is_an_answer() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.statuses, toy.answer = [400], b'{"code":-2013}'
        [answer] = await asked(a_question(About.ORDER), requester)
        assert isinstance(answer, Answer)
        assert (answer.status, answer.is_last, answer.body) == (400, True, b'{"code":-2013}')


async def test_a_key_that_is_refused_is_logged_once_until_it_is_taken_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.statuses = [401, 401, 403, 200, 401]
        told = []
        for _ in range(5):
            caplog.clear()
            await asked(a_question(About.ORDER), requester)
            told.append("refuses to answer" in caplog.text)
        assert told == [True, False, False, False, True]


@pytest.mark.parametrize("status", [401, 403])
async def test_what_a_refusal_echoes_is_not_logged(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    echo = b"denied: OK-ACCESS-KEY: the-key"
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        for body, said in (
            (echo, "no code"),
            (b'{"code":"50111","msg":"the-key"}', "code 50111"),
            (b'{"retCode":10010,"retMsg":"the-key"}', "code 10010"),
        ):
            caplog.clear()
            requester.refused.clear()
            toy.statuses, toy.answer = [status], body
            await asked(a_question(About.ORDER), requester)
            assert f"({status}, {said})" in caplog.text
            assert "the-key" not in caplog.text


@pytest.mark.parametrize("status", [400, 200])
async def test_a_symbol_that_the_venue_refuses_is_logged_once_with_its_code_and_no_secret(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = Reply(product=PRODUCT, accepted=False, reason=Reason.BAD_REQUEST, code="-1121")
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        requester.venue = replace(
            requester.venue,
            translate=lambda _inbound: Translation((refusal,)),
            is_complete_answer=lambda page: page.body == b"[]",
        )
        told = []
        for symbol, body in (
            ("A", b"[1]"),
            ("A", b"[1]"),
            ("B", b"[1]"),
            ("A", b"[]"),
            ("A", b"[1]"),
        ):
            caplog.clear()
            toy.statuses, toy.answer = [200 if body == b"[]" else status], body
            await asked(a_question(About.ORDER_HISTORY, symbol=symbol), requester)
            said = [one for one in caplog.messages if "refuses questions" in one]
            told.append(len(said))
            assert all("code -1121" in one and "secret" not in one for one in said)
        assert told == [1, 0, 1, 0, 1]


async def test_that_an_order_is_not_found_is_no_refusal_worth_a_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = Reply(product=PRODUCT, accepted=False, reason=Reason.NOT_FOUND, code="-2013")
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        requester.venue = replace(
            requester.venue, translate=lambda _inbound: Translation((refusal,))
        )
        toy.statuses = [400]
        await asked(a_question(About.ORDER, symbol="A"), requester)
        assert "refuses questions" not in caplog.text


async def test_a_200_that_is_no_complete_answer_proves_nothing() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.answer = b"[error]"
        answer, failure = await asked(a_question(About.TRADES), requester)
        assert isinstance(answer, Answer)
        assert not answer.is_last
        assert isinstance(failure, Failure)


async def test_a_page_that_leads_nowhere_is_written_and_ends_the_question_as_a_failure() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.answer = b"[circle]"
        answer, failure = await asked(a_question(About.TRADES), requester)
        assert isinstance(answer, Answer)
        assert (answer.body, answer.is_last) == (b"[circle]", False)
        assert isinstance(failure, Failure)
        assert "a page that ends where it began" in failure.reason
        assert (failure.status, failure.body) == (200, b"[circle]")


@pytest.mark.parametrize(("name", "bound"), [("PAGES_MAX", 7), ("BYTES_MAX", 7 * 1000 - 1)])
async def test_a_list_without_an_end_ends_as_a_failure_and_proves_nothing(
    name: str, bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, name, bound)
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.answer = b"x" * 1000
        requester.venue = replace(
            requester.venue, next_page=lambda _q, page, _context: page.request
        )
        *pages, failure = await asked(a_question(About.TRADES), requester)
        assert [(page.page, page.is_last) for page in pages if isinstance(page, Answer)] == [
            (number, False) for number in range(1, 8)
        ]
        assert isinstance(failure, Failure)
        assert failure.reason.startswith("no end within 7 pages")


@pytest.mark.parametrize("error", [ValueError, OverflowError, KeyError, TypeError, RecursionError])
@pytest.mark.parametrize("reader", ["is_complete_answer", "next_page", "backoff"])
async def test_an_answer_that_breaks_its_reader_is_a_failure(
    reader: str, error: type[Exception]
) -> None:
    def breaks(*_: object) -> None:
        raise error("the-key-itself")

    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        changes: Any = {reader: breaks}
        requester.venue = replace(requester.venue, **changes)
        items = await asked(a_question(About.TRADES), requester)
        assert isinstance(items[-1], Failure)
        if reader != "next_page":
            assert "the-key-itself" not in items[-1].reason


async def test_a_mistake_of_our_own_is_loud() -> None:
    def breaks(*_: object) -> bool:
        raise AssertionError

    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        requester.venue = replace(requester.venue, is_complete_answer=breaks)
        with pytest.raises(AssertionError):
            await asked(a_question(About.TRADES), requester)


@pytest.mark.parametrize("ns", [-1, 0, 2**63, 10**400])
async def test_a_venue_that_reports_no_time_is_not_believed(
    ns: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        samples: list[ClockSample] = []
        requester.venue = replace(requester.venue, server_time=lambda _body: ns)
        await ClockKeeper(requester, samples.append).start()
        assert not samples
        assert "reports a time that is none" in caplog.text
        assert '"ns"' not in caplog.text  # the words of its answer
        assert requester.context(PRODUCT, requester.now()).venue_ns == pytest.approx(
            wall_ns(), abs=SECOND_NS
        )


async def test_a_ban_is_waited_out_by_its_ip_group_and_then_all_goes_on() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as banned, a_requester_at(toy) as other:
        toy.statuses, toy.headers = [418], {"retry-after": "1"}
        asking = asyncio.create_task(asked(a_question(), banned))
        await until(lambda: toy.seen["GET open_orders"] == 1)
        for _ in range(5):  # a gate of its own: another address
            [answer] = await asked(a_question(About.BALANCES), other)
            assert isinstance(answer, Answer)
        assert toy.seen["GET open_orders"] == 1
        [answer] = await asking
        assert isinstance(answer, Answer)
        first, second = (int(url.rpartition("at=")[2]) for url in toy.urls if "open" in url)
        assert second - first >= SECOND_NS


async def test_a_storm_of_refusals_costs_no_more_than_those_under_way() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.statuses, toy.headers = [429] * 4, {"retry-after": "1"}
        many = [asyncio.create_task(asked(a_question(id=f"q{n}"), requester)) for n in range(4)]
        await until(lambda: toy.seen["GET open_orders"] == 4)
        late = [asyncio.create_task(asked(a_question(id=f"l{n}"), requester)) for n in range(20)]
        await asyncio.sleep(0.5)
        assert toy.seen["GET open_orders"] == 4
        for [answer] in await asyncio.gather(*many, *late):
            assert isinstance(answer, Answer)


async def test_trouble_that_passes_is_outlived_and_lasting_trouble_is_a_failure() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.statuses = [503, 502]
        [answer] = await asked(a_question(), requester)
        assert isinstance(answer, Answer)
        toy.statuses = [503] * 3
        [failure] = await asked(a_question(), requester)
        assert isinstance(failure, Failure)
        assert (failure.status, failure.body) == (503, b"[]")


async def test_a_venue_too_slow_to_answer_is_a_failure() -> None:
    async with a_toy_server() as toy, a_requester_at(toy, seconds_max=0.05) as requester:
        toy.delay_seconds = 0.5
        [failure] = await asked(a_question(), requester)
        assert isinstance(failure, Failure)
        assert failure.reason == "no answer in time (3 tries)"


async def test_after_429_nothing_is_asked_before_the_venues_time_and_then_it_is() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.statuses, toy.headers = [429], {"retry-after": "1"}
        [answer] = await asked(a_question(), requester)
        assert isinstance(answer, Answer)
        assert answer.sent_ns - answer.asked_ns == 0
        first, second = (int(url.rpartition("at=")[2]) for url in toy.urls)
        assert second - first >= SECOND_NS


async def test_while_banned_a_question_fails_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(questions, "PAGE_SECONDS_MAX", 0.2)
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.statuses, toy.headers = [418], {"retry-after": "120"}
        [failure] = await asked(a_question(), requester)
        assert isinstance(failure, Failure)
        assert "no turn within" in failure.reason
        assert toy.seen["GET open_orders"] == 1


async def test_what_the_venue_cannot_be_asked_is_a_failure() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        [failure] = await asked(a_question(product="NONE"), requester)
        assert isinstance(failure, Failure)
        assert "cannot be asked" in failure.reason


async def test_a_key_that_cannot_be_written_is_not_repeated_in_the_failure() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        changes: Any = {"ask": lambda *_: "s\u00e9cret".encode("ascii")}
        requester.venue = replace(requester.venue, **changes)
        [failure] = await asked(a_question(), requester)
        assert isinstance(failure, Failure)
        assert "cannot be asked" in failure.reason
        assert "UnicodeEncodeError" in failure.reason
        assert "cret" not in failure.reason


async def test_requests_are_made_in_the_venues_time() -> None:
    async with a_toy_server() as toy, a_requester_at(toy) as requester:
        toy.clock_ahead_ns = 5 * SECOND_NS
        samples: list[ClockSample] = []
        await ClockKeeper(requester, samples.append).start()
        assert samples[0].venue_ns - samples[0].received_ns > 4 * SECOND_NS
        await asked(a_question(), requester)
        at_ns = int(toy.urls[-1].rpartition("at=")[2])
        assert at_ns - time.time_ns() > 4 * SECOND_NS


def test_the_lowest_question_not_done_is_what_may_be_committed() -> None:
    progress = DispatchProgress(10)
    assert progress.committable == 10
    assert all(progress.received(offset) for offset in (10, 12, 13))  # 11 is a marker
    assert not progress.received(12)
    progress.done(12)
    assert progress.committable == 10
    progress.done(10)
    assert progress.committable == 13
    progress.done(13)
    assert progress.committable == 14


def test_a_dispatch_is_read_and_what_is_none_is_named() -> None:
    question = a_question()
    document = {
        "v": 1,
        "id": "q1",
        "type": "question",
        "account": "toy:main",
        "question": question.document(),
        "at_ns": 7,
    }
    read = read_dispatch(orjson.dumps(document))
    assert (read.account, read.question, read.at_ns) == ("toy:main", question, 7)
    changes: tuple[dict[str, object], ...] = (
        {"v": 2}, {"type": "place"}, {"question": {}}, {"at_ns": "soon"},
    )  # fmt: skip
    for change in changes:
        with pytest.raises(BadDispatch):
            read_dispatch(orjson.dumps(document | change))
    for garbage in (b"", b"\xff", b"[]", b"null", b'{"v":1}'):
        with pytest.raises(BadDispatch):
            read_dispatch(garbage)
