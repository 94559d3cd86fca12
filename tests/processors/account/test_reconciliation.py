"""Cycles of questions: a failed read is never "nothing there", and only complete ones cover."""

from typing import Any

import pytest

from orderloom.question import About, Question
from orderloom.raw import Answer, ClockSample, ConnectionChange, Failure
from processors.account.pace import Pace
from processors.account.reconciliation import SINGLY_MAX, Reconciliation
from processors.account.streams import Streams
from processors.account.suspects import Suspect
from processors.account.targets import GAP, GHOST
from processors.account.venue_place import VenuePlace
from processors.account.venue_time import DRIFT_NS, VenueTimes
from tests.processors.account.restoring import take_back
from venues.venue import Profile

SECOND = 1_000_000_000
PROFILE = Profile(
    trades_by_symbol=True,
    history_by_symbol=True,
    visibility_lag_ns=2 * SECOND,
    grace_ns=SECOND // 2,
    unknown_symbol_codes=frozenset({"-1121"}),
)
PACE = Pace()


class Lab:
    """One account's reconciliation, its stream LIVE since second 100."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.published: list[tuple[str, str, str]] = []
        self.count = 0
        self.streams = Streams()
        self.times = VenueTimes()
        self.times.take(ClockSample("spot", 90 * SECOND, 90 * SECOND, 90 * SECOND), 1, 90 * SECOND)
        self.reconciliation = Reconciliation(
            {"spot": PROFILE}, PACE, self.streams, self._ask, self._publish, self.times
        )
        self.reconciliation.expect("spot", 90 * SECOND)
        self.streams.take_change(1, ConnectionChange("c1", "spot", "LIVE", 100 * SECOND))
        self.reconciliation.want("spot")

    def _ask(self, fields: dict[str, Any]) -> Question:
        self.count += 1
        question = Question(id=f"q{self.count}", account="binance:main", **fields)
        self.asked.append(question)
        return question

    def _publish(self, kind: str, rule: str, _product: str, *, symbol: str, **_: Any) -> None:
        self.published.append((kind, rule, symbol))

    def sampled(self, at: int, low: int, high: int) -> None:
        """The venue's clock less ours lay between these seconds."""
        sample = ClockSample("spot", (at + high) * SECOND, at * SECOND, (at + high - low) * SECOND)
        self.times.take(sample, 1, at * SECOND)

    def tick(self, at: float) -> list[Question]:
        """The questions that go out at a second."""
        self.streams.owner.liveness_ns = int(at * SECOND)
        self.reconciliation.tick(int(at * SECOND), lambda _product: ("BTCUSDT", "SOLUSDT"))
        asked, self.asked = self.asked, []
        return asked

    def answer(self, question: Question, asked_at: float, **fields: Any) -> None:
        """A good page comes one second after the question was asked, or when it is said."""
        given: dict[str, Any] = {
            "page": 1,
            "is_last": True,
            "suspects": (),
            "at": asked_at + 1,
        } | fields
        item = Answer(
            question.document(), "GET x", given["page"], given["is_last"], 200,
            int(asked_at * SECOND), int(asked_at * SECOND), int(given["at"] * SECOND), b"[]",
        )  # fmt: skip
        self.reconciliation.take_page(item, item.received_ns, lambda _product: given["suspects"])


def test_a_cycle_asks_everything_that_its_span_needs() -> None:
    questions = Lab().tick(103)
    assert sorted((q.about.value, q.symbol or "") for q in questions) == [
        ("BALANCES", ""),
        ("OPEN_ORDERS", ""),
        ("ORDER_HISTORY", "BTCUSDT"),
        ("ORDER_HISTORY", "SOLUSDT"),
        ("TRADES", "BTCUSDT"),
        ("TRADES", "SOLUSDT"),
    ]


def test_the_first_look_waits_for_the_visibility_lag_after_the_stream_came() -> None:
    lab = Lab()
    assert not lab.tick(101.9)
    assert lab.tick(102)


def test_a_complete_cycle_closes_the_interval() -> None:
    lab = Lab()
    for question in lab.tick(103):
        lab.answer(question, 103)
    assert not lab.streams.blind


