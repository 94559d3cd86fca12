"""OKX's refusals by number and text (docs/venues/okx.md, sections 2 and 10). Pure."""

from simulator.refusal import Refused

HTTP_OK, HTTP_BAD, HTTP_UNAUTHORIZED, HTTP_TOO_MANY = 200, 400, 401, 429


class Refusal(Refused):
    """A code with its text; most stand inside answers whose HTTP status is 200."""

    def __init__(self, code: str, message: str, status: int = HTTP_OK) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def parameter_error(name: str) -> Refusal:
    """51000."""
    return Refusal("51000", f"Parameter {name} error")


def missing_parameter(name: str) -> Refusal:
    """50014 with 400."""
    return Refusal("50014", f"Parameter {name} can not be empty.", HTTP_BAD)


def bad_json() -> Refusal:
    """50002 with 400."""
    return Refusal("50002", "JSON syntax error", HTTP_BAD)


def bad_instrument() -> Refusal:
    """51001."""
    text = "Instrument ID, Instrument ID code, or Spread ID doesn't exist."
    return Refusal("51001", text)


def duplicate_id() -> Refusal:
    """51016: only orders that are pending count (docs/venues/okx.md 5)."""
    return Refusal("51016", "Client order ID already exists.")


def no_such_order() -> Refusal:
    """51603, a question about an order that is not there."""
    return Refusal("51603", "Order does not exist")


def cancel_failed() -> Refusal:
    """51400."""
    text = "Order cancellation failed as the order has been filled, canceled or does not exist."
    return Refusal("51400", text)


def amend_failed() -> Refusal:
    """51503."""
    text = "Order modification failed as the order has been filled, canceled or does not exist."
    return Refusal("51503", text)


def no_funds(currency: str, what: str) -> Refusal:
    """51008; `what` is balance or margin."""
    return Refusal("51008", f"Order failed. Insufficient {currency} {what} in account")


def nothing_to_reduce() -> Refusal:
    """51169."""
    text = "Order failed because you don't have any positions in this direction to reduce or close."
    return Refusal("51169", text)


def too_much_to_close() -> Refusal:
    """51112."""
    return Refusal("51112", "Close order size exceeds your available size.")


def too_many_requests(status: int = HTTP_TOO_MANY) -> Refusal:
    """50011."""
    return Refusal("50011", "Too Many Requests", status)


def too_many_orders() -> Refusal:
    """50061, the limit of new and amended orders of an account."""
    return Refusal("50061", "You've reached the maximum order rate limit for this account.")


def deadline_passed() -> Refusal:
    """50036: the request's `expTime` was over when it came."""
    return Refusal("50036", "The expTime can't be earlier than the current system time.")
