"""How many messages a step may fold now. Pure.

A step that was refused, was too slow, or killed the process is tried again smaller, until what it
held has been committed.
"""

from collections.abc import Mapping


class StepSize:
    """The present limit; lives as long as the process, over openings."""

    def __init__(self, messages_max: int) -> None:
        self._most = messages_max
        self.messages = messages_max
        self._until: dict[str, int] = {}

    @property
    def is_narrow(self) -> bool:
        """Whether steps are kept small until a place in the log is passed."""
        return bool(self._until)

    def is_narrow_at(self, next_offsets: Mapping[str, int]) -> bool:
        """Whether they will be kept small still once a step came to these offsets."""
        return any(next_offsets[kind] < end for kind, end in self._until.items())

    def narrow(self, messages: int, until: Mapping[str, int]) -> None:
        """Fold at most `messages` a step until every input's next offset is at `until`."""
        self.messages = max(1, messages)
        for kind, end in until.items():
            self._until[kind] = max(end, self._until.get(kind, 0))

    def fit(self, messages: int) -> None:
        """A step had to end after so many, its time was over."""
        self.messages = max(1, messages)

    def committed(self, next_offsets: Mapping[str, int]) -> None:
        """A step was committed: grow again, unless kept narrow."""
        if self.is_narrow_at(next_offsets):
            return
        self._until = {}
        self.messages = min(self._most, self.messages * 2)
