"""A frame of Kraken's that is lost leaves a hole in its numbers: a blind interval."""

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.fault_stage import MILLISECOND_NS, FaultStage, Stretch
from trial.verdict import FillKey

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.timeout(400)]

FOLLOWED_MS = 300
"""A hole shows when the next frame of the subscription comes: within so long, at most."""
PUBLISHED_MS_MAX = 1000


async def test_a_lost_frame_is_a_blind_interval_within_a_second(tmp_path: Path, seed: int) -> None:
    stage = FaultStage(tmp_path, seed, accounts=4, venues=("kraken",), period_s=5.0)
    try:
        await stage.begin()
        stretch = await stage.play("drop", 20, 120)
    finally:
        stage.end()
    wrong = {name: rows for name, rows in stretch.verdict["details"].items() if rows}
    assert not wrong
    assert (stretch.verdict["dead_letters"], stretch.open_blind) == (0, 0)
    rows = dict(stretch.fills())
    seen = [key for key, row in rows.items() if row["dropped"] and is_followed(key, row, rows)]
    assert seen, "no execution was lost that others followed at once"
    late = {key: delay_ms(stretch, key, rows[key]) for key in seen}
    assert all(ms <= FOLLOWED_MS + PUBLISHED_MS_MAX for ms in late.values()), late
    print(sorted(late.values()))


def is_followed(key: FillKey, row: dict[str, Any], rows: dict[FillKey, dict[str, Any]]) -> bool:
    """Whether the same subscription told of another execution soon."""
    system = key[1] == "spot"
    return any(
        other["delivered"] and 0 < other["venue_ms"] - row["venue_ms"] <= FOLLOWED_MS
        for place, other in rows.items()
        if place[0] == key[0] and (place[1] == "spot") == system
    )


def delay_ms(stretch: Stretch, key: FillKey, row: dict[str, Any]) -> int:
    """From the loss until a blind interval that covers it was published."""
    covering: list[int] = [
        one.published_ms - row["venue_ms"]
        for one in stretch.blind
        if one.covers(key[0], row["venue_ms"] * MILLISECOND_NS)
    ]
    return min(covering)
