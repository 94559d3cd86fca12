"""Where an account is reached: its environment's addresses, and what the settings replace. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from orderloom.account import AccountConfig
from venues.request import Endpoints
from venues.venue import Venue

NOWHERE = Endpoints({}, {})


def endpoints_of(
    venue: Venue, environment: str, rest: Mapping[str, str], stream: Mapping[str, str]
) -> Endpoints:
    """The addresses of `environment`; those of `rest` and `stream`, by product, in their place.

    An environment that the venue does not have has only the addresses that are given.
    """
    known = venue.environments.get(environment, NOWHERE)
    # The headers are the environment's and not the address's: demo stays demo behind another host.
    given = replace(known, rest={**known.rest, **rest}, stream={**known.stream, **stream})
    # Whoever has named another place for the sockets does not mean the venue's own servers.
    return replace(given, servers=frozenset()) if stream else given


def misplaced(account: AccountConfig, venue: Venue, endpoints: Endpoints) -> Iterator[str]:
    """A line for each product that is none of the venue's, or that is nowhere at `endpoints`."""
    for product in account.products:
        if product not in endpoints.products:
            offering = [name for name, one in venue.environments.items() if product in one.products]
            yield (
                f"{product} has no address in environment {account.environment}: choose one of "
                f"{', '.join(sorted(offering or venue.environments))}, or set "
                f"venues.{venue.name}.rest and .stream"
            )
    if venue.key_groups and not any(set(account.products) <= group for group in venue.key_groups):
        groups = " or ".join(", ".join(sorted(group)) for group in venue.key_groups)
        yield f"one key of {venue.name} opens {groups}: make an account of each"
    for product in dict.fromkeys([*account.products, *account.symbols]):
        if product not in venue.products:
            choice = f"choose from {', '.join(venue.products)}"
            yield f"{product} is no product of {venue.name}: {choice}"
