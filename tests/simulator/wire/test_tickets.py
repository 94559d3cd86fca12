"""A ticket is one account's, lives on when it is opened again, and ends after its time."""

from random import Random

from simulator.clock import LogicalClock
from simulator.wire.tickets import Tickets


def test_an_account_has_one_ticket_until_it_is_closed() -> None:
    tickets = Tickets(LogicalClock().now_ms, 60, Random(1))
    ticket = tickets.open("a")
    assert tickets.open("a") is ticket
    assert tickets.account_of(ticket.text) == "a"
    assert tickets.open("b").text != ticket.text
    assert (tickets.close("a"), tickets.close("a")) == (True, False)
    assert (tickets.has("a"), tickets.account_of(ticket.text)) == (False, "")


def test_opening_again_makes_it_live_longer_and_only_what_is_over_ends() -> None:
    clock = LogicalClock()
    tickets = Tickets(clock.now_ms, 60, Random(1))
    tickets.open("a")
    tickets.open("b")
    clock.advance(59_999)
    tickets.open("b")
    clock.advance(1)
    assert [ticket.account for ticket in tickets.expire()] == ["a"]
    assert [ticket.account for ticket in tickets.expire(everything=True)] == ["b"]
