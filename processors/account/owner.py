"""The ingest worker that owns the partition's edge: which one, and what it last said that it hears.

Pure. One record a second lists every connection of the partition. It stands here once, for all
accounts, so an account on which nothing happens changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from orderloom.raw import Liveness

OWNER: Final = "w"
"""The kind of its state record."""


@dataclass(slots=True)
class Owner:
    """Shared by the accounts of one partition.

    `generation` is that of the newest owner, -1 for none; `liveness_ns` when it was last heard;
    `heard` by account and connection when each was heard.
    """

    KINDS: ClassVar[tuple[str, ...]] = (OWNER,)

    generation: int = -1
    liveness_ns: int = 0
    heard: dict[str, dict[str, int]] = field(default_factory=dict)
    is_dirty: bool = False

    def take(self, generation: int, at_ns: int) -> bool:
        """A record of that generation came; False if its writer owns the partition no more.

        What the former owner heard stands until the new one lists its own: the connections that end
        with the former one were heard up to then.
        """
        if generation < self.generation:
            return False
        if generation > self.generation or at_ns > self.liveness_ns:
            self.generation, self.is_dirty = generation, True
            self.liveness_ns = max(self.liveness_ns, at_ns)
        return True

    def take_liveness(self, item: Liveness) -> None:
        """The owner lists the connections that it hears."""
        self.is_dirty = True
        self.liveness_ns = max(self.liveness_ns, item.at_ns)
        formerly, self.heard = self.heard, {}
        for entry in item.connections:
            account, name = entry["account"], entry["connection"]
            heard_ns = max(entry["heard_ns"], formerly.get(account, {}).get(name, 0))
            self.heard.setdefault(account, {})[name] = heard_ns

    def fall_silent(self, now_ns: int) -> None:
        """It was not heard for too long; that counts from now on again."""
        self.liveness_ns = max(self.liveness_ns, now_ns)
        self.is_dirty = True

    def heard_ns(self, account: str, connection: str) -> int:
        """When it last heard that connection; 0 where it never said."""
        return self.heard.get(account, {}).get(connection, 0)

    def state(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The state record, if it changed since the last call."""
        if self.is_dirty:
            fields = {"generation": self.generation, "liveness_ns": self.liveness_ns}
            yield f"{OWNER}/owner", fields | {"heard": self.heard}
        self.is_dirty = False

    def restore(self, _kind: str, document: dict[str, Any]) -> None:
        """Take back the state record."""
        self.generation, self.liveness_ns = document["generation"], document["liveness_ns"]
        self.heard = document["heard"]
