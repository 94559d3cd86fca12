"""`/control/...` and `/truth...`: for tests and verdicts, never for the product."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from simulator.box import Box, Venue
from simulator.config import FaultConfig
from simulator.faults import FAULTS
from simulator.keys import NewKey, OldKey, issue, revoke
from simulator.pacing import Pacer
from simulator.plants import Plant
from simulator.truth import account_truth, fate, fill_truth, summary, truth

QUIESCE_S_MAX = 30.0
"""How long quiescing waits for listeners to take what is queued for them."""


class Quiesce(BaseModel):
    """What `POST /control/quiesce` shall do with open orders, and whether faults go on."""

    model_config = ConfigDict(extra="forbid")

    open_orders: Literal["leave", "cancel", "fill"] = "leave"
    faults: bool = True


class Disconnect(BaseModel):
    """What `POST /control/disconnect` shall end, and how."""

    model_config = ConfigDict(extra="forbid")

    planned: bool = False
    half_open: bool = False


class ClockChange(BaseModel):
    """How far the venue's clock shall run ahead from now on, in ms; behind, below zero."""

    model_config = ConfigDict(extra="forbid")

    skew_ms: int


class Planted(BaseModel):
    """What `POST /control/plants` shall let wait, in this order."""

    model_config = ConfigDict(extra="forbid")

    plants: tuple[Plant, ...]


