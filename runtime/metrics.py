"""Every Prometheus metric, with its meaning. No metric's name is spelt anywhere else.

A process exports those that it sets; `runtime/health.py` serves them at `/metrics`.
Labels are few and bounded: venue, account, partition, topic, kinds.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

PREFIX: Final = "orderloom_"
STEP_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
HEAL_SECONDS_BOUNDS: Final = (0.5, 1, 2, 5, 10, 20, 30, 45, 60, 120, 300, 900, 3600)
HOP_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60)


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(PREFIX + name, meaning, labels)


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(PREFIX + name, meaning, labels)


def _histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(PREFIX + name, meaning, labels, buckets=buckets)


# What is known of the accounts.
BLIND = _gauge("blind_intervals", "open blind intervals", "account")
BLIND_SECONDS = _gauge(
    "blind_seconds", "how long ago the oldest open blind interval began (0: none)", "account"
)
CATCHING_UP = _gauge("catching_up", "1 while an account is not in sync", "account")
CYCLE_ASKED = _gauge(
    "round_questions", "questions with which the present or last cycle began", "account", "product"
)
CYCLE_ANSWERED = _gauge(
    "round_answered", "how many of these questions are answered", "account", "product"
)
ORDERS_KNOWN = _gauge("orders_known", "orders in memory, open and ended", "account")
DISPUTED = _gauge("disputed_orders", "orders with evidence that contradicts itself", "account")
DISABLED = _gauge(
    "disabled", "1 while an account is disabled in the registry, or removed from it", "account"
)
QUARANTINED = _gauge("quarantined", "1 while an account is quarantined", "account")
DIFFERENCES = _counter(
    "differences_total",
    "what reconciliation found: healed by an answer, open, or settled later",
    "account",
    "kind",
    "outcome",
)
OPEN_DIFFERENCES = _gauge("open_differences", "differences that stand", "account")
HEAL_SECONDS = _histogram(
    "heal_seconds",
    "from an execution that the stream lost to its record in fills, venue time to step",
    HEAL_SECONDS_BOUNDS,
    "venue",
)
OF_ACCOUNTS: Final = (
    BLIND, BLIND_SECONDS, CATCHING_UP, CYCLE_ASKED, CYCLE_ANSWERED, ORDERS_KNOWN, DISPUTED,
    DISABLED, QUARANTINED, OPEN_DIFFERENCES,
)  # fmt: skip
"""What a worker shows of an account while it has its partition."""

# The log and the ledger.
LAG = _gauge(
    "lag_records", "records between a ledger's next offset and the end", "topic", "partition"
)
GAPS = _counter("gap_records_total", "records that delivery skipped, fetched again", "topic")
REPEATS = _counter("repeat_records_total", "records delivered again, skipped", "topic")
DROPPED = _counter("inbox_dropped_total", "records dropped by a full inbox, read again", "topic")
DEAD_LETTERS = _counter(
    "dead_letters_total", "bytes that were not read or placed", "venue", "reason"
)
OPENINGS = _counter("openings_total", "openings of a ledger", "venue", "partition")
FENCINGS = _counter(
    "fencings_total", "times a ledger was fenced by another owner", "venue", "partition"
)
STOPPED = _gauge("stopped", "1 while a partition is stopped for a person", "venue", "partition")
OPEN = _gauge(
    "partition_open", "1 while a partition's ledger is open at its worker", "venue", "partition"
)
PARTITIONS = _gauge("partitions", "partitions of a venue, whoever has them", "venue")
CLOCK_LEAD = _gauge(
    "clock_lead_seconds",
    "how far the time of a partition's steps is ahead of the clock; its timers are slow meanwhile",
    "venue",
    "partition",
)
HANGING = _counter(
    "hanging_transactions_total",
    "openings that found a transaction which a killed Kafka never ended, and ended it",
    "venue",
    "partition",
)
STEPS = _counter("steps_total", "steps committed", "venue")
STEP_RECORDS = _counter("step_records_total", "input records folded in committed steps", "venue")
STEP_SECONDS_SPENT = _histogram(
    "step_seconds", "from the first record of a step to its commit", STEP_SECONDS, "venue"
)

# What was read.
IGNORED = _counter("ignored_messages_total", "messages ignored by rule", "venue", "rule")
UNKNOWN_FIELDS = _counter(
    "unknown_fields_total", "fields and words that translation did not know", "venue", "name"
)
UNBELIEVED = _counter(
    "unbelieved_records_total",
    "records of raw and control whose key, account, partition, generation or product do not fit",
    "venue",
    "kind",
)
HOP_LATENCY_SECONDS = _histogram(
    "hop_seconds",
    "how long a fact took: venue_to_ingest, ingest_to_log, log_to_step; then see step_seconds",
    HOP_SECONDS,
    "venue",
    "hop",
)

# The edge.
FRAMES = _counter("frames_total", "frames received", "venue", "product")
FRAME_BYTES = _counter("frame_bytes_total", "bytes of frames received", "venue", "product")
QUESTIONS = _counter(
    "questions_total", "questions asked, by what became of them", "venue", "about", "outcome"
)
COMMANDS = _counter(
    "commands_total", "orders' requests to a venue, by what became of them", "venue", "outcome"
)
RECONNECTS = _counter("reconnects_total", "connections made anew, by reason", "venue", "reason")
KEY_REFUSED = _gauge("key_refused", "1 while a venue refuses an account's sign-in", "account")
REGISTRY_UNUSABLE = _gauge(
    "registry_unusable",
    "1 while the registry's file cannot be used and its last good content stays in force",
    "venue",
)
CONNECTED = _gauge("connections_live", "connections that are LIVE", "venue")
PAUSED = _gauge(
    "sockets_paused", "1 while sockets are not read because Kafka is slow or away", "venue"
)
THROTTLED = _counter("throttled_total", "answers that told us to slow down", "venue", "ip_group")
CLOCK_ERROR_SECONDS = _gauge(
    "clock_error_seconds", "the venue's clock less ours, estimated", "venue"
)

# The outside and the processes.
SINK_WRITES = _counter("sink_writes_total", "rows written by a sink", "sink", "topic")
SINK_LAG = _gauge("sink_lag_records", "records between a sink and the end", "sink", "topic")
RESTARTS = _counter("restarts_total", "restarts of a crashed worker", "worker", "error")
CLOCK_JUMPS = _counter("clock_jumps_total", "times the wall clock was set under us")
