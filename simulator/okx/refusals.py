"""OKX's refusals by number and text (docs/venues/okx.md, sections 2 and 10). Pure."""

from collections.abc import Mapping
from typing import ClassVar

from simulator.refusal import Refusals, Refused, Row

HTTP_OK, HTTP_BAD, HTTP_UNAUTHORIZED, HTTP_TOO_MANY = 200, 400, 401, 429
GONE = "failed as the order has been filled, canceled or does not exist."


class Refusal(Refused):
    """A code with its text; most stand inside answers whose HTTP status is 200."""

    code: str
    usual_status: ClassVar[int] = HTTP_OK


ROWS: Mapping[str, Row] = {
    "banned": ("403", "Forbidden", 403),
    "no_path": ("404", "Not Found", 404),
    "unavailable": (
        "50001",
        "Service temporarily unavailable. Try again later.",
        503,
    ),
    "bad_json": ("50002", "JSON syntax error", HTTP_BAD),
    "bad_form": ("50002", "Incorrect json data format", HTTP_BAD),
    "timeout": (
        "50004",
        "API endpoint request timeout (does not mean that the request failed).",
        HTTP_BAD,
    ),
    "busy": ("50011", "Too Many Requests", HTTP_TOO_MANY),
    "missing": ("50014", "Parameter {name} can not be empty.", HTTP_BAD),
    "system_error": ("50026", "System error. Try again later.", 500),
    "too_late": ("50036", "The expTime can't be earlier than the current system time."),
    "expired": ("50037", "The request's expTime has passed."),
    "too_many_orders": (
        "50061",
        "You've reached the maximum order rate limit for this account.",
    ),
    "other_environment": (
        "50101",
        "APIKey does not match current environment.",
        HTTP_UNAUTHORIZED,
    ),
    "outside_window": ("50102", "Timestamp request expired", HTTP_UNAUTHORIZED),
    "bad_phrase": ("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.", HTTP_UNAUTHORIZED),
    "bad_timestamp": ("50112", "Invalid OK-ACCESS-TIMESTAMP", HTTP_UNAUTHORIZED),
    "bad_signature": ("50113", "Invalid Sign", HTTP_UNAUTHORIZED),
    "bad_key": ("50119", "API key doesn't exist", HTTP_UNAUTHORIZED),
    "no_permission": (
        "50120",
        "This API key doesn't have permission to use this function",
        HTTP_UNAUTHORIZED,
    ),
    "bad": ("51000", "Parameter {name} error"),
    "tick": ("51000", "Parameter px error"),
    "position_side": ("51000", "Parameter posSide error"),
    "bad_symbol": ("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist."),
    "no_funds": ("51008", "Order failed. Insufficient {asset} balance in account"),
    "no_margin": ("51008", "Order failed. Insufficient {asset} margin in account"),
    "margin_mode": ("51010", "You can't complete this request under your account mode."),
    "duplicate": ("51016", "Client order ID already exists."),
    "too_small": ("51020", "Your order should meet or exceed the minimum order amount."),
    "too_many_tags": ("51071", "Tag timers have reached their limit."),
    "duplicate_algo": ("51065", "algoClOrdId already exists."),
    "too_much_to_close": ("51112", "Close order size exceeds your available size."),
    "lot": ("51121", "Order quantity must be a multiple of the lot size."),
    "nothing_to_close": (
        "51169",
        "Order failed because you don't have any positions in this direction to reduce or close.",
    ),
    "ended": ("51400", f"Order cancellation {GONE}"),
    "unchanged": ("51500", "You must enter a price, quantity, or TP/SL."),
    "not_amended": ("51503", f"Order modification {GONE}"),
    "no_such_order": ("51603", "Order does not exist"),
    "fok_mode": ("54036", "FOK orders can't use the STP mode cancel_both."),
    "login_time": ("60004", "Invalid timestamp"),
    "login_key": ("60005", "Invalid apiKey"),
    "login_late": ("60006", "Timestamp request expired"),
    "login_signature": ("60007", "Invalid sign"),
    "no_login": ("60011", "Please log in"),
    "bad_request": ("60012", "Invalid request"),
    "bad_frame": ("60012", "Invalid request: {text}"),
    "bad_args": ("60013", "Invalid args"),
    "busy_socket": ("60014", "Requests too frequent"),
    "no_channel": (
        "60018",
        "Wrong URL or {arg} doesn't exist. Please use the correct URL, channel and "
        "parameters referring to API document.",
    ),
    "login_phrase": ("60024", "Wrong passphrase"),
    "logged_in": ("60031", "The WebSocket endpoint does not allow multiple logins."),
    "no_tier": ("64003", "Your trading fee tier doesn't meet the requirement to access it."),
    "unknown_on_socket": ("64007", "Operation failed due to WebSocket internal error."),
}
refused = Refusals(Refusal, ROWS)
