"""Where the executions of an order stand in the state: many of them each in a record of its own.

Pure. A step writes the records that it changed. Up to `INLINE_MAX` executions stand in the order's
own record; of an order with more, each has a record under the order's key and its own id, so that
one more costs the same however many there are (docs/decisions/0005).
"""

from collections.abc import Iterable
from typing import Any, Final

from processors.orders.tracks.fills import HeldFill

INLINE_MAX: Final = 4
MARK: Final = "\n"
"""Between the order's key and the execution's id; a venue's texts are printable and hold none."""


def changed_keys(order_key: str, fills: dict[str, HeldFill], exec_id: str | None) -> Iterable[str]:
    """The records to write after `exec_id` changed, or after anything may have (None)."""
    if len(fills) <= INLINE_MAX:
        return ()
    if exec_id is None or len(fills) == INLINE_MAX + 1:  # perhaps the one that made it large
        return [f"{order_key}{MARK}{one}" for one in fills]
    return (f"{order_key}{MARK}{exec_id}",)


def parsed_key(key: str) -> tuple[str, str | None]:
    """The order's key, and the execution's id if the key is an execution's."""
    order_key, mark, exec_id = key.partition(MARK)
    return (order_key, exec_id) if mark else (key, None)


def dumped(key: str, exec_id: str, fills: dict[str, HeldFill]) -> dict[str, Any] | None:
    """One execution's record, JSON-ready; None where it has none (any more)."""
    if len(fills) <= INLINE_MAX or exec_id not in fills:
        return None
    return {"key": key, "fill": fills[exec_id].dump()}


def loaded(document: dict[str, Any]) -> HeldFill:
    """The execution of a record."""
    return HeldFill.load(document["fill"])
