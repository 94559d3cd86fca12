"""The sink's process on a real broker: killed at random, nothing is lost and nothing doubled."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from runtime.broker import EmbeddedBroker
from runtime.settings import Settings, load_settings
from sinks import SINKS
from sinks.follower import LogChangedError, LossFoundError
from sinks.sqlite_tables import TABLES
from sinks.worker import SinkOptions, run
from tests.conftest import FORGETFUL, RunningBroker
from tests.sinks.contents import contents_of_file
from tests.sinks.output_topics import OutputTopics
from tests.sinks.records import VENUE, Content, a_batch, a_history, an_order, content_of
from tests.source_tree import ROOT
from tests.waits import wait_for

WAIT_SECONDS = 60.0
PROGRAM = """
import pathlib, sys
import sinks.follower, sinks.worker
from runtime.logs import set_up_logs
from runtime.settings import load_settings
from runtime.supervise_process import stop_on_signals
poll = sinks.worker.Follower.poll.__wrapped__
poll.__defaults__ = (20,)  # many small batches: more places to be killed at
set_up_logs("sink")
options = sinks.worker.SinkOptions(["lab"], pathlib.Path(sys.argv[1]))
sinks.worker.run("sqlite", load_settings(), options, stop_on_signals())
"""


@contextmanager
def sink_process(topics: OutputTopics, path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {
        "ORDERLOOM_KAFKA__BOOTSTRAP": topics.bootstrap,
        "ORDERLOOM_NAMESPACE": topics.namespace,
    }
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, path], cwd=ROOT, env=environment)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def read_so_far(path: Path) -> int:
    """How many offsets the sink has passed."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return int(db.execute("SELECT total(next_offset) FROM offsets").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # not made yet


def has_passed(path: Path, offsets: int) -> Callable[[], bool]:
    return lambda: read_so_far(path) >= offsets


def wait_for_the_sink(child: subprocess.Popen[bytes], holds: Callable[[], bool]) -> None:
    def check() -> None:
        assert child.poll() is None, f"the sink ended with {child.returncode}"

    wait_for(holds, WAIT_SECONDS, "the sink gets on", check, look_seconds=0.002)  # to kill midway


def write_with_aborts(topics: OutputTopics, history: list[Content], chance: random.Random) -> None:
    """Transactions of up to 30 records; every third is tried and aborted first."""
    at = 0
    while at < len(history):
        part = history[at : at + chance.randint(1, 30)]
        if chance.random() < 0.3:
            topics.write(part, abort=True)
        topics.write(part)
        at += len(part)


@pytest.mark.broker
def test_a_sink_killed_at_random_ends_with_the_same_tables(
    broker: RunningBroker, namespace: str, tmp_path: Path, seed: int
) -> None:
    topics, chance = OutputTopics(broker.bootstrap, namespace), random.Random(seed)
    history = a_history(2 * seed + 1, steps=500)
    path = tmp_path / "killed"
    kills, half = 0, len(history) // 2
    for part in (history[:half], history[half:]):
        write_with_aborts(topics, part, chance)
        for _ in range(3):
            with sink_process(topics, path) as child:
                enough = read_so_far(path) + chance.randint(1, 250)
                wait_for_the_sink(child, has_passed(path, enough))
                child.send_signal(signal.SIGKILL)
                kills += 1
    expected = tmp_path / "whole"
    whole = SINKS["sqlite"](expected)
    whole.write(a_batch(*history))
    last = whole.progress().numbers
    whole.close()
    with sink_process(topics, path) as child:
        wait_for_the_sink(child, lambda: numbers_of(path) == sorted(n for n in last.values()))
        child.send_signal(signal.SIGTERM)
        assert child.wait(WAIT_SECONDS) == 0
    assert kills == 6
    assert contents_of_file(str(path)) == contents_of_file(str(expected))


def numbers_of(path: Path) -> list[tuple[int, int]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return sorted(db.execute("SELECT epoch, sequence FROM numbers").fetchall())


def settings_for(topics: OutputTopics, directory: Path) -> Settings:
    kafka = {"bootstrap": topics.bootstrap}
    return load_settings(kafka=kafka, namespace=topics.namespace, data_dir=directory)


def orders(*sequences: int) -> list[Content]:
    return [content_of(an_order(f"k{number}", sequence=number)) for number in sequences]


@contextmanager
def running_sink(settings: Settings, *, rebuild: bool = False) -> Iterator[None]:
    """The sink in a thread of this process."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        options = SinkOptions([VENUE], rebuild=rebuild)
        running = pool.submit(run, "sqlite", settings, options, stop)
        try:
            yield
        finally:
            stop.set()
            running.result(WAIT_SECONDS)


def orders_in(path: Path) -> int:
    """How many orders the file holds; -1 while the sink has not made its tables yet."""
    try:
        return len(contents_of_file(str(path))["orders"])
    except sqlite3.OperationalError:
        return -1


def wait_for_orders(settings: Settings, count: int) -> None:
    path = settings.data_dir / "orderloom.sqlite"
    wait_for(lambda: path.exists() and orders_in(path) == count, WAIT_SECONDS)


@pytest.mark.broker
def test_a_loss_ends_the_process_with_one_line(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    topics = OutputTopics(broker.bootstrap, namespace)
    topics.write(orders(1, 3))
    with pytest.raises(LossFoundError, match="lacks records of lab:one before it"):
        run("sqlite", settings_for(topics, tmp_path), SinkOptions([VENUE]), threading.Event())


@pytest.mark.broker
def test_topics_made_again_stop_it_until_it_is_told_to_rebuild(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    topics = OutputTopics(broker.bootstrap, namespace)
    settings = settings_for(topics, tmp_path)
    topics.write(orders(1, 2, 3))
    with running_sink(settings):
        wait_for_orders(settings, 3)
    topics.recreate()
    with pytest.raises(LogChangedError, match="made again"):
        run("sqlite", settings, SinkOptions([VENUE]), threading.Event())
    topics.write(orders(1))
    with running_sink(settings, rebuild=True):
        wait_for_orders(settings, 1)


@pytest.mark.broker
def test_a_broker_that_was_away_is_outlived(namespace: str, tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "broker", heap_mib=256, settings=FORGETFUL) as broker:
        topics = OutputTopics(broker.bootstrap, namespace)
        settings = settings_for(topics, tmp_path)
        topics.write(orders(1))
        with running_sink(settings):
            wait_for_orders(settings, 1)
            broker.kill()
            broker.start()
            OutputTopics(broker.bootstrap, namespace).write(orders(2))
            wait_for_orders(settings, 2)


@pytest.mark.broker
def test_a_record_is_counted_once_also_when_the_topics_are_looked_at(
    broker: RunningBroker, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted() -> float:
        labels = {"sink": "sqlite", "topic": "orders"}
        return REGISTRY.get_sample_value("orderloom_sink_writes_total", labels) or 0.0

    monkeypatch.setattr("sinks.follower.CHECK_SECONDS", 0.0)  # after each batch
    topics, before = OutputTopics(broker.bootstrap, namespace), counted()
    topics.write(orders(*range(1, 31)))
    settings = settings_for(topics, tmp_path)
    with running_sink(settings):
        wait_for_orders(settings, 30)
    assert counted() - before == 30


def test_tables_and_topics_of_this_suite_agree() -> None:
    assert {table.topic.name(VENUE) for table in TABLES.values()} == {
        "orders.lab", "fills.lab", "positions.lab",
    }  # fmt: skip
