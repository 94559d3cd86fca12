"""How much is measured. Pure."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sizes:
    """Events that count, by measurement; `warm` go before each; latency in seconds a rate."""

    warm: int
    translate: int
    fold: int
    pipeline: dict[int, int]
    catch_up: int
    faust: int
    quix: int
    latency_seconds: float
    broker_warm: int


FULL: Final = Sizes(
    warm=2_000,
    translate=40_000,
    fold=20_000,
    pipeline={1: 15_000, 10: 40_000, 100: 60_000},
    catch_up=40_000,
    faust=8_000,
    quix=30_000,
    latency_seconds=9.0,
    broker_warm=30_000,
)
QUICK: Final = Sizes(
    warm=1_000,
    translate=10_000,
    fold=4_000,
    pipeline={1: 3_000, 10: 8_000, 100: 10_000},
    catch_up=10_000,
    faust=1_500,
    quix=6_000,
    latency_seconds=2.0,
    broker_warm=5_000,
)
RATES: Final = (200, 1_000)
"""Frames per second at which latency is measured."""
