"""What Kraken answers to a request when it speaks of no order's state: acks and refusals. Pure.

Manual: "Errors" (Spot REST), "Error codes" (Futures). Spot lists its errors in `error` beside
status 200, `E<category>:<text>`, at times with more behind them; Futures says `result: error`, or
`success` with a `status` that is none. A text that is not here says nothing definite:
UNKNOWN_STATE, because only the venue's own words reject (docs/state-model.md INV-1). Texts that
begin alike are told apart by the longest.
"""

from dataclasses import replace
from typing import Any, Final

from orderloom.event import Reply
from orderloom.words import Reason
from venues.document import Document, fields_of, identifier, rows_of, text
from venues.kraken.reading import KrakenReading
from venues.kraken.words import LINEAR, SPOT
from venues.venue import BadFrame

TEXT_KEPT_MAX: Final = 500
_SPOT: Final = {
    # Never there, gone, or filled: not told apart, so asked about.
    Reason.NOT_FOUND: ("EOrder:Unknown order", "EOrder:Invalid order", "EQuery:Unknown order"),
    Reason.UNKNOWN_STATE: (
        "EGeneral:Internal error", "EService:Busy", "EService:Timeout",
        # It may have filled in part before the rest was canceled with this error.
        "EOrder:Reduce only:Position is closed",
    ),
    Reason.INSUFFICIENT_BALANCE: (
        "EOrder:Insufficient funds", "EOrder:Insufficient margin",
        "EOrder:Margin allowance exceeded", "EOrder:Margin level too low",
        "EOrder:Margin position size exceeded", "EBM:limit exceeded:CAL",
    ),
    Reason.REDUCE_ONLY: ("EOrder:Reduce only:No position exists", "EOrder:Reduce only:Non-PC"),
    Reason.POST_ONLY: ("EOrder:Post only order",),
    Reason.THROTTLED: (
        "EOrder:Rate limit exceeded", "EOrder:Domain rate limit exceeded",
        "EAPI:Rate limit exceeded", "EAuth:Rate limit exceeded", "EAuth:Too many requests",
        "EService: Throttled", "EService:Throttled", "Exceeded msg rate",
    ),
    Reason.BAD_REQUEST: (
        "EOrder:Order minimum not met", "EOrder:Cost minimum not met",
        "EOrder:Tick size check failed", "EOrder:Invalid price", "EGeneral:Invalid arguments",
        "EQuery:Unknown asset pair", "ETrade:Invalid request",
    ),
    Reason.REFUSED: (
        "EOrder:Cannot open position", "EOrder:Cannot open opposing position",
        "EOrder:Positions limit exceeded", "EOrder:Unknown position",
        "EOrder:Scheduled orders limit exceeded", "EOrder:Orders limit exceeded",
        "EService:Deadline elapsed",
    ),
    Reason.MARKET_CLOSED: (
        "EService:Unavailable", "EService:Market in cancel_only mode",
        "EService:Market in post_only mode",
    ),
    Reason.AUTH: (
        "EAPI:Invalid key", "EAPI:Invalid signature", "EAPI:Invalid nonce",
        "EGeneral:Permission denied", "EGeneral:Temporary lockout", "EAccount:Invalid permissions",
        "EAuth:",
    ),
}  # fmt: skip
_FUTURES: Final = {
    Reason.NOT_FOUND: ("notFound", "orderForEditNotFound"),
    Reason.UNKNOWN_STATE: ("Server Error", "unknownError", "unknown"),
    Reason.DUPLICATE_ID: ("clientOrderIdAlreadyExist",),
    Reason.INSUFFICIENT_BALANCE: (
        "insufficientFunds", "insufficientAvailableFunds", "wouldCauseLiquidation",
        "maxPositionViolation",
    ),
    Reason.POST_ONLY: ("postWouldExecute",),
    Reason.TIME_IN_FORCE: ("iocWouldNotExecute",),
    Reason.SELF_TRADE_PREVENTION: ("selfFill",),
    Reason.REDUCE_ONLY: ("wouldNotReducePosition",),
    Reason.THROTTLED: ("apiLimitExceeded",),
    Reason.BAD_REQUEST: (
        "invalidArgument", "requiredArgumentMissing", "invalidAmount", "invalidUnit",
        "Json Parse Error", "contractNotFound", "invalidPrice", "invalidSize", "invalidOrderType",
        "invalidSide", "clientOrderIdTooBig", "clientOrderIdTooLong", "clientOrderIdInvalid",
        "orderForEditNotAStop",
    ),
    Reason.REFUSED: (
        "tooManySmallOrders", "tooManyOrders", "outsidePriceCollar", "fixedLeverageTooHigh",
        "wouldIncreasePriceDislocation", "cannotEdit", "wouldProcessAfterSpecifiedTime", "filled",
    ),
    Reason.MARKET_CLOSED: (
        "marketUnavailable", "Unavailable", "marketSuspended", "marketInactive",
        "marketIsPostOnly",
    ),
    Reason.AUTH: (
        "authenticationError", "accountInactive", "invalidAccount", "nonceBelowThreshold",
        "nonceDuplicate",
    ),
}  # fmt: skip
REASONS: Final = {
    code: reason for table in (_SPOT, _FUTURES) for reason, codes in table.items() for code in codes
}
_LONGEST_FIRST: Final = sorted(REASONS, key=len, reverse=True)
BUSY: Final = frozenset({Reason.THROTTLED, Reason.UNKNOWN_STATE, Reason.MARKET_CLOSED})
"""Trouble that passes, in which nothing is wrong with a key."""
NONCE: Final = frozenset({"EAPI:Invalid nonce", "nonceBelowThreshold", "nonceDuplicate"})
ACCEPTED: Final = frozenset({"placed", "partiallyFilled", "filled", "cancelled", "edited",
    "noOrdersToCancel"})  # fmt: skip