class Control:
    """Handlers over one venue in its box."""

    def __init__(self, box: Box[Venue], pacer: Pacer) -> None:
        self._box = box
        self._pacer = pacer

    def add_routes(self, app: web.Application) -> None:
        """Put the control and truth paths into `app`."""
        app.router.add_get("/control/traffic", self.show_traffic)
        app.router.add_post("/control/traffic", self.change_traffic)
        app.router.add_post("/control/quiesce", self.quiesce)
        app.router.add_get("/control/faults", self.show_faults)
        app.router.add_post("/control/faults", self.change_faults)
        app.router.add_get("/control/plants", self.show_plants)
        app.router.add_post("/control/plants", self.plant)
        app.router.add_post("/control/disconnect", self.disconnect)
        app.router.add_post("/control/clock", self.change_clock)
        app.router.add_post("/control/keys", self.issue_key)
        app.router.add_post("/control/keys/revoke", self.revoke_key)
        for name, act in self._box.controls().items():
            app.router.add_post(f"/control/{name}", _acting(act))
        app.router.add_get("/control/journal", self.show_journal)
        app.router.add_get("/control/connections", self.show_connections)
        app.router.add_get("/truth", self.truth)
        app.router.add_get("/truth/summary", self.summary)

    async def show_traffic(self, request: web.Request) -> web.Response:
        """The present rate, and who listens."""
        return _json(self._traffic())

    async def change_traffic(self, request: web.Request) -> web.Response:
        """Change only the fields that are named: rate, burst, running, ..."""
        wanted = await _body(request)
        try:
            merged = self._pacer.config.model_dump() | wanted
            self._pacer.change(type(self._pacer.config).model_validate(merged))
        except ValidationError as error:
            return _json({"error": str(error)}, 400)
        self._box.venue.traders.config = self._pacer.config
        return _json(self._traffic())

    async def quiesce(self, request: web.Request) -> web.Response:
        """No new orders; open ones as asked; then everything that is held or queued goes out."""
        try:
            wanted = Quiesce.model_validate(await _body(request))
        except ValidationError as error:
            return _json({"error": str(error)}, 400)
        self._pacer.change(self._pacer.config.model_copy(update={"running": False}))
        if not wanted.faults:
            self._box.faults.stop()
        if wanted.open_orders != "leave":
            self._box.venue.traders.close_all(wanted.open_orders)
        try:
            async with asyncio.timeout(QUIESCE_S_MAX):
                await self._box.feed.drain()
        except TimeoutError:
            return _json({"error": "a listener does not read what is queued for it"}, 504)
        return _json(self._summary())

    async def show_faults(self, request: web.Request) -> web.Response:
        """What is configured, what was injected, and every fill that was not delivered."""
        fills = [
            fill_truth(account, fill) | {"account": account.name, "fate": fate(fill)}
            for account in self._box.venue.accounts.values()
            for fills in account.fills.values()
            for fill in fills
            if not fill.deliveries
        ]
        return _json(
            {
                "kinds": FAULTS,
                "config": self._box.faults.config.model_dump(),
                "injected": dict(self._box.faults.injected),
                "undelivered": fills,
            }
        )

    async def change_faults(self, request: web.Request) -> web.Response:
        """Other chances and schedules from now on; what was planned before is forgotten."""
        try:
            self._box.faults.change(FaultConfig.model_validate(await _body(request)))
        except ValueError as error:  # pydantic's ValidationError is one
            return _json({"error": str(error)}, 400)
        return _json({"injected": dict(self._box.faults.injected)})

    async def show_plants(self, request: web.Request) -> web.Response:
        """Planted faults that wait for their requests still."""
        waiting = self._box.faults.plants.waiting
        return _json({"waiting": [plant.model_dump() for plant in waiting]})

    async def plant(self, request: web.Request) -> web.Response:
        """Plant faults beside those that wait already."""
        try:
            self._box.faults.plant(Planted.model_validate(await _body(request)).plants)
        except ValueError as error:  # pydantic's ValidationError is one
            return _json({"error": str(error)}, 400)
        return await self.show_plants(request)

    async def disconnect(self, request: web.Request) -> web.Response:
        """End every private connection now, by a hard cut, as a planned shutdown, or half-open."""
        try:
            wanted = Disconnect.model_validate(await _body(request))
        except ValidationError as error:
            return _json({"error": str(error)}, 400)
        if wanted.half_open:
            return _json({"half_open": self._box.sockets.go_half_open()})
        ended = await self._box.sockets.end_all(planned=wanted.planned)
        return _json({"ended": ended})

    async def change_clock(self, request: web.Request) -> web.Response:
        """Set the error of the venue's clock."""
        try:
            wanted = ClockChange.model_validate(await _body(request))
        except ValidationError as error:
            return _json({"error": str(error)}, 400)
        self._box.clock.skew_ms = wanted.skew_ms
        return _json({"now_ms": self._box.clock.now_ms()})

    async def issue_key(self, request: web.Request) -> web.Response:
        """Give an account one more key."""
        try:
            wanted = NewKey.model_validate(await _body(request))
            return _json({"keys": issue(self._box.venue, wanted)})
        except ValidationError as error:
            return _json({"error": str(error)}, 400)
        except LookupError as error:
            return _json({"error": f"no account {error}"}, 404)

    async def revoke_key(self, request: web.Request) -> web.Response:
        """Take a key back; open connections stay."""
        try:
            wanted = OldKey.model_validate(await _body(request))
            return _json({"keys": revoke(self._box.venue, wanted)})
        except ValidationError as error:
            return _json({"error": str(error)}, 400)
        except LookupError as error:
            return _json({"error": f"no key {error}"}, 404)

    async def show_journal(self, request: web.Request) -> web.Response:
        """The wire journal, whole or `?after=` a number, of all accounts or of `?account=`."""
        after, account = request.query.get("after", "0"), request.query.get("account", "")
        if not after.isdecimal():
            return _json({"error": "after is the number of a row"}, 400)
        return _json(self._box.venue.journal.document(int(after), account))

    async def show_connections(self, request: web.Request) -> web.Response:
        """Open connections and those that ended, with the reason."""
        return _json(self._connections())

    async def truth(self, request: web.Request) -> web.Response:
        """The books: of all accounts, or of `?account=`."""
        accounts = self._box.venue.accounts
        name = request.query.get("account")
        if name is not None:
            if name not in accounts:
                return _json({"error": f"no account {name}"}, 404)
            return _json(account_truth(accounts[name]))
        books = truth(accounts.values(), self._box.feed.messages)
        injected = dict(self._box.faults.injected)
        return _json(books | {"faults": injected, "connections": self._connections()})

    async def summary(self, request: web.Request) -> web.Response:
        """Counts only."""
        return _json(self._summary())

    def _summary(self) -> dict[str, Any]:
        counts = summary(self._box.venue.accounts.values(), self._box.feed.messages)
        return counts | {"faults": dict(self._box.faults.injected)}

    def _traffic(self) -> dict[str, Any]:
        listening = ["/".join(filter(None, heard)) for heard in self._box.feed.listening()]
        messages = self._box.feed.messages
        return self._pacer.config.model_dump() | {"messages": messages, "listening": listening}

    def _connections(self) -> dict[str, Any]:
        feed = self._box.feed
        return {
            "open": [
                {"number": row.number, "product": row.kind, "opened_ms": row.opened_ms}
                for row in feed.connections.values()
            ],
            "ended": list(feed.ended),
        }


def _acting(act: Callable[[], object]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler that does something and shows what came of it."""

    async def handle(request: web.Request) -> web.Response:
        return _json(act())

    return handle


async def _body(request: web.Request) -> dict[str, Any]:
    text = await request.read()
    body = orjson.loads(text) if text else {}
    return body if isinstance(body, dict) else {"body": body}


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")
