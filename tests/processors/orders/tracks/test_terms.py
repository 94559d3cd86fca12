"""Terms as one row and as registers apart mean the same, whatever came and in whatever order."""

from decimal import Decimal
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from orderloom.quantities import Unit
from orderloom.words import Side
from processors.orders.tracks.registers import LOWEST, SAME, SHOWN, STORED
from processors.orders.tracks.terms import AVERAGE, READERS, TERMS, Row, Terms

VALUES: dict[str, list[Any]] = {
    "client_order_id": ["a", "b"],
    "side": [Side.BUY],
    "price": [Decimal(1), Decimal(2)],
    "quantity": [Decimal(3), Decimal("3.0"), Decimal(4)],
    "reduce_only": [True, False],
}
ROWS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in VALUES.items()}
).map(lambda said: tuple((said | {"quantity_unit": Unit.BASE}).get(name) for name in TERMS))
STAMPS = st.one_of(
    st.just(LOWEST),
    st.tuples(
        st.integers(1, 3), st.just(0), st.integers(0, 1), st.sampled_from([Decimal(0)]), st.just(0)
    ),
)
REPORTS = st.lists(st.tuples(ROWS, STAMPS), max_size=6)


def row(**said: Any) -> Row:
    return tuple((said | {"quantity_unit": Unit.BASE}).get(name) for name in TERMS)


def at(venue_ns: int) -> Any:
    return (venue_ns, 0, 0, Decimal(0), 0)


def stored(terms: Terms) -> tuple[list[Any], dict[str, Any]]:
    stamps = sorted(terms.stamps())
    return stamps, terms.dump({stamp: place for place, stamp in enumerate(stamps)})


@given(REPORTS)
def test_one_row_and_registers_apart_mean_the_same(reports: list[tuple[Row, Any]]) -> None:
    terms, apart = Terms(), Terms()
    for row, stamp in reports:
        changed = terms.take(row, stamp)
        apart.spread()
        each = [
            apart.offer(name, stamp, value)
            for name, value in zip(TERMS, row, strict=True)
            if value is not None
        ]
        flags = SAME
        for one in each:
            flags |= one
        assert changed == flags
        assert terms.all() == apart.all()
        assert stored(terms) == stored(apart)
        assert [terms.value(name) for name in TERMS] == [apart.value(name) for name in TERMS]


@given(REPORTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_show(reports: list[tuple[Row, Any]], random: Any) -> None:
    others = [*reports, *reports[:2]]
    random.shuffle(others)
    one, other = Terms(), Terms()
    for row, stamp in reports:
        one.take(row, stamp)
    for row, stamp in others:
        other.take(row, stamp)
    assert one.all() == other.all()


@given(REPORTS, STAMPS)
def test_terms_come_back_from_their_dump(reports: list[tuple[Row, Any]], average_at: Any) -> None:
    terms = Terms()
    for row, stamp in reports:
        terms.take(row, stamp)
    terms.offer(AVERAGE, average_at, Decimal("1.50"))
    stamps, document = stored(terms)
    again = Terms.load(orjson.loads(orjson.dumps(document)), stamps)
    assert again.all() == terms.all()
    assert stored(again) == stored(terms)


def test_a_later_report_of_the_same_terms_keeps_them_one_row() -> None:
    terms = Terms()
    assert terms.take(row(side=Side.BUY, price=Decimal(1)), at(1)) == STORED | SHOWN
    assert terms.take(row(side=Side.BUY, price=Decimal(1)), at(2)) == STORED
    assert terms.take(row(side=Side.BUY, price=Decimal(2)), at(3)) == STORED | SHOWN
    assert terms.take(row(side=Side.BUY, price=Decimal(1)), at(2)) == SAME
    assert terms.row == row(side=Side.BUY, price=Decimal(2))


def test_what_an_execution_said_in_passing_becomes_part_of_the_row() -> None:
    terms = Terms()
    terms.offer("side", LOWEST, Side.BUY)
    terms.take(row(side=Side.BUY, price=Decimal(1)), at(1))
    assert terms.row == row(side=Side.BUY, price=Decimal(1))
    assert terms.offer("side", LOWEST, Side.BUY) == SAME
    assert terms.row is not None


def test_every_term_can_be_read_back() -> None:
    assert set(READERS) == {*TERMS, AVERAGE}
