"""Topics made and checked against a plain list of what they must be."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AdminClient,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    TopicDescription,
)

from runtime.trouble import SetupError

ASK_SECONDS_MAX: Final = 30.0
MAKE_COMMAND: Final = "orderloom topics"
SAFE_REPLICATION: Final = 3


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What one topic must be; `config` holds the Kafka settings that matter."""

    name: str
    partitions: int
    replication: int = 1
    config: dict[str, str] = field(default_factory=dict)


def safe_config(replication: int) -> dict[str, str]:
    """What keeps an acknowledged record: a stale replica never leads.

    From three replicas on, a write counts once two have it.
    """
    safe = {"unclean.leader.election.enable": "false"}
    if replication >= SAFE_REPLICATION:
        safe["min.insync.replicas"] = "2"
    return safe


class TopicsWrongError(SetupError):
    """Topics are missing, or are not what they must be; `lines` says each, with what to do."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("topics are not as they must be", "\n  ".join(lines))
        self.lines = tuple(lines)


def create_topics(admin: AdminClient, specs: Iterable[TopicSpec]) -> list[str]:
    """Make the topics that do not exist, wait until they can be used, and return their names.

    Those that exist are left as they are (see `check_topics`). Raises KafkaException.
    """
    wanted = list(specs)
    new = [_new_topic(spec) for spec in wanted]
    futures = admin.create_topics(new, operation_timeout=ASK_SECONDS_MAX) if new else {}
    created = []
    for name, future in futures.items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        else:
            created.append(name)
    _wait_for(admin, created)
    return created


def check_topics(admin: AdminClient, specs: Iterable[TopicSpec]) -> list[str]:
    """One line for each difference, with what to do; no lines if all is well. One if none is made.

    Raises KafkaException where the cluster does not answer.
    """
    wanted = {spec.name: spec for spec in specs}
    found = _described(admin, list(wanted))
    # The first time, most likely: one line instead of one for each.
    if len(wanted) > 1 and not found:
        return [_none_made(list(wanted))]
    lines = [_missing(name) for name in wanted if name not in found]
    for name, description in found.items():
        lines += _layout_lines(wanted[name], description)
    for name, config in _configs(admin, list(found)).items():
        lines += _config_lines(wanted[name], config)
    return lines


def require_topics(admin: AdminClient, specs: Iterable[TopicSpec]) -> None:
    """Raise TopicsWrongError unless every topic is as it must be."""
    if lines := check_topics(admin, specs):
        raise TopicsWrongError(lines)


def _new_topic(spec: TopicSpec) -> NewTopic:
    return NewTopic(spec.name, spec.partitions, spec.replication, config=dict(spec.config))


def _wait_for(admin: AdminClient, names: list[str]) -> None:
    """The controller has made them; the brokers hear of it a moment later."""
    give_up = time.monotonic() + ASK_SECONDS_MAX
    while len(_described(admin, names)) < len(names) and time.monotonic() < give_up:
        time.sleep(0.02)


def _described(admin: AdminClient, names: list[str]) -> dict[str, TopicDescription]:
    """The topics that exist."""
    if not names:
        return {}
    futures = admin.describe_topics(TopicCollection(names), request_timeout=ASK_SECONDS_MAX)
    found = {}
    for name, future in futures.items():
        try:
            found[name] = future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
    return found


def _configs(admin: AdminClient, names: list[str]) -> dict[str, dict[str, ConfigEntry]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    futures = admin.describe_configs(resources, request_timeout=ASK_SECONDS_MAX)
    return {resource.name: future.result() for resource, future in futures.items()}


def _missing(name: str) -> str:
    return f"topic {name} does not exist: create it with `{MAKE_COMMAND}`"


def _none_made(names: list[str]) -> str:
    return (
        f"none of the {len(names)} topics exists ({names[0]} to {names[-1]}): "
        f"create them with `{MAKE_COMMAND}`"
    )


def _layout_lines(spec: TopicSpec, description: TopicDescription) -> list[str]:
    lines = []
    partitions = len(description.partitions)
    if partitions != spec.partitions:
        lines.append(
            f"topic {spec.name} has {partitions} partitions, not {spec.partitions}: set partitions "
            "to what the topics have; their number never changes once they hold records"
        )
    # The worst of them: what is kept once is lost with its broker.
    replicas = min(len(partition.replicas) for partition in description.partitions)
    if replicas < spec.replication:
        lines.append(
            f"topic {spec.name} is kept {replicas} times, not {spec.replication}: add replicas "
            "with kafka-reassign-partitions.sh, or set kafka.replication"
        )
    return lines


def _config_lines(spec: TopicSpec, config: dict[str, ConfigEntry]) -> list[str]:
    lines = []
    for key, wanted in sorted(spec.config.items()):
        entry = config.get(key)
        held = entry.value if entry is not None else None
        if held != wanted:
            lines.append(
                f"topic {spec.name} has {key}={held}, not {wanted}: kafka-configs.sh --alter "
                f"--topic {spec.name} --add-config {key}={wanted}"
            )
    return lines
