"""Kafka itself is killed under transactions, again and again: nothing hangs, is lost or doubled.

Two halves: the embedded broker as it starts now leaves nothing hanging; and a broker that starts
beside its own past, as it did before, is survived by the ledger alone. The seed is
`ORDERLOOM_TEST_SEED`; `make soak` kills twenty times, `make chaos` three.
"""

import itertools
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from orderloom.topology import DIFFERENCES, FILLS
from processors.ledger.settling import TOPIC_OF
from runtime.broker import EmbeddedBroker
from runtime.kafka import connected_admin, end_offsets, reader, transactional_producer
from runtime.topics import TopicSpec, create_topics
from tests.conftest import FORGETFUL
from tests.processors.chaos.stage import Stage
from tests.processors.counting_state import SpreadState

pytestmark = [pytest.mark.chaos, pytest.mark.broker, pytest.mark.timeout(2_400)]
IDS = 12
TOPICS = ("one", "other")
STAND_SECONDS_MAX = 60.0


class HastyBroker(EmbeddedBroker):
    """Starts beside the session of its own past, as a cluster that was lost at once may."""

    def _fence_past(self, _command: list[str]) -> None:
        """Wait for nothing."""


@pytest.fixture
def kills(is_soak: bool) -> int:
    return 20 if is_soak else 3


@dataclass
class Load:
    """Writers of numbered transactions over two topics, and what became of each number."""

    bootstrap: str
    produced: list[set[int]] = field(default_factory=lambda: [set() for _ in range(IDS)])
    asked: list[set[int]] = field(default_factory=lambda: [set() for _ in range(IDS)])
    acknowledged: list[set[int]] = field(default_factory=lambda: [set() for _ in range(IDS)])

    def __post_init__(self) -> None:
        self._numbers = [itertools.count(1) for _ in range(IDS)]
        self._stop = threading.Event()

    def start(self) -> None:
        self._stop.clear()
        self._writers = [threading.Thread(target=self._write, args=(at,)) for at in range(IDS)]
        for writer in self._writers:
            writer.start()

    def stop(self) -> None:
        self._stop.set()
        for writer in self._writers:
            writer.join()

    def _write(self, at: int) -> None:
        producer = transactional_producer(self.bootstrap, f"load-{at}")
        try:
            producer.init_transactions(30)
            while not self._stop.is_set():
                number = next(self._numbers[at])
                self.produced[at].add(number)
                producer.begin_transaction()
                for topic in TOPICS:
                    producer.produce(topic, b"%d" % number, partition=at)
                producer.flush(2)
                if self._stop.wait(0.004):
                    return
                self.asked[at].add(number)
                producer.commit_transaction(3)
                self.acknowledged[at].add(number)
        except KafkaException:
            return

    def wrongs(self, admin: AdminClient) -> Counter[str]:
        """How many numbers are shown, or hidden, that should not be."""
        found: Counter[str] = Counter()
        places = [(topic, at) for topic in TOPICS for at in range(IDS)]
        true, stable = end_offsets(admin, places), end_offsets(admin, places, committed=True)
        found["hanging"] = sum(stable[place] < true[place] for place in places)
        shown = self._shown(stable)
        for (topic, at), numbers in shown.items():
            found["shown, never asked"] += len(set(numbers) - self.asked[at])
            found["hidden, acknowledged"] += len(self.acknowledged[at] - set(numbers))
            found["twice"] += len(numbers) - len(set(numbers))
            found["in one topic only"] += len(set(numbers) - set(shown[TOPICS[0], at]))
            assert topic in TOPICS
        return +found

    def _shown(self, ends: dict[tuple[str, int], int]) -> dict[tuple[str, int], list[int]]:
        consumer = reader(self.bootstrap, committed=True)
        consumer.assign([TopicPartition(*place, 0) for place in ends])
        found: dict[tuple[str, int], list[int]] = {place: [] for place in ends}
        open_places = {place for place, end in ends.items() if end > 0}
        while open_places:
            for message in consumer.consume(500, 1):
                place = (message.topic() or "", message.partition() or 0)
                if message.error() is None:
                    found[place].append(int(message.value() or b""))
                else:
                    open_places.discard(place)
        consumer.close()
        return found


def test_a_killed_broker_starts_again_and_leaves_nothing_hanging(
    tmp_path: Path, kills: int, seed: int
) -> None:
    chance = random.Random(seed)
    broker = EmbeddedBroker(tmp_path / "broker", heap_mib=400, settings=FORGETFUL)
    with broker:
        admin = connected_admin(broker.bootstrap)
        create_topics(admin, [TopicSpec(topic, IDS, 1, {}) for topic in TOPICS])
        load = Load(broker.bootstrap)
        for _ in range(kills):
            load.start()
            time.sleep(chance.uniform(2, 6))  # how long it works before it is killed
            broker.kill()
            load.stop()
            broker.start()
            for at in range(IDS):  # ends what the dead writers left open, as an opening does
                transactional_producer(broker.bootstrap, f"load-{at}").init_transactions(60)
            assert load.wrongs(connected_admin(broker.bootstrap)) == Counter()
    count = sum(map(len, load.acknowledged))
    print(f"seed {seed}: {kills} kills over {count} transactions, nothing hangs")
    assert count > 20 * kills


def test_the_ledger_alone_survives_a_broker_that_starts_beside_its_own_past(
    namespace: str, tmp_path: Path, kills: int, seed: int
) -> None:
    chance = random.Random(seed)
    broker = HastyBroker(tmp_path / "broker", heap_mib=500)
    with broker, Stage(broker.bootstrap, namespace, tmp_path, partitions=IDS) as stage:
        stage.settings, stage.lab.kind = {"is_spread": True}, SpreadState
        stage.start()
        stage.start()
        stage.wait_until_owned(2)
        longest = 0.0
        with stage.supervising():
            for _ in range(kills):
                with stage.feeding(600, seed):
                    time.sleep(chance.uniform(3, 6))  # how long it works before it is killed
                    before = stage.committed_steps()
                    broker.kill()
                    if chance.random() < 0.3:
                        chance.choice(stage.living()).process.kill()
                    broker.start()
                    began = time.monotonic()
                    stage.wait_until_all_have_moved(before, STAND_SECONDS_MAX * 2)
                    longest = max(longest, time.monotonic() - began)
            stage.wait_until_folded(180)
        for worker in stage.workers:
            worker.end()
        assert stage.faults() == []
        settled = times_logged(stage, "transactions hang in")
        again = times_logged(stage, "writing them again")
        published = {
            topic.kind: sum(len(stage.lab.values(topic, at)) for at in range(IDS))
            for topic in (FILLS, DIFFERENCES)
        }
    print(
        f"seed {seed}: {kills} kills, {stage.fed} events, published {published}; "
        f"{settled} partitions hung, {again} had hidden records; longest stand {longest:.1f} s"
    )
    assert longest < STAND_SECONDS_MAX
    assert set(TOPIC_OF) >= set(published)
    assert all(published.values())


def times_logged(stage: Stage, words: str) -> int:
    """How often the workers logged these words."""
    return sum(worker.log.read_text().count(words) for worker in stage.workers)
