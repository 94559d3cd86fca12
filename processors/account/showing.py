"""What a step shows of one account: its events, then the views that changed. Pure."""

from collections.abc import Iterator
from typing import Any

from orderloom import topology
from processors.account.account import AccountFold
from processors.account.balances import is_held
from processors.account.lost_fills import FOUND, difference_of
from processors.account.positions import HeldPosition
from processors.ledger.step import Output


def publish(account: AccountFold) -> Iterator[Output]:
    """What the step publishes of this account: events first, then the views."""
    publisher = account.publisher
    account.intents.look(publisher.orders)
    if account.is_synced:
        cycles = account.look_ups.reconciliation.cycles
        account.intents.verify({name: one.covered_ns for name, one in cycles.items()})
    # What is stale must not be shown.
    account.exposure.refresh(account.orders.all())
    _settle_lost(account)
    yield from publisher.take_events()
    yield from publisher.tombstones()
    for key, cause in publisher.orders.items():
        if (order := account.orders.get(key)) is not None:
            document = order.view()
            document["stale"] = _is_blind(account, order.product, order.symbol)
            document["first_cause"] = (order.first_seen_cause or cause).document()
            yield publisher.numbered(topology.ORDERS, key, document, cause)
    yield from _positions(account)
    if publisher.account_cause is not None:
        publisher.version += 1
        view = account_view(account)
        cause = publisher.account_cause
        yield publisher.numbered(topology.ACCOUNTS, account.account, view, cause)
    publisher.shown()


def _settle_lost(account: AccountFold) -> None:
    """Tell which positions have all their lost executions again."""
    exposure, publisher = account.exposure, account.publisher
    for place in exposure.lost.take_settled():
        document = difference_of(place, (), FOUND)
        publisher.event(topology.DIFFERENCES, document, publisher.cause)
        for key, position in exposure.positions.items():
            if position.place.startswith(place):
                publisher.positions[key] = publisher.cause


def _positions(account: AccountFold) -> Iterator[Output]:
    """Those that changed; with the account's own record, those whose bands it bounds anew too."""
    publisher, exposure = account.publisher, account.exposure
    causes, account_cause = publisher.positions, publisher.account_cause
    if account_cause is None:
        # Only these are looked at now; with the account's own record they are looked at again.
        exposure.unlooked.update(causes)
        shown = set(causes)
    else:
        exposure.look(_bounds_of(account))
        shown = {*causes, *exposure.unlooked}
        exposure.unlooked.clear()
    for key in sorted(shown):  # as after any restart
        position, cause = exposure.positions[key], causes.get(key, account_cause)
        assert cause is not None
        is_blind = is_unbounded(account, position)
        if key not in causes and position.shown_unbounded == is_blind:
            continue
        account.sizes.measure(position, account.now_ns)
        document = exposure.show(position, is_unbounded=is_blind)
        yield publisher.numbered(topology.POSITIONS, f"{account.account}/{key}", document, cause)


def is_unbounded(account: AccountFold, position: HeldPosition) -> bool:
    """Whether something may have been missed of what the position sums up."""
    is_open = account.look_ups.positions.is_open(position.product)
    is_lost = account.exposure.lost.lack(position.place)
    if is_lost or not is_open or account.exposure.sides.lacks(position):
        return True
    return _is_blind(account, position.product, position.symbol)


def _bounds_of(account: AccountFold) -> tuple[Any, ...]:
    """All that `is_unbounded` asks about, of any position; but for what names those it changes."""
    look_ups = account.look_ups
    products = look_ups.products()
    lacking = [one.lacking for one in look_ups.reconciliation.cycles.values()]
    blind = [account.streams.is_blind(product) for product in products]
    opened = [look_ups.positions.is_open(product) for product in products]
    lost = tuple(account.exposure.lost.counts)
    return (account.is_followed, products, blind, opened, lacking, lost)


def _is_blind(account: AccountFold, product: str, symbol: str) -> bool:
    is_lacking = account.look_ups.reconciliation.lacks(product, symbol)
    return is_lacking or not account.is_followed or account.streams.is_blind(product)


def account_view(account: AccountFold) -> dict[str, Any]:
    """What `accounts` shows, without sequence and cause."""
    look_ups, streams = account.look_ups, account.streams
    cycles = look_ups.reconciliation.cycles
    products = look_ups.products()
    return {
        "partition": account.setting.partition,
        "sync": "SYNCED" if account.is_synced else "CATCHING_UP",
        "streams": {product: streams.status(product) for product in products},
        "covered_ns": {name: one.covered_ns for name, one in cycles.items()},
        "progress": progress_of(account),
        "blind": [interval.document() for interval in streams.blind] + look_ups.closed,
        "refused": [
            {
                "product": product,
                "symbol": one.symbol,
                "code": one.code,
                "since_ns": one.since_ns,
                "may_lack": of_product.lacks(one.symbol),
            }
            for product, of_product in cycles.items()
            for _, one in sorted(of_product.refused.items())
        ],
        "balances": [row for _, row in sorted(look_ups.balances.rows.items()) if is_held(row)],
        "kills": [kill.shown() for kill in account.kills.in_force()],
        "killed_until": account.kills.until(),
        "quarantined": account.quarantine is not None,
        "enabled": account.is_enabled,
        "removed": account.is_removed,
        "version": account.publisher.version,
    }


def progress_of(account: AccountFold) -> dict[str, dict[str, int]]:
    """How far the cycles under way are, by product, while the account is catching up."""
    if account.is_synced or not account.is_followed:
        return {}
    cycles = account.look_ups.reconciliation.cycles
    return {name: one.progress() for name, one in cycles.items() if one.asking}
