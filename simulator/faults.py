"""The seeded schedule of trouble: which frame, request or trading step meets which fault.

A fault comes by chance (a probability per frame, request or step) or by schedule (so many,
spread by the seed over the next so many). The n-th frame meets the same fault in every run of a
seed. A fault that does not fit where it falls (a short page of a request that has no pages)
waits for the next place that it fits.
"""

from collections import Counter, deque
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random

from simulator.config import FaultConfig, ScheduledFault
from simulator.journal import Transport, Wish
from simulator.plants import Plant, Plants

FRAME_FAULTS = {
    "drop": "the frame never arrives, though the connection stays and heartbeats go on",
    "duplicate": "the frame arrives twice, the copy at once or a few frames later",
    "delay": "the frame is held for some time while later frames pass",
    "reorder": "the frame is held until a few later ones have passed",
    "silence": "for some time no private frame arrives, though heartbeats go on",
    "disconnect": "the TCP connection is cut hard; frames until the next one are lost",
    "planned_disconnect": "the venue announces the connection's end (where it does), then ends it",
    "half_open": "the connection stays, but nothing is sent or answered on it, until it is cut",
}
REQUEST_FAULTS = {
    "http_5xx": "an answer with an open outcome: a coin decides whether it was carried out",
    "http_5xx_with_effect": "an answer with an open outcome: the request was carried out",
    "http_5xx_without_effect": "an answer with an open outcome: the request was not carried out",
    "http_429": "a refusal because of a rate limit, although none was reached",
    "http_ban": "this address is banned for some time, although no limit was reached",
    "http_partial_page": "a page holds only the first half of its rows, though more are there",
    "http_late_view": "the answer lacks orders and executions that are younger than some time",
    "http_clock_skew": "a signed request is judged by a clock that is far off, and refused",
}
ATTEMPT_FAULTS = {
    "unread": "for some time nothing more is read from the connection, this request included",
    "lost_unread": "the connection ends before the request was read: it is not carried out",
    "lost_half_read": "the connection is cut while the request is read: it is not carried out",
    "held_up": "a request that was let in waits; then the book looks at its expiry again",
    "overtaken": "the order that a request would change or end is filled just before that",
    "throttled": "the venue is overloaded, and says so: the request is surely not carried out",
    "ack_lost": "the request is carried out, and the connection cut without an answer",
    "ack_late": "the request is carried out and told, and answered only some time later",
    "book_late": "a new order is acknowledged, and the book has it only later, where venues do so",
    "push_late": "the request is answered, and what it brought about is told some time later",
    "fill_before_ack": "a new order is filled and told so, and its request answered later",
    "unseen": "for some time look-ups show neither a new order nor what was executed of it",
}
"""What befalls a request that changes something; a question never meets it."""
STEP_FAULTS = {
    "liquidation": "a position is closed by force, after the symbol's open orders",
    "adl": "a position is deleveraged by the venue",
    "expiry": "the venue ends an open order by itself",
    "self_trade": "an order meets one of the same account and is prevented",
    "amend_by_others": "an open order is changed by somebody else with the account's keys",
    "client_id_reuse": "a new order has the client order id of one that has ended",
    "contradictory_terminal": "the stream tells another end of an order that has ended",
    "late_fill": "an execution is told only after the order's cancel",
}
FAULTS = FRAME_FAULTS | REQUEST_FAULTS | ATTEMPT_FAULTS | STEP_FAULTS
SEEN_LATE = ("push_late", "unseen")
"""What others see of a request's effect: each may come beside what befalls the request itself."""
OF_NEW_ORDERS = frozenset({"fill_before_ack", "unseen"})
OF_EARLY_ACKS = frozenset({"book_late"})
"""Only where a venue acknowledges before its book has the order: who asks says so."""
OF_KNOWN_ORDERS = frozenset({"overtaken"})
SAID_BY_THE_VENUE = frozenset({*REQUEST_FAULTS, "throttled"})
"""What is met where the request is carried out, as an answer of the venue's."""
OPEN_OUTCOMES = ("http_5xx", "http_5xx_with_effect", "http_5xx_without_effect")


