"""Kraken's refusals in the words of both systems (docs/venues/kraken.md, section 10). Pure."""

from collections.abc import Mapping
from typing import ClassVar

from simulator.refusal import Refusals, Refused


class KrakenRefusal(Refused):
    """A text; nearly all stand inside answers whose HTTP status is 200."""

    usual_status: ClassVar[int] = 200


SPOT_TEXTS: Mapping[str, str] = {
    "banned": "EGeneral:Too many requests", "bad_gateway": "EService:Unavailable",
    "no_path": "EGeneral:Unknown method", "missing": "EGeneral:Invalid arguments:{name}",
    "bad": "EGeneral:Invalid arguments:{name}", "bad_key": "EAPI:Invalid key",
    "bad_signature": "EAPI:Invalid signature", "bad_nonce": "EAPI:Invalid nonce",
    "outside_window": "EAPI:Invalid nonce", "no_token": "EGeneral:Permission denied",
    "no_channel": "Unsupported channel name", "no_method": "Unsupported method",
    "not_listening": "Subscription not found", "busy": "EAPI:Rate limit exceeded",
    "busy_socket": "EOrder:Rate limit exceeded", "too_many_orders": "EOrder:Rate limit exceeded",
    "internal": "EGeneral:Internal error", "overloaded": "EService:Busy",
    "timeout": "EService:Timeout", "too_late": "EService:Deadline elapsed",
    "bad_symbol": "EQuery:Unknown asset pair", "no_funds": "EOrder:Insufficient funds",
    "duplicate": "EGeneral:Invalid arguments:cl_ord_id",
    "too_small": "EOrder:Order minimum not met", "lot": "EGeneral:Invalid arguments:volume",
    "tick": "EOrder:Tick size check failed", "notional": "EOrder:Cost minimum not met",
    "post_only": "EOrder:Post only order", "unchanged": "EGeneral:Invalid arguments",
    "no_such_order": "EOrder:Unknown order", "ended": "EOrder:Unknown order",
}  # fmt: skip
FUTURES_TEXTS: Mapping[str, str] = {
    "banned": "apiLimitExceeded", "bad_gateway": "Server Error", "no_path": "notFound",
    "missing": "requiredArgumentMissing", "bad": "invalidArgument",
    "bad_key": "authenticationError", "nonce_low": "nonceBelowThreshold",
    "nonce_again": "nonceDuplicate", "outside_window": "authenticationError",
    "bad_frame": "Json Error", "bad_event": "Invalid event", "no_channel": "Invalid feed",
    "busy": "apiLimitExceeded", "unknown": "unknownError", "server_error": "Server Error",
    "bad_symbol": "contractNotFound", "no_margin": "insufficientAvailableFunds",
    "duplicate": "clientOrderIdAlreadyExist", "name_too_long": "clientOrderIdTooLong",
    "too_small": "invalidSize", "lot": "invalidSize", "tick": "invalidPrice",
    "post_only": "postWouldExecute", "nothing_to_close": "wouldNotReducePosition",
    "too_much_to_close": "wouldNotReducePosition", "no_such_order": "notFound",
    "ended": "notFound",
}  # fmt: skip
HTTP_STATUSES = {"banned": 429, "bad_gateway": 502}
"""Where it is not the usual one: of what stands before both systems."""


def _refusals(texts: Mapping[str, str]) -> Refusals:
    rows = {name: (name, said, HTTP_STATUSES.get(name, 0)) for name, said in texts.items()}
    return Refusals(KrakenRefusal, rows)


spot_refused, futures_refused = _refusals(SPOT_TEXTS), _refusals(FUTURES_TEXTS)
UNKNOWN_SPOT = ("bad_gateway", "internal", "overloaded", "timeout")
UNKNOWN_FUTURES = ("bad_gateway", "unknown", "server_error")
"""Answers that leave it open whether the request was carried out."""
