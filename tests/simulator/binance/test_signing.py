"""Signatures and clocks as docs/venues/binance.md 2.1 to 2.3 has them."""

import pytest

from simulator.binance.refusals import Refusal
from simulator.binance.signing import (
    check_rest_signature,
    check_socket_signature,
    check_time,
    hmac_hex,
    socket_payload,
)

SECRET = "secret"
NOW_MS = 1_793_000_000_000


def code_of(check: object, *arguments: object) -> int:
    assert callable(check)
    with pytest.raises(Refusal) as refused:
        check(*arguments)
    return refused.value.code


def test_query_and_body_are_signed_one_after_the_other_without_a_sign_between() -> None:
    signature = hmac_hex(SECRET, "symbol=AB" + "side=BUY&timestamp=1")
    check_rest_signature(SECRET, "symbol=AB", f"side=BUY&timestamp=1&signature={signature}")


def test_the_text_that_is_signed_is_percent_encoded() -> None:
    query = "newClientOrderId=a%2Fb&timestamp=1"
    check_rest_signature(SECRET, f"{query}&signature={hmac_hex(SECRET, query)}", "")
    unencoded = hmac_hex(SECRET, "newClientOrderId=a/b&timestamp=1")
    assert code_of(check_rest_signature, SECRET, f"{query}&signature={unencoded}", "") == -1022


def test_the_hex_may_be_upper_case() -> None:
    signature = hmac_hex(SECRET, "timestamp=1").upper()
    check_rest_signature(SECRET, f"timestamp=1&signature={signature}", "")


def test_a_missing_signature_is_a_missing_parameter() -> None:
    assert code_of(check_rest_signature, SECRET, "timestamp=1", "") == -1102


def test_a_socket_request_is_sorted_and_not_encoded() -> None:
    params: dict[str, object] = {"timestamp": 1, "apiKey": "k", "newClientOrderId": "a/b"}
    assert socket_payload(params) == "apiKey=k&newClientOrderId=a/b&timestamp=1"
    signed = params | {"signature": hmac_hex(SECRET, socket_payload(params))}
    check_socket_signature(SECRET, signed)
    assert code_of(check_socket_signature, "other", signed) == -1022


@pytest.mark.parametrize(
    ("sent_ms", "window", "code"),
    [
        (NOW_MS + 1000, "", -1021),
        (NOW_MS - 5001, "", -1021),
        (NOW_MS - 101, "100", -1021),
        (NOW_MS, "60001", -1130),
        (NOW_MS, "soon", -1130),
    ],
)
def test_a_time_outside_the_window_is_refused(sent_ms: int, window: str, code: int) -> None:
    assert code_of(check_time, str(sent_ms), window, NOW_MS) == code


@pytest.mark.parametrize(
    ("sent_ms", "window"),
    [(NOW_MS + 999, ""), (NOW_MS - 5000, ""), (NOW_MS - 60_000, "60000"), (NOW_MS, "0.125")],
)
def test_a_time_inside_the_window_is_taken(sent_ms: int, window: str) -> None:
    check_time(str(sent_ms), window, NOW_MS)


def test_without_a_timestamp_the_parameter_is_missing() -> None:
    assert code_of(check_time, "", "", NOW_MS) == -1102