@dataclass(frozen=True, slots=True)
class Met:
    """What one request that changes something meets; an empty kind and zero for nothing."""

    kind: str = ""
    ms: int = 0
    """For how long, where the kind is of something late."""
    unseen_ms: int = 0
    """For how long look-ups do not show what it made."""
    push_ms: int = 0
    """For how long what it brought about is not told."""

    @property
    def name(self) -> str:
        """All that it meets."""
        late = ("push_late" if self.push_ms else "", "unseen" if self.unseen_ms else "")
        return "+".join(filter(None, (self.kind, *late)))

    @property
    def told_after_ms(self) -> int:
        """When the accounts are told: an order that the book does not have is not told either."""
        return max(self.push_ms, self.ms if self.kind == "book_late" else 0)


class Stream:
    """The faults of one sequence of things: frames, requests, or steps of trading."""

    def __init__(self, kinds: tuple[str, ...], seed: str) -> None:
        self.random = Random(seed)
        self._kinds = kinds
        self._seen = 0
        self._planned: list[tuple[int, str]] = []
        self._due: deque[str] = deque()

    def plan(self, kind: str, fault: ScheduledFault) -> None:
        """Spread `fault.count` faults over the next `fault.frames` things."""
        span = max(fault.frames, fault.count)
        for moment in self.random.sample(range(span), fault.count):
            heappush(self._planned, (self._seen + moment, kind))

    def next(self, probability: dict[str, float], fitting: Container[str]) -> str:
        """The fault of the next thing, or empty; at most one each, those due wait their turn."""
        while self._planned and self._planned[0][0] <= self._seen:
            self._due.append(heappop(self._planned)[1])
        self._seen += 1
        for kind in self._due:
            if kind in fitting:
                self._due.remove(kind)
                return kind
        for kind in self._kinds:
            chance = probability.get(kind, 0.0)
            if chance and kind in fitting and self.random.random() < chance:
                return kind
        return ""

    def again(self, kind: str) -> None:
        """It could not be done: it is due at the next thing."""
        self._due.append(kind)

    def clear(self) -> None:
        """Forget what is still planned."""
        self._planned.clear()
        self._due.clear()


