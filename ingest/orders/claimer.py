"""One process's claims in one partition: what it may send, decided by what it has read. Pure.

Whoever owns the partition claims a command before it sends it. The claim is a plain append; where
it landed is known from its acknowledgement, and whether it counts once each record below it was
read. Two processes that both think they own are slow and not unsafe: the log decides
(`orderloom.claim_log`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from orderloom.claim import Claim, ClaimOwner, ClaimRecord, Command, Verb
from orderloom.claim_log import BrokenClaimLog, ClaimLog


class Judged(NamedTuple):
    """A claim that was decided: it is to be sent where `why_not` is None."""

    claim: Claim
    why_not: str | None


@dataclass(slots=True)
class _Claimed:
    """A claim of ours: `offset` once it is acknowledged, with its append time (ns UTC)."""

    claim: Claim
    offset: int | None = None
    appended_ns: int = 0


class Claimer:
    """The claims of the process named `life`; `log` is fed by its standing reader alone.

    A command that was claimed once is never claimed again by this object, whatever became of it,
    so one is kept through every rebalance that leaves the partition here.
    """

    def __init__(self, life: str, log: ClaimLog) -> None:
        self._life = life
        self._log = log
        self._owned_at: int | None = None
        self._is_superseded = False
        self._taken: dict[str, int] = {}
        """The commands that were claimed here, each with its `seen`."""
        self._flying: dict[str, _Claimed] = {}
        self._own: dict[int, ClaimRecord] = {}
        """Records of ours whose place is known but was not both acknowledged and read."""

    # ---- the log

    def read(self, offset: int, record: ClaimRecord) -> None:
        """The reader brings the next record. Raises BrokenClaimLog."""
        own = self._own.get(offset)
        if offset < self._log.known:  # its acknowledgement was quicker
            if own is not None and own != record:
                raise BrokenClaimLog(f"record {offset} is not the one that was acknowledged there")
            self._own.pop(offset, None)
            return
        if own is not None and own != record:
            raise BrokenClaimLog(f"record {offset} is not the one that was acknowledged there")
        self._log.apply(offset, record)
        if own is not None:
            del self._own[offset]
        elif self._is_awaited(record):
            self._own[offset] = record  # its acknowledgement follows
        self._note_owner(offset, record)

    def owned(self, offset: int, record: ClaimOwner) -> None:
        """Our OWNER record was acknowledged there. Raises BrokenClaimLog."""
        self._acknowledge(offset, record)
        self._owned_at, self._is_superseded = offset, False

    def acked(self, command_id: str, offset: int, appended_ns: int) -> None:
        """A claim of ours was acknowledged there, at this append time. Raises BrokenClaimLog."""
        claimed = self._flying[command_id]
        self._acknowledge(offset, claimed.claim)
        claimed.offset, claimed.appended_ns = offset, appended_ns

    def failed(self, command_id: str) -> None:
        """The append of a claim failed, or it is not known in time what became of it: never sent.

        It may stand in the log, or land later. Whoever appends says so there (`NotSent`).
        """
        claimed = self._flying.pop(command_id, None)
        if claimed is not None:  # else it was judged in the same moment
            self._own = {at: one for at, one in self._own.items() if one != claimed.claim}

    def _acknowledge(self, offset: int, record: ClaimRecord) -> None:
        if offset < self._log.known:
            # Read already: then it was ours, or the log is another one.
            if self._own.pop(offset, None) != record:
                raise BrokenClaimLog(f"acknowledged at {offset}, where another record was read")
            return
        self._own[offset] = record
        # What stands between must be read first: it may be a kill, or another's claim.
        if offset == self._log.known:
            self._log.apply(offset, record)

    def _is_awaited(self, record: ClaimRecord) -> bool:
        if isinstance(record, Claim):
            return record.life == self._life and record.command.id in self._flying
        return isinstance(record, ClaimOwner) and record.life == self._life

    def _note_owner(self, offset: int, record: ClaimRecord) -> None:
        if (
            isinstance(record, ClaimOwner)
            and record.life != self._life
            and self._owned_at is not None
        ):
            self._is_superseded |= offset > self._owned_at

    def forget(self, below: int) -> None:
        """See `ClaimLog.forget`; what was decided there is not claimed again either."""
        self._log.forget(below)
        self._taken = {name: seen for name, seen in self._taken.items() if seen >= self._log.begin}

    # ---- claims

    @property
    def is_ready(self) -> bool:
        """Whether all up to our OWNER record was read, and nobody came after us."""
        owned_at = self._owned_at
        return owned_at is not None and owned_at < self._log.known and not self._is_superseded

    @property
    def is_superseded(self) -> bool:
        """Whether another came after us."""
        return self._is_superseded

    def is_named(self, command: Command) -> bool:
        """Whether the command was claimed here, or a record names it: then the log speaks."""
        return command.id in self._taken or self._log.named(command.id) is not None

    def is_anothers(self, command: Command) -> bool:
        """Whether another's claim of the command was read, who may have sent it."""
        named = self._log.named(command.id)
        claim = None if named is None else named.claim
        return claim is not None and claim.life != self._life

    def refusal(self, command: Command) -> str | None:
        """Why the command may not be claimed here and now; None if it may."""
        if self.is_named(command):
            return "it was claimed, or is void"
        if not self.is_ready:
            return "the claim log is not read yet"
        if not self._log.can_judge(command):
            return "it was decided before what is read of the claim log"
        return "a kill covers it" if self._log.is_killed(command) else None

    def claim(self, claim: Claim) -> None:
        """The claim is appended in this turn; `refusal` of its command is None."""
        self._taken[claim.command.id] = claim.command.seen
        self._flying[claim.command.id] = _Claimed(claim)

    def judged(self) -> Iterator[Judged]:
        """The claims of ours that can be decided by now, each once, in the order of the log."""
        known = [
            one
            for one in self._flying.values()
            if one.offset is not None and self._is_known(one.offset)
        ]
        for one in sorted(known, key=lambda claimed: claimed.offset or 0):
            command = one.claim.command
            del self._flying[command.id]
            assert one.offset is not None
            yield Judged(one.claim, self._why_not(one.offset, one))

    def _is_known(self, offset: int) -> bool:
        """Whether each record up to an offset was read."""
        return offset < self._log.known

    def _why_not(self, offset: int, claimed: _Claimed) -> str | None:
        command = claimed.claim.command
        if not self._log.counts(command.id, offset):
            return "its claim does not count"
        if claimed.appended_ns > command.send_by_ns:
            return "its claim came too late"
        return None

    def last_look(self, command: Command, now_ns: int) -> str | None:
        """Why a command whose claim counts is not to be written now; None if it is.

        Asked where the connection exists and before the first byte; `now_ns` is our clock, UTC.
        """
        if command.verb is Verb.CANCEL:  # it waits for nothing
            return None
        if self._log.is_killed(command):
            return "a kill came"
        named = self._log.named(command.id)
        is_ours = named is not None and named.claim is not None and named.claim.life == self._life
        if named is None or not is_ours or not named.counts or self._log.is_unsent(command):
            return "no claim of ours counts for it"
        return "it is too late" if now_ns > command.send_by_ns else None
