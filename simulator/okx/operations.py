"""Carrying out an operation that came by REST or by socket: limits, deadline, rows, verdict."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulator.accounts import Account
from simulator.journal import Wish
from simulator.message import Document
from simulator.okx.calls import Operation
from simulator.okx.fields import Fields
from simulator.okx.limits import Limits
from simulator.okx.refusals import refused
from simulator.okx.trade_calls import BATCH_MAX, overall
from simulator.okx.venue import OkxVenue


class Operations:
    """All operations of a venue, with the counters that REST and socket share."""

    def __init__(self, venue: OkxVenue, limits: Limits) -> None:
        self._venue = venue
        self._limits = limits

    def wishes(
        self, operation: Operation, account: str, rows: list[Mapping[str, Any]], deadline: str
    ) -> list[Wish]:
        """What the rows ask for, for the journal."""
        expires = int(deadline) if operation.has_deadline and deadline.isdecimal() else None
        about = Wish(operation.said.verb, account, deadline=deadline, expires_ms=expires)
        made = [operation.said.wish(Fields(row), about) for row in rows]
        products = self._venue.products
        return [replace(wish, product=products.get(wish.symbol, "")) for wish in made]

    def let_in(self, operation: Operation, rows: list[Mapping[str, Any]], deadline: str) -> None:
        """`Refusal` of a request that the gateway turns away."""
        if not rows or len(rows) > (BATCH_MAX if operation.is_batch else 1):
            raise refused("bad_args")
        if deadline and operation.has_deadline:
            if not deadline.isdecimal():
                raise refused("bad", name="expTime")
            self._check_deadline(deadline, "too_late")

    def carry_out(
        self, operation: Operation, account: Account, rows: list[Mapping[str, Any]], deadline: str
    ) -> Document:
        """The answer's envelope without its times; `Refusal` where the request as a whole fails.

        A deadline may have passed since the request was let in.
        """
        if deadline and operation.has_deadline:
            self._check_deadline(deadline, "expired")
        if operation.is_timer:
            return self._set_timer(operation, account, Fields(rows[0]))
        self._charge(operation, account, rows)
        done = [operation.act(self._venue, account, Fields(row)) for row in rows]
        code, message = overall(done)
        return {"code": code, "msg": message, "data": done}

    def _set_timer(self, operation: Operation, account: Account, fields: Fields) -> Document:
        """Its answer has no codes by row."""
        with self._venue.journal.judged():
            self._limits.take_timer(account.name, fields.text("tag"))
            row = operation.act(self._venue, account, fields)
        return {"code": "0", "msg": "", "data": [row]}

    def _check_deadline(self, deadline: str, name: str) -> None:
        if int(deadline) <= self._venue.now_ms:
            raise refused(name)

    def _charge(
        self, operation: Operation, account: Account, rows: list[Mapping[str, Any]]
    ) -> None:
        symbols = Counter(str(row.get("instId", "")) for row in rows)
        for symbol, count in symbols.items():
            key = (account.name, operation.name, symbol)
            self._limits.take(operation.rate, key, count)
        if operation.makes_orders:
            contracts = sum(count for symbol, count in symbols.items() if symbol.endswith("-SWAP"))
            self._limits.take_orders(account.name, contracts)
