"""The seeded schedule of trouble: which frame or request meets which fault.

A fault comes by chance (a probability per frame or request) or by schedule (so many, spread by
the seed over the next so many). The n-th frame meets the same fault in every run of a seed.
"""

from collections import Counter, deque
from heapq import heappop, heappush
from random import Random

from simulator.config import FaultConfig, ScheduledFault

FRAME_FAULTS = {
    "drop": "the frame never arrives, though the connection stays and heartbeats go on",
    "duplicate": "the frame arrives twice, the copy at once or a few frames later",
    "delay": "the frame is held for some time while later frames pass",
    "reorder": "the frame is held until a few later ones have passed",
    "disconnect": "the TCP connection is cut hard; frames until the next one are lost",
}
REQUEST_FAULTS = {
    "http_5xx": "503 with an open outcome: a coin decides whether the request was carried out",
    "http_429": "429 with -1003 and Retry-After although no limit was reached",
}
FAULTS = FRAME_FAULTS | REQUEST_FAULTS


class Stream:
    """The faults of one sequence of things: frames, or requests."""

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

    def next(self, probability: dict[str, float]) -> str:
        """The fault of the next thing, or empty; at most one each, those due wait their turn."""
        while self._planned and self._planned[0][0] <= self._seen:
            self._due.append(heappop(self._planned)[1])
        self._seen += 1
        if self._due:
            return self._due.popleft()
        for kind in self._kinds:
            chance = probability.get(kind, 0.0)
            if chance and self.random.random() < chance:
                return kind
        return ""

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
        self.config = FaultConfig()
        self.change(config)

    def change(self, config: FaultConfig) -> None:
        """Use these chances and counts from now on; `ValueError` for an unknown kind."""
        unknown = (config.probability.keys() | config.schedule.keys()) - FAULTS.keys()
        if unknown:
            known = ", ".join(FAULTS)
            raise ValueError(f"unknown fault {', '.join(sorted(unknown))}; known are {known}")
        self.config = config
        self.frames.clear()
        self.requests.clear()
        for kind, fault in config.schedule.items():
            stream = self.frames if kind in FRAME_FAULTS else self.requests
            stream.plan(kind, fault)

    def stop(self) -> None:
        """No more faults; what is held stays held until it is due."""
        self.change(FaultConfig())

    def for_frame(self) -> str:
        """The fault of the next private frame on a connection, or empty."""
        return self._count(self.frames.next(self.config.probability))

    def for_request(self) -> str:
        """The fault of the next REST request, or empty."""
        return self._count(self.requests.next(self.config.probability))

    def delay_s(self) -> float:
        """How long a delayed frame is held."""
        return self.frames.random.randint(1, self.config.delay_ms_max) / 1000

    def span(self) -> int:
        """By how many frames a reordered one is overtaken."""
        return self.frames.random.randint(1, self.config.reorder_span_max)

    def is_copy_late(self) -> bool:
        """Whether a duplicate comes later rather than at once."""
        return self.frames.random.random() < 0.5

    def is_carried_out(self) -> bool:
        """Whether a request answered with 503 took effect all the same."""
        return self.requests.random.random() < 0.5

    def _count(self, kind: str) -> str:
        if kind:
            self.injected[kind] += 1
        return kind
