"""What tests share: one broker for the whole run, and names that do not collide on it."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings

from runtime.broker import EmbeddedBroker

# A broker of tests lives for seconds or minutes: to compile its code thoroughly costs more than it
# brings (15 s of CPU where 8 do, for a start and a little work). Only what `java` itself reads.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# After a kill the controller keeps the old broker's place for this long (9 s by default).
FORGETFUL = {"broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "300"}

# The machine may be busy: how long one example takes says nothing of our code.
settings.register_profile(
    "patient", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


@dataclass(frozen=True)
class RunningBroker:
    """A Kafka that answers; `bootstrap` is its `host:port`."""

    bootstrap: str


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """The broker of this run: `ORDERLOOM_TEST_BROKER=host:port` if given, else one of our own.

    Shared by all tests: one that stops or kills a broker starts its own EmbeddedBroker.
    """
    if given := os.environ.get("ORDERLOOM_TEST_BROKER"):
        yield RunningBroker(given)
        return
    with EmbeddedBroker(tmp_path_factory.mktemp("broker"), report=print) as started:
        yield RunningBroker(started.bootstrap)


@pytest.fixture
def namespace() -> str:
    """A prefix of topics, groups and transactional ids that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of this run's random choices: `ORDERLOOM_TEST_SEED`, else 1."""
    return int(os.environ.get("ORDERLOOM_TEST_SEED", "1"))


@pytest.fixture(scope="session")
def is_soak() -> bool:
    """Whether this run may take hours: `ORDERLOOM_TEST_SOAK` is set (`make soak`)."""
    return bool(os.environ.get("ORDERLOOM_TEST_SOAK"))
