"""What the work of several commands begins with: settings, registry, venues, Kafka's trouble."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

from orderloom.account import AccountConfig
from runtime.accounts import load_accounts
from runtime.settings import Settings
from runtime.trouble import PassingTrouble, SettingsError
from venues import VENUES
from venues.addresses import endpoints_of, misplaced


def registered(settings: Settings) -> tuple[AccountConfig, ...]:
    """The accounts, checked against the known venues. Raises SettingsError."""
    return load_accounts(settings.accounts_file, partitions=settings.partitions, venues=VENUES)


def placed(settings: Settings) -> tuple[AccountConfig, ...]:
    """The accounts, each with products and an environment that its venue has.

    Raises SettingsError: `control` keeps an entry for ever, so none with a mistake may go there.
    """
    accounts = registered(settings)
    lines = []
    for account in accounts:
        venue, given = VENUES[account.venue], settings.venue(account.venue)
        found = endpoints_of(venue, account.environment, given.rest, given.stream)
        lines += [f"account {account.id}: {line}" for line in misplaced(account, venue, found)]
    if lines:
        raise SettingsError([f"{settings.accounts_file}: {line}" for line in lines])
    return accounts


def venues_of(settings: Settings, given: list[str] | None = None) -> list[str]:
    """The venues that a command is about: those given, else all that are configured.

    Raises SettingsError where there are none.
    """
    if given:
        return given
    configured = {account.venue for account in registered(settings)} | set(settings.venues)
    if not configured:
        line = f"no venue is configured: register an account in {settings.accounts_file}"
        raise SettingsError([line])
    return sorted(configured)


@contextmanager
def kafka_told() -> Iterator[None]:
    """What Kafka refuses or does not answer becomes one line with the next step."""
    try:
        yield
    except KafkaException as error:
        reason = error.args[0]
        words = reason.str() if isinstance(reason, KafkaError) else str(reason)
        raise PassingTrouble(f"Kafka: {words}", "see `orderloom doctor`, then try again") from error
