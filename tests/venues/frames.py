"""What the suites over all venues find in a venue's folder of tests.

`<venue>/frames/`: its messages, one file per kind, each with what they say. `<venue>/samples.json`:
what it answers where the suites ask.
"""

from base64 import b64decode
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from orderloom.event import BalanceReport, Event, OrderReport, Reply
from orderloom.words import Source
from venues.document import parse
from venues.request import HttpRequest
from venues.venue import Answered, Heard, Inbound, Stream, Venue, Verdict

HERE = Path(__file__).parent


def body_of(document: Any) -> bytes:
    """The bytes of a document, numbers with a point digit by digit as they were read."""
    return orjson.dumps(document, default=_number)


def _number(value: object) -> orjson.Fragment:
    assert isinstance(value, Decimal)
    return orjson.Fragment(str(value))


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
    """What a venue answers.

    `symbol` is one of its instruments, `prepared` the answer to preparing a connection (empty where
    none is prepared), `empty` are pages that end a list, and `greetings` what ends the stages of
    each stream of an account with all products, in their order. `clocks` are answers that tell the
    venue's clock, and its time in ns. `packed` are compressed frames, and what they hold.
    `since_ns`: a history needs a start.
    """

    symbol: str
    prepared: bytes
    empty: tuple[bytes, ...]
    greetings: tuple[tuple[bytes, ...], ...]
    packed: tuple[tuple[bytes, bytes], ...] = ()
    clocks: tuple[tuple[bytes, int], ...] = ()
    since_ns: int | None = None


def samples(venue: str) -> Samples:
    """What a venue answers."""
    return samples_in(HERE / venue)


def samples_in(folder: Path) -> Samples:
    """The samples in a venue's folder of tests."""
    given = parse((folder / "samples.json").read_bytes())
    return Samples(
        symbol=given["symbol"],
        prepared=b"" if given["prepared"] is None else body_of(given["prepared"]),
        empty=tuple(map(body_of, given["empty"])),
        greetings=tuple(tuple(map(body_of, one)) for one in given["greetings"]),
        clocks=tuple((body_of(told), ns) for told, ns in given["clocks"]),
        packed=tuple((b64decode(one), body_of(said)) for one, said in given["packed"]),
        since_ns=given.get("since_ns"),
    )


def answered(status: int, headers: dict[str, str], body: bytes, path: str = "") -> Answered:
    """An answer to a request for `path`."""
    request = HttpRequest("GET", f"https://venue.example/{path}")
    return Answered(request, status, {name.lower(): text for name, text in headers.items()}, body)


def heard_by(venue: Venue) -> list[tuple[Stream, list[Heard]]]:
    """Each stream, with what was heard before each of its stages, and at last when it is LIVE."""
    given = samples(venue.name)
    heard = []
    for stream, answers in zip(venue.streams(venue.products), given.greetings, strict=True):
        assert len(answers) == len(stream.stages), "each stage has its answer in the samples"
        said = answers if stream.prepare is None else (given.prepared, *answers)
        begun = len(said) - len(answers)
        heard.append((stream, [said[:end] for end in range(begun, len(said) + 1)]))
    return heard


def judged(stream: Stream, frame: bytes, stage: int) -> Verdict:
    """What is made of `frame` while the stage of that number is under way; after the last: LIVE."""
    judges = [*(one.judge for one in stream.stages), stream.judge]
    return judges[stage](frame)


def is_placed(venue: Venue, said: Event) -> bool:
    """Whether what is said is said of an instrument, or of an order that its id alone finds."""
    if isinstance(said, BalanceReport | Reply):
        return True
    if isinstance(said, OrderReport) and said.symbol is None:
        return bool(said.venue_order_id) and venue.profiles[said.product].ids_are_of_product
    return bool(said.symbol)


def cases(venue: str) -> list[Case]:
    """All messages of a venue."""
    files = sorted((HERE / venue / "frames").glob("*.json"))
    return [_case(venue, file.stem, item) for file in files for item in parse(file.read_bytes())]


def _case(venue: str, kind: str, item: dict[str, Any]) -> Case:
    return Case(
        venue=venue,
        kind=kind,
        says=item["says"],
        body=body_of(item["raw"]),
        product=item["product"],
        source=Source.STREAM if item["source"] == "stream" else Source.QUERY,
        expected=item["expected"],
    )