"""Of a status of Futures'; a canceled order that says `filled` was not canceled."""


def known_code(said: str) -> str | None:
    """The text of our table with which an error begins; nothing that was sent is repeated in it."""
    return next((code for code in _LONGEST_FIRST if said.startswith(code)), None)


def errors_of(answer: Document) -> list[str]:
    """The errors of an answer of Spot's; warnings, which begin with W, are none.

    Raises:
        BadFrame: something else than a list of texts.
    """
    listed = rows_of(answer.get("error"), "error")
    if not all(type(one) is str for one in listed):
        raise BadFrame("error: not a list of texts")
    return [one for one in listed if not one.startswith("W")]


def refused(said: str, reading: KrakenReading, **ids: Any) -> tuple[Reply, ...]:
    """A request that was refused, or of which nobody knows what became."""
    code = known_code(said)
    if code is None:
        reading.unknown.append(f"error={said[:80]}")
    reason = Reason.UNKNOWN_STATE if code is None else REASONS[code]
    words = said[:TEXT_KEPT_MAX]
    return (
        Reply(
            product=_product(reading, said),
            accepted=False,
            reason=reason,
            code=code,
            text=words if words.isprintable() else None,
            **ids,
        ),
    )


def _product(reading: KrakenReading, said: str = "") -> str:
    """Whose request it was, as far as anybody says."""
    is_spot = said.startswith("E") and ":" in said
    return SPOT if is_spot else reading.product or LINEAR


def taken(reading: KrakenReading, product: str | None = None, **ids: Any) -> tuple[Reply, ...]:
    """A request that was taken: the order's own reports say what became of it."""
    return (Reply(product=product or _product(reading), accepted=True, **ids),)


def request_name(answer: Document) -> str | None:
    """The number that we gave to a request on a socket."""
    return identifier(answer, "req_id")


# ---- Spot


def spot_results(result: Document, reading: KrakenReading) -> tuple[Reply, ...] | None:
    """What a result says of orders that were sent, amended or canceled; None if it is no such."""
    if "txid" in result:
        names = result["txid"]
        listed = names if type(names) is list else [names]
        return tuple(
            event
            for one in listed
            for event in taken(reading, SPOT, venue_order_id=text({"txid": one}, "txid"))
        )
    if "orders" in result:
        rows = rows_of(result["orders"], "orders")
        return tuple(event for one in rows for event in _item(fields_of(one, "orders"), reading))
    if "amend_id" in result or "count" in result or "order_id" in result or "cl_ord_id" in result:
        return taken(reading, SPOT, **_ids(result))
    return None


def _ids(row: Document) -> dict[str, str | None]:
    return {"venue_order_id": text(row, "order_id"), "client_order_id": text(row, "cl_ord_id")}


def _item(row: Document, reading: KrakenReading) -> tuple[Reply, ...]:
    """One order of a batch, in each of the shapes that are known of it."""
    if row.get("error"):
        reading.product = SPOT
        return refused(text(row, "error") or "", reading, **_ids(row))
    order_id = text(row, "txid") or text(row, "order_id")
    return taken(reading, SPOT, venue_order_id=order_id, client_order_id=text(row, "cl_ord_id"))


def socket_reply(answer: Document, reading: KrakenReading) -> tuple[Reply, ...]:
    """The reply to a request on the socket of Spot; one for each order of several."""
    reading.product = SPOT
    name = request_name(answer)
    if answer.get("success") is not True:
        said = answer.get("error")
        if type(said) is not str:
            raise BadFrame(f"error: not a text: {said!r:.80}")
        return refused(said, reading, request_id=name, **_ids(answer))
    result = answer.get("result")
    if type(result) is list:
        result = {"orders": result}
    said_of = spot_results(fields_of(result or {}, "result"), reading)
    if said_of is None:
        said_of = taken(reading, SPOT)
    return tuple(replace(event, request_id=name) for event in said_of)
