"""What a repair's end found is folded from what its commit records say of it, and is the same."""

from orderloom.topology import ACCOUNTS, ORDERS
from processors.account.lost_fills import LostFill
from processors.account.streams import Blind
from processors.ledger.commit_record import CommitRecord
from processors.ledger.step import StepChanges
from processors.partition import PartitionFold
from processors.repair.coverage import Coverage, RawGap
from processors.repair.finishing import FormerView, end_rebuild, note_lost, retire_former
from processors.repair.notes import (
    FOUND_CHARACTERS_MAX,
    TOO_LARGE,
    apply_found,
    packed_end,
    packed_lost,
    packed_views,
    sayable,
)
from tests.processors.partition_lab import ACCOUNT, NOW, a_partition, fed, history_records

RECORDS, _ = history_records(3)
FORMER = [
    FormerView(ORDERS, f"{ACCOUNT}/gone", ACCOUNT, ("spot", "BTCUSDT")),
    FormerView(ACCOUNTS, "binance:other", "binance:other"),
]
LOST = [
    LostFill(ACCOUNT, f"x{number}", "spot", "BTCUSDT", "NET", "-1.5", "BASE", NOW - number)
    for number in range(5)
]
GAPS = [RawGap("raw is not whole: it begins at offset 5", NOW - 50, 7, is_at_end=True)]
LOOKED = {
    ACCOUNT: Coverage(
        2,
        {"spot": NOW - 100, "linear": 3},
        (Blind("spot", 5, None, "lost"), Blind("linear", 5, 9, "lost")),
        frozenset({"x1", "x2"}),
    )
}


def a_life() -> PartitionFold:
    return fed(RECORDS).partition


def changes_of(partition: PartitionFold) -> tuple[StepChanges, str]:
    changes = partition.changes()
    return changes, changes.content_digest


def test_what_was_found_folds_the_same_from_its_record() -> None:
    noted, done = a_life(), a_life()
    retire_former(done, FORMER, NOW)
    apply_found(noted, packed_views(FORMER), NOW)
    assert changes_of(noted) == changes_of(done)
    note_lost(done, LOST, NOW)
    apply_found(noted, packed_lost(LOST), NOW)
    assert changes_of(noted) == changes_of(done)
    end_rebuild(done, GAPS, NOW, looked=LOOKED)
    apply_found(noted, packed_end(GAPS, LOOKED), NOW)
    assert changes_of(noted) == changes_of(done)


def test_a_partition_without_accounts_ends_too() -> None:
    noted, done = a_partition(), a_partition()
    end_rebuild(done, [], NOW, looked={})
    apply_found(noted, packed_end([], {}), NOW)
    assert changes_of(noted) == changes_of(done)


def test_thousands_of_executions_of_one_position_fit_a_commit_record() -> None:
    many = [
        LostFill(
            ACCOUNT,
            f"binance:spot:BTCUSDT:{number:,}",
            "spot",
            "BTCUSDT",
            "NET",
            f"0.{number}",
            "BASE",
            NOW + number * 7_919,
        )
        for number in range(10_000)
    ]
    packed = packed_lost(many)
    assert sayable(packed) == packed
    step = CommitRecord(1, 0, {}, "", (), 0, False, "", "", "", "", repair={"found": packed})
    assert len(step.encoded()) < 2 * FOUND_CHARACTERS_MAX
    assert sayable("x" * (FOUND_CHARACTERS_MAX + 1)) == TOO_LARGE
