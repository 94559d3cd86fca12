"""The claims of one partition while they are read, with what the venue answered so far."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.orders.claims import PartitionClaims

DONE_SECONDS: Final = 0.1


class DoneBatch:
    """Says which commands were answered, together: one record each 100 ms at most."""

    def __init__(self, say: Callable[[tuple[str, ...]], None]) -> None:
        self._say = say
        self._ids: list[str] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, command_id: str) -> None:
        """The venue answered this one."""
        self._ids.append(command_id)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DONE_SECONDS, self.flush)

    def flush(self) -> None:
        """Say what is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._ids:
            ids, self._ids = tuple(self._ids), []
            self._say(ids)


@dataclass(frozen=True, slots=True, eq=False)
class HeldClaims:
    """Under these a command is claimed, looked at, and said to be done."""

    claims: PartitionClaims
    done: DoneBatch
