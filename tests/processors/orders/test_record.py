"""The evidence of one order is a lattice: joining records is taking their evidence."""

from random import Random

from orderloom.event import Execution
from orderloom.words import Source, Status
from processors.orders.record import Record
from processors.orders.tracks.registers import SAME
from tests.builders import ORDER_ID, a_report, an_execution, an_origin
from tests.histories import Piece, a_history


def recorded(pieces: list[Piece]) -> Record:
    record = Record()
    for event, origin in pieces:
        if isinstance(event, Execution):
            record.take_execution(event)
        else:
            record.connect(event)
            record.take_report(event, origin)
    return record


def of_one_order(seed: int) -> list[Piece]:
    return [piece for piece in a_history(seed, orders=1) if piece[0].venue_order_id is not None]


def joined(*records: Record) -> Record:
    whole = Record()
    for record in records:
        whole.join(record)
    return whole


def test_the_join_of_two_records_is_the_record_of_all_their_evidence() -> None:
    for seed in range(300):
        pieces = of_one_order(seed)
        half = Random(seed).sample(pieces, len(pieces) // 2)
        rest = [piece for piece in pieces if piece not in half]
        whole = recorded(pieces).dump()
        assert joined(recorded(half), recorded(rest)).dump() == whole, seed
        assert joined(recorded(rest), recorded(pieces), recorded(half)).dump() == whole, seed


def test_a_copy_is_equal_and_shares_nothing() -> None:
    record = recorded(of_one_order(1))
    before, twin = record.dump(), record.copy()
    twin.take_report(a_report(Status.CANCELED, venue_order_id="new", venue_ns=1), an_origin())
    twin.take_execution(an_execution("new"))
    assert record.dump() == before != twin.dump()


def test_a_record_comes_back_from_its_dump_with_its_sums() -> None:
    for seed in range(100):
        record = recorded(of_one_order(seed))
        again = Record.load(record.dump())
        assert again.dump() == record.dump()
        assert again.totals.notional == record.totals.notional
        assert again.totals.fees == record.totals.fees


def test_older_and_repeated_evidence_says_that_it_changed_nothing() -> None:
    record = Record()
    newer = a_report(ordinal=(2, 0), venue_ns=2, filled_quantity="2")
    record.take_report(newer, an_origin())
    assert record.take_report(newer, an_origin()) == SAME
    older = a_report(ordinal=(1, 0), venue_ns=2, filled_quantity="1")
    assert record.take_report(older, an_origin()) == SAME


def test_absence_and_existence_are_the_latest_of_their_kind() -> None:
    record = Record()
    record.take_absence(5, has_all_trades=False)
    record.take_absence(3, has_all_trades=True)
    assert (record.absent_ns, record.settled_ns) == (5, 3)
    for asked_ns in (7, 6):
        record.take_report(a_report(venue_ns=1), an_origin(Source.QUERY, asked_ns=asked_ns))
    assert (record.seen_ns, record.venue_ns, record.first_ns) == (7, 1, 1)


def test_a_trade_of_a_late_question_proves_existence_at_its_own_time_only() -> None:
    record = Record()
    record.take_execution(an_execution(venue_ns=4))
    assert record.seen_ns == 4


def test_the_current_link_is_the_one_that_no_other_replaces() -> None:
    record = Record()
    for old, new in (("b", "a"), ("a", "c")):
        report = a_report(venue_order_id=new, replaces=old)
        record.connect(report)
        record.take_report(report, an_origin())
    assert (record.root(), record.current(), record.ids()) == ("b", "c", {"a", "b", "c"})


def test_a_chain_that_bites_its_tail_still_has_an_answer() -> None:
    record = Record()
    for old, new in (("a", "b"), ("b", "a")):
        report = a_report(venue_order_id=new, replaces=old)
        record.connect(report)
        record.take_report(report, an_origin())
    assert (record.root(), record.current()) == ("a", "b")
    assert not record.connect(a_report(replaces=ORDER_ID))
