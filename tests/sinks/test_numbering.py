"""The consumer's contract, rule by rule."""

import pytest

from orderloom.topology import FILLS, HOUR_MS, ORDERS
from sinks.numbering import YOUNG_MS, Gap, Number, Numbering, Standing

SERIES = ("orders.lab", "lab:one")
YOUNG, OLD = YOUNG_MS - 1, YOUNG_MS
AFTER = Standing.AFTER_COMPACTION


def after(*numbers: Number) -> Numbering:
    return Numbering({SERIES: numbers[-1]} if numbers else {})


def test_the_next_number_is_taken() -> None:
    numbering = after()
    for sequence in (1, 2, 3):
        assert numbering.take(SERIES, Number(0, sequence), YOUNG, ORDERS) is Standing.NEXT


@pytest.mark.parametrize("number", [Number(0, 5), Number(0, 4), Number(0, 1)])
def test_at_or_below_the_last_seen_is_a_repeat(number: Number) -> None:
    assert after(Number(0, 5)).take(SERIES, number, YOUNG, ORDERS) is Standing.REPEAT


def test_a_repeat_of_a_former_epoch_is_a_repeat_however_high_its_sequence() -> None:
    assert after(Number(1, 2)).take(SERIES, Number(0, 900), OLD, ORDERS) is Standing.REPEAT


def test_a_gap_before_a_young_record_is_a_loss() -> None:
    with pytest.raises(Gap, match="sequence 7 of epoch 0 follows sequence 5 of epoch 0"):
        after(Number(0, 5)).take(SERIES, Number(0, 7), YOUNG, ORDERS)


def test_a_gap_before_an_old_record_is_compaction() -> None:
    numbering = after(Number(0, 5))
    assert numbering.take(SERIES, Number(0, 9), OLD, ORDERS) is Standing.AFTER_COMPACTION
    assert numbering.take(SERIES, Number(0, 10), YOUNG, ORDERS) is Standing.NEXT


def test_a_topic_that_keeps_every_record_has_no_gap_however_old() -> None:
    with pytest.raises(Gap):
        after(Number(0, 5)).take(SERIES, Number(0, 7), 100 * HOUR_MS, FILLS)


def test_what_retention_cut_off_before_the_first_record_is_no_loss() -> None:
    assert after().take(SERIES, Number(0, 900), OLD, FILLS, is_cut=True) is AFTER
    with pytest.raises(Gap):
        after().take(SERIES, Number(0, 900), OLD, FILLS)


def test_who_was_quiet_for_longer_than_records_are_kept_begins_late_with_a_young_record() -> None:
    numbering = after()
    assert numbering.take(SERIES, Number(0, 2), YOUNG, FILLS, is_cut=True) is AFTER
    with pytest.raises(Gap):
        numbering.take(SERIES, Number(0, 4), YOUNG, FILLS, is_cut=True)
    with pytest.raises(Gap):
        after().take(SERIES, Number(0, 2), YOUNG, FILLS)
    with pytest.raises(Gap):
        after().take(SERIES, Number(0, 2), YOUNG, ORDERS, is_cut=True)


def test_an_account_that_begins_in_the_middle_has_lost_its_beginning() -> None:
    with pytest.raises(Gap, match="follows nothing"):
        after().take(SERIES, Number(0, 2), YOUNG, ORDERS)


def test_a_new_epoch_says_that_the_view_is_built_anew() -> None:
    numbering = after(Number(0, 5))
    assert numbering.take(SERIES, Number(1, 1), YOUNG, ORDERS) is Standing.NEW_EPOCH
    assert numbering.take(SERIES, Number(0, 6), YOUNG, ORDERS) is Standing.REPEAT


def test_a_new_epoch_that_lacks_its_beginning_is_a_loss() -> None:
    with pytest.raises(Gap):
        after(Number(0, 5)).take(SERIES, Number(1, 3), YOUNG, ORDERS)


def test_accounts_and_topics_are_counted_apart() -> None:
    numbering = after(Number(0, 5))
    other = ("orders.lab", "lab:two")
    assert numbering.take(other, Number(0, 1), YOUNG, ORDERS) is Standing.NEXT
    assert numbering.take(SERIES, Number(0, 6), YOUNG, ORDERS) is Standing.NEXT
