"""One account's books as state records and as messages: saved, restored, published.

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
from processors.account.balances import AMOUNTS
from processors.account.book import AccountBook
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


def publish(book: AccountBook) -> Iterator[Output]:
    """What the step tells consumers of this account: events first, then the views."""
    publisher = book.publisher
    book.exposure.refresh(book.orders.all())
    _settle_lost(book)
    yield from publisher.take_events()
    yield from publisher.tombstones()
    for key, cause in publisher.orders.items():
        if (order := book.orders.get(key)) is not None:
            document = order.view() | {"stale": _is_blind(book, order.product, order.symbol)}
            document["first_cause"] = cause_document(order.first_seen_cause or cause)
            yield publisher.numbered(topology.ORDERS, key, document, cause)
    yield from _positions(book)
    if publisher.account_cause is not None:
        book.version += 1
        view = account_view(book)
        yield publisher.numbered(topology.ACCOUNTS, book.account, view, publisher.account_cause)
    publisher.orders.clear()
    publisher.positions.clear()
    publisher.account_cause = None


def _settle_lost(book: AccountBook) -> None:
    """Tell which positions have all their lost executions again."""
    for place in book.exposure.lost.take_settled():
        book.publisher.event(topology.DIFFERENCES, difference_of(place, (), FOUND), book.cause)
        for key, position in book.exposure.positions.items():
            if position.place == place:
                book.publisher.positions[key] = book.cause


def _positions(book: AccountBook) -> Iterator[Output]:
    publisher = book.publisher
    causes, account_cause = publisher.positions, publisher.account_cause
    if not causes and account_cause is None:
        return
    for key, position in sorted(book.exposure.positions.items()):  # as after any restart
        cause = causes.get(key, account_cause)
        if cause is None:
            continue
        is_blind = _is_blind(book, position.product, position.symbol)
        is_blind = is_blind or not book.positions.is_open(position.product)
        is_blind = is_blind or position.place in book.exposure.lost.counts
        if key not in causes and position.shown_unbounded == is_blind:
            continue
        book.sizes.measure(position, book.now_ns)
        position.version += 1
        position.shown_unbounded = is_blind
        document = position.view(unbounded=is_blind) | {"version": position.version}
        yield publisher.numbered(topology.POSITIONS, f"{book.account}/{key}", document, cause)
        book.dirty_positions.add(key)


def _is_blind(book: AccountBook, product: str, symbol: str) -> bool:
    is_lacking = book.reconciliation.lacks(product, symbol)
    return is_lacking or not book.is_enabled or book.streams.is_blind(product)


def account_view(book: AccountBook) -> dict[str, Any]:
    """What `accounts` shows, without sequence and cause."""
    reconciliation = book.reconciliation
    products = book.products()
    return {
        "partition": book.setting.partition,
        "sync": "SYNCED" if book.is_synced else "CATCHING_UP",
        "streams": {product: book.streams.status(product) for product in products},
        "covered_ns": {name: cycles.covered_ns for name, cycles in reconciliation.cycles.items()},
        "progress": progress_of(book),
        "blind": [interval.document() for interval in book.streams.blind] + book.closed,
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
        "balances": [row for _, row in sorted(book.balances.rows.items()) if _is_held(row)],
        "quarantined": book.quarantine is not None,
        "enabled": book.is_enabled,
        "removed": book.is_removed,
        "version": book.version,
    }


def progress_of(book: AccountBook) -> dict[str, dict[str, int]]:
    """How far the cycles under way are, by product, while the account is catching up."""
    if book.is_synced:
        return {}
    cycles = book.reconciliation.cycles
    return {name: one.progress() for name, one in cycles.items() if one.asking}


def _is_held(balance: dict[str, Any]) -> bool:
    """Whether there is any of the asset: an account may list hundreds that it does not hold."""
    return any(balance[name] not in (None, "0") for name in AMOUNTS)


def state_of(book: AccountBook) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The state records that changed since the last call, by key; None: it is no more."""
    if not book.is_dirty:
        return
    for key in sorted({*book.dirty_orders, *book.orders.take_dirty()}):
        yield f"{ORDER}/{key}", _order_state(book, key)
    for key in sorted(book.dirty_positions | book.exposure.made):
        position = book.exposure.positions[key]
        yield f"{POSITION}/{book.account}/{key}", {"account": book.account} | position.dump()
    for key in sorted(book.balances.dirty):
        fields = {"account": book.account, "balance": book.balances.rows[key]}
        yield f"{BALANCE}/{book.account}/{key}", fields
    for key, lost in book.exposure.lost.state():
        yield f"{LOST}/{book.account}/{key}", lost
    if book.positions.is_dirty or book.balances.is_comparison_dirty:
        yield f"{COMPARISON}/{book.account}", _comparison_state(book)
    yield f"{ACCOUNT}/{book.account}", _account_state(book)
    book.dirty_orders.clear()
    book.dirty_positions.clear()
    book.exposure.made.clear()
    book.balances.dirty.clear()
    book.positions.is_dirty = book.balances.is_comparison_dirty = False
    book.is_dirty = False


