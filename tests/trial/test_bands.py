"""The check of the bands, beside orders that close whatever is held when they trigger."""

from typing import Any

import pytest

from orderloom.position import Position
from tests.trial.test_verdict import ACCOUNT, CAUSE, KEY, a_fill, a_position, an_order, truth
from trial.bands import broken_bands
from trial.verdict import Published

BUY, CLOSE, UNKNOWN = "7", "8", "9"
EARLY, LATER, LATEST = 5, 7, 9
"""Offsets of the log: when 82 bought and the closing order were known; when the purchase of 13,
of which nobody knew before, was; when 38 of the 95 that the closing order sold were."""


def executed(name: str, order: str, side: str, quantity: str, **fields: Any) -> dict[str, Any]:
    row = {**truth()["accounts"][ACCOUNT]["fills"][0], "exec_id": name, "side": side}
    return row | {"venue_order_id": order, "quantity": quantity} | fields


ROWS = [
    executed("1", BUY, "BUY", "82"),
    executed("2", UNKNOWN, "BUY", "13"),
    executed("3", CLOSE, "SELL", "38", closes_position=True),
    executed("4", CLOSE, "SELL", "57", closes_position=True),
]


def bands_broken(position: Position, rows: list[dict[str, Any]]) -> int:
    """Whether the band of one record is broken, beside these executions of the three orders."""
    found = Published()
    for order, first in ((BUY, EARLY), (CLOSE, EARLY), (UNKNOWN, LATER)):
        key = KEY.removesuffix(BUY) + order
        found.orders[key] = an_order(key=key, first_cause=CAUSE | {"offset": first})
    for row, offset in zip(rows, (EARLY, LATER, LATEST, LATEST + 1), strict=False):
        names = {name: row[name] for name in ("exec_id", "venue_order_id", "side", "quantity")}
        found.take_fill(a_fill(**names, cause=CAUSE | {"offset": offset}))
    found.take_position(position)
    return len(list(broken_bands(found, truth(fills=rows))))


@pytest.mark.parametrize(
    ("offset", "low", "high", "broken"),
    [
        # It sold 95, and of these 13 were bought by an order that nobody knew: to nothing held.
        (EARLY, "0", "82", 0),
        (EARLY, "1", "82", 1),
        (EARLY, "-95", "-1", 1),
        (LATER, "0", "95", 0),
        (LATER, "1", "95", 1),
        # What is known to be sold counts as any other execution does.
        (LATEST, "0", "57", 0),
        (LATEST, "1", "57", 1),
        (LATEST + 1, "0", "0", 0),
    ],
)
def test_what_closes_whatever_is_held_closes_what_known_orders_hold(
    offset: int, low: str, high: str, broken: int
) -> None:
    cause = CAUSE | {"offset": offset}
    assert bands_broken(a_position(net=low, low=low, high=high, cause=cause), ROWS) == broken


def test_of_what_was_never_held_by_known_orders_it_closes_nothing() -> None:
    rows = [executed("1", BUY, "SELL", "20"), executed("2", UNKNOWN, "BUY", "60"), ROWS[2]]
    for net, broken in (("-20", 0), ("-58", 1)):
        assert bands_broken(a_position(net=net, low=net, high=net), rows) == broken
