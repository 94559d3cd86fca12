"""The process of one sink: follows, writes, and goes on after trouble that mends itself."""

import logging
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderloom.topology import Topic
from runtime.clock import wall_ns
from runtime.health import Health, HealthServer
from runtime.metrics import SINK_LAG, SINK_WRITES
from runtime.settings import Settings
from runtime.supervise import supervise
from runtime.trouble import PassingTrouble, SetupError
from sinks import SINKS
from sinks.follower import Follower, stale_topics
from sinks.record import Batch
from sinks.sink import Sink

POLL_SECONDS: Final = 0.25
_PASSING: Final = (PassingTrouble,)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """The settings of a sink. `target` None: a file in `data_dir` named after the sink."""

    venues: Collection[str]
    target: Path | None = None
    rebuild: bool = False


def run(name: str, settings: Settings, options: SinkOptions, stop: threading.Event) -> None:
    """Carry the topics of `options.venues` to the sink called `name` until `stop` is set.

    Raises SetupError for what only a person can mend.
    """
    target = options.target or _usual_target(settings.data_dir, name)
    sink = SINKS[name](target)
    topics = followed(sink, settings.namespace, options.venues)
    if options.rebuild:
        sink.forget(list(topics))
    health = Health()
    try:
        with HealthServer(health, settings.http.host, settings.http.port) as server:
            _log.info("sink %s writes to %s, health at %s", name, target, server.address)
            work = Work(name, sink, topics, settings, health)
            supervise(f"sink {name}", lambda: work.live(stop), crashes=_PASSING, stop=stop)
    finally:
        sink.close()


def _usual_target(directory: Path, name: str) -> Path:
    """A file in `data_dir`, which is made. Raises SetupError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        cause = f"nothing can be kept in {directory} ({error.strerror})"
        raise SetupError(cause, "set data_dir") from None
    return directory / f"orderloom.{name}"


def followed(sink: Sink, namespace: str, venues: Collection[str]) -> dict[str, Topic]:
    """The topics that a sink takes at these venues, by full name."""
    return {topic.name(venue, namespace): topic for venue in venues for topic in sink.topics}


class Work:
    """One sink's work; each life opens its own connections."""

    def __init__(
        self,
        name: str,
        sink: Sink,
        topics: Mapping[str, Topic],
        settings: Settings,
        health: Health,
    ) -> None:
        self._name = name
        self._sink = sink
        self._topics = topics
        self._settings = settings
        self._health = health

    def live(self, stop: threading.Event) -> None:
        """Follow and write until `stop` is set. Raises SetupError."""
        try:
            with self._opened() as follower:
                self._health.report(self._name)
                self._follow(follower, stop)
        except SetupError as error:
            self._health.report(self._name, str(error))
            raise

    def _opened(self) -> Follower:
        now_ms = wall_ns() // 1_000_000
        if stale := stale_topics(self._topics, self._sink.progress(), now_ms):
            _log.warning("away for over 7 days: %s are read from empty", ", ".join(stale))
            self._sink.forget(stale)
        follower = Follower(self._settings.kafka, self._topics, self._sink.progress())
        # Before the first record: rows without their topic's id could not tell a topic made again.
        self._sink.begin(follower.topic_ids, now_ms)
        return follower

    def _follow(self, follower: Follower, stop: threading.Event) -> None:
        while not stop.is_set():
            batch = follower.poll(POLL_SECONDS)
            is_due = follower.check_if_due()
            # An idle sink writes too: that it is at the end keeps it from being taken for stale.
            if batch.offsets or is_due:
                self._write(follower, batch)

    def _write(self, follower: Follower, batch: Batch) -> None:
        self._sink.write(batch)
        for record in batch.records:
            SINK_WRITES.labels(self._name, record.topic.kind).inc()
        for name, behind in follower.lag().items():
            SINK_LAG.labels(self._name, name).set(behind)
