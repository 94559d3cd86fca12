"""What one process may send, by what it has read: each case that the model does not tell apart."""

import pytest

from ingest.orders.claimer import Claimer, Judged
from orderloom.claim import (
    Claim,
    ClaimOwner,
    Command,
    Done,
    Kill,
    KillScope,
    NotSent,
    Verb,
    Void,
    encode_claim_record,
    read_claim_record,
)
from orderloom.claim_log import BrokenClaimLog, ClaimLog

LATE_NS = 1_000
OWN = ClaimOwner(life="mine", version="1")
KILL_ALL = Kill(scope=KillScope(), author="me")


def a_command(name: str = "c1", seen: int = 1, verb: Verb = Verb.PLACE) -> Command:
    return Command(
        id=name, verb=verb, account="toy:main", strategy="maker", product="spot",
        symbol="BTCUSDT", seen=seen, send_by_ns=LATE_NS,
    )  # fmt: skip


def a_claim(command: Command, life: str = "mine") -> Claim:
    return Claim(life=life, command=command, intent=0, expires_ns=None, request="{}", sha256="00")


def an_owner(begin: int = 0) -> Claimer:
    """A process whose OWNER record stands at `begin`, read."""
    claimer = Claimer("mine", ClaimLog(begin))
    claimer.owned(begin, OWN)
    assert claimer.is_ready
    return claimer


def claimed(claimer: Claimer, command: Command) -> Claim:
    assert claimer.refusal(command) is None
    claim = a_claim(command)
    claimer.claim(claim)
    return claim


def test_a_claim_is_judged_only_when_each_record_below_it_was_read() -> None:
    claimer = an_owner()
    claim = claimed(claimer, a_command())
    claimer.acked("c1", 3, 0)
    assert not list(claimer.judged())
    claimer.read(1, Done(command_ids=()))
    assert not list(claimer.judged())
    claimer.read(2, Done(command_ids=()))
    assert not list(claimer.judged())
    claimer.read(3, claim)
    assert list(claimer.judged()) == [Judged(claim, None)]
    assert not list(claimer.judged())


def test_an_acknowledgement_that_is_the_next_place_needs_no_reader() -> None:
    claimer = an_owner()
    claim = claimed(claimer, a_command())
    claimer.acked("c1", 1, 0)
    assert list(claimer.judged()) == [Judged(claim, None)]
    claimer.read(1, claim)  # the reader brings it once more


def test_two_claims_in_flight_are_each_judged_by_their_own_place() -> None:
    claimer = an_owner()
    first, second = claimed(claimer, a_command("c1")), claimed(claimer, a_command("c2"))
    claimer.acked("c1", 2, 0)  # somebody else's record stands at 1
    claimer.acked("c2", 3, 0)
    assert not list(claimer.judged())
    claimer.read(1, Void(command_id="c2", why="late"))
    claimer.read(2, first)
    assert list(claimer.judged()) == [Judged(first, None)]
    claimer.read(3, second)
    assert list(claimer.judged()) == [Judged(second, "its claim does not count")]


def test_the_reader_may_be_quicker_than_the_acknowledgement() -> None:
    claimer = an_owner()
    claim = claimed(claimer, a_command())
    claimer.read(1, claim)
    assert not list(claimer.judged())  # an unacknowledged place is not final
    claimer.acked("c1", 1, 0)
    assert list(claimer.judged()) == [Judged(claim, None)]


def test_a_claim_that_failed_and_lands_is_not_sent() -> None:
    claimer = an_owner()
    claim = claimed(claimer, a_command())
    claimer.failed("c1")
    claimer.read(1, claim)
    assert not list(claimer.judged())
    assert claimer.refusal(a_command()) == "it was claimed, or is void"


def test_what_failed_leaves_nothing_behind() -> None:
    claimer = an_owner()
    claimer.read(0, OWN)
    first, second = claimed(claimer, a_command("c1")), claimed(claimer, a_command("c2"))
    claimer.acked("c2", 2, 0)
    claimer.read(1, read_claim_record(encode_claim_record(first)))
    claimer.failed("c1")
    claimer.failed("c2")
    claimer.read(2, second)
    assert not claimer._own
    assert not claimer._flying


def test_a_command_is_claimed_once_also_while_its_claim_is_in_flight_or_failed() -> None:
    claimer = an_owner()
    claimed(claimer, a_command("c1"))
    assert claimer.refusal(a_command("c1")) == "it was claimed, or is void"
    claimer.failed("c1")
    claimer.forget(1_000)  # no more than was read is let go of
    assert claimer.refusal(a_command("c1")) == "it was claimed, or is void"


def test_what_others_named_is_not_claimed() -> None:
    claimer = an_owner()
    claimer.read(1, Void(command_id="c1", why="late"))
    claimer.read(2, a_claim(a_command("c2"), "other"))
    assert claimer.refusal(a_command("c1")) == "it was claimed, or is void"
    assert claimer.refusal(a_command("c2")) == "it was claimed, or is void"


def test_a_claim_appended_after_its_time_is_not_sent() -> None:
    claimer = an_owner()
    claim = claimed(claimer, a_command())
    claimer.acked("c1", 1, LATE_NS + 1)
    assert list(claimer.judged()) == [Judged(claim, "its claim came too late")]


