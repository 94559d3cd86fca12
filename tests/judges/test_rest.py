"""ccxt's REST classes trade in every box, and see what the venue's own books say."""

from decimal import Decimal
from urllib.parse import urlsplit

import ccxt
import pytest

from tests.judges import agreement
from tests.judges.ccxt_trader import CONTRACTS, CcxtTrader, every_url

NOBODYS = "99999999"


async def test_no_url_of_the_judge_leads_away_from_the_box(trader: CcxtTrader) -> None:
    found: list[str] = []

    def note(url: str) -> str:
        found.append(url)
        return url

    every_url(trader.one.__dict__ | {"session": None}, note)
    assert len(found) > 2
    assert {urlsplit(url).netloc for url in found} == {trader.address}


async def test_markets_have_the_boxs_steps_and_contract_sizes(trader: CcxtTrader) -> None:
    market, terms = (await trader.one.load_markets(reload=True))[trader.symbol], trader.instrument
    assert Decimal(market["precision"]["price"]) == terms.tick
    assert Decimal(market["precision"]["amount"]) == terms.lot
    assert Decimal(market["limits"]["amount"]["min"]) == terms.lot
    size = market["contractSize"]
    assert (size and Decimal(size)) == (None if market["spot"] else terms.contract)
    assert market["id"] == trader.market.native
    assert (market["linear"], market["inverse"]) == {
        "spot": (None, None), "linear": (True, False), "inverse": (False, True),
    }[trader.market.product]  # fmt: skip
    assert market["active"]


async def test_orders_in_every_state_are_as_in_the_books(trader: CcxtTrader) -> None:
    resting = await trader.place("buy", 4, -3)
    partial = await trader.place("buy", 4)
    await trader.meet("sell", 1)
    bare, ended = await trader.place("buy", 2, -5), await trader.place("sell", 6, +4)
    await trader.meet("buy", 2, +4)
    await trader.one.cancel_order(bare, trader.symbol)
    await trader.one.cancel_order(ended, trader.symbol)
    await trader.meet("sell", 3, +9)
    taken = await trader.take("buy", 2)
    full = await trader.place("buy", 1, +9)
    books = await trader.books()
    every = agreement.booked_orders(books)
    # Coins of Bybit have a word of their own for it: ccxt takes it for closed, and asks for none.
    is_apart = str(trader.market) == "bybit-spot"
    assert [row.status for row in every.values()] == [
        "open", "open", "canceled", "closed" if is_apart else "canceled", "closed", "closed",
    ]  # fmt: skip
    assert list(every) == [resting, partial, bare, ended, taken, full]
    assert {name: agreement.order(await trader.look(name)) for name in every} == every
    for status in ("open", "closed", "canceled"):
        fetch = getattr(trader.one, f"fetch_{status}_orders")
        seen = agreement.orders(await fetch(trader.symbol))
        booked = agreement.booked_orders(books, status)
        assert seen == {
            name: row for name, row in booked.items() if not (is_apart and name == ended)
        }


async def test_trades_and_their_fees_are_as_in_the_books(trader: CcxtTrader) -> None:
    await trader.place("buy", 4)
    await trader.meet("sell", 3)
    await trader.meet("sell", 2, +1)
    await trader.take("buy", 2)
    await trader.meet("buy", 2, -1)
    await trader.take("sell", 2)
    booked = agreement.booked_trades(await trader.books())
    assert {row.liquidity for row in booked.values()} == {"maker", "taker"}
    assert agreement.trades(await trader.one.fetch_my_trades(trader.symbol)) == booked
    assert all(row.fee > 0 for row in booked.values())


async def test_an_order_is_known_by_the_id_that_was_chosen_for_it(trader: CcxtTrader) -> None:
    number = await trader.place("sell", 1, +5, clientOrderId="judge0001")
    assert (await trader.look(number))["clientOrderId"] == "judge0001"
    if trader.market.venue == "bybit":  # where ccxt sends an id of the venue in any case
        by_name = (trader.symbol, None, None, {"orderLinkId": "judge0001"})
        (found,) = await trader.one.fetch_open_orders(*by_name)
    else:
        found = await trader.one.fetch_order(None, trader.symbol, {"clientOrderId": "judge0001"})
    assert found["id"] == number


async def test_an_amend_changes_price_and_size(trader: CcxtTrader) -> None:
    number = await trader.place("buy", 4, -5)
    edited = await trader.one.edit_order(
        number, trader.symbol, "limit", "buy", trader.lots(3), trader.price(-4)
    )
    seen, booked = await trader.look(edited["id"]), agreement.booked_orders(await trader.books())
    assert agreement.order(seen) == booked[edited["id"]]
    assert Decimal(seen["amount"]) == Decimal(trader.lots(3))
    assert Decimal(seen["price"]) == Decimal(trader.price(-4))
    await trader.meet("sell", 3, -4)
    assert (await trader.look(edited["id"]))["status"] == "closed"


async def test_an_unknown_order_is_not_found(trader: CcxtTrader) -> None:
    with pytest.raises(ccxt.OrderNotFound):
        await trader.one.cancel_order(NOBODYS, trader.symbol)
    with pytest.raises(ccxt.OrderNotFound):
        await trader.look(NOBODYS)
    number = await trader.place("buy", 1, -3)
    await trader.one.cancel_order(number, trader.symbol)
    with pytest.raises(ccxt.OrderNotFound):
        await trader.one.cancel_order(number, trader.symbol)


async def test_what_cannot_be_paid_is_insufficient_funds(trader: CcxtTrader) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await trader.place("buy", 500_000_000, -1)
    assert not (await trader.books())["orders"]


async def test_a_wrong_secret_is_an_authentication_error(trader: CcxtTrader) -> None:
    trader.one.secret = "c29tZWJvZHkgZWxzZSdz"
    with pytest.raises(ccxt.AuthenticationError):
        await trader.one.fetch_open_orders(trader.symbol)


async def test_balances_are_as_in_the_books(trader: CcxtTrader) -> None:
    await trader.place("buy", 3, -2)
    await trader.place("sell", 2, +2)
    await trader.meet("buy", 1, +2)
    books = await trader.books()
    booked = agreement.booked_balances(books, trader.wallet)
    assert agreement.balances(await trader.one.fetch_balance()) == booked
    assert any(used for _, used in booked.values()) == (trader.market.product == "spot")


@pytest.mark.parametrize("trader", CONTRACTS, indirect=True, ids=str)
async def test_positions_are_as_in_the_books(trader: CcxtTrader) -> None:
    seen: list[str] = []
    for side, against, lots in (("buy", "sell", 5), ("sell", "buy", 2), ("sell", "buy", 9)):
        await trader.meet(against, lots, +1 if side == "buy" else -1)
        await trader.take(side, lots)
        booked = agreement.booked_positions(await trader.books())
        assert await trader.held() == booked
        seen.extend(leg for _, leg in booked)
    assert seen == ["long", "long", "short"]
