"""Requesters that come and go, and change their key, while a worker runs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ingest.actions import HttpAnswer
from ingest.instant import SECOND_NS
from ingest.limits import Rank
from ingest.registry import Entry
from ingest.requesters import Clock, Requesters, resized
from orderloom.account import AccountConfig
from orderloom.question import About, Question
from runtime.clock import wall_ns
from runtime.settings import Settings
from tests.ingest.toy_server import ToyServer, a_toy_server
from tests.ingest.toy_venue import PRODUCT, toy_venue
from tests.waits import until
from venues.rates import Bucket, Scope
from venues.request import Context, Credentials, HttpRequest

OLD, NEW = Credentials("old", "secret"), Credentials("new", "secret")
QUESTION = Question(id="q", account="toy:a", about=About.BALANCES, product=PRODUCT)


def an_entry(key: Credentials = OLD, account: str = "toy:a", product: str = PRODUCT) -> Entry:
    config = AccountConfig(id=account, products=(product,), key="file:k", ip_group=account)
    return Entry(config, key)


@pytest.fixture
async def toy() -> AsyncIterator[ToyServer]:
    async with a_toy_server() as server:
        yield server


@pytest.fixture
async def requesters(toy: ToyServer) -> AsyncIterator[Requesters]:
    requesters = Requesters(Settings(), toy_venue(toy.rest, toy.stream), [], Clock())
    yield requesters
    await requesters.stop()


def asked(requesters: Requesters) -> HttpRequest:
    requester = requesters.by_account["toy:a"]
    return requester.venue.ask(QUESTION, requester.context(PRODUCT, requester.now()))


async def test_another_key_signs_what_is_asked_next_but_not_what_began_with_the_old_one(
    requesters: Requesters,
) -> None:
    assert requesters.open(an_entry())
    began = requesters.context_at("toy:a", PRODUCT)
    requesters.renew(an_entry(NEW))
    assert asked(requesters).headers["x-key"] == "new"
    assert began(requesters.clock()).credentials == OLD
    assert requesters.context_at("toy:a", PRODUCT)(requesters.clock()).credentials == NEW


async def test_a_closed_requester_asks_nothing_more(requesters: Requesters, toy: ToyServer) -> None:
    requesters.open(an_entry())
    requester = requesters.by_account["toy:a"]

    def build(context: Context) -> HttpRequest:
        return requester.venue.ask(QUESTION, context)

    await requester.ask(PRODUCT, build, Rank.URGENT)
    requesters.close("toy:a")
    assert requesters.by_account == {}
    with pytest.raises(ValueError, match="served no more"):
        await requester.ask(PRODUCT, build, Rank.URGENT)
    assert toy.seen["GET balances"] == 1


async def test_each_request_is_built_with_a_higher_nonce(requesters: Requesters) -> None:
    requesters.open(an_entry())
    requester, now = requesters.by_account["toy:a"], requesters.clock()
    first, second = (requester.context(PRODUCT, now).nonce for _ in range(2))
    later = requester.context(PRODUCT, replace(now, wall_ns=now.wall_ns + SECOND_NS)).nonce
    earlier = requester.context(PRODUCT, replace(now, wall_ns=now.wall_ns - SECOND_NS)).nonce
    assert first == now.wall_ns // 1_000
    assert (second, later, earlier) == (first + 1, first + 1_000_000, first + 1_000_001)


@pytest.mark.parametrize("is_serial", [False, True])
async def test_where_the_venue_wants_it_one_request_at_a_time_is_under_way(
    requesters: Requesters, toy: ToyServer, is_serial: bool
) -> None:
    requesters.open(an_entry())
    requester = requesters.by_account["toy:a"]
    serial = frozenset({PRODUCT}) if is_serial else frozenset()
    requester.venue = replace(requester.venue, serial=serial)
    built: list[int] = []

    def build(context: Context) -> HttpRequest:
        built.append(context.nonce)
        return requester.venue.ask(QUESTION, context)

    toy.goes_on.clear()
    asking = [asyncio.ensure_future(requester.ask(PRODUCT, build, Rank.URGENT)) for _ in range(3)]
    # Each is built once for its costs; those that are sent are built once more.
    under_way = 1 if is_serial else 3
    await until(lambda: toy.seen["GET balances"] == under_way, what="the requests are sent")
    assert len(built) == (4 if is_serial else 6)
    toy.goes_on.set()
    for one in asking:
        assert isinstance((await one).outcome, HttpAnswer)
    assert len(built) == 6
    assert built == sorted(set(built))


async def test_the_first_account_brings_addresses_and_clocks_to_those_who_need_no_key(
    requesters: Requesters, toy: ToyServer
) -> None:
    assert requesters.public.endpoints.rest == {}
    requesters.open(an_entry())
    assert requesters.public.endpoints.rest == {PRODUCT: toy.rest}
    assert list(requesters.public.clocks) == [PRODUCT]


async def test_answers_and_frames_are_timed_by_one_clock_also_after_the_machines_was_set(
    toy: ToyServer,
) -> None:
    machine = {"ahead_ns": 3 * SECOND_NS}
    clock = Clock(wall=lambda: wall_ns() + machine["ahead_ns"])
    requesters = Requesters(Settings(), toy_venue(toy.rest, toy.stream), [an_entry()], clock)
    requester = requesters.by_account["toy:a"]
    machine["ahead_ns"] = 0
    before_ns = requester.now().wall_ns
    reply = await requester.ask(
        PRODUCT, lambda context: requester.venue.ask(QUESTION, context), Rank.URGENT
    )
    assert isinstance(reply.outcome, HttpAnswer)
    assert (
        before_ns <= reply.outcome.sent_ns <= reply.outcome.received_ns <= requester.now().wall_ns
    )
    await requesters.stop()


async def test_an_account_without_an_address_is_left_out_and_named(
    requesters: Requesters, caplog: pytest.LogCaptureFixture
) -> None:
    requesters.open(an_entry())
    assert not requesters.open(an_entry(account="toy:b", product="ELSE"))
    assert list(requesters.by_account) == ["toy:a"]
    assert "account toy:b is left out" in caplog.text
    assert "ELSE has no address" in requesters.left_out["toy:b"]
    requesters.close("toy:b")
    assert requesters.left_out == {}


async def test_an_account_that_has_an_address_again_is_left_out_no_more(
    requesters: Requesters,
) -> None:
    requesters.open(an_entry(product="ELSE"))
    assert list(requesters.left_out) == ["toy:a"]
    requesters.open(an_entry())
    assert requesters.left_out == {}


def test_a_limit_of_the_settings_keeps_the_part_of_it_that_goes_at_once() -> None:
    window = Bucket(60, SECOND_NS, Scope.ACCOUNT, burst=15)
    assert resized(window, 240) == Bucket(240, SECOND_NS, Scope.ACCOUNT, burst=60)
    assert resized(window, 3).burst == 1
    assert resized(Bucket(60, SECOND_NS), 240) == Bucket(240, SECOND_NS)
