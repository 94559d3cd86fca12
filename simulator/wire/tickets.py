"""Tickets that open a stream: one per account, given out by a call, alive for some time."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random


@dataclass(slots=True)
class Ticket:
    """One account's ticket and when it ends."""

    text: str
    account: str
    expires_ms: int


class Tickets:
    """All tickets; `now_ms` is the venue's clock."""

    def __init__(self, now_ms: Callable[[], int], life_s: float, random: Random) -> None:
        self._now_ms = now_ms
        self._life_ms = int(life_s * 1000)
        self._random = random
        self._tickets: dict[str, Ticket] = {}

    def account_of(self, text: str) -> str:
        """Whose ticket it is; empty where it is nobody's."""
        return next((one.account for one in self._tickets.values() if one.text == text), "")

    def open(self, account: str) -> Ticket:
        """The account's ticket, a new one where it has none; it lives on from now."""
        ticket = self._tickets.get(account)
        if ticket is None:
            text = f"{self._random.getrandbits(256):064x}"
            ticket = self._tickets[account] = Ticket(text, account, 0)
        ticket.expires_ms = self._now_ms() + self._life_ms
        return ticket

    def has(self, account: str) -> bool:
        """Whether the account has one."""
        return account in self._tickets

    def close(self, account: str) -> bool:
        """Take the account's away; whether it had one."""
        return self._tickets.pop(account, None) is not None

    def expire(self, *, everything: bool = False) -> list[Ticket]:
        """Take away those whose time is over (or all) and return them."""
        now_ms = self._now_ms()
        gone = [one for one in self._tickets.values() if everything or one.expires_ms <= now_ms]
        for ticket in gone:
            del self._tickets[ticket.account]
        return gone
