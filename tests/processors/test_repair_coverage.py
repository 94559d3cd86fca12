"""What the former life had asked about is not asked about again after a repair, on a broker."""

import time
from typing import Any

import pytest

from orderloom.raw import ConnectionChange
from orderloom.topology import ACCOUNTS, CONTROL, LEDGER, RAW
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import recreate
from tests.processors.partition_lab import ACCOUNT, a_raw_record, a_registration, live
from tests.processors.repair_lab import RepairLab

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
