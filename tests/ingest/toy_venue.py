"""A venue that exists nowhere, described as any other: what the edge needs to know, it learns here.

Its wire: a listen key over HTTP, then a socket on which stage 0 signs in (``login <key>``) and
stage 1 subscribes (``subscribe``); the server answers ``ok``, or ``no <why>``. ``bye`` announces an
end, ``gone`` says that nothing comes any more. All else is data.
"""

import json
import re
from urllib.parse import quote

from orderloom.claim import Verb
from orderloom.question import About, Question
from orderloom.words import ReplyClass
from venues.order_entry import (
    Judgement,
    OrderChange,
    OrderEntry,
    OrderName,
    OrderTerms,
    SignedRequest,
)
from venues.rates import Bucket, Cost, Throttling
from venues.request import Context, Endpoints, HttpRequest
from venues.venue import (
    DATA,
    SECOND_NS,
    Answered,
    Heard,
    Heartbeat,
    Inbound,
    KeepAlive,
    Page,
    Preparation,
    Profile,
    Stage,
    Stream,
    Translation,
    Turn,
    Venue,
    Verdict,
)

PRODUCT = "TOY"
PAGES = 3


def _prepare(context: Context) -> HttpRequest:
    return HttpRequest(
        "POST",
        f"{context.endpoints.rest[PRODUCT]}/key",
        {"x-key": context.credentials.key, "x-at": str(context.venue_ns)},
        channel="POST key",
        costs=(Cost("weight"),),
    )


def _keep_alive(context: Context, heard: Heard) -> HttpRequest:
    key = heard[0].decode()
    url = f"{context.endpoints.rest[PRODUCT]}/key?keep={quote(key)}"
    headers = {"x-key": context.credentials.key, "x-at": str(context.venue_ns)}
    return HttpRequest("PUT", url, headers, channel="PUT key", costs=(Cost("weight"),))


def _is_lost(status: int, body: bytes) -> bool:
    return status == 400 and b"lost" in body


def _address(context: Context, heard: Heard) -> str:
    key = json.loads(heard[0])["key"]
    return f"{context.endpoints.stream[PRODUCT]}/private?key={key}&at={context.venue_ns}"


def _plain_address(context: Context, _heard: Heard) -> str:
    return f"{context.endpoints.stream[PRODUCT]}/private"


def _sign_in(context: Context, _heard: Heard) -> tuple[bytes, ...]:
    return (b"login " + context.credentials.key.encode(),)


def _subscribe(_context: Context, _heard: Heard) -> tuple[bytes, ...]:
    return (b"subscribe",)


def _judge(body: bytes) -> Verdict:
    word, _, rest = body.decode("utf-8").partition(" ")  # garbage raises: the edge must bear it
    if word == "ok":
        return Verdict(Turn.ADVANCE)
    if word == "no":
        return Verdict(Turn.REFUSED, rest)
    if word == "bye":
        return Verdict(Turn.ENDING, "planned shutdown")
    if word == "gone":
        return Verdict(Turn.RECONNECT, "key expired")
    return DATA


def _ask(question: Question, context: Context) -> HttpRequest:
    base = context.endpoints.rest[question.product]
    path = "time" if question.about is About.SERVER_TIME else question.about.lower()
    return HttpRequest(
        "GET",
        f"{base}/{path}?page=1&at={context.venue_ns}",
        {"x-key": context.credentials.key},
        channel=f"GET {path}",
        costs=(Cost("weight", 5),),
    )


def _next_page(question: Question, page: Page, context: Context) -> HttpRequest | None:
    if question.about is not About.TRADES or page.number >= PAGES:
        return None
    if page.body == b"[circle]":
        raise ValueError("a page that ends where it began")
    base = context.endpoints.rest[question.product]
    url = f"{base}/trades?page={page.number + 1}&at={context.venue_ns}"
    return HttpRequest("GET", url, channel="GET trades", costs=(Cost("weight", 5),))


