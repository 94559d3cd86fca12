"""Wires a `process` worker: settings, topics, the fold that its ledgers are handed."""

import json
import logging
from dataclasses import asdict, replace
from hashlib import blake2b
from typing import Any, Final

from confluent_kafka import KafkaException

from cli.registry import specs_of
from processors.account.pace import Pace
from processors.configuration import configuration_of
from processors.fold_version import fold_version
from processors.ledger.settings import LedgerSettings, StepBounds
from processors.measured import MeasuredFold
from processors.worker import Parts, WorkerCrashed, run
from runtime.health import Health, HealthServer
from runtime.kafka import connected_admin
from runtime.kafka_causes import CAUSES
from runtime.settings import Settings, VenueSettings
from runtime.supervise_process import count_former_restarts
from runtime.topics import require_topics
from venues import VENUES
from venues.venue import Profiles, Venue

CRASHED: Final = 1
FORMAT: Final = "1"
"""Of what the digest is over: another one makes it another configuration."""
SECOND_NS: Final = 1_000_000_000
MS_NS: Final = 1_000_000

_log = logging.getLogger(__name__)


def run_once(settings: Settings, name: str) -> int:
    """One life of a worker; its exit status. Raises SetupError."""
    venue = venue_as_set(VENUES[name], settings.venue(name))
    pace = pace_of(settings.venue(name))
    kafka = settings.kafka
    count_former_restarts(f"process {name}")

    def make_state(partition: int) -> MeasuredFold:
        return MeasuredFold(venue, partition, pace, settings.namespace, fold_version())

    health = Health()
    health.report("kafka", f"Kafka has not answered yet at {kafka.bootstrap}")
    try:
        with HealthServer(health, settings.http.host, settings.http.port) as server:
            _log.info("process %s, health at %s", name, server.address)
            admin = connected_admin(kafka.bootstrap, kafka.client_security())
            require_topics(admin, specs_of(settings, name))
            run(ledger_settings(settings, venue, pace), Parts(make_state), health)
    except (WorkerCrashed, KafkaException) as error:
        words = CAUSES.words_of(error) if isinstance(error, KafkaException) else str(error)
        _log.error("process %s crashed: %s", name, words, exc_info=error)
        return CRASHED
    return 0


def venue_as_set(venue: Venue, given: VenueSettings) -> Venue:
    """The venue with what the settings replace in its profile."""
    changed: dict[str, Any] = {}
    if given.grace_ms is not None:
        changed["grace_ns"] = given.grace_ms * MS_NS
    if given.visibility_lag_ms is not None:
        changed["visibility_lag_ns"] = given.visibility_lag_ms * MS_NS
    profiles = {name: replace(profile, **changed) for name, profile in venue.profiles.items()}
    return replace(venue, profiles=profiles)


def pace_of(given: VenueSettings) -> Pace:
    """How reconciliation is paced."""
    return Pace(period_ns=round(given.reconcile_seconds * SECOND_NS))


def ledger_settings(settings: Settings, venue: Venue, pace: Pace) -> LedgerSettings:
    """The ledgers' settings."""
    given = settings.process
    return LedgerSettings(
        bootstrap=settings.kafka.bootstrap,
        venue=venue.name,
        namespace=settings.namespace,
        client=settings.kafka.client_security(),
        config_digest=config_digest(venue.profiles, pace),
        configuration=configuration_of(venue, pace, settings.namespace),
        step=StepBounds(given.step_messages_max, given.step_bytes_max, given.step_ms_max / 1000),
        session_seconds=given.session_ms / 1000,
        inbox_records_max=given.inbox_records_max,
    )


def config_digest(profiles: Profiles, pace: Pace) -> str:
    """Names the configuration that the fold runs with: the same digest, the same outputs."""
    by_product = {product: asdict(profile) for product, profile in profiles.items()}
    document = {"fold": FORMAT, "pace": asdict(pace), "profiles": by_product}
    # Sets have no order of their own: unsorted, each process would name another configuration.
    text = json.dumps(document, sort_keys=True, default=_sorted)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _sorted(members: frozenset[object]) -> list[str]:
    return sorted(str(sorted(one)) if isinstance(one, frozenset) else str(one) for one in members)