class Faults:
    """All faults of a simulator: what is configured, and what was injected."""

    def __init__(self, config: FaultConfig, seed: int) -> None:
        self.injected: Counter[str] = Counter()
        self.frames = Stream(tuple(FRAME_FAULTS), f"{seed}:frames")
        self.requests = Stream(tuple(REQUEST_FAULTS), f"{seed}:requests")
        befalls = tuple(kind for kind in ATTEMPT_FAULTS if kind not in SEEN_LATE)
        self.attempts = Stream(befalls, f"{seed}:attempts")
        self.seen_late = {kind: Stream((kind,), f"{seed}:{kind}") for kind in SEEN_LATE}
        self.steps = Stream(tuple(STEP_FAULTS), f"{seed}:steps")
        self.plants = Plants()
        self._settled: str | None = None
        self.config = FaultConfig()
        self.change(config)

    def change(self, config: FaultConfig) -> None:
        """Use these chances and counts from now on; `ValueError` for an unknown kind."""
        unknown = (config.probability.keys() | config.schedule.keys()) - FAULTS.keys()
        if unknown:
            known = ", ".join(FAULTS)
            raise ValueError(f"unknown fault {', '.join(sorted(unknown))}; known are {known}")
        self.config = config
        self.plants.waiting.clear()
        streams = (self.frames, self.requests, self.attempts, self.steps)
        for stream in (*streams, *self.seen_late.values()):
            stream.clear()
        for kind, fault in config.schedule.items():
            self._stream(kind).plan(kind, fault)

    def stop(self) -> None:
        """No more faults; what is held stays held until it is due."""
        self.change(FaultConfig())

    def for_frame(self) -> str:
        """The fault of the next private frame on a connection, or empty."""
        return self.done(self.frames.next(self.config.probability, FRAME_FAULTS))

    def for_request(self, fitting: Container[str] = REQUEST_FAULTS) -> str:
        """The fault of the next request among those that fit it, or empty."""
        if self._settled is None:
            return self.done(self.requests.next(self.config.probability, fitting))
        kind, self._settled = self._settled, ""
        return self.done(kind) if kind in REQUEST_FAULTS else kind

    def for_attempt(
        self, wishes: Sequence[Wish], transport: Transport, others: frozenset[str]
    ) -> Met:
        """What a request that changes something meets; `others` are the faults of any request.

        What was planted for it comes first; of that, one of `others` may come too.
        """
        fitting = _fitting(wishes) | (others & OF_EARLY_ACKS)
        plant = self.plants.take(wishes, transport, fitting | others | {""})
        if plant is not None:
            return self._planted(plant)
        kind, ms = self._drawn(self.attempts, fitting)
        late = {kind: self._drawn(stream, fitting)[1] for kind, stream in self.seen_late.items()}
        return Met(kind, ms, late["unseen"], late["push_late"])

    def _drawn(self, stream: Stream, fitting: frozenset[str]) -> tuple[str, int]:
        kind = self.done(stream.next(self.config.probability, fitting))
        return kind, stream.random.randint(1, self.config.attempt_ms_max) if kind else 0

    def _planted(self, plant: Plant) -> Met:
        met = Met(plant.kind, plant.ms, plant.unseen_ms, plant.push_ms)
        if plant.kind == "unseen":
            met = Met(unseen_ms=plant.ms, push_ms=plant.push_ms)
        elif plant.kind == "push_late":
            met = Met(unseen_ms=plant.unseen_ms, push_ms=plant.ms)
        for kind in met.name.split("+"):
            if kind in ATTEMPT_FAULTS:
                self.done(kind)
        return met

    @contextmanager
    def settled(self, kind: str) -> Iterator[None]:
        """The request that is carried out now meets this fault, and no other that may be due."""
        self._settled = kind if kind in SAID_BY_THE_VENUE else ""
        try:
            yield
        finally:
            self._settled = None

    def plant(self, plants: Sequence[Plant]) -> None:
        """Let these wait for their requests; `ValueError` for a kind that no request meets."""
        known = ATTEMPT_FAULTS.keys() | REQUEST_FAULTS.keys()
        unknown = {plant.kind for plant in plants} - known - {""}
        if unknown:
            raise ValueError(f"no fault of a request: {', '.join(sorted(unknown))}")
        self.plants.waiting += plants

    def for_step(self) -> str:
        """What shall happen at the next step of trading; not counted until it is `done`."""
        return self.steps.next(self.config.probability, STEP_FAULTS)

    def done(self, kind: str) -> str:
        """Count a fault that happened."""
        if kind:
            self.injected[kind] += 1
        return kind

    def delay_s(self) -> float:
        """How long a delayed frame is held."""
        return self.frames.random.randint(1, self.config.delay_ms_max) / 1000

    def silence_s(self) -> float:
        """How long a connection says nothing of the account."""
        return self.frames.random.randint(1, self.config.silence_ms_max) / 1000

    def lag_ms(self) -> int:
        """How old the books are that a late view answers from."""
        return self.requests.random.randint(1, self.config.view_lag_ms_max)

    def span(self) -> int:
        """By how many frames a reordered one is overtaken."""
        return self.frames.random.randint(1, self.config.reorder_span_max)

    def is_copy_late(self) -> bool:
        """Whether a duplicate comes later rather than at once."""
        return self.frames.random.random() < 0.5

    def is_carried_out(self, kind: str = "http_5xx") -> bool:
        """Whether a request answered with an open outcome took effect all the same."""
        if kind != "http_5xx":
            return kind == "http_5xx_with_effect"
        return self.requests.random.random() < 0.5

    def _stream(self, kind: str) -> Stream:
        if kind in FRAME_FAULTS:
            return self.frames
        if kind in ATTEMPT_FAULTS:
            return self.seen_late.get(kind, self.attempts)
        return self.requests if kind in REQUEST_FAULTS else self.steps


def _fitting(wishes: Sequence[Wish]) -> frozenset[str]:
    """What may befall a request with these wishes."""
    verbs = {wish.verb for wish in wishes if not wish.is_conditional}
    fitting = frozenset(ATTEMPT_FAULTS) - OF_EARLY_ACKS
    if "place" not in verbs:
        fitting -= OF_NEW_ORDERS
    if not verbs & {"amend", "cancel", "cancel-all"}:
        fitting -= OF_KNOWN_ORDERS
    return fitting
