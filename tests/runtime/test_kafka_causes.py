"""Trouble with Kafka says what it is: a password, a certificate, a host, a port."""

import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, KafkaException

from cli.checks import examine
from cli.findings import Mark
from runtime.kafka import (
    BrokerUnreachableError,
    KafkaAwayError,
    connected_admin,
    readable_kafka_errors,
)
from runtime.kafka_causes import CAUSES, Causes, plain
from tests.cli.test_main import orderloom
from tests.runtime.secured_broker import SecuredBroker, a_secured_broker, free_ports

pytestmark = pytest.mark.broker  # or its absence: each waits for one

CERTIFICATE = Path(__file__).with_name("self_signed.pem")
"""Self-signed, of a host elsewhere.test, and its key: made for these tests."""


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.kafka.ASK_SECONDS_MAX", 2.0)


def serve(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    """Take each connection up, speak TLS if told to, and hang up."""
    while True:
        try:
            taken, _ = listener.accept()
        except OSError:
            return
        with taken:
            taken.settimeout(2)
            try:
                if context is not None:
                    context.wrap_socket(taken, server_side=True).close()
                else:
                    taken.recv(65_536)
            except OSError:
                continue


@pytest.fixture
def tls_address() -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    yield from served(context)


@pytest.fixture
def plain_address() -> Iterator[str]:
    yield from served(None)


def served(context: ssl.SSLContext | None) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, context), daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def line_about(address: str, security: dict[str, str] | None = None) -> str:
    with pytest.raises(BrokerUnreachableError) as caught:
        connected_admin(address, security)
    line = str(caught.value)
    assert line.startswith(f"no Kafka answers at {address} (")
    assert "\n" not in line
    return line


def test_a_port_where_nobody_listens() -> None:
    (port,) = free_ports(1)
    line = line_about(f"127.0.0.1:{port}")
    assert "Connection refused" in line
    assert "`orderloom broker`" in line


def test_a_host_that_nobody_knows() -> None:
    line = line_about("no..such..host:9092")  # no name at all, so that nobody is asked for it
    assert "Failed to resolve 'no..such..host:9092'" in line
    assert line.endswith("correct the host in kafka.bootstrap")


def test_a_certificate_that_nobody_vouches_for(tls_address: str) -> None:
    line = line_about(tls_address, {"security.protocol": "SSL"})
    assert "certificate verify failed" in line
    assert "name the certificate's authority in kafka.security (ssl.ca.location)" in line


def test_a_certificate_of_another_host(tls_address: str) -> None:
    security = {"security.protocol": "SSL", "ssl.ca.location": str(CERTIFICATE)}
    line = line_about(tls_address, security)
    assert "certificate verify failed" in line
    assert "kafka.bootstrap the host that it is made out to" in line


def test_tls_where_none_is_spoken(plain_address: str) -> None:
    line = line_about(plain_address, {"security.protocol": "SSL"})
    # Which of the two the client says depends on whether it has read the answer when that ends.
    assert "PLAINTEXT broker listener?" in line or "SSL connection closed by peer" in line
    assert "kafka.security" in line


def test_plain_words_where_tls_is_spoken(tls_address: str) -> None:
    line = line_about(tls_address)
    assert "does that listener speak the security.protocol that is set?" in line


def test_a_listener_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        line = line_about(f"127.0.0.1:{silent.getsockname()[1]}")
    assert "does that listener speak the security.protocol that is set?" in line


def test_nothing_is_logged_beside_the_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    line_about("no..such..host:9092")
    assert not caplog.records


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    with a_secured_broker(tmp_path_factory.mktemp("secured"), ("me",)) as broker:
        connected_admin(broker.secured, broker.security("me"))
        yield broker


@pytest.mark.broker
def test_a_password_that_is_refused(secured: SecuredBroker) -> None:
    line = line_about(secured.secured, secured.security("me", "wrong"))
    assert "Authentication failed: Invalid username or password" in line
    assert line.endswith("correct user, password and mechanism in kafka.security")


@pytest.mark.broker
def test_a_mechanism_that_the_broker_does_not_have(secured: SecuredBroker) -> None:
    security = secured.security("me") | {"sasl.mechanism": "SCRAM-SHA-256"}
    assert "broker's supported mechanisms: PLAIN" in line_about(secured.secured, security)


@pytest.mark.broker
@pytest.mark.parametrize("command", ["topics", "doctor", "process binance --once", "orders"])
def test_every_command_names_the_cause(
    secured: SecuredBroker, tmp_path: Path, command: str
) -> None:
    (tmp_path / "accounts.toml").write_text(
        '[[accounts]]\nid = "binance:main"\nproducts = ["spot"]\nkey = "env:NONE"\n'
    )
    rows = secured.security("me", "wrong").items()
    (tmp_path / "orderloom.toml").write_text(
        f'[kafka]\nbootstrap = "{secured.secured}"\n[kafka.security]\n'
        + "".join(f'"{key}" = "{value}"\n' for key, value in rows)
    )
    ended = orderloom(*command.split(), directory=tmp_path)
    said = ended.stdout if command == "doctor" else ended.stderr
    assert ended.returncode != 0
    assert "Authentication failed: Invalid username or password" in said, ended.stderr
    assert "Traceback" not in ended.stderr
    if command != "doctor" and not command.startswith("process"):
        assert len(ended.stderr.splitlines()) == 1


def test_doctor_names_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "accounts.toml").write_text("")
    (tmp_path / "orderloom.toml").write_text(
        '[kafka]\nbootstrap = "no..such..host:1"\n[venues.binance]\n'
    )
    [finding] = [one for one in examine() if one.part == "broker"]
    assert finding.mark is Mark.WRONG
    assert "Failed to resolve" in finding.line


def test_a_vague_exception_is_shown_with_what_the_client_said_of_itself() -> None:
    words = "sasl_ssl://b:1/1: SASL authentication error: no (after 3ms in state AUTH_REQ)"
    CAUSES.note(KafkaError(KafkaError._AUTHENTICATION, words))
    with pytest.raises(KafkaAwayError, match="timed out: SASL authentication error: no: if it"):
        fail(KafkaError(KafkaError._TIMED_OUT, "timed out"))
    with pytest.raises(KafkaAwayError, match="Kafka: gone: if it lasts"):
        fail(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, "gone"))


def fail(error: KafkaError) -> None:
    with readable_kafka_errors():
        raise KafkaException(error)


def test_what_was_said_long_ago_is_no_cause_of_today() -> None:
    now = [0.0]
    causes = Causes(lambda: now[0])
    causes.note(KafkaError(KafkaError._RESOLVE, "unknown host"))
    causes.note(KafkaError(KafkaError._TRANSPORT, "refused"))
    first = causes.recent()
    assert first is not None
    assert first.words == "unknown host"
    now[0] = 31.0
    assert causes.recent() is None


def test_the_words_are_one_line_without_the_connections_name() -> None:
    words = "ssl://h:1/bootstrap: SSL handshake failed:\n no (after 3ms in state SSL_HANDSHAKE)"
    assert plain(words) == "SSL handshake failed: no"
