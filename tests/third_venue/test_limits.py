"""Many questions at once at a venue that counts by account, by its markets, and by address."""

import asyncio
import random

from ingest.actions import HttpAnswer
from ingest.limits import Rank
from ingest.registry import Entry
from ingest.requester import Requester
from ingest.requesters import Clock, Requesters
from orderloom.account import AccountConfig
from orderloom.question import About, Question
from runtime.settings import Settings
from tests.third_venue import server
from tests.third_venue.dusk import DUSK
from tests.third_venue.requests import PRODUCTS
from tests.third_venue.server import DuskServer, running
from venues.request import Credentials

KEYS = {"day": "secret-of-day", "night": "secret-of-night"}
MANY = 4 * server.ASKED_MAX


def requesters_at(address: str) -> Requesters:
    given = {
        "rest": dict.fromkeys(PRODUCTS, f"http://{address}"),
        "stream": dict.fromkeys(PRODUCTS, f"ws://{address}"),
    }
    entries = [
        Entry(
            AccountConfig(id=f"dusk:{name}", products=PRODUCTS, key="file:k", partition=0),
            Credentials(name, secret),
        )
        for name, secret in KEYS.items()
    ]
    settings = Settings.model_validate({"venues": {"dusk": given}})
    return Requesters(settings, DUSK, entries, Clock())


async def asked(requester: Requester, question: Question) -> int:
    """The status of the answer."""
    reply = await requester.ask(
        question.product, lambda context: DUSK.ask(question, context), Rank.URGENT
    )
    assert isinstance(reply.outcome, HttpAnswer)
    return reply.outcome.status


async def test_no_account_asks_more_than_it_may_nor_of_one_of_its_markets() -> None:
    box = DuskServer(KEYS, random.Random(1))
    async with running(box):
        its_requesters = requesters_at(box.address)
        questions = [
            Question(
                id="q", account=f"dusk:{name}", about=About.TRADES, product="spot",
                symbol="SOL-EUR" if number < MANY // 3 else None,
            )
            for number in range(MANY)
            for name in KEYS
        ]  # fmt: skip
        tasks = [asked(its_requesters.by_account[one.account], one) for one in questions]
        assert set(await asyncio.gather(*tasks)) == {200}
        await its_requesters.stop()
    assert box.seen["questions"] == len(questions)
    assert box.seen["over"] == 0, "more was asked in a window than an account may"
