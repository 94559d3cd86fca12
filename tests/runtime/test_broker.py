"""The embedded broker on a real machine: it starts, keeps its data, and says what is wrong."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from runtime.broker import (
    BrokerDiedError,
    DirectoryInUseError,
    DirectoryUnusableError,
    EmbeddedBroker,
    PortInUseError,
)
from tests.conftest import FORGETFUL
from tests.waits import wait_for

pytestmark = pytest.mark.broker

PARENT = """
import sys, time
from pathlib import Path
from runtime.broker import EmbeddedBroker
settings = dict(pair.split("=") for pair in sys.argv[2:])
broker = EmbeddedBroker(Path(sys.argv[1]), settings=settings).start()
print(broker.pid, flush=True)
time.sleep(600)
"""


def topics_of(broker: EmbeddedBroker) -> set[str]:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    return set(admin.list_topics(timeout=10).topics)


def is_alive(pid: int) -> bool:
    """A process that has ended, but that nobody has waited for, counts as gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


said: list[str] = []
"""What the module's broker has reported."""


def said_of_the_controller() -> bool:
    return any("its controller runs alone" in line for line in said)


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedBroker:
    directory = tmp_path_factory.mktemp("own")
    return EmbeddedBroker(directory, heap_mib=256, settings=FORGETFUL, report=said.append)


def test_data_and_port_survive_a_stop_and_a_kill(own_broker: EmbeddedBroker) -> None:
    with own_broker:
        admin = AdminClient({"bootstrap.servers": own_broker.bootstrap})
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(20)
        port = own_broker.port
    said.clear()
    own_broker.start()
    assert not said_of_the_controller(), "it was stopped in order"
    own_broker.kill()
    with own_broker:
        assert said_of_the_controller(), "after a kill its controller runs alone first"
        assert "kept" in topics_of(own_broker)
        assert own_broker.port == port
        with pytest.raises(DirectoryInUseError, match="another broker runs on"):
            EmbeddedBroker(own_broker.log_path.parent).start()
    assert not own_broker.is_running


def test_a_suspended_broker_is_silent_and_answers_when_resumed(
    own_broker: EmbeddedBroker,
) -> None:
    with own_broker:
        own_broker.suspend()
        wait_for(lambda: " T" in state_line(own_broker.pid))
        own_broker.resume()
        assert topics_of(own_broker)


def state_line(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"port {port} on 127.0.0.1 is in use: stop"):
            EmbeddedBroker(tmp_path / "b", port=port).start()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/below")):
        with pytest.raises(DirectoryUnusableError, match=f"{place} .*: name a directory that"):
            EmbeddedBroker(place).start()


@pytest.mark.parametrize("name", ["one,two", "one\\two", "one\ntwo"])
def test_a_directory_that_kafka_would_read_otherwise_is_refused_before_anything_is_made(
    tmp_path: Path, name: str
) -> None:
    sign = name[3]
    with pytest.raises(DirectoryUnusableError) as refused:
        EmbeddedBroker(tmp_path / name / "below", java=Path("/none")).start()
    assert f"{sign!r}, which Kafka would not read as a part of it" in refused.value.cause
    assert refused.value.remedy == f"name a directory whose path holds no {sign!r}"
    assert not list(tmp_path.iterdir())


def test_a_broker_that_dies_at_start_shows_its_last_words(own_broker: EmbeddedBroker) -> None:
    settings = {"process.roles": "nonsense"}
    broken = EmbeddedBroker(own_broker.log_path.parent, heap_mib=256, settings=settings)
    with pytest.raises(BrokerDiedError, match="nonsense"):
        broken.start()
    assert not broken.is_running


def test_one_who_waits_for_a_broker_hears_of_its_end(own_broker: EmbeddedBroker) -> None:
    with own_broker:
        stop = threading.Event()
        stop.set()
        own_broker.wait(stop)
        os.kill(own_broker.pid, signal.SIGKILL)
        with pytest.raises(BrokerDiedError, match=r"the broker ended \(exit status -9\)"):
            own_broker.wait(threading.Event())


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    full = tmp_path / "java"
    full.write_text("#!/bin/sh\necho 'java.io.IOException: No space left on device'; exit 1\n")
    full.chmod(0o755)
    with pytest.raises(BrokerDiedError, match=r"its disk is full: free space for .*data"):
        EmbeddedBroker(tmp_path / "b", java=full).start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the leash")
def test_the_broker_dies_with_a_parent_that_is_killed(own_broker: EmbeddedBroker) -> None:
    arguments = [str(own_broker.log_path.parent), *map("=".join, FORGETFUL.items())]
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_alive(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not is_alive(pid))
