"""Positions and balances as OKX tells them (docs/venues/okx.md 3.3 to 3.5 and 7). Pure."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from zlib import crc32

from simulator.accounts import Account, Balance, Position
from simulator.config import AccountConfig
from simulator.instrument import Instrument, Product
from simulator.message import Document
from simulator.okx.words import KINDS, position_side, text

WALLET: Product = "spot"
"""OKX has one wallet for all products; the books keep it under this name."""
MARGIN_RATE = Decimal("0.1")
CENT = Decimal("0.01")
FIRST_POSITION_ID = 1_750_000_000_000_000_000


def position_id(account: str, symbol: str, side: str) -> str:
    """`posId`: the same for a position each time it is opened."""
    return str(FIRST_POSITION_ID + crc32(f"{account}/{symbol}/{side}".encode()))


def position_row(
    account: Account, instrument: Instrument, side: str, last: Decimal, now_ms: int
) -> Document:
    """One position, as REST lists it; the channel adds `pTime`."""
    position = account.position(instrument.symbol, side)
    state = account.position_states[instrument.symbol, side]
    is_open = bool(position.amount)
    profit = position.profit_of(position.amount, last) if is_open else Decimal(0)
    notional = instrument.notional(abs(position.amount), last)
    margin = (notional * MARGIN_RATE).quantize(CENT, ROUND_HALF_EVEN)
    shown = text(last) if is_open else ""
    return {
        "instType": KINDS[instrument.product],
        "instId": instrument.symbol,
        "posId": position_id(account.name, instrument.symbol, side),
        "posSide": position_side(side),
        "pos": shown_amount(position, side),
        "mgnMode": "cross",
        "ccy": instrument.settle,
        "posCcy": "",
        "avgPx": text(position.entry) if is_open else "",
        "upl": _money(profit),
        "uplRatio": "0",
        "uplLastPx": _money(profit),
        "uplRatioLastPx": "0",
        "lever": "10",
        "liqPx": "",
        "markPx": shown,
        "imr": text(margin),
        "margin": "",
        "mgnRatio": "18.2" if is_open else "",
        "mmr": text((margin / 20).quantize(CENT, ROUND_HALF_EVEN)),
        "liab": "",
        "liabCcy": "",
        "interest": "",
        "notionalUsd": text(notional.quantize(CENT, ROUND_HALF_EVEN)),
        "optVal": "",
        "adl": "1" if is_open else "",
        "bizRefId": "",
        "bizRefType": "",
        "last": shown,
        "idxPx": shown,
        "usdPx": "1",
        "bePx": text(position.entry) if is_open else "",
        "availPos": "",
        "hedgedPos": "",
        "realizedPnl": _money(position.realized - state.fees + state.funding),
        "pnl": _money(position.realized),
        "fee": text(-state.fees),
        "fundingFee": text(state.funding),
        "liqPenalty": "0",
        "settledPnl": "",
        "nonSettleAvgPx": "",
        "pendingCloseOrdLiabVal": "",
        "closeOrderAlgo": [],
        "tradeId": state.trade_id,
        "cTime": str(state.created_ms),
        "uTime": str(state.updated_ms or now_ms),
    }


def shown_amount(position: Position, side: str) -> str:
    """`pos`: signed in net mode, positive for long and short records."""
    return text(position.amount if side == "BOTH" else abs(position.amount))


def held_currencies(account: Account) -> list[str]:
    """Those of which there is any: snapshots and the list of balances leave out the others."""
    return [name for name, row in account.balances[WALLET].items() if row.free or row.locked]


def account_row(account: Account, currencies: Iterable[str], now_ms: int) -> Document:
    """The one item of `account` and `account/balance`, with these currencies in `details`."""
    wallet = account.balances[WALLET]
    equity = sum((row.free + row.locked for row in wallet.values()), Decimal(0))
    return {
        "uTime": str(now_ms), "totalEq": text(equity), "adjEq": text(equity),
        "availEq": text(equity), "isoEq": "0", "ordFroz": "0", "imr": "0", "mmr": "0",
        "borrowFroz": "0", "mgnRatio": "", "notionalUsd": "0", "notionalUsdForBorrow": "0",
        "notionalUsdForSwap": "0", "notionalUsdForFutures": "0", "notionalUsdForOption": "0",
        "upl": "0",
        "details": [_detail(name, wallet[name], now_ms) for name in currencies if name in wallet],
    }  # fmt: skip


def _detail(currency: str, balance: Balance, now_ms: int) -> Document:
    total, locked = text(balance.free + balance.locked), text(balance.locked)
    free = text(balance.free)
    return {
        "ccy": currency, "eq": total, "cashBal": total, "uTime": str(now_ms), "isoEq": "0",
        "availEq": free, "disEq": total, "fixedBal": "0", "availBal": free, "frozenBal": locked,
        "ordFrozen": locked, "liab": "0", "upl": "0", "uplLiab": "0", "crossLiab": "0",
        "isoLiab": "0", "rewardBal": "0", "mgnRatio": "", "imr": "", "mmr": "", "interest": "0",
        "twap": "0", "maxLoan": "0", "eqUsd": total, "borrowFroz": "0", "notionalLever": "",
        "coinUsdPrice": "1", "stgyEq": "0", "isoUpl": "0", "spotBal": "", "colRes": "0",
        "collateralEnabled": False,
    }  # fmt: skip


def moved_row(
    reason: str,
    now_ms: int,
    balances: list[Document],
    positions: list[Document],
    trades: list[Document],
) -> Document:
    """One item of `balance_and_position`."""
    return {
        "pTime": str(now_ms),
        "eventType": reason,
        "balData": balances,
        "posData": positions,
        "trades": trades,
    }


def moved_balance(account: Account, currency: str, now_ms: int) -> Document:
    """A currency in `balData`."""
    row = account.balance(WALLET, currency)
    return {"ccy": currency, "cashBal": text(row.free + row.locked), "uTime": str(now_ms)}


def moved_position(account: Account, instrument: Instrument, side: str) -> Document:
    """A position in `posData`."""
    position = account.position(instrument.symbol, side)
    state = account.position_states[instrument.symbol, side]
    return {
        "posId": position_id(account.name, instrument.symbol, side),
        "tradeId": state.trade_id,
        "instId": instrument.symbol,
        "instType": KINDS[instrument.product],
        "mgnMode": "cross",
        "posSide": position_side(side),
        "pos": shown_amount(position, side),
        "ccy": instrument.settle,
        "posCcy": "",
        "avgPx": text(position.entry) if position.amount else "",
        "nonSettleAvgPx": "",
        "settledPnl": "",
        "uTime": str(state.updated_ms),
    }


def config_row(config: AccountConfig, number: int) -> Document:
    """`account/config`."""
    return {
        "uid": user_id(number), "mainUid": user_id(number), "acctLv": "2",
        "posMode": "long_short_mode" if config.is_hedged else "net_mode", "autoLoan": False,
        "greeksType": "PA", "level": "Lv1", "levelTmp": "", "ctIsoMode": "automatic",
        "mgnIsoMode": "automatic", "spotOffsetType": "", "stgyType": "0", "roleType": "0",
        "traderInsts": [], "opAuth": "1", "kycLv": "3", "label": config.name.partition(":")[2],
        "ip": config.bound_ips, "perm": ",".join(_permissions(config)), "discountType": "0",
        "type": "0",
        "acctStpMode": "cancel_maker", "feeType": "1" if config.pays_quote else "0",
        "settleCcy": "USDT", "settleCcyList": ["USD", "USDC", "USDT"], "enableSpotBorrow": False,
        "spotBorrowAutoRepay": False, "spotRoleType": "0", "spotTraderInsts": [],
    }  # fmt: skip


def _permissions(key: AccountConfig) -> list[str]:
    may = {"read_only": True, "trade": key.can_trade, "withdraw": key.can_withdraw}
    return [name for name, is_given in may.items() if is_given]


def user_id(number: int) -> str:
    """`uid` of the account with this place in the configuration."""
    return str(446_000_000_000_000_001 + number)


def _money(value: Decimal) -> str:
    return text(value.quantize(Decimal("0.00000001"), ROUND_HALF_EVEN))
