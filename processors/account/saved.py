"""The parts of an account, as its state records are: what each of them owes the ledger.

Pure. A part that is saved owns its records: it knows what changed of them, gives that out, and
takes it back. A record's key is its kind (one letter, by which it finds its part again), the
account, and the name within the part; a record of `None` is no more.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

Document = dict[str, Any]
"""One state record, JSON-ready; every field by its name."""


class Saved(Protocol):
    """One part of an account, or of a partition; `KINDS` are those of its records."""

    KINDS: ClassVar[tuple[str, ...]]

    def state(self) -> Iterator[tuple[str, Document | None]]:
        """The records that changed since the last call: ``kind`` or ``kind/name``, in order."""
        ...

    def restore(self, kind: str, document: Document) -> None:
        """Take back one record, in any order among the others."""
        ...


def key_of(account: str, path: str) -> str:
    """The key of a part's record: the account stands behind the kind."""
    kind, slash, name = path.partition("/")
    return f"{kind}/{account}{slash}{name}"
