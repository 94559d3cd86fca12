"""The socket of Spot: subscriptions with a token, and orders (docs/venues/kraken.md 2, 3 and 8)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from simulator.accounts import Account
from simulator.delivery import Connection, Feed, Subscription
from simulator.kraken import spot_calls, spot_trades
from simulator.kraken.fields import SpotFields
from simulator.kraken.refusals import KrakenRefusal, spot_refused
from simulator.kraken.spot_documents import balance_row, open_report
from simulator.kraken.system import KrakenSystem
from simulator.kraken.words import at_us, txid
from simulator.message import Document, Message
from simulator.refusal import Refused
from simulator.trouble import SOCKET_FAULTS, Trouble
from simulator.wire.session import Session, Verb
from simulator.wire.tickets import Tickets

CHANNELS = ("executions", "balances")
ENDS_AND_NEW = ("new", "filled", "canceled", "expired")
"""What is left of the reports without `order_status`."""


@dataclass(frozen=True, slots=True)
class SpotWire:
    """What every session of a box works with."""

    system: KrakenSystem
    feed: Feed
    tokens: Tickets
    trouble: Trouble


class SpotSession(Session):
    """One connection's requests."""

    def __init__(self, wire: SpotWire, connection: Connection, ip: str) -> None:
        super().__init__(wire.feed, connection)
        self._wire = wire
        self._ip = ip
        self._token, self._account_name = "", ""
        self.put({
            "channel": "status",
            "type": "update",
            "data": [{
                "system": "online", "api_version": "v2", "connection_id": connection.number,
                "version": "2.0.10",
            }],
        })  # fmt: skip

    def beat(self, silence_s: float, now_s: float) -> None:
        """Say that all is well where nothing else was said; only to who listens."""
        if self.listening and now_s - self.connection.wrote_s >= silence_s:
            self.put({"channel": "heartbeat"})

    def verb(self, request: Document | None, text: str) -> Verb:
        """By `method`."""
        verbs: dict[str, Verb] = {
            "ping": lambda request: self._answer(request, {}, name="pong"),
            "subscribe": self._subscribe, "unsubscribe": self._unsubscribe,
            "add_order": partial(self._act, self._add),
            "amend_order": partial(self._act, self._amend), "cancel_order": self._cancel,
            "cancel_all": partial(self._act, self._cancel_all),
        }  # fmt: skip
        name = str((request or {}).get("method", ""))
        if name not in verbs:
            raise spot_refused("no_method")
        return verbs[name]

    def refuse(self, request: Document | None, refusal: Refused) -> None:
        """`success` is false, and `error` says why."""
        self._answer(request or {}, {"success": False, "error": refusal.message})

    # ---- subscriptions

    def _account(self, params: Document) -> Account:
        """Whose token it is; one that was used here lives as long as the connection."""
        token = str(params.get("token", ""))
        if token and token == self._token:
            return self._wire.system.venue.accounts[self._account_name]
        self._wire.tokens.expire()
        name = self._wire.tokens.account_of(token)
        if not name:
            raise spot_refused("no_token")
        return self._wire.system.venue.accounts[name]

    def _subscribe(self, request: Document) -> None:
        params = _params(request)
        account, channel = self._account(params), str(params.get("channel", ""))
        if channel not in CHANNELS:
            raise spot_refused("no_channel")
        self._token, self._account_name = str(params["token"]), account.name
        if channel in self.listening:
            self.unlisten(channel)
        is_orders = channel == "executions"
        shown: Document = {"channel": channel}
        if is_orders:
            shown |= {
                "maxratecount": self._wire.system.limits.orders_max,
                "snap_orders": params.get("snap_orders", True),
                "snap_trades": params.get("snap_trades", False),
            }
        else:
            shown |= {"snapshot": params.get("snapshot", True)}
        self._answer(request, {"result": shown, "success": True})
        numbered = _Numbered(channel)
        wants = _ends_and_new if is_orders and params.get("order_status") is False else None
        kinds = frozenset({channel})
        self.listen(
            channel,
            [Subscription(self.connection, account.name, "spot", numbered.update, kinds, wants)],
        )
        rows = self._orders(account, shown) if is_orders else _held(account)
        if is_orders or shown["snapshot"]:
            text = orjson.dumps({"data": list(rows)}).decode()
            self.connection.put(numbered.wrap(text, "snapshot"))

    def _orders(self, account: Account, shown: Document) -> Iterable[Document]:
        spot = self._wire.system.venue.spot
        if shown["snap_orders"]:
            for order in spot.open_orders(account):
                yield open_report(order, spot.stamps.at(order.updated_ms))
        if shown["snap_trades"]:
            yield from spot.last_fills[account.name]

    def _unsubscribe(self, request: Document) -> None:
        channel = str(_params(request).get("channel", ""))
        if channel not in self.listening:
            raise spot_refused("not_listening")
        self.unlisten(channel)
        self._answer(request, {"result": {"channel": channel}, "success": True})

    # ---- orders

    def _act(self, act: Callable[[Account, SpotFields], Any], request: Document) -> None:
        params = _params(request)
        account, fields = self._account(params), SpotFields.of_socket(params)
        carry_out = partial(act, account, fields)
        result = self._wire.trouble.meet(self._ip, carry_out, SOCKET_FAULTS)
        self._answer(request, {"success": True, "result": result})

    def _add(self, account: Account, fields: SpotFields) -> Document:
        order = spot_trades.place(self._wire.system, account, fields)
        name = fields.text("cl_ord_id")
        shown = {"cl_ord_id": name} if name else {}
        made = {"order_id": txid("O", order.order_id)} if order else {}
        return made | shown | {"order_userref": int(fields.text("userref", "0")), "warnings": []}

    def _amend(self, account: Account, fields: SpotFields) -> Document:
        # The names of REST stand there for those of the socket.
        wish = {
            "order_id": fields.text("order_id"), "cl_ord_id": fields.text("cl_ord_id"),
            "limit_price": fields.text("price"), "order_qty": fields.text("volume"),
        }  # fmt: skip
        amend_id = spot_trades.amend(self._wire.system, account, SpotFields(wish))
        named = {name: value for name, value in wish.items() if value and name.endswith("_id")}
        return {"amend_id": amend_id} | named

    def _cancel(self, request: Document) -> None:
        """One reply for each order, all with the request's number."""
        params = _params(request)
        account = self._account(params)
        for name in ("order_id", "cl_ord_id"):
            for one in params.get(name) or ():
                try:
                    cancel = partial(self._cancel_one, account, name, str(one))
                    self._wire.trouble.meet(self._ip, cancel, SOCKET_FAULTS)
                except KrakenRefusal as refusal:
                    self.refuse(request, refusal)
                    continue
                self._answer(request, {"success": True, "result": {name: one}})

    def _cancel_one(self, account: Account, name: str, value: str) -> None:
        system = self._wire.system
        ids = ("", value) if name == "cl_ord_id" else (value, "")
        spot_trades.cancel(system, account, spot_trades.find(system, account, *ids))

    def _cancel_all(self, account: Account, fields: SpotFields) -> Document:
        return spot_calls.cancel_all(self._wire.system, account, fields)

    def _answer(self, request: Document, what: Document, name: str = "") -> None:
        shown: Document = {"method": name or request.get("method", "")}
        if request.get("req_id") is not None:
            shown["req_id"] = request["req_id"]
        now = at_us(self.feed.clock.now_ms() * 1000)
        self.put(shown | what | {"time_in": now, "time_out": now})


class _Numbered:
    """The frames of one subscription, each with the next number."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._last = 0

    def wrap(self, text: str, kind: str) -> str:
        """The frame for what stands in `text`; the number is used, whatever becomes of it."""
        self._last += 1
        head = f'"channel":"{self._channel}","type":"{kind}","sequence":{self._last}'
        return f"{{{head},{text[1:]}"

    def update(self, text: str) -> str:
        """A change."""
        return self.wrap(text, "update")


def _params(request: Document) -> Document:
    params = request.get("params")
    if not isinstance(params, dict):
        raise spot_refused("bad", name="params")
    return params


def _ends_and_new(message: Message) -> bool:
    return message.document["data"][0]["exec_type"] in ENDS_AND_NEW


def _held(account: Account) -> list[Document]:
    rows = account.balances["spot"].items()
    return [balance_row(asset, row.free + row.locked) for asset, row in rows]
