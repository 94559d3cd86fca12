"""Topics are made once, and every difference is one line that says what to do."""

from typing import Any

import pytest

from runtime.kafka import connected_admin
from runtime.topics import (
    TopicSpec,
    TopicsWrongError,
    check_topics,
    create_topics,
    require_topics,
)

pytestmark = pytest.mark.broker

COMPACTED = {"cleanup.policy": "compact"}


def test_topics_are_made_as_specified_and_only_once(broker: Any, namespace: str) -> None:
    admin = connected_admin(broker.bootstrap)
    specs = [TopicSpec(f"{namespace}.{name}", 4, config=COMPACTED) for name in ("a", "b")]
    assert sorted(create_topics(admin, specs)) == [f"{namespace}.a", f"{namespace}.b"]
    assert create_topics(admin, specs) == []
    assert check_topics(admin, specs) == []


def test_each_difference_is_a_line_of_its_own(broker: Any, namespace: str) -> None:
    admin = connected_admin(broker.bootstrap)
    create_topics(admin, [TopicSpec(namespace, 3)])
    wanted = [TopicSpec(namespace, 4, 2, COMPACTED), TopicSpec(f"{namespace}.missing", 1)]
    lines = check_topics(admin, wanted)
    assert lines == [
        f"topic {namespace}.missing does not exist: create it with `orderloom topics`",
        f"topic {namespace} has 3 partitions, not 4: set partitions to what the topics have; "
        "their number never changes once they hold records",
        f"topic {namespace} is kept 1 times, not 2: add replicas with "
        "kafka-reassign-partitions.sh, or set kafka.replication",
        f"topic {namespace} has cleanup.policy=delete, not compact: kafka-configs.sh --alter "
        f"--topic {namespace} --add-config cleanup.policy=compact",
    ]
    with pytest.raises(TopicsWrongError, match="does not exist") as caught:
        require_topics(admin, wanted)
    assert list(caught.value.lines) == lines


def test_topics_that_are_simply_not_made_yet_are_one_line(broker: Any, namespace: str) -> None:
    wanted = [TopicSpec(f"{namespace}.{name}", 1) for name in ("first", "second", "last")]
    assert check_topics(connected_admin(broker.bootstrap), wanted) == [
        f"none of the 3 topics exists ({namespace}.first to {namespace}.last): "
        "create them with `orderloom topics`"
    ]
