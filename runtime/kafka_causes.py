"""Why Kafka does not answer: what librdkafka said by itself, beside an exception that timed out.

A refused password, a certificate, an unknown host: the exception of the call that waited says
"transport failure" of all of them. The client reports the cause to its error callback, once each.
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException

RECENT_SECONDS: Final = 30.0
PATTERNS: Final = (
    re.compile(r"^\S+/(?:bootstrap|-?\d+): "),  # which connection of which broker
    re.compile(r" \(after \d+ms in state [A-Z_]+\)"),
)
ELSEWHERE: Final = (
    "start one with `orderloom broker`, or correct kafka.bootstrap and kafka.security"
)
_AUTHENTICATION: Final = KafkaError._AUTHENTICATION  # noqa: SLF001  the client's name for it
_TLS: Final = KafkaError._SSL  # noqa: SLF001  the client's name for it
_RESOLVE: Final = KafkaError._RESOLVE  # noqa: SLF001  the client's name for it
_TRANSPORT: Final = KafkaError._TRANSPORT  # noqa: SLF001  the client's name for it
_TIMED_OUT: Final = KafkaError._TIMED_OUT  # noqa: SLF001  the client's name for it
_ALL_DOWN: Final = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001  the client's name for it
_WAIT_COORDINATOR: Final = KafkaError._WAIT_COORD  # noqa: SLF001  the client's name for it

REMEDIES: Final = {
    _AUTHENTICATION: "correct user, password and mechanism in kafka.security",
    KafkaError.SASL_AUTHENTICATION_FAILED: "correct user and password in kafka.security",
    _TLS: (
        "name the certificate's authority in kafka.security (ssl.ca.location), and in "
        "kafka.bootstrap the host that it is made out to"
    ),
    _RESOLVE: "correct the host in kafka.bootstrap",
    _TRANSPORT: ELSEWHERE,
}
"""The causes that say something, the clearest first, and the next step for each."""
VAGUE: Final = frozenset((_TRANSPORT, _TIMED_OUT, _ALL_DOWN, _WAIT_COORDINATOR))
"""What an exception says of any of them."""


@dataclass(frozen=True, slots=True)
class KafkaCause:
    """What librdkafka said, and what to do."""

    words: str
    remedy: str


class Causes:
    """The last words of each cause, from the clients of this process; any thread may report."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: dict[int, tuple[float, str]] = {}

    def note(self, error: KafkaError) -> None:
        """A client's error callback was called with this."""
        if error.code() in REMEDIES:
            with self._lock:
                self._noted[error.code()] = (self._clock(), plain(error.str()))

    def recent(self) -> KafkaCause | None:
        """The clearest cause of the last half minute."""
        with self._lock:
            for code, remedy in REMEDIES.items():
                at, words = self._noted.get(code, (-RECENT_SECONDS, ""))
                if words and self._clock() - at < RECENT_SECONDS:
                    return KafkaCause(words, remedy)
        return None

    def words_of(self, error: KafkaException) -> str:
        """What an exception says; where that is vague, with the cause."""
        reason = error.args[0]
        if not isinstance(reason, KafkaError):
            return str(reason)
        cause = self.recent() if reason.code() in VAGUE else None
        return reason.str() if cause is None else f"{reason.str()}: {cause.words}"


def plain(words: str) -> str:
    """What librdkafka said, without its connection's name and state, in one line."""
    for pattern in PATTERNS:
        words = pattern.sub("", words)
    return " ".join(words.split())


CAUSES: Final = Causes()
"""Of this process."""
