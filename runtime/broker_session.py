"""After an unclean stop: the controller alone, until the broker's former session has ended.

One process is broker and controller here. Killed and started at once, its broker part comes up
beside a session of its own past: from the old metadata it believes that it still leads, ends
transactions without writing their markers, and hides or shows the wrong records for good (KIP-664
calls these transactions hanging; docs/decisions/0110). So the controller role runs first, on the
same metadata, until it has fenced the broker that was.
"""

import re
from collections.abc import Iterable

from runtime.broker_files import BrokerDirectory, parse_properties

# What the controller says of itself, at level INFO (Kafka 4.3.1).
CONTROLLERS_WORDS = """\
logger.c.name=org.apache.kafka.controller
logger.c.level=info
"""
ACTIVE = re.compile(r"\bActivated periodic tasks\b")
REGISTERED = re.compile(r"\bRegisterBrokerRecord\(.*\bfenced=(true|false)\b")
CHANGED = re.compile(r"\bBrokerRegistrationChangeRecord\(.*\bfenced=(-1|0|1)\b")
NOT_THE_CONTROLLERS = ("process.roles", "listeners", "advertised.listeners")


def controller_properties(text: str) -> str:
    """The properties of a whole node, for its controller role alone."""
    whole = parse_properties(text)
    own = {key: value for key, value in whole.items() if key not in NOT_THE_CONTROLLERS}
    listeners = whole["listeners"].split(",")
    own["process.roles"] = "controller"
    own["listeners"] = next(place for place in listeners if place.startswith("CONTROLLER://"))
    return "".join(f"{key}={value}\n" for key, value in own.items())


def is_past_fenced(lines: Iterable[str]) -> bool:
    """Whether the controller leads, and no broker that it knows may still lead partitions.

    `lines` are what it has logged: each registration that it replays from its metadata, then each
    change that it makes.
    """
    leads = False
    fenced = True
    for line in lines:
        if ACTIVE.search(line):
            leads = True
        elif found := REGISTERED.search(line):
            fenced = found[1] == "true"
        # 0: this change says nothing of fencing.
        elif (found := CHANGED.search(line)) and found[1] != "0":
            fenced = found[1] == "1"
    return leads and fenced


def was_stopped_in_order(files: BrokerDirectory) -> bool:
    """Whether the broker wrote, as its last act, that its logs are whole."""
    return (files.data / ".kafka_cleanshutdown").exists()
