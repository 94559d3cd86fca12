"""A lab with open orders, and the ways in which an attempt to cancel one may go."""

from collections.abc import Callable
from typing import Any

import orjson

from orderloom.command import CancelCommand
from orderloom.words import OPEN_STATUSES, IntentOutcome
from processors.orders.order import Order
from tests.processors.intents.cancel_lab import CancelLab, Perform
from trial.verdict import STATUS

RECORDED, CLOSED, ACKED = IntentOutcome.RECORDED, IntentOutcome.CLOSED, IntentOutcome.ACKED
UNKNOWN = IntentOutcome.ACK_TIMEOUT
THROTTLED = orjson.dumps({"code": -1003, "msg": "Too many requests."})
BAD_KEY = orjson.dumps({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."})


def a_lab(perform: Perform | None = None, seed: int = 1, **how: Any) -> CancelLab:
    """An account in sync that has open orders of both products."""
    lab = CancelLab(seed=seed, perform=perform, **how)
    lab.connect()
    lab.wait_until(lab.is_synced)
    for _ in range(200):
        lab.trade(1)
        if lab.open_orders("spot") and lab.open_orders("linear"):
            return lab
    raise AssertionError("no orders are open")


def is_open_at_venue(lab: CancelLab, order: Order) -> bool:
    rows = lab.truth()["accounts"][lab.name]["orders"]
    (status,) = [
        row["status"]
        for row in rows
        if (row["product"], row["symbol"]) == (order.product, order.symbol)
        and str(row["venue_order_id"]) == order.venue_order_id
    ]
    return STATUS.get(status, status) in OPEN_STATUSES


def failing(times: int, how: Callable[[CancelLab, CancelCommand], None]) -> Perform:
    """The first attempts go another way; the next is performed as it should be."""

    def perform(lab: CancelLab, command: CancelCommand) -> None:
        if len(lab.commands) <= times:
            how(lab, command)
        else:
            lab.execute(command)

    return perform


def unanswered(lab: CancelLab, command: CancelCommand) -> None:
    lab.begin(command)
    lab.end(command, None)


def never_begun(_lab: CancelLab, _command: CancelCommand) -> None:
    """Ingest is down, say."""


def died_at_it(lab: CancelLab, command: CancelCommand) -> None:
    lab.begin(command)


def unsent(lab: CancelLab, command: CancelCommand) -> None:
    lab.end(command, None, is_unsent=True)


def throttled(lab: CancelLab, command: CancelCommand) -> None:
    lab.begin(command)
    lab.end(command, 429, THROTTLED)


def troubled(lab: CancelLab, command: CancelCommand) -> None:
    lab.begin(command)
    lab.end(command, 502, b"<html>")


def refused(lab: CancelLab, command: CancelCommand) -> None:
    lab.begin(command)
    lab.end(command, 401, BAD_KEY)


TOLD = {
    unanswered: [UNKNOWN],
    troubled: [UNKNOWN],
    died_at_it: [UNKNOWN],
    unsent: [IntentOutcome.REQUEST_NOT_SENT],
    throttled: [IntentOutcome.PENDING_RETRY],
    never_begun: [],
}
