"""Desks that come and go, and change their key, while a worker runs."""

from collections.abc import AsyncIterator

import pytest

from ingest.actions import HttpAnswer
from ingest.desks import Clock, Desks
from ingest.instant import SECOND_NS
from ingest.limits import Rank
from ingest.registry import Entry
from orderloom.account import AccountConfig
from orderloom.question import About, Question
from runtime.clock import wall_ns
from runtime.settings import Settings
from tests.ingest.toy_server import ToyServer, a_toy_server
from tests.ingest.toy_venue import PRODUCT, toy_venue
from venues.venue import Context, Credentials, HttpRequest

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
async def desks(toy: ToyServer) -> AsyncIterator[Desks]:
    desks = Desks(Settings(), toy_venue(toy.rest, toy.stream), [], Clock())
    yield desks
    await desks.stop()


def asked(desks: Desks) -> HttpRequest:
    desk = desks.desks["toy:a"]
    return desk.venue.ask(QUESTION, desk.context(PRODUCT, desk.now()))


async def test_another_key_signs_what_is_asked_next_but_not_what_began_with_the_old_one(
    desks: Desks,
) -> None:
    assert desks.open(an_entry())
    began = desks.context_at("toy:a", PRODUCT)
    desks.renew(an_entry(NEW))
    assert asked(desks).headers["x-key"] == "new"
    assert began(desks.clock()).credentials == OLD
    assert desks.context_at("toy:a", PRODUCT)(desks.clock()).credentials == NEW


async def test_a_closed_desk_asks_nothing_more(desks: Desks, toy: ToyServer) -> None:
    desks.open(an_entry())
    desk = desks.desks["toy:a"]

    def build(context: Context) -> HttpRequest:
        return desk.venue.ask(QUESTION, context)

    await desk.ask(PRODUCT, build, Rank.URGENT)
    desks.close("toy:a")
    assert desks.desks == {}
    with pytest.raises(ValueError, match="served no more"):
        await desk.ask(PRODUCT, build, Rank.URGENT)
    assert toy.seen["GET balances"] == 1


async def test_the_first_account_brings_addresses_and_clocks_to_those_who_need_no_key(
    desks: Desks, toy: ToyServer
) -> None:
    assert desks.public.endpoints.rest == {}
    desks.open(an_entry())
    assert desks.public.endpoints.rest == {PRODUCT: toy.rest}
    assert list(desks.public.clocks) == [PRODUCT]


async def test_answers_and_frames_are_timed_by_one_clock_also_after_the_machines_was_set(
    toy: ToyServer,
) -> None:
    machine = {"ahead_ns": 3 * SECOND_NS}
    clock = Clock(wall=lambda: wall_ns() + machine["ahead_ns"])
    desks = Desks(Settings(), toy_venue(toy.rest, toy.stream), [an_entry()], clock)
    desk = desks.desks["toy:a"]
    machine["ahead_ns"] = 0
    before_ns = desk.now().wall_ns
    reply = await desk.ask(PRODUCT, lambda context: desk.venue.ask(QUESTION, context), Rank.URGENT)
    assert isinstance(reply.outcome, HttpAnswer)
    assert before_ns <= reply.outcome.sent_ns <= reply.outcome.received_ns <= desk.now().wall_ns
    await desks.stop()


async def test_an_account_without_an_address_is_left_out_and_named(
    desks: Desks, caplog: pytest.LogCaptureFixture
) -> None:
    desks.open(an_entry())
    assert not desks.open(an_entry(account="toy:b", product="ELSE"))
    assert list(desks.desks) == ["toy:a"]
    assert "account toy:b is left out" in caplog.text
    assert "ELSE has no address" in desks.left_out["toy:b"]
    desks.close("toy:b")
    assert desks.left_out == {}


async def test_an_account_that_has_an_address_again_is_left_out_no_more(desks: Desks) -> None:
    desks.open(an_entry(product="ELSE"))
    assert list(desks.left_out) == ["toy:a"]
    desks.open(an_entry())
    assert desks.left_out == {}
