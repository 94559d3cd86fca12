"""The compose file is valid, stays on this machine, and runs commands that exist."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from runtime.accounts import load_accounts, read_key
from runtime.settings import load_settings
from simulator.config import sample_accounts
from tests.source_tree import ROOT
from venues import VENUES

DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "docker-compose.yml"
OF_VENUES = {f"{kind}-{venue}" for kind in ("ingest", "process") for venue in VENUES}
PROCESSES = {"topics", "sink-sqlite", "simulator"} | OF_VENUES


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(COMPOSE)
    return dict(loaded["services"])


def test_the_compose_file_is_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*command, COMPOSE], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_there_is_a_service_for_each_process(services: dict[str, Any]) -> None:
    assert set(services) == PROCESSES | {"kafka"}
    assert services["simulator"]["profiles"] == ["simulator"]
    # Binance is followed as it is; each other venue is asked for by its name.
    for venue in set(VENUES) - {"binance"}:
        profiles = [services[f"{kind}-{venue}"]["profiles"] for kind in ("ingest", "process")]
        assert profiles == [[venue], [venue]]


def test_every_port_is_published_on_the_loopback_alone(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_keys_are_for_ingest_alone(services: dict[str, Any]) -> None:
    """From the environment, or as files in a directory that the others see empty."""
    for name in PROCESSES:
        service, is_ingest = services[name], name.startswith("ingest-")
        assert bool(service.get("env_file")) is is_ingest, name
        assert ("/etc/orderloom/keys" in service["tmpfs"]) is not is_ingest, name
        assert "./deploy:/etc/orderloom:ro" in service["volumes"]
    assert "env_file" not in services["kafka"]


def test_processes_wait_for_topics_and_topics_for_kafka(services: dict[str, Any]) -> None:
    assert services["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    for name in (*OF_VENUES, "sink-sqlite"):
        waits = services[name]["depends_on"]
        assert waits == {"topics": {"condition": "service_completed_successfully"}}


def test_kafka_keeps_its_data_in_a_named_volume(services: dict[str, Any]) -> None:
    kafka = services["kafka"]
    assert kafka["volumes"] == ["kafka:/var/lib/kafka/data"]
    assert kafka["environment"]["KAFKA_LOG_DIRS"] == "/var/lib/kafka/data"
    assert kafka["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert "healthcheck" in kafka


def test_the_image_runs_as_a_user_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER orderloom" in lines
    assert lines.index("USER orderloom") < lines.index('ENTRYPOINT ["orderloom"]')


def test_keys_are_neither_committed_nor_put_into_the_image(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text((ROOT / ".gitignore").read_text())
    shipped = ["deploy/env.sample", "deploy/keys/sim-0.json", "deploy/keys/sim-1.json"]
    for name in (*shipped, ".env", ".env.prod", "deploy/keys/main.json", "keys/main.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    for command in (("init", "-q"), ("add", ".")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    listed = subprocess.run(["git", "ls-files"], cwd=tmp_path, capture_output=True, check=True)
    assert listed.stdout.decode().split() == [".gitignore", *shipped]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", ".env.*", "deploy", "keys"} <= set(ignored)


def test_the_sample_of_keys_reads_as_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (DEPLOY / "env.sample").read_text()
    given = dict(re.findall(r"^#? ?([A-Z]+_MAIN)='(.*)'$", text, re.M))
    assert set(given) == {"BINANCE_MAIN", "OKX_MAIN"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
        assert read_key(f"env:{name}").secret.get_secret_value() == "your secret"


@pytest.mark.parametrize("name", ["orderloom", "simulated"])
def test_the_settings_that_are_shipped_are_right(name: str) -> None:
    settings = load_settings(DEPLOY / f"{name}.toml")
    file = DEPLOY / settings.accounts_file.name
    accounts = load_accounts(file, partitions=settings.partitions, venues={"binance"})
    assert bool(accounts) is (name == "simulated"), "the other is filled in by its user"
    for account in accounts:
        kind, _, place = account.key.partition(":")
        assert kind == "file"
        assert read_key(f"file:{DEPLOY / 'keys' / Path(place).name}").key.startswith("simulated")


def test_the_shipped_accounts_are_those_that_the_simulator_starts_with() -> None:
    known = {account.name: account for account in sample_accounts(8)}
    accounts = load_accounts(DEPLOY / "simulated-accounts.toml", partitions=4)
    assert accounts
    for account in accounts:
        key = read_key(f"file:{DEPLOY / 'keys' / Path(account.key).name}")
        simulated = known[account.id]
        assert (key.key, key.secret.get_secret_value()) == (simulated.api_key, simulated.secret)