def test_a_cycle_with_one_answer_missing_closes_nothing() -> None:
    lab = Lab()
    *answered, _last = lab.tick(103)
    for question in answered:
        lab.answer(question, 103)
    assert lab.streams.is_blind("spot")


def test_a_failed_read_is_asked_again_and_covers_nothing() -> None:
    lab = Lab()
    first, *others = lab.tick(103)
    for question in others:
        lab.answer(question, 103)
    failure = Failure(first.document(), "HTTP 503", 103 * SECOND, 104 * SECOND, 503, b"")
    lab.reconciliation.take_failure(failure, 104 * SECOND)
    assert lab.streams.is_blind("spot")
    assert not lab.tick(105)
    (again,) = lab.tick(106)
    assert (again.about, again.symbol) == (first.about, first.symbol)
    assert again.id != first.id
    lab.answer(again, 106)
    assert not lab.streams.blind


def test_an_unanswered_question_is_asked_again() -> None:
    lab = Lab()
    questions = lab.tick(103)
    assert not lab.tick(132)
    again = lab.tick(133)
    assert len(again) == len(questions)


def test_a_question_without_an_answer_is_waited_for_ever_longer() -> None:
    lab = Lab()
    at, waits = 103.0, []
    lab.tick(at)
    for _ in range(7):
        due = lab.reconciliation.cycles["spot"].due_ns() / SECOND
        assert not lab.tick(due - 1)
        assert len(lab.tick(due)) == 6
        waits.append(due - at)
        at = due
    assert waits == [30, 60, 120, 240, 480, 480, 480]


