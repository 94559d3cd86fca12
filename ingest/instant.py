"""A moment on both clocks that the edge uses. Pure."""

from dataclasses import dataclass

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Instant:
    """`wall_ns` is UTC and stands in records; `steady_ns` never leaps and measures waiting.

    The steady clock runs on while the machine is suspended: a deadline that passed in its sleep
    has passed.
    """

    wall_ns: int
    steady_ns: int
