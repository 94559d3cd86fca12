"""Which of a process's ledgers may fold now: all of them together, or one of them alone.

A death blames whoever was folding. Where one was blamed before, it folds alone from then until it
has committed: so what ends the process next is its own doing, and no other partition's.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class FoldGate:
    """One for all ledgers of a process; their threads wait here for one another.

    Whoever folds alone holds the turnstile, and the others pass it on their way in: those who came
    while it was held go before it is held again.
    """

    def __init__(self) -> None:
        self._turnstile = threading.Lock()
        self._left = threading.Condition()
        self._folding = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Fold beside others, and beside nobody who folds alone."""
        with self._turnstile, self._left:
            self._folding += 1
        try:
            yield
        finally:
            with self._left:
                self._folding -= 1
                self._left.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Fold while nobody else does."""
        with self._turnstile:
            with self._left:
                self._left.wait_for(lambda: self._folding == 0)
            yield
