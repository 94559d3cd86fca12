"""When a frame counts as readable."""

from bench.results import Ratio
from bench.watching import Sightings, percentiles


def test_a_frame_is_readable_when_it_or_a_later_one_is_the_cause() -> None:
    sightings = Sightings([(0, 4, 0), (0, 7, 2)], [1.0, 2.0])
    assert sightings.first((0, 3, 9)) == 1.0
    assert sightings.first((0, 4, 0)) == 1.0
    assert sightings.first((0, 7, 1)) == 2.0
    assert sightings.first((0, 7, 3)) is None


def test_percentiles_are_values_that_were_met() -> None:
    assert percentiles([3.0, 1.0, 2.0], (0.5, 0.99)) == [2.0, 3.0]


def test_a_ratio_says_whether_it_is_as_asked() -> None:
    assert Ratio("overhead", 0.09, 0.1, is_limit=True, of="").is_met
    assert not Ratio("rate", 0.7, 0.8, is_limit=False, of="").is_met
    assert "MISSED" in Ratio("rate", 0.7, 0.8, is_limit=False, of="").line()
    assert Ratio("beside", 7.0, None, is_limit=False, of="").is_met
