"""One step's transaction: state, outputs, place and commit record, all or nothing."""

import contextlib
import time
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from orderloom.topology import COMMITS, LEDGER
from processors.ledger.log import LedgerLog
from processors.ledger.state import PROOF_KEY
from processors.ledger.step import Output
from processors.ledger.trouble import LedgerFenced, LedgerLost, StepRefused, StepTooSlow

Probe = Callable[[str], None]
"""Told of the named points of a step; tests crash there, benches measure."""

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
Headers = list[tuple[str, str | bytes | None]] | None
FENCED = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001  librdkafka's own errors, which are public
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
    }
)
QUEUE_FULL_SECONDS = 0.05
FLUSH_SECONDS = 0.05


def no_probe(_point: str) -> None:
    """Watch nothing."""


class LedgerWriter:
    """The one writer of a partition of the outputs; closed by whoever initialises it next."""

    def __init__(self, ledger_log: LedgerLog, partition: int, probe: Probe = no_probe) -> None:
        self._settings = ledger_log.settings
        self._names = ledger_log.names
        self._partition = partition
        self._probe = probe
        self._errors: list[KafkaError] = []
        self._producer: Producer = ledger_log.producer(partition, self._delivered)

    def fence(self) -> None:
        """Become the partition's writer: the former one is fenced, its open transaction ended.

        Raises LedgerLost.
        """
        try:
            # Without a broker known yet the search for the coordinator is put off by 500 ms.
            self._producer.list_topics(self._names[LEDGER.kind], self._settings.request_seconds_max)
            self._producer.init_transactions(self._settings.request_seconds_max)
        except KafkaException as error:
            raise LedgerLost(f"cannot initialise: {error.args[0].str()}") from error

    def prove(self) -> None:
        """Prove by a write that changes nothing that we are still the partition's writer.

        Raises LedgerFenced if another is; LedgerLost where that cannot be said.
        """
        self.commit([(PROOF_KEY, None)])

    def commit(
        self,
        state: Iterable[tuple[bytes, bytes | None]],
        outputs: Iterable[Output] = (),
        commit_record: bytes | None = None,
    ) -> None:
        """Write all of it in one transaction.

        Raises StepRefused, StepTooSlow, LedgerLost; after each the log must be loaded anew.
        """
        probe = self._probe if commit_record is not None else no_probe
        began = time.monotonic()
        self._errors.clear()
        try:
            self._begin()
            self._produce(state, outputs, commit_record)
            probe("after-produce")
            self._flush()
            probe("before-commit")
            self._producer.commit_transaction(self._settings.request_seconds_max)
        except KafkaException as error:
            raise self._trouble(error.args[0], time.monotonic() - began) from error
        except SystemError as error:
            # Met where the client is fenced: it raises the fatal error while it reports the failed
            # records to our callback, and Python finds the one exception in the other's place.
            raise LedgerFenced(str(error.__cause__ or error)) from error
        probe("after-commit")

    def close(self) -> None:
        """Drop what is not sent; an open transaction is ended by the next owner."""
        with contextlib.suppress(KafkaException):
            self._producer.purge()

    def _begin(self) -> None:
        self._producer.begin_transaction()

    def _produce(
        self,
        state: Iterable[tuple[bytes, bytes | None]],
        outputs: Iterable[Output],
        commit_record: bytes | None,
    ) -> None:
        ledger, names = self._names[LEDGER.kind], self._names
        for key, value in state:
            self._put(ledger, key, value)
        for output in outputs:
            name = names[output.topic.kind]
            self._put(name, output.key, output.value, list(output.headers) or None)
        if commit_record is not None:
            self._put(names[COMMITS.kind], b"%d" % self._partition, commit_record)

    def _put(
        self,
        name: str,
        key: bytes,
        value: bytes | None,
        headers: Headers = None,
    ) -> None:
        while True:
            try:
                self._producer.produce(name, value, key, self._partition, headers=headers)
            except BufferError:  # the client's queue is full: let it drain
                self._producer.poll(QUEUE_FULL_SECONDS)
                self._raise_errors()
            else:
                return

    def _flush(self) -> None:
        """Wait until all is sent, or one record failed: the others then stay unsent for 10 s."""
        give_up = time.monotonic() + self._settings.request_seconds_max
        while self._producer.flush(FLUSH_SECONDS) and time.monotonic() < give_up:
            self._raise_errors()
        self._raise_errors()

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._errors.append(error)

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
