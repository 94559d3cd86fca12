"""What an embedded broker keeps in its directory, and the text of its files."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.trouble import SetupError

LOGGING = """\
status=warn
rootLogger.level=warn
rootLogger.appenderRef.o.ref=O
appender.o.type=Console
appender.o.name=O
appender.o.layout.type=PatternLayout
appender.o.layout.pattern=%d %p %c{1}: %m%n
"""

# One node: quick to start, quick to notice a dead member or transaction, and no topic by accident.
PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "false",
    "num.network.threads": "4",
    "num.io.threads": "8",
    "background.threads": "2",
    "log.cleaner.threads": "1",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # A forgotten transactional id comes back as another producer, who cannot end what hangs.
    "transactional.id.expiration.ms": "2147483647",
    # After an unclean stop a start waits until the former session has ended (broker_session.py).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
}


class ForeignDirectoryError(SetupError):
    """The directory holds something else, or another cluster's data."""


def server_properties(
    data: Path, port: int, controller_port: int, settings: Mapping[str, str]
) -> str:
    """The text of `server.properties`; `settings` win over the defaults."""
    client, controller = f"PLAINTEXT://127.0.0.1:{port}", f"127.0.0.1:{controller_port}"
    merged = {
        **PROPERTIES,
        "listeners": f"{client},CONTROLLER://{controller}",
        "advertised.listeners": client,
        "controller.quorum.bootstrap.servers": controller,
        "log.dirs": str(data),
        **settings,
    }
    return "".join(f"{key}={value}\n" for key, value in merged.items())


def new_cluster_id() -> str:
    """A Kafka uuid: 22 characters of URL-safe base64, not beginning like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def parse_properties(text: str) -> dict[str, str]:
    """The `key=value` lines of a properties file."""
    rows = (line.partition("=") for line in text.splitlines() if line[:1] not in ("#", ""))
    return {key.strip(): value.strip() for key, _, value in rows}


def last_words(log: Path, lines: int) -> str:
    """The end of a log, indented, without the frames of Java's stack traces."""
    if not log.exists():
        return ""
    text = log.read_text(encoding="utf-8", errors="replace")
    said = [line for line in text.splitlines() if not line.startswith("\tat ")]
    return "\n".join("    " + line for line in said[-lines:])


@dataclass(frozen=True)
class BrokerDirectory:
    """`<root>/{cluster.id,server.properties,log4j2.properties,broker.log,data/}`."""

    root: Path

    @property
    def data(self) -> Path:
        """Kafka's own files."""
        return self.root / "data"

    @property
    def properties(self) -> Path:
        """The broker's settings, written at each start."""
        return self.root / "server.properties"

    @property
    def logging(self) -> Path:
        """The broker's logging settings."""
        return self.root / "log4j2.properties"

    @property
    def log(self) -> Path:
        """What the broker prints."""
        return self.root / "broker.log"

    @property
    def controller_properties(self) -> Path:
        """The settings of the controller role while it runs alone."""
        return self.root / "controller.properties"

    @property
    def controller_log(self) -> Path:
        """What the controller printed when it last ran alone."""
        return self.root / "controller.log"

    @property
    def cluster_id_file(self) -> Path:
        """The id of the cluster that lives here."""
        return self.root / "cluster.id"

    def is_formatted(self) -> bool:
        """Whether the data belong to the cluster noted here; False for an empty directory.

        Raises ForeignDirectoryError where something else lies in the directory.
        """
        meta = self.data / "meta.properties"
        if not meta.exists():
            self._check_vacant()
            return False
        noted = self._noted_cluster_id()
        held = parse_properties(meta.read_text(encoding="utf-8")).get("cluster.id", "none")
        if noted != held:
            raise ForeignDirectoryError(
                f"{self.data} holds the data of Kafka cluster {held}, not of {noted or 'ours'}",
                "name another directory, or delete this one to start empty",
            )
        return True

    def prepare(self, cluster_id: str) -> None:
        """Make the directories and note which cluster lives here."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.cluster_id_file.write_text(cluster_id + "\n", encoding="utf-8")

    def _noted_cluster_id(self) -> str:
        if not self.cluster_id_file.exists():
            return ""
        return self.cluster_id_file.read_text(encoding="utf-8").strip()

    def _check_vacant(self) -> None:
        """A format that was cut short leaves our files only; anything else is not ours."""
        ours = {self.data, self.properties, self.logging, self.log, self.cluster_id_file}
        ours |= {self.controller_properties, self.controller_log, self.root / "lock"}
        strange = [path for path in self.root.glob("*") if path not in ours]
        strange += self.data.glob("*")
        if strange:
            raise ForeignDirectoryError(
                f"{self.root} is not a broker's directory: it holds {strange[0].name}",
                "name an empty or a new directory",
            )
