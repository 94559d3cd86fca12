"""What the suites over all venues know of one: its frames and samples, files beside its tests.

`<venue>/frames/` has one file per kind, each with what its messages say; `<venue>/samples.json`
what to ask a venue about and what its answers look like when there is nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from orderloom.words import Source
from venues.document import parse
from venues.venue import Inbound

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One message: its bytes, how it came, and what it says."""

    venue: str
    kind: str
    says: str
    body: bytes
    product: str
    source: Source
    expected: dict[str, Any]

    def inbound(self, document: Any) -> Inbound:
        """`document` as if it had come in this message's place."""
        return Inbound(document, self.source, self.product)

    @property
    def name(self) -> str:
        """A name for the test's id."""
        return f"{self.kind}: {self.says}"


@dataclass(frozen=True)
class Samples:
    """Of one venue: a symbol, and bodies of answers.

    `prepared` answers what a connection asks before it is made; of `empty`, each question has one
    that is its complete answer without rows. `since_ns`: a history needs a start.
    """

    symbol: str
    prepared: bytes
    empty: tuple[bytes, ...]
    since_ns: int | None


def samples(venue: str) -> Samples:
    """The samples of a venue."""
    told = parse((HERE / venue / "samples.json").read_bytes())
    return Samples(
        symbol=told["symbol"],
        prepared=orjson.dumps(told.get("prepared")),
        empty=tuple(orjson.dumps(answer) for answer in told["empty"]),
        since_ns=told.get("since_ns"),
    )


def cases(venue: str) -> list[Case]:
    """All messages of a venue."""
    files = sorted((HERE / venue / "frames").glob("*.json"))
    return [_case(venue, file.stem, item) for file in files for item in parse(file.read_bytes())]


def _case(venue: str, kind: str, item: dict[str, Any]) -> Case:
    return Case(
        venue=venue,
        kind=kind,
        says=item["says"],
        body=orjson.dumps(item["raw"]),
        product=item["product"],
        source=Source.STREAM if item["source"] == "stream" else Source.QUERY,
        expected=item["expected"],
    )
