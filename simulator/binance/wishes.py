"""Where Binance's requests say what they would change (docs/venues/binance.md 7). Pure."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from simulator.accounts import Account
from simulator.binance.signing import WINDOW_MS_DEFAULT
from simulator.instrument import Product
from simulator.journal import Wish
from simulator.wire.fields import Fields
from simulator.wire.wishes import Names, Said

NAMED: Names = ("origClientOrderId",)
PLACED = Said("place", client=("newClientOrderId",), quantity=("quantity", "quoteOrderQty"))
AMENDED = Said("amend", client=NAMED, venue=("orderId",), quantity=("newQty", "quantity"))
CANCELED = Said("cancel", client=NAMED, venue=("orderId",), side=(), price=(), quantity=())
REPLACED = replace(CANCELED, client=("cancelOrigClientOrderId",), venue=("cancelOrderId",))
"""The first half of a cancel-replace."""
ALL_CANCELED = Said("cancel-all", side=(), price=(), quantity=())
COUNTDOWN = Said("countdown", side=(), price=(), quantity=("countdownTime",))
PLACED_ALGO = Said(
    "place", client=("clientAlgoId",), price=("triggerPrice", "callbackRate"), is_conditional=True
)
CANCELED_ALGO = replace(CANCELED, client=("clientAlgoId",), venue=("algoId",), is_conditional=True)
ALL_CANCELED_ALGO = replace(ALL_CANCELED, is_conditional=True)


def wishes_of(
    wishes: tuple[Said, ...], fields: Fields, account: Account | None, product: Product
) -> list[Wish]:
    """What a request would change, with its `timestamp` and `recvWindow`."""
    about = Wish(
        "place",
        account.name if account else "",
        product,
        sent=fields.text("timestamp"),
        window=fields.text("recvWindow"),
        expires_ms=_expires_ms(fields),
    )
    return [said.wish(fields, about) for said in wishes]


def _expires_ms(fields: Fields) -> int | None:
    """The last moment at which it may be carried out; None where that cannot be read."""
    try:
        window = Decimal(fields.text("recvWindow") or WINDOW_MS_DEFAULT)
        return int(int(fields.text("timestamp")) + window)
    except (InvalidOperation, ValueError, OverflowError):
        return None
