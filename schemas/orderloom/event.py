"""Evidence: facts in our words about one order, execution, position, balance or instrument.

Pure: slotted, no pydantic, because the fold's inner loop makes one per fact; and not frozen, which
would make them three times as dear (measured). Nobody changes one. `None` means "this message does
not say"; an absent field is filled in by evidence that has it, and only fields present in both can
conflict (docs/state-model.md 4.1). Quantities are native, with a unit.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from orderloom.quantities import Unit
from orderloom.words import (
    FillKind,
    Liquidity,
    OrderType,
    PositionSide,
    Reason,
    Side,
    Source,
    Status,
    TimeInForce,
    TriggerType,
)


# Not frozen, so its hash must be asked for; nobody changes one, so the hash stays true.
@dataclass(slots=True, unsafe_hash=True)
class Cause:
    """Where a fact stands in the log: topic, partition, offset, and its place in that record."""

    topic: str
    partition: int
    offset: int
    place: int = 0

    def document(self) -> dict[str, Any]:
        """The cause as it stands in a message."""
        return {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "place": self.place,
        }


@dataclass(slots=True, unsafe_hash=True)
class Origin:
    """How a piece of evidence reached us.

    `received_ns` is when its bytes came, `asked_ns` when the question that it answers was asked: an
    answer says what held then, at the earliest. Both are ns UTC on the ingest worker's clock.
    """

    account: str
    source: Source
    cause: Cause
    received_ns: int | None = None
    asked_ns: int | None = None
    connection: str | None = None


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class OrderReport:
    """What one message says of one order.

    `ordinal` orders the venue's reports about one order across all sources: (venue time in ns,
    sub-ordinal within that time); None where the message has no stamp. `filled_quantity` is the
    cumulative quantity that the venue claims, `filled_quote` its quote value, `prevented_quantity`
    what self-trade prevention took from the order: that will never be executed. `reason` says why
    the order closed; `is_reason_inferred`: the venue did not say it, the order's terms or its end
    make it likely, and what the venue says anywhere else is right. `is_ended`, without a `status`:
    it closed, and only its own reports say how (an algo order has finished). `is_amendment`: terms
    were changed. `replaces` is the venue order id of the earlier link of an amend chain,
    `alias_ids` other venue ids of it (an algo id, say), `client_alias_ids` other client order ids
    that it has or had. `is_part`: what stands in `alias_ids` may have become several orders, of
    which this is one. `is_as_asked`: nothing says since when its terms hold, but an answer shows
    those of when it was asked for, less the visibility lag. `is_past`: an event of a history, which
    says how the order stood then, whenever it is asked for. `change_id` names the change of terms
    that this reports: reported again with a later time, it is still the change that it was.

    A conditional order waits for the price named by `trigger_type` to reach `trigger_price`; one
    that trails begins at `activation_price` and follows by `callback_rate` *percent* (1 is 1 %).
    `close_position`: it closes whatever is held by then, so it has no quantity of its own.
    """

    product: str
    # None beside a venue order id that is of one order of the product: then the order says it.
    symbol: str | None
    venue_order_id: str | None = None
    client_order_id: str | None = None
    # None: no claim, for instance a word that we do not know (docs/state-model.md 3.9).
    status: Status | None = None
    reason: Reason | None = None
    # What the venue said stands above what the terms
    # suggest, whichever is later (docs/state-model.md 1.4).
    is_reason_inferred: bool = False
    side: Side | None = None
    order_type: OrderType | None = None
    time_in_force: TimeInForce | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None
    quantity_unit: Unit = Unit.BASE
    # A market order by quote has this in the place of its quantity (docs/state-model.md 4.9).
    quote_quantity: Decimal | None = None
    filled_quantity: Decimal | None = None
    filled_quote: Decimal | None = None
    prevented_quantity: Decimal | None = None
    average_price: Decimal | None = None
    position_side: PositionSide | None = None
    margin_mode: str | None = None
    trigger_price: Decimal | None = None
    trigger_type: TriggerType | None = None
    activation_price: Decimal | None = None
    callback_rate: Decimal | None = None
    reduce_only: bool | None = None
    close_position: bool | None = None
    is_amendment: bool = False
    # As weak as a proof of absence: the order's own word stands above it (decision 0307).
    is_ended: bool = False
    replaces: str | None = None
    # A conditional order's own id, once the engine has
    # given another to what it became (decision 0304).
    alias_ids: tuple[str, ...] = ()
    client_alias_ids: tuple[str, ...] = ()
    # Parts live side by side, links replace one another (docs/state-model.md 3.4 and 3.5).
    is_part: bool = False
    # `ordinal` is of what else it says, and may be older (decision 1105).
    is_as_asked: bool = False
    # Else two events of one moment would both be the last word on it.
    is_past: bool = False
    # Of all reports of one change the earliest counts (decision 0407).
    change_id: str | None = None
    # Never the time of arrival: stream and answers must compare (decision 0302).
    ordinal: tuple[int, int] | None = None
    venue_ns: int | None = None


class Fee(NamedTuple):
    """One of several fees of an execution: above 0 was charged, below 0 is a rebate."""

    currency: str
    amount: Decimal


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class Execution:
    """One match at the venue. Without `exec_id` it is only cumulative evidence.

    `fee` above 0 was charged, below 0 is a rebate; `more_fees` are what was charged beside it, such
    as in a venue's own coin, in any order. `kind`: BUST, CORRECTION if the venue says so.
    """

    product: str
    symbol: str
    # None, and no id made of other fields: the fill would
    # count twice once an answer names it (decision 0803).
    exec_id: str | None
    venue_order_id: str | None
    client_order_id: str | None = None
    kind: FillKind = FillKind.REAL
    side: Side | None = None
    last_price: Decimal | None = None
    last_quantity: Decimal | None = None
    quantity_unit: Unit = Unit.BASE
    fee: Decimal | None = None
    fee_currency: str | None = None
    more_fees: tuple[Fee, ...] | None = None
    liquidity: Liquidity | None = None
    position_side: PositionSide | None = None
    margin_mode: str | None = None
    reason: Reason | None = None
    venue_ns: int | None = None


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class PositionReport:
    """What the venue says of one position: signed net in native units, entry price."""

    product: str
    symbol: str
    position_side: PositionSide
    quantity: Decimal
    quantity_unit: Unit = Unit.BASE
    entry_price: Decimal | None = None
    margin_mode: str | None = None
    venue_ns: int | None = None


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class BalanceReport:
    """What the venue says of one asset: absolute amounts, or a change (`delta`).

    `ordinal` orders what is said of one asset as `OrderReport.ordinal` does.
    """

    product: str
    asset: str
    free: Decimal | None = None
    locked: Decimal | None = None
    total: Decimal | None = None
    # A transfer says what came or went, and not what is held.
    delta: Decimal | None = None
    ordinal: tuple[int, int] | None = None
    venue_ns: int | None = None


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class InstrumentReport:
    """Tick, lot and contract size of one instrument. `contract_size` is base per contract.

    `aliases` are its names in other parts of the venue.
    """

    product: str
    symbol: str
    aliases: tuple[str, ...] = ()
    base: str | None = None
    quote: str | None = None
    settle: str | None = None
    tick: Decimal | None = None
    lot: Decimal | None = None
    quantity_min: Decimal | None = None
    notional_min: Decimal | None = None
    contract_size: Decimal | None = None
    is_inverse: bool = False
    quantity_unit: Unit = Unit.BASE
    status: str | None = None
    venue_ns: int | None = None


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class Reply:
    """The venue's answer to a request when it speaks of no order state: an ack or a refusal."""

    product: str
    accepted: bool
    symbol: str | None = None
    venue_order_id: str | None = None
    client_order_id: str | None = None
    reason: Reason | None = None
    code: str | None = None
    text: str | None = None
    request_id: str | None = None
    venue_ns: int | None = None


Event = OrderReport | Execution | PositionReport | BalanceReport | InstrumentReport | Reply
