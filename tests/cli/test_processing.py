"""How a process worker is wired from the settings."""

import os
import subprocess
import sys
from dataclasses import replace

from cli.processing import config_digest, ledger_settings, pace_of, venue_as_set
from processors.account.pace import Pace
from runtime.settings import KafkaSettings, ProcessSettings, Settings, VenueSettings
from venues import VENUES

BINANCE = VENUES["binance"]


def test_settings_replace_what_the_profile_says_and_nothing_else() -> None:
    assert venue_as_set(BINANCE, VenueSettings()).profiles == BINANCE.profiles
    changed = venue_as_set(BINANCE, VenueSettings(grace_ms=5, visibility_lag_ms=7)).profiles
    assert changed == {
        product: replace(profile, grace_ns=5_000_000, visibility_lag_ns=7_000_000)
        for product, profile in BINANCE.profiles.items()
    }


def test_reconciliation_has_the_pace_that_is_set() -> None:
    assert pace_of(VenueSettings(reconcile_seconds=12.5)).period_ns == 12_500_000_000


def test_the_ledger_gets_what_the_settings_say() -> None:
    process = ProcessSettings(step_ms_max=250, session_ms=9000)
    settings = Settings(namespace="prod.", kafka=KafkaSettings(bootstrap="k:1"), process=process)
    given = ledger_settings(settings, BINANCE, Pace())
    assert (given.bootstrap, given.venue, given.namespace) == ("k:1", "binance", "prod.")
    assert (given.step.seconds, given.session_seconds) == (0.25, 9.0)
    assert given.config_digest


def test_another_configuration_of_the_fold_has_another_digest() -> None:
    digests = {
        config_digest(BINANCE.profiles, Pace()),
        config_digest(BINANCE.profiles, Pace(period_ns=1)),
        config_digest({"spot": replace(BINANCE.profiles["spot"], grace_ns=1)}, Pace()),
    }
    assert len(digests) == 3


def test_the_digest_is_the_same_in_every_process() -> None:
    program = (
        "from cli.processing import *; print(config_digest(VENUES['binance'].profiles, Pace()))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert digests == {config_digest(BINANCE.profiles, Pace())}
