"""What a repair does to the state once the inputs are folded anew.

Pure. Keys of views that the rebuilt state does not have get a tombstone in the new epoch. Where a
part of `raw` is gone, its span is blind until a look-up covered it, and executions that only former
outputs still hold are noted as lost. Questions of the rebuilt past were never sent: all doubts
and cycles are due at once, so the state as it is now decides what is asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orderloom import topology
from orderloom.topology import Topic
from orderloom.words import PositionSide
from processors.account.account import AccountFold
from processors.account.lost_fills import OPEN, LostFill, difference_of
from processors.partition import PartitionFold
from processors.repair.coverage import NOTHING, Coverage, RawGap, go_on_from

MISSING = "executions that fills tells of are not in raw"
TOMBSTONE_VERSION = 0
"""Below every version of the new epoch: a key that comes back begins at 1 (docs/contract.md, 2)."""
_PARTITION = topology.PARTITION_KEY.decode()


@dataclass(frozen=True, slots=True)
class FormerView:
    """The last record of one key of a view, from an epoch before this one.

    `traded` is its product and symbol, None for an account.
    """

    topic: Topic
    key: str
    account: str
    traded: tuple[str, str] | None = None


def retire_former(partition: PartitionFold, views: Iterable[FormerView], now_ns: int) -> None:
    """These keys are shown no more; an account is shown as it is now.

    What they spoke of is asked about: lists by symbol must name it.
    """
    for view in views:
        account = _begun(partition, view.account, now_ns)
        if view.traded is not None:
            _touch(account, *view.traded)
        if view.topic is topology.ACCOUNTS:
            account.publisher.show_account()
            continue
        account.publisher.end_view(view.topic, view.key, TOMBSTONE_VERSION)


def note_lost(partition: PartitionFold, fills: Iterable[LostFill], now_ns: int) -> None:
    """All lost executions of some positions; those that were noted before are left as they are."""
    by_place: dict[tuple[str, str], list[LostFill]] = {}
    for fill in fills:
        by_place.setdefault((fill.account, fill.place), []).append(fill)
    for (name, place), missing in sorted(by_place.items()):
        account = _begun(partition, name, now_ns)
        # A repair that was killed at its end goes on and finds them again: one difference is
        # enough.
        if place in account.exposure.lost.counts:
            continue
        for fill in missing:
            account.exposure.lost.note(fill)
        _touch(account, missing[0].product, missing[0].symbol)
        document = difference_of(place, missing, OPEN)
        account.publisher.event(topology.DIFFERENCES, document, account.cause)
        _doubt(account, missing[0])


def _touch(account: AccountFold, product: str, symbol: str) -> None:
    account.look_ups.touch(product, (symbol,))


def _doubt(account: AccountFold, fill: LostFill) -> None:
    """Its positions are published anew: unbounded while an execution of theirs is lost."""
    side = fill.position_side or PositionSide.NET
    account.exposure.at(
        fill.product, fill.symbol, side, fill.quantity_unit
    )  # there is one at least
    for key, position in account.exposure.positions.items():
        if position.place.startswith(fill.place):
            account.publisher.positions[key] = account.cause


def end_rebuild(
    partition: PartitionFold, gaps: Sequence[RawGap], now_ns: int, *, looked: Mapping[str, Coverage]
) -> None:
    """The past is folded: from here on the venue is asked about what was not `looked` at."""
    # Sorted, as restored accounts come in the order of the log (decision 0005).
    for name, account in sorted(partition.accounts.items()):
        if name == _PARTITION:
            continue
        account.begin(account.cause, now_ns)
        coverage = looked.get(name, NOTHING)
        # Before the gaps are noted: they would be forgotten as closed where the former life had
        # covered their time.
        go_on_from(account, coverage)
        _be_blind(account, gaps, now_ns, coverage.asked)
        account.look_ups.reconciliation.ask_anew(now_ns)
        _show_again(account)
        account.publisher.show_account()
    partition.instruments.ask_anew(now_ns)


def _show_again(account: AccountFold) -> None:
    """One record of each view after the tombstones: those are gone after a week.

    A consumer that begins then must find the last number of each series.
    """
    publisher = account.publisher
    # The least of them: a repair that was killed goes on with a restored state, whose first order
    # is another one, and a replay must come to the same.
    for key in _least(order.key for order in account.orders.all()):
        publisher.orders.setdefault(key, account.cause)
    for key in _least(account.exposure.positions):
        publisher.positions.setdefault(key, account.cause)


def _least(keys: Iterable[str]) -> list[str]:
    return sorted(keys)[:1]


def _be_blind(
    account: AccountFold, gaps: Sequence[RawGap], now_ns: int, asked: frozenset[str]
) -> None:
    """Blind in the gaps, each since its first lost execution of the product where one is known.

    Executions that are lost in none of them (an earlier repair's gap, or one that nobody saw) are
    asked about since the first of them. Those that were `asked` about already are not again.
    """
    lost: dict[str, list[int]] = {}
    for key, fill in account.exposure.lost.known.items():
        at_ns = account.setting.times.of(fill.product).ours_ns(fill.venue_ns)
        lost.setdefault(fill.product, []).extend([] if key in asked else [at_ns])
    reached_ns = max((gap.until_ns for gap in gaps), default=0)
    for product in (
        *account.look_ups.products(),
        *sorted(lost.keys() - account.look_ups.products()),
    ):
        account.look_ups.note_product(product)
        known = lost.get(product, [])
        for gap in gaps:
            starts = [at_ns for at_ns in known if at_ns < gap.until_ns]
            starts += [gap.since_ns] if gap.since_ns else []
            # 0, since ever: nothing says when what is gone began.
            start_ns = min(starts, default=0)
            account.streams.note_loss(product, start_ns, gap.until_ns, gap.reason)
        if outside := [at_ns for at_ns in known if at_ns >= reached_ns]:
            account.streams.note_loss(product, min(*outside, now_ns), now_ns, MISSING)


def _begun(partition: PartitionFold, name: str, now_ns: int) -> AccountFold:
    account = partition.account(name)
    account.begin(account.cause, now_ns)
    return account
