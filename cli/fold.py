"""`orderloom fold VENUE`: raw messages on stdin, final order states and their digest on stdout.

Pure but for its streams and the two state files: no Kafka, no clock. It uses the translation and
the fold of the processors. The output is a function of the set of messages: no order of arrival,
repetition, or cut into runs (`--state-out`, then `--state-in`) changes it; so what an answer says
under a name that the venue varies is folded last, when all names are known. Dead letters go to
stderr as JSON lines. As no time passes here, every time of grace counts as over at the end.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from cli.held import HeldRow, HeldRows
from cli.instruments import Instruments
from cli.lines import Line, output_line, read_lines
from orderloom.event import Cause, Execution, InstrumentReport, OrderReport, Origin, Reply
from orderloom.quantities import EXACT, Unit, text_of
from orderloom.words import Source
from processors.orders.order import Order
from processors.orders.orders import Orders
from processors.orders.stored_order import UnknownOrderFormat
from processors.orders.tracks.fills import HeldFill
from runtime.files import replace_with
from venues.venue import BadFrame, UnknownFrame, Venue

FORMAT: Final = 2
READ: Final = (1, FORMAT)
"""Formats of a state that can be read; the first held no rows."""
WRONG_ARGUMENTS: Final = 2
SHOWN: Final = (
    "product", "symbol", "venue_order_id", "client_order_id", "side", "status", "reason",
    "disputed",
)  # fmt: skip
CONDITIONS: Final = (
    "trigger_price", "trigger_type", "activation_price", "callback_rate", "reduce_only",
    "close_position",
)  # fmt: skip
"""Shown where anything was said of them."""
NO_STATE: Final = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError,
    UnknownOrderFormat,
)  # fmt: skip
"""What reading something else than a state may raise."""


class WrongState(Exception):
    """A state file that cannot be read; `args[0]` says what to do about it."""


class Fold:
    """The orders of every account in the input, and the instruments that they trade."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.accounts: dict[str, Orders] = {}
        self.instruments = Instruments()
        self._held = HeldRows()

    def take(self, line: Line, number: int) -> str | None:
        """Fold one input line; the reason if it is a dead letter."""
        if line.inbound is None:
            return line.dead_letter
        try:
            translation = self.venue.translate(line.inbound)
        except UnknownFrame as error:
            return f"unknown message: {error.args[0]}"
        except BadFrame as error:
            return str(error.args[0])
        account = line.account or f"{self.venue.name}:main"
        for place, event in enumerate(translation.events):
            if isinstance(event, InstrumentReport):
                self.instruments.take(event)
            elif isinstance(event, OrderReport | Execution | Reply):
                cause = Cause("stdin", 0, number, place)
                source = line.inbound.source
                origin = Origin(account, source, cause, line.received_ns, line.asked_ns)
                if not self._is_held(event, origin):
                    self._orders_of(account).apply(event, origin)
        return None

    def _is_held(self, event: OrderReport | Execution | Reply, origin: Origin) -> bool:
        """Whether the event may name its instrument otherwise than the stream; then it is held."""
        if event.product not in self.venue.names_vary or origin.source is Source.STREAM:
            return False
        if isinstance(event, Reply) or event.symbol is None:
            return False
        came = (origin.account, origin.source, origin.received_ns, origin.asked_ns)
        if isinstance(event, OrderReport):
            self._held.take(HeldRow(*came, report=event))
        else:
            self._held.take(HeldRow(*came, execution=event))
        return True

    def finish(self) -> None:
        """Fold what was held, as nothing more comes; a state is dumped before."""
        found = [(self._named(row.event), row) for row in self._held.all()]
        # Of an order whose names no list explains, the least is shown, whatever came first.
        for number, (event, row) in enumerate(sorted(found, key=lambda one: one[0].symbol or "")):
            cause = Cause("held", 0, number)
            origin = Origin(row.account, row.source, cause, row.received_ns, row.asked_ns)
            self._orders_of(row.account).apply(event, origin)

    def _named(self, event: OrderReport | Execution) -> OrderReport | Execution:
        """Under the name that the stream has, or its own where no list said another."""
        assert event.symbol is not None
        return replace(event, symbol=self.instruments.symbol_of(event.product, event.symbol))

    def _orders_of(self, account: str) -> Orders:
        orders = self.accounts.get(account)
        if orders is None:
            orders = self.accounts[account] = Orders(account, self.venue.profiles)
        return orders

    def lines(self) -> Iterator[bytes]:
        """One line per order, by order key, then the digest of these lines."""
        digest = blake2b(digest_size=16)
        every = [order for orders in self.accounts.values() for order in orders.all()]
        for order in sorted(every, key=lambda order: order.key):
            line = orjson.dumps(self._document(order), option=orjson.OPT_APPEND_NEWLINE)
            digest.update(line)
            yield line
        yield orjson.dumps({"digest": digest.hexdigest()}, option=orjson.OPT_APPEND_NEWLINE)

    def _document(self, order: Order) -> dict[str, Any]:
        unit = Unit(order.term("quantity_unit") or Unit.BASE)
        factor, unit = self.instruments.to_base(order.product, order.symbol, unit)
        view = order.view()
        document: dict[str, Any] = {"order_key": order.key}
        document.update((name, view[name]) for name in SHOWN)
        document |= {
            "quantity": _scaled(order.quantity, factor),
            "filled_quantity": _scaled(order.executed, factor),
            "provisional_quantity": _scaled(order.missing_quantity, factor),
            "average_price": view["average_price"],
            "fills": [_fill(fill, factor) for fill in order.fills() if not fill.is_busted],
        }
        document |= {name: view[name] for name in CONDITIONS if view[name] is not None}
        if len(view["client_order_ids"]) > 1:
            document["client_order_ids"] = view["client_order_ids"]
        if unit is not Unit.BASE:
            document["quantity_unit"] = unit
        return document

    def dump(self) -> bytes:
        """The complete state."""
        accounts = {
            account: [orders.dump_order(key) for key in orders.state_keys()]
            for account, orders in sorted(self.accounts.items())
        }
        state = {"format": FORMAT, "venue": self.venue.name, "accounts": accounts}
        state |= {"instruments": self.instruments.dump(), "held": self._held.dump()}
        return orjson.dumps(state)

    def load(self, state: bytes) -> None:
        """Take back what `dump` gave out.

        Raises:
            WrongState: it is no state of this command, of this venue and format.
        """
        try:
            document = orjson.loads(state)
            if document["format"] not in READ or document["venue"] != self.venue.name:
                raise WrongState(f"not a state of format {FORMAT} of {self.venue.name}")
            for account, records in document["accounts"].items():
                for record in records:
                    self._orders_of(account).load_order(record)
            for orders in self.accounts.values():
                orders.finish_load()
            self.instruments.load(document["instruments"])
            self._held.load(document.get("held", []))
        except NO_STATE as error:
            raise WrongState(f"not a state of this command ({error!r:.120})") from None


