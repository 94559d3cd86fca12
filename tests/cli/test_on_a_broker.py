"""`topics`, the views and `doctor` on a real broker, as a person runs them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from cli.checks import check_accounts
from cli.findings import Mark
from cli.hangs import check_hangs
from cli.registry import specs_of, write_registry
from orderloom.account import AccountConfig
from orderloom.control import Registration
from orderloom.topology import ACCOUNTS, CONTROL, ORDERS, TOPICS
from runtime.control import held_registry
from runtime.kafka import (
    cluster_id,
    connected_admin,
    end_offsets,
    idempotent_producer,
    transactional_producer,
)
from runtime.settings import load_settings
from runtime.topics import TopicSpec, create_topics
from runtime.trouble import SetupError
from tests.cli.test_main import orderloom
from tests.conftest import RunningBroker
from tests.processors.partition_lab import Run, a_partition, a_record
from tests.sinks.records import Content, a_fill, a_position, an_order, content_of, tombstone

VENUE = "binance"
ACCOUNT = "binance:main"


@dataclass
class House:
    """A directory with settings and registry, on a broker."""

    directory: Path
    bootstrap: str
    namespace: str

    def set_up(self, *partitions: int) -> None:
        (self.directory / "orderloom.toml").write_text(
            f'namespace = "{self.namespace}"\npartitions = 2\n'
            f'[kafka]\nbootstrap = "{self.bootstrap}"\n'
        )
        names = ["main", *(f"n{number}" for number in range(1, len(partitions)))]
        (self.directory / "accounts.toml").write_text(
            "".join(
                f'[[accounts]]\nid = "binance:{name}"\nproducts = ["spot"]\nkey = "env:NONE"\n'
                f"partition = {partition}\n"
                for name, partition in zip(names, partitions, strict=True)
            )
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return orderloom(*arguments, directory=self.directory)

    def make_topics(self) -> None:
        """As `orderloom topics` does, without its process."""
        settings = load_settings(self.directory / "orderloom.toml")
        create_topics(connected_admin(self.bootstrap), specs_of(settings, VENUE))

    def registered(self) -> int:
        """How many entries stand in `control`, beside what tells where accounts lie."""
        admin, name = connected_admin(self.bootstrap), CONTROL.name(VENUE, self.namespace)
        settings = load_settings(self.directory / "orderloom.toml")
        elsewhere = held_registry(settings, name, VENUE).elsewhere
        return sum(end_offsets(admin, [(name, 0), (name, 1)]).values()) - sum(
            map(len, elsewhere.values())
        )

    def spoil_control(self, partition: int, *values: bytes | None) -> None:
        """Write these into `control`, under a key of nobody."""
        producer = idempotent_producer(self.bootstrap)
        for value in values:
            producer.produce(CONTROL.name(VENUE, self.namespace), value, b"\xff", partition)
        assert producer.flush(10) == 0

    def publish(self, *contents: Content) -> None:
        producer = transactional_producer(self.bootstrap, f"{self.namespace}writer")
        producer.init_transactions(30)
        producer.begin_transaction()
        for topic, key, value, headers in contents:
            name = topic.name(VENUE, self.namespace)
            producer.produce(name, value, key, 0, headers={**dict(headers)})
        producer.commit_transaction(30)


@pytest.fixture
def house(broker: RunningBroker, namespace: str, tmp_path: Path) -> House:
    made = House(tmp_path, broker.bootstrap, namespace)
    made.set_up(0, 1)
    return made


@pytest.mark.broker
def test_topics_are_made_once_and_the_registry_is_written_when_it_changed(house: House) -> None:
    first = house.run("topics")
    assert first.returncode == 0, first.stderr
    assert f"{len(TOPICS)} topics are right, {len(TOPICS)} of them made now" in first.stdout
    assert house.registered() == 2
    again = house.run("topics")
    assert "0 of them made now" in again.stdout
    assert house.registered() == 2
    registry = house.directory / "accounts.toml"
    registry.write_text(registry.read_text().replace('key = "env:NONE"', 'key = "env:NEW"', 1))
    assert "registered binance:main" in house.run("topics").stdout
    assert house.registered() == 3


GARBAGE = (
    os.urandom(50), None, b"", b"null", b"7", b"[1]", b'{"type": "kill"}', b'{"type": "account"}',
    b'{"type":"account","config":{"id":["x"]}}', b'{"v":99,"type":"account","config":7}',
    b"[" * 100_000, b'{"type":"' + b"x" * 900_000 + b'"}',
)  # fmt: skip


@pytest.mark.broker
def test_garbage_in_control_is_named_and_stops_neither_topics_nor_doctor(house: House) -> None:
    house.make_topics()
    house.spoil_control(1, *GARBAGE)
    name = CONTROL.name(VENUE, house.namespace)
    first = house.run("topics")
    assert first.returncode == 0, first.stderr
    assert "registered binance:main" in first.stdout
    assert "Traceback" not in first.stderr
    for offset in range(len(GARBAGE)):
        assert f"{name} partition 1 offset {offset} is passed: " in first.stderr
    assert "who may write there: `orderloom topics --acl`" in first.stderr
    found = house.run("doctor")
    assert "Traceback" not in found.stderr
    assert f"{name} partition 1 offset 0 is passed: " in found.stdout
    assert "the processors know it as it is" in found.stdout
    assert "registered" not in house.run("topics").stdout


@pytest.mark.broker
def test_much_garbage_is_counted_and_not_printed_line_by_line(house: House) -> None:
    house.make_topics()
    house.spoil_control(0, *(b"x" for _ in range(500)))
    passed = house.run("topics").stderr.splitlines()
    assert len(passed) == 21
    assert "480 more records are passed" in passed[-1]


@pytest.mark.broker
def test_an_account_with_entries_in_two_partitions_lies_where_the_first_is(house: House) -> None:
    assert house.run("topics").returncode == 0
    name = CONTROL.name(VENUE, house.namespace)
    entry = AccountConfig(id=ACCOUNT, products=("spot",), key="env:EVIL")
    producer = idempotent_producer(house.bootstrap)
    producer.produce(name, Registration(entry).encoded(), ACCOUNT.encode(), 1)
    assert producer.flush(10) == 0
    settings = load_settings(house.directory / "orderloom.toml")
    held = held_registry(settings, name, VENUE)
    assert held.accounts[ACCOUNT].partition == 0
    assert held.accounts[ACCOUNT].config.key == "env:NONE"
    assert held.passed == [f"account {ACCOUNT} lies in partition 0: its entry in 1 is passed"]
    assert f"WRONG registry  {held.passed[0]}" in " ".join(house.run("doctor").stdout.split(" "))


@pytest.mark.broker
def test_every_partition_has_a_record_of_where_an_account_lies(house: House) -> None:
    assert house.run("topics").returncode == 0
    settings = load_settings(house.directory / "orderloom.toml")
    held = held_registry(settings, CONTROL.name(VENUE, house.namespace), VENUE)
    assert held.elsewhere == {ACCOUNT: {1: 0}, "binance:n1": {0: 1}}


@pytest.mark.broker
def test_an_account_never_moves_to_another_partition(house: House) -> None:
    assert house.run("topics").returncode == 0
    house.set_up(1, 1)
    moved = house.run("topics")
    assert moved.returncode == 78
    assert "account binance:main lies in partition 0, the registry now says 1" in moved.stderr
    assert house.registered() == 2


@pytest.mark.broker
def test_an_account_never_moves_to_another_environment(house: House) -> None:
    assert house.run("topics").returncode == 0
    registry = house.directory / "accounts.toml"
    moved = registry.read_text().replace("[[accounts]]", '[[accounts]]\nenvironment = "demo"')
    registry.write_text(moved)
    refused = house.run("topics")
    assert refused.returncode == 78
    assert "account binance:main is of production, the registry now says demo" in refused.stderr
    assert house.registered() == 2


@pytest.mark.broker
def test_topics_of_another_partition_count_are_named(house: House) -> None:
    assert house.run("topics").returncode == 0
    settings = house.directory / "orderloom.toml"
    settings.write_text(settings.read_text().replace("partitions = 2", "partitions = 3"))
    answer = house.run("topics")
    assert answer.returncode == 78
    assert "has 2 partitions, not 3" in answer.stderr


@pytest.mark.broker
def test_an_entry_of_control_is_what_the_fold_reads(house: House) -> None:
    house.make_topics()
    settings = load_settings(house.directory / "orderloom.toml")
    account = AccountConfig(id=ACCOUNT, products=("spot",), key="env:OTHER", partition=0)
    assert [news.account for news in write_registry(settings, VENUE, [account])] == [ACCOUNT]
    assert write_registry(settings, VENUE, [account]) == []
    with pytest.raises(SetupError, match="lies in partition 0"):
        write_registry(settings, VENUE, [account.model_copy(update={"partition": 1})])


@pytest.mark.broker
def test_an_entry_that_kafka_does_not_take_is_not_reported_as_written(house: House) -> None:
    settings = load_settings(house.directory / "orderloom.toml")
    name = CONTROL.name(VENUE, house.namespace)
    tiny = TopicSpec(name, 2, 1, CONTROL.config | {"max.message.bytes": "100"})
    create_topics(connected_admin(house.bootstrap), [tiny])
    account = AccountConfig(id=ACCOUNT, products=("spot",), key="env:OTHER", partition=0)
    with pytest.raises(SetupError, match=rf"{name} does not take binance:main \(.*size.*orderloom"):
        write_registry(settings, VENUE, [account])
    assert house.registered() == 0


@pytest.mark.broker
def test_an_account_that_is_registered_no_more_is_published_once_and_may_come_back(
    house: House,
) -> None:
    assert house.run("topics").returncode == 0
    house.set_up(0)
    noted = house.run("doctor")
    assert "do not know yet: binance:n1 removed; run `orderloom topics`" in noted.stdout
    assert "binance: removed binance:n1" in house.run("topics").stdout
    assert "removed" not in house.run("topics").stdout
    assert house.registered() == 3
    assert "the processors know it as it is" in house.run("doctor").stdout
    house.set_up(0, 0)
    moved = house.run("topics")
    assert moved.returncode == 78
    assert "account binance:n1 lies in partition 1" in moved.stderr
    house.set_up(0, 1)
    assert "binance: registered binance:n1" in house.run("topics").stdout


@pytest.mark.broker
def test_the_partition_reads_what_the_registry_writes(house: House) -> None:
    house.make_topics()
    settings = load_settings(house.directory / "orderloom.toml")
    account = AccountConfig(id=ACCOUNT, products=("spot",), key="env:OTHER", partition=0)
    disabled = account.model_copy(update={"enabled": False})
    run, words = Run(a_partition()), []
    for accounts in ([account], [disabled], [], [disabled], [account]):
        (news,) = write_registry(settings, VENUE, accounts)
        run.step(a_record(news.entry, topic=CONTROL))
        words.append(news.word)
    assert words == ["registered", "disabled", "removed", "disabled", "registered"]
    shown = [(one.enabled, one.removed) for one in run.messages(ACCOUNTS)]
    assert shown == [
        (True, False), (False, False), (False, True), (False, False), (True, False),
    ]  # fmt: skip


@pytest.mark.broker
def test_a_venue_without_any_account_left_is_not_forgotten(house: House) -> None:
    assert house.run("topics").returncode == 0
    registry = house.directory / "accounts.toml"
    registry.write_text(registry.read_text().replace("binance:", "okx:"))
    printed = house.run("topics").stdout
    assert "binance: removed binance:main" in printed
    assert "okx: registered okx:main" in printed


@pytest.mark.broker
def test_views_show_the_newest_state_of_each_key(house: House) -> None:
    house.make_topics()
    key = f"{ACCOUNT}/spot/SOL/1"
    house.publish(
        content_of(an_order(key, account=ACCOUNT)),
        content_of(an_order(key, account=ACCOUNT, sequence=2, version=2)),
        content_of(an_order("gone", account=ACCOUNT, sequence=3)),
        tombstone("gone", account=ACCOUNT, sequence=4),
        content_of(a_fill(account=ACCOUNT)),
        content_of(a_position(account=ACCOUNT)),
    )
    orders = house.run("orders", "--json")
    assert orders.returncode == 0, orders.stderr
    [order] = [json.loads(line) for line in orders.stdout.splitlines()]
    assert (order["key"], order["version"]) == (key, 2)
    assert json.loads(house.run("fills", "--json").stdout)["price"] == "150.10"
    assert "[0, 4]" in house.run("positions").stdout
    strange = house.run("fills", "--json", "--account", "binance:other")
    assert strange.stdout == ""
    assert "no account binance:other is registered, nor has it fills" in strange.stderr
    assert "registered are: binance:main, binance:n1" in strange.stderr
    assert "binance:n1 has no orders yet" in house.run("orders", "--account", "binance:n1").stderr
    assert house.run("orders", "--account", ACCOUNT).stderr == ""


@pytest.mark.broker
def test_a_view_follows_live_until_it_is_told_to_stop(house: House) -> None:
    house.make_topics()
    house.publish(content_of(a_fill("spot/SOL/e1/1", account=ACCOUNT)))
    command = [sys.executable, "-m", "cli.main", "fills", "--json", "--follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=house.directory) as child:
        assert child.stdout is not None
        assert orjson.loads(child.stdout.readline())["exec_id"] == "e1"
        house.publish(content_of(a_fill("spot/SOL/e2/1", account=ACCOUNT, sequence=2)))
        assert orjson.loads(child.stdout.readline())["exec_id"] == "e2"
        child.terminate()


@pytest.mark.broker
def test_a_broker_of_ones_own_says_where_it_is_and_ends_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli.main", "broker", "--port", "0", "--data", "kafka"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, text=True) as child:
        assert child.stdout is not None
        line = next(line for line in child.stdout if line.startswith("Kafka answers"))
        bootstrap = line.split()[3].rstrip(";")
        assert cluster_id(connected_admin(bootstrap))
        child.terminate()
        assert child.wait(60) == 0


@pytest.mark.broker
def test_a_view_without_its_topic_says_what_to_do(house: House) -> None:
    answer = house.run("orders")
    assert answer.returncode == 78
    assert "create them with `orderloom topics`" in answer.stderr


@pytest.mark.broker
def test_doctor_shows_each_part_and_what_is_wrong(house: House) -> None:
    missing = house.run("doctor")
    assert missing.returncode == 1
    assert f"none of the {len(TOPICS)} topics exists" in missing.stdout
    assert missing.stdout.count("WRONG") == 1
    assert house.run("topics").returncode == 0
    well = house.run("doctor")
    assert well.returncode == 0, well.stdout
    parts = [line[6:].split()[0] for line in well.stdout.splitlines()]
    parts_of_a_venue = ["topics", "registry", "lag", "lag", "account", "account", "clock"]
    assert parts == ["settings", "accounts", "key", "key", "broker", *parts_of_a_venue]
    assert "binance:n1: nobody has folded it yet" in well.stdout
    assert "start one with `orderloom process binance`" in well.stdout


@pytest.mark.broker
def test_doctor_shows_where_a_transaction_hangs(house: House) -> None:
    """A transaction that stays open for minutes looks the same to those who read."""
    house.make_topics()
    name = ORDERS.name(VENUE, house.namespace)
    settings = load_settings(house.directory / "orderloom.toml")
    admin = connected_admin(house.bootstrap)
    longest = {"transaction.timeout.ms": 120_000}
    producer = transactional_producer(house.bootstrap, house.namespace, settings=longest)
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(name, b"{}", b"key", 1)
    assert producer.flush(30) == 0
    (found,) = check_hangs(admin, settings, VENUE, patience_seconds=1.0)
    assert found.mark is Mark.WRONG
    assert f"{name} partition 1: readers stand at 0, a transaction hangs" in found.line
    producer.commit_transaction(30)
    assert list(check_hangs(admin, settings, VENUE)) == []


def test_doctor_names_accounts_that_share_a_partition_while_others_are_empty() -> None:
    def an_account(name: str, partition: int) -> AccountConfig:
        return AccountConfig(id=f"binance:{name}", products=(), key="env:X", partition=partition)

    crowded = [an_account("a", 1), an_account("b", 1), an_account("c", 2)]
    notes = [finding for finding in check_accounts(crowded, 4) if finding.mark is Mark.NOTE]
    assert [note.line for note in notes] == [
        "binance:a, binance:b share partition 1 while 2 are empty: "
        "write partition = N before they trade"
    ]
    spread = [an_account("a", 0), an_account("b", 1), an_account("c", 1)]
    assert {finding.mark for finding in check_accounts(spread, 2)} == {Mark.WELL}


def test_doctor_counts_partitions_by_venue() -> None:
    accounts = [
        AccountConfig(id=f"{venue}:{number}", products=(), key="env:X", partition=number)
        for venue in ("binance", "okx")
        for number in range(4 if venue == "binance" else 3)
    ]
    assert [finding.line for finding in check_accounts(accounts, 4)] == [
        "binance: 4 enabled, in 4 of 4 partitions",
        "okx: 3 enabled, in 3 of 4 partitions",
    ]
    [none] = check_accounts([], 4)
    assert (none.mark, none.line) == (Mark.NOTE, "none is enabled")
