"""What marks prove of transactions whose records are hidden: pure, from what stands in the log."""

from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.ledger.mark import MARK, Evidence, Mark, Tail, Written, lost, mark_of, vanished


def record(offset: int, mark: Mark | None) -> Written:
    headers = () if mark is None else ((MARK, mark.encoded()),)
    return Written(offset, b"key", b"%d" % offset, (("cause", b"{}"), *headers))


def tail(*marks: Mark | None, visible: Iterable[int] = ()) -> Tail:
    """One record a mark, at offsets 0, 1, ...; None is a record within a transaction."""
    return Tail([record(at, mark) for at, mark in enumerate(marks)], frozenset(visible))


def again(*tails: Tail) -> list[dict[int, list[int]]]:
    """The offsets that are to be written again, by number, of each topic."""
    evidence = Evidence(tails)
    return [
        {run.mark.origin: [one.offset for one in run.records] for run in vanished(one, evidence)}
        for one in tails
    ]


A, B = 71, 72
"""Two lives."""


NUMBERS = st.integers(1, 2**53 - 1)


@given(NUMBERS, NUMBERS, NUMBERS, st.none() | NUMBERS)
def test_a_mark_comes_back_as_it_was(number: int, life: int, count: int, first: int | None) -> None:
    mark = Mark(number, life, count, None if first is None or first >= number else first)
    assert mark_of([("other", b"x"), (MARK, mark.encoded())]) == mark
    assert mark_of([("other", b"x")]) is None


@pytest.mark.parametrize("value", [b"", b"nonsense", b"[1,2]", b"[1,2,3,4,5]", b'["1",2,3]', b"{}"])
def test_a_header_that_is_no_mark_proves_nothing(value: bytes) -> None:
    assert mark_of([(MARK, value)]) is None


WRONG = [0, -1, True, 1.5, None, 2**53, 2**64 - 1]
"""What no writer's number, life or count is: a whole number in any JSON reader, from 1 on."""


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("wrong", WRONG)
def test_a_number_that_no_writer_comes_to_is_no_mark(place: int, wrong: object) -> None:
    parts: list[object] = [9, 8, 7, 6]
    parts[place] = wrong
    assert mark_of([(MARK, orjson.dumps(parts))]) is None
    assert place > 2 or mark_of([(MARK, orjson.dumps(parts[:3]))]) is None


def test_what_was_written_again_was_written_before() -> None:
    assert mark_of([(MARK, b"[9,8,7,8]")]) == Mark(9, 8, 7, again=8)
    assert mark_of([(MARK, b"[9,8,7,9]")]) is None


def test_one_visible_record_proves_the_whole_transaction() -> None:
    five = Mark(5, A, 3)
    assert again(tail(Mark(5, A), visible=[0]), tail(five, None, five)) == [{}, {5: [0, 1, 2]}]


def test_a_successor_of_its_life_proves_a_transaction_even_if_that_is_hidden_too() -> None:
    assert again(tail(Mark(5, A), Mark(6, A)), tail(Mark(5, A))) == [{5: [0]}, {5: [0]}]


def test_a_later_life_proves_nothing() -> None:
    assert again(tail(Mark(5, A), Mark(6, B), visible=[1]), tail(Mark(5, A))) == [{}, {}]


def test_what_nobody_saw_and_nothing_followed_is_not_true() -> None:
    assert again(tail(Mark(4, A), Mark(5, A), visible=[0]), tail(Mark(5, A))) == [{}, {}]


def test_what_stands_before_the_last_visible_record_was_decided_long_ago() -> None:
    assert again(tail(Mark(3, A), Mark(4, B), Mark(5, B), visible=[1, 2])) == [{}]


def test_what_was_written_again_and_is_hidden_itself_is_written_once() -> None:
    """An opening's repetition of 5 shows in one topic and hangs in the other."""
    seven, five = Mark(7, B, 2, again=5), Mark(5, A, 2)
    there, here = tail(Mark(7, B, 1, again=5), visible=[0]), tail(five, five, seven, seven)
    assert again(there, here) == [{}, {5: [2, 3]}]


def test_a_repetition_keeps_the_first_number_when_it_is_repeated() -> None:
    five, six, seven = Mark(5, A), Mark(6, A), Mark(7, B, again=5)
    assert again(tail(five, six), tail(five, seven), tail(seven, visible=[0])) == [
        {5: [0]},
        {5: [0]},
        {},
    ]


def test_records_of_a_version_without_marks_prove_nothing_and_are_not_repeated() -> None:
    assert again(tail(None, None, visible=[0]), tail(None, None)) == [{}, {}]
    assert again(tail(Mark(5, A), None), tail(Mark(5, A), visible=[0])) == [{5: [0]}, {}]


@pytest.mark.parametrize("marks", [[], [Mark(3, A)], [Mark(3, A), Mark(9, B), Mark(4, A)]])
def test_the_highest_number_counts_whatever_is_visible(marks: list[Mark]) -> None:
    assert Evidence([tail(*marks)]).highest == max((mark.number for mark in marks), default=0)


def test_a_true_transaction_that_the_cleaner_took_from_the_ledger_is_known_as_lost() -> None:
    four, five = Mark(4, A), Mark(5, A, 3)
    shown = tail(Mark(5, A), visible=[0])
    taken, part, whole = tail(four, visible=[0]), tail(four, None, five), tail(five, None, five)
    for ledger, gone in ((taken, {5}), (part, {5}), (whole, set[int]())):
        tails = [ledger, shown]
        assert lost(ledger, tails, Evidence(tails)) == gone


def test_what_shows_in_the_ledger_or_was_never_true_is_not_lost() -> None:
    four, five, six = Mark(4, A), Mark(5, A), Mark(6, A)
    ledger = tail(four, five, visible=[0, 1])
    tails = [ledger, tail(six), tail(Mark(6, A, again=2), visible=[0])]
    assert lost(ledger, tails, Evidence(tails)) == {6}
    tails = [ledger, tail(four, five, six, visible=[0])]
    assert lost(ledger, tails, Evidence(tails)) == set()


def test_of_a_repetition_that_is_whole_and_an_original_that_is_not_the_whole_one_counts() -> None:
    five, seven = Mark(5, A, 3), Mark(7, B, 2, again=5)
    there = tail(Mark(5, A), Mark(7, B, again=5), visible=[0, 1])
    assert again(there, tail(five, seven, seven)) == [{}, {5: [1, 2]}]
