"""Timers: the earliest is that of a walk over all, and nothing set formerly counts."""

from hypothesis import given
from hypothesis import strategies as st

from processors.timers import STALE_MAX, Timers

NAMES = st.sampled_from("abcdef")
DUE = st.one_of(st.none(), st.integers(0, 20))
ACTS = st.lists(st.one_of(st.tuples(NAMES, DUE), st.integers(0, 20)), max_size=60)


@given(ACTS)
def test_they_are_those_of_a_walk_over_all(acts: list[tuple[str, int | None] | int]) -> None:
    timers, plain = Timers(), dict[str, int]()
    for act in acts:
        if isinstance(act, int):
            due = sorted(name for name, at_ns in plain.items() if at_ns <= act)
            assert timers.take_due(act) == due
            plain = {name: at_ns for name, at_ns in plain.items() if name not in due}
        else:
            name, due_ns = act
            timers.set(name, due_ns)
            plain.pop(name, None)
            if due_ns is not None:
                plain[name] = due_ns
        assert timers.earliest_ns() == min(plain.values(), default=None)


def test_what_was_set_formerly_does_not_pile_up() -> None:
    timers = Timers()
    for at_ns in range(1_000):
        timers.set("a", at_ns)
    assert len(timers._heap) <= STALE_MAX + 3
