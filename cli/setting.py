"""What the work of several commands begins with: settings, registry, venues, Kafka's trouble."""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from orderloom.account import AccountConfig
from runtime.accounts import load_accounts
from runtime.settings import Settings, VenueSettings, load_settings
from runtime.trouble import SettingsError
from venues import VENUES
from venues.addresses import endpoints_of, misplaced
from venues.venue import Venue

HTTP: Final = ("http://", "https://")
WEBSOCKET: Final = ("ws://", "wss://")


def checked_settings() -> Settings:
    """The settings, what they say of venues held against the venues. Raises SettingsError."""
    settings = load_settings()
    lines: list[str] = []
    for name, given in settings.venues.items():
        if name in VENUES:
            lines += _misfits(VENUES[name], given)
        else:
            lines.append(f"venues.{name} is no venue: {_choice(VENUES)}")
    if lines:
        raise SettingsError(lines)
    return settings


def _misfits(venue: Venue, given: VenueSettings) -> Iterator[str]:
    """What the settings say of products, addresses and rate limits that `venue` does not have."""
    parts = {"rest": (given.rest, HTTP), "stream": (given.stream, WEBSOCKET)}
    for part, (addresses, schemes) in parts.items():
        place = f"venues.{venue.name}.{part}"
        for product, address in addresses.items():
            if product not in venue.products:
                yield f"{place}.{product} is no product: {_choice(venue.products)}"
            if not address.startswith(schemes) or not _host_of(address):
                yield (
                    f"{place}.{product} = {address!r}: write an address that begins with "
                    f"{' or '.join(schemes)}"
                )
    for name in given.limits:
        if name not in venue.buckets:
            yield f"venues.{venue.name}.limits.{name} is no rate limit: {_choice(venue.buckets)}"


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # an unfinished [::1, say
        return None


def _choice(names: Iterable[str]) -> str:
    return f"choose from {', '.join(sorted(names))}"


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
