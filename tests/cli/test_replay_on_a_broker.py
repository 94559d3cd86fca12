"""`orderloom replay` on a real log, as a person runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.replaying import Part, Status
from orderloom.topology import COMMITS, INPUTS, LEDGER, ORDERS, RAW
from processors.account.pace import Pace
from processors.configuration import configuration_of
from processors.ledger.commit_record import CommitRecord
from processors.ledger.mark import MARK, Mark
from processors.replay.audit import Culprit, StepDifference
from processors.replay.partition_replay import PartitionReplay, ReplayPlan
from runtime.kafka import idempotent_producer
from runtime.topics import TopicSpec, create_topics
from tests.cli.test_main import orderloom
from tests.conftest import RunningBroker
from tests.processors.ledger_lab import recreate, small_steps
from tests.processors.partition_lab import ACCOUNT
from tests.processors.repair.repair_lab import VENUE, KillAt, Killed, RepairLab
from tests.processors.replay.recording import maker
from tests.source_tree import ROOT
from tests.waits import wait_for
from venues import VENUES

pytestmark = pytest.mark.broker

CREATE_TIME = {"message.timestamp.type": "CreateTime"}


@dataclass
class ReplayLab(RepairLab):
    """A log whose steps say what they were folded with, and a directory with settings for it."""

    directory: Path = Path()

    def configure(self, **changes: object) -> None:
        kept = configuration_of(VENUES[VENUE], Pace(), self.namespace)
        given = {"configuration": kept, "config_digest": "c0ffee", "step": small_steps(20)}
        super().configure(**given | changes)

    def replay(self, *arguments: str, period: int = 30) -> subprocess.CompletedProcess[str]:
        self.set_up(period)
        return orderloom("replay", VENUE, *arguments, directory=self.directory)

    def set_up(self, period: int = 30) -> None:
        (self.directory / "orderloom.toml").write_text(
            f'namespace = "{self.namespace}"\npartitions = {self.partitions}\n'
            f'[kafka]\nbootstrap = "{self.bootstrap}"\n'
            f"[venues.{VENUE}]\nreconcile_seconds = {period}\n"
        )

    def steps(self) -> list[CommitRecord]:
        return [CommitRecord.decoded(value) for value in self.values(COMMITS)]

    def more(self) -> None:
        """The venue says all of it once more, and the ledger folds it."""
        self.feed(RAW, self.history())
        self.run()


@pytest.fixture
def lab(broker: RunningBroker, namespace: str, tmp_path: Path) -> ReplayLab:
    return ReplayLab(broker.bootstrap, namespace, directory=tmp_path)


def test_every_step_of_a_log_comes_again_whatever_the_settings_are_now(lab: ReplayLab) -> None:
    lab.live()
    slower = configuration_of(VENUES[VENUE], Pace(period_ns=1), lab.namespace)
    lab.configure(configuration=slower, config_digest="another", step=small_steps(7))
    lab.more()
    steps = lab.steps()
    assert len({step.config for step in steps}) == 2
    for period in (30, 77):
        found = lab.replay(period=period)
        assert found.returncode == 0, found.stdout + found.stderr
        assert f"partition 0: {len(steps)} steps up to step {len(steps)} are equal" in found.stdout
    found = lab.replay("--from", str(len(steps) - 1))
    assert f"partition 0: 2 steps up to step {len(steps)} are equal" in found.stdout


def test_a_flipped_bit_in_a_raw_record_is_found_at_its_offset(lab: ReplayLab) -> None:
    lab.live()
    offset = 33
    other = a_copy(lab, f"{lab.namespace}copy.", offset)
    found = other.replay()
    assert found.returncode == 1, found.stdout + found.stderr
    number = next(step.step for step in lab.steps() if step.inputs["raw"][1] > offset)
    assert (
        f"partition 0: step {number} differs by an input: raw partition 0 offset {offset} does not "
        "hold what was folded there" in found.stdout
    )
    assert "is not the topic that step 1 read" in found.stdout


def a_copy(lab: ReplayLab, namespace: str, spoilt: int) -> ReplayLab:
    """The same log under another name, with the times of the first; one bit of `raw` is flipped."""
    producer = idempotent_producer(lab.bootstrap)
    for topic in (*INPUTS, COMMITS):
        name = topic.name(VENUE, namespace)
        create_topics(lab.admin, [TopicSpec(name, 1, 1, topic.config | CREATE_TIME)])
        for message in lab.committed(topic):
            value = bytearray(message.value() or b"")
            if topic is RAW and message.offset() == spoilt:
                value[-1] ^= 4
            stamp = message.timestamp()[1]
            said = message.headers()
            producer.produce(name, bytes(value), message.key(), 0, timestamp=stamp, headers=said)
    assert producer.flush(30) == 0
    return ReplayLab(lab.bootstrap, namespace, directory=lab.directory)


def test_a_repaired_partition_is_replayed_through_its_repair(lab: ReplayLab) -> None:
    lab.live()
    recreate(lab, LEDGER)
    lab.repair()
    lab.more()
    steps = lab.steps()
    phases = [step.repair["phase"] for step in steps if step.repair is not None]
    assert phases[0] == "begun"
    assert phases[-1] == "ended"
    found = lab.replay()
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"steps up to step {len(steps)} are equal" in found.stdout


@pytest.mark.parametrize("seed", [1, 2])
def test_a_repair_that_was_killed_and_went_on_is_replayed(lab: ReplayLab, seed: int) -> None:
    lab.seed = seed
    lab.configure(step=small_steps(80))
    lab.live()
    recreate(lab, LEDGER)
    with pytest.raises(Killed):
        lab.repair(probe=KillAt("after-commit", 1))
    lab.repair()
    lab.more()
    found = lab.replay()
    assert found.returncode == 0, found.stdout + found.stderr


def test_where_raw_was_trimmed_it_begins_where_the_repair_began(lab: ReplayLab) -> None:
    lab.live()
    lab.trim(RAW, 60)
    found = lab.replay()
    assert found.returncode == 2
    assert "cannot go on: there is no place to begin: raw begins at offset 60" in found.stdout
    assert "`--from now --follow` begins with the state as it is" in found.stdout
    recreate(lab, LEDGER)
    assert lab.repair().former.lost > 0
    lab.more()
    found = lab.replay()
    assert found.returncode == 0, found.stdout + found.stderr
    begun = next(step.step for step in lab.steps() if step.repair is not None)
    equal = len(lab.steps()) - begun
    assert "does not begin with the first step that was: raw begins at offset 60" in found.stdout
    assert f"partition 0: {equal} steps up to step {len(lab.steps())} are equal" in found.stdout


@contextmanager
def following(lab: ReplayLab) -> Iterator[subprocess.Popen[str]]:
    """The command, following from now on; what it says to stderr stands in `progress`."""
    lab.set_up()
    command = [sys.executable, "-m", "cli.main", "replay", VENUE, "--from", "now", "--follow"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=(lab.directory / "progress").open("w"),
        cwd=lab.directory,
        env=os.environ | {"PYTHONHASHSEED": "7"},
        text=True,
    ) as child:
        yield child
        child.kill()


def first_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline()


def rest_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.read()


def test_it_follows_a_partition_of_any_age_from_its_state_as_it_is(lab: ReplayLab) -> None:
    lab.live()
    lab.trim(RAW, 60)
    before = len(lab.steps())
    with following(lab) as child:
        assert f"begins with the state that step {before} left" in first_line(child)
        lab.more()
        last = len(lab.steps())
        wait_for_progress(lab, f"partition 0: step {last} of {last}, ")
        child.send_signal(signal.SIGINT)
        said = rest_of(child)
        assert child.wait(30) == 0, said
    assert last > before + 5
    assert f"partition 0: {last - before} steps up to step {last} are equal" in said


def wait_for_progress(lab: ReplayLab, line: str) -> None:
    progress = lab.directory / "progress"
    wait_for(lambda: line in progress.read_text(), 60)


def put(lab: ReplayLab, value: bytes) -> None:
    """A record of `commits` with a mark, as a ledger writes it."""
    number = json.loads(value).get("number", 10_000)
    headers: dict[str, str | bytes | None] = {MARK: Mark(number, 1).encoded()}
    lab.producer.produce(lab.name(COMMITS), value, b"0", 0, headers=headers)
    assert lab.producer.flush(10) == 0


def test_a_partition_that_is_lost_ends_no_watch_of_the_others(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    lab = ReplayLab(broker.bootstrap, namespace, partitions=2, directory=tmp_path)
    lab.live()
    before = len(lab.steps())
    with following(lab) as child:
        assert f"partition 0: begins with the state that step {before} left" in first_line(child)
        wait_for_progress(lab, "partition 1: is watched no more: its ledger holds no step yet")
        lab.more()
        last = len(lab.steps())
        wait_for_progress(lab, f"partition 0: step {last} of {last}, ")
        # The same step once more: nothing that a ledger would write.
        put(lab, lab.values(COMMITS)[-1])
        said = rest_of(child)
        assert child.wait(30) == 1, said
    assert f"partition 0: step {last} differs by the log: the step before it is {last}" in said
    assert "partition 1: cannot go on: its ledger holds no step yet" in said


def test_a_difference_outweighs_that_a_partition_could_not_be_looked_at_to_its_end(
    lab: ReplayLab,
) -> None:
    plan = ReplayPlan(maker(), lab.real_state, "v1")
    part = Part(PartitionReplay(lab.log, 0, plan))
    part.cannot = "raw no longer holds offset 7"
    before = part.status
    part.replay.difference = StepDifference(3, Culprit.RULE, "the state")
    assert (before, part.status) == (Status.CANNOT, Status.DIFFERS)


def another_checkout(lab: ReplayLab) -> Path:
    """One with the same code, at `next`."""
    other = lab.directory / "next"
    for room in ("processors", "venues", "runtime", "schemas"):
        shutil.copytree(ROOT / room, other / room)
    return other


def change_view(checkout: Path) -> None:
    """It shows spot orders as others than they are."""
    view = checkout / "processors" / "orders" / "view.py"
    text = view.read_text()
    view.write_text(text.replace('"adopted"] = True', '"adopted"] = order.product == "linear"'))


def test_another_checkouts_orders_are_listed(lab: ReplayLab) -> None:
    """What it makes of the same steps is said; what is in the topics stays as it is."""
    lab.live()
    other = another_checkout(lab)
    same = lab.replay("--with", "next")
    assert same.returncode == 0, same.stdout + same.stderr
    assert "would publish 0 orders or other keys otherwise" in same.stdout
    change_view(other)
    found = lab.replay("--with", "next")
    assert found.returncode == 1, found.stdout + found.stderr
    spot = {key for key, one in lab.view(ORDERS).items() if one["product"] == "spot"}
    assert f"would publish {len(spot)} orders or other keys otherwise" in found.stdout
    assert all(f"  {key}: " in found.stdout for key in spot)
    assert "steps up to step" in found.stdout, "this checkout's own fold is equal"


def test_another_checkouts_orders_are_listed_from_the_step_that_was_named(lab: ReplayLab) -> None:
    lab.live()
    change_view(another_checkout(lab))
    last = len(lab.steps())
    found = lab.replay("--with", "next", "--from", str(last))
    assert found.returncode == 1, found.stdout + found.stderr
    since = [line for line in found.stdout.splitlines() if ", since step " in line]
    assert since
    assert all(line.endswith(f", since step {last}") for line in since), found.stdout


def test_an_account_is_looked_for_where_control_says_that_it_lies(lab: ReplayLab) -> None:
    """Also where the registry's file was changed since, which `orderloom topics` refuses."""
    directory, namespace = lab.directory, f"{lab.namespace}two."
    (directory / "orderloom.toml").write_text(
        f'namespace = "{namespace}"\npartitions = 2\n[kafka]\nbootstrap = "{lab.bootstrap}"\n'
        "replication = 1\n"
    )
    entry = f'[[accounts]]\nid = "{ACCOUNT}"\nproducts = ["spot"]\nkey = "env:KEY"\npartition = '
    (directory / "accounts.toml").write_text(f"{entry}1\n")
    made = orderloom("topics", directory=directory)
    assert made.returncode == 0, made.stdout + made.stderr
    (directory / "accounts.toml").write_text(f"{entry}0\n")
    found = orderloom("replay", VENUE, "--account", ACCOUNT, directory=directory)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "partition 1: no step is recorded yet" in found.stdout
    assert "partition 0: " not in found.stdout
    unknown = orderloom("replay", VENUE, "--account", f"{VENUE}:none", directory=directory)
    assert unknown.returncode == 2
    assert f"{VENUE}:none stands not in {namespace}control.{VENUE}" in unknown.stderr


def test_what_it_cannot_do_it_says_in_a_line_and_ends_with_2(lab: ReplayLab) -> None:
    lab.set_up()
    empty = lab.replay()
    assert empty.returncode == 0, empty.stdout + empty.stderr
    assert "partition 0: no step is recorded yet" in empty.stdout
    assert (found := lab.replay("--partition", "1")).returncode == 2
    assert "there is no partition 1: binance has 0 to 0" in found.stderr
    assert (found := lab.replay("--with", "nowhere")).returncode == 2
    assert "nowhere holds no processors/replay/child.py" in found.stderr
    assert (found := lab.replay("--from", "now")).returncode == 2
    assert "its ledger holds no step yet" in found.stdout
    put(lab, b'{"format": 3}')
    assert (found := lab.replay()).returncode == 2
    assert "was written by another version of this program (its format is 3" in found.stdout
