"""`/healthz` and `/metrics` of a process, from a thread of its own.

A thread, so that asyncio programs and threaded ones serve alike, and a busy loop still answers.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from runtime.trouble import SetupError

REQUEST_SECONDS_MAX: Final = 5
STOP_SECONDS: Final = 0.1


class HealthPortError(SetupError):
    """The address for health and metrics cannot be listened on."""


class Health:
    """What a process says of itself: for each part its trouble, or "" while it is well.

    Any thread may report. A process is healthy while no part is in trouble and each `check`
    (asked at each request; it returns the trouble or "") is content.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: dict[str, str] = {}
        self._checks: dict[str, Callable[[], str]] = {}

    def report(self, part: str, trouble: str = "") -> None:
        """Part `part` is well, or in `trouble`: one line with what to do."""
        with self._lock:
            self._parts[part] = trouble

    def forget(self, part: str) -> None:
        """Part `part` is no longer ours (a partition that moved)."""
        with self._lock:
            self._parts.pop(part, None)

    def add_check(self, part: str, check: Callable[[], str]) -> None:
        """Ask `check` at each request; it must not block."""
        with self._lock:
            self._checks[part] = check

    def parts(self) -> dict[str, str]:
        """Each part with its trouble, or "" if it is well."""
        with self._lock:
            # Copied: a check is not asked under the lock, which it may want itself.
            parts, checks = dict(self._parts), dict(self._checks)
        return parts | {part: check() for part, check in checks.items()}


class HealthServer:
    """Serves `health` at `/healthz` (200 or 503) and all metrics at `/metrics`.

    `port` 0 takes a free one; `address` names it once started.
    """

    def __init__(self, health: Health, host: str = "127.0.0.1", port: int = 0) -> None:
        self._health = health
        self._host = host
        self._port = port
        self._server: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """`http://host:port` of the started server."""
        if self._server is None:
            raise RuntimeError("the health server is not started")
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> Self:
        """Listen, and answer from a daemon thread. Raises HealthPortError."""
        try:
            self._server = ThreadingHTTPServer((self._host, self._port), _handler(self._health))
        except OSError as error:
            raise HealthPortError(
                f"cannot listen on {self._host}:{self._port} ({error.strerror})",
                "set http.port to a free port, or to 0",
            ) from error
        # A scraper that hangs must not keep the process from ending.
        self._server.daemon_threads = True
        threading.Thread(
            target=self._server.serve_forever, args=(STOP_SECONDS,), name="health", daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_SECONDS_MAX

        def do_GET(self) -> None:
            status, kind, body = _answer(self.path.partition("?")[0], health)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as the base
            """Requests are not logged: a scraper asks every few seconds."""

    return Handler


def _answer(path: str, health: Health) -> tuple[HTTPStatus, str, bytes]:
    if path == "/metrics":
        return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest()
    if path != "/healthz":
        return HTTPStatus.NOT_FOUND, "text/plain", b"/healthz or /metrics\n"
    parts = health.parts()
    healthy = not any(parts.values())
    status = HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE
    return status, "application/json", orjson.dumps({"healthy": healthy, "parts": parts})
