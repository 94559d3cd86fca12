"""Doubts about single orders: how many may wait at once."""

from processors.account.targets import AT_ONCE, DOUBT, GAP, GHOST, NEXT_NS, WAITING_MAX, Targets


def full() -> Targets:
    targets = Targets()
    for number in range(WAITING_MAX):
        targets.raise_doubt(f"o{number}", GAP, 1)
    return targets


def test_no_more_than_a_bounded_number_waits() -> None:
    targets = full()
    targets.raise_doubt("one more", GHOST, 1)
    assert len(targets.by_name) == WAITING_MAX


def test_there_is_room_again_once_one_is_settled() -> None:
    targets = full()
    targets.settle("o7", GAP)
    targets.raise_doubt("one more", GHOST, 1)
    assert "one more" in {target.order_key for target in targets.by_name.values()}


def test_a_contradiction_is_always_asked_about() -> None:
    """Nothing would raise it again."""
    targets = full()
    targets.raise_doubt("one more", DOUBT, 1)
    assert len(targets.by_name) == WAITING_MAX + 1


def test_of_many_doubts_a_few_are_due_at_a_time_and_none_is_forgotten() -> None:
    targets = Targets()
    for number in range(1_050):
        targets.raise_doubt(f"o{number}", DOUBT, 1)
    assert len(targets.due(1)) == AT_ONCE
    targets.forget_questions(1)
    assert len(targets.due(1)) == AT_ONCE
    asked = set()
    for second in range(11):
        now_ns = 1 + second * NEXT_NS
        assert 0 < len(targets.due(now_ns)) <= AT_ONCE
        for target in targets.due(now_ns):
            asked.add(target.order_key)
            targets.settle(target.order_key, DOUBT)
    assert len(asked) == 1_050
