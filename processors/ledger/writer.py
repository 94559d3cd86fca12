"""One step's transaction: state, outputs, place and commit record, all or nothing.

Two transactional ids take turns by the transaction's number, since Kafka lets an id begin the next
only when all markers of its last are written, and the client then waits 20 ms. Three rules keep
that from being two owners (docs/decisions/0211 proves it):
- whoever opens initialises both ids, in this order, and only then reads;
- the first transaction of a life has an even number, so it is the first id's: if nobody has
  initialised that one since, nobody but us can have written since we initialised the second;
- a transaction is committed when all of the one before it is shown (former.py).
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from orderloom.topology import COMMITS, LEDGER, Topic
from processors.ledger.former import UNREPORTED, FormerTransaction
from processors.ledger.log import Delivered, LedgerLog
from processors.ledger.mark import MARK, MARK_BITS, Mark, Run
from processors.ledger.state import PROOF_KEY
from processors.ledger.step import Output
from processors.ledger.trouble import LedgerFenced, LedgerLost, StepRefused, StepTooSlow

Probe = Callable[[str], None]
"""Called at the named points of a step; tests crash there, benches measure."""

# What the broker says of a record itself. It would say it again, so whoever made the record is to
# blame; all other errors are of the cluster or the network.
REFUSALS = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
    }
)
Headers = Sequence[tuple[str, bytes]] | None
FENCED = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001  librdkafka's own errors, which are public
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
    }
)
QUEUE_FULL_SECONDS = 0.05
FLUSH_SECONDS = 0.05
TURNS = 2
HIDDEN_SHARE_MAX = 0.8
"""Of the time that a transaction may last: so long it waits until the former one is shown."""


def no_probe(_point: str) -> None:
    """Watch nothing."""


class LedgerWriter:
    """The one writer of a partition of the outputs; closed by whoever initialises it next.

    It begins a transaction only after the commit before it returned: that is evidence (mark.py).
    After a failure, of either id, it writes nothing more.

    Nothing here asks the client while an exception is handled: the error that it raises then keeps
    that exception, its frames and with them this writer for good (confluent-kafka 2.16, measured).
    """

    def __init__(self, ledger_log: LedgerLog, partition: int, probe: Probe = no_probe) -> None:
        self._log = ledger_log
        self._settings = ledger_log.settings
        self._names = ledger_log.names
        self._partition = partition
        self._hidden_seconds_max = self._settings.transaction_timeout_ms / 1000 * HIDDEN_SHARE_MAX
        self._probe = probe
        self._life = self._number = 0
        self._is_over = False
        # The client must not lead back to us: in a cycle it would live until the collector comes.
        self._errors, self._ends = list[KafkaError](), dict[str, int]()
        delivered = _noting(self._errors, self._ends)
        self._producers: list[Producer] = [
            ledger_log.producer(partition, turn, delivered) for turn in range(TURNS)
        ]
        self._former = FormerTransaction(ledger_log, partition)

    def fence(self) -> None:
        """Become the partition's writer: the former one is fenced, its open transaction ended.

        Raises LedgerLost.
        """
        first, second = self._producers
        try:
            self._initialise(first)
            self._probe("between-ids")
            self._initialise(second)
        except KafkaException as error:
            raise LedgerLost(f"cannot initialise: {error.args[0].str()}") from error

    def _initialise(self, producer: Producer) -> None:
        seconds = self._settings.request_seconds_max
        # Without a broker known yet the search for the coordinator is put off by 500 ms.
        producer.list_topics(self._names[LEDGER.kind], seconds)
        producer.init_transactions(seconds)

    def begin_life(self, highest: int) -> None:
        """The next transaction has the first even number above all that stand in the topics."""
        self._number = max(highest, self._number)
        # An odd one: `_transact` counts up before it writes, so the first of the life is even.
        self._number += 1 - self._number % TURNS
        self._life = _new_life()
        self._former.forget()

    def prove(self) -> None:
        """Prove by a write that nobody is shown that we are still the partition's writer.

        It is aborted: a committed one would stand above what hangs or is lost in the ledger's own
        topic, and the next opening would take that for settled long ago. Nothing is written after
        it. Raises LedgerFenced if another is the writer; LedgerLost where that cannot be said.
        """

        def write(mark: Mark) -> None:
            self._put(self._names[LEDGER.kind], PROOF_KEY, None, [(MARK, mark.encoded())])
            self._flush()
            self._abort()

        self._transact(write)
        # A later number of this life would be evidence that the aborted one was committed
        # (mark.py).
        self._is_over = True

    def wait_until_shown(self) -> None:
        """Wait until readers are shown the last commit: nothing takes it back then.

        Raises LedgerLost where that takes too long, KafkaException.
        """
        self._former.find_ends()
        self._former.wait_until_shown(self._hidden_seconds_max)

    def commit(
        self,
        state: Iterable[tuple[bytes, bytes | None]],
        outputs: Sequence[Output] = (),
        commit_record: bytes | None = None,
    ) -> None:
        """Write all of it in one transaction.

        Raises StepRefused, StepTooSlow, LedgerLost; after each the log must be loaded anew.
        """
        # A note or an attempt is no step, and has none of its points.
        probe = self._probe if commit_record is not None else no_probe

        def write(mark: Mark) -> None:
            self._produce(list(state), outputs, commit_record, mark)
            probe("after-produce")
            self._flush_behind_former()
            probe("before-commit")
            self._commit()

        self._transact(write)
        probe("after-commit")

    def cover(self, topics: Iterable[Topic]) -> None:
        """Write a record into each of these topics and abort: whatever hangs there ends with it.

        Once by each id, since an abort ends what is of its id. What is not sent yet is not covered
        by it: it waits until all stand in the log. A life begins after it: what is written here is
        of none that goes on, or the second would be evidence of the first. Raises as `commit`.
        """

        def write(mark: Mark) -> None:
            for topic in covered:
                self._put(self._names[topic.kind], PROOF_KEY, None, [(MARK, mark.encoded())])
            self._flush()
            self._abort()

        covered = list(topics)
        for _ in self._producers:
            self._life = _new_life()
            self._transact(write)

    def write_again(self, hidden: Iterable[tuple[Topic, Run]]) -> None:
        """Write these records again, in this order; raises as `commit`."""

        def write(mark: Mark) -> None:
            for topic, run in hidden:
                count = len(run.records)
                # The number that they had at first: by it an opening after this one knows that they
                # are the same, and writes them once (decision 0207).
                again = MARK, replace(mark, count=count, again=run.mark.origin).encoded()
                for place, record in enumerate(run.records):
                    headers = [*record.others, again] if place in (0, count - 1) else record.others
                    self._put(self._names[topic.kind], record.key, record.value, headers)
            self._flush_behind_former()
            self._commit()

        self._transact(write)

    def close(self) -> None:
        """Drop what is not sent. An open transaction is ended, or else by the next owner."""
        for producer in self._producers:
            with contextlib.suppress(KafkaException):
                producer.purge()
        if self._is_over:
            self._log.retire(self._producer)

    @property
    def next_number(self) -> int:
        """The number of the transaction that is made next."""
        return self._number + 1

    @property
    def _producer(self) -> Producer:
        """That of the transaction that was begun last."""
        return self._producers[self._number % TURNS]

    def _transact(self, write: Callable[[Mark], None]) -> None:
        """Let `write` make and end the next transaction; raises what its failures mean."""
        assert self._life > 0, "a writer writes nothing before what hangs is settled"
        if self._is_over:
            raise LedgerLost("a transaction failed, and this writer writes no other")
        # Until it has ended well: whatever breaks it off, nothing is written after it.
        self._is_over = True
        self._number += 1
        began = time.monotonic()
        self._errors.clear()
        self._ends.clear()
        try:
            self._former.find_ends()
            self._begin()
            write(Mark(self._number, self._life))
        except KafkaException as failure:
            error: KafkaError = failure.args[0]
        except SystemError as failure:
            # Met where the client is fenced: it raises the fatal error while it reports the failed
            # records to our callback, and Python finds the one exception in the other's place.
            raise LedgerFenced(str(failure.__cause__ or failure)) from None
        else:
            self._is_over = False
            return
        raise self._trouble(error, time.monotonic() - began)  # which asks the client: not above

    def _begin(self) -> None:
        self._producer.begin_transaction()

    def _flush_behind_former(self) -> None:
        """Wait until all is sent, and until readers are shown all of the former transaction."""
        # In this order: while the client still sends, the former one is often not shown yet, and
        # each look costs a request (decision 0211).
        self._flush()
        self._former.wait_until_shown(self._hidden_seconds_max)

    def _commit(self) -> None:
        self._producer.commit_transaction(self._settings.request_seconds_max)
        self._former.is_committed(self._ends)

    def _abort(self) -> None:
        self._producer.abort_transaction(self._settings.request_seconds_max)

    def _produce(
        self,
        state: Sequence[tuple[bytes, bytes | None]],
        outputs: Sequence[Output],
        commit_record: bytes | None,
        mark: Mark,
    ) -> None:
        """The first and the last record in each topic bear the mark."""
        ledger, names = self._names[LEDGER.kind], self._names
        assert state, "each transaction of a life writes into the ledger's own topic"
        header = MARK, replace(mark, count=len(state)).encoded()
        for place, (key, value) in enumerate(state):
            self._put(ledger, key, value, [header] if place in (0, len(state) - 1) else None)
        marks = _marks(outputs, mark)
        for place, output in enumerate(outputs):
            headers = [*output.headers, *marks.get(place, ())]
            self._put(names[output.topic.kind], output.key, output.value, headers)
        if commit_record is not None:
            header = MARK, mark.encoded()
            self._put(names[COMMITS.kind], b"%d" % self._partition, commit_record, [header])

    def _put(
        self,
        name: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = None,
    ) -> None:
        while True:
            try:
                self._producer.produce(
                    name, value, key, self._partition, headers=list(headers or ()) or None
                )
            except BufferError:  # the client's queue is full: let it drain
                self._producer.poll(QUEUE_FULL_SECONDS)
                self._raise_errors()
            else:
                return

    def _flush(self) -> None:
        """Wait until all is sent, or one record failed: the others then stay unsent for 10 s."""
        give_up = time.monotonic() + self._settings.request_seconds_max
        while self._producer.flush(FLUSH_SECONDS):
            self._raise_errors()
            # Nothing is ended that the broker may not have: an abort of it would prove nothing.
            if time.monotonic() > give_up:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  public
        self._raise_errors()

    def _raise_errors(self) -> None:
        """The first refusal if there is one: what was behind it fails too, as a consequence."""
        if self._errors:
            refusals = [error for error in self._errors if error.code() in REFUSALS]
            raise KafkaException((refusals or self._errors)[0])

    def _trouble(self, error: KafkaError, seconds: float) -> LedgerLost:
        # The records before this one may have failed, and nobody has heard of it yet: the client
        # then refuses all others ("Erroneous state"). A fenced client says once more that it is.
        with contextlib.suppress(KafkaException, SystemError):
            self._producer.poll(0)
        refused = [met for met in (error, *self._errors) if met.code() in REFUSALS]
        if refused:
            return StepRefused(refused[0].str())
        # A transaction that the broker timed out shows as fenced: its epoch was raised.
        if seconds * 1000 >= self._settings.transaction_timeout_ms * 0.9:
            return StepTooSlow(f"after {seconds:.1f} s: {error.str()}")
        return (LedgerFenced if error.code() in FENCED else LedgerLost)(error.str())


def _noting(errors: list[KafkaError], ends: dict[str, int]) -> Delivered:
    """Notes why records failed, and where what was written ends, by the topic's name."""

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error:
            errors.append(error)
            return
        offset = message.offset()
        # Kafka does not say it of what it finds that it had already taken.
        ends[message.topic() or ""] = UNREPORTED if offset is None or offset < 0 else offset + 1

    return delivered


def _new_life() -> int:
    # Never 0, by which a writer is known that has no life yet.
    return secrets.randbits(MARK_BITS) | 1


def _marks(outputs: Sequence[Output], mark: Mark) -> dict[int, list[tuple[str, bytes]]]:
    """The header of the first and of the last output of each topic, by their places."""
    places: dict[str, list[int]] = {}
    for place, output in enumerate(outputs):
        places.setdefault(output.topic.kind, []).append(place)
    return {
        place: [(MARK, replace(mark, count=len(at)).encoded())]
        for at in places.values()
        for place in (at[0], at[-1])
    }
