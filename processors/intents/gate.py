"""Why nothing may be sent to the venue for an account. Pure."""

from orderloom.account import AccountConfig
from processors.account.setting import Setting


def denial(config: AccountConfig | None, setting: Setting) -> str:
    """The reason, for whoever asked; "" if something may be sent."""
    if not setting.takes_orders:
        return f"no orders are entered at {setting.venue}"
    if config is None or not config.enabled:
        return "the account is not served: the registry names it no more, or it is disabled"
    if config.orders == "none":
        return 'the registry lets nothing be sent for this account (orders = "cancel" would)'
    return ""
