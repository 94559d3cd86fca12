"""Positions are sums over a set: arrival changes nothing."""

from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from orderloom.quantities import DIGITS_MAX, EXPONENT_MAX, decimal_of
from processors.account.positions import TAIL_MAX, HeldPosition, Traded
from tests.processors.account.restoring import reloaded


def a_position() -> HeldPosition:
    return HeldPosition("linear", "BTCUSDT", "NET", None, "base")


def a_trade(number: int, quantity: str = "1", price: str = "100") -> Traded:
    return Traded(number, f"t{number}", Decimal(quantity), Decimal(price))


trades = st.lists(
    st.builds(
        Traded,
        st.integers(0, 50),
        st.text("abcdef", min_size=3, max_size=6),
        st.decimals("-9", "9", places=3).filter(bool),
        st.decimals("1", "99", places=2),
    ),
    unique_by=lambda trade: trade.key,
    max_size=40,
)


def fed(entries: list[Traded]) -> HeldPosition:
    position = a_position()
    for number, trade in enumerate(entries):
        if not position.trade(trade):
            position.recompute(entries[: number + 1])
    return position


@given(trades, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_position(
    entries: list[Traded], random: Random
) -> None:
    shuffled = random.sample(entries, len(entries))
    assert fed(shuffled).view(unbounded=False) == fed(sorted(entries)).view(unbounded=False)


@given(trades)
def test_net_is_the_plain_sum(entries: list[Traded]) -> None:
    assert fed(entries).now.net == sum((trade.quantity for trade in entries), Decimal(0))


def test_a_long_that_is_closed_above_its_entry_realizes_the_gain() -> None:
    position = fed([a_trade(1, "2", "100"), a_trade(2, "-2", "110")])
    assert position.now.realized == 20
    assert position.now.net == 0
    assert position.view(unbounded=False)["average_entry"] is None


def test_a_position_that_turns_over_enters_at_the_turning_price() -> None:
    position = fed([a_trade(1, "2", "100"), a_trade(2, "-3", "90")])
    now = position.now
    assert (now.net, now.entry, now.realized) == (Decimal(-1), Decimal(90), Decimal(-20))


def test_an_execution_older_than_the_tail_asks_for_a_recompute() -> None:
    position = a_position()
    for number in range(TAIL_MAX + 1):
        assert position.trade(a_trade(number + 10))
    assert not position.trade(a_trade(1))


def test_late_executions_beyond_the_tail_give_the_same_position() -> None:
    entries = [a_trade(n, "1" if n % 3 else "-2", str(100 + n % 7)) for n in range(1, 600)]
    late = entries[300:] + entries[:300]
    assert fed(late).view(unbounded=False) == fed(entries).view(unbounded=False)


def test_the_band_is_what_open_orders_may_still_do() -> None:
    position = fed([a_trade(1, "2")])
    position.open_buys, position.open_sells = Decimal("1.5"), Decimal(4)
    view = position.view(unbounded=False)
    assert (view["low"], view["high"], view["unbounded"]) == ("-2", "3.5", False)


def test_an_order_whose_leaves_quantity_is_unknown_unbounds_the_band() -> None:
    position = fed([a_trade(1, "2")])
    position.unknown_leaves = 1
    assert position.view(unbounded=False)["unbounded"]


def test_forty_digits_are_summed_to_the_last_one() -> None:
    large, small = "1234567890123456789012345678901234567.001", "0.000000000000000000000000000001"
    position = fed([a_trade(1, large), a_trade(2, small), a_trade(3, "-" + large)])
    assert position.now.net == Decimal(small)


def test_the_widest_numbers_that_are_read_can_be_multiplied_and_summed() -> None:
    widest, finest = "9" * DIGITS_MAX + f"E{EXPONENT_MAX}", f"1E-{EXPONENT_MAX}"
    position = fed([a_trade(at, widest, widest) for at in range(12)])
    assert position.trade(a_trade(12, finest, finest))
    value = int(decimal_of(widest)) ** 2 * 12
    assert decimal_of(finest) > 0
    assert position.paid == Decimal(f"{value}.{'0' * 59}1")


def test_fees_are_kept_by_currency_and_not_netted() -> None:
    position = a_position()
    position.charge("USDT", Decimal("0.5"), 1)
    position.charge("BNB", Decimal("0.01"), 1)
    position.charge("USDT", Decimal("-0.2"), 1)
    assert position.view(unbounded=False)["fees"] == {"BNB": "0.01", "USDT": "0.3"}


@given(trades)
def test_a_saved_position_goes_on_as_if_it_had_not_been_saved(entries: list[Traded]) -> None:
    position = fed(entries)
    again = reloaded(position)
    assert again.dump() == position.dump()
    assert again.view(unbounded=True) == position.view(unbounded=True)
