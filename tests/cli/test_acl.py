"""The commands of `topics --acl`: with them all work, and nobody writes what is not his."""

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from cli.acl import ROLES, commands
from orderloom.raw import OwnerChange, decode
from orderloom.topology import COMMITS, CONTROL, DISPATCHES, INTENTS, LEDGER, ORDERS, RAW, Topic
from processors.ledger.settings import LedgerSettings
from runtime.kafka import connected_admin, reader
from runtime.leash import leashed, module_command
from tests.cli.test_main import orderloom
from tests.runtime.secured_broker import SecuredBroker, a_secured_broker
from tests.waits import wait_for

VENUE, NAMESPACE, SECONDS_MAX = "binance", "acl.", 60
OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}
REFUSED = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError._UNKNOWN_PARTITION}
KINDS = {
    "--topic": ResourceType.TOPIC,
    "--group": ResourceType.GROUP,
    "--transactional-id": ResourceType.TRANSACTIONAL_ID,
}


def bindings(command: str) -> Iterator[AclBinding]:
    """What `kafka-acls.sh` makes of one line."""
    words = shlex.split(command)
    options = list(zip(words, [*words[1:], ""], strict=True))
    [principal] = [value for name, value in options if name == "--allow-principal"]
    [(kind, name)] = [(KINDS[name], value) for name, value in options if name in KINDS]
    assert words[-2:] == ["--resource-pattern-type", "prefixed"]
    for option, operation in options:
        if option == "--operation":
            yield AclBinding(
                kind, name, ResourcePatternType.PREFIXED, principal, "*",
                OPERATIONS[operation], AclPermissionType.ALLOW,
            )  # fmt: skip


@dataclass(frozen=True)
class House:
    """A cluster that enforces the commands, and its topics, made by the one who may."""

    broker: SecuredBroker
    directory: Path

    def settings_of(self, user: str) -> Path:
        directory = self.directory / user
        directory.mkdir(exist_ok=True)
        rows = "".join(f'"{k}" = "{v}"\n' for k, v in self.broker.security(user).items())
        (directory / "accounts.toml").write_text(
            '[[accounts]]\nid = "binance:main"\nproducts = ["spot"]\nkey = "env:NONE"\n'
        )
        (directory / "orderloom.toml").write_text(
            f'namespace = "{NAMESPACE}"\npartitions = 1\n'
            f'[kafka]\nbootstrap = "{self.broker.secured}"\n[kafka.security]\n{rows}'
        )
        return directory

    def last_words(self) -> str:
        """What the workers logged last."""
        logs = (self.directory / f"{user}.log" for user in ROLES[:2])
        return "\n".join(log.read_text()[-3000:] for log in logs)

    def may_write(self, user: str, topic: Topic) -> bool:
        errors: list[KafkaError | None] = []
        security = self.broker.security(user)
        producer = Producer({"bootstrap.servers": self.broker.secured, **security})
        name = topic.name(VENUE, NAMESPACE)
        producer.produce(name, b"", b"k", 0, on_delivery=lambda error, _: errors.append(error))
        assert producer.flush(20) == 0
        [error] = errors
        assert error is None or error.code() in REFUSED
        return error is None

    def values(self, topic: Topic) -> list[bytes]:
        """All that stands in a topic, as the superuser sees it."""
        consumer = reader(self.broker.plain, committed=True)
        consumer.assign([TopicPartition(topic.name(VENUE, NAMESPACE), 0, 0)])
        values: list[bytes] = []
        try:
            while (message := consumer.poll(5)) is not None and message.error() is None:
                values.append(message.value() or b"")
        finally:
            consumer.close()
        return values


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("acl")
    with a_secured_broker(directory / "kafka", (*ROLES, "stranger"), has_acls=True) as broker:
        admin = connected_admin(broker.plain)
        rules = [binding for line in commands(NAMESPACE) for binding in bindings(line)]
        for made in admin.create_acls(rules).values():
            made.result(20)
        made_house = House(broker, directory)
        ended = orderloom("topics", directory=made_house.settings_of("topics"))
        assert ended.returncode == 0, ended.stderr
        assert "binance: registered binance:main" in ended.stdout
        yield made_house


@pytest.mark.broker
def test_the_workers_work_with_these_rights_and_no_others(house: House) -> None:
    processes = [
        start(house, "ingest", "ingest", VENUE, "--once", "--member", "w1"),
        start(house, "process", "process", VENUE, "--once"),
    ]
    try:
        wait_for(
            lambda: any(is_announced(value) for value in house.values(RAW)),
            SECONDS_MAX,
            house.last_words,
        )
        wait_for(lambda: bool(house.values(COMMITS)), SECONDS_MAX, house.last_words)
        wait_for(lambda: bool(house.values(DISPATCHES)), SECONDS_MAX, house.last_words)
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        statuses = [process.wait(30) for process in processes]
    assert statuses == [0, 0], (house.directory / "process.log").read_text()[-2000:]
    shown = orderloom("accounts", "--json", directory=house.settings_of("strategy"))
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout.splitlines()[0])["account"] == "binance:main"


@pytest.mark.broker
@pytest.mark.parametrize(
    ("user", "topics"),
    [
        ("ingest", [RAW]),
        ("process", [DISPATCHES, LEDGER, COMMITS, ORDERS]),
        ("topics", [CONTROL]),
        ("strategy", [INTENTS]),
        ("sink", []),
        ("stranger", []),
    ],
)
def test_nobody_writes_what_is_not_his(house: House, user: str, topics: list[Topic]) -> None:
    every = (RAW, CONTROL, INTENTS, DISPATCHES, LEDGER, COMMITS, ORDERS)
    assert [topic for topic in every if house.may_write(user, topic)] == topics


def start(house: House, user: str, *arguments: str) -> "subprocess.Popen[bytes]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ORDERLOOM_")}
    with (house.directory / f"{user}.log").open("ab") as log:
        return subprocess.Popen(
            leashed(module_command("cli.main", *arguments)),
            cwd=house.settings_of(user),
            env=environment,
            stdout=log,
            stderr=log,
        )


def is_announced(value: bytes) -> bool:
    return bool(value) and any(isinstance(item, OwnerChange) for item in decode(value).items)


def test_groups_and_transactions_are_those_that_the_workers_use() -> None:
    settings = LedgerSettings("x:1", VENUE, NAMESPACE)
    text = "\n".join(commands(NAMESPACE))
    [group] = [word for word in text.split() if settings.group.startswith(word) and "." in word]
    assert group == f"{NAMESPACE}orderloom-process."
    assert f"--transactional-id {NAMESPACE}orderloom-ledger." in text
    assert settings.transactional_id(3).startswith(f"{NAMESPACE}orderloom-ledger.")


def test_the_commands_are_printed_for_the_namespace_that_is_set(tmp_path: Path) -> None:
    (tmp_path / "orderloom.toml").write_text('namespace = "prod."\n')
    lines = orderloom("topics", "--acl", directory=tmp_path).stdout.splitlines()
    assert any("User:ingest --operation Write" in line and "prod.raw." in line for line in lines)
    assert all("--topic raw." not in line for line in lines)
