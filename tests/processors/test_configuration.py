"""What commits record of the settings, and the fold that it gives back."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from processors.account.pace import STANDARD
from processors.configuration import configuration_of, configured_fold
from venues import VENUES
from venues.venue import Profiles

OKX = VENUES["okx"]


def profiles_under(said: Mapping[str, Any]) -> Profiles:
    return configured_fold(OKX, 0, said).account("okx:main").orders.profiles


def profiles_with(grace_ns: int, lag_ns: int) -> Profiles:
    return {
        name: replace(one, grace_ns=grace_ns, visibility_lag_ns=lag_ns)
        for name, one in OKX.profiles.items()
    }


def test_a_fold_has_the_profiles_that_were_recorded() -> None:
    changed = {**profiles_with(5, 7), "spot": replace(OKX.profiles["spot"], grace_ns=9)}
    said = configuration_of(replace(OKX, profiles=changed), STANDARD, "")
    assert profiles_under(said) == changed


def test_what_was_recorded_when_one_profile_was_of_all_products_is_read() -> None:
    profile = {"grace_ns": 5, "visibility_lag_ns": 7}
    said = {"namespace": "", "pace": asdict(STANDARD), "profile": profile}
    assert profiles_under(said) == profiles_with(5, 7)
