"""Bybit's refusals by code and text (docs/venues/bybit.md 2 and 10). Pure.

Coins have codes of their own for what an engine refuses.
"""

from collections.abc import Mapping
from typing import ClassVar

from simulator.refusal import Refusals, Refused, Row


class Refusal(Refused):
    """A code with its text, mostly inside an answer whose HTTP status is 200."""

    usual_status: ClassVar[int] = 200


SHARED: Mapping[str, Row] = {
    "banned": (403, "access too frequent", 403),
    "no_path": (404, "Not Found", 404),
    "no_auth": (10003, "API key headers are missing", 401),
    "bad_body": (403, "Forbidden", 403),
    "timeout": (10000, "Server Timeout"),
    "server_error": (10016, "Internal server error"),
    "unavailable": (10016, "Service unavailable", 503),
    "missing": (10001, "params error: {name} is missing"),
    "bad": (10001, "params error: {name}"),
    "too_long": (10001, "The time range between startTime and endTime cannot exceed 7 days"),
    "position_side": (10001, "position idx not match position mode"),
    "outside_window": (10002, "invalid request, please check your server timestamp or recv_window"),
    "bad_key": (10003, "API key is invalid."),
    "bad_signature": (10004, "error sign! origin_string[...]"),
    "no_login": (10005, "Permission denied, please authenticate first"),
    "busy": (10006, "Too many visits. Exceeded the API Rate Limit."),
    "logged_in": (20001, "Repeat auth"),
    "duplicate_request": (20006, "duplicate reqId"),
    "unchanged": (34040, "not modified"),
}
CONTRACTS: Mapping[str, Row] = {
    **SHARED,
    "bad_symbol": (10029, "The requested symbol is invalid."),
    "no_such_order": (110001, "order not exists or too late to cancel"),
    "ended": (110001, "order not exists or too late to cancel"),
    "tick": (110003, "Order price exceeds the allowable range."),
    "no_margin": (110007, "ab not enough for new order"),
    "nothing_to_close": (110017, "current position is zero, cannot fix reduce-only order qty"),
    "too_much_to_close": (110017, "reduce-only rule not satisfied"),
    "lot": (110017, "Qty not in range"),
    "too_small": (110017, "Qty too small"),
    "below_filled": (110064, "The order qty is less than what was filled"),
    "duplicate": (110072, "OrderLinkedID is duplicate"),
    "rising": (110092, "expect Rising, but trigger_price <= current"),
    "falling": (110093, "expect Falling, but trigger_price >= current"),
    "notional": (110094, "Order does not meet minimum order value"),
}
SPOT: Mapping[str, Row] = {
    **SHARED,
    "bad_symbol": (170121, "Invalid symbol."),
    "no_such_order": (170213, "Order does not exist."),
    "ended": (170213, "Order does not exist."),
    "tick": (170134, "Order price has too many decimals."),
    "no_funds": (170131, "Insufficient balance."),
    "lot": (170137, "Order volume decimal too long"),
    "too_small": (170136, "Order quantity exceeded lower limit."),
    "below_filled": (170313, "The new quantity must exceed what was filled"),
    "duplicate": (170141, "Duplicate clientOrderId"),
    "notional": (170140, "Order value exceeded lower limit."),
}
refused = Refusals(Refusal, CONTRACTS)
refused_spot = Refusals(Refusal, SPOT)
