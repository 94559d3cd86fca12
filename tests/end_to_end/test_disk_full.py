"""The disk under Kafka is full: it dies and says so; with room again nothing is lost or doubled."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException

from orderloom.topology import RAW
from runtime.broker import EmbeddedBroker
from runtime.kafka import connected_admin
from runtime.trouble import SetupError
from tests.processors.chaos.stage import KEYS, Stage

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.broker,
    pytest.mark.soak,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small disk: Linux, root"
    ),
]
SMALL_MIB, LARGE_MIB = 160, 1_500
PADDING = b"." * 4_000
EVENTS_MAX = 60_000


def mount(directory: Path, mib: int, *options: str) -> None:
    size = ",".join((f"size={mib}m", *options))
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", directory], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "disk"
    directory.mkdir()
    mount(directory, SMALL_MIB)
    yield directory
    subprocess.run(["umount", "-l", directory], check=True)


def feed_until_it_dies(stage: Stage, broker: EmbeddedBroker) -> None:
    for number in range(EVENTS_MAX):
        if not broker.is_running:
            return
        key, partition = b"key %d" % (number % KEYS), number % KEYS % stage.partitions
        with contextlib.suppress(BufferError):
            stage.lab.producer.produce(stage.lab.name(RAW), PADDING, key, partition)
        stage.lab.producer.poll(0.001 if number % 50 else 0.05)
    raise AssertionError("the disk is never full")


def test_a_full_disk_loses_and_doubles_nothing(
    namespace: str, tmp_path: Path, small_disk: Path
) -> None:
    broker = EmbeddedBroker(small_disk / "broker", heap_mib=400)
    with broker, Stage(broker.bootstrap, namespace, tmp_path, partitions=4) as stage:
        with stage.supervising():
            stage.start()
            stage.wait_until_owned(1)
            feed_until_it_dies(stage, broker)
            with pytest.raises(SetupError, match=r"its disk is full|No space left on device"):
                broker.start()
            mount(small_disk, LARGE_MIB, "remount")
            broker.start()
            stage.lab.admin = connected_admin(broker.bootstrap)
            assert stage.lab.producer.flush(60) == 0
            stage.wait_until_folded(180)
        for worker in stage.workers:
            worker.end()
        with contextlib.suppress(KafkaException):
            stage.lab.producer.flush(1)
        assert stage.faults() == []
        assert sum(len(stage.lab.commits(partition)) for partition in range(4)) > 4
