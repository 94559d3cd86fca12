"""The fills track: executions joined field by field."""

from collections import Counter
from decimal import Decimal
from itertools import permutations

import hypothesis.strategies as st
from hypothesis import given

from orderloom.event import Fee
from orderloom.words import Completeness, FillKind, Liquidity, Side
from processors.orders.tracks.fills import (
    HeldFill,
    Totals,
    completeness,
    fill_of,
    joined_fill,
)
from tests.builders import an_execution


def fill(exec_id: str = "1", quantity: str | None = "1.5", **fields: object) -> HeldFill:
    return fill_of(an_execution(exec_id, quantity, **fields), exec_id)


AMOUNTS = st.one_of(st.none(), st.sampled_from([Decimal(1), Decimal("1.0"), Decimal(2)]))
FILLS = st.builds(
    lambda **fields: fill_of(an_execution(**fields), "1"),
    kind=st.sampled_from(FillKind),
    side=st.sampled_from([None, Side.BUY, Side.SELL]),
    last_price=AMOUNTS,
    quantity=AMOUNTS,
    fee=AMOUNTS,
    liquidity=st.sampled_from([None, Liquidity.MAKER]),
    venue_ns=st.sampled_from([None, 5, 6]),
    more_fees=st.sampled_from([None, (), (Fee("GT", Decimal(1)), Fee("KFEE", Decimal(2)))]),
)


@given(FILLS, FILLS, FILLS)
def test_the_join_of_fills_takes_any_order_and_any_repetition(
    a: HeldFill, b: HeldFill, c: HeldFill
) -> None:
    first, *others = [
        joined_fill(joined_fill(x, y), joined_fill(z, x)) for x, y, z in permutations((a, b, c))
    ]
    assert all(other == first for other in others)


def test_a_source_with_fewer_fields_is_completed_by_one_that_has_them() -> None:
    lite = fill(fee=None, fee_currency=None)
    assert joined_fill(lite, fill()) == fill()


def test_fields_that_differ_are_a_conflict_and_the_larger_value_is_kept() -> None:
    joined = joined_fill(fill(last_price="151"), fill(last_price="150"))
    assert joined.last_price == Decimal(151)
    assert joined.conflicts == ("last_price",)


def test_a_time_with_more_digits_is_no_conflict() -> None:
    joined = joined_fill(
        fill(venue_ns=1_793_000_002_204_000_000), fill(venue_ns=1793000002204000123)
    )
    assert (joined.venue_ns, joined.conflicts) == (1793000002204000123, ())


def test_a_correction_overrides_without_conflict_and_the_latest_wins() -> None:
    first = fill(kind=FillKind.CORRECTION, last_price="149", venue_ns=7)
    second = fill(kind=FillKind.CORRECTION, last_price="148", venue_ns=8)
    for pieces in permutations((fill(venue_ns=6), first, second)):
        joined = joined_fill(joined_fill(pieces[0], pieces[1]), pieces[2])
        assert (joined.last_price, joined.conflicts) == (Decimal(148), ())


def test_a_bust_is_final_even_if_it_comes_first() -> None:
    bust = fill(kind=FillKind.BUST)
    assert joined_fill(bust, fill()).is_busted
    assert joined_fill(fill(), bust).is_busted


def test_a_fill_comes_back_from_its_dump() -> None:
    corrected = fill(kind=FillKind.CORRECTION, venue_ns=3)
    several = fill(more_fees=(Fee("GT", Decimal("0.1")),))
    for one in (fill(), fill(kind=FillKind.BUST), corrected, several):
        assert HeldFill.load(one.dump()) == one


def test_several_fees_of_one_execution_are_kept_whatever_their_order() -> None:
    point, coin = Fee("POINT", Decimal(3)), Fee("GT", Decimal("-0.1"))
    one, other = fill(more_fees=(point, coin)), fill(more_fees=(coin, point))
    assert one == other
    assert [tuple(fee) for fee in one.fees()] == [("SOL", Decimal("0.0015")), coin, point]
    # A source that does not speak of them takes nothing from one that does.
    assert joined_fill(fill(), one) == joined_fill(one, fill()) == one
    totals = Totals()
    totals.replace(None, one)
    assert totals.fees == {"SOL": Decimal("0.0015"), "GT": Decimal("-0.1"), "POINT": Decimal(3)}
    totals.replace(one, one._replace(is_busted=True))
    assert totals.fees == {}


def test_totals_are_exact_sums_of_what_is_not_busted() -> None:
    totals = Totals()
    bought, sold = fill("1", "1.5"), fill("2", "0.1", side=Side.SELL, last_price="100.1")
    totals.replace(None, bought)
    totals.replace(None, sold)
    assert (totals.bought, totals.sold, totals.quantity) == (
        Decimal("1.5"),
        Decimal("0.1"),
        Decimal("1.6"),
    )
    assert totals.notional == Decimal("235.01")
    assert totals.fees == {"SOL": Decimal("0.0030")}
    totals.replace(bought, bought._replace(is_busted=True))
    assert (totals.quantity, totals.busted_quantity) == (Decimal("0.1"), Decimal("1.5"))


def test_fees_that_cancel_out_leave_no_entry() -> None:
    totals = Totals()
    totals.replace(None, fill("1"))
    totals.replace(None, fill("2", fee="-0.0015"))
    assert totals.fees == {}


@given(st.lists(st.tuples(st.sampled_from(["", "SOL", "GT", "POINT"]), st.integers(-2, 2))))
def test_fees_are_sums_by_currency_however_many_there_are(paid: list[tuple[str, int]]) -> None:
    totals, expected = Totals(), Counter[str]()
    for number, (currency, amount) in enumerate(paid):
        totals.replace(None, fill(str(number), fee=amount, fee_currency=currency or None))
        expected[currency] += amount
        assert totals.fees == {name: total for name, total in expected.items() if total}


def test_completeness_is_gap_excess_or_complete() -> None:
    one, two = Decimal(1), Decimal(2)
    assert completeness(one, Decimal(0), two) is Completeness.COMPLETE
    assert completeness(one, one, two) is Completeness.GAP
    assert completeness(two, Decimal(0), one) is Completeness.EXCESS
    assert completeness(two, Decimal(0), None) is Completeness.COMPLETE


def test_sums_of_the_widest_numbers_that_are_read_stay_exact_and_raise_nothing() -> None:
    wide, fine = f"{'9' * 40}E+30", f"{'1' * 40}E-30"
    fills = [
        fill("1", wide, last_price=wide, fee=wide),
        fill("2", fine, last_price=fine, fee=fine, side=Side.SELL),
        fill("3", wide, last_price=fine, fee=f"-{fine}"),
    ]
    totals = Totals()
    for one in fills:
        totals.replace(None, one)
    for one in fills[1:]:
        totals.replace(one, one._replace(is_busted=True))
    assert (totals.quantity, totals.bought) == (Decimal(wide), Decimal(wide))
    assert totals.sold == 0
    assert totals.fees == {"SOL": Decimal(wide)}
