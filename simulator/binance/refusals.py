"""The venue's refusals by number and text (docs/venues/binance.md, section 10)."""

from typing import Any

from simulator.refusal import Refused


class Refusal(Refused):
    """An answer `{"code":..,"msg":..}` with its HTTP status."""

    def __init__(
        self, code: int, message: str, status: int = 400, data: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.data = data

    @property
    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        data = {} if self.data is None else {"data": self.data}
        return {"code": self.code, "msg": self.message, **data}


def unknown_error() -> Refusal:
    """-1000 with 503, the UM text that leaves the outcome open (docs/venues/binance.md 9)."""
    text = "Unknown error, please check your request or try again later."
    return Refusal(-1000, text, 503)


def too_much_weight(limit: int) -> Refusal:
    """-1003 with 429."""
    text = f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE."
    return Refusal(-1003, text, 429)


def banned(until_ms: int) -> Refusal:
    """-1003 with 418."""
    return Refusal(-1003, f"Way too much request weight used; IP banned until {until_ms}.", 418)


def outside_window() -> Refusal:
    """-1021, a timestamp that is too old or too new."""
    return Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def bad_signature() -> Refusal:
    """-1022."""
    return Refusal(-1022, "Signature for this request is not valid.")


def bad_key_format() -> Refusal:
    """-2014, no key at all."""
    return Refusal(-2014, "API-key format invalid.", 401)


def bad_key() -> Refusal:
    """-2015, a key that nobody has."""
    return Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def missing_parameter(name: str) -> Refusal:
    """-1102."""
    text = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    return Refusal(-1102, text)


def bad_parameter(name: str) -> Refusal:
    """-1130."""
    return Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")


def bad_symbol() -> Refusal:
    """-1121."""
    return Refusal(-1121, "Invalid symbol.")


def unknown_order() -> Refusal:
    """-2011, nothing to cancel."""
    return Refusal(-2011, "Unknown order sent.")


def no_such_order() -> Refusal:
    """-2013, nothing to show."""
    return Refusal(-2013, "Order does not exist.")


def listen_key_gone() -> Refusal:
    """-1125, the listenKey expired or never was."""
    return Refusal(-1125, "This listenKey does not exist.")
