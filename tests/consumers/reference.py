"""A consumer of Orderloom's topics, written from docs/contract.md alone: copy it and go on from it.

``python reference.py BOOTSTRAP NAMESPACE FILE [YOUNG_SECONDS]`` keeps orders, fills, positions and
accounts of every venue in a SQLite file until SIGTERM. It needs confluent-kafka and the package
`orderloom`, nothing else of ours. Numbers in comments are the rules of the contract. YOUNG_SECONDS
is rule 4's hour: half of the time that compaction spares, wherever somebody sets that otherwise.

It exits with 0 when told to stop, and with 3 and one line where the contract says: stop.
"""

import json
import re
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection
from confluent_kafka import TopicPartition as Partition
from confluent_kafka.admin import AdminClient

from orderloom import TOPICS, UnreadableMessage, read

HOUR_SECONDS: Final = 3600.0
TOMBSTONES_SECONDS: Final = 7 * 24 * HOUR_SECONDS
EPOCH_END: Final = 1_000_000
SEQUENCE_END: Final = 1 << 63
ASK_SECONDS: Final = 10.0
LOOK_AGAIN_SECONDS: Final = 10.0
BATCH: Final = 50  # records of one SQLite transaction
KINDS: Final = {topic.kind: topic for topic in TOPICS}
VIEWS: Final = ("orders", "positions", "accounts")  # compacted: the newest record of each key
FOLLOWED: Final = (*VIEWS, "fills")
TABLES: Final = """
CREATE TABLE IF NOT EXISTS topics (topic TEXT PRIMARY KEY, id TEXT);
CREATE TABLE IF NOT EXISTS places
    (topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY (topic, partition));
CREATE TABLE IF NOT EXISTS numbers
    (topic TEXT, account TEXT, epoch INTEGER, sequence INTEGER, PRIMARY KEY (topic, account));
CREATE TABLE IF NOT EXISTS contents
    (topic TEXT, key TEXT, account TEXT, epoch INTEGER, version INTEGER, document TEXT,
     PRIMARY KEY (topic, key));
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, count INTEGER);
CREATE TABLE IF NOT EXISTS at_end (one INTEGER PRIMARY KEY, seconds REAL);
"""


class Stop(Exception):
    """What the contract says to stop at; a person must look."""


class Number(NamedTuple):
    """A record's place among those of its account and topic; compared in this order."""

    epoch: int
    sequence: int


@dataclass(frozen=True)
class Row:
    """One record, read; `document` None is a tombstone (rule 6).

    `is_cut`: its partition does not begin at offset 0, so retention cut something off (rule 4).
    """

    topic: str
    key: str
    account: str
    number: Number
    version: int | None
    document: dict[str, Any] | None
    age_seconds: float
    is_cut: bool

    @property
    def kind(self) -> str:
        return kind_of(self.topic)


def kind_of(topic: str) -> str:
    """The kind in a topic's full name, ``<namespace><kind>.<venue>``."""
    return topic.rpartition(".")[0].rpartition(".")[2]


def row_of(message: Message, *, is_cut: bool) -> Row:
    """A record's key, numbers and content. Raises Stop for what cannot be read (rule 10)."""
    topic, value = str(message.topic()), message.value()
    try:
        key = (message.key() or b"").decode()
        if value is None:
            document, said = None, _headers(message)
        else:
            read(KINDS[kind_of(topic)], value)
            document = said = json.loads(value)
        number = number_of(said)
        account, version = said["account"], said.get("version")
    except (UnreadableMessage, ValueError, KeyError) as error:
        raise Stop(f"{topic} offset {message.offset()} cannot be read: {error}") from None
    if document is not None and "execution_key" in document:
        key = f"{account}/{document['execution_key']}"
    age = time.time() - message.timestamp()[1] / 1000
    return Row(topic, key, account, number, version, document, age, is_cut)


def number_of(said: dict[str, Any]) -> Number:
    """Its place (rule 2). Raises ValueError for what no ledger wrote: all after it would repeat."""
    epoch, sequence = said["epoch"], said["sequence"]
    if type(epoch) is not int or type(sequence) is not int:
        raise ValueError(f"numbers that are none: {epoch!r}, {sequence!r}")
    if not (0 <= epoch < EPOCH_END and 0 < sequence < SEQUENCE_END):  # 5
        raise ValueError(f"epoch {epoch}, sequence {sequence}")
    return Number(epoch, sequence)


def _headers(message: Message) -> dict[str, Any]:
    return {
        name: json.loads(value or b"null") for name, value in dict(message.headers() or ()).items()
    }


