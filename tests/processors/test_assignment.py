"""What Faust's leader gives to the members of the group, whatever it knows of the cluster."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka.cluster import ClusterMetadata

from orderloom.topology import INPUTS
from processors.app import InputAssignor, make_app
from processors.ledger.settings import LedgerSettings

PARTITIONS = 4
SETTINGS = LedgerSettings("127.0.0.1:9092", "toy", "t.")
TOPICS = {topic.name("toy", "t.") for topic in INPUTS}


def given(app: Any, members: int) -> list[set[tuple[str, int]]]:
    """What each of so many members gets of a leader that knows no topic."""
    asked = {f"member-{number}": app.assignor.metadata(TOPICS) for number in range(members)}
    answers = app.assignor.assign(ClusterMetadata(), asked)
    return [{tuple(place) for place in answers[member].partitions()} for member in sorted(asked)]


@pytest.mark.parametrize("members", [1, 2, 3, 4])
async def test_all_is_assigned_in_step_where_the_leader_knows_no_topic_yet(
    tmp_path: Path, members: int
) -> None:
    owned = given(make_app(SETTINGS, PARTITIONS, str(tmp_path)), members)
    every = {(topic, partition) for topic in TOPICS for partition in range(PARTITIONS)}
    assert sorted(place for places in owned for place in places) == sorted(every)
    for places in owned:
        assert places
        assert places == {(topic, partition) for topic in TOPICS for _, partition in places}


async def test_faust_unset_would_give_nobody_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(InputAssignor, "_get_copartitioned_groups")
    assert given(make_app(SETTINGS, PARTITIONS, str(tmp_path)), 2) == [set(), set()]
