"""Who asks, and is it really them: docs/venues/kraken.md, section 2. Pure.

- Spot: base64(HMAC-SHA512(secret, path + SHA-256(nonce + body))), with the body as it was sent.
- Futures: base64(HMAC-SHA512(secret, SHA-256(parameters + nonce + path without `/derivatives`))).
- A challenge of Futures: the same over SHA-256 of the challenge.

The secret is base64; of one that is none, the characters that are count.
"""

import base64
import hashlib
import hmac
import re

NO_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def spot_signature(secret: str, path: str, nonce: str, body: str) -> str:
    """`API-Sign`."""
    said = hashlib.sha256(f"{nonce}{body}".encode()).digest()
    return _signed(secret, path.encode() + said)


def futures_signature(secret: str, path: str, nonce: str, parameters: str) -> str:
    """`Authent`."""
    said = f"{parameters}{nonce}{path.removeprefix('/derivatives')}"
    return _signed(secret, hashlib.sha256(said.encode()).digest())


def challenge_signature(secret: str, challenge: str) -> str:
    """`signed_challenge`."""
    return _signed(secret, hashlib.sha256(challenge.encode()).digest())


def _signed(secret: str, payload: bytes) -> str:
    digits = NO_BASE64.sub("", secret)
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    key = base64.b64decode(digits + "=" * (-len(digits) % 4))
    return base64.b64encode(hmac.new(key, payload, hashlib.sha512).digest()).decode()
