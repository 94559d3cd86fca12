"""One contract, every exchange: the cases come from the register."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from cli.normalize import event_document
from ingest.http import is_named
from orderloom.event import InstrumentReport, OrderReport
from orderloom.identity import VENUE_NAME
from orderloom.question import About, Question
from orderloom.raw import Frame
from orderloom.words import OrderType, Product, TimeInForce
from processors.intake import Refusal, read_frame
from tests.venues.frames import Case, cases, heard_by, samples
from venues import VENUES
from venues.document import parse
from venues.rates import Cost, Scope
from venues.request import Context, Credentials, HttpRequest
from venues.venue import SECOND_NS, Answered, Page, Translation, Venue

SECRET = "a-secret-that-must-not-show"
PASSPHRASE = "a-passphrase-that-signing-in-may-need"
HISTORIES = (About.TRADES, About.ORDER_HISTORY)
LISTS_MAX = 12
NOW_NS = 1_793_000_000_123_000_000
EVERY_VENUE = pytest.mark.parametrize("venue", VENUES.values(), ids=list(VENUES))
ALL_CASES = [case for name in VENUES for case in cases(name)]


def context_of(venue: Venue, environment: str = "production") -> Context:
    credentials = Credentials("the-key", SECRET, PASSPHRASE)
    return Context(credentials, venue.environments[environment], NOW_NS)


def question(venue: Venue, about: About, product: str, **changed: Any) -> Question:
    sample = samples(venue.name)
    given: dict[str, Any] = {
        "symbol": sample.symbol,
        "venue_order_id": "17" if about is About.ORDER else None,
    }
    given |= {"since_ns": sample.since_ns} if about in HISTORIES else {}
    return Question(
        id="q-1", account=f"{venue.name}:main", about=about, product=product, **(given | changed)
    )


def questions(venue: Venue) -> list[Question]:
    return [
        question(venue, about, product)
        for product in venue.products
        for about in About
        if about is not About.POSITIONS or venue.profiles[product].has_positions
    ]


@EVERY_VENUE
def test_its_register_name_is_its_own_and_a_valid_venue_name(venue: Venue) -> None:
    assert VENUES[venue.name] is venue
    assert VENUE_NAME.fullmatch(venue.name)


@EVERY_VENUE
def test_it_speaks_the_words_of_the_contract_and_none_of_its_own(venue: Venue) -> None:
    products = set(Product)
    assert products.issuperset(venue.products)
    said = [
        event
        for case in cases(venue.name)
        for event in venue.translate(case.inbound(parse(case.body))).events
    ]
    assert all(event.product in products for event in said)
    orders = [event for event in said if isinstance(event, OrderReport)]
    instruments = [event for event in said if isinstance(event, InstrumentReport)]
    types = {type(order.order_type) for order in orders}
    times = {type(order.time_in_force) for order in orders}
    assert OrderType in types <= {OrderType, type(None)}
    assert times <= {TimeInForce, type(None)}  # a venue may have no word for it
    # What is inverse follows from the product alone: sums go by it.
    assert instruments
    assert all(one.is_inverse == (one.product == Product.INVERSE) for one in instruments)


@EVERY_VENUE
def test_every_environment_names_its_products_and_is_encrypted(venue: Venue) -> None:
    assert venue.environments["production"].products == set(venue.products)
    for endpoints in venue.environments.values():
        assert endpoints.products
        assert set(endpoints.rest) == set(endpoints.stream) <= set(venue.products)
        assert all(address.startswith("https://") for address in endpoints.rest.values())
        sockets = [*endpoints.stream.values(), *endpoints.servers]
        assert all(address.startswith("wss://") for address in sockets)


@EVERY_VENUE
def test_what_an_environment_offers_can_be_asked_and_connected_to_there(venue: Venue) -> None:
    for environment, endpoints in venue.environments.items():
        context = context_of(venue, environment)
        offered = tuple(product for product in venue.products if product in endpoints.products)
        for product in offered:
            assert is_named(
                venue.ask(question(venue, About.BALANCES, product), context).url, endpoints
            )
        prepared = samples(venue.name).prepared
        for stream in venue.streams(offered):
            heard = () if stream.prepare is None else (prepared,)
            assert is_named(stream.address(context, heard), endpoints)


@EVERY_VENUE
def test_a_compressed_frame_says_what_it_holds_and_any_other_what_it_is(venue: Venue) -> None:
    packed = samples(venue.name).packed
    assert bool(packed) == (venue.unpack is not None)
    for body, held in packed:
        assert body != held
        assert said_by(venue, body) == said_by(venue, held)
        assert isinstance(said_by(venue, held), Translation)
        assert isinstance(said_by(venue, body[:-1] + b"\xff\xff"), Refusal)
    for case in cases(venue.name):
        assert venue.unpack is None or venue.unpack(case.body) == case.body
    for garbage in (b"", b"\xff", b"{", b"\x03\x00more", b"null"):
        assert said_by(venue, garbage) is not None  # and nothing is raised


def said_by(venue: Venue, body: bytes) -> Translation | Refusal:
    """What the processors read in a frame of the venue's."""
    return read_frame(venue, Frame("c-1", 1, venue.products[0], NOW_NS, body))


