"""When the broker part may start after an unclean stop: read from what the controller says."""

from pathlib import Path

import pytest

from runtime.broker_files import BrokerDirectory, parse_properties, server_properties
from runtime.broker_session import controller_properties, is_past_fenced, was_stopped_in_order

AT = "2026-11-30 05:06:30,163 INFO ClusterControlManager: [QuorumController id=1] "
REGISTERED = (
    f"{AT}Replayed initial RegisterBrokerRecord for broker 1: RegisterBrokerRecord(brokerId=1, "
    "brokerEpoch=15, endPoints=[BrokerEndpoint(name='PLAINTEXT')], rack=null, fenced=true, "
    "inControlledShutdown=false)"
)
TAKEN_OVER = REGISTERED.replace("fenced=true", "fenced=false")
ACTIVE = f"{AT}Activated periodic tasks: electPreferred, maybeFenceStaleBroker"


def changed(fenced: int) -> str:
    return (
        f"{AT}Replayed BrokerRegistrationChangeRecord modifying the registration for broker 1: "
        f"BrokerRegistrationChangeRecord(brokerId=1, brokerEpoch=15, fenced={fenced}, logDirs=[])"
    )


@pytest.mark.parametrize(
    ("lines", "is_fenced"),
    [
        ([], False),
        ([ACTIVE], True),  # formatted, and never started
        ([REGISTERED], False),  # its metadata is not read to the end
        ([REGISTERED, changed(-1), ACTIVE], False),
        ([REGISTERED, changed(-1), changed(0), ACTIVE], False),
        ([REGISTERED, changed(-1), ACTIVE, changed(1)], True),
        ([REGISTERED, changed(-1), changed(1), ACTIVE], True),  # killed after it was fenced
        ([REGISTERED, ACTIVE], True),  # killed before it was unfenced
        ([TAKEN_OVER, ACTIVE], False),  # from a snapshot of the metadata
    ],
)
def test_the_broker_part_waits_until_the_controller_has_fenced_its_past(
    lines: list[str], is_fenced: bool
) -> None:
    assert is_past_fenced(lines) is is_fenced


def test_the_controller_alone_has_the_nodes_settings_and_its_own_listener() -> None:
    text = server_properties(Path("/data"), 9092, 9093, {})
    alone = parse_properties(controller_properties(text))
    assert alone["process.roles"] == "controller"
    assert alone["listeners"] == "CONTROLLER://127.0.0.1:9093"
    assert "advertised.listeners" not in alone
    assert alone["log.dirs"] == "/data"
    assert alone["node.id"] == "1"


def test_only_a_broker_that_said_so_was_stopped_in_order(tmp_path: Path) -> None:
    files = BrokerDirectory(tmp_path)
    files.prepare("ours")
    assert not was_stopped_in_order(files)
    (files.data / ".kafka_cleanshutdown").write_text("")
    assert was_stopped_in_order(files)
