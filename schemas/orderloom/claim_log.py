"""Which claims of one partition count: the rule of the claim log, applied record by record. Pure.

A claim counts if no record below it names its command, and no kill that covers it stands at or
above the place up to which the fold had read when it decided the command (`Command.seen`). No
generation, epoch or clock takes part, so whoever reads the same records finds the same: the fold,
the process that sends, and the operator who stops it.
"""

from dataclasses import dataclass

from orderloom.claim import Claim, ClaimRecord, Command, Done, Kill, KillScope, NotSent, Void


class BrokenClaimLog(Exception):
    """The log is not what was read before: a hole, or another record at an offset.

    The message is the reason, in one line. The partition stops: what was claimed may not count.
    """


@dataclass(frozen=True, slots=True)
class Named:
    """The first record that was read of those that name a command.

    `claim` is that record where it is one, `counts` whether it surely counts. `is_judged`: each
    record below it that may name the command, or kill it, was read.
    """

    offset: int
    claim: Claim | None
    counts: bool
    is_judged: bool


class ClaimLog:
    """The records of one partition from `begin` on; each below `known` was applied."""

    __slots__ = ("_begin", "_done", "_kills", "_known", "_named", "_unsent")

    def __init__(self, begin: int = 0) -> None:
        self._begin = self._known = begin
        self._named: dict[str, Named] = {}
        self._kills: dict[KillScope, int] = {}  # where the newest of each scope stands
        self._unsent: set[str] = set()
        self._done: set[str] = set()

    @property
    def known(self) -> int:
        """The offset below which each record was applied."""
        return self._known

    @property
    def begin(self) -> int:
        """The offset below which nothing is kept."""
        return self._begin

    def apply(self, offset: int, record: ClaimRecord) -> None:
        """Take the next record. Raises BrokenClaimLog where it is not the next."""
        if offset != self._known:
            raise BrokenClaimLog(f"record {offset} follows where {self._known} was awaited")
        match record:
            case Claim():
                self._take_claim(offset, record)
            case Void():
                self._name(record.command_id, Named(offset, None, counts=False, is_judged=True))
            case NotSent():
                self._take_not_sent(offset, record)
            case Done():
                self._done.update(record.command_ids)
            case Kill():
                self._kills[record.scope] = offset
        self._known = offset + 1

    def _take_claim(self, offset: int, claim: Claim) -> None:
        command = claim.command
        # Decided by more than stands below it: by another log of this name, or by one since cut.
        is_judged = self.can_judge(command) and command.seen <= offset
        counts = is_judged and not self.is_killed(command)
        self._name(command.id, Named(offset, claim, counts, is_judged))

    def _take_not_sent(self, offset: int, record: NotSent) -> None:
        named = self._named.get(record.command_id)
        if named is None:
            self._name(record.command_id, Named(offset, None, counts=False, is_judged=True))
        # Another process's word about its own failed claim proves nothing of this one.
        elif named.claim is not None and named.claim.life == record.life:
            self._unsent.add(record.command_id)

    def _name(self, command_id: str, named: Named) -> None:
        self._named.setdefault(command_id, named)

    def can_judge(self, command: Command) -> bool:
        """Whether nothing that concerns the command stands below what was read.

        What names a command, or kills it, stands at or above its `seen`.
        """
        return command.seen >= self._begin

    def is_killed(self, command: Command) -> bool:
        """Whether a kill that covers the command was read at or above its `seen`."""
        return any(
            command.seen <= offset and scope.covers(command)
            for scope, offset in self._kills.items()
        )

    def named(self, command_id: str) -> Named | None:
        """The first record that names a command; None if none was read."""
        return self._named.get(command_id)

    def counts(self, command_id: str, offset: int) -> bool:
        """Whether the claim of the command at this offset counts; it was read."""
        named = self._named.get(command_id)
        return named is not None and named.offset == offset and named.counts

    def is_unsent(self, command: Command) -> bool:
        """Whether the log proves that the command was not sent and never will be.

        Only this is told as "not placed", and never that time passed.
        """
        if not self.can_judge(command) or command.seen > self._known:
            return False
        named = self._named.get(command.id)
        if named is None:
            return self.is_killed(command)  # a claim may follow, but none that counts
        if not named.is_judged:
            return False
        return not named.counts or command.id in self._unsent

    def may_arrive(self, scope: KillScope, below: int, venue_ns: int) -> list[Claim]:
        """What of a scope was claimed below an offset and may still reach the venue.

        `venue_ns` is what the venue's time is at least: past its expiry a request is refused there.
        """
        found = []
        for command_id, one in self._named.items():
            if one.claim is None or one.offset >= below or not scope.covers(one.claim.command):
                continue
            if command_id in self._unsent or command_id in self._done:
                continue
            if one.is_judged and not one.counts:
                continue
            if one.claim.expires_ns is None or one.claim.expires_ns >= venue_ns:
                found.append(one.claim)
        return found

    def forget(self, below: int) -> None:
        """Keep nothing of the records below an offset: what was decided there is not judged."""
        self._begin = max(self._begin, min(below, self._known))
        for name in [name for name, one in self._named.items() if one.offset < self._begin]:
            del self._named[name]
            self._unsent.discard(name)
            self._done.discard(name)
        self._kills = {scope: at for scope, at in self._kills.items() if at >= self._begin}
