"""One private message of a venue on its way to those who listen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.accounts import Fill
from simulator.instrument import Product

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A document for one account at one product; `fill` where it tells of an execution."""

    account: str
    product: Product
    kind: str
    document: Document
    fill: Fill | None = None
    is_full: bool = True
    """Whether the message holds all of the fill (a TRADE_LITE does not)."""


Publish = Callable[[Message], None]
