"""What happens to accounts at bad moments, in every box: told as it must be, true in the books."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from simulator.acts import ACTS
from simulator.config import FaultConfig, ScheduledFault
from simulator.faults import STEP_FAULTS
from simulator.refusal import Refused
from simulator.traders import Seat
from simulator.truth import account_truth
from tests.simulator.probes import VENUES, Quiet

if TYPE_CHECKING:
    from tests.simulator.told import Told

both = pytest.mark.parametrize("venue", VENUES)


EXPIRED = {"binance": "EXPIRED", "kraken": "EXPIRED"}


def acted(venue: str, kind: str, wanted: Callable[[Seat], bool] = bool) -> tuple[Quiet, Seat]:
    """A venue where an act was just done at a seat; `messages` holds what it told."""
    quiet = Quiet(venue)
    quiet.trade(400)
    for seat in quiet.venue.traders.seats:
        quiet.messages.clear()
        try:
            if wanted(seat) and ACTS[kind](quiet.venue.traders, seat):
                return quiet, seat
        except Refused:
            continue
    raise AssertionError(f"no seat for {kind}")


def the_order(quiet: Quiet, seat: Seat, order_id: str) -> Any:
    """The order with this id on the wire."""
    product = seat.market.product
    return next(row for row in rows(quiet, seat) if quiet.name(product, row.order_id) == order_id)


def rows(quiet: Quiet, seat: Seat) -> list[Any]:
    return list(seat.account.orders[seat.market.product, seat.symbol].values())


@both
@pytest.mark.parametrize("kind", STEP_FAULTS)
def test_a_scheduled_act_happens_exactly_as_often_as_planned(venue: str, kind: str) -> None:
    fault = ScheduledFault(count=5, frames=200)
    quiet = Quiet(venue, faults=FaultConfig(schedule={kind: fault}))
    quiet.trade(1200)
    assert quiet.venue.faults.injected == {kind: 5}


@both
@pytest.mark.parametrize(
    ("kind", "category"), [("liquidation", "full_liquidation"), ("adl", "adl")]
)
def test_liquidation_and_adl_close_the_position_with_an_order_of_the_venue(
    venue: str, kind: str, category: str
) -> None:
    quiet, seat = acted(venue, kind)
    closed = rows(quiet, seat)[-1]
    assert closed.status == "FILLED"
    if venue == "kraken":
        assert (closed.client_order_id, closed.forced) == ("", kind.upper())
    elif venue == "okx":
        assert closed.category == category
        assert next(told for told in quiet.told() if told.trade_id).trade_id == "0"
    elif venue == "bybit":
        assert (
            closed.category
            in {
                "liquidation": ("CreateByLiq", "CreateByTakeOver_PassThrough"),
                "adl": ("CreateByAdl_PassThrough",),
            }[kind]
        )
    else:
        assert closed.client_order_id.startswith({"adl": "adl_"}.get(kind, "autoclose-"))
    ends = [told.order_id for told in quiet.told() if told.is_end or told.state == "NEW_ADL"]
    if venue == "kraken":  # nobody promises that the order itself is reported: its fill is
        ends = [told.order_id for told in quiet.told() if told.trade_id]
    assert ends[-1] == quiet.name(seat.market.product, closed.order_id)
    assert not seat.open_orders()


@both
def test_expiry_ends_an_open_order_without_being_asked(venue: str) -> None:
    quiet, seat = acted(venue, "expiry")
    [told] = quiet.told()
    order = the_order(quiet, seat, told.order_id)
    assert order.reason == "VENUE"
    assert told.state == order.status == EXPIRED.get(venue, "CANCELED")


@both
def test_self_trade_prevention_ends_an_order_and_trades_nothing(venue: str) -> None:
    quiet, seat = acted(venue, "self_trade")
    prevented = {
        quiet.name(seat.market.product, row.order_id)
        for row in rows(quiet, seat)
        if row.reason == "STP"
    }
    told = [told for told in quiet.told() if told.order_id in prevented and told.is_end]
    assert told
    assert {row.state for row in told} <= {"EXPIRED_IN_MATCH", "CANCELED"}


@both
def test_amend_by_others_changes_an_order_that_nobody_here_amended(venue: str) -> None:
    quiet, seat = acted(venue, "amend_by_others")
    told = quiet.told()[0]
    order = the_order(quiet, seat, told.order_id)
    assert order.amendments >= 1


@both
def test_client_id_reuse_gives_an_ended_orders_id_to_a_new_one(venue: str) -> None:
    quiet, seat = acted(venue, "client_id_reuse")
    if not quiet.venue.traders.reuses_names:
        assert not quiet.messages, "the venue refused it"
        return
    new = rows(quiet, seat)[-1]
    same = [row for row in rows(quiet, seat) if row.client_order_id == new.client_order_id]
    assert len(same) > 1
    assert not any(row.is_open for row in same[:-1])


@both
def test_contradictory_terminal_is_reported_and_changes_no_book(venue: str) -> None:
    quiet, seat = acted(venue, "contradictory_terminal")
    [told] = quiet.told()
    order = the_order(quiet, seat, told.order_id)
    assert told.is_end
    assert told.state != order.status
    assert told.trade_id == ""
    rows_of_truth = account_truth(seat.account)["orders"]
    contradicted = [row["venue_order_id"] for row in rows_of_truth if row["contradicted"]]
    assert contradicted == [told.order_id]


@both
def test_late_fill_after_cancel_is_reported_later_and_counts(venue: str) -> None:
    quiet, seat = acted(venue, "late_fill")
    told: list[Told] = [row for row in quiet.told() if row.is_end or row.trade_id]
    canceled, filled = told[:2]
    assert (canceled.state, canceled.trade_id) == ("CANCELED", "")
    assert filled.trade_id
    assert filled.order_id == canceled.order_id
    order = the_order(quiet, seat, told[0].order_id)
    fills = seat.account.fills[seat.market.product, seat.symbol]
    counted = sum((row.quantity for row in fills if row.order_id == order.order_id), Decimal(0))
    assert (order.status, order.filled) == ("CANCELED", counted)
    assert [row.is_late for row in fills if row.order_id == order.order_id][-1]


@both
def test_books_agree_with_their_fills_after_every_kind_of_act(venue: str) -> None:
    schedule = {kind: ScheduledFault(count=10, frames=500) for kind in STEP_FAULTS}
    quiet = Quiet(venue, faults=FaultConfig(schedule=schedule))
    quiet.trade(2500)
    assert quiet.venue.faults.injected == dict.fromkeys(STEP_FAULTS, 10)
    for account in quiet.venue.accounts.values():
        sums: dict[tuple[str, str], Decimal] = {}
        for (product, symbol), fills in account.fills.items():
            for fill in fills if product != "spot" else ():
                key = (symbol, fill.position_side)
                sums[key] = sums.get(key, Decimal(0)) + fill.signed_quantity
        for key, position in account.positions.items():
            assert position.amount == sums.get(key, Decimal(0))
        locked = sum(row.locked for row in account.balances["spot"].values())
        assert locked == sum(row.locked for row in account.open_orders["spot"].values())
