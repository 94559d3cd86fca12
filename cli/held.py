"""What answers say under names that may vary, held until all names are known. Pure.

At some venues an answer names an instrument otherwise than the stream does (decision 0018), and
only the list of instruments says how. That list may stand anywhere in the input of `fold`, so rows
with such a name are folded last, under what the whole input calls them.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import orjson

from orderloom.event import Execution, OrderReport
from orderloom.words import Source


class HeldRow(msgspec.Struct, frozen=True):
    """One order or one execution of an answer, and how it came; times in ns UTC."""

    account: str
    source: Source
    received_ns: int | None
    asked_ns: int | None
    report: OrderReport | None = None
    execution: Execution | None = None

    @property
    def event(self) -> OrderReport | Execution:
        """Whichever it is."""
        found = self.report or self.execution
        assert found is not None
        return found


_ROWS: Final = msgspec.json.Decoder(HeldRow)


class HeldRows:
    """The rows of all accounts, each once: a function of what came, whatever came first."""

    def __init__(self) -> None:
        self._texts: set[bytes] = set()

    def take(self, row: HeldRow) -> None:
        """Hold one row."""
        self._texts.add(msgspec.json.encode(row))

    def all(self) -> Iterator[HeldRow]:
        """Each row once, in an order that no arrival changes."""
        return map(_ROWS.decode, sorted(self._texts))

    def dump(self) -> list[orjson.Fragment]:
        """The complete state, JSON-ready."""
        return [orjson.Fragment(text) for text in sorted(self._texts)]

    def load(self, document: list[Any]) -> None:
        """Take back what `dump` gave out; ValueError if it is something else."""
        for said in document:
            try:
                row = _ROWS.decode(orjson.dumps(said))
            except msgspec.MsgspecError as error:
                raise ValueError(str(error)) from None
            if (row.report is None) == (row.execution is None):
                raise ValueError("a row is an order or an execution")
            self.take(row)
