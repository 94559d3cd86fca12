"""Destinations of the output topics; writing is idempotent, and one line here registers each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from sinks.sink import Sink
from sinks.sqlite import SqliteSink

SINKS: Final[Mapping[str, Callable[[Path], Sink]]] = {
    "sqlite": SqliteSink,
}
"""Each is made from where it writes to; `sinks.worker` says where that is unless settings do."""
