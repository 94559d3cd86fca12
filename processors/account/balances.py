"""What an account holds of each asset, and whether what we know explains it.

Pure. Balances are shown as the venue last said. A venue may list only what is not zero: what its
complete list lacks is zero then (`Profile.balance_lists`). Where the lists of trades are by symbol
(`Profile.balances_add_up`), an execution that the stream lost in a symbol that nobody asks about
would never be found: so each complete cycle compares every asset with the *balance equation*
(docs/state-model.md 4.12): what was there at first contact, what was bought less what was sold,
less fees, and transfers.
An unexplained change, found twice in a row (`figures.py`), is an open record in `differences` (kind
BALANCE); the symbols that could explain it are asked for from then on.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Final

from orderloom.event import BalanceReport
from orderloom.quantities import EXACT, ZERO, text_of
from orderloom.raw import Answer
from processors.account.exposure import Exposure
from processors.account.figures import CycleCoverage
from processors.account.positions import HeldPosition
from processors.instruments import Instruments
from processors.orders.order import Order
from venues.venue import Profiles

BALANCE: Final = "b"
EQUATION: Final = "e"
"""The kinds of its state records: one asset's balance, and what explains them."""
AMOUNTS: Final = ("free", "locked", "total")
NOTHING: Final = (None, "0")
TRANSFERS_REMEMBERED: Final = 256
"""How many transfers are known by time and amount, so that a repetition counts once."""


