"""The embedded broker: a real Apache Kafka as a child process, without Docker, its data kept.

Ready means that a client gets an answer. The child is on a leash (runtime/leash.py): start it from
a thread that lives as long as the broker shall, usually the main one.
"""

import contextlib
import errno
import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from runtime.broker_files import (
    LOGGING,
    BrokerDirectory,
    last_words,
    new_cluster_id,
    server_properties,
)
from runtime.broker_session import (
    CONTROLLERS_WORDS,
    controller_properties,
    is_past_fenced,
    was_stopped_in_order,
)
from runtime.files import open_own, own_directory
from runtime.jars import cache_directory, kafka_classpath
from runtime.java import find_java
from runtime.leash import leashed
from runtime.trouble import SetupError

HEAP_MIB = 768
READY_SECONDS_MAX = 90
STOP_SECONDS_MAX = 30
FORMAT_SECONDS_MAX = 60
LAST_WORDS_LINES = 8
LOOK_SECONDS = 0.2
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
# A list of directories is split at commas; a properties file has escapes, and ends at its line.
MISREAD = ",\\\n"
LOG_BYTES_MAX = 16 << 20  # an older log is begun anew at the next start


class PortInUseError(SetupError):
    """Another process listens on the port asked for."""


class DirectoryInUseError(SetupError):
    """Another broker runs on the same directory."""


class DirectoryUnusableError(SetupError):
    """No file can be made in the directory, or Kafka would take its path for another."""


class BrokerDiedError(SetupError):
    """The broker ended, or did not answer, while it was being started."""


def _silent(_line: str) -> None:
    """Report to nobody."""


