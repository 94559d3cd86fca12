"""Dusk, an exchange that exists nowhere, described as any other: all that we know of it. Pure.

It was made up to differ from the others in everything. A message is a list that begins with a word,
an answer a list of such lists, and what stands where is told by COLUMNS alone:

- Sides, states and reasons are numbers; times are seconds with a decimal point, as text.
- ``deal`` tells of an execution and of nothing else, ``state`` of an order and its cumulative
  quantity, never of executions. They come as they please, one before the other or alone.
- Its clock is told in whole seconds.
- Some frames of the socket are compressed, and do not say so.
- Markets that end in ``-F`` are futures, counted in contracts of a size that ``market`` tells.
- Lists go by cursor, oldest first: ``from`` is the last id seen; an empty page is the end. Working
  orders are listed by market, and ``busy`` tells which markets have any.
- Who signs in on the socket signs the venue's riddle (`streams.py`); ``no`` refuses, with a number.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from orderloom import event, words
from orderloom.quantities import Unit
from orderloom.question import About, Question
from orderloom.words import OrderType, PositionSide, Reason, Status
from tests.third_venue.requests import (
    ADDRESS,
    ASKS,
    FUTURE,
    KINDS,
    LISTS,
    PRODUCTS,
    SPOT,
    get_request,
    seconds_of,
)
from tests.third_venue.streams import DIALS, streams
from venues.document import (
    Document,
    blank_decimal,
    decimal,
    inflated,
    integer,
    needed_decimal,
    needed_identifier,
    needed_text,
    parse,
    text,
)
from venues.rates import Bucket, Scope, Throttling
from venues.request import Context, Endpoints, HttpRequest
from venues.venue import (
    SECOND_NS,
    Answered,
    BadFrame,
    Inbound,
    Page,
    Profile,
    Translation,
    UnknownFrame,
    Venue,
)

NAME: Final = "dusk"
NS_MAX: Final = 2**63 - 1

COLUMNS: Final = {
    "deal": ("id", "order", "own", "market", "side", "price", "lots", "fee", "coin", "made", "at"),
    "state": ("order", "own", "market", "side", "kind", "price", "lots", "done", "code", "why",
              "turn", "at"),
    "purse": ("coin", "free", "held", "at"),
    "stake": ("market", "lots", "entry", "at"),
    "market": ("name", "base", "quote", "settled", "tick", "lot", "size"),
    "clock": ("at",),
    "no": ("code", "word"),
}  # fmt: skip
SIDES: Final = {1: words.Side.BUY, 2: words.Side.SELL}
LIQUIDITIES: Final = {0: words.Liquidity.TAKER, 1: words.Liquidity.MAKER}
ORDER_KINDS: Final = {1: OrderType.LIMIT, 2: OrderType.MARKET}
STATES: Final = {
    10: Status.ACTIVE, 20: Status.FILLED, 30: Status.CANCELED, 40: Status.EXPIRED,
    50: Status.REJECTED,
}  # fmt: skip
WHYS: Final = {
    0: None, 1: Reason.USER_CANCEL, 2: Reason.TIME_IN_FORCE, 3: Reason.SELF_TRADE_PREVENTION,
}  # fmt: skip
REFUSALS: Final = {7: Reason.NOT_FOUND, 8: Reason.AUTH, 9: Reason.THROTTLED}
IGNORED: Final = {
    "riddle": "what is to be signed", "signed": "the sign-in is taken",
    "fed": "the subscription is taken", "beat": "a heartbeat", "leave": "a planned end",
    "clock": "the venue's clock", "busy": "where there are working orders",
}  # fmt: skip


# ---- what it says


def translate(inbound: Inbound) -> Translation:
    """What one message says. Raises BadFrame, UnknownFrame."""
    document, unknown = inbound.document, list[str]()
    if type(document) is not list:
        raise UnknownFrame("no list")
    rows = document if not document or type(document[0]) is list else [document]
    said = [_row(row, inbound, unknown) for row in rows]
    events = tuple(one for one in said if not isinstance(one, str))
    ignored = next((one for one in said if isinstance(one, str)), "an empty answer")
    return Translation(events, None if events else ignored, tuple(dict.fromkeys(unknown)))


def _row(row: Any, inbound: Inbound, unknown: list[str]) -> event.Event | str:
    if type(row) is not list or not row or type(row[0]) is not str:
        raise UnknownFrame("a row without its word")
    word, *values = row
    if word in IGNORED:
        return f"{word}: {IGNORED[word]}"
    if word not in COLUMNS:
        raise UnknownFrame(f"the word {word!r:.80}")
    if len(values) > len(COLUMNS[word]):
        unknown.append(f"{word} has {len(values)} columns")
    fields = dict(zip(COLUMNS[word], values, strict=False))
    if word == "no":
        return _refusal(fields, inbound, unknown)
    return READERS[word](fields, unknown)


def _deal(row: Document, _unknown: list[str]) -> event.Event:
    market, side = needed_text(row, "market"), _coded(row, "side", SIDES)
    if side is None:
        raise BadFrame("side: missing")
    return event.Execution(
        product=product_of(market),
        symbol=market,
        exec_id=needed_identifier(row, "id"),
        venue_order_id=needed_identifier(row, "order"),
        client_order_id=text(row, "own"),
        side=side,
        last_price=needed_decimal(row, "price"),
        last_quantity=needed_decimal(row, "lots"),
        quantity_unit=_unit_of(market),
        fee=decimal(row, "fee"),
        fee_currency=text(row, "coin"),
        liquidity=_coded(row, "made", LIQUIDITIES),
        position_side=PositionSide.NET,
        venue_ns=time_ns(row),
    )


def _state(row: Document, unknown: list[str]) -> event.Event:
    market, venue_ns = needed_text(row, "market"), time_ns(row)
    return event.OrderReport(
        product=product_of(market),
        symbol=market,
        venue_order_id=needed_identifier(row, "order"),
        client_order_id=text(row, "own"),
        status=_number(row, "code", STATES, unknown),
        reason=_number(row, "why", WHYS, unknown),
        side=_coded(row, "side", SIDES),
        order_type=_number(row, "kind", ORDER_KINDS, unknown),
        price=decimal(row, "price"),
        quantity=needed_decimal(row, "lots"),
        quantity_unit=_unit_of(market),
        filled_quantity=needed_decimal(row, "done"),
        position_side=PositionSide.NET,
        ordinal=(venue_ns, integer(row, "turn") or 0),
        venue_ns=venue_ns,
    )


def _purse(row: Document, _unknown: list[str]) -> event.Event:
    free, held = needed_decimal(row, "free"), needed_decimal(row, "held")
    coin = needed_text(row, "coin")
    return event.BalanceReport(
        product=SPOT, asset=coin, free=free, locked=held, venue_ns=time_ns(row)
    )


def _stake(row: Document, _unknown: list[str]) -> event.Event:
    market = needed_text(row, "market")
    return event.PositionReport(
        product=product_of(market),
        symbol=market,
        position_side=PositionSide.NET,
        quantity=needed_decimal(row, "lots"),
        quantity_unit=_unit_of(market),
        entry_price=blank_decimal(row, "entry"),
        venue_ns=time_ns(row),
    )


def _market(row: Document, _unknown: list[str]) -> event.Event:
    name = needed_text(row, "name")
    return event.InstrumentReport(
        product=product_of(name),
        symbol=name,
        base=text(row, "base"),
        quote=text(row, "quote"),
        settle=text(row, "settled"),
        tick=decimal(row, "tick"),
        lot=decimal(row, "lot"),
        contract_size=blank_decimal(row, "size"),
        quantity_unit=_unit_of(name),
    )


def _refusal(row: Document, inbound: Inbound, unknown: list[str]) -> event.Event:
    code, word = integer(row, "code"), text(row, "word")
    reason = _number(row, "code", REFUSALS, unknown) or Reason.UNKNOWN_STATE
    product = inbound.product if inbound.product in PRODUCTS else SPOT
    return event.Reply(product=product, accepted=False, reason=reason, code=str(code), text=word)


READERS: Final[dict[str, Callable[[Document, list[str]], event.Event]]] = {
    "deal": _deal, "state": _state, "purse": _purse, "stake": _stake, "market": _market,
}  # fmt: skip


def _coded(row: Document, name: str, known: Mapping[int, Any]) -> Any:
    """Our word for a number that must be known, where it stands."""
    number = integer(row, name)
    if number is not None and number not in known:
        raise BadFrame(f"{name}: no number that we know: {number}")
    return None if number is None else known[number]


def _number(row: Document, name: str, known: Mapping[int, Any], unknown: list[str]) -> Any:
    """Our word for a number; one that is new is noted."""
    number = integer(row, name)
    if number is not None and number not in known:
        unknown.append(f"{name}={number}")
    return None if number is None else known.get(number)


def product_of(market: str) -> str:
    return FUTURE if market.endswith("-F") else SPOT


def _unit_of(market: str) -> Unit:
    return Unit.CONTRACTS if product_of(market) == FUTURE else Unit.BASE


def time_ns(row: Document) -> int:
    seconds = needed_decimal(row, "at")
    if not 0 <= seconds * SECOND_NS <= NS_MAX:
        raise BadFrame(f"at: no time: {seconds!r:.80}")
    return int(seconds * SECOND_NS)


# ---- what is asked of it

PATHS: Final = {
    About.SERVER_TIME: ("clock", "clock"), About.INSTRUMENTS: ("markets", "market"),
    About.OPEN_ORDERS: ("working", "state"), About.ORDER_HISTORY: ("past", "state"),
    About.ORDER: ("state", "state"), About.TRADES: ("deals", "deal"),
    About.POSITIONS: ("stakes", "stake"), About.BALANCES: ("purse", "purse"),
}  # fmt: skip
BUSY: Final = ("busy", "busy")
"""The markets with working orders, of which only one at a time can be asked for."""
ROWS: Final = dict([*PATHS.values(), BUSY])
PAGED: Final = frozenset({About.OPEN_ORDERS, About.ORDER_HISTORY, About.TRADES})


def ask(question: Question, context: Context) -> HttpRequest:
    """The first request of a question."""
    if question.about is About.OPEN_ORDERS and question.symbol is None:
        return get_request(question.product, BUSY[0], {"kind": KINDS[question.product]}, context)
    return _page(question, context)


def _page(question: Question, context: Context, after: str = "") -> HttpRequest:
    """The page after the row `after`."""
    wanted = {
        "kind": KINDS[question.product], "market": question.symbol, "from": after,
        "order": question.venue_order_id, "own": question.client_order_id,
        "since": seconds_of(question.since_ns), "until": seconds_of(question.until_ns),
    }  # fmt: skip
    return get_request(question.product, PATHS[question.about][0], wanted, context)


def next_page(question: Question, page: Page, context: Context) -> HttpRequest | None:
    """The page that follows, or the first one of the next market."""
    rows, left = parse(page.body), page.request.carry
    path = urlsplit(page.request.url).path.removeprefix("/v/")
    asked = dict(parse_qsl(urlsplit(page.request.url).query))
    if path == BUSY[0]:
        left = tuple(row[1] for row in rows)
    elif question.about in PAGED and rows:
        after = str(rows[-1][1])
        if asked.get("from") == after:
            raise ValueError("a page that ends where it began")
        here = question.model_copy(update={"symbol": asked.get("market")})
        return replace(_page(here, context, after), carry=left)
    if not left:
        return None
    there = question.model_copy(update={"symbol": left[0]})
    return replace(_page(there, context), carry=left[1:])


def is_complete_answer(page: Page) -> bool:
    """Whether it is a list of nothing but the rows asked for."""
    path = urlsplit(page.request.url).path.removeprefix("/v/")
    word = ROWS[path]
    try:
        rows = parse(page.body)
    except BadFrame:
        return False
    return page.status == 200 and type(rows) is list and all(_is_row(row, word) for row in rows)


def _is_row(row: Any, word: str) -> bool:
    return type(row) is list and len(row) > 1 and row[0] == word and type(row[1]) in (int, str)


def backoff(answered: Answered) -> Throttling | None:
    """429 asks us to wait, for ``dusk-wait`` seconds; of a ticket 9 does, with status 200."""
    wait = answered.headers.get("dusk-wait", "")
    if answered.status == 429:
        return Throttling(int(wait if wait.isdecimal() and len(wait) < 8 else "1") * SECOND_NS)
    is_ticket = answered.request.url.endswith("/v/ticket")
    return Throttling(SECOND_NS // 2) if is_ticket and _is_nine(answered.body) else None


def _is_nine(body: bytes) -> bool:
    try:
        rows = parse(body)
    except BadFrame:
        return False
    return type(rows) is list and rows[:1] == [["no", 9, "not now"]]


DUSK: Final = Venue(
    name=NAME,
    products=PRODUCTS,
    environments={
        "production": Endpoints(
            dict.fromkeys(PRODUCTS, "https://ask.dusk.example"),
            dict.fromkeys(PRODUCTS, "wss://feed.dusk.example"),
            servers=frozenset({"wss://feed-2.dusk.example"}),
        ),
        "rehearsal": Endpoints(
            {FUTURE: "https://ask.dusk.example"},
            {FUTURE: "wss://feed.dusk.example"},
            headers={"Dusk-Stage": "rehearsal"},
            stream_headers={"Dusk-Site": "rehearsal"},
        ),
    },
    buckets={
        # Of each market of an account; of each account, with what is left; of all at an address.
        # By a third less than it allows: a busy machine bunches what we send evenly.
        LISTS: Bucket(6, SECOND_NS, Scope.MARKET, burst=2),
        ASKS: Bucket(
            16, SECOND_NS, Scope.ACCOUNT, left_header="dusk-left", reset_header="dusk-reset"
        ),
        ADDRESS: Bucket(600, 10 * SECOND_NS, burst=100),
        DIALS: Bucket(20, SECOND_NS, burst=2),
    },
    profiles={
        product: Profile(has_positions=product == FUTURE, visibility_lag_ns=SECOND_NS)
        for product in PRODUCTS
    },
    streams=streams,
    ask=ask,
    next_page=next_page,
    is_complete_answer=is_complete_answer,
    backoff=backoff,
    server_time=lambda body: time_ns({"at": parse(body)[0][1]}),
    clock_steps_ns=dict.fromkeys(PRODUCTS, SECOND_NS),
    translate=translate,
    unpack=lambda body: body if body[:1] in (b"[", b"") else inflated(body),
)