def _backoff(answered: Answered) -> Throttling | None:
    if answered.status not in (418, 429):
        return None
    seconds = float(answered.headers.get("retry-after", "1"))
    return Throttling(int(seconds * SECOND_NS), is_ban=answered.status == 418)


def toy_stream(
    *,
    has_key: bool = True,
    stages: int = 2,
    life_ns: int | None = None,
    silence_ns_max: int = 60 * SECOND_NS,
    ping_after_ns: int | None = None,
    ping_every_ns: int | None = None,
    keep_alive_ns: int = 1800 * SECOND_NS,
    connect_bucket: str = "",
) -> Stream:
    """The toy venue's one stream, changed by keyword."""
    return Stream(
        products=(PRODUCT,),
        address=_address if has_key else _plain_address,
        judge=_judge,
        headers=lambda context: {"x-socket-key": context.credentials.key},
        heartbeat=Heartbeat(
            silence_ns_max,
            lambda _context: b"beat?",
            ping_after_ns,
            ping_every_ns,
        ),
        stages=(Stage(_sign_in, _judge), Stage(_subscribe, _judge))[:stages],
        prepare=Preparation(_prepare) if has_key else None,
        keep_alive=KeepAlive(_keep_alive, keep_alive_ns, _is_lost) if has_key else None,
        life_ns=life_ns,
        connect_costs=(Cost(connect_bucket),) if connect_bucket else (),
    )


def _cancel(name: OrderName, context: Context) -> SignedRequest:
    if name.venue_order_id is None:
        raise ValueError("the toy venue knows orders by its own ids alone")
    url = f"{context.endpoints.rest[PRODUCT]}/order?id={name.venue_order_id}&at={context.venue_ns}"
    http = HttpRequest(
        "DELETE",
        url,
        {"x-key": context.credentials.key},
        channel="DELETE order",
        costs=(Cost("weight"),),
    )
    return SignedRequest(http, f"DELETE /order?id={name.venue_order_id}")


def _place(terms: OrderTerms, expires_ns: int, context: Context) -> SignedRequest:
    path = f"/order?name={terms.client_order_id}&until={expires_ns}"
    # By PUT: what aiohttp would send again by itself.
    http = HttpRequest(
        "PUT",
        f"{context.endpoints.rest[PRODUCT]}{path}&at={context.venue_ns}",
        {"x-key": context.credentials.key},
        channel="PUT order",
        costs=(Cost("weight"),),
    )
    return SignedRequest(http, f"PUT {path}", expires_ns)


def _amend(
    _name: OrderName, _change: OrderChange, _expires_ns: int, _context: Context
) -> SignedRequest:
    raise ValueError("the toy venue amends nothing")


def _judge_reply(_verb: Verb, _product: str, status: int, _body: bytes) -> Judgement:
    return Judgement(ReplyClass.ACKED if status == 200 else ReplyClass.UNKNOWN)


def _translate(_inbound: Inbound) -> Translation:
    return Translation(ignored="nothing here is an order")


def toy_venue(
    rest: str = "http://127.0.0.1:1", stream: str = "ws://127.0.0.1:1", **keywords: object
) -> Venue:
    """The toy venue with its one environment at these addresses; keywords are the stream's."""
    the_stream = toy_stream(**keywords)  # type: ignore[arg-type] # handed on unchanged
    return Venue(
        name="toy",
        products=(PRODUCT,),
        environments={"production": Endpoints({PRODUCT: rest}, {PRODUCT: stream})},
        buckets={
            "weight": Bucket(1200, 60 * SECOND_NS, used_header="x-used"),
            "connect": Bucket(2, 3600 * SECOND_NS),
        },
        profiles={PRODUCT: Profile()},
        streams=lambda _products: (the_stream,),
        ask=_ask,
        next_page=_next_page,
        is_complete_answer=lambda page: page.status == 200 and page.body != b"[error]",
        backoff=_backoff,
        server_time=lambda body: int(json.loads(body)["ns"]),
        translate=_translate,
        orders=OrderEntry(_cancel, _place, _amend, _judge_reply, re.compile("[a-z0-9]{1,36}")),
    )
