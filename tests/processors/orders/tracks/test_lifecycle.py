"""The lifecycle: its rows one by one, and by induction over all small sets of evidence."""

import itertools
from collections import defaultdict

import pytest

from orderloom.words import Lifecycle, Reason, Status
from processors.orders.tracks import lifecycle
from processors.orders.tracks.lifecycle import LIFECYCLE, Kind
from tests.processors.orders.tracks.evidence_kinds import (
    EVIDENCE,
    expected_disputes,
    expected_lifecycle,
    print_of,
    sets_up_to,
    state_after,
)

pytestmark = pytest.mark.timeout(300)


def check_induction(size: int) -> dict[tuple[Lifecycle, Kind], set[Lifecycle]]:
    """For each set S of kinds and each last piece e: `apply(state(S - e), e)` is `state(S)`.

    So every order of arrival ends in the same state; and a repetition changes nothing. Gives the
    steps of the lifecycle that it saw.
    """
    steps: dict[tuple[Lifecycle, Kind], set[Lifecycle]] = defaultdict(set)
    seen: dict[tuple[str, ...], Lifecycle] = {(): state_after(()).lifecycle}
    for names in sets_up_to(size):
        order = state_after(names)
        seen[names] = order.lifecycle
        assert order.lifecycle is expected_lifecycle(set(names)), names
        assert set(order.derived.disputes) == expected_disputes(set(names)), names
        whole = print_of(order)
        if len(names) <= 2:
            for name in names:
                assert print_of(state_after((*names, name))) == whole, (names, name)
                steps[order.lifecycle, EVIDENCE[name][0]].add(order.lifecycle)
        for last in names:
            rest = tuple(name for name in names if name != last)
            assert print_of(state_after((*rest, last))) == whole, (rest, last)
            steps[seen[rest], EVIDENCE[last][0]].add(order.lifecycle)
    return steps


@pytest.fixture(scope="module")
def steps() -> dict[tuple[Lifecycle, Kind], set[Lifecycle]]:
    return check_induction(4)


def test_every_order_of_arrival_ends_in_the_state_that_the_rules_give(
    steps: dict[tuple[Lifecycle, Kind], set[Lifecycle]],
) -> None:
    assert len(steps) == len(LIFECYCLE)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("size", [5, pytest.param(6, marks=pytest.mark.soak)])
def test_every_order_of_arrival_of_more_pieces_ends_in_the_state_that_the_rules_give(
    size: int,
) -> None:
    check_induction(size)


def test_the_lifecycle_makes_only_the_steps_of_its_table(
    steps: dict[tuple[Lifecycle, Kind], set[Lifecycle]],
) -> None:
    for pair, states in steps.items():
        assert states <= LIFECYCLE[pair], pair


def test_the_lifecycle_makes_every_step_of_its_table(
    steps: dict[tuple[Lifecycle, Kind], set[Lifecycle]],
) -> None:
    for pair, states in LIFECYCLE.items():
        assert states == steps[pair], pair


def test_every_pair_of_state_and_evidence_has_an_answer() -> None:
    assert set(LIFECYCLE) == set(itertools.product(Lifecycle, Kind))
    assert all(LIFECYCLE.values())


def test_every_set_of_facts_has_a_state() -> None:
    assert len(lifecycle.BY_FACTS) == 256
    assert set(lifecycle.BY_FACTS) == set(Lifecycle)


def test_a_venues_terminal_word_never_goes_back_to_active() -> None:
    claimed = lifecycle.CANCEL_CLAIMED | lifecycle.EXPIRY_CLAIMED | lifecycle.REJECT_CLAIMED
    for facts, state in enumerate(lifecycle.BY_FACTS):
        if facts & claimed:
            assert state in lifecycle.CLOSED


@pytest.mark.parametrize(
    ("names", "state"),
    [
        (("untriggered",), Lifecycle.WAITING_TRIGGER),
        (("live",), Lifecycle.ACTIVE),
        (("execution_a",), Lifecycle.ACTIVE),
        (("execution_a", "execution_b"), Lifecycle.FILLED),
        (("cumulative_new",), Lifecycle.FILLED),
        (("live", "FILLED"), Lifecycle.FILLED),
        (("FILLED", "live"), Lifecycle.FILLED),
        (("live", "CANCELED", "live"), Lifecycle.CANCELED),
        (("CANCELED", "execution_a"), Lifecycle.CANCELED),
        (("CANCELED", "execution_a", "execution_b"), Lifecycle.FILLED),
        (("EXPIRED", "live"), Lifecycle.EXPIRED),
        (("EXPIRED", "CANCELED"), Lifecycle.CANCELED),
        (("REJECTED",), Lifecycle.REJECTED),
        (("REJECTED", "execution_a"), Lifecycle.CANCELED),
        (("REJECTED", "execution_a", "bust_a"), Lifecycle.REJECTED),
        (("live", "ABSENT"), Lifecycle.CANCELED),
        (("live", "ABSENT", "live_new"), Lifecycle.ACTIVE),
        (("ABSENT", "untriggered_new"), Lifecycle.WAITING_TRIGGER),
        (("live", "ENDED"), Lifecycle.CANCELED),
        (("ENDED", "live_new"), Lifecycle.ACTIVE),
        (("ENDED", "EXPIRED"), Lifecycle.EXPIRED),
        (("live", "ABSENT", "execution_a"), Lifecycle.CANCELED),
        (("execution_a", "execution_b", "amend"), Lifecycle.ACTIVE),
        (("execution_a", "execution_b", "bust_a"), Lifecycle.ACTIVE),
        (("FILLED", "amend_new", "bust_a"), Lifecycle.FILLED),
    ],
)
def test_a_row_of_the_transition_table(names: tuple[str, ...], state: Lifecycle) -> None:
    assert state_after(names).lifecycle is state


def test_an_active_order_with_executions_is_shown_as_partially_filled() -> None:
    assert state_after(("live", "execution_a")).view()["status"] == Status.PARTIALLY_FILLED


def test_an_order_without_word_or_fill_is_shown_as_pending() -> None:
    assert state_after(()).view()["status"] == Status.PENDING


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("live", "ABSENT"), Reason.VENUE_DROPPED),
        (("REJECTED", "execution_a"), Reason.LIFECYCLE_REJECT),
        (("CANCELED", "liquidation"), Reason.LIQUIDATION),
        (("CANCELED",), None),
        (("live",), None),
    ],
)
def test_the_closure_reason_follows_from_the_evidence(
    names: tuple[str, ...], reason: Reason | None
) -> None:
    assert state_after(names).derived.reason is reason
