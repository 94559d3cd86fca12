"""The query of an address, percent-encoded, and the lists that one question asks for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

UNESCAPED: Final = "-_.~"  # RFC 3986
Parameters = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class QuestionList:
    """One list of a question: its path, what tells it from the others, what else it is asked."""

    path: str
    own: Parameters = field(default_factory=dict)
    also: Parameters = field(default_factory=dict)

    def is_of(self, path: str, asked: Mapping[str, str]) -> bool:
        """Whether a request of `path` with these parameters asked for this list."""
        return path == self.path and all(asked.get(n) == str(v) for n, v in self.own.items())


def query_of(parameters: Parameters) -> str:
    """`parameters` as the query of an address."""
    return "&".join(
        f"{quote(name, safe=UNESCAPED)}={quote(str(value), safe=UNESCAPED)}"
        for name, value in parameters.items()
    )
