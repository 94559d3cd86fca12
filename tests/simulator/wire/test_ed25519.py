"""Signatures of another library are right, and those that were touched are not."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from simulator.wire.ed25519 import ORDER, is_signed

KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(4)]
MESSAGE = b"symbol=SOLUSDT&timestamp=1793000000123"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("message", [b"", MESSAGE, MESSAGE * 20])
def test_a_signature_is_right_for_its_message_and_key_alone(
    key: Ed25519PrivateKey, message: bytes
) -> None:
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert is_signed(public, message, signature)
    assert not is_signed(public, message + b"x", signature)
    other = next(one for one in KEYS if one is not key).public_key().public_bytes_raw()
    assert not is_signed(other, message, signature)


def test_what_is_no_signature_is_not_right() -> None:
    public, signature = KEYS[0].public_key().public_bytes_raw(), KEYS[0].sign(MESSAGE)
    number = int.from_bytes(signature[32:], "little")
    for wrong in (
        b"",
        signature[:-1],
        bytes(64),
        b"\xff" * 64,
        signature[:32] + (number + ORDER).to_bytes(32, "little"),
        bytes([signature[0] ^ 1]) + signature[1:],
    ):
        assert not is_signed(public, MESSAGE, wrong)
    assert not is_signed(b"\xff" * 32, MESSAGE, signature)
    assert not is_signed(b"", MESSAGE, signature)
