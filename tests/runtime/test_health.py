"""`/healthz` and `/metrics` over a real socket."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from runtime.health import Health, HealthPortError, HealthServer
from runtime.metrics import OPENINGS


def ask(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_process_is_healthy_while_no_part_is_in_trouble() -> None:
    health = Health()
    with HealthServer(health) as server:
        assert ask(server.address + "/healthz") == (200, '{"healthy":true,"parts":{}}')
        health.report("partition 3", "topic raw was recreated: orderloom repair")
        status, body = ask(server.address + "/healthz")
        assert status == 503
        assert json.loads(body)["parts"]["partition 3"].startswith("topic raw was")
        health.forget("partition 3")
        health.add_check("kafka", lambda: "")
        assert ask(server.address + "/healthz")[0] == 200


def test_metrics_are_served_in_prometheus_text() -> None:
    OPENINGS.labels("test", "0").inc()
    with HealthServer(Health()) as server:
        status, body = ask(server.address + "/metrics")
    assert status == 200
    assert 'orderloom_openings_total{partition="0",venue="test"} 1.0' in body


def test_other_paths_are_not_found() -> None:
    with HealthServer(Health()) as server:
        assert ask(server.address + "/etc/passwd")[0] == 404


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HealthPortError, match=f"cannot listen on 127.0.0.1:{port}"):
            HealthServer(Health(), port=port).start()
