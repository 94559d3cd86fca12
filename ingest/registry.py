"""What changed between two readings of the registry, and what each change asks of the edge. Pure.

1. An account is served while it is registered, enabled, and its key can be read.
2. A key that cannot be read any more stops nothing: the last good one stays in force.
3. An account never moves to another partition or environment (decision 0605): such an entry is
   refused as a whole, and the account goes on as it was. One that was removed is remembered for it.
   What `control` says of its home counts, so that a restart forgets nothing; an account that it
   does not name stays where this process first found it.
4. What only the processors look at (`symbols`) is taken, and changes nothing here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from orderloom.account import AccountConfig, Home
from venues.request import Credentials

LEARN: Final = "; the processors learn it from `orderloom topics`"


@dataclass(frozen=True, slots=True)
class Entry:
    """One account as registered, with its key; without one, `trouble` says why.

    `is_registered` is False for one that was there in this process's time and is no more.
    """

    config: AccountConfig
    credentials: Credentials | None = None
    trouble: str = ""
    is_registered: bool = True

    @property
    def is_served(self) -> bool:
        """Whether its streams are kept and its questions asked."""
        return self.is_registered and self.config.enabled and self.credentials is not None


class Act(StrEnum):
    """What a change asks of the edge."""

    OPEN = "OPEN"
    ALLOW = "ALLOW"
    """Only what may be sent for it is another."""
    RENEW = "RENEW"
    REOPEN = "REOPEN"
    CLOSE = "CLOSE"
    NOTHING = "NOTHING"


@dataclass(frozen=True, slots=True)
class Change:
    """One account's change; `entry` is in force from now on.

    `line` is for the log ("": nothing to log), `reason` for `raw`.
    """

    act: Act
    entry: Entry
    line: str
    reason: str = ""
    is_trouble: bool = False

    @property
    def account(self) -> str:
        """Whose change it is."""
        return self.entry.config.id


Entries = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Places:
    """How many partitions there are, and the home of each account that `control` names."""

    partitions: int
    homes: Mapping[str, Home] = field(default_factory=dict)


def compared(held: Entries, found: Entries, places: Places) -> list[Change]:
    """The changes from what is in force to what was found, account by account."""
    changes = [
        change
        for account, entry in found.items()
        if (change := _change_of(held.get(account), entry, places)) is not None
    ]
    gone = [held[name] for name in held if name not in found and held[name].is_registered]
    return changes + [_removal_of(entry) for entry in gone]


def in_force(held: Entries, found: Entries, changes: list[Change]) -> dict[str, Entry]:
    """The entries by account once `changes` are taken."""
    taken = {change.account: change.entry for change in changes}
    return {name: taken.get(name) or found.get(name) or held[name] for name in {**held, **found}}


def at_home(entry: Entry, places: Places) -> Entry:
    """The entry itself, or one that is not served and says why: `control` has it elsewhere."""
    refusal = _refusal_of(None, entry, places)
    return replace(entry, credentials=None, trouble=refusal) if refusal else entry


def _change_of(before: Entry | None, after: Entry, places: Places) -> Change | None:
    if refusal := _refusal_of(before, after, places):
        # Once: the registry is looked at every second.
        is_news = before is None or before.trouble != refusal
        stays = before is not None and not _refusal_of(None, before, places)
        entry = before if before is not None and stays else at_home(after, places)
        return Change(Act.NOTHING, entry, refusal if is_news else "", is_trouble=True)
    name = after.config.id
    if after.trouble and after.config.enabled:
        return _without_key(before, after)
    if not after.is_served:
        is_news = before is not None and before.is_served
        line = f"account {name} is disabled: its streams close{LEARN}"
        return Change(Act.CLOSE, after, line, _closing("disabled")) if is_news else None
    if before is None or not before.is_served:
        return Change(Act.OPEN, after, f"account {name} {_beginning(before)}")
    return _of_served(before, after)


def _beginning(before: Entry | None) -> str:
    if before is None or not before.is_registered:
        return f"is added: its streams begin{LEARN}"
    if before.config.enabled:
        return "can be served now: its streams begin"
    return f"is enabled: its streams begin{LEARN}"


def _of_served(before: Entry, after: Entry) -> Change | None:
    name, old, new = after.config.id, before.config, after.config
    # Other streams, or another line before the limits: neither can be changed under a connection.
    if (old.products, old.ip_group) != (new.products, new.ip_group):
        line = (
            f"account {name} has other products or another IP group: its streams begin anew{LEARN}"
        )
        return Change(Act.REOPEN, after, line, _closing("changed"))
    if old.orders != new.orders and before.credentials == after.credentials:
        line = f"account {name}: what may be sent for it is now {new.orders!r}{LEARN}"
        return Change(Act.ALLOW, after, line)
    if before.credentials != after.credentials:
        line = f"account {name} has another key: new connections use it, then the old ones close"
        return Change(Act.RENEW, after, line)
    if before.trouble:
        return Change(
            Act.NOTHING, after, f"account {name} has a key that can be read again: the same"
        )
    return None


def _without_key(before: Entry | None, after: Entry) -> Change | None:
    """The key of an enabled account cannot be read."""
    name = after.config.id
    if before is None or not before.is_served:
        if before is not None and before.trouble == after.trouble and before.config.enabled:
            return None
        line = f"account {name} is left out: {after.trouble}"
        return Change(Act.NOTHING, after, line, is_trouble=True)
    if before.trouble == after.trouble:
        return Change(Act.NOTHING, before, "")
    # A file that is just being replaced must not make an account blind.
    line = f"account {name} goes on as it was, with the last good key: {after.trouble}"
    return Change(Act.NOTHING, replace(before, trouble=after.trouble), line, is_trouble=True)


def _refusal_of(before: Entry | None, after: Entry, places: Places) -> str:
    found = before.config.home(places.partitions) if before else None
    # `control` outlasts this process; what it does not name stays where we first found it.
    home = places.homes.get(after.config.id, found)
    if home is None or (move := after.config.move_from(home, places.partitions)) is None:
        return ""
    return f"{move.cause}: that is refused, {move.remedy}"


def _removal_of(entry: Entry) -> Change:
    name = entry.config.id
    # Not forgotten: registered again in another partition, it is refused still (rule 3).
    gone = replace(entry, is_registered=False, credentials=None, trouble="")
    line = f"account {name} is registered no more{LEARN}"
    if not entry.is_served:
        return Change(Act.NOTHING, gone, line)
    line = f"account {name} is registered no more: its streams close{LEARN}"
    return Change(Act.CLOSE, gone, line, _closing("removed"))


def _closing(kind: str) -> str:
    return f"{kind}: so the registry says"


def served(entries: Entries) -> Iterator[Entry]:
    """The entries of accounts that are to be served."""
    return (entry for entry in entries.values() if entry.is_served)