def test_the_last_look_sees_a_kill_and_our_clock() -> None:
    claimer, command = an_owner(), a_command()
    claimed(claimer, command)
    claimer.acked("c1", 1, 0)
    assert claimer.last_look(command, LATE_NS) is None
    assert claimer.last_look(command, LATE_NS + 1) == "it is too late"
    claimer.read(2, KILL_ALL)
    assert claimer.last_look(command, 0) == "a kill came"
    cancel = a_command("c2", verb=Verb.CANCEL)
    assert claimer.last_look(cancel, LATE_NS + 1) is None  # a cancel waits for nothing


def test_the_last_look_asks_for_a_claim_of_ours_that_counts_still() -> None:
    claimer, command = an_owner(), a_command()
    why_not = "no claim of ours counts for it"
    assert claimer.last_look(command, 0) == why_not
    claimed(claimer, command)
    assert claimer.last_look(command, 0) == why_not
    claimer.acked("c1", 1, 0)
    assert claimer.last_look(command, 0) is None
    claimer.read(1, a_claim(command))
    claimer.read(2, NotSent(life="mine", command_id="c1", why="given up"))
    assert claimer.last_look(command, 0) == why_not
    others = a_command("c2")
    claimer.read(3, a_claim(others, "other"))
    assert claimer.last_look(others, 0) == why_not


def test_who_has_not_read_up_to_its_own_record_claims_nothing() -> None:
    claimer = Claimer("mine", ClaimLog())
    assert claimer.refusal(a_command()) is not None
    claimer.owned(2, OWN)
    assert claimer.refusal(a_command()) is not None
    claimer.read(0, KILL_ALL)
    claimer.read(1, ClaimOwner(life="former", version="1"))
    assert not claimer.is_ready
    claimer.read(2, OWN)
    assert claimer.is_ready
    assert claimer.refusal(a_command("c1", seen=0)) == "a kill covers it"
    assert claimer.refusal(a_command("c1", seen=1)) is None


def test_who_is_followed_by_another_owner_stops() -> None:
    claimer = an_owner()
    claimer.read(1, ClaimOwner(life="later", version="1"))
    assert not claimer.is_ready
    assert claimer.refusal(a_command()) is not None


def test_a_command_decided_by_more_than_is_read_yet_is_claimed_and_judged_when_it_is() -> None:
    claimer = an_owner()
    command = a_command(seen=2)  # its fold reads quicker than we
    claim = claimed(claimer, command)
    claimer.acked("c1", 2, 0)
    claimer.read(1, Done(command_ids=()))
    claimer.read(2, claim)
    assert list(claimer.judged()) == [Judged(claim, None)]


def test_a_command_decided_by_another_log_is_not_sent() -> None:
    claimer = an_owner()
    claim = claimed(claimer, a_command(seen=2))
    claimer.acked("c1", 1, 0)
    assert list(claimer.judged()) == [Judged(claim, "its claim does not count")]
    assert claimer.last_look(claim.command, 0) is not None


def test_a_command_decided_below_what_is_read_is_not_claimed() -> None:
    claimer = an_owner(begin=5)
    assert claimer.refusal(a_command(seen=4)) is not None
    assert claimer.refusal(a_command(seen=5)) is None
    claimer.forget(6)
    assert claimer.refusal(a_command(seen=5)) is not None


def test_a_log_that_is_not_the_one_that_was_read_breaks() -> None:
    claimer = an_owner()
    with pytest.raises(BrokenClaimLog, match="record 2 follows where 1 was awaited"):
        claimer.read(2, KILL_ALL)
    claimer = an_owner()
    claimed(claimer, a_command())
    claimer.read(1, KILL_ALL)
    with pytest.raises(BrokenClaimLog, match="acknowledged at 1, where another record was read"):
        claimer.acked("c1", 1, 0)
    claimer = an_owner()
    claimed(claimer, a_command())
    claimer.acked("c1", 1, 0)
    with pytest.raises(BrokenClaimLog, match="record 1 is not the one that was acknowledged"):
        claimer.read(1, KILL_ALL)
    claimer = an_owner()
    claimed(claimer, a_command())
    claimer.acked("c1", 2, 0)
    claimer.read(1, KILL_ALL)
    with pytest.raises(BrokenClaimLog, match="record 2 is not the one that was acknowledged"):
        claimer.read(2, KILL_ALL)


def test_what_was_claimed_long_ago_is_kept_no_longer_and_not_claimed_again() -> None:
    claimer = an_owner()
    claim = claimed(claimer, a_command(seen=1))
    claimer.failed("c1")
    claimer.read(1, claim)
    claimer.read(2, KILL_ALL)
    assert claimer.refusal(a_command(seen=1)) is not None
    claimer.forget(2)
    assert claimer.refusal(a_command(seen=1)) is not None  # it cannot be judged
    claimer.forget(3)
    assert claimer.refusal(a_command(seen=3)) is None


def test_a_claim_that_nobody_judged_in_time_is_given_up() -> None:
    claimer = an_owner()
    claim = claimed(claimer, a_command())
    claimer.acked("c1", 2, 0)
    claimer.failed("c1")
    claimer.read(1, Done(command_ids=()))
    claimer.read(2, claim)
    assert not list(claimer.judged())
