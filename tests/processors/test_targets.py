"""Doubts about single orders: how many may wait at once."""

from processors.account.targets import DOUBT, GAP, GHOST, WAITING_MAX, Targets


def full() -> Targets:
    targets = Targets()
    for number in range(WAITING_MAX):
        targets.raise_doubt(f"o{number}", GAP, 1)
    return targets


def test_no_more_than_a_bounded_number_waits() -> None:
    targets = full()
    targets.raise_doubt("one more", GHOST, 1)
    assert len(targets.due(1)) == WAITING_MAX


def test_there_is_room_again_once_one_is_settled() -> None:
    targets = full()
    targets.settle("o7", GAP)
    targets.raise_doubt("one more", GHOST, 1)
    assert "one more" in {target.order_key for target in targets.due(1)}


def test_a_contradiction_is_always_asked_about() -> None:
    """Nothing would raise it again."""
    targets = full()
    targets.raise_doubt("one more", DOUBT, 1)
    assert len(targets.due(1)) == WAITING_MAX + 1
