"""Every topic of Orderloom: its key, what it holds, who writes it, how it is kept, and why.

Pure. No other module spells a topic's name.
A topic's full name is ``<namespace><kind>.<venue>``; all topics of a venue have the same number of
partitions, and all that concerns one account lies in the partition of that number.
"""

from dataclasses import dataclass, field
from typing import Final

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
# A frame of 15 MiB fits in, with its header; larger ones are written as hash, length and head.
RAW_MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
STATE_MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024
PARTITIONS_DEFAULT: Final = 12
PARTITION_KEY: Final = b"venue"
"""Key of records in ``raw`` and ``control`` that concern a whole partition, not one account."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of topic.

    `kind` is the first part of the name, `writers` the processes that may write it, `transactional`
    whether it is written in transactions, `config` its Kafka settings.
    """

    kind: str
    key: str
    holds: str
    writers: tuple[str, ...]
    transactional: bool
    config: dict[str, str] = field(default_factory=dict)

    def name(self, venue: str, namespace: str = "") -> str:
        """The topic's full name at `venue`, under `namespace` (for example ``prod.``)."""
        return f"{namespace}{self.kind}.{venue}"


def _kept(days: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)} | _APPEND_TIME


# The broker's clock, which no writer sets: by it consumers tell a loss from compaction
# (docs/contract.md, rule 4), and the inputs move through time together (decision 0202).
_APPEND_TIME: Final = {"message.timestamp.type": "LogAppendTime"}
_FOR_EVER: Final = {"cleanup.policy": "delete", "retention.ms": "-1"} | _APPEND_TIME
_LARGE: Final = {"max.message.bytes": str(RAW_MESSAGE_BYTES_MAX)}
_STATE: Final = {
    "cleanup.policy": "compact",
    # What is still being written is never compacted: small, as an opening reads all of this topic.
    "segment.bytes": str(16 * 1024 * 1024),
    "min.cleanable.dirty.ratio": "0.2",
    "min.compaction.lag.ms": str(10 * MINUTE_MS),  # what is aborted may have to be written again
    "max.message.bytes": str(STATE_MESSAGE_BYTES_MAX),
} | _APPEND_TIME
# Compacted, but not the last two hours: the topic is stream and snapshot in one.
_VIEW: Final = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": str(2 * HOUR_MS),
    # Who was away for longer must read from empty (docs/contract.md, rule 7).
    "delete.retention.ms": str(7 * DAY_MS),
    # What is still being written is never compacted: a quiet partition closes its file by time.
    "segment.ms": str(6 * HOUR_MS),
} | _APPEND_TIME
_COMPACTED: Final = {"cleanup.policy": "compact"} | _APPEND_TIME

