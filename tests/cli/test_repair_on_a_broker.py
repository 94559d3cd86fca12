"""`orderloom repair` asks a person at a terminal, and does what the answer says."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from orderloom.topology import LEDGER
from runtime.kafka import connected_admin, end_offsets
from tests.cli.test_on_a_broker import ACCOUNT, VENUE, House
from tests.conftest import RunningBroker
from tests.sinks.records import a_fill, content_of

pytestmark = pytest.mark.broker


@pytest.fixture
def house(broker: RunningBroker, namespace: str, tmp_path: Path) -> House:
    """Partition 0 has published something, and has no state: it stops."""
    made = House(tmp_path, broker.bootstrap, namespace)
    made.set_up(0, 1)
    made.make_topics()
    made.publish(content_of(a_fill(account=ACCOUNT)))
    return made


def answered(house: House, answer: str) -> tuple[int, str]:
    """Run the command at a terminal of its own; its exit status and what it said."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cli.main", "repair", VENUE]
    with subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, cwd=house.directory, text=True
    ) as child:
        os.write(ours, f"{answer}\n".encode())
        assert child.stdout is not None
        said = child.stdout.read()
    os.close(ours)
    os.close(theirs)
    return child.returncode, said


def written(house: House) -> int:
    """How far the ledger's partition 0 is written."""
    place = (LEDGER.name(VENUE, house.namespace), 0)
    return end_offsets(connected_admin(house.bootstrap), [place])[place]


def test_a_no_changes_nothing_and_a_yes_repairs_what_stops(house: House) -> None:
    status, said = answered(house, "n")
    assert status == 1, said
    assert "partition 0 has no state, but a past (fills is not empty)" in said
    assert "nothing was changed" in said
    assert written(house) == 0
    status, said = answered(house, "y")
    assert status == 0, said
    assert "partition 0: repaired, in epoch 1" in said
    assert "partition 1" not in said, "it repairs what does not stop"
    assert "every partition opens as it is" in house.run("repair", VENUE).stdout


def test_a_partition_that_does_not_exist_is_named(house: House) -> None:
    answer = house.run("repair", VENUE, "--partition", "7")
    assert answer.returncode == 78
    assert "there is no partition 7: binance has 0 to 1" in answer.stderr