@dataclass(slots=True)
class Balances:
    """The balances of one account, by ``product/asset``. `publish` publishes a difference.

    `ordinals` is where what stands in `rows` stands among what the venue said.

    `listed` is what lists that come in pages named so far, by the product that was asked about;
    `lists` is as of when (ns, venue) the last complete one of a product was, and what it named.

    `others`: what no known execution or transfer explains, by product and asset: at first contact
    (`opened`), and in the last comparison (`others`); what is older than the opening explains
    nothing, whenever it becomes known. `standing` are the differences that stand.
    `dirty` names the rows, `is_comparison_dirty` says whether the rest changed since it was saved.
    """

    KINDS: ClassVar[tuple[str, ...]] = (BALANCE, EQUATION)

    exposure: Exposure
    profiles: Profiles
    instruments: Instruments
    publish: Callable[..., None]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    ordinals: dict[str, list[int]] = field(default_factory=dict)
    dirty: set[str] = field(default_factory=set)
    listed: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    others: dict[str, dict[str, Any]] = field(default_factory=dict)
    opened: dict[str, dict[str, str]] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)
    transfers: dict[str, Decimal] = field(default_factory=dict)
    recent: list[str] = field(default_factory=list)
    is_comparison_dirty: bool = False

    def take(self, report: BalanceReport, said_ns: int | None = None) -> bool:
        """One report; returns whether it changed what is shown.

        One without a time is of when it was said: when it was asked for, or came by the stream.
        """
        key = f"{report.product}/{report.asset}"
        if report.delta is not None:  # a change without a total: the next report has the amounts
            self._transfer(key, report)
            return False
        # What lacks any time is oldest.
        at = list(report.ordinal or (report.venue_ns or said_ns or 0, 0))
        held, held_at = self.rows.get(key), self.ordinals.get(key, [0, 0])
        if held_at > at or self._is_gone(report.product, report.asset, at):
            return False
        row = {"product": report.product, "asset": report.asset, "venue_ns": report.venue_ns}
        for name in AMOUNTS:
            amount = getattr(report, name)
            # No time tells them apart: the lower amount is kept, whichever came first
            # (docs/venues/binance.md 3.1).
            if held is not None and held_at == at:
                amount = _lesser(amount, held[name])
            row[name] = None if amount is None else text_of(amount)
        if row == held and held_at == at:
            return False
        self.rows[key], self.ordinals[key] = row, at
        self.dirty.add(key)
        return row != held

    def _transfer(self, key: str, report: BalanceReport) -> None:
        assert report.delta is not None
        # What was held at first contact holds it, as it does such an execution.
        held_ns = self.exposure.contained.get(report.product, -1)
        if report.venue_ns is not None and report.venue_ns <= held_ns:
            return
        name = f"{key}/{report.venue_ns}/{text_of(report.delta)}"
        if name not in self.recent:
            self.is_comparison_dirty = True
            self.recent = [*self.recent, name][-TRANSFERS_REMEMBERED:]
            self.transfers[key] = EXACT.add(self.transfers.get(key, ZERO), report.delta)

    def take_list(
        self, reports: Iterable[BalanceReport], item: Answer, asked_ns: int | None
    ) -> bool:
        """One page of a list; whether what it lacks, once it is complete, changed what is shown.

        `asked_ns` is venue time; without it nobody knows as of when anything is lacking.
        """
        profile = self.profiles.get(item.question.get("product", ""))
        if profile is None or (product := profile.balances_of) is None:
            return False
        rows = list(reports)
        named = self._named({report.asset for report in rows}, item)
        if named is None or asked_ns is None:
            return False
        # As of then it surely lacks nothing.
        at_ns, last = asked_ns - profile.visibility_lag_ns, self.lists.get(product)
        if last is not None and last["at_ns"] >= at_ns:
            if last["at_ns"] > at_ns:
                return False
            named.update(last["assets"])
        self.lists[product] = {"at_ns": at_ns, "assets": sorted(named)}
        self.is_comparison_dirty = True
        # Those that the list before lacked were not believed until now, if they are so old.
        return sum(map(self.take, rows)) + self._drop_gone(product) > 0

    def _is_gone(self, product: str, asset: str, at: list[int]) -> bool:
        """Whether the last complete list says that what was said as of then is no more."""
        last = self.lists.get(product)
        return last is not None and at <= [last["at_ns"], 0] and asset not in last["assets"]

    def _drop_gone(self, product: str) -> int:
        """Forget what the last complete list lacks; how many of them held something."""
        gone = [
            (key, row)
            for key, row in self.rows.items()
            if row["product"] == product
            and self._is_gone(product, row["asset"], self.ordinals[key])
        ]
        for key, _ in gone:
            del self.rows[key], self.ordinals[key]
            self.dirty.add(key)
        return sum(is_held(row) for _, row in gone)

    def _named(self, assets: set[str], item: Answer) -> set[str] | None:
        """All that a list names, with its last page; None before, or where a page is missing."""
        product, run = item.question.get("product", ""), [item.question["id"], item.asked_ns]
        held = self.listed.pop(product, None)
        self.is_comparison_dirty |= held is not None
        if item.page > 1:
            # Pages of two runs make no complete list (docs/state-model.md INV-3).
            if held is None or held["turn"] != [*run, item.page - 1]:
                return None
            assets = assets.union(held["assets"])
        if item.is_last:
            return assets
        self.listed[product] = {"turn": [*run, item.page], "assets": sorted(assets)}
        self.is_comparison_dirty = True
        return None

    def take_page(
        self, reports: Iterable[BalanceReport], item: Answer, asked_ns: int | None
    ) -> None:
        """One page of the venue's complete list; compared when the cycle is complete.

        Where it is not known when it was asked for (`asked_ns`), it is compared with nothing.
        """
        product = item.question.get("product", "")
        profile = self.profiles.get(product)
        if profile is None or not profile.balances_add_up:
            return
        held = self.asked.get(product, {}) if item.page > 1 else {}
        rows, venue_ns = held.get("rows", {}), held.get("venue_ns")
        for report in reports:
            total = report.total
            if total is None:
                total = EXACT.add(report.free or ZERO, report.locked or ZERO)
            if total:
                rows[report.asset] = text_of(total)
            venue_ns = report.venue_ns
        self.is_comparison_dirty = True
        # One page of no known time leaves the whole figure without one.
        if item.page > 1 and asked_ns is not None:
            asked_ns = held.get("asked_ns")
        times = {"venue_ns": venue_ns, "answered_ns": item.received_ns, "asked_ns": asked_ns}
        self.asked[product] = times | {"rows": rows}

    def check(
        self, product: str, coverage: CycleCoverage, orders: Callable[[], Iterable[Order]]
    ) -> set[str]:
        """A cycle is complete: compare; the symbols that could explain what is not explained.

        `orders` are all of the account, for their executions.
        """
        asked = self.asked.pop(product, None)
        self.is_comparison_dirty |= asked is not None
        if asked is None or asked.get("asked_ns") is None:  # records of before lack it
            return set()
        if any(one.last_ns > (asked["venue_ns"] or 0) for one in self._positions(product)):
            return set()  # an execution may not be in the figures yet
        totals = {asset: Decimal(text) for asset, text in asked["rows"].items()}
        former = self.others.get(product)
        now = self._unexplained(product, totals)
        if now is None:
            return set()
        times = {"answered_ns": asked["answered_ns"], "until_ns": coverage.until_ns}
        self.others[product] = times | {"assets": now}
        # A figure alone may hold executions that no list shows yet (`figures.py`, rule 1).
        if former is None or not coverage.proves(former):
            return set()
        others = former["assets"]
        if product not in self.opened:
            # What executions yet to come explain would be taken for held before (rules 2 and 3).
            is_sure = not coverage.adds_to(former) and not self._lacks_any(product, coverage)
            if others == now and is_sure:
                at_ns = asked["asked_ns"] - self.profiles[product].visibility_lag_ns
                self.exposure.contain(product, at_ns, orders())
                # An execution of up to then that becomes known later was in both figures, or they
                # would differ.
                now = self._unexplained(product, totals) or {}
                self.opened[product] = self.others[product]["assets"] = now
            return set()
        agreed = {asset for asset in now if others.get(asset, "0") == now[asset]}
        return self._compare(product, {asset: now[asset] for asset in agreed}, totals)

    def _positions(self, product: str) -> list[HeldPosition]:
        return [one for one in self.exposure.positions.values() if one.product == product]

    def _unexplained(self, product: str, totals: dict[str, Decimal]) -> dict[str, str] | None:
        """What nothing known explains, by asset; None while an instrument is unknown."""
        moved, former = self._moved(product), self.others.get(product)
        if moved is None:
            return None
        # What is gone as a whole is not listed any more, and what took it may not be known.
        assets = totals.keys() | moved.keys() | (former["assets"].keys() if former else set())
        return {
            asset: text_of(EXACT.subtract(totals.get(asset, ZERO), moved.get(asset, ZERO)))
            for asset in sorted(assets)
        }

    def _lacks_any(self, product: str, coverage: CycleCoverage) -> bool:
        """Whether assets may have moved by a symbol that is not covered: one that there is."""
        # A symbol mistyped in the registry moves nothing, and must keep nothing from opening.
        return any(self.instruments.assets(product, one) for one in sorted(coverage.lacking))

    def _moved(self, product: str) -> dict[str, Decimal] | None:
        """What executions and transfers moved, by asset; None while an instrument is unknown."""
        moved: dict[str, Decimal] = {}
        for key, amount in self._movements(product):
            if key is None:
                return None
            moved[key] = EXACT.add(moved.get(key, ZERO), amount)
        return moved

    def _movements(self, product: str) -> Iterator[tuple[str | None, Decimal]]:
        for position in self._positions(product):
            assets = self.instruments.assets(product, position.symbol)
            held = position.contained
            yield assets and assets[0], EXACT.subtract(position.now.net, held.net)
            yield assets and assets[1], EXACT.subtract(held.paid, position.paid)
            # In whichever asset it was charged: a Spot purchase pays in base
            # (docs/venues/binance.md 12).
            for currency, fee in position.fees.items():
                yield currency, EXACT.subtract(held.fees.get(currency, ZERO), fee)
        for key, amount in self.transfers.items():
            if key.startswith(f"{product}/"):
                yield key.partition("/")[2], amount

    def _compare(self, product: str, now: dict[str, str], totals: dict[str, Decimal]) -> set[str]:
        opened = self.opened[product]
        for asset, other in now.items():
            key, expected = f"{product}/{asset}", opened.get(asset, "0")
            standing = "" if other == expected else other
            if standing == self.standing.get(key, ""):
                continue
            if standing:
                self.standing[key] = standing
            else:
                del self.standing[key]
            change = EXACT.subtract(Decimal(other), Decimal(expected))
            theirs = totals.get(asset, ZERO)
            self.publish(
                "BALANCE",
                "open" if standing else "explained",
                product,
                ours={"asset": asset, "total": text_of(EXACT.subtract(theirs, change))},
                theirs={"asset": asset, "total": text_of(theirs)},
            )
        # Of all that stand: the two assets of a symbol need not be found in the same cycle.
        missing = {key.partition("/")[2] for key in self.standing if key.startswith(f"{product}/")}
        return self.instruments.between(product, missing) if missing else set()

    def state(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """The state records that changed since the last call; None: there is nothing of it."""
        for key in sorted(self.dirty):
            row = self.rows.get(key)
            document = row and {"balance": row, "ordinal": self.ordinals[key]}
            yield f"{BALANCE}/{key}", document
        self.dirty.clear()
        if self.is_comparison_dirty:
            yield (
                EQUATION,
                {
                    "listed": self.listed,
                    **({"lists": self.lists} if self.lists else {}),
                    "asked": self.asked,
                    "others": self.others,
                    "opened": self.opened,
                    "standing": self.standing,
                    "transfers": {key: text_of(amount) for key, amount in self.transfers.items()},
                    "recent": self.recent,
                },
            )
        self.is_comparison_dirty = False

    def restore(self, kind: str, document: dict[str, Any]) -> None:
        """Take back one state record."""
        if kind == BALANCE:
            row = document["balance"]
            key = f"{row['product']}/{row['asset']}"
            self.rows[key], self.ordinals[key] = row, document["ordinal"]
            return
        self.listed = document.get("listed", {})  # records of before lack it
        self.lists = document.get("lists", {})  # and this
        self.asked, self.others = document["asked"], document["others"]
        self.opened, self.standing = document["opened"], document["standing"]
        self.transfers = {key: Decimal(text) for key, text in document["transfers"].items()}
        self.recent = document["recent"]


def _lesser(amount: Decimal | None, held: str | None) -> Decimal | None:
    """What is there at least, of two amounts that no time tells apart, whichever came first."""
    known = [one for one in (amount, None if held is None else Decimal(held)) if one is not None]
    return min(known, default=None)


def is_held(row: dict[str, Any]) -> bool:
    """Whether there is any of the asset: an account may list hundreds that it does not hold."""
    return any(row[name] not in NOTHING for name in AMOUNTS)
