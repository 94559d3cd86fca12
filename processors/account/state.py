"""One account's state as records and as messages: saved, restored, published.

Pure. State records are keyed by part, so a step writes what it changed: ``a/<account>`` for the
account itself, ``c/<account>`` for how its figures compare with the venue's, ``o/<order key>`` for
each order, ``p/<account>/<position>`` for each position, ``b/<account>/<asset>`` for each balance,
``l/<account>/<execution key>`` for each lost execution.
"""

from collections.abc import Iterator
from typing import Any, Final

from orderloom import topology
from orderloom.account import AccountConfig
from orderloom.event import Cause
from processors.account.account import AccountFold
from processors.account.balances import AMOUNTS
from processors.account.differences import Early
from processors.account.doubts import Seen
from processors.account.lost_fills import FOUND, LostFill, difference_of
from processors.account.publishing import cause_document
from processors.account.streams import Streams
from processors.ledger.step import Output

ACCOUNT: Final = "a"
COMPARISON: Final = "c"
ORDER: Final = "o"
POSITION: Final = "p"
BALANCE: Final = "b"
LOST: Final = "l"


def publish(state: AccountFold) -> Iterator[Output]:
    """What the step publishes of this account: events first, then the views."""
    publisher = state.publisher
    state.exposure.refresh(state.orders.all())
    _settle_lost(state)
    yield from publisher.take_events()
    yield from publisher.tombstones()
    for key, cause in publisher.orders.items():
        if (order := state.orders.get(key)) is not None:
            document = order.view() | {"stale": _is_blind(state, order.product, order.symbol)}
            document["first_cause"] = cause_document(order.first_seen_cause or cause)
            yield publisher.numbered(topology.ORDERS, key, document, cause)
    yield from _positions(state)
    if publisher.account_cause is not None:
        state.version += 1
        view = account_view(state)
        yield publisher.numbered(topology.ACCOUNTS, state.account, view, publisher.account_cause)
    publisher.orders.clear()
    publisher.positions.clear()
    publisher.account_cause = None


def _settle_lost(state: AccountFold) -> None:
    """Publish which positions have all their lost executions again."""
    for place in state.exposure.lost.take_settled():
        state.publisher.event(topology.DIFFERENCES, difference_of(place, (), FOUND), state.cause)
        for key, position in state.exposure.positions.items():
            if position.place == place:
                state.publisher.positions[key] = state.cause


def _positions(state: AccountFold) -> Iterator[Output]:
    publisher = state.publisher
    causes, account_cause = publisher.positions, publisher.account_cause
    if not causes and account_cause is None:
        return
    for key, position in sorted(state.exposure.positions.items()):  # as after any restart
        cause = causes.get(key, account_cause)
        if cause is None:
            continue
        is_blind = _is_blind(state, position.product, position.symbol)
        is_blind = is_blind or not state.positions.is_open(position.product)
        is_blind = is_blind or position.place in state.exposure.lost.counts
        if key not in causes and position.shown_unbounded == is_blind:
            continue
        state.sizes.measure(position, state.now_ns)
        position.version += 1
        position.shown_unbounded = is_blind
        document = position.view(unbounded=is_blind) | {"version": position.version}
        yield publisher.numbered(topology.POSITIONS, f"{state.account}/{key}", document, cause)
        state.dirty_positions.add(key)


def _is_blind(state: AccountFold, product: str, symbol: str) -> bool:
    is_lacking = state.reconciliation.lacks(product, symbol)
    return is_lacking or not state.is_enabled or state.streams.is_blind(product)


def account_view(state: AccountFold) -> dict[str, Any]:
    """What `accounts` shows, without sequence and cause."""
    reconciliation = state.reconciliation
    products = state.products()
    return {
        "partition": state.setting.partition,
        "sync": "SYNCED" if state.is_synced else "CATCHING_UP",
        "streams": {product: state.streams.status(product) for product in products},
        "covered_ns": {name: cycles.covered_ns for name, cycles in reconciliation.cycles.items()},
        "progress": progress_of(state),
        "blind": [interval.document() for interval in state.streams.blind] + state.closed,
        "refused": [
            {
                "product": product,
                "symbol": one.symbol,
                "code": one.code,
                "since_ns": one.since_ns,
                "may_lack": cycles.lacks(one.symbol),
            }
            for product, cycles in reconciliation.cycles.items()
            for _, one in sorted(cycles.refused.items())
        ],
        "balances": [row for _, row in sorted(state.balances.rows.items()) if _is_held(row)],
        "quarantined": state.quarantine is not None,
        "enabled": state.is_enabled,
        "removed": state.is_removed,
        "version": state.version,
    }


def progress_of(state: AccountFold) -> dict[str, dict[str, int]]:
    """How far the cycles under way are, by product, while the account is catching up."""
    if state.is_synced:
        return {}
    cycles = state.reconciliation.cycles
    return {name: one.progress() for name, one in cycles.items() if one.asking}