def test_a_doubt_without_an_answer_is_asked_about_ever_less_often() -> None:
    lab = Lab()
    targets, place = lab.reconciliation.targets, VenuePlace("spot", "BTCUSDT", "7", None)
    targets.raise_doubt("k", GHOST, 103 * SECOND)
    at, waits = 103, []
    for _ in range(6):
        [target] = targets.due(at * SECOND)
        lab.reconciliation.ask_target(target, place, at * SECOND)
        waits.append(target.due_ns // SECOND - at)
        at = target.due_ns // SECOND
    assert waits == [30, 60, 120, 240, 480, 480]


def test_a_long_line_of_questions_is_not_asked_again_while_answers_come() -> None:
    lab = Lab()
    first, *others = lab.tick(103)
    lab.answer(first, 120, is_last=False)
    assert not lab.tick(140), "only 19 seconds since the last page"
    for page in range(2, 9):
        lab.answer(first, 120, at=100 + 20 * page, page=page, is_last=page == 8)
        assert not lab.tick(119 + 20 * page)
    assert not lab.tick(260 + 29)
    assert len(lab.tick(260 + 30)) == len(others)


def test_a_question_that_is_always_refused_is_asked_ever_less_often() -> None:
    lab = Lab()
    at = 103.0
    asked = lab.tick(at)
    waits = []
    for _ in range(7):
        for question in asked:
            now_ns = int(at * SECOND)
            refused = Failure(question.document(), "HTTP 401", now_ns, now_ns, 401, b"")
            lab.reconciliation.take_failure(refused, now_ns)
        due_ns = lab.reconciliation.cycles["spot"].due_ns()
        waits.append(due_ns / SECOND - at)
        at = due_ns / SECOND
        asked = lab.tick(at)
        assert len(asked) == 6
    assert waits == [2, 4, 8, 16, 30, 30, 30]


def test_a_question_that_failed_is_asked_again_though_others_are_answered() -> None:
    lab = Lab()
    first, second, *_others = lab.tick(103)
    failure = Failure(first.document(), "HTTP 503", 103 * SECOND, 104 * SECOND, 503, b"")
    lab.reconciliation.take_failure(failure, 104 * SECOND)
    lab.answer(second, 104, is_last=False)
    assert [(one.about, one.symbol) for one in lab.tick(106)] == [(first.about, first.symbol)]


def test_pages_of_two_runs_do_not_make_one_complete_answer() -> None:
    lab = Lab()
    first, *others = lab.tick(103)
    for question in others:
        lab.answer(question, 103)
    lab.answer(first, 103, page=1, is_last=False)
    lab.answer(first, 104, page=2, is_last=True)  # another run's second page: the first is missing
    assert lab.streams.is_blind("spot")
    lab.answer(first, 105, page=1, is_last=False)
    lab.answer(first, 105, page=2, is_last=True)
    assert not lab.streams.blind


def test_an_answer_asked_before_the_interval_ended_does_not_close_it() -> None:
    lab = Lab()
    questions = lab.tick(103)
    lab.streams.take_change(1, ConnectionChange("c1", "spot", "CLOSED", 104 * SECOND))
    lab.streams.take_change(1, ConnectionChange("c2", "spot", "LIVE", 105 * SECOND))
    for question in questions:
        lab.answer(question, 103)
    assert lab.streams.is_blind("spot")
    again = lab.tick(108)
    assert again
    for question in again:
        lab.answer(question, 108)
    assert not lab.streams.blind


def test_the_next_cycle_overlaps_by_the_visibility_lag() -> None:
    lab = Lab()
    for question in lab.tick(103):
        lab.answer(question, 103)
    trades = [q for q in lab.tick(140) if q.about is About.TRADES]
    assert {q.since_ns for q in trades} == {(103 - 2 - 2) * SECOND - DRIFT_NS}


@pytest.mark.parametrize("bounds", [(0, 3), (-1, 0)])
def test_a_clock_that_is_less_sure_when_the_answers_come_lets_a_cycle_cover_less(
    bounds: tuple[int, int],
) -> None:
    lab = Lab()
    for question in lab.tick(103):
        lab.answer(question, 103)
    lab.streams.note_loss("spot", 99 * SECOND, 110 * SECOND, "frames are missing")
    questions = lab.tick(140)
    lab.streams.note_loss("spot", 138 * SECOND, 138 * SECOND, "frames are missing")
    lab.sampled(141, *bounds)
    for question in questions:
        lab.answer(question, 141)
    assert lab.streams.is_blind("spot")
    for question in lab.tick(150):
        lab.answer(question, 150)
    assert not lab.streams.blind


@pytest.mark.parametrize("offset", [-10, 10])
def test_what_could_be_missed_begins_in_venue_time(offset: int) -> None:
    lab = Lab()
    lab.sampled(95, offset, offset)
    lab.times.of("spot").bounds[:-1] = []
    for question in lab.tick(103):
        lab.answer(question, 103)
    assert lab.reconciliation.is_news("spot", (101 + offset) * SECOND)
    assert not lab.reconciliation.is_news("spot", (101 + offset) * SECOND - 1)


def test_questions_that_waited_for_the_rate_limit_leave_no_hole() -> None:
    lab = Lab()
    for question in lab.tick(103):
        lab.answer(question, 120)  # asked 17 s later, but still only about what was up to 101
    again = {q.since_ns for q in lab.tick(140) if q.about is About.TRADES}
    assert again == {(101 - 2) * SECOND - DRIFT_NS}


def test_trades_are_asked_for_up_to_what_the_stream_had_its_time_to_bring() -> None:
    trades = [q for q in Lab().tick(103) if q.about is About.TRADES]
    assert {q.until_ns for q in trades} == {101 * SECOND + DRIFT_NS}


def test_cycles_go_on_periodically_without_any_disconnect() -> None:
    lab = Lab()
    for question in lab.tick(103):
        lab.answer(question, 103)
    assert not lab.tick(132)
    assert lab.tick(133)


def test_an_order_absent_from_a_complete_list_is_asked_about_and_not_closed() -> None:
    lab = Lab()
    suspect = Suspect("binance:main/spot/BTCUSDT/7", "spot", 50 * SECOND, 60 * SECOND)
    for question in lab.tick(103):
        lab.answer(question, 103, suspects=(suspect,))
    assert [t.why for t in lab.reconciliation.targets.due(200 * SECOND)] == [GHOST]
    assert not lab.reconciliation.targets.due(104 * SECOND)  # not before the grace time


@pytest.mark.parametrize("moment", ["first_seen_ns", "last_seen_ns"])
def test_an_order_that_something_came_about_since_is_no_ghost(moment: str) -> None:
    lab = Lab()
    times = {"first_seen_ns": 50 * SECOND, "last_seen_ns": 60 * SECOND, moment: 104 * SECOND}
    suspect = Suspect("binance:main/spot/BTCUSDT/7", "spot", **times)
    for question in lab.tick(103):
        lab.answer(question, 103, suspects=(suspect,))
    assert not lab.reconciliation.targets.by_name


def test_a_listed_order_is_no_ghost() -> None:
    lab = Lab()
    questions = lab.tick(103)
    began_ns = lab.reconciliation.cycle_of(questions[0].id)
    assert began_ns is not None
    suspect = Suspect("binance:main/spot/BTCUSDT/7", "spot", 50 * SECOND, 60 * SECOND, began_ns)
    for question in questions:
        lab.answer(question, 103, suspects=(suspect,))
    assert not lab.reconciliation.targets.by_name


def test_an_order_that_only_an_earlier_cycle_listed_is_a_ghost() -> None:
    lab = Lab()
    suspect = Suspect("binance:main/spot/BTCUSDT/7", "spot", 50 * SECOND, 60 * SECOND, 102 * SECOND)
    for question in lab.tick(103):
        lab.answer(question, 103, suspects=(suspect,))
    assert lab.reconciliation.targets.by_name


def many_ghosts(count: int) -> tuple[Suspect, ...]:
    return tuple(
        Suspect(f"o{number}", "spot", 60 * SECOND, 60 * SECOND, made_ns=(40 + number) * SECOND)
        for number in range(count)
    )


def test_many_ghosts_are_looked_for_in_the_history_since_the_oldest_was_made() -> None:
    lab, ghosts = Lab(), many_ghosts(SINGLY_MAX + 1)
    for question in lab.tick(203):
        lab.answer(question, 203, suspects=ghosts)
    assert not lab.reconciliation.targets.by_name
    assert not lab.reconciliation.cycles["spot"].is_complete
    again = lab.tick(206)  # not a period later, but as soon as cycles may follow one another
    since = {q.since_ns for q in again if q.about is About.ORDER_HISTORY}
    assert since == {(40 - 2) * SECOND}
    assert all(q.urgent for q in again)
    assert {q.since_ns for q in again if q.about is About.TRADES} != since


def test_what_the_deep_cycle_leaves_is_asked_about_one_by_one() -> None:
    lab, ghosts = Lab(), many_ghosts(SINGLY_MAX + 1)
    for question in lab.tick(203):
        lab.answer(question, 203, suspects=ghosts)
    for question in lab.tick(206):
        lab.answer(question, 206, suspects=ghosts)
    assert len(lab.reconciliation.targets.by_name) == len(ghosts)
    assert lab.reconciliation.cycles["spot"].is_complete


def test_a_deep_cycle_reaches_no_further_back_than_the_first_one() -> None:
    lab, ghosts = Lab(), many_ghosts(SINGLY_MAX + 1)
    days = 2 * 24 * 3600
    for question in lab.tick(days):
        lab.answer(question, days, suspects=ghosts)
    since = {q.since_ns for q in lab.tick(days + 3) if q.about is About.ORDER_HISTORY}
    assert since == {(days + 1) * SECOND - PACE.lookback_ns}


def test_a_few_ghosts_are_asked_about_at_once() -> None:
    lab, ghosts = Lab(), many_ghosts(SINGLY_MAX)
    for question in lab.tick(203):
        lab.answer(question, 203, suspects=ghosts)
    assert len(lab.reconciliation.targets.by_name) == SINGLY_MAX


def test_saved_reconciliation_goes_on() -> None:
    lab = Lab()
    questions = lab.tick(103)
    lab.answer(questions[0], 103)
    other = Lab()
    take_back(other.reconciliation, lab.reconciliation)
    assert other.reconciliation.cycles == lab.reconciliation.cycles
    assert other.reconciliation.targets == lab.reconciliation.targets


def test_the_list_of_one_doubt_that_goes_on_is_not_begun_again() -> None:
    """Executions of one order may fill many pages: longer than any patience with one answer."""
    lab = Lab()
    targets = lab.reconciliation.targets
    targets.raise_doubt("order", GAP, 200 * SECOND)
    (target,) = targets.due(200 * SECOND)
    lab.reconciliation.ask_target(target, VenuePlace("spot", "BTCUSDT", "7", None), 200 * SECOND)
    (question,) = lab.asked
    for page in range(1, 60):
        at = 200 + 20 * page
        lab.answer(question, 200, page=page, is_last=False, at=at)
        assert not targets.due((at + 20) * SECOND)
