"""One record of `control`: an account's registry entry, where an account lies, a resumption. Pure.

    {"type":"account","config":{"id":"okx:main",...},"removed":false}    in the account's partition
    {"type":"home","account":"okx:main","partition":3}                   in every other one
    {"type":"resume","kills":[17],"author":"ada","reason":"drill"}       under the partition's key

An account lies in one partition for ever (decision 0605). The others get a record of it, so that
evidence of it is believed in none of them. Whoever reads `control` reads it with `read_control`,
names what it refuses, and goes on.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson

from orderloom.account import AccountConfig
from orderloom.identity import checked_account, venue_of
from orderloom.topology import PARTITION_KEY

ACCOUNT, HOME, RESUME = "account", "home", "resume"
REASON_CHARS_MAX: Final = 200


class BadControlRecord(Exception):
    """A record of `control` that cannot be read, or is of a type that this version does not know.

    The message is the reason, in one line.
    """


class MisplacedControlRecord(BadControlRecord):
    """One that can be read, but is not of this key, venue or partition: `kind` says which."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Registration:
    """An account's entry in the registry; its partition is that of the record."""

    config: AccountConfig
    is_removed: bool = False

    @property
    def account(self) -> str:
        """Whose entry it is."""
        return self.config.id

    def encoded(self) -> bytes:
        """The record's value."""
        config = self.config.model_dump(mode="json")
        if self.config.orders == "none":
            del config["orders"]  # older versions refuse a field that they do not know
        document: dict[str, Any] = {"type": ACCOUNT, "config": config}
        return orjson.dumps(document | ({"removed": True} if self.is_removed else {}))


@dataclass(frozen=True, slots=True)
class HomeElsewhere:
    """An account that lies in another partition than the one that holds this record."""

    account: str
    partition: int

    def encoded(self) -> bytes:
        """The record's value."""
        return orjson.dumps({"type": HOME, "account": self.account, "partition": self.partition})


@dataclass(frozen=True, slots=True)
class Resumption:
    """An operator lifts these kills, by their offsets in the partition's `claims`."""

    kills: tuple[int, ...]
    author: str
    reason: str = ""

    def encoded(self) -> bytes:
        """The record's value; its key is the partition's own."""
        document = {"type": RESUME, "kills": self.kills, "author": self.author}
        return orjson.dumps(document | {"reason": self.reason})


def read_control(
    key: bytes | None, value: bytes | None, venue: str, partition: int
) -> Registration | HomeElsewhere | Resumption:
    """What a record in `partition` of the venue's `control` says.

    Raises BadControlRecord, MisplacedControlRecord.
    """
    try:
        said = _said(value)
    # Whoever may write there may write anything: a list, say, has no `get`.
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        text = " ".join(str(error).split())
        raise BadControlRecord(f"{type(error).__name__}: {text:.{REASON_CHARS_MAX}}") from None
    if isinstance(said, Resumption):
        if key != PARTITION_KEY:
            raise MisplacedControlRecord("key", f"its key {key!r:.80} is not the partition's")
        return said
    account = said.account
    # Readable is not enough: one that does not fit is believed in nothing (decision 0108).
    if key != account.encode():
        raise MisplacedControlRecord("key", f"its key {key!r:.80} is not its account {account}")
    if venue_of(account) != venue:
        raise MisplacedControlRecord("account", f"account {account} is not of {venue}")
    # Only one that was written down: how many partitions there are is not known here.
    home = said.config.partition if isinstance(said, Registration) else None
    if home is not None and home != partition:
        raise MisplacedControlRecord("partition", f"account {account} lies in partition {home}")
    if isinstance(said, HomeElsewhere) and said.partition == partition:
        raise MisplacedControlRecord("partition", f"account {account} lies here, not elsewhere")
    return said


def _said(value: bytes | None) -> Registration | HomeElsewhere | Resumption:
    document = orjson.loads(value or b"")
    if (kind := document.get("type")) == ACCOUNT:
        config = AccountConfig.model_validate(document["config"])
        return Registration(config, document.get("removed") is True)
    if kind == RESUME:
        kills, author = tuple(document["kills"]), document["author"]
        if not all(type(at) is int and at >= 0 for at in kills) or type(author) is not str:
            raise ValueError("kills are offsets, and their author a text")
        return Resumption(kills, author, str(document.get("reason", "")))
    if kind != HOME:
        raise ValueError(f"unknown type {kind!r:.40}")
    account, partition = checked_account(document["account"]), document["partition"]
    if type(partition) is not int or partition < 0:
        raise ValueError(f"partition is {partition!r:.40}")
    return HomeElsewhere(account, partition)
