"""A ledger topic that lacks some of what was written into it: no opening goes on from the rest."""

import orjson
import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from orderloom.topology import FILLS, LEDGER, RAW
from processors.ledger.opening import read_state
from processors.ledger.state import ATTEMPTS_KEY, PLACE_KEY, REPAIR_KEY
from processors.ledger.trouble import PartitionStopped
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import recreate, small_steps
from tests.processors.repair.repair_lab import KillAt, Killed, RepairLab
from tests.waits import wait_for

pytestmark = pytest.mark.broker


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> RepairLab:
    return RepairLab(broker.bootstrap, namespace)


def trim_ledger(lab: RepairLab, offset: int) -> None:
    """Its cleanup policy says for a while that it may be deleted from."""
    set_policy(lab, "compact,delete")
    wait_for(lambda: is_trimmed(lab, offset))
    set_policy(lab, "compact")


def is_trimmed(lab: RepairLab, offset: int) -> bool:
    """Whether the broker, which hears of the policy a moment later, lets the records be removed."""
    try:
        lab.trim(LEDGER, offset)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.POLICY_VIOLATION:
            return False
        raise
    return True


def set_policy(lab: RepairLab, policy: str) -> None:
    entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, lab.name(LEDGER), incremental_configs=[entry])
    for future in lab.admin.incremental_alter_configs([resource]).values():
        future.result(30)


def lose(lab: RepairLab, key: bytes) -> None:
    """One record of the ledger is no more."""
    lab.producer.produce(lab.name(LEDGER), None, key, 0)
    assert lab.producer.flush(30) == 0


def an_order(lab: RepairLab) -> bytes:
    return next(key for key in read_state(lab.log, 0) if key.startswith(b"o/"))


def test_a_ledger_that_lost_its_front_stops_and_publishes_no_execution_twice(
    lab: RepairLab,
) -> None:
    lab.configure(step=small_steps(10))
    lab.live()
    before, records = lab.content(), lab.committed(LEDGER)
    trim_ledger(lab, records[len(records) * 2 // 3].offset() or 0)
    lab.forget()
    lab.feed(RAW, lab.history())
    with pytest.raises(PartitionStopped, match=r"is not what step \d+ left") as stopped:
        lab.run()
    assert "orderloom repair" in str(stopped.value)
    lab.repair()
    lab.run()
    assert lab.content()[1:] == before[1:]
    fills = [one for one in lab.documents(FILLS) if (one["epoch"], one["kind"]) == (1, "REAL")]
    real = [one["execution_key"] for one in fills]
    assert len(real) == len(set(real))


def test_one_lost_record_is_enough(lab: RepairLab) -> None:
    lab.live()
    lose(lab, an_order(lab))
    with pytest.raises(PartitionStopped, match="orderloom repair"):
        lab.open_real()


def test_a_lost_epoch_stops_it_too(lab: RepairLab) -> None:
    """It would number in an epoch that consumers have left."""
    lab.live()
    recreate(lab, LEDGER)
    lab.repair()
    lab.run()
    lose(lab, REPAIR_KEY)
    with pytest.raises(PartitionStopped, match="orderloom repair"):
        lab.open_real()
    assert lab.repair().epoch == 2


def test_a_repair_whose_state_so_far_was_torn_begins_anew(lab: RepairLab) -> None:
    lab.configure(step=small_steps(20))
    lab.live()
    before = lab.content()
    recreate(lab, LEDGER)
    with pytest.raises(Killed):
        lab.repair(probe=KillAt("after-commit", 4))
    lose(lab, an_order(lab))
    lab.repair()
    assert lab.content() == before


def test_a_place_of_an_older_version_says_nothing_of_it(lab: RepairLab) -> None:
    lab.live()
    place = orjson.loads(read_state(lab.log, 0)[PLACE_KEY])
    del place["exact"], place["epoch"]
    lab.producer.produce(lab.name(LEDGER), orjson.dumps(place | {"format": 1}), PLACE_KEY, 0)
    assert lab.producer.flush(30) == 0
    lab.open_real().close()


NEXT = {"control": 0, "claims": 0, "intents": 0, "raw": 5}


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        (PLACE_KEY, {"next": []}),
        (PLACE_KEY, {"next": NEXT | {"raw": "x"}}),
        (PLACE_KEY, {"exact": []}),
        (ATTEMPTS_KEY, {"count": "x"}),
        (ATTEMPTS_KEY, {"until": {"fills": 5}, "count": 2}),
    ],
    ids=["next", "an offset", "exact", "count", "until"],
)
def test_an_own_record_of_a_wrong_shape_stops_until_a_repair(
    lab: RepairLab, key: bytes, wrong: dict[str, object]
) -> None:
    lab.live()
    before = lab.content()
    written = orjson.loads(read_state(lab.log, 0)[key])
    lab.producer.produce(lab.name(LEDGER), orjson.dumps(written | wrong), key, 0)
    assert lab.producer.flush(30) == 0
    with pytest.raises(PartitionStopped, match="run `orderloom repair`"):
        lab.open_real()
    assert lab.repair().epoch == 1
    lab.run()
    assert lab.content() == before