@EVERY_VENUE
def test_every_question_has_a_request_that_costs_something_in_buckets_of_the_venue(
    venue: Venue,
) -> None:
    for asked in questions(venue):
        request = venue.ask(asked, context_of(venue))
        assert request.costs
        assert request.channel
        are_costs_of(venue, request.costs)
    for stream in venue.streams(venue.products):
        are_costs_of(venue, stream.connect_costs)


def are_costs_of(venue: Venue, costs: tuple[Cost, ...]) -> None:
    assert len({cost.bucket for cost in costs}) == len(costs), "one bucket is paid twice"
    for cost in costs:
        assert cost.bucket in venue.buckets
        bucket = venue.buckets[cost.bucket]
        assert 0 < cost.weight <= (bucket.burst or bucket.capacity), "it could never go in time"
        assert bool(cost.market) == (bucket.scope is Scope.MARKET)


@EVERY_VENUE
def test_a_bucket_lets_no_more_go_at_once_than_it_holds(venue: Venue) -> None:
    for bucket in venue.buckets.values():
        assert bucket.capacity >= 1
        assert bucket.burst is None or 1 <= bucket.burst <= bucket.capacity
        counts = (bucket.used_header, bucket.left_header, bucket.reset_header)
        assert all(name is None or name == name.lower() for name in counts)
        assert bucket.used_header is None or bucket.left_header is None


@EVERY_VENUE
def test_empty_pages_end_every_question_soon(venue: Venue) -> None:
    for asked in questions(venue):
        request: HttpRequest | None = venue.ask(asked, context_of(venue))
        for number in range(1, LISTS_MAX):
            if request is None:
                break
            pages = [Page(number, request, 200, body) for body in samples(venue.name).empty]
            page = next(page for page in pages if venue.is_complete_answer(page))
            request = venue.next_page(asked, page, context_of(venue))
        assert request is None, asked


@EVERY_VENUE
@pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 429, 500, 502, 503])
def test_an_error_is_never_a_complete_answer(venue: Venue, status: int) -> None:
    for asked in questions(venue):
        request = venue.ask(asked, context_of(venue))
        for body in (*samples(venue.name).empty, b"", b"<html>"):
            assert not venue.is_complete_answer(Page(1, request, status, body))


@EVERY_VENUE
def test_garbage_with_status_200_is_never_a_complete_answer(venue: Venue) -> None:
    for asked in questions(venue):
        request = venue.ask(asked, context_of(venue))
        for body in (b"", b"<html>", b"[{", b"7", b"\xff", b'{"code":-1,"msg":"no"}', b"[" * 9999):
            assert not venue.is_complete_answer(Page(1, request, 200, body))


