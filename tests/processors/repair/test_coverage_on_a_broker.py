"""What the former life had asked about is not asked about again after a repair, on a broker."""

import time
from typing import Any

import orjson
import pytest

from orderloom.raw import ConnectionChange
from orderloom.topology import ACCOUNTS, CONTROL, DISPATCHES, FILLS, LEDGER, RAW
from processors.repair.former import former_coverages, lost_fills
from processors.repair.former_records import LEAD_NS_MAX
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import recreate
from tests.processors.partition_lab import ACCOUNT, a_raw_record, a_registration, live
from tests.processors.repair.repair_lab import RepairLab

pytestmark = pytest.mark.broker


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> RepairLab:
    return RepairLab(broker.bootstrap, namespace)


def test_outages_that_the_former_life_asked_about_are_not_asked_about_again(
    lab: RepairLab,
) -> None:
    """Three hours ago, two of them ended; the answers lie in `raw` and are folded again."""
    live_with_outages(lab)
    before = lab.documents(ACCOUNTS)[-1]
    assert all(before["covered_ns"].values())
    assert len(standing(before)) < len(before["blind"]), "no interval was ever closed"
    recreate(lab, LEDGER)
    lab.repair()
    after = lab.documents(ACCOUNTS)[-1]
    assert after["covered_ns"] == before["covered_ns"]
    assert standing(after) == standing(before)
    lab.run()
    assert standing(lab.documents(ACCOUNTS)[-1]) == standing(before)


def feed_covered(lab: RepairLab, covered_ns: int) -> None:
    """A foreign record of the account that was looked at up to then, and lacks nothing."""
    document = {"epoch": 0, "sequence": 1, "account": ACCOUNT, "blind": []}
    covered = dict.fromkeys(("spot", "linear"), covered_ns)
    value = orjson.dumps(document | {"covered_ns": covered})
    lab.producer.produce(lab.name(ACCOUNTS), value, ACCOUNT.encode(), 0)
    assert lab.producer.flush(30) == 0


def test_a_foreign_record_of_times_to_come_leaves_what_was_covered_as_it_was(
    lab: RepairLab,
) -> None:
    live_with_outages(lab)
    genuine = former_coverages(lab.log, 0, 1, time.time_ns())
    before = lab.documents(ACCOUNTS)[-1]
    feed_covered(lab, 2**62)
    assert former_coverages(lab.log, 0, 1, time.time_ns()) == genuine
    recreate(lab, LEDGER)
    lab.repair()
    lab.run()
    after = lab.documents(ACCOUNTS)[-1]
    assert (after["covered_ns"], standing(after)) == (before["covered_ns"], standing(before))
    asked = [one["question"].get("since_ns") or 0 for one in lab.documents(DISPATCHES)]
    assert max(asked) < time.time_ns()


def test_nothing_is_covered_beyond_when_a_record_was_appended_and_the_repairs_clock(
    lab: RepairLab,
) -> None:
    lab.live()
    before_ns = time.time_ns()
    feed_covered(lab, before_ns + LEAD_NS_MAX // 2)
    after_ns = time.time_ns()
    [found] = former_coverages(lab.log, 0, 1, after_ns).values()
    assert max(found.covered_ns.values()) <= after_ns
    [found] = former_coverages(lab.log, 0, 1, before_ns - LEAD_NS_MAX).values()
    assert set(found.covered_ns.values()) == {before_ns - LEAD_NS_MAX}


def test_no_execution_was_later_than_its_record(lab: RepairLab) -> None:
    fill = {
        "epoch": 0, "sequence": 1, "account": ACCOUNT, "product": "spot", "symbol": "BTCUSDT",
        "execution_key": "e1", "kind": "REAL", "side": "SELL", "quantity": "5",
        "quantity_unit": "base", "venue_ns": 2**62,
    }  # fmt: skip
    lab.producer.produce(lab.name(FILLS), orjson.dumps(fill), ACCOUNT.encode(), 0)
    assert lab.producer.flush(30) == 0
    [lost] = lost_fills(lab.log, 0, 1, lambda _: None)
    assert lost.venue_ns <= time.time_ns()


def live_with_outages(lab: RepairLab) -> None:
    hour = 3600 * 1_000_000_000
    at_ns = time.time_ns() - 10 * hour
    lab.feed(CONTROL, [(ACCOUNT.encode(), a_registration())])
    lab.measure_clock(at_ns)
    for begin_ns in (at_ns, at_ns + hour, at_ns + 2 * hour):
        items = []
        for product in ("spot", "linear"):
            items.append(live(product, begin_ns))
            items.append(ConnectionChange(f"c-{product}", product, "CLOSED", begin_ns + hour // 2))
        record = a_raw_record(*items)
        lab.feed(RAW, [(ACCOUNT.encode(), record.value or b"")])
    lab.run()
    lab.answer_all()
    lab.run()


def standing(account: dict[str, Any]) -> list[tuple[str, int, int | None]]:
    """Product, start and end of each blind interval that is not closed."""
    return sorted(
        (one["product"], one["start_ns"], one["end_ns"])
        for one in account["blind"]
        if one.get("closed_ns") is None
    )
