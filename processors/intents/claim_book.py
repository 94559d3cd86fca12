"""What a partition's claim log says of commands and kills, as far as the fold needs it. Pure.

The rule is that of `orderloom.claim_log`; here it is applied to what the ledger folds, and saved.
Of the commands only those are kept that place or amend: nothing stops a cancel.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, Self

from orderloom.claim import Claim, ClaimRecord, Command, Kill, KillScope, NotSent, Verb, Void

CLAIMS: Final = "C"
"""The kind of its state records."""
KNOWN: Final = "known"


@dataclass(frozen=True, slots=True)
class Fate:
    """What stands in the log of one command: the first record that names it, at `offset`.

    `life` made the claim, which `counts` or not; `expires_ns` is the venue's time until which the
    venue takes the request. `is_unsent`: the log proves that it was not sent and never will be.
    """

    offset: int
    life: str | None = None
    counts: bool = False
    expires_ns: int | None = None
    is_unsent: bool = False


@dataclass(frozen=True, slots=True)
class HeldKill:
    """A kill that stands at `offset`; `is_lifted` once an operator resumed what it stopped."""

    offset: int
    scope: KillScope
    author: str
    reason: str
    is_lifted: bool = False

    def concerns(self, account: str) -> bool:
        """Whether it stops anything of this account."""
        return self.scope.account in (None, account)

    def document(self) -> dict[str, Any]:
        """The state record."""
        return {**asdict(self), "scope": self.scope.model_dump(exclude_none=True)}

    def shown(self) -> dict[str, Any]:
        """What the account's record says of it."""
        scope = self.scope.model_dump(exclude_none=True)
        said = {"author": self.author, "reason": self.reason}
        return {"offset": self.offset, "scope": scope, **said}

    @classmethod
    def restored(cls, document: dict[str, Any]) -> Self:
        """Take back a state record."""
        fields = {name: document[name] for name in cls.__slots__}
        return cls(**fields | {"scope": KillScope(**document["scope"])})


class ClaimBook:
    """The claims of one partition; `known` is the offset below which each record was folded."""

    KINDS: ClassVar[tuple[str, ...]] = (CLAIMS,)

    def __init__(self) -> None:
        self.known = 0
        self._fates: dict[str, Fate] = {}
        self._kills: dict[int, HeldKill] = {}
        self._dirty: set[str] = set()

    # ---- the log

    def take(self, offset: int, record: ClaimRecord) -> str | HeldKill | None:
        """Fold one record: the command whose fate it changed, or the kill that it is."""
        self.known = offset + 1
        self._dirty.add(KNOWN)
        match record:
            case Claim() if record.command.verb is not Verb.CANCEL:
                return self._claimed(offset, record)
            case Void():
                return self._first(record.command_id, Fate(offset, is_unsent=True))
            case NotSent():
                return self._not_sent(offset, record)
            case Kill():
                kill = HeldKill(offset, record.scope, record.author, record.reason)
                self._put_kill(kill)
                return kill
        return None

    def _claimed(self, offset: int, claim: Claim) -> str | None:
        command = claim.command
        if command.seen > offset:  # decided by another log of this name: nothing can be said
            return None
        counts = not self.is_killed(command)
        fate = Fate(offset, claim.life, counts, claim.expires_ns, is_unsent=not counts)
        return self._first(command.id, fate)

    def _not_sent(self, offset: int, record: NotSent) -> str | None:
        held = self._fates.get(record.command_id)
        if held is None:
            return self._first(record.command_id, Fate(offset, is_unsent=True))
        # Another process's word about its own failed claim proves nothing of this one.
        if held.life != record.life or held.is_unsent:
            return None
        fate = Fate(held.offset, held.life, held.counts, held.expires_ns, is_unsent=True)
        self._put(record.command_id, fate)
        return record.command_id

    def _first(self, command_id: str, fate: Fate) -> str | None:
        if command_id in self._fates:
            return None
        self._put(command_id, fate)
        return command_id

    def _put(self, command_id: str, fate: Fate) -> None:
        self._fates[command_id] = fate
        self._dirty.add(f"f/{command_id}")

    def _put_kill(self, kill: HeldKill) -> None:
        self._kills[kill.offset] = kill
        self._dirty.add(f"k/{kill.offset}")

    # ---- what it means

    def fate(self, command_id: str) -> Fate | None:
        """What stands of a command; None if nothing does."""
        return self._fates.get(command_id)

    def is_unsent(self, command: Command) -> bool:
        """Whether the log proves that the command was not sent and never will be."""
        fate = self._fates.get(command.id)
        if fate is None:
            return self.is_killed(command)  # a claim may follow, but none that counts
        return fate.is_unsent

    def is_killed(self, command: Command) -> bool:
        """Whether a kill that covers the command stands at or above its `seen`."""
        return any(
            command.seen <= kill.offset and kill.scope.covers(command)
            for kill in self._kills.values()
        )

    def forget(self, command_ids: Iterable[str]) -> None:
        """These commands are over."""
        for command_id in command_ids:
            if self._fates.pop(command_id, None) is not None:
                self._dirty.add(f"f/{command_id}")

    # ---- kills

    @property
    def kills(self) -> list[HeldKill]:
        """All of them, the oldest first."""
        return [kill for _, kill in sorted(self._kills.items())]

    def lift(self, offsets: Iterable[int]) -> list[HeldKill]:
        """An operator resumed what these kills stopped; those that were in force."""
        found = [self._kills[at] for at in offsets if at in self._kills]
        lifted = [kill for kill in found if not kill.is_lifted]
        for kill in lifted:
            fields = {name: getattr(kill, name) for name in HeldKill.__slots__}
            self._put_kill(HeldKill(**fields | {"is_lifted": True}))
        return lifted

    # ---- state

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed since the last call; None: it is no more."""
        for name in sorted(self._dirty):
            kind, _, rest = name.partition("/")
            if name == KNOWN:
                yield f"{CLAIMS}/{name}", {"known": self.known}
            elif kind == "k":
                yield f"{CLAIMS}/{name}", {"kill": self._kills[int(rest)].document()}
            else:
                fate = self._fates.get(rest)
                document = None if fate is None else {"command": rest, "fate": asdict(fate)}
                yield f"{CLAIMS}/{name}", document
        self._dirty.clear()

    def restore(self, _kind: str, document: dict[str, Any]) -> None:
        """Take back one state record."""
        if "known" in document:
            self.known = document["known"]
        elif "kill" in document:
            kill = HeldKill.restored(document["kill"])
            self._kills[kill.offset] = kill
        else:
            self._fates[document["command"]] = Fate(**document["fate"])
