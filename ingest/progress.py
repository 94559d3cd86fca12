"""How far one partition of `dispatches` is done. Pure.

The committed offset is the lowest dispatch not yet done: nothing is passed, whatever overtakes it.
What is done again after a restart are questions, which may repeat.
"""


class DispatchProgress:
    """The offsets of one partition: received, done, and which one may be committed."""

    def __init__(self, offset: int) -> None:
        self._next = offset
        self._open: set[int] = set()

    @property
    def committable(self) -> int:
        """The lowest offset that is not done."""
        # Questions are answered out of order; a commit beyond one that is open would lose it.
        return min(self._open, default=self._next)

    def received(self, offset: int) -> bool:
        """A dispatch came; False if it came before."""
        if offset < self._next:
            return False
        self._next = offset + 1
        self._open.add(offset)
        return True

    def done(self, offset: int) -> None:
        """Its answer, or why there is none, stands in the log."""
        self._open.discard(offset)
