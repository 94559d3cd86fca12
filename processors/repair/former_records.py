"""One record of an output as a former life wrote it, or none: anybody may have written there.

Pure. A record that is not as ours are (by its fields, their types and its key) says nothing of a
former life: it sets no epoch, shows no key and displaces no record of ours. Only what a repair uses
is looked at, so that records of older versions stay readable.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from orderloom.identity import checked_account
from orderloom.quantities import Unit
from orderloom.topology import ACCOUNTS, FILLS, ORDERS, POSITIONS, Topic
from orderloom.words import FillKind, PositionSide, Side
from processors.account.lost_fills import LostFill
from processors.ledger.typed import RARE_END

VIEWS: Final = (ORDERS, POSITIONS, ACCOUNTS)
EPOCH_END: Final = RARE_END
"""A person begins each epoch."""
CHARACTERS_MAX: Final = 1_000
LEAD_NS_MAX: Final = 24 * 3_600 * 1_000_000_000
"""Two clocks may differ by hours, where somebody has set one wrong."""
Text = Annotated[str, Field(max_length=CHARACTERS_MAX)]
"""What a repair writes again and again must fit into its records."""
Time = Annotated[int, Field(gt=-(1 << 62), lt=1 << 63)]
"""Ours of what the venue gave no time lies before 1970: its clock is not ours."""
Quantity = Annotated[str, Field(pattern=r"^[0-9]{1,70}(\.[0-9]{1,70})?$")]
"""As `text_of` writes what `decimal_of` reads, without a sign."""


class Numbered(BaseModel):
    """What every numbered record says."""

    model_config = ConfigDict(strict=True, frozen=True)

    epoch: Annotated[int, Field(ge=0, lt=EPOCH_END)]
    sequence: Annotated[int, Field(ge=1, lt=1 << 63)]


class OfAccount(Numbered):
    """A record of one account; of a tombstone this is all."""

    account: Annotated[str, AfterValidator(checked_account)]


class FormerTraded(OfAccount):
    """A view of an order or a position."""

    product: Text
    symbol: Text


class FormerBlind(BaseModel):
    """A blind interval of an account's record; `closed_ns` is set where it was asked about."""

    model_config = ConfigDict(strict=True, frozen=True)

    product: Text
    start_ns: Time
    end_ns: Time | None
    reason: str
    closed_ns: Time | None = None


class FormerAccount(OfAccount):
    """An account's record."""

    covered_ns: dict[Text, Annotated[Time, Field(ge=0)]]
    blind: list[FormerBlind]

    def is_in_time(self, appended_ns: int) -> bool:
        """Whether nothing that it names lay ahead when it was written.

        If something did, nobody wrote it, or a clock that was wrong: nothing was looked at then.
        """
        known = [*self.covered_ns.values(), *(one.start_ns for one in self.blind)]
        known += [one.end_ns for one in self.blind if one.end_ns is not None]
        return max(known, default=0) <= appended_ns + LEAD_NS_MAX


class FormerFill(FormerTraded):
    """An execution."""

    execution_key: Text
    kind: FillKind
    position_side: PositionSide | None = None
    side: Side | None = None
    quantity: Quantity | None = None
    quantity_unit: Unit
    venue_ns: Time | None = None

    @property
    def signed(self) -> str:
        """The quantity, above 0 for a buy; 0 where the record did not say."""
        if self.quantity is None or self.side is None:
            return "0"
        return self.quantity if self.side is Side.BUY else f"-{self.quantity}"

    def as_lost(self, appended_ns: int) -> LostFill:
        """The execution, where nothing holds it any more; it was published at `appended_ns`."""
        return LostFill(
            account=self.account,
            execution_key=self.execution_key,
            product=self.product,
            symbol=self.symbol,
            position_side=self.position_side,
            quantity=self.signed,
            quantity_unit=self.quantity_unit,
            venue_ns=min(self.venue_ns or 0, appended_ns),
        )


MODELS: Final[dict[str, type[Numbered]]] = {
    ORDERS.kind: FormerTraded,
    POSITIONS.kind: FormerTraded,
    ACCOUNTS.kind: FormerAccount,
    FILLS.kind: FormerFill,
}


def former_record(
    topic: Topic,
    key: bytes | None,
    value: bytes | None,
    headers: Mapping[str, bytes | str | None],
) -> Numbered | None:
    """What the record says; of a tombstone its headers. None: it is none of ours."""
    try:
        if value is None:
            found = {name: orjson.loads(said or b"null") for name, said in headers.items()}
            record: Numbered = OfAccount.model_validate(found)
        else:
            record = MODELS.get(topic.kind, Numbered).model_validate_json(value)
        is_ours = _is_keyed(topic, (key or b"").decode(), record)
        if isinstance(record, FormerFill) and record.quantity is not None:
            is_ours = is_ours and Decimal(record.quantity) > 0
    except ValueError:  # of pydantic, orjson and the key's text alike
        return None
    return record if is_ours else None


def _is_keyed(topic: Topic, key: str, record: Numbered) -> bool:
    """Whether the key is one that the record's account has in that topic."""
    if not isinstance(record, OfAccount):
        return True
    return (
        key.startswith(f"{record.account}/")
        if topic in (ORDERS, POSITIONS)
        else (key == record.account)
    )
