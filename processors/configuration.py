"""What settings may change of the fold, as the log keeps it. Pure.

All else that a venue is stands in code, and is part of the fold's version.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from processors.account.pace import Pace
from processors.partition import PartitionFold
from venues.venue import Venue

OF_PROFILE: Final = ("grace_ns", "visibility_lag_ns")


def configuration_of(venue: Venue, pace: Pace, namespace: str) -> dict[str, Any]:
    """What a step says of it."""
    profiles = {
        product: {name: getattr(profile, name) for name in OF_PROFILE}
        for product, profile in venue.profiles.items()
    }
    return {"namespace": namespace, "pace": asdict(pace), "profiles": profiles}


def configured_fold(
    venue: Venue, partition: int, configuration: Mapping[str, Any], version: str = ""
) -> PartitionFold:
    """The state of a partition under what a step said, empty."""
    said = configuration.get("profiles")
    if said is None:  # a step of before, when one profile was of all products
        said = dict.fromkeys(venue.profiles, configuration["profile"])
    profiles = {
        product: replace(profile, **said[product]) for product, profile in venue.profiles.items()
    }
    as_set = replace(venue, profiles=profiles)
    pace = Pace(**configuration["pace"])
    return PartitionFold(as_set, partition, pace, configuration["namespace"], version)