class EmbeddedBroker:
    """One Kafka node on 127.0.0.1; a context manager.

    `directory` keeps everything; `port` 0 takes the port of the last run, or a free one.
    `settings` are Kafka's own, over our defaults. `report` is called with what takes time. A broker
    that was not stopped in order is started only when its former session has ended.
    """

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        *,
        heap_mib: int = HEAP_MIB,
        settings: Mapping[str, str] | None = None,
        java: Path | None = None,
        report: Callable[[str], None] = _silent,
    ) -> None:
        self._files = BrokerDirectory(directory.resolve())
        self._port = port
        self._heap_mib = heap_mib
        self._settings = dict(settings or {})
        self._java = java
        self._report = report
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; known once started."""
        return f"127.0.0.1:{self._port}"

    @property
    def port(self) -> int:
        """The port for clients; 0 before the first start of a broker that may choose."""
        return self._port

    @property
    def pid(self) -> int:
        """The process id of the broker; only while it runs."""
        return self._running_child().pid

    @property
    def log_path(self) -> Path:
        """What the broker prints."""
        return self._files.log

    @property
    def is_running(self) -> bool:
        """Whether the child process lives (a suspended one does)."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> Self:
        """Start and wait until a client gets an answer. A second start is no change.

        Raises SetupError: PortInUseError, DirectoryInUseError, DirectoryUnusableError,
        ForeignDirectoryError, NoJavaError, JarsUnavailableError, BrokerDiedError.
        """
        if self.is_running:
            return self
        self.kill()  # of a child that died by itself the lock is left
        self._take_directory()
        try:
            self._launch()
            self._wait_until_ready()
        except BaseException as error:  # also Ctrl-C: nothing may be left running
            self.kill()
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise self._unusable(error) from None
            raise
        return self

    def stop(self) -> None:
        """Stop in order (SIGTERM), or by SIGKILL after 30 s."""
        child = self._child
        if child is not None and child.poll() is None:
            # A suspended one would sleep through the SIGTERM.
            child.send_signal(signal.SIGCONT)
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_SECONDS_MAX)
        self.kill()

    def kill(self) -> None:
        """End the process at once, as a power failure would; `start` brings it back."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        if self._lock is not None:
            self._lock.close()
        self._child = self._lock = None

    def suspend(self) -> None:
        """Stop the process where it is (SIGSTOP): connections stay, answers do not come."""
        self._running_child().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a suspended process go on."""
        self._running_child().send_signal(signal.SIGCONT)

    def wait(self, stop: threading.Event) -> None:
        """Return when `stop` is set. Raises BrokerDiedError if the broker ends before."""
        child = self._running_child()
        while not stop.wait(LOOK_SECONDS):
            if child.poll() is not None:
                raise self._died(f"the broker ended (exit status {child.returncode})")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _running_child(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise RuntimeError("the broker is not running")
        return self._child

    def _take_directory(self) -> None:
        root = self._files.root
        self._refuse_misread(str(root))
        try:
            own_directory(root)
            lock = os.fdopen(open_own(root / "lock"), "rb+")
        except OSError as error:
            raise self._unusable(error) from None
        try:
            # It goes with the process, also when that is killed: no stale lock is ever left.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise DirectoryInUseError(
                f"another broker runs on {root}", "stop it, or name another directory"
            ) from None
        self._lock = lock

    def _refuse_misread(self, path: str) -> None:
        for sign in MISREAD:
            if sign in path:
                raise DirectoryUnusableError(
                    f"the broker's data cannot be kept in {path!r}: its path holds {sign!r}, "
                    "which Kafka would not read as a part of it",
                    f"name a directory whose path holds no {sign!r}",
                )

    def _unusable(self, error: OSError) -> DirectoryUnusableError:
        return DirectoryUnusableError(
            f"the broker's data cannot be kept in {self._files.root} ({error.strerror or error})",
            "name a directory that can be written, of your own, or free space there",
        )

    def _launch(self) -> None:
        formatted = self._files.is_formatted()
        self._port = _chosen_port(self._port or _last_port(self._files), fixed=self._port != 0)
        java = self._java or find_java()
        classpath = kafka_classpath(cache_directory(), self._report)
        command = self._command(java, classpath)
        self._write_files()
        if not formatted:
            self._format(command)
        # Else it would end transactions of its past life without their markers (decision 0110).
        elif not was_stopped_in_order(self._files):
            self._fence_past(command)
        self._report(f"starting Apache Kafka on {self.bootstrap}")
        self._child = self._spawn([*command, "kafka.Kafka", str(self._files.properties)])

    def _command(self, java: Path, classpath: list[Path]) -> list[str]:
        return [
            str(java),
            f"-Xmx{self._heap_mib}m",
            f"-Xms{min(256, self._heap_mib)}m",
            "-XX:+UseG1GC",
            "-XX:MaxGCPauseMillis=20",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={self._files.logging}",
            "-cp",
            os.pathsep.join(str(jar) for jar in classpath),
        ]

    def _write_files(self) -> None:
        self._files.data.mkdir(parents=True, exist_ok=True)
        self._files.logging.write_text(LOGGING, encoding="utf-8")
        text = server_properties(self._files.data, self._port, _free_port(), self._settings)
        self._files.properties.write_text(text, encoding="utf-8")
        if self._files.log.exists() and self._files.log.stat().st_size > LOG_BYTES_MAX:
            self._files.log.unlink()

    def _fence_past(self, command: list[str]) -> None:
        """Let the controller role run alone until the broker that was has no session any more."""
        files = self._files
        self._report(
            "Apache Kafka was not stopped in order: its controller runs alone until the former "
            "broker's session has ended (some seconds)"
        )
        text = files.properties.read_text(encoding="utf-8")
        files.controller_properties.write_text(controller_properties(text), encoding="utf-8")
        files.controller_log.unlink(missing_ok=True)
        files.logging.write_text(LOGGING + CONTROLLERS_WORDS, encoding="utf-8")
        arguments = [*command, "kafka.Kafka", str(files.controller_properties)]
        child = self._spawn(arguments, files.controller_log)
        try:
            self._wait_until_fenced(child)
        finally:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_SECONDS_MAX)
            child.kill()
            child.wait()
        files.logging.write_text(LOGGING, encoding="utf-8")

    def _wait_until_fenced(self, child: subprocess.Popen[bytes]) -> None:
        said = self._files.controller_log
        give_up = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < give_up:
            if is_past_fenced(said.read_text(encoding="utf-8", errors="replace").splitlines()):
                return
            if child.poll() is not None:
                raise self._died(f"the controller ended (exit status {child.returncode})", said)
            time.sleep(LOOK_SECONDS)
        cause = f"the former broker's session did not end within {READY_SECONDS_MAX} s"
        raise self._died(cause, said)

    def _format(self, command: list[str]) -> None:
        cluster_id = new_cluster_id()
        self._files.prepare(cluster_id)
        tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster_id]
        child = self._spawn([*command, *tool, "-c", str(self._files.properties)])
        try:
            status = child.wait(FORMAT_SECONDS_MAX)
        finally:
            child.kill()
            child.wait()
        if status != 0:
            raise self._died(f"formatting {self._files.data} failed (exit status {status})")

    def _spawn(self, command: list[str], log_path: Path | None = None) -> subprocess.Popen[bytes]:
        """A session of its own: a Ctrl-C in the terminal is its parent's to handle."""
        with (log_path or self._files.log).open("ab") as log:
            return subprocess.Popen(  # noqa: S603  the command is ours
                leashed(command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        child = self._running_child()
        give_up = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < give_up:
            if child.poll() is not None:
                raise self._died(f"the broker ended at start (exit status {child.returncode})")
            if _port_answers(self._port) and _metadata_answers(self.bootstrap):
                return
            time.sleep(0.05)
        raise self._died(f"the broker did not answer within {READY_SECONDS_MAX} s")

    def _died(self, cause: str, log_path: Path | None = None) -> BrokerDiedError:
        log_path = log_path or self._files.log
        words = last_words(log_path, LAST_WORDS_LINES)
        if "No space left on device" in words:
            return BrokerDiedError(
                f"{cause}, its disk is full", f"free space for {self._files.data}"
            )
        return BrokerDiedError(cause, f"read {log_path}, which ends with\n{words}")


def _last_port(files: BrokerDirectory) -> int:
    """The port of the last run, so that clients' settings stay true; 0 if there was none."""
    if not files.properties.exists():
        return 0
    line = next(
        (line for line in files.properties.read_text().splitlines() if line.startswith("adv")), ""
    )
    return int(line.rpartition(":")[2] or 0)


def _chosen_port(wish: int, *, fixed: bool) -> int:
    if wish and _is_free(wish):
        return wish
    if fixed:
        raise PortInUseError(
            f"port {wish} on 127.0.0.1 is in use",
            "stop what listens there, or choose another port (0 takes a free one)",
        )
    return _free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _port_answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _metadata_answers(bootstrap: str) -> bool:
    """Whether an admin client finds the broker; librdkafka's own log is kept quiet."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    try:
        return bool(admin.list_topics(timeout=2).brokers)
    except KafkaException:
        return False
