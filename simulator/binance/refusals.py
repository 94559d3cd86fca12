"""The venue's refusals by number and text (docs/venues/binance.md, section 10)."""

from collections.abc import Mapping

from simulator.message import Document
from simulator.refusal import Refusals, Refused, Row


class Refusal(Refused):
    """A code below zero with its text."""

    code: int

    @property
    def document(self) -> Document:
        """The body of the answer."""
        return document_of(self)


def document_of(refusal: Refused) -> Document:
    """The body of an answer that refuses."""
    data = {} if refusal.data is None else {"data": refusal.data}
    return {"code": refusal.code, "msg": refusal.message, **data}


SHARED: Mapping[str, Row] = {
    "unknown": (-1000, "Unknown error, please check your request or try again later.", 503),
    "no_path": (-1000, "Path not found.", 404),
    "busy": (-1003, "Too many requests.", 429),
    "too_much_weight": (
        -1003,
        "Too much request weight used; current limit is {limit} request weight per 1 MINUTE.",
        429,
    ),
    "banned": (-1003, "Way too much request weight used; IP banned until {until_ms}.", 418),
    "too_many_orders": (-1015, "Too many new orders; current limit is {limit}.", 429),
    "no_method": (-1020, "This operation is not supported."),
    "outside_window": (-1021, "Timestamp for this request is outside of the recvWindow."),
    "bad_signature": (-1022, "Signature for this request is not valid."),
    "missing": (
        -1102,
        "Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    ),
    "bad_type": (-1116, "Invalid orderType."),
    "bad_side": (-1117, "Invalid side."),
    "bad_symbol": (-1121, "Invalid symbol."),
    "no_listen_key": (-1125, "This listenKey does not exist."),
    "window_too_long": (-1127, "More than the allowed time between startTime and endTime."),
    "bad_combination": (-1128, "Combination of optional parameters invalid."),
    "bad": (-1130, "Data sent for parameter '{name}' is not valid."),
    "bad_json": (-1135, "Invalid JSON Request"),
    "ended": (-2011, "Unknown order sent."),
    "restricted": (-2011, "Order was not canceled due to cancel restrictions."),
    "no_such_order": (-2013, "Order does not exist."),
    "no_key": (-2014, "API-key format invalid.", 401),
    "bad_key": (-2015, "Invalid API-key, IP, or permissions for action.", 401),
    "no_logon": (-4056, "HMAC_SHA256 API key is not supported."),
    "subscribed": (-2035, "A user data stream subscription is already active."),
    "not_subscribed": (-2036, "No such user data stream subscription is active."),
}
NO_FILTER = "Filter failure: "
SPOT: Mapping[str, Row] = {
    "too_small": (-1013, NO_FILTER + "LOT_SIZE"),
    "lot": (-1013, NO_FILTER + "LOT_SIZE"),
    "tick": (-1013, NO_FILTER + "PRICE_FILTER"),
    "notional": (-1013, NO_FILTER + "NOTIONAL"),
    "duplicate": (-2010, "Duplicate order sent."),
    "post_only": (-2010, "Order would immediately match and take."),
    "no_funds": (-2010, "Account has insufficient balance for requested action."),
    "throttled": (-1015, "Too many new orders; current limit is 100 orders per 10 SECOND.", 429),
    "unchanged": (-2038, "The requested action would change no state; rejecting"),
    "increase": (-2038, "Order amend (quantity increase) is not supported."),
    "amended_too_often": (-2038, "Order amend limit reached."),
}
PRECISION = "Precision is over the maximum defined for this asset."
LINEAR: Mapping[str, Row] = {
    "throttled": (
        -1008,
        "Request throttled by system-level protection. Reduce-only/close-position orders are "
        "exempt. Please try again.",
        503,
    ),
    "reduce_only": (-1106, "Parameter 'reduceonly' sent when not required."),
    "too_small": (-1111, PRECISION),
    "lot": (-1111, PRECISION),
    "no_margin": (-2019, "Margin is insufficient."),
    "triggers_at_once": (-2021, "Order would immediately trigger."),
    "nothing_to_close": (-2022, "ReduceOnly Order is rejected."),
    "too_much_to_close": (-2022, "ReduceOnly Order is rejected."),
    "tick": (-4014, "Price not increased by tick size."),
    "position_side": (-4061, "Order's position side does not match user's setting."),
    "duplicate": (-4116, "ClientOrderId is duplicated."),
    "use_algo": (-4120, "Order type not supported for this endpoint. Use the Algo API."),
    "notional": (-4164, "Order's notional must be no smaller than 5 (unless reduceonly)."),
    "fok": (-5021, "Due to the order could not be filled immediately, rejected."),
    "post_only": (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order is rejected.",
    ),
    "unchanged": (-5027, "No need to modify the order."),
    "late_at_the_book": (-5028, "Timestamp for this request is outside of the ME recvWindow."),
}
refused = Refusals(Refusal, SHARED)
"""What both products say."""
spot_refusal = Refusals(Refusal, {**SHARED, **SPOT})
linear_refusal = Refusals(Refusal, {**SHARED, **LINEAR})
