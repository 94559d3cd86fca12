"""What is drawn of the lifecycle is its table, and all of it."""

import re

from orderloom.words import Lifecycle
from processors.orders.tracks.diagram import diagram, kinds_between, table
from processors.orders.tracks.lifecycle import CLOSED, LIFECYCLE

ARROW = re.compile(r"^    (\w+) --> (\w+): (.+)$", re.M)


def test_every_step_of_the_table_that_leads_elsewhere_is_one_arrow() -> None:
    drawn = {
        (source, target, kind)
        for source, target, kinds in ARROW.findall(diagram(list(Lifecycle)))
        for kind in kinds.split(", ")
    }
    assert drawn == {
        (source, target, kind)
        for (source, kind), targets in LIFECYCLE.items()
        for target in targets
        if target is not source
    }


def test_two_states_have_one_arrow_however_many_kinds_lead_there() -> None:
    pairs = [pair[:2] for pair in ARROW.findall(diagram(list(Lifecycle)))]
    assert len(pairs) == len(set(pairs))
    assert len(kinds_between(Lifecycle.NONE, Lifecycle.ACTIVE)) > 1


def test_a_diagram_of_some_states_shows_what_leaves_them_alone() -> None:
    drawn = diagram(CLOSED)
    assert {source for source, _, _ in ARROW.findall(drawn)} == CLOSED
    assert "[*]" not in drawn  # no order begins closed
    assert "[*] --> NONE" in diagram([Lifecycle.NONE])


def test_closed_states_are_marked_and_only_where_they_are_drawn() -> None:
    assert diagram([Lifecycle.EXPIRED]).endswith("class FILLED,CANCELED,EXPIRED closed")


def test_the_table_has_a_cell_for_each_pair_and_shows_staying_and_moving() -> None:
    head, _, *rows = [line.strip("| ").split(" | ") for line in table().splitlines()]
    cells = {
        (state, kind): set(cell.split(", "))
        for kind, *row in rows
        for state, cell in zip(head[1:], row, strict=True)
    }
    assert cells == {
        (state, kind): {"=" if target is state else str(target) for target in targets}
        for (state, kind), targets in LIFECYCLE.items()
    }
