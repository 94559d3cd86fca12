"""One message being read: what its readers are told of it, and what they note. Pure."""


class Reading:
    """One message being read: its hints, and what it held that we do not know."""

    __slots__ = ("ignored", "is_query", "product", "unknown")

    def __init__(self, product: str | None, *, is_query: bool = False) -> None:
        self.product = product
        self.is_query = is_query
        self.unknown: list[str] = []
        self.ignored: str | None = None

    def ignore(self, reason: str) -> tuple[()]:
        """Say by which rule this says nothing; there are no events in it."""
        self.ignored = reason
        return ()
