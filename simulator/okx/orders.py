"""Wishes and amends in OKX's terms."""

from dataclasses import dataclass

from simulator.market import Request

OkxRequest = Request


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a push says of an amend: its result, whose it was, and the request that asked for it."""

    result: str = ""
    source: str = ""
    request_id: str = ""
    code: str = "0"
    message: str = ""


NO_AMENDMENT = Amendment()
BY_SYSTEM = Amendment("0", "4")
"""A reducing order that was made smaller."""