def _is_held(balance: dict[str, Any]) -> bool:
    """Whether there is any of the asset: an account may list hundreds that it does not hold."""
    return any(balance[name] not in (None, "0") for name in AMOUNTS)


def state_of(state: AccountFold) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The state records that changed since the last call, by key; None: it is no more."""
    if not state.is_dirty:
        return
    for key in sorted({*state.dirty_orders, *state.orders.take_dirty()}):
        yield f"{ORDER}/{key}", _order_state(state, key)
    for key in sorted(state.dirty_positions | state.exposure.made):
        position = state.exposure.positions[key]
        yield f"{POSITION}/{state.account}/{key}", {"account": state.account} | position.dump()
    for key in sorted(state.balances.dirty):
        fields = {"account": state.account, "balance": state.balances.rows[key]}
        yield f"{BALANCE}/{state.account}/{key}", fields
    for key, lost in state.exposure.lost.state():
        yield f"{LOST}/{state.account}/{key}", lost
    if state.positions.is_dirty or state.balances.is_comparison_dirty:
        yield f"{COMPARISON}/{state.account}", _comparison_state(state)
    yield f"{ACCOUNT}/{state.account}", _account_state(state)
    state.dirty_orders.clear()
    state.dirty_positions.clear()
    state.exposure.made.clear()
    state.balances.dirty.clear()
    state.positions.is_dirty = state.balances.is_comparison_dirty = False
    state.is_dirty = False


def _order_state(state: AccountFold, key: str) -> dict[str, Any] | None:
    document = state.orders.dump_order(key)
    if document is None:
        return None
    seen = state.doubts.seen.get(key)
    return {
        "account": state.account,
        "order": document,
        "seen": seen and [seen.first_ns, seen.last_ns, seen.listed_ns],
        "home": state.exposure.homes.get(key),
    }


def _comparison_state(state: AccountFold) -> dict[str, Any]:
    return {
        "account": state.account,
        "positions": state.positions.dump(),
        "equation": state.balances.dump(),
    }


def _account_state(state: AccountFold) -> dict[str, Any]:
    return {
        "account": state.account,
        "config": state.config and state.config.model_dump(mode="json"),
        "removed": state.is_removed,
        "streams": state.streams.dump(),
        "reconciliation": state.reconciliation.dump(),
        "sequences": state.publisher.sequences,
        "epoch": state.publisher.epoch,
        "questions": state.questions,
        "version": state.version,
        "shown_ns": state.shown_ns,
        "closed": state.closed,
        "asked": state.differences.asked,
        "early": [one.dump() for one in state.differences.early],
        "touched": {product: sorted(symbols) for product, symbols in state.touched.items()},
        "quarantine": state.quarantine,
        "cause": cause_document(state.cause),
        "now_ns": state.now_ns,
    }


def restore(state: AccountFold, kind: str, document: dict[str, Any]) -> None:
    """Take back one state record."""
    if kind == ORDER:
        key = document["order"]["key"]
        state.orders.load_order(document["order"])
        if document["seen"] is not None:
            state.doubts.seen[key] = Seen(*document["seen"])
        if document["home"] is not None:
            state.exposure.homes[key] = document["home"]
    elif kind == POSITION:
        state.exposure.restore(document)
    elif kind == LOST:
        state.exposure.lost.restore(LostFill(**{k: v for k, v in document.items() if k != "f"}))
    elif kind == BALANCE:
        balance = document["balance"]
        state.balances.rows[f"{balance['product']}/{balance['asset']}"] = balance
    elif kind == COMPARISON:
        state.positions.restore(document["positions"])
        state.balances.restore(document["equation"])
    else:
        _restore_account(state, document)


def _restore_account(state: AccountFold, document: dict[str, Any]) -> None:
    if document["config"] is not None:
        state.config = AccountConfig.model_validate(document["config"])
    state.is_removed = document["removed"]
    streams = Streams.load(document["streams"])
    state.streams = state.reconciliation.streams = streams
    state.reconciliation.restore(document["reconciliation"])
    state.publisher.sequences = document["sequences"]
    state.publisher.epoch = document["epoch"]
    state.questions = document["questions"]
    state.version = document["version"]
    state.shown_ns = document["shown_ns"]
    state.closed = document["closed"]
    state.differences.asked = document["asked"]
    state.differences.early = [Early.load(fields) for fields in document["early"]]
    state.touched = {product: set(symbols) for product, symbols in document["touched"].items()}
    state.quarantine = document["quarantine"]
    state.cause = Cause(**document["cause"])
    state.now_ns = document["now_ns"]


def finish_restore(state: AccountFold) -> None:
    """Once all records are back: what is derived from several of them."""
    state.orders.finish_load()
    for order in state.orders.all():
        state.exposure.restore_leaves(order)
        state.doubts.changed(order)
        if order.contract_size is None:
            state.sizes.waiting.add(order.key)
    for key, position in state.exposure.positions.items():
        if position.contract_size is None:
            state.sizes.waiting_positions.add(key)
