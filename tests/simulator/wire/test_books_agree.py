"""Whatever befalls requests, the journal says of each order what the books say, and no other."""

from typing import Any

import pytest

from simulator.config import FaultConfig
from simulator.faces import FACES
from simulator.faults import ATTEMPT_FAULTS, OPEN_OUTCOMES
from tests.simulator.ways import GONE, a_way

KINDS = (*ATTEMPT_FAULTS, *OPEN_OUTCOMES, "http_429", "http_clock_skew")
WISHES = 120
each = pytest.mark.parametrize("name", ["binance-rest", "binance-socket", "okx-rest", "okx-socket"])


def unlimited(name: str) -> dict[str, Any]:
    return {"face": FACES[name.partition("-")[0]].scaled(1000)}


async def wishes(way: Any) -> dict[str, str]:
    """Place many orders, and end every third; the code of each answer, if there was one."""
    answers = {}
    for number in range(WISHES):
        wish = f"a{number}"
        try:
            answers[wish] = await way.place(wish)
            if number % 3 == 0:
                await way.cancel(wish)
        except GONE:
            await way.connect()
    return answers


@each
async def test_an_order_is_in_the_books_if_its_placement_was_accepted_only(name: str) -> None:
    faults = FaultConfig(probability=dict.fromkeys(KINDS, 0.04), attempt_ms_max=4)
    async with a_way(name, **unlimited(name), faults=faults, seed=3) as way:
        answers = await wishes(way)
        rows = await way.rows()
        placed = [row for row in rows if row["verb"] == "place"]
        books = await way.books()
        assert len(placed) >= WISHES
        made = {row["client_order_id"]: row["venue_order_ids"] for row in placed if is_taken(row)}
        assert made == {row["client_order_id"]: [row["venue_order_id"]] for row in books}
        for row in placed:
            assert row["outcome"] in ("accepted", "refused", "lost")
            assert bool(row["venue_order_ids"]) == is_taken(row)
            assert row["answer"] == "sent" or row["client_order_id"] not in answers
        assert {kind for kind, code in answers.items() if not code} <= made.keys()
        met = {kind for row in rows for kind in row["fault"].split("+")}
        assert len(met & ATTEMPT_FAULTS.keys()) >= len(ATTEMPT_FAULTS) - 2


@each
async def test_an_order_was_ended_by_its_owner_if_a_cancel_was_accepted_only(name: str) -> None:
    faults = FaultConfig(probability=dict.fromkeys(KINDS, 0.04), attempt_ms_max=4)
    async with a_way(name, **unlimited(name), faults=faults, seed=4) as way:
        await wishes(way)
        cancels = [row for row in await way.rows() if row["verb"] == "cancel"]
        ended = {number for row in cancels for number in row["venue_order_ids"]}
        books = await way.books()
        assert ended == {row["venue_order_id"] for row in books if row["reason"] == "USER"}
        assert {row["outcome"] for row in cancels} == {"accepted", "refused", "lost"}


def is_taken(row: dict[str, Any]) -> bool:
    return bool(row["outcome"] == "accepted")
