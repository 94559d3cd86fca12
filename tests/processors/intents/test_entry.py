"""What somebody wants is read or named, and is no evidence of any account."""

import pytest

from orderloom import topology
from tests.processors.partition_lab import NOW, Run, a_partition, a_record, a_registration


@pytest.mark.parametrize("topic", [topology.INTENTS, topology.CLAIMS], ids=lambda one: one.kind)
def test_what_no_version_of_ours_reads_is_a_dead_letter(topic: topology.Topic) -> None:
    run = Run(a_partition())
    run.step(a_record(b"{}", topic=topic))
    (letter,) = run.messages(topology.DEAD_LETTERS)
    assert letter.reason.startswith(f"{topic.kind}: ")


@pytest.mark.parametrize("topic", [topology.INTENTS, topology.CLAIMS], ids=lambda one: one.kind)
def test_what_somebody_wants_sets_no_account_apart(topic: topology.Topic) -> None:
    run = Run(a_partition())
    run.step(a_record(a_registration(), topic=topology.CONTROL))
    run.partition.leave_out(a_record(b"x", topic=topic), "AssertionError", "trace", NOW)
    assert not list(run.partition.quarantined())
