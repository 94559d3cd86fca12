"""Who may write and read what, and the commands that make a cluster enforce it.

Admission (processors/admission.py) holds records against one another; who may write at all only
the cluster can say. The principals are named after what they run: give each process its own.
"""

import shlex
from collections.abc import Iterable, Iterator
from typing import Final

from orderloom.topology import (
    CLAIMS,
    COMMANDS,
    CONTROL,
    DISPATCHES,
    OUTPUTS,
    RAW,
    TOPICS,
    Topic,
    acl_table,
)
from runtime.settings import load_settings

INGEST, PROCESS, TOPICS_ROLE, SINK, STRATEGY = ROLES = (
    "ingest", "process", "topics", "sink", "strategy",
)  # fmt: skip
READS: Final[dict[str, tuple[Topic, ...]]] = {
    INGEST: (DISPATCHES, COMMANDS, CLAIMS, CONTROL),
    PROCESS: TOPICS,  # a repair reads its own outputs too
    TOPICS_ROLE: (CONTROL,),
    SINK: OUTPUTS,
    STRATEGY: OUTPUTS,
}
"""Views (`orderloom orders`, risk engines) read as a strategy does; give them no Write."""
GROUPS: Final = {INGEST: "ingest.", PROCESS: "orderloom-process."}
READER_GROUP: Final = "orderloom-reader"
"""Named by every reader that is in no group (runtime/kafka.py)."""
TRANSACTIONS: Final = {PROCESS: "orderloom-ledger."}
CHECKED: Final[dict[str, tuple[Topic, ...]]] = {
    INGEST: (RAW, DISPATCHES, COMMANDS, CLAIMS, CONTROL),
    PROCESS: TOPICS,
}
"""Whose settings a worker looks at before it begins."""
_MAKING: Final = ("Create", "Describe", "DescribeConfigs")
COMMAND: Final = 'kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN" --add'
HEAD: Final = """
# The cluster enforces it with these: an authorizer is set (authorizer.class.name), and nobody is
# let in where no rule stands (allow.everyone.if.no.acl.found=false, Kafka's default). $BOOTSTRAP
# is the cluster, $ADMIN the properties of one who may alter it; a User is named for what it runs.\
"""


def show() -> Iterator[str]:
    """The table, and the commands for the namespace that is set. Raises SettingsError."""
    yield acl_table()
    yield HEAD
    yield from commands(load_settings().namespace)


def commands(namespace: str) -> Iterator[str]:
    """One command a line."""
    for role in ROLES:
        for topic in TOPICS:
            allowed = {
                name: None
                for name, is_allowed in (
                    ("Write", role in topic.writers),
                    ("Read", topic in READS[role]),
                    ("DescribeConfigs", topic in CHECKED.get(role, ())),
                    *((name, role == TOPICS_ROLE) for name in _MAKING),
                )
                if is_allowed
            }
            if allowed:
                yield _command(role, allowed, "topic", f"{namespace}{topic.kind}.")
        if role in GROUPS:
            yield _command(role, ["Read"], "group", f"{namespace}{GROUPS[role]}")
        if role in TRANSACTIONS:
            names = ["Write", "Describe"]
            yield _command(role, names, "transactional-id", f"{namespace}{TRANSACTIONS[role]}")
        yield _command(role, ["Read"], "group", READER_GROUP)


def _command(role: str, operations: Iterable[str], kind: str, prefix: str) -> str:
    given = " ".join(f"--operation {name}" for name in operations)
    resource = f"--{kind} {shlex.quote(prefix)} --resource-pattern-type prefixed"
    return f"{COMMAND} --allow-principal User:{role} {given} {resource}"