RAW: Final = Topic(
    "raw", "account", "frames, answers, attempts, connection changes, liveness, clock samples",
    ("ingest",), transactional=False, config=_kept(90) | _LARGE,
)  # fmt: skip
INTENTS: Final = Topic(
    "intents", "account", "Submit, Amend, Cancel, CancelAll",
    ("strategy",), transactional=False, config=_FOR_EVER,  # trimmed, nothing can be repaired
)  # fmt: skip
CONTROL: Final = Topic(
    # Not compacted: where two partitions name an account,
    # its earlier entry counts (`runtime/control.py`).
    "control", "account or partition", "kill epochs, rulings, registry and configuration facts",
    ("operator", "topics"), transactional=False, config=_FOR_EVER,
)  # fmt: skip
DISPATCHES: Final = Topic(
    "dispatches", "account", "what ingest shall do, each with a deterministic id",
    ("process",), transactional=True, config=_kept(7),
)  # fmt: skip
COMMANDS: Final = Topic(
    # Apart from questions: a cancel never waits behind them.
    "commands", "account", "what ingest shall send to the venue, each with a deterministic id",
    ("process",), transactional=True, config=_kept(7),
)  # fmt: skip
CLAIMS: Final = Topic(
    # Never compacted: where two records name a command, the first counts.
    "claims", "account or partition", "who may send a command, that nobody may, or that all stops",
    ("ingest", "operator"), transactional=False, config=_kept(90),
)  # fmt: skip
LEDGER: Final = Topic(
    "ledger", "part of state", "the processors' own state and how far each input has been read",
    ("process",), transactional=True, config=_STATE,
)  # fmt: skip
COMMITS: Final = Topic(
    "commits", "partition", "one record per step: input ranges, hashes, clock reading, digests",
    ("process",), transactional=True, config=_kept(90),
)  # fmt: skip
ORDERS: Final = Topic(
    "orders", "order key", "the order: tracks, derived status, version, sequence, cause",
    ("process",), transactional=True, config=_VIEW,
)  # fmt: skip
FILLS: Final = Topic(
    # Not compacted, and keyed by account: a gap is a loss however old it is (decision 0602).
    "fills", "account", "one execution, once: REAL, CORRECTION, BUST",
    ("process",), transactional=True, config=_kept(365),
)  # fmt: skip
POSITIONS: Final = Topic(
    "positions", "account + instrument + side + margin mode", "net, entry, fees, the band",
    ("process",), transactional=True, config=_VIEW,
)  # fmt: skip
ACCOUNTS: Final = Topic(
    "accounts", "account", "stream status, blind intervals, sync state, balances, quarantine",
    ("process",), transactional=True, config=_VIEW,
)  # fmt: skip
INSTRUMENTS: Final = Topic(
    "instruments", "product + symbol", "tick, lot, contract size, units",
    ("process",), transactional=True, config=_COMPACTED,
)  # fmt: skip
ANSWERS: Final = Topic(
    "answers", "account", "what became of each intent: recorded, denied, closed, ...",
    ("process",), transactional=True, config=_kept(90),
)  # fmt: skip
DIFFERENCES: Final = Topic(
    "differences", "account", "what reconciliation found: both sides, evidence, rule, or open",
    ("process",), transactional=True, config=_kept(90),
)  # fmt: skip
DEAD_LETTERS: Final = Topic(
    "dead-letters", "account", "undecodable or unplaceable bytes with reason and offset",
    ("process",), transactional=True, config=_kept(90) | _LARGE,
)  # fmt: skip

TOPICS: Final[tuple[Topic, ...]] = (
    RAW, INTENTS, CONTROL, DISPATCHES, COMMANDS, CLAIMS, LEDGER, COMMITS, ORDERS, FILLS, POSITIONS,
    ACCOUNTS, INSTRUMENTS, DIFFERENCES, ANSWERS, DEAD_LETTERS,
)  # fmt: skip
INPUTS: Final = (CONTROL, CLAIMS, RAW, INTENTS)
"""The processors' inputs, in the fixed order in which a step folds them."""
JOINED: Final = (CLAIMS,)
"""The inputs that joined when logs were there: what was written before says nothing of them."""

# What consumers read; `ledger` and `commits` are the processors' own.
OUTPUTS: Final = tuple(
    topic for topic in TOPICS if topic.writers == ("process",) and topic not in (LEDGER, COMMITS)
)


def acl_table() -> str:
    """Who may write what, as lines of text: one topic a line."""
    return "\n".join(f"{topic.kind:<14} {', '.join(topic.writers)}" for topic in TOPICS)


def murmur2_partition(key: bytes, partitions: int) -> int:
    """The partition that Java's default partitioner gives to `key`."""
    # Java clears the sign's bit and does not negate
    # (org.apache.kafka.common.utils.Utils.toPositive).
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """Murmur2, 32 bit, with Kafka's seed (org.apache.kafka.common.utils.Utils.murmur2)."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    state = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * multiplier & mask
        word = (word ^ (word >> 24)) * multiplier & mask
        state = (state * multiplier & mask) ^ word
    if rest := data[whole:]:
        state = (state ^ int.from_bytes(rest, "little")) * multiplier & mask
    state = (state ^ (state >> 13)) * multiplier & mask
    return state ^ (state >> 15)
