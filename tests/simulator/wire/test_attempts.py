"""What befalls a request that changes something: each fault, by REST and by socket, both venues."""

import asyncio
from typing import Any

import pytest

from simulator.config import FaultConfig
from simulator.faults import ATTEMPT_FAULTS, OF_EARLY_ACKS, Faults, Met
from simulator.journal import Wish
from simulator.plants import Plant
from simulator.trouble import ORDER_FAULTS, SOCKET_FAULTS
from tests.simulator.ways import GONE, MS, a_way

NS = 10**6
each = pytest.mark.parametrize("name", ["binance-rest", "binance-socket", "okx-rest", "okx-socket"])


async def lost(way: Any) -> None:
    with pytest.raises(GONE):
        await way.place()


@each
async def test_ack_lost_leaves_an_order_behind_and_no_answer(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("ack_lost")
        await lost(way)
        [row] = await way.rows()
        assert [one["venue_order_id"] for one in await way.books()] == row["venue_order_ids"]
        assert (row["outcome"], row["answer"], row["fault"]) == ("accepted", "withheld", "ack_lost")


@each
@pytest.mark.parametrize("kind", ["lost_unread", "lost_half_read"])
async def test_lost_unread_and_lost_half_read_leave_nothing(name: str, kind: str) -> None:
    async with a_way(name) as way:
        await way.plant(kind)
        await lost(way)
        [row] = await way.rows()
        assert (row["outcome"], row["answer"], row["fault"]) == ("lost", "withheld", kind)
        assert await way.books() == []


@each
async def test_ack_late_is_told_before_it_is_answered(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("ack_late")
        asked = asyncio.create_task(way.by_rest("one") if not way.is_socket else way.send("one"))
        assert way.is_told(await way.heard(lambda document: True))
        if way.is_socket:
            await way.heard(lambda document: way.is_answer(document, "one"))
        assert await asked in ("", None)
        [row] = await way.rows()
        assert row["answered_ns"] - row["judged_ns"] >= MS * NS


@each
async def test_push_late_is_answered_before_it_is_told(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("push_late", ms=400)
        if way.is_socket:
            await way.send("one")
            first = await way.heard(lambda document: True)
            assert way.is_answer(first, "one")
        else:
            assert await way.place() == ""
            heard = asyncio.create_task(way.heard(way.is_told))
            assert await way.look()
            assert not heard.done()
            await heard
            return
        await way.heard(way.is_told)


async def test_what_is_told_later_keeps_its_order() -> None:
    async with a_way("okx-rest") as way:
        await way.plant("push_late", client_order_id="one")
        await way.place("one")
        await way.place("two")
        await way.cancel("one")
        told = [(await way.heard(lambda document: "data" in document))["data"][0] for _ in range(3)]
        assert [(row["clOrdId"], row["state"]) for row in told] == [
            ("one", "live"), ("two", "live"), ("one", "canceled"),
        ]  # fmt: skip


async def test_quiescing_tells_at_once_what_was_to_be_told_later() -> None:
    async with a_way("okx-rest") as way:
        await way.plant("push_late", ms=10**6)
        await way.place()
        await way.client.control("/control/quiesce", open_orders="leave")
        assert (await way.heard(lambda document: "data" in document))["data"][0]["state"] == "live"


@each
async def test_fill_before_ack_fills_a_new_order_before_its_answer(name: str) -> None:
    async with a_way(name) as way:
        await way.place("before")  # at the same price: its turn comes first
        await way.plant("fill_before_ack")
        assert await way.place() == ""
        orders = {row["client_order_id"]: row for row in await way.books()}
        assert orders["one"]["status"] == "FILLED"
        assert orders["one"]["filled"] == orders["one"]["quantity"]
        row = (await way.rows())[1]
        assert row["answered_ns"] - row["judged_ns"] >= MS * NS


@each
async def test_unseen_hides_a_new_order_from_look_ups_and_not_from_the_book(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("unseen", ms=10**9)
        assert await way.place() == ""
        assert not await way.look()
        assert await way.listed() == 0
        assert await way.place() == way.duplicate_code
        assert await way.cancel() == ""
        assert (await way.books())[0]["status"] == "CANCELED"


async def test_an_unseen_order_is_shown_when_its_time_is_over() -> None:
    async with a_way("okx-rest") as way:
        await way.plant("unseen", ms=MS)
        await way.place()
        assert not await way.look()
        while not await way.look():
            pass
        assert await way.listed() == 1


@pytest.mark.parametrize("name", ["okx-rest", "okx-socket"])
async def test_book_late_is_acknowledged_before_a_cancel_finds_it(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("book_late", ms=400)
        assert await way.place() == ""
        assert await way.cancel() == way.gone_code
        assert not await way.look()
        assert await way.listed() == 0
        told = await way.heard(lambda document: "data" in document and "arg" in document)
        assert told["data"][0]["state"] == "live"
        while not await way.look():
            pass
        assert await way.cancel() == ""
        ends = [(row["verb"], row["outcome"]) for row in await way.rows()]
        assert ends == [("place", "accepted"), ("cancel", "refused"), ("cancel", "accepted")]


async def test_spot_of_binance_answers_from_its_book() -> None:
    async with a_way("binance-rest") as way:
        await way.plant("book_late")
        assert await way.place() == ""
        assert await way.look()
        assert (await way.client.control("/control/plants"))["waiting"][0]["kind"] == "book_late"


@each
async def test_held_up_waits_behind_the_gateway(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("held_up")
        assert await way.place() == ""
        [row] = await way.rows()
        assert row["judged_ns"] - row["arrived_ns"] >= MS * NS


@each
async def test_unread_reads_nothing_for_some_time_and_then_all(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("unread", client_order_id="one")
        if way.is_socket:
            await way.send("one")
            await way.send("two")
            for sent in ("one", "two"):
                await way.heard(lambda document, sent=sent: way.is_answer(document, sent))
            first, second = await way.rows()
            assert first["arrived_ns"] <= second["arrived_ns"]
        else:
            started = asyncio.get_running_loop().time()
            assert await way.place() == ""
            assert asyncio.get_running_loop().time() - started >= MS / 1000
        assert {row["outcome"] for row in await way.rows()} == {"accepted"}


async def flood(stream: Any) -> None:
    while True:
        await stream.websocket.send_str("x" * 500_000)


@pytest.mark.parametrize("name", ["binance-socket", "okx-socket"])
async def test_what_is_sent_to_a_connection_that_is_not_read_piles_up(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("unread", ms=10**6)
        await way.send("one")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(flood(way.stream), 1)
        assert await way.rows() == []
        way.stream.websocket._writer.transport.abort()


@each
async def test_what_any_request_meets_can_be_planted_too(name: str) -> None:
    async with a_way(name) as way:
        for kind in ("http_429", "http_5xx_without_effect", "http_5xx_with_effect"):
            await way.plant(kind)
        assert await way.place() == ("60014" if name == "okx-socket" else way.limit_code)
        assert await way.place()
        assert await way.books() == []
        assert await way.place()
        assert len(await way.books()) == 1
        rows = await way.rows()
        assert [row["outcome"] for row in rows] == ["refused", "refused", "accepted"]
        assert {row["answer"] for row in rows} == {"sent"}
        assert (await way.client.control("/control/plants"))["waiting"] == []


@each
async def test_throttled_is_surely_not_carried_out(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("throttled")
        assert await way.place() == way.throttled_code
        assert await way.books() == []
        assert await way.place() == ""
        injected = (await way.client.control("/control/faults"))["injected"]
        assert injected == {"throttled": 1}


@pytest.mark.parametrize("name", ["binance-rest", "okx-rest"])
async def test_overtaken_fills_an_order_and_those_before_it_ahead_of_its_cancel(name: str) -> None:
    async with a_way(name) as way:
        await way.plant("overtaken")
        for sent in ("first", "one", "last"):
            await way.place(sent)
        assert await way.cancel() == way.gone_code
        states = {row["client_order_id"]: row["status"] for row in await way.books()}
        assert states == {"first": "FILLED", "one": "FILLED", "last": "NEW"}
        assert [row["outcome"] for row in await way.rows()] == ["accepted"] * 3 + ["refused"]


@each
async def test_an_id_that_is_used_is_refused_as_the_venue_does(name: str) -> None:
    async with a_way(name) as way:
        assert await way.place() == ""
        assert await way.place() == way.duplicate_code
        assert await way.cancel() == ""
        assert await way.place() == ""  # free again once its order has ended
        outcomes = [row["outcome"] for row in await way.rows()]
        assert outcomes == ["accepted", "refused", "accepted", "accepted"]


@each
async def test_an_order_may_be_withheld_from_everybody_for_some_time(name: str) -> None:
    async with a_way(name) as way:
        late = {"unseen_ms": 10**9, "push_ms": 10**9}
        await way.plant("http_5xx_with_effect", **late)
        assert await way.place() not in ("", way.duplicate_code)
        assert len(await way.books()) == 1
        assert not await way.look()
        assert await way.listed() == 0
        [row] = await way.rows()
        assert row["fault"] == "http_5xx_with_effect+push_late+unseen"
        assert await way.place() == way.duplicate_code
        injected = (await way.client.control("/control/faults"))["injected"]
        assert injected == {"http_5xx_with_effect": 1, "push_late": 1, "unseen": 1}


@pytest.mark.parametrize("name", ["binance-rest"])
async def test_what_http_libraries_send_again_by_themselves_is_seen(name: str) -> None:
    async with a_way(name) as way:
        await way.place()
        await way.plant("lost_unread", verb="cancel")
        assert await way.cancel() == ""
        ends = [(row["verb"], row["outcome"]) for row in await way.rows()]
        assert ends == [("place", "accepted"), ("cancel", "lost"), ("cancel", "accepted")]


async def test_a_plant_waits_for_its_own_request() -> None:
    async with a_way("binance-rest") as way:
        await way.plant("ack_lost", client_order_id="two")
        assert await way.place("one") == ""
        with pytest.raises(GONE):
            await way.place("two")
        assert await way.place("three") == ""


async def test_a_kind_that_no_request_meets_cannot_be_planted() -> None:
    async with a_way("binance-rest") as way:
        answer = await way.client.control("/control/plants", plants=[{"kind": "drop"}])
        assert "drop" in answer["error"]


async def test_requests_meet_faults_by_chance_and_questions_never() -> None:
    faults = FaultConfig(probability={"ack_late": 1.0}, attempt_ms_max=1)
    async with a_way("okx-rest", faults=faults) as way:
        await way.place()
        await way.look()
        injected = (await way.client.control("/control/faults"))["injected"]
        assert injected == {"ack_late": 1}


def wish(verb: Any = "place", **changes: Any) -> Wish:
    return Wish(verb, **changes)


def test_the_same_seed_befalls_the_same_requests() -> None:
    config = FaultConfig(probability=dict.fromkeys(ATTEMPT_FAULTS, 0.1))

    def drawn(seed: int) -> list[Met]:
        faults, both = Faults(config, seed), [wish("cancel"), wish()]
        may = ORDER_FAULTS | OF_EARLY_ACKS
        return [faults.for_attempt(both, "rest", may) for _ in range(300)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert {kind for met in drawn(1) for kind in met.name.split("+")} == {"", *ATTEMPT_FAULTS}
    assert any("+" in met.name for met in drawn(1))


def test_only_a_new_order_is_filled_or_hidden() -> None:
    config = FaultConfig(probability={"fill_before_ack": 1.0})
    faults = Faults(config, 1)
    assert faults.for_attempt([wish("cancel")], "rest", ORDER_FAULTS) == Met()
    assert faults.for_attempt([wish()], "rest", ORDER_FAULTS).kind == "fill_before_ack"


def test_only_an_order_that_is_there_is_overtaken() -> None:
    faults = Faults(FaultConfig(probability={"overtaken": 1.0}), 1)
    assert faults.for_attempt([wish()], "rest", ORDER_FAULTS) == Met()
    assert faults.for_attempt([wish("countdown")], "rest", ORDER_FAULTS) == Met()
    for verb in ("amend", "cancel", "cancel-all"):
        assert faults.for_attempt([wish(verb)], "rest", ORDER_FAULTS).kind == "overtaken"


def test_a_plant_comes_before_chance_and_only_where_it_fits() -> None:
    faults = Faults(FaultConfig(probability={"ack_late": 1.0}), 1)
    faults.plant([Plant(kind="http_ban"), Plant(kind="ack_lost", verb="cancel", ms=7)])
    assert faults.for_attempt([wish()], "socket", SOCKET_FAULTS).kind == "ack_late"
    assert faults.for_attempt([wish("cancel")], "socket", SOCKET_FAULTS) == Met("ack_lost", 7)
    assert faults.for_attempt([wish()], "rest", ORDER_FAULTS).kind == "http_ban"
    faults.stop()
    assert faults.for_attempt([wish()], "rest", ORDER_FAULTS) == Met()


def test_a_request_that_meets_one_fault_meets_no_other() -> None:
    faults = Faults(FaultConfig(probability={"http_429": 1.0}), 1)
    with faults.settled("ack_late"):
        assert faults.for_request(ORDER_FAULTS) == ""
    with faults.settled("http_5xx"):
        assert faults.for_request(ORDER_FAULTS) == "http_5xx"
    assert faults.for_request(ORDER_FAULTS) == "http_429"


def test_every_fault_of_an_attempt_has_a_test_here() -> None:
    names = " ".join(name for name in globals() if name.startswith("test_"))
    assert all(kind in names for kind in ATTEMPT_FAULTS)