class Store:
    """What was made of the records and how far they reach, changed together (rule 8)."""

    def __init__(self, path: Path, young_seconds: float = HOUR_SECONDS) -> None:
        self._db = sqlite3.connect(path)
        self._db.executescript(TABLES)
        self._young_seconds = young_seconds

    def close(self) -> None:
        self._db.close()

    def take(self, rows: list[Row], places: dict[tuple[str, int], int], *, is_at_end: bool) -> None:
        """One batch: all of it or nothing. Raises Stop at a loss."""
        with self._db:
            for row in rows:
                self._take(row)
            self._db.executemany(
                "INSERT OR REPLACE INTO places VALUES (?, ?, ?)",
                [(*place, offset) for place, offset in places.items()],
            )
            if is_at_end:
                self._db.execute("INSERT OR REPLACE INTO at_end VALUES (1, ?)", (time.time(),))

    def _take(self, row: Row) -> None:
        series = (row.topic, row.account)
        find = "SELECT epoch, sequence FROM numbers WHERE topic = ? AND account = ?"
        found = self._db.execute(find, series).fetchone()
        last = Number(*found) if found else None
        if last is not None and row.number <= last:  # 3
            self._count("repeats")
            return
        is_new_epoch = last is not None and row.number.epoch > last.epoch
        if row.number.sequence != (1 if last is None or is_new_epoch else last.sequence + 1):
            self._gap(row, last)
        if is_new_epoch and row.kind in VIEWS:  # 5
            drop = "DELETE FROM contents WHERE topic = ? AND account = ? AND epoch < ?"
            self._db.execute(drop, (*series, row.number.epoch))
        self._db.execute("INSERT OR REPLACE INTO numbers VALUES (?, ?, ?, ?)", series + row.number)
        self._count("records")
        self._keep(row)

    def _gap(self, row: Row, last: Number | None) -> None:
        """Rule 4: compaction, what retention cut off, or a loss."""
        is_young = row.age_seconds < self._young_seconds
        is_loss = is_young if row.kind in VIEWS else last is not None or not row.is_cut
        if is_loss:
            raise Stop(f"records are missing in {row.topic}: {last}, then {row.number}")
        self._count("compacted")

    def _keep(self, row: Row) -> None:
        find = "SELECT epoch, version, document FROM contents WHERE topic = ? AND key = ?"
        before = self._db.execute(find, (row.topic, row.key)).fetchone()
        if row.document is None:  # 6
            forget = "DELETE FROM contents WHERE topic = ? AND key = ?"
            self._db.execute(forget, (row.topic, row.key))
            return
        if before and row.kind in VIEWS:  # 2
            is_rising = (before[0], before[1]) < (row.number.epoch, row.version)
            self._count("versions not rising", 0 if is_rising else 1)
        if before and row.document.get("kind") == "REAL" and before[0] == row.number.epoch:
            # One that was taken back may come again: it counts once all the same.
            was_busted = json.loads(before[2]).get("kind") == "BUST"
            self._count("executions published twice", 0 if was_busted else 1)
        document = json.dumps(row.document, sort_keys=True)
        numbers = (row.account, row.number.epoch, row.version)
        self._db.execute(
            "INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?, ?, ?)",
            (row.topic, row.key, *numbers, document),
        )

    def _count(self, name: str, more: int = 1) -> None:
        self._db.execute("INSERT OR IGNORE INTO counts VALUES (?, 0)", (name,))
        self._db.execute("UPDATE counts SET count = count + ? WHERE name = ?", (more, name))

    def counts(self) -> dict[str, int]:
        """What was counted, over all runs."""
        return dict(self._db.execute("SELECT name, count FROM counts"))

    def places(self) -> dict[tuple[str, int], int]:
        """The next offset of each partition."""
        rows = self._db.execute("SELECT topic, partition, next FROM places")
        return {(topic, partition): offset for topic, partition, offset in rows}

    def documents(self, *kinds: str) -> dict[tuple[str, str], str]:
        """By topic and key, what stands in the tables of these kinds."""
        rows = self._db.execute("SELECT topic, key, document FROM contents")
        return {(topic, key): text for topic, key, text in rows if kind_of(topic) in kinds}

    def check_ids(self, ids: dict[str, str]) -> None:
        """Rule 9: a topic with another id is another log. Raises Stop."""
        with self._db:
            for topic, new in ids.items():
                self._db.execute("INSERT OR IGNORE INTO topics VALUES (?, ?)", (topic, new))
        before = dict(self._db.execute("SELECT topic, id FROM topics"))
        if changed := [topic for topic in ids if before[topic] != ids[topic]]:
            raise Stop(f"{', '.join(changed)}: deleted and made again")

    def forget_stale_views(self) -> None:
        """Rule 7: after too long an absence, the compacted topics are read from empty."""
        found = self._db.execute("SELECT seconds FROM at_end").fetchone()
        if not found or time.time() - found[0] <= TOMBSTONES_SECONDS:
            return
        with self._db:
            for (topic,) in self._db.execute("SELECT topic FROM topics").fetchall():
                if kind_of(topic) in VIEWS:
                    for table in ("contents", "numbers", "places"):
                        self._db.execute(f"DELETE FROM {table} WHERE topic = ?", (topic,))