def run(
    venue: Venue,
    stdin: BinaryIO,
    stdout: BinaryIO,
    stderr: BinaryIO,
    state_in: Path | None = None,
    state_out: Path | None = None,
) -> int:
    """Fold every line of `stdin`; the exit status: 0, or 2 if a state file cannot be used."""
    fold = Fold(venue)
    try:
        if state_in is not None:
            fold.load(state_in.read_bytes())
    except (OSError, WrongState) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        stderr.write(f"--state-in {state_in}: {reason}\n".encode())
        return WRONG_ARGUMENTS
    for number, line in enumerate(read_lines(stdin, venue.bare_words)):
        reason = fold.take(line, number)
        if reason is not None:
            stderr.write(output_line(line.ref, {"dead_letter": reason}))
    status = 0
    try:
        if state_out is not None:  # before the lines: their reader may have seen enough
            _save(state_out.resolve(), fold.dump())
    except OSError as error:
        stderr.write(f"--state-out {state_out}: {error.strerror}\n".encode())
        status = WRONG_ARGUMENTS
    fold.finish()
    stdout.writelines(fold.lines())
    stdout.flush()
    return status


def _save(path: Path, state: bytes) -> None:
    """Put a whole state in the place of the former one, or leave that as it is."""
    if path.exists() and not path.is_file():  # a device or a pipe
        path.write_bytes(state)
        return
    replace_with(path, state)


def _fill(fill: HeldFill, factor: Decimal) -> dict[str, Any]:
    view = fill.view()
    shown = ("exec_id", "last_price", "last_quantity", "fee", "fee_currency", "liquidity")
    document = {name: view[name] for name in (*shown, "venue_ns")}
    document["last_quantity"] = _scaled(fill.last_quantity, factor)
    if fill.more_fees:
        document["more_fees"] = view["more_fees"]
    return document


def _scaled(number: Decimal | None, factor: Decimal) -> str | None:
    return None if number is None else text_of(EXACT.multiply(number, factor))
