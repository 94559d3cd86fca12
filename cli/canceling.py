"""The work of `orderloom cancel`: appends intents, and prints what is answered to them."""

import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Consumer

from cli.entering import UNANSWERED, answers_from_now, append, next_answers, show
from cli.setting import checked_settings, registered
from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.intent import Cancel, CancelAll, Intent
from orderloom.words import IntentOutcome, Product
from runtime.kafka import readable_kafka_errors
from runtime.settings import Settings
from runtime.trouble import PassingTrouble, SettingsError

NOT_CLOSED: Final = 1
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
        partition = asked.account.partition_of(settings.partitions)
        consumer = answers_from_now(settings, asked.account.venue, (partition,))
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


def _append(settings: Settings, asked: _Asked) -> None:
    """Append the intents. Raises PassingTrouble where it is not known that one stands."""
    account, partition = asked.account, asked.account.partition_of(settings.partitions)
    records = [(partition, account.id.encode(), one.encoded()) for one in asked.intents]
    for intent in asked.intents:
        asked.open.add(intent.key)
    for appended in append(settings, topology.INTENTS, account.venue, records):
        if appended.offset is None:
            raise PassingTrouble(
                f"it is not known whether the log has it ({appended.why})",
                "run it again with the same --key: nothing is done twice",
            )
        asked.offsets.add(appended.offset)


def _follow(consumer: Consumer, asked: _Asked, wish: Wish) -> None:
    end = time.monotonic() + wish.wait_seconds
    while asked.open and time.monotonic() < end:
        for _, answer, value in next_answers(consumer):
            if answer.key not in asked.open or answer.strategy != STRATEGY:
                continue  # others' answers stand in the same topic
            if answer.outcome in OF_THE_RECORD and answer.intent not in asked.offsets:
                continue
            show(answer, value, as_json=wish.json)
            if answer.is_final:
                asked.open.discard(answer.key)
                asked.is_good &= IntentOutcome.CLOSED in (answer.outcome, answer.stands)
