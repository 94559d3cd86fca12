"""A replay of a log in whose `commits` somebody else has written too, on a broker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from confluent_kafka import Consumer

from orderloom.intent import CancelAll
from orderloom.topology import CLAIMS, COMMITS, CONTROL, INTENTS, RAW
from processors.account.pace import Pace
from processors.configuration import configuration_of, configured_fold
from processors.ledger.log import LedgerLog
from processors.ledger.mark import MARK, Mark
from processors.ledger.step import PartitionState
from processors.ledger.trouble import LedgerLost
from processors.replay.partition_replay import PartitionReplay, ReplayPlan
from processors.replay.reading import RangeReader
from processors.replay.refold import CannotReplay, Configuration
from runtime.kafka import reader as kafka_reader
from tests.conftest import RunningBroker
from tests.processors.partition_lab import ACCOUNT, a_registration
from tests.processors.repair.repair_lab import VENUE, RepairLab
from tests.processors.replay.recording import Recorder
from tests.runtime.secured_broker import free_ports
from venues import VENUES

pytestmark = pytest.mark.broker
Step = dict[str, Any]


@pytest.fixture
def lab(broker: RunningBroker, namespace: str) -> RepairLab:
    lab = RepairLab(broker.bootstrap, namespace)
    lab.configure(configuration=configuration_of(VENUES[VENUE], Pace(), namespace))
    lab.live()
    return lab


@contextmanager
def replaying(lab: RepairLab, *, from_now: bool = False) -> Iterator[PartitionReplay]:
    now = configuration_of(VENUES[VENUE], Pace(), lab.namespace)

    def make(said: Configuration | None, _digest: str) -> PartitionState:
        return configured_fold(VENUES[VENUE], 0, said or now)

    plan = ReplayPlan(make, lab.real_state, "", from_now=from_now)
    replay = PartitionReplay(lab.log, 0, plan)
    yield replay
    replay.close()


def put(lab: RepairLab, value: bytes | None, mark: Mark | None = None) -> None:
    headers: dict[str, str | bytes | None] = {} if mark is None else {MARK: mark.encoded()}
    lab.producer.produce(lab.name(COMMITS), value, b"0", 0, headers=headers)
    assert lab.producer.flush(30) == 0


def next_step(lab: RepairLab, **otherwise: Any) -> Step:
    """A well-formed step behind the last one."""
    last = lab.commits()[-1]
    ranges = {kind: [end, end] for kind, (_, end) in last["inputs"].items()}
    following = {"step": last["step"] + 1, "number": last["number"] + 100, "inputs": ranges}
    return last | following | otherwise


def more(lab: RepairLab) -> int:
    """The ledger goes on; its last step."""
    lab.measure_clock()
    lab.run()
    return max(int(orjson.loads(value)["step"]) for value in marked(lab))


def marked(lab: RepairLab) -> list[bytes]:
    return [message.value() or b"" for message in lab.committed(COMMITS) if message.headers()]


FOREIGN: dict[str, Callable[[RepairLab], bytes | None]] = {
    "none": lambda _: None,
    "empty": lambda _: b"",
    "words": lambda _: b"words",
    "a step": lambda lab: orjson.dumps(next_step(lab)),
    "a step of a newer version": lambda lab: orjson.dumps(next_step(lab, format=99)),
    "the last one again": lambda lab: orjson.dumps(lab.commits()[-1]),
}


@pytest.mark.parametrize("from_now", [False, True], ids=["from the start", "from now"])
@pytest.mark.parametrize("name", FOREIGN)
def test_what_bears_no_mark_is_passed_over(lab: RepairLab, name: str, from_now: bool) -> None:
    put(lab, FOREIGN[name](lab))
    with replaying(lab, from_now=from_now) as replay:
        replay.begin()
        replay.advance()
        last = more(lab)
        put(lab, FOREIGN[name](lab) if name != "the last one again" else b"")
        replay.advance()
        assert replay.difference is None
        assert replay.counts.step == last == replay.last_step()


WRONG: dict[str, Step] = {
    "a repair of nothing": {"repair": {}},
    "a repair without an epoch": {"repair": {"phase": "begun"}},
    "a repair that found a number": {"repair": {"phase": "ended", "epoch": 1, "found": 5}},
    "checksums that are none": {"checksums": "x"},
    "checksums of five bytes": {"checksums": "AAAAAAA="},
    "a configuration of nothing": {"configuration": {}, "config": "another"},
    "what was found is no archive": {"repair": {"phase": "ended", "epoch": 1, "found": "AAAA"}},
    "a range beyond the end": {
        "inputs": {"control": [1, 1], "claims": [0, 0], "intents": [0, 0], "raw": [106, 2**62]}
    },
    "an input that there is not": {"inputs": {"fills": [0, 5]}},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_marked_record_that_is_wrong_within_ends_it_in_a_line(lab: RepairLab, name: str) -> None:
    step = next_step(lab, **WRONG[name])
    put(lab, orjson.dumps(step), Mark(step["number"], 7))
    with replaying(lab) as replay:
        try:
            replay.begin()
            replay.advance()
        except CannotReplay as cannot:
            found = str(cannot)
        else:
            found = str(replay.difference)
        assert found != "None"
        assert "\n" not in found


class AwayLog(LedgerLog):
    """A log whose brokers a reader does not reach."""

    def reader(self, *, committed: bool) -> Consumer:
        (port,) = free_ports(1)
        return kafka_reader(f"127.0.0.1:{port}", committed=committed)


def test_a_range_of_an_input_is_waited_for_only_so_long_where_kafka_is_away(lab: RepairLab) -> None:
    ranges = RangeReader(AwayLog(replace(lab.log.settings, request_seconds_max=3)), 0, RAW.kind)
    with pytest.raises(LedgerLost, match="stays unreadable at 0"):
        ranges.take(0, 5)
    ranges.close()


def test_a_step_of_before_claims_joined_is_read_in_the_order_of_then(
    broker: RunningBroker, namespace: str
) -> None:
    """Intents came before raw, and of claims nothing was said; the step behind it is of today."""
    lab, recorder = RepairLab(broker.bootstrap, namespace), Recorder()
    feed_all_but_claims(lab, "then")
    held = lab.inputs()
    then, _ = recorder.step([*held["control"], *held["intents"], *held["raw"]])
    inputs = {kind: ends for kind, ends in then.inputs.items() if kind != CLAIMS.kind}
    put(lab, replace(then, inputs=inputs).encoded(), Mark(then.number or 0, 7))
    feed_all_but_claims(lab, "today")
    lab.feed(CLAIMS, [b"words"])
    new = {kind: found[len(held[kind]) :] for kind, found in lab.inputs().items()}
    today, _ = recorder.step([*new["control"], *new["claims"], *new["raw"], *new["intents"]])
    put(lab, today.encoded(), Mark(today.number or 0, 7))
    with replaying(lab) as replay:
        replay.begin()
        replay.advance()
        assert replay.difference is None
        assert replay.counts.step == 2


def feed_all_but_claims(lab: RepairLab, key: str) -> None:
    intent = CancelAll(account=ACCOUNT, strategy="s", key=key)
    lab.feed(CONTROL, [(ACCOUNT.encode(), a_registration())])
    lab.feed(INTENTS, [(ACCOUNT.encode(), intent.encoded())])
    lab.measure_clock()
    lab.feed(RAW, lab.history())
