"""What is signed, and how far a clock may be off."""

import pytest

from simulator.okx.refusals import Refusal
from simulator.okx.signing import check_login, check_time, sign
from tests.simulator.okx.okx_box import an_account

NOW_MS = 1_793_000_000_000
STAMPED_MS = 1_792_990_400_000
"""2026-10-26T04:53:20Z."""


def test_a_signature_is_base64_of_an_hmac() -> None:
    # openssl dgst -sha256 -hmac secret -binary | base64, over the same text
    assert sign("secret", "text") == "L0Q2hVkpAOYZ8vOyNQw8ilc44ueia8miRNM5PDzWq9Y="


@pytest.mark.parametrize("stamp", ["2026-10-26T04:53:20.000Z", "2026-10-26T04:53:49.999Z"])
def test_a_request_may_be_thirty_seconds_off(stamp: str) -> None:
    check_time(stamp, STAMPED_MS)


@pytest.mark.parametrize(
    ("stamp", "code"),
    [
        ("2026-10-26T04:53:51.000Z", "50102"),
        ("2026-10-26T04:52:49.000Z", "50102"),
        ("today", "50112"),
    ],
)
def test_a_request_that_is_further_off_or_has_no_time_is_refused(stamp: str, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        check_time(stamp, STAMPED_MS)


def test_a_login_signs_its_time_in_seconds() -> None:
    account = an_account()
    stamp = str(NOW_MS // 1000)
    fields = {
        "passphrase": account.passphrase,
        "timestamp": stamp,
        "sign": sign(account.secret, stamp + "GET/users/self/verify"),
    }
    assert check_login(account, fields, NOW_MS + 30_000) is account
    with pytest.raises(Refusal, match="60006"):
        check_login(account, fields, NOW_MS + 30_001)