def _order_state(book: AccountBook, key: str) -> dict[str, Any] | None:
    document = book.orders.dump_order(key)
    if document is None:
        return None
    seen = book.doubts.seen.get(key)
    return {
        "account": book.account,
        "order": document,
        "seen": seen and [seen.first_ns, seen.last_ns, seen.listed_ns],
        "home": book.exposure.homes.get(key),
    }


def _comparison_state(book: AccountBook) -> dict[str, Any]:
    return {
        "account": book.account,
        "positions": book.positions.dump(),
        "equation": book.balances.dump(),
    }


def _account_state(book: AccountBook) -> dict[str, Any]:
    return {
        "account": book.account,
        "config": book.config and book.config.model_dump(mode="json"),
        "removed": book.is_removed,
        "streams": book.streams.dump(),
        "reconciliation": book.reconciliation.dump(),
        "sequences": book.publisher.sequences,
        "epoch": book.publisher.epoch,
        "questions": book.questions,
        "version": book.version,
        "shown_ns": book.shown_ns,
        "closed": book.closed,
        "asked": book.differences.asked,
        "early": [one.dump() for one in book.differences.early],
        "touched": {product: sorted(symbols) for product, symbols in book.touched.items()},
        "quarantine": book.quarantine,
        "cause": cause_document(book.cause),
        "now_ns": book.now_ns,
    }


def restore(book: AccountBook, kind: str, document: dict[str, Any]) -> None:
    """Take back one state record."""
    if kind == ORDER:
        key = document["order"]["key"]
        book.orders.load_order(document["order"])
        if document["seen"] is not None:
            book.doubts.seen[key] = Seen(*document["seen"])
        if document["home"] is not None:
            book.exposure.homes[key] = document["home"]
    elif kind == POSITION:
        book.exposure.restore(document)
    elif kind == LOST:
        book.exposure.lost.restore(LostFill(**{k: v for k, v in document.items() if k != "f"}))
    elif kind == BALANCE:
        balance = document["balance"]
        book.balances.rows[f"{balance['product']}/{balance['asset']}"] = balance
    elif kind == COMPARISON:
        book.positions.restore(document["positions"])
        book.balances.restore(document["equation"])
    else:
        _restore_account(book, document)


def _restore_account(book: AccountBook, document: dict[str, Any]) -> None:
    if document["config"] is not None:
        book.config = AccountConfig.model_validate(document["config"])
    book.is_removed = document["removed"]
    streams = Streams.load(document["streams"])
    book.streams = book.reconciliation.streams = streams
    book.reconciliation.restore(document["reconciliation"])
    book.publisher.sequences = document["sequences"]
    book.publisher.epoch = document["epoch"]
    book.questions = document["questions"]
    book.version = document["version"]
    book.shown_ns = document["shown_ns"]
    book.closed = document["closed"]
    book.differences.asked = document["asked"]
    book.differences.early = [Early.load(fields) for fields in document["early"]]
    book.touched = {product: set(symbols) for product, symbols in document["touched"].items()}
    book.quarantine = document["quarantine"]
    book.cause = Cause(**document["cause"])
    book.now_ns = document["now_ns"]


def finish_restore(book: AccountBook) -> None:
    """Once all records are back: what is derived from several of them."""
    book.orders.finish_load()
    for order in book.orders.all():
        book.exposure.restore_rest(order)
        book.doubts.changed(order)
        if order.contract_size is None:
            book.sizes.waiting.add(order.key)
    for key, position in book.exposure.positions.items():
        if position.contract_size is None:
            book.sizes.waiting_positions.add(key)
