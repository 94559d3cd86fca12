"""The connection that a request came on, as far as a fault can act on it."""

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar

from aiohttp import web

from simulator.delivery import Connection, reset
from simulator.journal import Transport


class Line(ABC):
    """Who asked hears the answer on it, while it stands."""

    name: ClassVar[Transport]
    number: int = 0

    @property
    @abstractmethod
    def transport(self) -> asyncio.Transport | None:
        """The TCP connection; None where it is gone."""

    @property
    def is_over(self) -> bool:
        """Whether nothing that is said on it will be heard."""
        return self.transport is None or self.transport.is_closing()

    @abstractmethod
    def end(self, reason: str, *, is_hard: bool) -> None:
        """End it: hard by a reset, else as a server does that has been idle for too long."""


class RequestLine(Line):
    """Of one request of HTTP."""

    name = "rest"

    def __init__(self, request: web.Request) -> None:
        self._request = request

    @property
    def transport(self) -> asyncio.Transport | None:
        """The request's own."""
        return self._request.transport

    def end(self, reason: str, *, is_hard: bool) -> None:
        """Whoever waits on it hears nothing."""
        if self.transport is None:
            return
        if is_hard:
            reset(self.transport)
        else:
            self.transport.close()


class SocketLine(Line):
    """Of a WebSocket."""

    name = "socket"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.number = connection.number

    @property
    def transport(self) -> asyncio.Transport | None:
        """The connection's own."""
        return self._connection.transport

    @property
    def is_over(self) -> bool:
        """A half-open one says nothing either."""
        return self._connection.is_half_open or super().is_over

    def end(self, reason: str, *, is_hard: bool) -> None:
        """Its subscriptions end with it."""
        self._connection.cut(reason, is_hard=is_hard)
