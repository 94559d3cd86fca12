"""A report without a symbol whose order nobody knows: something was missed, and is asked about."""

from orderloom.event import Cause, OrderReport, Origin
from orderloom.words import Source, Status
from tests.processors.partition_lab import ACCOUNT, NOW, Run, a_partition, a_raw_record, live

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
