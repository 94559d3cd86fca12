"""A report without a symbol whose order nobody knows: something was missed, and is asked about."""

import orjson

from orderloom.event import Cause, OrderReport, Origin
from orderloom.raw import ConnectionChange, Frame
from orderloom.words import Source, Status
from processors.partition import PartitionFold
from tests.processors.partition_lab import ACCOUNT, NOW, Run, a_partition, a_raw_record, live
from venues import VENUES

SECOND = 1_000_000_000


def test_it_opens_a_blind_interval_that_a_cycle_closes() -> None:
    run = Run(a_partition())
    run.step(a_raw_record(live("spot")))
    account = run.partition.account(ACCOUNT)
    before = len(account.streams.blind)
    said = OrderReport(product="spot", symbol=None, venue_order_id="77", status=Status.CANCELED)
    cause = Cause("raw.binance", 0, 1)
    for source in (Source.QUERY, Source.STREAM):
        account.begin(cause, NOW)
        account.take_events((said,), Origin(ACCOUNT, source, cause, NOW))
    found = account.streams.blind[before:]
    assert [(one.product, one.end_ns, one.reason) for one in found] == [
        ("spot", NOW, "an order without a symbol")
    ]
    assert account.orders.count == 0
    assert any(path.startswith("o/") for path, _ in account.state())


def test_a_removal_by_id_alone_of_an_inverse_order_of_kraken_ends_it_and_nothing_is_blind() -> None:
    run = Run(PartitionFold(VENUES["kraken"], 0))
    opened = ConnectionChange("c", "linear", "LIVE", NOW, others=["inverse"])
    account_id = "kraken:main"
    run.step(a_raw_record(opened, account=account_id))
    account = run.partition.account(account_id)
    before = list(account.streams.blind)
    order = {
        "instrument": "PI_XBTUSD", "time": 1793000000001, "last_update_time": 1793000000001,
        "qty": 100, "filled": 0, "limit_price": 60000.0, "stop_price": 0.0, "type": "limit",
        "order_id": "a1b2", "direction": 0, "reduce_only": False,
    }  # fmt: skip
    feed = {"feed": "open_orders_verbose"}
    placed = feed | {"order": order, "is_cancel": False, "reason": "new_placed_order_by_user"}
    removed = feed | {"order_id": "a1b2", "is_cancel": True, "reason": "cancelled_by_user"}
    for number, body in enumerate((placed, removed), 1):
        frame = Frame("c", number, "linear", NOW, orjson.dumps(body))
        run.step(a_raw_record(frame, account=account_id, offset=number))
    (found,) = account.orders.all()
    assert (found.product, found.derived.lifecycle) == ("inverse", "CANCELED")
    assert account.streams.blind == before
