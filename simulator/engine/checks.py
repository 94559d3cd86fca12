"""What venues check before they take an order; each venue names its checks in its own order.

A check refuses by name. A venue that says two of them in the same words has them twice in its
table.
"""

from simulator.accounts import Account
from simulator.engine.contracts import ContractMarket
from simulator.engine.market import Market
from simulator.engine.reducing import is_reducing
from simulator.market import Request


def lot(market: Market, account: Account, request: Request) -> None:
    """Whole lots, at least one; what is sized in quote comes out as whole lots later."""
    if not request.quote_size:
        market.check_quantity(market.instrument(request.symbol), request.quantity)


def tick(market: Market, account: Account, request: Request) -> None:
    """Whole ticks above zero."""
    if request.order_type != "MARKET":
        market.check_price(market.instrument(request.symbol), request.price)


def notional(market: Market, account: Account, request: Request) -> None:
    """At least so much in quote units; not for what only closes."""
    instrument = market.instrument(request.symbol)
    is_small = request.price * request.quantity < instrument.notional_min
    if request.order_type != "MARKET" and is_small and not request.reduce_only:
        raise market.refusal("notional")


def name(market: Market, account: Account, request: Request) -> None:
    """No open order has the same client order id."""
    if request.client_order_id:
        earlier = market.named(account, request.symbol, request.client_order_id)
        if earlier is not None and earlier.is_open:
            raise market.refusal("duplicate")


def position_side(market: Market, account: Account, request: Request) -> None:
    """LONG or SHORT in hedge mode, and only there."""
    if account.config.is_hedged == (request.position_side == "BOTH"):
        raise market.refusal("position_side")


def no_reduce_only_when_hedged(market: Market, account: Account, request: Request) -> None:
    """In hedge mode the position side says it already."""
    if request.reduce_only and account.config.is_hedged:
        raise market.refusal("reduce_only")


def margin(market: Market, account: Account, request: Request) -> None:
    """The wallet holds what the order would bind."""
    instrument = market.instrument(request.symbol)
    price = request.price or market.presumed_price(request.symbol)
    worth = instrument.notional(request.quantity, price)
    needed = (worth / price if instrument.is_inverse else worth) * market.rules.margin_rate
    if needed > account.balance(market.wallet, instrument.settle).free:
        raise market.refusal("no_margin", asset=instrument.settle)


def closable(market: ContractMarket, account: Account, request: Request) -> None:
    """A reducing order closes no more than is held and not yet to be closed by others."""
    if not is_reducing(request):
        return
    left = market.closable(account, request)
    if left <= 0:
        raise market.refusal("nothing_to_close")
    if request.quantity > left:
        raise market.refusal("too_much_to_close")


def fillable(market: Market, account: Account, request: Request) -> None:
    """FOK is refused at once where it cannot trade in full."""
    if request.time_in_force == "FOK":
        depth = market.books[request.symbol].depth(request.side, request.price)
        if depth < request.quantity:
            raise market.refusal("fok")


def post_only(market: Market, account: Account, request: Request) -> None:
    """Refused at once where it would take; a venue without this check cancels it afterwards."""
    book = market.books[request.symbol]
    if request.is_post_only and book.would_take(request.side, request.price):
        raise market.refusal("post_only")


def funds(market: Market, account: Account, request: Request) -> None:
    """The quote for a purchase, the base for a sale."""
    instrument = market.instrument(request.symbol)
    quantity = market.worth(request) if request.quote_size else request.quantity
    if request.side == "SELL":
        needed, asset = quantity, instrument.base
    else:
        price = request.price or market.presumed_price(request.symbol)
        needed, asset = request.quote_size or quantity * price, instrument.quote
    if account.balance(market.wallet, asset).free < needed:
        raise market.refusal("no_funds", asset=asset)
