"""Why nothing may be sent to the venue for an account. Pure."""

from orderloom.account import AccountConfig


def denial(
    config: AccountConfig | None, venue: str, *, takes_orders: bool, is_enabled: bool
) -> str:
    """The reason, for whoever asked; "" if something may be sent."""
    if not takes_orders:
        return f"no orders are entered at {venue}"
    if config is None or not is_enabled:
        return "the account is not served: the registry names it no more, or it is disabled"
    if config.orders == "none":
        return 'the registry lets nothing be sent for this account (orders = "cancel" would)'
    return ""
