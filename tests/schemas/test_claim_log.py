"""Which claims count, by what stands below them, and what the log proves of what was not sent."""

import pytest

from orderloom.claim import Claim, ClaimRecord, Command, Done, Kill, KillScope, NotSent, Verb, Void
from orderloom.claim_log import BrokenClaimLog, ClaimLog

KILL_ALL = Kill(scope=KillScope(), author="me")
KILL_TAKERS = Kill(scope=KillScope(strategy="taker"), author="me")
VOID = Void(command_id="c1", why="late")


def a_command(seen: int = 0, name: str = "c1", verb: Verb = Verb.PLACE) -> Command:
    return Command(
        id=name, verb=verb, account="toy:main", strategy="maker", product="spot",
        symbol="BTCUSDT", seen=seen, send_by_ns=0,
    )  # fmt: skip


def a_claim(command: Command, life: str = "a", expires_ns: int | None = None) -> Claim:
    return Claim(life=life, command=command, intent=0, expires_ns=expires_ns, request="", sha256="")


def not_sent(life: str) -> NotSent:
    return NotSent(life=life, command_id="c1", why="no connection")


def a_log(*records: ClaimRecord, begin: int = 0) -> ClaimLog:
    log = ClaimLog(begin)
    for offset, record in enumerate(records, begin):
        log.apply(offset, record)
    return log


CLAIM = a_claim(a_command())


@pytest.mark.parametrize(
    ("below", "counts"),
    [
        ((), True),
        ((VOID,), False),
        ((not_sent("a"),), False),
        ((not_sent("b"),), False),
        ((a_claim(a_command(), "b"),), False),
        ((KILL_ALL,), False),
        ((KILL_TAKERS,), True),
        ((Done(command_ids=("c2",)), a_claim(a_command(name="c2"))), True),
    ],
)
def test_a_claim_counts_by_what_stands_below_it(
    below: tuple[ClaimRecord, ...], counts: bool
) -> None:
    assert a_log(*below, CLAIM).counts("c1", len(below)) is counts
    assert a_log(*below, CLAIM, VOID, KILL_ALL).counts("c1", len(below)) is counts


def test_a_kill_below_what_the_fold_had_read_stops_nothing() -> None:
    assert a_log(KILL_ALL, a_claim(a_command(seen=1))).counts("c1", 1)
    assert not a_log(KILL_ALL, KILL_ALL, a_claim(a_command(seen=1))).counts("c1", 2)


def test_no_kill_stops_a_cancel() -> None:
    assert a_log(KILL_ALL, a_claim(a_command(verb=Verb.CANCEL))).counts("c1", 1)


@pytest.mark.parametrize(
    ("records", "is_unsent"),
    [
        ((), False),
        ((VOID,), True),
        ((not_sent("b"),), True),
        ((CLAIM,), False),
        ((CLAIM, VOID), False),
        ((CLAIM, KILL_ALL), False),
        ((CLAIM, not_sent("a")), True),
        ((CLAIM, not_sent("b")), False),  # of another process's own, failed claim
        ((KILL_ALL,), True),
        ((KILL_TAKERS,), False),
        ((KILL_ALL, CLAIM), True),
    ],
)
def test_only_a_record_proves_that_nothing_was_sent(
    records: tuple[ClaimRecord, ...], is_unsent: bool
) -> None:
    assert a_log(*records).is_unsent(a_command()) is is_unsent


def test_what_was_decided_below_what_is_read_is_not_judged() -> None:
    log = a_log(a_claim(a_command(seen=4)), KILL_ALL, begin=5)
    assert not log.counts("c1", 5)
    assert not log.is_unsent(a_command(seen=4))
    # It may count: an operator is told of it.
    assert [one.command.id for one in log.may_arrive(KillScope(), 6, 0)] == ["c1"]
    log.forget(7)
    assert log.named("c1") is None
    assert not log.is_unsent(a_command(seen=6))


def test_what_was_decided_by_another_log_is_not_judged() -> None:
    command = a_command(seen=2)
    log = a_log(a_claim(command))  # records were lost: it was decided when there were two
    assert not log.counts("c1", 0)
    assert [one.command.id for one in log.may_arrive(KillScope(), 1, 0)] == ["c1"]
    log.apply(1, VOID)
    log.apply(2, VOID)
    assert not log.is_unsent(command)
    log = a_log(VOID)
    assert not log.is_unsent(command)  # not all by which it was decided is read


def test_what_does_not_count_will_not_arrive() -> None:
    assert not a_log(KILL_ALL, CLAIM).may_arrive(KillScope(), 2, 0)


@pytest.mark.parametrize(
    ("above", "may_arrive"),
    [((), True), ((Done(command_ids=("c1",)),), False), ((not_sent("a"),), False), ((VOID,), True)],
)
def test_what_may_still_arrive_was_claimed_and_is_not_over(
    above: tuple[ClaimRecord, ...], may_arrive: bool
) -> None:
    log = a_log(a_claim(a_command(), expires_ns=50), *above)
    for scope, below, venue_ns, is_asked in (
        (KillScope(), 1, 50, True),
        (KillScope(), 0, 50, False),
        (KillScope(), 1, 51, False),
        (KillScope(strategy="taker"), 1, 50, False),
    ):
        found = log.may_arrive(scope, below, venue_ns)
        assert bool(found) is (may_arrive and is_asked)


def test_a_claim_without_an_expiry_may_arrive_for_ever() -> None:
    assert a_log(CLAIM).may_arrive(KillScope(), 1, 1 << 62)


def test_a_hole_breaks_the_log() -> None:
    log = a_log(VOID)
    for offset in (0, 2):
        with pytest.raises(BrokenClaimLog, match=f"record {offset} follows where 1 was awaited"):
            log.apply(offset, VOID)
