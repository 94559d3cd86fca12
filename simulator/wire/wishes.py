"""Reading a wish for the journal: which field of a request says what. Pure."""

from dataclasses import dataclass, replace

from simulator.journal import Verb, Wish
from simulator.wire.fields import Fields

Names = tuple[str, ...]
"""Fields of which the first that was sent counts."""


@dataclass(frozen=True, slots=True)
class Said:
    """Where a venue's requests say what a wish is about."""

    verb: Verb
    symbol: Names = ("symbol",)
    client: Names = ()
    venue: Names = ()
    side: Names = ("side",)
    price: Names = ("price",)
    quantity: Names = ("quantity",)
    is_conditional: bool = False

    @property
    def is_of_the_book(self) -> bool:
        """Whether it brings new terms to the book itself."""
        return self.verb in ("place", "amend") and not self.is_conditional

    def wish(self, fields: Fields, about: Wish) -> Wish:
        """The wish that the fields tell, beside what `about` knows of the whole request."""

        def found(names: Names) -> str:
            return next(filter(None, map(fields.text, names)), "")

        return replace(
            about,
            verb=self.verb,
            symbol=found(self.symbol),
            client_order_id=found(self.client),
            venue_order_id=found(self.venue),
            side=found(self.side).upper(),
            price=found(self.price),
            quantity=found(self.quantity),
            is_conditional=self.is_conditional,
        )
