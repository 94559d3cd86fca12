"""Registers: one field's value with the stamp of the evidence that it came from. Pure.

The greater stamp wins, at equal stamps the greater value, never the later arrival
(docs/state-model.md 4.2: venue ordinal, amendment, cumulative quantity, live before terminal,
content).
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

Stamp = tuple[int, int, int, Decimal, int]
Registers = dict[str, tuple[Any, Any]]

NOTHING_SAID: Final[Mapping[str, tuple[Any, Any]]] = MappingProxyType({})
"""Registers that nobody wrote yet: all orders share it, as most of theirs stay empty."""
LOWEST: Final[Stamp] = (-1, -1, 0, Decimal(-1), 0)
"""The stamp of what an execution says of its order in passing."""
NO_ORDINAL: Final = (-1, -1)
NEVER_NS: Final = -1
"""Before every time of a venue."""
SAME: Final = 0
STORED: Final = 1
SHOWN: Final = 2
"""What taking evidence changed: nothing; the state; what consumers see. Bits. What follows from
several facts (status, average price) counts as STORED here: it is compared after deriving."""


def own(registers: Mapping[str, tuple[Any, Any]]) -> Registers:
    """The same registers, which may be written."""
    return registers if isinstance(registers, dict) else {}


def put(registers: Registers, name: str, stamp: Any, value: Any) -> int:
    """Offer a value to a register; returns what that changed."""
    held = registers.get(name)
    if held is None:
        registers[name] = (stamp, value)
        return STORED | SHOWN
    if stamp < held[0] or (stamp == held[0] and value <= held[1]):
        return SAME
    registers[name] = (stamp, value)
    return STORED if value == held[1] else STORED | SHOWN
