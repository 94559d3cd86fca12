"""One at a time, and the most urgent first."""

import asyncio

import pytest

from ingest.limits import Rank
from ingest.turnstile import Turnstile


class Line:
    """Who had the turn, in order; each keeps it until `goes_on` is set."""

    def __init__(self) -> None:
        self.turnstile = Turnstile()
        self.had: list[str] = []
        self.goes_on = asyncio.Event()

    async def stand(self, name: str, rank: Rank) -> None:
        async with self.turnstile.passed(rank):
            self.had.append(name)
            await self.goes_on.wait()

    async def begin(self, *wishes: tuple[str, Rank]) -> dict[str, asyncio.Task[None]]:
        tasks = {name: asyncio.create_task(self.stand(name, rank)) for name, rank in wishes}
        await settled()
        return tasks


async def settled() -> None:
    """Each task has gone as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_most_urgent_of_those_that_wait_is_next_and_of_one_rank_the_first() -> None:
    line = Line()
    tasks = await line.begin(
        ("first", Rank.PERIODIC), ("a", Rank.PERIODIC), ("b", Rank.PERIODIC),
        ("urgent", Rank.URGENT), ("stream", Rank.STREAM),
    )  # fmt: skip
    assert line.had == ["first"]
    line.goes_on.set()
    await asyncio.gather(*tasks.values())
    assert line.had == ["first", "stream", "urgent", "a", "b"]


async def test_who_is_cancelled_while_waiting_leaves_the_turn_to_the_next() -> None:
    line = Line()
    tasks = await line.begin(("first", Rank.URGENT), ("gone", Rank.STREAM), ("next", Rank.PERIODIC))
    tasks["gone"].cancel()
    line.goes_on.set()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert line.had == ["first", "next"]


async def test_who_is_cancelled_once_it_was_given_the_turn_leaves_it_to_the_next() -> None:
    line = Line()
    line.goes_on.set()
    async with line.turnstile.passed(Rank.URGENT):
        tasks = await line.begin(("gone", Rank.STREAM), ("next", Rank.PERIODIC))
    tasks["gone"].cancel()  # it has not gone on since
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert line.had == ["next"]
    async with asyncio.timeout(10), line.turnstile.passed(Rank.PERIODIC):
        pass


async def test_a_mistake_gives_the_turn_back() -> None:
    turnstile = Turnstile()
    with pytest.raises(ValueError, match="mine"):
        async with turnstile.passed(Rank.URGENT):
            raise ValueError("mine")
    async with asyncio.timeout(10), turnstile.passed(Rank.URGENT):
        pass
