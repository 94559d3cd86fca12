"""The instruments of a venue, as one partition's ledger keeps them.

Pure. They are asked once for each owned partition (under the key ``venue``) as soon as somebody
owns it, and again once a day: ticks, lots and contract sizes change. A failed read is asked again
and changes nothing; an instrument that a complete answer no longer lists stays known, because
orders may still point to it. One that evidence names and nobody listed is asked for at once, and
then as often as the others. Only partition 0 publishes, so `instruments` has one writer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final

from orderloom import topology
from orderloom.codec import pack
from orderloom.dispatch import Dispatch
from orderloom.event import Cause, Event, InstrumentReport
from orderloom.quantities import text_of
from orderloom.question import About, Question
from orderloom.raw import Answer, Failure
from processors.ledger.step import Output

INSTRUMENT: Final = "i"
LISTS: Final = "v"
"""The kinds of its state records: one instrument, and when the lists are asked for."""
VENUE: Final = topology.PARTITION_KEY.decode()
REFRESH_NS: Final = 24 * 3600 * 1_000_000_000
RETRY_NS: Final = 60 * 1_000_000_000
TIMEOUT_NS: Final = 120 * 1_000_000_000
PUBLISHER: Final = 0
"""The partition that publishes instruments."""
DECIMALS: Final = ("tick", "lot", "quantity_min", "notional_min", "contract_size")
TEXTS: Final = ("base", "quote", "settle", "status")


@dataclass(slots=True)
class Instruments:
    """What is known, by ``product/symbol``, and when each product is asked about next.

    `wanted`: those that evidence named and no listing did, and when that was (ns). `listed`: by
    product when the last list that came whole was asked for (ns). `aliases`: the symbol behind
    ``product/other name``.
    """

    KINDS: ClassVar[tuple[str, ...]] = (INSTRUMENT, LISTS)

    venue: str
    partition: int
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    due: dict[str, int] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)
    listed: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    questions: int = 0
    epoch: int = 0
    is_dirty: bool = False
    changed: dict[str, Cause] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)

    def expect(self, product: str, now_ns: int) -> None:
        """A product of the venue: ask about it from now on."""
        if product not in self.due:
            self.due[product] = now_ns
            self.is_dirty = True

    def contract_size(self, product: str, symbol: str) -> Decimal | None:
        """Base (quote, if inverse) for one contract; None while that is not known."""
        size = self.known.get(f"{product}/{symbol}", {}).get("contract_size")
        return None if size is None else Decimal(size)

    def assets(self, product: str, symbol: str) -> tuple[str, str] | None:
        """Base and quote asset; None while they are not known."""
        known = self.known.get(f"{product}/{symbol}", {})
        base, quote = known.get("base"), known.get("quote")
        return None if base is None or quote is None else (base, quote)

    def between(self, product: str, assets: set[str]) -> set[str]:
        """The symbols of a product that trade these assets against one another."""
        return {
            known["symbol"]
            for known in self.known.values()
            if known["product"] == product and {known["base"], known["quote"]} <= assets
        }

    def is_known(self, product: str, symbol: str) -> bool:
        """Whether the venue listed it."""
        return f"{product}/{symbol}" in self.known

    def symbol_of(self, product: str, name: str, now_ns: int) -> str | None:
        """The symbol of what the venue calls so; None while no list says it: then one is asked for.

        What a list lacks that was asked for since keeps its name: it may have been delisted.
        """
        place = f"{product}/{name}"
        symbol = name if place in self.known else self.aliases.get(place)
        if symbol is None:
            self.want(product, name, now_ns)
            is_gone = self.listed.get(product, -1) >= self.wanted[place]
            symbol = name if is_gone else None
        return symbol

    def want(self, product: str, symbol: str, now_ns: int) -> None:
        """Evidence names an instrument that is not known: list its product again, soon."""
        place = f"{product}/{symbol}"
        # Once a day: what the venue never lists would be asked for with each message that names it.
        if place in self.known or now_ns < self.wanted.get(place, -REFRESH_NS) + REFRESH_NS:
            return
        self.wanted[place] = now_ns
        if product not in self.asked.values():
            self.due[product] = min(self.due.get(product, now_ns), now_ns)
        self.is_dirty = True

    def due_ns(self) -> int | None:
        """When a product is to be asked about next."""
        return min(self.due.values(), default=None)

    def tick(self, now_ns: int) -> None:
        """Ask about each product whose time has come."""
        for product, due_ns in sorted(self.due.items()):
            if due_ns <= now_ns:
                self._ask(product, now_ns)

    def _ask(self, product: str, now_ns: int) -> None:
        self.questions += 1
        self.is_dirty = True
        question = Question(
            # After a repair the count begins anew: the epoch keeps ids apart.
            id=f"{VENUE}/{self.partition}/i{self.epoch}-{self.questions}",
            account=VENUE,
            about=About.INSTRUMENTS,
            product=product,
            reason="instruments",
        )
        # An answer that is late by now still teaches what it lists; nobody waits for it any more.
        self.asked = {name: about for name, about in self.asked.items() if about != product}
        self.asked[question.id] = product
        # Should no answer come: it is asked again then.
        self.due[product] = now_ns + TIMEOUT_NS
        value = Dispatch.of(question, now_ns).encoded()
        self.outputs.append(Output(topology.DISPATCHES, topology.PARTITION_KEY, value))

    def ask_anew(self, now_ns: int) -> None:
        """What was asked was never sent: every product is asked about now."""
        self.asked.clear()
        self.due = dict.fromkeys(self.due, now_ns)
        self.is_dirty = True

    def take_failure(self, item: Failure | Answer, now_ns: int) -> None:
        """A read failed: ask again, later."""
        product = self.asked.pop(item.question.get("id", ""), None)
        if product is not None:
            self.due[product] = now_ns + RETRY_NS
            self.is_dirty = True

    def take_page(self, item: Answer, events: tuple[Event, ...], cause: Cause, now_ns: int) -> None:
        """One good page: what it says of instruments is known from here on."""
        for event in events:
            if isinstance(event, InstrumentReport):
                self._learn(event, cause)
        if item.is_last:
            product = self.asked.pop(item.question.get("id", ""), None)
            if product is not None:
                asked_ns = self.due[product] - TIMEOUT_NS
                self.listed[product] = asked_ns
                is_missed = self._was_wanted_since(product, asked_ns)
                self.due[product] = now_ns if is_missed else now_ns + REFRESH_NS
        self.is_dirty = True

    def _was_wanted_since(self, product: str, asked_ns: int) -> bool:
        """Whether evidence named an instrument that this list, begun before, does not have."""
        return any(
            at_ns > asked_ns and place.startswith(f"{product}/") and place not in self.known
            for place, at_ns in self.wanted.items()
        )

    def _learn(self, report: InstrumentReport, cause: Cause) -> None:
        key = f"{report.product}/{report.symbol}"
        document = document_of(report)
        if self.known.get(key) != document:
            self._know(key, document)
            self.wanted.pop(key, None)
            self.changed[key] = cause

    def _know(self, key: str, document: dict[str, Any]) -> None:
        for alias in self.known.get(key, {}).get("aliases", ()):
            self.aliases.pop(f"{document['product']}/{alias}", None)
        self.known[key] = document
        for alias in document.get("aliases", ()):
            self.aliases[f"{document['product']}/{alias}"] = document["symbol"]

    def publish(self) -> Iterator[Output]:
        """The questions, and from the publishing partition what changed."""
        outputs, self.outputs = self.outputs, []
        yield from outputs
        if self.partition != PUBLISHER:
            return
        for key, cause in sorted(self.changed.items()):
            message = {
                "v": 1,
                "venue": self.venue,
                **self.known[key],
                "cause": cause.document(),
            }
            yield Output(topology.INSTRUMENTS, key.encode(), pack(message))

    def state(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The state records that changed since the last call, by key."""
        for key in sorted(self.changed):
            yield f"{INSTRUMENT}/{key}", self.known[key]
        if self.is_dirty:
            yield (
                f"{LISTS}/instruments",
                {
                    "due": self.due,
                    "asked": self.asked,
                    "questions": self.questions,
                    "wanted": self.wanted,
                    "listed": self.listed,
                },
            )
        self.changed.clear()
        self.is_dirty = False

    def restore(self, kind: str, document: dict[str, Any]) -> None:
        """Take back one state record."""
        if kind == INSTRUMENT:
            known = {name: value for name, value in document.items() if name != "f"}
            self._know(f"{known['product']}/{known['symbol']}", known)
        else:
            self.due, self.asked = document["due"], document["asked"]
            self.questions, self.wanted = document["questions"], document["wanted"]
            self.listed = dict(document.get("listed", {}))


def document_of(report: InstrumentReport) -> dict[str, Any]:
    """What is kept and shown of an instrument, JSON-ready."""
    document: dict[str, Any] = {
        "product": report.product,
        "symbol": report.symbol,
        "is_inverse": report.is_inverse,
        "quantity_unit": report.quantity_unit,
    }
    for name in TEXTS:
        document[name] = getattr(report, name)
    for name in DECIMALS:
        number = getattr(report, name)
        document[name] = None if number is None else text_of(number)
    if report.aliases:
        document["aliases"] = sorted(report.aliases)
    return document
