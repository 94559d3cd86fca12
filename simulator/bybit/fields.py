"""The fields of one request, each read with the refusal that Bybit gives. Pure."""

from collections.abc import Mapping
from typing import ClassVar, cast

from simulator.bybit import words
from simulator.bybit.ids import number_of
from simulator.bybit.refusals import refused
from simulator.instrument import Product, Side
from simulator.refusal import Refusals
from simulator.wire import fields


class Fields(fields.Fields):
    """Query, body or item of a batch."""

    refused: ClassVar[Refusals] = refused
    rows_usual: ClassVar[int] = 20
    rows_max: ClassVar[int] = 50

    def product(self) -> Product:
        """`category`."""
        return self.word("category", words.CATEGORIES)

    def side(self) -> Side:
        """`side`."""
        return cast(Side, self.word("side", words.SIDES))

    def named(self, product: Product) -> tuple[int | None, str]:
        """An order's number, None where its client id names it: where both are sent, it counts."""
        order_id = self.text("orderId")
        if order_id:
            return (number_of(product, order_id), "")
        return (None, self.needed("orderLinkId"))

    def items(self) -> list["Fields"]:
        """The items of a batch, each with the batch's category."""
        rows, category = self._values.get("request"), self.needed("category")
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise self.refused("bad", name="request")
        return [Fields({**row, "category": category}) for row in rows]


class Executions(Fields):
    """Of the list of executions."""

    rows_usual: ClassVar[int] = 50
    rows_max: ClassVar[int] = 100


class Positions(Fields):
    """Of the list of positions."""

    rows_max: ClassVar[int] = 200


class Instruments(Fields):
    """Of the list of instruments."""

    rows_usual: ClassVar[int] = 500
    rows_max: ClassVar[int] = 1000
