"""The wire journal: every request that reached the venue to change something, order by order.

It is written from what stood on the wire and from what the books did, whatever was answered: so it
judges who sent the requests. A row is made when its request arrives, gets its outcome when the
book takes or refuses it, and its answer when one is given or withheld. Pure but for its clock.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from simulator.refusal import Refused

Verb = Literal["place", "amend", "cancel", "cancel-all", "countdown"]
Transport = Literal["rest", "socket"]
Outcome = Literal["waiting", "accepted", "refused", "lost"]
"""Waiting: on its way to the book. Lost: it will never reach the book."""
Answered = Literal["waiting", "sent", "withheld"]
Key = tuple[str, str, int]
"""An order: its owner, symbol and number."""
ONE = frozenset({"place", "amend"})
"""Verbs of one order: what that order brings about with others is not theirs."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for, about one order, as it was sent; a text is empty where absent."""

    verb: Verb
    account: str = ""
    """Whose key it bears; empty where it is nobody's."""
    product: str = ""
    symbol: str = ""
    client_order_id: str = ""
    venue_order_id: str = ""
    side: str = ""
    price: str = ""
    quantity: str = ""
    is_conditional: bool = False
    sent: str = ""
    """The request's own time, in the venue's form."""
    window: str = ""
    """For how long after that it may be carried out (Binance: `recvWindow`)."""
    deadline: str = ""
    """Until when it may be carried out (OKX: `expTime`)."""
    expires_ms: int | None = None
    """What follows from them, by the venue's clock; None where it never expires."""


@dataclass(slots=True, eq=False)
class Row:
    """One wish, and what became of it; times in ns of the venue's clock, zero for not yet."""

    number: int
    request: int
    """The same for all wishes of one request."""
    arrived_ns: int
    transport: Transport
    connection: int
    """The number of its socket; zero for REST."""
    wish: Wish
    judged_ns: int = 0
    """When the book took or refused it, or it was lost."""
    outcome: Outcome = "waiting"
    code: str = ""
    """The venue's code of a refusal, and its text."""
    text: str = ""
    venue_order_ids: list[str] = field(default_factory=list)
    """The orders that it made, changed or ended, as the venue writes their ids."""
    answer: Answered = "waiting"
    answered_ns: int = 0
    status: int = 0
    """The HTTP status of the answer (of a socket: its own, zero where it has none)."""
    answer_code: str = ""
    """The code of an answer that refuses the request as a whole, whatever the book did."""
    fault: str = ""

    def document(self) -> dict[str, Any]:
        """As it is shown: one level, the wish among the rest."""
        shown = asdict(self)
        wish: dict[str, Any] = shown.pop("wish")
        return (
            {name: shown.pop(name) for name in ("number", "request", "arrived_ns")} | wish | shown
        )


@dataclass(frozen=True, slots=True)
class Touched:
    """An order that the present request made, changed or ended."""

    key: Key
    fill: Callable[[], None]
    """Has somebody trade all that is left of it."""


class Journal:
    """All rows, oldest first; `now_ns` is the venue's clock."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self.rows: list[Row] = []
        self._now_ns = now_ns
        self._requests = 0
        self._turns: Iterator[Row] = iter(())
        self._judged: Row | None = None
        self._touched: list[Touched] = []

    def arrived(
        self, wishes: Iterable[Wish], transport: Transport, connection: int = 0, fault: str = ""
    ) -> list[Row]:
        """Write down one request, a row for each of its wishes."""
        self._requests += 1
        now_ns, first = self._now_ns(), len(self.rows) + 1
        made = [
            Row(number, self._requests, now_ns, transport, connection, wish, fault=fault)
            for number, wish in enumerate(wishes, first)
        ]
        self.rows += made
        return made

    @contextmanager
    def present(self, rows: Iterable[Row]) -> Iterator[list[Touched]]:
        """What is `judged` now are these rows, in their order; no turn of the loop lies within."""
        self._turns, self._touched = iter(rows), []
        try:
            yield self._touched
        finally:
            self._turns = iter(())

    @contextmanager
    def judged(self) -> Iterator[None]:
        """The book looks at the next wish of the present request; nothing without one."""
        self._judged = row = next(self._turns, None)
        try:
            yield
        except Refused as refusal:
            self.refuse([] if row is None else [row], refusal)
            raise
        else:
            if row is not None:
                row.outcome, row.judged_ns = "accepted", self._now_ns()
        finally:
            self._judged = None

    def note(self, order_id: str, touched: Touched) -> None:
        """An order is made, changed or ended by the wish that is judged."""
        row = self._judged
        if row is None or row.wish.account != touched.key[0]:
            return
        if not (row.venue_order_ids and row.wish.verb in ONE):
            row.venue_order_ids.append(order_id)
            self._touched.append(touched)

    def refuse(self, rows: Iterable[Row], refusal: Refused) -> None:
        """What is not judged yet is refused so."""
        for row in rows:
            if row.outcome == "waiting":
                row.outcome, row.judged_ns = "refused", self._now_ns()
                row.code, row.text = str(refusal.code), refusal.message

    def lose(self, rows: Iterable[Row]) -> None:
        """What is not judged yet never will be."""
        for row in rows:
            if row.outcome == "waiting":
                row.outcome, row.judged_ns = "lost", self._now_ns()

    def answer(self, rows: Iterable[Row], how: Answered, status: int = 0, code: str = "") -> None:
        """The request's answer was given so, or withheld."""
        for row in rows:
            row.answer, row.answered_ns = how, self._now_ns()
            row.status, row.answer_code = status, code

    def document(self, after: int = 0, account: str = "") -> dict[str, Any]:
        """The rows behind the one with number `after`, of all accounts or of one."""
        rows = [row for row in self.rows[after:] if account in ("", row.wish.account)]
        return {"rows": [row.document() for row in rows], "last": len(self.rows)}
