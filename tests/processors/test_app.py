"""Workers on a real broker: who owns what, where the group's offsets are, what Faust is told."""

import os
import signal
import time
from pathlib import Path

import pytest

from orderloom.topology import RAW
from processors.ledger.backlog import KINDS
from tests.conftest import RunningBroker
from tests.processors.chaos.stage import SESSION_SECONDS, Stage

pytestmark = [pytest.mark.chaos, pytest.mark.broker, pytest.mark.timeout(240)]


def make_stage(
    broker: RunningBroker, namespace: str, directory: Path, partitions: int = 6
) -> Stage:
    return Stage(broker.bootstrap, namespace, directory, partitions)


def test_workers_that_join_one_after_another_each_own_something_in_step(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    with make_stage(broker, namespace, tmp_path, partitions=12) as stage:
        for members in (1, 2, 3, 4, 5):
            stage.start()
            for owned in stage.wait_until_owned(members).values():
                assert owned["raw"]
                assert all(owned[kind] == owned["raw"] for kind in KINDS)


def test_after_a_seek_and_a_rebalance_the_groups_offset_rises_and_nothing_piles_up(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    """The first worker opens on a backlog and seeks; then others come and go."""
    with make_stage(broker, namespace, tmp_path) as stage:
        stage.feed(6_000)
        first = stage.start()
        stage.wait_until_folded()
        second = stage.start()
        with stage.feeding(200):
            stage.wait_until_owned(2)
        stage.wait_until_folded()
        second.end()
        with stage.feeding(200):
            stage.wait_until_owned(1)
        stage.wait_until_folded()
        first.end()
        assert stage.faults() == []


@pytest.mark.parametrize(
    ("variant", "partitions", "members"),
    [("round robin", 12, 5), ("standby counted", 4, 3)],
)
def test_the_assignment_test_finds_faust_as_it_comes(
    broker: RunningBroker,
    namespace: str,
    tmp_path: Path,
    variant: str,
    partitions: int,
    members: int,
) -> None:
    with make_stage(broker, namespace, tmp_path, partitions) as stage:
        for joined in range(1, members + 1):
            stage.start(variant)
            owners = stage.wait_until_owned(joined).values()
        in_step = all(
            owned["raw"] and all(owned[kind] == owned["raw"] for kind in KINDS) for owned in owners
        )
        assert not in_step


def test_a_worker_stopped_for_longer_than_its_session_settles_within_two_openings(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    with make_stage(broker, namespace, tmp_path) as stage:
        first, second = stage.start(), stage.start()
        stage.wait_until_owned(2)
        with stage.feeding(300):
            stage.wait_for(lambda: len(first.openings()) >= 3, 20, "the first opens its ledgers")
            first.send(signal.SIGSTOP)
            stage.wait_until_owned(1)
            stage.wait_for(
                lambda: set(second.openings()) == set(range(stage.partitions)), 20, "it opens all"
            )
            stopped_until = time.time()
            first.send(signal.SIGCONT)
            stage.wait_until_owned(2)
            stage.wait_for(lambda: bool(first.openings(stopped_until)), 20, "it owns again")
            stage.wait_until_all_have_moved(stage.committed_steps(), 20)
        stage.wait_until_folded()
        for partition in range(stage.partitions):
            openings = first.openings(stopped_until) + second.openings(stopped_until)
            assert openings.count(partition) <= 2
        for worker in (first, second):
            assert worker.end() == 0
        assert stage.faults() == []


def test_a_slow_ledger_blocks_neither_the_others_nor_a_rebalance(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    with make_stage(broker, namespace, tmp_path) as stage:
        stage.start()
        stage.wait_until_owned(1)
        released, session_ends = tmp_path / "released", time.monotonic() + SESSION_SECONDS + 1
        stage.lab.feed(RAW, [b"until:%s" % os.fsencode(released)])  # partition 0
        stage.feed(1_000)
        stage.wait_until_folded(60, besides={0})
        stage.start()
        stage.wait_until_owned(2)
        stage.wait_for(lambda: time.monotonic() > session_ends, 20, "its session would have ended")
        stage.wait_until_owned(2)
        assert {partition for _, partition in stage.behind()} == {0}
        released.touch()
        stage.wait_until_folded()
        for worker in stage.workers:
            worker.end()
        assert stage.faults() == []


def test_sigterm_ends_a_worker_in_order_with_its_offsets_committed(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    with make_stage(broker, namespace, tmp_path) as stage:
        worker = stage.start()
        stage.wait_until_owned(1)
        with stage.feeding(300):
            stage.wait_for(lambda: len(worker.openings()) == 6, 20, "all ledgers are open")
            stage.wait_until_all_have_moved(stage.committed_steps(), 20)
            assert worker.end() == 0
        steps = {at: stage.lab.commits(at)[-1]["inputs"]["raw"][1] for at in range(6)}
        offsets = stage.group_offsets()
        assert {at: offsets[stage.lab.name(RAW), at] for at in range(6)} == steps


def test_what_kills_the_worker_is_left_out_and_all_others_go_on(
    broker: RunningBroker, namespace: str, tmp_path: Path
) -> None:
    """As the supervisor would, start it again until it lives."""
    with make_stage(broker, namespace, tmp_path, partitions=2) as stage:
        stage.feed(200)
        stage.lab.feed(RAW, [(b"killer", b"kill")])
        stage.feed(200)
        deaths = 0
        while not stage.is_folded() and deaths < 10:
            worker = stage.start()
            stage.wait_for(
                lambda: stage.workers[-1].process.poll() is not None or stage.is_folded(),
                60,
                "it dies or folds all",
            )
            deaths += worker.process.poll() is not None
        assert 4 <= deaths <= 6
        worker.end()
        left_out = [entry for commit in stage.lab.commits(0) for entry in commit["left_out"]]
        assert [reason for _, _, reason, _ in left_out] == ["killed"]
        assert stage.faults() == []
