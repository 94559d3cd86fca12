"""Where an account is reached, and what is said of a product that is nowhere."""

from ingest.http import is_named
from orderloom.account import AccountConfig
from tests.third_venue.dusk import DUSK
from venues.addresses import endpoints_of, misplaced
from venues.request import Endpoints


def lines(products: tuple[str, ...], environment: str) -> list[str]:
    account = AccountConfig(
        id="dusk:day", products=products, key="file:k", environment=environment, partition=0
    )
    return list(misplaced(account, DUSK, endpoints_of(DUSK, environment, {}, {})))


def test_a_product_that_an_environment_lacks_is_named_with_those_that_offer_it() -> None:
    assert not lines(("linear",), "rehearsal")
    [line] = lines(("spot", "linear"), "rehearsal")
    assert line == (
        "spot has no address in environment rehearsal: choose one of production, "
        "or set venues.dusk.rest and .stream"
    )


def test_a_product_of_which_only_one_address_is_known_is_not_offered() -> None:
    half = Endpoints({"spot": "https://a", "linear": "https://b"}, {"spot": "wss://c"})
    assert half.products == {"spot"}


def test_an_environments_headers_stay_with_other_addresses() -> None:
    given = endpoints_of(DUSK, "rehearsal", {}, {"linear": "wss://elsewhere.example"})
    assert given.headers == {"Dusk-Stage": "rehearsal"}
    assert given.stream_headers == {"Dusk-Site": "rehearsal"}


def test_an_answer_may_name_the_venues_own_servers_unless_the_settings_name_another_place() -> None:
    known = endpoints_of(DUSK, "production", {}, {})
    assert is_named("wss://feed-2.dusk.example/feed?ticket=a", known)
    for other in ("wss://feed-2.dusk.example:444", "ws://feed-2.dusk.example", "wss://feed-3.dusk"):
        assert not is_named(other, known)
    replaced = endpoints_of(DUSK, "production", {}, {"spot": "wss://mine.example"})
    assert not is_named("wss://feed-2.dusk.example/feed", replaced)
    assert is_named("wss://mine.example/feed", replaced)
