"""The work of `orderloom cancel`: appends intents, and prints what is answered to them."""

import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from cli.printable import printable
from cli.setting import checked_settings, registered
from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.answer import IntentAnswer
from orderloom.codec import UnreadableMessage, read
from orderloom.intent import Cancel, CancelAll, Intent
from orderloom.words import IntentOutcome, Product
from runtime.kafka import idempotent_producer, readable_kafka_errors, reader
from runtime.settings import Settings
from runtime.trouble import PassingTrouble, SettingsError

APPEND_SECONDS_MAX: Final = 10.0
ASK_SECONDS_MAX: Final = 10.0
POLL_SECONDS: Final = 0.2
NOT_CLOSED: Final = 1
UNANSWERED: Final = 75
"""Exit status: what becomes of it is not known yet, and asked again by the same key it says."""
STRATEGY: Final = "operator"
OF_THE_RECORD: Final = frozenset({IntentOutcome.EXISTING, IntentOutcome.CONFLICT})
"""Said of one record alone; all other answers are of all that were written under the same key."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one call asked for: orders, or all of `account`, `only` of a product or symbol."""

    orders: tuple[str, ...] = ()
    account: str | None = None
    only: str | None = None
    key: str | None = None
    wait_seconds: float = 30.0
    json: bool = False


@dataclass(slots=True)
class _Asked:
    """The intents of one call, which are all of one account, and where their answers come."""

    account: AccountConfig
    intents: list[Intent]
    offsets: set[int] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    """The keys of those that are not at their end."""
    is_good: bool = True


def run(wish: Wish) -> int:
    """Cancel what is wished; the exit status. Raises SetupError."""
    settings = checked_settings()
    accounts = {one.id: one for one in registered(settings)}
    key = wish.key or uuid.uuid4().hex[:16]
    asked = _asked(wish, key, accounts)
    sys.stderr.write(f"orderloom: key {key}: run it again with --key {key}, nothing is doubled\n")
    with readable_kafka_errors():
        consumer = _reader(settings, asked.account)
        try:
            _append(settings, asked)
            _follow(consumer, asked, wish)
        finally:
            consumer.close()
    if asked.open:
        sys.stderr.write(
            f"orderloom: {len(asked.open)} not at their end after {wish.wait_seconds:g} s; they go "
            f"on: run it again with --key {key} to see where they stand\n"
        )
        return UNANSWERED
    return 0 if asked.is_good else NOT_CLOSED


def _asked(wish: Wish, key: str, accounts: dict[str, AccountConfig]) -> _Asked:
    names = {order.partition("/")[0] for order in wish.orders} | {wish.account} - {None}
    if len(names) != 1:
        raise SettingsError(["name the orders of one account, or an account with --all"])
    (name,) = names
    if name not in accounts:
        known = ", ".join(sorted(accounts)) or "none"
        raise SettingsError([f"no account {name} is registered; registered are: {known}"])
    try:
        intents = list(_intents(wish, str(name), key))
    except ValueError as error:  # pydantic's ValidationError is one
        raise SettingsError([f"it cannot be asked for so: {error}"]) from None
    return _Asked(accounts[str(name)], intents)


def _intents(wish: Wish, account: str, key: str) -> Iterator[Intent]:
    """Raises ValueError."""
    if wish.account is not None:
        product, _, symbol = (wish.only or "").partition("/")
        yield CancelAll(
            account=account,
            strategy=STRATEGY,
            key=key,
            product=Product(product) if product else None,
            symbol=symbol or None,
        )
        return
    for number, order in enumerate(wish.orders):
        one = key if len(wish.orders) == 1 else f"{key}-{number}"
        yield Cancel(account=account, strategy=STRATEGY, key=one, order=order)


def _place(settings: Settings, account: AccountConfig, topic: topology.Topic) -> TopicPartition:
    name = topic.name(account.venue, settings.namespace)
    return TopicPartition(name, account.partition_of(settings.partitions))


def _reader(settings: Settings, account: AccountConfig) -> Consumer:
    """Reads the account's answers from now on: what is answered comes after this."""
    kafka = settings.kafka
    consumer = reader(kafka.bootstrap, committed=True, security=kafka.client_security())
    place = _place(settings, account, topology.ANSWERS)
    _low, place.offset = consumer.get_watermark_offsets(place, timeout=ASK_SECONDS_MAX)
    consumer.assign([place])
    return consumer


def _append(settings: Settings, asked: _Asked) -> None:
    """Append the intents. Raises PassingTrouble where it is not known that one stands."""
    kafka, place = settings.kafka, _place(settings, asked.account, topology.INTENTS)
    limit = {"message.timeout.ms": int(APPEND_SECONDS_MAX * 1_000)}
    producer = idempotent_producer(
        kafka.bootstrap, security=kafka.client_security(), settings=limit
    )
    troubles: list[str] = []

    def taken(error: KafkaError | None, message: Message) -> None:
        offset = message.offset()
        if error is not None or offset is None:
            troubles.append("no place was told" if error is None else error.str())
            return
        asked.offsets.add(offset)

    for intent in asked.intents:
        asked.open.add(intent.key)
        producer.produce(
            place.topic,
            key=intent.account.encode(),
            value=intent.encoded(),
            partition=place.partition,
            on_delivery=taken,
        )
    left = producer.flush(APPEND_SECONDS_MAX + 1)
    if left or troubles:
        why = troubles[0] if troubles else "Kafka did not answer"
        raise PassingTrouble(
            f"it is not known whether the log has it ({why})",
            "run it again with the same --key: nothing is done twice",
        )


def _follow(consumer: Consumer, asked: _Asked, wish: Wish) -> None:
    end = time.monotonic() + wish.wait_seconds
    while asked.open and time.monotonic() < end:
        for answer, value in _answers(consumer):
            if answer.key not in asked.open or answer.strategy != STRATEGY:
                continue  # others' answers stand in the same topic
            if answer.outcome in OF_THE_RECORD and answer.intent not in asked.offsets:
                continue
            _print(answer, value, as_json=wish.json)
            if answer.is_final:
                asked.open.discard(answer.key)
                asked.is_good &= IntentOutcome.CLOSED in (answer.outcome, answer.stands)


def _answers(consumer: Consumer) -> Iterator[tuple[IntentAnswer, bytes]]:
    """Those that came. Raises KafkaException."""
    message = consumer.poll(POLL_SECONDS)
    if message is None:
        return
    error = message.error()
    if error is not None:
        if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  public
            raise KafkaException(error)
        return
    value = message.value() or b""
    try:
        answer = read(topology.ANSWERS, value)
    except UnreadableMessage as unreadable:
        sys.stderr.write(f"orderloom: an answer is passed: {unreadable}\n")
        return
    assert isinstance(answer, IntentAnswer)
    yield answer, value


def _print(answer: IntentAnswer, value: bytes, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(value + b"\n")
        sys.stdout.flush()
        return
    words = [answer.order or answer.account, answer.outcome]
    words += [answer.status] if answer.status else []
    words += [f"{answer.orders} orders"] if answer.orders is not None else []
    words += [f"code {answer.code}"] if answer.code else []
    words += [answer.reason] if answer.reason else []
    sys.stdout.write(printable("  ".join(map(str, words))) + "\n")
    sys.stdout.flush()
