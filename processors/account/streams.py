"""What we can see of an account: its connections, and the spans in which we were blind.

Pure. A product is seen while at least one connection of each of its feeds is LIVE (most products
have one feed; one connection may carry several products). When the last one of a feed is gone, a
blind interval begins at the moment up to which that connection was surely heard, and lasts until
all feeds are LIVE again; it is *closed* only by a look-up that covers it (`cycles.py`). Intervals
are kept per connection id, so what an ingest worker of an older generation still writes is evidence
about orders, never a statement about the stream. A hole in a connection's dense frame numbers is a
loss, and an interval of its own; so is one in the numbers that the venue itself gives (`Count`).

However much is lost, few intervals stand: ended ones of a product that touch or nearly touch are
one, and of more than `ENDED_MAX` the two nearest become one (it says more than was lost, never
less). So a product has at most `ENDED_MAX` ended ones, one that lasts, and its first contact.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Final

from orderloom.raw import ConnectionChange, Frame
from processors.account.counted import Counted
from processors.account.owner import Owner
from venues.venue import Count

STREAMS: Final = "s"
"""The kind of their state record."""

LIVE: Final = "LIVE"
DOWN: Final = "DOWN"
SILENT: Final = "SILENT"
FIRST_CONTACT: Final = "first contact"
GONE: Final = frozenset(("CLOSED", "REFUSED"))
ADJOINING_NS: Final = 1_000_000_000
"""Ended intervals of a product that are no further apart than this are one."""
ENDED_MAX: Final = 16
"""Ended intervals of a product that stand at a time; one look-up asks about all of them anyway."""


@dataclass(slots=True)
class StreamConnection:
    """One connection: LIVE or on its way; `heard_ns` is when it was last surely heard.

    `others` are further products that it carries, `feed` is which of their facts it brings.
    `counts` are the venue's own last numbers, by name.
    """

    product: str
    generation: int
    change: str
    heard_ns: int
    number: int = 0
    others: list[str] = field(default_factory=list)
    feed: str = ""
    counts: dict[str, Counted] = field(default_factory=dict)

    @property
    def products(self) -> tuple[str, ...]:
        """All products whose facts come on it."""
        return (self.product, *self.others)

    def _counts(self) -> dict[str, list[int]]:
        # A version before this one reads two numbers, which nearly all have.
        return {name: list(one if one.former else one[:2]) for name, one in self.counts.items()}

    def document(self) -> dict[str, Any]:
        """JSON-ready; spelt out, as `asdict` took a third of a small step (measured)."""
        return {
            "product": self.product,
            "generation": self.generation,
            "change": self.change,
            "heard_ns": self.heard_ns,
            "number": self.number,
            "others": self.others,
            "feed": self.feed,
            **({"counts": counts} if (counts := self._counts()) else {}),
        }


@dataclass(slots=True)
class Blind:
    """A span in which facts may have been missed; `end_ns` None while it lasts (ns UTC)."""

    product: str
    start_ns: int
    end_ns: int | None
    reason: str

    @property
    def is_since_ever(self) -> bool:
        """Whether it reaches back for ever: no look-up can; the first complete one closes it."""
        return self.start_ns == 0

    @property
    def is_joinable(self) -> bool:
        """Whether it may become one with another: it has ended, and has a beginning."""
        return self.end_ns is not None and not self.is_since_ever

    @property
    def reach_ns(self) -> int:
        """Its end; of one that lasts, its start."""
        return self.start_ns if self.end_ns is None else self.end_ns

    def with_later(self, later: "Blind") -> "Blind":
        """One interval from here to the end of both; the reason is that of the earlier."""
        end_ns = max(self.reach_ns, later.reach_ns)
        return Blind(self.product, self.start_ns, end_ns, self.reason)

    def document(self) -> dict[str, Any]:
        """JSON-ready, as state records and `accounts` show it."""
        return {
            "product": self.product,
            "start_ns": self.start_ns,
            "end_ns": self.end_ns,
            "reason": self.reason,
        }


class Streams:
    """The connections and open blind intervals of one account; `feeds` by product.

    `generation` is that of the owner of the partition whose connections these are.
    """

    KINDS: ClassVar[tuple[str, ...]] = (STREAMS,)

    def __init__(self, account: str = "", owner: Owner | None = None) -> None:
        self.links: dict[str, StreamConnection] = {}
        self.blind: list[Blind] = []
        self.feeds: dict[str, list[str]] = {}
        self.generation = -1
        self.owner = owner or Owner()
        self._account = account
        self._is_dirty = False

    def has_any(self, change: str) -> bool:
        """Whether a connection is LIVE, or SILENT."""
        return any(link.change == change for link in self.links.values())

    def expect(self, product: str) -> None:
        """A product of the account that was never looked at: blind since ever."""
        self.blind.append(Blind(product, 0, None, FIRST_CONTACT))
        self._is_dirty = True

    def status(self, product: str) -> str:
        """LIVE, SILENT (its ingest worker is not heard) or DOWN: that of its worst feed."""
        # Before any connection named a feed there is one, and nothing lives on it.
        statuses = [self._status_of(product, feed) for feed in self.feeds.get(product, ("",))]
        if DOWN in statuses:
            return DOWN
        return SILENT if SILENT in statuses else LIVE

    def _status_of(self, product: str, feed: str) -> str:
        changes = [
            link.change
            for link in self.links.values()
            if link.feed == feed and product in link.products
        ]
        if LIVE in changes:
            return LIVE
        return SILENT if SILENT in changes else DOWN

    def is_blind(self, product: str) -> bool:
        """Whether an interval of `product` is not closed yet."""
        return any(interval.product == product for interval in self.blind)

    def follow(self, generation: int, at_ns: int) -> bool:
        """A record of `generation` came: older owners' connections are gone. False if stale."""
        is_owner = self.owner.take(generation, at_ns)
        if self.generation < self.owner.generation:
            self.generation = self.owner.generation
            self._is_dirty = True
            former = [n for n, one in self.links.items() if one.generation < self.generation]
            for name in former:
                self._lose(name, "another ingest worker took over")
            # Another owner names its own feeds: one that it has not would be DOWN for ever.
            self.feeds.clear()
        return is_owner

    def take_frame(self, generation: int, frame: Frame) -> None:
        """One frame was received on its connection."""
        link = self.links.get(frame.connection)
        # What a former owner still writes is evidence about orders, and no word on the stream.
        if link is None or generation < self.owner.generation:
            return
        self._is_dirty = True
        # Numbers are dense from 1: a hole is a loss, and lies after what was last surely heard.
        if frame.number > link.number + 1 and link.change == LIVE:
            heard_ns = self._heard_ns(frame.connection, link)
            for product in link.products:
                self.note_loss(product, heard_ns, frame.received_ns, "frames are missing")
        link.number = max(link.number, frame.number)
        link.heard_ns = max(link.heard_ns, frame.received_ns)

    def take_counts(self, generation: int, frame: Frame, counts: Iterable[Count]) -> int | None:
        """The venue's own numbers in one frame; since when (ns) it shows that something is missing.

        None where nothing is. A number that came before is a repeat.
        """
        link = self.links.get(frame.connection)
        if link is None or generation < self.owner.generation:
            return None
        missing_ns: list[int] = []
        for one in counts:
            held = link.counts.get(one.name, Counted(0, frame.received_ns))
            if held.lacks_before(one):
                missing_ns.append(held.at_ns)
            if (now := held.after(one, frame.received_ns)) is not held:
                self._is_dirty = True
                link.counts[one.name] = now
        return min(missing_ns, default=None)

    def note_hole(self, frame: Frame, since_ns: int) -> None:
        """Messages of a connection that the venue counted did not come between then and `frame`."""
        for product in self.links[frame.connection].products:
            self.note_loss(product, since_ns, frame.received_ns, "the venue counted more")

    def take_change(self, generation: int, item: ConnectionChange) -> None:
        """A connection changed."""
        if not self.follow(generation, item.at_ns):
            return
        self._is_dirty = True
        if item.change in GONE:
            self._lose(item.connection, item.reason or item.change.lower())
            return
        link = self._link_of(generation, item)
        link.change = item.change
        if item.change == LIVE:
            self._see_again(link, item.at_ns)

    def _link_of(self, generation: int, item: ConnectionChange) -> StreamConnection:
        link = self.links.get(item.connection)
        if link is None:
            link = StreamConnection(
                item.product,
                generation,
                item.change,
                item.at_ns,
                others=item.others,
                feed=item.feed,
            )
            self.links[item.connection] = link
        for product in link.products:
            feeds = self.feeds.setdefault(product, [])
            # Only connections say which feeds a product has: each is needed from now on.
            if link.feed not in feeds:
                feeds.append(link.feed)
        return link

    def revive(self, at_ns: int) -> None:
        """The owner is heard again: what it lists as heard is LIVE again."""
        for name in self.owner.heard.get(self._account, ()):
            link = self.links.get(name)
            if link is not None and link.change == SILENT:
                link.change = LIVE
                self._is_dirty = True
                self._see_again(link, at_ns)

    def fall_silent(self, reason: str = "the ingest worker is silent") -> None:
        """No liveness for too long: what we see may be old, so we say that we are blind."""
        for name, link in self.links.items():
            if link.change == LIVE:
                link.change = SILENT
                self._is_dirty = True
                self._go_blind(name, link, reason)

    def note_loss(self, product: str, start_ns: int, end_ns: int, reason: str) -> None:
        """Something within a span was surely lost, though the stream goes on."""
        self.stand(Blind(product, start_ns, end_ns, reason))

    def stand(self, ended: Blind) -> None:
        """An ended interval that is not closed."""
        self.blind.append(ended)
        self._is_dirty = True
        self._join(ended.product)

    def keep(self, is_kept: Callable[[Blind], bool]) -> None:
        """Forget the other intervals."""
        self.blind = [one for one in self.blind if is_kept(one)]
        self._is_dirty = True

    def _join(self, product: str) -> None:
        """Make one of ended intervals that adjoin, and of the nearest while there are too many."""
        ended = sorted(
            (one for one in self.blind if one.product == product and one.is_joinable),
            # By content: in whichever order losses are noted, the same is left (decision 0106).
            key=lambda one: (one.start_ns, one.reach_ns, one.reason),
        )
        joined: list[Blind] = []
        for one in ended:
            if joined and one.start_ns - joined[-1].reach_ns <= ADJOINING_NS:
                joined[-1] = joined[-1].with_later(one)
            else:
                joined.append(one)
        while len(joined) > ENDED_MAX:
            gaps = [after.start_ns - before.reach_ns for before, after in pairwise(joined)]
            # The nearest: what is joined says more than was lost, and so the least more.
            at = gaps.index(min(gaps))
            joined[at : at + 2] = [joined[at].with_later(joined[at + 1])]
        others = [one for one in self.blind if one.product != product or not one.is_joinable]
        self.blind = others + joined

    def close(self, product: str, since_ns: int, asked_ns: int) -> list[Blind]:
        """A look-up covered [since_ns, asked_ns): the intervals within it are closed.

        Of an ended one that reaches beyond, what is covered is looked at no more: else losses that
        go on would join into one that begins ever further back.
        """
        closed: list[Blind] = []
        left: list[Blind] = []
        for one in self.blind:
            # One that lasts no look-up covers: facts are missed still.
            if one.product != product or one.end_ns is None:
                left.append(one)
            elif one.end_ns <= asked_ns and (since_ns <= one.start_ns or one.is_since_ever):
                closed.append(one)
            elif one.is_joinable and since_ns <= one.start_ns < asked_ns:
                left.append(Blind(product, asked_ns, one.end_ns, one.reason))
            else:
                left.append(one)
        self._is_dirty |= left != self.blind
        self.blind = left
        return closed

    def _heard_ns(self, name: str, link: StreamConnection) -> int:
        # On a quiet stream no frame comes: that it lives, the owner's list says once a second.
        return max(link.heard_ns, self.owner.heard_ns(self._account, name))

    def _lose(self, name: str, reason: str) -> None:
        link = self.links.pop(name, None)
        # Of one that was not LIVE the interval stands already.
        if link is not None and link.change == LIVE:
            self._go_blind(name, link, reason)

    def _go_blind(self, name: str, link: StreamConnection, reason: str) -> None:
        heard_ns = self._heard_ns(name, link)
        for product in link.products:
            # While another connection of the feed is LIVE, nothing is missed.
            if self._status_of(product, link.feed) != LIVE:
                self._begin_blind(Blind(product, heard_ns, None, reason))

    def _begin_blind(self, new: Blind) -> None:
        """Blind from now on; of two that last at once, both end when all feeds are LIVE again."""
        for one in self.blind:
            # First contact stays by itself: nothing reaches back behind it (decision 0106).
            if one.product == new.product and one.end_ns is None and not one.is_since_ever:
                if new.start_ns < one.start_ns:
                    one.start_ns, one.reason = new.start_ns, new.reason
                return
        self.blind.append(new)

    def _see_again(self, link: StreamConnection, at_ns: int) -> None:
        # A product is seen only while each of its feeds is LIVE (decision 0801).
        seen = [product for product in link.products if self.status(product) == LIVE]
        for interval in self.blind:
            if interval.product in seen and interval.end_ns is None:
                interval.end_ns = max(at_ns, interval.start_ns)
        for product in seen:
            self._join(product)

    def state(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The state record, if it changed since the last call."""
        if self._is_dirty:
            yield (
                STREAMS,
                {
                    "links": {name: link.document() for name, link in self.links.items()},
                    "blind": [interval.document() for interval in self.blind],
                    "generation": self.generation,
                    "feeds": self.feeds,
                },
            )
        self._is_dirty = False

    def restore(self, _kind: str, document: dict[str, Any]) -> None:
        """Take back the state record."""
        links = document["links"].items()
        self.links = {name: _connection(fields) for name, fields in links}
        self.blind = [Blind(**fields) for fields in document["blind"]]
        self.generation, self.feeds = document["generation"], document["feeds"]


def _connection(document: dict[str, Any]) -> StreamConnection:
    counts = {name: Counted(*row) for name, row in document.pop("counts", {}).items()}
    return StreamConnection(**document, counts=counts)
