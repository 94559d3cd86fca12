"""The wire journal says of every wish what arrived, what the book did, and what was answered."""

import asyncio
from typing import Any

import pytest

from simulator.journal import Journal, Touched, Wish
from simulator.refusal import Refused
from tests.simulator.probes import a_probe

ACCOUNT = "v:a"


def a_journal() -> Journal:
    ticks = iter(range(1, 1000))
    return Journal(lambda: next(ticks))


def note(journal: Journal, name: str, owner: str = ACCOUNT) -> None:
    journal.note(name, Touched((owner, "S", int(name)), lambda: None))


def wishes(*verbs: Any) -> list[Wish]:
    return [Wish(verb, ACCOUNT) for verb in verbs]


def test_rows_are_judged_in_their_order_and_only_within_their_request() -> None:
    journal = a_journal()
    rows = journal.arrived(wishes("cancel", "place"), "rest")
    with journal.present(rows):
        with journal.judged():
            note(journal, "7")
        with pytest.raises(Refused), journal.judged():
            raise Refused(-2010, "no")
    with journal.judged():
        note(journal, "8")  # a trader of the venue itself
    assert [(row.outcome, row.code, row.venue_order_ids) for row in rows] == [
        ("accepted", "", ["7"]),
        ("refused", "-2010", []),
    ]
    assert rows[0].request == rows[1].request
    assert rows[0].arrived_ns < rows[0].judged_ns < rows[1].judged_ns


def test_what_a_placement_brings_about_with_other_orders_is_not_its_own() -> None:
    journal = a_journal()
    placed = journal.arrived(wishes("place"), "rest")
    with journal.present(placed), journal.judged():
        for name in ("1", "2"):
            note(journal, name)
        note(journal, "3", "v:b")
    ended = journal.arrived(wishes("cancel-all"), "rest")
    with journal.present(ended), journal.judged():
        for name in ("1", "2"):
            note(journal, name)
        note(journal, "3", "v:b")
    assert placed[0].venue_order_ids == ["1"]
    assert ended[0].venue_order_ids == ["1", "2"]


def test_an_outcome_stands_once_it_is_known() -> None:
    journal = a_journal()
    rows = journal.arrived(wishes("place"), "socket", 4)
    with journal.present(rows), journal.judged():
        pass
    journal.refuse(rows, Refused(-1000, "open outcome"))
    journal.lose(rows)
    journal.answer(rows, "sent", 503, "-1000")
    shown = journal.document()["rows"][0]
    assert (shown["outcome"], shown["code"]) == ("accepted", "")
    assert (shown["answer"], shown["status"], shown["answer_code"]) == ("sent", 503, "-1000")
    assert (shown["transport"], shown["connection"]) == ("socket", 4)


def test_it_is_read_from_a_row_on_and_by_account() -> None:
    journal = a_journal()
    journal.arrived([*wishes("place"), Wish("place", "v:b")], "rest")
    journal.arrived(wishes("cancel"), "rest")
    assert [row["number"] for row in journal.document(account=ACCOUNT)["rows"]] == [1, 3]
    assert [row["verb"] for row in journal.document(after=2)["rows"]] == ["cancel"]
    assert journal.document(after=3) == {"rows": [], "last": 3}


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx"])
async def test_each_venue_writes_down_what_came_by_rest(venue: str) -> None:
    async with a_probe(venue) as probe:
        await probe.place()
        await probe.look()
        [row] = (await probe.client.control("/control/journal"))["rows"]
        books = (await probe.books())["orders"]
        assert row["venue_order_ids"] == [books[0]["venue_order_id"]]
        assert (row["verb"], row["outcome"], row["answer"]) == ("place", "accepted", "sent")
        assert (row["account"], row["transport"]) == (probe.client.account.name, "rest")
        assert (row["product"], row["side"]) == ("spot", "BUY")
        assert (row["price"], row["quantity"]) == ("91000", "0.001")
        assert row["arrived_ns"] <= row["judged_ns"] <= row["answered_ns"]


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx"])
async def test_what_the_book_did_stands_there_whatever_was_answered(venue: str) -> None:
    faults = {"probability": {"http_5xx_with_effect": 1.0}}
    async with a_probe(venue, faults=faults) as probe:
        status, code = await probe.place()
        await probe.client.control("/control/faults", probability={"http_5xx_without_effect": 1.0})
        await probe.place()
        done, not_done = (await probe.client.control("/control/journal"))["rows"]
        assert (done["outcome"], done["code"]) == ("accepted", "")
        assert (done["status"], done["answer_code"]) == (status, code)
        assert (not_done["outcome"], not_done["venue_order_ids"]) == ("refused", [])


@pytest.mark.parametrize("venue", ["binance", "bybit", "okx"])
async def test_a_request_with_a_foreign_key_or_from_a_banned_address_is_written_down(
    venue: str,
) -> None:
    async with a_probe(venue) as probe:
        account = probe.client.account
        probe.client.account = account.model_copy(update={"api_key": "nobody"})
        await probe.place()
        probe.client.account = account
        await probe.client.control("/control/faults", probability={"http_ban": 1.0}, ban_s=60)
        await asyncio.gather(probe.place(), probe.place())
        rows = (await probe.client.control("/control/journal"))["rows"]
        assert [row["account"] for row in rows] == ["", account.name, account.name]
        assert {row["outcome"] for row in rows} == {"refused"}
        assert all(row["code"] and row["answer"] == "sent" for row in rows)


async def test_a_wrong_place_to_read_from_is_refused() -> None:
    async with a_probe("binance") as probe:
        assert "error" in await probe.client.control("/control/journal?after=x")
