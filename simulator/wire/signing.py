"""What venues sign with: HMAC over a text, as hex or base64. Pure."""

import base64
import hashlib
import hmac


def hmac_hex(secret: str, payload: str) -> str:
    """HMAC-SHA256 as lower-case hex."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def hmac_base64(secret: str, payload: str) -> str:
    """HMAC-SHA256 as base64."""
    digest = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def is_same(wanted: str, given: str) -> bool:
    """Whether two signatures are one, however long it takes to tell."""
    return hmac.compare_digest(wanted, given)
