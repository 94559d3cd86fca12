"""An edge of the toy venue whose log is a list, and the events that it is told of."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from ingest.edge import Edge
from ingest.group_events import Received, Registered
from ingest.orders.claim_keeper import ClaimKeeper
from ingest.orders.claim_topic import NotAppended
from ingest.orders.claims import PartitionClaims
from ingest.outbox import Outbox
from ingest.registry import Act, Change, Entry
from ingest.requesters import Clock, Requesters, connection_names
from orderloom.account import AccountConfig
from orderloom.question import About, Question
from orderloom.raw import Answer, Failure, OwnerChange
from runtime.settings import Settings
from tests.ingest.listed_log import ListedLog
from tests.ingest.toy_server import ToyServer
from tests.ingest.toy_venue import PRODUCT, toy_venue
from venues.request import Credentials

ACCOUNT = "toy:a"
P = 2
QUESTION = {"id": "", "account": ACCOUNT, "about": About.BALANCES, "product": PRODUCT}


def an_entry(
    account: str = ACCOUNT, product: str = PRODUCT, partition: int = P, **fields: Any
) -> Entry:
    config = AccountConfig(
        id=account, products=(product,), key="file:k", partition=partition, **fields
    )
    return Entry(config, Credentials("me", "secret"))


def an_opening(entry: Entry | None = None) -> Registered:
    return Registered(Change(Act.OPEN, entry or an_entry(), "account is added"))


def a_dispatch(offset: int, account: str = ACCOUNT, asks_for: str = "") -> Received:
    """A question of `account`, received in partition `P`; `asks_for` another one, if given."""
    asked = QUESTION | {"symbol": f"S{offset}", "account": asks_for or account}
    return a_dispatch_of(offset, Question.model_validate(asked), account)


def a_dispatch_of(offset: int, question: Question, account: str = "") -> Received:
    """`question`, under the id that its place in the log gives it."""
    document = {
        "v": 1,
        "id": f"q{offset}",
        "type": "question",
        "account": account or question.account,
        "question": question.document() | {"id": f"q{offset}"},
        "at_ns": time.time_ns(),
    }
    return Received(P, offset, orjson.dumps(document))


class Running:
    """An edge, and what it wrote."""

    def __init__(self, edge: Edge, log: ListedLog, requesters: Requesters) -> None:
        self.edge = edge
        self.log = log
        self.requesters = requesters

    @property
    def answered(self) -> list[str]:
        return [item.question["id"] for item in self.log.items if isinstance(item, Answer)]

    @property
    def failed(self) -> dict[str, str]:
        """Why each question has no answer."""
        failures = [item for item in self.log.items if isinstance(item, Failure)]
        return {item.question["id"]: item.reason for item in failures}

    @property
    def owned_as(self) -> list[int]:
        """The generations under which the partition was announced to be ours."""
        return [
            record.generation
            for record in self.log.records
            if any(isinstance(item, OwnerChange) for item in record.items)
        ]


def no_claims() -> ClaimKeeper:
    """No claim log can be reached."""

    def make(_partition: int) -> PartitionClaims:
        raise NotAppended("no broker")

    return ClaimKeeper(make, str, print)


@asynccontextmanager
async def an_edge(
    toy: ToyServer, *entries: Entry, claims: ClaimKeeper | None = None, clock: Clock | None = None
) -> AsyncIterator[Running]:
    settings, log = Settings(), ListedLog()
    venue = toy_venue(toy.rest, toy.stream)
    requesters = Requesters(settings, venue, entries, clock or Clock())
    outbox = Outbox(log, "raw.toy", "w1")  # type: ignore[arg-type] # a log that is a list
    keeper, names = claims or no_claims(), connection_names("w1")
    edge = Edge(requesters, outbox, names, settings.partitions, keeper)
    try:
        yield Running(edge, log, requesters)
        assert not outbox.failed.done()
    finally:
        await edge.stop()
        outbox.close()
        await requesters.stop()
