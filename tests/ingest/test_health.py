"""What a worker says of itself at `/healthz`."""

import socket
import threading
from pathlib import Path

import pytest

from ingest import edge as the_edge
from ingest.group_events import Gained
from ingest.registry_watch import Registry
from ingest.worker import IngestWorker
from runtime import kafka
from runtime.health import Health
from runtime.kafka import BrokerUnreachableError
from runtime.settings import KafkaSettings, Settings
from tests.ingest.edge_on_loopback import ACCOUNT, P, an_edge, an_entry
from tests.ingest.toy_server import a_toy_server
from tests.ingest.toy_venue import toy_venue
from tests.waits import until


async def test_a_worker_that_reaches_no_kafka_is_not_well_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "ASK_SECONDS_MAX", 0.5)
    accounts = tmp_path / "accounts.toml"
    accounts.write_text("")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        bootstrap = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = Settings(kafka=KafkaSettings(bootstrap=bootstrap), accounts_file=accounts)
        health = Health()
        worker = IngestWorker(settings, toy_venue(), Registry(settings, "toy"), "w1", health)
        assert "has not begun" in health.parts()["worker"]
        with pytest.raises(BrokerUnreachableError):
            await worker.live(threading.Event(), threading.Event())
        assert f"no Kafka answers at {bootstrap}" in health.parts()["worker"]


async def test_while_kafka_takes_nothing_the_worker_is_not_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(the_edge, "KAFKA_SECONDS_MAX", 0.2)
    async with a_toy_server() as toy, an_edge(toy) as running:
        running.log.is_away = True
        await running.edge.handle(Gained(P, 5, 0, is_continued=False))
        assert running.edge.troubles()["kafka"] == ""
        await until(lambda: running.edge.troubles()["kafka"].startswith("Kafka takes nothing"))
        running.log.is_away = False
        await until(lambda: running.edge.troubles()["kafka"] == "")


async def test_a_stream_that_is_not_live_is_named_until_it_is() -> None:
    async with a_toy_server() as toy, an_edge(toy, an_entry()) as running:
        edge = running.edge
        await edge.handle(Gained(P, 5, 0, is_continued=False))
        assert edge.troubles()["streams"] == f"not connected: {ACCOUNT}"
        edge.tick()
        await until(lambda: edge.troubles()["streams"] == "")
