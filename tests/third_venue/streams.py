"""Dusk's private connections. Pure.

A ticket opens the socket. It is asked for over HTTP, where errors have status 200 too.
The venue speaks first, with a riddle. Who signs it is told a word for this connection, which goes
into every subscription; ``no`` refuses, with a number and a word.
"""

from typing import Any, Final
from urllib.parse import urlencode

import orjson

from tests.third_venue.requests import get_request, mac, seconds_of
from venues.document import parse, said_code
from venues.rates import Cost
from venues.request import Context
from venues.venue import (
    DATA,
    SECOND_NS,
    BadFrame,
    Heard,
    Heartbeat,
    Preparation,
    Stage,
    Stream,
    Turn,
    Verdict,
    by_status,
)

WIRE: Final = {"Dusk-Wire": "2"}
"""Without it the venue would speak as it did of old, and round what it says."""
DIALS: Final = "dials"
DEALS: Final = ("deal", "state")
MONEY: Final = ("purse", "stake")


def _beat(context: Context) -> bytes:
    return orjson.dumps(["beat", seconds_of(context.venue_ns)])


# It closes who does not prove in time that he lives, however much it says itself.
BEATS: Final[dict[tuple[str, ...], Heartbeat]] = {
    DEALS: Heartbeat(30 * SECOND_NS, _beat, ping_every_ns=SECOND_NS),
    MONEY: Heartbeat(30 * SECOND_NS, ping_every_ns=SECOND_NS),
}


def streams(products: tuple[str, ...]) -> tuple[Stream, ...]:
    """One connection tells of orders and executions, one of balances and positions."""
    return (_stream(products, "deals", DEALS), _stream(products, "money", MONEY))


def _stream(products: tuple[str, ...], feed: str, facts: tuple[str, ...]) -> Stream:
    product = products[0]
    return Stream(
        products=products,
        address=lambda context, heard: _address(product, context, heard),
        judge=_judge,
        heartbeat=BEATS[facts],
        headers=lambda _context: WIRE,
        prepare=Preparation(
            lambda context: get_request(product, "ticket", {}, context), _judge_ticket
        ),
        stages=(
            Stage(lambda _context, _heard: (), lambda frame: _ends(frame, "riddle")),
            Stage(_sign_in, lambda frame: _ends(frame, "signed")),
            Stage(
                lambda _context, heard: _said("feed", _word_in(heard[-1]), *facts),
                lambda frame: _ends(frame, "fed"),
            ),
        ),
        connect_costs=(Cost(DIALS),),
        feed=feed,
    )


def _judge_ticket(status: int, body: bytes) -> Verdict:
    """``[["ticket", word, server]]``, or ``[["no", number, why]]``; 9: whoever asks too often."""
    if status != 200:
        return by_status(status, body)
    match parse(body):
        case [["ticket", str(), str()]]:
            return Verdict(Turn.ADVANCE)
        case [["no", code, *_]]:
            return Verdict(Turn.RECONNECT if code == 9 else Turn.REFUSED, said_code(code))
    return Verdict(Turn.REFUSED, "no ticket")


def _address(product: str, context: Context, heard: Heard) -> str:
    [[_, ticket, server]] = parse(heard[0])
    # It may send us to another of its servers.
    return f"{server or context.endpoints.stream[product]}/feed?{urlencode({'ticket': ticket})}"


def _sign_in(context: Context, heard: Heard) -> tuple[bytes, ...]:
    return _said("sign", context.credentials.key, mac(context, _word_in(heard[-1])))


def _said(*words: str) -> tuple[bytes, ...]:
    return (orjson.dumps(words),)


def _word_in(frame: bytes) -> str:
    """The word that ``riddle`` and ``signed`` bring. Raises BadFrame."""
    row = _row(frame)
    if len(row) < 2 or type(row[1]) is not str:
        raise BadFrame("no word where one was to come")
    return row[1]


def _ends(frame: bytes, word: str) -> Verdict:
    """Whether `frame` is the answer that begins with `word`."""
    row = _row(frame)
    if row[:1] == ["no"]:
        return Verdict(Turn.REFUSED, f"refused: {said_code(row[1] if len(row) > 1 else None)}")
    return Verdict(Turn.ADVANCE) if row[:1] == [word] else _judge(frame)


def _judge(frame: bytes) -> Verdict:
    return Verdict(Turn.ENDING) if _row(frame)[:1] == ["leave"] else DATA


def _row(frame: bytes) -> list[Any]:
    try:
        row = parse(frame)
    except BadFrame:
        return []  # for the connection it is data; the processors keep it as a dead letter
    return row if type(row) is list else []
