"""What a repair goes by is what `commits` says, whatever stands in the ledger's topic."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from orderloom.topology import COMMANDS, DISPATCHES, INSTRUMENTS, INTENTS, LEDGER, OUTPUTS, RAW
from processors.ledger.opening import read_state
from processors.ledger.state import PLACE_KEY, REPAIR_KEY
from processors.ledger.trouble import PartitionStopped
from processors.partition import PartitionFold
from processors.repair.former import NUMBERED
from processors.repair.survey import survey
from runtime.trouble import SetupError
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import recreate
from tests.processors.repair.repair_lab import RepairLab

pytestmark = pytest.mark.broker
Document = dict[str, Any]


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> RepairLab:
    return RepairLab(broker.bootstrap, namespace)


def forge(lab: RepairLab, key: bytes, change: Callable[[Document], None]) -> None:
    """Somebody else writes the ledger's own record anew, otherwise."""
    document = orjson.loads(read_state(lab.log, 0)[key])
    change(document)
    lab.producer.produce(lab.name(LEDGER), orjson.dumps(document), key, 0)
    assert lab.producer.flush(30) == 0


def further_intents(place: Document) -> None:
    place["next"]["intents"] += 1


def other_intents(place: Document) -> None:
    place["topic_ids"]["intents"] = "another"


def further_raw(place: Document) -> None:
    place["next"]["raw"] += 40


def less_raw(place: Document) -> None:
    place["next"]["raw"] -= 40


def last_step(place: Document) -> None:
    place["step"] = 2**63 - 1


def far_step(place: Document) -> None:
    place["step"] = 2**50


def late_clock(place: Document) -> None:
    place["clock_ns"] = 2**61


FORGED = [
    further_intents, other_intents, further_raw, less_raw, last_step, far_step, late_clock,
]  # fmt: skip


@pytest.mark.parametrize("change", FORGED, ids=lambda change: change.__name__)
def test_a_foreign_place_stops_the_partition_and_no_repair(
    lab: RepairLab, change: Callable[[Document], None]
) -> None:
    lab.live()
    before = lab.content()
    forge(lab, PLACE_KEY, change)
    with pytest.raises(PartitionStopped, match="orderloom repair"):
        lab.open_real()
    assert lab.survey().lost == {}
    assert lab.repair().epoch == 1
    lab.run()
    steps = [one["step"] for one in lab.commits()]
    assert steps == list(range(1, len(steps) + 1))
    assert lab.content() == before


def test_a_place_that_was_put_on_behind_what_comes_loses_nothing(lab: RepairLab) -> None:
    lab.live()
    forge(lab, PLACE_KEY, further_raw)
    lab.feed(RAW, lab.history()[:50])
    with pytest.raises(PartitionStopped, match="it says raw"):
        lab.open_real()


def test_intents_made_again_are_gone_where_the_ledger_is_too(lab: RepairLab) -> None:
    lab.feed(INTENTS, [b"{}"])
    lab.live()
    recreate(lab, LEDGER)
    recreate(lab, INTENTS)
    with pytest.raises(SetupError, match="intents are gone"):
        lab.repair()


def test_a_foreign_marker_of_a_repair_is_not_gone_on_with(lab: RepairLab) -> None:
    """One of a lower epoch: who reads the outputs would drop all that it publishes."""
    lab.live()
    recreate(lab, LEDGER)
    assert lab.repair().epoch == 1
    lab.run()
    before = lab.content()
    forge(lab, REPAIR_KEY, lambda repair: repair.update(epoch=0, has_ended=False))
    forge(lab, PLACE_KEY, lambda place: place.update(epoch=0))
    assert lab.repair().epoch == 2
    lab.run()
    assert lab.content() == before


def test_a_partition_that_goes_on_while_it_is_looked_at_does_not_stop(lab: RepairLab) -> None:
    lab.live()
    ledger = lab.open_real()

    def make_state(partition: int) -> PartitionFold:
        """Called behind the reading of the state: the ledger takes a step meanwhile."""
        lab.measure_clock()
        steps = ledger.step_number
        while ledger.step_number == steps:
            ledger.advance(0.1)
        return lab.real_state(partition)

    assert survey(lab.log, 0, make_state).cause == ""
    ledger.close()


def test_the_epoch_is_looked_for_where_records_bear_one(lab: RepairLab) -> None:
    lab.live()
    bear = {one.kind: {"epoch" in doc for doc in lab.documents(one)} for one in OUTPUTS}
    assert all(bear[topic.kind] <= {True} for topic in NUMBERED), bear
    assert {one.kind for one in OUTPUTS} - {one.kind for one in NUMBERED} == {
        COMMANDS.kind,
        DISPATCHES.kind,
        INSTRUMENTS.kind,
    }
    assert bear[DISPATCHES.kind] == {False}
    assert bear[INSTRUMENTS.kind] <= {False}
