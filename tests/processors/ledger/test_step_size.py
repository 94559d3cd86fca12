"""Steps get smaller after trouble, and grow again once it is behind them."""

from processors.ledger.step_size import StepSize


def test_narrow_steps_last_until_the_trouble_is_passed() -> None:
    size = StepSize(64)
    size.narrow(8, {"raw": 100})
    size.committed({"raw": 99})
    assert (size.messages, size.is_narrow) == (8, True)
    size.committed({"raw": 100})
    assert (size.messages, size.is_narrow) == (16, False)


def test_they_grow_to_their_bound_and_not_beyond() -> None:
    size = StepSize(64)
    size.fit(40)
    for _ in range(3):
        size.committed({"raw": 1})
    assert size.messages == 64


def test_a_step_holds_at_least_one_message() -> None:
    size = StepSize(64)
    size.narrow(0, {"raw": 1})
    assert size.messages == 1


def test_trouble_in_another_input_forgets_none_that_was_met() -> None:
    size = StepSize(64)
    size.narrow(1, {"raw": 100})
    size.narrow(1, {"control": 4})
    size.committed({"raw": 50, "control": 4})
    assert size.is_narrow
    size.committed({"raw": 100, "control": 4})
    assert not size.is_narrow
