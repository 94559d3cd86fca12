"""Positions and balances as Bybit tells them (docs/venues/bybit.md 3.3, 3.4 and 7). Pure."""

from collections.abc import Iterable
from decimal import Decimal

from simulator.accounts import Account
from simulator.bybit.order_documents import SEQUENCE, rounded
from simulator.bybit.words import position_index
from simulator.instrument import ZERO, Instrument, Product, plain, stepped
from simulator.message import Document

WALLET: Product = "spot"
"""One wallet for all products; the books keep it under this name."""


def position_push(account: Account, instrument: Instrument, side: str, last: Decimal) -> Document:
    """One leg of a position; flat it has no side."""
    row = position_row(account, instrument, side, last)
    row["entryPrice"] = row.pop("avgPrice")
    size = stepped(Decimal(row["size"]), instrument.lot) if row["side"] else "0"
    return {"category": instrument.product} | row | {"size": size}


def position_row(account: Account, instrument: Instrument, side: str, last: Decimal) -> Document:
    """The same as REST lists it: the entry price has another name there."""
    symbol = instrument.symbol
    position, state = account.position(symbol, side), account.position_states[symbol, side]
    amount, is_traded = position.amount, bool(state.updated_ms)
    profit = position.profit_of(amount, last) if amount else ZERO
    value = instrument.notional(abs(amount), position.entry)
    realized = position.realized - state.fees + state.funding
    return {
        "symbol": symbol,
        "side": "" if not amount else "Buy" if amount > 0 else "Sell",
        "size": plain(abs(amount)),
        "positionIdx": position_index(side),
        "positionValue": rounded(value),
        "avgPrice": plain(position.entry),
        "markPrice": plain(last),
        "leverage": "10",
        "breakEvenPrice": plain(position.entry) if amount else "",
        "liqPrice": "",
        "unrealisedPnl": rounded(profit),
        "curRealisedPnl": rounded(realized),
        "cumRealisedPnl": rounded(realized),
        "sessionAvgPrice": "", "positionIM": "0", "positionMM": "0", "positionIMByMp": "0",
        "positionMMByMp": "0", "takeProfit": "0", "stopLoss": "0", "trailingStop": "0",
        "positionStatus": "Normal", "adlRankIndicator": 2 if amount else 0, "autoAddMargin": 0,
        "isReduceOnly": False, "riskId": 1, "riskLimitValue": "2000000", "tradeMode": 0,
        "createdTime": str(state.created_ms),
        "updatedTime": str(state.updated_ms),
        "openTime": state.created_ms if amount else 0,
        "seq": SEQUENCE + state.updated_ms if is_traded else -1,
    }  # fmt: skip


def held_coins(account: Account) -> list[str]:
    """Those of which there is any: an answer leaves out the others."""
    return [name for name, row in account.balances[WALLET].items() if row.free or row.locked]


def wallet_row(account: Account, coins: Iterable[str]) -> Document:
    """The account with these of its coins."""
    rows = account.balances[WALLET]
    total = plain(sum((row.free + row.locked for row in rows.values()), ZERO))
    return {
        "accountType": "UNIFIED", "accountIMRate": "0", "accountMMRate": "0",
        "totalEquity": total, "totalWalletBalance": total, "totalMarginBalance": total,
        "totalAvailableBalance": total, "totalPerpUPL": "0", "totalInitialMargin": "0",
        "totalMaintenanceMargin": "0",
        "coin": [_coin(account, name) for name in coins if name in rows],
    }  # fmt: skip


def _coin(account: Account, name: str) -> Document:
    row = account.balances[WALLET][name]
    held = plain(row.free + row.locked)
    return {
        "coin": name, "equity": held, "usdValue": held, "walletBalance": held,
        "locked": plain(row.locked), "borrowAmount": "0", "accruedInterest": "",
        "totalOrderIM": "0", "totalPositionIM": "0", "totalPositionMM": "0",
        "unrealisedPnl": "0", "cumRealisedPnl": "0", "bonus": "0", "collateralSwitch": True,
        "marginCollateral": True, "spotHedgingQty": "0",
    }  # fmt: skip