def digest(documents: dict[tuple[str, str], str]) -> str:
    """One text for a set of documents: equal if and only if they are."""
    return sha256(json.dumps(sorted(documents.items())).encode()).hexdigest()


class Reader:
    """The Kafka side: which topics, from where, and what comes."""

    def __init__(self, bootstrap: str, namespace: str, store: Store) -> None:
        self._store = store
        self._wanted = re.compile(rf"{re.escape(namespace)}({'|'.join(FOLLOWED)})\.[a-z0-9-]+")
        self._admin = AdminClient({"bootstrap.servers": bootstrap})
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "none",  # the client wants a name; offsets are the store's, no group's
                "enable.auto.commit": False,
                "isolation.level": "read_committed",  # 1
                "auto.offset.reset": "error",  # 9
                "enable.partition.eof": True,
            }
        )
        self._cut: set[tuple[str, int]] = set()
        self._ended: set[tuple[str, int]] = set()
        self._places: set[tuple[str, int]] = set()

    def start(self) -> None:
        """Assign every partition at its place, or at its beginning. Raises Stop (rule 9)."""
        known = self._admin.list_topics(timeout=ASK_SECONDS).topics
        topics = {name: known[name] for name in known if self._wanted.fullmatch(name)}
        if not topics:
            raise Stop("there is no topic to follow")
        self._names = sorted(topics)
        self.look_again()
        self._store.forget_stale_views()
        kept = self._store.places()
        self._places = {(name, number) for name in topics for number in topics[name].partitions}
        starts = [Partition(*place, self._from(place, kept)) for place in sorted(self._places)]
        self._consumer.assign(starts)

    def _from(self, place: tuple[str, int], kept: dict[tuple[str, int], int]) -> int:
        begin, end = self._consumer.get_watermark_offsets(Partition(*place), ASK_SECONDS)
        at = kept.get(place, begin)
        if begin > 0:
            self._cut.add(place)
        if not begin <= at <= end:
            raise Stop(f"{place} holds offsets {begin} to {end}, and {at} comes next")
        return int(at)

    def look_again(self) -> None:
        """Whether the topics are still the same. Raises Stop."""
        futures = self._admin.describe_topics(TopicCollection(self._names))
        self._store.check_ids({name: str(one.result().topic_id) for name, one in futures.items()})

    def follow(self, stopping: Event) -> None:
        """Take what comes until told to stop. Raises Stop, KafkaException."""
        looked = time.monotonic()
        while not stopping.is_set():
            places: dict[tuple[str, int], int] = {}
            rows = list(self._rows(places))
            is_time_to_look = time.monotonic() - looked > LOOK_AGAIN_SECONDS
            if places or is_time_to_look:
                is_at_end = self._ended >= self._places
                self._store.take(rows, places, is_at_end=is_at_end)
            if is_time_to_look:
                looked = time.monotonic()
                with suppress(KafkaException):  # Kafka is away: then at the next look
                    self.look_again()
        self._consumer.close()

    def _rows(self, places: dict[tuple[str, int], int]) -> Iterator[Row]:
        for message in self._consumer.consume(BATCH, 0.2):
            place = (str(message.topic()), int(message.partition() or 0))
            error = message.error()
            if error is None:
                self._ended.discard(place)
                places[place] = int(message.offset() or 0) + 1
                yield row_of(message, is_cut=place in self._cut)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._ended.add(place)
                places[place] = int(message.offset() or 0)
            elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                raise Stop(f"{place} no longer holds what comes next")
            elif error.fatal() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise KafkaException(error)  # all else mends itself: the client tries again


def main(bootstrap: str, namespace: str, file: str, young_seconds: str = str(HOUR_SECONDS)) -> int:
    stopping = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with closing(Store(Path(file), float(young_seconds))) as store:
        try:
            reader = Reader(bootstrap, namespace, store)
            reader.start()
            reader.follow(stopping)
        except Stop as reason:
            print(reason, file=sys.stderr)
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
