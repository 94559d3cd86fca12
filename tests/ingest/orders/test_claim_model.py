"""No command is sent twice, through a kill, or after it was told as not placed; in any order.

The product's own rule runs through random interleavings; each variant of it with a part left out
does something wrong in them.
"""

import pytest

from ingest.orders.claimer import Claimer, Judged, _Claimed
from orderloom.claim import Claim, Command, NotSent
from orderloom.claim_log import ClaimLog, Named
from tests.ingest.orders.claim_world import Rules, World

RUNS, STEPS = 20_000, 150
VARIANT_RUNS = 4_000


def outcome(seed: int, rules: Rules) -> World:
    world = World(seed, rules)
    world.run(STEPS)
    return world


def test_twenty_thousand_interleavings_do_nothing_wrong() -> None:
    sent = told = fenced = 0
    for seed in range(RUNS):
        world = outcome(seed, Rules())
        assert not world.wrong, (seed, world.wrong)
        sent += sum(world.sent.values())
        told += len(world.told)
        fenced += len(world.fenced)
    # Else nothing was tried.
    assert sent > RUNS
    assert told > RUNS
    assert fenced > RUNS // 2


class NotFirst(ClaimLog):
    """Any claim counts, whatever names its command below it."""

    def _name(self, command_id: str, named: Named) -> None:
        if named.claim is None:
            super()._name(command_id, named)
        else:
            self._named[command_id] = named


class VoidIgnored(ClaimLog):
    """A claim counts above a VOID."""

    def _name(self, command_id: str, named: Named) -> None:
        held = self._named.get(command_id)
        if held is not None and held.claim is None and named.claim is not None:
            self._named[command_id] = named
        else:
            super()._name(command_id, named)


class ClaimersEpoch(ClaimLog):
    """A kill is looked for when the command is claimed, and not at the claim's place."""

    def _take_claim(self, offset: int, claim: Claim) -> None:
        judged = self.can_judge(claim.command)
        self._name(claim.command.id, Named(offset, claim, judged, judged))


class OlderKillsForgotten(ClaimLog):
    """Commands are judged that were decided below what is read."""

    def can_judge(self, _command: Command) -> bool:
        return True


class AnybodysNotSent(ClaimLog):
    """One process's word that it did not send is taken for all processes'."""

    def _take_not_sent(self, offset: int, record: NotSent) -> None:
        if record.command_id in self._named:
            self._unsent.add(record.command_id)
        else:
            super()._take_not_sent(offset, record)


class NoLook(Claimer):
    """Written without a last look, which hides what other rules let through."""

    def last_look(self, _command: Command, _now_ns: int) -> str | None:
        return None


class ForeignOffsetsIgnored(NoLook):
    """Decided and written at the acknowledgement, whatever stands between and is not read."""

    def _why_not(self, offset: int, claimed: _Claimed) -> str | None:
        named = self._log.named(claimed.claim.command.id)
        return None if named is None else super()._why_not(offset, claimed)

    def _is_known(self, _offset: int) -> bool:
        return True


class FailedIsSent(Claimer):
    """What failed and is found in the log is sent."""

    def failed(self, command_id: str) -> None:
        self._hoped = {**getattr(self, "_hoped", {}), command_id: self._flying[command_id]}
        super().failed(command_id)

    def judged(self):  # type: ignore[no-untyped-def]
        yield from super().judged()
        for command_id, claimed in list(getattr(self, "_hoped", {}).items()):
            named = self._log.named(command_id)
            if named is not None and named.claim == claimed.claim and named.counts:
                del self._hoped[command_id]
                yield Judged(claimed.claim, None)


VARIANTS = {
    "a claim above another": Rules(log=NotFirst),
    "a claim above a VOID": Rules(log=VoidIgnored),
    "the claimer's own epoch": Rules(log=ClaimersEpoch, claimer=NoLook),
    "kills older than what is read": Rules(log=OlderKillsForgotten),
    "anybody's NOT_SENT": Rules(log=AnybodysNotSent),
    "foreign offsets ignored": Rules(claimer=ForeignOffsetsIgnored),
    "what failed is sent": Rules(claimer=FailedIsSent),
    "sent before the acknowledgement": Rules(is_sent_at_once=True),
    "told as not placed by time": Rules(is_told_by_time=True),
    "one life of all processes": Rules(is_life_shared=True),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_each_part_of_the_rule_is_needed(name: str) -> None:
    assert any(outcome(seed, VARIANTS[name]).wrong for seed in range(VARIANT_RUNS))
