"""Whose published records two folds of the same steps make differently. Pure.

Where in its series a record stands is no difference: one record more shifts all that follow.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from orderloom.topology import FILLS, ORDERS

OF_SERIES: Final = ("sequence", "epoch")
Record = tuple[str, bytes, bytes | None]
"""The topic's kind, key and value."""


@dataclass(slots=True)
class Changed:
    """What is published otherwise of one order (or of another key): where, and since which step."""

    account: str
    step: int
    records: int = 0
    topics: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Comparison:
    """By order key, or by topic and key where a record is of no order."""

    changed: dict[str, Changed] = field(default_factory=dict)

    def take(self, step: int, ours: Iterable[Record], theirs: Iterable[Record]) -> None:
        """Compare what one step publishes by either fold."""
        one, other = _by_key(ours), _by_key(theirs)
        for place in one.keys() | other.keys():
            mine, yours = one.get(place, []), other.get(place, [])
            if mine != yours and not _are_alike(mine, yours):
                self._note(step, place, mine, yours)

    def _note(
        self, step: int, place: tuple[str, bytes], mine: list[bytes | None], yours: Any
    ) -> None:
        kind, key = place
        records = [value for value in mine if value not in yours]
        records += [value for value in yours if value not in mine]
        for value in records:
            fields = _fields(value)
            name, account = _name_of(kind, key.decode(errors="replace"), fields)
            changed = self.changed.setdefault(name, Changed(account, step))
            changed.account = changed.account or account
            changed.topics.add(kind)
            changed.records += 1


def _by_key(records: Iterable[Record]) -> dict[tuple[str, bytes], list[bytes | None]]:
    found: dict[tuple[str, bytes], list[bytes | None]] = {}
    for kind, key, value in records:
        found.setdefault((kind, key), []).append(value)
    return found


def _are_alike(mine: list[bytes | None], yours: list[bytes | None]) -> bool:
    return len(mine) == len(yours) and all(
        one == other or (None not in (one, other) and _fields(one) == _fields(other))
        for one, other in zip(mine, yours, strict=True)
    )


def _fields(value: bytes | None) -> dict[str, Any]:
    try:
        document = orjson.loads(value or b"{}")
    except orjson.JSONDecodeError:
        return {"": value}
    if not isinstance(document, dict):
        return {"": document}
    return {name: field for name, field in document.items() if name not in OF_SERIES}


def _name_of(kind: str, key: str, fields: dict[str, Any]) -> tuple[str, str]:
    account = str(fields.get("account", ""))
    if kind == ORDERS.kind:
        return key, account
    if kind == FILLS.kind and "order_key" in fields:
        return str(fields["order_key"]), account
    return f"{kind} {key}", account
