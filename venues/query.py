"""The query of an address, percent-encoded. Pure."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

UNESCAPED: Final = "-_.~"  # RFC 3986
Parameters = Mapping[str, str | int]


def query_of(parameters: Parameters) -> str:
    """`parameters` as the query of an address."""
    return "&".join(
        f"{quote(name, safe=UNESCAPED)}={quote(str(value), safe=UNESCAPED)}"
        for name, value in parameters.items()
    )