@EVERY_VENUE
def test_no_secret_shows_in_any_text_of_a_request_an_address_or_a_context(venue: Venue) -> None:
    context = context_of(venue)
    shown: list[Any] = [context, context.credentials]
    shown += [venue.ask(asked, context) for asked in questions(venue)]
    for stream, heard in heard_by(venue):
        shown += [stream.address(context, heard[0]), stream.headers(context)]
        shown += [] if stream.prepare is None else [stream.prepare.request(context)]
        shown += [] if (kept := stream.keep_alive) is None else [kept.request(context, heard[-1])]
    assert not [one for one in shown if SECRET in f"{one!r}" or PASSPHRASE in f"{one!r}{one!s}"]
    greetings = [
        stage.say(context, said)
        for stream, heard in heard_by(venue)
        for stage, said in zip(stream.stages, heard, strict=False)
    ]
    assert not [frames for frames in greetings if SECRET in repr(frames)]


@EVERY_VENUE
def test_two_requests_at_two_times_are_signed_differently(venue: Venue) -> None:
    asked = question(venue, About.BALANCES, venue.products[0])
    later = replace(context_of(venue), venue_ns=NOW_NS + 10**9, nonce=1)
    first, second = venue.ask(asked, context_of(venue)), venue.ask(asked, later)
    assert (first.url, first.headers) != (second.url, second.headers)


@EVERY_VENUE
def test_its_profile_says_something_on_every_point(venue: Venue) -> None:
    assert tuple(venue.profiles) == venue.products
    for profile in venue.profiles.values():
        assert profile.visibility_lag_ns > 0
        assert profile.grace_ns > 0
        assert profile.balances_of in (None, *venue.products)
        ages_ns = profile.conditional_ages_ns
        assert ages_ns is None or 0 < ages_ns[0] < ages_ns[1]


def requests_of(venue: Venue) -> list[HttpRequest]:
    """One for each question, and for each connection."""
    context, streams = context_of(venue), venue.streams(venue.products)
    prepared = [one.prepare.request(context) for one in streams if one.prepare is not None]
    return [venue.ask(asked, context) for asked in questions(venue)] + prepared


@EVERY_VENUE
def test_only_throttling_asks_us_to_wait(venue: Venue) -> None:
    date = {"retry-after": "soon", "date": "never"}
    for request in requests_of(venue):
        for status in (200, 400, 401, 404, 500):
            assert venue.backoff(Answered(request, status, {}, b"{}")) is None
        throttled = venue.backoff(Answered(request, 429, {}, b""))
        assert throttled is not None
        assert throttled.retry_after_ns > 0
        assert throttled.bucket in ("", *venue.buckets)
        for body in (b"\xff", b"[" * 9999, b'{"msg":5}', b'{"code":[]}'):
            assert venue.backoff(Answered(request, 429, date, body)) is not None


@EVERY_VENUE
def test_its_clock_is_told_in_steps_of_its_own_products_and_no_longer_than_a_second(
    venue: Venue,
) -> None:
    assert set(venue.clock_steps_ns) <= set(venue.products)
    assert all(0 < step_ns <= SECOND_NS for step_ns in venue.clock_steps_ns.values())


@pytest.mark.parametrize("case", ALL_CASES, ids=[f"{c.venue} {c.name}" for c in ALL_CASES])
def test_a_message_says_what_its_file_says(case: Case) -> None:
    translation = VENUES[case.venue].translate(case.inbound(parse(case.body)))
    said: dict[str, Any] = {"events": [event_document(event) for event in translation.events]}
    if translation.ignored is not None:
        said["ignored"] = translation.ignored
    if translation.unknown:
        said["unknown"] = list(translation.unknown)
    if translation.counts:
        said["counts"] = [list(count) for count in translation.counts]
    assert orjson.dumps(said, option=orjson.OPT_SORT_KEYS) == orjson.dumps(
        case.expected, option=orjson.OPT_SORT_KEYS
    )
