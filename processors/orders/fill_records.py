"""Where the executions of a large order stand in the state: in buckets, each a record of its own.

Pure. A step writes the records that it changed. An order's executions stand in its own record, up
to `INLINE_MAX`; of an order with more, each stands in the bucket that its id hashes to, so that one
more execution of an order with ten thousand writes a fraction of them. The bucket depends on the
execution's id alone, never on arrival.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final
from zlib import crc32

from processors.orders.tracks.fills import HeldFill

INLINE_MAX: Final = 256
BUCKETS: Final = 64
MARK: Final = "#fills/"


def bucket_of(exec_id: str) -> int:
    """The bucket that an execution belongs to."""
    return crc32(exec_id.encode()) % BUCKETS


def keys_of(order_key: str) -> list[str]:
    """The keys of an order's buckets."""
    return [f"{order_key}{MARK}{bucket:02d}" for bucket in range(BUCKETS)]


def changed_keys(order_key: str, fills: dict[str, HeldFill], exec_id: str | None) -> Iterable[str]:
    """The buckets to write after `exec_id` changed, or after anything may have (None)."""
    if len(fills) <= INLINE_MAX:
        return ()
    if exec_id is None or len(fills) == INLINE_MAX + 1:  # perhaps the one that made it large
        return keys_of(order_key)
    return (f"{order_key}{MARK}{bucket_of(exec_id):02d}",)


def parsed_key(key: str) -> tuple[str, int | None]:
    """The order key, and the number of the bucket if the key is a bucket's."""
    order_key, mark, bucket = key.rpartition(MARK)
    return (order_key, int(bucket)) if mark else (key, None)


def dumped(key: str, bucket: int, fills: dict[str, HeldFill]) -> dict[str, Any] | None:
    """One bucket's record, JSON-ready; None if it holds nothing."""
    if len(fills) <= INLINE_MAX:
        return None
    mine = [fills[exec_id].dump() for exec_id in sorted(fills) if bucket_of(exec_id) == bucket]
    return {"key": key, "fills": mine} if mine else None


def loaded(document: dict[str, Any]) -> Iterator[HeldFill]:
    """The fills of a bucket's record."""
    return (HeldFill.load(fill) for fill in document["fills"])
