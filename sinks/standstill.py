"""Whether a consumer stands still although there is more to read. Pure.

A client whose view of the cluster is old, or whose partition has no leader, brings neither records
nor an error: it looks as if nothing were written.
"""

from collections.abc import Mapping
from typing import Final

from sinks.record import Place

STILL_SECONDS_MAX: Final = 30.0


class Standstill:
    """Looked at now and then; remembers since when each place has not moved."""

    def __init__(self) -> None:
        self._since: dict[Place, tuple[int, float]] = {}

    def look(
        self, reached: Mapping[Place, int], ends: Mapping[Place, int], now: float
    ) -> list[Place]:
        """The places that have been short of their ends, at one offset, for too long.

        `now` in seconds, on a clock that only goes on. `ends` are those that readers of committed
        records are shown.
        """
        before, self._since = self._since, {}
        for place, offset in reached.items():
            if offset < ends[place]:
                was, since = before.get(place, (offset, now))
                self._since[place] = offset, since if was == offset else now
        return [at for at, (_, since) in self._since.items() if now - since > STILL_SECONDS_MAX]
