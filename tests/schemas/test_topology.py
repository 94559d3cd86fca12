"""The map of topics: names, writers, how each is kept, and where an account lies."""

import pytest

from orderloom import topology
from orderloom.topology import DAY_MS, HOUR_MS, INPUTS, OUTPUTS, TOPICS, Topic, murmur2_partition

EXPLICIT_NS = "prod."

# How long each topic is kept: days, None for ever, or "compacted".
KEPT = {
    "raw": 90, "intents": None, "control": None, "dispatches": 7, "commands": 7, "answers": 90,
    "claims": 90,
    "ledger": "compacted", "commits": 90, "orders": "compacted", "fills": 365,
    "positions": "compacted", "accounts": "compacted", "instruments": "compacted",
    "differences": 90, "dead-letters": 90,
}  # fmt: skip
VIEWS = {"orders", "positions", "accounts"}
NEVER_IN_TRANSACTIONS = {"raw", "intents", "control", "claims"}

# org.apache.kafka.common.utils.UtilsTest, testMurmur2
MURMUR2 = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("text", "signed"), MURMUR2.items())
def test_murmur2_is_that_of_java(text: str, signed: int) -> None:
    assert topology._murmur2(text.encode()) == signed & 0xFFFFFFFF


@pytest.mark.parametrize(("text", "signed"), MURMUR2.items())
def test_the_partition_is_that_of_javas_default_partitioner(text: str, signed: int) -> None:
    for partitions in (1, 4, 12, 1000):
        assert murmur2_partition(text.encode(), partitions) == (signed & 0x7FFFFFFF) % partitions


def test_no_two_topics_have_one_name() -> None:
    assert len({topic.kind for topic in TOPICS}) == len(TOPICS)


def test_a_name_is_namespace_kind_and_venue() -> None:
    assert topology.RAW.name("binance") == "raw.binance"
    assert topology.DEAD_LETTERS.name("okx", EXPLICIT_NS) == "prod.dead-letters.okx"


def test_every_name_is_one_that_kafka_takes() -> None:
    for topic in TOPICS:
        name = topic.name("v" * 32, "n" * 60)
        assert len(name) <= 249
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_")


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.kind)
def test_every_topic_is_kept_as_the_design_has_it(topic: Topic) -> None:
    expected = KEPT[topic.kind]
    if expected == "compacted":
        assert topic.config["cleanup.policy"] == "compact"
        assert "retention.ms" not in topic.config
    else:
        assert topic.config["cleanup.policy"] == "delete"
        days = -1 if expected is None else int(str(expected)) * DAY_MS
        assert topic.config["retention.ms"] == str(days)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.kind)
def test_every_topic_has_the_brokers_append_time(topic: Topic) -> None:
    assert topic.config["message.timestamp.type"] == "LogAppendTime"


def test_views_keep_two_hours_uncompacted_and_tombstones_for_seven_days() -> None:
    spared = {t.kind for t in TOPICS if "min.compaction.lag.ms" in t.config}
    assert spared == VIEWS | {"ledger"}
    for topic in (topology.ORDERS, topology.POSITIONS, topology.ACCOUNTS):
        assert int(topic.config["min.compaction.lag.ms"]) == 2 * HOUR_MS
        assert int(topic.config["delete.retention.ms"]) == 7 * DAY_MS


def test_what_was_aborted_in_the_ledger_can_be_written_again_for_ten_minutes() -> None:
    """Its cleaner drops the records of aborted transactions (docs/decisions/0207)."""
    assert int(topology.LEDGER.config["min.compaction.lag.ms"]) == 10 * 60 * 1000


def test_inputs_are_never_written_in_transactions_and_all_else_of_the_processors_is() -> None:
    plain = {topic.kind for topic in TOPICS if not topic.transactional}
    assert plain == NEVER_IN_TRANSACTIONS
    assert all(topic.transactional for topic in TOPICS if "process" in topic.writers)


def test_a_step_folds_control_first_and_intents_last() -> None:
    assert [topic.kind for topic in INPUTS] == ["control", "claims", "raw", "intents"]


def test_outputs_are_what_consumers_read() -> None:
    assert {topic.kind for topic in OUTPUTS} == {
        "dispatches", "commands", "orders", "fills", "positions", "accounts", "instruments",
        "differences", "answers", "dead-letters",
    }  # fmt: skip


def test_raw_takes_frames_of_sixteen_mib() -> None:
    assert topology.RAW.config["max.message.bytes"] == str(16 * 1024 * 1024)


def test_the_table_of_writers_has_a_line_for_each_topic_and_one_writer_for_state() -> None:
    lines = topology.acl_table().splitlines()
    assert [line.split()[0] for line in lines] == [topic.kind for topic in TOPICS]
    assert "ledger         process" in lines
    assert "raw            ingest" in lines
