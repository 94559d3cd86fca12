"""How far the former life of an account had looked, and how much of that a repair goes on from.

Pure. A cycle of questions closed blind intervals by answers, and those lie in `raw` behind the end
of each interval that they closed: where the interval is found again, so are its answers. To ask
again as far back as `raw` reaches is more than a venue keeps, or gives. So the record of `accounts`
says how far the cycles came. It is relied on only while nothing says that answers are gone: not
where the end of `raw` was cut off, and not where an execution is lost that neither a gap nor an
earlier repair explains. What it shows as open stays open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from processors.account.account import AccountFold
from processors.account.lost_fills import LostFill
from processors.account.streams import Blind


@dataclass(frozen=True, slots=True)
class RawGap:
    """Why a part of `raw` is not in the state, up to when, and since when (ns, append time).

    `since_ns` 0: since ever, or since its first lost execution where one is known. `is_at_end`: the
    records are gone that the former life folded last.
    """

    reason: str
    until_ns: int
    since_ns: int = 0
    is_at_end: bool = False


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the last record of one account before a repair shows; `covered_ns` by product.

    `still_open` are the blind intervals that were not closed, `asked` the keys of executions that
    were lost before that life, which asked about their time.
    """

    epoch: int
    covered_ns: Mapping[str, int]
    still_open: tuple[Blind, ...]
    asked: frozenset[str] = frozenset()

    def has_closed(self, interval: Blind) -> bool:
        """Whether it ended before what was covered, and is of nothing that was still open."""
        end_ns = interval.end_ns
        if end_ns is None or end_ns >= self.covered_ns.get(interval.product, 0):
            return False
        return not any(
            one.product == interval.product
            and (one.start_ns < end_ns or one.start_ns == interval.start_ns)
            and (one.end_ns is None or one.end_ns >= interval.start_ns)
            for one in self.still_open
        )


NOTHING = Coverage(0, {}, ())


def relied_on(
    coverages: Mapping[str, Coverage], lost: Mapping[LostFill, int], gaps: Sequence[RawGap]
) -> dict[str, Coverage]:
    """By account, what of its coverage has its answers folded again, as far as can be known.

    `lost` are executions and the last epoch that published each: one that the last life still
    published was not lost before.
    """
    reached_ns = max((gap.until_ns for gap in gaps), default=0)
    asked: dict[str, set[str]] = {}
    are_gone = any(gap.is_at_end for gap in gaps)
    for fill, epoch in lost.items():
        coverage = coverages.get(fill.account, NOTHING)
        if epoch >= coverage.epoch:
            # The last life still had it, so `raw` lost it since: beyond every known gap answers may
            # be lost with it (decision 0206).
            are_gone = are_gone or fill.venue_ns >= reached_ns
        elif fill.venue_ns < coverage.covered_ns.get(fill.product, 0):
            asked.setdefault(fill.account, set()).add(fill.execution_key)
    if are_gone:
        # Nothing counts as looked at then, and all is asked about anew.
        return {account: replace(one, covered_ns={}) for account, one in coverages.items()}
    return {
        account: replace(one, asked=frozenset(asked.get(account, ())))
        for account, one in coverages.items()
    }


def go_on_from(account: AccountFold, coverage: Coverage) -> None:
    """What was closed is closed; what stood open, though it has ended, is asked about still."""
    streams, products = account.streams, account.look_ups.products()
    for product in products:
        covered_ns = coverage.covered_ns.get(product, 0)
        account.look_ups.reconciliation.go_on_from(product, covered_ns)
    streams.keep(lambda interval: not coverage.has_closed(interval))
    for interval in coverage.still_open:
        is_known = interval.product in products and interval not in streams.blind
        if is_known and interval.end_ns is not None:
            streams.stand(interval)
